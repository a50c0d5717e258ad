/* change.c - a running stream goes over to another configuration.
 *
 * It takes no further message until all that it has is with its sinks and acknowledged; then its
 * routes are made anew, and those that go on keep their number and their counters. The call, its
 * credit and its epoch are not touched, unless the device has to be asked something else: then the
 * call ends first, and the next one begins with the new configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/internal.h"
#include "stream/prober.h"

enum { PATIENCE_S = 2 }; /* with sinks that are not required: nobody waits for them longer */

/* All that is made before the old is given up. */
struct parts {
    struct sl_route *routes;
    struct sl_members *members;
    struct sl_asking asking;
    struct sl_stream_timers timers;
};

/* ---- life of a change ---- */

struct sl_stream_change *sl_stream_change_new(const struct sl_stream_config *config, bool is_anew)
{
    struct sl_stream_change *change = calloc(1, sizeof(*change));
    struct sl_route_config *routes = calloc(config->route_count, sizeof(*routes));

    if (!change || !routes) {
        free(change);
        free(routes);
        return NULL;
    }
    memcpy(routes, config->routes, config->route_count * sizeof(*routes));
    change->config = *config;
    change->config.routes = change->routes = routes;
    change->is_anew = is_anew;
    return change;
}

void sl_stream_change_free(struct sl_stream_change *change)
{
    if (change) {
        free(change->routes);
        free(change);
    }
}

void sl_stream_change(struct sl_stream *stream, struct sl_stream_change *change)
{
    struct sl_stream_config *config = &change->config;

    if (stream->state >= SL_STREAM_DRAINING) {
        sl_stream_change_free(change);
        return;
    }
    config->message_time = stream->config.message_time;
    config->on_ended = stream->config.on_ended;
    config->on_closed = stream->config.on_closed;
    config->arg = stream->config.arg;
    config->trials = stream->config.trials;
    config->authority = stream->config.authority;
    change->since_ns = sl_loop_now_ns(config->loop);
    if (stream->change) {
        change->is_anew = change->is_anew || stream->change->is_anew;
        change->has_held = stream->change->has_held;
        sl_stream_change_free(stream->change);
    }
    stream->change = change;
    sl_loop_defer(stream->config.loop, &stream->credit_due);
}

bool sl_stream_is_changing(const struct sl_stream *stream)
{
    return stream->change != NULL;
}

void sl_stream_renew(struct sl_stream *stream, const char *authority, const char *username,
                     const char *password)
{
    stream->config.authority = authority;
    stream->config.username = username;
    stream->config.password = password;
    if (stream->change) {
        stream->change->config.authority = authority;
    }
}

/* ---- quiet ---- */

static bool route_is_quiet(const struct sl_route *route)
{
    return route->in_flight == 0 && !sl_stall_is_on(route) && sl_list_is_empty(&route->waiting) &&
           !(route->batch && route->batch->delivery);
}

/* Nothing is on its way; of sinks that are not required too, unless `required_only`. */
static bool is_quiet(const struct sl_stream *stream, bool required_only)
{
    if (stream->charge || stream->in_flight || !sl_stall_is_over(stream)) {
        return false;
    }
    for (size_t i = 0; i < stream->config.route_count; i++) {
        const struct sl_route *route = &stream->routes[i];
        bool counts = sl_route_is_required(route) || !required_only;
        if (counts && !route_is_quiet(route)) {
            return false;
        }
    }
    return true;
}

bool sl_stream_must_hold(struct sl_stream *stream)
{
    struct sl_stream_change *change = stream->change;

    if (!change) {
        return false;
    }
    int64_t waited_ns = sl_loop_now_ns(stream->config.loop) - change->since_ns;
    bool is_patient = waited_ns < PATIENCE_S * SL_NS_PER_S || !is_quiet(stream, true);

    change->has_held = change->has_held || is_patient;
    return is_patient;
}

/* ---- the new parts ---- */

static void parts_fini(struct parts *parts, size_t route_count)
{
    for (size_t i = 0; parts->routes && i < route_count; i++) {
        if (parts->routes[i].encoder) {
            sl_route_fini(&parts->routes[i]);
        }
    }
    free(parts->routes);
    sl_members_free(parts->members);
    sl_asking_fini(&parts->asking);
    sl_stream_timers_fini(&parts->timers);
}

