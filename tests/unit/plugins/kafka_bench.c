#include "test.h"

#include "kafka_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_init(struct bench *bench, enum kafka_headers headers, size_t most)
{
    bench_init_with(bench, &(struct kafka_options){.headers = (int)headers}, most);
}

uint64_t bench_trouble(struct bench *bench, const char *reason, bool *is_now)
{
    struct sluice_stats stats;

    *is_now = false;
    sl_sink_stats(bench->fixture.sink, &stats);
    for (uint32_t i = 0; i < stats.trouble_count; i++) {
        if (strcmp(stats.troubles[i].reason, reason) == 0) {
            *is_now = stats.troubles[i].is_now;
            return stats.troubles[i].count;
        }
    }
    return 0;
}

void bench_init_with(struct bench *bench, const struct kafka_options *options, size_t most)
{
    cluster_init(&bench->cluster);
    bench->options = *options;
    bench->options.brokers = (struct sluice_strings){bench->cluster.brokers, 1};
    bench->options.topic = "t";
    bench->options.key = "";
    bench->options.timestamp_max_age_ns = DAY_NS;
    fixture_init(&bench->fixture, &sluice_kafka_plugin, &bench->options, most);
    fixture_open(&bench->fixture);
}

void bench_fini(struct bench *bench)
{
    fixture_fini(&bench->fixture);
    cluster_fini(&bench->cluster);
}

struct sluice_str str(const char *text)
{
    return (struct sluice_str){text, strlen(text)};
}

struct sluice_record record_of(uint64_t seq, const char *key)
{
    return (struct sluice_record){
        .destination = str("t"),
        .key = key ? str(key) : (struct sluice_str){NULL, 0},
        .timestamp_ns = sl_loop_wall_ns() - SL_NS_PER_S,
        .received_ns = sl_loop_wall_ns(),
        .epoch = 77,
        .seq = seq,
        .format = str("event"),
        .target = str("leaf1"),
        .subscription = str("counters"),
        .kind = str("change"),
    };
}

bool give(struct bench *bench, uint64_t seq, const char *key)
{
    struct sluice_record record = record_of(seq, key);
    char payload[32];
    int len = snprintf(payload, sizeof(payload), "%llu", (unsigned long long)seq);

    return fixture_give_soon(&bench->fixture, &record, payload, (size_t)len);
}

struct seen {
    size_t counts[20000]; /* by payload */
    uint64_t last;        /* of the one key */
    bool is_in_order;
    bool has_holes; /* a number that is neither the next nor a repeated one */
};

static void see(const rd_kafka_message_t *message, void *arg)
{
    struct seen *seen = arg;
    char text[32] = "";

    assert_true(message->len < sizeof(text));
    memcpy(text, message->payload, message->len);
    unsigned long long seq = strtoull(text, NULL, 10);
    assert_true(seq < 20000);
    seen->counts[seq]++;
    seen->is_in_order = seen->is_in_order && seq == seen->last + 1;
    seen->has_holes = seen->has_holes || seq > seen->last + 1;
    seen->last = seq > seen->last ? seq : seen->last;
}

static struct seen seen;

void assert_seen_once(struct bench *bench, size_t count, bool is_in_order)
{
    memset(&seen, 0, sizeof(seen));
    seen.is_in_order = true;
    assert_int_equal(cluster_read(&bench->cluster, "t", PARTITIONS, count, see, &seen), count);
    for (size_t i = 1; i <= count; i++) {
        assert_int_equal(seen.counts[i], 1);
    }
    assert_true(seen.is_in_order || !is_in_order);
}

void assert_seen_whole(struct bench *bench, size_t count)
{
    memset(&seen, 0, sizeof(seen));
    assert_true(cluster_read(&bench->cluster, "t", PARTITIONS, count, see, &seen) >= count);
    assert_false(seen.has_holes);
    assert_int_equal(seen.last, count);
}
