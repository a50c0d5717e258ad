#include "outputs.h"

#include <string.h>

#include "handler.h"

typedef Grpc__Testing__StreamingOutputCallRequest Request;
typedef Grpc__Testing__ResponseParameters Parameters;

static const char wrong_parameters[] = "response_parameters: size from 0 to 4 MiB, interval from 0";

/* A response that is asked for. */
struct output {
    int32_t bytes;
    int32_t interval_us;
    bool is_compressed;
};

static bool read_output(const Parameters *parameters, struct output *output)
{
    *output = (struct output){
        .bytes = parameters->size,
        .interval_us = parameters->interval_us,
        .is_compressed = parameters->compressed && parameters->compressed->value,
    };
    return interop_is_size(output->bytes) && output->interval_us >= 0;
}

/* True when the response may leave; else `on_due` comes when it may. */
static bool is_due(struct interop_state *state, const struct output *output, sl_loop_fn on_due)
{
    int64_t now_ns = sl_loop_now_ns(state->loop);
    int64_t left_ns = state->last_ns + output->interval_us * SL_NS_PER_US - now_ns;

    if (left_ns <= 0) {
        return true;
    }
    if (!state->pause) {
        state->pause = sl_timer_new(state->loop, on_due, state);
    }
    if (state->pause) {
        sl_timer_start(state->pause, (uint64_t)((left_ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS));
    } else {
        interop_finish(state, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    return false;
}

/* False: not yet. */
static bool send_output(struct interop_state *state, const struct output *output)
{
    Grpc__Testing__StreamingOutputCallResponse reply =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    Grpc__Testing__BoolValue is_compressed = GRPC__TESTING__BOOL_VALUE__INIT;

    interop_set_body(&payload, output->bytes);
    is_compressed.value = output->is_compressed;
    reply.payload = &payload;
    if (interop_send(state, &reply.base, &is_compressed) != SL_GRPC_SENT) {
        return false;
    }
    state->last_ns = sl_loop_now_ns(state->loop);
    return true;
}

static void begin_answers(struct interop_state *state)
{
    if (state->last_ns == 0) {
        state->last_ns = sl_loop_now_ns(state->loop);
    }
}

/* ---- StreamingOutputCall, FullDuplexCall ---- */

static void resume(void *arg)
{
    struct interop_state *state = arg;

    sl_grpc_call_resume(state->call);
}

/* Sends the next responses, as many as may leave now; the request comes again for the others. */
static enum sl_grpc_take on_request(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    struct interop_state *state = arg;
    const Request *request = (const void *)message;
    struct output output;

    (void)call;
    if (interop_has_ended(state, request->response_status, request->response_type)) {
        return SL_GRPC_TAKEN;
    }
    begin_answers(state);
    for (; state->next < request->n_response_parameters; state->next++) {
        if (!read_output(request->response_parameters[state->next], &output)) {
            return interop_refuse(state, wrong_parameters);
        }
        if (!is_due(state, &output, resume) || !send_output(state, &output)) {
            return SL_GRPC_HOLD;
        }
    }
    state->next = 0;
    state->last_ns = 0;
    return SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events output_events = {
    .on_message = on_request,
    .on_half_close = interop_finish_on_end,
    .on_writable = interop_on_writable,
    .on_status = interop_on_status,
};

void interop_output_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &output_events);
}

/* ---- HalfDuplexCall ---- */

static enum sl_grpc_take keep_request(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    struct interop_state *state = arg;
    const Request *request = (const void *)message;
    struct output output;

    (void)call;
    if (interop_has_ended(state, request->response_status, request->response_type)) {
        return SL_GRPC_TAKEN;
    }
    state->kept.limit_bytes = INTEROP_MAX_KEPT * sizeof(output);
    for (size_t i = 0; i < request->n_response_parameters; i++) {
        if (!read_output(request->response_parameters[i], &output)) {
            return interop_refuse(state, wrong_parameters);
        }
        sl_buf_add(&state->kept, &output, sizeof(output));
    }
    if (state->kept.failed) {
        interop_finish(state, SL_RESOURCE_EXHAUSTED, "too many responses are asked for");
    }
    return SL_GRPC_TAKEN;
}

static void answer_kept(void *arg)
{
    struct interop_state *state = arg;
    size_t count = state->kept.len / sizeof(struct output);
    struct output output;

    begin_answers(state);
    for (; state->next < count; state->next++) {
        memcpy(&output, state->kept.data + state->next * sizeof(output), sizeof(output));
        if (!is_due(state, &output, answer_kept) || !send_output(state, &output)) {
            return;
        }
    }
    interop_finish(state, SL_OK, "");
}

static void answer_on_event(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    answer_kept(arg);
}

static const struct sl_grpc_call_events half_duplex_events = {
    .on_message = keep_request,
    .on_half_close = answer_on_event,
    .on_writable = answer_on_event,
    .on_status = interop_on_status,
};

void interop_half_duplex_call(struct sl_grpc_call *call, void *arg)
{
    interop_begin(call, arg, &half_duplex_events);
}
