/* net_dial.c - the twin of lib/net's dialling and listening: who is where, and the way there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "world/net.h"

enum {
    FIRST_PORT = 20000, /* of those that listeners on port 0 are given */
    DIALLED_PORT = 32768,
    DIALLED_PORTS = 28000,
};

struct sl_listener {
    struct sl_loop *loop;
    struct sl_listener_options options;
    struct sl_crowd *crowd;
    struct sl_deferred gone;
    struct sl_list node; /* of those that listen */
    bool is_closed;
};

const struct world_link world_default_link = {
    .latency_ns = 100 * SL_NS_PER_US,
    .buffer_bytes = 256 * 1024,
};

static struct {
    struct sl_list ways;
    struct sl_list listeners;
    bool is_ready;
    uint16_t last_port;
} net;

static void get_ready(void)
{
    if (!net.is_ready) {
        sl_list_init(&net.ways);
        sl_list_init(&net.listeners);
        net.last_port = FIRST_PORT - 1;
        net.is_ready = true;
    }
}

void world_net_end(void)
{
    struct sl_list *node;

    if (!net.is_ready) {
        return;
    }
    SL_ASSERT(sl_list_is_empty(&net.listeners));
    while ((node = sl_list_pop(&net.ways))) {
        free(SL_CONTAINER_OF(node, struct world_way, node));
    }
    net.is_ready = false;
}

/* ---- ways ---- */

static struct world_way *way_to(const char *host, uint16_t port)
{
    char name[SL_ADDRESS_TEXT_BYTES];

    get_ready();
    snprintf(name, sizeof(name), "%s %u", host, (unsigned)port);
    SL_LIST_FOR_EACH(node, &net.ways)
    {
        struct world_way *way = SL_CONTAINER_OF(node, struct world_way, node);
        if (strcmp(way->name, name) == 0) {
            return way;
        }
    }
    struct world_way *way = calloc(1, sizeof(*way) + strlen(name) + 1);
    SL_ASSERT(way);
    way->link = world_default_link;
    memcpy(way->name, name, strlen(name));
    sl_list_init(&way->node);
    sl_list_append(&net.ways, &way->node);
    return way;
}

void world_set_link(const char *host, uint16_t port, const struct world_link *link)
{
    way_to(host, port)->link = *link;
}

/* ---- listeners ---- */

static bool is_anywhere(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool listens_at(const struct sl_listener *listener, const struct sl_address *address)
{
    const struct sl_address *own = &listener->options.address;

    return own->kind == address->kind && own->port == address->port &&
           (strcmp(own->host, address->host) == 0 ||
            (own->kind == SL_ADDRESS_HOST && is_anywhere(own->host)));
}

/* NULL: nobody. */
static struct sl_listener *listener_at(const struct sl_address *address)
{
    get_ready();
    SL_LIST_FOR_EACH(node, &net.listeners)
    {
        struct sl_listener *listener = SL_CONTAINER_OF(node, struct sl_listener, node);
        if (address->kind != SL_ADDRESS_PRIVATE && listens_at(listener, address)) {
            return listener;
        }
    }
    return NULL;
}

static void free_listener(struct sl_listener *listener)
{
    sl_crowd_release(listener->crowd);
    free(listener);
}

static void on_gone(void *arg)
{
    struct sl_listener *listener = arg;

    world_loop_release(listener->loop);
    free_listener(listener);
}

/* False: `why`. */
static bool may_listen(const struct sl_listener_options *options, struct sl_status *why)
{
    char name[SL_ADDRESS_TEXT_BYTES];

    *why = sl_status_ok();
    sl_address_print(&options->address, name);
    if (options->tls) {
        *why = sl_status_error(SL_UNIMPLEMENTED, "listen %s: this world has no TLS", name);
    } else if (options->address.kind != SL_ADDRESS_PRIVATE &&
               sl_address_check(&options->address, why) && listener_at(&options->address)) {
        *why = sl_net_error("listen", name, UV_EADDRINUSE);
    }
    return sl_status_is_ok(why);
}

struct sl_listener *sl_listener_open(struct sl_loop *loop,
                                     const struct sl_listener_options *options,
                                     struct sl_status *why)
{
    if (!may_listen(options, why)) {
        return NULL;
    }
    struct sl_listener *listener = calloc(1, sizeof(*listener));
    struct sl_crowd *crowd =
        sl_crowd_new(options->max_connections, options->max_connections_per_peer);
    if (!listener || !crowd) {
        sl_crowd_release(crowd);
        free(listener);
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "listen: out of memory");
        return NULL;
    }
    get_ready();
    listener->loop = loop;
    listener->options = *options;
    listener->crowd = crowd;
    listener->gone = (struct sl_deferred){.fn = on_gone, .arg = listener};
    if (options->address.kind == SL_ADDRESS_HOST && options->address.port == 0) {
        listener->options.address.port = ++net.last_port;
    }
    sl_list_init(&listener->node);
    sl_list_append(&net.listeners, &listener->node);
    world_loop_hold(loop);
    return listener;
}

