/* worker_sinks.c - a worker's sinks, and what they tell its streams. */
#include <stdlib.h>

#include "base/log.h"
#include "daemon/worker_internal.h"

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
{
    struct sl_worker *worker = arg;

    sl_stream_acknowledge(token, result);
    if (worker->is_draining) {
        sl_worker_finish_if_drained(worker);
    }
}

/* Streams are numbered over all targets: from `begin` on, below `end`. How many there are. */
static size_t for_streams(struct sl_worker *worker, size_t begin, size_t end,
                          void (*fn)(struct sl_stream *stream))
{
    size_t number = 0;

    for (size_t i = 0; i < worker->target_count; i++) {
        for (size_t j = 0; j < sl_target_streams(worker->targets[i].target); j++, number++) {
            if (number >= begin && number < end) {
                fn(sl_target_stream(worker->targets[i].target, j));
            }
        }
    }
    return number;
}

/* NULL while it is being opened: then nobody has anything for it yet. */
static struct sl_worker_sink *find_sink(struct sl_worker *worker, const struct sl_sink *sink)
{
    for (size_t i = 0; i < worker->sink_count; i++) {
        if (worker->sinks[i].sink == sink) {
            return &worker->sinks[i];
        }
    }
    return NULL;
}

/* A sink has less room than all streams could fill: each time another one is the first, so that it
 * is not always the same that get some. Each sink counts for itself: of two that are ready by turns
 * one would else begin with every other stream alone. */
static void on_sink_ready(struct sl_sink *sink, void *arg)
{
    struct sl_worker *worker = arg;
    struct sl_worker_sink *found = find_sink(worker, sink);

    if (!found) {
        return;
    }
    size_t first = found->first_ready;
    size_t count = for_streams(worker, first, SIZE_MAX, sl_stream_sink_ready);
    (void)for_streams(worker, 0, first, sl_stream_sink_ready);
    found->first_ready = first + 1 < count ? first + 1 : 0;
}

static void on_sink_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(is_taking ? SL_LOG_INFO : SL_LOG_WARN, sl_sink_subject(sink),
           is_taking ? "sink takes records" : "sink takes no records",
           sl_log_text("reason", is_taking ? "sink-up" : "sink-down"),
           sl_log_text("why", sl_sink_reason(sink)));
    (void)for_streams(worker, 0, SIZE_MAX, sl_stream_sinks_changed);
}

static void on_sink_over(struct sl_sink *sink, void *arg)
{
    struct sl_worker *worker = arg;

    sl_log(SL_LOG_ERROR, sl_sink_subject(sink), "sink is over", sl_log_text("reason", "sink-over"),
           sl_log_text("why", sl_sink_reason(sink)));
    const struct sl_worker_sink *found = find_sink(worker, sink);

    if (sl_sink_spec(sink)->is_required && found && !found->is_retired) {
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

struct sl_sink *sl_worker_open_sink(struct sl_worker *worker, const struct sl_sink_settings *sink,
                                    struct sl_status *why)
{
    return sl_sink_open(worker->loop, &sink->spec, worker->settings->collector.name, worker->index,
                        &sink_events, worker, why);
}

bool sl_worker_open_sinks(struct sl_worker *worker, struct sl_status *why)
{
    const struct sl_settings *settings = worker->settings;

    worker->sinks = calloc(settings->sink_count, sizeof(*worker->sinks));
    worker->places = calloc(settings->sink_count, sizeof(struct sl_sink *));
    if (!worker->sinks || !worker->places) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < settings->sink_count; i++) {
        struct sl_sink *sink = sl_worker_open_sink(worker, &settings->sinks[i], why);
        if (!sink) {
            return false;
        }
        worker->places[i] = sink;
        worker->sinks[worker->sink_count++] =
            (struct sl_worker_sink){.sink = sink, .generation = settings->generation};
    }
    return true;
}

void sl_worker_close_sinks(struct sl_worker *worker)
{
    for (size_t i = 0; i < worker->sink_count; i++) {
        struct sl_sink *sink = worker->sinks[i].sink;
        if (sink) {
            sl_sink_close(sink);
            worker->sinks[i].sink = NULL;
        }
    }
}

static bool uses(const struct sl_worker *worker, const struct sl_sink *sink)
{
    for (size_t i = 0; i < worker->target_count; i++) {
        const struct sl_target *target = worker->targets[i].target;
        for (size_t j = 0; j < sl_target_streams(target); j++) {
            struct sl_stream_view view;
            sl_stream_view(sl_target_stream(target, j), &view);
            for (size_t k = 0; k < view.route_count; k++) {
                if (view.routes[k].sink == sink) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* One that nobody brings anything new is waited for as long as the end of the collector would be:
 * then what it has not acknowledged is lost as if it had started anew, counted and marked by gaps,
 * and the streams go on with its successor. One that gets through, however slowly, is not stuck. */
static void give_up_stuck(struct sl_worker *worker, const struct sl_worker_sink *found)
{
    int64_t limit_ns = worker->settings->collector.shutdown_timeout_ns;
    int64_t retired_ns = sl_loop_now_ns(worker->loop) - found->retired_ns;
    int64_t oldest_ns = sl_sink_oldest_ns(found->sink);
    int64_t full_ns = sl_sink_full_ns(found->sink);
    bool is_stuck = (oldest_ns && oldest_ns >= limit_ns) || (full_ns && full_ns >= limit_ns);

    if (found->is_retired && retired_ns >= limit_ns && is_stuck &&
        !sl_sink_is_given_up(found->sink)) {
        sl_log(SL_LOG_WARN, sl_sink_subject(found->sink),
               "shutdown-timeout: a sink that is configured no more is given up",
               sl_log_text("reason", "sink-restart"),
               sl_log_u64("records", sl_sink_in_flight(found->sink)));
        sl_sink_give_up(found->sink);
    }
}

bool sl_worker_close_retired(struct sl_worker *worker)
{
    size_t kept = 0;
    bool is_over = true;

    for (size_t i = 0; i < worker->sink_count; i++) {
        struct sl_worker_sink *found = &worker->sinks[i];
        give_up_stuck(worker, found);
        if (found->is_retired && sl_sink_in_flight(found->sink) == 0 &&
            !uses(worker, found->sink)) {
            sl_log(SL_LOG_INFO, sl_sink_subject(found->sink), "closed: it is empty",
                   sl_log_text("reason", "configuration"));
            sl_sink_close(found->sink);
            continue;
        }
        is_over = is_over && !found->is_retired;
        worker->sinks[kept++] = *found;
    }
    worker->sink_count = kept;
    return is_over;
}
