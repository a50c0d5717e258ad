#include "h2/link.h"

#include <stdlib.h>
#include <string.h>

enum {
    GATHER_BYTES = 64 * 1024, /* frames that leave in one write */
    TURN_BYTES = 1024 * 1024, /* what one link sends before the loop's others have their turn */
};

struct sl_h2_link {
    struct sl_loop *loop;
    struct sl_conn *conn;
    struct sl_h2_session *session;
    const struct sl_h2_link_events *events;
    void *arg;
    struct sl_deferred pump;
    struct sl_status why;
    bool is_blocked;  /* the socket is full: on_drain follows */
    bool is_draining; /* closes with the last stream */
    bool is_closing;  /* closes at the end of this turn */
};

struct gather {
    size_t len;
    uint8_t bytes[GATHER_BYTES];
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

static void write_out(struct sl_h2_link *link, const uint8_t *bytes, size_t len)
{
    if (len > 0 && !sl_conn_write(link->conn, bytes, len)) {
        link->is_blocked = true;
    }
}

/* Moves output to the socket until there is none, the socket is full or the turn is over. Returns
 * what was moved. */
static size_t send_some(struct sl_h2_link *link)
{
    struct gather gather;
    size_t moved = 0;

    gather.len = 0;
    while (!link->is_blocked && moved < TURN_BYTES) {
        const uint8_t *bytes;
        size_t len = sl_h2_session_output(link->session, &bytes);

        if (len == 0) {
            break;
        }
        moved += len;
        if (len > GATHER_BYTES - gather.len) {
            write_out(link, gather.bytes, gather.len);
            gather.len = 0;
        }
        if (len > GATHER_BYTES) {
            write_out(link, bytes, len);
        } else {
            memcpy(gather.bytes + gather.len, bytes, len);
            gather.len += len;
        }
    }
    write_out(link, gather.bytes, gather.len);
    return moved;
}

static bool is_through(const struct sl_h2_link *link)
{
    if (sl_h2_session_is_done(link->session)) {
        return true;
    }
    return link->is_draining && sl_h2_session_streams(link->session) == 0;
}

static void pump(void *arg)
{
    struct sl_h2_link *link = arg;
    size_t moved = send_some(link);

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

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct sl_h2_link *link = arg;
    struct sl_status status;

    (void)conn;
    if (link->is_closing) {
        return;
    }
    status = sl_h2_session_receive(link->session, bytes, len);
    if (!sl_status_is_ok(&status)) {
        end(link, &status);
    } else if (is_through(link)) {
        sl_loop_defer(link->loop, &link->pump);
    }
}

static void on_drain(struct sl_conn *conn, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)conn;
    link->is_blocked = false;
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

static void on_goaway(struct sl_h2_session *session, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg)
{
    struct sl_h2_link *link = arg;
    struct sl_status why =
        sl_status_error(SL_UNAVAILABLE, "peer sent GOAWAY (%s)", sl_h2_error_name(error));

    (void)session;
    give_reason(link, &why);
    link->is_draining = true;
    sl_loop_defer(link->loop, &link->pump);
    if (link->events->on_goaway) {
        link->events->on_goaway(link, last_stream_id, error, debug_data, link->arg);
    }
}

static void on_output(struct sl_h2_session *session, void *arg)
{
    struct sl_h2_link *link = arg;

    (void)session;
    sl_loop_defer(link->loop, &link->pump);
}

static const struct sl_h2_session_events session_events = {
    .on_stream = on_stream,
    .on_goaway = on_goaway,
    .on_output = on_output,
};

struct sl_h2_link *sl_h2_link_open(struct sl_loop *loop, struct sl_conn *conn, enum sl_h2_role role,
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
    link->session = sl_h2_session_new(role, &session_events, link);
    if (!link->session) {
        sl_loop_cancel(loop, &link->pump);
        free(link);
        return NULL;
    }
    sl_h2_session_set_secure(link->session, sl_conn_is_secure(conn));
    sl_conn_set_events(conn, &conn_events, link);
    sl_loop_defer(loop, &link->pump); /* the preface */
    return link;
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
    sl_h2_session_goaway(link->session, SL_H2_NO_ERROR);
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
