/* kafka_test.c - records on their way through the Kafka plugin into a cluster in memory. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "kafka_bench.h"

static void records_arrive_once_and_in_the_order_of_their_key(void **state)
{
    struct bench bench;
    struct sluice_stats stats;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 10000);
    assert_false(sl_sink_is_taking(bench.fixture.sink));
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    for (uint64_t seq = 1; seq <= 10000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    assert_int_equal(bench.fixture.acked, 0);
    sl_sink_stats(bench.fixture.sink, &stats);
    assert_int_equal(stats.queued_records, 10000);
    assert_int_equal(stats.queued_bytes, 38894);
    sl_sink_flush(bench.fixture.sink);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    sl_sink_stats(bench.fixture.sink, &stats);
    assert_int_equal(stats.queued_records, 0);
    assert_int_equal(stats.queued_bytes, 0);
    assert_true(stats.report_latency_ns > 0);
    assert_seen_once(&bench, 10000, true);
    bench_fini(&bench);
}

struct expectation {
    enum kafka_headers headers;
    int64_t ms;
    const char *key;
};

static void assert_header(const rd_kafka_headers_t *headers, size_t i, const char *name,
                          const char *value)
{
    const char *found_name;
    const void *found;
    size_t size;

    assert_int_equal(rd_kafka_header_get_all(headers, i, &found_name, &found, &size),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_string_equal(found_name, name);
    assert_int_equal(size, strlen(value));
    assert_memory_equal(found, value, size);
}

static void assert_as_expected(const rd_kafka_message_t *message, void *arg)
{
    const struct expectation *expected = arg;
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t type;

    rd_kafka_message_headers(message, &headers);
    if (expected->headers == KAFKA_HEADERS_NONE) {
        assert_null(headers);
    } else if (expected->headers == KAFKA_HEADERS_COMPACT) {
        assert_int_equal(rd_kafka_header_cnt(headers), 1);
        assert_header(headers, 0, "sluice", "77;1;event;leaf1;counters;change");
    } else {
        assert_int_equal(rd_kafka_header_cnt(headers), 6);
        assert_header(headers, 0, "sluice-epoch", "77");
        assert_header(headers, 1, "sluice-seq", "1");
        assert_header(headers, 2, "sluice-format", "event");
        assert_header(headers, 3, "sluice-target", "leaf1");
        assert_header(headers, 4, "sluice-subscription", "counters");
        assert_header(headers, 5, "sluice-kind", "change");
    }
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    assert_int_equal(type, RD_KAFKA_TIMESTAMP_CREATE_TIME);
    assert_int_equal(ms, expected->ms);
    assert_int_equal(message->key_len, expected->key ? strlen(expected->key) : 0);
    assert_true(message->key_len == 0 ||
                memcmp(message->key, expected->key, message->key_len) == 0);
    assert_true(expected->key || !message->key);
}

/* What one record looks like when it has arrived, and how many times were replaced. */
struct arrival {
    struct expectation expected;
    int64_t timestamp_ns;
    uint64_t skewed;
    struct bench bench;
};

static void arrive(struct arrival *arrival, int64_t now_ns)
{
    struct bench *bench = &arrival->bench;
    struct sluice_record record = record_of(1, arrival->expected.key);
    struct sluice_stats stats;

    record.timestamp_ns = arrival->timestamp_ns;
    record.received_ns = now_ns;
    assert_true(fixture_give(&bench->fixture, &record, "x", 1));
    assert_true(fixture_run_until(&bench->fixture, all_are_acked));
    sl_sink_stats(bench->fixture.sink, &stats);
    assert_int_equal(stats.skewed_timestamps, arrival->skewed);
    size_t count =
        cluster_read(&bench->cluster, "t", PARTITIONS, 1, assert_as_expected, &arrival->expected);
    assert_int_equal(count, 1);
}

