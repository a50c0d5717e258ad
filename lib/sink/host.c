/* host.c - what a plugin may call. Calls of other threads change nothing: they are counted, and the
 * loop thread tells of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/internal.h"

enum { LINE_BYTES = 1024 }; /* of a plugin's log line */

/* The loop's own under a plugin's name. */
struct sluice_watch {
    struct sl_list node;
    struct sl_host *owner;
    struct sl_watch *watch;
};

struct sluice_timer {
    struct sl_list node;
    struct sl_host *owner;
    struct sl_timer *timer;
};

/* ---- bugs ---- */

static const struct {
    const char *name;
    const char *text;
} bugs[SL_BUGS] = {
    [SL_BUG_TWICE] = {"acknowledged-twice", "bug of the plugin: acknowledged a record twice"},
    [SL_BUG_UNKNOWN] = {"unknown-token", "bug of the plugin: acknowledged what it never got"},
    [SL_BUG_ACCEPT] = {"within-accept", "bug of the plugin: acknowledged from within accept"},
    [SL_BUG_THREAD] = {"other-thread",
                       "bug of the plugin: called from a thread of its own, other than by post"},
    [SL_BUG_ANSWER] = {"bad-answer", "bug of the plugin: accept answered what is no answer"},
    [SL_BUG_RESULT] = {"bad-result", "bug of the plugin: acknowledged with what is no result"},
    [SL_BUG_FORGOTTEN] = {"never-acknowledged",
                          "bug of the plugin: closed with records it never acknowledged"},
    [SL_BUG_LEFT] = {"left-behind", "bug of the plugin: closed with timers or watches not freed"},
    [SL_BUG_VERDICT] = {"bad-verdict", "bug of the processor: process gave what is no verdict"},
    [SL_BUG_PAYLOAD] = {"bad-payload", "bug of the processor: it left no payload, or one too long"},
    [SL_BUG_PROCESSOR] = {"not-a-sink", "bug of the processor: made a call that is for sinks"},
};

const char *sl_sink_bug_name(enum sl_sink_bug bug)
{
    SL_ASSERT((unsigned)bug < SL_BUGS);
    return bugs[bug].name;
}

/* As the updates are counted that are lost with it (stream/route.h). */
static const char *const losses[] = {
    [SLUICE_DELIVERED] = "",
    [SLUICE_FAILED] = "sink",
    [SLUICE_TOO_LARGE] = "too-large",
    [SLUICE_DEAD_LETTER] = "dead-letter",
    [SLUICE_RESTARTED] = "sink-restart",
};

static void tell_bug(struct sl_sink *sink, enum sl_sink_bug bug, const char *processor,
                     uint64_t times)
{
    sl_log(SL_LOG_ERROR, &sink->subject, bugs[bug].text, sl_log_text("reason", "plugin-bug"),
           sl_log_text("bug", bugs[bug].name), sl_log_text("processor", processor ? processor : ""),
           sl_log_u64("times", times));
}

void sl_sink_note_bug(struct sl_sink *sink, enum sl_sink_bug bug, const char *processor)
{
    sink->bugs[bug]++;
    tell_bug(sink, bug, processor, sink->bugs[bug]);
}

uint64_t sl_sink_bugs(const struct sl_sink *sink, enum sl_sink_bug bug)
{
    SL_ASSERT((unsigned)bug < SL_BUGS);
    return bug == SL_BUG_THREAD ? atomic_load(&sink->foreign) : sink->bugs[bug];
}

/* ---- threads ---- */

/* Its address is the thread's, as long as that lives. */
static _Thread_local const char thread_mark = 0;

void sl_sink_adopt(struct sl_sink *sink)
{
    atomic_store(&sink->thread, (const void *)&thread_mark);
}

/* The host is const to the plugin alone. */
static struct sl_host *host_of(const struct sluice_host *host)
{
    return SL_CONTAINER_OF((uintptr_t)host, struct sl_host, host);
}

static void tell_foreign(void *arg)
{
    struct sl_sink *sink = arg;

    atomic_store(&sink->is_foreign_told, false);
    tell_bug(sink, SL_BUG_THREAD, NULL, atomic_load(&sink->foreign));
}

