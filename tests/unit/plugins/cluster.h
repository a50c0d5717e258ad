/* cluster.h - a Kafka cluster in memory, and all that a topic of it holds. */
#ifndef SLUICE_TESTS_PLUGINS_CLUSTER_H
#define SLUICE_TESTS_PLUGINS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct cluster {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    const char *brokers[2]; /* for struct sluice_strings */
};

void cluster_init(struct cluster *cluster);
void cluster_fini(struct cluster *cluster);
void cluster_set_up(struct cluster *cluster, bool is_up);

/* Reads partitions 0 to `partitions` of `topic` from their beginning until `count` records came and
 * none are left; calls fn for each. The number of records that there were. */
size_t cluster_read(struct cluster *cluster, const char *topic, int partitions, size_t count,
                    void (*fn)(const rd_kafka_message_t *message, void *arg), void *arg);

#endif
