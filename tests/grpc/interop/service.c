#include "service.h"

#include <stdlib.h>

#include "grpc/metadata.h"
#include "testing.services.h"
#include "testing.pb-c.h"

#define ECHO_INITIAL  "x-grpc-test-echo-initial"
#define ECHO_TRAILING "x-grpc-test-echo-trailing-bin"

typedef Grpc__Testing__BoolValue Bool_value;
typedef Grpc__Testing__EchoStatus Echo_status;
typedef Grpc__Testing__ResponseParameters Parameters;

struct call {
    struct sl_grpc_call *call;
    struct sl_loop *loop;
    struct sl_timer *pause; /* until the next response is due; NULL until one has to wait */
    size_t next;            /* of the request at hand: the response that has not left */
    int64_t last_ns;        /* when the last response left, or the request came */
    int64_t received_bytes; /* of payloads */
};

/* Payloads are of zeros. */
static uint8_t zeros[INTEROP_MAX_BODY_BYTES];

/* ---- begin and end ---- */

static void on_status(struct sl_grpc_call *grpc_call, const struct sl_status *status, void *arg)
{
    struct call *call = arg;

    (void)grpc_call;
    (void)status;
    sl_timer_free(call->pause);
    free(call);
}

static void finish(struct call *call, enum sl_code code, const char *text)
{
    struct sl_grpc_field trailer = {.name = SL_STR(ECHO_TRAILING)};
    struct sl_grpc_end end = {.code = code, .message = sl_str_from(text), .trailers = &trailer};

    trailer.value = sl_grpc_metadata_find(sl_grpc_call_headers(call->call), ECHO_TRAILING);
    end.trailer_count = trailer.value.data ? 1 : 0;
    sl_grpc_call_finish_with(call->call, &end);
}

static enum sl_grpc_take refuse(struct call *call, const char *text)
{
    finish(call, SL_INVALID_ARGUMENT, text);
    return SL_GRPC_TAKEN;
}

static void finish_ok(struct sl_grpc_call *grpc_call, void *arg)
{
    (void)grpc_call;
    finish(arg, SL_OK, "");
}

static void on_writable(struct sl_grpc_call *grpc_call, void *arg)
{
    (void)arg;
    sl_grpc_call_resume(grpc_call);
}

/* Messages are compressed one by one; the headers say that they may be. */
static void begin(struct sl_grpc_call *grpc_call, struct interop_service *service,
                  const struct sl_grpc_call_events *events)
{
    struct sl_grpc_field echo = {.name = SL_STR(ECHO_INITIAL)};
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    struct call *call = calloc(1, sizeof(*call));

    if (!call) {
        sl_grpc_call_finish(grpc_call, &why);
        return;
    }
    call->call = grpc_call;
    call->loop = service->loop;
    sl_grpc_call_set_events(grpc_call, events, call);
    sl_grpc_call_set_encoding(grpc_call, SL_GRPC_GZIP);
    sl_grpc_call_set_compressed(grpc_call, false);
    echo.value = sl_grpc_metadata_find(sl_grpc_call_headers(grpc_call), ECHO_INITIAL);
    if (echo.value.data && !sl_grpc_call_respond(grpc_call, &echo, 1)) {
        sl_grpc_call_fail(grpc_call, &why);
    }
}

/* ---- what requests ask for ---- */

static bool is_compressed_as_said(const struct call *call, const Bool_value *expected)
{
    return !expected || expected->value == sl_grpc_call_was_compressed(call->call);
}

static bool has_status(const Echo_status *status)
{
    return status && status->code != SL_OK;
}

static enum sl_grpc_take echo_status(struct call *call, const Echo_status *status)
{
    if (status->code < 0 || status->code >= SL_CODES) {
        return refuse(call, "response_status: not a status code");
    }
    finish(call, (enum sl_code)status->code, status->message);
    return SL_GRPC_TAKEN;
}

static bool is_size(int32_t bytes)
{
    return bytes >= 0 && bytes <= INTEROP_MAX_BODY_BYTES;
}

static void set_body(Grpc__Testing__Payload *payload, int32_t bytes)
{
    payload->type = GRPC__TESTING__PAYLOAD_TYPE__COMPRESSABLE;
    payload->body = (ProtobufCBinaryData){.len = (size_t)bytes, .data = zeros};
}

static enum sl_grpc_send send_reply(struct call *call, const ProtobufCMessage *reply,
                                    const Bool_value *is_compressed)
{
    sl_grpc_call_set_compressed(call->call, is_compressed && is_compressed->value);
    return sl_grpc_call_send(call->call, reply);
}

/* ---- EmptyCall, UnaryCall ---- */

static enum sl_grpc_take on_empty(struct sl_grpc_call *grpc_call, const ProtobufCMessage *message,
                                  void *arg)
{
    Grpc__Testing__Empty reply = GRPC__TESTING__EMPTY__INIT;

    (void)grpc_call;
    (void)message;
    return send_reply(arg, &reply.base, NULL) == SL_GRPC_FULL ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
}

