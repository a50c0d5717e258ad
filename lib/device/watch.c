#include "device/watch.h"

#include <stdlib.h>
#include <string.h>

#include "device/answer.h"
#include "device/dress.h"
#include "device/message.h"
#include "device/round.h"
#include "device/subscription.h"
#include "grpc/message.h"

enum {
    KEPT_BYTES = 64 * 1024, /* of the memory for messages, between two of them */
};

enum phase {
    ROUNDS, /* the first round of each track, or a poll's */
    SYNC,
    CHANGES, /* STREAM */
    POLLED,  /* POLL: until the next one */
    OVER,    /* the status is on its way */
};

/* One subscription. */
struct track {
    struct sl_device_view view;
    bool samples;
    bool only_changes;
    int64_t interval_ns;
    int64_t heartbeat_ns;        /* 0: none */
    int64_t next_ns;             /* the next sample */
    int64_t beat_ns;             /* the next heartbeat */
    struct sl_device_tree *sent; /* held; NULL: nothing yet */
};

struct sl_device_watch {
    struct sl_device_world *world;
    struct sl_device_store *store;
    struct sl_device_hook hook;
    struct sl_grpc_call *call;
    Gnmi__SubscribeRequest *request;
    const char *target;
    enum phase phase;
    struct track *tracks;
    size_t track_count;
    size_t turn; /* the track whose first round, or whose round of a version, comes next */
    struct sl_device_round round;
    struct track *told; /* whose round it is */
    uint64_t number;    /* of the version that comes next */
    int64_t until_ns;   /* versions made then or later do not come; INT64_MAX: all do */
    bool is_past;       /* ends when there are no more versions */
    bool is_config;     /* a config subscription */
    uint32_t polls;     /* asked for and not begun */
    bool is_half_closed;
    struct sl_timer *timer;
    struct sl_buf message; /* built and not taken yet; empty: none */
    bool is_counted;       /* among the world's */
    bool is_silent;        /* nothing is ever sent */
    struct sl_device_dress dress;
    struct sl_timer *keepalive; /* NULL: none is sent */
};

static const Gnmi__SubscriptionList *list_of(const struct sl_device_watch *watch)
{
    return watch->request->subscribe;
}

static const GnmiExt__Extension *find_extension(const Gnmi__SubscribeRequest *request,
                                                GnmiExt__Extension__ExtCase wanted)
{
    for (size_t i = 0; i < request->n_extension; i++) {
        if (request->extension[i]->ext_case == wanted) {
            return request->extension[i];
        }
    }
    return NULL;
}

bool sl_device_watch_is_asked(const struct sl_device_world *world,
                              const Gnmi__SubscribeRequest *request)
{
    if (request->request_case != GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE) {
        return false;
    }
    return world->options.data || world->options.dialect ||
           request->subscribe->mode != GNMI__SUBSCRIPTION_LIST__MODE__STREAM ||
           find_extension(request, GNMI_EXT__EXTENSION__EXT_HISTORY) ||
           find_extension(request, GNMI_EXT__EXTENSION__EXT_CONFIG_SUBSCRIPTION);
}

void sl_device_watch_finish(struct sl_device_watch *watch, const struct sl_status *status)
{
    if (watch->phase == OVER) {
        return;
    }
    watch->phase = OVER;
    sl_timer_stop(watch->timer);
    sl_grpc_call_finish(watch->call, status);
}

static void fail(struct sl_device_watch *watch, enum sl_code code, const char *why)
{
    struct sl_status status = sl_status_error(code, "%s", why);

    sl_device_watch_finish(watch, &status);
}

static void end(struct sl_device_watch *watch)
{
    struct sl_status status = sl_status_ok();

    sl_device_watch_finish(watch, &status);
}

/* ---- rounds ---- */

static void begin_round(struct sl_device_watch *watch, struct track *track,
                        struct sl_device_tree *goal, bool is_full, int64_t time_ns)
{
    sl_device_round_begin(&watch->round, &track->view, track->sent, goal);
    watch->round.is_full = is_full;
    watch->round.time_ns = time_ns;
    watch->told = track;
}

/* The round's next message, where there is one. */
static void go_on(struct sl_device_watch *watch)
{
    if (!sl_device_round_next(&watch->round, sl_loop_wall_ns(), &watch->message)) {
        sl_device_tree_release(watch->told->sent);
        watch->told->sent = sl_device_tree_hold(watch->round.goal);
        sl_device_round_end(&watch->round);
    }
}

/* ---- what comes next ---- */

