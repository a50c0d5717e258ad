/* session.h - one HTTP/2 connection: bytes in, bytes out (RFC 9113).
 *
 * No I/O and no clock: the owner feeds what its transport read, says what time it is
 * (sl_h2_session_set_now), and writes what sl_h2_session_output gives. nghttp2 does frames and
 * HPACK; what is ours is the windows. Connection credit goes back to the peer as soon as DATA
 * arrives. Stream credit goes back only by sl_h2_stream_grant, so that a stream that is held never
 * starves its siblings (or by itself, on a stream that asked for `auto_window`).
 *
 * Events come from within sl_h2_session_receive, sl_h2_session_output and sl_h2_session_free, never
 * from a function that submits something. In an event every function here may be called but these
 * three. All on one thread.
 */
#ifndef SLUICE_H2_SESSION_H
#define SLUICE_H2_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "h2/limits.h"

struct sl_h2_session;
struct sl_h2_stream;

enum {
    SL_H2_STREAM_WINDOW_BYTES =
        16 * 1024, /* SETTINGS_INITIAL_WINDOW_SIZE: a stream's first credit */
    SL_H2_CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024,
    SL_H2_OUTPUT_BYTES = 17 * 1024,       /* the largest frame that is sent, and a bit */
    SL_H2_SEND_BUFFER_BYTES = 256 * 1024, /* of one stream; see sl_h2_stream_send */
};

/* RFC 9113 section 7. */
enum sl_h2_error {
    SL_H2_NO_ERROR = 0,
    SL_H2_PROTOCOL_ERROR = 1,
    SL_H2_INTERNAL_ERROR = 2,
    SL_H2_FLOW_CONTROL_ERROR = 3,
    SL_H2_SETTINGS_TIMEOUT = 4,
    SL_H2_STREAM_CLOSED = 5,
    SL_H2_FRAME_SIZE_ERROR = 6,
    SL_H2_REFUSED_STREAM = 7,
    SL_H2_CANCEL = 8,
    SL_H2_COMPRESSION_ERROR = 9,
    SL_H2_CONNECT_ERROR = 10,
    SL_H2_ENHANCE_YOUR_CALM = 11,
    SL_H2_INADEQUATE_SECURITY = 12,
    SL_H2_HTTP_1_1_REQUIRED = 13,
};

const char *sl_h2_error_name(uint32_t error); /* "CANCEL"; "unknown" outside the table */

struct sl_h2_field {
    struct sl_str name; /* lower case, pseudo fields with their colon */
    struct sl_str value;
    bool is_secret; /* never indexed by HPACK (RFC 7541 section 7.1.3) */
};

/* Each may be NULL. `arg` is the stream's. */
struct sl_h2_stream_events {
    /* Our HEADERS left in the last output: from now on sl_h2_stream_grant takes effect (client). */
    void (*on_open)(struct sl_h2_stream *stream, void *arg);
    /* One field of a header block, borrowed until return. */
    void (*on_field)(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                     void *arg);
    /* The block is complete. 1xx blocks are skipped before this. */
    void (*on_fields_end)(struct sl_h2_stream *stream, bool are_trailers, void *arg);
    /* A piece of DATA without its padding, borrowed until return. False: the stream is reset with
     * CANCEL. Bytes beyond the window never get here. */
    bool (*on_data)(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg);
    /* The peer sent END_STREAM. */
    void (*on_end)(struct sl_h2_stream *stream, void *arg);
    /* The send buffer fell to half of its bound, after a send that was refused; or it is empty, and
     * somebody waits for that (sl_h2_stream_await_sent). */
    void (*on_writable)(struct sl_h2_stream *stream, void *arg);
    /* The last event; `stream` is gone when it returns. `error` is the RST_STREAM's, sent or
     * received, SL_H2_NO_ERROR after a regular end. `by_peer`: the peer's frame ended it.
     * A stream above a GOAWAY's last stream id ends with REFUSED_STREAM: it never started. */
    void (*on_close)(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg);
};

struct sl_h2_session_events {
    /* Server: a peer opened a stream. Call sl_h2_stream_set_events before returning; not doing so
     * refuses the stream. */
    void (*on_stream)(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg);
    /* The peer will take no more streams. Those up to `last_stream_id` go on. */
    void (*on_goaway)(struct sl_h2_session *session, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg);
    /* There is something to send. Comes at most once until the next sl_h2_session_output, and is
     * the one event that a submitting function may cause: arm something, do not pump from it. */
    void (*on_output)(struct sl_h2_session *session, void *arg);
};

