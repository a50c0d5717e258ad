/* Each limit of limits.h at its edge, and busy peers that must not meet any. */
#include "h2/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h2/guard.h"

enum { ROUNDS = 20, CALLS_PER_ROUND = 500 };

/* A session, its peer's frames, and a clock. */
struct bench {
    struct sl_h2_session *session;
    struct sl_h2_limits limits;
    struct sent *sent;
    struct sl_buf in;
    struct sl_h2_stream *stream; /* the newest */
    int64_t now_ns;
    bool answers; /* each request, whole, at its end */
    unsigned closed;
};

static void respond(struct sl_h2_stream *stream, bool ends)
{
    const struct sl_h2_field status = {.name = SL_STR(":status"), .value = SL_STR("200")};

    assert_true(sl_h2_stream_respond(stream, &status, 1, ends));
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    if (bench->answers) {
        respond(stream, false);
        assert_true(sl_h2_stream_send(stream, &SL_STR("hello"), 1));
        assert_true(sl_h2_stream_finish(stream, NULL, 0));
    }
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct bench *bench = arg;

    (void)error;
    (void)by_peer;
    bench->closed++;
    if (bench->stream == stream) {
        bench->stream = NULL;
    }
}

static const struct sl_h2_stream_events stream_events = {.on_end = on_end, .on_close = on_close};

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    (void)session;
    bench->stream = stream;
    sl_h2_stream_set_events(stream, &stream_events, bench);
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

/* With the defaults. A test that changes bench->limits does so before the first frame. */
static void open_bench(struct bench *bench, enum sl_h2_role role)
{
    *bench = (struct bench){.limits = sl_h2_default_limits, .sent = sent_new()};
    bench->session = sl_h2_session_new(role, &bench->limits, &session_events, bench);
    assert_non_null(bench->session);
    if (role == SL_H2_SERVER) {
        put_client_preface(&bench->in);
    } else {
        put_server_preface(&bench->in);
    }
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->session);
    sent_free(bench->sent);
    sl_buf_fini(&bench->in);
}

static struct sl_status talk(struct bench *bench)
{
    sl_h2_session_set_now(bench->session, bench->now_ns);
    return feed(bench->session, &bench->in);
}

static void talk_ok(struct bench *bench)
{
    struct sl_status status = talk(bench);

    assert_string_equal(status.text, "");
}

static const char *sent(struct bench *bench)
{
    return sent_lines(bench->sent, bench->session);
}

static void pass_ms(struct bench *bench, int64_t ms)
{
    bench->now_ns += ms * SL_NS_PER_MS;
    sl_h2_session_set_now(bench->session, bench->now_ns);
}

/* The session has ended for this, says so to its peer, and nothing else. */
static void expect_end(struct bench *bench, const char *reason, const char *farewell)
{
    struct sl_status status = talk(bench);
    const char *lines = sent(bench);
    char goaway[100];

    assert_string_equal(sl_status_reason(&status), reason);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(status.text, "at most)"));
    snprintf(goaway, sizeof(goaway), "ENHANCE_YOUR_CALM %s\n", farewell);
    assert_true(sl_str_starts_with(sl_str_from(lines), SL_STR("GOAWAY ")));
    assert_non_null(strstr(lines, goaway));
    assert_true(sl_h2_session_is_done(bench->session));
    assert_string_equal(sl_status_reason(sl_h2_session_why(bench->session)), reason);
}

static const char *const request_fields[] = {":method=POST", ":scheme=http", ":path=/a",
                                             ":authority=x", NULL};

static void put_times(struct bench *bench, unsigned times, enum frame_type type, int32_t id,
                      const char *payload, size_t len)
{
    for (unsigned i = 0; i < times; i++) {
        put_frame(&bench->in, type, 0, id, payload, len);
    }
}

static void put_request(struct bench *bench, int32_t id, int flags)
{
    put_headers(&bench->in, flags, id, request_fields);
}

/* ---- rates of frames ---- */

static const char ping[] = "12345678";

static void pings_have_a_rate(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    bench.limits.pings = (struct sl_h2_rate){.burst = 5, .per_s = 2};
    put_times(&bench, 5, PING, 0, ping, 8);
    talk_ok(&bench);
    pass_ms(&bench, 500);
    put_times(&bench, 1, PING, 0, ping, 8);
    talk_ok(&bench);
    pass_ms(&bench, 499);
    sent(&bench);
    put_times(&bench, 1, PING, 0, ping, 8);
    expect_end(&bench, "ping-flood", "ping-flood");
    close_bench(&bench);
}

