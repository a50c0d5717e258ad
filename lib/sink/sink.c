#include "sink/sink.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/internal.h"

enum { RETRY_MS = 10 };

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

void sl_sink_look(struct sl_sink *sink)
{
    if (!sink->is_closing && sl_sink_is_taking(sink) != sink->is_taking_told) {
        sl_loop_defer(sink->loop, &sink->taking_due);
    }
}

bool sl_sink_has_room(const struct sl_sink *sink)
{
    return sink->spec->is_required || (!sink->is_ready_awaited && !sink->is_over);
}

static void tell_room(void *arg)
{
    struct sl_sink *sink = arg;

    if (sl_sink_has_room(sink)) {
        sink->events->on_ready(sink, sink->arg);
    }
}

static void tell_over(void *arg)
{
    struct sl_sink *sink = arg;

    if (sink->events->on_over) {
        sink->events->on_over(sink, sink->arg);
    }
}

/* ---- silence ---- */

static void start_ns(struct sl_timer *timer, int64_t wait_ns)
{
    int64_t wait_ms = (wait_ns + SL_NS_PER_MS - 1) / SL_NS_PER_MS;

    sl_timer_start(timer, wait_ms > 0 ? (uint64_t)wait_ms : 0);
}

/* Armed as long as records are out; a report does not move it (that would cost each report), it
 * looks for itself how old the last one is. */
static void on_stall_timer(void *arg)
{
    struct sl_sink *sink = arg;
    int64_t silent_ns = sl_loop_now_ns(sink->loop) - sink->report_ns;

    if (sink->tokens.count == 0 || sink->is_stalled) {
        return;
    }
    if (silent_ns < sink->spec->stall_after_ns) {
        start_ns(sink->stall_timer, sink->spec->stall_after_ns - silent_ns);
        return;
    }
    sink->is_stalled = true;
    sl_sink_look(sink);
}

int64_t sl_sink_oldest_ns(const struct sl_sink *sink)
{
    int64_t since_ns = sl_tokens_oldest_ns(&sink->tokens);

    return since_ns ? sl_loop_now_ns(sink->loop) - since_ns : 0;
}

const struct sl_histogram *sl_sink_latency(const struct sl_sink *sink)
{
    return &sink->latency;
}

int64_t sl_sink_full_ns(const struct sl_sink *sink)
{
    return sink->full_since_ns ? sl_loop_now_ns(sink->loop) - sink->full_since_ns : 0;
}

static struct sl_log_field oldest_field(const struct sl_sink *sink)
{
    return sl_log_u64("oldest-s", (uint64_t)(sl_sink_oldest_ns(sink) / SL_NS_PER_S));
}

/* Likewise for single records. */
static void on_overdue_timer(void *arg)
{
    struct sl_sink *sink = arg;
    int64_t limit_ns = sink->spec->overdue_after_ns;
    int64_t now_ns = sl_loop_now_ns(sink->loop);

    if (sl_tokens_mark_overdue(&sink->tokens, now_ns - limit_ns) > 0) {
        sl_log(SL_LOG_WARN, &sink->subject,
               "records are overdue: the plugin has forgotten them, or where they go is silent",
               sl_log_text("reason", "overdue"), sl_log_u64("records", sink->tokens.overdue),
               oldest_field(sink));
    }
    if (sl_sink_full_ns(sink) >= limit_ns) {
        sl_log(SL_LOG_WARN, &sink->subject,
               "the sink said that it is full, and has not said since that there is room",
               sl_log_text("reason", "sink-full"),
               sl_log_u64("full-s", (uint64_t)(sl_sink_full_ns(sink) / SL_NS_PER_S)));
    }
    int64_t young_ns = sl_tokens_young_ns(&sink->tokens);
    if (young_ns || sink->full_since_ns) {
        int64_t wait_ns = young_ns ? young_ns + limit_ns - now_ns : limit_ns;
        start_ns(sink->overdue_timer, wait_ns > limit_ns / 8 ? wait_ns : limit_ns / 8);
    }
}

