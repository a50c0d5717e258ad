#include "service.h"

#include "base/buf.h"
#include "handler.h"
#include "outputs.h"
#include "testing.services.h"

static const char not_as_said[] = "expect_compressed: the request is not as it says";

static enum sl_grpc_take taken(enum sl_grpc_send sent)
{
    return sent == SL_GRPC_FULL ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
}

/* ---- EmptyCall ---- */

static enum sl_grpc_take on_empty(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    Grpc__Testing__Empty reply = GRPC__TESTING__EMPTY__INIT;

    (void)call;
    (void)message;
    return taken(interop_send(arg, &reply.base, NULL));
}

static const struct sl_grpc_call_events empty_events = {
    .on_message = on_empty,
    .on_half_close = interop_finish_on_end,
    .on_writable = interop_on_writable,
    .on_status = interop_on_status,
};

static void empty_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &empty_events);
}

/* ---- UnaryCall ---- */

static enum sl_grpc_take on_simple(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                   void *arg)
{
    struct interop_state *state = arg;
    const Grpc__Testing__SimpleRequest *request = (const void *)message;
    Grpc__Testing__SimpleResponse reply = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    (void)call;
    if (!interop_is_as_said(state, request->expect_compressed)) {
        return interop_refuse(state, not_as_said);
    }
    if (interop_has_ended(state, request->response_status, request->response_type)) {
        return SL_GRPC_TAKEN;
    }
    if (!interop_is_size(request->response_size)) {
        return interop_refuse(state, "response_size: from 0 to 4 MiB");
    }
    interop_set_body(&payload, request->response_size);
    reply.payload = &payload;
    return taken(interop_send(state, &reply.base, request->response_compressed));
}

static const struct sl_grpc_call_events simple_events = {
    .on_message = on_simple,
    .on_half_close = interop_finish_on_end,
    .on_writable = interop_on_writable,
    .on_status = interop_on_status,
};

static void unary_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &simple_events);
}

/* ---- CacheableUnaryCall ---- */

/* Says the time, so that a reply that a cache kept shows. */
static enum sl_grpc_take on_cacheable(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    Grpc__Testing__SimpleResponse reply = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    struct sl_buf time = {0};

    (void)call;
    (void)message;
    sl_buf_add_i64(&time, sl_loop_wall_ns());
    payload.body = (ProtobufCBinaryData){.len = time.len, .data = (uint8_t *)time.data};
    reply.payload = &payload;
    enum sl_grpc_send sent = interop_send(arg, &reply.base, NULL);
    sl_buf_fini(&time);
    return taken(sent);
}

static const struct sl_grpc_call_events cacheable_events = {
    .on_message = on_cacheable,
    .on_half_close = interop_finish_on_end,
    .on_writable = interop_on_writable,
    .on_status = interop_on_status,
};

static void cacheable_unary_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &cacheable_events);
}

/* ---- StreamingInputCall ---- */

static enum sl_grpc_take on_input(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct interop_state *state = arg;
    const Grpc__Testing__StreamingInputCallRequest *request = (const void *)message;

    (void)call;
    if (!interop_is_as_said(state, request->expect_compressed)) {
        return interop_refuse(state, not_as_said);
    }
    if (request->payload) {
        state->received_bytes += (int64_t)request->payload->body.len;
    }
    if (state->received_bytes > INT32_MAX) {
        interop_finish(state, SL_OUT_OF_RANGE, "aggregated_payload_size: more than 2 GiB");
    }
    return SL_GRPC_TAKEN;
}

static void on_input_end(struct sl_grpc_call *call, void *arg)
{
    struct interop_state *state = arg;
    Grpc__Testing__StreamingInputCallResponse reply =
        GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;

    (void)call;
    reply.aggregated_payload_size = (int32_t)state->received_bytes;
    if (interop_send(state, &reply.base, NULL) == SL_GRPC_SENT) { /* the first message is */
        interop_finish(state, SL_OK, "");
    }
}

static const struct sl_grpc_call_events input_events = {
    .on_message = on_input,
    .on_half_close = on_input_end,
    .on_status = interop_on_status,
};

static void streaming_input_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &input_events);
}

#define METHOD(name) &grpc__testing__test_service__methods[GRPC__TESTING__TEST_SERVICE__##name]

const struct sl_grpc_handler interop_handlers[] = {
    {METHOD(EMPTY_CALL), empty_call},
    {METHOD(UNARY_CALL), unary_call},
    {METHOD(CACHEABLE_UNARY_CALL), cacheable_unary_call},
    {METHOD(STREAMING_INPUT_CALL), streaming_input_call},
    {METHOD(STREAMING_OUTPUT_CALL), interop_output_call},
    {METHOD(FULL_DUPLEX_CALL), interop_output_call},
    {METHOD(HALF_DUPLEX_CALL), interop_half_duplex_call},
    {NULL, NULL},
};