static bool make_parts(struct sl_stream *stream, const struct sl_stream_config *config,
                       struct parts *parts)
{
    struct sl_status why;

    *parts = (struct parts){.routes = calloc(config->route_count, sizeof(*parts->routes))};
    bool is_made = parts->routes &&
                   sl_asking_init(&parts->asking, config->members, config->member_count) &&
                   sl_stream_timers_init(&parts->timers, stream, config);
    for (size_t i = 0; is_made && i < config->route_count; i++) {
        is_made = sl_route_init(&parts->routes[i], &config->routes[i]);
    }
    if (is_made && config->member_count > 1) {
        parts->members =
            sl_members_new(config->members, config->member_count, config->subscribe.prefix,
                           config->routes[0].encoder.memory, &config->pool->sharing, &why);
        is_made = parts->members != NULL;
    }
    if (!is_made) {
        parts_fini(parts, config->route_count);
    }
    return is_made;
}

/* ---- the way over ---- */

/* The route of the same subscription and sink. */
static struct sl_route *successor(const struct sl_route *old, struct sl_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sl_route *route = &routes[i];
        if (strcmp(route->spec->name, old->spec->name) == 0 &&
            strcmp(route->config.values.subscription, old->config.values.subscription) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

/* Counters and number go on; what was told of its losses is told. */
static void succeed(struct sl_route *route, const struct sl_route *old)
{
    route->counts = old->counts;
    route->seq = old->seq;
    route->typical_bytes = old->typical_bytes;
    route->undecodable = old->undecodable;
    route->duplicates = old->duplicates;
    route->marks = old->marks;
    route->told = old->told;
    route->lost_ns = old->lost_ns;
    route->is_cut = old->is_cut;
    route->is_restarted = old->is_restarted;
    route->is_stale_told = old->is_stale_told;
    route->is_gap_owed = old->is_gap_owed;
    if (old->last_place) {
        route->last_place = sl_route_place(route, old->last_place->origin);
    }
}

static void swap_routes(struct sl_stream *stream, const struct sl_stream_config *config,
                        struct sl_route *routes)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *old = &stream->routes[i];
        struct sl_route *route = successor(old, routes, config->route_count);
        if (route) {
            succeed(route, old);
        } else {
            sl_ended_add(&stream->config.pool->ended, old->spec->name, &old->counts);
        }
        sl_route_fini(old);
    }
    free(stream->routes);
    stream->routes = routes;
    stream->routes_each = config->route_count / config->member_count;
    while (stream->free_charges) { /* they have room for so many deliveries as there were sinks */
        struct sl_charge *charge = stream->free_charges;
        stream->free_charges = charge->next_free;
        free(charge);
    }
}

/* With a call only the batches may be others: what it is watched for is said of the call. */
static void swap_timers(struct sl_stream *stream, bool is_anew, struct sl_stream_timers *timers)
{
    struct sl_timer *batch = stream->batch_timer;

    stream->batch_timer = timers->batch;
    stream->batch_delay_ms = timers->batch_delay_ms;
    timers->batch = batch;
    if (is_anew) {
        struct sl_timer *silence = stream->silence_timer;
        struct sl_timer *stall = stream->stall_timer;
        stream->silence_timer = timers->silence;
        stream->stall_timer = timers->stall;
        timers->silence = silence;
        timers->stall = stall;
    }
    sl_stream_timers_fini(timers);
}

static bool clocks_differ(const struct sl_clock_config *a, const struct sl_clock_config *b)
{
    return a->policy != b->policy || a->unit != b->unit || a->max_skew_ns != b->max_skew_ns;
}

/* What the device is asked has changed, and no call is under way. */
static void begin_anew(struct sl_stream *stream, const struct sl_stream_config *config)
{
    const struct sl_stream_config *old = &stream->config;
    bool is_other_share = old->credit_initial_bytes != config->credit_initial_bytes ||
                          old->credit_max_bytes != config->credit_max_bytes ||
                          old->priority != config->priority;

    sl_prober_free(stream->prober);
    stream->prober = NULL;
    stream->is_told = false;
    if (clocks_differ(&old->clock, &config->clock)) {
        struct sl_clock_counts counts = stream->clock.counts;
        sl_clock_init(&stream->clock, &config->clock);
        stream->clock.counts = counts;
    }
    if (is_other_share) {
        uint32_t generation = stream->credit.generation;
        sl_share_leave(&stream->share);
        sl_stream_join_governor(stream, config);
        stream->credit.generation = generation;
    }
}

