#include "h2/frames.h"

#include <stdlib.h>
#include <string.h>

/* What a bench does in its events. */
enum { CANCEL_AT_DATA = 1, GRANT_AT_OPEN = 2, RESET_AT_FIELDS = 4 };

/* A session, what was fed to it, what it sent, and what it said, one word per event. */
struct bench {
    struct sl_h2_session *session;
    struct sent *sent;
    struct sl_buf in;
    struct sl_buf said;
    struct sl_h2_stream *stream; /* the last one of a peer */
    struct sl_status why;        /* of the last one that closed */
    int does;
    size_t data_bytes;
    size_t writables;
    size_t outputs;
    bool accepts;
};

static void say(struct bench *bench, struct sl_h2_stream *stream, const char *word)
{
    sl_buf_printf(&bench->said, "%d:%s ", (int)sl_h2_stream_id(stream), word);
}

static void on_open(struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    say(bench, stream, "open");
    if (bench->does & GRANT_AT_OPEN) {
        sl_h2_stream_grant(stream, 1000);
    }
}

static void on_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                     void *arg)
{
    struct bench *bench = arg;

    say(bench, stream, "");
    bench->said.len--;
    sl_buf_printf(&bench->said, "%.*s=%.*s ", SL_STR_ARG(name), SL_STR_ARG(value));
}

static void on_fields_end(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct bench *bench = arg;

    say(bench, stream, are_trailers ? "trailers" : "fields");
    if (bench->does & RESET_AT_FIELDS) {
        sl_h2_stream_reset(stream, SL_H2_CANCEL);
    }
}

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct bench *bench = arg;

    (void)stream;
    (void)bytes;
    bench->data_bytes += len;
    return !(bench->does & CANCEL_AT_DATA);
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    say(arg, stream, "end");
}

static void on_writable(struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    (void)stream;
    bench->writables++;
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct bench *bench = arg;

    say(bench, stream, by_peer ? "close-by-peer:" : "close:");
    bench->said.len--;
    sl_buf_printf(&bench->said, "%s ", sl_h2_error_name(error));
    bench->why = sl_h2_stream_why(stream);
}

static const struct sl_h2_stream_events stream_events = {
    .on_open = on_open,
    .on_field = on_field,
    .on_fields_end = on_fields_end,
    .on_data = on_data,
    .on_end = on_end,
    .on_writable = on_writable,
    .on_close = on_close,
};

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    (void)session;
    if (bench->accepts) {
        bench->stream = stream;
        sl_h2_stream_set_events(stream, &stream_events, bench);
    }
}

static void on_goaway(struct sl_h2_session *session, int32_t last_id, uint32_t error,
                      struct sl_str text, void *arg)
{
    struct bench *bench = arg;

    (void)session;
    sl_buf_printf(&bench->said, "goaway:%d:%s:%.*s ", (int)last_id, sl_h2_error_name(error),
                  SL_STR_ARG(text));
}

static void on_output(struct sl_h2_session *session, void *arg)
{
    struct bench *bench = arg;

    (void)session;
    bench->outputs++;
}

static const struct sl_h2_session_events session_events = {
    .on_stream = on_stream,
    .on_goaway = on_goaway,
    .on_output = on_output,
};

static void open_with_limits(struct bench *bench, enum sl_h2_role role,
                             const struct sl_h2_limits *limits)
{
    *bench = (struct bench){.accepts = true, .sent = sent_new()};
    bench->session = sl_h2_session_new(role, limits, &session_events, bench);
    assert_non_null(bench->session);
}

static void open_bench(struct bench *bench, enum sl_h2_role role)
{
    open_with_limits(bench, role, NULL);
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->session);
    sent_free(bench->sent);
    sl_buf_fini(&bench->in);
    sl_buf_fini(&bench->said);
}

static const char *sent(struct bench *bench)
{
    return sent_lines(bench->sent, bench->session);
}

/* What was said since the last call. */
static void expect_said(struct bench *bench, const char *words)
{
    assert_string_equal(sl_buf_text(&bench->said), words);
    sl_buf_reset(&bench->said);
}

static void feed_ok(struct bench *bench)
{
    struct sl_status status = feed(bench->session, &bench->in);

    assert_string_equal(status.text, "");
    assert_int_equal(status.code, SL_OK);
}

static struct sl_h2_stream *request(struct bench *bench)
{
    static const struct sl_h2_field fields[] = {
        {{":method", 7}, {"POST", 4}, false}, {{":scheme", 7}, {"http", 4}, false},
        {{":path", 5}, {"/a", 2}, false},     {{":authority", 10}, {"x", 1}, false},
        {{"secret", 6}, {"s", 1}, true},
    };

    return sl_h2_session_request(bench->session, fields, SL_ARRAY_LEN(fields), true, &stream_events,
                                 bench);
}

static const char *const ok_fields[] = {":status=200", "a=b", NULL};
static const char *const request_fields[] = {":method=POST", ":scheme=http", ":path=/a",
                                             ":authority=x", NULL};

/* A client with one open stream, its SETTINGS acknowledged, and nothing to send. */
static struct sl_h2_stream *open_client(struct bench *bench)
{
    open_bench(bench, SL_H2_CLIENT);
    put_server_preface(&bench->in);
    feed_ok(bench);
    struct sl_h2_stream *stream = request(bench);
    assert_non_null(stream);
    sent(bench);
    expect_said(bench, "1:open ");
    return stream;
}

