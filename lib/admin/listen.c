/* Where libmicrohttpd listens, and whom it lets in. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/internal.h"

/* libmicrohttpd decodes nothing: a name may have an encoded slash. */
static size_t leave_encoded(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void arrive(struct sl_admin *admin, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sl_admin_visitor *visitor = info ? calloc(1, sizeof(*visitor)) : NULL;

    *context = visitor;
    if (!visitor) {
        return;
    }
    visitor->admin = admin;
    visitor->fd = info->connect_fd;
    visitor->since_ns = sl_loop_fresh_ns(admin->loop);
    sl_list_init(&visitor->node);
    sl_list_append(&admin->visitors, &visitor->node);
    admin->visitor_count++;
    if (!sl_timer_is_armed(admin->sweep)) {
        sl_timer_start(admin->sweep, 1000);
    }
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct sl_admin *admin = arg;
    struct sl_admin_visitor *visitor = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        arrive(admin, connection, context);
    } else if (visitor) {
        sl_list_remove(&visitor->node);
        admin->visitor_count--;
        free(visitor);
        *context = NULL;
    }
}

/* The address in its binary form; false when it is not a loopback address. */
static bool to_sockaddr(const struct sl_address *address, struct sockaddr_storage *storage)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)storage;
    const char *host = strcmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;

    memset(storage, 0, sizeof(*storage));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return false;
}

/* `place` is the option that says where it listens. */
static bool start(struct sl_admin *admin, unsigned flags, const struct MHD_OptionItem *place)
{
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, 2 * SL_ADMIN_MAX_CONNECTIONS, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, SL_ADMIN_IDLE_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, SL_ADMIN_CONNECTION_BYTES, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)sl_admin_on_completed, admin},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, admin},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_encoded, admin},
        *place,
        {MHD_OPTION_END, 0, NULL},
    };

    admin->daemon = MHD_start_daemon(flags | MHD_USE_EPOLL, 0, NULL, NULL, sl_admin_on_request,
                                     admin, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return admin->daemon != NULL;
}

static bool fail(const struct sl_address *address, int error, struct sl_status *why)
{
    char text[SL_ADDRESS_TEXT_BYTES];

    sl_address_print(address, text);
    *why = sl_status_error(SL_UNAVAILABLE, "admin listener %s: %s", text, strerror(error));
    return false;
}

static bool listen_on_loopback(struct sl_admin *admin, struct sl_status *why)
{
    const struct sl_address *address = &admin->config.address;
    struct sockaddr_storage storage;

    if (!to_sockaddr(address, &storage)) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "admin listener %s: not a loopback address",
                               address->host);
        return false;
    }
    const struct MHD_OptionItem place = {MHD_OPTION_SOCK_ADDR, 0, &storage};
    if (!start(admin, storage.ss_family == AF_INET6 ? MHD_USE_IPv6 : MHD_NO_FLAG, &place)) {
        return fail(address, errno, why);
    }
    admin->port = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

static bool listen_on_path(struct sl_admin *admin, struct sl_status *why)
{
    const struct sl_address *address = &admin->config.address;
    int fd =
        sl_unix_listen(address, 2 * SL_ADMIN_MAX_CONNECTIONS, SL_ADMIN_SOCKET_MODE, &admin->file);

    if (fd < 0) {
        return fail(address, -fd, why);
    }
    const struct MHD_OptionItem place = {MHD_OPTION_LISTEN_SOCKET, fd, NULL};
    if (!start(admin, MHD_NO_FLAG, &place)) {
        int error = errno;
        sl_unix_unlink(address, &admin->file);
        close(fd);
        return fail(address, error, why);
    }
    return true;
}

/* libmicrohttpd gets its connections from the bridge. */
static bool listen_with_tls(struct sl_admin *admin, struct sl_status *why)
{
    const struct MHD_OptionItem nowhere = {MHD_OPTION_END, 0, NULL};

    if (!start(admin, MHD_USE_NO_LISTEN_SOCKET, &nowhere)) {
        return fail(&admin->config.address, errno, why);
    }
    return sl_admin_bridge_open(admin, why);
}

bool sl_admin_listen(struct sl_admin *admin, struct sl_status *why)
{
    if (admin->config.tls) {
        return listen_with_tls(admin, why);
    }
    return sl_address_is_unix(&admin->config.address) ? listen_on_path(admin, why)
                                                      : listen_on_loopback(admin, why);
}
