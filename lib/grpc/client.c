#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"
#include "grpc/wire.h"

/* ---- the response ---- */

static void take_peer_code(struct sl_grpc_call *call, struct sl_str value)
{
    if (!call->has_peer_status) {
        call->has_peer_status = true;
        call->peer_status.code = sl_grpc_code_of_text(value);
    }
}

static void take_peer_text(struct sl_grpc_call *call, struct sl_str value)
{
    struct sl_buf text;

    sl_buf_init(&text, 0);
    sl_grpc_percent_decode(value, &text);
    if (!text.failed) {
        enum sl_code code = call->peer_status.code;
        call->peer_status = sl_status_quote(code, "the peer says", sl_buf_str(&text));
    }
    sl_buf_fini(&text);
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
        take_peer_text(call, value);
    } else if (sl_str_eq_c(name, ":status")) {
        call->http_status = sl_str_to_u64(value, &number) && number < 1000 ? (unsigned)number : 0;
    } else if (!call->has_responded) {
        sl_grpc_call_take_field(call, name, value);
    }
}

/* Is this an answer of gRPC? A gRPC status makes it one, whatever else is in it. */
static struct sl_status judge_response(const struct sl_grpc_call *call)
{
    if (call->has_peer_status) {
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
    struct sl_status status = judge_response(call);
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status);
    } else if (!call->has_peer_status && call->events->on_headers) {
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
    if (call->events->on_open && !sl_grpc_call_is_over(call)) {
        call->events->on_open(call, call->arg);
    }
}

/* The peer's status, in words where it has none. */
static struct sl_status what_peer_says(const struct sl_grpc_call *call)
{
    enum sl_code code = call->peer_status.code;
    struct sl_status said = call->peer_status;

    if (said.text[0] == '\0') {
        said = sl_status_error(code, "the peer ended the call with %s", sl_code_name(code));
    }
    return code == SL_OK ? sl_status_because("ended-by-peer", said) : said;
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status outcome;

    if (!call->has_end) {
        outcome = sl_grpc_call_broken(stream, error, by_peer);
    } else if (call->has_peer_status) {
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

/* "Custom-Metadata" of the protocol: lower case, and none of the names that are gRPC's own. */
static bool is_name_valid(struct sl_str name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";

    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(letters, name.data[i], sizeof(letters) - 1)) {
            return false;
        }
    }
    return name.len > 0 && !sl_str_starts_with(name, SL_STR("grpc-")) && !sl_str_eq_c(name, "te") &&
           !sl_str_eq_c(name, "content-type") && !sl_str_eq_c(name, "user-agent");
}

static bool is_value_valid(struct sl_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static struct sl_status check_metadata(const struct sl_grpc_request *request)
{
    for (size_t i = 0; i < request->metadata_count; i++) {
        const struct sl_grpc_field *field = &request->metadata[i];

        if (!is_name_valid(field->name)) {
            return sl_status_quote(SL_INVALID_ARGUMENT, "this cannot be the name of metadata",
                                   field->name);
        }
        if (!is_value_valid(field->value)) {
            return sl_status_quote(SL_INVALID_ARGUMENT,
                                   "a byte that metadata cannot carry in the value of",
                                   field->name);
        }
    }
    return sl_status_ok();
}

static struct sl_h2_stream *open_stream(struct sl_grpc_call *call, struct sl_h2_session *session,
                                        const struct sl_grpc_request *request,
                                        size_t metadata_count)
{
    const struct sl_h2_field fixed[] = {
        {SL_STR(":method"), SL_STR("POST"), false},
        {SL_STR(":scheme"), sl_h2_session_scheme(session), false},
        {SL_STR(":path"), sl_str_from(request->method->path), false},
        {SL_STR(":authority"), sl_str_from(request->authority), false},
        {SL_STR("te"), SL_STR("trailers"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
        {SL_STR("user-agent"), sl_str_from(request->user_agent), false},
        {SL_STR("grpc-accept-encoding"), SL_STR("identity"), false},
    };
    size_t count = SL_ARRAY_LEN(fixed);
    struct sl_h2_field *fields = calloc(count + metadata_count, sizeof(*fields));

    if (!fields) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        fields[i] = fixed[i];
    }
    for (size_t i = 0; i < metadata_count; i++) {
        const struct sl_grpc_field *field = &request->metadata[i];
        fields[count++] = (struct sl_h2_field){field->name, field->value, field->is_secret};
    }
    struct sl_h2_stream *stream =
        sl_h2_session_request(session, fields, count, true, &stream_events, call);
    free(fields);
    return stream;
}

struct sl_grpc_call *sl_grpc_call_open(struct sl_h2_session *session,
                                       const struct sl_grpc_request *request,
                                       const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_status status = check_metadata(request);
    bool is_ok = sl_status_is_ok(&status);
    struct sl_grpc_call *call = sl_grpc_call_new(events, arg);

    if (!call) {
        return NULL;
    }
    call->is_manual = request->manual_credit;
    call->peer_status = sl_status_ok();
    call->stream = open_stream(call, session, request, is_ok ? request->metadata_count : 0);
    if (!call->stream) {
        sl_grpc_call_free(call);
        return NULL;
    }
    if (!is_ok) {
        sl_grpc_call_fail(call, &status); /* before anything of it left */
    }
    return call;
}
