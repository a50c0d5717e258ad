/* outputs.h - the methods of the suite's service that answer with streams. */
#ifndef SLUICE_INTEROP_OUTPUTS_H
#define SLUICE_INTEROP_OUTPUTS_H

#include "grpc/call.h"

enum { INTEROP_MAX_KEPT = 4096 }; /* responses of one HalfDuplexCall */

/* on_call of StreamingOutputCall and of FullDuplexCall: each request is answered as it comes. */
void interop_output_call(struct sl_grpc_call *call, void *arg);

/* The requests are kept, as numbers, and answered when the client has half-closed. */
void interop_half_duplex_call(struct sl_grpc_call *call, void *arg);

#endif