static void go_over(struct sl_stream *stream, struct parts *parts)
{
    struct sl_stream_change *change = stream->change;
    const struct sl_log_field who[] = {
        sl_log_text("target", change->config.target),
        sl_log_text("subscription", change->config.subscription),
    };

    if (change->is_anew) {
        begin_anew(stream, &change->config);
    }
    if (stream->config.backoff_min_ms != change->config.backoff_min_ms ||
        stream->config.backoff_max_ms != change->config.backoff_max_ms) {
        sl_backoff_init(&stream->backoff, change->config.backoff_min_ms,
                        change->config.backoff_max_ms);
    }
    swap_routes(stream, &change->config, parts->routes);
    swap_timers(stream, change->is_anew, &parts->timers);
    sl_members_free(stream->members);
    stream->members = parts->members;
    sl_asking_fini(&stream->asking);
    stream->asking = parts->asking;
    sl_log_end(&stream->subject);
    sl_log_subject_init(&stream->subject, who, SL_ARRAY_LEN(who));
    stream->subject.stream = &stream->view.epoch;
    stream->config = change->config;
    stream->config.routes = NULL;
}

/* The request is the new one's; where it is the same it is made of the new one's memory. */
static void ask_anew(struct sl_stream *stream)
{
    const struct sl_gnmi_profile profile = stream->profile;

    if (!profile.vendor) {
        sl_stream_pack_request(stream);
    } else if (!sl_stream_set_profile(stream, &profile)) {
        sl_mend_free(stream->mend); /* it borrows from the old configuration */
        stream->mend = NULL;
    }
}

static void end_change(struct sl_stream *stream, bool is_done)
{
    struct sl_stream_change *change = stream->change;
    bool has_held = change->has_held;
    bool is_anew = change->is_anew;

    stream->change = NULL;
    if (is_done) {
        ask_anew(stream);
    }
    sl_log(is_done ? SL_LOG_INFO : SL_LOG_ERROR, &stream->subject,
           is_done ? "goes on with the new configuration"
                   : "keeps the old configuration: out of memory",
           sl_log_text("reason", is_done ? "configuration" : "out-of-memory"),
           sl_log_text("call", is_anew ? "new" : "same"), sl_log_u64("epoch", stream->view.epoch));
    sl_stream_change_free(change);
    if (has_held && stream->call) {
        sl_grpc_call_resume(stream->call);
    }
    sl_stream_subscribe_soon(stream, is_anew);
}

/* True when the call has ended that has to. */
static bool has_ended_call(struct sl_stream *stream)
{
    struct sl_status why = sl_status_because(
        "configuration", sl_status_error(SL_CANCELLED, "subscribes anew, as configured"));

    sl_prober_stop(stream);
    if (stream->call && !stream->is_anew) {
        stream->is_anew = true;
        sl_grpc_call_fail(stream->call, &why);
    }
    return !stream->call && !sl_prober_has_call(stream->prober);
}

void sl_stream_go_on_changing(struct sl_stream *stream)
{
    struct sl_stream_change *change = stream->change;
    struct parts parts;

    if (stream->state >= SL_STREAM_DRAINING) {
        return;
    }
    (void)sl_batch_flush(stream);
    if (!is_quiet(stream, false)) {
        bool may_go_on = change->has_held && stream->call && !sl_stream_must_hold(stream);
        if (may_go_on) {
            change->has_held = false;
            sl_grpc_call_resume(stream->call);
        }
        return;
    }
    if (change->is_anew && !has_ended_call(stream)) {
        return;
    }
    if (!is_quiet(stream, false)) {
        return; /* the call's end has told its sinks something */
    }
    bool is_made = make_parts(stream, &change->config, &parts);
    if (is_made) {
        go_over(stream, &parts);
    }
    end_change(stream, is_made);
}
