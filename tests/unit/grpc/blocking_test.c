/* Calls without events where things do not go as the examples have it (example_test.c). */
#include "test.h"

#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "grpc/blocking.h"
#include "grpc/server.h"

enum { LARGE_BYTES = 100 * 1000, SEVERAL = 8, MS = 1000 * 1000 };

typedef Google__Protobuf__EnumValueDescriptorProto note_message; /* {string name, int32 number} */

/* What the server does with a call. */
enum manner {
    TAKES_ALL,   /* and answers when the client is done */
    FLOODS,      /* sends as much as it may, without end */
    ENDS_EARLY,  /* at the first message */
    HOLDS_FIRST, /* message, for ever */
};

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_server *server;
    struct sl_grpc_channel *channel;
    struct sl_timer *timer;
    enum manner manner;
    unsigned messages; /* that the server took */
    unsigned sent;     /* by it */
    bool is_over;      /* the server's call */
};

#define NOTE &google__protobuf__enum_value_descriptor_proto__descriptor

static const struct sl_grpc_method chat = {.name = "Chat",
                                           .path = "/notes.Notes/Chat",
                                           .client_streams = true,
                                           .server_streams = true,
                                           .input = NOTE,
                                           .output = NOTE};
static const struct sl_grpc_method get = {
    .name = "Get", .path = "/notes.Notes/Get", .input = NOTE, .output = NOTE};
static const struct sl_grpc_method missing = {
    .name = "Missing", .path = "/notes.Notes/Missing", .input = NOTE, .output = NOTE};

static note_message note(char *name)
{
    note_message message = GOOGLE__PROTOBUF__ENUM_VALUE_DESCRIPTOR_PROTO__INIT;

    message.name = name;
    return message;
}

/* ---- the server ---- */

static void flood(struct sl_grpc_call *call, void *arg)
{
    static char text[LARGE_BYTES];
    struct bench *bench = arg;
    note_message large;

    memset(text, 'x', sizeof(text) - 1);
    large = note(text);
    while (bench->manner == FLOODS && sl_grpc_call_send(call, &large.base) == SL_GRPC_SENT) {
        bench->sent++;
    }
}

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    const struct sl_status enough = sl_status_error(SL_OUT_OF_RANGE, "enough");
    struct bench *bench = arg;

    (void)message;
    if (bench->manner == HOLDS_FIRST) {
        return SL_GRPC_HOLD;
    }
    bench->messages++;
    if (bench->manner == ENDS_EARLY) {
        sl_grpc_call_finish(call, &enough);
    }
    flood(call, arg);
    return SL_GRPC_TAKEN;
}

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    const struct sl_status ok = sl_status_ok();
    struct bench *bench = arg;
    note_message answer = note("done");

    if (bench->manner == TAKES_ALL) {
        assert_int_equal(sl_grpc_call_send(call, &answer.base), SL_GRPC_SENT);
        sl_grpc_call_finish(call, &ok);
    }
}

static void on_served(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct bench *bench = arg;

    (void)call;
    (void)status;
    bench->is_over = true;
}

static const struct sl_grpc_call_events served_events = {
    .on_message = on_note,
    .on_half_close = on_half_close,
    .on_writable = flood,
    .on_status = on_served,
};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    bench->is_over = false;
    sl_grpc_call_set_events(call, &served_events, bench);
}

static const struct sl_grpc_handler handlers[] = {{&chat, on_call}, {&get, on_call}, {NULL, NULL}};

/* ---- the bench ---- */

static void stop(void *arg)
{
    sl_loop_stop(arg);
}

static int open_bench(void **state)
{
    static struct bench bench;
    const struct sl_grpc_service_entry entry = {handlers, &bench};
    struct sl_grpc_server_options serve = {
        .address = {.host = "127.0.0.1"}, .services = &entry, .service_count = 1};
    struct sl_grpc_channel_options options = {.backoff_min_ms = 1, .backoff_max_ms = 2};
    struct sl_status why;

    bench = (struct bench){.loop = sl_loop_new()};
    assert_non_null(bench.loop);
    serve.loop = bench.loop;
    bench.server = sl_grpc_server_open(&serve, &why);
    assert_non_null(bench.server);
    options.loop = bench.loop;
    options.dial.address =
        (struct sl_address){.host = "127.0.0.1", .port = sl_grpc_server_port(bench.server)};
    bench.channel = sl_grpc_channel_open(&options);
    bench.timer = sl_timer_new(bench.loop, stop, bench.loop);
    assert_true(bench.channel && bench.timer);
    *state = &bench;
    return 0;
}

static void close_server(struct bench *bench)
{
    sl_grpc_server_close(bench->server, stop, bench->loop);
    sl_loop_run(bench->loop);
    bench->server = NULL;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_grpc_blocking_close_channel(bench->channel);
    if (bench->server) {
        close_server(bench);
    }
    sl_timer_free(bench->timer);
    sl_loop_free(bench->loop);
    return 0;
}

static struct sl_grpc_blocking *open_chat(struct bench *bench, uint64_t timeout_ns)
{
    const struct sl_grpc_request request = {.method = &chat, .timeout_ns = timeout_ns};
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(bench->channel, &request);

    assert_non_null(call);
    return call;
}

/* ---- the tests ---- */