uint16_t sl_listener_port(const struct sl_listener *listener)
{
    return listener->options.address.port;
}

void sl_listener_set_tls(struct sl_listener *listener, struct sl_tls *tls)
{
    (void)listener;
    SL_ASSERT(!tls);
}

void sl_listener_close(struct sl_listener *listener)
{
    if (!listener->is_closed) {
        listener->is_closed = true;
        sl_list_remove(&listener->node);
        sl_loop_defer(listener->loop, &listener->gone);
    }
}

/* ---- dialling ---- */

static void next_step(struct sl_conn *conn, struct sl_loop *loop, enum world_kind kind,
                      sl_loop_fn fn)
{
    conn->step = (struct world_event){.loop = loop, .fn = fn, .arg = conn, .kind = kind};
    world_set(&conn->step, world_now_ns() + world_conn_travel_ns(conn), world_any_rank());
}

void world_dial_forget(struct sl_conn *conn)
{
    world_clear(&conn->step);
    free(conn->address);
    conn->address = NULL;
}

static void fail_with(struct sl_conn *conn, int error)
{
    struct sl_status why = sl_net_error("connect", conn->name, error);

    world_conn_fail(conn, &why, WORLD_WIRE_IS_RESET);
}

static void on_refused(void *arg)
{
    struct sl_conn *conn = arg;

    world_count()->refused++;
    world_happened(WORLD_DIAL, conn->id, 1);
    fail_with(conn, UV_ECONNREFUSED);
}

/* The other end's answer is here. */
static void on_answer(void *arg)
{
    struct sl_conn *conn = arg;

    if (conn->is_stalled) {
        return; /* until it is healed */
    }
    world_happened(WORLD_OPEN, conn->id, 0);
    world_clear(&conn->death);
    world_dial_forget(conn);
    world_conn_open(conn);
    if (conn->events && conn->events->on_open) {
        conn->events->on_open(conn, conn->arg);
    }
}

void world_dial_heal(struct sl_conn *conn)
{
    if (conn->has_dialled && conn->is_connected && !conn->is_open) {
        world_clear(&conn->step); /* the answer may still be on its way */
        next_step(conn, conn->loop, WORLD_OPEN, on_answer);
    }
}

static void give(struct sl_listener *listener, struct sl_conn *conn)
{
    listener->options.accept(listener, conn, listener->options.arg);
    SL_ASSERT(conn->events || conn->is_closing);
    if (!conn->is_closing) {
        world_conn_open(conn);
    }
}

/* One too many: it is connected, and hears the end at once. */
static void turn_away(struct sl_listener *listener, struct sl_conn *conn,
                      const struct sl_status *why)
{
    conn->in.end = WORLD_WIRE_ENDS;
    conn->in.end_ns = world_now_ns();
    if (listener->options.refuse) {
        listener->options.refuse(listener, "127.0.0.1", why, listener->options.arg);
    }
}