static void a_record_carries_its_headers_its_key_and_a_time_that_can_be(void **state)
{
    static struct arrival arrivals[4];
    int64_t now_ns = sl_loop_wall_ns();
    int64_t now_ms = now_ns / SL_NS_PER_MS;

    (void)state;
    arrivals[0].expected = (struct expectation){KAFKA_HEADERS_COMPACT, now_ms, "leaf1"};
    arrivals[0].timestamp_ns = now_ns;
    arrivals[1].expected = (struct expectation){KAFKA_HEADERS_SPLIT, now_ms - 5000, NULL};
    arrivals[1].timestamp_ns = now_ns - 5 * SL_NS_PER_S;
    arrivals[2].expected = (struct expectation){KAFKA_HEADERS_NONE, now_ms, NULL};
    arrivals[2].timestamp_ns = now_ns - 2 * DAY_NS;
    arrivals[2].skewed = 1;
    arrivals[3].expected = (struct expectation){KAFKA_HEADERS_NONE, now_ms, "k"};
    arrivals[3].timestamp_ns = 0;
    arrivals[3].skewed = 1;
    for (size_t i = 0; i < SL_ARRAY_LEN(arrivals); i++) {
        bench_init(&arrivals[i].bench, arrivals[i].expected.headers, 1);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(arrivals); i++) {
        arrive(&arrivals[i], now_ns);
        bench_fini(&arrivals[i].bench);
    }
}

static void what_kafka_can_never_take_is_reported_lost_and_not_at_once(void **state)
{
    static const char *const names[] = {"", ".", "..", "a b", "a/b", "\xc3\xa4", NULL};
    static char large[2000000];
    struct bench bench;
    struct sluice_record record = record_of(1, "leaf1");
    char name[300];

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 100);
    assert_true(fixture_give(&bench.fixture, &record, large, sizeof(large)));
    for (size_t i = 0; names[i]; i++) {
        record.destination = str(names[i]);
        assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    }
    memset(name, 'a', sizeof(name));
    record.destination = (struct sluice_str){name, 250};
    assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    record.destination = (struct sluice_str){"a\0b", 3};
    assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    assert_int_equal(bench.fixture.acked, 0);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_int_equal(bench.fixture.slots[0].result, SLUICE_TOO_LARGE);
    assert_all_came_back(&bench.fixture, bench.fixture.given - 1);
    assert_true(give(&bench, 1, "leaf1")); /* and it goes on */
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, bench.fixture.given - 2);
    bench_fini(&bench);
}

static void closing_gives_up_what_is_out(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 3001);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    assert_true(give(&bench, 1, "leaf1"));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    rd_kafka_mock_broker_set_rtt(bench.cluster.mock, 1, 60000);
    for (uint64_t seq = 2; seq <= 3000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    struct sluice_record record = record_of(1, "leaf1");
    record.destination = str("no such name");
    assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    fixture_close(&bench.fixture);
    assert_all_came_back(&bench.fixture, 3000);
    rd_kafka_mock_broker_set_rtt(bench.cluster.mock, 1, 0);
    bench_fini(&bench);
}

static void topics_are_limited(void **state)
{
    struct bench bench;
    char name[32];

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_NONE, 1100);
    cluster_set_up(&bench.cluster, false); /* 1,100 topics would only slow the cluster down */
    for (int i = 0; i < 1100; i++) {
        struct sluice_record record = record_of(1, NULL);
        snprintf(name, sizeof(name), "topic-%d", i);
        record.destination = str(name);
        assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    }
    assert_true(fixture_run_until(&bench.fixture, is_not_taking));
    assert_int_equal(bench.fixture.failed, 1100 - 1024);
    fixture_close(&bench.fixture);
    assert_all_came_back(&bench.fixture, 1100);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_once_and_in_the_order_of_their_key),
        cmocka_unit_test(a_record_carries_its_headers_its_key_and_a_time_that_can_be),
        cmocka_unit_test(what_kafka_can_never_take_is_reported_lost_and_not_at_once),
        cmocka_unit_test(closing_gives_up_what_is_out),
        cmocka_unit_test(topics_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
