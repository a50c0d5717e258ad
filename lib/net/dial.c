#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/internal.h"

enum {
    KEEPALIVE_IDLE_S = 10,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_PROBES = (SL_NET_DEAD_PEER_S - KEEPALIVE_IDLE_S) / KEEPALIVE_INTERVAL_S,
};

/* A name on its way through libuv's threads. It outlives a dial that gave up. */
struct resolve {
    uv_getaddrinfo_t req;
    struct sl_dial *dial; /* NULL: nobody waits any more */
};

struct sl_dial {
    struct sl_loop *loop;
    struct sl_conn *conn;
    struct sl_address address;
    struct sl_tls *tls; /* held; NULL: plaintext */
    char *server_name;  /* that the certificate must be for */
    int64_t deadline_ns;
    struct sl_timer *timer;     /* of the resolution, then of each attempt */
    struct sl_deferred begin;   /* so that nothing fails within sl_conn_dial */
    struct resolve *resolve;    /* NULL when none is running */
    struct addrinfo *addresses; /* all that were found */
    struct addrinfo *next;      /* those not yet tried */
    struct sl_status why;       /* of the attempt that came furthest, the last one of them */
    bool has_connected;         /* `why` is of TLS */
    char name[SL_NET_NAME_BYTES];
};

static void give_up(struct sl_dial *dial)
{
    sl_conn_fail(dial->conn, &dial->why); /* frees the dial */
}

/* A reason of TLS says more than one of another address that does not answer. */
static void keep_reason(struct sl_dial *dial, const struct sl_status *why)
{
    bool is_of_tls = dial->conn->tls != NULL;

    if (is_of_tls || !dial->has_connected) {
        dial->why = *why;
        dial->has_connected = is_of_tls;
    }
}

void sl_dial_failed(struct sl_dial *dial, const struct sl_status *why)
{
    keep_reason(dial, why);
    sl_timer_stop(dial->timer);
    if (dial->next) {
        sl_conn_renew(dial->conn);
    } else {
        give_up(dial);
    }
}

static void attempt_failed(struct sl_dial *dial, int error)
{
    struct sl_status why = sl_net_error("connect", dial->name, error);

    sl_dial_failed(dial, &why);
}

/* Best effort: without them a dead peer is noticed later. */
static void watch_for_death(struct sl_conn *conn)
{
    const int yes = 1, idle_s = KEEPALIVE_IDLE_S, interval_s = KEEPALIVE_INTERVAL_S;
    const int probes = KEEPALIVE_PROBES;
    const unsigned timeout_ms = SL_NET_DEAD_PEER_S * 1000;
    int fd;

    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0) {
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
    }
}

static void on_connect(uv_connect_t *req, int status)
{
    struct sl_conn *conn = SL_CONTAINER_OF(req, struct sl_conn, connect);

    if (uv_is_closing((uv_handle_t *)&conn->tcp)) {
        return;
    }
    if (status < 0) {
        attempt_failed(conn->dial, status);
        return;
    }
    watch_for_death(conn);
    sl_conn_connected(conn);
    if (conn->dial->tls) {
        sl_conn_secure(conn, conn->dial->tls, conn->dial->server_name);
    } else {
        sl_conn_ready(conn);
    }
}

/* An even part of the time that is left; 0 when none is. */
static uint64_t share_ms(const struct sl_dial *dial)
{
    int64_t left_ns = dial->deadline_ns - sl_loop_now_ns(dial->loop);
    uint64_t addresses = 1;

    for (const struct addrinfo *next = dial->next; next; next = next->ai_next) {
        addresses++;
    }
    return left_ns > 0 ? (uint64_t)(left_ns / SL_NS_PER_MS) / addresses : 0;
}

void sl_dial_next(struct sl_dial *dial)
{
    const struct addrinfo *address = dial->next;
    int error;

    dial->next = address->ai_next;
    sl_net_name(address->ai_addr, address->ai_addrlen, dial->name);
    sl_timer_start(dial->timer, share_ms(dial));
    error = uv_tcp_connect(&dial->conn->connect, &dial->conn->tcp, address->ai_addr, on_connect);
    if (error) {
        attempt_failed(dial, error);
    }
}

static void found(struct sl_dial *dial, struct addrinfo *addresses)
{
    dial->addresses = addresses;
    dial->next = addresses;
    sl_dial_next(dial);
}

static void resolve_failed(struct sl_dial *dial, int error)
{
    dial->why = sl_net_error("resolve", dial->address.host, error);
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
                           dial->address.host, port, &name_hints);
    if (error) {
        free(resolve);
        resolve_failed(dial, error);
        return;
    }
    dial->resolve = resolve;
}

/* An address in numbers does not queue behind names. */
static void begin(void *arg)
{
    struct sl_dial *dial = arg;
    struct addrinfo *addresses;
    char port[sizeof("65535")];

    snprintf(port, sizeof(port), "%u", (unsigned)dial->address.port);
    if (dial->address.port == 0) {
        snprintf(dial->name, sizeof(dial->name), "port 0");
        attempt_failed(dial, UV_EADDRNOTAVAIL);
    } else if (getaddrinfo(dial->address.host, port, &number_hints, &addresses) == 0) {
        found(dial, addresses);
    } else {
        start_resolving(dial, port);
    }
}

static void on_timeout(void *arg)
{
    struct sl_dial *dial = arg;

    if (!dial->addresses) {
        resolve_failed(dial, UV_ETIMEDOUT);
    } else if (dial->conn->is_shaking) {
        struct sl_status why = sl_conn_handshake_timeout(dial->conn);
        sl_dial_failed(dial, &why);
    } else {
        attempt_failed(dial, UV_ETIMEDOUT);
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
    uv_freeaddrinfo(dial->addresses);
    sl_tls_release(dial->tls);
    free(dial->server_name);
    free(dial);
}

static bool init_secure(struct sl_dial *dial, const struct sl_dial_options *options)
{
    const char *name = options->server_name;

    if (!options->tls) {
        return true;
    }
    sl_tls_hold(options->tls);
    dial->tls = options->tls;
    dial->server_name = sl_str_dup(sl_str_from(name && *name ? name : options->address.host));
    return dial->server_name != NULL;
}

/* False when memory is out. */
static bool init(struct sl_dial *dial, struct sl_loop *loop, const struct sl_dial_options *options)
{
    dial->loop = loop;
    dial->address = options->address;
    dial->deadline_ns = sl_loop_now_ns(loop) + (int64_t)options->timeout_ms * SL_NS_PER_MS;
    dial->begin.fn = begin;
    dial->begin.arg = dial;
    dial->timer = sl_timer_new(loop, on_timeout, dial);
    if (!dial->timer || !init_secure(dial, options)) {
        return false;
    }
    dial->conn = sl_conn_new(loop);
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
