/* kafka_outage_test.c - the Kafka plugin when its cluster is away, or answers with errors. */
#include "test.h"

#include <string.h>

#include "kafka_bench.h"

enum { PRODUCE_API = 0 };

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
    assert_seen_whole(&bench, 6000);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_loses_and_doubles_nothing),
        cmocka_unit_test(an_idle_sink_notices_an_outage_and_its_end),
        cmocka_unit_test(retriable_errors_are_retried),
        cmocka_unit_test(a_topic_that_does_not_exist_yet_holds_its_records),
        cmocka_unit_test(closing_without_a_broker_gives_up_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
