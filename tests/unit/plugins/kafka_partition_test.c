/* kafka_partition_test.c - which partition a record goes to: as other programs have it, so that
 * consumers find the same keys in the same places; or as it is told. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "kafka_bench.h"

enum { SIZES = 4, KEYLESS = 40 };

static const int sizes[SIZES] = {4, 7, 12, 100};
static const char *const topics[SIZES] = {"t4", "t7", "t12", "t100"};

struct vector {
    const char *key;
    int partition[SIZES];
};

/* As HashPartitioner of github.com/IBM/sarama 1.43.3 has it, which gnmic uses. */
static const struct vector fnv1a[] = {
    {"leaf1", {0, 6, 8, 16}},
    {"leaf2", {3, 5, 11, 59}},
    {"leaf1:57400", {2, 0, 10, 18}},
    {"spine-03.dc1", {0, 1, 4, 72}},
    {"a", {0, 6, 0, 76}},
    {"ab", {2, 2, 6, 46}},
    {"abc", {3, 5, 11, 31}},
    {"abcd", {3, 1, 3, 63}},
    {"172.17.0.100:57400", {0, 0, 0, 52}},
    {"r\xc3\xa9seau", {1, 2, 1, 37}},
    {"0123456789abcdef0123456789abcdef", {3, 1, 7, 71}},
    {"leaf1:57400:::counters", {3, 0, 3, 95}},
    {NULL, {0}},
};

/* As toPositive(murmur2(key)) % n of Apache Kafka's own client, kafka-clients 3.9.1. */
static const struct vector murmur2[] = {
    {"leaf1", {1, 2, 1, 13}},
    {"leaf2", {3, 4, 11, 79}},
    {"leaf1:57400", {2, 2, 2, 62}},
    {"spine-03.dc1", {0, 3, 0, 64}},
    {"a", {0, 5, 4, 24}},
    {"ab", {2, 0, 2, 34}},
    {"abc", {3, 4, 3, 7}},
    {"abcd", {0, 5, 8, 0}},
    {"172.17.0.100:57400", {2, 1, 10, 46}},
    {"r\xc3\xa9seau", {2, 1, 10, 50}},
    {"0123456789abcdef0123456789abcdef", {1, 5, 5, 33}},
    {"leaf1:57400:::counters", {2, 6, 2, 22}},
    {NULL, {0}},
};

static void give_to(struct bench *bench, const char *topic, const char *key, const char *partition)
{
    struct sluice_record record = record_of(1, key);

    record.destination = str(topic);
    record.partition = partition ? str(partition) : (struct sluice_str){NULL, 0};
    assert_true(fixture_give_soon(&bench->fixture, &record, "x", 1));
}

static void init(struct bench *bench, enum kafka_partitioner partitioner)
{
    const struct kafka_options options = {.partitioner = (int)partitioner};

    bench_init_with(bench, &options, 500);
    for (size_t i = 0; i < SIZES; i++) {
        rd_kafka_mock_topic_create(bench->cluster.mock, topics[i], sizes[i], 1);
    }
    assert_true(fixture_run_until(&bench->fixture, is_taking));
}

struct wanted {
    const struct vector *vectors;
    size_t size;
    size_t seen;
};

static void see(const rd_kafka_message_t *message, void *arg)
{
    struct wanted *wanted = arg;

    for (const struct vector *vector = wanted->vectors; vector->key; vector++) {
        if (message->key_len == strlen(vector->key) &&
            memcmp(message->key, vector->key, message->key_len) == 0) {
            assert_int_equal(message->partition, vector->partition[wanted->size]);
            wanted->seen++;
        }
    }
}

static void assert_vectors(enum kafka_partitioner partitioner, const struct vector *vectors)
{
    struct bench bench;
    size_t count = 0;

    init(&bench, partitioner);
    for (size_t size = 0; size < SIZES; size++) {
        count = 0;
        for (const struct vector *vector = vectors; vector->key; vector++, count++) {
            give_to(&bench, topics[size], vector->key, NULL);
        }
    }
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    for (size_t size = 0; size < SIZES; size++) {
        struct wanted wanted = {vectors, size, 0};
        cluster_read(&bench.cluster, topics[size], sizes[size], count, see, &wanted);
        assert_int_equal(wanted.seen, count);
    }
    bench_fini(&bench);
}

static void fnv1a_is_that_of_gnmic(void **state)
{
    (void)state;
    assert_vectors(KAFKA_FNV1A, fnv1a);
}

static void murmur2_is_that_of_java(void **state)
{
    (void)state;
    assert_vectors(KAFKA_MURMUR2, murmur2);
}

static void note_partition(const rd_kafka_message_t *message, void *arg)
{
    *(uint64_t *)arg |= UINT64_C(1) << message->partition;
}