static void answers_to_pings_are_no_pings(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    bench.limits.pings = (struct sl_h2_rate){.burst = 1};
    for (int i = 0; i < 10; i++) {
        put_frame(&bench.in, PING, ACK, 0, ping, 8);
    }
    talk_ok(&bench);
    close_bench(&bench);
}

static void settings_have_a_rate(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    bench.limits.settings = (struct sl_h2_rate){.burst = 3, .per_s = 1};
    put_times(&bench, 2, SETTINGS, 0, "", 0); /* and that of the preface */
    talk_ok(&bench);
    sent(&bench);
    put_times(&bench, 1, SETTINGS, 0, "", 0);
    expect_end(&bench, "settings-flood", "settings-flood");
    close_bench(&bench);
}

static void priorities_have_a_rate(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.priorities = (struct sl_h2_rate){.burst = 4, .per_s = 1};
    put_times(&bench, 4, PRIORITY, 1, "\0\0\0\0\1", 5);
    talk_ok(&bench);
    sent(&bench);
    put_times(&bench, 1, PRIORITY, 1, "\0\0\0\0\1", 5);
    expect_end(&bench, "priority-flood", "priority-flood");
    close_bench(&bench);
}

static void empty_data_has_a_rate_padded_or_not(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.empty_data = (struct sl_h2_rate){.burst = 4, .per_s = 1};
    put_request(&bench, 1, 0);
    put_times(&bench, 2, DATA, 1, "", 0);
    put_padded(&bench.in, 0, 1, "", 0);
    put_padded(&bench.in, 0, 1, "", 7);
    put_padded(&bench.in, 0, 1, "x", 7); /* not empty: allows one */
    put_padded(&bench.in, 0, 1, "", 7);
    talk_ok(&bench);
    sent(&bench);
    put_padded(&bench.in, 0, 1, "", 3);
    expect_end(&bench, "empty-data-flood", "empty-data-flood");
    close_bench(&bench);
}

static void the_end_of_a_stream_is_no_empty_data(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.empty_data = (struct sl_h2_rate){0};
    put_request(&bench, 1, 0);
    put_data(&bench.in, END_STREAM, 1, "");
    talk_ok(&bench);
    close_bench(&bench);
}

static void unknown_frames_have_a_rate_of_bytes(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    bench.limits.idle_bytes = (struct sl_h2_rate){.burst = 9 + 9 + 3 * 29, .per_s = 29};
    put_times(&bench, 3, 0xbb, 0, "01234567890123456789", 20);
    talk_ok(&bench); /* with the two of the preface */
    pass_ms(&bench, 1000);
    put_times(&bench, 1, 0xbb, 0, "01234567890123456789", 20);
    talk_ok(&bench);
    sent(&bench);
    put_times(&bench, 1, 0xbb, 0, "", 0);
    expect_end(&bench, "frame-flood", "frame-flood");
    close_bench(&bench);
}

/* Heads, padding and DATA that no stream takes are idle; header blocks and DATA are not. */
static void data_allows_more_idle_bytes(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.idle_bytes = (struct sl_h2_rate){.burst = 200};
    put_request(&bench, 1, 0);
    talk_ok(&bench);
    for (int i = 0; i < 50; i++) {
        put_data(&bench.in, 0, 1, "0123456789");
        put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 1);
        talk_ok(&bench);
    }
    put_request(&bench, 3, 0);
    talk_ok(&bench);
    sl_h2_stream_reset(bench.stream, SL_H2_CANCEL);
    sent(&bench);
    put_u32_frame(&bench.in, WINDOW_UPDATE, 0, 1);
    for (int i = 0; i < 10; i++) {
        put_frame(&bench.in, PING, ACK, 0, "12345678", 8);
    }
    talk_ok(&bench); /* in place of DATA that was under way */
    bench.limits.idle_bytes = (struct sl_h2_rate){0};
    put_zeros(&bench.in, 0, 3, SL_H2_STREAM_WINDOW_BYTES);
    put_zeros(&bench.in, 0, 3, SL_H2_STREAM_WINDOW_BYTES - 2 * 9 - 13 - 10 * 17);
    talk_ok(&bench);
    put_data(&bench.in, 0, 3, "");
    expect_end(&bench, "frame-flood", "frame-flood");
    close_bench(&bench);
}

