/* null.c - a sink that forgets every record and says "delivered", at once or after a while.
 *
 * For trials and measurements: what sluice itself costs, and what a round trip of `delay` does to
 * credit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sluice_plugin.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

enum { FIRST_ENTRIES = 64, RETRY_MS = 10 };

struct null_options {
    int64_t delay_ns;
};

struct entry {
    struct sluice_token *token;
    size_t payload_len;
    int64_t taken_ns;
};

struct null_sink {
    const struct sluice_host *host;
    int64_t delay_ns;
    struct sluice_timer *timer; /* armed while anything waits, or memory was out */
    struct entry *ring;         /* `cap` entries, a power of two; oldest at `head` */
    size_t cap;
    size_t head;
    size_t count;
    uint64_t queued_bytes;
    int64_t latency_ns;
    bool is_full;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Twice the room, the oldest entry first. */
static bool grow(struct null_sink *null)
{
    size_t cap = null->cap ? null->cap * 2 : FIRST_ENTRIES;
    struct entry *ring = calloc(cap, sizeof(*ring));

    if (!ring) {
        return false;
    }
    for (size_t i = 0; i < null->count; i++) {
        ring[i] = null->ring[(null->head + i) & (null->cap - 1)];
    }
    free(null->ring);
    null->ring = ring;
    null->cap = cap;
    null->head = 0;
    return true;
}

static void acknowledge_oldest(struct null_sink *null, enum sluice_result result,
                               const char *reason)
{
    struct entry entry = null->ring[null->head];

    null->head = (null->head + 1) & (null->cap - 1);
    null->count--;
    null->queued_bytes -= entry.payload_len;
    null->host->calls->ack(null->host, entry.token, result, reason);
}

static void on_timer(void *arg)
{
    struct null_sink *null = arg;
    int64_t now = now_ns();
    size_t due = 0;

    while (due < null->count) {
        const struct entry *entry = &null->ring[(null->head + due) & (null->cap - 1)];
        if (now - entry->taken_ns < null->delay_ns) {
            break;
        }
        null->latency_ns += (now - entry->taken_ns - null->latency_ns) / 8;
        due++;
    }
    for (; due > 0; due--) {
        acknowledge_oldest(null, SLUICE_DELIVERED, NULL);
    }
    if (null->count > 0) {
        int64_t wait_ns = null->ring[null->head].taken_ns + null->delay_ns - now;
        uint64_t wait_ms = wait_ns > 0 ? (uint64_t)((wait_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;
        null->host->calls->timer_start(null->timer, wait_ms);
    }
    if (null->is_full) {
        null->is_full = false;
        null->host->calls->ready(null->host);
    }
}

static enum sluice_accept null_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct null_sink *null = sink;

    if (null->count == null->cap && !grow(null)) {
        null->is_full = true;
        if (null->count == 0) {
            null->host->calls->timer_start(null->timer, RETRY_MS);
        }
        return SLUICE_FULL;
    }
    null->ring[(null->head + null->count) & (null->cap - 1)] =
        (struct entry){token, record->payload_len, now_ns()};
    null->queued_bytes += record->payload_len;
    free(record->payload);
    if (null->count++ == 0) {
        null->host->calls->timer_start(null->timer, (uint64_t)(null->delay_ns / NS_PER_MS));
    }
    return SLUICE_TAKEN;
}

static size_t null_record_cost(const void *options)
{
    (void)options;
    return 2 * sizeof(struct entry); /* the ring is at least half full when it has just grown */
}

static void *null_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    const struct null_options *null_options = options;
    struct null_sink *null = calloc(1, sizeof(*null));

    if (null) {
        null->host = host;
        null->delay_ns = null_options->delay_ns;
        null->timer = host->calls->timer_new(host, on_timer, null);
        if (null->timer) {
            host->calls->available(host, true, "");
            return null;
        }
    }
    free(null);
    snprintf(error, error_size, "out of memory");
    return NULL;
}

static void null_flush(void *sink)
{
    (void)sink; /* `delay` is a round trip, not a wait for company */
}

static void null_stats(void *sink, struct sluice_stats *stats)
{
    const struct null_sink *null = sink;

    *stats = (struct sluice_stats){
        .queued_records = null->count,
        .queued_bytes = null->queued_bytes,
        .report_latency_ns = null->latency_ns,
    };
}

static void null_close(void *sink)
{
    struct null_sink *null = sink;

    null->host->calls->timer_free(null->timer);
    while (null->count > 0) {
        acknowledge_oldest(null, SLUICE_FAILED, "the sink is closed");
    }
    free(null->ring);
    free(null);
}

static const struct sluice_option null_options[] = {
    {.name = "delay",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct null_options, delay_ns),
     .default_text = "0s",
     .max = 3600 * NS_PER_S,
     .doc = "how long a record counts as being on its way, for trials of slow sinks"},
    {.name = NULL},
};

const struct sluice_sink_plugin sluice_null_plugin = {
    .type = "null",
    .doc = "forgets every record, for trials and measurements",
    .options = null_options,
    .options_size = sizeof(struct null_options),
    .record_cost = null_record_cost,
    .open = null_open,
    .accept = null_accept,
    .flush = null_flush,
    .stats = null_stats,
    .close = null_close,
};
