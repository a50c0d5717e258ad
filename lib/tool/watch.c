#include "tool/watch.h"

#include "gnmi.pb-c.h"
#include "gnmi.services.h"
#include "tool/print.h"

#define SUBSCRIBE GNMI__G_NMI__SUBSCRIBE

/* ---- patience ---- */

static bool is_awaited(const struct sl_tool_watch *watch)
{
    return watch->patience_ns && watch->mode != SL_GNMI_STREAM && !watch->is_synced;
}

static void be_patient(struct sl_tool_watch *watch)
{
    if (is_awaited(watch)) {
        sl_timer_start(watch->timer, sl_max_u64(watch->patience_ns / SL_NS_PER_MS, 1));
    } else if (watch->timer) {
        sl_timer_stop(watch->timer);
    }
}

static void on_timer(void *arg)
{
    struct sl_tool_watch *watch = arg;
    struct sl_status why = sl_status_because(
        "deadline", sl_status_error(SL_DEADLINE_EXCEEDED, "nothing came within --timeout"));

    sl_tool_watch_end(watch, &why);
}

/* ---- the call ---- */

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct sl_tool_watch *watch = arg;

    (void)call;
    return (uint32_t)watch->target->run->options->max_message_bytes;
}

/* What a response that was taken means for the watch itself. */
static void note_response(struct sl_tool_watch *watch, const struct sl_gnmi_response *response)
{
    struct sl_status ok = sl_status_ok();

    watch->messages++;
    watch->is_synced = watch->is_synced || (response->kind == SL_GNMI_SYNC && response->is_sync);
    be_patient(watch);
    if (watch->is_synced && watch->mode == SL_GNMI_ONCE) {
        sl_tool_watch_end(watch, &ok);
    }
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct sl_tool_watch *watch = arg;
    struct sl_str message = {(const char *)bytes, length};
    struct sl_gnmi_response response;

    (void)call;
    if (watch->has_why) {
        return SL_GRPC_TAKEN; /* it is ending */
    }
    struct sl_status status = sl_gnmi_response_read(message, &watch->scratch, &response);
    if (!sl_status_is_ok(&status)) {
        watch->events->on_broken(watch, message, &status, watch->arg);
        be_patient(watch);
        return SL_GRPC_TAKEN;
    }
    enum sl_grpc_take take = watch->events->on_response(watch, &response, watch->arg);
    if (take == SL_GRPC_HOLD) {
        sl_timer_stop(watch->timer);
    } else {
        note_response(watch, &response);
    }
    return take;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct sl_tool_watch *watch = arg;
    struct sl_status why = watch->has_why ? watch->why : *status;

    watch->call = NULL;
    sl_timer_stop(watch->timer);
    watch->events->on_end(watch, watch->has_why ? NULL : call, &why, watch->arg);
}

static const struct sl_grpc_call_events call_events = {
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_bytes,
    .on_status = on_status,
};

/* A first message finds an empty send buffer, which takes one of any length. */
static bool send(struct sl_tool_watch *watch, struct sl_str request)
{
    return sl_grpc_call_send_bytes(watch->call, request.data, (uint32_t)request.len) ==
           SL_GRPC_SENT;
}

/* ---- public ---- */

bool sl_tool_watch_open(struct sl_tool_watch *watch)
{
    const struct sl_grpc_request request =
        sl_tool_request(watch->target, &gnmi__g_nmi__methods[SUBSCRIBE], false);

    SL_ASSERT(!watch->call);
    if (!watch->timer) {
        watch->timer = sl_timer_new(watch->target->run->loop, on_timer, watch);
    }
    watch->has_why = false;
    watch->is_synced = false;
    watch->call = watch->timer
                      ? sl_grpc_channel_call(watch->target->channel, &request, &call_events, watch)
                      : NULL;
    if (!watch->call) {
        return false;
    }
    sl_tool_show_request(watch->target, &gnmi__subscribe_request__descriptor, watch->request);
    if (!send(watch, watch->request)) {
        struct sl_status why = sl_status_because(
            "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
        sl_tool_watch_end(watch, &why);
    }
    be_patient(watch);
    return true;
}

void sl_tool_watch_poll(struct sl_tool_watch *watch)
{
    SL_ASSERT(watch->mode == SL_GNMI_POLL);
    if (watch->call && send(watch, sl_gnmi_poll())) {
        watch->is_synced = false;
        be_patient(watch);
    }
}

void sl_tool_watch_resume(struct sl_tool_watch *watch)
{
    if (watch->call) {
        be_patient(watch);
        sl_grpc_call_resume(watch->call);
    }
}

void sl_tool_watch_end(struct sl_tool_watch *watch, const struct sl_status *status)
{
    if (watch->call && !watch->has_why) {
        watch->has_why = true;
        watch->why = *status;
        sl_grpc_call_cancel(watch->call);
    }
}

bool sl_tool_watch_is_open(const struct sl_tool_watch *watch)
{
    return watch->call != NULL;
}

void sl_tool_watch_fini(struct sl_tool_watch *watch)
{
    SL_ASSERT(!watch->call);
    sl_timer_free(watch->timer);
    watch->timer = NULL;
    sl_buf_fini(&watch->scratch);
}
