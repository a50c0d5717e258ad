/* A server, a channel and calls without events, on one loop and over a socket, while each
 * allocation fails once, of either side: ours, nghttp2's, zlib's and libuv's. Whatever fails, every
 * call comes back with an outcome, channel and server close, and nothing is lost. */
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "base/log.h"
#include "failing_libuv.h"
#include "failing_zlib.h"
#include "grpc/blocking.h"
#include "grpc/server.h"

enum { LARGE_BYTES = 3000, HANG_S = 30 };

typedef Google__Protobuf__EnumValueDescriptorProto note_message; /* {string name, int32 number} */

#define NOTE &google__protobuf__enum_value_descriptor_proto__descriptor

static const struct sl_grpc_method methods[] = {
    {.name = "Get", .path = "/notes.Notes/Get", .input = NOTE, .output = NOTE},
    {.name = "Chat",
     .path = "/notes.Notes/Chat",
     .client_streams = true,
     .server_streams = true,
     .input = NOTE,
     .output = NOTE},
};

static const struct sl_grpc_field fields[] = {
    {{"color", 5}, {"red", 3}, false},
    {{"shape-bin", 9}, {"\0\xff\1", 3}, true},
};

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_server *server;
    struct sl_grpc_channel *channel;
    unsigned calls, ended; /* of the server */
};

/* ---- the server says everything back ---- */

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    enum sl_grpc_send sent = sl_grpc_call_send(call, message);

    (void)arg;
    assert_true(sent == SL_GRPC_SENT || has_failed);
    return SL_GRPC_TAKEN;
}

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    const struct sl_grpc_end end = {
        .code = SL_OK, .trailers = fields, .trailer_count = SL_ARRAY_LEN(fields)};

    (void)arg;
    sl_grpc_call_finish_with(call, &end);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct bench *bench = arg;

    (void)call;
    (void)status;
    bench->ended++;
}

static const struct sl_grpc_call_events events = {
    .on_message = on_message, .on_half_close = on_half_close, .on_status = on_status};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    bench->calls++;
    sl_grpc_call_set_events(call, &events, bench);
    sl_grpc_call_set_encoding(call, SL_GRPC_GZIP);
    assert_true(sl_grpc_call_respond(call, fields, SL_ARRAY_LEN(fields)) || has_failed);
}

static const struct sl_grpc_handler handlers[] = {
    {&methods[0], on_call}, {&methods[1], on_call}, {NULL, NULL}};

/* ---- the client ---- */

static struct sl_grpc_request request_of(const struct sl_grpc_method *method)
{
    return (struct sl_grpc_request){.method = method,
                                    .metadata = fields,
                                    .metadata_count = SL_ARRAY_LEN(fields),
                                    .timeout_ns = 2 * HANG_S * SL_NS_PER_S,
                                    .encoding = SL_GRPC_GZIP,
                                    .wait_for_ready = true};
}

static note_message note_of(size_t len)
{
    static char text[LARGE_BYTES + 1];
    note_message note = GOOGLE__PROTOBUF__ENUM_VALUE_DESCRIPTOR_PROTO__INIT;

    memset(text, 'x', len);
    text[len] = '\0';
    note.name = text;
    return note;
}

static void take(ProtobufCMessage *message, size_t len)
{
    assert_true(message || has_failed);
    if (message) {
        assert_int_equal(strlen(((note_message *)(void *)message)->name), len);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void ask(struct bench *bench)
{
    struct sl_grpc_request request = request_of(&methods[0]);
    note_message note = note_of(LARGE_BYTES);
    ProtobufCMessage *answer;
    struct sl_status status = sl_grpc_blocking_unary(bench->channel, &request, &note.base, &answer);

    assert_true(sl_status_is_ok(&status) || (has_failed && !answer));
    take(answer, LARGE_BYTES);
}

static void chat(struct bench *bench)
{
    struct sl_grpc_request request = request_of(&methods[1]);
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(bench->channel, &request);

    assert_true(call || has_failed);
    if (!call) {
        return;
    }
    for (size_t len = 1; len <= 3; len++) {
        note_message note = note_of(len);
        assert_true(sl_grpc_blocking_send(call, &note.base) || has_failed);
        take(sl_grpc_blocking_receive(call), len);
    }
    sl_grpc_blocking_half_close(call);
    assert_null(sl_grpc_blocking_receive(call));
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_true(sl_status_is_ok(&status) || has_failed);
}

/* ---- runs ---- */

static void stop(void *arg)
{
    struct bench *bench = arg;

    bench->server = NULL;
    sl_loop_stop(bench->loop);
}

static void open_server(struct bench *bench)
{
    const struct sl_grpc_service_entry entry = {handlers, bench};
    const struct sl_grpc_server_options options = {.loop = bench->loop,
                                                   .address = {.host = "127.0.0.1"},
                                                   .services = &entry,
                                                   .service_count = 1};
    struct sl_status why;

    bench->server = sl_grpc_server_open(&options, &why);
    assert_true(bench->server || (has_failed && !sl_status_is_ok(&why)));
}

static void live(struct bench *bench)
{
    struct sl_grpc_channel_options options = {
        .loop = bench->loop, .backoff_min_ms = 1, .backoff_max_ms = 1};

    options.dial.address =
        (struct sl_address){.host = "127.0.0.1", .port = sl_grpc_server_port(bench->server)};
    bench->channel = sl_grpc_channel_open(&options);
    assert_true(bench->channel || has_failed);
    if (bench->channel) {
        ask(bench);
        chat(bench);
        sl_grpc_blocking_close_channel(bench->channel);
    }
    sl_grpc_server_close(bench->server, stop, bench);
    while (bench->server) {
        sl_loop_run(bench->loop);
    }
}

/* The loop stands before anything fails. */
static void run(long allocations)
{
    struct bench bench = {.loop = sl_loop_new()};

    assert_non_null(bench.loop);
    alarm(HANG_S);
    has_failed = false;
    left = allocations;
    open_server(&bench);
    if (bench.server) {
        live(&bench);
    }
    left = -1;
    assert_int_equal(bench.calls, bench.ended);
    assert_true(has_failed || bench.calls == SL_ARRAY_LEN(methods));
    sl_loop_free(bench.loop);
    alarm(0);
}

static void every_call_comes_back_whichever_allocation_fails(void **state)
{
    long runs = 0;

    (void)state;
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    do {
        run(runs++);
    } while (has_failed);
    assert_true(runs > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_comes_back_whichever_allocation_fails),
    };

    failing_libuv();
    return cmocka_run_group_tests_name("blocking memory", tests, NULL, NULL);
}