/* Whoever uploads learns only later that the server has had enough. */
static void data_for_streams_that_we_reset_is_no_flood(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    talk_ok(&bench);
    for (int32_t id = 1; id < 400; id += 2) {
        put_request(&bench, id, 0);
        talk_ok(&bench);
        respond(bench.stream, true);
        sent(&bench);
        put_zeros(&bench.in, 0, id, SL_H2_STREAM_WINDOW_BYTES);
        talk_ok(&bench);
    }
    close_bench(&bench);
}

/* ---- header blocks ---- */

static void put_large_block(struct bench *bench, int32_t id, unsigned kib)
{
    static char field[1024] = "a=";
    const char *fields[100] = {":method=POST", ":scheme=http", ":path=/a", ":authority=x"};
    struct sl_buf block = {0};
    size_t at = 0;

    memset(field + 2, 'x', sizeof(field) - 3);
    for (unsigned i = 0; i < kib; i++) {
        fields[4 + i] = field;
    }
    put_block(&block, fields);
    while (at < block.len) {
        size_t len = sl_min_size(block.len - at, 16000);
        bool is_last = at + len == block.len;

        put_frame(&bench->in, at ? CONTINUATION : HEADERS, is_last ? END_HEADERS : 0, id,
                  block.data + at, len);
        at += len;
    }
    sl_buf_fini(&block);
}

static void a_large_block_costs_its_stream_a_bomb_the_connection(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.header_bytes = 10 * 1024;
    bench.limits.header_bomb_bytes = 20 * 1024;
    put_large_block(&bench, 1, 12);
    talk_ok(&bench);
    assert_non_null(strstr(sent(&bench), "RST_STREAM 1 ENHANCE_YOUR_CALM\n"));
    put_large_block(&bench, 3, 18);
    talk_ok(&bench);
    assert_non_null(strstr(sent(&bench), "RST_STREAM 3 ENHANCE_YOUR_CALM\n"));
    put_large_block(&bench, 5, 20);
    expect_end(&bench, "header-bomb", "header-bomb");
    close_bench(&bench);
}

/* ---- resets ---- */

static void streams_reset_before_an_answer_have_a_rate(void **state)
{
    struct bench bench;
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.unanswered_resets = (struct sl_h2_rate){.burst = 3, .per_s = 1};
    for (; id <= 5; id += 2) {
        put_request(&bench, id, 0);
        put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
    }
    talk_ok(&bench);
    sent(&bench);
    put_request(&bench, id, END_STREAM);
    put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
    expect_end(&bench, "rapid-reset", "rapid-reset");
    close_bench(&bench);
}

static void streams_that_were_answered_may_be_reset_and_allow_others(void **state)
{
    struct bench bench;
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.unanswered_resets = (struct sl_h2_rate){.burst = 1};
    talk_ok(&bench);
    for (; id < 40; id += 4) {
        put_request(&bench, id, 0);
        talk_ok(&bench);
        respond(bench.stream, false);
        sent(&bench);
        put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
        put_request(&bench, id + 2, 0);
        put_u32_frame(&bench.in, RST_STREAM, id + 2, SL_H2_CANCEL);
        talk_ok(&bench);
    }
    put_request(&bench, id, 0);
    put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
    expect_end(&bench, "rapid-reset", "rapid-reset");
    close_bench(&bench);
}

/* nghttp2 counts all resets; limits are read when a session is made. */
static void all_resets_have_a_rate(void **state)
{
    struct sl_h2_limits limits = sl_h2_default_limits;
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    limits.resets = (struct sl_h2_rate){.burst = 2};
    sl_h2_session_free(bench.session);
    bench.session = sl_h2_session_new(SL_H2_SERVER, &limits, &session_events, &bench);
    assert_non_null(bench.session);
    for (int32_t id = 1; id <= 5; id += 2) {
        put_request(&bench, id, 0);
        talk_ok(&bench);
        assert_true(sl_status_is_ok(sl_h2_session_why(bench.session)));
        respond(bench.stream, false);
        sent(&bench);
        put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
    }
    talk_ok(&bench);
    assert_non_null(strstr(sent(&bench), "GOAWAY "));
    assert_string_equal(sl_status_reason(sl_h2_session_why(bench.session)), "rapid-reset");
    close_bench(&bench);
}

