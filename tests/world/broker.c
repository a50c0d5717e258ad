#include "world/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "world/book.h"
#include "world/cover.h"

enum { RECORD_COST_BYTES = 300, LATE_FACTOR = 20 };

#define MS(n) ((int64_t)(n) * 1000 * 1000)

struct taken {
    struct sl_list node;
    struct sluice_token *token;
    struct book_record record;
    int64_t due_ns;
    size_t payload_len;
};

struct partition {
    struct sl_list records; /* in the order in which they were taken */
    int64_t last_due_ns;
    unsigned stalls, failures; /* that last */
};

struct broker {
    const struct sluice_host *host;
    struct run *run;
    unsigned index;
    const struct plan_sink *plan;
    struct world_random random;
    struct sluice_timer *timer;
    struct partition partitions[PLAN_PARTITIONS];
    uint64_t records, payload_bytes;
    unsigned full, flickering, unavailable, silent, slow; /* faults that last */
    bool has_refused;                                     /* FULL was said, and ready not since */
    bool is_reporting;
};

struct run *broker_run;

struct options {
    int64_t index;
};

static const struct sluice_option options_table[] = {
    {.name = "index",
     .type = SLUICE_INT,
     .offset = offsetof(struct options, index),
     .max = PLAN_SINKS - 1,
     .is_required = true,
     .doc = "Which of the plan's sinks it is."},
    {.name = NULL},
};

/* ---- reports ---- */

static bool is_silent(const struct broker *broker, const struct partition *partition)
{
    return broker->silent || broker->unavailable || partition->stalls;
}