static void watch_overdue(struct sl_sink *sink)
{
    if (sink->spec->overdue_after_ns > 0 && !sl_timer_is_armed(sink->overdue_timer)) {
        start_ns(sink->overdue_timer, sink->spec->overdue_after_ns);
    }
}

static void count_out(struct sl_sink *sink, struct sl_token *token)
{
    int64_t now_ns = sl_loop_now_ns(sink->loop);

    sl_tokens_add(&sink->tokens, token, now_ns);
    if (sink->tokens.count == 1) {
        sink->report_ns = now_ns;
        if (sink->spec->stall_after_ns > 0 && !sl_timer_is_armed(sink->stall_timer)) {
            start_ns(sink->stall_timer, sink->spec->stall_after_ns);
        }
    }
    watch_overdue(sink);
}

/* A record that waits for the plugin will not get there. */
static void return_parked(struct sl_sink *sink, enum sluice_result result)
{
    struct sl_token *token = sink->parked.token;

    if (token) {
        free(sink->parked.record.payload);
        free(sink->parked.texts);
        sink->parked = (struct sl_parked){.token = NULL};
        token->sink = NULL;
        sink->events->on_ack(token, result, sink->arg);
    }
}

void sl_sink_return(struct sl_sink *sink, struct sl_token *token, enum sluice_result result)
{
    sink->report_ns = sl_loop_now_ns(sink->loop);
    if (sink->is_stalled) {
        sink->is_stalled = false;
        if (sink->tokens.count > 0) {
            start_ns(sink->stall_timer, sink->spec->stall_after_ns);
        }
        sl_sink_look(sink);
    }
    token->sink = NULL;
    sink->events->on_ack(token, result, sink->arg);
    if (result == SLUICE_RESTARTED) {
        return_parked(sink, result); /* of an epoch that may have ended with that */
    }
}

/* ---- records ---- */

/* A record for a sink that is given up: it comes back at the end of the turn. */
static void lose(struct sl_sink *sink, const struct sluice_record *record, struct sl_token *token)
{
    free(record->payload);
    token->sink = sink;
    token->payload_bytes = (uint32_t)record->payload_len;
    count_out(sink, token);
    sl_loop_defer(sink->loop, &sink->lost_due);
}

/* Offers it to the plugin, which takes all or nothing. */
static bool offer(struct sl_sink *sink, const struct sluice_record *record, struct sl_token *token)
{
    if (!sl_tokens_reserve(&sink->tokens)) {
        sink->is_ready_awaited = true;
        sl_timer_start(sink->retry_timer, RETRY_MS);
        return false;
    }
    if (sink->is_given_up) {
        lose(sink, record, token);
        return true;
    }
    sink->is_accepting = true;
    enum sluice_accept answer =
        sink->spec->plugin->accept(sink->instance, record, sl_tokens_next(&sink->tokens));
    sink->is_accepting = false;
    if (answer == SLUICE_FULL) {
        sink->is_ready_awaited = true;
        sink->full_since_ns =
            sink->full_since_ns ? sink->full_since_ns : sl_loop_now_ns(sink->loop);
        watch_overdue(sink);
        return false;
    }
    sink->full_since_ns = 0;
    token->sink = sink;
    token->payload_bytes = (uint32_t)record->payload_len;
    count_out(sink, token);
    if (answer != SLUICE_TAKEN) {
        /* whose the payload is now nobody knows: to offer it again might free it twice */
        sl_sink_note_bug(sink, SL_BUG_ANSWER, NULL);
    }
    return true;
}

static void on_retry(void *arg)
{
    struct sl_sink *sink = arg;

    sl_loop_defer(sink->loop, &sink->ready_due);
}

/* ---- records with processors before them ---- */

