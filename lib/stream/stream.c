#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "gnmi.services.h"
#include "gnmi/extension.h"
#include "stream/internal.h"
#include "stream/prober.h"

/* ---- the machine ---- */

static bool sinks_are_taking(const struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        const struct sl_route *route = &stream->routes[i];
        if (sl_route_is_required(route) && !sl_sink_is_taking(route->sink)) {
            return false;
        }
    }
    return true;
}

static void log_state(struct sl_stream *stream, enum sl_stream_state next)
{
    sl_log(SL_LOG_DEBUG, &stream->subject, "state", sl_log_text("is", sl_stream_state_name(next)),
           sl_log_text("was", sl_stream_state_name(stream->state)));
}

/* What belongs to a state whenever it is entered; dispatches nothing. */
static void enter(struct sl_stream *stream)
{
    switch (stream->state) {
    case SL_STREAM_BACKOFF:
        stream->retry_ms = stream->is_anew ? 0 : sl_backoff_next(&stream->backoff);
        sl_timer_start(stream->timer, stream->retry_ms);
        break;
    case SL_STREAM_ENDING:
        sl_grpc_call_cancel(stream->call);
        break;
    case SL_STREAM_PARTING:
        sl_timer_stop(stream->timer);
        break;
    case SL_STREAM_CLOSED:
        sl_stream_capture_stop(stream, stream->recording, "closed");
        sl_timer_stop(stream->timer);
        sl_loop_defer(stream->config.loop, &stream->closed_due);
        break;
    case SL_STREAM_NONE:
    case SL_STREAM_WAITING:
    case SL_STREAM_OPENING:
    case SL_STREAM_FLOWING:
    case SL_STREAM_HELD:
    case SL_STREAM_DRAINING:
        break;
    }
}

void sl_stream_handle(struct sl_stream *stream, enum sl_stream_event event)
{
    enum sl_stream_state next = sl_stream_next(stream->state, event);
    bool is_change = next != stream->state;

    SL_ASSERT(next != SL_STREAM_NONE);
    log_state(stream, next);
    stream->state = next;
    sl_loop_defer(stream->config.loop, &stream->credit_due);
    if (is_change) {
        enter(stream);
    }
}

/* ---- silence ---- */

static uint64_t ms_of(int64_t ns)
{
    return (uint64_t)(ns / SL_NS_PER_MS) + 1;
}

/* While the device has no credit, or a sink holds what it sent, it may well have something to say.
 */
static void on_silence(void *arg)
{
    struct sl_stream *stream = arg;
    int64_t now_ns = sl_loop_now_ns(stream->config.loop);

    if (stream->charge || stream->short_bytes || stream->view.is_blocked) {
        stream->heard_ns = now_ns;
    }
    int64_t left_ns = stream->config.stale_after_ns - (now_ns - stream->heard_ns);

    if (left_ns > 0) {
        sl_timer_start(stream->silence_timer, ms_of(left_ns));
        return;
    }
    stream->view.is_stale = true;
    sl_log(SL_LOG_WARN, &stream->subject, "stale: the device sends nothing",
           sl_log_text("reason", "stale"),
           sl_log_u64("since-ms", (uint64_t)((now_ns - stream->heard_ns) / SL_NS_PER_MS)));
    sl_mark_stale(stream, stream->seen_ns);
}

void sl_stream_note_heard(struct sl_stream *stream)
{
    if (!stream->silence_timer) {
        return;
    }
    stream->heard_ns = sl_loop_now_ns(stream->config.loop);
    if (stream->view.is_stale) {
        stream->view.is_stale = false;
        sl_log(SL_LOG_INFO, &stream->subject, "not stale any more", sl_log_text("reason", "stale"),
               sl_log_u64("epoch", stream->view.epoch));
        sl_mark_resumed(stream, stream->seen_ns);
        sl_timer_start(stream->silence_timer, ms_of(stream->config.stale_after_ns));
    }
}

static void end_silence(struct sl_stream *stream)
{
    if (stream->silence_timer) {
        sl_timer_stop(stream->silence_timer);
    }
    stream->view.is_stale = false;
}

/* ---- the call ---- */