/* A server whose peer has opened stream 1. */
static struct sl_h2_stream *open_server(struct bench *bench, int flags)
{
    open_bench(bench, SL_H2_SERVER);
    put_client_preface(&bench->in);
    put_headers(&bench->in, flags, 1, request_fields);
    feed_ok(bench);
    sent(bench);
    sl_buf_reset(&bench->said);
    assert_non_null(bench->stream);
    return bench->stream;
}

/* ---- the beginning ---- */

static void a_client_begins_with_preface_settings_and_the_connection_window(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    assert_string_equal(sent(&bench), "preface\nSETTINGS 0 4=16384 6=65536 2=0\n"
                                      "WINDOW_UPDATE 0 16711681\n");
    assert_false(sl_h2_session_is_settled(bench.session));
    put_server_preface(&bench.in);
    feed_ok(&bench);
    assert_true(sl_h2_session_is_settled(bench.session));
    assert_string_equal(sent(&bench), "SETTINGS 0 ack\n");
    close_bench(&bench);
}

static void a_server_begins_with_its_limits(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    assert_string_equal(sent(&bench),
                        "SETTINGS 0 4=16384 6=65536 3=1000\nWINDOW_UPDATE 0 16711681\n");
    close_bench(&bench);
}

static void a_request_leaves_with_its_fields_and_secrets_unindexed(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    sent(&bench);
    assert_non_null(request(&bench));
    assert_int_equal(bench.outputs, 1);
    expect_said(&bench, "");
    assert_string_equal(sent(&bench),
                        "HEADERS 1 :method=POST :scheme=http :path=/a :authority=x !secret=s\n");
    expect_said(&bench, "1:open ");
    close_bench(&bench);
}

/* How long the second of two requests with the same fields is. */
static size_t second_request_bytes(const struct sl_h2_limits *limits)
{
    uint8_t out[SL_H2_OUTPUT_BYTES];
    size_t len = 0;
    struct bench bench;

    open_with_limits(&bench, SL_H2_CLIENT, limits);
    sent(&bench);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(request(&bench));
        len = sl_h2_session_output(bench.session, out, sizeof(out));
    }
    close_bench(&bench);
    return len;
}

static void what_is_said_again_takes_fewer_bytes_where_there_is_a_table(void **state)
{
    struct sl_h2_limits limits = sl_h2_default_limits;

    (void)state;
    limits.sent_table_bytes = 0;
    assert_true(second_request_bytes(&sl_h2_default_limits) < second_request_bytes(&limits));
}

/* ---- a response ---- */

static void a_response_comes_as_fields_data_trailers_end(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    static const char *const trailers[] = {"t=1", NULL};

    (void)state;
    assert_true(sl_h2_stream_finish(stream, NULL, 0));
    assert_string_equal(sent(&bench), "DATA 1 +end 0\n");
    put_headers(&bench.in, 0, 1, ok_fields);
    put_data(&bench.in, 0, 1, "hello");
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, 5);
    expect_said(&bench, "1::status=200 1:a=b 1:fields 1:t=1 1:trailers 1:end "
                        "1:close-by-peer:NO_ERROR ");
    assert_string_equal(sent(&bench), "");
    assert_int_equal(sl_h2_session_streams(bench.session), 0);
    close_bench(&bench);
}

static void an_interim_response_is_skipped(void **state)
{
    struct bench bench;
    static const char *const early[] = {":status=103", "link=x", NULL};

    (void)state;
    open_client(&bench);
    put_headers(&bench.in, 0, 1, early);
    put_headers(&bench.in, 0, 1, ok_fields);
    feed_ok(&bench);
    expect_said(&bench, "1::status=200 1:a=b 1:fields ");
    close_bench(&bench);
}

static void a_block_may_be_split_into_continuations(void **state)
{
    struct bench bench;
    struct sl_buf block = {0};

    (void)state;
    open_client(&bench);
    put_block(&block, ok_fields);
    put_frame(&bench.in, HEADERS, 0, 1, block.data, 1);
    put_frame(&bench.in, CONTINUATION, 0, 1, block.data + 1, 4);
    put_frame(&bench.in, CONTINUATION, END_HEADERS, 1, block.data + 5, block.len - 5);
    feed_ok(&bench);
    expect_said(&bench, "1::status=200 1:a=b 1:fields ");
    sl_buf_fini(&block);
    close_bench(&bench);
}

/* ---- windows ---- */

static void data_returns_connection_credit_and_never_stream_credit(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    put_headers(&bench.in, 0, 1, ok_fields);
    put_zeros(&bench.in, 0, 1, SL_H2_STREAM_WINDOW_BYTES);
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, SL_H2_STREAM_WINDOW_BYTES);
    assert_string_equal(sent(&bench), "");
    assert_int_equal(sl_h2_stream_window(stream), 0);
    sl_h2_stream_grant(stream, 12345);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 12345\n");
    assert_int_equal(sl_h2_stream_window(stream), 12345);
    close_bench(&bench);
}

