/* internal.h - what the files of a call share: the call, its decision, and the call of a channel
 * that waits for its connection.
 *
 * A call is over for this side once it is decided (`has_status`) or, at a server, finished: no more
 * event comes then but on_status. It lives as long as its stream, but where there is a loop a
 * decided call does not wait for the transport: it lets go of the stream and ends with the turn.
 * While the reader holds a message it holds the stream, so that nothing overtakes what is held.
 */
#ifndef SLUICE_GRPC_INTERNAL_H
#define SLUICE_GRPC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "grpc/call.h"

enum { SL_GRPC_REPLAY_BYTES = 64 * 1024 }; /* of a request; a longer one is not retried */

struct sl_grpc_opening;

struct sl_grpc_call {
    struct sl_list node;         /* its owner's; off its list when the call is gone */
    struct sl_h2_stream *stream; /* NULL while it waits for a connection */
    const struct sl_grpc_method *method;
    const struct sl_grpc_call_events *events;
    void *arg;
    struct sl_grpc_context *context;     /* or NULL */
    const struct sl_grpc_router *router; /* server */
    const struct sl_grpc_peer *peer;     /* server; or NULL */
    struct sl_grpc_opening *opening;     /* a channel's call until it is committed, else NULL */
    struct sl_timer *timer;              /* of the deadline */
    int64_t deadline_ns;                 /* by the loop's clock; 0: none */
    struct sl_deferred end_due;
    struct sl_grpc_reader reader;
    struct sl_grpc_metadata headers;  /* the peer's first header block */
    struct sl_grpc_metadata trailers; /* client */
    struct sl_buf message;            /* client: grpc-message, decoded */
    struct sl_status status;          /* decided on this side */
    enum sl_code peer_code;           /* client */
    enum sl_grpc_encoding encoding;   /* of what we send */
    enum sl_grpc_encoding peer_encoding;
    uint32_t retries;     /* its owner's count of new starts */
    uint32_t messages;    /* received */
    uint32_t unreturned;  /* without manual credit: taken, and not granted again */
    unsigned http_status; /* client */
    bool has_status;
    bool has_peer_code;
    bool is_server;
    bool is_manual;
    bool is_compressing;
    bool is_windowed;   /* the window is SL_GRPC_WINDOW_BYTES now */
    bool is_holding;    /* the stream */
    bool is_opened;     /* client: the request's headers left */
    bool is_finished;   /* this side sends no more messages */
    bool has_request;   /* server: its header block is through */
    bool has_responded; /* the response's header block is through, or (server) on its way */
    bool has_end;       /* END_STREAM came */
    bool is_grpc;       /* by its content-type */
    bool is_odd;        /* grpc-encoding neither identity nor gzip */
    bool takes_gzip;    /* grpc-accept-encoding has it */
    bool is_post;       /* server */
};

/* `stream` may come later. NULL when memory is out. */
struct sl_grpc_call *sl_grpc_call_new(const struct sl_grpc_call_events *events, void *arg,
                                      struct sl_grpc_context *context) SL_MUST_CHECK;
void sl_grpc_call_free(struct sl_grpc_call *call);

bool sl_grpc_call_is_over(const struct sl_grpc_call *call);

/* Starts the clock of a deadline; without a loop it does nothing. False when memory is out. */
bool sl_grpc_call_set_deadline(struct sl_grpc_call *call, uint64_t timeout_ns) SL_MUST_CHECK;

/* Server: sends its headers before its first message. True also when that was done before, and at
 * a client. */
bool sl_grpc_call_has_headers(struct sl_grpc_call *call) SL_MUST_CHECK;

/* Keeps one field of the first header block, and understands those that both sides send. */
void sl_grpc_call_take_field(struct sl_grpc_call *call, struct sl_str name, struct sl_str value);

/* No message needs to be waited for any more: the stream may close. */
void sl_grpc_call_let_go(struct sl_grpc_call *call);

/* The stream's events that both sides treat alike. */
bool sl_grpc_call_on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg);
void sl_grpc_call_on_writable(struct sl_h2_stream *stream, void *arg);

/* END_STREAM came: tells the owner, now or when what is held is through. */
void sl_grpc_call_end_messages(struct sl_grpc_call *call);

/* The stream has closed, and not by this side's decision: what became of the call. */
struct sl_status sl_grpc_call_broken(const struct sl_grpc_call *call, uint32_t error, bool by_peer);

/* The last event, with the decided status or, if there is none, with `outcome`; frees the call. */
void sl_grpc_call_end(struct sl_grpc_call *call, const struct sl_status *outcome);

/* ---- opening.c: a channel's call, until the server has answered ----
 *
 * What was asked and what was sent so far is kept, to be sent on a session that does not stand yet,
 * or once more where the server never looked at it (gRPC A6, transparent retries). It is committed,
 * and this memory gone, with the response's headers or when it has SL_GRPC_REPLAY_BYTES.
 */

/* The channel, as its calls see it. Events come from the loop. */
struct sl_grpc_owner {
    /* The stream is gone and the server never looked at it. True: the channel has listed the call
     * (its node) and will start it again. False: it ends with UNAVAILABLE. `is_moved`: it never
     * left this process, the server said GOAWAY before. */
    bool (*on_unprocessed)(struct sl_grpc_call *call, bool is_moved, void *arg);
    /* A waiting call ends by itself (cancelled, deadline): it is off the list, on_status follows.
     */
    void (*on_gone)(struct sl_grpc_call *call, void *arg);
    void *arg;
};

/* A call that waits: list it by its node. Copies the request; `owner` outlives it. Its deadline
 * runs. What cannot be metadata ends it from the loop. NULL when memory is out. */
struct sl_grpc_call *sl_grpc_call_prepare(const struct sl_grpc_request *request,
                                          const struct sl_grpc_call_events *events, void *arg,
                                          const struct sl_grpc_owner *owner) SL_MUST_CHECK;

/* Takes a waiting call, which is not over, off the list and opens its stream, with what was sent so
 * far. False when the session takes no calls any more or memory is out: then it waits still, and is
 * on no list. */
bool sl_grpc_call_start(struct sl_grpc_call *call, struct sl_h2_session *session) SL_MUST_CHECK;

/* Ends a waiting call: on_status comes now. */
void sl_grpc_call_abandon(struct sl_grpc_call *call, const struct sl_status *why);

bool sl_grpc_call_waits_for_ready(const struct sl_grpc_call *call); /* one that waits */

/* For the files of a call alone. */
bool sl_grpc_call_begin(struct sl_grpc_call *call,
                        const struct sl_grpc_request *request) SL_MUST_CHECK;
struct sl_h2_stream *sl_grpc_client_open_stream(struct sl_grpc_call *call,
                                                struct sl_h2_session *session,
                                                const struct sl_grpc_request *request);
enum sl_grpc_send sl_grpc_opening_send(struct sl_grpc_call *call, const struct sl_str *pieces,
                                       size_t count) SL_MUST_CHECK;
void sl_grpc_opening_note_sent(struct sl_grpc_call *call, const struct sl_str *pieces,
                               size_t count);
size_t sl_grpc_opening_unsent(const struct sl_grpc_call *call);
void sl_grpc_opening_commit(struct sl_grpc_call *call);
void sl_grpc_opening_gone(struct sl_grpc_call *call); /* a waiting call ends by itself */
/* The stream closed before an answer: true when the call waits again. */
bool sl_grpc_opening_retry(struct sl_grpc_call *call, uint32_t error);

#endif