static enum sl_grpc_take on_simple(struct sl_grpc_call *grpc_call, const ProtobufCMessage *message,
                                   void *arg)
{
    struct call *call = arg;
    const Grpc__Testing__SimpleRequest *request = (const void *)message;
    Grpc__Testing__SimpleResponse reply = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    (void)grpc_call;
    if (!is_compressed_as_said(call, request->expect_compressed)) {
        return refuse(call, "expect_compressed: the request is not as it says");
    }
    if (has_status(request->response_status)) {
        return echo_status(call, request->response_status);
    }
    if (request->response_type != GRPC__TESTING__PAYLOAD_TYPE__COMPRESSABLE) {
        return refuse(call, "response_type: not known here");
    }
    if (!is_size(request->response_size)) {
        return refuse(call, "response_size: from 0 to 4 MiB");
    }
    set_body(&payload, request->response_size);
    reply.payload = &payload;
    return send_reply(call, &reply.base, request->response_compressed) == SL_GRPC_FULL
               ? SL_GRPC_HOLD
               : SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events empty_events = {
    .on_message = on_empty,
    .on_half_close = finish_ok,
    .on_writable = on_writable,
    .on_status = on_status,
};

static const struct sl_grpc_call_events simple_events = {
    .on_message = on_simple,
    .on_half_close = finish_ok,
    .on_writable = on_writable,
    .on_status = on_status,
};

static void empty_call(struct sl_grpc_call *grpc_call, void *arg)
{
    begin(grpc_call, arg, &empty_events);
}

static void unary_call(struct sl_grpc_call *grpc_call, void *arg)
{
    begin(grpc_call, arg, &simple_events);
}

/* ---- StreamingInputCall ---- */

static enum sl_grpc_take on_input(struct sl_grpc_call *grpc_call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct call *call = arg;
    const Grpc__Testing__StreamingInputCallRequest *request = (const void *)message;

    (void)grpc_call;
    if (!is_compressed_as_said(call, request->expect_compressed)) {
        return refuse(call, "expect_compressed: the request is not as it says");
    }
    if (request->payload) {
        call->received_bytes += (int64_t)request->payload->body.len;
    }
    if (call->received_bytes > INT32_MAX) {
        finish(call, SL_OUT_OF_RANGE, "aggregated_payload_size: more than 2 GiB");
    }
    return SL_GRPC_TAKEN;
}

static void on_input_end(struct sl_grpc_call *grpc_call, void *arg)
{
    struct call *call = arg;
    Grpc__Testing__StreamingInputCallResponse reply =
        GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;

    (void)grpc_call;
    reply.aggregated_payload_size = (int32_t)call->received_bytes;
    if (send_reply(call, &reply.base, NULL) == SL_GRPC_SENT) {
        finish(call, SL_OK, "");
    }
}

static const struct sl_grpc_call_events input_events = {
    .on_message = on_input,
    .on_half_close = on_input_end,
    .on_status = on_status,
};

static void streaming_input_call(struct sl_grpc_call *grpc_call, void *arg)
{
    begin(grpc_call, arg, &input_events);
}

/* ---- StreamingOutputCall, FullDuplexCall ---- */

static void on_due(void *arg)
{
    struct call *call = arg;

    sl_grpc_call_resume(call->call);
}

/* True when the response may leave; else the call is resumed when it may. */
static bool is_due(struct call *call, const Parameters *parameters)
{
    int64_t due_ns = call->last_ns + parameters->interval_us * SL_NS_PER_US;
    int64_t now_ns = sl_loop_now_ns(call->loop);

    if (now_ns >= due_ns) {
        return true;
    }
    if (!call->pause) {
        call->pause = sl_timer_new(call->loop, on_due, call);
    }
    if (call->pause) {
        int64_t left_ns = due_ns - now_ns;
        sl_timer_start(call->pause, (uint64_t)((left_ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS));
    } else {
        finish(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    return false;
}

static enum sl_grpc_send send_output(struct call *call, const Parameters *parameters)
{
    Grpc__Testing__StreamingOutputCallResponse reply =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    set_body(&payload, parameters->size);
    reply.payload = &payload;
    return send_reply(call, &reply.base, parameters->compressed);
}

/* Sends the next responses, as many as may leave now. */
static enum sl_grpc_take answer(struct call *call,
                                const Grpc__Testing__StreamingOutputCallRequest *request)
{
    for (; call->next < request->n_response_parameters; call->next++) {
        const Parameters *parameters = request->response_parameters[call->next];
        if (!is_size(parameters->size) || parameters->interval_us < 0) {
            return refuse(call, "response_parameters: size from 0 to 4 MiB, interval from 0");
        }
        if (!is_due(call, parameters) || send_output(call, parameters) != SL_GRPC_SENT) {
            return SL_GRPC_HOLD;
        }
        call->last_ns = sl_loop_now_ns(call->loop);
    }
    call->next = 0;
    call->last_ns = 0;
    return SL_GRPC_TAKEN;
}

static enum sl_grpc_take on_output(struct sl_grpc_call *grpc_call, const ProtobufCMessage *message,
                                   void *arg)
{
    struct call *call = arg;
    const Grpc__Testing__StreamingOutputCallRequest *request = (const void *)message;

    (void)grpc_call;
    if (call->last_ns == 0) {
        call->last_ns = sl_loop_now_ns(call->loop);
    }
    if (has_status(request->response_status)) {
        return echo_status(call, request->response_status);
    }
    if (request->response_type != GRPC__TESTING__PAYLOAD_TYPE__COMPRESSABLE) {
        return refuse(call, "response_type: not known here");
    }
    return answer(call, request);
}

static const struct sl_grpc_call_events output_events = {
    .on_message = on_output,
    .on_half_close = finish_ok,
    .on_writable = on_writable,
    .on_status = on_status,
};

static void output_call(struct sl_grpc_call *grpc_call, void *arg)
{
    begin(grpc_call, arg, &output_events);
}

#define METHOD(name) &grpc__testing__test_service__methods[GRPC__TESTING__TEST_SERVICE__##name]

const struct sl_grpc_handler interop_handlers[] = {
    {METHOD(EMPTY_CALL), empty_call},
    {METHOD(UNARY_CALL), unary_call},
    {METHOD(STREAMING_INPUT_CALL), streaming_input_call},
    {METHOD(STREAMING_OUTPUT_CALL), output_call},
    {METHOD(FULL_DUPLEX_CALL), output_call},
    {NULL, NULL},
};