static void without_a_server_the_connections_words_come_back(void **state)
{
    const struct sl_grpc_request request = {.method = &get};
    struct bench *bench = *state;
    note_message question = note("?");
    ProtobufCMessage *answer = &question.base;

    close_server(bench);
    struct sl_status status =
        sl_grpc_blocking_unary(bench->channel, &request, &question.base, &answer);
    assert_int_equal(status.code, SL_UNAVAILABLE);
    assert_non_null(strstr(status.text, "refused"));
    assert_null(answer);
}

static void an_error_of_the_server_comes_back(void **state)
{
    const struct sl_grpc_request request = {.method = &missing};
    struct bench *bench = *state;
    note_message question = note("?");
    ProtobufCMessage *answer;
    struct sl_status status =
        sl_grpc_blocking_unary(bench->channel, &request, &question.base, &answer);

    assert_int_equal(status.code, SL_UNIMPLEMENTED);
    assert_null(answer);
}

static void a_deadline_holds_at_every_step(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *call;
    note_message question = note("?");

    bench->manner = HOLDS_FIRST;
    call = open_chat(bench, 30 * MS);
    assert_true(sl_grpc_blocking_send(call, &question.base));
    assert_null(sl_grpc_blocking_receive(call));
    assert_false(sl_grpc_blocking_send(call, &question.base));
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_DEADLINE_EXCEEDED);
}

static void a_send_waits_for_room_and_ends_with_the_deadline(void **state)
{
    static char text[LARGE_BYTES];
    struct bench *bench = *state;
    unsigned sent = 0;

    memset(text, 'x', sizeof(text) - 1);
    note_message large = note(text);
    bench->manner = HOLDS_FIRST;
    struct sl_grpc_blocking *call = open_chat(bench, 100 * MS);
    while (sl_grpc_blocking_send(call, &large.base)) {
        sent++;
        assert_true(sent < 100); /* its bound, and the server's window */
    }
    assert_true(sent > 0);
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_DEADLINE_EXCEEDED);
}

static void a_server_that_ends_early_ends_the_sending(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *call;
    note_message question = note("?");
    unsigned sent = 0;

    bench->manner = ENDS_EARLY;
    call = open_chat(bench, 0);
    while (sl_grpc_blocking_send(call, &question.base)) {
        sent++;
    }
    assert_null(sl_grpc_blocking_receive(call));
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_OUT_OF_RANGE);
    assert_int_equal(bench->messages, 1);
}

/* What it does not ask for stays at the server, but for one message and the window. */
static void a_slow_reader_holds_the_server_back(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *call;
    note_message question = note("?");

    bench->manner = FLOODS;
    call = open_chat(bench, 0);
    assert_true(sl_grpc_blocking_send(call, &question.base));
    for (int i = 0; i < SEVERAL; i++) {
        ProtobufCMessage *message = sl_grpc_blocking_receive(call);
        assert_non_null(message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    sl_timer_start(bench->timer, 50); /* as much as there is comes in */
    sl_loop_run(bench->loop);
    assert_true(bench->sent <=
                SEVERAL + 1 + (SL_GRPC_WINDOW_BYTES + SL_H2_SEND_BUFFER_BYTES) / LARGE_BYTES + 3);
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_CANCELLED);
}

static void a_loop_that_is_stopped_cancels_the_call_that_is_waited_for(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *call;
    note_message question = note("?");

    bench->manner = HOLDS_FIRST;
    call = open_chat(bench, 0);
    assert_true(sl_grpc_blocking_send(call, &question.base));
    sl_timer_start(bench->timer, 10);
    assert_null(sl_grpc_blocking_receive(call));
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_CANCELLED);
    assert_non_null(strstr(status.text, "interrupted"));
}

static void two_calls_take_turns(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *calls[2];
    note_message question = note("?");

    for (int i = 0; i < 2; i++) {
        calls[i] = open_chat(bench, 0);
        assert_true(sl_grpc_blocking_send(calls[i], &question.base));
        sl_grpc_blocking_half_close(calls[i]);
    }
    for (int i = 1; i >= 0; i--) {
        ProtobufCMessage *message = sl_grpc_blocking_receive(calls[i]);
        assert_non_null(message);
        assert_string_equal(((note_message *)message)->name, "done");
        protobuf_c_message_free_unpacked(message, NULL);
        assert_null(sl_grpc_blocking_receive(calls[i]));
        struct sl_status status = sl_grpc_blocking_close(calls[i]);
        assert_int_equal(status.code, SL_OK);
    }
}

static void a_call_may_be_closed_unread(void **state)
{
    struct bench *bench = *state;
    struct sl_grpc_blocking *call;
    note_message question = note("?");

    bench->manner = FLOODS;
    call = open_chat(bench, 0);
    assert_true(sl_grpc_blocking_send(call, &question.base));
    ProtobufCMessage *message = sl_grpc_blocking_receive(call);
    assert_non_null(message);
    protobuf_c_message_free_unpacked(message, NULL);
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_CANCELLED);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(without_a_server_the_connections_words_come_back),
        BENCH_TEST(an_error_of_the_server_comes_back),
        BENCH_TEST(a_deadline_holds_at_every_step),
        BENCH_TEST(a_send_waits_for_room_and_ends_with_the_deadline),
        BENCH_TEST(a_server_that_ends_early_ends_the_sending),
        BENCH_TEST(a_slow_reader_holds_the_server_back),
        BENCH_TEST(a_loop_that_is_stopped_cancels_the_call_that_is_waited_for),
        BENCH_TEST(two_calls_take_turns),
        BENCH_TEST(a_call_may_be_closed_unread),
    };

    return cmocka_run_group_tests_name("blocking", tests, NULL, NULL);
}
