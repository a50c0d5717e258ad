/* call.h - gRPC calls, as client and as server, on one HTTP/2 session ("gRPC over HTTP/2").
 *
 * A call is one stream. Both directions are independent streams of messages; which of the four call
 * kinds it is, the method's table says (service.h), and the runtime holds both sides to it.
 * Messages are typed by that table too: they come as protobuf-c's structs, or, for those who read
 * them in place, as bytes.
 *
 * Every call ends with exactly one `on_status`, whatever happened, and is gone when that returns.
 * Calls and their events belong to the thread that feeds the session; events come from the session
 * or the loop, never from a function here.
 *
 * channel.h makes the client's connections, server.h the server's: they have examples of all kinds.
 */
#ifndef SLUICE_GRPC_CALL_H
#define SLUICE_GRPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "grpc/context.h"
#include "grpc/metadata.h"
#include "grpc/reader.h"
#include "grpc/service.h"
#include "h2/session.h"

enum {
    SL_GRPC_MAX_MESSAGE_BYTES = 16 * 1024 * 1024, /* where nobody says another limit */
    /* What a peer may send before we have looked at it, without manual credit: as soon as it has
     * used half of what HTTP/2 gave it at first. */
    SL_GRPC_WINDOW_BYTES = 256 * 1024,
};

struct sl_grpc_call;

enum sl_grpc_encoding { SL_GRPC_IDENTITY, SL_GRPC_GZIP };

/* Each may be NULL. `arg` is the call's. */
struct sl_grpc_call_events {
    /* The request's headers have left (client): credit may be granted from now on. */
    void (*on_open)(struct sl_grpc_call *call, void *arg);
    /* Client: the response's headers are in and are gRPC. */
    void (*on_headers)(struct sl_grpc_call *call, void *arg);
    /* `len` bytes of the peer's window were used up; comes before they are looked at. False: the
     * peer sent more than it may; the call ends with RESOURCE_EXHAUSTED. */
    bool (*on_received)(struct sl_grpc_call *call, uint32_t len, void *arg);
    /* How long a message may be that begins now, decompressed too; a longer one ends the call with
     * RESOURCE_EXHAUSTED, before memory is taken for it. NULL: the server's limit, or
     * SL_GRPC_MAX_MESSAGE_BYTES. */
    uint32_t (*max_message_bytes)(const struct sl_grpc_call *call, void *arg);
    /* A whole message, borrowed until return. HOLD: it is offered again after sl_grpc_call_resume;
     * what follows waits, within the window. Needs a context and a method with descriptors. */
    enum sl_grpc_take (*on_message)(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg);
    /* The same as bytes, instead of on_message. Both NULL: messages are ignored. */
    enum sl_grpc_take (*on_bytes)(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg);
    /* The peer will send no more messages (server: the client half-closed). */
    void (*on_half_close)(struct sl_grpc_call *call, void *arg);
    /* A send that was refused may be tried again; or what was awaited has left. */
    void (*on_writable)(struct sl_grpc_call *call, void *arg);
    /* The last event. Client: the call's outcome, the server's or our own. Server: OK when our
     * status left, else CANCELLED, DEADLINE_EXCEEDED or what broke. Beside those of the stream
     * (sl_h2_stream_why) its reasons are: "ended-by-peer" (with the code OK), "http-status",
     * "not-grpc", "no-status", "message-too-large", "message-too-deep", "broken-message",
     * "compressed", "gzip-broken", "broken-prefix", "broken-metadata", "cardinality", "truncated",
     * "deadline", "cancelled-here", "out-of-memory". */
    void (*on_status)(struct sl_grpc_call *call, const struct sl_status *status, void *arg);
};

/* ---- client ---- */