static void on_open(struct sl_grpc_call *call, void *arg)
{
    struct sl_stream *stream = arg;

    (void)call;
    sl_share_open(&stream->share);
    stream->messages_at_open = stream->view.messages;
    stream->opened_ns = sl_loop_now_ns(stream->config.loop);
    stream->heard_ns = stream->opened_ns;
    if (stream->silence_timer) {
        sl_timer_start(stream->silence_timer, ms_of(stream->config.stale_after_ns));
    }
    sl_log(SL_LOG_INFO, &stream->subject, "subscribed", sl_log_u64("epoch", stream->view.epoch));
    sl_stream_handle(stream, SL_STREAM_OPENED);
}

static void log_end(struct sl_stream *stream, const struct sl_status *why)
{
    bool is_wanted = stream->state == SL_STREAM_BACKOFF && !stream->is_anew;
    const char *hint = is_wanted ? sl_hint(why, SL_HINT_FILE) : NULL;
    const struct sl_log_field fields[] = {
        sl_log_text("code", sl_code_name(why->code)),
        sl_log_text("reason", sl_status_reason(why)),
        sl_log_text("why", why->text),
        sl_log_u64("epoch", stream->view.epoch),
        sl_log_u64("retry-ms", is_wanted ? stream->retry_ms : 0),
        sl_log_text("try", hint),
    };

    sl_log_fields(is_wanted ? SL_LOG_WARN : SL_LOG_DEBUG, &stream->subject, "subscription ended",
                  fields, SL_ARRAY_LEN(fields) - !hint);
    if (is_wanted) {
        sl_tally_add(&stream->view.ends, sl_status_reason(why));
    }
}

/* A range of the past ends when all of it is told: it would be told again. */
static void note_told(struct sl_stream *stream, const struct sl_status *status)
{
    const struct sl_gnmi_subscribe *subscribe = &stream->config.subscribe;

    for (size_t i = 0; i < subscribe->extension_count && status->code == SL_OK; i++) {
        stream->is_told = stream->is_told || subscribe->extensions[i].kind == SL_GNMI_RANGE;
    }
    if (stream->is_told) {
        sl_log(SL_LOG_INFO, &stream->subject, "the past is told, and not asked for again",
               sl_log_text("reason", "range-told"));
    }
}

/* Closed without a call, and all that was kept has left. */
static void part_if_empty(struct sl_stream *stream)
{
    if (stream->state == SL_STREAM_PARTING && sl_stall_is_over(stream)) {
        sl_stream_handle(stream, SL_STREAM_EMPTY);
    }
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *said, void *arg)
{
    struct sl_stream *stream = arg;
    struct sl_status meant = *said;
    const struct sl_status *status = &meant;
    bool had_data =
        stream->state != SL_STREAM_OPENING && stream->view.messages > stream->messages_at_open;

    (void)call;
    sl_gnmi_unwrap_status(stream->workarounds, &meant);
    stream->call = NULL;
    stream->short_bytes = 0;
    sl_share_shut(&stream->share);
    if (stream->view.messages > stream->messages_at_open) {
        int64_t lasted_ns = sl_loop_now_ns(stream->config.loop) - stream->opened_ns;
        sl_backoff_lasted(&stream->backoff, (uint64_t)(lasted_ns / SL_NS_PER_MS));
    }
    stream->view.is_synced = false;
    end_silence(stream);
    stream->view.last_reason = sl_status_is_ok(status) ? NULL : sl_status_reason(status);
    struct sl_status shown = *status;
    sl_status_hide(&shown, stream->config.password);
    sl_stream_record_end(stream, &shown);
    sl_stall_note_end(stream, &shown, stream->charge || stream->view.is_blocked);
    sl_stream_drop_unfinished(stream);
    sl_raise_end(stream);
    sl_batch_flush(stream);
    sl_mark_disconnected(stream, &shown);
    sl_stream_handle(stream, SL_STREAM_ENDED);
    part_if_empty(stream);
    log_end(stream, &shown);
    note_told(stream, status);
    if (stream->state == SL_STREAM_BACKOFF && !stream->is_anew) {
        sl_prober_note_end(stream, status, had_data);
    }
    stream->is_anew = false;
    if (stream->config.on_ended) {
        stream->config.on_ended(stream, stream->config.arg);
    }
}