enum sl_h2_role { SL_H2_CLIENT, SL_H2_SERVER };

/* The preface and SETTINGS are ready for output at once. `limits` outlive the session; NULL: the
 * defaults. NULL when memory is out. */
struct sl_h2_session *sl_h2_session_new(enum sl_h2_role role, const struct sl_h2_limits *limits,
                                        const struct sl_h2_session_events *events,
                                        void *arg) SL_MUST_CHECK;

/* What the transport below is: the :scheme of requests ("https" with TLS, RFC 9113 section 8.3.1).
 * Plaintext at first. */
void sl_h2_session_set_secure(struct sl_h2_session *session, bool is_secure);
struct sl_str sl_h2_session_scheme(const struct sl_h2_session *session);

/* Every stream that is left gets its on_close (INTERNAL_ERROR, not by the peer) first. */
void sl_h2_session_free(struct sl_h2_session *session);

/* Takes all of `bytes`. An error is the connection's end: a GOAWAY may be waiting in the output. At
 * a server some violations show only when that GOAWAY has left: by sl_h2_session_is_done. The
 * reasons: "not-http2" (the first bytes are of something else), "broke-http2" (a rule of the RFC),
 * "header-without-end", "ack-flood", "out-of-memory", and those of limits.h. */
struct sl_status sl_h2_session_receive(struct sl_h2_session *session, const uint8_t *bytes,
                                       size_t len) SL_MUST_CHECK;

/* Writes the next bytes for the transport to `to`, whose `room` is SL_H2_OUTPUT_BYTES or more:
 * frames, one behind the other, as long as that much room is left. Returns how many bytes; 0: there
 * are none. Call until 0 or until the transport has enough. */
size_t sl_h2_session_output(struct sl_h2_session *session, uint8_t *to, size_t room) SL_MUST_CHECK;

/* A PING; its answer is not told: whatever arrives shows that the peer lives. */
void sl_h2_session_ping(struct sl_h2_session *session);

/* Bytes of DATA that streams took, of all that was received: the rest is frames and their heads. */
uint64_t sl_h2_session_useful_bytes(const struct sl_h2_session *session);

/* The time of what follows, by which the rates of limits.h are counted: any clock that never goes
 * back. A session that is never told counts what comes in its whole life. */
void sl_h2_session_set_now(struct sl_h2_session *session, int64_t now_ns);

/* For how long a frame of the peer, or a header block, has been incomplete; 0: none is. */
uint64_t sl_h2_session_unfinished_ms(const struct sl_h2_session *session);

/* Whether a stream's bytes have waited for the peer's credit for longer than limits.h says. Finds
 * out by being asked now and then. */
bool sl_h2_session_is_stalled(struct sl_h2_session *session);

/* OK until something ends the session, the peer's frames or our output; then what receive says. */
const struct sl_status *sl_h2_session_why(const struct sl_h2_session *session);

/* True when the connection has nothing to read or write any more: close the transport. */
bool sl_h2_session_is_done(const struct sl_h2_session *session);

/* The number of streams that have not had their on_close. */
size_t sl_h2_session_streams(const struct sl_h2_session *session);

/* Of the peer's newest stream; 0: it has opened none. */
int32_t sl_h2_session_last_id(const struct sl_h2_session *session);

/* No new streams; those that are open go on. Idempotent. */
void sl_h2_session_goaway(struct sl_h2_session *session, enum sl_h2_error error);

/* The same with NO_ERROR, such that no request under way is refused (RFC 9113 section 6.8): a
 * server says first that it will stop, with a PING, and when that is answered which stream is the
 * last. sl_h2_session_goaway cuts the wait short. Idempotent. */
void sl_h2_session_drain(struct sl_h2_session *session);
bool sl_h2_session_is_draining(const struct sl_h2_session *session); /* and the PING unanswered */

/* Client: false after a GOAWAY of either side, at the connection's end and when the stream ids are
 * used up. */
bool sl_h2_session_takes_requests(const struct sl_h2_session *session);

/* Client: opens a stream with a request's fields. It waits where the peer's MAX_CONCURRENT_STREAMS
 * says so. `takes_data` false sends END_STREAM with the fields. NULL when the session takes no
 * requests and when memory is out. */
struct sl_h2_stream *sl_h2_session_request(struct sl_h2_session *session,
                                           const struct sl_h2_field *fields, size_t count,
                                           bool takes_data,
                                           const struct sl_h2_stream_events *events,
                                           void *arg) SL_MUST_CHECK;

