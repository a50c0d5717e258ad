#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/buf.h"
#include "h2/frames.h"
#include "h2/link.h"

enum {
    TIMEOUT_MS = 20000,
    DIAL_TIMEOUT_MS = 5000,
    PIECE_BYTES = 50 * 1000,
    WHOLE_BYTES = 40 * PIECE_BYTES,
};

/* One end of the connection and its one stream. */
struct end {
    struct bench *bench;
    struct sl_h2_link *link;
    struct sl_h2_stream *stream;
    struct sl_conn *raw; /* instead of a link */
    size_t sent_bytes;
    size_t received_bytes;
    uint32_t stream_error;
    enum sl_code why_at_stream_end;
    bool is_granting;
    bool answers; /* a request with a byte */
    bool has_stream_ended;
    bool is_closed;
    unsigned greetings; /* the peer's first SETTINGS */
    uint32_t goaways;
    struct sl_status why;
    struct sl_status stream_why;
    struct sl_buf heard; /* a raw end: what it has not looked at */
    bool is_past_magic;
    unsigned pings; /* that a raw end has answered */
};

struct bench {
    struct sl_loop *loop;
    struct sl_listener *listener;
    struct sl_timer *timeout;
    struct end client;
    struct end server;
    bool (*is_met)(struct bench *bench);
    bool is_late;
    struct sl_h2_limits limits; /* the server's */
    bool wants_raw_server;
    bool wants_raw_client;
    bool is_quiet_over;
};

static void check(struct bench *bench)
{
    if (bench->is_met && bench->is_met(bench)) {
        sl_loop_stop(bench->loop);
    }
}

static void on_timeout(void *arg)
{
    struct bench *bench = arg;

    bench->is_late = true;
    sl_loop_stop(bench->loop);
}

static void run_until(struct bench *bench, bool (*is_met)(struct bench *bench))
{
    bench->is_met = is_met;
    if (is_met(bench)) {
        return;
    }
    sl_timer_start(bench->timeout, TIMEOUT_MS);
    sl_loop_run(bench->loop);
    sl_timer_stop(bench->timeout);
    assert_false(bench->is_late);
}

/* As much as the stream takes, until all of it is in; then its end. */
static void fill(struct end *end)
{
    static const char piece[PIECE_BYTES];
    struct sl_str str = {piece, sizeof(piece)};

    while (end->sent_bytes < WHOLE_BYTES && sl_h2_stream_send(end->stream, &str, 1)) {
        end->sent_bytes += sizeof(piece);
        if (end->sent_bytes == WHOLE_BYTES) {
            assert_true(sl_h2_stream_finish(end->stream, NULL, 0));
        }
    }
}

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct end *end = arg;

    (void)bytes;
    end->received_bytes += len;
    if (end->is_granting) {
        sl_h2_stream_grant(stream, (uint32_t)len);
    }
    check(end->bench);
    return true;
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    const struct sl_h2_field status = {.name = SL_STR(":status"), .value = SL_STR("200")};
    const struct end *end = arg;

    assert_true(sl_h2_stream_respond(stream, &status, 1, !end->answers));
    if (end->answers) {
        assert_true(sl_h2_stream_send(stream, &SL_STR("x"), 1));
    }
}

static void on_writable(struct sl_h2_stream *stream, void *arg)
{
    (void)stream;
    fill(arg);
}

static void on_stream_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct end *end = arg;

    (void)stream;
    (void)by_peer;
    end->stream = NULL;
    end->stream_error = error;
    end->stream_why = sl_h2_stream_why(stream);
    end->has_stream_ended = true;
    end->why_at_stream_end = sl_h2_link_why(end->link)->code;
    check(end->bench);
}

static const struct sl_h2_stream_events client_stream = {
    .on_writable = on_writable,
    .on_close = on_stream_close,
};

static const struct sl_h2_stream_events server_stream = {
    .on_data = on_data,
    .on_end = on_end,
    .on_close = on_stream_close,
};