static const struct sl_grpc_call_events call_events = {
    .on_open = on_open,
    .on_received = sl_stream_on_received,
    .max_message_bytes = sl_stream_max_message_bytes,
    .on_bytes = sl_stream_on_message,
    .on_status = on_status,
};

/* A new epoch: always larger than the last, even when the clock stands still or goes back. */
static void begin_epoch(struct sl_stream *stream)
{
    uint64_t now_ns = (uint64_t)sl_loop_wall_ns();

    stream->view.epoch = sl_max_u64(now_ns, stream->view.epoch + 1);
    stream->view.subscribes++;
    for (size_t i = 0; i < stream->config.route_count; i++) {
        stream->routes[i].seq = 0;
    }
}

struct sl_grpc_call *sl_stream_open_call(struct sl_stream *stream,
                                         const struct sl_grpc_call_events *events, void *arg)
{
    const struct sl_stream_config *config = &stream->config;
    bool has_user = config->username[0] != '\0';
    struct sl_grpc_field metadata[] = {
        {SL_STR("username"), sl_str_from(config->username), false},
        {SL_STR("password"), sl_str_from(config->password), true},
    };
    struct sl_grpc_request request = {
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE],
        .authority = config->authority,
        .user_agent = "sluice/" SLUICE_VERSION,
        .metadata = metadata,
        .metadata_count = has_user ? SL_ARRAY_LEN(metadata) : 0,
        .encoding = config->gzip ? SL_GRPC_GZIP : SL_GRPC_IDENTITY,
        .identity_only = !config->gzip,
        .manual_credit = true,
        .context = &config->pool->grpc,
    };

    return sl_grpc_call_open(stream->session, &request, events, arg);
}

static void subscribe(struct sl_stream *stream)
{
    stream->call = sl_stream_open_call(stream, &call_events, stream);
    if (!stream->call) {
        struct sl_status why = sl_status_error(SL_UNAVAILABLE, "no call could be made");
        stream->view.last_reason = sl_status_reason(&why);
        sl_stream_handle(stream, SL_STREAM_NO_CALL);
        log_end(stream, &why);
        return;
    }
    begin_epoch(stream);
    sl_stream_record_call(stream);
    if (stream->mend) {
        sl_mend_begin(stream->mend);
    }
    sl_stream_handle(stream, SL_STREAM_READY);
    if (sl_grpc_call_send_bytes(stream->call, stream->request.data,
                                (uint32_t)stream->request.len) != SL_GRPC_SENT) {
        sl_grpc_call_cancel(stream->call);
    }
}

static void subscribe_if_ready(struct sl_stream *stream)
{
    bool is_over = stream->is_finishing || stream->is_told;

    if (stream->state == SL_STREAM_WAITING && !is_over && !stream->change && stream->session &&
        sinks_are_taking(stream) && !sl_prober_is_searching(stream) &&
        !sl_stall_must_wait(stream) && sl_mark_give_all(stream)) {
        subscribe(stream);
    }
}

void sl_stream_subscribe_soon(struct sl_stream *stream, bool at_once)
{
    if (at_once && stream->state == SL_STREAM_BACKOFF) {
        sl_timer_start(stream->timer, 0);
    }
    subscribe_if_ready(stream);
}

bool sl_stream_subscribe_anew(struct sl_stream *stream)
{
    if (stream->state == SL_STREAM_HELD) {
        return false;
    }
    if (stream->state == SL_STREAM_OPENING || stream->state == SL_STREAM_FLOWING) {
        struct sl_status why = sl_status_because(
            "paths-changed", sl_status_error(SL_CANCELLED, "subscribes anew, for other paths"));
        stream->is_anew = true;
        sl_log(SL_LOG_INFO, &stream->subject, "subscribes anew, for other paths",
               sl_log_text("reason", sl_status_reason(&why)));
        sl_grpc_call_fail(stream->call, &why);
    }
    return true;
}

static void on_timer(void *arg)
{
    struct sl_stream *stream = arg;

    if (stream->state != SL_STREAM_BACKOFF) {
        sl_stream_check_loan(stream);
        return;
    }
    sl_stream_handle(stream, SL_STREAM_TIMER);
    subscribe_if_ready(stream);
}

