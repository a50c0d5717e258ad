#include "world/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "world/book.h"
#include "world/broker.h"
#include "world/caller.h"
#include "world/checks.h"
#include "world/cover.h"
#include "world/device.h"
#include "world/hub.h"

#define SECONDS(n) ((int64_t)(n) * SL_NS_PER_S)

/* A scenario that has not had its events by then has come to nothing. */
#define LONGEST_NS SECONDS(4 * 3600)

enum { MOST_TURN_US = 200, JUMP_S = 3600 };

void run_count(struct run *run)
{
    run->events++;
    if (run->events == run->plan->events) {
        world_stop();
    }
}

void run_fail(struct run *run, const char *format, ...)
{
    va_list args;

    if (!run->has_failed) {
        int len = snprintf(run->failure, sizeof(run->failure),
                           "after %llu events, at %.6f s: ", (unsigned long long)run->events,
                           (double)world_now_ns() / 1e9);
        va_start(args, format);
        vsnprintf(run->failure + len, sizeof(run->failure) - (size_t)len, format, args);
        va_end(args);
        run->kind = format;
    }
    run->has_failed = true;
    world_stop();
}

/* ---- what goes wrong ---- */

struct script {
    struct run *run;
    struct due {
        struct script *script;
        const struct plan_fault *fault;
        struct sl_timer *timer;
        bool has_begun; /* and lasts */
    } dues[PLAN_FAULTS];
};

static bool is_of_sink(enum plan_fault_kind kind)
{
    return kind >= FAULT_PARTITION_STALL && kind <= FAULT_SLOW_SINK;
}

static bool is_of_stream(enum plan_fault_kind kind)
{
    return kind == FAULT_SILENT_DEVICE || kind == FAULT_RESET_STREAM || kind == FAULT_STATUS ||
           kind == FAULT_HALF_MESSAGE || kind == FAULT_UNDECODABLE;
}

static void touch(struct run *run, const struct plan_fault *fault, int by)
{
    if (is_of_sink(fault->kind)) {
        checks_touch(run->checks, PLAN_DEVICES, PLAN_STREAMS, fault->sink, by);
    } else if (is_of_stream(fault->kind)) {
        checks_touch(run->checks, fault->device, fault->stream, PLAN_SINKS, by);
    } else if (fault->kind != FAULT_CLOCK && fault->kind != FAULT_BUDGET) {
        checks_touch(run->checks, fault->device, PLAN_STREAMS, PLAN_SINKS, by);
    }
}

static bool jump(const struct plan_fault *fault)
{
    int64_t by_ns = (int64_t)(fault->amount % (uint64_t)SECONDS(2 * JUMP_S)) - SECONDS(JUMP_S);

    world_jump_wall(by_ns);
    return true;
}

static bool end_target(struct run *run, const struct plan_fault *fault)
{
    bool is_ended = fault->amount % 2 == 0 &&
                    hub_end_target(run->hub, fault->device, fault->kind == FAULT_ABORT);

    if (is_ended) {
        checks_forget(run->checks, fault->device);
    }
    return is_ended;
}

/* Whether it could happen. */
static bool begin(struct run *run, const struct plan_fault *fault)
{
    switch ((int)fault->kind) {
    case FAULT_CLOCK:
        return jump(fault);
    case FAULT_BUDGET:
        hub_set_budget(run->hub, fault->amount);
        return true;
    case FAULT_CLOSE:
    case FAULT_ABORT:
        return end_target(run, fault);
    default:
        break;
    }
    if (is_of_sink(fault->kind)) {
        return run->brokers[fault->sink] && broker_fault(run->brokers[fault->sink], fault);
    }
    return run->devices[fault->device] && device_fault(run->devices[fault->device], fault);
}

static void heal(struct run *run, const struct plan_fault *fault)
{
    if (fault->kind >= FAULT_BUDGET) {
        if (fault->kind == FAULT_BUDGET) {
            hub_set_budget(run->hub, UINT64_MAX);
        }
        return;
    }
    if (is_of_sink(fault->kind)) {
        broker_heal(run->brokers[fault->sink], fault);
    } else {
        device_heal(run->devices[fault->device], fault);
    }
}

/* A device or sink that the plan does not have cannot go wrong. */
static bool has_place(const struct run *run, const struct plan_fault *fault)
{
    if (fault->kind == FAULT_BUDGET || fault->kind == FAULT_CLOCK) {
        return true;
    }
    return is_of_sink(fault->kind) ? run->brokers[fault->sink] != NULL
                                   : run->devices[fault->device] != NULL;
}

/* Of these the effect is counted where it shows. */
static bool shows_later(enum plan_fault_kind kind)
{
    return kind == FAULT_REFUSE_CALLS || kind == FAULT_NO_CAPABILITIES || kind == FAULT_NO_SETTINGS;
}

