/* Our client and our server, back to back. */
#include <stdlib.h>
#include <string.h>

#include "grpc/record.h"

struct bench {
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct record asks;    /* the client's side of the call */
    struct record answers; /* the server's */
    size_t piece_bytes;    /* what the wire carries at once */
};

static bool is_split; /* the second round: the wire carries single bytes */

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    bench->answers.call = call;
    sl_grpc_call_set_events(call, &record_events, &bench->answers);
}

static const struct sl_grpc_method method = {
    .path = "/a/b", .client_streams = true, .server_streams = true};
static const struct sl_grpc_handler handlers[] = {{&method, on_call}, {NULL, NULL}};

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    const struct bench *bench = arg;

    (void)session;
    sl_grpc_call_accept(&bench->router, NULL, stream);
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

static bool carry(const struct bench *bench, struct sl_h2_session *from, struct sl_h2_session *to)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;
    bool has_carried = false;

    while ((len = sl_h2_session_output(from, bytes, sizeof(bytes))) > 0) {
        has_carried = true;
        for (size_t at = 0; at < len; at += bench->piece_bytes) {
            size_t piece = sl_min_size(bench->piece_bytes, len - at);
            struct sl_status status = sl_h2_session_receive(to, bytes + at, piece);
            assert_string_equal(status.text, "");
        }
    }
    return has_carried;
}

static void pump(const struct bench *bench)
{
    bool is_busy = true;

    while (is_busy) {
        is_busy = carry(bench, bench->client, bench->server);
        is_busy = carry(bench, bench->server, bench->client) || is_busy;
    }
}

static struct sl_grpc_call *open_bench(struct bench *bench, bool manual_credit)
{
    const struct sl_grpc_request request = {
        .method = &method, .authority = "x", .user_agent = "test", .manual_credit = manual_credit};

    *bench = (struct bench){.service = {handlers, bench},
                            .router = {.entries = &bench->service, .count = 1},
                            .piece_bytes = is_split ? 1 : 100000};
    bench->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &session_events, bench);
    bench->server = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, bench);
    assert_non_null(bench->client);
    assert_non_null(bench->server);
    bench->asks.call = sl_grpc_call_open(bench->client, &request, &record_events, &bench->asks);
    assert_non_null(bench->asks.call);
    pump(bench);
    assert_non_null(bench->answers.call);
    expect_said(&bench->asks, "open ");
    return bench->asks.call;
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->client);
    sl_h2_session_free(bench->server);
    record_fini(&bench->asks);
    record_fini(&bench->answers);
}

static void send_text(struct sl_grpc_call *call, const char *text)
{
    assert_int_equal(sl_grpc_call_send_bytes(call, text, (uint32_t)strlen(text)), SL_GRPC_SENT);
}

static void finish(struct bench *bench, enum sl_code code, const char *text)
{
    struct sl_status status = sl_status_error(code, "%s", text);

    sl_grpc_call_finish(bench->answers.call, &status);
    pump(bench);
}

static void one_message_is_answered_with_one(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench, false);

    (void)state;
    send_text(call, "question");
    sl_grpc_call_half_close(call);
    pump(&bench);
    expect_said(&bench.answers, "msg:question half-close ");
    send_text(bench.answers.call, "answer");
    finish(&bench, SL_OK, "");
    expect_said(&bench.asks, "headers msg:answer half-close status:OK ");
    expect_said(&bench.answers, "status:OK ");
    close_bench(&bench);
}

static void one_message_is_answered_with_many(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench, true);

    (void)state;
    send_text(call, "question");
    pump(&bench);
    expect_said(&bench.answers, "msg:question ");
    for (int i = 0; i < 3; i++) {
        send_text(bench.answers.call, "part");
        pump(&bench);
    }
    finish(&bench, SL_UNAVAILABLE, "100% \"gone\"");
    expect_said(&bench.asks, "headers msg:part msg:part msg:part half-close status:UNAVAILABLE ");
    assert_string_equal(bench.asks.status.text, "the peer says: 100% .gone.");
    expect_said(&bench.answers, "status:OK ");
    close_bench(&bench);
}

static void many_messages_are_answered_with_one(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench, false);

    (void)state;
    send_text(call, "a");
    send_text(call, "b");
    pump(&bench);
    send_text(call, "c");
    sl_grpc_call_half_close(call);
    pump(&bench);
    expect_said(&bench.answers, "msg:a msg:b msg:c half-close ");
    send_text(bench.answers.call, "three");
    finish(&bench, SL_OK, "");
    expect_said(&bench.asks, "headers msg:three half-close status:OK ");
    expect_said(&bench.answers, "status:OK ");
    close_bench(&bench);
}