static int64_t now_ns(const struct sl_device_watch *watch)
{
    return sl_loop_now_ns(watch->world->loop);
}

static void build_sync(struct sl_device_watch *watch)
{
    int64_t now = now_ns(watch);

    sl_buf_add_str(&watch->message, sl_device_sync());
    for (size_t i = 0; i < watch->track_count; i++) {
        struct track *track = &watch->tracks[i];

        track->next_ns = now + track->interval_ns;
        track->beat_ns = track->heartbeat_ns > 0 ? now + track->heartbeat_ns : INT64_MAX;
    }
}

/* The version that comes next, or the oldest that is left of those behind it; NULL: none yet. */
static const struct sl_device_version *next_version(const struct sl_device_watch *watch)
{
    const struct sl_device_store *store = watch->store;

    for (uint32_t i = 0; i < store->version_count; i++) {
        const struct sl_device_version *version = &store->versions[i];

        if (version->number >= watch->number) {
            return version->made_ns < watch->until_ns ? version : NULL;
        }
    }
    return NULL;
}

/* Begins the round of the next track that waits for changes; behind the last one of a version says
 * so where that is asked for. False: there is no version to come. */
static bool take_version(struct sl_device_watch *watch)
{
    const struct sl_device_version *version = next_version(watch);

    if (!version) {
        return false;
    }
    for (; watch->turn < watch->track_count; watch->turn++) {
        struct track *track = &watch->tracks[watch->turn];

        if (!track->samples) {
            watch->turn++;
            begin_round(watch, track, version->tree, false, version->made_ns);
            return true;
        }
    }
    watch->turn = 0;
    watch->number = version->number + 1;
    if (watch->is_config) {
        sl_device_add_sync_done(&watch->message, version->commit_id, version->number);
    }
    return true;
}

static bool take_clock(struct sl_device_watch *watch)
{
    struct sl_device_tree *goal = sl_device_store_now(watch->store)->tree;
    int64_t now = now_ns(watch);

    for (size_t i = 0; i < watch->track_count; i++) {
        struct track *track = &watch->tracks[i];
        bool beats = track->beat_ns <= now;

        if (!beats && !(track->samples && track->next_ns <= now)) {
            continue;
        }
        if (beats) {
            track->beat_ns = now + track->heartbeat_ns;
        }
        if (track->samples) {
            track->next_ns = now + track->interval_ns;
        } else if (track->sent) {
            goal = track->sent;
        }
        begin_round(watch, track, goal, beats || !track->only_changes, sl_loop_wall_ns());
        return true;
    }
    return false;
}

static bool begin_poll(struct sl_device_watch *watch)
{
    const struct sl_device_version *version = sl_device_store_now(watch->store);

    if (watch->polls == 0) {
        if (watch->is_half_closed) {
            end(watch);
        }
        return false;
    }
    watch->polls--;
    watch->turn = 0;
    watch->number = version->number;
    watch->phase = list_of(watch)->updates_only ? SYNC : ROUNDS;
    return true;
}

static const struct sl_device_version *version_of(const struct sl_device_watch *watch,
                                                  uint64_t number)
{
    for (uint32_t i = 0; i < watch->store->version_count; i++) {
        if (watch->store->versions[i].number == number) {
            return &watch->store->versions[i];
        }
    }
    return &watch->store->versions[0]; /* what was asked for is gone: the oldest there is */
}

/* Of the version `number`. */
static void next_first_round(struct sl_device_watch *watch)
{
    const struct sl_device_version *version = version_of(watch, watch->number);
    struct track *track = &watch->tracks[watch->turn];

    if (watch->turn == watch->track_count) {
        watch->phase = SYNC;
        watch->turn = 0;
        watch->number = version->number + 1;
        return;
    }
    watch->number = version->number;
    watch->turn++;
    sl_device_tree_release(track->sent);
    track->sent = NULL;
    begin_round(watch, track, version->tree, true, track->samples ? sl_loop_wall_ns() : 0);
}

static void sync(struct sl_device_watch *watch)
{
    build_sync(watch);
    watch->phase = list_of(watch)->mode == GNMI__SUBSCRIPTION_LIST__MODE__POLL ? POLLED : CHANGES;
}

/* False: there is nothing to do but to wait, or the call is over. */
static bool step(struct sl_device_watch *watch)
{
    if (watch->round.view) {
        go_on(watch);
        return true;
    }
    switch (watch->phase) {
    case ROUNDS:
        next_first_round(watch);
        return true;
    case SYNC:
        sync(watch);
        return true;
    case CHANGES:
        if (list_of(watch)->mode == GNMI__SUBSCRIPTION_LIST__MODE__ONCE) {
            end(watch);
            return false;
        }
        if (take_version(watch)) {
            return true;
        }
        if (watch->is_past) {
            end(watch);
            return false;
        }
        return take_clock(watch);
    case POLLED:
        return begin_poll(watch);
    case OVER:
        break;
    }
    return false;
}

