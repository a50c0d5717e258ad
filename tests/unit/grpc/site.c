#include "grpc/site.h"

#include <stdlib.h>
#include <string.h>

#include "h2/frames.h"

enum { GUARD_MS = 30 * 1000, HEAD_BYTES = 9, MAGIC_BYTES = 24, MAX_CONCURRENT_STREAMS = 3 };

/* ---- running ---- */

static void on_tick(void *arg)
{
    struct site *site = arg;

    sl_timer_start(site->tick, 1);
    if (site->is_met(site->arg)) {
        sl_loop_stop(site->loop);
    }
}

static void on_guard(void *arg)
{
    struct site *site = arg;

    site->is_late = true;
    sl_loop_stop(site->loop);
}

void run_until(struct site *site, bool (*is_met)(void *arg), void *arg)
{
    site->is_met = is_met;
    site->arg = arg;
    if (is_met(arg)) {
        return;
    }
    sl_timer_start(site->tick, 0);
    sl_timer_start(site->guard, GUARD_MS);
    sl_loop_run(site->loop);
    sl_timer_stop(site->tick);
    sl_timer_stop(site->guard);
    assert_false(site->is_late);
}

static void stop_loop(void *arg)
{
    sl_loop_stop(arg);
}

void run_turns(struct site *site, unsigned turns)
{
    struct sl_deferred turn = {.fn = stop_loop, .arg = site->loop};

    while (turns-- > 0) {
        sl_loop_defer(site->loop, &turn);
        sl_loop_run(site->loop);
    }
}

static void enter(const struct site *site, bool is_inside)
{
    if (site->on_enter) {
        site->on_enter(is_inside);
    }
}

/* ---- saying ---- */

static void say(struct visitor *visitor, struct sl_buf *out)
{
    assert_false(out->failed);
    if (visitor->conn) {
        sl_conn_write(visitor->conn, out->data, out->len);
    }
    sl_buf_fini(out);
}

void say_goaway(struct visitor *visitor, int32_t last_id, uint32_t error, const char *text)
{
    struct sl_buf out = {0};

    put_goaway(&out, last_id, error, text);
    say(visitor, &out);
}

static void put_answer_headers(struct sl_buf *out, int32_t id)
{
    static const char *const fields[] = {":status=200", "content-type=application/grpc", NULL};

    put_headers(out, END_HEADERS, id, fields);
}

void say_headers(struct visitor *visitor, int32_t id)
{
    struct sl_buf out = {0};

    put_answer_headers(&out, id);
    say(visitor, &out);
}

void say_answer(struct visitor *visitor, int32_t id)
{
    static const char message[] = {0, 0, 0, 0, 3, 'y', 'e', 's'};
    static const char *const trailers[] = {"grpc-status=0", NULL};
    struct sl_buf out = {0};

    put_answer_headers(&out, id);
    put_frame(&out, DATA, 0, id, message, sizeof(message));
    put_headers(&out, END_HEADERS | END_STREAM, id, trailers);
    visitor->open--;
    say(visitor, &out);
}

void say_refused(struct visitor *visitor, int32_t id)
{
    struct sl_buf out = {0};

    put_u32_frame(&out, RST_STREAM, id, SL_H2_REFUSED_STREAM);
    visitor->open--;
    say(visitor, &out);
}

void hang_up(struct visitor *visitor)
{
    if (visitor->conn) {
        sl_conn_close(visitor->conn);
    }
}

static void greet(struct visitor *visitor)
{
    struct sl_buf out = {0};

    if (visitor->site->max_streams) {
        put_setting(&out, MAX_CONCURRENT_STREAMS, visitor->site->max_streams);
        put_frame(&out, SETTINGS, ACK, 0, NULL, 0);
    } else {
        put_server_preface(&out);
    }
    say(visitor, &out);
}

/* ---- hearing ---- */

static void take_request(struct visitor *visitor, int32_t id)
{
    visitor->last_id = id;
    visitor->requests++;
    visitor->open++;
    if (visitor->open > visitor->most_open) {
        visitor->most_open = visitor->open;
    }
    if (visitor->site->manner == REFUSES) {
        say_refused(visitor, id);
    }
}

static void take_end(struct visitor *visitor, int32_t id)
{
    const struct site *site = visitor->site;

    visitor->ended++;
    if (site->manner != ANSWERS) {
        return;
    }
    say_answer(visitor, id);
    if (site->goaway_every && visitor->ended == site->goaway_every) {
        say_goaway(visitor, id, SL_H2_NO_ERROR, "enough");
    }
}

