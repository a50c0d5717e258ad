#include "calm.h"

#include <string.h>

bool kafka_calm_init(struct kafka_calm *calm, rd_kafka_t *rk)
{
    memset(calm, 0, sizeof(*calm));
    calm->rk = rk;
    calm->partitions = rd_kafka_topic_partition_list_new(1);
    return calm->partitions != NULL;
}

void kafka_calm_fini(struct kafka_calm *calm)
{
    for (int i = 0; calm->partitions && i < calm->partitions->cnt; i++) {
        rd_kafka_topic_t *topic = calm->partitions->elems[i].opaque;
        if (topic) {
            rd_kafka_topic_destroy(topic);
        }
    }
    if (calm->partitions) {
        rd_kafka_topic_partition_list_destroy(calm->partitions);
    }
}

void kafka_calm_note(struct kafka_calm *calm, rd_kafka_topic_t *rkt, int32_t partition)
{
    if (rkt == calm->last_rkt && partition == calm->last_partition) {
        return;
    }
    calm->last_rkt = rkt;
    calm->last_partition = partition;
    const char *topic = rd_kafka_topic_name(rkt);
    if (partition >= 0 && calm->partitions->cnt < KAFKA_CALM_MAX_PARTITIONS &&
        !rd_kafka_topic_partition_list_find(calm->partitions, topic, partition)) {
        rd_kafka_topic_partition_t *added =
            rd_kafka_topic_partition_list_add(calm->partitions, topic, partition);
        added->opaque = rd_kafka_topic_new(calm->rk, topic, NULL); /* one more hold on it */
    }
}

/* Each pause and each resume leaves a mark in the partition's queue of fetched messages, so that a
 * consumer could tell older ones from newer ones. A producer has no messages there, but nobody
 * takes the marks out either, and each is put in by a walk over all before it: they are taken out
 * here, by asking for a message. */
static void take_marks_out(struct kafka_calm *calm)
{
    for (int i = 0; i < calm->partitions->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &calm->partitions->elems[i];
        rd_kafka_message_t *message =
            one->opaque ? rd_kafka_consume(one->opaque, one->partition, 0) : NULL;
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
}

/* What an error would be about stands in each element: a partition that is gone, and needs none. */
static void set_paused(struct kafka_calm *calm, bool is_paused)
{
    if (calm->is_held || calm->is_paused == is_paused || calm->partitions->cnt == 0) {
        return;
    }
    calm->is_paused = is_paused;
    if (is_paused) {
        rd_kafka_pause_partitions(calm->rk, calm->partitions);
    } else {
        rd_kafka_resume_partitions(calm->rk, calm->partitions);
        rd_kafka_flush(calm->rk, 0); /* wakes the threads, which have nothing else to wake for */
    }
    take_marks_out(calm);
}

void kafka_calm_hold(struct kafka_calm *calm)
{
    set_paused(calm, true);
    calm->is_held = true;
}

uint64_t kafka_calm_begin(struct kafka_calm *calm, int64_t now_ms)
{
    if (calm->is_armed) {
        return 0;
    }
    calm->is_armed = true;
    calm->report_ms = now_ms;
    return KAFKA_SILENCE_MS;
}

void kafka_calm_heard(struct kafka_calm *calm, int64_t now_ms)
{
    calm->report_ms = now_ms;
    set_paused(calm, false);
}

uint64_t kafka_calm_tick(struct kafka_calm *calm, int64_t now_ms, bool is_out)
{
    int64_t silent_ms = now_ms - calm->report_ms;

    if (!is_out || calm->is_held) {
        set_paused(calm, false);
        calm->is_armed = false;
        return 0;
    }
    if (calm->is_paused) {
        set_paused(calm, false);
        return KAFKA_SILENCE_MS;
    }
    if (silent_ms < KAFKA_SILENCE_MS) {
        return (uint64_t)(KAFKA_SILENCE_MS - silent_ms);
    }
    set_paused(calm, true);
    return KAFKA_PAUSE_MS;
}
