/* kafka_test.c - the Kafka plugin against a cluster in memory that can be broken. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "fixture.h"
#include "kafka/conf.h"

#define DAY_NS (INT64_C(86400) * SL_NS_PER_S)

enum { PARTITIONS = 4, PRODUCE_API = 0 };

struct bench {
    struct cluster cluster;
    struct fixture fixture;
    struct kafka_options options;
};

static void bench_init(struct bench *bench, enum kafka_headers headers, size_t most)
{
    cluster_init(&bench->cluster);
    bench->options = (struct kafka_options){
        .brokers = {bench->cluster.brokers, 1},
        .topic = "t",
        .key = "",
        .headers = (int)headers,
        .timestamp_max_age_ns = DAY_NS,
    };
    fixture_init(&bench->fixture, &sluice_kafka_plugin, &bench->options, most);
    fixture_open(&bench->fixture);
}

static void bench_fini(struct bench *bench)
{
    fixture_fini(&bench->fixture);
    cluster_fini(&bench->cluster);
}

static struct sluice_str str(const char *text)
{
    return (struct sluice_str){text, strlen(text)};
}

/* Record `seq` of a stream, for the partition that `key` leads to. */
static struct sluice_record record_of(uint64_t seq, const char *key)
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
    };
}

static bool give(struct bench *bench, uint64_t seq, const char *key)
{
    struct sluice_record record = record_of(seq, key);
    char payload[32];
    int len = snprintf(payload, sizeof(payload), "%llu", (unsigned long long)seq);

    return fixture_give(&bench->fixture, &record, payload, (size_t)len);
}

/* ---- what the cluster got ---- */

struct seen {
    size_t counts[20000]; /* by payload */
    uint64_t last;        /* of the one key */
    bool is_in_order;
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
    seen->last = seq;
}

static struct seen seen;

static void assert_seen_once(struct bench *bench, size_t count, bool is_in_order)
{
    memset(&seen, 0, sizeof(seen));
    seen.is_in_order = true;
    assert_int_equal(cluster_read(&bench->cluster, "t", PARTITIONS, count, see, &seen), count);
    for (size_t i = 1; i <= count; i++) {
        assert_int_equal(seen.counts[i], 1);
    }
    assert_true(seen.is_in_order || !is_in_order);
}

/* ---- tests ---- */

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
    int64_t ms; /* 0: any */
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
        assert_header(headers, 0, "sluice", "77;1;event;leaf1;counters");
    } else {
        assert_int_equal(rd_kafka_header_cnt(headers), 5);
        assert_header(headers, 0, "sluice-epoch", "77");
        assert_header(headers, 1, "sluice-seq", "1");
        assert_header(headers, 2, "sluice-format", "event");
        assert_header(headers, 3, "sluice-target", "leaf1");
        assert_header(headers, 4, "sluice-subscription", "counters");
    }
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    assert_int_equal(type, RD_KAFKA_TIMESTAMP_CREATE_TIME);
    assert_true(expected->ms == 0 || ms == expected->ms);
    assert_int_equal(message->key_len, expected->key ? strlen(expected->key) : 0);
    assert_true(message->key_len == 0 ||
                memcmp(message->key, expected->key, message->key_len) == 0);
    assert_true(expected->key || !message->key);
}

static void assert_one(struct expectation expected, int64_t timestamp_ns, int64_t received_ns,
                       uint64_t skewed)
{
    struct bench bench;
    struct sluice_stats stats;

    bench_init(&bench, expected.headers, 1);
    struct sluice_record record = record_of(1, expected.key);
    if (received_ns) {
        record.timestamp_ns = timestamp_ns;
        record.received_ns = received_ns;
    }
    assert_true(fixture_give(&bench.fixture, &record, "x", 1));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    sl_sink_stats(bench.fixture.sink, &stats);
    assert_int_equal(stats.skewed_timestamps, skewed);
    assert_int_equal(
        cluster_read(&bench.cluster, "t", PARTITIONS, 1, assert_as_expected, &expected), 1);
    bench_fini(&bench);
}

static void headers_are_one_five_or_none(void **state)
{
    (void)state;
    assert_one((struct expectation){KAFKA_HEADERS_COMPACT, 0, "leaf1"}, 0, 0, 0);
    assert_one((struct expectation){KAFKA_HEADERS_SPLIT, 0, NULL}, 0, 0, 0);
    assert_one((struct expectation){KAFKA_HEADERS_NONE, 0, NULL}, 0, 0, 0);
}