/* A window that overflows makes nghttp2 reset the stream. */
static void resets_that_the_peer_provokes_have_a_rate(void **state)
{
    struct bench bench;
    struct sl_status status;
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.provoked_resets = (struct sl_h2_rate){.burst = 3, .per_s = 1};
    for (; id <= 5; id += 2) {
        put_request(&bench, id, 0);
        put_u32_frame(&bench.in, WINDOW_UPDATE, id, INT32_MAX);
    }
    talk_ok(&bench);
    sent(&bench);
    assert_true(sl_status_is_ok(sl_h2_session_why(bench.session)));
    put_request(&bench, id, 0);
    put_u32_frame(&bench.in, WINDOW_UPDATE, id, INT32_MAX);
    status = talk(&bench);
    assert_true(sl_status_is_ok(&status));
    assert_non_null(strstr(sent(&bench), "ENHANCE_YOUR_CALM provoked-resets\n"));
    put_request(&bench, id + 2, 0);
    status = talk(&bench);
    assert_string_equal(sl_status_reason(&status), "provoked-resets");
    close_bench(&bench);
}

static void resets_of_our_own_are_not_the_peer_s(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.provoked_resets = (struct sl_h2_rate){0};
    for (int32_t id = 1; id <= 20; id += 4) {
        put_request(&bench, id, 0);
        talk_ok(&bench);
        sl_h2_stream_reset(bench.stream, SL_H2_CANCEL);
        assert_non_null(strstr(sent(&bench), "RST_STREAM"));
        put_request(&bench, id + 2, 0);
        talk_ok(&bench);
        respond(bench.stream, true); /* the request goes on: NO_ERROR */
        assert_non_null(strstr(sent(&bench), "NO_ERROR"));
    }
    talk_ok(&bench);
    close_bench(&bench);
}

/* ---- PINGs in haste ---- */

static void ping_and_pass(struct bench *bench, int64_t ms)
{
    pass_ms(bench, ms);
    put_times(bench, 1, PING, 0, ping, 8);
    talk_ok(bench);
    assert_string_equal(sent(bench), "PING 0 ack\n");
}

static void a_client_that_pings_in_haste_is_told_so(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.ping_interval_ms = 100;
    bench.limits.idle_ping_interval_ms = 1000;
    put_request(&bench, 1, 0);
    talk_ok(&bench);
    sent(&bench);
    ping_and_pass(&bench, 0);
    ping_and_pass(&bench, 100);
    ping_and_pass(&bench, 99);
    ping_and_pass(&bench, 100); /* what was too soon stays counted */
    ping_and_pass(&bench, 99);
    pass_ms(&bench, 99);
    put_times(&bench, 1, PING, 0, ping, 8);
    expect_end(&bench, "too-many-pings", "too_many_pings");
    close_bench(&bench);
}

static void without_a_stream_pings_are_rarer(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.ping_interval_ms = 100;
    bench.limits.idle_ping_interval_ms = 1000;
    bench.limits.hasty_pings = 1;
    talk_ok(&bench);
    sent(&bench);
    ping_and_pass(&bench, 0);
    ping_and_pass(&bench, 1000);
    pass_ms(&bench, 999);
    put_times(&bench, 1, PING, 0, ping, 8);
    expect_end(&bench, "too-many-pings", "too_many_pings");
    close_bench(&bench);
}

static void responses_forgive_pings(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.limits.hasty_pings = 1;
    bench.limits.pings = (struct sl_h2_rate){.burst = 1};
    put_request(&bench, 1, 0);
    talk_ok(&bench);
    respond(bench.stream, false);
    sent(&bench);
    for (int i = 0; i < 20; i++) {
        assert_true(sl_h2_stream_send(bench.stream, &SL_STR("hello"), 1));
        sent(&bench);
        ping_and_pass(&bench, 0);
    }
    put_times(&bench, 1, PING, 0, ping, 8);
    expect_end(&bench, "too-many-pings", "too_many_pings");
    close_bench(&bench);
}

static void a_server_may_ping_its_client_in_haste(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    for (int i = 0; i < 50; i++) {
        put_times(&bench, 1, PING, 0, ping, 8);
    }
    talk_ok(&bench);
    close_bench(&bench);
}

/* ---- windows ---- */

