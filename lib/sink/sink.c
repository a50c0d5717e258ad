#include "sink/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/mailbox.h"

enum {
    WORKER_DIGITS = 16,
    LINE_BYTES = 1024, /* of a plugin's log line */
};

struct sl_sink {
    struct sluice_host host; /* what the plugin holds: SL_CONTAINER_OF leads back */
    const struct sl_sink_spec *spec;
    struct sl_loop *loop;
    const struct sl_sink_events *events;
    void *arg;
    void *instance;
    struct sl_mailbox *mailbox;
    struct sl_timer *stall_timer;
    struct sl_deferred taking_due;
    struct sl_deferred ready_due;
    size_t record_cost;
    uint64_t in_flight;
    int64_t report_ns; /* of the last report, or of the first record out since there were none */
    bool is_available;
    bool is_stalled;       /* no report for stall_after_ns with records out */
    bool is_taking_told;   /* what on_taking said last */
    bool is_ready_awaited; /* FULL was said */
    bool is_accepting;     /* the plugin's accept is running */
    bool is_closing;
    char reason[SL_STATUS_TEXT_BYTES]; /* the plugin's, why it is not available */
    char worker[WORKER_DIGITS];        /* its number, for the log */
    struct sl_log_subject subject;
};

/* The host is const to the plugin alone. */
static struct sl_sink *sink_of(const struct sluice_host *host)
{
    return SL_CONTAINER_OF((uintptr_t)host, struct sl_sink, host);
}

/* ---- whether it takes records ---- */

bool sl_sink_is_taking(const struct sl_sink *sink)
{
    return sink->is_available && !sink->is_stalled;
}

const char *sl_sink_reason(const struct sl_sink *sink)
{
    if (!sink->is_available) {
        return sink->reason;
    }
    return sink->is_stalled ? "records are out and no report comes back" : "";
}

static void tell_taking(void *arg)
{
    struct sl_sink *sink = arg;
    bool is_taking = sl_sink_is_taking(sink);

    if (is_taking != sink->is_taking_told) {
        sink->is_taking_told = is_taking;
        sink->events->on_taking(sink, is_taking, sink->arg);
    }
}

static void taking_may_have_changed(struct sl_sink *sink)
{
    if (!sink->is_closing && sl_sink_is_taking(sink) != sink->is_taking_told) {
        sl_loop_defer(sink->loop, &sink->taking_due);
    }
}

