#include "device/flow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "grpc/message.h"

enum { FILL_BYTES = 32 * 1024 }; /* waits in the send buffer before a flow pauses until it left */

static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* Every magnitude alike: 100 to 1000 bytes as often as 1000 to 10000. */
static uint32_t draw_size(struct sl_device_flow *flow)
{
    const struct sl_device_options *options = &flow->world->options;
    double from = (double)options->min_message_bytes;
    double to = (double)options->max_message_bytes;
    double part = (double)(next_random(&flow->random) >> 11) / 9007199254740992.0; /* 2^53 */

    if (options->min_message_bytes == options->max_message_bytes) {
        return options->max_message_bytes;
    }
    return (uint32_t)(from * pow(to / from, part) + 0.5);
}

static struct sl_device_now now_of(const struct sl_device_flow *flow)
{
    const struct sl_device_world *world = flow->world;
    int64_t now_ns = sl_loop_now_ns(world->loop);

    return (struct sl_device_now){now_ns, (uint64_t)((now_ns - world->opened_ns) / SL_NS_PER_MS)};
}

static uint32_t track_count(const struct sl_device_flow *flow)
{
    return flow->tracks ? flow->subscription.part_count : 0;
}

static bool is_counted_out(const struct sl_device_flow *flow)
{
    uint64_t count = flow->world->options.count;

    return count > 0 && flow->seq >= count;
}

static bool send_bytes(struct sl_device_flow *flow, struct sl_str bytes)
{
    if (sl_grpc_call_send_bytes(flow->call, bytes.data, (uint32_t)bytes.len) != SL_GRPC_SENT) {
        return false;
    }
    flow->bytes += bytes.len;
    flow->world->totals.bytes += bytes.len;
    if (sl_list_is_empty(&flow->unsent_node)) {
        sl_list_append(flow->unsent, &flow->unsent_node);
    }
    return true;
}

static void count_message(struct sl_device_flow *flow, const struct sl_device_written *written,
                          uint64_t merged)
{
    struct sl_device_totals *totals = &flow->world->totals;

    flow->seq += merged;
    flow->messages++;
    flow->updates += written->updates;
    flow->duplicates += merged - 1;
    totals->messages++;
    totals->updates += written->updates;
    totals->duplicates += merged - 1;
}

static struct sl_device_message message_of(const struct sl_device_flow *flow,
                                           const struct sl_device_track *track,
                                           const struct sl_device_now *now, uint64_t merged)
{
    const struct sl_device_selection *selection = &track->part->selection;
    bool wraps = flow->phase == SL_DEVICE_FLOW && !track->part->only_changes;

    return (struct sl_device_message){
        .target = sl_str_from(flow->subscription.target),
        .session = sl_str_from(flow->session),
        .encoding = flow->subscription.encoding,
        .seq = flow->seq + merged,
        .duplicates = (uint32_t)(merged - 1),
        .timestamp_ns = sl_loop_wall_ns(),
        .device = flow->device,
        .elapsed_ms = sl_device_track_value_ms(track, now),
        .max_updates = flow->world->options.updates,
        .size_bytes = flow->next_size_bytes,
        .selection = selection,
        .leaf_first = track->next,
        .leaf_limit = wraps ? selection->count : selection->count - track->next,
        .only_changes = track->is_in_round && !track->is_beat,
        .since_ms = track->sent_ms,
    };
}

/* One message that stands for `merged` of them, or one too small for a seq: then nothing is
 * counted, and `is_notification` is false. Returns false when nothing was sent. */
static bool send_message(struct sl_device_flow *flow, const struct sl_device_track *track,
                         const struct sl_device_now *now, uint64_t merged,
                         struct sl_device_written *written)
{
    struct sl_device_world *world = flow->world;
    struct sl_device_message message;

    if (world->options.max_message_bytes > 0 && flow->next_size_bytes == 0) {
        flow->next_size_bytes = draw_size(flow);
    }
    message = message_of(flow, track, now, merged);
    *written = sl_device_write(&world->writer, &message);
    if (written->bytes.len == 0) {
        struct sl_status status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

        sl_device_flow_finish(flow, &status);
        return false;
    }
    if (!send_bytes(flow, written->bytes)) {
        return false;
    }
    flow->next_size_bytes = 0;
    if (written->is_notification) {
        count_message(flow, written, merged);
    }
    return true;
}