static void open_answering(struct bench *bench, uint32_t window)
{
    open_bench(bench, SL_H2_SERVER);
    put_setting(&bench->in, 4, window);
    put_request(bench, 1, END_STREAM);
    talk_ok(bench);
    respond(bench->stream, false);
    sent(bench);
}

static void send_zeros(struct bench *bench, size_t len)
{
    char *zeros = calloc(len, 1);
    struct sl_str piece = {zeros, len};

    assert_non_null(zeros);
    assert_true(sl_h2_stream_send(bench->stream, &piece, 1));
    free(zeros);
}

static void windows_of_a_byte_have_a_rate(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 0);
    bench.limits.tiny_frames = (struct sl_h2_rate){.burst = 3};
    send_zeros(&bench, 1000);
    assert_string_equal(sent(&bench), "");
    for (int i = 0; i < 3; i++) {
        put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 1);
        talk_ok(&bench);
        assert_string_equal(sent(&bench), "DATA 1 1\n");
    }
    put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 4); /* no less than a reader of messages gives */
    talk_ok(&bench);
    assert_string_equal(sent(&bench), "DATA 1 4\n");
    for (int i = 0; i < 2; i++) {
        put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 1);
        talk_ok(&bench);
        sent(&bench);
    }
    assert_string_equal(sl_status_reason(sl_h2_session_why(bench.session)), "tiny-window");
    close_bench(&bench);
}

static void small_messages_are_no_small_windows(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 10000);
    bench.limits.tiny_frames = (struct sl_h2_rate){0};
    for (int i = 0; i < 100; i++) {
        send_zeros(&bench, 1);
        assert_string_equal(sent(&bench), "DATA 1 1\n");
    }
    assert_true(sl_status_is_ok(sl_h2_session_why(bench.session)));
    close_bench(&bench);
}

static void a_window_that_stays_shut_is_a_stall(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 0);
    assert_false(sl_h2_session_is_stalled(bench.session));
    pass_ms(&bench, 1000 * 1000);
    send_zeros(&bench, 10);
    assert_false(sl_h2_session_is_stalled(bench.session));
    pass_ms(&bench, 30 * 1000);
    assert_false(sl_h2_session_is_stalled(bench.session));
    pass_ms(&bench, 1);
    assert_true(sl_h2_session_is_stalled(bench.session));
    put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 10);
    talk_ok(&bench);
    sent(&bench);
    assert_false(sl_h2_session_is_stalled(bench.session));
    close_bench(&bench);
}

/* A stream that has carried something for long may stop for long. */
static void a_reader_that_pauses_is_no_stall(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 10000);
    for (int i = 0; i < 100; i++) {
        pass_ms(&bench, 1000);
        send_zeros(&bench, 100);
        sent(&bench);
        assert_false(sl_h2_session_is_stalled(bench.session));
    }
    send_zeros(&bench, 100);
    assert_string_equal(sent(&bench), "");
    assert_false(sl_h2_session_is_stalled(bench.session));
    pass_ms(&bench, 30 * 1000 + 250 * 10000);
    assert_false(sl_h2_session_is_stalled(bench.session));
    pass_ms(&bench, 1);
    assert_true(sl_h2_session_is_stalled(bench.session));
    close_bench(&bench);
}

/* One message a second of ten bytes, given back a thousand at a time. */
static void a_slow_reader_with_a_window_is_no_stall(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 1000);
    send_zeros(&bench, 200 * 1000);
    sent(&bench);
    for (int i = 0; i < 150; i++) {
        for (int s = 0; s < 100; s++) {
            pass_ms(&bench, 1000);
            assert_false(sl_h2_session_is_stalled(bench.session));
        }
        put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 1000);
        put_u32_frame(&bench.in, WINDOW_UPDATE, 0, 1000);
        talk_ok(&bench);
        sent(&bench);
    }
    assert_true(sl_h2_stream_unsent(bench.stream) > 0);
    close_bench(&bench);
}

/* ---- frames without end ---- */

