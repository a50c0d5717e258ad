/* crowd.h - how many connections a listener has, in all and of each peer.
 *
 * A peer is an IPv4 address, the /64 of an IPv6 address (whoever has one of its addresses has all),
 * a link-local IPv6 address, or at a unix socket a user id. Counted: connections stay when their
 * listener goes. Loop thread only.
 */
#ifndef SLUICE_NET_CROWD_H
#define SLUICE_NET_CROWD_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/status.h"

struct sl_peer_key {
    uint8_t bytes[17]; /* the family, then what tells peers apart */
};

struct sl_crowd; /* of one listener */
struct sl_guest; /* one peer of it, as long as it has connections */

void sl_peer_key(const struct sockaddr *address, struct sl_peer_key *key);

/* Limits of 0 are none. NULL when memory is out. */
struct sl_crowd *sl_crowd_new(uint32_t max_connections, uint32_t max_per_peer) SL_MUST_CHECK;

/* The listener is done with it. NULL is nothing. */
void sl_crowd_release(struct sl_crowd *crowd);

/* One more connection, until sl_guest_leave. NULL: there can be no more of them, or no memory
 * ("out-of-memory"), as `why` says. */
struct sl_guest *sl_crowd_enter(struct sl_crowd *crowd, const struct sl_peer_key *key,
                                struct sl_status *why) SL_MUST_CHECK;
void sl_guest_leave(struct sl_guest *guest); /* NULL is nothing */

#endif