static bool send_dump(struct sl_device_flow *flow)
{
    const struct sl_device_now now = now_of(flow);
    struct sl_device_track *track = &flow->tracks[flow->turn];
    struct sl_device_written written;

    if (track->dumped == track->round) {
        flow->turn++;
    }
    if (flow->turn == track_count(flow) || is_counted_out(flow)) {
        flow->turn = 0;
        flow->phase = SL_DEVICE_SYNC;
        return true;
    }
    track = &flow->tracks[flow->turn];
    if (!send_message(flow, track, &now, 1, &written)) {
        return false;
    }
    if (written.is_notification) {
        sl_device_track_dumped(track, &now, written.passed);
    }
    return true;
}

static bool send_sync(struct sl_device_flow *flow)
{
    const struct sl_device_now now = now_of(flow);

    if (!send_bytes(flow, sl_device_sync())) {
        return false;
    }
    for (uint32_t i = 0; i < track_count(flow); i++) {
        sl_device_track_start(&flow->tracks[i], &now);
    }
    flow->phase = SL_DEVICE_FLOW;
    return true;
}

/* The next track that has something due, from the one whose turn it is; NULL: none has. */
static struct sl_device_track *next_due(struct sl_device_flow *flow,
                                        const struct sl_device_now *now, uint64_t *owed)
{
    for (uint32_t i = 0; i < track_count(flow); i++) {
        struct sl_device_track *track = &flow->tracks[flow->turn];

        *owed = sl_device_track_owed(track, now);
        if (*owed > 0) {
            return track;
        }
        flow->turn = flow->turn + 1 == track_count(flow) ? 0 : flow->turn + 1;
    }
    return NULL;
}

static bool send_due(struct sl_device_flow *flow)
{
    const struct sl_device_now now = now_of(flow);
    uint64_t count = flow->world->options.count;
    struct sl_device_track *track;
    struct sl_device_written written;
    uint64_t merged = 1;
    uint64_t owed;

    if (is_counted_out(flow)) {
        flow->phase = SL_DEVICE_DONE;
        return false;
    }
    track = next_due(flow, &now, &owed);
    if (!track) {
        return false;
    }
    if (track->merges) {
        merged = count > 0 ? sl_min_u64(owed, count - flow->seq) : owed;
        merged = sl_min_u64(merged, UINT32_MAX);
    }
    if (!send_message(flow, track, &now, merged, &written)) {
        return false;
    }
    if (written.is_notification) {
        sl_device_track_sent(track, merged, written.passed);
        flow->turn = flow->turn + 1 == track_count(flow) ? 0 : flow->turn + 1;
    }
    return true;
}

/* Sends one message or goes a phase on; false when there is nothing to do or no room. */
static bool step(struct sl_device_flow *flow)
{
    switch (flow->phase) {
    case SL_DEVICE_DUMP:
        return send_dump(flow);
    case SL_DEVICE_SYNC:
        return send_sync(flow);
    case SL_DEVICE_FLOW:
        return send_due(flow);
    case SL_DEVICE_ASKED:
    case SL_DEVICE_DONE:
    case SL_DEVICE_ENDING:
        break;
    }
    return false;
}

