#include <stdlib.h>

#include "services.h"

void finish(struct sl_grpc_call *call)
{
    struct sl_status ok = sl_status_ok();

    sl_grpc_call_finish(call, &ok);
}

void reply(struct sl_grpc_call *call, const ProtobufCMessage *message)
{
    if (sl_grpc_call_send(call, message) == SL_GRPC_SENT) {
        finish(call);
    }
}

enum sl_grpc_take refuse(struct sl_grpc_call *call, enum sl_code code, const char *text)
{
    struct sl_status status = sl_status_error(code, "%s", text);

    sl_grpc_call_finish(call, &status);
    return SL_GRPC_TAKEN;
}

enum sl_grpc_take taken_if(enum sl_grpc_send sent)
{
    return sent == SL_GRPC_FULL ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
}

void resume(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    sl_grpc_call_resume(call);
}

void finish_on_half_close(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    finish(call);
}

void *open_call(struct sl_grpc_call *call, const struct sl_grpc_call_events *events, size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    sl_grpc_call_set_events(call, events, memory);
    return memory;
}

void free_call(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    (void)call;
    (void)status;
    free(arg);
}
