/* worker_change.c - a worker goes over to other settings: everything that can fail is made first,
 * and dropped when it fails anywhere; then nothing can but for want of memory, and then the target
 * that it is for stays as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/worker_internal.h"

/* ---- prepare ---- */

static int compare_targets(const void *a, const void *b)
{
    const struct sl_worker_target *one = *(struct sl_worker_target *const *)a;
    const struct sl_worker_target *other = *(struct sl_worker_target *const *)b;

    return strcmp(one->settings->name, other->settings->name);
}

/* Room for all that there may be; the targets that are there by their names. */
static bool reserve(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_settings *to = change->difference->to;
    size_t targets = worker->target_count + change->difference->target_count + 1;
    size_t sinks = worker->sink_count + to->sink_count;
    struct sl_worker_target *rows = realloc(worker->targets, targets * sizeof(*rows));

    worker->targets = rows ? rows : worker->targets;
    struct sl_worker_sink *instances = realloc(worker->sinks, sinks * sizeof(*instances));
    worker->sinks = instances ? instances : worker->sinks;
    change->places = calloc(to->sink_count, sizeof(struct sl_sink *));
    change->made = calloc(change->difference->target_count + 1, sizeof(struct sl_target *));
    change->names = calloc(worker->target_count + 1, sizeof(*change->names));
    for (size_t i = 0; rows && change->names && i < worker->target_count; i++) {
        if (!rows[i].is_going) {
            change->names[change->name_count++] = &rows[i];
        }
    }
    if (change->name_count) {
        qsort(change->names, change->name_count, sizeof(*change->names), compare_targets);
    }
    return rows && instances && change->places && change->made && change->names;
}

/* The running instance of a sink that goes on. */
static struct sl_sink *running(const struct sl_worker *worker, const struct sl_sink_settings *from)
{
    return worker->places[from - worker->change.difference->from->sinks];
}

static bool open_sinks(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_settings *to = change->difference->to;

    for (size_t i = 0; i < to->sink_count; i++) {
        const struct sl_sink_difference *sink = &change->difference->sinks[i];
        struct sl_status why;
        change->places[i] = sink->is_new ? sl_worker_open_sink(worker, sink->to, &why)
                                         : running(worker, sink->from);
        if (!change->places[i]) {
            change->why = sl_status_error(why.code, "sink '%s': %s", sink->to->spec.name, why.text);
            return false;
        }
    }
    return true;
}

static bool make_targets(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_difference *difference = change->difference;
    const struct sl_workplace place = sl_worker_place(worker, difference->to, change->places);

    for (size_t i = 0; i < difference->to->target_count; i++) {
        const struct sl_target_difference *target = &difference->targets[i];
        struct sl_status why;
        if (target->to->worker != worker->index || (target->from && !target->is_replaced)) {
            continue;
        }
        change->made[i] = sl_workplace_target(&place, target->to, &why);
        if (!change->made[i]) {
            change->why = sl_status_error(why.code, "target '%s': %s", target->to->name, why.text);
            return false;
        }
    }
    return true;
}

static void prepare(void *arg)
{
    struct sl_worker *worker = arg;
    struct sl_worker_change *change = &worker->change;

    sl_worker_settle(worker);
    change->why = sl_status_out_of_memory();
    if (worker->is_draining) {
        change->why = sl_status_error(SL_UNAVAILABLE, "the collector is about to end");
    } else if (worker->generation_count == SL_WORKER_GENERATIONS) {
        change->why = sl_status_error(SL_RESOURCE_EXHAUSTED,
                                      "%d earlier configurations are still in use, by streams that "
                                      "wait for their sinks",
                                      SL_WORKER_GENERATIONS);
    } else {
        change->is_prepared = reserve(worker) && open_sinks(worker) && make_targets(worker);
    }
    change->on_step(change->arg);
}

/* ---- drop ---- */

void sl_worker_drop_change(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_difference *difference = change->difference;

    for (size_t i = 0; change->made && i < difference->to->target_count; i++) {
        if (change->made[i]) {
            sl_target_free(change->made[i]);
        }
    }
    for (size_t i = 0; change->places && i < difference->to->sink_count; i++) {
        if (change->places[i] && difference->sinks[i].is_new) {
            sl_sink_close(change->places[i]);
        }
    }
    free(change->made);
    free(change->places);
    free(change->names);
    sl_worker_change_init(worker);
}

