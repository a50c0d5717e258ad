#include "daemon/reload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/difference.h"
#include "daemon/notify.h"

struct sl_reload {
    struct sl_reload_config config;
    struct sl_settings *settings;     /* in force; held; written under the mutex */
    struct sl_difference *difference; /* NULL: none is under way */
    const char *why;                  /* of the one under way */
    bool is_committing;               /* the workers are told to go over, or to drop it */
    bool is_taken;                    /* its settings are in force */
    bool is_stopped;
    struct sl_post ask_due;
    struct sl_post step_due;
    atomic_uint stepped;          /* workers that have done what they were told */
    _Atomic(const char *) wanted; /* by whom another one is; NULL: by nobody */
    pthread_mutex_t mutex;
    struct sl_reload_outcome outcome; /* under the mutex */
};

const char *sl_reload_result_name(enum sl_reload_result result)
{
    switch (result) {
    case SL_RELOAD_NONE:
        return "none";
    case SL_RELOAD_OK:
        return "ok";
    case SL_RELOAD_UNCHANGED:
        return "unchanged";
    case SL_RELOAD_REFUSED:
        return "refused";
    }
    return "unknown";
}

/* ---- the outcome ---- */

static void log_lines(enum sl_log_level level, const char *message, const char *reason,
                      const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        sl_log(level, NULL, message, sl_log_text("reason", reason),
               sl_log_str("text", (struct sl_str){text, len}));
        text += len + (text[len] == '\n');
    }
}

static void tell(struct sl_reload *reload, enum sl_reload_result result, const char *text)
{
    const struct sl_difference *difference = reload->difference;
    bool is_ok = result == SL_RELOAD_OK;
    struct sl_reload_outcome outcome = {
        .result = result,
        .why = reload->why,
        .at_ns = sl_loop_wall_ns(),
        .generation = reload->settings->generation,
        .added = is_ok ? (uint32_t)difference->added : 0,
        .removed = is_ok ? (uint32_t)difference->removed : 0,
        .changed = is_ok ? (uint32_t)difference->changed : 0,
    };

    strncat(outcome.text, text, sizeof(outcome.text) - 1);
    memcpy(outcome.counts, reload->outcome.counts, sizeof(outcome.counts));
    outcome.counts[result]++;
    outcome.in_force_ns = result == SL_RELOAD_REFUSED ? reload->outcome.in_force_ns : outcome.at_ns;
    pthread_mutex_lock(&reload->mutex);
    reload->outcome = outcome;
    pthread_mutex_unlock(&reload->mutex);
    log_lines(result == SL_RELOAD_REFUSED ? SL_LOG_ERROR : SL_LOG_WARN,
              result == SL_RELOAD_REFUSED ? "the configuration is refused" : "not changed",
              sl_reload_result_name(result), text);
    sl_log(result == SL_RELOAD_REFUSED ? SL_LOG_ERROR : SL_LOG_INFO, NULL, "reload",
           sl_log_text("result", sl_reload_result_name(result)), sl_log_text("reason", reload->why),
           sl_log_u64("generation", outcome.generation), sl_log_u64("added", outcome.added),
           sl_log_u64("removed", outcome.removed), sl_log_u64("changed", outcome.changed));
}

/* The one under way is over; another one may be wanted. */
static void end(struct sl_reload *reload)
{
    sl_difference_free(reload->difference);
    reload->difference = NULL;
    sl_notify_ready();
    if (reload->is_taken && reload->config.on_taken) {
        reload->config.on_taken(reload->settings, reload->config.arg);
    }
    reload->is_taken = false;
    if (atomic_load(&reload->wanted)) {
        sl_loop_post_kept(reload->config.loop, &reload->ask_due);
    }
}

/* ---- the workers' steps ---- */

/* On a worker's thread. */
static void on_worker_step(void *arg)
{
    struct sl_reload *reload = arg;

    atomic_fetch_add(&reload->stepped, 1);
    sl_loop_post_kept(reload->config.loop, &reload->step_due);
}

static void take(struct sl_reload *reload, struct sl_settings *settings)
{
    struct sl_settings *old = reload->settings;

    sl_settings_hold(settings);
    pthread_mutex_lock(&reload->mutex);
    reload->settings = settings;
    pthread_mutex_unlock(&reload->mutex);
    sl_settings_release(old);
}