static void on_closed(void *arg)
{
    struct sl_stream *stream = arg;

    stream->config.on_closed(stream, stream->config.arg);
}

/* ---- public ---- */

/* Of one member nothing has to be found out. */
static bool init_members(struct sl_stream *stream, struct sl_status *why)
{
    const struct sl_stream_config *config = &stream->config;

    SL_ASSERT(config->member_count > 0 && config->route_count % config->member_count == 0);
    stream->routes_each = config->route_count / config->member_count;
    if (config->member_count == 1) {
        return true;
    }
    stream->members =
        sl_members_new(config->members, config->member_count, config->subscribe.prefix,
                       config->routes[0].encoder.memory, &config->pool->sharing, why);
    return stream->members != NULL;
}

static bool init_routes(struct sl_stream *stream)
{
    const struct sl_stream_config *config = &stream->config;

    stream->routes = calloc(config->route_count, sizeof(*stream->routes));
    for (size_t i = 0; stream->routes && i < config->route_count; i++) {
        SL_ASSERT(config->routes[i].member == i / stream->routes_each);
        if (!sl_route_init(&stream->routes[i], &config->routes[i])) {
            return false;
        }
    }
    return stream->routes != NULL;
}

static void on_batch_timer(void *arg)
{
    sl_batch_flush(arg);
}

/* The shortest wait of a batch; 0: there is none. */
static uint64_t batch_delay(const struct sl_stream_config *config)
{
    uint64_t shortest_ms = 0;

    for (size_t i = 0; i < config->route_count; i++) {
        const struct sl_batch_config *batch = &config->routes[i].batch;
        uint64_t delay_ms = sl_max_u64((uint64_t)batch->delay_ns / SL_NS_PER_MS, 1);
        if (batch->max_bytes) {
            shortest_ms = shortest_ms ? sl_min_u64(shortest_ms, delay_ms) : delay_ms;
        }
    }
    return shortest_ms;
}

bool sl_stream_timers_init(struct sl_stream_timers *timers, struct sl_stream *stream,
                           const struct sl_stream_config *config)
{
    bool stalls = config->stall.policy != SL_STALL_BLOCK;

    *timers = (struct sl_stream_timers){.batch_delay_ms = batch_delay(config)};
    if (config->stale_after_ns) {
        timers->silence = sl_timer_new(config->loop, on_silence, stream);
    }
    if (stalls) {
        timers->stall = sl_timer_new(config->loop, sl_stall_on_timer, stream);
    }
    if (timers->batch_delay_ms) {
        timers->batch = sl_timer_new(config->loop, on_batch_timer, stream);
    }
    return (timers->silence || !config->stale_after_ns) && (timers->stall || !stalls) &&
           (timers->batch || !timers->batch_delay_ms);
}

void sl_stream_timers_fini(struct sl_stream_timers *timers)
{
    sl_timer_free(timers->silence);
    sl_timer_free(timers->stall);
    sl_timer_free(timers->batch);
}

static bool init_timers(struct sl_stream *stream)
{
    struct sl_stream_timers timers;
    bool is_whole = sl_stream_timers_init(&timers, stream, &stream->config);

    stream->timer = sl_timer_new(stream->config.loop, on_timer, stream);
    stream->silence_timer = timers.silence;
    stream->stall_timer = timers.stall;
    stream->batch_timer = timers.batch;
    stream->batch_delay_ms = timers.batch_delay_ms;
    return is_whole && stream->timer;
}

static bool init_parts(struct sl_stream *stream, struct sl_status *why)
{
    const struct sl_stream_config *config = &stream->config;

    bool has_timers = init_timers(stream);

    if (!init_members(stream, why)) {
        return false;
    }
    if (!has_timers || !sl_asking_init(&stream->asking, config->members, config->member_count) ||
        !init_routes(stream)) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    uint32_t in_force = 0;
    *why = sl_asking_pack(&stream->asking, NULL, &config->subscribe, NULL, &stream->request,
                          &in_force);
    return sl_status_is_ok(why);
}

