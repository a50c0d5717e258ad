#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/race.h"

enum {
    KEEPALIVE_IDLE_S = 10,
    KEEPALIVE_INTERVAL_S = 5,
    ASK_BYTES = 2048, /* more than a proxy is ever sent: what it is sent is not copied about */
    KEEPALIVE_PROBES = (SL_NET_DEAD_PEER_S - KEEPALIVE_IDLE_S) / KEEPALIVE_INTERVAL_S,
};

/* A name on its way through libuv's threads. It outlives a dial that gave up. */
struct resolve {
    uv_getaddrinfo_t req;
    struct sl_dial *dial; /* NULL: nobody waits any more */
};

/* A proxy on the way. */
struct via {
    struct sl_proxy proxy;
    struct sl_proxy_talk talk;
};

struct sl_dial {
    struct sl_loop *loop;
    struct sl_conn *conn;
    struct sl_address address;
    struct sl_listener *listener; /* of a private address */
    struct via *via;              /* NULL: no proxy */
    struct sl_tls *tls;           /* held; NULL: plaintext */
    char *server_name;            /* that the certificate must be for */
    int64_t deadline_ns;
    struct sl_timer *timer;     /* of the whole, or of what follows when a socket is connected */
    struct sl_deferred begin;   /* so that nothing fails within sl_conn_dial */
    struct resolve *resolve;    /* NULL when none is running */
    struct addrinfo *addresses; /* all that were found */
    struct sl_race race;
    struct sl_status why; /* of the attempt that came furthest, the last one of them */
    bool has_connected;   /* `why` is of an attempt whose socket was connected */
};

static void give_up(struct sl_dial *dial)
{
    sl_conn_fail(dial->conn, &dial->why); /* frees the dial */
}

/* A reason of TLS says more than one of another address that does not answer. */
static void on_failed(void *arg, const char *name, int error)
{
    struct sl_dial *dial = arg;

    if (!dial->has_connected) {
        dial->why = sl_net_error("connect", name, error);
    }
}

static void on_lost(void *arg)
{
    give_up(arg);
}

/* A race that goes on has all the time that is left; what follows on a connected socket an even
 * part of it, beside the addresses that may still be raced. */
static void start_timer(struct sl_dial *dial, unsigned parts)
{
    int64_t left_ns = dial->deadline_ns - sl_loop_now_ns(dial->loop);

    sl_timer_start(dial->timer, left_ns > 0 ? (uint64_t)(left_ns / SL_NS_PER_MS) / parts : 0);
}

void sl_dial_next(struct sl_dial *dial)
{
    start_timer(dial, 1);
    sl_race_run(&dial->race);
}

void sl_dial_failed(struct sl_dial *dial, const struct sl_status *why)
{
    dial->why = *why;
    dial->has_connected = true;
    sl_timer_stop(dial->timer);
    if (sl_race_left(&dial->race) > 0) {
        sl_conn_renew(dial->conn);
    } else {
        give_up(dial);
    }
}

