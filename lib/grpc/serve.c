/* The server's side of a call. */
#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"
#include "grpc/wire.h"

static const struct sl_grpc_call_events no_events = {.on_status = NULL};

/* ---- the response ---- */

enum { MAX_FIXED_FIELDS = 6 }; /* of a block, beside metadata */

/* What the first block of a response begins with. */
static size_t write_head(const struct sl_grpc_call *call, struct sl_h2_field *fields)
{
    size_t count = 0;

    fields[count++] = (struct sl_h2_field){SL_STR(":status"), SL_STR("200"), false};
    fields[count++] =
        (struct sl_h2_field){SL_STR("content-type"), SL_STR("application/grpc"), false};
    if (call->encoding == SL_GRPC_GZIP) {
        fields[count++] = (struct sl_h2_field){SL_STR("grpc-encoding"), SL_STR("gzip"), false};
    }
    if (call->is_odd) {
        fields[count++] = (struct sl_h2_field){
            SL_STR("grpc-accept-encoding"),
            call->context ? SL_STR("identity,gzip") : SL_STR("identity"), false};
    }
    return count;
}

static bool send_headers(struct sl_grpc_call *call, const struct sl_grpc_field *metadata,
                         size_t metadata_count)
{
    struct sl_h2_field *fields = malloc((MAX_FIXED_FIELDS + metadata_count) * sizeof(*fields));
    struct sl_buf binaries = {0};

    if (!fields) {
        return false;
    }
    size_t count = write_head(call, fields);
    call->has_responded =
        sl_grpc_metadata_write(metadata, metadata_count, fields + count, &binaries) &&
        sl_h2_stream_respond(call->stream, fields, count + metadata_count, false);
    sl_buf_fini(&binaries);
    free(fields);
    return call->has_responded;
}

bool sl_grpc_call_has_headers(struct sl_grpc_call *call)
{
    return !call->is_server || call->has_responded || send_headers(call, NULL, 0);
}

bool sl_grpc_call_respond(struct sl_grpc_call *call, const struct sl_grpc_field *metadata,
                          size_t count)
{
    struct sl_status status = sl_grpc_metadata_check(metadata, count);

    SL_ASSERT(call->is_server);
    if (call->has_responded || sl_grpc_call_is_over(call)) {
        return false;
    }
    if (!sl_status_is_ok(&status)) {
        status.code = SL_INTERNAL; /* the handler's doing, not the client's */
        sl_grpc_call_fail(call, &status);
        return false;
    }
    return send_headers(call, metadata, count);
}

void sl_grpc_call_set_encoding(struct sl_grpc_call *call, enum sl_grpc_encoding encoding)
{
    SL_ASSERT(call->is_server && !call->has_responded);
    if (encoding == SL_GRPC_IDENTITY || (call->takes_gzip && call->context)) {
        call->encoding = encoding;
        sl_grpc_call_set_compressed(call, true);
    }
}

bool sl_grpc_call_await_sent(struct sl_grpc_call *call)
{
    SL_ASSERT(call->is_server);
    return call->stream && sl_h2_stream_await_sent(call->stream);
}

/* The answer of plain HTTP to what is not gRPC, with the field that goes with it (RFC 9110 sections
 * 15.5.6 and 15.5.16) and a text for whoever asked by hand. */
static void refuse(struct sl_grpc_call *call)
{
    const struct sl_str text = SL_STR("This port serves gRPC: POST with application/grpc.\n");
    const struct sl_h2_field type = {SL_STR("content-type"), SL_STR("text/plain"), false};
    const struct sl_h2_field no_grpc[] = {
        {SL_STR(":status"), SL_STR("415"), false},
        {SL_STR("accept"), SL_STR("application/grpc"), false},
        type,
    };
    const struct sl_h2_field no_post[] = {
        {SL_STR(":status"), SL_STR("405"), false},
        {SL_STR("allow"), SL_STR("POST"), false},
        type,
    };
    const struct sl_h2_field *fields = call->is_grpc ? no_post : no_grpc;
    bool is_head = sl_str_eq_c(sl_grpc_metadata_find(&call->headers, ":method"), "HEAD");

    if (sl_grpc_call_is_over(call)) {
        return;
    }
    call->is_finished = true;
    if (!sl_h2_stream_respond(call->stream, fields, SL_ARRAY_LEN(no_grpc), is_head) ||
        (!is_head && (!sl_h2_stream_send(call->stream, &text, 1) ||
                      !sl_h2_stream_finish(call->stream, NULL, 0)))) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
}