static void on_stream(struct sl_h2_link *link, struct sl_h2_stream *stream, void *arg)
{
    struct end *end = arg;

    (void)link;
    end->stream = stream;
    sl_h2_stream_set_events(stream, &server_stream, end);
}

static void on_greeted(struct sl_h2_link *link, void *arg)
{
    struct end *end = arg;

    (void)link;
    assert_int_equal(end->goaways, 0);
    end->greetings++;
    check(end->bench);
}

static void on_goaway(struct sl_h2_link *link, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg)
{
    struct end *end = arg;

    (void)link;
    (void)last_stream_id;
    (void)error;
    (void)debug_data;
    end->goaways++;
    check(end->bench);
}

static void on_sent(struct sl_h2_link *link, void *arg)
{
    struct end *end = arg;

    (void)link;
    check(end->bench);
}

static void on_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct end *end = arg;

    assert_ptr_equal(link, end->link);
    end->link = NULL;
    end->is_closed = true;
    end->why = *why;
    check(end->bench);
}

static const struct sl_h2_link_events link_events = {
    .on_stream = on_stream,
    .on_greeted = on_greeted,
    .on_goaway = on_goaway,
    .on_sent = on_sent,
    .on_closed = on_closed,
};

static void on_raw_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct end *end = arg;

    (void)conn;
    (void)why;
    end->raw = NULL;
    end->is_closed = true;
    check(end->bench);
}

static const struct sl_conn_events raw_events = {.on_close = on_raw_close};

/* Answers the PING frames among what came. */
static void answer_pings(struct end *end)
{
    enum { HEAD = 9, MAGIC = 24 };
    const uint8_t *bytes = (const uint8_t *)end->heard.data;
    size_t at = 0;

    if (!end->is_past_magic && end->heard.len >= MAGIC) {
        end->is_past_magic = true;
        at = MAGIC;
    }
    while (end->is_past_magic && end->heard.len - at >= HEAD) {
        size_t len = (size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2];
        if (end->heard.len - at < HEAD + len) {
            break;
        }
        if (bytes[at + 3] == 6) {
            const uint8_t head[HEAD] = {0, 0, 8, 6, 1};
            end->pings++;
            sl_conn_write(end->raw, head, sizeof(head));
            sl_conn_write(end->raw, bytes + at + HEAD, len);
        }
        at += HEAD + len;
    }
    sl_buf_drop(&end->heard, at);
}

static void on_raw_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct end *end = arg;

    (void)conn;
    sl_buf_add(&end->heard, bytes, len);
    answer_pings(end);
    check(end->bench);
}

static const struct sl_conn_events answering_events = {
    .on_read = on_raw_read,
    .on_close = on_raw_close,
};

static void take(struct end *end, struct sl_conn *conn, enum sl_h2_role role, bool is_raw)
{
    if (is_raw) {
        end->raw = conn;
        sl_conn_set_events(conn, &raw_events, end);
    } else {
        end->link =
            sl_h2_link_open(end->bench->loop, conn, role,
                            role == SL_H2_SERVER ? &end->bench->limits : NULL, &link_events, end);
        assert_non_null(end->link);
    }
    check(end->bench);
}

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct bench *bench = arg;

    (void)listener;
    take(&bench->server, conn, SL_H2_SERVER, bench->wants_raw_server);
}

static void on_open(struct sl_conn *conn, void *arg)
{
    struct bench *bench = arg;

    take(&bench->client, conn, SL_H2_CLIENT, bench->wants_raw_client);
}

static const struct sl_conn_events dial_events = {.on_open = on_open};

static bool is_up(struct bench *bench)
{
    return (bench->client.link || bench->client.raw) && (bench->server.link || bench->server.raw);
}

