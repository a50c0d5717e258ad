/* One request: its head is held against what is asked of it, its body read, its function called. */
#include <stdlib.h>
#include <string.h>

#include "admin/guard.h"
#include "admin/internal.h"
#include "admin/params.h"
#include "admin/uri.h"
#include "page/page.h"

/* A request under way. */
struct call {
    struct sl_admin *admin;
    struct sl_admin_visitor *visitor;
    const struct sl_admin_route *route; /* NULL: it is refused, as `answer` says */
    const struct sl_page_asset *asset;  /* of the status page; NULL: the route's function answers */
    struct sl_admin_answer answer;
    struct sl_admin_params params;
    char name[SL_ADMIN_SEGMENT_BYTES];
    struct sl_buf body;
    size_t sent_bytes; /* of the body, whether they were kept or not */
    bool is_counted;   /* in admin->out_bytes */
};

static const char *head(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void refuse(struct call *call, unsigned code, const char *word, const char *message,
                   const char *hint)
{
    call->route = NULL;
    sl_admin_answer_error(&call->answer, code, word, message, hint);
}

/* ---- the head ---- */

static bool answers_to(const struct sl_admin_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* A set of these is what a path takes. */
enum { TAKES_GET = 1, TAKES_POST = 2, TAKES_DELETE = 4 };

static unsigned taken_by(const struct sl_admin_route *route)
{
    return strcmp(route->method, "GET") == 0    ? TAKES_GET
           : strcmp(route->method, "POST") == 0 ? TAKES_POST
                                                : TAKES_DELETE;
}

/* NULL: none; then `allow` is the other methods that the path takes, if it takes any. */
static const struct sl_admin_route *find(const struct sl_admin *admin, const char *method,
                                         const char *url, struct sl_str *name, const char **allow)
{
    static const char *const methods[] = {
        NULL,     "GET, HEAD",         "POST",         "GET, HEAD, POST",
        "DELETE", "GET, HEAD, DELETE", "POST, DELETE", "GET, HEAD, POST, DELETE"};
    unsigned takes = 0;

    *allow = NULL;
    for (const struct sl_admin_route *route = admin->config.routes; route->method; route++) {
        if (!sl_uri_matches(route->path, url, name)) {
            continue;
        }
        if (answers_to(route, method)) {
            return route;
        }
        takes |= taken_by(route);
    }
    *allow = methods[takes];
    return NULL;
}

/* What is asked for of the page is no secret, and asks for the rest itself, with a token. */
static const struct sl_admin_route page_route = {
    .method = "GET", .path = "", .flags = SL_ADMIN_NO_TOKEN | SL_ADMIN_SMALL};

/* Whom the request comes from and goes to. */
static bool is_from_here(struct call *call, struct MHD_Connection *connection, unsigned flags)
{
    const struct sl_admin_config *config = &call->admin->config;
    const char *host = head(connection, MHD_HTTP_HEADER_HOST);
    bool is_plain_tcp = !config->tls && !sl_address_is_unix(&config->address);

    if (is_plain_tcp && !(flags & SL_ADMIN_ANY_HOST) && !sl_guard_host(host, config->hosts)) {
        refuse(call, 403, "foreign-host", "the Host of the request is no name of this listener",
               "use the address in numbers or localhost, or add the name to collector.admin.hosts");
        return false;
    }
    if (!sl_guard_origin(head(connection, MHD_HTTP_HEADER_ORIGIN), host)) {
        refuse(call, 403, "foreign-origin", "requests of other origins are refused", NULL);
        return false;
    }
    return true;
}

static bool may_ask(struct call *call, struct MHD_Connection *connection, unsigned flags)
{
    const char *token = call->admin->config.token;

    if (!token || !*token || (flags & SL_ADMIN_NO_TOKEN) ||
        sl_guard_token(head(connection, MHD_HTTP_HEADER_AUTHORIZATION), token)) {
        return true;
    }
    refuse(call, 401, "unauthorized", "the request has no token, or not the right one",
           "send 'Authorization: Bearer TOKEN' with the token of collector.admin.token");
    return false;
}

static bool is_meant(struct call *call, struct MHD_Connection *connection)
{
    const char *own = head(connection, "X-Sluice");

    if (strcmp(call->route->method, "GET") == 0 || (own && strcmp(own, "1") == 0) ||
        sl_guard_is_json(head(connection, MHD_HTTP_HEADER_CONTENT_TYPE))) {
        return true;
    }
    refuse(call, 403, "no-intent", "the request has to say that no form of a page sent it",
           "send 'X-Sluice: 1' or a JSON content type");
    return false;
}

static enum MHD_Result add_param(void *arg, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct call *call = arg;

    (void)kind;
    if (sl_admin_params_add(&call->params, name, value)) {
        return MHD_YES;
    }
    refuse(call, 400, "bad-parameter",
           "the query has a parameter that is broken, too long, twice there, or one too many",
           NULL);
    return MHD_NO;
}

static size_t head_bytes(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info ? info->header_size : 0;
}

/* Whether there is room for another one and its answer. */
static bool has_room(struct call *call)
{
    const struct sl_admin *admin = call->admin;

    if (admin->visitor_count > SL_ADMIN_MAX_CONNECTIONS) {
        call->answer.closes = true;
        refuse(call, 503, "busy", "there are too many connections", "close some, or try later");
        return false;
    }
    if (admin->out_bytes >= SL_ADMIN_MAX_OUT_BYTES && !(call->route->flags & SL_ADMIN_SMALL)) {
        refuse(call, 503, "unread", "other readers have not read their pages yet", NULL);
        return false;
    }
    return true;
}

/* Of a path that is no route's, and of one that is not this method's. */
static void refuse_unknown(struct call *call, const char *allow)
{
    if (allow) {
        refuse(call, 405, "method-not-allowed", "the path takes another method", NULL);
        call->answer.allow = allow;
    } else {
        refuse(call, 404, "not-found", "there is no such path",
               "here are /, /metrics, /healthz and /api/v1/status");
    }
}

static void look_at_head(struct call *call, struct MHD_Connection *connection, const char *url,
                         const char *method)
{
    struct sl_str name;
    const char *allow;
    const struct sl_admin_route *route = find(call->admin, method, url, &name, &allow);
    unsigned flags;

    if (!route && answers_to(&page_route, method) && (call->asset = sl_page_find(url))) {
        route = &page_route;
        name = SL_STR("");
    }
    flags = route ? route->flags : 0;
    call->route = route;
    if (head_bytes(connection) > SL_ADMIN_HEAD_BYTES) {
        call->answer.closes = true;
        refuse(call, 431, "head-too-large", "the head of the request is too large", NULL);
    } else if (!is_from_here(call, connection, flags) || !may_ask(call, connection, flags)) {
        return;
    } else if (!route) {
        refuse_unknown(call, allow);
    } else if (!sl_uri_decode(name, call->name, sizeof(call->name))) {
        refuse(call, 404, "not-found", "the name in the path is broken or too long", NULL);
    } else if (is_meant(call, connection) && has_room(call)) {
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_param, call);
    }
}

/* ---- the body ---- */

static void take_body(struct call *call, const char *bytes, size_t len)
{
    call->sent_bytes += len;
    if (call->route && call->sent_bytes > SL_ADMIN_BODY_BYTES) {
        sl_buf_fini(&call->body);
        refuse(call, 413, "body-too-large", "the body of the request is too large", NULL);
    } else if (call->route) {
        sl_buf_add(&call->body, bytes, len);
    }
}

/* Of a body that nobody wants to read to its end. */
static bool is_hopeless(struct MHD_Connection *connection)
{
    const char *text = head(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t len;

    return text && (!sl_str_to_u64(sl_str_from(text), &len) || len > SL_ADMIN_DRAIN_BYTES);
}

/* ---- the answer ---- */

static bool add_headers(struct MHD_Response *response, const struct sl_admin_answer *answer)
{
    static const char *const always[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    };
    bool is_good = true;

    for (size_t i = 0; i < SL_ARRAY_LEN(always); i++) {
        is_good = is_good && MHD_add_response_header(response, always[i][0], always[i][1]);
    }
    is_good = is_good && MHD_add_response_header(response, "Content-Type", answer->type);
    if (answer->allow) {
        is_good = is_good && MHD_add_response_header(response, "Allow", answer->allow);
    }
    if (answer->code == 401) {
        is_good = is_good && MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    }
    if (answer->closes) {
        is_good = is_good && MHD_add_response_header(response, "Connection", "close");
    }
    return is_good;
}

static struct MHD_Response *response_of(const char *bytes, size_t len)
{
    return MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
}

/* The bytes stay the call's until the request is over. */
static enum MHD_Result send_answer(struct call *call, struct MHD_Connection *connection)
{
    struct sl_admin_answer *answer = &call->answer;
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;

    if (answer->body.failed) {
        sl_buf_fini(&answer->body);
        sl_buf_init(&answer->body, SL_ADMIN_MAX_PAGE_BYTES);
        sl_admin_answer_error(answer, 503, "too-large", "the page is too large", NULL);
    }
    response = answer->give_back ? response_of(answer->lent.data, answer->lent.len)
                                 : response_of(answer->body.data, answer->body.len);
    if (response && add_headers(response, answer)) {
        call->admin->out_bytes += answer->body.len;
        call->is_counted = true;
        result = MHD_queue_response(connection, answer->code, response);
    }
    if (response) {
        MHD_destroy_response(response);
    }
    return result;
}

static enum MHD_Result send_asset(const struct call *call, struct MHD_Connection *connection)
{
    const char *known = head(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
    unsigned code;
    struct MHD_Response *response = sl_admin_asset_response(call->asset, known, &code);
    enum MHD_Result result = MHD_NO;

    if (response) {
        result = MHD_queue_response(connection, code, response);
        MHD_destroy_response(response);
    }
    return result;
}

static enum MHD_Result answer(struct call *call, struct MHD_Connection *connection)
{
    if (call->route && call->body.failed) {
        refuse(call, 503, "no-memory", "memory is out", NULL);
    }
    if (call->route && !call->asset) {
        const struct sl_admin_request request = {
            .name = call->name, .params = &call->params, .body = sl_buf_str(&call->body)};
        call->route->fn(&request, &call->answer, call->admin->config.arg);
    }
    call->visitor->is_answering = true;
    call->visitor->since_ns = sl_loop_fresh_ns(call->admin->loop);
    return call->route && call->asset ? send_asset(call, connection)
                                      : send_answer(call, connection);
}

/* ---- libmicrohttpd ---- */

static struct sl_admin_visitor *visitor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The head is there: what is refused for it is said once the body is read, which else would make
 * the socket forget the answer. NULL when memory is out. */
static struct call *begin(struct sl_admin *admin, struct MHD_Connection *connection,
                          const char *url, const char *method)
{
    struct sl_admin_visitor *visitor = visitor_of(connection);
    struct call *call = visitor ? calloc(1, sizeof(*call)) : NULL;

    if (!call) {
        return NULL;
    }
    call->admin = admin;
    call->visitor = visitor;
    sl_admin_answer_init(&call->answer);
    sl_buf_init(&call->body, SL_ADMIN_BODY_BYTES);
    look_at_head(call, connection, url, method);
    return call;
}

enum MHD_Result sl_admin_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_len, void **state)
{
    struct call *call = *state;

    (void)version;
    if (!call) {
        call = *state = begin(arg, connection, url, method);
        if (!call) {
            return MHD_NO;
        }
        if (!is_hopeless(connection)) {
            return MHD_YES;
        }
        call->answer.closes = true;
        refuse(call, 413, "body-too-large", "the body of the request is too large", NULL);
        return answer(call, connection);
    }
    if (*upload_len > 0) {
        take_body(call, upload, *upload_len);
        *upload_len = 0;
        return call->sent_bytes > SL_ADMIN_DRAIN_BYTES ? MHD_NO : MHD_YES;
    }
    return answer(call, connection);
}

void sl_admin_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode how)
{
    struct sl_admin *admin = arg;
    struct call *call = *state;

    (void)connection;
    (void)how;
    if (!call) {
        return;
    }
    if (call->is_counted) {
        admin->out_bytes -= call->answer.body.len;
    }
    call->visitor->is_answering = false;
    call->visitor->since_ns = sl_loop_now_ns(admin->loop);
    sl_admin_answer_fini(&call->answer);
    sl_buf_fini(&call->body);
    free(call);
    *state = NULL;
}
