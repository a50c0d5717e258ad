#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_PER_TURN = 64,
    EXHAUSTED_WAIT_MS = 100, /* how long accepting rests when descriptors or memory are out */
};

/* The socket is watched here, not by uv_listen, which in want of descriptors drops the peers that
 * wait or spins. */
struct sl_listener {
    struct sl_loop *loop;
    struct sl_listener_options options;
    struct sl_watch *watch; /* NULL while accepting rests */
    struct sl_timer *rest;
    struct sl_deferred gone;
    struct sl_crowd *crowd;
    struct sl_unix_file file;
    struct sl_list shakes;
    size_t shake_count;
    int fd;
    uint16_t port;
    bool is_closed;
};

/* A handshake under way. */
struct sl_shake {
    struct sl_list node;
    struct sl_listener *listener; /* NULL: it closed */
    struct sl_conn *conn;
    struct sl_timer *timer;
};

static void rest(struct sl_listener *listener)
{
    sl_watch_free(listener->watch);
    listener->watch = NULL;
    sl_timer_start(listener->rest, EXHAUSTED_WAIT_MS);
}

/* ---- handshakes ---- */

static void resume(struct sl_listener *listener);

static void free_shake(struct sl_shake *shake)
{
    struct sl_listener *listener = shake->listener;

    sl_list_remove(&shake->node);
    sl_timer_free(shake->timer);
    free(shake);
    if (listener && listener->shake_count-- == SL_NET_MAX_HANDSHAKES) {
        resume(listener);
    }
}

static void give(struct sl_listener *listener, struct sl_conn *conn)
{
    listener->options.accept(listener, conn, listener->options.arg);
    SL_ASSERT(conn->events || conn->is_closing);
}

void sl_shake_done(struct sl_shake *shake)
{
    struct sl_listener *listener = shake->listener;
    struct sl_conn *conn = shake->conn;

    free_shake(shake);
    if (listener) {
        give(listener, conn);
    } else {
        sl_conn_close(conn);
    }
}

void sl_shake_closed(struct sl_shake *shake, const struct sl_status *why)
{
    struct sl_listener *listener = shake->listener;

    if (listener && listener->options.refuse) {
        listener->options.refuse(listener, sl_conn_peer(shake->conn), why, listener->options.arg);
    }
    free_shake(shake);
}

static void on_late(void *arg)
{
    struct sl_shake *shake = arg;
    struct sl_status why = sl_conn_handshake_timeout(shake->conn);

    sl_conn_fail(shake->conn, &why);
}

/* False when memory is out. */
static bool shake_hands(struct sl_listener *listener, struct sl_conn *conn)
{
    struct sl_shake *shake = calloc(1, sizeof(*shake));

    if (!shake) {
        return false;
    }
    shake->timer = sl_timer_new(listener->loop, on_late, shake);
    if (!shake->timer) {
        free(shake);
        return false;
    }
    sl_list_init(&shake->node);
    sl_list_append(&listener->shakes, &shake->node);
    listener->shake_count++;
    shake->listener = listener;
    shake->conn = conn;
    conn->shake = shake;
    sl_timer_start(shake->timer, SL_NET_HANDSHAKE_MS);
    sl_conn_secure(conn, listener->options.tls, NULL, NULL);
    return true;
}

/* ---- accepting ---- */

/* A peer that connected, and is not taken yet. */
struct arrival {
    int fd;
    struct sl_peer_key key;
    char name[SL_NET_NAME_BYTES];
};

static void welcome(struct sl_listener *listener, struct sl_conn *conn)
{
    if (!listener->options.tls) {
        conn->is_open = true;
        give(listener, conn);
        sl_conn_update_reading(conn);
    } else if (!shake_hands(listener, conn)) {
        sl_conn_close(conn);
        rest(listener);
    }
}

static void hand_over(struct sl_listener *listener, const struct arrival *arrival,
                      struct sl_guest *guest)
{
    struct sl_conn *conn =
        sl_conn_new(listener->loop, sl_address_is_unix(&listener->options.address));