static void arm(struct sl_device_flow *flow)
{
    int64_t next_ns = INT64_MAX;
    int64_t delay_ns;

    if (flow->phase != SL_DEVICE_FLOW || flow->is_blocked || sl_timer_is_armed(flow->timer)) {
        return;
    }
    for (uint32_t i = 0; i < track_count(flow); i++) {
        int64_t track_ns = sl_device_track_next_ns(&flow->tracks[i]);

        next_ns = track_ns < next_ns ? track_ns : next_ns;
    }
    if (next_ns == INT64_MAX) {
        return;
    }
    delay_ns = next_ns - sl_loop_now_ns(flow->world->loop);
    if (delay_ns < SL_NS_PER_MS) {
        delay_ns = SL_NS_PER_MS;
    }
    sl_timer_start(flow->timer, (uint64_t)((delay_ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS));
}

static void run(struct sl_device_flow *flow)
{
    while (!flow->is_blocked && sl_grpc_call_unsent(flow->call) < FILL_BYTES && step(flow)) {
    }
    arm(flow);
}

static void on_timer(void *arg)
{
    run(arg);
}

static void block(struct sl_device_flow *flow)
{
    flow->is_blocked = true;
    flow->blocked_since_ns = sl_loop_now_ns(flow->world->loop);
    flow->world->totals.blocked++;
}

static void unblock(struct sl_device_flow *flow)
{
    const struct sl_device_now now = now_of(flow);
    int64_t blocked_ns = now.now_ns - flow->blocked_since_ns;

    flow->is_blocked = false;
    flow->blocked_ns += blocked_ns;
    flow->world->totals.blocked--;
    if (flow->phase != SL_DEVICE_FLOW) {
        return;
    }
    for (uint32_t i = 0; i < track_count(flow); i++) {
        if (flow->world->options.when_held == SL_DEVICE_WAIT) {
            sl_device_track_wait(&flow->tracks[i], blocked_ns);
        } else {
            sl_device_track_merge(&flow->tracks[i], &now, blocked_ns);
        }
    }
}

static void report_done(struct sl_device_flow *flow)
{
    const struct sl_device_world *world = flow->world;
    char name[SL_DEVICE_NAME_BYTES];
    struct sl_device_report report = sl_device_flow_report(flow, name);

    flow->is_reported = true;
    if (world->events->on_done) {
        world->events->on_done(&report, world->arg);
    }
}

static struct sl_status begin(struct sl_device_flow *flow, struct sl_str request)
{
    struct sl_device_world *world = flow->world;
    struct sl_device_subscription *subscription = &flow->subscription;
    struct sl_status status = sl_device_subscription_init(subscription, request, &world->leaves);
    uint64_t session;

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    if (!sl_device_world_resolve(world, flow->device, subscription->target, &flow->device)) {
        return sl_device_world_no_device(world);
    }
    if (getrandom(&session, sizeof(session), 0) != (ssize_t)sizeof(session)) {
        return sl_status_error(SL_INTERNAL, "the system has no random number");
    }
    snprintf(flow->session, sizeof(flow->session), "%016llx", (unsigned long long)session);
    flow->tracks = calloc(subscription->part_count, sizeof(*flow->tracks));
    if (!flow->tracks) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    for (uint32_t i = 0; i < subscription->part_count; i++) {
        sl_device_track_init(&flow->tracks[i], &subscription->parts[i], &world->leaves,
                             flow->device, &world->options);
    }
    world->rpcs++;
    flow->random = world->options.seed + (((uint64_t)flow->device << 32) ^ world->rpcs);
    flow->phase = subscription->updates_only ? SL_DEVICE_SYNC : SL_DEVICE_DUMP;
    world->totals.streams++;
    return status;
}

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_DEVICE_MAX_REQUEST_BYTES;
}

/* Whether the device replays a capture, whatever is asked. */
static bool is_play(struct sl_device_flow *flow)
{
    struct sl_status why;

    if (!flow->world->options.replay.file) {
        return false;
    }
    flow->play = sl_device_play_new(flow->world, flow->call, &why);
    if (!flow->play) {
        sl_device_flow_finish(flow, &why);
    }
    return true;
}

/* Whether the first message asks for the tree. */
static bool is_watch(struct sl_device_flow *flow, const uint8_t *bytes, uint32_t length)
{
    struct sl_status why;
    ProtobufCMessage *message =
        sl_grpc_message_unpack_kept(&gnmi__subscribe_request__descriptor, bytes, length, &why);
    Gnmi__SubscribeRequest *request = (Gnmi__SubscribeRequest *)message;

    if (!request || !sl_device_watch_is_asked(flow->world, request)) {
        gnmi__subscribe_request__free_unpacked(request, NULL);
        return false;
    }
    flow->watch = sl_device_watch_new(flow->world, flow->call, flow->device, request, &why);
    if (!flow->watch) {
        sl_device_flow_finish(flow, &why);
    }
    return true;
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const uint8_t *bytes,
                                    uint32_t length, void *arg)
{
    struct sl_device_flow *flow = arg;
    struct sl_status status;

    (void)call;
    if (flow->watch) {
        sl_device_watch_message(flow->watch, (struct sl_str){(const char *)bytes, length});
        return SL_GRPC_TAKEN;
    }
    if (flow->phase == SL_DEVICE_ENDING || flow->play ||
        (flow->phase == SL_DEVICE_ASKED && (is_play(flow) || is_watch(flow, bytes, length)))) {
        return SL_GRPC_TAKEN;
    }
    if (flow->phase == SL_DEVICE_ASKED) {
        status = begin(flow, (struct sl_str){(const char *)bytes, length});
    } else {
        status = sl_status_error(SL_INVALID_ARGUMENT, "a STREAM takes no second message");
    }
    if (sl_status_is_ok(&status)) {
        run(flow);
    } else {
        sl_device_flow_finish(flow, &status);
    }
    return SL_GRPC_TAKEN;
}

