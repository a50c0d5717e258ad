#include "stream/stall.h"

#include <stdlib.h>

#include "stream/internal.h"
#include "stream/kept.h"

struct sl_stall {
    enum sl_stall_state state;
    struct sl_kept kept;
    bool is_refused; /* the sink was full, and has not said yet that there is room */
    bool has_ended;  /* the RPC: `end` */
    struct sl_status end;
};

const char *const sl_stall_policy_names[] = {"block", "resubscribe", "conflate", "shed", NULL};

/* ---- the machine ---- */

static const uint8_t next_state[SL_STALL_STATES][SL_STALL_EVENTS] = {
    [SL_STALL_OPEN][SL_STALL_STALLED] = SL_STALL_KEEPING,
    [SL_STALL_KEEPING][SL_STALL_ROOM] = SL_STALL_LEAVING,
    [SL_STALL_KEEPING][SL_STALL_EMPTY] = SL_STALL_OPEN,
    [SL_STALL_LEAVING][SL_STALL_STALLED] = SL_STALL_KEEPING,
    [SL_STALL_LEAVING][SL_STALL_EMPTY] = SL_STALL_OPEN,
};

const char *sl_stall_state_name(enum sl_stall_state state)
{
    switch (state) {
    case SL_STALL_NONE:
        return "none";
    case SL_STALL_OPEN:
        return "open";
    case SL_STALL_KEEPING:
        return "keeping";
    case SL_STALL_LEAVING:
        return "leaving";
    }
    return "unknown";
}

static const char *name_of(unsigned state)
{
    return sl_stall_state_name((enum sl_stall_state)state);
}

static const char *const event_names[SL_STALL_EVENTS] = {
    [SL_STALL_STALLED] = "stalled",
    [SL_STALL_ROOM] = "room",
    [SL_STALL_EMPTY] = "empty",
};

const struct sl_machine sl_stall_machine = {
    .name = "stall",
    .states = SL_STALL_STATES,
    .events = SL_STALL_EVENTS,
    .next = &next_state[0][0],
    .state_name = name_of,
    .event_names = event_names,
};

enum sl_stall_state sl_stall_state(const struct sl_route *route)
{
    return route->stall ? route->stall->state : SL_STALL_OPEN;
}

/* The only place that writes `state`. */
static void handle(struct sl_stream *stream, struct sl_route *route, enum sl_stall_event event)
{
    enum sl_stall_state was = sl_stall_state(route);
    enum sl_stall_state next = (enum sl_stall_state)sl_machine_next(&sl_stall_machine, was, event);

    SL_ASSERT(next != SL_STALL_NONE);
    stream->routes_keeping += next == SL_STALL_KEEPING;
    stream->routes_keeping -= was == SL_STALL_KEEPING;
    stream->routes_stalled += was == SL_STALL_OPEN;
    stream->routes_stalled -= next == SL_STALL_OPEN;
    route->stall->state = next;
    sl_log(SL_LOG_DEBUG, &stream->subject, "stall", sl_log_text("is", sl_stall_state_name(next)),
           sl_log_text("was", sl_stall_state_name(was)), sl_log_text("sink", route->spec->name));
}

/* ---- one route ---- */

bool sl_stall_give(struct sl_stream *stream, struct sl_route *route,
                   const struct sl_gnmi_response *part)
{
    switch (sl_stall_state(route)) {
    case SL_STALL_NONE:
    case SL_STALL_OPEN:
        return sl_stream_give_part(stream, route, part);
    case SL_STALL_LEAVING:
        return false;
    case SL_STALL_KEEPING:
        break;
    }
    sl_kept_add(stream, route, &route->stall->kept, part);
    return true;
}

void sl_stall_note_synced(struct sl_route *route)
{
    route->stall->kept.owes_sync = true;
}

static void stall_free(struct sl_stream *stream, struct sl_route *route)
{
    handle(stream, route, SL_STALL_EMPTY);
    sl_kept_fini(stream, &route->stall->kept);
    free(route->stall);
    route->stall = NULL;
}

static void log_over(struct sl_stream *stream)
{
    int64_t lasted_ns = sl_loop_now_ns(stream->config.loop) - stream->stalled_since_ns;

    sl_log(SL_LOG_INFO, &stream->subject, "what was kept has left, the stream goes on",
           sl_log_text("reason", "stalled"),
           sl_log_u64("after-ms", (uint64_t)(lasted_ns / SL_NS_PER_MS)),
           sl_log_u64("conflated", stream->stall_conflated),
           sl_log_u64("shed", stream->stall_shed));
}

/* Nothing is kept any more: what the route's markers owe is said. */
static void end_stall(struct sl_stream *stream, struct sl_route *route)
{
    const struct sl_stall *stall = route->stall;
    bool owes_sync = stall->kept.owes_sync;
    bool has_ended = stall->has_ended;
    const struct sl_status end = has_ended ? stall->end : sl_status_ok();

    stall_free(stream, route);
    if (stream->routes_stalled == 0) {
        log_over(stream);
    }
    sl_mark_stall_over(stream, route, owes_sync, has_ended ? &end : NULL);
}