/* The last block: behind messages it has the status alone, as the only one the head too. */
static size_t write_end(const struct sl_grpc_call *call, struct sl_str code, struct sl_str message,
                        struct sl_h2_field *fields)
{
    size_t count = call->has_responded ? 0 : write_head(call, fields);

    fields[count++] = (struct sl_h2_field){SL_STR("grpc-status"), code, false};
    if (message.len) {
        fields[count++] = (struct sl_h2_field){SL_STR("grpc-message"), message, false};
    }
    SL_ASSERT(count <= MAX_FIXED_FIELDS);
    return count;
}

static bool send_end(struct sl_grpc_call *call, const struct sl_grpc_end *end)
{
    const struct sl_grpc_field details = {SL_STR("grpc-status-details-bin"), end->details, false};
    size_t room = MAX_FIXED_FIELDS + 1 + end->trailer_count;
    struct sl_h2_field *fields = malloc(room * sizeof(*fields));
    struct sl_buf code = {0};
    struct sl_buf message = {0};
    struct sl_buf packed = {0};
    struct sl_buf binaries = {0};
    bool is_sent = false;

    sl_buf_add_u64(&code, (uint64_t)end->code);
    sl_grpc_percent_encode(end->message, &message);
    if (fields && !code.failed && !message.failed) {
        size_t details_count = end->details.len ? 1 : 0;
        size_t count = write_end(call, sl_buf_str(&code), sl_buf_str(&message), fields);
        is_sent = sl_grpc_metadata_write(&details, details_count, fields + count, &packed) &&
                  sl_grpc_metadata_write(end->trailers, end->trailer_count,
                                         fields + count + details_count, &binaries);
        count += details_count + end->trailer_count;
        is_sent = is_sent &&
                  (call->has_responded ? sl_h2_stream_finish(call->stream, fields, count)
                                       : sl_h2_stream_respond(call->stream, fields, count, true));
    }
    sl_buf_fini(&binaries);
    sl_buf_fini(&packed);
    sl_buf_fini(&message);
    sl_buf_fini(&code);
    free(fields);
    return is_sent;
}

void sl_grpc_call_finish_with(struct sl_grpc_call *call, const struct sl_grpc_end *end)
{
    struct sl_status status = sl_grpc_metadata_check(end->trailers, end->trailer_count);
    struct sl_grpc_end plain = *end;

    SL_ASSERT(call->is_server);
    if (call->is_finished) {
        return;
    }
    if (!sl_status_is_ok(&status)) {
        plain = (struct sl_grpc_end){.code = SL_INTERNAL, .message = sl_str_from(status.text)};
    }
    if (!send_end(call, &plain)) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
    call->is_finished = true;
    sl_grpc_call_let_go(call);
}

void sl_grpc_call_finish(struct sl_grpc_call *call, const struct sl_status *status)
{
    const struct sl_grpc_end end = {.code = status->code, .message = sl_str_from(status->text)};

    sl_grpc_call_finish_with(call, &end);
}

/* ---- the request ---- */

static void take_timeout(struct sl_grpc_call *call, struct sl_str value)
{
    uint64_t timeout_ns;
    struct sl_status status;

    if (!sl_grpc_timeout_decode(value, &timeout_ns)) {
        status = sl_status_because("broken-metadata",
                                   sl_status_quote(SL_INTERNAL, "not a grpc-timeout", value));
        sl_grpc_call_fail(call, &status);
    } else if (!call->timer && !sl_grpc_call_set_deadline(call, timeout_ns)) {
        status = sl_status_out_of_memory();
        sl_grpc_call_fail(call, &status);
    }
}