static void copy_text(struct sluice_str *text, char **place)
{
    if (text->data) {
        memcpy(*place, text->data, text->len);
        text->data = *place;
        *place += text->len;
    }
}

/* What the record borrows becomes the sink's. False when memory is out. */
static bool park(struct sl_sink *sink, const struct sluice_record *record, struct sl_token *token)
{
    struct sl_parked *parked = &sink->parked;
    struct sluice_record *own = &parked->record;

    *own = *record;
    struct sluice_str *const texts[] = {&own->destination, &own->key,          &own->format,
                                        &own->target,      &own->subscription, &own->kind,
                                        &own->partition};
    size_t len = 0;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        len += texts[i]->len;
    }
    parked->texts = malloc(len + 1);
    if (!parked->texts) {
        return false;
    }
    char *place = parked->texts;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        copy_text(texts[i], &place);
    }
    parked->token = token;
    token->sink = sink;
    token->payload_bytes = (uint32_t)record->payload_len;
    return true;
}

/* False: it still waits. */
static bool offer_parked(struct sl_sink *sink)
{
    struct sl_parked *parked = &sink->parked;

    if (parked->token) {
        if (!offer(sink, &parked->record, parked->token)) {
            return false;
        }
        free(parked->texts);
        *parked = (struct sl_parked){.token = NULL};
    }
    return true;
}

static enum sl_sink_answer process(struct sl_sink *sink, const struct sluice_record *record,
                                   struct sl_token *token)
{
    struct sluice_record processed = *record;
    size_t cap = malloc_usable_size(record->payload);
    enum sluice_verdict verdict = sl_processors_run(sink->processors, &processed);

    if (verdict != SLUICE_KEPT) {
        free(processed.payload);
        return verdict == SLUICE_FILTERED ? SL_SINK_FILTERED : SL_SINK_LOST;
    }
    token->grown_bytes = (int64_t)malloc_usable_size(processed.payload) - (int64_t)cap;
    if (offer(sink, &processed, token) || park(sink, &processed, token)) {
        return SL_SINK_TAKEN;
    }
    free(processed.payload);
    sl_log(SL_LOG_WARN, &sink->subject, "record lost", sl_log_text("reason", "memory"),
           sl_log_text("why", "out of memory"));
    return SL_SINK_LOST;
}

enum sl_sink_answer sl_sink_accept(struct sl_sink *sink, const struct sluice_record *record,
                                   struct sl_token *token)
{
    SL_ASSERT(!token->sink);
    SL_ASSERT(record->payload && record->payload_len <= UINT32_MAX);
    SL_ASSERT(!sink->is_accepting && !sink->is_closing);

    if (sink->parked.token) {
        return SL_SINK_FULL; /* on_ready follows */
    }
    if (sink->processors) {
        return process(sink, record, token);
    }
    return offer(sink, record, token) ? SL_SINK_TAKEN : SL_SINK_FULL;
}

static void tell_ready(void *arg)
{
    struct sl_sink *sink = arg;

    if (sink->is_ready_awaited) {
        sink->is_ready_awaited = false;
        sink->full_since_ns = 0;
        if (offer_parked(sink)) {
            sink->events->on_ready(sink, sink->arg);
        }
    }
}

/* ---- life ---- */

static void return_all(struct sl_sink *sink, enum sluice_result result)
{
    struct sl_token *token;

    while ((token = sl_tokens_take_oldest(&sink->tokens))) {
        sl_sink_return(sink, token, result);
    }
}

static void on_lost(void *arg)
{
    return_all(arg, SLUICE_RESTARTED);
}