/* Best effort: without them a dead peer is noticed later. */
static void watch_for_death(int fd)
{
    const int yes = 1, idle_s = KEEPALIVE_IDLE_S, interval_s = KEEPALIVE_INTERVAL_S;
    const int probes = KEEPALIVE_PROBES;
    const unsigned timeout_ms = SL_NET_DEAD_PEER_S * 1000;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

/* ---- on a connected socket ---- */

/* The peer is at the other end. `dial` may be gone afterwards. */
static void reached(struct sl_dial *dial)
{
    struct sl_conn *conn = dial->conn;

    if (dial->tls) {
        char place[SL_ADDRESS_TEXT_BYTES];
        sl_address_print(&dial->address, place);
        sl_conn_secure(conn, dial->tls, dial->server_name, place);
    } else {
        sl_conn_ready(conn);
    }
}

/* "proxy 127.0.0.1:3128: ..." */
static struct sl_status proxy_error(const struct sl_dial *dial, const char *reason,
                                    const char *text)
{
    return sl_status_because(
        reason, sl_status_error(SL_UNAVAILABLE, "proxy %s: %s", dial->conn->peer, text));
}

struct sl_status sl_dial_cut(const struct sl_dial *dial)
{
    return proxy_error(dial, "proxy-cut",
                       dial->via->talk.heard_bytes ? "it hung up before its answer was whole"
                                                   : "it hung up without a word");
}

static struct sl_status proxy_timeout(const struct sl_dial *dial)
{
    return proxy_error(dial, "proxy-timeout",
                       dial->via->talk.heard_bytes ? "its answer did not end in time"
                                                   : "it never said a word");
}

/* What is sent may be a password: nothing of it stays. */
static enum sl_proxy_step talk(struct sl_dial *dial, const uint8_t *bytes, size_t len, size_t *used)
{
    struct sl_buf out;
    struct sl_conn *conn = dial->conn;

    sl_buf_init(&out, 0);
    out.failed = !sl_buf_reserve(&out, ASK_BYTES);
    enum sl_proxy_step step = sl_proxy_talk_feed(&dial->via->talk, bytes, len, used, &out);
    if (step == SL_PROXY_WANTS_INPUT && out.len > 0) {
        sl_conn_send(conn, out.data, out.len);
    }
    if (out.data) {
        explicit_bzero(out.data, out.cap);
    }
    sl_buf_fini(&out);
    return step;
}

/* The first bytes of the peer came with the proxy's last. */
static void give_rest(struct sl_conn *conn, const uint8_t *bytes, size_t len)
{
    if (len == 0 || uv_is_closing(&conn->socket.handle)) {
        return;
    }
    if (conn->tls) {
        sl_conn_secure_read(conn, bytes, len);
    } else if (conn->events && conn->events->on_read) {
        conn->events->on_read(conn, bytes, len, conn->arg);
    }
}

void sl_dial_heard(struct sl_dial *dial, const uint8_t *bytes, size_t len)
{
    struct sl_conn *conn = dial->conn;
    size_t used;
    enum sl_proxy_step step = talk(dial, bytes, len, &used);

    if (step == SL_PROXY_FAILED) {
        const struct sl_status *said = &dial->via->talk.why;
        struct sl_status why = proxy_error(dial, said->reason, said->text);
        sl_dial_failed(dial, &why);
    } else if (step == SL_PROXY_DONE) {
        char to[SL_ADDRESS_TEXT_BYTES], name[SL_ADDRESS_TEXT_BYTES + SL_NET_NAME_BYTES + 8];
        sl_address_print(&dial->address, to);
        snprintf(name, sizeof(name), "%s via %s", to, conn->peer);
        snprintf(conn->peer, sizeof(conn->peer), "%.*s", SL_NET_NAME_BYTES - 1, name);
        conn->is_asking = false;
        reached(dial);
        give_rest(conn, bytes + used, len - used);
    }
}

static void ask_proxy(struct sl_dial *dial)
{
    struct sl_conn *conn = dial->conn;

    sl_proxy_talk_fini(&dial->via->talk);
    sl_proxy_talk_init(&dial->via->talk, &dial->via->proxy, &dial->address);
    conn->is_asking = true;
    sl_conn_update_reading(conn);
    if (!uv_is_closing(&conn->socket.handle)) {
        sl_dial_heard(dial, NULL, 0);
    }
}

static void on_won(void *arg, int fd, const char *name)
{
    struct sl_dial *dial = arg;

    start_timer(dial, 1 + sl_race_left(&dial->race));
    if (!dial->conn->is_unix) {
        watch_for_death(fd);
    }
    if (!sl_conn_take(dial->conn, fd, name)) {
        struct sl_status why = sl_net_error("connect", name, UV_ENOMEM);
        close(fd);
        sl_dial_failed(dial, &why);
    } else if (dial->via) {
        ask_proxy(dial);
    } else {
        reached(dial);
    }
}

static const struct sl_race_events race_events = {
    .on_won = on_won,
    .on_failed = on_failed,
    .on_lost = on_lost,
};

static void found(struct sl_dial *dial, struct addrinfo *addresses)
{
    dial->addresses = addresses;
    sl_race_set(&dial->race, addresses);
    sl_race_run(&dial->race);
}

/* ---- addresses ---- */

/* Where the socket leads: to the peer, or to the proxy. */
static const struct sl_address *first_stop(const struct sl_dial *dial)
{
    return dial->via ? &dial->via->proxy.address : &dial->address;
}

static void resolve_failed(struct sl_dial *dial, int error)
{
    dial->why = sl_net_error("resolve", first_stop(dial)->host, error);
    give_up(dial);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *addresses)
{
    struct resolve *resolve = SL_CONTAINER_OF(req, struct resolve, req);
    struct sl_dial *dial = resolve->dial;

    free(resolve);
    if (!dial) {
        uv_freeaddrinfo(addresses);
        return;
    }
    dial->resolve = NULL;
    if (status < 0) {
        resolve_failed(dial, status);
    } else {
        found(dial, addresses);
    }
}

static const struct addrinfo name_hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
static const struct addrinfo number_hints = {.ai_socktype = SOCK_STREAM,
                                             .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};

static void start_resolving(struct sl_dial *dial, const char *port)
{
    struct resolve *resolve = malloc(sizeof(*resolve));
    int error;

    if (!resolve) {
        resolve_failed(dial, UV_ENOMEM);
        return;
    }
    resolve->dial = dial;
    error = uv_getaddrinfo(sl_loop_handle(dial->loop), &resolve->req, on_resolved,
                           first_stop(dial)->host, port, &name_hints);
    if (error) {
        free(resolve);
        resolve_failed(dial, error);
        return;
    }
    dial->resolve = resolve;
}

/* An address in numbers does not queue behind names. */
static void begin_host(struct sl_dial *dial)
{
    const struct sl_address *stop = first_stop(dial);
    struct addrinfo *addresses;
    char port[sizeof("65535")];

    snprintf(port, sizeof(port), "%u", (unsigned)stop->port);
    if (dial->address.port == 0) {
        on_failed(dial, "port 0", UV_EADDRNOTAVAIL);
        give_up(dial);
    } else if (getaddrinfo(stop->host, port, &number_hints, &addresses) == 0) {
        found(dial, addresses);
    } else {
        start_resolving(dial, port);
    }
}

static void begin_private(struct sl_dial *dial)
{
    int fd = dial->listener ? sl_listener_connect(dial->listener) : UV_EADDRNOTAVAIL;

    if (fd >= 0) {
        on_won(dial, fd, "private");
    } else {
        on_failed(dial, "private", fd);
        give_up(dial);
    }
}

static void begin(void *arg)
{
    struct sl_dial *dial = arg;

    if (dial->address.kind == SL_ADDRESS_PRIVATE) {
        begin_private(dial);
    } else if (!sl_address_check(&dial->address, &dial->why) ||
               (dial->via && !sl_proxy_can_reach(&dial->address, &dial->why))) {
        give_up(dial);
    } else if (sl_address_is_unix(&dial->address)) {
        sl_race_set_unix(&dial->race, &dial->address);
        sl_race_run(&dial->race);
    } else {
        begin_host(dial);
    }
}

static void on_timeout(void *arg)
{
    struct sl_dial *dial = arg;

    if (dial->conn->is_asking) {
        struct sl_status why = proxy_timeout(dial);
        sl_dial_failed(dial, &why);
    } else if (dial->conn->is_shaking) {
        struct sl_status why = sl_conn_handshake_timeout(dial->conn);
        sl_dial_failed(dial, &why);
    } else if (dial->race.count == 0) {
        resolve_failed(dial, UV_ETIMEDOUT);
    } else {
        on_failed(dial, dial->race.name, UV_ETIMEDOUT);
        give_up(dial);
    }
}

void sl_dial_free(struct sl_dial *dial)
{
    if (!dial) {
        return;
    }
    if (dial->resolve) {
        dial->resolve->dial = NULL;
        uv_cancel((uv_req_t *)&dial->resolve->req);
    }
    sl_loop_cancel(dial->loop, &dial->begin);
    sl_timer_free(dial->timer);
    sl_race_fini(&dial->race);
    uv_freeaddrinfo(dial->addresses);
    sl_tls_release(dial->tls);
    if (dial->via) {
        sl_proxy_talk_fini(&dial->via->talk);
        explicit_bzero(dial->via, sizeof(*dial->via));
        free(dial->via);
    }
    free(dial->server_name);
    free(dial);
}

static bool init_secure(struct sl_dial *dial, const struct sl_dial_options *options)
{
    const char *name = options->server_name;
    const char *host = sl_address_is_unix(&options->address) ? "localhost" : options->address.host;

    if (!options->tls) {
        return true;
    }
    sl_tls_hold(options->tls);
    dial->tls = options->tls;
    dial->server_name = sl_str_dup(sl_str_from(name && *name ? name : host));
    return dial->server_name != NULL;
}

static bool init_proxy(struct sl_dial *dial, const struct sl_proxy *proxy)
{
    if (!proxy) {
        return true;
    }
    dial->via = calloc(1, sizeof(*dial->via));
    if (dial->via) {
        dial->via->proxy = *proxy;
    }
    return dial->via != NULL;
}

/* False when memory is out. */
static bool init(struct sl_dial *dial, struct sl_loop *loop, const struct sl_dial_options *options)
{
    dial->loop = loop;
    dial->address = options->address;
    dial->listener = options->listener;
    dial->deadline_ns = sl_loop_now_ns(loop) + (int64_t)options->timeout_ms * SL_NS_PER_MS;
    dial->begin.fn = begin;
    dial->begin.arg = dial;
    sl_race_init(&dial->race, loop, &race_events, dial);
    dial->timer = sl_timer_new(loop, on_timeout, dial);
    if (!dial->timer || !init_secure(dial, options) || !init_proxy(dial, options->proxy)) {
        return false;
    }
    dial->conn = sl_conn_new(loop, sl_address_is_unix(first_stop(dial)));
    return dial->conn != NULL;
}

struct sl_conn *sl_conn_dial(struct sl_loop *loop, const struct sl_dial_options *options,
                             const struct sl_conn_events *events, void *arg)
{
    struct sl_dial *dial = calloc(1, sizeof(*dial));

    if (!dial) {
        return NULL;
    }
    if (!init(dial, loop, options)) {
        sl_dial_free(dial);
        return NULL;
    }
    sl_loop_defer(loop, &dial->begin);
    sl_timer_start(dial->timer, options->timeout_ms);
    dial->conn->dial = dial;
    sl_conn_set_events(dial->conn, events, arg);
    return dial->conn;
}