/* Whether another thread than the loop's is calling; then that is counted. */
static bool is_foreign(struct sl_sink *sink)
{
    if (atomic_load_explicit(&sink->thread, memory_order_relaxed) == (const void *)&thread_mark) {
        return false;
    }
    atomic_fetch_add(&sink->foreign, 1);
    if (!atomic_exchange(&sink->is_foreign_told, true) &&
        !sl_mailbox_post(sink->mailbox, tell_foreign, sink)) {
        atomic_store(&sink->is_foreign_told, false);
    }
    return true;
}

/* The sink where a call that is for sinks may go on; else NULL. */
static struct sl_sink *sink_of(const struct sluice_host *host)
{
    struct sl_sink *sink = host_of(host)->sink;

    if (is_foreign(sink)) {
        return NULL;
    }
    if (host->processor) {
        sl_sink_note_bug(sink, SL_BUG_PROCESSOR, host->processor);
        return NULL;
    }
    return sink;
}

/* ---- records ---- */

static void host_ack(const struct sluice_host *host, struct sluice_token *handle,
                     enum sluice_result result, const char *reason)
{
    struct sl_sink *sink = sink_of(host);
    enum sl_token_sort sort;

    if (!sink) {
        return;
    }
    if (sink->is_accepting) {
        sl_sink_note_bug(sink, SL_BUG_ACCEPT, NULL);
        return;
    }
    struct sl_token *token = sl_tokens_take(&sink->tokens, handle, &sort);
    if (!token) {
        sl_sink_note_bug(sink, sort == SL_TOKEN_TWICE ? SL_BUG_TWICE : SL_BUG_UNKNOWN, NULL);
        return;
    }
    if ((unsigned)result > SLUICE_RESTARTED) {
        sl_sink_note_bug(sink, SL_BUG_RESULT, NULL);
        result = SLUICE_FAILED;
    }
    if (sink->is_given_up && result != SLUICE_DELIVERED) {
        result = SLUICE_RESTARTED;
    }
    if (result != SLUICE_DELIVERED && result != SLUICE_RESTARTED) {
        sl_log(SL_LOG_WARN, &sink->subject, "record lost", sl_log_text("reason", losses[result]),
               sl_log_text("why", reason ? reason : "no reason given"));
    }
    if (result == SLUICE_DELIVERED) {
        sl_histogram_record(&sink->latency,
                            sl_loop_now_ns(sink->loop) - sink->tokens.taken_since_ns);
    }
    sl_sink_return(sink, token, result);
}

static void host_ready(const struct sluice_host *host)
{
    struct sl_sink *sink = sink_of(host);

    if (sink && sink->is_ready_awaited && !sink->is_closing) {
        sl_loop_defer(sink->loop, &sink->ready_due);
    }
}

static void host_available(const struct sluice_host *host, bool is_available, const char *reason)
{
    struct sl_sink *sink = sink_of(host);

    if (sink) {
        sink->is_available = is_available;
        snprintf(sink->reason, sizeof(sink->reason), "%s", reason ? reason : "");
        sl_sink_look(sink);
    }
}

static void host_over(const struct sluice_host *host, const char *reason)
{
    struct sl_sink *sink = sink_of(host);

    if (sink && !sink->is_closing) {
        host_available(host, false, reason);
        sl_loop_defer(sink->loop, &sink->over_due);
    }
}

/* ---- the loop ---- */