static bool is_down(struct bench *bench)
{
    return bench->client.is_closed && bench->server.is_closed;
}

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    const struct sl_listener_options options = {
        .address = {.host = "127.0.0.1"}, .accept = on_accept, .arg = bench};
    struct sl_status why;

    assert_non_null(bench);
    bench->limits = sl_h2_default_limits;
    bench->client.bench = bench;
    bench->server.bench = bench;
    bench->server.is_granting = true;
    bench->loop = sl_loop_new();
    assert_non_null(bench->loop);
    bench->timeout = sl_timer_new(bench->loop, on_timeout, bench);
    bench->listener = sl_listener_open(bench->loop, &options, &why);
    assert_non_null(bench->listener);
    *state = bench;
    return 0;
}

static void close_end(struct end *end)
{
    if (end->link) {
        sl_h2_link_close(end->link);
    } else if (end->raw) {
        sl_conn_close(end->raw);
    }
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    close_end(&bench->client);
    close_end(&bench->server);
    run_until(bench, is_down);
    sl_buf_fini(&bench->server.heard);
    sl_listener_close(bench->listener);
    sl_timer_free(bench->timeout);
    sl_loop_free(bench->loop);
    free(bench);
    return 0;
}

static void connect_both(struct bench *bench)
{
    const struct sl_dial_options options = {
        .address = {.host = "127.0.0.1", .port = sl_listener_port(bench->listener)},
        .timeout_ms = DIAL_TIMEOUT_MS};

    assert_non_null(sl_conn_dial(bench->loop, &options, &dial_events, bench));
    run_until(bench, is_up);
}

static void request(struct bench *bench)
{
    const struct sl_h2_field fields[] = {
        {.name = SL_STR(":method"), .value = SL_STR("POST")},
        {.name = SL_STR(":scheme"), .value = SL_STR("http")},
        {.name = SL_STR(":path"), .value = SL_STR("/")},
        {.name = SL_STR(":authority"), .value = SL_STR("here")},
    };
    struct end *client = &bench->client;

    client->stream = sl_h2_session_request(sl_h2_link_session(client->link), fields,
                                           SL_ARRAY_LEN(fields), true, &client_stream, client);
    assert_non_null(client->stream);
    fill(client);
}

static bool has_server_stream(struct bench *bench)
{
    return bench->server.received_bytes > 0;
}

static bool have_streams_ended(struct bench *bench)
{
    return bench->client.has_stream_ended && bench->server.has_stream_ended;
}

static bool is_window_used_up(struct bench *bench)
{
    return bench->server.received_bytes >= SL_H2_STREAM_WINDOW_BYTES && bench->server.stream &&
           sl_h2_stream_window(bench->server.stream) == 0;
}

static void everything_arrives_however_large(void **state)
{
    struct bench *bench = *state;

    connect_both(bench);
    request(bench);
    run_until(bench, have_streams_ended);
    assert_int_equal(bench->server.received_bytes, WHOLE_BYTES);
    assert_int_equal(bench->client.stream_error, SL_H2_NO_ERROR);
    assert_int_equal(bench->client.why_at_stream_end, SL_OK);
    assert_int_equal(sl_h2_link_why(bench->client.link)->code, SL_OK);
}

static void without_grants_the_rest_stays_in_the_send_buffer(void **state)
{
    struct bench *bench = *state;

    bench->server.is_granting = false;
    connect_both(bench);
    request(bench);
    run_until(bench, is_window_used_up);
    assert_true(bench->client.sent_bytes <=
                bench->server.received_bytes + SL_H2_SEND_BUFFER_BYTES + PIECE_BYTES);
    assert_true(sl_h2_stream_unsent(bench->client.stream) > 0);
}

static void drain_waits_for_the_open_streams(void **state)
{
    struct bench *bench = *state;

    connect_both(bench);
    request(bench);
    run_until(bench, has_server_stream);
    sl_h2_link_drain(bench->server.link);
    run_until(bench, is_down);
    assert_int_equal(bench->server.received_bytes, WHOLE_BYTES);
    assert_int_equal(bench->client.stream_error, SL_H2_NO_ERROR);
    assert_int_equal(bench->client.goaways, 1);
    assert_int_equal(bench->client.why.code, SL_UNAVAILABLE);
    assert_int_equal(bench->server.why.code, SL_CANCELLED);
}