static void half_of_the_connection_window_is_returned_in_one_frame(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    size_t frames = SL_H2_CONNECTION_WINDOW_BYTES / 2 / SL_H2_STREAM_WINDOW_BYTES;

    (void)state;
    if (feeds_bytes) {
        frames = 0; /* eight million calls say no more than those of the first round */
    }
    put_headers(&bench.in, 0, 1, ok_fields);
    for (size_t i = 0; i < frames; i++) {
        put_zeros(&bench.in, 0, 1, SL_H2_STREAM_WINDOW_BYTES);
        feed_ok(&bench);
        if (i + 1 < frames) {
            sl_h2_stream_grant(stream, SL_H2_STREAM_WINDOW_BYTES);
            assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 16384\n");
        } else {
            assert_string_equal(sent(&bench), "WINDOW_UPDATE 0 8388608\n");
        }
    }
    close_bench(&bench);
}

static void credit_may_be_granted_as_soon_as_the_request_has_left(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    bench.does = GRANT_AT_OPEN;
    put_server_preface(&bench.in);
    feed_ok(&bench);
    sent(&bench);
    struct sl_h2_stream *stream = request(&bench);
    sl_h2_stream_grant(stream, 77); /* too early: nothing */
    assert_non_null(strstr(sent(&bench), "\nWINDOW_UPDATE 1 1000\n"));
    assert_int_equal(sl_h2_stream_window(stream), SL_H2_STREAM_WINDOW_BYTES + 1000);
    close_bench(&bench);
}

static void padding_is_returned_at_the_end_of_its_frame(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    put_headers(&bench.in, 0, 1, ok_fields);
    put_padded(&bench.in, 0, 1, "hello", 200);
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, 5);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 201\n");
    assert_int_equal(sl_h2_stream_window(stream), SL_H2_STREAM_WINDOW_BYTES - 5);
    put_padded(&bench.in, 0, 1, "", 0);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 1\n");
    close_bench(&bench);
}

static void a_frame_beyond_the_window_never_arrives(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    put_headers(&bench.in, 0, 1, ok_fields);
    put_zeros(&bench.in, 0, 1, SL_H2_STREAM_WINDOW_BYTES - 10);
    put_zeros(&bench.in, 0, 1, 11);
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, SL_H2_STREAM_WINDOW_BYTES - 10);
    assert_string_equal(sent(&bench), "RST_STREAM 1 FLOW_CONTROL_ERROR\n");
    expect_said(&bench, "1::status=200 1:a=b 1:fields 1:close:FLOW_CONTROL_ERROR ");
    assert_string_equal(sl_status_reason(&bench.why), "window-overshoot");
    assert_string_equal(bench.why.text, "the peer sent 11 bytes of DATA into a window of 10");
    close_bench(&bench);
}

static void an_auto_window_is_returned_on_receipt(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    sl_h2_stream_set_auto_window(stream);
    put_headers(&bench.in, 0, 1, ok_fields);
    put_zeros(&bench.in, 0, 1, SL_H2_STREAM_WINDOW_BYTES / 2);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 8192\n");
    assert_int_equal(sl_h2_stream_window(stream), SL_H2_STREAM_WINDOW_BYTES);
    close_bench(&bench);
}

/* ---- ends ---- */

static void a_reset_by_the_peer_ends_the_stream_at_every_point(void **state)
{
    (void)state;
    for (int point = 0; point < 4; point++) {
        struct bench bench;

        open_client(&bench);
        if (point > 0) {
            put_headers(&bench.in, 0, 1, ok_fields);
        }
        if (point > 1) {
            put_data(&bench.in, 0, 1, "x");
        }
        if (point > 2) {
            put_data(&bench.in, END_STREAM, 1, "");
        }
        put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_ENHANCE_YOUR_CALM);
        feed_ok(&bench);
        assert_non_null(strstr(sl_buf_text(&bench.said), "1:close-by-peer:ENHANCE_YOUR_CALM "));
        assert_string_equal(sl_status_reason(&bench.why), "reset-by-peer");
        assert_int_equal(sl_h2_session_streams(bench.session), 0);
        put_data(&bench.in, 0, 1, "late");
        feed_ok(&bench);
        assert_int_equal(bench.data_bytes, point > 1 ? 1 : 0);
        close_bench(&bench);
    }
}

static void a_reset_from_here_is_sent_once_and_ends_the_stream(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    sl_h2_stream_reset(stream, SL_H2_CANCEL);
    sl_h2_stream_reset(stream, SL_H2_PROTOCOL_ERROR);
    assert_false(sl_h2_stream_send(stream, &SL_STR("x"), 1));
    put_headers(&bench.in, 0, 1, ok_fields);
    put_data(&bench.in, 0, 1, "late");
    feed_ok(&bench);
    expect_said(&bench, "");
    assert_int_equal(bench.data_bytes, 0);
    assert_string_equal(sent(&bench), "RST_STREAM 1 CANCEL\n");
    expect_said(&bench, "1:close:CANCEL ");
    close_bench(&bench);
}

static void a_refused_piece_of_data_cancels_the_stream(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    bench.does = CANCEL_AT_DATA;
    put_headers(&bench.in, 0, 1, ok_fields);
    put_data(&bench.in, 0, 1, "a");
    put_data(&bench.in, 0, 1, "b");
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, 1);
    assert_string_equal(sent(&bench), "RST_STREAM 1 CANCEL\n");
    close_bench(&bench);
}

static void a_stream_reset_in_an_event_says_nothing_more_but_its_end(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    bench.does = RESET_AT_FIELDS;
    put_headers(&bench.in, END_STREAM, 1, ok_fields);
    feed_ok(&bench);
    expect_said(&bench, "1::status=200 1:a=b 1:fields ");
    sent(&bench);
    expect_said(&bench, "1:close:CANCEL ");
    close_bench(&bench);
}