static void arm(struct sl_device_watch *watch)
{
    int64_t next = INT64_MAX;
    int64_t delay;

    if (watch->phase != CHANGES) {
        return;
    }
    for (size_t i = 0; i < watch->track_count; i++) {
        const struct track *track = &watch->tracks[i];
        int64_t due =
            track->samples && track->next_ns < track->beat_ns ? track->next_ns : track->beat_ns;

        next = due < next ? due : next;
    }
    if (next < INT64_MAX) {
        delay = next - now_ns(watch);
        delay = delay > 0 ? (delay + SL_NS_PER_MS - 1) / SL_NS_PER_MS : 0;
        sl_timer_start(watch->timer, (uint64_t)delay);
    }
}

/* Hands over what was built, in the vendor's dress. False: it has to wait, or the call is over. */
static bool hand_over(struct sl_device_watch *watch)
{
    struct sl_str next;
    bool is_dressed = true;

    if (watch->message.len > 0) {
        is_dressed = sl_device_dress_add(&watch->dress, sl_buf_str(&watch->message));
    }
    if (watch->message.failed || !is_dressed) {
        fail(watch, SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    sl_buf_trim(&watch->message, KEPT_BYTES);
    while (sl_device_dress_next(&watch->dress, &next)) {
        if (sl_grpc_call_send_bytes(watch->call, next.data, (uint32_t)next.len) != SL_GRPC_SENT) {
            return false; /* on_writable follows, or the end */
        }
        sl_device_dress_pop(&watch->dress);
    }
    return watch->phase != OVER;
}

static void run(struct sl_device_watch *watch)
{
    while (!watch->is_silent && hand_over(watch)) {
        if (!step(watch)) {
            arm(watch);
            return;
        }
    }
}

static void on_timer(void *arg)
{
    run(arg);
}

static uint64_t keepalive_ms(const struct sl_device_watch *watch)
{
    const struct sl_device_options *options = &watch->world->options;

    return options->keepalive_ms > 0 ? options->keepalive_ms : options->dialect->keepalive_ms;
}

/* An empty response; one that cannot leave now is not missed. */
static void on_keepalive(void *arg)
{
    struct sl_device_watch *watch = arg;

    if (watch->phase != OVER) {
        sl_timer_start(watch->keepalive, keepalive_ms(watch));
        if (sl_grpc_call_send_bytes(watch->call, "", 0) != SL_GRPC_SENT) {
            return;
        }
    }
}

/* A Set of another call is under way: this one goes on with the loop. */
static void on_version(void *arg)
{
    struct sl_device_watch *watch = arg;

    if (watch->phase == CHANGES) {
        sl_timer_start(watch->timer, 0);
    }
}

/* ---- what is asked for ---- */

/* The newest version that was there at a time; NULL: none was. */
static const struct sl_device_version *version_at(const struct sl_device_store *store,
                                                  int64_t time_ns)
{
    const struct sl_device_version *found = NULL;

    for (uint32_t i = 0; i < store->version_count; i++) {
        if (store->versions[i].made_ns <= time_ns) {
            found = &store->versions[i];
        }
    }
    return found;
}

static struct sl_status read_snapshot(struct sl_device_watch *watch, int64_t time_ns)
{
    const struct sl_device_version *version = version_at(watch->store, time_ns);

    if (list_of(watch)->mode != GNMI__SUBSCRIPTION_LIST__MODE__ONCE) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a snapshot of the past is for ONCE");
    }
    if (time_ns > sl_loop_wall_ns()) {
        return sl_status_error(SL_UNIMPLEMENTED, "the future is not waited for");
    }
    if (!version) {
        return sl_status_error(SL_OUT_OF_RANGE, "nothing is known of that time any more");
    }
    watch->number = version->number;
    return sl_status_ok();
}

static struct sl_status read_range(struct sl_device_watch *watch, const GnmiExt__TimeRange *range)
{
    const struct sl_device_version *version = version_at(watch->store, range->start);

    if (list_of(watch)->mode != GNMI__SUBSCRIPTION_LIST__MODE__STREAM) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a range of the past is for STREAM");
    }
    if (range->start > range->end) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a range ends before it starts");
    }
    if (range->end > sl_loop_wall_ns()) {
        return sl_status_error(SL_UNIMPLEMENTED, "the future is not waited for");
    }
    if (!version) {
        return sl_status_error(SL_OUT_OF_RANGE, "nothing is known of that time any more");
    }
    watch->number = version->number;
    watch->until_ns = range->end;
    watch->is_past = true;
    return sl_status_ok();
}

