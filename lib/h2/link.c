#include "h2/link.h"

#include <stdlib.h>
#include <string.h>

#include "h2/watcher.h"

enum {
    /* Frames that leave in one write, but for the last bit: at first, and while the peer takes all
     * of it. Large writes cost little, and what the socket does not take waits in memory. */
    MIN_WRITE_BYTES = 66 * 1024,
    MAX_WRITE_BYTES = 264 * 1024,
    TURN_BYTES = 1024 * 1024, /* what one link sends before the loop's others have their turn */
};

struct sl_h2_link {
    struct sl_loop *loop;
    struct sl_conn *conn;
    struct sl_h2_session *session;
    const struct sl_h2_link_events *events;
    void *arg;
    struct sl_deferred pump;
    struct sl_h2_watcher watcher;
    size_t write_bytes; /* for the next write */
    struct sl_status why;
    bool is_blocked;  /* the socket is full: on_drain follows */
    bool is_draining; /* closes with the last stream */
    bool is_closing;  /* closes at the end of this turn */
    bool is_greeted;  /* by the peer, and its owner knows */
    bool has_goaway;  /* of the peer */
};

static void give_reason(struct sl_h2_link *link, const struct sl_status *why)
{
    if (sl_status_is_ok(&link->why)) {
        link->why = *why;
    }
}

static void end(struct sl_h2_link *link, const struct sl_status *why)
{
    give_reason(link, why);
    link->is_closing = true;
    sl_loop_defer(link->loop, &link->pump);
}

/* Moves output to the socket until there is none, the socket is full or the turn is over. Returns
 * what was moved. */
static size_t send_some(struct sl_h2_link *link)
{
    uint8_t bytes[MAX_WRITE_BYTES];
    size_t moved = 0;

    while (!link->is_blocked && moved < TURN_BYTES) {
        size_t len = sl_h2_session_output(link->session, bytes, link->write_bytes);

        if (len == 0) {
            break;
        }
        moved += len;
        if (!sl_conn_write(link->conn, bytes, len)) {
            link->is_blocked = true;
            sl_h2_watcher_blocked(&link->watcher, true);
            link->write_bytes = MIN_WRITE_BYTES;
        } else if (len > link->write_bytes / 2) {
            link->write_bytes = sl_min_size(2 * link->write_bytes, MAX_WRITE_BYTES);
        }
    }
    return moved;
}

static bool is_through(const struct sl_h2_link *link)
{
    if (sl_h2_session_is_done(link->session)) {
        return true;
    }
    return link->is_draining && sl_h2_session_streams(link->session) == 0 &&
           !sl_h2_session_is_draining(link->session);
}

/* The session may be over: for what came, or for what that made it send. */
static void end_with_session(struct sl_h2_link *link)
{
    const struct sl_status *why = sl_h2_session_why(link->session);

    if (!link->is_closing && !sl_status_is_ok(why)) {
        end(link, why);
    }
}

static void pump(void *arg)
{
    struct sl_h2_link *link = arg;
    size_t moved = send_some(link);

    end_with_session(link);
    if (link->is_closing) {
        sl_conn_close(link->conn);
        return;
    }
    if (moved >= TURN_BYTES && !link->is_blocked) {
        sl_loop_defer(link->loop, &link->pump);
        return;
    }
    if (!link->is_blocked && is_through(link)) {
        struct sl_status why = sl_status_error(SL_CANCELLED, "closed here");

        give_reason(link, &why);
        link->is_closing = true;
        sl_conn_close(link->conn);
    } else if (link->events->on_sent) {
        link->events->on_sent(link, link->arg);
    }
}

static void tell_greeted(struct sl_h2_link *link)
{
    if (!link->is_greeted && sl_h2_session_is_greeted(link->session)) {
        link->is_greeted = true;
        if (link->events->on_greeted) {
            link->events->on_greeted(link, link->arg);
        }
    }
}

/* ---- the connection's events ---- */

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct sl_h2_link *link = arg;
    struct sl_status status;

    (void)conn;
    if (link->is_closing) {
        return;
    }
    sl_h2_watcher_heard(&link->watcher);
    status = sl_h2_session_receive(link->session, bytes, len);
    if (!sl_status_is_ok(&status)) {
        end(link, &status);
        return;
    }
    if (is_through(link)) {
        sl_loop_defer(link->loop, &link->pump);
    }
    sl_h2_watcher_note_settled(&link->watcher);
    tell_greeted(link);
}

static void on_drain(struct sl_conn *conn, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)conn;
    link->is_blocked = false;
    sl_h2_watcher_blocked(&link->watcher, false);
    sl_loop_defer(link->loop, &link->pump);
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)conn;
    give_reason(link, why);
    link->is_closing = true;
    sl_h2_session_free(link->session);
    link->session = NULL;
    sl_loop_cancel(link->loop, &link->pump);
    sl_h2_watcher_fini(&link->watcher);
    link->events->on_closed(link, &link->why, link->arg);
    free(link);
}

static const struct sl_conn_events conn_events = {
    .on_read = on_read,
    .on_drain = on_drain,
    .on_close = on_close,
};

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)session;
    if (link->events->on_stream) {
        link->events->on_stream(link, stream, link->arg);
    }
}