static struct sluice_watch *host_watch(const struct sluice_host *host, int fd,
                                       void (*fn)(void *arg), void *arg)
{
    struct sl_host *owner = host_of(host);

    if (is_foreign(owner->sink)) {
        return NULL;
    }
    struct sluice_watch *watch = malloc(sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    watch->owner = owner;
    watch->watch = sl_watch_new(owner->sink->loop, fd, fn, arg);
    if (!watch->watch) {
        free(watch);
        return NULL;
    }
    sl_list_init(&watch->node);
    sl_list_append(&owner->watches, &watch->node);
    return watch;
}

static void watch_free(struct sluice_watch *watch)
{
    sl_list_remove(&watch->node);
    sl_watch_free(watch->watch);
    free(watch);
}

static void host_unwatch(struct sluice_watch *watch)
{
    if (watch && !is_foreign(watch->owner->sink)) {
        watch_free(watch);
    }
}

static struct sluice_timer *host_timer_new(const struct sluice_host *host, void (*fn)(void *arg),
                                           void *arg)
{
    struct sl_host *owner = host_of(host);

    if (is_foreign(owner->sink)) {
        return NULL;
    }
    struct sluice_timer *timer = malloc(sizeof(*timer));
    if (!timer) {
        return NULL;
    }
    timer->owner = owner;
    timer->timer = sl_timer_new(owner->sink->loop, fn, arg);
    if (!timer->timer) {
        free(timer);
        return NULL;
    }
    sl_list_init(&timer->node);
    sl_list_append(&owner->timers, &timer->node);
    return timer;
}

static void host_timer_start(struct sluice_timer *timer, uint64_t delay_ms)
{
    if (!is_foreign(timer->owner->sink)) {
        sl_timer_start(timer->timer, delay_ms);
    }
}

static void timer_free(struct sluice_timer *timer)
{
    sl_list_remove(&timer->node);
    sl_timer_free(timer->timer);
    free(timer);
}

static void host_timer_free(struct sluice_timer *timer)
{
    if (timer && !is_foreign(timer->owner->sink)) {
        timer_free(timer);
    }
}

/* ---- any thread ---- */

static bool host_post(const struct sluice_host *host, void (*fn)(void *arg), void *arg)
{
    return sl_mailbox_post(host_of(host)->sink->mailbox, fn, arg);
}

static enum sl_log_level level_of(enum sluice_level level)
{
    static const enum sl_log_level levels[] = {
        [SLUICE_DEBUG] = SL_LOG_DEBUG,
        [SLUICE_INFO] = SL_LOG_INFO,
        [SLUICE_WARN] = SL_LOG_WARN,
        [SLUICE_ERROR] = SL_LOG_ERROR,
    };

    return (unsigned)level < SL_ARRAY_LEN(levels) ? levels[level] : SL_LOG_ERROR;
}

/* A subject counts what it leaves out, which is the loop thread's alone: lines of other threads are
 * not counted. `reason` and `hint` may be NULL. */
static void say(struct sl_sink *sink, enum sluice_level level, const char *reason, const char *hint,
                const char *line)
{
    bool is_ours = atomic_load_explicit(&sink->thread, memory_order_relaxed) == &thread_mark;
    struct sl_log_subject other = {.who_count = sink->subject.who_count};
    struct sl_log_field fields[3];
    size_t count = 0;

    memcpy(other.who, sink->subject.who, sizeof(other.who));
    if (reason) {
        fields[count++] = sl_log_text("reason", reason);
    }
    fields[count++] = sl_log_text("text", line);
    if (hint && *hint) {
        fields[count++] = sl_log_text("try", hint);
    }
    sl_log_fields(level_of(level), is_ours ? &sink->subject : &other, "plugin says", fields, count);
}

SL_PRINTF(3, 4)
static void host_log(const struct sluice_host *host, enum sluice_level level, const char *format,
                     ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    say(host_of(host)->sink, level, NULL, NULL, line);
}

SL_PRINTF(5, 6)
static void host_log_reason(const struct sluice_host *host, enum sluice_level level,
                            const char *reason, const char *hint, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    say(host_of(host)->sink, level, reason, hint, line);
}

static const struct sluice_host_calls host_calls = {
    .ack = host_ack,
    .ready = host_ready,
    .available = host_available,
    .watch = host_watch,
    .unwatch = host_unwatch,
    .timer_new = host_timer_new,
    .timer_start = host_timer_start,
    .timer_free = host_timer_free,
    .post = host_post,
    .log = host_log,
    .over = host_over,
    .log_reason = host_log_reason,
};

/* ---- life ---- */

void sl_host_init(struct sl_host *host, struct sl_sink *sink, const char *collector,
                  unsigned worker, const char *processor)
{
    *host = (struct sl_host){
        .host = {.calls = &host_calls,
                 .collector = collector,
                 .sink = sink->spec->name,
                 .worker = worker,
                 .processor = processor},
        .sink = sink,
    };
    sl_list_init(&host->watches);
    sl_list_init(&host->timers);
}

void sl_host_fini(struct sl_host *host)
{
    bool has_left = !sl_list_is_empty(&host->watches) || !sl_list_is_empty(&host->timers);

    while (!sl_list_is_empty(&host->watches)) {
        watch_free(SL_CONTAINER_OF(host->watches.next, struct sluice_watch, node));
    }
    while (!sl_list_is_empty(&host->timers)) {
        timer_free(SL_CONTAINER_OF(host->timers.next, struct sluice_timer, node));
    }
    if (has_left) {
        sl_sink_note_bug(host->sink, SL_BUG_LEFT, host->host.processor);
    }
}