static void a_request_that_has_not_left_is_withdrawn_without_a_frame(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    sent(&bench);
    sl_h2_stream_reset(request(&bench), SL_H2_CANCEL);
    expect_said(&bench, "");
    assert_string_equal(sent(&bench), "");
    expect_said(&bench, "1:close:CANCEL ");
    close_bench(&bench);
}

static void a_request_waits_for_its_turn_and_may_be_withdrawn_meanwhile(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    put_setting(&bench.in, 3, 1); /* MAX_CONCURRENT_STREAMS */
    feed_ok(&bench);
    sent(&bench);
    assert_non_null(request(&bench));
    struct sl_h2_stream *second = request(&bench);
    assert_non_null(request(&bench));
    sent(&bench);
    expect_said(&bench, "1:open ");
    sl_h2_stream_reset(second, SL_H2_CANCEL);
    assert_string_equal(sent(&bench), "");
    expect_said(&bench, "3:close:CANCEL ");
    put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_NO_ERROR);
    feed_ok(&bench);
    sent(&bench);
    expect_said(&bench, "1:close-by-peer:NO_ERROR 5:open ");
    close_bench(&bench);
}

/* A peer that takes no stream at all, then one, then more. */
static void requests_wait_until_the_peer_takes_more(void **state)
{
    struct bench bench;
    struct sl_h2_stream *streams[4];

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    put_setting(&bench.in, 3, 0);
    feed_ok(&bench);
    sent(&bench);
    for (size_t i = 0; i < SL_ARRAY_LEN(streams); i++) {
        streams[i] = request(&bench);
        assert_non_null(streams[i]);
        assert_false(sl_h2_stream_is_open(streams[i]));
    }
    assert_true(sl_h2_stream_send(streams[0], &SL_STR("hello"), 1));
    assert_string_equal(sent(&bench), "");
    put_setting(&bench.in, 3, 1);
    feed_ok(&bench);
    assert_non_null(strstr(sent(&bench), "DATA 1 5\n"));
    expect_said(&bench, "1:open ");
    assert_true(sl_h2_stream_is_open(streams[0]));
    assert_false(sl_h2_stream_is_open(streams[1]));
    put_setting(&bench.in, 3, 3);
    feed_ok(&bench);
    sent(&bench);
    expect_said(&bench, "3:open 5:open ");
    put_u32_frame(&bench.in, RST_STREAM, 3, SL_H2_REFUSED_STREAM);
    feed_ok(&bench);
    sent(&bench);
    expect_said(&bench, "3:close-by-peer:REFUSED_STREAM 7:open ");
    close_bench(&bench);
}

static void a_goaway_refuses_what_is_above_its_last_stream(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    assert_non_null(request(&bench));
    sent(&bench);
    assert_non_null(request(&bench)); /* has not left */
    sl_buf_reset(&bench.said);
    put_goaway(&bench.in, 1, SL_H2_NO_ERROR, "bye");
    put_headers(&bench.in, 0, 1, ok_fields);
    feed_ok(&bench);
    assert_null(request(&bench));
    assert_string_equal(sent(&bench), "");
    expect_said(&bench, "goaway:1:NO_ERROR:bye 3:close-by-peer:REFUSED_STREAM 1::status=200 "
                        "1:a=b 1:fields 5:close-by-peer:REFUSED_STREAM ");
    assert_false(sl_h2_session_is_done(bench.session));
    put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_NO_ERROR);
    feed_ok(&bench);
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