static void watch_reports(struct sl_sink *sink, int64_t wait_ns)
{
    int64_t wait_ms = (wait_ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS;

    sl_timer_start(sink->stall_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0);
}

/* Armed as long as records are out; a report does not move it (that would cost each report), it
 * looks for itself how old the last one is. */
static void on_stall_timer(void *arg)
{
    struct sl_sink *sink = arg;
    int64_t silent_ns = sl_loop_now_ns(sink->loop) - sink->report_ns;

    if (sink->in_flight == 0 || sink->is_stalled) {
        return;
    }
    if (silent_ns < sink->spec->stall_after_ns) {
        watch_reports(sink, sink->spec->stall_after_ns - silent_ns);
        return;
    }
    sink->is_stalled = true;
    taking_may_have_changed(sink);
}

static void count_out(struct sl_sink *sink)
{
    if (sink->in_flight++ == 0) {
        sink->report_ns = sl_loop_now_ns(sink->loop);
        if (sink->spec->stall_after_ns > 0 && !sl_timer_is_armed(sink->stall_timer)) {
            watch_reports(sink, sink->spec->stall_after_ns);
        }
    }
}

static void count_back(struct sl_sink *sink)
{
    SL_ASSERT(sink->in_flight > 0);
    sink->in_flight--;
    sink->report_ns = sl_loop_now_ns(sink->loop);
    if (sink->is_stalled) {
        sink->is_stalled = false;
        if (sink->in_flight > 0) {
            watch_reports(sink, sink->spec->stall_after_ns);
        }
        taking_may_have_changed(sink);
    }
}

/* ---- what the plugin may call ---- */

static void host_ack(const struct sluice_host *host, struct sluice_token *token,
                     enum sluice_result result, const char *reason)
{
    struct sl_sink *sink = sink_of(host);

    if (sink->is_accepting || !token || token->sink != sink) {
        sl_log_plain(SL_LOG_ERROR, &sink->subject,
                     sink->is_accepting ? "bug of the plugin: acknowledged from within accept"
                                        : "bug of the plugin: acknowledged what is not in flight");
        return;
    }
    token->sink = NULL;
    count_back(sink);
    if (result != SLUICE_DELIVERED && result != SLUICE_RESTARTED) {
        sl_log(SL_LOG_WARN, &sink->subject, "record lost",
               sl_log_text("why", reason ? reason : "no reason given"));
    }
    sink->events->on_ack(token, result, sink->arg);
}

static void tell_ready(void *arg)
{
    struct sl_sink *sink = arg;

    if (sink->is_ready_awaited) {
        sink->is_ready_awaited = false;
        sink->events->on_ready(sink, sink->arg);
    }
}

static void host_ready(const struct sluice_host *host)
{
    struct sl_sink *sink = sink_of(host);

    if (sink->is_ready_awaited && !sink->is_closing) {
        sl_loop_defer(sink->loop, &sink->ready_due);
    }
}

static void host_available(const struct sluice_host *host, bool is_available, const char *reason)
{
    struct sl_sink *sink = sink_of(host);

    sink->is_available = is_available;
    snprintf(sink->reason, sizeof(sink->reason), "%s", reason ? reason : "");
    taking_may_have_changed(sink);
}

/* struct sluice_watch and struct sluice_timer are the loop's own under a plugin's name. */
static struct sluice_watch *host_watch(const struct sluice_host *host, int fd,
                                       void (*fn)(void *arg), void *arg)
{
    return (struct sluice_watch *)(void *)sl_watch_new(sink_of(host)->loop, fd, fn, arg);
}

static void host_unwatch(struct sluice_watch *watch)
{
    sl_watch_free((struct sl_watch *)(void *)watch);
}

static struct sluice_timer *host_timer_new(const struct sluice_host *host, void (*fn)(void *arg),
                                           void *arg)
{
    return (struct sluice_timer *)(void *)sl_timer_new(sink_of(host)->loop, fn, arg);
}

static void host_timer_start(struct sluice_timer *timer, uint64_t delay_ms)
{
    sl_timer_start((struct sl_timer *)(void *)timer, delay_ms);
}

static void host_timer_free(struct sluice_timer *timer)
{
    sl_timer_free((struct sl_timer *)(void *)timer);
}

static bool host_post(const struct sluice_host *host, void (*fn)(void *arg), void *arg)
{
    return sl_mailbox_post(sink_of(host)->mailbox, fn, arg);
}

SL_PRINTF(3, 4)
static void host_log(const struct sluice_host *host, enum sluice_level level, const char *format,
                     ...)
{
    static const enum sl_log_level levels[] = {
        [SLUICE_DEBUG] = SL_LOG_DEBUG,
        [SLUICE_INFO] = SL_LOG_INFO,
        [SLUICE_WARN] = SL_LOG_WARN,
        [SLUICE_ERROR] = SL_LOG_ERROR,
    };
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    sl_log(levels[level], &sink_of(host)->subject, "plugin says", sl_log_text("text", line));
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
};

/* ---- what its owner may call ---- */

/* Frees everything but the instance. */
static void sink_free(struct sl_sink *sink)
{
    sl_loop_cancel(sink->loop, &sink->taking_due);
    sl_loop_cancel(sink->loop, &sink->ready_due);
    sl_timer_free(sink->stall_timer);
    if (sink->mailbox) {
        sl_mailbox_close(sink->mailbox);
    }
    free(sink);
}

static bool open_instance(struct sl_sink *sink, struct sl_status *why)
{
    const struct sluice_sink_plugin *plugin = sink->spec->plugin;
    char error[SL_STATUS_TEXT_BYTES] = "";

    sink->mailbox = sl_mailbox_open(sink->loop);
    sink->stall_timer = sl_timer_new(sink->loop, on_stall_timer, sink);
    if (!sink->mailbox || !sink->stall_timer) {
        *why = sl_status_out_of_memory();
        return false;
    }
    sink->record_cost = plugin->record_cost(sink->spec->options);
    sink->instance = plugin->open(&sink->host, sink->spec->options, error, sizeof(error));
    if (!sink->instance) {
        *why = sl_status_error(SL_UNAVAILABLE, "sink %s: %s", sink->spec->name, error);
        return false;
    }
    return true;
}

static void init_subject(struct sl_sink *sink, unsigned worker)
{
    snprintf(sink->worker, sizeof(sink->worker), "%u", worker);
    const struct sl_log_field who[] = {
        sl_log_text("sink", sink->spec->name),
        sl_log_text("plugin", sink->spec->plugin->type),
        sl_log_text("worker", sink->worker),
    };
    sl_log_subject_init(&sink->subject, who, SL_ARRAY_LEN(who));
}

struct sl_sink *sl_sink_open(struct sl_loop *loop, const struct sl_sink_spec *spec,
                             const char *collector, unsigned worker,
                             const struct sl_sink_events *events, void *arg, struct sl_status *why)
{
    struct sl_sink *sink = calloc(1, sizeof(*sink));

    if (!sink) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    sink->host = (struct sluice_host){
        .calls = &host_calls, .collector = collector, .sink = spec->name, .worker = worker};
    sink->spec = spec;
    sink->loop = loop;
    sink->events = events;
    sink->arg = arg;
    sink->taking_due = (struct sl_deferred){.fn = tell_taking, .arg = sink};
    sink->ready_due = (struct sl_deferred){.fn = tell_ready, .arg = sink};
    init_subject(sink, worker);
    snprintf(sink->reason, sizeof(sink->reason), "it has just been opened");
    if (!open_instance(sink, why)) {
        sink_free(sink);
        return NULL;
    }
    return sink;
}

void sl_sink_close(struct sl_sink *sink)
{
    SL_ASSERT(!sink->is_accepting && !sink->is_closing);
    sink->is_closing = true;
    sink->spec->plugin->close(sink->instance);
    if (sink->in_flight > 0) {
        sl_log(SL_LOG_ERROR, &sink->subject,
               "bug of the plugin: closed with records it never acknowledged",
               sl_log_u64("records", sink->in_flight));
    }
    sl_log_end(&sink->subject);
    sink_free(sink);
}

enum sluice_accept sl_sink_accept(struct sl_sink *sink, const struct sluice_record *record,
                                  struct sluice_token *token)
{
    SL_ASSERT(!token->sink);
    SL_ASSERT(record->payload && record->payload_len <= UINT32_MAX);
    SL_ASSERT(!sink->is_accepting && !sink->is_closing);

    sink->is_accepting = true;
    enum sluice_accept answer = sink->spec->plugin->accept(sink->instance, record, token);
    sink->is_accepting = false;
    if (answer == SLUICE_TAKEN) {
        token->sink = sink;
        token->payload_bytes = (uint32_t)record->payload_len;
        count_out(sink);
    } else {
        sink->is_ready_awaited = true;
    }
    return answer;
}

void sl_sink_flush(struct sl_sink *sink)
{
    sink->spec->plugin->flush(sink->instance);
}

size_t sl_sink_record_cost(const struct sl_sink *sink)
{
    return sink->record_cost;
}

uint64_t sl_sink_in_flight(const struct sl_sink *sink)
{
    return sink->in_flight;
}

void sl_sink_stats(struct sl_sink *sink, struct sluice_stats *stats)
{
    *stats = (struct sluice_stats){0};
    sink->spec->plugin->stats(sink->instance, stats);
}

struct sl_log_subject *sl_sink_subject(struct sl_sink *sink)
{
    return &sink->subject;
}

const struct sl_sink_spec *sl_sink_spec(const struct sl_sink *sink)
{
    return sink->spec;
}