static void both_sides_talk_at_once(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench, false);

    (void)state;
    for (int i = 0; i < 3; i++) {
        send_text(call, "ping");
        send_text(bench.answers.call, "pong");
        pump(&bench);
    }
    expect_said(&bench.answers, "msg:ping msg:ping msg:ping ");
    expect_said(&bench.asks, "headers msg:pong msg:pong msg:pong ");
    finish(&bench, SL_OK, "");
    expect_said(&bench.asks, "half-close status:OK ");
    expect_said(&bench.answers, "status:OK ");
    close_bench(&bench);
}

static void a_cancel_reaches_the_other_side(void **state)
{
    struct bench bench;

    (void)state;
    sl_grpc_call_cancel(open_bench(&bench, true));
    pump(&bench);
    expect_said(&bench.asks, "status:CANCELLED ");
    expect_said(&bench.answers, "status:CANCELLED ");
    close_bench(&bench);
}

static void a_large_message_passes_through_a_small_window(void **state)
{
    struct bench bench;
    size_t len = is_split ? 50000 : 3000000;
    char *large = calloc(len, 1);

    (void)state;
    assert_non_null(large);
    open_bench(&bench, false);
    bench.asks.is_quiet = true;
    bench.answers.is_quiet = true;
    assert_int_equal(sl_grpc_call_send_bytes(bench.asks.call, large, (uint32_t)len), SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(bench.answers.call, large, (uint32_t)len),
                     SL_GRPC_SENT);
    pump(&bench);
    assert_int_equal(bench.asks.message_bytes, len);
    assert_int_equal(bench.answers.message_bytes, len);
    assert_int_equal(sl_grpc_call_unsent(bench.asks.call), 0);
    free(large);
    close_bench(&bench);
}

static void what_credit_does_not_let_through_waits_at_the_sender(void **state)
{
    struct bench bench;
    static const char large[20000];
    struct sl_grpc_call *call = open_bench(&bench, true);
    size_t messages = 0;

    (void)state;
    bench.asks.is_quiet = true;
    while (sl_grpc_call_send_bytes(bench.answers.call, large, sizeof(large)) == SL_GRPC_SENT) {
        messages++;
    }
    assert_int_equal(messages, SL_H2_SEND_BUFFER_BYTES / (sizeof(large) + SL_GRPC_PREFIX_BYTES));
    pump(&bench);
    assert_int_equal(bench.asks.received_bytes, SL_H2_STREAM_WINDOW_BYTES);
    assert_int_equal(sl_grpc_call_missing(call), 20005 - 16384);
    assert_int_equal(bench.answers.writables, 0);
    while (bench.asks.messages < messages) {
        sl_grpc_call_grant(call, 10000);
        pump(&bench);
    }
    assert_int_equal(bench.answers.writables, 1);
    assert_int_equal(sl_grpc_call_unsent(bench.answers.call), 0);
    close_bench(&bench);
}

static void a_final_status_does_not_overtake_what_is_held(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench, true);

    (void)state;
    bench.asks.holds = 1;
    send_text(bench.answers.call, "a");
    send_text(bench.answers.call, "b");
    finish(&bench, SL_OK, "");
    expect_said(&bench.answers, "status:OK ");
    expect_said(&bench.asks, "headers hold ");
    sl_grpc_call_resume(call);
    expect_said(&bench.asks, "msg:a msg:b half-close ");
    pump(&bench);
    expect_said(&bench.asks, "status:OK ");
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_is_answered_with_one),
        cmocka_unit_test(one_message_is_answered_with_many),
        cmocka_unit_test(many_messages_are_answered_with_one),
        cmocka_unit_test(both_sides_talk_at_once),
        cmocka_unit_test(a_cancel_reaches_the_other_side),
        cmocka_unit_test(a_large_message_passes_through_a_small_window),
        cmocka_unit_test(what_credit_does_not_let_through_waits_at_the_sender),
        cmocka_unit_test(a_final_status_does_not_overtake_what_is_held),
    };
    int failed = cmocka_run_group_tests_name("pair", tests, NULL, NULL);

    is_split = true;
    return failed + cmocka_run_group_tests_name("pair, byte by byte", tests, NULL, NULL);
}
