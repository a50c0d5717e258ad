#include "cases.h"

#include <inttypes.h>

#include "compression.h"
#include "expect.h"
#include "grpc/blocking.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { SHORT_MS = 1 };

typedef Grpc__Testing__Payload Payload;
typedef Grpc__Testing__SimpleRequest Simple_request;
typedef Grpc__Testing__StreamingInputCallRequest Input_request;
typedef Grpc__Testing__StreamingOutputCallRequest Output_request;
typedef Grpc__Testing__ResponseParameters Parameters;

/* What the cases of streams share. */
static const struct interop_sizes sizes[] = {{27182, 31415}, {8, 9}, {1828, 2653}, {45904, 58979}};
static const int64_t response_bytes[] = {31415, 9, 2653, 58979};
enum { SIZES = LENGTH(sizes), SUM_OF_REQUESTS = 27182 + 8 + 1828 + 45904 };

/* ---- unary ---- */

static struct sl_status call_empty(struct interop_client *client,
                                   const struct sl_grpc_method *method, ProtobufCMessage **reply)
{
    Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;

    return sl_grpc_blocking_unary(
        client->channel,
        &(struct sl_grpc_request){.method = method,
                                  .timeout_ns = EXCHANGE_TIMEOUT_MS * (uint64_t)SL_NS_PER_MS},
        &request.base, reply);
}

static bool empty_unary(struct interop_client *client)
{
    ProtobufCMessage *reply = NULL;
    struct sl_status status = call_empty(client, INTEROP_METHOD(EMPTY_CALL), &reply);
    bool holds = expect_status(&status, SL_OK) && expect(reply != NULL, "a response");

    if (reply) {
        protobuf_c_message_free_unpacked(reply, NULL);
    }
    return holds;
}

static bool unimplemented(struct interop_client *client, const struct sl_grpc_method *method)
{
    ProtobufCMessage *reply = NULL;
    struct sl_status status = call_empty(client, method, &reply);
    bool holds = expect_status(&status, SL_UNIMPLEMENTED) && expect(!reply, "no response");

    if (reply) {
        protobuf_c_message_free_unpacked(reply, NULL);
    }
    return holds;
}

static bool unimplemented_method(struct interop_client *client)
{
    return unimplemented(client, INTEROP_METHOD(UNIMPLEMENTED_CALL));
}

static bool unimplemented_service(struct interop_client *client)
{
    const int method = GRPC__TESTING__UNIMPLEMENTED_SERVICE__UNIMPLEMENTED_CALL;

    return unimplemented(client, &grpc__testing__unimplemented_service__methods[method]);
}

static bool large_unary(struct interop_client *client)
{
    Simple_request request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    struct exchange_script script = {0};
    struct exchange_outcome outcome;

    interop_call_large(client, &request, false, &script, &outcome);
    bool holds = interop_expect_large(&outcome);
    exchange_fini(&outcome);
    return holds;
}

/* ---- streams ---- */

static bool client_streaming(struct interop_client *client)
{
    Payload payloads[SIZES];
    Input_request requests[SIZES];
    struct exchange_input inputs[SIZES];
    struct exchange_outcome outcome;

    for (size_t i = 0; i < SIZES; i++) {
        payloads[i] = interop_payload(sizes[i].request);
        grpc__testing__streaming_input_call_request__init(&requests[i]);
        requests[i].payload = &payloads[i];
        inputs[i] = (struct exchange_input){&requests[i].base, false};
    }
    interop_call(client,
                 &(struct exchange_script){.method = INTEROP_METHOD(STREAMING_INPUT_CALL),
                                           .inputs = inputs,
                                           .count = SIZES},
                 &outcome);
    bool holds = expect_replies(&outcome, &(int64_t){SUM_OF_REQUESTS}, 1);
    exchange_fini(&outcome);
    return holds;
}