static void a_frame_or_block_that_is_not_complete_is_seen(void **state)
{
    struct bench bench;
    struct sl_buf block = {0};

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    talk_ok(&bench);
    pass_ms(&bench, 5);
    assert_int_equal(sl_h2_session_unfinished_ms(bench.session), 0);
    put_block(&block, request_fields);
    put_frame(&bench.in, HEADERS, 0, 1, block.data, 3);
    talk_ok(&bench);
    pass_ms(&bench, 70);
    put_frame(&bench.in, CONTINUATION, 0, 1, block.data + 3, 3);
    talk_ok(&bench);
    pass_ms(&bench, 30);
    assert_int_equal(sl_h2_session_unfinished_ms(bench.session), 100);
    put_frame(&bench.in, CONTINUATION, END_HEADERS, 1, block.data + 6, block.len - 6);
    talk_ok(&bench);
    assert_int_equal(sl_h2_session_unfinished_ms(bench.session), 0);
    put_data(&bench.in, 0, 1, "0123456789");
    bench.in.len--;
    talk_ok(&bench);
    pass_ms(&bench, 7);
    assert_int_equal(sl_h2_session_unfinished_ms(bench.session), 7);
    sl_buf_add_c(&bench.in, "9");
    talk_ok(&bench);
    assert_int_equal(sl_h2_session_unfinished_ms(bench.session), 0);
    sl_buf_fini(&block);
    close_bench(&bench);
}

/* ---- busy peers ---- */

/* Ten thousand calls in a second, every fifth cancelled at once, with an acknowledgement of what
 * came and a PING behind each response. */
static void a_busy_client_meets_no_limit(void **state)
{
    struct bench bench;
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.answers = true;
    talk_ok(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        pass_ms(&bench, 1000 / ROUNDS);
        for (int i = 0; i < CALLS_PER_ROUND; i++, id += 2) {
            put_request(&bench, id, 0);
            put_data(&bench.in, i % 5 ? END_STREAM : 0, id, "hello");
            if (i % 5 == 0) {
                put_u32_frame(&bench.in, RST_STREAM, id, SL_H2_CANCEL);
            }
        }
        talk_ok(&bench);
        sent(&bench);
        put_u32_frame(&bench.in, WINDOW_UPDATE, 0, CALLS_PER_ROUND * 5);
        put_times(&bench, 1, PING, 0, ping, 8);
        talk_ok(&bench);
    }
    sent(&bench);
    assert_int_equal(bench.closed, ROUNDS * CALLS_PER_ROUND);
    assert_int_equal(sl_h2_session_streams(bench.session), 0);
    close_bench(&bench);
}

static void a_client_that_cancels_all_its_calls_at_once_meets_no_limit(void **state)
{
    struct bench bench;
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    talk_ok(&bench);
    for (int round = 0; round < ROUNDS; round++) {
        int32_t first = id;

        pass_ms(&bench, 100);
        for (int i = 0; i < 100; i++, id += 2) {
            put_request(&bench, id, 0);
        }
        talk_ok(&bench);
        sent(&bench);
        for (int32_t old = first; old < id; old += 2) {
            put_u32_frame(&bench.in, RST_STREAM, old, SL_H2_CANCEL);
        }
        talk_ok(&bench);
    }
    assert_int_equal(bench.closed, ROUNDS * 100);
    close_bench(&bench);
}

/* A download: for each frame of DATA two window updates and a PING. */
static void a_download_meets_no_limit(void **state)
{
    struct bench bench;

    (void)state;
    open_answering(&bench, 65535);
    for (int i = 0; i < 5000; i++) {
        send_zeros(&bench, 16384);
        sent(&bench);
        put_u32_frame(&bench.in, WINDOW_UPDATE, 0, 16384);
        put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 16384);
        put_times(&bench, 1, PING, 0, ping, 8);
        talk_ok(&bench);
    }
    sent(&bench);
    assert_int_equal(sl_h2_stream_unsent(bench.stream), 0);
    close_bench(&bench);
}

/* A client's peer that answers each call with a long header. */
static void many_responses_meet_no_limit(void **state)
{
    static const struct sl_h2_field fields[] = {
        {{":method", 7}, {"POST", 4}, false},
        {{":scheme", 7}, {"http", 4}, false},
        {{":path", 5}, {"/a", 2}, false},
        {{":authority", 10}, {"x", 1}, false},
    };
    static char field[2000] = "a=";
    const char *const large[] = {":status=200", field, NULL};
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    memset(field + 2, 'x', sizeof(field) - 3);
    talk_ok(&bench);
    for (int32_t id = 1; id < 4000; id += 2) {
        assert_non_null(sl_h2_session_request(bench.session, fields, SL_ARRAY_LEN(fields), false,
                                              &stream_events, &bench));
        sent(&bench);
        put_headers(&bench.in, END_STREAM, id, large);
        talk_ok(&bench);
    }
    assert_int_equal(bench.closed, 2000);
    close_bench(&bench);
}

