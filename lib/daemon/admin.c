#include "daemon/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct sl_admin {
    struct MHD_Daemon *daemon;
    const struct sl_admin_pages *pages;
    void *arg;
    uint16_t port;
};

static const char text_plain[] = "text/plain; charset=utf-8";
static const char open_metrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/* Sends the page in `body`, which is emptied. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              struct sl_buf *body)
{
    size_t len;
    char *bytes = sl_buf_take(body, &len);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, bytes, bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, const char *text)
{
    struct sl_buf body = {0};

    sl_buf_add_c(&body, text);
    return answer(connection, code, text_plain, &body);
}

static enum MHD_Result metrics(const struct sl_admin *admin, struct MHD_Connection *connection)
{
    struct sl_buf body;

    sl_buf_init(&body, SL_ADMIN_MAX_PAGE_BYTES);
    if (!admin->pages->render(&body, admin->arg)) {
        sl_buf_fini(&body);
        return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "a worker did not answer in time\n");
    }
    return answer(connection, MHD_HTTP_OK, open_metrics, &body);
}

static enum MHD_Result health(const struct sl_admin *admin, struct MHD_Connection *connection)
{
    struct sl_buf why = {0};

    if (admin->pages->is_healthy(&why, admin->arg)) {
        sl_buf_fini(&why);
        return say(connection, MHD_HTTP_OK, "ok\n");
    }
    return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, text_plain, &why);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    static int seen; /* its address marks a request whose headers have been looked at */
    const struct sl_admin *admin = arg;

    (void)version;
    (void)upload;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_len) {
        *upload_len = 0; /* nobody here reads a body */
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD here\n");
    }
    if (strcmp(url, "/metrics") == 0) {
        return metrics(admin, connection);
    }
    if (strcmp(url, "/healthz") == 0) {
        return health(admin, connection);
    }
    return say(connection, MHD_HTTP_NOT_FOUND, "here are /metrics and /healthz\n");
}

/* A loopback address in its binary form; false when `host` is none. */
static bool to_sockaddr(const struct sl_address *address, struct sockaddr_storage *storage)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)storage;
    const char *host = strcmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;

    memset(storage, 0, sizeof(*storage));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        return true;
    }
    return false;
}

static struct MHD_Daemon *listen_on(struct sl_admin *admin, struct sockaddr_storage *storage)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;

    if (storage->ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, admin, MHD_OPTION_SOCK_ADDR,
                            (struct sockaddr *)(void *)storage, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)SL_ADMIN_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)SL_ADMIN_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)SL_ADMIN_CONNECTION_BYTES, MHD_OPTION_END);
}

struct sl_admin *sl_admin_open(const struct sl_address *address, const struct sl_admin_pages *pages,
                               void *arg, struct sl_status *why)
{
    struct sl_admin *admin = calloc(1, sizeof(*admin));
    struct sockaddr_storage storage;

    if (!admin || !to_sockaddr(address, &storage)) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "admin listener %s: not a numeric address",
                               address->host);
        free(admin);
        return NULL;
    }
    admin->pages = pages;
    admin->arg = arg;
    admin->daemon = listen_on(admin, &storage);
    const union MHD_DaemonInfo *info =
        admin->daemon ? MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        *why = sl_status_error(SL_UNAVAILABLE, "admin listener %s:%u: %s", address->host,
                               (unsigned)address->port, strerror(errno));
        sl_admin_close(admin);
        return NULL;
    }
    admin->port = info->port;
    return admin;
}

uint16_t sl_admin_port(const struct sl_admin *admin)
{
    return admin->port;
}

void sl_admin_close(struct sl_admin *admin)
{
    if (!admin) {
        return;
    }
    if (admin->daemon) {
        MHD_stop_daemon(admin->daemon);
    }
    free(admin);
}
