#include "handler.h"

#include <stdlib.h>

#include "grpc/metadata.h"

#define ECHO_INITIAL  "x-grpc-test-echo-initial"
#define ECHO_TRAILING "x-grpc-test-echo-trailing-bin"

static uint8_t zeros[INTEROP_MAX_BODY_BYTES];

/* ---- begin and end ---- */

/* Messages are compressed one by one; the headers say that they may be. */
void interop_begin(struct sl_grpc_call *call, struct interop_service *service,
                   const struct sl_grpc_call_events *events)
{
    struct sl_grpc_field echo = {.name = SL_STR(ECHO_INITIAL)};
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    struct interop_state *state = calloc(1, sizeof(*state));

    if (!state) {
        sl_grpc_call_finish(call, &why);
        return;
    }
    state->call = call;
    state->loop = service->loop;
    sl_grpc_call_set_events(call, events, state);
    sl_grpc_call_set_encoding(call, SL_GRPC_GZIP);
    sl_grpc_call_set_compressed(call, false);
    echo.value = sl_grpc_metadata_find(sl_grpc_call_headers(call), ECHO_INITIAL);
    if (echo.value.data && !sl_grpc_call_respond(call, &echo, 1)) {
        sl_grpc_call_fail(call, &why);
    }
}

void interop_finish(struct interop_state *state, enum sl_code code, const char *text)
{
    struct sl_grpc_field trailer = {.name = SL_STR(ECHO_TRAILING)};
    struct sl_grpc_end end = {.code = code, .message = sl_str_from(text), .trailers = &trailer};

    trailer.value = sl_grpc_metadata_find(sl_grpc_call_headers(state->call), ECHO_TRAILING);
    end.trailer_count = trailer.value.data ? 1 : 0;
    sl_grpc_call_finish_with(state->call, &end);
}

enum sl_grpc_take interop_refuse(struct interop_state *state, const char *text)
{
    interop_finish(state, SL_INVALID_ARGUMENT, text);
    return SL_GRPC_TAKEN;
}

void interop_on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct interop_state *state = arg;

    (void)call;
    (void)status;
    sl_timer_free(state->pause);
    sl_buf_fini(&state->kept);
    free(state);
}

void interop_on_writable(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    sl_grpc_call_resume(call);
}

void interop_finish_on_end(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    interop_finish(arg, SL_OK, "");
}

enum sl_grpc_send interop_send(struct interop_state *state, const ProtobufCMessage *reply,
                               const Grpc__Testing__BoolValue *is_compressed)
{
    sl_grpc_call_set_compressed(state->call, is_compressed && is_compressed->value);
    return sl_grpc_call_send(state->call, reply);
}

/* ---- what requests ask for ---- */

bool interop_is_size(int32_t bytes)
{
    return bytes >= 0 && bytes <= INTEROP_MAX_BODY_BYTES;
}

void interop_set_body(Grpc__Testing__Payload *payload, int32_t bytes)
{
    payload->type = GRPC__TESTING__PAYLOAD_TYPE__COMPRESSABLE;
    payload->body = (ProtobufCBinaryData){.len = (size_t)bytes, .data = zeros};
}

bool interop_is_as_said(const struct interop_state *state, const Grpc__Testing__BoolValue *expected)
{
    return !expected || expected->value == sl_grpc_call_was_compressed(state->call);
}

bool interop_has_ended(struct interop_state *state, const Grpc__Testing__EchoStatus *status,
                       Grpc__Testing__PayloadType type)
{
    if (status && (status->code < 0 || status->code >= SL_CODES)) {
        interop_refuse(state, "response_status: not a status code");
        return true;
    }
    if (status && status->code != SL_OK) {
        interop_finish(state, (enum sl_code)status->code, status->message);
        return true;
    }
    if (type != GRPC__TESTING__PAYLOAD_TYPE__COMPRESSABLE) {
        interop_refuse(state, "response_type: not known here");
        return true;
    }
    return false;
}