static void the_devices_time_is_used_unless_it_cannot_be(void **state)
{
    int64_t now = sl_loop_wall_ns();
    int64_t now_ms = now / SL_NS_PER_MS;

    (void)state;
    assert_one((struct expectation){KAFKA_HEADERS_NONE, now_ms - 5000, NULL},
               now - 5000 * SL_NS_PER_MS, now, 0);
    assert_one((struct expectation){KAFKA_HEADERS_NONE, now_ms, NULL}, now - 2 * DAY_NS, now, 1);
}

static void an_outage_loses_and_doubles_nothing(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 6000);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    for (uint64_t seq = 1; seq <= 2000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    cluster_set_up(&bench.cluster, false);
    for (uint64_t seq = 2001; seq <= 4000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    assert_true(fixture_run_until(&bench.fixture, is_not_taking));
    assert_non_null(strstr(sl_sink_reason(bench.fixture.sink), "no broker is up"));
    for (uint64_t seq = 4001; seq <= 6000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    cluster_set_up(&bench.cluster, true);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 6000, true);
    bench_fini(&bench);
}

static void an_idle_sink_notices_an_outage_and_its_end(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 1);
    for (int round = 0; round < 2; round++) {
        assert_true(fixture_run_until(&bench.fixture, is_taking));
        cluster_set_up(&bench.cluster, false);
        assert_true(fixture_run_until(&bench.fixture, is_not_taking));
        cluster_set_up(&bench.cluster, true);
    }
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    bench_fini(&bench);
}

static void retriable_errors_are_retried(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_NONE, 500);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    rd_kafka_mock_push_request_errors(
        bench.cluster.mock, PRODUCE_API, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 500, true);
    bench_fini(&bench);
}

static void a_topic_that_does_not_exist_yet_holds_its_records(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_NONE, 100);
    rd_kafka_mock_topic_create(bench.cluster.mock, "t", PARTITIONS, 1);
    rd_kafka_mock_topic_set_error(bench.cluster.mock, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    assert_int_equal(bench.fixture.acked, 0);
    rd_kafka_mock_topic_set_error(bench.cluster.mock, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 100, true);
    bench_fini(&bench);
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
    assert_all_came_back(&bench.fixture, bench.fixture.given);
    assert_true(give(&bench, 1, "leaf1")); /* and it goes on */
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, bench.fixture.given - 1);
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

static void closing_without_a_broker_gives_up_at_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 1000);
    cluster_set_up(&bench.cluster, false);
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    fixture_close(&bench.fixture);
    assert_all_came_back(&bench.fixture, 1000);
    bench_fini(&bench);
}

static bool has_ended(const struct fixture *fixture)
{
    return strstr(sl_sink_reason(fixture->sink), "ended for good") != NULL;
}

static void a_fatal_error_ends_the_producer_and_holds_what_follows(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_NONE, 1000);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    rd_kafka_mock_push_request_errors(bench.cluster.mock, PRODUCE_API, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        assert_true(give(&bench, seq, "leaf1"));
    }
    assert_true(fixture_run_until(&bench.fixture, has_ended));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, bench.fixture.failed);
    assert_true(bench.fixture.failed > 0);
    assert_false(give(&bench, 101, "leaf1"));
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
        cmocka_unit_test(headers_are_one_five_or_none),
        cmocka_unit_test(the_devices_time_is_used_unless_it_cannot_be),
        cmocka_unit_test(an_outage_loses_and_doubles_nothing),
        cmocka_unit_test(an_idle_sink_notices_an_outage_and_its_end),
        cmocka_unit_test(retriable_errors_are_retried),
        cmocka_unit_test(a_topic_that_does_not_exist_yet_holds_its_records),
        cmocka_unit_test(what_kafka_can_never_take_is_reported_lost_and_not_at_once),
        cmocka_unit_test(closing_gives_up_what_is_out),
        cmocka_unit_test(closing_without_a_broker_gives_up_at_once),
        cmocka_unit_test(a_fatal_error_ends_the_producer_and_holds_what_follows),
        cmocka_unit_test(topics_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