/* Frees everything but the instance. */
static void sink_free(struct sl_sink *sink)
{
    sl_processors_close(sink->processors);
    sl_host_fini(&sink->host);
    sl_log_end(&sink->subject);
    sl_loop_cancel(sink->loop, &sink->taking_due);
    sl_loop_cancel(sink->loop, &sink->ready_due);
    sl_loop_cancel(sink->loop, &sink->room_due);
    sl_loop_cancel(sink->loop, &sink->over_due);
    sl_loop_cancel(sink->loop, &sink->lost_due);
    sl_timer_free(sink->stall_timer);
    sl_timer_free(sink->overdue_timer);
    sl_timer_free(sink->retry_timer);
    if (sink->mailbox) {
        sl_mailbox_close(sink->mailbox);
    }
    sl_tokens_fini(&sink->tokens);
    free(sink);
}

static bool open_instance(struct sl_sink *sink, struct sl_status *why)
{
    const struct sluice_sink_plugin *plugin = sink->spec->plugin;
    char error[SL_STATUS_TEXT_BYTES] = "";

    sink->record_cost = plugin->record_cost(sink->spec->options) + SL_TOKEN_BYTES;
    sink->instance = plugin->open(&sink->host.host, sink->spec->options, error, sizeof(error));
    if (!sink->instance) {
        *why = sl_status_error(SL_UNAVAILABLE, "sink %s: %s", sink->spec->name, error);
    }
    return sink->instance != NULL;
}