static void log_due(const struct due *due, const char *what)
{
    const struct plan_fault *fault = due->fault;

    sl_log(SL_LOG_INFO, NULL, what, sl_log_text("kind", plan_fault_name(fault->kind)),
           sl_log_u64("number", (uint64_t)(fault - due->script->run->plan->faults)),
           sl_log_u64("device", fault->device), sl_log_u64("stream", fault->stream),
           sl_log_u64("sink", fault->sink), sl_log_u64("partition", fault->partition));
}

static void end_due(struct due *due)
{
    log_due(due, "fault ends");
    due->has_begun = false;
    heal(due->script->run, due->fault);
    touch(due->script->run, due->fault, -1);
}

static void on_due(void *arg)
{
    struct due *due = arg;
    struct run *run = due->script->run;

    if (due->has_begun) {
        end_due(due);
        return;
    }
    if (!has_place(run, due->fault)) {
        return;
    }
    due->has_begun = true;
    touch(run, due->fault, 1);
    bool has_happened = begin(run, due->fault);
    log_due(due, has_happened ? "fault" : "fault that cannot happen");
    if (has_happened) {
        run->cover->fault_count++;
        run_count(run);
        if (!shows_later(due->fault->kind)) {
            cover_fault(run->cover, due->fault->kind);
        }
    }
    sl_timer_start(due->timer, (uint64_t)(due->fault->lasts_ns / SL_NS_PER_MS));
}

static void script_begin(struct script *script, struct run *run)
{
    *script = (struct script){.run = run};
    for (unsigned i = 0; i < PLAN_FAULTS; i++) {
        struct due *due = &script->dues[i];
        *due = (struct due){.script = script, .fault = &run->plan->faults[i]};
        due->timer = sl_timer_new(run->loop, on_due, due);
        SL_ASSERT(due->timer);
        if (due->fault->is_there) {
            sl_timer_start(due->timer, (uint64_t)(due->fault->at_ns / SL_NS_PER_MS));
        }
    }
}

/* Nothing goes wrong any more. */
static void script_end(struct script *script)
{
    for (unsigned i = 0; i < PLAN_FAULTS; i++) {
        struct due *due = &script->dues[i];
        sl_timer_stop(due->timer);
        if (due->has_begun) {
            end_due(due);
        }
    }
}

static void script_fini(struct script *script)
{
    for (unsigned i = 0; i < PLAN_FAULTS; i++) {
        sl_timer_free(script->dues[i].timer);
    }
}

/* ---- its parts ---- */

static void after_event(void *arg)
{
    struct run *run = arg;

    checks_after_event(run->checks);
}

static void after_turn(struct sl_loop *loop, void *arg)
{
    struct run *run = arg;

    (void)loop;
    checks_after_turn(run->checks);
}

static void open_parts(struct run *run)
{
    run->loop = sl_loop_new();
    SL_ASSERT(run->loop);
    run->book = book_new(run);
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (run->plan->devices[i].is_there) {
            run->devices[i] = device_open(run, i);
        }
    }
    broker_run = run;
    run->hub = hub_new(run);
    run->checks = checks_new(run);
    run->callers = callers_open(run);
}

static void close_parts(struct run *run)
{
    int64_t until_ns = world_now_ns() + SECONDS(120);

    callers_close(run->callers);
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (run->devices[i]) {
            device_close(run->devices[i]);
        }
    }
    while ((world_connections() > 0 || !callers_are_closed(run->callers)) &&
           world_now_ns() < until_ns) {
        world_run_until(world_now_ns() + SECONDS(1));
    }
    if (world_connections() > 0 || !callers_are_closed(run->callers)) {
        run_fail(run, "%zu connections, or a channel, are left", world_connections());
    }
}

static void free_parts(struct run *run)
{
    callers_free(run->callers);
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (run->devices[i]) {
            device_free(run->devices[i]);
        }
    }
    checks_free(run->checks);
    book_free(run->book);
    sl_loop_free(run->loop);
}

/* ---- its course ---- */

/* Runs until `is_over` says so, or something is broken, at most so long. False: it is not over. */
static bool go_on(struct run *run, int64_t most_ns, bool (*is_over)(const struct run *run))
{
    int64_t until_ns = world_now_ns() + most_ns;

    while (!run->has_failed && !is_over(run) && world_now_ns() < until_ns) {
        int64_t step_ns = world_now_ns() + SL_NS_PER_S / 10;
        world_run_until(step_ns < until_ns ? step_ns : until_ns);
    }
    return is_over(run);
}

static bool has_its_events(const struct run *run)
{
    return run->events >= run->plan->events;
}

