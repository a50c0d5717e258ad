/* link.h - an HTTP/2 session over a connection, on a loop.
 *
 * The one place where sessions and sockets meet: what the connection reads goes into the session,
 * what the session has to send goes out at the end of the loop's turn, many small frames in one
 * write. When the socket takes no more, the session is not asked for more until it does: at most
 * one write waits in memory, and what cannot leave stays in the streams' bounded send buffers.
 *
 * Every peer is held to limits.h, a server's also to its times: so nobody keeps a loop busy with
 * frames that say nothing, or memory by not reading. Whose owner asks for it (sl_h2_link_watch) has
 * to send its SETTINGS in time, and to answer a PING when it has been silent.
 *
 * Loop thread only. Events come from the loop, never from a function here.
 */
#ifndef SLUICE_H2_LINK_H
#define SLUICE_H2_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "h2/session.h"
#include "loop/loop.h"
#include "net/net.h"

enum {
    SL_H2_MAX_PING_INTERVAL_MS = 6 * 3600 * 1000, /* however often the peer complains */
};

struct sl_h2_link;

/* Each but `on_closed` may be NULL. `arg` is the link's. */
struct sl_h2_link_events {
    /* Server: a peer opened a stream; the same duty as sl_h2_session_events.on_stream. */
    void (*on_stream)(struct sl_h2_link *link, struct sl_h2_stream *stream, void *arg);
    /* The peer's first SETTINGS came: it speaks HTTP/2. */
    void (*on_greeted)(struct sl_h2_link *link, void *arg);
    /* The peer's first GOAWAY: it will take no more streams. Those up to `last_stream_id` go on;
     * the link closes by itself when none is left. */
    void (*on_goaway)(struct sl_h2_link *link, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg);
    /* Everything that may leave now has been given to the socket: what still is in a stream's send
     * buffer waits for the peer's credit or for the socket. */
    void (*on_sent)(struct sl_h2_link *link, void *arg);
    /* The last event, after every stream's on_close; connection, session and `link` are gone when
     * it returns. `why`: CANCELLED when the end came from here, UNAVAILABLE when the peer or the
     * network ended it ("goaway", or what net says) or its time was over ("settings-timeout",
     * "ping-timeout", and those of limits.h; CANCELLED with "idle"), else why the session ended
     * (sl_h2_session_why). */
    void (*on_closed)(struct sl_h2_link *link, const struct sl_status *why, void *arg);
};

/* Takes `conn`, which stands (from its on_open, or from a listener), and its events. `limits`
 * outlive the link; NULL: the defaults. NULL when memory is out: then `conn` is still the
 * caller's. */
struct sl_h2_link *sl_h2_link_open(struct sl_loop *loop, struct sl_conn *conn, enum sl_h2_role role,
                                   const struct sl_h2_limits *limits,
                                   const struct sl_h2_link_events *events, void *arg) SL_MUST_CHECK;

/* 0 of each: for ever, never. */
struct sl_h2_watch {
    uint64_t settings_ms; /* for the peer's SETTINGS, and for its ACK of ours, from now on */
    /* With a stream open and nothing received for so long a PING goes out … */
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms; /* … and anything at all has to arrive within this */
};

/* Once, after the open. False when memory is out: then nothing is watched. */
bool sl_h2_link_watch(struct sl_h2_link *link, const struct sl_h2_watch *watch) SL_MUST_CHECK;

/* From the next PING on, where there are any. */
void sl_h2_link_set_ping_interval(struct sl_h2_link *link, uint64_t interval_ms);

/* For a peer's GOAWAY. What servers say to a client that pings more often than they want
 * (ENHANCE_YOUR_CALM, "too_many_pings"; ours say it too) doubles the interval, up to
 * SL_H2_MAX_PING_INTERVAL_MS, for the connections to come: true. */
bool sl_h2_ping_less(uint64_t *ping_interval_ms, uint32_t error, struct sl_str debug_data);

/* Lives until on_closed returns. While the link closes it takes submissions, but nothing leaves. */
struct sl_h2_session *sl_h2_link_session(struct sl_h2_link *link);

/* "127.0.0.1:57400": the other end. */
const char *sl_h2_link_peer(const struct sl_h2_link *link);

/* OK until something ends the link (a GOAWAY too); then what on_closed will say. It is set before
 * the streams' on_close. */
const struct sl_status *sl_h2_link_why(const struct sl_h2_link *link);

/* Sends GOAWAY, lets the open streams go on and closes when the last one has ended; at a server so
 * that none that is on its way is refused (sl_h2_session_drain). Idempotent. */
void sl_h2_link_drain(struct sl_h2_link *link);

/* Ends it at once: what is ready, and a GOAWAY, leave as far as the socket takes them now.
 * on_closed follows from the loop. Idempotent. */
void sl_h2_link_close(struct sl_h2_link *link);

#endif