/* As the devices do that take the end of the requests for the end of the RPC. */
static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    struct sl_device_flow *flow = arg;
    struct sl_status status = sl_status_ok();

    (void)call;
    if (flow->watch) {
        sl_device_watch_half_close(flow->watch);
        return;
    }
    if (flow->phase == SL_DEVICE_ASKED && !flow->play) {
        status = sl_status_error(SL_INVALID_ARGUMENT, "the call ended without a request");
    }
    sl_device_flow_finish(flow, &status);
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    struct sl_device_flow *flow = arg;

    (void)call;
    if (flow->watch) {
        sl_device_watch_writable(flow->watch);
    } else if (flow->play) {
        sl_device_play_writable(flow->play);
    } else {
        run(flow);
    }
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct sl_device_flow *flow = arg;
    struct sl_device_world *world = flow->world;
    char name[SL_DEVICE_NAME_BYTES];

    (void)call;
    if (flow->is_blocked) {
        unblock(flow);
    }
    if (sl_device_flow_is_begun(flow)) {
        struct sl_device_report report = sl_device_flow_report(flow, name);

        world->totals.streams--;
        world->totals.blocked_ns += flow->blocked_ns;
        if (world->events->on_ended) {
            world->events->on_ended(&report, world->arg);
        }
    }
    sl_list_remove(&flow->node);
    sl_list_remove(&flow->unsent_node);
    free(flow->tracks);
    sl_device_watch_free(flow->watch);
    sl_device_play_free(flow->play, status);
    sl_device_subscription_fini(&flow->subscription);
    sl_timer_free(flow->timer);
    free(flow);
}

static const struct sl_grpc_call_events call_events = {
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_message,
    .on_half_close = on_half_close,
    .on_writable = on_writable,
    .on_status = on_status,
};

struct sl_device_flow *sl_device_flow_new(struct sl_device_world *world, struct sl_grpc_call *call,
                                          uint32_t device, struct sl_list *unsent)
{
    struct sl_device_flow *flow = calloc(1, sizeof(*flow));

    if (!flow) {
        return NULL;
    }
    flow->timer = sl_timer_new(world->loop, on_timer, flow);
    if (!flow->timer) {
        free(flow);
        return NULL;
    }
    sl_list_init(&flow->node);
    sl_list_init(&flow->unsent_node);
    flow->unsent = unsent;
    flow->world = world;
    flow->call = call;
    flow->device = device;
    flow->phase = SL_DEVICE_ASKED;
    sl_grpc_call_set_events(call, &call_events, flow);
    return flow;
}

void sl_device_flow_sent(struct sl_device_flow *flow)
{
    bool is_through = sl_grpc_call_unsent(flow->call) == 0;

    if (!is_through) {
        sl_list_append(flow->unsent, &flow->unsent_node);
        if (!flow->is_blocked && flow->phase != SL_DEVICE_ENDING) {
            block(flow);
        }
        return;
    }
    if (flow->is_blocked) {
        unblock(flow);
    }
    run(flow);
    if (flow->phase == SL_DEVICE_DONE && !flow->is_reported &&
        sl_grpc_call_unsent(flow->call) == 0) {
        report_done(flow);
    }
}

void sl_device_flow_finish(struct sl_device_flow *flow, const struct sl_status *status)
{
    if (flow->watch) {
        sl_device_watch_finish(flow->watch, status);
        return;
    }
    if (flow->play) {
        sl_device_play_finish(flow->play, status);
        return;
    }
    if (flow->phase == SL_DEVICE_ENDING) {
        return;
    }
    if (flow->is_blocked) {
        unblock(flow);
    }
    flow->phase = SL_DEVICE_ENDING;
    sl_timer_stop(flow->timer);
    sl_grpc_call_finish(flow->call, status);
}

bool sl_device_flow_is_begun(const struct sl_device_flow *flow)
{
    return flow->tracks != NULL;
}

int64_t sl_device_flow_blocked_ns(const struct sl_device_flow *flow)
{
    if (!flow->is_blocked) {
        return flow->blocked_ns;
    }
    return flow->blocked_ns + sl_loop_now_ns(flow->world->loop) - flow->blocked_since_ns;
}

struct sl_device_report sl_device_flow_report(const struct sl_device_flow *flow,
                                              char name[SL_DEVICE_NAME_BYTES])
{
    snprintf(name, SL_DEVICE_NAME_BYTES, "sim%u", flow->device + 1);
    return (struct sl_device_report){
        .device = name,
        .session = flow->session,
        .path = flow->subscription.path,
        .seq = flow->seq,
        .messages = flow->messages,
        .updates = flow->updates,
        .bytes = flow->bytes,
        .duplicates = flow->duplicates,
        .blocked_ns = sl_device_flow_blocked_ns(flow),
        .is_blocked = flow->is_blocked,
    };
}