static bool open_all(struct sl_sink *sink, struct sl_status *why)
{
    sink->mailbox = sl_mailbox_open(sink->loop);
    sink->stall_timer = sl_timer_new(sink->loop, on_stall_timer, sink);
    sink->overdue_timer = sl_timer_new(sink->loop, on_overdue_timer, sink);
    sink->retry_timer = sl_timer_new(sink->loop, on_retry, sink);
    if (!sink->mailbox || !sink->stall_timer || !sink->overdue_timer || !sink->retry_timer) {
        *why = sl_status_out_of_memory();
        return false;
    }
    if (sink->spec->processor_count > 0) {
        sink->processors = sl_processors_open(sink, why);
        if (!sink->processors) {
            return false;
        }
    }
    return open_instance(sink, why);
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

/* A number that no other sink of the process has. */
static uint64_t next_serial(void)
{
    static _Atomic uint64_t serial;

    return atomic_fetch_add(&serial, 1) + 1;
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
    sink->spec = spec;
    sink->loop = loop;
    sink->events = events;
    sink->arg = arg;
    sink->taking_due = (struct sl_deferred){.fn = tell_taking, .arg = sink};
    sink->ready_due = (struct sl_deferred){.fn = tell_ready, .arg = sink};
    sink->room_due = (struct sl_deferred){.fn = tell_room, .arg = sink};
    sink->over_due = (struct sl_deferred){.fn = tell_over, .arg = sink};
    sink->lost_due = (struct sl_deferred){.fn = on_lost, .arg = sink};
    init_subject(sink, worker);
    sl_sink_adopt(sink);
    sl_host_init(&sink->host, sink, collector, worker, NULL);
    sl_tokens_init(&sink->tokens, next_serial());
    snprintf(sink->reason, sizeof(sink->reason), "it has just been opened");
    if (!open_all(sink, why)) {
        sink_free(sink);
        return NULL;
    }
    return sink;
}

/* What its plugin has not brought back. */
static void take_back(struct sl_sink *sink, enum sluice_result result)
{
    return_parked(sink, result);
    if (sink->tokens.count > 0) {
        sink->bugs[SL_BUG_FORGOTTEN] += sink->tokens.count - 1;
        sl_sink_note_bug(sink, SL_BUG_FORGOTTEN, NULL);
    }
    return_all(sink, result);
}

void sl_sink_close(struct sl_sink *sink)
{
    SL_ASSERT(!sink->is_accepting && !sink->is_closing);
    sink->is_closing = true;
    sl_sink_adopt(sink);
    if (sink->is_given_up) {
        return_parked(sink, SLUICE_RESTARTED);
        return_all(sink, SLUICE_RESTARTED);
    } else {
        sink->spec->plugin->close(sink->instance);
        take_back(sink, SLUICE_FAILED);
    }
    sink_free(sink);
}

void sl_sink_give_up(struct sl_sink *sink)
{
    SL_ASSERT(!sink->is_accepting && !sink->is_closing);
    if (sink->is_given_up) {
        return;
    }
    sink->is_given_up = true;
    sink->spec->plugin->close(sink->instance);
    sink->instance = NULL;
    sl_host_fini(&sink->host);
    sl_mailbox_close(sink->mailbox); /* what is in it is for the instance */
    sink->mailbox = NULL;
    take_back(sink, SLUICE_RESTARTED);
    if (sink->is_ready_awaited) {
        sl_loop_defer(sink->loop, &sink->ready_due);
    }
}

bool sl_sink_is_given_up(const struct sl_sink *sink)
{
    return sink->is_given_up;
}

/* ---- what its owner may ask ---- */

void sl_sink_flush(struct sl_sink *sink)
{
    if (!sink->is_given_up) {
        sink->spec->plugin->flush(sink->instance);
    }
}

void sl_sink_tell_out(struct sl_sink *sink)
{
    if (sl_sink_in_flight(sink) > 0) {
        sl_log(SL_LOG_WARN, &sink->subject, "the plugin has not acknowledged records",
               sl_log_text("reason", "shutdown-timeout"),
               sl_log_u64("records", sl_sink_in_flight(sink)), oldest_field(sink));
    }
}

void sl_sink_cost_add(struct sl_sink *sink, uint64_t bytes)
{
    SL_ASSERT(!sink->spec->is_required);
    sink->cost_bytes += bytes;
    sink->is_over = sink->is_over || sink->cost_bytes >= sink->spec->memory_bytes;
}

void sl_sink_cost_sub(struct sl_sink *sink, uint64_t bytes)
{
    SL_ASSERT(sink->cost_bytes >= bytes);
    sink->cost_bytes -= bytes;
    if (sink->is_over && sink->cost_bytes <= sink->spec->memory_bytes / 2 && !sink->is_closing) {
        sink->is_over = false;
        sl_loop_defer(sink->loop, &sink->room_due);
    }
}

uint64_t sl_sink_cost(const struct sl_sink *sink)
{
    return sink->cost_bytes;
}

size_t sl_sink_record_cost(const struct sl_sink *sink)
{
    return sink->record_cost;
}

uint64_t sl_sink_in_flight(const struct sl_sink *sink)
{
    return sink->tokens.count + (sink->parked.token != NULL);
}

uint64_t sl_sink_overdue(const struct sl_sink *sink)
{
    return sink->tokens.overdue;
}

void sl_sink_stats(struct sl_sink *sink, struct sluice_stats *stats)
{
    *stats = (struct sluice_stats){0};
    if (!sink->is_given_up) {
        sink->spec->plugin->stats(sink->instance, stats);
    }
    if (stats->trouble_count > SLUICE_MAX_TROUBLES) {
        stats->trouble_count = SLUICE_MAX_TROUBLES;
    }
}

size_t sl_sink_partitions(struct sl_sink *sink, struct sluice_partition *partitions)
{
    const struct sluice_sink_plugin *plugin = sink->spec->plugin;

    return plugin->partitions
               ? sl_min_size(plugin->partitions(sink->instance, partitions, SLUICE_MAX_PARTITIONS),
                             SLUICE_MAX_PARTITIONS)
               : 0;
}

size_t sl_sink_most_bytes(const struct sl_sink *sink, const struct sluice_record *record)
{
    const struct sluice_sink_plugin *plugin = sink->spec->plugin;

    return plugin->most_bytes && !sink->is_given_up ? plugin->most_bytes(sink->instance, record)
                                                    : SIZE_MAX;
}

struct sl_log_subject *sl_sink_subject(struct sl_sink *sink)
{
    return &sink->subject;
}

const struct sl_sink_spec *sl_sink_spec(const struct sl_sink *sink)
{
    return sink->spec;
}