/* When the next report is due; 0: none is. */
static int64_t next_due(const struct broker *broker)
{
    int64_t next_ns = 0;

    for (unsigned i = 0; i < broker->plan->partitions; i++) {
        const struct partition *partition = &broker->partitions[i];
        if (sl_list_is_empty(&partition->records) || is_silent(broker, partition)) {
            continue;
        }
        int64_t due_ns = SL_CONTAINER_OF(partition->records.next, const struct taken, node)->due_ns;
        next_ns = next_ns == 0 || due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

static bool has_room(const struct broker *broker)
{
    return !broker->full && broker->records < broker->plan->room;
}

static void arm(struct broker *broker)
{
    int64_t due_ns = next_due(broker);
    int64_t wait_ns = due_ns - world_now_ns();

    if (broker->has_refused && has_room(broker)) {
        due_ns = 1;
        wait_ns = 0; /* to say so */
    }
    if (due_ns && !broker->is_reporting) {
        broker->host->calls->timer_start(
            broker->timer, wait_ns > 0 ? (uint64_t)((wait_ns + MS(1) - 1) / MS(1)) : 0);
    }
}

static void tell_room(struct broker *broker)
{
    if (broker->has_refused && has_room(broker)) {
        broker->has_refused = false;
        broker->host->calls->ready(broker->host);
    }
}

static void report(struct broker *broker, struct taken *taken, bool is_delivered)
{
    struct sluice_token *token = taken->token;

    sl_list_remove(&taken->node);
    broker->records--;
    broker->payload_bytes -= taken->payload_len;
    book_report(broker->run->book, &taken->record, is_delivered);
    broker->run->cover->reports++;
    run_count(broker->run);
    free(taken);
    broker->host->calls->ack(broker->host, token, is_delivered ? SLUICE_DELIVERED : SLUICE_FAILED,
                             is_delivered ? NULL : "the broker says no");
}

static void report_due(struct broker *broker, struct partition *partition, int64_t now_ns)
{
    while (!sl_list_is_empty(&partition->records) && !is_silent(broker, partition)) {
        struct taken *taken = SL_CONTAINER_OF(partition->records.next, struct taken, node);
        if (taken->due_ns > now_ns) {
            break;
        }
        report(broker, taken, partition->failures == 0);
    }
}

/* Begins with another partition each time. */
static void on_timer(void *arg)
{
    struct broker *broker = arg;
    int64_t now_ns = world_now_ns();
    unsigned first = (unsigned)world_random_below(&broker->random, broker->plan->partitions);

    broker->is_reporting = true;
    for (unsigned i = 0; i < broker->plan->partitions; i++) {
        report_due(broker, &broker->partitions[(first + i) % broker->plan->partitions], now_ns);
    }
    broker->is_reporting = false;
    tell_room(broker);
    arm(broker);
}

/* ---- the plugin ---- */

static size_t record_cost(const void *options)
{
    (void)options;
    return RECORD_COST_BYTES;
}

static void *open_broker(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    const struct options *given = options;
    struct broker *broker = calloc(1, sizeof(*broker));

    (void)error;
    (void)error_size;
    SL_ASSERT(broker);
    broker->host = host;
    broker->run = broker_run;
    broker->index = (unsigned)given->index;
    broker->plan = &broker_run->plan->sinks[broker->index];
    world_random_init(&broker->random, broker_run->plan->seed + broker->index,
                      "what a broker does");
    for (unsigned i = 0; i < PLAN_PARTITIONS; i++) {
        sl_list_init(&broker->partitions[i].records);
    }
    broker->timer = host->calls->timer_new(host, on_timer, broker);
    SL_ASSERT(broker->timer);
    broker->run->brokers[broker->index] = broker;
    host->calls->available(host, true, "");
    return broker;
}

static struct partition *partition_of(struct broker *broker, const struct book_record *record)
{
    unsigned number = record->device * 7 + record->stream * 3 + record->member;

    return &broker->partitions[number % broker->plan->partitions];
}

static int64_t draw_due(struct broker *broker, struct partition *partition)
{
    int64_t factor = broker->slow ? LATE_FACTOR : 1;
    int64_t due_ns =
        world_now_ns() + broker->plan->latency_ns * factor +
        (int64_t)world_random_below(&broker->random, (uint64_t)(broker->plan->jitter_ns * factor));

    partition->last_due_ns = due_ns > partition->last_due_ns ? due_ns : partition->last_due_ns;
    return partition->last_due_ns;
}

static enum sluice_accept accept_record(void *sink, const struct sluice_record *record,
                                        struct sluice_token *token)
{
    struct broker *broker = sink;
    bool is_refused =
        !has_room(broker) || (broker->flickering && world_random_chance(&broker->random, 500));

    if (is_refused) {
        broker->has_refused = true;
        arm(broker); /* it may have flickered */
        return SLUICE_FULL;
    }
    struct taken *taken = calloc(1, sizeof(*taken));

    SL_ASSERT(taken);
    (void)book_accept(broker->run->book, broker->index, record, &taken->record);
    struct partition *partition = partition_of(broker, &taken->record);

    taken->token = token;
    taken->payload_len = record->payload_len;
    taken->due_ns = draw_due(broker, partition);
    sl_list_init(&taken->node);
    sl_list_append(&partition->records, &taken->node);
    broker->records++;
    broker->payload_bytes += record->payload_len;
    free(record->payload);
    broker->run->cover->deliveries++;
    run_count(broker->run);
    arm(broker);
    return SLUICE_TAKEN;
}

static void flush_records(void *sink)
{
    (void)sink;
}

static void get_stats(void *sink, struct sluice_stats *stats)
{
    const struct broker *broker = sink;

    *stats = (struct sluice_stats){.queued_records = broker->records,
                                   .queued_bytes = broker->payload_bytes};
}

static void close_broker(void *sink)
{
    struct broker *broker = sink;

    for (unsigned i = 0; i < PLAN_PARTITIONS; i++) {
        struct sl_list *records = &broker->partitions[i].records;
        while (!sl_list_is_empty(records)) {
            report(broker, SL_CONTAINER_OF(records->next, struct taken, node), false);
        }
    }
    broker->host->calls->timer_free(broker->timer);
    broker->run->brokers[broker->index] = NULL;
    free(broker);
}

const struct sluice_sink_plugin broker_plugin = {
    .type = "world",
    .doc = "Kafka, as far as the core can tell.",
    .options = options_table,
    .options_size = sizeof(struct options),
    .record_cost = record_cost,
    .open = open_broker,
    .accept = accept_record,
    .flush = flush_records,
    .stats = get_stats,
    .close = close_broker,
};

/* ---- faults ---- */

static unsigned *lasting(struct broker *broker, const struct plan_fault *fault)
{
    struct partition *partition = &broker->partitions[fault->partition % broker->plan->partitions];

    switch ((int)fault->kind) {
    case FAULT_PARTITION_STALL:
        return &partition->stalls;
    case FAULT_PARTITION_FAILS:
        return &partition->failures;
    case FAULT_FULL:
        return &broker->full;
    case FAULT_FLICKER:
        return &broker->flickering;
    case FAULT_UNAVAILABLE:
        return &broker->unavailable;
    case FAULT_SILENT_SINK:
        return &broker->silent;
    case FAULT_SLOW_SINK:
        return &broker->slow;
    default:
        return NULL;
    }
}

static void changed(struct broker *broker, const struct plan_fault *fault)
{
    if (fault->kind == FAULT_UNAVAILABLE) {
        broker->host->calls->available(broker->host, broker->unavailable == 0, "brokers are down");
    }
    tell_room(broker);
    arm(broker);
}

bool broker_fault(struct broker *broker, const struct plan_fault *fault)
{
    unsigned *count = lasting(broker, fault);

    if (!count) {
        return false;
    }
    ++*count;
    changed(broker, fault);
    return true;
}

void broker_heal(struct broker *broker, const struct plan_fault *fault)
{
    unsigned *count = lasting(broker, fault);

    SL_ASSERT(count && *count > 0);
    --*count;
    changed(broker, fault);
}

bool broker_is_available(const struct broker *broker)
{
    return broker->unavailable == 0;
}

uint64_t broker_payload_bytes(const struct broker *broker)
{
    return broker->payload_bytes;
}

uint64_t broker_records(const struct broker *broker)
{
    return broker->records;
}
