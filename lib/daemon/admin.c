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
    unsigned pages_out; /* the server's thread only */
    uint16_t port;
};

/* What a page of /metrics is until its reader has it. */
struct page {
    struct sl_admin *admin;
    char *bytes;
};

static const char text_plain[] = "text/plain; charset=utf-8";
static const char open_metrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned code, const char *type,
                             struct MHD_Response *response)
{
    enum MHD_Result result;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

/* MHD_NO ends the connection: memory is out. */
static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, struct sl_str text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text.len, (void *)(uintptr_t)text.data, MHD_RESPMEM_MUST_COPY);

    return response ? queue(connection, code, text_plain, response) : MHD_NO;
}

static void free_page(void *arg)
{
    struct page *page = arg;

    page->admin->pages_out--;
    free(page->bytes);
    free(page);
}

/* Takes the bytes of `body`. */
static enum MHD_Result send_page(struct sl_admin *admin, struct MHD_Connection *connection,
                                 struct sl_buf *body)
{
    struct page *page = malloc(sizeof(*page));
    struct MHD_Response *response;
    size_t len;

    if (!page) {
        return MHD_NO;
    }
    page->admin = admin;
    page->bytes = sl_buf_take(body, &len);
    admin->pages_out++;
    response =
        MHD_create_response_from_buffer_with_free_callback_cls(len, page->bytes, free_page, page);
    if (!response) {
        free_page(page);
        return MHD_NO;
    }
    return queue(connection, MHD_HTTP_OK, open_metrics, response);
}

static enum MHD_Result metrics(struct sl_admin *admin, struct MHD_Connection *connection)
{
    enum MHD_Result result;
    struct sl_buf body;

    if (admin->pages_out >= SL_ADMIN_MAX_PAGES) {
        return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                   SL_STR("other readers have not read their pages yet\n"));
    }
    sl_buf_init(&body, SL_ADMIN_MAX_PAGE_BYTES);
    if (!admin->pages->render(&body, admin->arg)) {
        result = say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                     body.failed ? SL_STR("the page is too large\n")
                                 : SL_STR("a worker did not answer in time\n"));
    } else if (body.failed) {
        result = say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, SL_STR("the page is too large\n"));
    } else {
        result = send_page(admin, connection, &body);
    }
    sl_buf_fini(&body);
    return result;
}

static enum MHD_Result health(const struct sl_admin *admin, struct MHD_Connection *connection)
{
    struct sl_buf why;
    bool is_healthy;
    enum MHD_Result result;

    sl_buf_init(&why, SL_ADMIN_CONNECTION_BYTES);
    is_healthy = admin->pages->is_healthy(&why, admin->arg);
    result = is_healthy ? say(connection, MHD_HTTP_OK, SL_STR("ok\n"))
                        : say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, sl_buf_str(&why));
    sl_buf_fini(&why);
    return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    static int seen; /* its address marks a request whose headers have been looked at */
    struct sl_admin *admin = arg;

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
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, SL_STR("only GET and HEAD here\n"));
    }
    if (strcmp(url, "/metrics") == 0) {
        return metrics(admin, connection);
    }
    if (strcmp(url, "/healthz") == 0) {
        return health(admin, connection);
    }
    return say(connection, MHD_HTTP_NOT_FOUND, SL_STR("here are /metrics and /healthz\n"));
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
    struct sl_admin *admin;
    struct sockaddr_storage storage;

    if (!to_sockaddr(address, &storage)) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "admin listener %s: not a loopback address",
                               address->host);
        return NULL;
    }
    admin = calloc(1, sizeof(*admin));
    if (!admin) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "admin listener: out of memory");
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
