/* service.h - gRPC's interoperability service, grpc.testing.TestService.
 *
 * What each method does is in gRPC's doc/interop-test-descriptions.md: responses have the sizes,
 * pauses, statuses and compression that the requests ask for, and requests are refused with
 * INVALID_ARGUMENT where they are not compressed as they say. Metadata named
 * x-grpc-test-echo-initial and x-grpc-test-echo-trailing-bin comes back.
 *
 * A response never waits in memory: a request is looked at again and again (SL_GRPC_HOLD) until all
 * its responses have left (HalfDuplexCall keeps a few numbers of each). So a client that does not
 * read holds its own call alone.
 */
#ifndef SLUICE_INTEROP_SERVICE_H
#define SLUICE_INTEROP_SERVICE_H

#include "grpc/call.h"
#include "loop/loop.h"

enum { INTEROP_MAX_BODY_BYTES = 4 * 1024 * 1024 }; /* of a response's payload */

struct interop_service {
    struct sl_loop *loop;
};

/* The methods, for a struct sl_grpc_router_entry whose arg is a struct interop_service. */
extern const struct sl_grpc_handler interop_handlers[];

#endif
