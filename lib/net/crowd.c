#include "net/crowd.h"

#include <netinet/in.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { V6_NETWORK_BYTES = 8 };

struct sl_guest {
    struct sl_peer_key key; /* first: what the tree compares */
    struct sl_crowd *crowd;
    uint32_t connections;
};

struct sl_crowd {
    struct sl_guest all; /* every peer, where they are not told apart */
    void *guests;        /* of tsearch; empty without a limit of each peer */
    uint32_t connections;
    uint32_t max_connections;
    uint32_t max_per_peer;
    bool has_listener;
};

static void put_v4(struct sl_peer_key *key, const void *address)
{
    key->bytes[0] = AF_INET;
    memcpy(key->bytes + 1, address, sizeof(struct in_addr));
}

static void put_v6(struct sl_peer_key *key, const struct in6_addr *address)
{
    bool is_link_local = IN6_IS_ADDR_LINKLOCAL(address);

    key->bytes[0] = AF_INET6;
    memcpy(key->bytes + 1, address, is_link_local ? sizeof(*address) : V6_NETWORK_BYTES);
}

void sl_peer_key(const struct sockaddr *address, struct sl_peer_key *key)
{
    memset(key, 0, sizeof(*key));
    if (address->sa_family == AF_INET) {
        put_v4(key, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            put_v4(key, &v6->sin6_addr.s6_addr[12]);
        } else {
            put_v6(key, &v6->sin6_addr);
        }
    }
}

struct sl_crowd *sl_crowd_new(uint32_t max_connections, uint32_t max_per_peer)
{
    struct sl_crowd *crowd = calloc(1, sizeof(*crowd));

    if (crowd) {
        crowd->all.crowd = crowd;
        crowd->max_connections = max_connections;
        crowd->max_per_peer = max_per_peer;
        crowd->has_listener = true;
    }
    return crowd;
}

static void free_if_empty(struct sl_crowd *crowd)
{
    if (!crowd->has_listener && crowd->connections == 0) {
        free(crowd);
    }
}

void sl_crowd_release(struct sl_crowd *crowd)
{
    if (crowd) {
        crowd->has_listener = false;
        free_if_empty(crowd);
    }
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sl_peer_key));
}

/* A peer without connections, or the one that it is already. NULL when memory is out. */
static struct sl_guest *find_or_add(struct sl_crowd *crowd, const struct sl_peer_key *key)
{
    struct sl_guest *const *found = tfind(key, &crowd->guests, compare);

    if (found) {
        return *found;
    }
    struct sl_guest *guest = calloc(1, sizeof(*guest));
    if (!guest) {
        return NULL;
    }
    guest->key = *key;
    guest->crowd = crowd;
    if (!tsearch(guest, &crowd->guests, compare)) {
        free(guest);
        return NULL;
    }
    return guest;
}

struct sl_guest *sl_crowd_enter(struct sl_crowd *crowd, const struct sl_peer_key *key,
                                struct sl_status *why)
{
    struct sl_guest *guest = &crowd->all;

    if (crowd->max_connections && crowd->connections >= crowd->max_connections) {
        *why =
            sl_status_error(SL_RESOURCE_EXHAUSTED, "there are %u connections, and can be no more",
                            crowd->max_connections);
        *why = sl_status_because("too-many-connections", *why);
        return NULL;
    }
    if (crowd->max_per_peer) {
        guest = find_or_add(crowd, key);
    }
    if (!guest) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    if (crowd->max_per_peer && guest->connections >= crowd->max_per_peer) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED,
                               "this peer has %u connections, and can have no more",
                               crowd->max_per_peer);
        *why = sl_status_because("too-many-connections-of-peer", *why);
        return NULL;
    }
    guest->connections++;
    crowd->connections++;
    return guest;
}

void sl_guest_leave(struct sl_guest *guest)
{
    if (!guest) {
        return;
    }
    struct sl_crowd *crowd = guest->crowd;
    SL_ASSERT(guest->connections > 0 && crowd->connections > 0);
    crowd->connections--;
    if (--guest->connections == 0 && guest != &crowd->all) {
        tdelete(guest, &crowd->guests, compare);
        free(guest);
    }
    free_if_empty(crowd);
}
