#include "daemon/worker.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/worker_internal.h"

enum { CALM_MS = 4000, GRACE_MS = 250 };

/* ---- the end ---- */

/* Records with sinks that are waited for. */
static uint64_t in_flight(const struct sl_worker *worker)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < worker->sink_count; i++) {
        const struct sl_sink *sink = worker->sinks[i].sink;
        sum += sink && sl_sink_spec(sink)->is_required ? sl_sink_in_flight(sink) : 0;
    }
    return sum;
}

/* Everything is closed, and either nothing is held or nobody waits for it any more. */
static void finish(void *arg)
{
    struct sl_worker *worker = arg;

    worker->is_over = true;
    sl_timer_stop(worker->deadline);
    sl_timer_stop(worker->grace);
    sl_timer_stop(worker->calm);
    sl_timer_stop(worker->govern);
    if (worker->on_done) {
        worker->on_done(worker->arg);
        worker->on_done = NULL;
    }
    sl_loop_stop(worker->loop);
}

/* Whether sinks that are not required, and take records, have some out. */
static bool has_optional_out(const struct sl_worker *worker)
{
    for (size_t i = 0; i < worker->sink_count; i++) {
        const struct sl_sink *sink = worker->sinks[i].sink;
        if (sink && !sl_sink_spec(sink)->is_required && sl_sink_is_taking(sink) &&
            sl_sink_in_flight(sink) > 0) {
            return true;
        }
    }
    return false;
}

void sl_worker_finish_if_drained(struct sl_worker *worker)
{
    bool is_drained = worker->is_draining && worker->open_targets == 0 &&
                      (worker->is_late || in_flight(worker) == 0);

    if (!is_drained) {
        return;
    }
    if (worker->is_late || worker->is_graced || !has_optional_out(worker)) {
        sl_loop_defer(worker->loop, &worker->finish_due);
    } else if (!sl_timer_is_armed(worker->grace)) {
        sl_timer_start(worker->grace, GRACE_MS);
    }
}

static void on_grace(void *arg)
{
    struct sl_worker *worker = arg;

    worker->is_graced = true;
    sl_worker_finish_if_drained(worker);
}

/* All replays are over. What is held is waited for, however long that takes. */
static void end_by_itself(struct sl_worker *worker)
{
    worker->is_draining = true;
    for (size_t i = 0; i < worker->sink_count; i++) {
        sl_sink_flush(worker->sinks[i].sink);
    }
    sl_worker_finish_if_drained(worker);
}

static void note_replay(struct sl_worker *worker, const struct sl_target *target)
{
    struct sl_target_view view;

    sl_target_view(target, &view);
    worker->has_failed = worker->has_failed || view.is_damaged;
}

static void on_target_closed(struct sl_target *target, void *arg)
{
    struct sl_worker *worker = arg;

    SL_ASSERT(worker->open_targets > 0);
    worker->open_targets--;
    note_replay(worker, target);
    if (worker->open_targets == 0 && worker->settings->is_finite && !worker->is_draining) {
        end_by_itself(worker);
    } else {
        sl_worker_finish_if_drained(worker);
    }
}

static void on_deadline(void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(SL_LOG_WARN, NULL, "shutdown-timeout: giving up what is held",
           sl_log_text("reason", "shutdown-timeout"), sl_log_u64("worker", worker->index),
           sl_log_u64("records", in_flight(worker)));
    worker->is_late = true;
    for (size_t i = 0; i < worker->sink_count; i++) {
        sl_sink_tell_out(worker->sinks[i].sink);
    }
    for (size_t i = 0; i < worker->target_count; i++) {
        sl_target_abort(worker->targets[i].target);
    }
    sl_worker_finish_if_drained(worker);
}

