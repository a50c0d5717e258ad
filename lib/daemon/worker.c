#include "daemon/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "credit/budget.h"
#include "daemon/workplace.h"
#include "loop/loop.h"
#include "normalise/encoder.h"
#include "sink/sink.h"
#include "target/target.h"

enum { CALM_MS = 4000, GRACE_MS = 250 };

struct sl_worker {
    const struct sl_settings *settings;
    unsigned index;
    struct sl_loop *loop;
    pthread_t thread;
    bool is_started;
    struct sl_stream_pool pool;
    struct sl_h2_limits limits; /* of the connections to devices */
    struct sl_encoder_memory interned;
    struct sl_sink **sinks; /* as settings->sinks; NULL once closed */
    struct sl_target **targets;
    size_t target_count;
    size_t open_targets;
    size_t *first_ready;       /* by sink: the stream that is offered its room first */
    struct sl_post drain_due;  /* sl_worker_drain was called */
    struct sl_timer *deadline; /* of the drain */
    struct sl_timer *grace;  /* what sinks that are not required have left, once all else is done */
    struct sl_timer *govern; /* sweeps the streams' shares of the memory, again and again */
    struct sl_timer *calm;   /* looks whether anything is held, again and again */
    unsigned calm_looks;     /* in a row that saw nothing held */
    struct sl_deferred finish_due;
    bool is_draining;
    bool is_over;    /* drained: what is posted comes too late */
    bool has_failed; /* a replay's file was damaged, or a required sink is over */
    bool is_late;    /* the deadline passed: nobody waits for what is held */
    bool is_graced;  /* nobody waits for sinks that are not required */
    void (*on_done)(void *arg);
    void *arg;
    void (*on_over)(void *arg);
    void *over_arg;
};

/* ---- the end ---- */

/* Records with sinks that are waited for. */
static uint64_t in_flight(const struct sl_worker *worker)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        const struct sl_sink *sink = worker->sinks[i];
        sum += sink && sl_sink_spec(sink)->is_required ? sl_sink_in_flight(sink) : 0;
    }
    return sum;
}

static void close_sinks(struct sl_worker *worker)
{
    for (size_t i = 0; worker->sinks && i < worker->settings->sink_count; i++) {
        if (worker->sinks[i]) {
            struct sl_sink *sink = worker->sinks[i];
            sl_sink_close(sink);
            worker->sinks[i] = NULL;
        }
    }
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
    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        const struct sl_sink *sink = worker->sinks[i];
        if (sink && !sl_sink_spec(sink)->is_required && sl_sink_is_taking(sink) &&
            sl_sink_in_flight(sink) > 0) {
            return true;
        }
    }
    return false;
}

static void finish_if_drained(struct sl_worker *worker)
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
    finish_if_drained(worker);
}

/* All replays are over. What is held is waited for, however long that takes. */
static void end_by_itself(struct sl_worker *worker)
{
    worker->is_draining = true;
    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        sl_sink_flush(worker->sinks[i]);
    }
    finish_if_drained(worker);
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
        finish_if_drained(worker);
    }
}

static void on_deadline(void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(SL_LOG_WARN, NULL, "shutdown-timeout: giving up what is held",
           sl_log_u64("worker", worker->index), sl_log_u64("records", in_flight(worker)));
    worker->is_late = true;
    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        sl_sink_tell_out(worker->sinks[i]);
    }
    for (size_t i = 0; i < worker->target_count; i++) {
        sl_target_abort(worker->targets[i]);
    }
    finish_if_drained(worker);
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
        sl_target_close(worker->targets[i]);
    }
    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        sl_sink_flush(worker->sinks[i]);
    }
    finish_if_drained(worker);
}

/* ---- sinks ---- */

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
{
    struct sl_worker *worker = arg;

    sl_stream_acknowledge(token, result);
    if (worker->is_draining) {
        finish_if_drained(worker);
    }
}