static void go_on_route(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_stall *stall = route->stall;
    bool has_room = route->in_flight == 0 && !stall->is_refused && !route->is_cut;

    if (stall->state == SL_STALL_KEEPING && has_room) {
        handle(stream, route, SL_STALL_ROOM);
    }
    if (stall->state != SL_STALL_LEAVING || stall->is_refused || route->is_cut) {
        return;
    }
    enum sl_kept_left left = sl_kept_leave(stream, route, &stall->kept);

    stall->is_refused = left == SL_KEPT_REFUSED;
    if (left == SL_KEPT_GONE) {
        end_stall(stream, route);
    }
}

void sl_stall_go_on(struct sl_stream *stream)
{
    size_t stalled = stream->routes_stalled;

    for (size_t i = 0; stream->routes_stalled && i < stream->config.route_count; i++) {
        if (stream->routes[i].stall) {
            go_on_route(stream, &stream->routes[i]);
        }
    }
    if (stream->routes_stalled < stalled) {
        sl_stream_resume(stream);
    }
    if (stream->state == SL_STREAM_PARTING && sl_stall_is_over(stream)) {
        sl_stream_handle(stream, SL_STREAM_EMPTY);
    }
    if (stalled || stream->waits_for_sinks) {
        sl_stream_subscribe_soon(stream, false);
    }
}

void sl_stall_sink_ready(struct sl_stream *stream)
{
    for (size_t i = 0; stream->routes_stalled && i < stream->config.route_count; i++) {
        if (stream->routes[i].stall) {
            stream->routes[i].stall->is_refused = false;
        }
    }
    sl_stall_go_on(stream);
}

void sl_stall_give_up(struct sl_stream *stream, struct sl_route *route, uint64_t *counter)
{
    struct sl_stall *stall = route->stall;

    if (!stall) {
        return;
    }
    sl_route_settle(route, counter, sl_kept_drop(&stall->kept));
    stall_free(stream, route);
}

void sl_stall_drop(struct sl_stream *stream)
{
    for (size_t i = 0; stream->routes_stalled && i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        sl_stall_give_up(stream, route, &route->counts.dropped[SL_DROP_CLOSED]);
    }
}

/* ---- standing still ---- */

/* The one at which the message under way stands. */
static bool is_full(const struct sl_stream *stream, size_t index)
{
    return stream->state == SL_STREAM_HELD && stream->next_route == index;
}

/* Why the device waits: not those that keep already, nor those that never hold. */
static bool is_to_blame(const struct sl_stream *stream, size_t index)
{
    const struct sl_route *route = &stream->routes[index];

    return sl_route_is_required(route) && sl_stall_state(route) != SL_STALL_KEEPING &&
           (route->in_flight > 0 || is_full(stream, index));
}

/* The first route that is to blame; NULL: none is. */
static const struct sl_route *find_culprit(const struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (is_to_blame(stream, i)) {
            return &stream->routes[i];
        }
    }
    return NULL;
}

static bool begin(struct sl_stream *stream, size_t index)
{
    struct sl_route *route = &stream->routes[index];

    if (!route->stall) {
        route->stall = calloc(1, sizeof(*route->stall));
        if (!route->stall) {
            return false;
        }
        route->stall->state = SL_STALL_OPEN;
        sl_kept_init(stream, &route->stall->kept);
    }
    route->stall->is_refused = route->stall->is_refused || is_full(stream, index);
    handle(stream, route, SL_STALL_STALLED);
    return true;
}

static void log_decision(struct sl_stream *stream, const struct sl_route *culprit)
{
    const struct sl_stall_config *config = &stream->config.stall;

    sl_log(SL_LOG_WARN, &stream->subject, "stands still", sl_log_text("reason", "stalled"),
           sl_log_text("policy", sl_stall_policy_names[config->policy]),
           sl_log_text("sink", culprit->spec->name),
           sl_log_u64("after-ms", (uint64_t)(config->after_ns / SL_NS_PER_MS)),
           sl_log_u64("epoch", stream->view.epoch));
    stream->view.stalls++;
}

static void start_keeping(struct sl_stream *stream)
{
    if (!stream->routes_stalled) {
        stream->stalled_since_ns = sl_loop_now_ns(stream->config.loop);
        stream->stall_conflated = 0;
        stream->stall_shed = 0;
    }
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (is_to_blame(stream, i) && !begin(stream, i)) {
            sl_timer_start(stream->stall_timer, 1); /* no memory: again */
        }
    }
    sl_stream_resume(stream);
    sl_loop_defer(stream->config.loop, &stream->credit_due);
}

static void resubscribe(struct sl_stream *stream)
{
    struct sl_status why = sl_status_because(
        "stalled", sl_status_error(SL_CANCELLED, "subscribes anew when its sinks take records"));

    stream->is_anew = true;
    stream->was_stalled = true;
    sl_grpc_call_fail(stream->call, &why);
}

