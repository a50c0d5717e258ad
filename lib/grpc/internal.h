/* internal.h - what the two sides of a call share: the call, its decision and its messages.
 *
 * A call is over for this side once it is decided (`has_status`) or, at a server, finished: no more
 * event comes then but on_status. It lives as long as its stream; while the reader holds a message
 * it holds the stream, so that nothing overtakes what is held.
 */
#ifndef SLUICE_GRPC_INTERNAL_H
#define SLUICE_GRPC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "grpc/call.h"

struct sl_grpc_call {
    struct sl_h2_stream *stream;
    const struct sl_grpc_call_events *events;
    void *arg;
    struct sl_grpc_reader reader;
    struct sl_buf metadata;       /* the peer's first header block */
    struct sl_status status;      /* decided on this side */
    struct sl_status peer_status; /* client: as its fields came in */
    struct sl_grpc_server server; /* server */
    uint32_t unreturned;          /* without manual credit: taken, and not granted again */
    unsigned http_status;         /* client */
    bool has_status;
    bool has_peer_status;
    bool is_server;
    bool is_manual;
    bool is_holding;    /* the stream */
    bool is_finished;   /* this side sends no more messages */
    bool has_request;   /* server: its header block is through */
    bool has_responded; /* the response's header block is through, or (server) on its way */
    bool has_end;       /* END_STREAM came */
    bool is_grpc;       /* by its content-type */
    bool is_encoded;    /* grpc-encoding other than identity */
    bool is_post;       /* server */
};

/* `stream` may come later. NULL when memory is out. */
struct sl_grpc_call *sl_grpc_call_new(const struct sl_grpc_call_events *events,
                                      void *arg) SL_MUST_CHECK;
void sl_grpc_call_free(struct sl_grpc_call *call);

bool sl_grpc_call_is_over(const struct sl_grpc_call *call);

/* Server: sends its headers before its first message. True also when that was done before, and at
 * a client. */
bool sl_grpc_call_respond(struct sl_grpc_call *call) SL_MUST_CHECK;

/* Keeps one field of the first header block, for sl_grpc_call_metadata, and understands those that
 * both sides send. */
void sl_grpc_call_take_field(struct sl_grpc_call *call, struct sl_str name, struct sl_str value);

/* No message needs to be waited for any more: the stream may close. */
void sl_grpc_call_let_go(struct sl_grpc_call *call);

/* The stream's events that both sides treat alike. */
bool sl_grpc_call_on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg);
void sl_grpc_call_on_writable(struct sl_h2_stream *stream, void *arg);

/* END_STREAM came: tells the owner, now or when what is held is through. */
void sl_grpc_call_end_messages(struct sl_grpc_call *call);

/* The stream has closed, and not by this side's decision: what became of the call. */
struct sl_status sl_grpc_call_broken(const struct sl_h2_stream *stream, uint32_t error,
                                     bool by_peer);

/* The last event, with the decided status or, if there is none, with `outcome`; frees the call. */
void sl_grpc_call_end(struct sl_grpc_call *call, const struct sl_status *outcome);

#endif