static void drain(void *arg)
{
    struct sl_worker *worker = arg;
    int64_t timeout_ns = worker->settings->collector.shutdown_timeout_ns;

    if (worker->is_over || sl_timer_is_armed(worker->deadline) || worker->is_late) {
        return;
    }
    worker->is_draining = true;
    sl_timer_start(worker->deadline, (uint64_t)(timeout_ns / SL_NS_PER_MS));
    for (size_t i = 0; i < worker->target_count; i++) {
        sl_target_close(worker->targets[i].target);
    }
    for (size_t i = 0; i < worker->sink_count; i++) {
        sl_sink_flush(worker->sinks[i].sink);
    }
    sl_worker_finish_if_drained(worker);
}

/* ---- targets ---- */

struct sl_workplace sl_worker_place(struct sl_worker *worker, const struct sl_settings *settings,
                                    struct sl_sink *const *places)
{
    return (struct sl_workplace){
        .settings = settings,
        .loop = worker->loop,
        .sinks = places,
        .pool = &worker->pool,
        .limits = &worker->limits,
        .interned = &worker->interned,
        .on_closed = on_target_closed,
        .arg = worker,
    };
}

static bool make_targets(struct sl_worker *worker, struct sl_status *why)
{
    const struct sl_settings *settings = worker->settings;
    const struct sl_workplace place = sl_worker_place(worker, settings, worker->places);

    worker->targets = calloc(settings->target_count + 1, sizeof(*worker->targets));
    if (!worker->targets) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < settings->target_count; i++) {
        if (settings->targets[i].worker != worker->index) {
            continue;
        }
        struct sl_target *target = sl_workplace_target(&place, &settings->targets[i], why);
        if (!target) {
            return false;
        }
        worker->targets[worker->target_count++] =
            (struct sl_worker_target){.target = target,
                                      .settings = &settings->targets[i],
                                      .oldest = settings->generation,
                                      .newest = settings->generation};
    }
    worker->open_targets = worker->target_count;
    return true;
}

/* ---- life ---- */

/* Baselines and handshakes of many devices at once take memory that then lies free in pieces. Once
 * nothing has been held for a while they go back to the system; while data flow, they are used
 * again. */
static void on_calm(void *arg)
{
    struct sl_worker *worker = arg;

    worker->calm_looks = worker->pool.governor.held_bytes ? 0 : worker->calm_looks + 1;
    if (worker->calm_looks == 2) {
        malloc_trim(0);
    }
    sl_timer_start(worker->calm, CALM_MS);
}

static void on_govern(void *arg)
{
    struct sl_worker *worker = arg;

    sl_governor_sweep(&worker->pool.governor, sl_loop_now_ns(worker->loop));
    sl_worker_settle(worker);
    sl_timer_start(worker->govern, SL_GOVERNOR_SWEEP_MS);
}

struct sl_worker *sl_worker_new(struct sl_settings *settings, unsigned index, struct sl_status *why)
{
    struct sl_worker *worker = calloc(1, sizeof(*worker));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (!worker) {
        return NULL;
    }
    sl_settings_hold(settings);
    worker->settings = worker->generations[worker->generation_count++] = settings;
    sl_worker_change_init(worker);
    sl_list_init(&worker->captures);
    worker->index = index;
    sl_stream_pool_init(&worker->pool, &settings->plan);
    worker->limits = sl_h2_default_limits;
    worker->limits.sent_table_bytes = 0; /* few requests: 2 KB less for each device */
    sl_grpc_context_init(&worker->pool.grpc, NULL);
    worker->interned.limit_bytes = settings->plan.interned_bytes;
    worker->drain_due = (struct sl_post){.fn = drain, .arg = worker};
    worker->finish_due = (struct sl_deferred){.fn = finish, .arg = worker};
    worker->loop = sl_loop_new();
    worker->deadline = worker->loop ? sl_timer_new(worker->loop, on_deadline, worker) : NULL;
    worker->grace = worker->loop ? sl_timer_new(worker->loop, on_grace, worker) : NULL;
    worker->calm = worker->loop ? sl_timer_new(worker->loop, on_calm, worker) : NULL;
    worker->govern = worker->loop ? sl_timer_new(worker->loop, on_govern, worker) : NULL;
    if (!worker->deadline || !worker->grace || !worker->calm || !worker->govern ||
        !sl_worker_open_sinks(worker, why) || !make_targets(worker, why)) {
        sl_worker_free(worker);
        return NULL;
    }
    return worker;
}