static struct sl_status read_extensions(struct sl_device_watch *watch)
{
    const Gnmi__SubscribeRequest *request = watch->request;
    const GnmiExt__Extension *found = find_extension(request, GNMI_EXT__EXTENSION__EXT_HISTORY);

    watch->is_config =
        find_extension(request, GNMI_EXT__EXTENSION__EXT_CONFIG_SUBSCRIPTION) != NULL;
    watch->number = sl_device_store_now(watch->store)->number;
    watch->until_ns = INT64_MAX;
    if (found && found->history->request_case == GNMI_EXT__HISTORY__REQUEST_SNAPSHOT_TIME) {
        return read_snapshot(watch, found->history->snapshot_time);
    }
    if (found && found->history->request_case == GNMI_EXT__HISTORY__REQUEST_RANGE) {
        return read_range(watch, found->history->range);
    }
    return found ? sl_status_error(SL_INVALID_ARGUMENT, "a history of nothing") : sl_status_ok();
}

static struct sl_status read_track(const Gnmi__SubscriptionList *list,
                                   const Gnmi__Subscription *asked, struct track *track)
{
    const Gnmi__Path *prefix = list->prefix;
    uint64_t interval = sl_min_u64(asked->sample_interval, (uint64_t)SL_DEVICE_MAX_INTERVAL_NS);
    uint64_t beat = sl_min_u64(asked->heartbeat_interval, (uint64_t)SL_DEVICE_MAX_INTERVAL_NS);

    track->samples = asked->mode == GNMI__SUBSCRIPTION_MODE__SAMPLE;
    track->only_changes = !track->samples || asked->suppress_redundant;
    track->interval_ns = interval > 0 ? (int64_t)interval : SL_DEVICE_LOOK_NS;
    track->heartbeat_ns = track->only_changes ? (int64_t)beat : 0;
    track->beat_ns = INT64_MAX;
    track->view.origin = prefix && *prefix->origin ? prefix->origin
                         : asked->path             ? asked->path->origin
                                                   : "";
    return sl_device_place_init(&track->view.place, prefix, asked->path);
}

static void set_view(const struct sl_device_watch *watch, struct sl_device_view *view)
{
    const Gnmi__SubscribeRequest *request = watch->request;

    view->target = watch->target;
    view->encoding = list_of(watch)->encoding;
    view->depth = sl_device_depth(request->extension, request->n_extension);
    view->max_updates = watch->world->options.updates;
    view->is_config = watch->is_config;
    if (watch->world->options.dialect) {
        view->is_nested = watch->world->options.dialect->is_nested;
        view->is_bundled = watch->world->options.dialect->is_bundled;
    }
}

static struct sl_status read_tracks(struct sl_device_watch *watch)
{
    const Gnmi__SubscriptionList *list = list_of(watch);
    struct sl_status status = sl_status_ok();

    watch->tracks = calloc(list->n_subscription, sizeof(*watch->tracks));
    if (!watch->tracks) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    watch->track_count = list->n_subscription;
    for (size_t i = 0; i < list->n_subscription && sl_status_is_ok(&status); i++) {
        status = read_track(list, list->subscription[i], &watch->tracks[i]);
        watch->tracks[i].samples = watch->tracks[i].samples && !watch->is_past;
        set_view(watch, &watch->tracks[i].view);
    }
    return status;
}

/* updates_only: what is there counts as told. */
static void skip_first_rounds(struct sl_device_watch *watch)
{
    const struct sl_device_version *version = version_of(watch, watch->number);

    for (size_t i = 0; i < watch->track_count; i++) {
        watch->tracks[i].sent = sl_device_tree_hold(version->tree);
    }
    watch->number = version->number + 1;
    watch->phase = SYNC;
}

/* As a vendor's device would be asked. */
static struct sl_status begin_dialect(struct sl_device_watch *watch)
{
    const struct sl_device_options *options = &watch->world->options;
    const struct sl_device_dialect *dialect = options->dialect;
    struct sl_status status;

