/* call.h - gRPC calls, as client and as server, on one HTTP/2 session ("gRPC over HTTP/2").
 *
 * A call is one stream. Both directions are independent streams of messages; which of the four call
 * kinds it is shows only in how many messages each side sends. Messages are raw bytes here.
 *
 * Every call ends with exactly one `on_status`, whatever happened, and is gone when that returns.
 * Calls and their events belong to the thread that feeds the session.
 */
#ifndef SLUICE_GRPC_CALL_H
#define SLUICE_GRPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "grpc/reader.h"
#include "grpc/service.h"
#include "h2/session.h"

struct sl_grpc_call;

struct sl_grpc_field { /* one piece of metadata */
    struct sl_str name;
    struct sl_str value;
    bool is_secret;
};

/* Each may be NULL. `arg` is the call's. */
struct sl_grpc_call_events {
    /* The request's headers have left (client): credit may be granted from now on. */
    void (*on_open)(struct sl_grpc_call *call, void *arg);
    /* Client: the response's headers are in and are gRPC. */
    void (*on_headers)(struct sl_grpc_call *call, void *arg);
    /* `len` bytes of the peer's window were used up; comes before they are looked at. False: the
     * peer sent more than it may; the call ends with RESOURCE_EXHAUSTED. */
    bool (*on_received)(struct sl_grpc_call *call, uint32_t len, void *arg);
    /* How long a message may be that begins now; a longer one ends the call with
     * RESOURCE_EXHAUSTED, before memory is taken for it. NULL: SL_GRPC_MAX_MESSAGE_BYTES. */
    uint32_t (*max_message_bytes)(const struct sl_grpc_call *call, void *arg);
    /* A whole message, borrowed until return. NULL: messages are ignored. */
    enum sl_grpc_take (*on_message)(struct sl_grpc_call *call, const uint8_t *bytes,
                                    uint32_t length, void *arg);
    /* The peer will send no more messages (server: the client half-closed). */
    void (*on_half_close)(struct sl_grpc_call *call, void *arg);
    /* A send that was refused may be tried again. */
    void (*on_writable)(struct sl_grpc_call *call, void *arg);
    /* The last event. Client: the call's outcome, the server's or our own. Server: OK when our
     * status left, else CANCELLED or what broke. Beside those of the stream (sl_h2_stream_why) its
     * reasons are: "ended-by-peer" (with the code OK), "http-status", "not-grpc", "no-status",
     * "message-too-large", "compressed", "broken-prefix", "truncated", "out-of-memory". */
    void (*on_status)(struct sl_grpc_call *call, const struct sl_status *status, void *arg);
};

enum { SL_GRPC_MAX_MESSAGE_BYTES = 16 * 1024 * 1024 };

/* Client. */
struct sl_grpc_request {
    const struct sl_grpc_method *method;
    const char *authority; /* "leaf1:57400" */
    const char *user_agent;
    const struct sl_grpc_field *metadata;
    size_t metadata_count;
    bool manual_credit; /* window returns only by sl_grpc_call_grant */
};

/* NULL when the session takes no calls any more or memory is out. */
struct sl_grpc_call *sl_grpc_call_open(struct sl_h2_session *session,
                                       const struct sl_grpc_request *request,
                                       const struct sl_grpc_call_events *events,
                                       void *arg) SL_MUST_CHECK;

/* Both sides. */

enum sl_grpc_send { SL_GRPC_SENT, SL_GRPC_FULL, SL_GRPC_CLOSED };

/* Copies one message into the send buffer. FULL: nothing was taken and on_writable follows. CLOSED:
 * the call is ending, or this side half-closed. */
enum sl_grpc_send sl_grpc_call_send(struct sl_grpc_call *call, const void *bytes,
                                    uint32_t length) SL_MUST_CHECK;

/* Bytes of messages, prefixes included, that have not left in a frame. */
size_t sl_grpc_call_unsent(const struct sl_grpc_call *call);

/* No more messages from this side (client: half-close; a server finishes instead). */
void sl_grpc_call_half_close(struct sl_grpc_call *call);

/* Ends the call at once with RST_STREAM CANCEL; on_status (CANCELLED, "cancelled here") follows,
 * later and never from within. */
void sl_grpc_call_cancel(struct sl_grpc_call *call);

/* The same for a reason: a client resets the stream, a server says `status` in its trailers.
 * Nothing when the call is over for this side already. */
void sl_grpc_call_fail(struct sl_grpc_call *call, const struct sl_status *status);

/* After an on_message that said HOLD: offers that message again, and what came behind it. */
void sl_grpc_call_resume(struct sl_grpc_call *call);

/* manual_credit: returns `bytes` of window to the peer. */
void sl_grpc_call_grant(struct sl_grpc_call *call, uint32_t bytes);

/* See sl_grpc_reader_missing and sl_grpc_reader_held_bytes. */
uint32_t sl_grpc_call_missing(const struct sl_grpc_call *call);
size_t sl_grpc_call_held_bytes(const struct sl_grpc_call *call);

struct sl_h2_stream *sl_grpc_call_stream(struct sl_grpc_call *call);

/* The first value of a piece of the peer's initial metadata, borrowed; empty when there is none.
 * The block as a whole is limited by SL_H2_MAX_HEADER_BYTES. */
struct sl_str sl_grpc_call_metadata(const struct sl_grpc_call *call, const char *name);

/* Server: what opens calls. */
struct sl_grpc_handler {
    const struct sl_grpc_method *method; /* NULL ends the table */
    /* A call arrived with its headers. Set the events before returning, or finish it. */
    void (*on_call)(struct sl_grpc_call *call, void *arg);
};

struct sl_grpc_server {
    const struct sl_grpc_handler *handlers; /* the table outlives the server */
    void *arg;                              /* for on_call */
};

/* Give it to a server session's on_stream: makes a call of the stream, answers UNIMPLEMENTED to a
 * path that is not in the table, 415 to what is not gRPC, 405 to what is not POST. */
void sl_grpc_server_accept(const struct sl_grpc_server *server, struct sl_h2_stream *stream);

void sl_grpc_call_set_events(struct sl_grpc_call *call, const struct sl_grpc_call_events *events,
                             void *arg);

/* Server: ends the call with a status behind what is in the send buffer; trailers-only when nothing
 * was sent. Idempotent. */
void sl_grpc_call_finish(struct sl_grpc_call *call, const struct sl_status *status);

#endif
