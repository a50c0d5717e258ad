#include "grpc/blocking.h"

#include <stdlib.h>

struct sl_grpc_blocking {
    struct sl_loop *loop;
    const struct sl_grpc_method *method;
    struct sl_grpc_call *call; /* NULL when it is over */
    ProtobufCMessage *message; /* received, and not asked for yet */
    struct sl_status status;   /* once it is over */
    bool is_waiting;           /* in run_until: the loop may be stopped */
    bool has_news;             /* it was stopped for this call */
    bool is_writable;
};

/* ---- events ---- */

static void tell(struct sl_grpc_blocking *blocking)
{
    if (blocking->is_waiting) {
        blocking->has_news = true;
        sl_loop_stop(blocking->loop);
    }
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct sl_grpc_blocking *blocking = arg;
    struct sl_status why;

    if (blocking->message) {
        return SL_GRPC_HOLD;
    }
    blocking->message = sl_grpc_message_unpack_kept(blocking->method->output, bytes, length, &why);
    if (!blocking->message) {
        sl_grpc_call_fail(call, &why);
        return SL_GRPC_STOP;
    }
    tell(blocking);
    return SL_GRPC_TAKEN;
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    struct sl_grpc_blocking *blocking = arg;

    (void)call;
    blocking->is_writable = true;
    tell(blocking);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct sl_grpc_blocking *blocking = arg;

    (void)call;
    blocking->call = NULL;
    blocking->status = *status;
    tell(blocking);
}

static const struct sl_grpc_call_events events = {
    .on_bytes = on_bytes,
    .on_writable = on_writable,
    .on_status = on_status,
};

/* ---- running the loop ---- */

static bool has_message(const struct sl_grpc_blocking *blocking)
{
    return blocking->message != NULL;
}

static bool is_writable(const struct sl_grpc_blocking *blocking)
{
    return blocking->is_writable;
}

static bool never(const struct sl_grpc_blocking *blocking)
{
    (void)blocking;
    return false;
}

/* Or until the call is over. */
static void run_until(struct sl_grpc_blocking *blocking,
                      bool (*is_met)(const struct sl_grpc_blocking *))
{
    const struct sl_status stopped = sl_status_because(
        "cancelled-here", sl_status_error(SL_CANCELLED, "interrupted: the loop was stopped"));

    while (blocking->call && !is_met(blocking)) {
        blocking->has_news = false;
        blocking->is_waiting = true;
        sl_loop_run(blocking->loop);
        blocking->is_waiting = false;
        if (!blocking->has_news && blocking->call) {
            sl_grpc_call_fail(blocking->call, &stopped);
        }
    }
}

static void stop_loop(void *arg)
{
    sl_loop_stop(arg);
}

/* What was submitted leaves, as far as it can now. */
static void run_turn(struct sl_loop *loop)
{
    struct sl_deferred turn = {.fn = stop_loop, .arg = loop};

    sl_loop_defer(loop, &turn);
    sl_loop_run(loop);
    sl_loop_cancel(loop, &turn);
}

struct closing {
    struct sl_loop *loop;
    bool is_closed;
};

static void on_closed(void *arg)
{
    struct closing *closing = arg;

    closing->is_closed = true;
    sl_loop_stop(closing->loop);
}

/* Waits for room. */
static bool submit(struct sl_grpc_blocking *blocking, const ProtobufCMessage *message)
{
    enum sl_grpc_send sent = SL_GRPC_FULL;

    while (blocking->call && sent == SL_GRPC_FULL) {
        blocking->is_writable = false;
        sent = sl_grpc_call_send(blocking->call, message);
        if (sent == SL_GRPC_FULL) {
            run_until(blocking, is_writable);
        }
    }
    return sent == SL_GRPC_SENT;
}

/* ---- public ---- */

struct sl_grpc_blocking *sl_grpc_blocking_open(struct sl_grpc_channel *channel,
                                               const struct sl_grpc_request *request)
{
    struct sl_grpc_blocking *blocking = calloc(1, sizeof(*blocking));

    if (!blocking) {
        return NULL;
    }
    blocking->loop = sl_grpc_channel_context(channel)->loop;
    blocking->method = request->method;
    blocking->call = sl_grpc_channel_call(channel, request, &events, blocking);
    if (!blocking->call) {
        free(blocking);
        return NULL;
    }
    return blocking;
}

bool sl_grpc_blocking_send(struct sl_grpc_blocking *blocking, const ProtobufCMessage *message)
{
    if (!submit(blocking, message)) {
        return false;
    }
    run_turn(blocking->loop);
    return true;
}

void sl_grpc_blocking_half_close(struct sl_grpc_blocking *blocking)
{
    if (blocking->call) {
        sl_grpc_call_half_close(blocking->call);
        run_turn(blocking->loop);
    }
}

ProtobufCMessage *sl_grpc_blocking_receive(struct sl_grpc_blocking *blocking)
{
    run_until(blocking, blocking->method->server_streams ? has_message : never);
    ProtobufCMessage *message = blocking->message;

    blocking->message = NULL;
    if (message && blocking->call) {
        sl_grpc_call_resume(blocking->call);
    }
    return message;
}

struct sl_status sl_grpc_blocking_close(struct sl_grpc_blocking *blocking)
{
    if (blocking->call) {
        sl_grpc_call_cancel(blocking->call);
    }
    run_until(blocking, never);
    struct sl_status status = blocking->status;

    if (blocking->message) {
        protobuf_c_message_free_unpacked(blocking->message, NULL);
    }
    free(blocking);
    return status;
}

struct sl_status sl_grpc_blocking_unary(struct sl_grpc_channel *channel,
                                        const struct sl_grpc_request *request,
                                        const ProtobufCMessage *input, ProtobufCMessage **output)
{
    struct sl_grpc_blocking *blocking = sl_grpc_blocking_open(channel, request);
    struct sl_status status;

    *output = NULL;
    if (!blocking) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "the channel takes no more calls");
    }
    if (submit(blocking, input)) {
        sl_grpc_call_half_close(blocking->call);
    }
    *output = sl_grpc_blocking_receive(blocking);
    status = sl_grpc_blocking_close(blocking);
    if (!sl_status_is_ok(&status) && *output) {
        protobuf_c_message_free_unpacked(*output, NULL);
        *output = NULL;
    }
    return status;
}

void sl_grpc_blocking_close_channel(struct sl_grpc_channel *channel)
{
    struct closing closing = {.loop = sl_grpc_channel_context(channel)->loop};

    sl_grpc_channel_close(channel, on_closed, &closing);
    while (!closing.is_closed) {
        sl_loop_run(closing.loop);
    }
}
