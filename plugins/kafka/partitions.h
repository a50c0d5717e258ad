/* partitions.h - what librdkafka's statistics say about partitions: who leads them, and what waits.
 *
 * Topics and their partitions may be many, so they are read only while somebody looks, and within
 * limits; memory is taken at the first look.
 */
#ifndef SLUICE_KAFKA_PARTITIONS_H
#define SLUICE_KAFKA_PARTITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice_plugin.h"

enum {
    KAFKA_MAX_STATISTICS_BYTES = 2 * 1024 * 1024, /* that are looked into: some 1,500 partitions */
    KAFKA_LOOK_MS = 15 * 1000,                    /* so long after a question they are read */
};

struct kafka_partition;

/* Zeroed storage knows nothing. */
struct kafka_partitions {
    struct kafka_partition *rows; /* SLUICE_MAX_PARTITIONS; NULL: nobody has asked yet */
    size_t count;
    int64_t asked_ms;
};

void kafka_partitions_fini(struct kafka_partitions *partitions);

/* Those known, at most `most`; their names are good until the next call of either. Nothing in the
 * first second. `now_ms` is not 0. */
size_t kafka_partitions_ask(struct kafka_partitions *partitions, struct sluice_partition *told,
                            size_t most, int64_t now_ms);

/* Reads them out of the statistics, where somebody has asked lately. Those with records go first.
 * The latency is that of the leader's answers in the last second: queued, sent and answered. */
void kafka_partitions_read(struct kafka_partitions *partitions, const char *json, size_t len,
                           int64_t now_ms);

#endif