static void a_client_may_say_goodbye_with_a_stream_of_its_own(void **state)
{
    struct bench bench;

    (void)state;
    open_server(&bench, END_STREAM);
    sl_buf_reset(&bench.said);
    put_goaway(&bench.in, 1, SL_H2_NO_ERROR, "bye");
    feed_ok(&bench);
    expect_said(&bench, "goaway:1:NO_ERROR:bye ");
    sent(&bench);
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

static void our_goaway_lets_open_streams_go_on(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    sl_h2_session_goaway(bench.session, SL_H2_NO_ERROR);
    sl_h2_session_goaway(bench.session, SL_H2_NO_ERROR);
    assert_null(request(&bench));
    assert_string_equal(sent(&bench), "GOAWAY 0 0 NO_ERROR\n");
    put_headers(&bench.in, 0, 1, ok_fields);
    feed_ok(&bench);
    expect_said(&bench, "1::status=200 1:a=b 1:fields ");
    assert_false(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

static void a_held_stream_closes_after_its_release(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    sl_h2_stream_hold(stream);
    put_headers(&bench.in, 0, 1, ok_fields);
    put_data(&bench.in, 0, 1, "hello");
    put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_CANCEL);
    feed_ok(&bench);
    sent(&bench);
    expect_said(&bench, "1::status=200 1:a=b 1:fields ");
    assert_int_equal(sl_h2_session_streams(bench.session), 1);
    sl_h2_stream_grant(stream, 5);
    assert_int_equal(sl_h2_stream_window(stream), 0);
    assert_string_equal(sent(&bench), "");
    sl_h2_stream_release(stream);
    expect_said(&bench, "");
    sent(&bench);
    expect_said(&bench, "1:close-by-peer:CANCEL ");
    close_bench(&bench);
}

static void a_session_that_goes_ends_every_stream(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    sl_h2_stream_hold(stream);
    assert_non_null(request(&bench));
    sl_h2_stream_reset(request(&bench), SL_H2_CANCEL);
    sl_h2_session_free(bench.session);
    expect_said(&bench, "5:close:CANCEL 1:close:INTERNAL_ERROR 3:close:INTERNAL_ERROR ");
    bench.session = sl_h2_session_new(SL_H2_CLIENT, NULL, &session_events, &bench);
    close_bench(&bench);
}

/* ---- sending ---- */

static void a_send_is_whole_or_refused_and_writable_follows(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    static const char piece[100 * 1000];
    struct sl_str str = {piece, sizeof(piece)};

    (void)state;
    assert_true(sl_h2_stream_send(stream, &str, 1));
    assert_true(sl_h2_stream_send(stream, &str, 1));
    assert_false(sl_h2_stream_send(stream, &str, 1));
    sent(&bench); /* the peer's window: 65,535 */
    assert_int_equal(sl_h2_stream_unsent(stream), 200000 - 65535);
    assert_int_equal(bench.writables, 0);
    put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 100000);
    put_u32_frame(&bench.in, WINDOW_UPDATE, 0, 100000);
    feed_ok(&bench);
    sent(&bench);
    assert_int_equal(sl_h2_stream_unsent(stream), 200000 - 165535);
    assert_int_equal(bench.writables, 1);
    close_bench(&bench);
}

/* Output is due, of which nothing comes: so the link says that everything that may leave has left.
 */
static void a_message_behind_a_window_that_is_just_used_up_is_told(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    static const char piece[65535];
    size_t outputs;

    (void)state;
    assert_true(sl_h2_stream_send(stream, &(struct sl_str){piece, sizeof(piece)}, 1));
    sent(&bench);
    assert_int_equal(sl_h2_stream_unsent(stream), 0);
    outputs = bench.outputs;
    assert_true(sl_h2_stream_send(stream, &(struct sl_str){piece, 1}, 1));
    assert_int_equal(bench.outputs, outputs + 1);
    assert_string_equal(sent(&bench), "");
    assert_int_equal(sl_h2_stream_unsent(stream), 1);
    put_u32_frame(&bench.in, WINDOW_UPDATE, 1, 1);
    put_u32_frame(&bench.in, WINDOW_UPDATE, 0, 1);
    feed_ok(&bench);
    sent(&bench);
    assert_int_equal(sl_h2_stream_unsent(stream), 0);
    close_bench(&bench);
}

static void an_empty_buffer_takes_a_message_of_any_length(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    size_t len = 3 * SL_H2_SEND_BUFFER_BYTES;
    char *large = calloc(len, 1);
    struct sl_str pieces[] = {SL_STR("head"), {large, len}};

    (void)state;
    assert_non_null(large);
    assert_true(sl_h2_stream_send(stream, pieces, 2));
    assert_false(sl_h2_stream_send(stream, pieces, 1));
    assert_int_equal(sl_h2_stream_unsent(stream), len + 4);
    free(large);
    close_bench(&bench);
}

/* Of a client whose peer takes 65,535 bytes: three whole frames and what is left. */
static void frames_leave_together_as_far_as_there_is_room(void **state)
{
    enum { WHOLE_BYTES = 9 + 16384 };
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);
    static uint8_t out[2 * WHOLE_BYTES + SL_H2_OUTPUT_BYTES];
    static char text[60000];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i % 251);
    }
    assert_true(sl_h2_stream_send(stream, &(struct sl_str){text, sizeof(text)}, 1));
    sl_h2_session_ping(bench.session);
    assert_int_equal(sl_h2_session_output(bench.session, out, SL_H2_OUTPUT_BYTES), 9 + 8);
    assert_int_equal(sl_h2_session_output(bench.session, out, sizeof(out)), 3 * WHOLE_BYTES);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(out + i * WHOLE_BYTES, "\0\x40\0\0\0\0\0\0\1", 9);
        assert_memory_equal(out + i * WHOLE_BYTES + 9, text + i * 16384, 16384);
    }
    assert_int_equal(sl_h2_session_output(bench.session, out, sizeof(out)), 9 + 60000 - 3 * 16384);
    assert_memory_equal(out + 9, text + 3 * 16384, 60000 - 3 * 16384);
    assert_int_equal(sl_h2_session_output(bench.session, out, sizeof(out)), 0);
    close_bench(&bench);
}

static void an_end_follows_what_was_sent(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    assert_true(sl_h2_stream_send(stream, &SL_STR("hello"), 1));
    assert_true(sl_h2_stream_finish(stream, NULL, 0));
    assert_false(sl_h2_stream_send(stream, &SL_STR("more"), 1));
    assert_string_equal(sent(&bench), "DATA 1 +end 5\n");
    close_bench(&bench);
}

static void a_small_piece_after_another_leaves_by_itself(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(sl_h2_stream_send(stream, &SL_STR("hello"), 1));
        assert_string_equal(sent(&bench), "DATA 1 5\n");
    }
    close_bench(&bench);
}

/* ---- the server's side ---- */