    watch->dress.list = list_of(watch);
    if (!dialect) {
        return sl_status_ok();
    }
    status =
        sl_device_dialect_check(dialect, list_of(watch), watch->world->watches, options->max_rpcs);
    watch->dress.dialect = dialect;
    watch->dress.lose_every = options->lose_every;
    watch->is_silent = dialect->silent_encodings >> list_of(watch)->encoding & 1;
    if (sl_status_is_ok(&status) && dialect->keepalive_ms > 0) {
        watch->keepalive = sl_timer_new(watch->world->loop, on_keepalive, watch);
        if (!watch->keepalive) {
            return sl_status_out_of_memory();
        }
        sl_timer_start(watch->keepalive, keepalive_ms(watch));
    }
    return status;
}

static struct sl_status begin(struct sl_device_watch *watch, uint32_t device)
{
    struct sl_status status = begin_dialect(watch);

    if (sl_status_is_ok(&status)) {
        status = sl_device_subscription_check(list_of(watch));
    }
    if (!sl_status_is_ok(&status)) {
        return status;
    }
    watch->target = list_of(watch)->prefix ? list_of(watch)->prefix->target : "";
    if (!sl_device_world_resolve(watch->world, device, watch->target, &device)) {
        return sl_device_world_no_device(watch->world);
    }
    watch->store = sl_device_world_store(watch->world, device);
    watch->timer = sl_timer_new(watch->world->loop, on_timer, watch);
    if (!watch->store || !watch->timer) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    status = read_extensions(watch);
    if (sl_status_is_ok(&status)) {
        status = read_tracks(watch);
    }
    if (sl_status_is_ok(&status)) {
        sl_device_store_watch(watch->store, &watch->hook, on_version, watch);
        watch->is_counted = true;
        watch->world->watches++;
    }
    return status;
}

struct sl_device_watch *sl_device_watch_new(struct sl_device_world *world,
                                            struct sl_grpc_call *call, uint32_t device,
                                            Gnmi__SubscribeRequest *request, struct sl_status *why)
{
    struct sl_device_watch *watch = calloc(1, sizeof(*watch));

    if (!watch) {
        gnmi__subscribe_request__free_unpacked(request, NULL);
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    sl_list_init(&watch->hook.node);
    watch->world = world;
    watch->call = call;
    watch->request = request;
    *why = begin(watch, device);
    if (!sl_status_is_ok(why)) {
        sl_device_watch_free(watch);
        return NULL;
    }
    if (list_of(watch)->updates_only) {
        skip_first_rounds(watch);
    }
    run(watch);
    return watch;
}

void sl_device_watch_free(struct sl_device_watch *watch)
{
    if (!watch) {
        return;
    }
    sl_list_remove(&watch->hook.node);
    sl_device_round_end(&watch->round);
    for (size_t i = 0; i < watch->track_count; i++) {
        sl_device_tree_release(watch->tracks[i].sent);
    }
    free(watch->tracks);
    watch->world->watches -= watch->is_counted;
    sl_timer_free(watch->timer);
    sl_timer_free(watch->keepalive);
    sl_device_dress_fini(&watch->dress);
    sl_buf_fini(&watch->message);
    gnmi__subscribe_request__free_unpacked(watch->request, NULL);
    free(watch);
}

void sl_device_watch_message(struct sl_device_watch *watch, struct sl_str bytes)
{
    bool is_poll = list_of(watch)->mode == GNMI__SUBSCRIPTION_LIST__MODE__POLL;
    struct sl_status why;
    ProtobufCMessage *message =
        sl_grpc_message_unpack_kept(&gnmi__subscribe_request__descriptor,
                                    (const uint8_t *)bytes.data, (uint32_t)bytes.len, &why);

    if (!message) {
        sl_device_watch_finish(watch, &why);
        return;
    }
    is_poll = is_poll && ((Gnmi__SubscribeRequest *)message)->request_case ==
                             GNMI__SUBSCRIBE_REQUEST__REQUEST_POLL;
    protobuf_c_message_free_unpacked(message, NULL);
    if (!is_poll) {
        fail(watch, SL_INVALID_ARGUMENT, "only a POLL takes a second message, which is a poll");
        return;
    }
    watch->polls += watch->polls < UINT32_MAX;
    if (watch->phase == POLLED) {
        run(watch);
    }
}

/* A STREAM ends, as at the devices that take the end of the requests for the end of the RPC. */
void sl_device_watch_half_close(struct sl_device_watch *watch)
{
    watch->is_half_closed = true;
    if (list_of(watch)->mode == GNMI__SUBSCRIPTION_LIST__MODE__STREAM && !watch->is_past) {
        end(watch);
    } else if (watch->phase == POLLED) {
        run(watch);
    }
}

void sl_device_watch_writable(struct sl_device_watch *watch)
{
    run(watch);
}
