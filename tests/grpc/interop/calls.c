#include "calls.h"

#include "expect.h"
#include "grpc/blocking.h"

static uint8_t zeros[INTEROP_LARGE_REQUEST_BYTES];

bool interop_connect(struct interop_client *client)
{
    client->channel = sl_grpc_channel_open(&client->options);
    return expect(client->channel != NULL, "memory for a channel");
}

void interop_disconnect(struct interop_client *client)
{
    sl_grpc_blocking_close_channel(client->channel);
    client->channel = NULL;
}

void interop_call(struct interop_client *client, const struct exchange_script *script,
                  struct exchange_outcome *outcome)
{
    exchange(client->loop, client->channel, script, outcome);
}

Grpc__Testing__Payload interop_payload(size_t bytes)
{
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;

    SL_ASSERT(bytes <= sizeof(zeros));
    payload.body = (ProtobufCBinaryData){.len = bytes, .data = zeros};
    return payload;
}

void interop_call_large(struct interop_client *client, Grpc__Testing__SimpleRequest *request,
                        bool is_compressed, struct exchange_script *script,
                        struct exchange_outcome *outcome)
{
    Grpc__Testing__Payload payload = interop_payload(INTEROP_LARGE_REQUEST_BYTES);
    const struct exchange_input input = {&request->base, is_compressed};

    request->response_size = INTEROP_LARGE_RESPONSE_BYTES;
    request->payload = &payload;
    script->method = INTEROP_METHOD(UNARY_CALL);
    script->inputs = &input;
    script->count = 1;
    interop_call(client, script, outcome);
    request->payload = NULL;
    script->inputs = NULL;
}

bool interop_expect_large(const struct exchange_outcome *outcome)
{
    return expect_replies(outcome, &(int64_t){INTEROP_LARGE_RESPONSE_BYTES}, 1);
}

void interop_call_duplex(struct interop_client *client, const struct interop_sizes *sizes,
                         size_t count, struct exchange_script *script,
                         struct exchange_outcome *outcome)
{
    Grpc__Testing__Payload payloads[INTEROP_MAX_SIZES];
    Grpc__Testing__ResponseParameters parameters[INTEROP_MAX_SIZES];
    Grpc__Testing__ResponseParameters *pointers[INTEROP_MAX_SIZES];
    Grpc__Testing__StreamingOutputCallRequest requests[INTEROP_MAX_SIZES];
    struct exchange_input inputs[INTEROP_MAX_SIZES];

    SL_ASSERT(count <= INTEROP_MAX_SIZES);
    for (size_t i = 0; i < count; i++) {
        payloads[i] = interop_payload(sizes[i].request);
        grpc__testing__response_parameters__init(&parameters[i]);
        parameters[i].size = (int32_t)sizes[i].response;
        pointers[i] = &parameters[i];
        grpc__testing__streaming_output_call_request__init(&requests[i]);
        requests[i].payload = &payloads[i];
        requests[i].n_response_parameters = 1;
        requests[i].response_parameters = &pointers[i];
        inputs[i] = (struct exchange_input){&requests[i].base, false};
    }
    script->method = INTEROP_METHOD(FULL_DUPLEX_CALL);
    script->inputs = inputs;
    script->count = count;
    script->is_ping_pong = true;
    interop_call(client, script, outcome);
    script->inputs = NULL;
}