/* ---- commit ---- */

static struct sl_worker_target *find_target(const struct sl_worker_change *change, const char *name)
{
    const struct sl_target_settings settings = {.name = name};
    const struct sl_worker_target wanted = {.settings = &settings};
    const struct sl_worker_target *key = &wanted;
    struct sl_worker_target **found = change->name_count
                                          ? bsearch(&key, change->names, change->name_count,
                                                    sizeof(*change->names), compare_targets)
                                          : NULL;

    return found ? *found : NULL;
}

static void take_sinks(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_difference *difference = change->difference;
    size_t old_count = worker->sink_count;

    for (size_t i = 0; i < old_count; i++) {
        worker->sinks[i].is_retired = true;
    }
    for (size_t i = 0; i < difference->to->sink_count; i++) {
        size_t at = 0;
        while (at < old_count && worker->sinks[at].sink != change->places[i]) {
            at++;
        }
        if (at < old_count) {
            worker->sinks[at].is_retired = false;
        } else {
            worker->sinks[worker->sink_count++] = (struct sl_worker_sink){
                .sink = change->places[i], .generation = difference->to->generation};
        }
    }
    for (size_t i = 0; i < old_count; i++) {
        if (worker->sinks[i].is_retired && !worker->sinks[i].retired_ns) {
            worker->sinks[i].retired_ns = sl_loop_now_ns(worker->loop);
            sl_sink_flush(worker->sinks[i].sink);
        }
    }
    free(worker->places);
    worker->places = change->places;
    change->places = NULL;
}

static void say(const struct sl_worker_target *target, const char *what)
{
    sl_log(SL_LOG_INFO, NULL, what, sl_log_text("target", target->settings->name),
           sl_log_text("reason", "configuration"), sl_log_u64("generation", target->newest));
}

static void remove_target(struct sl_worker_target *target)
{
    say(target, "target removed");
    target->is_going = true;
    sl_target_close(target->target);
}

static void add_target(struct sl_worker *worker, size_t i)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_settings *to = change->difference->to;
    struct sl_worker_target *target = &worker->targets[worker->target_count++];

    *target = (struct sl_worker_target){.target = change->made[i],
                                        .settings = &to->targets[i],
                                        .oldest = to->generation,
                                        .newest = to->generation};
    change->made[i] = NULL;
    worker->open_targets++;
    say(target, "target added");
    sl_target_open(target->target);
}

static void change_target(struct sl_worker *worker, const struct sl_target_difference *to,
                          struct sl_worker_target *target)
{
    const struct sl_difference *difference = worker->change.difference;
    const struct sl_workplace place = sl_worker_place(worker, difference->to, worker->places);
    bool *is_anew = calloc(to->to->stream_count + 1, sizeof(*is_anew));
    struct sl_status why = sl_status_out_of_memory();

    for (size_t i = 0; is_anew && i < to->to->stream_count; i++) {
        is_anew[i] = sl_difference_is_anew(difference, to, &to->to->streams[i]);
    }
    bool is_changed =
        is_anew && sl_workplace_change(&place, target->target, to->to, is_anew, to->redials, &why);
    free(is_anew);
    if (!is_changed) {
        sl_log(SL_LOG_ERROR, NULL, "target stays as it was", sl_log_text("target", to->to->name),
               sl_log_text("reason", sl_status_reason(&why)), sl_log_text("why", why.text));
        return;
    }
    target->settings = to->to;
    target->newest = difference->to->generation;
    if (to->is_changed) {
        sl_log(SL_LOG_INFO, NULL, "target changed", sl_log_text("target", to->to->name),
               sl_log_text("reason", "configuration"),
               sl_log_text("costs", sl_change_cost_name(to->cost)),
               sl_log_u64("generation", target->newest));
    }
}

/* One that nothing has changed borrows from its old settings for a while, but not for ever. */
static bool is_old(const struct sl_worker *worker, const struct sl_worker_target *target)
{
    return worker->settings->generation - target->oldest >= SL_WORKER_KEPT;
}