static void a_server_answers_with_fields_data_and_trailers(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_server(&bench, END_STREAM);
    const struct sl_h2_field fields[] = {{SL_STR(":status"), SL_STR("200"), false}};
    const struct sl_h2_field trailers[] = {{SL_STR("t"), SL_STR("1"), false}};

    (void)state;
    assert_true(sl_h2_stream_respond(stream, fields, 1, false));
    assert_true(sl_h2_stream_send(stream, &SL_STR("hello"), 1));
    assert_true(sl_h2_stream_finish(stream, trailers, 1));
    assert_string_equal(sent(&bench), "HEADERS 1 :status=200\nDATA 1 5\nHEADERS 1 +end t=1\n");
    expect_said(&bench, "1:close:NO_ERROR ");
    close_bench(&bench);
}

static void a_request_that_goes_on_after_the_answer_is_stopped(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_server(&bench, 0);
    const struct sl_h2_field fields[] = {{SL_STR(":status"), SL_STR("200"), false}};

    (void)state;
    assert_true(sl_h2_stream_respond(stream, fields, 1, true));
    assert_string_equal(sent(&bench), "HEADERS 1 +end :status=200\nRST_STREAM 1 NO_ERROR\n");
    expect_said(&bench, "1:close:NO_ERROR ");
    put_data(&bench.in, 0, 1, "late");
    feed_ok(&bench);
    assert_int_equal(bench.data_bytes, 0);
    close_bench(&bench);
}

static void trailers_without_data_need_no_empty_frame(void **state)
{
    struct bench bench;
    struct sl_h2_stream *stream = open_server(&bench, END_STREAM);
    const struct sl_h2_field fields[] = {{SL_STR(":status"), SL_STR("200"), false}};
    const struct sl_h2_field trailers[] = {{SL_STR("t"), SL_STR("1"), false}};

    (void)state;
    assert_true(sl_h2_stream_respond(stream, fields, 1, false));
    assert_string_equal(sent(&bench), "HEADERS 1 :status=200\n");
    assert_true(sl_h2_stream_finish(stream, trailers, 1));
    assert_string_equal(sent(&bench), "HEADERS 1 +end t=1\n");
    close_bench(&bench);
}

static void a_stream_that_nobody_takes_is_refused(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    sent(&bench);
    bench.accepts = false;
    put_client_preface(&bench.in);
    put_headers(&bench.in, 0, 1, request_fields);
    put_data(&bench.in, 0, 1, "x");
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "SETTINGS 0 ack\nRST_STREAM 1 REFUSED_STREAM\n");
    assert_int_equal(sl_h2_session_streams(bench.session), 0);
    close_bench(&bench);
}

/* ---- limits ---- */

static void a_block_of_too_many_fields_resets_its_stream(void **state)
{
    struct bench bench;
    const char *fields[202] = {":status=200"};

    (void)state;
    open_client(&bench);
    for (size_t i = 1; i <= sl_h2_default_limits.header_fields; i++) {
        fields[i] = "a=b";
    }
    put_headers(&bench.in, 0, 1, fields);
    feed_ok(&bench);
    assert_null(strstr(sl_buf_text(&bench.said), "fields"));
    assert_string_equal(sent(&bench), "RST_STREAM 1 ENHANCE_YOUR_CALM\n");
    close_bench(&bench);
}

/* The request is through, so this block is all that was missing: no RST_STREAM is due. */
static void a_block_of_too_many_fields_is_no_regular_end(void **state)
{
    struct bench bench;
    const char *fields[202] = {":status=200"};
    struct sl_h2_stream *stream = open_client(&bench);

    (void)state;
    for (size_t i = 1; i <= sl_h2_default_limits.header_fields; i++) {
        fields[i] = "a=b";
    }
    assert_true(sl_h2_stream_finish(stream, NULL, 0));
    sent(&bench);
    put_headers(&bench.in, END_STREAM, 1, fields);
    feed_ok(&bench);
    sent(&bench);
    assert_non_null(strstr(sl_buf_text(&bench.said), "1:close:ENHANCE_YOUR_CALM"));
    assert_null(strstr(sl_buf_text(&bench.said), "1:end"));
    assert_string_equal(sl_status_reason(&bench.why), "header-too-large");
    close_bench(&bench);
}

static void a_block_of_too_many_bytes_resets_its_stream(void **state)
{
    struct bench bench;
    struct sl_buf block = {0};
    char field[8 * 1024] = "a=";
    const char *fields[] = {":status=200", field, field, field, field, field,
                            field,         field, field, field, NULL};
    size_t at = 0;

    (void)state;
    open_client(&bench);
    memset(field + 2, 'x', sizeof(field) - 3);
    put_block(&block, fields);
    while (at < block.len) {
        size_t len = sl_min_size(block.len - at, 16000);
        bool is_last = at + len == block.len;

        put_frame(&bench.in, at ? CONTINUATION : HEADERS, is_last ? END_HEADERS : 0, 1,
                  block.data + at, len);
        at += len;
    }
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "RST_STREAM 1 ENHANCE_YOUR_CALM\n");
    sl_buf_fini(&block);
    close_bench(&bench);
}

static void a_peer_that_pings_and_does_not_read_is_dropped(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_client(&bench);
    for (int i = 0; i < 200; i++) {
        put_frame(&bench.in, PING, 0, 0, "12345678", 8);
    }
    status = feed(bench.session, &bench.in);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&status), "ack-flood");
    assert_non_null(strstr(status.text, "(100 at most)"));
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