static void commit(struct sl_reload *reload)
{
    struct sl_status why = sl_status_ok();
    bool goes = true;

    for (unsigned i = 0; goes && i < reload->config.worker_count; i++) {
        goes = sl_worker_is_prepared(reload->config.workers[i], &why);
    }
    if (goes) {
        take(reload, reload->difference->to);
        reload->is_taken = true;
        tell(reload, SL_RELOAD_OK, sl_buf_text(&reload->difference->restart));
    } else {
        sl_settings_keep(reload->settings);
        tell(reload, SL_RELOAD_REFUSED, why.text);
    }
    atomic_store(&reload->stepped, 0);
    for (unsigned i = 0; i < reload->config.worker_count; i++) {
        sl_worker_commit(reload->config.workers[i], goes);
    }
}

static void on_step(void *arg)
{
    struct sl_reload *reload = arg;

    if (atomic_load(&reload->stepped) < reload->config.worker_count || !reload->difference) {
        return;
    }
    if (reload->is_committing) {
        end(reload);
    } else {
        reload->is_committing = true;
        commit(reload);
    }
}

/* ---- a reload ---- */

static void begin(struct sl_reload *reload, struct sl_settings *to)
{
    struct sl_buf errors = {0};

    reload->difference = sl_difference_new(reload->settings, to);
    if (!reload->difference) {
        tell(reload, SL_RELOAD_REFUSED, "out of memory");
    } else if (!sl_settings_succeed(reload->difference, &errors)) {
        tell(reload, SL_RELOAD_REFUSED, sl_buf_text(&errors));
    } else if (!reload->difference->is_any) {
        tell(reload, SL_RELOAD_UNCHANGED, sl_buf_text(&reload->difference->restart));
    } else {
        reload->is_committing = false;
        atomic_store(&reload->stepped, 0);
        for (unsigned i = 0; i < reload->config.worker_count; i++) {
            sl_worker_prepare(reload->config.workers[i], reload->difference, on_worker_step,
                              reload);
        }
        sl_buf_fini(&errors);
        return;
    }
    sl_buf_fini(&errors);
    end(reload);
}

static void on_ask(void *arg)
{
    struct sl_reload *reload = arg;
    struct sl_buf errors = {0};

    if (reload->difference || reload->is_stopped) {
        return; /* its end comes back here */
    }
    reload->why = atomic_exchange(&reload->wanted, NULL);
    if (!reload->why) {
        return;
    }
    sl_notify_reloading();
    struct sl_settings *to = reload->config.read(reload->config.file, &errors, reload->config.arg);
    if (to) {
        begin(reload, to);
        sl_settings_release(to);
    } else {
        tell(reload, SL_RELOAD_REFUSED, sl_buf_text(&errors));
        end(reload);
    }
    sl_buf_fini(&errors);
}

/* ---- public ---- */

struct sl_reload *sl_reload_new(const struct sl_reload_config *config)
{
    struct sl_reload *reload = calloc(1, sizeof(*reload));

    if (reload) {
        reload->config = *config;
        reload->settings = config->running;
        reload->outcome.why = "";
        reload->outcome.generation = config->running->generation;
        reload->outcome.in_force_ns = sl_loop_wall_ns();
        reload->ask_due = (struct sl_post){.fn = on_ask, .arg = reload};
        reload->step_due = (struct sl_post){.fn = on_step, .arg = reload};
        atomic_init(&reload->stepped, 0);
        atomic_init(&reload->wanted, NULL);
        pthread_mutex_init(&reload->mutex, NULL);
        sl_settings_hold(reload->settings);
    }
    return reload;
}

void sl_reload_free(struct sl_reload *reload)
{
    if (reload) {
        sl_difference_free(reload->difference);
        sl_settings_release(reload->settings);
        pthread_mutex_destroy(&reload->mutex);
        free(reload);
    }
}

void sl_reload_ask(struct sl_reload *reload, const char *why)
{
    atomic_store(&reload->wanted, why);
    sl_loop_post_kept(reload->config.loop, &reload->ask_due);
}

void sl_reload_last(struct sl_reload *reload, struct sl_reload_outcome *outcome)
{
    pthread_mutex_lock(&reload->mutex);
    *outcome = reload->outcome;
    pthread_mutex_unlock(&reload->mutex);
}

struct sl_settings *sl_reload_hold(struct sl_reload *reload)
{
    pthread_mutex_lock(&reload->mutex);
    struct sl_settings *settings = reload->settings;
    sl_settings_hold(settings);
    pthread_mutex_unlock(&reload->mutex);
    return settings;
}

struct sl_settings *sl_reload_settings(const struct sl_reload *reload)
{
    return reload->settings;
}

void sl_reload_stop(struct sl_reload *reload)
{
    reload->is_stopped = true;
}
