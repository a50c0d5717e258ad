/* calm.h - keeps librdkafka's threads from polling without sleep while a broker is silent.
 *
 * librdkafka 2.0.2's idempotent producer has one batch of a partition out at a time. Records behind
 * it that have waited for linger.ms make its thread poll with a timeout of 0 until the answer
 * comes: a core per producer, for as long as a broker stands still or is slower than linger. On a
 * machine that the broker shares, that alone keeps it slow.
 *
 * A paused partition asks for no such wake-ups, and its batch that is out goes on. So: after
 * KAFKA_SILENCE_MS without a report while records are out, pause every partition that a report has
 * ever come from; at the next report resume; and without one look again every KAFKA_PAUSE_MS, since
 * a batch that failed with its connection is sent again only by a partition that is not paused.
 *
 * Loop thread only. Time is the caller's.
 */
#ifndef SLUICE_KAFKA_CALM_H
#define SLUICE_KAFKA_CALM_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

enum {
    KAFKA_SILENCE_MS = 10,
    KAFKA_PAUSE_MS = 100,
    KAFKA_CALM_MAX_PARTITIONS = 4096, /* those beyond are never paused */
};

struct kafka_calm {
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t
        *partitions;            /* that a report came from; `opaque` is the topic */
    rd_kafka_topic_t *last_rkt; /* of the newest report; compared only */
    int32_t last_partition;
    int64_t report_ms; /* of the newest report, or of the first record out since there were none */
    bool is_armed;     /* the caller's timer runs */
    bool is_paused;
    bool is_held; /* paused for good */
};

/* False when memory is out. `rk` outlives it (and is not destroyed before kafka_calm_fini). */
bool kafka_calm_init(struct kafka_calm *calm, rd_kafka_t *rk);
void kafka_calm_fini(struct kafka_calm *calm);

/* A report came from a partition. Cheap when it is the same as before. */
void kafka_calm_note(struct kafka_calm *calm, rd_kafka_topic_t *rkt, int32_t partition);

/* Nothing more is to be sent: every partition that a report has ever come from stays paused. */
void kafka_calm_hold(struct kafka_calm *calm);

/* Records are out. In how many milliseconds to call kafka_calm_tick, 0: that is arranged already.
 */
uint64_t kafka_calm_begin(struct kafka_calm *calm, int64_t now_ms);

/* Reports came (all of one poll). */
void kafka_calm_heard(struct kafka_calm *calm, int64_t now_ms);

/* The time has come; `is_out`: records are out. In how many milliseconds to call again; 0: not. */
uint64_t kafka_calm_tick(struct kafka_calm *calm, int64_t now_ms, bool is_out);

#endif