struct sl_grpc_request {
    const struct sl_grpc_method *method;
    const char *authority;  /* "leaf1:57400"; NULL on a channel: the channel's */
    const char *user_agent; /* likewise; "" or, on a session, NULL: none */
    const struct sl_grpc_field *metadata;
    size_t metadata_count;
    uint64_t timeout_ns;            /* the deadline, from now; 0: none */
    enum sl_grpc_encoding encoding; /* of what we send */
    bool identity_only;             /* compressed messages are not asked for; they are read */
    bool manual_credit;             /* window returns only by sl_grpc_call_grant */
    bool wait_for_ready;            /* channel: waits also while it cannot connect */
    /* Needed for typed messages, gzip, and the deadline on this side; a channel puts its own. */
    struct sl_grpc_context *context;
};

/* A call on a session. NULL when the session takes no calls any more or memory is out. */
struct sl_grpc_call *sl_grpc_call_open(struct sl_h2_session *session,
                                       const struct sl_grpc_request *request,
                                       const struct sl_grpc_call_events *events,
                                       void *arg) SL_MUST_CHECK;

/* In on_status. What the peer said at the end: its metadata, the text of its status whole and as it
 * wrote it, and the google.rpc.Status message that may go with it (grpc-status-details-bin).
 * Borrowed until on_status returns; empty where the peer ended nothing. */
const struct sl_grpc_metadata *sl_grpc_call_trailers(const struct sl_grpc_call *call);
struct sl_str sl_grpc_call_status_message(const struct sl_grpc_call *call);
struct sl_str sl_grpc_call_status_details(const struct sl_grpc_call *call);

/* ---- both sides ---- */

/* FULL: nothing was taken, and on_writable follows. CLOSED: the call is ending, or this side
 * half-closed. */
enum sl_grpc_send { SL_GRPC_SENT, SL_GRPC_FULL, SL_GRPC_CLOSED };

/* Copies one message into the send buffer, which has a bound (SL_H2_SEND_BUFFER_BYTES); an empty
 * one takes a message of any length. */
enum sl_grpc_send sl_grpc_call_send(struct sl_grpc_call *call,
                                    const ProtobufCMessage *message) SL_MUST_CHECK;
enum sl_grpc_send sl_grpc_call_send_bytes(struct sl_grpc_call *call, const void *bytes,
                                          uint32_t length) SL_MUST_CHECK;

/* True while the send buffer is at most half full: a message of up to the other half is taken. */
bool sl_grpc_call_is_ready(const struct sl_grpc_call *call);

/* Bytes of messages, prefixes included, that have not left in a frame. */
size_t sl_grpc_call_unsent(const struct sl_grpc_call *call);

/* Server. True: something waits in the send buffer, and on_writable comes when nothing does any
 * more. So a sender of states, of which only the newest counts, never queues one behind another. */
bool sl_grpc_call_await_sent(struct sl_grpc_call *call) SL_MUST_CHECK;

/* Whether messages from now on are compressed; only where the call has an encoding, and then they
 * are, until somebody says otherwise. */
void sl_grpc_call_set_compressed(struct sl_grpc_call *call, bool is_compressed);

/* Client: no more messages from this side (a server finishes instead). */
void sl_grpc_call_half_close(struct sl_grpc_call *call);

/* Ends the call at once with RST_STREAM CANCEL; on_status (CANCELLED, "cancelled here") follows,
 * later and never from within. */
void sl_grpc_call_cancel(struct sl_grpc_call *call);

/* The same for a reason: a client resets the stream, a server says `status` in its trailers.
 * Nothing when the call is over for this side already. */
void sl_grpc_call_fail(struct sl_grpc_call *call, const struct sl_status *status);

/* After a message that was put on HOLD: offers it again, and what came behind it. */
void sl_grpc_call_resume(struct sl_grpc_call *call);

/* manual_credit: returns `bytes` of window to the peer. */
void sl_grpc_call_grant(struct sl_grpc_call *call, uint32_t bytes);

/* See sl_grpc_reader_missing and sl_grpc_reader_held_bytes. */
uint32_t sl_grpc_call_missing(const struct sl_grpc_call *call);
size_t sl_grpc_call_held_bytes(const struct sl_grpc_call *call);

