/* rude.c - a sink and a processor for tests that break their interface in one way, each Nth record.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice_plugin.h"

enum { TICK_MS = 5 };

/* In the order of `rudenesses`. */
enum rudeness { NEVER, TWICE, UNKNOWN, WITHIN, THREAD, ANSWER, RESULT, LEAVES, FULL };
static const char *const rudenesses[] = {"never",  "twice",  "unknown", "within", "thread",
                                         "answer", "result", "leaves",  "full",   NULL};

struct options {
    int does;
    int64_t every;
};

struct item {
    struct item *next;
    struct sluice_token *token;
    bool is_rude;
};

struct rude {
    const struct sluice_host *host;
    const struct options *options;
    struct sluice_timer *timer;
    struct item *first;
    struct item **end;
    int64_t seen;
};

static void ack(struct rude *rude, struct sluice_token *token, enum sluice_result result)
{
    rude->host->calls->ack(rude->host, token, result, NULL);
}

/* ---- a thread of its own ---- */

struct errand {
    struct rude *rude;
    struct sluice_token *token;
};

static void *run_errand(void *arg)
{
    struct errand *errand = arg;
    const struct sluice_host *host = errand->rude->host;

    ack(errand->rude, errand->token, SLUICE_DELIVERED);
    host->calls->ready(host);
    host->calls->available(host, false, "from a thread of its own");
    host->calls->log(host, SLUICE_INFO, "this is allowed from any thread");
    return NULL;
}

static void ack_elsewhere(struct rude *rude, struct sluice_token *token)
{
    struct errand errand = {rude, token};
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_errand, &errand) == 0) {
        pthread_join(thread, NULL);
    }
}

/* ---- reports ---- */

static void report(struct rude *rude, const struct item *item)
{
    if (!item->is_rude) {
        ack(rude, item->token, SLUICE_DELIVERED);
        return;
    }
    switch ((enum rudeness)rude->options->does) {
    case NEVER:
        return;
    case TWICE:
        ack(rude, item->token, SLUICE_DELIVERED);
        break;
    case UNKNOWN:
        ack(rude, (struct sluice_token *)rude, SLUICE_DELIVERED);
        ack(rude, NULL, SLUICE_DELIVERED);
        break;
    case THREAD:
        ack_elsewhere(rude, item->token);
        break;
    case RESULT:
        ack(rude, item->token, (enum sluice_result)77);
        return;
    case WITHIN:
    case ANSWER:
    case LEAVES:
    case FULL:
        break;
    }
    ack(rude, item->token, SLUICE_DELIVERED);
}

static void on_tick(void *arg)
{
    struct rude *rude = arg;

    while (rude->first) {
        struct item *item = rude->first;
        rude->first = item->next;
        report(rude, item);
        free(item);
    }
    rude->end = &rude->first;
    rude->host->calls->timer_start(rude->timer, TICK_MS);
}

static enum sluice_accept rude_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct rude *rude = sink;
    struct item *item = calloc(1, sizeof(*item));

    if (!item || (rude->options->does == FULL && rude->seen == rude->options->every)) {
        free(item);
        return SLUICE_FULL; /* and never says that there is room */
    }
    item->token = token;
    item->is_rude = ++rude->seen % rude->options->every == 0;
    *rude->end = item;
    rude->end = &item->next;
    free(record->payload);
    if (item->is_rude && rude->options->does == WITHIN) {
        ack(rude, token, SLUICE_DELIVERED);
    }
    return item->is_rude && rude->options->does == ANSWER ? (enum sluice_accept)9 : SLUICE_TAKEN;
}

static size_t rude_record_cost(const void *options)
{
    (void)options;
    return 2 * sizeof(struct item);
}

static void *rude_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    struct rude *rude = calloc(1, sizeof(*rude));

    (void)error;
    (void)error_size;
    if (rude) {
        rude->host = host;
        rude->options = options;
        rude->end = &rude->first;
        rude->timer = host->calls->timer_new(host, on_tick, rude);
        host->calls->timer_start(rude->timer, TICK_MS);
        host->calls->available(host, true, "");
    }
    return rude;
}

static void rude_flush(void *sink)
{
    (void)sink;
}

static void rude_stats(void *sink, struct sluice_stats *stats)
{
    (void)sink;
    (void)stats;
}

