#include "grpc/context.h"

void sl_grpc_context_init(struct sl_grpc_context *context, struct sl_loop *loop)
{
    *context = (struct sl_grpc_context){.loop = loop};
    sl_grpc_gzip_init(&context->gzip);
    sl_grpc_arena_init(&context->arena);
}

void sl_grpc_context_fini(struct sl_grpc_context *context)
{
    sl_grpc_gzip_fini(&context->gzip);
    sl_grpc_arena_fini(&context->arena);
}
