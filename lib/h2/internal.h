/* internal.h - what the files of a session share: the two objects and how a stream ends.
 *
 * session.c has a session's life, incoming.c and outgoing.c what nghttp2 says of frames, stream.c
 * what an owner does with a stream, reason.c the words.
 *
 * A stream is on one of its session's two lists. `streams` holds those that go on and those that
 * are closed but held by their owner; `ended` those whose on_close is due from the next output.
 * Nothing is freed but by sl_h2_stream_end, and that is called from no event of the stream.
 */
#ifndef SLUICE_H2_INTERNAL_H
#define SLUICE_H2_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/ring.h"
#include "h2/guard.h"
#include "h2/session.h"

/* What made a stream end, where it was neither its owner nor an RST_STREAM of the peer. */
enum sl_h2_cause {
    SL_H2_CAUSE_NONE,
    SL_H2_CAUSE_CONNECTION, /* it ended */
    SL_H2_CAUSE_GOAWAY,     /* the peer will not look at it */
    SL_H2_CAUSE_WINDOW,     /* a frame of more than it may send */
    SL_H2_CAUSE_HEADER_BYTES,
    SL_H2_CAUSE_HEADER_FIELDS,
    SL_H2_CAUSE_RULE, /* of HTTP/2; nghttp2 refused a frame */
};

enum {
    SL_H2_MAGIC_BYTES = 24,                       /* that a client begins with */
    SL_H2_PREFACE_BYTES = SL_H2_FRAME_HEAD_BYTES, /* of the frame that a server begins with */
};

struct sl_h2_session {
    nghttp2_session *ng;
    enum sl_h2_role role;
    const struct sl_h2_limits *limits;
    const struct sl_h2_session_events *events;
    void *arg;
    struct sl_list streams;
    struct sl_list ended;
    size_t stream_count;   /* on both lists */
    size_t held_count;     /* streams that are closed and held */
    struct sl_status why;  /* OK until something ends the session */
    uint64_t useful_bytes; /* of DATA that streams took */
    size_t block_bytes;    /* of header blocks that they took, in this receive */
    size_t field_bytes;    /* of the header block under way */
    size_t field_count;
    struct sl_h2_guard guard;
    struct sl_buf farewell;             /* the GOAWAY of a connection error: the last output */
    uint8_t *frame_room;                /* where the next DATA frame goes … */
    size_t frame_bytes;                 /* … and its length, once it is there */
    uint8_t preface[SL_H2_MAGIC_BYTES]; /* what the peer began with */
    uint8_t preface_have;
    bool is_secure;     /* the transport below */
    bool is_output_due; /* on_output has come, output not yet */
    bool is_sending;    /* in sl_h2_session_output: nobody need be told of output */
    bool is_settled;
    bool is_greeted;
    bool has_sent_goaway; /* the last one: by sl_h2_session_goaway, or for abuse */
    bool is_draining;     /* a GOAWAY that refuses nothing yet is on its way */
    bool has_goaway;      /* received */
    bool is_dead;         /* nghttp2 gave up: no more input or output */
};

struct sl_h2_stream {
    struct sl_list node;
    struct sl_h2_session *session;
    const struct sl_h2_stream_events *events; /* NULL: not accepted yet */
    void *arg;
    int32_t id;
    unsigned holds;
    struct sl_ring buffer; /* what is to be sent and not in a frame yet */
    nghttp2_nv *trailers;  /* one block with the bytes that it points at */
    size_t trailer_count;
    uint32_t unreturned; /* auto_window: received and not announced again */
    uint32_t error;      /* once closed */
    enum sl_h2_cause cause;
    int rule;              /* with SL_H2_CAUSE_RULE: nghttp2's number */
    uint32_t frame_bytes;  /* with SL_H2_CAUSE_WINDOW */
    uint32_t window_bytes; /* likewise */
    uint64_t taken_bytes;  /* of DATA that left */
    uint64_t seen_bytes;   /* of those, when it was last found waiting */
    uint64_t stalls_at_ms; /* while it is waiting */
    bool is_open;          /* its first HEADERS left or arrived */
    bool is_answered;      /* a frame of ours left */
    bool is_waiting;       /* was seen with something to send, and has had since */
    bool is_interim;       /* the block under way is a 1xx */
    bool has_fields;       /* the request's or response's block is through */
    bool has_responded;
    bool has_sent_end; /* END_STREAM */
    bool has_end;      /* END_STREAM received */
    bool is_finished;  /* END_STREAM follows the buffer */
    bool is_deferred;  /* nghttp2 waits for data */
    bool is_refused;   /* a send was: on_writable is owed */
    bool is_awaited;   /* likewise, once all is sent */
    bool is_auto_window;
    bool is_reset;
    bool is_closed; /* nghttp2 has done with it */
    bool is_ended_by_peer;
};

