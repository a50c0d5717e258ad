/* Our server against a client whose every byte is written here. */
#include "h2/frames.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/record.h"

struct bench {
    struct sl_h2_session *session;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct sent *sent;
    struct sl_buf in;
    struct record record;
};

static const char *const fields[] = {":method=POST",
                                     ":scheme=http",
                                     ":path=/pkg.Service/Method",
                                     ":authority=x",
                                     "te=trailers",
                                     "content-type=application/grpc+proto",
                                     "user=admin",
                                     NULL};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    bench->record.call = call;
    sl_grpc_call_set_events(call, &record_events, &bench->record);
}

static const struct sl_grpc_method method = {
    .path = "/pkg.Service/Method", .client_streams = true, .server_streams = true};
static const struct sl_grpc_handler handlers[] = {{&method, on_call}, {NULL, NULL}};

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    const struct bench *bench = arg;

    (void)session;
    sl_grpc_call_accept(&bench->router, NULL, stream);
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

static const char *sent(struct bench *bench)
{
    return sent_lines(bench->sent, bench->session);
}

static void feed_ok(struct bench *bench)
{
    struct sl_status status = feed(bench->session, &bench->in);

    assert_string_equal(status.text, "");
}

static void open_session(struct bench *bench)
{
    *bench = (struct bench){.sent = sent_new(),
                            .service = {handlers, bench},
                            .router = {.entries = &bench->service, .count = 1}};
    bench->session = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, bench);
    assert_non_null(bench->session);
    put_client_preface(&bench->in);
    feed_ok(bench);
    sent(bench);
}

static struct sl_grpc_call *open_bench(struct bench *bench)
{
    open_session(bench);
    put_headers(&bench->in, 0, 1, fields);
    feed_ok(bench);
    assert_non_null(bench->record.call);
    return bench->record.call;
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->session);
    sent_free(bench->sent);
    sl_buf_fini(&bench->in);
    record_fini(&bench->record);
}

static void a_call_is_served_with_headers_messages_and_trailers(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);
    struct sl_status ok = sl_status_ok();

    (void)state;
    assert_true(sl_str_eq(sl_grpc_call_metadata(call, "user"), SL_STR("admin")));
    put_frame(&bench.in, DATA, END_STREAM, 1, "\0\0\0\0\3abc", 8);
    feed_ok(&bench);
    expect_said(&bench.record, "msg:abc half-close ");
    assert_int_equal(sl_grpc_call_send_bytes(call, "hello", 5), SL_GRPC_SENT);
    sl_grpc_call_finish(call, &ok);
    sl_grpc_call_finish(call, &ok);
    assert_int_equal(sl_grpc_call_send_bytes(call, "x", 1), SL_GRPC_CLOSED);
    assert_string_equal(sent(&bench), "HEADERS 1 :status=200 content-type=application/grpc\n"
                                      "DATA 1 10\nHEADERS 1 +end grpc-status=0\n");
    expect_said(&bench.record, "status:OK ");
    close_bench(&bench);
}

static void a_status_without_messages_is_trailers_only(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);
    struct sl_status status = sl_status_error(SL_NOT_FOUND, "no 100%% \xc3\xa9");

    (void)state;
    sl_grpc_call_finish(call, &status);
    assert_string_equal(sent(&bench),
                        "HEADERS 1 +end :status=200 content-type=application/grpc "
                        "grpc-status=5 grpc-message=no 100%25 %C3%A9\nRST_STREAM 1 NO_ERROR\n");
    expect_said(&bench.record, "status:OK ");
    close_bench(&bench);
}

static void expect_answer(const char *const *request, const char *answer)
{
    struct bench bench;

    open_session(&bench);
    put_headers(&bench.in, END_STREAM, 1, request);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), answer);
    assert_null(bench.record.call);
    assert_int_equal(sl_h2_session_streams(bench.session), 0);
    close_bench(&bench);
}

static void what_is_not_a_call_is_answered(void **state)
{
    static const char *const get[] = {":method=GET", ":scheme=http", ":path=/", ":authority=x",
                                      NULL};
    static const char *const head[] = {":method=HEAD", ":scheme=http", ":path=/", ":authority=x",
                                       NULL};
    static const char *const json[] = {":method=POST",
                                       ":scheme=http",
                                       ":path=/pkg.Service/Method",
                                       ":authority=x",
                                       "content-type=application/json",
                                       NULL};
    static const char *const other[] = {":method=POST",
                                        ":scheme=http",
                                        ":path=/pkg.Service/Other",
                                        ":authority=x",
                                        "content-type=application/grpc",
                                        NULL};
    static const char *const grpc_get[] = {
        ":method=GET", ":scheme=http", ":path=/", ":authority=x", "content-type=application/grpc",
        NULL};

    (void)state;
    expect_answer(get, "HEADERS 1 :status=415 accept=application/grpc content-type=text/plain\n"
                       "DATA 1 +end 51\n");
    expect_answer(head, "HEADERS 1 +end :status=415 accept=application/grpc "
                        "content-type=text/plain\n");
    expect_answer(json, "HEADERS 1 :status=415 accept=application/grpc content-type=text/plain\n"
                        "DATA 1 +end 51\n");
    expect_answer(grpc_get, "HEADERS 1 :status=405 allow=POST content-type=text/plain\n"
                            "DATA 1 +end 51\n");
    expect_answer(other, "HEADERS 1 +end :status=200 content-type=application/grpc "
                         "grpc-status=12 grpc-message=no such method: /pkg.Service/Other\n");
}

