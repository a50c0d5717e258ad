/* The examples of blocking.h and channel.h, as they stand there (tests/lint/examples.py), against
 * the sample service that has a method of each kind. */
#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "grpc/blocking.h"
#include "grpc/server.h"
#include "hello.pb-c.h"
#include "hello.services.h"
#include "../../grpc/services/server/services.h"

static struct sl_buf said;

static void say(const char *text)
{
    sl_buf_printf(&said, "%s ", text);
}

static void expect_said(const char *words)
{
    assert_string_equal(sl_buf_text(&said), words);
    sl_buf_reset(&said);
}

/* ---- blocking.h ---- */

typedef Sluice__Test__HelloRequest Request;
typedef Sluice__Test__HelloResponse Response;

#define HELLO(name) SLUICE__TEST__HELLO_SERVICE__##name

static const struct sl_grpc_method *const methods = sluice__test__hello_service__methods;

static Request hello(char *name)
{
    Request request = SLUICE__TEST__HELLO_REQUEST__INIT;

    request.greeting = name;
    return request;
}

static void take(ProtobufCMessage *answer)
{
    say(((Response *)answer)->reply);
    protobuf_c_message_free_unpacked(answer, NULL);
}

static struct sl_status ask_once(struct sl_grpc_channel *channel)
{
    const struct sl_grpc_request request = {.method = &methods[HELLO(SAY_HELLO)],
                                            .timeout_ns = 5 * SL_NS_PER_S};
    Request ada = hello("Ada");
    ProtobufCMessage *answer;
    struct sl_status status = sl_grpc_blocking_unary(channel, &request, &ada.base, &answer);

    if (sl_status_is_ok(&status)) {
        take(answer);
    }
    return status;
}

static struct sl_status hear_many(struct sl_grpc_channel *channel)
{
    const struct sl_grpc_request request = {.method = &methods[HELLO(LOTS_OF_REPLIES)]};
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
    Request both = hello("Ada Grace");
    ProtobufCMessage *answer;

    if (!call) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
    }
    if (sl_grpc_blocking_send(call, &both.base)) {
        sl_grpc_blocking_half_close(call);
    }
    while ((answer = sl_grpc_blocking_receive(call))) {
        take(answer);
    }
    return sl_grpc_blocking_close(call);
}

static struct sl_status say_many(struct sl_grpc_channel *channel)
{
    const struct sl_grpc_request request = {.method = &methods[HELLO(LOTS_OF_GREETINGS)]};
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
    Request ada = hello("Ada");
    bool is_sent = call != NULL;
    ProtobufCMessage *answer;

    if (!call) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
    }
    for (int i = 0; i < 3 && is_sent; i++) {
        is_sent = sl_grpc_blocking_send(call, &ada.base);
    }
    sl_grpc_blocking_half_close(call);
    answer = sl_grpc_blocking_receive(call);
    if (answer) {
        take(answer);
    }
    return sl_grpc_blocking_close(call);
}

static struct sl_status talk(struct sl_grpc_channel *channel)
{
    const struct sl_grpc_request request = {.method = &methods[HELLO(BIDI_HELLO)]};
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
    Request turns[] = {hello("Ada"), hello("Grace")};
    ProtobufCMessage *answer;

    if (!call) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
    }
    for (size_t i = 0; i < 2 && sl_grpc_blocking_send(call, &turns[i].base); i++) {
        answer = sl_grpc_blocking_receive(call);
        if (answer) {
            take(answer);
        }
    }
    sl_grpc_blocking_half_close(call);
    while ((answer = sl_grpc_blocking_receive(call))) {
        take(answer);
    }
    return sl_grpc_blocking_close(call);
}

/* ---- channel.h ---- */

struct chat {
    struct sl_loop *loop;
    unsigned replies;
    struct sl_status status;
};

static void greet(struct sl_grpc_call *call, char *name)
{
    Request request = hello(name);

    if (sl_grpc_call_send(call, &request.base) == SL_GRPC_FULL) {
        say("(on_writable comes when there is room)");
    }
}

static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    const Response *response = (const Response *)message;
    struct chat *chat = arg;

    say(response->reply);
    if (++chat->replies == 1) {
        greet(call, "Grace");
    } else {
        sl_grpc_call_half_close(call);
    }
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct chat *chat = arg;

    (void)call;
    chat->status = *status;
    sl_loop_stop(chat->loop);
}

static const struct sl_grpc_call_events chat_events = {
    .on_message = on_reply,
    .on_status = on_status,
};

static bool begin_chat(struct sl_grpc_channel *channel, struct chat *chat)
{
    const struct sl_grpc_request request = {.method = &methods[HELLO(BIDI_HELLO)]};
    struct sl_grpc_call *call = sl_grpc_channel_call(channel, &request, &chat_events, chat);

    if (call) {
        greet(call, "Ada");
    }
    return call != NULL;
}

/* ---- the tests ---- */

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_server *server;
    struct sl_grpc_channel *channel;
};

static int open_bench(void **state)
{
    static struct bench bench;
    const struct sl_grpc_service_entry entry = {hello_handlers, NULL};
    struct sl_grpc_server_options serve = {
        .address = {.host = "127.0.0.1"}, .services = &entry, .service_count = 1};
    struct sl_grpc_channel_options options = {.loop = NULL};
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
    assert_non_null(bench.channel);
    *state = &bench;
    return 0;
}

static void stop(void *arg)
{
    sl_loop_stop(arg);
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_grpc_blocking_close_channel(bench->channel);
    sl_grpc_server_close(bench->server, stop, bench->loop);
    sl_loop_run(bench->loop);
    sl_loop_free(bench->loop);
    sl_buf_fini(&said);
    return 0;
}

static void a_message_is_answered_by_one(void **state)
{
    struct bench *bench = *state;
    struct sl_status status = ask_once(bench->channel);

    assert_int_equal(status.code, SL_OK);
    expect_said("Hello, Ada! ");
}

static void a_message_is_answered_by_many(void **state)
{
    struct bench *bench = *state;
    struct sl_status status = hear_many(bench->channel);

    assert_int_equal(status.code, SL_OK);
    expect_said("Hello, Ada! Hello, Grace! ");
}

static void many_messages_are_answered_by_one(void **state)
{
    struct bench *bench = *state;
    struct sl_status status = say_many(bench->channel);

    assert_int_equal(status.code, SL_OK);
    expect_said("Hello, Ada, Ada, Ada! ");
}

static void each_message_is_answered(void **state)
{
    struct bench *bench = *state;
    struct sl_status status = talk(bench->channel);

    assert_int_equal(status.code, SL_OK);
    expect_said("Hello, Ada! Hello, Grace! ");
}

static void events_do_the_same(void **state)
{
    struct bench *bench = *state;
    struct chat chat = {.loop = bench->loop};

    assert_true(begin_chat(bench->channel, &chat));
    sl_loop_run(bench->loop);
    assert_int_equal(chat.status.code, SL_OK);
    expect_said("Hello, Ada! Hello, Grace! ");
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_message_is_answered_by_one),
        BENCH_TEST(a_message_is_answered_by_many),
        BENCH_TEST(many_messages_are_answered_by_one),
        BENCH_TEST(each_message_is_answered),
        BENCH_TEST(events_do_the_same),
    };

    return cmocka_run_group_tests_name("example", tests, NULL, NULL);
}
