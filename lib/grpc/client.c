#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"
#include "grpc/wire.h"

/* ---- the response ---- */

static void take_peer_code(struct sl_grpc_call *call, struct sl_str value)
{
    if (!call->has_peer_code) {
        call->has_peer_code = true;
        call->peer_code = sl_grpc_code_of_text(value);
    }
}

/* A field of the last block, which may be the first one too. */
static void take_trailer(struct sl_grpc_call *call, struct sl_str name, struct sl_str value)
{
    struct sl_status status = sl_grpc_metadata_add(&call->trailers, name, value);

    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status);
    }
}

static void on_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                     void *arg)
{
    struct sl_grpc_call *call = arg;
    uint64_t number;

    (void)stream;
    if (sl_grpc_call_is_over(call)) {
        return;
    }
    if (sl_str_eq_c(name, "grpc-status")) {
        take_peer_code(call, value);
    } else if (sl_str_eq_c(name, "grpc-message")) {
        sl_buf_reset(&call->message);
        sl_grpc_percent_decode(value, &call->message);
    } else if (sl_str_eq_c(name, ":status")) {
        call->http_status = sl_str_to_u64(value, &number) && number < 1000 ? (unsigned)number : 0;
    } else if (call->has_responded) {
        take_trailer(call, name, value);
    } else {
        sl_grpc_call_take_field(call, name, value);
    }
}

/* Is this an answer of gRPC? A gRPC status makes it one, whatever else is in it. */
static struct sl_status judge_response(const struct sl_grpc_call *call)
{
    if (call->has_peer_code) {
        return sl_status_ok();
    }
    if (call->http_status != 200) {
        return sl_status_because("http-status",
                                 sl_status_error(sl_grpc_code_of_http(call->http_status),
                                                 "HTTP status %u", call->http_status));
    }
    if (!call->is_grpc) {
        return sl_status_because(
            "not-grpc", sl_status_quote(SL_UNKNOWN, "the answer is not gRPC but of content-type",
                                        sl_grpc_call_metadata(call, "content-type")));
    }
    return sl_status_ok();
}

static void on_fields_end(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (are_trailers || sl_grpc_call_is_over(call)) {
        return;
    }
    call->has_responded = true;
    sl_grpc_opening_commit(call);
    struct sl_status status = judge_response(call);
    if (call->has_peer_code) { /* trailers-only */
        call->trailers = call->headers;
        call->headers = (struct sl_grpc_metadata){.bytes = {0}};
    }
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status);
    } else if (!call->has_peer_code && call->events->on_headers) {
        call->events->on_headers(call, call->arg);
    }
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    call->has_end = true;
    sl_h2_stream_reset(stream, SL_H2_NO_ERROR); /* the server is done: it takes nothing more */
    sl_grpc_call_end_messages(call);
}

static void on_open(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    call->is_opened = true;
    if (call->events->on_open && !sl_grpc_call_is_over(call)) {
        call->events->on_open(call, call->arg);
    }
}

/* The peer's status, in words where it has none. */
static struct sl_status what_peer_says(const struct sl_grpc_call *call)
{
    static const struct sl_status fine = {
        .code = SL_OK, .reason = "ended-by-peer", .text = "the peer ended the call with OK"};
    enum sl_code code = call->peer_code;

    if (code == SL_OK && !call->message.len) {
        return fine; /* nearly always: nothing to be written */
    }
    struct sl_status said =
        call->message.len
            ? sl_status_quote(code, "the peer says", sl_buf_str(&call->message))
            : sl_status_error(code, "the peer ended the call with %s", sl_code_name(code));

    return code == SL_OK ? sl_status_because("ended-by-peer", said) : said;
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status outcome;

    (void)stream;
    if (!call->has_end) {
        outcome = sl_grpc_call_broken(call, error, by_peer);
        if (sl_grpc_opening_retry(call, error)) {
            return;
        }
    } else if (call->has_peer_code) {
        outcome = what_peer_says(call);
    } else {
        outcome = sl_status_because(
            "no-status", sl_status_error(SL_UNKNOWN, "the peer ended the call without a status"));
    }
    sl_grpc_call_end(call, &outcome);
}

static const struct sl_h2_stream_events stream_events = {
    .on_open = on_open,
    .on_field = on_field,
    .on_fields_end = on_fields_end,
    .on_data = sl_grpc_call_on_data,
    .on_end = on_end,
    .on_writable = sl_grpc_call_on_writable,
    .on_close = on_close,
};

/* ---- the request ---- */