static void drain_without_streams_closes_at_once(void **state)
{
    struct bench *bench = *state;

    connect_both(bench);
    sl_h2_link_drain(bench->client.link);
    run_until(bench, is_down);
    assert_int_equal(bench->client.why.code, SL_CANCELLED);
    assert_int_equal(bench->server.why.code, SL_UNAVAILABLE);
}

static void close_ends_the_streams_first_and_says_why(void **state)
{
    struct bench *bench = *state;

    connect_both(bench);
    request(bench);
    run_until(bench, has_server_stream);
    sl_h2_link_close(bench->client.link);
    sl_h2_link_close(bench->client.link);
    assert_false(bench->client.is_closed); /* not from within */
    run_until(bench, is_down);
    assert_true(bench->client.has_stream_ended);
    assert_true(bench->server.has_stream_ended);
    assert_int_equal(bench->client.why.code, SL_CANCELLED);
    assert_int_equal(bench->client.why_at_stream_end, SL_CANCELLED);
    assert_int_equal(bench->server.why.code, SL_UNAVAILABLE);
    assert_int_equal(bench->server.why_at_stream_end, SL_UNAVAILABLE);
}

static void a_peer_that_vanishes_is_unavailable(void **state)
{
    struct bench *bench = *state;

    bench->wants_raw_server = true;
    connect_both(bench);
    request(bench);
    sl_conn_close(bench->server.raw);
    run_until(bench, is_down);
    assert_int_equal(bench->client.why.code, SL_UNAVAILABLE);
    assert_true(bench->client.has_stream_ended);
}