/* ---- the end of a server ---- */

static void a_drain_refuses_nothing_that_is_under_way(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    put_request(&bench, 1, 0);
    talk_ok(&bench);
    sent(&bench);
    sl_h2_session_drain(bench.session);
    sl_h2_session_drain(bench.session);
    assert_string_equal(sent(&bench), "PING 0\nGOAWAY 0 2147483647 NO_ERROR\n");
    assert_true(sl_h2_session_is_draining(bench.session));
    put_request(&bench, 3, 0); /* was on its way */
    put_frame(&bench.in, PING, ACK, 0, "anything", 8);
    talk_ok(&bench);
    assert_int_equal(sl_h2_session_streams(bench.session), 2);
    assert_string_equal(sent(&bench), "");
    put_frame(&bench.in, PING, ACK, 0, "draining", 8);
    talk_ok(&bench);
    assert_false(sl_h2_session_is_draining(bench.session));
    assert_string_equal(sent(&bench), "GOAWAY 0 3 NO_ERROR\n");
    put_request(&bench, 5, 0);
    talk_ok(&bench);
    assert_int_equal(sl_h2_session_streams(bench.session), 2);
    close_bench(&bench);
}

static void a_drain_can_be_cut_short(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    talk_ok(&bench);
    sent(&bench);
    sl_h2_session_drain(bench.session);
    sl_h2_session_goaway(bench.session, SL_H2_NO_ERROR);
    put_frame(&bench.in, PING, ACK, 0, "draining", 8);
    talk_ok(&bench);
    assert_string_equal(sent(&bench),
                        "PING 0\nGOAWAY 0 2147483647 NO_ERROR\nGOAWAY 0 0 NO_ERROR\n");
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_have_a_rate),
        cmocka_unit_test(answers_to_pings_are_no_pings),
        cmocka_unit_test(settings_have_a_rate),
        cmocka_unit_test(priorities_have_a_rate),
        cmocka_unit_test(empty_data_has_a_rate_padded_or_not),
        cmocka_unit_test(the_end_of_a_stream_is_no_empty_data),
        cmocka_unit_test(unknown_frames_have_a_rate_of_bytes),
        cmocka_unit_test(data_allows_more_idle_bytes),
        cmocka_unit_test(data_for_streams_that_we_reset_is_no_flood),
        cmocka_unit_test(a_large_block_costs_its_stream_a_bomb_the_connection),
        cmocka_unit_test(streams_reset_before_an_answer_have_a_rate),
        cmocka_unit_test(streams_that_were_answered_may_be_reset_and_allow_others),
        cmocka_unit_test(all_resets_have_a_rate),
        cmocka_unit_test(resets_that_the_peer_provokes_have_a_rate),
        cmocka_unit_test(resets_of_our_own_are_not_the_peer_s),
        cmocka_unit_test(a_client_that_pings_in_haste_is_told_so),
        cmocka_unit_test(without_a_stream_pings_are_rarer),
        cmocka_unit_test(responses_forgive_pings),
        cmocka_unit_test(a_server_may_ping_its_client_in_haste),
        cmocka_unit_test(windows_of_a_byte_have_a_rate),
        cmocka_unit_test(small_messages_are_no_small_windows),
        cmocka_unit_test(a_window_that_stays_shut_is_a_stall),
        cmocka_unit_test(a_reader_that_pauses_is_no_stall),
        cmocka_unit_test(a_slow_reader_with_a_window_is_no_stall),
        cmocka_unit_test(a_frame_or_block_that_is_not_complete_is_seen),
        cmocka_unit_test(a_busy_client_meets_no_limit),
        cmocka_unit_test(a_client_that_cancels_all_its_calls_at_once_meets_no_limit),
        cmocka_unit_test(a_download_meets_no_limit),
        cmocka_unit_test(many_responses_meet_no_limit),
        cmocka_unit_test(a_drain_refuses_nothing_that_is_under_way),
        cmocka_unit_test(a_drain_can_be_cut_short),
    };
    int failed = cmocka_run_group_tests_name("limits", tests, NULL, NULL);

    feeds_bytes = true;
    return failed + cmocka_run_group_tests_name("limits, byte by byte", tests, NULL, NULL);
}