/* By the blocking form: the replies are asked for one by one. */
static bool server_streaming(struct interop_client *client)
{
    const struct sl_grpc_request call_request = {.method = INTEROP_METHOD(STREAMING_OUTPUT_CALL)};
    struct sl_grpc_blocking *stream = sl_grpc_blocking_open(client->channel, &call_request);
    Output_request request = GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    Parameters parameters[SIZES];
    Parameters *pointers[SIZES];
    ProtobufCMessage *message;
    size_t count = 0;

    if (!expect(stream != NULL, "a call")) {
        return false;
    }
    for (size_t i = 0; i < SIZES; i++) {
        grpc__testing__response_parameters__init(&parameters[i]);
        parameters[i].size = (int32_t)sizes[i].response;
        pointers[i] = &parameters[i];
    }
    request.n_response_parameters = SIZES;
    request.response_parameters = pointers;
    bool holds = expect(sl_grpc_blocking_send(stream, &request.base), "the request to be taken");
    sl_grpc_blocking_half_close(stream);
    while ((message = sl_grpc_blocking_receive(stream)) != NULL) {
        struct exchange_reply reply = exchange_read(message);
        protobuf_c_message_free_unpacked(message, NULL);
        holds = holds && expect(count < SIZES, "%d responses, got another", SIZES) &&
                expect(reply.bytes == response_bytes[count] && reply.is_zeros,
                       "response %zu to be %" PRId64 " zeros, got %" PRId64 " bytes", count + 1,
                       response_bytes[count], reply.bytes);
        count++;
    }
    struct sl_status status = sl_grpc_blocking_close(stream);
    return expect_status(&status, SL_OK) && holds &&
           expect(count == SIZES, "%d responses, got %zu", SIZES, count);
}

static bool ping_pong(struct interop_client *client)
{
    struct exchange_script script = {0};
    struct exchange_outcome outcome;

    interop_call_duplex(client, sizes, SIZES, &script, &outcome);
    bool holds = expect_replies(&outcome, response_bytes, SIZES);
    exchange_fini(&outcome);
    return holds;
}

static bool empty_stream(struct interop_client *client)
{
    struct exchange_script script = {0};
    struct exchange_outcome outcome;

    interop_call_duplex(client, NULL, 0, &script, &outcome);
    bool holds = expect_replies(&outcome, NULL, 0);
    exchange_fini(&outcome);
    return holds;
}

/* ---- ends ---- */

/* The connection stands before the clock starts, so that the server is asked at all. */
static bool timeout_on_sleeping_server(struct interop_client *client)
{
    Payload payload = interop_payload(sizes[0].request);
    Output_request request = GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
    const struct exchange_input input = {&request.base, false};
    struct exchange_outcome outcome;

    if (!empty_unary(client)) {
        return false;
    }
    request.payload = &payload;
    interop_call(client,
                 &(struct exchange_script){.method = INTEROP_METHOD(FULL_DUPLEX_CALL),
                                           .inputs = &input,
                                           .count = 1,
                                           .close = STAY_OPEN,
                                           .timeout_ms = SHORT_MS},
                 &outcome);
    bool holds = expect_status(&outcome.status, SL_DEADLINE_EXCEEDED);
    exchange_fini(&outcome);
    return holds;
}

static bool cancel_after_begin(struct interop_client *client)
{
    struct exchange_outcome outcome;

    interop_call(client,
                 &(struct exchange_script){.method = INTEROP_METHOD(STREAMING_INPUT_CALL),
                                           .close = CANCEL_WHEN_OPEN},
                 &outcome);
    bool holds = expect_status(&outcome.status, SL_CANCELLED);
    exchange_fini(&outcome);
    return holds;
}

static bool cancel_after_first_response(struct interop_client *client)
{
    struct exchange_script script = {.close = CANCEL_AFTER_REPLY};
    struct exchange_outcome outcome;

    interop_call_duplex(client, sizes, 1, &script, &outcome);
    bool holds = expect_status(&outcome.status, SL_CANCELLED) &&
                 expect(outcome.reply_count == 1, "1 response, got %zu", outcome.reply_count);
    exchange_fini(&outcome);
    return holds;
}

/* The server ends a call as it is told to. */
static bool comes_back(struct interop_client *client, const struct sl_grpc_method *method,
                       const ProtobufCMessage *request, const Grpc__Testing__EchoStatus *status)
{
    const struct exchange_input input = {request, false};
    struct exchange_outcome outcome;

    interop_call(client, &(struct exchange_script){.method = method, .inputs = &input, .count = 1},
                 &outcome);
    bool holds = expect_status(&outcome.status, (enum sl_code)status->code) &&
                 expect_message(&outcome, status->message);
    exchange_fini(&outcome);
    return holds;
}