/* Streams are numbered over all targets: from `begin` on, below `end`. How many there are. */
static size_t for_streams(struct sl_worker *worker, size_t begin, size_t end,
                          void (*fn)(struct sl_stream *stream))
{
    size_t number = 0;

    for (size_t i = 0; i < worker->target_count; i++) {
        for (size_t j = 0; j < sl_target_streams(worker->targets[i]); j++, number++) {
            if (number >= begin && number < end) {
                fn(sl_target_stream(worker->targets[i], j));
            }
        }
    }
    return number;
}

static size_t number_of(const struct sl_worker *worker, const struct sl_sink *sink)
{
    size_t number = 0;

    while (number < worker->settings->sink_count && worker->sinks[number] != sink) {
        number++;
    }
    return number;
}

/* A sink has less room than all streams could fill: each time another one is the first, so that it
 * is not always the same that get some. Each sink counts for itself: of two that are ready by turns
 * one would else begin with every other stream alone. */
static void on_sink_ready(struct sl_sink *sink, void *arg)
{
    struct sl_worker *worker = arg;
    size_t number = number_of(worker, sink);

    if (number == worker->settings->sink_count) {
        return; /* it is being opened: there are no streams yet */
    }
    size_t first = worker->first_ready[number];
    size_t count = for_streams(worker, first, SIZE_MAX, sl_stream_sink_ready);
    (void)for_streams(worker, 0, first, sl_stream_sink_ready);
    worker->first_ready[number] = first + 1 < count ? first + 1 : 0;
}

static void on_sink_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(is_taking ? SL_LOG_INFO : SL_LOG_WARN, sl_sink_subject(sink),
           is_taking ? "sink takes records" : "sink takes no records",
           sl_log_text("why", sl_sink_reason(sink)));
    (void)for_streams(worker, 0, SIZE_MAX, sl_stream_sinks_changed);
}

static void on_sink_over(struct sl_sink *sink, void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(SL_LOG_ERROR, sl_sink_subject(sink), "sink is over",
           sl_log_text("why", sl_sink_reason(sink)));
    if (sl_sink_spec(sink)->is_required) {
        worker->has_failed = true;
        if (worker->on_over) {
            worker->on_over(worker->over_arg);
        }
    }
}

static const struct sl_sink_events sink_events = {
    .on_ack = on_ack,
    .on_ready = on_sink_ready,
    .on_taking = on_sink_taking,
    .on_over = on_sink_over,
};

static bool open_sinks(struct sl_worker *worker, struct sl_status *why)
{
    const struct sl_settings *settings = worker->settings;

    worker->sinks = calloc(settings->sink_count, sizeof(struct sl_sink *));
    worker->first_ready = calloc(settings->sink_count, sizeof(*worker->first_ready));
    if (!worker->sinks || !worker->first_ready) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < settings->sink_count; i++) {
        worker->sinks[i] =
            sl_sink_open(worker->loop, &settings->sinks[i].spec, settings->collector.name,
                         worker->index, &sink_events, worker, why);
        if (!worker->sinks[i]) {
            return false;
        }
    }
    return true;
}

/* ---- targets ---- */

static bool make_targets(struct sl_worker *worker, struct sl_status *why)
{
    const struct sl_settings *settings = worker->settings;
    const struct sl_workplace place = {
        .settings = settings,
        .loop = worker->loop,
        .sinks = worker->sinks,
        .pool = &worker->pool,
        .limits = &worker->limits,
        .interned = &worker->interned,
        .on_closed = on_target_closed,
        .arg = worker,
    };

    worker->targets = calloc(settings->target_count + 1, sizeof(struct sl_target *));
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
        worker->targets[worker->target_count++] = target;
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
    sl_timer_start(worker->govern, SL_GOVERNOR_SWEEP_MS);
}

