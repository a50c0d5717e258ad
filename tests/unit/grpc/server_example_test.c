/* The example of server.h, as it stands there (tests/lint/examples.py), with calls of each kind. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/blocking.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"
#include "hello.pb-c.h"
#include "hello.services.h"

/* ---- server.h ---- */

typedef Sluice__Test__HelloRequest Request;
typedef Sluice__Test__HelloResponse Response;

enum { REPLIES = 100 * 1000 };

static enum sl_grpc_send reply(struct sl_grpc_call *call, char *text)
{
    Response response = SLUICE__TEST__HELLO_RESPONSE__INIT;

    response.reply = text;
    return sl_grpc_call_send(call, &response.base);
}

static void finish(struct sl_grpc_call *call, void *arg)
{
    struct sl_status ok = sl_status_ok();

    (void)arg;
    sl_grpc_call_finish(call, &ok);
}

static enum sl_grpc_take on_one(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                void *arg)
{
    if (reply(call, ((const Request *)message)->greeting) == SL_GRPC_SENT) {
        finish(call, arg);
    }
    return SL_GRPC_TAKEN;
}

static void on_say_hello(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_one};

    sl_grpc_call_set_events(call, &events, arg);
}

static enum sl_grpc_take on_turn(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    const Request *request = (const Request *)message;

    (void)arg;
    return reply(call, request->greeting) == SL_GRPC_FULL ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
}

static void on_room(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    sl_grpc_call_resume(call);
}

static void on_bidi_hello(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_turn, .on_writable = on_room, .on_half_close = finish};

    sl_grpc_call_set_events(call, &events, arg);
}

static enum sl_grpc_take on_each(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    unsigned *count = arg;

    (void)call;
    (void)message;
    *count += 1;
    return SL_GRPC_TAKEN;
}

static void on_all(struct sl_grpc_call *call, void *arg)
{
    const unsigned *count = arg;
    char text[32];

    snprintf(text, sizeof(text), "%u times hello", *count);
    if (reply(call, text) == SL_GRPC_SENT) {
        finish(call, arg);
    }
}

static void on_over(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    (void)call;
    (void)status;
    free(arg);
}

static void begin(struct sl_grpc_call *call, const struct sl_grpc_call_events *events)
{
    unsigned *count = calloc(1, sizeof(*count));
    struct sl_status status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

    if (count) {
        sl_grpc_call_set_events(call, events, count);
    } else {
        sl_grpc_call_finish(call, &status);
    }
}

static void on_lots_of_greetings(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_each, .on_half_close = on_all, .on_status = on_over};

    (void)arg;
    begin(call, &events);
}

static void send_more(struct sl_grpc_call *call, void *arg)
{
    static char hello[] = "Hello!";
    unsigned *count = arg;

    while (*count < REPLIES && reply(call, hello) == SL_GRPC_SENT) {
        *count += 1;
    }
    if (*count == REPLIES) {
        finish(call, arg);
    }
}

static enum sl_grpc_take on_wish(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    (void)message;
    send_more(call, arg);
    return SL_GRPC_TAKEN;
}

static void on_lots_of_replies(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_wish, .on_writable = send_more, .on_status = on_over};

    (void)arg;
    begin(call, &events);
}

#define METHODS      sluice__test__hello_service__methods
#define METHOD(name) (&METHODS[SLUICE__TEST__HELLO_SERVICE__##name])

static const struct sl_grpc_handler hello_handlers[] = {
    {METHOD(SAY_HELLO), on_say_hello},
    {METHOD(BIDI_HELLO), on_bidi_hello},
    {METHOD(LOTS_OF_GREETINGS), on_lots_of_greetings},
    {METHOD(LOTS_OF_REPLIES), on_lots_of_replies},
    {NULL, NULL},
};

static struct sl_grpc_server *serve(struct sl_loop *loop, struct sl_grpc_health *health,
                                    struct sl_status *why)
{
    const struct sl_grpc_service_entry services[] = {
        {hello_handlers, NULL},
        {sl_grpc_health_handlers, health},
        {sl_grpc_reflection_handlers, NULL},
    };
    const struct sl_grpc_server_options options = {
        .loop = loop,
        .address = {.host = "127.0.0.1"},
        .services = services,
        .service_count = SL_ARRAY_LEN(services),
    };

    return sl_grpc_server_open(&options, why);
}

static void on_closed(void *arg)
{
    sl_loop_stop(arg);
}

static void shut_down(struct sl_grpc_server *server, struct sl_grpc_health *health,
                      struct sl_loop *loop)
{
    sl_grpc_health_shut_down(health);
    sl_grpc_server_drain(server, 5000, on_closed, loop);
}

/* ---- the tests ---- */

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_health *health;
    struct sl_grpc_server *server;
    struct sl_grpc_channel *channel;
};

static int open_bench(void **state)
{
    static struct bench bench;
    struct sl_grpc_channel_options options = {.loop = NULL};
    struct sl_status why;

    bench = (struct bench){.loop = sl_loop_new(), .health = sl_grpc_health_new()};
    assert_true(bench.loop && bench.health);
    bench.server = serve(bench.loop, bench.health, &why);
    assert_non_null(bench.server);
    options.loop = bench.loop;
    options.dial.address =
        (struct sl_address){.host = "127.0.0.1", .port = sl_grpc_server_port(bench.server)};
    bench.channel = sl_grpc_channel_open(&options);
    assert_non_null(bench.channel);
    *state = &bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    shut_down(bench->server, bench->health, bench->loop);
    sl_loop_run(bench->loop);
    sl_grpc_blocking_close_channel(bench->channel);
    sl_grpc_health_free(bench->health);
    sl_loop_free(bench->loop);
    return 0;
}

/* Sends the greeting so many times and counts the answers, all of which say `answer`. */
static unsigned talk(struct bench *bench, const struct sl_grpc_method *method, unsigned greetings,
                     const char *answer)
{
    static char text[] = "Ada";
    const struct sl_grpc_request options = {.method = method};
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(bench->channel, &options);
    Request request = SLUICE__TEST__HELLO_REQUEST__INIT;
    unsigned answers = 0;
    ProtobufCMessage *message;

    assert_non_null(call);
    request.greeting = text;
    for (unsigned i = 0; i < greetings; i++) {
        assert_true(sl_grpc_blocking_send(call, &request.base));
    }
    sl_grpc_blocking_half_close(call);
    while ((message = sl_grpc_blocking_receive(call))) {
        assert_string_equal(((const Response *)message)->reply, answer);
        protobuf_c_message_free_unpacked(message, NULL);
        answers++;
    }
    struct sl_status status = sl_grpc_blocking_close(call);
    assert_int_equal(status.code, SL_OK);
    return answers;
}

static void it_answers_each_kind_of_call(void **state)
{
    assert_int_equal(talk(*state, METHOD(SAY_HELLO), 1, "Ada"), 1);
    assert_int_equal(talk(*state, METHOD(BIDI_HELLO), 3, "Ada"), 3);
    assert_int_equal(talk(*state, METHOD(LOTS_OF_GREETINGS), 5, "5 times hello"), 1);
    assert_int_equal(talk(*state, METHOD(LOTS_OF_REPLIES), 1, "Hello!"), REPLIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_answers_each_kind_of_call, open_bench, close_bench),
    };

    return cmocka_run_group_tests_name("server example", tests, NULL, NULL);
}
