#include "compression.h"

#include "calls.h"
#include "expect.h"
#include "testing.pb-c.h"

typedef Grpc__Testing__BoolValue Bool_value;

static Bool_value value_of(bool value)
{
    Bool_value wrapped = GRPC__TESTING__BOOL_VALUE__INIT;

    wrapped.value = value;
    return wrapped;
}

/* UnaryCall that says whether it is compressed, and is as `is_compressed`. */
static struct exchange_outcome send_compressed(struct interop_client *client, bool is_said,
                                               bool is_compressed)
{
    Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    Bool_value said = value_of(is_said);
    struct exchange_script script = {.encoding = SL_GRPC_GZIP};
    struct exchange_outcome outcome;

    request.expect_compressed = &said;
    interop_call_large(client, &request, is_compressed, &script, &outcome);
    return outcome;
}

bool interop_client_compressed_unary_noprobe(struct interop_client *client)
{
    bool holds = true;

    for (int is_compressed = 1; is_compressed >= 0; is_compressed--) {
        struct exchange_outcome outcome = send_compressed(client, is_compressed, is_compressed);
        holds = interop_expect_large(&outcome) && holds;
        exchange_fini(&outcome);
    }
    return holds;
}

bool interop_client_compressed_unary(struct interop_client *client)
{
    struct exchange_outcome probe = send_compressed(client, true, false);
    bool holds = expect_status(&probe.status, SL_INVALID_ARGUMENT);

    exchange_fini(&probe);
    return interop_client_compressed_unary_noprobe(client) && holds;
}

static bool receive_unary(struct interop_client *client, bool is_compressed)
{
    Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    Bool_value asked = value_of(is_compressed);
    struct exchange_script script = {0};
    struct exchange_outcome outcome;

    request.response_compressed = &asked;
    interop_call_large(client, &request, false, &script, &outcome);
    bool holds = interop_expect_large(&outcome) && expect_compressed(&outcome, 0, is_compressed);
    exchange_fini(&outcome);
    return holds;
}

bool interop_server_compressed_unary(struct interop_client *client)
{
    bool holds = receive_unary(client, true);

    return receive_unary(client, false) && holds;
}

/* StreamingInputCall with one message of each size; the first of them says that it is compressed,
 * and is as `is_compressed`, the second is not and says so. */
static struct exchange_outcome stream_compressed(struct interop_client *client, size_t count,
                                                 bool is_compressed)
{
    static const size_t bytes[2] = {27182, 45904};
    Grpc__Testing__Payload payloads[2];
    Bool_value said[2] = {value_of(true), value_of(false)};
    Grpc__Testing__StreamingInputCallRequest requests[2];
    struct exchange_input inputs[2];
    struct exchange_outcome outcome;

    for (size_t i = 0; i < count; i++) {
        payloads[i] = interop_payload(bytes[i]);
        grpc__testing__streaming_input_call_request__init(&requests[i]);
        requests[i].payload = &payloads[i];
        requests[i].expect_compressed = &said[i];
        inputs[i] = (struct exchange_input){&requests[i].base, i == 0 && is_compressed};
    }
    interop_call(client,
                 &(struct exchange_script){.method = INTEROP_METHOD(STREAMING_INPUT_CALL),
                                           .inputs = inputs,
                                           .count = count,
                                           .encoding = SL_GRPC_GZIP},
                 &outcome);
    return outcome;
}

bool interop_client_compressed_streaming_noprobe(struct interop_client *client)
{
    struct exchange_outcome outcome = stream_compressed(client, 2, true);
    bool holds = expect_replies(&outcome, &(int64_t){27182 + 45904}, 1);

    exchange_fini(&outcome);
    return holds;
}

bool interop_client_compressed_streaming(struct interop_client *client)
{
    struct exchange_outcome probe = stream_compressed(client, 1, false);
    bool holds = expect_status(&probe.status, SL_INVALID_ARGUMENT);

    exchange_fini(&probe);
    return interop_client_compressed_streaming_noprobe(client) && holds;
}

bool interop_server_compressed_streaming(struct interop_client *client)
{
    static const int64_t bytes[2] = {31415, 92653};
    Grpc__Testing__StreamingOutputCallRequest request =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    Bool_value asked[2] = {value_of(true), value_of(false)};
    Grpc__Testing__ResponseParameters parameters[2];
    Grpc__Testing__ResponseParameters *pointers[2];
    const struct exchange_input input = {&request.base, false};
    struct exchange_outcome outcome;

    for (size_t i = 0; i < 2; i++) {
        grpc__testing__response_parameters__init(&parameters[i]);
        parameters[i].size = (int32_t)bytes[i];
        parameters[i].compressed = &asked[i];
        pointers[i] = &parameters[i];
    }
    request.n_response_parameters = 2;
    request.response_parameters = pointers;
    interop_call(client,
                 &(struct exchange_script){
                     .method = INTEROP_METHOD(STREAMING_OUTPUT_CALL), .inputs = &input, .count = 1},
                 &outcome);
    bool holds = expect_replies(&outcome, bytes, 2) && expect_compressed(&outcome, 0, true) &&
                 expect_compressed(&outcome, 1, false);
    exchange_fini(&outcome);
    return holds;
}