/* In which of the twelve partitions they are; one at a time, so that no batch keeps them together.
 */
static uint64_t partitions_of(enum kafka_partitioner partitioner, const char *key)
{
    struct bench bench;
    uint64_t partitions = 0;

    init(&bench, partitioner);
    for (int i = 0; i < KEYLESS; i++) {
        give_to(&bench, "t12", key, NULL);
        assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    }
    cluster_read(&bench.cluster, "t12", 12, KEYLESS, note_partition, &partitions);
    bench_fini(&bench);
    return partitions;
}

static bool is_one(uint64_t partitions)
{
    return partitions != 0 && (partitions & (partitions - 1)) == 0;
}

static void records_without_a_key_go_anywhere_but_with_consistent(void **state)
{
    (void)state;
    assert_false(is_one(partitions_of(KAFKA_CONSISTENT_RANDOM, NULL)));
    assert_false(is_one(partitions_of(KAFKA_FNV1A, NULL)));
    assert_true(is_one(partitions_of(KAFKA_CONSISTENT, NULL)));
}

static void a_key_stays_together_but_with_random(void **state)
{
    (void)state;
    assert_true(is_one(partitions_of(KAFKA_CONSISTENT_RANDOM, "leaf1")));
    assert_false(is_one(partitions_of(KAFKA_RANDOM, "leaf1")));
}

static void a_partition_that_is_said_is_taken(void **state)
{
    struct bench bench;
    uint64_t partitions = 0;

    (void)state;
    init(&bench, KAFKA_MURMUR2);
    give_to(&bench, "t12", "leaf1", "0");
    give_to(&bench, "t12", "leaf1", "11");
    give_to(&bench, "t12", "leaf2", "11");
    give_to(&bench, "t12", "leaf1", "");
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    cluster_read(&bench.cluster, "t12", 12, 4, note_partition, &partitions);
    assert_int_equal(partitions, 1 << 0 | 1 << 11 | 1 << 1);
    give_to(&bench, "t12", "leaf1", "x");
    give_to(&bench, "t12", "leaf1", "-1");
    give_to(&bench, "t12", "leaf1", "1234567890");
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 3);
    bench_fini(&bench);
}

/* Until the statistics, which come once a second, have told of all twelve. */
static bool are_told(const struct fixture *fixture)
{
    struct sluice_partition told[SLUICE_MAX_PARTITIONS];
    size_t count = sl_sink_partitions(fixture->sink, told), known = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_ours =
            told[i].destination.len == 3 && memcmp(told[i].destination.data, "t12", 3) == 0;
        known += is_ours && told[i].leader > 0 && told[i].number >= 0 && told[i].number < 12;
    }
    return known == 12;
}

static void partitions_are_told_with_their_leaders(void **state)
{
    struct sluice_partition told[SLUICE_MAX_PARTITIONS];
    struct bench bench;

    (void)state;
    init(&bench, KAFKA_MURMUR2);
    give_to(&bench, "t12", "leaf1", "11");
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_int_equal(sl_sink_partitions(bench.fixture.sink, told), 0); /* nobody had asked */
    assert_true(fixture_run_until(&bench.fixture, are_told));
    bench_fini(&bench);
}

static bool is_missed(const struct fixture *fixture)
{
    struct sluice_stats stats;
    bool is_missing = false;

    sl_sink_stats(fixture->sink, &stats);
    for (uint32_t i = 0; i < stats.trouble_count; i++) {
        is_missing = is_missing || (strcmp(stats.troubles[i].reason, "partition-missing") == 0 &&
                                    stats.troubles[i].is_now);
    }
    return is_missing;
}

static void a_partition_that_is_not_there_is_waited_for(void **state)
{
    struct bench bench;
    struct sluice_record record = record_of(1, "leaf1");

    (void)state;
    init(&bench, KAFKA_MURMUR2);
    give_to(&bench, "t4", "leaf1", "3");
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    record.destination = str("t4");
    record.partition = str("4");
    (void)fixture_give(&bench.fixture, &record, "x", 1);
    assert_true(fixture_run_until(&bench.fixture, is_missed));
    assert_int_equal(bench.fixture.failed, 0);
    give_to(&bench, "t7", "leaf1", "6"); /* other topics go on */
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_told_with_their_leaders),
        cmocka_unit_test(fnv1a_is_that_of_gnmic),
        cmocka_unit_test(murmur2_is_that_of_java),
        cmocka_unit_test(records_without_a_key_go_anywhere_but_with_consistent),
        cmocka_unit_test(a_key_stays_together_but_with_random),
        cmocka_unit_test(a_partition_that_is_said_is_taken),
        cmocka_unit_test(a_partition_that_is_not_there_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
