#include "daemon/pulse.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/notify.h"
#include "stream/stream.h"
#include "target/target.h"

struct counts {
    uint64_t targets;
    uint64_t targets_up;
    uint64_t streams;
    uint64_t blocked;
    uint64_t held; /* updates */
};

struct beat {
    struct sl_post question;
    struct sl_worker *worker;
    struct counts counts; /* the worker's while it is asked */
    atomic_bool is_answered;
};

struct sl_pulse {
    struct sl_timer *timer;
    uint64_t turn_ms;
    const atomic_uint *done;
    bool was_silent; /* in the last turn a worker did not answer */
    unsigned count;
    struct beat beats[];
};

/* ---- on a worker's thread ---- */

static void count_stream(const struct sl_stream *stream, struct counts *counts)
{
    struct sl_stream_view view;

    sl_stream_view(stream, &view);
    counts->streams++;
    counts->blocked += view.is_blocked;
    for (size_t i = 0; i < view.route_count; i++) {
        counts->held += view.routes[i].counts.held;
    }
}

static void answer(void *arg)
{
    struct beat *beat = arg;
    struct counts counts = {.targets = sl_worker_targets(beat->worker)};

    for (size_t i = 0; i < counts.targets; i++) {
        const struct sl_target *target = sl_worker_target(beat->worker, i);
        struct sl_target_view view;
        sl_target_view(target, &view);
        counts.targets_up += view.state == SL_TARGET_UP;
        for (size_t j = 0; j < sl_target_streams(target); j++) {
            count_stream(sl_target_stream(target, j), &counts);
        }
    }
    beat->counts = counts;
    atomic_store(&beat->is_answered, true);
}

/* ---- on the loop's ---- */

static void ask(struct sl_pulse *pulse)
{
    for (unsigned i = 0; i < pulse->count; i++) {
        struct beat *beat = &pulse->beats[i];
        if (atomic_exchange(&beat->is_answered, false)) {
            sl_loop_post_kept(sl_worker_loop(beat->worker), &beat->question);
        }
    }
}

/* How many have answered; `first`: one that has not. */
static unsigned answers(const struct sl_pulse *pulse, unsigned *first)
{
    unsigned answered = 0;

    for (unsigned i = pulse->count; i-- > 0;) {
        if (atomic_load(&pulse->beats[i].is_answered)) {
            answered++;
        } else {
            *first = i;
        }
    }
    return answered;
}

static void tell_silence(struct sl_pulse *pulse, unsigned worker)
{
    if (!pulse->was_silent) {
        sl_log(SL_LOG_ERROR, NULL, "a worker does not answer",
               sl_log_text("reason", "worker-silent"), sl_log_u64("worker", worker));
    }
    pulse->was_silent = true;
    sl_notify("STATUS=worker %u does not answer", worker);
}

static void tell_counts(struct sl_pulse *pulse)
{
    struct counts sum = {0};

    for (unsigned i = 0; i < pulse->count; i++) {
        const struct counts *counts = &pulse->beats[i].counts;
        sum.targets += counts->targets;
        sum.targets_up += counts->targets_up;
        sum.streams += counts->streams;
        sum.blocked += counts->blocked;
        sum.held += counts->held;
    }
    pulse->was_silent = false;
    sl_notify("WATCHDOG=1\nSTATUS=%" PRIu64 " of %" PRIu64 " targets up, %" PRIu64
              " streams, %" PRIu64 " blocked, %" PRIu64 " updates held",
              sum.targets_up, sum.targets, sum.streams, sum.blocked, sum.held);
}

static void on_turn(void *arg)
{
    struct sl_pulse *pulse = arg;
    unsigned done = atomic_load(pulse->done);
    unsigned silent = 0;
    unsigned answered = answers(pulse, &silent);

    if (answered + done < pulse->count) {
        tell_silence(pulse, silent);
    } else if (done > 0) {
        sl_notify("WATCHDOG=1"); /* it drains, which the status line says */
    } else {
        tell_counts(pulse);
    }
    ask(pulse);
    sl_timer_start(pulse->timer, pulse->turn_ms);
}

/* ---- life ---- */

bool sl_pulse_is_wanted(void)
{
    return sl_notify_is_heard();
}

struct sl_pulse *sl_pulse_new(struct sl_loop *loop, struct sl_worker *const *workers,
                              unsigned count, const atomic_uint *done)
{
    struct sl_pulse *pulse = calloc(1, sizeof(*pulse) + count * sizeof(struct beat));
    uint64_t watchdog_ms = sl_notify_watchdog_ms();

    if (!pulse) {
        return NULL;
    }
    pulse->timer = sl_timer_new(loop, on_turn, pulse);
    if (!pulse->timer) {
        free(pulse);
        return NULL;
    }
    pulse->turn_ms = SL_PULSE_MS;
    if (watchdog_ms > 0 && watchdog_ms / 3 < SL_PULSE_MS) {
        pulse->turn_ms = sl_max_u64(watchdog_ms / 3, 1);
    }
    pulse->done = done;
    pulse->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct beat *beat = &pulse->beats[i];
        beat->worker = workers[i];
        beat->question = (struct sl_post){.fn = answer, .arg = beat};
        sl_loop_post_kept(sl_worker_loop(beat->worker), &beat->question);
    }
    sl_timer_start(pulse->timer, pulse->turn_ms);
    return pulse;
}

void sl_pulse_stop(struct sl_pulse *pulse)
{
    if (pulse) {
        sl_timer_stop(pulse->timer);
    }
}

void sl_pulse_free(struct sl_pulse *pulse)
{
    if (pulse) {
        sl_timer_free(pulse->timer);
        free(pulse);
    }
}
