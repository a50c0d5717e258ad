/* handler.h - what the methods of the suite's service share: a call's state from its begin to its
 * end, and what requests may ask for.
 */
#ifndef SLUICE_INTEROP_HANDLER_H
#define SLUICE_INTEROP_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "grpc/call.h"
#include "service.h"
#include "testing.pb-c.h"

struct interop_state {
    struct sl_grpc_call *call;
    struct sl_loop *loop;
    struct sl_timer *pause; /* until the next response is due; NULL until one has to wait */
    size_t next;            /* of the request at hand: the response that has not left */
    int64_t last_ns;        /* when the last response left, or the request came; 0: neither */
    int64_t received_bytes; /* of payloads */
    struct sl_buf kept;     /* HalfDuplexCall: what the requests asked for */
};

/* Begins a call: its events, whose arg is its state, and the metadata that is echoed in the
 * headers. Where memory is out the call is finished. */
void interop_begin(struct sl_grpc_call *call, struct interop_service *service,
                   const struct sl_grpc_call_events *events);

/* Ends the call with the metadata that is echoed in the trailers. */
void interop_finish(struct interop_state *state, enum sl_code code, const char *text);

/* The same, INVALID_ARGUMENT, from an on_message. */
enum sl_grpc_take interop_refuse(struct interop_state *state, const char *text);

/* Events. The first frees the state: every call needs it. */
void interop_on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg);
void interop_on_writable(struct sl_grpc_call *call, void *arg);   /* resumes */
void interop_finish_on_end(struct sl_grpc_call *call, void *arg); /* on_half_close: OK */

/* A response, compressed where it is asked for. */
enum sl_grpc_send interop_send(struct interop_state *state, const ProtobufCMessage *reply,
                               const Grpc__Testing__BoolValue *is_compressed) SL_MUST_CHECK;

/* ---- what requests ask for ---- */

bool interop_is_size(int32_t bytes);

/* That many zeros. */
void interop_set_body(Grpc__Testing__Payload *payload, int32_t bytes);

/* The request came compressed or not, as it says; true when it says nothing. */
bool interop_is_as_said(const struct interop_state *state,
                        const Grpc__Testing__BoolValue *expected);

/* True when the request is answered already: it asks for another status than OK, or for a type of
 * payload that is not known. */
bool interop_has_ended(struct interop_state *state, const Grpc__Testing__EchoStatus *status,
                       Grpc__Testing__PayloadType type);

#endif
