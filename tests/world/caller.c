#include "world/caller.h"

#include <stdlib.h>

#include "gnmi.services.h"
#include "grpc/channel.h"
#include "world/device.h"

enum { DEADLINE_MS = 3000, PAUSE_MS = 4000 };

struct caller {
    struct callers *callers;
    unsigned device;
    struct sl_grpc_channel *channel; /* NULL: closed */
    struct sl_timer *timer;          /* of the next call */
    struct world_random random;
    unsigned calls, ends;
};

struct callers {
    struct run *run;
    struct caller each[PLAN_DEVICES];
    bool is_closing;
};

static void open_channel(struct caller *caller);

/* ---- calls ---- */

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct caller *caller = arg;

    (void)call;
    (void)status;
    caller->ends++;
}

static const struct sl_grpc_call_events call_events = {.on_status = on_status};

static void make_call(struct caller *caller)
{
    const struct sl_grpc_request request = {
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__CAPABILITIES],
        .timeout_ns = DEADLINE_MS * SL_NS_PER_MS,
        .wait_for_ready = world_random_chance(&caller->random, 500),
    };
    struct sl_grpc_call *call =
        sl_grpc_channel_call(caller->channel, &request, &call_events, caller);

    if (!call) {
        return;
    }
    caller->calls++;
    if (sl_grpc_call_send_bytes(call, "", 0) == SL_GRPC_SENT) {
        sl_grpc_call_half_close(call);
    }
}

static void on_closed(void *arg)
{
    struct caller *caller = arg;

    caller->channel = NULL;
    if (!caller->callers->is_closing) {
        open_channel(caller);
    }
}

/* The next call; or the channel closes, whatever it is at, and another one is opened. */
static void on_timer(void *arg)
{
    struct caller *caller = arg;

    if (!caller->channel) {
        return;
    }
    if (world_random_chance(&caller->random, 150)) {
        sl_grpc_channel_close(caller->channel, on_closed, caller);
    } else {
        make_call(caller);
    }
    if (!caller->callers->run->is_calm) {
        sl_timer_start(caller->timer, world_random_scale(&caller->random, 1, PAUSE_MS));
    }
}

/* ---- life ---- */

static void open_channel(struct caller *caller)
{
    struct sl_grpc_channel_options options = {
        .loop = caller->callers->run->loop,
        .dial = {.timeout_ms = DEADLINE_MS},
        .backoff_min_ms = 50,
        .backoff_max_ms = 2000,
    };

    device_address(caller->device, &options.dial.address);
    caller->channel = sl_grpc_channel_open(&options);
    SL_ASSERT(caller->channel);
    sl_timer_start(caller->timer, world_random_scale(&caller->random, 1, PAUSE_MS));
}

struct callers *callers_open(struct run *run)
{
    struct callers *callers = calloc(1, sizeof(*callers));

    SL_ASSERT(callers);
    callers->run = run;
    return callers;
}

void callers_begin(struct callers *callers)
{
    struct run *run = callers->run;

    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        struct caller *caller = &callers->each[i];
        if (run->plan->devices[i].is_there && run->plan->devices[i].is_called) {
            caller->callers = callers;
            caller->device = i;
            world_random_init(&caller->random, run->plan->seed + i, "what a caller does");
            caller->timer = sl_timer_new(run->loop, on_timer, caller);
            SL_ASSERT(caller->timer);
            open_channel(caller);
        }
    }
}

void callers_close(struct callers *callers)
{
    callers->is_closing = true;
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        struct caller *caller = &callers->each[i];
        if (caller->timer) {
            sl_timer_stop(caller->timer);
        }
        if (caller->channel) {
            sl_grpc_channel_close(caller->channel, on_closed, caller);
        }
    }
}

bool callers_are_closed(const struct callers *callers)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (callers->each[i].channel) {
            return false;
        }
    }
    return true;
}

void callers_free(struct callers *callers)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        SL_ASSERT(!callers->each[i].channel);
        sl_timer_free(callers->each[i].timer);
    }
    free(callers);
}