void sl_worker_open(struct sl_worker *worker, void (*on_done)(void *arg), void *arg)
{
    worker->on_done = on_done;
    worker->arg = arg;
    for (size_t i = 0; i < worker->sink_count; i++) {
        sl_sink_adopt(worker->sinks[i].sink);
    }
    sl_timer_start(worker->calm, CALM_MS);
    sl_timer_start(worker->govern, SL_GOVERNOR_SWEEP_MS);
    for (size_t i = 0; i < worker->target_count; i++) {
        sl_target_open(worker->targets[i].target);
    }
    if (worker->settings->is_finite && worker->target_count == 0) {
        end_by_itself(worker);
    }
}

static void *run(void *arg)
{
    struct sl_worker *worker = arg;

    sl_worker_open(worker, worker->on_done, worker->arg);
    sl_loop_run(worker->loop);
    return NULL;
}

bool sl_worker_start(struct sl_worker *worker, void (*on_done)(void *arg), void *arg)
{
    worker->on_done = on_done;
    worker->arg = arg;
    worker->is_started = pthread_create(&worker->thread, NULL, run, worker) == 0;
    return worker->is_started;
}

void sl_worker_on_over(struct sl_worker *worker, void (*on_over)(void *arg), void *arg)
{
    worker->on_over = on_over;
    worker->over_arg = arg;
}

void sl_worker_drain(struct sl_worker *worker)
{
    sl_loop_post_kept(worker->loop, &worker->drain_due);
}

void sl_worker_join(struct sl_worker *worker)
{
    if (worker->is_started) {
        pthread_join(worker->thread, NULL);
        worker->is_started = false;
        sl_worker_close_sinks(worker); /* what is still out comes back as failed, and is counted */
    }
}

bool sl_worker_has_failed(const struct sl_worker *worker)
{
    return worker->has_failed;
}

struct sl_loop *sl_worker_loop(const struct sl_worker *worker)
{
    return worker->loop;
}

size_t sl_worker_targets(const struct sl_worker *worker)
{
    return worker->target_count;
}

struct sl_target *sl_worker_target(const struct sl_worker *worker, size_t i)
{
    SL_ASSERT(i < worker->target_count);
    return worker->targets[i].target;
}

void sl_worker_free(struct sl_worker *worker)
{
    SL_ASSERT(!worker->is_started);
    sl_worker_drop_change(worker);
    sl_worker_drop_captures(worker);
    sl_worker_close_sinks(worker);
    while (worker->target_count > 0) { /* questions that nobody answered yet find none */
        sl_target_free(worker->targets[--worker->target_count].target);
    }
    sl_timer_free(worker->deadline);
    sl_timer_free(worker->grace);
    sl_timer_free(worker->calm);
    sl_timer_free(worker->govern);
    if (worker->loop) {
        sl_loop_cancel(worker->loop, &worker->finish_due);
        sl_loop_free(worker->loop);
    }
    sl_buf_fini(&worker->pool.scratch);
    sl_buf_fini(&worker->pool.sharing.owners);
    sl_buf_fini(&worker->pool.sharing.part);
    sl_buf_fini(&worker->pool.mended);
    sl_meters_fini(&worker->pool.meters);
    sl_distinct_fini(&worker->pool.distinct);
    sl_grpc_context_fini(&worker->pool.grpc);
    free(worker->targets);
    free(worker->sinks);
    free(worker->places);
    sl_ended_fini(&worker->pool.ended);
    for (size_t i = 0; i < worker->generation_count; i++) {
        sl_settings_release(worker->generations[i]);
    }
    free(worker);
}