static void on_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                     void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (call->has_request || sl_grpc_call_is_over(call)) {
        return; /* a request has no trailers that mean anything */
    }
    if (sl_str_eq_c(name, ":method")) {
        call->is_post = sl_str_eq_c(value, "POST");
    } else if (sl_str_eq_c(name, "grpc-timeout")) {
        take_timeout(call, value);
        return;
    }
    sl_grpc_call_take_field(call, name, value);
}

static const struct sl_grpc_handler *find_handler(const struct sl_grpc_router *router,
                                                  struct sl_str path, void **arg)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct sl_grpc_service_entry *entry = &router->entries[i];

        for (const struct sl_grpc_handler *handler = entry->handlers; handler->method; handler++) {
            if (sl_str_eq_c(path, handler->method->path)) {
                *arg = entry->arg;
                return handler;
            }
        }
    }
    return NULL;
}

static void dispatch(struct sl_grpc_call *call)
{
    struct sl_str path = sl_grpc_metadata_find(&call->headers, ":path");
    void *arg = NULL;
    const struct sl_grpc_handler *handler = find_handler(call->router, path, &arg);
    struct sl_status status;

    if (!handler) {
        status = sl_status_quote(SL_UNIMPLEMENTED, "no such method", path);
        sl_grpc_call_finish(call, &status);
    } else if (call->is_odd) {
        status = sl_status_because(
            "compressed", sl_status_quote(SL_UNIMPLEMENTED, "an encoding that is not known here",
                                          sl_grpc_metadata_find(&call->headers, "grpc-encoding")));
        sl_grpc_call_finish(call, &status);
    } else {
        call->method = handler->method;
        handler->on_call(call, arg);
    }
}

/* What is not one is answered when it is through, or has a long body, so that HTTP/2 has
 * its say first: after an answer the stream is closed, and nobody looks at what is wrong with it.
 */
static bool is_call(const struct sl_grpc_call *call)
{
    return call->is_post && call->is_grpc;
}

static void on_fields_end(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (are_trailers || sl_grpc_call_is_over(call)) {
        return;
    }
    call->has_request = true;
    if (is_call(call)) {
        dispatch(call);
    }
}

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct sl_grpc_call *call = arg;

    if (is_call(call)) {
        return sl_grpc_call_on_data(stream, bytes, len, arg);
    }
    call->unreturned += (uint32_t)len;
    if (call->unreturned >= SL_H2_STREAM_WINDOW_BYTES / 2) { /* before it waits for more window */
        refuse(call);
    }
    return true;
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    call->has_end = true;
    if (is_call(call)) {
        sl_grpc_call_end_messages(call);
    } else {
        refuse(call);
    }
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status outcome = sl_status_ok();

    (void)stream;
    if (by_peer && (error == SL_H2_CANCEL || !call->is_finished)) {
        outcome =
            sl_status_error(SL_CANCELLED, "the client ended the call: %s", sl_h2_error_name(error));
    } else if (error != SL_H2_NO_ERROR || !call->is_finished) {
        outcome = sl_grpc_call_broken(call, error, by_peer);
    }
    sl_grpc_call_end(call, &outcome);
}

static const struct sl_h2_stream_events stream_events = {
    .on_field = on_field,
    .on_fields_end = on_fields_end,
    .on_data = on_data,
    .on_end = on_end,
    .on_writable = sl_grpc_call_on_writable,
    .on_close = on_close,
};

void sl_grpc_call_accept(const struct sl_grpc_router *router, const struct sl_grpc_peer *peer,
                         struct sl_h2_stream *stream)
{
    struct sl_grpc_call *call = sl_grpc_call_new(&no_events, NULL, router->context);

    if (!call) {
        return; /* a stream without events is refused */
    }
    call->is_server = true;
    call->router = router;
    call->peer = peer;
    call->stream = stream;
    sl_h2_stream_set_events(stream, &stream_events, call);
}

void sl_grpc_call_set_events(struct sl_grpc_call *call, const struct sl_grpc_call_events *events,
                             void *arg)
{
    call->events = events;
    call->arg = arg;
}

const struct sl_grpc_peer *sl_grpc_call_peer(const struct sl_grpc_call *call)
{
    return call->peer;
}