static void resets_that_the_peer_does_not_read_are_bounded(void **state)
{
    struct bench bench;
    struct sl_status status = sl_status_ok();
    int32_t id = 1;

    (void)state;
    open_bench(&bench, SL_H2_SERVER);
    bench.accepts = false;
    put_client_preface(&bench.in);
    bench.in.len -= 9; /* it never acknowledges: the limit of streams does not hold yet */
    for (; sl_status_is_ok(&status) && id < 60000; id += 2) {
        put_headers(&bench.in, END_STREAM, id, request_fields);
        if (id % 1000 == 1) {
            status = feed(bench.session, &bench.in);
        }
    }
    assert_false(sl_status_is_ok(&status));
    assert_true(id < 30000);
    close_bench(&bench);
}

/* ---- nonsense ---- */

static void bytes_that_are_not_http2_are_an_error(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    sl_buf_add_c(&bench.in, "HTTP/1.1 400 Bad Request\r\n\r\n");
    status = feed(bench.session, &bench.in);
    assert_int_equal(status.code, SL_UNAVAILABLE);
    assert_string_equal(sl_status_reason(&status), "not-http2");
    assert_non_null(strstr(status.text, feeds_bytes ? "HTT" : "HTTP/1.1 400 Bad Request"));
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
    open_bench(&bench, SL_H2_SERVER);
    sl_buf_add_c(&bench.in, "GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n");
    status = feed(bench.session, &bench.in);
    assert_int_equal(status.code, SL_UNAVAILABLE);
    assert_string_equal(sl_status_reason(&status), "not-http2");
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

/* A server that wants TLS answers a client without it by an alert of seven bytes. */
static void a_peer_that_speaks_tls_is_told_by_its_first_bytes(void **state)
{
    static const char alert[] = {0x15, 3, 3, 0, 2, 2, 70};
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    sl_buf_add(&bench.in, alert, sizeof(alert));
    status = feed(bench.session, &bench.in);
    assert_string_equal(sl_status_reason(&status), "not-http2");
    assert_non_null(strstr(status.text, "speaks TLS"));
    close_bench(&bench);
}

static void a_client_s_peer_begins_with_settings(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_bench(&bench, SL_H2_CLIENT);
    put_frame(&bench.in, PING, 0, 0, "12345678", 8);
    status = feed(bench.session, &bench.in);
    assert_string_equal(sl_status_reason(&status), "not-http2");
    assert_false(sl_h2_session_is_greeted(bench.session));
    close_bench(&bench);
    open_bench(&bench, SL_H2_CLIENT);
    put_setting(&bench.in, 4, 1000);
    feed_ok(&bench);
    assert_true(sl_h2_session_is_greeted(bench.session));
    assert_false(sl_h2_session_is_settled(bench.session));
    close_bench(&bench);
}

/* Before any output the reason is known, and the GOAWAY is all that is left to send. */
static void a_broken_rule_is_told_in_words(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_client(&bench);
    put_frame(&bench.in, PING, 0, 0, "12345678", 8);
    put_data(&bench.in, 0, 9, "x");
    status = feed(bench.session, &bench.in);
    assert_string_equal(sl_status_reason(&status), "broke-http2");
    assert_string_equal(status.text, "the peer broke HTTP/2: PROTOCOL_ERROR: DATA: stream in idle");
    const char *lines = sent(&bench);
    assert_true(sl_str_starts_with(sl_str_from(lines), SL_STR("GOAWAY 0 0 PROTOCOL_ERROR")));
    assert_true(sl_h2_session_is_done(bench.session));
    close_bench(&bench);
}

static void a_ping_leaves(void **state)
{
    struct bench bench;

    (void)state;
    open_client(&bench);
    sl_h2_session_ping(bench.session);
    assert_true(sl_str_starts_with(sl_str_from(sent(&bench)), SL_STR("PING 0")));
    close_bench(&bench);
}

static void a_broken_frame_ends_the_connection(void **state)
{
    static const struct {
        enum frame_type type;
        int flags;
        int32_t id;
        const char *payload;
        size_t len;
    } frames[] = {
        {PING, 0, 0, "short", 5},
        {DATA, 0, 0, "x", 1},
        {DATA, 0, 9, "x", 1},
        {DATA, PADDED, 1, "\xff", 1},
        {HEADERS, END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff", 6},
        {CONTINUATION, END_HEADERS, 1, "", 0},
        {PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2", 4},
        {SETTINGS, 0, 0, "\0\4\xff\xff\xff\xff", 6},
        {WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4},
        {RST_STREAM, 0, 9, "\0\0\0\0", 4},
        {GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0", 8},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(frames); i++) {
        struct bench bench;
        struct sl_status status;

        open_client(&bench);
        put_frame(&bench.in, frames[i].type, frames[i].flags, frames[i].id, frames[i].payload,
                  frames[i].len);
        put_data(&bench.in, 0, 1, "after it");
        status = feed(bench.session, &bench.in);
        assert_int_equal(status.code, SL_INTERNAL);
        assert_non_null(strstr(sent(&bench), "GOAWAY 0"));
        assert_true(sl_h2_session_is_done(bench.session));
        assert_int_equal(bench.data_bytes, 0);
        close_bench(&bench);
    }
}

static void a_broken_response_ends_its_stream_alone(void **state)
{
    static const char *const broken[][4] = {
        {"a=b", NULL},
        {":status=200", "Upper=x", NULL},
        {":status=200", ":path=/", NULL},
        {":status=200", "connection=close", NULL},
        {":status=2x0", NULL},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct bench bench;

        open_client(&bench);
        put_headers(&bench.in, 0, 1, broken[i]);
        feed_ok(&bench);
        assert_string_equal(sent(&bench), "RST_STREAM 1 PROTOCOL_ERROR\n");
        assert_non_null(strstr(sl_buf_text(&bench.said), "1:close:PROTOCOL_ERROR "));
        assert_non_null(request(&bench));
        close_bench(&bench);
    }
}

static void data_before_the_response_ends_the_connection(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_client(&bench);
    put_data(&bench.in, 0, 1, "x");
    status = feed(bench.session, &bench.in);
    assert_int_equal(status.code, SL_INTERNAL);
    assert_int_equal(bench.data_bytes, 0);
    close_bench(&bench);
}

static void endless_continuations_end_the_connection(void **state)
{
    struct bench bench;
    struct sl_status status;

    (void)state;
    open_client(&bench);
    put_frame(&bench.in, HEADERS, 0, 1, "", 0);
    for (int i = 0; i < 1000; i++) {
        put_frame(&bench.in, CONTINUATION, 0, 1, "", 0);
    }
    status = feed(bench.session, &bench.in);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&status), "header-without-end");
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_begins_with_preface_settings_and_the_connection_window),
        cmocka_unit_test(a_server_begins_with_its_limits),
        cmocka_unit_test(a_request_leaves_with_its_fields_and_secrets_unindexed),
        cmocka_unit_test(what_is_said_again_takes_fewer_bytes_where_there_is_a_table),
        cmocka_unit_test(a_response_comes_as_fields_data_trailers_end),
        cmocka_unit_test(an_interim_response_is_skipped),
        cmocka_unit_test(a_block_may_be_split_into_continuations),
        cmocka_unit_test(data_returns_connection_credit_and_never_stream_credit),
        cmocka_unit_test(half_of_the_connection_window_is_returned_in_one_frame),
        cmocka_unit_test(credit_may_be_granted_as_soon_as_the_request_has_left),
        cmocka_unit_test(padding_is_returned_at_the_end_of_its_frame),
        cmocka_unit_test(a_frame_beyond_the_window_never_arrives),
        cmocka_unit_test(an_auto_window_is_returned_on_receipt),
        cmocka_unit_test(a_reset_by_the_peer_ends_the_stream_at_every_point),
        cmocka_unit_test(a_reset_from_here_is_sent_once_and_ends_the_stream),
        cmocka_unit_test(a_refused_piece_of_data_cancels_the_stream),
        cmocka_unit_test(a_stream_reset_in_an_event_says_nothing_more_but_its_end),
        cmocka_unit_test(a_request_that_has_not_left_is_withdrawn_without_a_frame),
        cmocka_unit_test(a_request_waits_for_its_turn_and_may_be_withdrawn_meanwhile),
        cmocka_unit_test(requests_wait_until_the_peer_takes_more),
        cmocka_unit_test(a_goaway_refuses_what_is_above_its_last_stream),
        cmocka_unit_test(a_client_may_say_goodbye_with_a_stream_of_its_own),
        cmocka_unit_test(our_goaway_lets_open_streams_go_on),
        cmocka_unit_test(a_held_stream_closes_after_its_release),
        cmocka_unit_test(a_session_that_goes_ends_every_stream),
        cmocka_unit_test(a_send_is_whole_or_refused_and_writable_follows),
        cmocka_unit_test(a_message_behind_a_window_that_is_just_used_up_is_told),
        cmocka_unit_test(an_empty_buffer_takes_a_message_of_any_length),
        cmocka_unit_test(frames_leave_together_as_far_as_there_is_room),
        cmocka_unit_test(an_end_follows_what_was_sent),
        cmocka_unit_test(a_small_piece_after_another_leaves_by_itself),
        cmocka_unit_test(a_server_answers_with_fields_data_and_trailers),
        cmocka_unit_test(a_request_that_goes_on_after_the_answer_is_stopped),
        cmocka_unit_test(trailers_without_data_need_no_empty_frame),
        cmocka_unit_test(a_stream_that_nobody_takes_is_refused),
        cmocka_unit_test(a_block_of_too_many_fields_resets_its_stream),
        cmocka_unit_test(a_block_of_too_many_fields_is_no_regular_end),
        cmocka_unit_test(a_block_of_too_many_bytes_resets_its_stream),
        cmocka_unit_test(a_peer_that_pings_and_does_not_read_is_dropped),
        cmocka_unit_test(resets_that_the_peer_does_not_read_are_bounded),
        cmocka_unit_test(bytes_that_are_not_http2_are_an_error),
        cmocka_unit_test(a_peer_that_speaks_tls_is_told_by_its_first_bytes),
        cmocka_unit_test(a_client_s_peer_begins_with_settings),
        cmocka_unit_test(a_broken_rule_is_told_in_words),
        cmocka_unit_test(a_ping_leaves),
        cmocka_unit_test(a_broken_frame_ends_the_connection),
        cmocka_unit_test(a_broken_response_ends_its_stream_alone),
        cmocka_unit_test(data_before_the_response_ends_the_connection),
        cmocka_unit_test(endless_continuations_end_the_connection),
    };
    int failed = cmocka_run_group_tests_name("session", tests, NULL, NULL);

    feeds_bytes = true;
    return failed + cmocka_run_group_tests_name("session, byte by byte", tests, NULL, NULL);
}