void sl_stream_join_governor(struct sl_stream *stream, const struct sl_stream_config *config)
{
    uint64_t initial = sl_max_u64(config->credit_initial_bytes, SL_CREDIT_FLOOR_BYTES);
    const struct sl_share_config share = {
        .priority = config->priority,
        .initial_bytes = (uint32_t)sl_min_u64(initial, SL_GIB),
        .max_bytes = config->credit_max_bytes,
    };

    sl_share_join(&stream->share, &config->pool->governor, &stream->credit, &share);
}

struct sl_stream *sl_stream_new(const struct sl_stream_config *config, struct sl_status *why)
{
    const struct sl_log_field who[] = {
        sl_log_text("target", config->target),
        sl_log_text("subscription", config->subscription),
    };
    struct sl_stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    stream->config = *config;
    stream->state = SL_STREAM_WAITING;
    sl_log_subject_init(&stream->subject, who, SL_ARRAY_LEN(who));
    stream->subject.stream = &stream->view.epoch;
    stream->credit_due = (struct sl_deferred){.fn = sl_stream_give_credit, .arg = stream};
    stream->closed_due = (struct sl_deferred){.fn = on_closed, .arg = stream};
    sl_stream_join_governor(stream, config);
    sl_loan_init(&stream->loan, sl_stream_lent, stream);
    sl_backoff_init(&stream->backoff, config->backoff_min_ms, config->backoff_max_ms);
    sl_clock_init(&stream->clock, &config->clock);
    bool is_whole = init_parts(stream, why);
    stream->config.routes = NULL; /* the routes have what they need of it */
    if (!is_whole) {
        sl_stream_free(stream);
        return NULL;
    }
    return stream;
}

void sl_stream_free(struct sl_stream *stream)
{
    if (stream->routes) {
        sl_stall_drop(stream);
        sl_batch_drop(stream);
        sl_mark_drop(stream);
    }
    SL_ASSERT(!stream->call && stream->in_flight == 0);
    sl_stream_capture_stop(stream, stream->recording, "closed");
    sl_log_end(&stream->subject);
    sl_share_leave(&stream->share);
    sl_loop_cancel(stream->config.loop, &stream->credit_due);
    sl_loop_cancel(stream->config.loop, &stream->closed_due);
    sl_loan_return(&stream->config.pool->reserve, &stream->loan);
    for (size_t i = 0; stream->routes && i < stream->config.route_count; i++) {
        SL_ASSERT(stream->routes[i].in_flight == 0);
        if (stream->routes[i].encoder) {
            sl_ended_add(&stream->config.pool->ended, stream->routes[i].spec->name,
                         &stream->routes[i].counts);
            sl_route_fini(&stream->routes[i]);
        }
    }
    while (stream->free_charges) {
        struct sl_charge *charge = stream->free_charges;
        stream->free_charges = charge->next_free;
        free(charge);
    }
    sl_stream_change_free(stream->change);
    sl_prober_free(stream->prober);
    sl_members_free(stream->members);
    sl_timer_free(stream->timer);
    sl_timer_free(stream->batch_timer);
    sl_timer_free(stream->stall_timer);
    sl_timer_free(stream->silence_timer);
    sl_tally_fini(&stream->view.ends);
    sl_buf_fini(&stream->request);
    sl_asking_fini(&stream->asking);
    sl_mend_free(stream->mend);
    sl_ruled_reset(&stream->ruled);
    free(stream->routes);
    free(stream);
}

void sl_stream_set_session(struct sl_stream *stream, struct sl_h2_session *session)
{
    stream->session = session;
    sl_prober_session_changed(stream);
    subscribe_if_ready(stream);
}

bool sl_stream_has_call(const struct sl_stream *stream)
{
    return stream->call != NULL;
}

void sl_stream_sinks_changed(struct sl_stream *stream)
{
    subscribe_if_ready(stream);
}

bool sl_stream_is_closed(const struct sl_stream *stream)
{
    return stream->state == SL_STREAM_CLOSED && !stream->closed_due.is_pending;
}

bool sl_stream_is_empty(const struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (stream->routes[i].in_flight > 0) {
            return false;
        }
    }
    return true;
}