static void accept_from(struct sl_listener *listener, struct sl_conn *dialled)
{
    const struct sl_peer_key key = {.bytes = {1}}; /* all that dial are one peer */
    struct sl_status why;
    struct sl_guest *guest = sl_crowd_enter(listener->crowd, &key, &why);
    struct sl_conn *conn;

    if (!guest) {
        turn_away(listener, dialled, &why);
        return;
    }
    conn = world_conn_new(listener->loop, dialled->way);
    SL_ASSERT(conn);
    conn->guest = guest;
    snprintf(conn->name, sizeof(conn->name), "127.0.0.1:%u",
             (unsigned)(DIALLED_PORT + dialled->id % DIALLED_PORTS));
    world_conn_join(dialled, conn);
    conn->is_open = true; /* written at once it leaves; what was said before is not there */
    give(listener, conn);
}

/* The dial is at the other end. */
static void on_knock(void *arg)
{
    struct sl_conn *conn = arg;
    struct sl_listener *listener = conn->listener ? conn->listener : listener_at(conn->address);

    world_happened(WORLD_ACCEPT, conn->id, 0);
    if (!listener || listener->is_closed) {
        next_step(conn, conn->loop, WORLD_DIAL, on_refused);
        return;
    }
    conn->is_connected = true;
    next_step(conn, conn->loop, WORLD_OPEN, on_answer);
    accept_from(listener, conn);
}

static void begin(void *arg)
{
    struct sl_conn *conn = arg;
    struct sl_listener *listener = conn->listener ? conn->listener : listener_at(conn->address);

    world_happened(WORLD_DIAL, conn->id, 0);
    if (!sl_status_is_ok(&conn->cannot)) {
        world_conn_fail(conn, &conn->cannot, WORLD_WIRE_IS_RESET);
    } else if (conn->way->link.is_silent) {
        return; /* until its time is over */
    } else if (conn->way->link.is_refusing || !listener) {
        next_step(conn, conn->loop, WORLD_DIAL, on_refused);
    } else {
        next_step(conn, listener->loop, WORLD_ACCEPT, on_knock);
    }
}

static void on_timeout(void *arg)
{
    struct sl_conn *conn = arg;

    if (conn->is_open) {
        world_conn_die(conn);
        return;
    }
    world_count()->unanswered++;
    world_happened(WORLD_DIAL, conn->id, 2);
    fail_with(conn, UV_ETIMEDOUT);
}

static struct sl_status check(const struct sl_dial_options *options)
{
    struct sl_status why = sl_status_ok();

    if (options->tls) {
        why = sl_status_error(SL_UNIMPLEMENTED, "this world has no TLS");
    } else if (options->proxy) {
        why = sl_status_error(SL_UNIMPLEMENTED, "this world has no proxies");
    } else if (options->address.kind == SL_ADDRESS_PRIVATE
                   ? !options->listener
                   : !sl_address_check(&options->address, &why)) {
        return sl_status_is_ok(&why) ? sl_net_error("connect", "private", UV_EADDRNOTAVAIL) : why;
    }
    return why;
}

struct sl_conn *sl_conn_dial(struct sl_loop *loop, const struct sl_dial_options *options,
                             const struct sl_conn_events *events, void *arg)
{
    bool is_private = options->address.kind == SL_ADDRESS_PRIVATE;
    struct sl_conn *conn = world_conn_new(
        loop, way_to(is_private ? "private" : options->address.host, options->address.port));

    if (!conn) {
        return NULL;
    }
    conn->address = malloc(sizeof(*conn->address));
    SL_ASSERT(conn->address);
    *conn->address = options->address;
    conn->listener = is_private ? options->listener : NULL;
    conn->cannot = check(options);
    conn->has_dialled = true;
    if (is_private) {
        snprintf(conn->name, sizeof(conn->name), "private");
    } else {
        char name[SL_ADDRESS_TEXT_BYTES];
        sl_address_print(&options->address, name);
        snprintf(conn->name, sizeof(conn->name), "%.*s", SL_NET_NAME_BYTES - 1, name);
    }
    sl_conn_set_events(conn, events, arg);
    world_count()->dials++;
    conn->step = (struct world_event){.loop = loop, .fn = begin, .arg = conn, .kind = WORLD_DIAL};
    world_set(&conn->step, world_now_ns(), world_any_rank());
    conn->death.fn = on_timeout;
    world_set(&conn->death, world_now_ns() + (int64_t)options->timeout_ms * SL_NS_PER_MS,
              world_any_rank());
    return conn;
}