void sl_h2_stream_set_events(struct sl_h2_stream *stream, const struct sl_h2_stream_events *events,
                             void *arg);

/* Stream credit returns on receipt instead of by sl_h2_stream_grant. */
void sl_h2_stream_set_auto_window(struct sl_h2_stream *stream);

/* Server: the response's fields. `ends`: there is neither data nor trailers (END_STREAM). */
bool sl_h2_stream_respond(struct sl_h2_stream *stream, const struct sl_h2_field *fields,
                          size_t count, bool ends) SL_MUST_CHECK;

/* Copies the pieces, one behind the other, into the stream's send buffer: all of them or, when they
 * do not fit in its bound, none (false; on_writable follows). An empty buffer takes one send of any
 * length, so a message larger than the bound can leave. Also false when the stream is finished,
 * reset or closed; when memory is out the stream is reset. */
bool sl_h2_stream_send(struct sl_h2_stream *stream, const struct sl_str *pieces,
                       size_t count) SL_MUST_CHECK;

/* The same for who has the bytes bit by bit: what true promised, `total` bytes, is added before
 * anything else is done with the session. */
bool sl_h2_stream_begin_send(struct sl_h2_stream *stream, size_t total) SL_MUST_CHECK;
void sl_h2_stream_add(struct sl_h2_stream *stream, const void *bytes, size_t len);

/* Bytes that wait in the send buffer: not yet in a frame. */
size_t sl_h2_stream_unsent(const struct sl_h2_stream *stream);

/* True: something waits, and on_writable comes when nothing does any more. */
bool sl_h2_stream_await_sent(struct sl_h2_stream *stream) SL_MUST_CHECK;

/* END_STREAM behind what is in the send buffer; with trailers (server) or without. A server's
 * stream then closes: a request that goes on is reset with NO_ERROR. */
bool sl_h2_stream_finish(struct sl_h2_stream *stream, const struct sl_h2_field *trailers,
                         size_t count) SL_MUST_CHECK;

/* RST_STREAM; what is in the send buffer is dropped; on_close follows. Idempotent; also right
 * before the HEADERS left. */
void sl_h2_stream_reset(struct sl_h2_stream *stream, enum sl_h2_error error);

/* Returns `bytes` of stream window to the peer: one WINDOW_UPDATE. Only between on_open and
 * on_close, elsewhere it does nothing. */
void sl_h2_stream_grant(struct sl_h2_stream *stream, uint32_t bytes);

/* Puts off the stream's on_close, counted: it comes from the first output after the last release,
 * and at once from sl_h2_session_free. For an owner that has not looked at everything yet when the
 * stream ends. The other events are not put off. */
void sl_h2_stream_hold(struct sl_h2_stream *stream);
void sl_h2_stream_release(struct sl_h2_stream *stream);

/* What the peer may still send on the stream, as nghttp2 counts it; negative never. 0 once it is
 * closed. */
uint32_t sl_h2_stream_window(const struct sl_h2_stream *stream);

/* Whether sl_h2_stream_window must equal a ledger just now, but for the padding of a frame that is
 * not through: the stream goes on, and no frame of ours waits. nghttp2 resets a stream by itself
 * (more DATA than its content-length says), counts what comes for it and passes nothing on; that
 * shows only when the RST_STREAM has left. */
bool sl_h2_stream_is_exact(const struct sl_h2_stream *stream);

/* False until the peer acknowledged our SETTINGS: till then sl_h2_stream_window is not to be
 * compared with a ledger (the peer may still use the default of 65,535). */
bool sl_h2_session_is_settled(const struct sl_h2_session *session);

/* False until the peer's first SETTINGS came. */
bool sl_h2_session_is_greeted(const struct sl_h2_session *session);

/* Why a stream is closed; in its on_close, when it was not reset by its owner. The code is INTERNAL
 * or UNAVAILABLE. The reasons: "reset-by-peer", "goaway", "connection-ended", "window-overshoot",
 * "header-too-large", "broke-http2". */
struct sl_status sl_h2_stream_why(const struct sl_h2_stream *stream) SL_MUST_CHECK;

/* Its first HEADERS left or arrived. Not so yet: a request that waits because the peer takes no
 * more streams at a time, or for the next output. */
bool sl_h2_stream_is_open(const struct sl_h2_stream *stream);

int32_t sl_h2_stream_id(const struct sl_h2_stream *stream);
struct sl_h2_session *sl_h2_stream_session(const struct sl_h2_stream *stream);

#endif
