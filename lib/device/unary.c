#include "device/unary.h"

#include <stdlib.h>

#include "device/answer.h"
#include "device/dialect.h"
#include "gnmi.services.h"

struct unary {
    struct sl_device_world *world;
    uint32_t device; /* or SL_DEVICE_BY_TARGET */
};

static struct sl_status find_store(const struct unary *unary, const Gnmi__Path *prefix,
                                   struct sl_device_store **store)
{
    uint32_t device;

    if (!sl_device_world_resolve(unary->world, unary->device, prefix ? prefix->target : "",
                                 &device)) {
        return sl_device_world_no_device(unary->world);
    }
    *store = sl_device_world_store(unary->world, device);
    return *store ? sl_status_ok() : sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

static struct sl_status get(const struct unary *unary, const Gnmi__GetRequest *request,
                            struct sl_buf *out)
{
    struct sl_device_store *store;
    struct sl_status status = find_store(unary, request->prefix, &store);

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    return sl_device_answer_get(sl_device_store_now(store)->tree, request, sl_loop_wall_ns(), out);
}

static struct sl_status set(const struct unary *unary, const Gnmi__SetRequest *request,
                            struct sl_buf *out)
{
    struct sl_device_store *store;
    struct sl_status status = find_store(unary, request->prefix, &store);
    int64_t now_ns = sl_loop_wall_ns();

    if (sl_status_is_ok(&status)) {
        status = sl_device_store_set(store, request, now_ns);
    }
    return sl_status_is_ok(&status) ? sl_device_answer_set(request, now_ns, out) : status;
}

static struct sl_status answer(const struct unary *unary, const struct sl_grpc_method *method,
                               const ProtobufCMessage *message, struct sl_buf *out)
{
    if (method == &gnmi__g_nmi__methods[GNMI__G_NMI__GET]) {
        return get(unary, (const Gnmi__GetRequest *)message, out);
    }
    if (method == &gnmi__g_nmi__methods[GNMI__G_NMI__SET]) {
        return set(unary, (const Gnmi__SetRequest *)message, out);
    }
    if (unary->world->options.dialect) {
        return sl_device_dialect_capabilities(unary->world->options.dialect, out);
    }
    return sl_device_answer_capabilities((const Gnmi__CapabilityRequest *)message, out);
}

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_DEVICE_MAX_REQUEST_BYTES;
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    struct sl_buf out = {.data = NULL};
    struct sl_status status = answer(arg, sl_grpc_call_method(call), message, &out);

    if (sl_status_is_ok(&status) &&
        sl_grpc_call_send_bytes(call, out.data, (uint32_t)out.len) != SL_GRPC_SENT) {
        status = sl_status_error(SL_RESOURCE_EXHAUSTED, "the answer could not be sent");
    }
    sl_grpc_call_finish(call, &status);
    sl_buf_fini(&out);
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    (void)call;
    (void)status;
    free(arg);
}

static const struct sl_grpc_call_events events = {
    .max_message_bytes = max_message_bytes,
    .on_message = on_message,
    .on_status = on_status,
};

bool sl_device_unary_begin(struct sl_device_world *world, struct sl_grpc_call *call,
                           uint32_t device)
{
    struct unary *unary = malloc(sizeof(*unary));

    if (unary) {
        *unary = (struct unary){world, device};
        sl_grpc_call_set_events(call, &events, unary);
    }
    return unary != NULL;
}