/* What is left of the deadline, in the protocol's form; empty: there is none. */
static struct sl_str write_timeout(const struct sl_grpc_call *call,
                                   const struct sl_grpc_request *request, struct sl_buf *text)
{
    uint64_t left_ns = request->timeout_ns;

    if (left_ns) {
        if (!sl_grpc_call_time_left(call, &left_ns)) {
            left_ns = request->timeout_ns;
        }
        sl_grpc_timeout_encode(left_ns, text);
    }
    return sl_buf_str(text);
}

enum { MAX_FIXED_FIELDS = 10 };

static size_t write_fixed(const struct sl_grpc_call *call, const struct sl_h2_session *session,
                          const struct sl_grpc_request *request, struct sl_str timeout,
                          struct sl_h2_field *fields)
{
    bool has_gzip = call->context && !request->identity_only;
    const struct sl_h2_field always[] = {
        {SL_STR(":method"), SL_STR("POST"), false},
        {SL_STR(":scheme"), sl_h2_session_scheme(session), false},
        {SL_STR(":path"), sl_str_from(request->method->path), false},
        {SL_STR(":authority"), sl_str_from(request->authority), false},
        {SL_STR("te"), SL_STR("trailers"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
        {SL_STR("grpc-accept-encoding"), has_gzip ? SL_STR("identity,gzip") : SL_STR("identity"),
         false},
    };
    size_t count = SL_ARRAY_LEN(always);

    memcpy(fields, always, sizeof(always));
    if (request->user_agent && request->user_agent[0] != '\0') {
        fields[count++] =
            (struct sl_h2_field){SL_STR("user-agent"), sl_str_from(request->user_agent), false};
    }
    if (request->encoding == SL_GRPC_GZIP) {
        fields[count++] = (struct sl_h2_field){SL_STR("grpc-encoding"), SL_STR("gzip"), false};
    }
    if (timeout.len) {
        /* Hardly ever twice the same: HPACK need not remember it. */
        fields[count++] = (struct sl_h2_field){SL_STR("grpc-timeout"), timeout, true};
    }
    SL_ASSERT(count <= MAX_FIXED_FIELDS);
    return count;
}

struct sl_h2_stream *sl_grpc_client_open_stream(struct sl_grpc_call *call,
                                                struct sl_h2_session *session,
                                                const struct sl_grpc_request *request)
{
    struct sl_h2_field *fields =
        malloc((MAX_FIXED_FIELDS + request->metadata_count) * sizeof(*fields));
    struct sl_h2_stream *stream = NULL;
    struct sl_buf binaries = {0};
    struct sl_buf timeout = {0};

    if (fields) {
        size_t count =
            write_fixed(call, session, request, write_timeout(call, request, &timeout), fields);
        if (!timeout.failed && sl_grpc_metadata_write(request->metadata, request->metadata_count,
                                                      fields + count, &binaries)) {
            stream = sl_h2_session_request(session, fields, count + request->metadata_count, true,
                                           &stream_events, call);
        }
    }
    sl_buf_fini(&timeout);
    sl_buf_fini(&binaries);
    free(fields);
    return stream;
}

bool sl_grpc_call_begin(struct sl_grpc_call *call, const struct sl_grpc_request *request)
{
    call->method = request->method;
    call->is_manual = request->manual_credit;
    call->encoding = request->encoding;
    sl_grpc_call_set_compressed(call, true);
    return request->timeout_ns == 0 || sl_grpc_call_set_deadline(call, request->timeout_ns);
}

struct sl_grpc_call *sl_grpc_call_open(struct sl_h2_session *session,
                                       const struct sl_grpc_request *request,
                                       const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_status status = sl_grpc_metadata_check(request->metadata, request->metadata_count);
    struct sl_grpc_call *call = sl_grpc_call_new(events, arg, request->context);
    struct sl_grpc_request sent = *request;

    if (!call) {
        return NULL;
    }
    if (!sl_status_is_ok(&status)) {
        sent.metadata_count = 0;
    }
    if (sl_grpc_call_begin(call, request)) {
        call->stream = sl_grpc_client_open_stream(call, session, &sent);
    }
    if (!call->stream) {
        sl_grpc_call_free(call);
        return NULL;
    }
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status); /* before anything of it left */
    }
    return call;
}

/* ---- public ---- */

const struct sl_grpc_metadata *sl_grpc_call_trailers(const struct sl_grpc_call *call)
{
    return &call->trailers;
}

struct sl_str sl_grpc_call_status_message(const struct sl_grpc_call *call)
{
    return sl_buf_str(&call->message);
}

struct sl_str sl_grpc_call_status_details(const struct sl_grpc_call *call)
{
    return sl_grpc_metadata_find(&call->trailers, "grpc-status-details-bin");
}