    if (!conn) {
        sl_guest_leave(guest);
        close(arrival->fd);
        rest(listener);
        return;
    }
    conn->guest = guest;
    if (!sl_conn_take(conn, arrival->fd, arrival->name)) {
        close(arrival->fd);
        sl_conn_close(conn);
        return;
    }
    welcome(listener, conn);
}

static void refuse(struct sl_listener *listener, const struct arrival *arrival,
                   const struct sl_status *why)
{
    close(arrival->fd);
    if (listener->options.refuse) {
        listener->options.refuse(listener, arrival->name, why, listener->options.arg);
    }
}

/* False when there is nothing more to accept now. */
static bool accept_one(struct sl_listener *listener)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(peer);
    struct arrival arrival;
    struct sl_status why;

    arrival.fd =
        accept4(listener->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (arrival.fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            rest(listener);
            return false;
        }
        return errno != EAGAIN; /* else it is the error of that one peer */
    }
    if (sl_address_is_unix(&listener->options.address)) {
        sl_unix_peer(arrival.fd, &arrival.key, arrival.name);
    } else {
        sl_peer_key((const struct sockaddr *)&peer, &arrival.key);
        sl_net_name((const struct sockaddr *)&peer, len, arrival.name);
    }
    struct sl_guest *guest = sl_crowd_enter(listener->crowd, &arrival.key, &why);
    if (guest) {
        hand_over(listener, &arrival, guest);
    } else {
        refuse(listener, &arrival, &why);
    }
    return true;
}

int sl_listener_connect(struct sl_listener *listener)
{
    struct arrival arrival;
    struct sl_status why;
    int ends[2];

    if (listener->is_closed) {
        return UV_ECONNREFUSED;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        return -errno;
    }
    arrival.fd = ends[1];
    sl_unix_peer(arrival.fd, &arrival.key, arrival.name);
    struct sl_guest *guest = sl_crowd_enter(listener->crowd, &arrival.key, &why);
    if (guest) {
        hand_over(listener, &arrival, guest);
    } else {
        refuse(listener, &arrival, &why); /* the other end sees a peer that closes */
    }
    return ends[0];
}

static void on_waiting(void *arg)
{
    struct sl_listener *listener = arg;

    for (size_t i = 0; i < ACCEPTS_PER_TURN && listener->watch; i++) {
        if (listener->shake_count >= SL_NET_MAX_HANDSHAKES) {
            sl_watch_free(listener->watch);
            listener->watch = NULL;
            return;
        }
        if (!accept_one(listener)) {
            return;
        }
    }
}

static void resume(struct sl_listener *listener)
{
    if (listener->watch || listener->fd < 0 || listener->is_closed ||
        sl_timer_is_armed(listener->rest) || listener->shake_count >= SL_NET_MAX_HANDSHAKES) {
        return;
    }
    listener->watch = sl_watch_new(listener->loop, listener->fd, on_waiting, listener);
    if (!listener->watch) {
        rest(listener);
    }
}

static void on_rested(void *arg)
{
    resume(arg);
}