bool sl_stream_is_same(const struct sl_stream *stream, const struct sl_stream_config *config)
{
    size_t count = stream->config.member_count;
    bool is_same = count == config->member_count;

    for (size_t i = 0; is_same && i < count; i++) {
        is_same =
            strcmp(stream->config.members[i].subscription, config->members[i].subscription) == 0;
    }
    return is_same;
}

void sl_stream_note_empty(struct sl_stream *stream)
{
    bool is_empty = stream->in_flight == 0 && !stream->charge && sl_stall_is_over(stream);

    if (stream->state == SL_STREAM_DRAINING && stream->call && is_empty) {
        sl_stream_handle(stream, SL_STREAM_EMPTY);
    }
}

void sl_stream_resume(struct sl_stream *stream)
{
    bool can_go_on = stream->state == SL_STREAM_HELD || stream->state == SL_STREAM_DRAINING;

    if (stream->charge && can_go_on) {
        sl_stream_handle(stream, SL_STREAM_ROOM);
        sl_grpc_call_resume(stream->call);
        sl_stream_note_empty(stream);
    }
}

void sl_stream_sink_ready(struct sl_stream *stream)
{
    sl_batch_flush_due(stream);
    (void)sl_mark_give_all(stream);
    sl_mark_gaps(stream);
    if (stream->is_finishing) {
        sl_stream_finish(stream);
    }
    sl_stall_sink_ready(stream);
    sl_stream_resume(stream);
    subscribe_if_ready(stream);
}

void sl_stream_close(struct sl_stream *stream)
{
    if (stream->state >= SL_STREAM_DRAINING) {
        return;
    }
    sl_prober_stop(stream);
    if (!sl_batch_flush(stream) && !stream->call) {
        sl_batch_drop(stream);
    }
    if (!stream->call && sl_stall_is_over(stream)) {
        sl_stream_handle(stream, SL_STREAM_STOP_IDLE);
        return;
    }
    sl_stream_handle(stream, SL_STREAM_STOP);
    sl_stream_note_empty(stream);
}

void sl_stream_finish(struct sl_stream *stream)
{
    stream->is_finishing = !sl_batch_flush(stream);
    sl_timer_stop(stream->timer);
    if (!stream->is_finishing) {
        sl_stream_close(stream);
    }
}

void sl_stream_abort(struct sl_stream *stream)
{
    sl_stream_close(stream);
    sl_batch_drop(stream);
    sl_stall_drop(stream);
    if (stream->state == SL_STREAM_DRAINING || stream->state == SL_STREAM_PARTING) {
        sl_stream_handle(stream, SL_STREAM_EMPTY);
    }
}

uint32_t sl_stream_quarantined(const struct sl_stream *stream, size_t member, const char **paths,
                               size_t room)
{
    return sl_prober_quarantined(stream->prober, stream, member, paths, room);
}

void sl_stream_view(const struct sl_stream *stream, struct sl_stream_view *view)
{
    const struct sl_credit *credit = &stream->credit;
    bool has_window = stream->call && stream->state != SL_STREAM_OPENING;

    *view = stream->view;
    view->target = stream->config.target;
    view->subscription = stream->config.subscription;
    view->state = stream->state;
    view->clock = stream->clock.counts;
    view->clock_unit = stream->clock.unit;
    view->members = stream->config.members;
    view->member_count = stream->config.member_count;
    view->routes = stream->routes;
    view->route_count = stream->config.route_count;
    view->granted_bytes = has_window ? credit->granted_bytes : 0;
    view->assembling_bytes = has_window ? credit->assembling_bytes : 0;
    view->held_bytes = credit->held_bytes;
    view->pending_bytes = credit->pending_bytes;
    view->limit_bytes = credit->limit_bytes;
    view->borrowed_bytes = credit->borrowed_bytes;
    view->cost_held_bytes = stream->share.held_bytes;
    view->share_bytes = stream->share.bytes;
    view->entitled_bytes = sl_share_entitled(&stream->share);
    view->window_doublings = stream->share.growth.doublings;
    view->kept_bytes = stream->kept_bytes;
    view->is_stalled = stream->routes_stalled > 0 || stream->waits_for_sinks;
    if (view->is_blocked) {
        view->blocked_ns += sl_loop_now_ns(stream->config.loop) - stream->blocked_since_ns;
    }
}