struct sl_worker *sl_worker_new(const struct sl_settings *settings, unsigned index,
                                struct sl_status *why)
{
    struct sl_worker *worker = calloc(1, sizeof(*worker));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (!worker) {
        return NULL;
    }
    worker->settings = settings;
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
        !open_sinks(worker, why) || !make_targets(worker, why)) {
        sl_worker_free(worker);
        return NULL;
    }
    return worker;
}

void sl_worker_open(struct sl_worker *worker, void (*on_done)(void *arg), void *arg)
{
    worker->on_done = on_done;
    worker->arg = arg;
    for (size_t i = 0; i < worker->settings->sink_count; i++) {
        sl_sink_adopt(worker->sinks[i]);
    }
    sl_timer_start(worker->calm, CALM_MS);
    sl_timer_start(worker->govern, SL_GOVERNOR_SWEEP_MS);
    for (size_t i = 0; i < worker->target_count; i++) {
        sl_target_open(worker->targets[i]);
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
        close_sinks(worker); /* what is still out comes back as failed, and is counted */
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
    return worker->targets[i];
}

void sl_worker_free(struct sl_worker *worker)
{
    SL_ASSERT(!worker->is_started);
    close_sinks(worker);
    while (worker->target_count > 0) { /* questions that nobody answered yet find none */
        sl_target_free(worker->targets[--worker->target_count]);
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
    free(worker->first_ready);
    free(worker);
}

/* ---- snapshots ---- */

static bool copy_streams(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    size_t count = 0;

    for (size_t i = 0; i < worker->target_count; i++) {
        count += sl_target_streams(worker->targets[i]);
    }
    snapshot->streams = sl_snapshot_alloc(snapshot, count, sizeof(*snapshot->streams));
    for (size_t i = 0; snapshot->streams && i < worker->target_count; i++) {
        const struct sl_target *target = worker->targets[i];
        for (size_t j = 0; j < sl_target_streams(target); j++) {
            struct sl_stream_row *row = &snapshot->streams[snapshot->stream_count++];
            if (!sl_stream_row_init(row, snapshot, sl_target_stream(target, j), target)) {
                return false;
            }
        }
    }
    return snapshot->streams != NULL;
}

static bool copy_sinks(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    snapshot->sinks =
        sl_snapshot_alloc(snapshot, worker->settings->sink_count, sizeof(*snapshot->sinks));
    for (size_t i = 0; snapshot->sinks && i < worker->settings->sink_count; i++) {
        struct sl_sink *sink = worker->sinks[i];
        if (!sink) {
            continue;
        }
        struct sl_sink_row *row = &snapshot->sinks[snapshot->sink_count++];
        row->spec = sl_sink_spec(sink);
        row->in_flight = sl_sink_in_flight(sink);
        row->overdue = sl_sink_overdue(sink);
        row->oldest_ns = sl_sink_oldest_ns(sink);
        row->full_ns = sl_sink_full_ns(sink);
        for (int bug = 0; bug < SL_BUGS; bug++) {
            row->bugs[bug] = sl_sink_bugs(sink, (enum sl_sink_bug)bug);
        }
        row->is_taking = sl_sink_is_taking(sink);
        row->latency = *sl_sink_latency(sink);
        row->reason = sl_snapshot_text(snapshot, sl_sink_reason(sink));
        if (!row->reason) {
            return false;
        }
        sl_sink_stats(sink, &row->stats);
    }
    return snapshot->sinks != NULL;
}

bool sl_worker_snapshot(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    *snapshot = (struct sl_snapshot){
        .worker = worker->index,
        .part_bytes = worker->pool.plan.part_bytes,
        .promised_bytes = worker->pool.governor.promised_bytes,
        .held_bytes = worker->pool.governor.held_bytes,
        .interned_bytes = worker->interned.used_bytes,
    };
    return copy_streams(worker, snapshot) && copy_sinks(worker, snapshot) &&
           sl_meter_rows_init(snapshot, &worker->pool.meters);
}