static void a_peer_that_does_not_speak_http2_is_refused(void **state)
{
    static const char words[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    struct bench *bench = *state;

    bench->wants_raw_client = true;
    connect_both(bench);
    sl_conn_write(bench->client.raw, words, sizeof(words) - 1);
    run_until(bench, is_down);
    assert_string_equal(sl_status_reason(&bench->server.why), "not-http2");
}

/* ---- watching ---- */

static bool has_client_closed(struct bench *bench)
{
    return bench->client.is_closed;
}

/* To a server that is no server: what the test writes on its connection is all that it says. */
static void connect_raw_server(struct bench *bench, const struct sl_h2_watch *watch)
{
    bench->wants_raw_server = true;
    connect_both(bench);
    assert_true(sl_h2_link_watch(bench->client.link, watch));
}

static const uint8_t settings_frame[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
static const uint8_t settings_and_ack[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0};

static bool is_greeted(struct bench *bench)
{
    return bench->client.greetings > 0;
}

static void the_first_settings_are_told_once(void **state)
{
    const struct sl_h2_watch watch = {.settings_ms = TIMEOUT_MS};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    assert_int_equal(bench->client.greetings, 0);
    sl_conn_write(bench->server.raw, settings_and_ack, sizeof(settings_and_ack));
    run_until(bench, is_greeted);
    sl_conn_write(bench->server.raw, settings_frame, sizeof(settings_frame));
    sl_conn_close(bench->server.raw);
    run_until(bench, has_client_closed);
    assert_int_equal(bench->client.greetings, 1);
}

static void a_goaway_together_with_the_settings_comes_second(void **state)
{
    static const uint8_t goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const struct sl_h2_watch watch = {.settings_ms = TIMEOUT_MS};
    struct bench *bench = *state;
    uint8_t both[sizeof(settings_frame) + sizeof(goaway)];

    memcpy(both, settings_frame, sizeof(settings_frame));
    memcpy(both + sizeof(settings_frame), goaway, sizeof(goaway));
    connect_raw_server(bench, &watch);
    sl_conn_write(bench->server.raw, both, sizeof(both));
    run_until(bench, has_client_closed);
    assert_int_equal(bench->client.greetings, 1);
    assert_int_equal(bench->client.goaways, 1);
}

static void a_peer_that_wants_fewer_pings_gets_half_as_many(void **state)
{
    uint64_t interval_ms = SL_H2_MAX_PING_INTERVAL_MS - 1;

    (void)state;
    assert_false(sl_h2_ping_less(&interval_ms, SL_H2_NO_ERROR, SL_STR("too_many_pings")));
    assert_false(sl_h2_ping_less(&interval_ms, SL_H2_ENHANCE_YOUR_CALM, SL_STR("too_many")));
    assert_int_equal(interval_ms, SL_H2_MAX_PING_INTERVAL_MS - 1);
    assert_true(sl_h2_ping_less(&interval_ms, SL_H2_ENHANCE_YOUR_CALM, SL_STR("too_many_pings")));
    assert_int_equal(interval_ms, SL_H2_MAX_PING_INTERVAL_MS);
    interval_ms = 300;
    assert_true(sl_h2_ping_less(&interval_ms, SL_H2_ENHANCE_YOUR_CALM, SL_STR("too_many_pings")));
    assert_int_equal(interval_ms, 600);
}

static void a_peer_without_settings_is_given_up(void **state)
{
    const struct sl_h2_watch watch = {.settings_ms = 20};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    run_until(bench, has_client_closed);
    assert_string_equal(sl_status_reason(&bench->client.why), "settings-timeout");
    assert_string_equal(bench->client.why.text, "no SETTINGS from the peer in 0.02 s");
}

static void a_peer_that_does_not_acknowledge_settings_is_given_up(void **state)
{
    const struct sl_h2_watch watch = {.settings_ms = 20};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    sl_conn_write(bench->server.raw, settings_frame, sizeof(settings_frame));
    run_until(bench, has_client_closed);
    assert_string_equal(sl_status_reason(&bench->client.why), "settings-timeout");
    assert_non_null(strstr(bench->client.why.text, "not acknowledged"));
}

static void a_silent_peer_with_an_open_stream_is_pinged_and_given_up(void **state)
{
    const struct sl_h2_watch watch = {
        .settings_ms = 10, .ping_interval_ms = 10, .ping_timeout_ms = 10};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    sl_conn_write(bench->server.raw, settings_and_ack, sizeof(settings_and_ack));
    request(bench);
    run_until(bench, has_client_closed);
    assert_string_equal(sl_status_reason(&bench->client.why), "ping-timeout");
    assert_string_equal(bench->client.why.text, "no answer to a PING in 0.01 s");
    assert_string_equal(sl_status_reason(&bench->client.stream_why), "connection-ended");
}

/* Whatever the handshake may take. */
static void silence_counts_from_the_end_of_the_handshake(void **state)
{
    const struct sl_h2_watch watch = {
        .settings_ms = 2 * TIMEOUT_MS, .ping_interval_ms = 10, .ping_timeout_ms = 10};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    sl_conn_write(bench->server.raw, settings_and_ack, sizeof(settings_and_ack));
    request(bench);
    run_until(bench, has_client_closed);
    assert_string_equal(sl_status_reason(&bench->client.why), "ping-timeout");
}

static bool has_heard_pings(struct bench *bench)
{
    return bench->server.pings >= 3 || bench->client.is_closed;
}

/* One ping after the other goes out, and nothing ends. */
static void a_peer_that_answers_stays(void **state)
{
    const struct sl_h2_watch watch = {.ping_interval_ms = 5, .ping_timeout_ms = TIMEOUT_MS};
    struct bench *bench = *state;

    connect_raw_server(bench, &watch);
    sl_conn_set_events(bench->server.raw, &answering_events, &bench->server);
    sl_conn_write(bench->server.raw, settings_and_ack, sizeof(settings_and_ack));
    request(bench);
    run_until(bench, has_heard_pings);
    assert_false(bench->client.is_closed);
}

static bool has_quiet_passed(struct bench *bench)
{
    return bench->is_quiet_over;
}

static void on_quiet(void *arg)
{
    struct bench *bench = arg;

    bench->is_quiet_over = true;
    check(bench);
}

static void without_a_stream_nobody_is_pinged(void **state)
{
    const struct sl_h2_watch watch = {.ping_interval_ms = 1, .ping_timeout_ms = 1};
    struct bench *bench = *state;
    struct sl_timer *quiet = sl_timer_new(bench->loop, on_quiet, bench);

    connect_raw_server(bench, &watch);
    sl_conn_set_events(bench->server.raw, &answering_events, &bench->server);
    sl_timer_start(quiet, 30);
    run_until(bench, has_quiet_passed);
    sl_timer_free(quiet);
    assert_int_equal(bench->server.pings, 0);
    assert_false(bench->client.is_closed);
}

static void frames_that_carry_nothing_are_bounded(void **state)
{
    struct bench *bench = *state;
    size_t len = sl_h2_default_limits.idle_bytes.burst + 100 * 1000;
    uint8_t *flood = calloc(1, len);

    assert_non_null(flood);
    for (size_t at = sizeof(settings_frame); at + 9 <= len; at += 9) {
        flood[at + 3] = 0xbb; /* a type that nobody knows */
    }
    memcpy(flood, settings_frame, sizeof(settings_frame));
    bench->wants_raw_server = true;
    connect_both(bench);
    sl_conn_write(bench->server.raw, flood, len);
    free(flood);
    run_until(bench, has_client_closed);
    assert_string_equal(sl_status_reason(&bench->client.why), "frame-flood");
    assert_non_null(strstr(bench->client.why.text, "65536 a second at most"));
}

/* ---- the times of a server ---- */

static bool has_server_closed(struct bench *bench)
{
    return bench->server.is_closed;
}

/* A client that is none: what the test writes on its connection is all that it says. */
static void connect_raw_client(struct bench *bench)
{
    bench->wants_raw_client = true;
    connect_both(bench);
}

static void say(struct bench *bench, struct sl_buf *frames)
{
    sl_conn_write(bench->client.raw, frames->data, frames->len);
    sl_buf_fini(frames);
}

static void expect_server_end(struct bench *bench, const char *reason, const char *text)
{
    run_until(bench, has_server_closed);
    assert_string_equal(sl_status_reason(&bench->server.why), reason);
    assert_string_equal(bench->server.why.text, text);
}

static void a_client_without_preface_is_given_up(void **state)
{
    struct bench *bench = *state;

    bench->limits.greeting_ms = 20;
    connect_raw_client(bench);
    expect_server_end(bench, "settings-timeout", "no SETTINGS from the peer in 0.02 s");
}

static const char *const request_fields[] = {":method=POST", ":scheme=http", ":path=/a",
                                             ":authority=x", NULL};

static void a_request_that_is_never_whole_is_given_up(void **state)
{
    struct bench *bench = *state;
    struct sl_buf frames = {0};

    bench->limits.frame_ms = 20;
    connect_raw_client(bench);
    put_client_preface(&frames);
    put_headers(&frames, 0, 1, request_fields);
    frames.len--;
    say(bench, &frames);
    expect_server_end(bench, "frame-timeout",
                      "a frame or a header block was not complete in 0.02 s");
}

static void a_client_without_window_is_given_up(void **state)
{
    struct bench *bench = *state;
    struct sl_buf frames = {0};

    bench->limits.stall_ms = 20;
    connect_raw_client(bench);
    bench->server.answers = true;
    put_client_preface(&frames);
    put_setting(&frames, 4, 0);
    put_headers(&frames, END_STREAM, 1, request_fields);
    say(bench, &frames);
    expect_server_end(bench, "send-stalled",
                      "the peer gives no window for what a stream has to send in 0.02 s");
    assert_true(bench->server.has_stream_ended);
}

static void a_connection_without_a_stream_is_drained(void **state)
{
    struct bench *bench = *state;

    bench->limits.idle_ms = 20;
    connect_both(bench);
    run_until(bench, is_down);
    assert_string_equal(sl_status_reason(&bench->server.why), "idle");
    assert_string_equal(sl_status_reason(&bench->client.why), "goaway");
}

static void with_a_stream_it_is_not_idle(void **state)
{
    struct bench *bench = *state;
    struct sl_timer *quiet = sl_timer_new(bench->loop, on_quiet, bench);

    bench->limits.idle_ms = 4;
    connect_both(bench);
    bench->server.is_granting = false;
    request(bench);
    sl_timer_start(quiet, 40);
    run_until(bench, has_quiet_passed);
    sl_timer_free(quiet);
    assert_false(bench->server.is_closed);
}

static void a_drain_does_not_wait_for_its_ping_for_ever(void **state)
{
    struct bench *bench = *state;
    struct sl_buf frames = {0};

    bench->limits.drain_ms = 20;
    connect_raw_client(bench);
    put_client_preface(&frames);
    say(bench, &frames);
    sl_h2_link_drain(bench->server.link);
    run_until(bench, has_server_closed);
    assert_int_equal(bench->server.why.code, SL_CANCELLED);
}

static void a_flood_ends_a_server_s_link_with_its_reason(void **state)
{
    struct bench *bench = *state;
    struct sl_buf frames = {0};

    connect_raw_client(bench);
    put_client_preface(&frames);
    for (int i = 0; i < 1001; i++) {
        put_frame(&frames, PRIORITY, 0, 1, "\0\0\0\0\1", 5);
    }
    say(bench, &frames);
    expect_server_end(bench, "priority-flood", "PRIORITY (1000 at once, 100 a second at most)");
}

/* A server that finds out while it sends. */
static void resets_that_a_client_provokes_end_its_link_with_their_reason(void **state)
{
    struct bench *bench = *state;
    struct sl_buf frames = {0};

    bench->limits.provoked_resets = (struct sl_h2_rate){.burst = 1};
    connect_raw_client(bench);
    put_client_preface(&frames);
    for (int32_t id = 1; id <= 3; id += 2) {
        put_headers(&frames, 0, id, request_fields);
        put_u32_frame(&frames, WINDOW_UPDATE, id, INT32_MAX);
    }
    say(bench, &frames);
    expect_server_end(bench, "provoked-resets",
                      "frames that made us reset a stream (1 at once, 0 a second at most)");
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(everything_arrives_however_large),
        BENCH_TEST(without_grants_the_rest_stays_in_the_send_buffer),
        BENCH_TEST(drain_waits_for_the_open_streams),
        BENCH_TEST(drain_without_streams_closes_at_once),
        BENCH_TEST(close_ends_the_streams_first_and_says_why),
        BENCH_TEST(a_peer_that_vanishes_is_unavailable),
        BENCH_TEST(a_peer_that_does_not_speak_http2_is_refused),
        BENCH_TEST(the_first_settings_are_told_once),
        BENCH_TEST(a_goaway_together_with_the_settings_comes_second),
        cmocka_unit_test(a_peer_that_wants_fewer_pings_gets_half_as_many),
        BENCH_TEST(a_peer_without_settings_is_given_up),
        BENCH_TEST(a_peer_that_does_not_acknowledge_settings_is_given_up),
        BENCH_TEST(a_silent_peer_with_an_open_stream_is_pinged_and_given_up),
        BENCH_TEST(silence_counts_from_the_end_of_the_handshake),
        BENCH_TEST(a_peer_that_answers_stays),
        BENCH_TEST(without_a_stream_nobody_is_pinged),
        BENCH_TEST(frames_that_carry_nothing_are_bounded),
        BENCH_TEST(a_client_without_preface_is_given_up),
        BENCH_TEST(a_request_that_is_never_whole_is_given_up),
        BENCH_TEST(a_client_without_window_is_given_up),
        BENCH_TEST(a_connection_without_a_stream_is_drained),
        BENCH_TEST(with_a_stream_it_is_not_idle),
        BENCH_TEST(a_drain_does_not_wait_for_its_ping_for_ever),
        BENCH_TEST(a_flood_ends_a_server_s_link_with_its_reason),
        BENCH_TEST(resets_that_a_client_provokes_end_its_link_with_their_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