/* ---- incoming.c, outgoing.c: nghttp2's callbacks ---- */

void sl_h2_set_incoming(nghttp2_session_callbacks *callbacks);
void sl_h2_set_outgoing(nghttp2_session_callbacks *callbacks);

/* ---- stream.c ---- */

/* NULL: nghttp2 has none of this number, or it has ended for its owner. */
static inline struct sl_h2_stream *sl_h2_stream_find(struct sl_h2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session->ng, id);
}

/* A stream that is counted and listed; NULL when memory is out. */
struct sl_h2_stream *sl_h2_stream_new(struct sl_h2_session *session) SL_MUST_CHECK;

/* Its last event, and its end. */
void sl_h2_stream_end(struct sl_h2_stream *stream);

/* nghttp2 has done with the stream, or never will hear of it: nothing can be sent any more. */
void sl_h2_stream_set_closed(struct sl_h2_stream *stream, uint32_t error, bool is_by_peer);

/* on_close comes from the next output. */
void sl_h2_stream_end_later(struct sl_h2_stream *stream);

/* A stream whose HEADERS never left (client): ends it without a frame. */
void sl_h2_stream_withdraw(struct sl_h2_stream *stream, uint32_t error, bool is_by_peer);

/* Resets a stream because its peer went beyond what it may. */
void sl_h2_stream_refuse(struct sl_h2_stream *stream, enum sl_h2_error error,
                         enum sl_h2_cause cause);

/* A frame left that carried DATA: tells the owner, if it waits for room. */
void sl_h2_stream_tell_writable(struct sl_h2_stream *stream);

/* nghttp2's copy of fields, to be freed with free(); it borrows their bytes. */
nghttp2_nv *sl_h2_fields_borrow(const struct sl_h2_field *fields, size_t count) SL_MUST_CHECK;

/* What tells nghttp2 how much of a stream's buffer the next DATA frame has. */
nghttp2_data_provider sl_h2_stream_provider(struct sl_h2_stream *stream);

/* Writes such a frame: its head, and `len` bytes out of the stream's buffer. */
void sl_h2_stream_write_frame(struct sl_h2_stream *stream, const uint8_t *head, size_t len);

/* ---- reason.c: what an operator reads ---- */

/* False as soon as the bytes cannot be the magic of a client, or the head of a SETTINGS frame of a
 * server. */
bool sl_h2_preface_is_good(enum sl_h2_role role, const uint8_t *head, size_t have);

/* A peer that began with `bytes`. */
struct sl_status sl_h2_why_not_http2(enum sl_h2_role role, const uint8_t *bytes, size_t len);

/* nghttp2 queued this GOAWAY, with a text that says which rule the peer broke. */
struct sl_status sl_h2_why_broke(const nghttp2_goaway *goaway);

/* nghttp2 gave up with this number. */
struct sl_status sl_h2_why_gave_up(const struct sl_h2_limits *limits, int result);

/* ---- session.c ---- */

/* Why the session ends: the first reason stays. */
void sl_h2_session_give_reason(struct sl_h2_session *session, struct sl_status why);

/* Ends the connection for what the peer did: a GOAWAY, nothing behind it. */
void sl_h2_session_end_for(struct sl_h2_session *session, enum sl_h2_abuse abuse);

/* A PING of the peer, or its answer to ours. */
void sl_h2_session_take_ping(struct sl_h2_session *session, const nghttp2_ping *ping);

/* Something was submitted. `result` is what nghttp2 said to it: when it ran out of memory, the
 * session is over. */
void sl_h2_session_note(struct sl_h2_session *session, int result);

/* memory.c: where nghttp2 has its memory from. */
nghttp2_mem *sl_h2_memory(void);

#endif
