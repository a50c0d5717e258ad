/* kafka_bench.h - a Kafka sink on top of a cluster in memory, and what the cluster got. */
#ifndef SLUICE_TESTS_PLUGINS_KAFKA_BENCH_H
#define SLUICE_TESTS_PLUGINS_KAFKA_BENCH_H

#include "cluster.h"
#include "fixture.h"
#include "kafka/conf.h"

#define DAY_NS (INT64_C(86400) * SL_NS_PER_S)

enum { PARTITIONS = 4 };

struct bench {
    struct cluster cluster;
    struct fixture fixture;
    struct kafka_options options;
};

/* Room for `most` records. */
void bench_init(struct bench *bench, enum kafka_headers headers, size_t most);
void bench_fini(struct bench *bench);

/* The same with options of the test's, but for the brokers and the topic. */
void bench_init_with(struct bench *bench, const struct kafka_options *options, size_t most);

/* How often the sink met that reason; and whether it is in it now. */
uint64_t bench_trouble(struct bench *bench, const char *reason, bool *is_now);

struct sluice_str str(const char *text);

/* Record `seq` of a stream, for the partition that `key` leads to. */
struct sluice_record record_of(uint64_t seq, const char *key);

/* Offers it, its number as the payload. */
bool give(struct bench *bench, uint64_t seq, const char *key);

/* The numbers 1 to `count` are in topic "t", once each, and, where asked, in that order. */
void assert_seen_once(struct bench *bench, size_t count, bool is_in_order);

/* The numbers 1 to `count` are there in order, all of one key. A batch may stand there twice: the
 * mock cluster stores again what was sent again because its answer was lost in an outage (a real
 * broker knows the producer's sequence, which the integration tests prove). */
void assert_seen_whole(struct bench *bench, size_t count);

#endif