static void take_targets(struct sl_worker *worker)
{
    struct sl_worker_change *change = &worker->change;
    const struct sl_difference *difference = change->difference;

    for (size_t i = 0; i < difference->target_count; i++) {
        const struct sl_target_difference *target = &difference->targets[i];
        struct sl_worker_target *there =
            target->from ? find_target(change, target->from->name) : NULL;
        if (there && (!target->to || target->is_replaced)) {
            remove_target(there);
        } else if (there && (target->is_changed || is_old(worker, there))) {
            change_target(worker, target, there);
        }
        if (change->made[i]) {
            add_target(worker, i);
        }
    }
}

static void commit(void *arg)
{
    struct sl_worker *worker = arg;
    struct sl_worker_change *change = &worker->change;
    void (*on_step)(void *) = change->on_step;
    void *step_arg = change->arg;

    if (change->goes && !worker->is_draining) {
        struct sl_settings *to = change->difference->to;
        sl_settings_hold(to);
        worker->settings = worker->generations[worker->generation_count++] = to;
        take_sinks(worker);
        take_targets(worker);
        worker->is_unsettled = true;
    }
    sl_worker_drop_change(worker);
    on_step(step_arg);
}

void sl_worker_change_init(struct sl_worker *worker)
{
    worker->change = (struct sl_worker_change){
        .prepare_due = {.fn = prepare, .arg = worker},
        .commit_due = {.fn = commit, .arg = worker},
    };
}

void sl_worker_prepare(struct sl_worker *worker, const struct sl_difference *difference,
                       void (*on_step)(void *arg), void *arg)
{
    worker->change.difference = difference;
    worker->change.on_step = on_step;
    worker->change.arg = arg;
    sl_loop_post_kept(worker->loop, &worker->change.prepare_due);
}

bool sl_worker_is_prepared(const struct sl_worker *worker, struct sl_status *why)
{
    *why = worker->change.why;
    return worker->change.is_prepared;
}

void sl_worker_commit(struct sl_worker *worker, bool goes)
{
    worker->change.goes = goes;
    sl_loop_post_kept(worker->loop, &worker->change.commit_due);
}

/* ---- what is over ---- */

/* True: it goes on, and borrows from its newest settings alone. */
static bool settle_targets(struct sl_worker *worker)
{
    size_t kept = 0;
    bool is_settled = true;

    for (size_t i = 0; i < worker->target_count; i++) {
        struct sl_worker_target *target = &worker->targets[i];
        if (target->is_going && sl_target_is_closed(target->target) &&
            sl_target_is_empty(target->target)) {
            sl_target_free(target->target);
            continue;
        }
        bool is_own = sl_target_settle(target->target);
        if (is_own) {
            target->oldest = target->newest;
        }
        is_settled = is_settled && is_own && !target->is_going;
        worker->targets[kept++] = *target;
    }
    worker->target_count = kept;
    return is_settled;
}

static bool is_borrowed(const struct sl_worker *worker, uint64_t generation)
{
    for (size_t i = 0; i < worker->target_count; i++) {
        const struct sl_worker_target *target = &worker->targets[i];
        if (target->oldest <= generation && generation <= target->newest) {
            return true;
        }
    }
    for (size_t i = 0; i < worker->sink_count; i++) {
        if (worker->sinks[i].generation == generation) {
            return true;
        }
    }
    return false;
}

static void release_generations(struct sl_worker *worker)
{
    size_t kept = 0;

    for (size_t i = 0; i < worker->generation_count; i++) {
        struct sl_settings *settings = worker->generations[i];
        if (settings == worker->settings || is_borrowed(worker, settings->generation)) {
            worker->generations[kept++] = settings;
        } else {
            sl_settings_release(settings);
        }
    }
    worker->generation_count = kept;
}

void sl_worker_settle(struct sl_worker *worker)
{
    if (!worker->is_unsettled || worker->change.names) {
        return; /* a change has the places of all targets in its hand */
    }
    bool is_settled = settle_targets(worker);
    bool is_empty = sl_worker_close_retired(worker);

    release_generations(worker);
    worker->is_unsettled = !is_settled || !is_empty;
}