/* The window comes back at once. */
static void take_data(struct visitor *visitor, int32_t id, size_t len)
{
    struct sl_buf out = {0};

    if (len > 0) {
        put_u32_frame(&out, WINDOW_UPDATE, 0, (uint32_t)len);
        put_u32_frame(&out, WINDOW_UPDATE, id, (uint32_t)len);
        say(visitor, &out);
    }
}

static void take_frame(struct visitor *visitor, const uint8_t *head, size_t len)
{
    int32_t id = head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8];
    struct sl_buf out = {0};

    if (head[3] == HEADERS) {
        take_request(visitor, id);
    } else if (head[3] == DATA) {
        take_data(visitor, id, len);
    } else if (head[3] == RST_STREAM) {
        visitor->resets++;
    } else if (head[3] == PING && !(head[4] & ACK) && visitor->site->manner != SAYS_NOTHING) {
        visitor->pings++;
        put_frame(&out, PING, ACK, 0, head + HEAD_BYTES, len);
        say(visitor, &out);
    }
    if ((head[3] == HEADERS || head[3] == DATA) && head[4] & END_STREAM) {
        take_end(visitor, id);
    }
}

static size_t frame_bytes(const uint8_t *head)
{
    return (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
}

static void listen_to(struct visitor *visitor)
{
    const uint8_t *bytes = (const uint8_t *)visitor->heard.data;
    size_t at = 0;

    if (!visitor->is_past_magic && visitor->heard.len >= MAGIC_BYTES) {
        visitor->is_past_magic = true;
        at = MAGIC_BYTES;
    }
    while (visitor->is_past_magic && visitor->heard.len - at >= HEAD_BYTES &&
           visitor->heard.len - at - HEAD_BYTES >= frame_bytes(bytes + at)) {
        take_frame(visitor, bytes + at, frame_bytes(bytes + at));
        at += HEAD_BYTES + frame_bytes(bytes + at);
    }
    sl_buf_drop(&visitor->heard, at);
}

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct visitor *visitor = arg;

    (void)conn;
    enter(visitor->site, true);
    sl_buf_add(&visitor->heard, bytes, len);
    assert_false(visitor->heard.failed);
    listen_to(visitor);
    enter(visitor->site, false);
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct visitor *visitor = arg;

    (void)conn;
    (void)why;
    visitor->conn = NULL;
    sl_buf_fini(&visitor->heard);
}

static const struct sl_conn_events conn_events = {.on_read = on_read, .on_close = on_close};

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct site *site = arg;
    struct visitor *visitor = &site->visitors[site->visitor_count++ % VISITORS];

    (void)listener;
    assert_null(visitor->conn); /* the first ones are gone when it starts again from the front */
    enter(site, true);
    *visitor = (struct visitor){.site = site, .conn = conn};
    sl_conn_set_events(conn, &conn_events, visitor);
    if (site->manner == HANGS_UP) {
        hang_up(visitor);
    } else if (site->manner != SAYS_NOTHING) {
        greet(visitor);
    }
    if (site->manner == SENDS_AWAY) {
        say_goaway(visitor, 0, SL_H2_NO_ERROR, "not here");
    }
    enter(site, false);
}

/* ---- life ---- */

void open_doors(struct site *site)
{
    const struct sl_listener_options options = {
        .address = {.host = "127.0.0.1", .port = site->port}, .accept = on_accept, .arg = site};
    struct sl_status why;

    site->listener = sl_listener_open(site->loop, &options, &why);
    assert_non_null(site->listener);
    site->port = sl_listener_port(site->listener);
}

void close_doors(struct site *site)
{
    sl_listener_close(site->listener);
    site->listener = NULL;
}

void open_site(struct site *site)
{
    site->loop = sl_loop_new();
    assert_non_null(site->loop);
    site->tick = sl_timer_new(site->loop, on_tick, site);
    site->guard = sl_timer_new(site->loop, on_guard, site);
    assert_true(site->tick && site->guard);
    open_doors(site);
}

static bool are_visitors_gone(void *arg)
{
    const struct site *site = arg;

    for (size_t i = 0; i < VISITORS; i++) {
        if (site->visitors[i].conn) {
            return false;
        }
    }
    return true;
}

void close_site(struct site *site)
{
    if (site->listener) {
        close_doors(site);
    }
    for (size_t i = 0; i < VISITORS; i++) {
        hang_up(&site->visitors[i]);
    }
    run_until(site, are_visitors_gone, site);
    sl_timer_free(site->tick);
    sl_timer_free(site->guard);
    sl_loop_free(site->loop);
}
