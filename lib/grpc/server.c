#include "grpc/internal.h"
#include "grpc/wire.h"

static const struct sl_grpc_call_events no_events = {.on_status = NULL};

/* ---- the response ---- */

bool sl_grpc_call_respond(struct sl_grpc_call *call)
{
    const struct sl_h2_field fields[] = {
        {SL_STR(":status"), SL_STR("200"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
    };

    if (call->is_server && !call->has_responded) {
        call->has_responded =
            sl_h2_stream_respond(call->stream, fields, SL_ARRAY_LEN(fields), false);
        return call->has_responded;
    }
    return true;
}

/* The answer of plain HTTP to what is not gRPC. */
static void refuse(struct sl_grpc_call *call, const char *http_status)
{
    const struct sl_h2_field fields[] = {
        {SL_STR(":status"), sl_str_from(http_status), false},
        {SL_STR("allow"), SL_STR("POST"), false},
    };

    call->is_finished = true;
    if (!sl_h2_stream_respond(call->stream, fields, SL_ARRAY_LEN(fields), true)) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
}

void sl_grpc_call_finish(struct sl_grpc_call *call, const struct sl_status *status)
{
    struct sl_buf code = {0};
    struct sl_buf text = {0};

    SL_ASSERT(call->is_server);
    if (call->is_finished) {
        return;
    }
    sl_buf_add_u64(&code, (uint64_t)status->code);
    sl_grpc_percent_encode(sl_str_from(status->text), &text);
    const struct sl_h2_field fields[] = {
        {SL_STR(":status"), SL_STR("200"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
        {SL_STR("grpc-status"), sl_buf_str(&code), false},
        {SL_STR("grpc-message"), sl_buf_str(&text), false},
    };
    size_t count = SL_ARRAY_LEN(fields) - (text.len == 0 || text.failed ? 1 : 0);
    bool is_sent = !code.failed &&
                   (call->has_responded ? sl_h2_stream_finish(call->stream, fields + 2, count - 2)
                                        : sl_h2_stream_respond(call->stream, fields, count, true));
    call->is_finished = true;
    if (!is_sent) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
    sl_grpc_call_let_go(call);
    sl_buf_fini(&text);
    sl_buf_fini(&code);
}

/* ---- the request ---- */

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
    }
    sl_grpc_call_take_field(call, name, value);
}

static const struct sl_grpc_handler *find_handler(const struct sl_grpc_server *server,
                                                  struct sl_str path)
{
    for (const struct sl_grpc_handler *handler = server->handlers; handler->method; handler++) {
        if (sl_str_eq_c(path, handler->method->path)) {
            return handler;
        }
    }
    return NULL;
}

static void on_fields_end(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_str path = sl_grpc_call_metadata(call, ":path");
    const struct sl_grpc_handler *handler = find_handler(&call->server, path);

    (void)stream;
    if (are_trailers || sl_grpc_call_is_over(call)) {
        return;
    }
    call->has_request = true;
    if (!call->is_post || !call->is_grpc) {
        refuse(call, call->is_post ? "415" : "405");
    } else if (handler) {
        handler->on_call(call, call->server.arg);
    } else {
        struct sl_status status = sl_status_quote(SL_UNIMPLEMENTED, "no such method", path);
        sl_grpc_call_finish(call, &status);
    }
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    call->has_end = true;
    sl_grpc_call_end_messages(call);
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status outcome = sl_status_ok();

    if (by_peer && (error == SL_H2_CANCEL || !call->is_finished)) {
        outcome =
            sl_status_error(SL_CANCELLED, "the client ended the call: %s", sl_h2_error_name(error));
    } else if (error != SL_H2_NO_ERROR || !call->is_finished) {
        outcome = sl_grpc_call_broken(stream, error, by_peer);
    }
    sl_grpc_call_end(call, &outcome);
}

static const struct sl_h2_stream_events stream_events = {
    .on_field = on_field,
    .on_fields_end = on_fields_end,
    .on_data = sl_grpc_call_on_data,
    .on_end = on_end,
    .on_writable = sl_grpc_call_on_writable,
    .on_close = on_close,
};

void sl_grpc_server_accept(const struct sl_grpc_server *server, struct sl_h2_stream *stream)
{
    struct sl_grpc_call *call = sl_grpc_call_new(&no_events, NULL);

    if (!call) {
        return; /* a stream without events is refused */
    }
    call->is_server = true;
    call->server = *server;
    call->stream = stream;
    sl_h2_stream_set_events(stream, &stream_events, call);
}