static bool status_comes_back(struct interop_client *client, char *text, bool also_duplex)
{
    Grpc__Testing__EchoStatus status = GRPC__TESTING__ECHO_STATUS__INIT;
    Simple_request simple = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    Output_request duplex = GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;

    status.code = SL_UNKNOWN;
    status.message = text;
    simple.response_status = &status;
    duplex.response_status = &status;
    return comes_back(client, INTEROP_METHOD(UNARY_CALL), &simple.base, &status) &&
           (!also_duplex ||
            comes_back(client, INTEROP_METHOD(FULL_DUPLEX_CALL), &duplex.base, &status));
}

static bool status_code_and_message(struct interop_client *client)
{
    char text[] = "test status message";

    return status_comes_back(client, text, true);
}

static bool special_status_message(struct interop_client *client)
{
    char text[] = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";

    return status_comes_back(client, text, false);
}

/* ---- metadata ---- */

static const struct sl_grpc_field echoed[] = {
    {.name = {INTEROP_ECHO_INITIAL, sizeof(INTEROP_ECHO_INITIAL) - 1},
     .value = {"test_initial_metadata_value", sizeof("test_initial_metadata_value") - 1}},
    {.name = {INTEROP_ECHO_TRAILING, sizeof(INTEROP_ECHO_TRAILING) - 1},
     .value = {"\xab\xab\xab", 3}},
};

static bool expect_echoes(const struct exchange_outcome *outcome)
{
    struct sl_str initial = sl_buf_str(&outcome->initial);
    struct sl_str trailing = sl_buf_str(&outcome->trailing);

    return expect(sl_str_eq(initial, echoed[0].value), "%s: \"%.*s\" in the headers, got \"%.*s\"",
                  INTEROP_ECHO_INITIAL, SL_STR_ARG(echoed[0].value), SL_STR_ARG(initial)) &&
           expect(sl_str_eq(trailing, echoed[1].value),
                  "%s: the bytes ab ab ab in the trailers, got %zu bytes", INTEROP_ECHO_TRAILING,
                  trailing.len);
}

static bool custom_metadata(struct interop_client *client)
{
    const struct interop_sizes large = {INTEROP_LARGE_REQUEST_BYTES, INTEROP_LARGE_RESPONSE_BYTES};
    struct exchange_script script = {.metadata = echoed, .metadata_count = LENGTH(echoed)};
    Simple_request request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
    struct exchange_outcome outcome;
    bool holds;

    interop_call_large(client, &request, false, &script, &outcome);
    holds = interop_expect_large(&outcome) && expect_echoes(&outcome);
    exchange_fini(&outcome);
    interop_call_duplex(client, &large, 1, &script, &outcome);
    holds = interop_expect_large(&outcome) && expect_echoes(&outcome) && holds;
    exchange_fini(&outcome);
    return holds;
}

/* ---- soak ---- */

static bool rpc_soak(struct interop_client *client)
{
    for (uint32_t i = 0; i < client->soak_iterations; i++) {
        if (!large_unary(client)) {
            return expect(false, "iteration %u to pass", i + 1);
        }
    }
    return true;
}

/* Each call on a connection of its own. */
static bool channel_soak(struct interop_client *client)
{
    for (uint32_t i = 0; i < client->soak_iterations; i++) {
        interop_disconnect(client);
        if (!interop_connect(client) || !large_unary(client)) {
            return expect(false, "iteration %u to pass", i + 1);
        }
    }
    return true;
}

const struct interop_case interop_cases[] = {
    {"empty_unary", empty_unary},
    {"large_unary", large_unary},
    {"client_streaming", client_streaming},
    {"server_streaming", server_streaming},
    {"ping_pong", ping_pong},
    {"empty_stream", empty_stream},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
    {"cancel_after_begin", cancel_after_begin},
    {"cancel_after_first_response", cancel_after_first_response},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"custom_metadata", custom_metadata},
    {"unimplemented_method", unimplemented_method},
    {"unimplemented_service", unimplemented_service},
    {"rpc_soak", rpc_soak},
    {"channel_soak", channel_soak},
    {"client_compressed_unary", interop_client_compressed_unary},
    {"server_compressed_unary", interop_server_compressed_unary},
    {"client_compressed_streaming", interop_client_compressed_streaming},
    {"server_compressed_streaming", interop_server_compressed_streaming},
    /* For servers that cannot tell whether a request was compressed. */
    {"client_compressed_unary_noprobe", interop_client_compressed_unary_noprobe},
    {"client_compressed_streaming_noprobe", interop_client_compressed_streaming_noprobe},
    {NULL, NULL},
};