static bool has_recovered(const struct run *run)
{
    return checks_all_went_on(run->checks, run->calm_ns);
}

static bool is_at_rest(const struct run *run)
{
    return checks_are_still(run->checks);
}

static bool has_drained(const struct run *run)
{
    return hub_is_done(run->hub);
}

static bool never(const struct run *run)
{
    (void)run;
    return false;
}

/* Everything is well again: every stream goes on; and when devices fall silent all comes to rest.
 */
static void calm_down(struct run *run, struct script *script)
{
    script_end(script);
    run->is_calm = true;
    run->calm_ns = world_now_ns();
    if (!go_on(run, SECONDS(600), has_recovered)) {
        run_fail(run, "nothing goes wrong any more, and a stream does not go on");
    }
    run->is_still = true;
    if (!go_on(run, SECONDS(600), is_at_rest)) {
        run_fail(run, "devices are silent and brokers well, and something is held for ever");
    }
    (void)go_on(run, SECONDS(3), never); /* what is still under way arrives */
    if (!run->has_failed) {
        checks_at_rest(run->checks);
        run->cover->calm++;
    }
}

/* The end comes at any time, also when everybody has just been reset and waits or, far away, dials,
 * and brokers say nothing for a while. */
static const struct plan_fault last_faults[] = {
    {.kind = FAULT_SILENT_SINK}, {.kind = FAULT_LATENCY, .amount = 300}, {.kind = FAULT_RAGGED}};

static void break_all(struct run *run, const struct plan_fault *of_devices)
{
    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        if (run->brokers[i]) {
            (void)broker_fault(run->brokers[i], &last_faults[0]);
        }
    }
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (run->devices[i]) {
            (void)device_fault(run->devices[i], of_devices);
            device_reset(run->devices[i]);
        }
    }
}

static void mend_brokers(struct run *run)
{
    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        if (run->brokers[i]) {
            broker_heal(run->brokers[i], &last_faults[0]);
        }
    }
}

static void mend_devices(struct run *run, const struct plan_fault *of_devices)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (run->devices[i]) {
            device_heal(run->devices[i], of_devices);
        }
    }
}

/* False: it does not end. */
static bool drain(struct run *run)
{
    struct world_random random;

    world_random_init(&random, run->plan->seed, "the end");
    bool is_broken = world_random_chance(&random, 750);
    const struct plan_fault *of_devices =
        &last_faults[world_random_between(&random, 1, SL_ARRAY_LEN(last_faults) - 1)];
    uint64_t wait_ms =
        world_random_between(&random, 1, of_devices->kind == FAULT_RAGGED ? 100 : 1500);

    run->is_still = true;
    if (is_broken) {
        break_all(run, of_devices);
        (void)go_on(run, (int64_t)wait_ms * SL_NS_PER_MS, never);
    }
    hub_drain(run->hub);
    if (is_broken) {
        (void)go_on(run, SECONDS(1), has_drained);
        mend_devices(run, of_devices);
        (void)go_on(run, SECONDS(1), has_drained);
        mend_brokers(run);
    }
    return go_on(run, SECONDS(7200), has_drained);
}

static void live(struct run *run, struct script *script)
{
    bool is_late = run->plan->end == PLAN_END_ABORT;

    if (!go_on(run, LONGEST_NS, has_its_events) && !run->has_failed) {
        run_fail(run, "too little happens: %llu events", (unsigned long long)run->events);
    }
    if (run->plan->end == PLAN_END_QUIET && !run->has_failed) {
        calm_down(run, script);
    }
    if (!run->has_failed && !drain(run)) {
        run_fail(run, "the drain does not end");
    }
    if (!run->has_failed) {
        checks_at_end(run->checks, is_late);
    }
}

bool run_plan(struct run *run, const struct plan *plan, struct cover *cover)
{
    struct script script;

    *run = (struct run){.plan = plan, .cover = cover};
    world_begin(plan->seed);
    world_set_turn_ns(MOST_TURN_US * SL_NS_PER_US);
    cover_watch(cover);
    open_parts(run);
    if (run->has_failed) {
        return false;
    }
    script_begin(&script, run);
    world_after_event(after_event, run);
    world_after_turn(after_turn, run);
    hub_open(run->hub);
    callers_begin(run->callers);
    live(run, &script);
    cover->virtual_ms += (uint64_t)(world_now_ns() / SL_NS_PER_MS);
    cover->seeds++;
    run->trace = world_trace();
    if (run->has_failed) {
        return false; /* the process ends */
    }
    script_end(&script);
    script_fini(&script);
    world_after_event(NULL, NULL);
    world_after_turn(NULL, NULL);
    close_parts(run);
    if (run->has_failed) {
        return false;
    }
    hub_free(run->hub);
    free_parts(run);
    world_end();
    return true;
}