static void start_timer(struct sl_stream *stream)
{
    sl_timer_start(stream->stall_timer,
                   (uint64_t)(stream->config.stall.after_ns / SL_NS_PER_MS) + 1);
}

void sl_stall_on_timer(void *arg)
{
    struct sl_stream *stream = arg;
    const struct sl_route *culprit = find_culprit(stream);
    bool may_act = stream->state == SL_STREAM_FLOWING || stream->state == SL_STREAM_HELD;

    if (!may_act) {
        return;
    }
    if (!culprit) {
        start_timer(stream);
        return;
    }
    log_decision(stream, culprit);
    if (stream->config.stall.policy == SL_STALL_RESUBSCRIBE) {
        resubscribe(stream);
    } else {
        start_keeping(stream);
    }
}

bool sl_stall_is_keeping(const struct sl_stream *stream)
{
    return stream->routes_keeping > 0;
}

/* A quarter of the limit. */
static uint64_t window_of(const struct sl_stream *stream)
{
    return sl_max_u64(stream->credit.limit_bytes / 4, SL_CREDIT_FLOOR_BYTES);
}

/* So much may be borrowed for keeping: what the routes that do not keep hold of it, or what waits
 * for them in the call, is no more than that; then they are to blame themselves. */
static uint64_t most_extended(const struct sl_stream *stream)
{
    return window_of(stream) * stream->routes_stalled;
}

/* What was borrowed since it was looked at last was for keeping; what was repaid, too, as far as
 * there is some: loans of large messages come after it. */
static void note_borrowed(struct sl_stream *stream)
{
    uint32_t borrowed = stream->credit.borrowed_bytes;
    uint32_t seen = stream->stall_seen_bytes;

    if (borrowed < seen) {
        stream->stall_extended_bytes -= sl_min_u64(stream->stall_extended_bytes, seen - borrowed);
    } else if (sl_stall_is_keeping(stream)) {
        stream->stall_extended_bytes += borrowed - seen;
    }
    stream->stall_seen_bytes = borrowed;
}

bool sl_stall_may_lend(const struct sl_stream *stream)
{
    const struct sl_credit *credit = &stream->credit;
    uint64_t in_use = (uint64_t)credit->granted_bytes + credit->assembling_bytes;

    return sl_stall_is_keeping(stream) && !stream->charge &&
           stream->stall_extended_bytes < most_extended(stream) + in_use;
}

uint32_t sl_stall_extend(struct sl_stream *stream)
{
    struct sl_credit *credit = &stream->credit;
    uint64_t window = window_of(stream);
    uint64_t most = most_extended(stream);
    uint64_t all = most + stream->config.max_message_bytes;

    note_borrowed(stream);
    if (!sl_stall_is_keeping(stream) || credit->granted_bytes >= window / 2 ||
        credit->borrowed_bytes >= all) {
        return 0;
    }
    uint64_t left = most - sl_min_u64(most, stream->stall_extended_bytes) + credit->pending_bytes;
    uint32_t bytes =
        sl_credit_extend(credit, (uint32_t)sl_min_u64(window - credit->granted_bytes, left));

    note_borrowed(stream);
    return bytes;
}

void sl_stall_note_blocked(struct sl_stream *stream, bool is_blocked)
{
    if (!stream->stall_timer) {
        return;
    }
    note_borrowed(stream);
    if (!is_blocked) {
        sl_timer_stop(stream->stall_timer);
    } else if (!sl_timer_is_armed(stream->stall_timer)) {
        start_timer(stream);
    }
}

/* ---- the end of an RPC ---- */

void sl_stall_note_end(struct sl_stream *stream, const struct sl_status *why, bool is_held)
{
    if (stream->stall_timer) {
        sl_timer_stop(stream->stall_timer);
    }
    stream->waits_for_sinks = stream->waits_for_sinks || is_held || stream->routes_stalled > 0;
    for (size_t i = 0; stream->is_connected && i < stream->config.route_count; i++) {
        struct sl_stall *stall = stream->routes[i].stall;
        if (stall) {
            stall->has_ended = true;
            stall->end = *why;
        }
    }
}

bool sl_stall_is_on(const struct sl_route *route)
{
    return route->stall != NULL;
}

bool sl_stall_is_over(const struct sl_stream *stream)
{
    return stream->routes_stalled == 0;
}

bool sl_stall_must_wait(struct sl_stream *stream)
{
    bool has_more = false;

    for (size_t i = 0; stream->waits_for_sinks && i < stream->config.route_count; i++) {
        const struct sl_route *route = &stream->routes[i];
        has_more = has_more || (sl_route_is_required(route) && route->in_flight > 0);
    }
    stream->waits_for_sinks = has_more;
    return has_more || !sl_stall_is_over(stream);
}

uint64_t sl_stall_kept(const struct sl_route *route)
{
    const struct sl_stall *stall = route->stall;

    return stall ? stall->kept.store.updates + stall->kept.under.coming : 0;
}
