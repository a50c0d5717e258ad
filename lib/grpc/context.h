/* context.h - what the calls of one thread share: its loop, the memory of gzip and of messages.
 *
 * A channel and a server have one each; its calls belong to the thread of its loop.
 */
#ifndef SLUICE_GRPC_CONTEXT_H
#define SLUICE_GRPC_CONTEXT_H

#include "grpc/gzip.h"
#include "grpc/message.h"
#include "loop/loop.h"

struct sl_grpc_context {
    struct sl_loop *loop;
    struct sl_grpc_gzip gzip;
    struct sl_grpc_arena arena;
};

/* Owns no memory before the first message needs some. `loop` outlives it; NULL: deadlines are not
 * watched here, and a decided call ends with its stream. */
void sl_grpc_context_init(struct sl_grpc_context *context, struct sl_loop *loop);

/* When its last call is gone. */
void sl_grpc_context_fini(struct sl_grpc_context *context);

#endif