/* What is left until the deadline, 0 when it is over. False: there is none. A handler that calls
 * others gives them this. */
bool sl_grpc_call_time_left(const struct sl_grpc_call *call, uint64_t *left_ns) SL_MUST_CHECK;

const struct sl_grpc_method *sl_grpc_call_method(const struct sl_grpc_call *call);

/* The peer's initial metadata, borrowed from the call. Empty until it came. */
const struct sl_grpc_metadata *sl_grpc_call_headers(const struct sl_grpc_call *call);

/* The first value of a piece of it. */
struct sl_str sl_grpc_call_metadata(const struct sl_grpc_call *call, const char *name);

/* In on_message and on_bytes: the message came compressed; its bytes on the wire, prefix included.
 */
bool sl_grpc_call_was_compressed(const struct sl_grpc_call *call);
uint32_t sl_grpc_call_wire_bytes(const struct sl_grpc_call *call);

/* NULL while a call waits for a connection. */
struct sl_h2_stream *sl_grpc_call_stream(struct sl_grpc_call *call);

/* ---- server ---- */

/* What opens calls: a table. */
struct sl_grpc_handler {
    const struct sl_grpc_method *method; /* NULL ends the table */
    /* A call arrived with its headers. Set the events before returning, or finish it. */
    void (*on_call)(struct sl_grpc_call *call, void *arg);
};

struct sl_grpc_service_entry {
    const struct sl_grpc_handler *handlers;
    void *arg; /* for on_call */
};

/* Everything in it outlives the sessions that it is used for. */
struct sl_grpc_router {
    const struct sl_grpc_service_entry *entries;
    size_t count;
    struct sl_grpc_context *context; /* as in a request; may be NULL */
    uint32_t max_message_bytes;      /* 0: SL_GRPC_MAX_MESSAGE_BYTES */
};

/* The other end of a connection, as its handlers see it. */
struct sl_grpc_peer {
    const char *address;  /* "192.0.2.1:41352" */
    const char *identity; /* of its verified certificate; NULL when it showed none */
    void *user;           /* the owner's, for what all its calls share */
    bool is_secure;       /* TLS */
};

/* Give it to a server session's on_stream: makes a call of the stream, answers UNIMPLEMENTED to a
 * path that is in no table, 415 to what is not gRPC, 405 to what is not POST. `peer` may be NULL
 * and outlives the session. */
void sl_grpc_call_accept(const struct sl_grpc_router *router, const struct sl_grpc_peer *peer,
                         struct sl_h2_stream *stream);

void sl_grpc_call_set_events(struct sl_grpc_call *call, const struct sl_grpc_call_events *events,
                             void *arg);

const struct sl_grpc_peer *sl_grpc_call_peer(const struct sl_grpc_call *call);

/* Before the headers left: how messages are compressed. Nothing where the client does not take it
 * or there is no context. */
void sl_grpc_call_set_encoding(struct sl_grpc_call *call, enum sl_grpc_encoding encoding);

/* Sends the response's headers now; otherwise they leave, without metadata, with the first message.
 * False when that was done before or cannot be; what is not metadata ends the call with INTERNAL.
 */
bool sl_grpc_call_respond(struct sl_grpc_call *call, const struct sl_grpc_field *metadata,
                          size_t count);

/* Ends the call with a status behind what is in the send buffer; trailers-only when nothing was
 * sent. Idempotent. */
void sl_grpc_call_finish(struct sl_grpc_call *call, const struct sl_status *status);

/* The same in full. */
struct sl_grpc_end {
    enum sl_code code;
    struct sl_str message; /* UTF-8 */
    struct sl_str details; /* a google.rpc.Status, serialized; empty: none */
    const struct sl_grpc_field *trailers;
    size_t trailer_count;
};

void sl_grpc_call_finish_with(struct sl_grpc_call *call, const struct sl_grpc_end *end);

#endif