static void what_is_not_a_call_is_answered_though_its_body_goes_on(void **state)
{
    static const char *const post[] = {":method=POST", ":scheme=http", ":path=/", ":authority=x",
                                       NULL};
    static const char body[SL_H2_STREAM_WINDOW_BYTES / 2];
    struct bench bench;

    (void)state;
    open_session(&bench);
    put_headers(&bench.in, 0, 1, post);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "");
    put_frame(&bench.in, DATA, 0, 1, body, sizeof(body) - 1);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "");
    put_frame(&bench.in, DATA, 0, 1, body, 1);
    feed_ok(&bench);
    assert_string_equal(sent(&bench),
                        "HEADERS 1 :status=415 accept=application/grpc content-type=text/plain\n"
                        "DATA 1 +end 51\nRST_STREAM 1 NO_ERROR\n");
    close_bench(&bench);
}

static void a_client_that_resets_cancels_the_call(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_CANCEL);
    feed_ok(&bench);
    expect_said(&bench.record, "status:CANCELLED ");
    close_bench(&bench);
}

static void a_connection_that_ends_is_unavailable(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    sl_h2_session_free(bench.session);
    expect_said(&bench.record, "status:UNAVAILABLE ");
    bench.session = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, &bench);
    close_bench(&bench);
}

static void a_message_that_is_wrong_is_answered_with_a_status(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int flags;
        const char *status;
        const char *said;
    } wrong[] = {
        {"\1\0\0\0\1x", 6, 0, "grpc-status=13 ", "status:INTERNAL "},
        {"\7\0\0\0\1x", 6, 0, "grpc-status=13 ", "status:INTERNAL "},
        {"\0\xff\xff\xff\xff", 5, 0, "grpc-status=8 ", "status:RESOURCE_EXHAUSTED "},
        {"\0\0\0\0\5he", 7, END_STREAM, "grpc-status=13 ", "status:INTERNAL "},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        struct bench bench;

        open_bench(&bench);
        put_frame(&bench.in, DATA, wrong[i].flags, 1, wrong[i].bytes, wrong[i].len);
        if (!wrong[i].flags) {
            put_data(&bench.in, 0, 1, "more of it");
        }
        feed_ok(&bench);
        assert_non_null(strstr(sent(&bench), wrong[i].status));
        expect_said(&bench.record, wrong[i].said);
        close_bench(&bench);
    }
}

static void credit_returns_as_messages_are_taken_and_not_while_they_are_held(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    sent(&bench);
    bench.record.holds = 1;
    bench.record.is_quiet = true;
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\x1f\xfb", 5); /* 8,187 */
    put_zeros(&bench.in, 0, 1, 8187);
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\x1f\xfb", 5);
    put_zeros(&bench.in, 0, 1, 8187);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "");
    assert_true(sl_grpc_call_held_bytes(call) >= 16384 - 5);
    sl_grpc_call_resume(call);
    assert_int_equal(bench.record.messages, 2);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 262144\n");
    assert_int_equal(sl_grpc_call_held_bytes(call), 0);
    close_bench(&bench);
}

static void a_half_close_waits_for_what_is_held(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);
    struct sl_status ok = sl_status_ok();

    (void)state;
    bench.record.holds = 1;
    put_frame(&bench.in, DATA, END_STREAM, 1, "\0\0\0\0\3abc", 8);
    feed_ok(&bench);
    expect_said(&bench.record, "hold ");
    sl_grpc_call_resume(call);
    expect_said(&bench.record, "msg:abc half-close ");
    sl_grpc_call_finish(call, &ok);
    sent(&bench);
    expect_said(&bench.record, "status:OK ");
    close_bench(&bench);
}

static void a_call_may_be_finished_while_a_message_is_held(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);
    struct sl_status status = sl_status_error(SL_ABORTED, "enough");

    (void)state;
    bench.record.holds = 1;
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\3abc", 8);
    feed_ok(&bench);
    sl_grpc_call_finish(call, &status);
    sl_grpc_call_resume(call);
    assert_non_null(strstr(sent(&bench), "grpc-status=10 grpc-message=enough\n"));
    expect_said(&bench.record, "hold status:OK ");
    close_bench(&bench);
}

static void request_trailers_mean_nothing(void **state)
{
    static const char *const late[] = {"user=other", "content-type=text/html", NULL};
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    put_headers(&bench.in, END_STREAM, 1, late);
    feed_ok(&bench);
    expect_said(&bench.record, "half-close ");
    assert_true(sl_str_eq(sl_grpc_call_metadata(call, "user"), SL_STR("admin")));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_served_with_headers_messages_and_trailers),
        cmocka_unit_test(a_status_without_messages_is_trailers_only),
        cmocka_unit_test(what_is_not_a_call_is_answered),
        cmocka_unit_test(what_is_not_a_call_is_answered_though_its_body_goes_on),
        cmocka_unit_test(a_client_that_resets_cancels_the_call),
        cmocka_unit_test(a_connection_that_ends_is_unavailable),
        cmocka_unit_test(a_message_that_is_wrong_is_answered_with_a_status),
        cmocka_unit_test(credit_returns_as_messages_are_taken_and_not_while_they_are_held),
        cmocka_unit_test(a_half_close_waits_for_what_is_held),
        cmocka_unit_test(a_call_may_be_finished_while_a_message_is_held),
        cmocka_unit_test(request_trailers_mean_nothing),
    };
    int failed = cmocka_run_group_tests_name("server", tests, NULL, NULL);

    feeds_bytes = true;
    return failed + cmocka_run_group_tests_name("server, byte by byte", tests, NULL, NULL);
}
