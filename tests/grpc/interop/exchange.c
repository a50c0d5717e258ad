#include "exchange.h"

#include "grpc/call.h"
#include "grpc/metadata.h"
#include "testing.pb-c.h"

struct exchange {
    const struct exchange_script *script;
    struct exchange_outcome *outcome;
    struct sl_loop *loop;
    size_t sent;
};

/* ---- what comes ---- */

static bool is_zeros(const ProtobufCBinaryData *body)
{
    for (size_t i = 0; i < body->len; i++) {
        if (body->data[i] != 0) {
            return false;
        }
    }
    return true;
}

static struct exchange_reply read_payload(const Grpc__Testing__Payload *payload)
{
    if (!payload) {
        return (struct exchange_reply){.is_zeros = true};
    }
    return (struct exchange_reply){.bytes = (int64_t)payload->body.len,
                                   .is_zeros = is_zeros(&payload->body)};
}

struct exchange_reply exchange_read(const ProtobufCMessage *message)
{
    if (message->descriptor == &grpc__testing__simple_response__descriptor) {
        return read_payload(
            ((const Grpc__Testing__SimpleResponse *)(const void *)message)->payload);
    }
    if (message->descriptor == &grpc__testing__streaming_output_call_response__descriptor) {
        const Grpc__Testing__StreamingOutputCallResponse *output = (const void *)message;
        return read_payload(output->payload);
    }
    if (message->descriptor == &grpc__testing__streaming_input_call_response__descriptor) {
        const Grpc__Testing__StreamingInputCallResponse *input = (const void *)message;
        return (struct exchange_reply){.bytes = input->aggregated_payload_size, .is_zeros = true};
    }
    return (struct exchange_reply){.is_zeros = true}; /* Empty */
}

static void on_headers(struct sl_grpc_call *call, void *arg)
{
    struct exchange *exchange = arg;
    const struct sl_grpc_metadata *headers = sl_grpc_call_headers(call);

    sl_buf_add_str(&exchange->outcome->initial,
                   sl_grpc_metadata_find(headers, INTEROP_ECHO_INITIAL));
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct exchange *exchange = arg;
    struct exchange_outcome *outcome = exchange->outcome;
    const struct sl_grpc_metadata *trailers = sl_grpc_call_trailers(call);

    outcome->status = *status;
    sl_buf_add_str(&outcome->message, sl_grpc_call_status_message(call));
    sl_buf_add_str(&outcome->trailing, sl_grpc_metadata_find(trailers, INTEROP_ECHO_TRAILING));
    sl_loop_stop(exchange->loop);
}

/* ---- what goes ---- */

static void go_on(struct sl_grpc_call *call, struct exchange *exchange)
{
    const struct exchange_script *script = exchange->script;

    while (exchange->sent < script->count) {
        const struct exchange_input *input = &script->inputs[exchange->sent];
        sl_grpc_call_set_compressed(call, input->is_compressed);
        if (sl_grpc_call_send(call, input->message) != SL_GRPC_SENT) {
            return; /* on_writable follows, or the end */
        }
        exchange->sent++;
        if (script->is_ping_pong) {
            return;
        }
    }
    if (script->close == HALF_CLOSE) {
        sl_grpc_call_half_close(call);
    }
}

static void on_open(struct sl_grpc_call *call, void *arg)
{
    struct exchange *exchange = arg;

    if (exchange->script->close == CANCEL_WHEN_OPEN) {
        sl_grpc_call_cancel(call);
    }
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    go_on(call, arg);
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    struct exchange *exchange = arg;
    struct exchange_outcome *outcome = exchange->outcome;

    if (outcome->reply_count < EXCHANGE_MAX_REPLIES) {
        struct exchange_reply *reply = &outcome->replies[outcome->reply_count];
        *reply = exchange_read(message);
        reply->was_compressed = sl_grpc_call_was_compressed(call);
    }
    outcome->reply_count++;
    if (exchange->script->close == CANCEL_AFTER_REPLY) {
        sl_grpc_call_cancel(call);
    } else if (exchange->script->is_ping_pong) {
        go_on(call, exchange);
    }
    return SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events events = {
    .on_open = on_open,
    .on_headers = on_headers,
    .on_message = on_message,
    .on_writable = on_writable,
    .on_status = on_status,
};

void exchange(struct sl_loop *loop, struct sl_grpc_channel *channel,
              const struct exchange_script *script, struct exchange_outcome *outcome)
{
    struct exchange exchange = {.script = script, .outcome = outcome, .loop = loop};
    uint64_t timeout_ms = script->timeout_ms ? script->timeout_ms : EXCHANGE_TIMEOUT_MS;
    struct sl_grpc_request request = {
        .method = script->method,
        .metadata = script->metadata,
        .metadata_count = script->metadata_count,
        .timeout_ns = timeout_ms * (uint64_t)SL_NS_PER_MS,
        .encoding = script->encoding,
    };

    *outcome = (struct exchange_outcome){0};
    struct sl_grpc_call *call = sl_grpc_channel_call(channel, &request, &events, &exchange);
    if (!call) {
        outcome->status = sl_status_error(SL_RESOURCE_EXHAUSTED, "the channel takes no call");
        return;
    }
    go_on(call, &exchange);
    sl_loop_run(loop);
}

void exchange_fini(struct exchange_outcome *outcome)
{
    sl_buf_fini(&outcome->message);
    sl_buf_fini(&outcome->initial);
    sl_buf_fini(&outcome->trailing);
}