static struct sl_status why_goaway(uint32_t error, struct sl_str debug_data)
{
    struct sl_status said =
        sl_status_error(SL_UNAVAILABLE, "the peer sent GOAWAY %s", sl_h2_error_name(error));

    return sl_status_because(
        "goaway", debug_data.len ? sl_status_quote(said.code, said.text, debug_data) : said);
}

static void on_goaway(struct sl_h2_session *session, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg)
{
    struct sl_h2_link *link = arg;
    bool is_first = !link->has_goaway;

    (void)session;
    tell_greeted(link);
    link->has_goaway = true;
    link->is_draining = true;
    sl_loop_defer(link->loop, &link->pump);
    if (is_first) {
        struct sl_status why = why_goaway(error, debug_data);
        give_reason(link, &why);
    }
    if (is_first && link->events->on_goaway) {
        link->events->on_goaway(link, last_stream_id, error, debug_data, link->arg);
    }
}

static void on_output(struct sl_h2_session *session, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)session;
    sl_loop_defer(link->loop, &link->pump);
}

static void on_miss(const struct sl_status *why, enum sl_h2_error error, void *arg)
{
    struct sl_h2_link *link = arg;

    if (link->is_closing) {
        return;
    }
    if (error != SL_H2_NO_ERROR) {
        sl_h2_session_goaway(link->session, error);
    }
    end(link, why);
}

static void on_idle(void *arg)
{
    struct sl_h2_link *link = arg;
    struct sl_status why =
        sl_status_because("idle", sl_status_error(SL_CANCELLED, "closed here: without a stream"));

    if (!link->is_closing && !link->is_draining) {
        give_reason(link, &why);
        sl_h2_link_drain(link);
    }
}

static const struct sl_h2_watcher_events watcher_events = {
    .on_miss = on_miss,
    .on_idle = on_idle,
};

static const struct sl_h2_session_events session_events = {
    .on_stream = on_stream,
    .on_goaway = on_goaway,
    .on_output = on_output,
};

static bool init(struct sl_h2_link *link, enum sl_h2_role role, const struct sl_h2_limits *limits)
{
    link->session = sl_h2_session_new(role, limits, &session_events, link);
    if (!link->session) {
        return false;
    }
    link->watcher.events = &watcher_events;
    link->watcher.arg = link;
    return sl_h2_watcher_init(&link->watcher, link->loop, link->session, role, limits);
}

static void discard(struct sl_h2_link *link)
{
    if (link->session) {
        sl_h2_session_free(link->session);
    }
    sl_loop_cancel(link->loop, &link->pump);
    free(link);
}

struct sl_h2_link *sl_h2_link_open(struct sl_loop *loop, struct sl_conn *conn, enum sl_h2_role role,
                                   const struct sl_h2_limits *limits,
                                   const struct sl_h2_link_events *events, void *arg)
{
    struct sl_h2_link *link = calloc(1, sizeof(*link));

    SL_ASSERT(events->on_closed != NULL);
    if (!link) {
        return NULL;
    }
    link->loop = loop;
    link->conn = conn;
    link->events = events;
    link->arg = arg;
    link->pump.fn = pump;
    link->pump.arg = link;
    link->why = sl_status_ok();
    link->write_bytes = MIN_WRITE_BYTES;
    if (!init(link, role, limits ? limits : &sl_h2_default_limits)) {
        discard(link);
        return NULL;
    }
    sl_h2_session_set_secure(link->session, sl_conn_is_secure(conn));
    sl_conn_set_events(conn, &conn_events, link);
    sl_loop_defer(loop, &link->pump); /* the preface */
    return link;
}

bool sl_h2_link_watch(struct sl_h2_link *link, const struct sl_h2_watch *watch)
{
    return sl_h2_watcher_start(&link->watcher, watch);
}

void sl_h2_link_set_ping_interval(struct sl_h2_link *link, uint64_t interval_ms)
{
    if (link->watcher.watch.ping_interval_ms > 0) {
        link->watcher.watch.ping_interval_ms = interval_ms;
    }
}

bool sl_h2_ping_less(uint64_t *ping_interval_ms, uint32_t error, struct sl_str debug_data)
{
    if (error != SL_H2_ENHANCE_YOUR_CALM || !sl_str_eq_c(debug_data, "too_many_pings")) {
        return false;
    }
    *ping_interval_ms = sl_min_u64(2 * *ping_interval_ms, SL_H2_MAX_PING_INTERVAL_MS);
    return true;
}

struct sl_h2_session *sl_h2_link_session(struct sl_h2_link *link)
{
    return link->session;
}

const char *sl_h2_link_peer(const struct sl_h2_link *link)
{
    return sl_conn_peer(link->conn);
}

const struct sl_status *sl_h2_link_why(const struct sl_h2_link *link)
{
    return &link->why;
}

void sl_h2_link_drain(struct sl_h2_link *link)
{
    if (link->is_closing || link->is_draining) {
        return;
    }
    link->is_draining = true;
    sl_h2_session_drain(link->session);
    sl_loop_defer(link->loop, &link->pump);
}

void sl_h2_link_close(struct sl_h2_link *link)
{
    struct sl_status why = sl_status_error(SL_CANCELLED, "closed here");

    if (link->is_closing) {
        return;
    }
    sl_h2_session_goaway(link->session, SL_H2_NO_ERROR);
    end(link, &why);
}
