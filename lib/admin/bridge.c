/* TLS: lib/net ends it, libmicrohttpd has the plaintext end of a pair of sockets. Bytes go both
 * ways within bounds: to the peer as fast as it reads, to libmicrohttpd as much as the pair takes,
 * which is more than any request that is answered. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/internal.h"
#include "base/log.h"

enum { CHUNK_BYTES = 16 * 1024 };

struct sl_admin_bridge {
    struct sl_list node;
    struct sl_admin *admin;
    struct sl_conn *conn;
    struct sl_watch *watch; /* of fd; NULL while the peer does not read */
    int fd;                 /* our end */
};

/* What libmicrohttpd wrote. Its end is seen only once the peer's socket has taken all before it. */
static void on_answer(void *arg)
{
    struct sl_admin_bridge *bridge = arg;
    char bytes[CHUNK_BYTES];
    ssize_t len = read(bridge->fd, bytes, sizeof(bytes));

    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
        sl_watch_free(bridge->watch);
        bridge->watch = NULL;
        sl_conn_close(bridge->conn);
    } else if (len > 0 && !sl_conn_write(bridge->conn, bytes, (size_t)len)) {
        sl_watch_free(bridge->watch);
        bridge->watch = NULL; /* until on_drain */
    }
}

static void watch(struct sl_admin_bridge *bridge)
{
    bridge->watch = sl_watch_new(bridge->admin->loop, bridge->fd, on_answer, bridge);
    if (!bridge->watch) {
        sl_conn_close(bridge->conn);
    }
}

static void on_drain(struct sl_conn *conn, void *arg)
{
    struct sl_admin_bridge *bridge = arg;

    (void)conn;
    if (!bridge->watch) {
        watch(bridge);
    }
}

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    const struct sl_admin_bridge *bridge = arg;
    ssize_t sent = send(bridge->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 || (size_t)sent < len) {
        sl_conn_close(conn);
    }
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct sl_admin_bridge *bridge = arg;

    (void)conn;
    (void)why;
    sl_watch_free(bridge->watch);
    sl_list_remove(&bridge->node);
    close(bridge->fd);
    free(bridge);
}

static const struct sl_conn_events events = {
    .on_read = on_read,
    .on_drain = on_drain,
    .on_close = on_close,
};

static void accept_conn(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    static const struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    struct sl_admin *admin = arg;
    struct sl_admin_bridge *bridge = calloc(1, sizeof(*bridge));
    int ends[2];

    (void)listener;
    if (!bridge || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        free(bridge);
        sl_conn_close(conn);
        return;
    }
    bridge->admin = admin;
    bridge->conn = conn;
    bridge->fd = ends[0];
    sl_list_init(&bridge->node);
    sl_list_append(&admin->bridges, &bridge->node);
    sl_conn_set_events(conn, &events, bridge);
    watch(bridge);
    /* Takes its end, and closes it where it cannot serve it. */
    (void)MHD_add_connection(admin->daemon, ends[1], (const struct sockaddr *)(const void *)&nobody,
                             sizeof(nobody));
    sl_timer_start(admin->turn, 0);
}

static void refuse(struct sl_listener *listener, const char *peer, const struct sl_status *why,
                   void *arg)
{
    struct sl_admin *admin = arg;

    (void)listener;
    sl_log(SL_LOG_INFO, &admin->subject, "admin connection refused", sl_log_text("peer", peer),
           sl_log_text("reason", sl_status_reason(why)), sl_log_text("why", why->text));
}

bool sl_admin_bridge_open(struct sl_admin *admin, struct sl_status *why)
{
    const struct sl_listener_options options = {
        .address = admin->config.address,
        .tls = admin->config.tls,
        .max_connections = SL_ADMIN_MAX_CONNECTIONS,
        .max_connections_per_peer = SL_ADMIN_MAX_CONNECTIONS / 2,
        .accept = accept_conn,
        .refuse = refuse,
        .arg = admin,
    };

    admin->listener = sl_listener_open(admin->loop, &options, why);
    if (!admin->listener) {
        return false;
    }
    admin->port = sl_listener_port(admin->listener);
    return true;
}

void sl_admin_bridge_close(struct sl_admin *admin)
{
    if (admin->listener) {
        sl_listener_close(admin->listener);
        admin->listener = NULL;
    }
    SL_LIST_FOR_EACH(node, &admin->bridges)
    {
        sl_conn_close(SL_CONTAINER_OF(node, struct sl_admin_bridge, node)->conn);
    }
}