static void rude_close(void *sink)
{
    struct rude *rude = sink;

    if (rude->options->does != LEAVES) {
        rude->host->calls->timer_free(rude->timer);
    }
    while (rude->first) { /* and does not report them */
        struct item *item = rude->first;
        rude->first = item->next;
        free(item);
    }
    free(rude);
}

#define AT(field) .offset = offsetof(struct options, field)

static const struct sluice_option sink_table[] = {
    {.name = "does", .type = SLUICE_ENUM, AT(does), .names = rudenesses, .doc = "What."},
    {.name = "every",
     .type = SLUICE_INT,
     AT(every),
     .default_text = "10",
     .min = 1,
     .max = 1000000,
     .doc = "Of so many records one."},
    {.name = NULL},
};

static const struct sluice_sink_plugin rude_plugin = {
    .type = "rude",
    .doc = "breaks its interface",
    .options = sink_table,
    .options_size = sizeof(struct options),
    .record_cost = rude_record_cost,
    .open = rude_open,
    .accept = rude_accept,
    .flush = rude_flush,
    .stats = rude_stats,
    .close = rude_close,
};

/* ---- the processor ---- */

/* In the order of `kneadings`. */
enum kneading { NUMBER, FILTER, BREAK, VERDICT, PAYLOAD, CALL };
static const char *const kneadings[] = {"number",  "filter", "break", "verdict",
                                        "payload", "call",   NULL};

struct knead {
    const struct sluice_host *host;
    const struct options *options;
    int64_t seen;
    char topic[64];
};

static void *knead_open(const struct sluice_host *host, const void *options, char *error,
                        size_t error_size)
{
    struct knead *knead = calloc(1, sizeof(*knead));

    (void)error;
    (void)error_size;
    if (knead) {
        knead->host = host;
        knead->options = options;
    }
    return knead;
}

/* The payload becomes {"n": N, "record": payload}, the topic ends with N. */
static enum sluice_verdict number(struct knead *knead, struct sluice_record *record)
{
    size_t room = record->payload_len + 64;
    char *payload = malloc(room);

    if (!payload) {
        return SLUICE_BROKEN;
    }
    record->payload_len =
        (size_t)snprintf(payload, room, "{\"n\":%lld,\"record\":%.*s}", (long long)knead->seen,
                         (int)record->payload_len, record->payload);
    free(record->payload);
    record->payload = payload;
    snprintf(knead->topic, sizeof(knead->topic), "%.*s-%lld", (int)record->destination.len,
             record->destination.data, (long long)knead->seen);
    record->destination = (struct sluice_str){knead->topic, strlen(knead->topic)};
    record->key = (struct sluice_str){"kneaded", 7};
    return SLUICE_KEPT;
}

static enum sluice_verdict knead_process(void *processor, struct sluice_record *record, char *error,
                                         size_t error_size)
{
    struct knead *knead = processor;

    knead->seen++;
    if (knead->seen % knead->options->every != 0) {
        return SLUICE_KEPT;
    }
    switch ((enum kneading)knead->options->does) {
    case NUMBER:
        return number(knead, record);
    case FILTER:
        return SLUICE_FILTERED;
    case BREAK:
        snprintf(error, error_size, "it is the one that cannot be done");
        return SLUICE_BROKEN;
    case VERDICT:
        return (enum sluice_verdict)99;
    case PAYLOAD:
        free(record->payload);
        record->payload = NULL;
        return SLUICE_KEPT;
    case CALL:
        knead->host->calls->ready(knead->host);
        break;
    }
    return SLUICE_KEPT;
}

static void knead_close(void *processor)
{
    free(processor);
}

static const struct sluice_option knead_table[] = {
    {.name = "does", .type = SLUICE_ENUM, AT(does), .names = kneadings, .doc = "What."},
    {.name = "every",
     .type = SLUICE_INT,
     AT(every),
     .default_text = "1",
     .min = 1,
     .max = 1000000,
     .doc = "With each record of so many."},
    {.name = NULL},
};

static const struct sluice_processor_plugin knead_plugin = {
    .type = "knead",
    .doc = "kneads records",
    .options = knead_table,
    .options_size = sizeof(struct options),
    .open = knead_open,
    .process = knead_process,
    .close = knead_close,
};

static const struct sluice_sink_plugin *const sinks[] = {&rude_plugin, NULL};
static const struct sluice_processor_plugin *const processors[] = {&knead_plugin, NULL};

const struct sluice_plugin sluice_plugin = {
    SLUICE_PLUGIN_HEAD, .name = "rude", .version = "1", .sinks = sinks, .processors = processors,
};