/* A socket that listens, or an error below 0. */
static int listen_on(const struct addrinfo *address)
{
    const int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int listen_on_host(const struct sl_address *address, struct sl_status *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *addresses;
    char name[SL_NET_NAME_BYTES];
    char port[sizeof("65535")];
    int fd = -1;

    snprintf(port, sizeof(port), "%u", (unsigned)address->port);
    int error = getaddrinfo(address->host, port, &hints, &addresses);
    if (error) {
        *why =
            sl_status_error(SL_UNAVAILABLE, "resolve %s: %s", address->host, gai_strerror(error));
        return -1;
    }
    for (const struct addrinfo *next = addresses; next && fd < 0; next = next->ai_next) {
        fd = listen_on(next);
        if (fd < 0) {
            sl_net_name(next->ai_addr, next->ai_addrlen, name);
            *why = sl_net_error("listen", name, fd);
        }
    }
    freeaddrinfo(addresses);
    return fd;
}

static int listen_on_path(const struct sl_address *address, struct sl_unix_file *file,
                          struct sl_status *why)
{
    char name[SL_ADDRESS_TEXT_BYTES];
    int fd = sl_unix_listen(address, BACKLOG, 0, file);

    if (fd < 0) {
        sl_address_print(address, name);
        *why = sl_net_error("listen", name, fd);
    }
    return fd;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        return 0;
    }
    if (own.ss_family == AF_UNIX) {
        return 0;
    }
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

static void free_listener(struct sl_listener *listener)
{
    sl_watch_free(listener->watch);
    sl_timer_free(listener->rest);
    sl_crowd_release(listener->crowd);
    sl_tls_release(listener->options.tls);
    free(listener);
}

static void on_gone(void *arg)
{
    free_listener(arg);
}

/* NULL when memory is out. */
static struct sl_listener *new_listener(struct sl_loop *loop,
                                        const struct sl_listener_options *options)
{
    struct sl_listener *listener = calloc(1, sizeof(*listener));

    if (!listener) {
        return NULL;
    }
    listener->loop = loop;
    listener->options = *options;
    if (options->tls) {
        sl_tls_hold(options->tls);
    }
    sl_list_init(&listener->shakes);
    listener->gone = (struct sl_deferred){.fn = on_gone, .arg = listener};
    listener->rest = sl_timer_new(loop, on_rested, listener);
    listener->crowd = sl_crowd_new(options->max_connections, options->max_connections_per_peer);
    if (!listener->rest || !listener->crowd) {
        free_listener(listener);
        return NULL;
    }
    return listener;
}

/* A socket that listens; below 0: `why`. */
static int open_socket(const struct sl_address *address, struct sl_unix_file *file,
                       struct sl_status *why)
{
    if (!sl_address_check(address, why)) {
        return -1;
    }
    return sl_address_is_unix(address) ? listen_on_path(address, file, why)
                                       : listen_on_host(address, why);
}

struct sl_listener *sl_listener_open(struct sl_loop *loop,
                                     const struct sl_listener_options *options,
                                     struct sl_status *why)
{
    struct sl_listener *listener = new_listener(loop, options);

    if (!listener) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "listen: out of memory");
        return NULL;
    }
    if (options->address.kind == SL_ADDRESS_PRIVATE) {
        listener->fd = -1;
        *why = sl_status_ok();
        return listener;
    }
    listener->fd = open_socket(&options->address, &listener->file, why);
    if (listener->fd < 0) {
        free_listener(listener);
        return NULL;
    }
    listener->port = bound_port(listener->fd);
    listener->watch = sl_watch_new(loop, listener->fd, on_waiting, listener);
    if (!listener->watch) {
        sl_unix_unlink(&options->address, &listener->file);
        close(listener->fd);
        free_listener(listener);
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "listen: out of memory");
        return NULL;
    }
    return listener;
}

void sl_listener_set_tls(struct sl_listener *listener, struct sl_tls *tls)
{
    if (tls) {
        sl_tls_hold(tls);
    }
    sl_tls_release(listener->options.tls);
    listener->options.tls = tls;
}

uint16_t sl_listener_port(const struct sl_listener *listener)
{
    return listener->port;
}

void sl_listener_close(struct sl_listener *listener)
{
    if (listener->is_closed) {
        return;
    }
    listener->is_closed = true;
    SL_LIST_FOR_EACH(node, &listener->shakes)
    {
        struct sl_shake *shake = SL_CONTAINER_OF(node, struct sl_shake, node);
        sl_list_remove(&shake->node);
        sl_timer_free(shake->timer);
        shake->timer = NULL;
        shake->listener = NULL;
        sl_conn_close(shake->conn);
    }
    sl_watch_free(listener->watch);
    listener->watch = NULL;
    sl_timer_free(listener->rest);
    listener->rest = NULL;
    sl_unix_unlink(&listener->options.address, &listener->file);
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    sl_loop_defer(listener->loop, &listener->gone);
}
