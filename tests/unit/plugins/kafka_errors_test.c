/* kafka_errors_test.c - the Kafka plugin against each error that brokers answer with: nothing is
 * lost but what can never be stored, nothing is stored out of order, and each error has its name.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "kafka_bench.h"

enum { PRODUCE_API = 0, INIT_PRODUCER_ID_API = 22, RECORDS = 300, PER_CODE = 100 };

static void inject(struct bench *bench, int api, size_t count, rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_mock_push_request_errors(bench->cluster.mock, (int16_t)api, 1, code);
    }
}

/* One record is through, so that the topic is known and the producer has its id. */
static void warm_up(struct bench *bench)
{
    assert_true(fixture_run_until(&bench->fixture, is_taking));
    assert_true(give(bench, 1, "leaf1"));
    assert_true(fixture_run_until(&bench->fixture, all_are_acked));
}

static void give_from_to(struct bench *bench, uint64_t from, uint64_t to)
{
    for (uint64_t seq = from; seq <= to; seq++) {
        assert_true(give(bench, seq, "leaf1"));
    }
}

static uint64_t restarts_of(struct bench *bench)
{
    struct sluice_stats stats;

    sl_sink_stats(bench->fixture.sink, &stats);
    return stats.restarts;
}

/* ---- what heals ---- */

struct healing {
    rd_kafka_resp_err_t code;
    const char *reason;
    bool has_restart; /* librdkafka does not try it again by itself */
};

static const struct healing healings[] = {
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, "not-enough-replicas", false},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, "not-enough-replicas", false},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, "leader-unknown", false},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, "leader-moved", false},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic-missing", false},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, "timed-out", false},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, "broker-storage", false},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "not-authorised", true},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "cluster-not-authorised", true},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, "throttled", true},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "producer-fenced", true},
    {RD_KAFKA_RESP_ERR_UNKNOWN, "unknown", true},
    {RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND, "unknown", true}, /* of no sense here */
};

static void heal(struct bench *bench, const struct healing *healing, uint64_t from)
{
    bool is_now;
    uint64_t restarts = restarts_of(bench);
    uint64_t met = bench_trouble(bench, healing->reason, &is_now);

    inject(bench, PRODUCE_API, 2, healing->code);
    give_from_to(bench, from, from + PER_CODE - 1);
    if (!fixture_run_until(&bench->fixture, all_are_acked) ||
        bench_trouble(bench, healing->reason, &is_now) == met ||
        (restarts_of(bench) > restarts) != healing->has_restart) {
        print_error("%s\n", rd_kafka_err2name(healing->code));
        fail();
    }
}

static void what_heals_is_tried_again_in_order_under_its_name(void **state)
{
    struct bench bench;
    uint64_t count = 1;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 1 + SL_ARRAY_LEN(healings) * PER_CODE);
    warm_up(&bench);
    for (size_t i = 0; i < SL_ARRAY_LEN(healings); i++) {
        heal(&bench, &healings[i], count + 1);
        count += PER_CODE;
    }
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, count, true);
    bench_fini(&bench);
}

static bool is_backing_off(const struct fixture *fixture)
{
    struct sluice_stats stats;

    sl_sink_stats(fixture->sink, &stats);
    return stats.backoff_ns > 300 * SL_NS_PER_MS;
}

static void it_is_tried_later_and_later_and_the_other_topics_go_on(void **state)
{
    struct bench bench;
    struct sluice_record record = record_of(1, "leaf1");
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS + 1);
    warm_up(&bench);
    inject(&bench, PRODUCE_API, 4, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    give_from_to(&bench, 2, 10);
    assert_true(fixture_run_until(&bench.fixture, is_backing_off));
    assert_true(bench_trouble(&bench, "not-authorised", &is_now) > 0);
    assert_true(is_now);
    assert_int_equal(bench.fixture.acked, 1);
    assert_false(fixture_give(&bench.fixture, &record, "11", 2)); /* nothing passes them */
    rd_kafka_mock_clear_request_errors(bench.cluster.mock, PRODUCE_API);
    record.destination = str("other");
    assert_true(fixture_give_soon(&bench.fixture, &record, "1", 1));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 10, true);
    bench_fini(&bench);
}

static bool has_no_leader(const struct fixture *fixture)
{
    struct sluice_stats stats;

    sl_sink_stats(fixture->sink, &stats);
    for (uint32_t i = 0; i < stats.trouble_count; i++) {
        if (strcmp(stats.troubles[i].reason, "leader-unknown") == 0) {
            return true;
        }
    }
    return false;
}

static void a_partition_without_a_leader_is_waited_for(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    rd_kafka_mock_topic_create(bench.cluster.mock, "t", 1, 1);
    warm_up(&bench);
    rd_kafka_mock_partition_set_leader(bench.cluster.mock, "t", 0, -1);
    give_from_to(&bench, 2, 20);
    inject(&bench, PRODUCE_API, 5, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    assert_true(fixture_run_until(&bench.fixture, has_no_leader));
    rd_kafka_mock_partition_set_leader(bench.cluster.mock, "t", 0, 1);
    rd_kafka_mock_clear_request_errors(bench.cluster.mock, PRODUCE_API);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    bench_fini(&bench);
}

/* What the brokers say of a topic when they are asked about it. */
static void heal_topic(rd_kafka_resp_err_t code, const char *reason)
{
    struct bench bench;
    bool is_now;

    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    rd_kafka_mock_topic_create(bench.cluster.mock, "t", PARTITIONS, 1);
    rd_kafka_mock_topic_set_error(bench.cluster.mock, "t", code);
    give_from_to(&bench, 1, 1);
    for (uint64_t count = 0; count < 2;) {
        count = bench_trouble(&bench, reason, &is_now);
        bench.fixture.readies = 0;
        assert_true(count >= 2 || fixture_run_until(&bench.fixture, is_taking));
    }
    assert_int_equal(bench.fixture.acked, 0);
    rd_kafka_mock_topic_set_error(bench.cluster.mock, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    give_from_to(&bench, 2, 100);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 100, true);
    bench_fini(&bench);
}

static void a_topic_that_is_missing_or_forbidden_is_waited_for(void **state)
{
    (void)state;
    heal_topic(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic-missing");
    heal_topic(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "not-authorised");
}

/* ---- what is final ---- */

static void a_batch_that_is_too_large_goes_one_by_one(void **state)
{
    struct bench bench;
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    warm_up(&bench);
    inject(&bench, PRODUCE_API, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    give_from_to(&bench, 2, RECORDS);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, RECORDS, true);
    assert_true(bench_trouble(&bench, "too-large", &is_now) > 0);
    bench_fini(&bench);
}

static void only_the_record_that_is_refused_alone_is_lost(void **state)
{
    static const struct {
        rd_kafka_resp_err_t code;
        enum sluice_result result;
        const char *reason;
    } rows[] = {{RD_KAFKA_RESP_ERR_INVALID_RECORD, SLUICE_FAILED, "record-refused"},
                {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, SLUICE_FAILED, "record-refused"},
                {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, SLUICE_FAILED, "topic-refused"},
                /* The last one: what is as large as that is not even tried again. */
                {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SLUICE_TOO_LARGE, "too-large"}};
    struct bench bench;
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    warm_up(&bench);
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        size_t first = bench.fixture.given;
        inject(&bench, PRODUCE_API, 2, rows[i].code); /* the batch, and its first record alone */
        give_from_to(&bench, first + 1, first + 50);
        assert_true(fixture_run_until(&bench.fixture, all_are_acked));
        for (size_t j = first; j < first + 50; j++) {
            assert_int_equal(bench.fixture.slots[j].acks, 1);
            assert_int_equal(bench.fixture.slots[j].result,
                             j == first ? rows[i].result : SLUICE_DELIVERED);
        }
        assert_true(bench_trouble(&bench, rows[i].reason, &is_now) > 0);
    }
    bench_fini(&bench);
}

static void assert_letter(const rd_kafka_message_t *message, void *arg)
{
    static const char *const names[] = {"sluice", "sluice-dead-reason", "sluice-dead-text",
                                        "sluice-dead-topic"};
    static const char *const values[] = {"77;2;event;leaf1;counters;change", "record-refused",
                                         "Broker: Broker failed to validate record", "t"};
    rd_kafka_headers_t *headers = NULL;

    (void)arg;
    assert_int_equal(message->len, 1);
    assert_memory_equal(message->payload, "2", 1);
    assert_int_equal(message->key_len, 5);
    assert_int_equal(rd_kafka_message_headers(message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        const void *value;
        size_t size;
        assert_int_equal(rd_kafka_header_get_last(headers, names[i], &value, &size),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
        assert_int_equal(size, strlen(values[i]));
        assert_memory_equal(value, values[i], size);
    }
}

static void what_is_refused_goes_to_the_dead_letters_and_says_why(void **state)
{
    const struct kafka_options options = {.dead_letter = {"dead"}};
    struct bench bench;

    (void)state;
    bench_init_with(&bench, &options, RECORDS);
    warm_up(&bench);
    inject(&bench, PRODUCE_API, 2, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    give_from_to(&bench, 2, 2);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_int_equal(bench.fixture.slots[1].result, SLUICE_DEAD_LETTER);
    assert_int_equal(cluster_read(&bench.cluster, "dead", PARTITIONS, 1, assert_letter, NULL), 1);
    bench_fini(&bench);
}

static void count(const rd_kafka_message_t *message, void *arg)
{
    *(size_t *)arg += message->len;
}

static void what_is_too_large_goes_to_the_dead_letters_without_being_sent_first(void **state)
{
    static char large[2000000];
    const struct kafka_options options = {.dead_letter = {"dead"}, .headers = KAFKA_HEADERS_NONE};
    struct bench bench;
    struct sluice_record record = record_of(2, "leaf1");
    size_t bytes = 0;

    (void)state;
    bench_init_with(&bench, &options, RECORDS);
    warm_up(&bench);
    assert_true(fixture_give(&bench.fixture, &record, large, sizeof(large)));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_int_equal(bench.fixture.slots[1].result, SLUICE_DEAD_LETTER);
    assert_int_equal(restarts_of(&bench), 0);
    assert_int_equal(cluster_read(&bench.cluster, "dead", PARTITIONS, 1, count, &bytes), 1);
    assert_int_equal(bytes, sizeof(large));
    bench_fini(&bench);
}

/* ---- the end of the producer ---- */

static void what_is_in_doubt_ends_its_partition_and_nothing_else(void **state)
{
    struct bench bench;
    struct sluice_record other = record_of(1, "leaf1");
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, 2000);
    warm_up(&bench);
    other.destination = str("other");
    assert_true(fixture_give_soon(&bench.fixture, &other, "1", 1));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    inject(&bench, PRODUCE_API, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    give_from_to(&bench, 2, 100);
    size_t of_other = bench.fixture.given;
    for (int i = 0; i < 100; i++) {
        assert_true(fixture_give_soon(&bench.fixture, &other, "1", 1));
    }
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    size_t restarted[2] = {0, 0}; /* of whichever topic the broker answered that */
    for (size_t i = 2; i < bench.fixture.given; i++) {
        enum sluice_result result = bench.fixture.slots[i].result;
        assert_true(result == SLUICE_RESTARTED || result == SLUICE_DELIVERED);
        restarted[i >= of_other] += result == SLUICE_RESTARTED;
    }
    assert_true(restarted[0] == 0 || restarted[1] == 0);
    assert_true(restarted[0] + restarted[1] > 0);
    assert_int_equal(restarts_of(&bench), 1);
    assert_true(bench_trouble(&bench, "sequence-lost", &is_now) > 0);
    assert_true(give(&bench, 2, "leaf1")); /* and it goes on */
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    bench_fini(&bench);
}

static bool is_refused(const struct fixture *fixture)
{
    struct sluice_stats stats;

    sl_sink_stats(fixture->sink, &stats);
    for (size_t i = 0; i < stats.trouble_count; i++) {
        if (strcmp(stats.troubles[i].reason, "leader-moved") == 0) {
            return true;
        }
    }
    return false;
}

/* A leader that was moved may have stored what it refused: librdkafka's word that it did not is not
 * taken when another producer would send it again. */
static void what_a_moved_leader_refused_is_not_sent_by_the_next_producer(void **state)
{
    static const struct sluice_pair later = {"retry.backoff.ms", "60000"};
    struct kafka_options options = {.properties = {&later, 1}};
    struct bench bench;
    struct sluice_record other = record_of(1, "leaf1");

    (void)state;
    bench_init_with(&bench, &options, 100);
    warm_up(&bench);
    other.destination = str("other");
    assert_true(fixture_give_soon(&bench.fixture, &other, "1", 1));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    inject(&bench, PRODUCE_API, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    size_t first = bench.fixture.given;
    give_from_to(&bench, 2, 11);
    assert_true(fixture_run_until(&bench.fixture, is_refused));
    inject(&bench, PRODUCE_API, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_true(fixture_give_soon(&bench.fixture, &other, "2", 1));
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    for (size_t i = first; i < first + 10; i++) {
        assert_int_equal(bench.fixture.slots[i].result, SLUICE_RESTARTED);
    }
    assert_int_equal(bench.fixture.slots[first + 10].result, SLUICE_DELIVERED);
    assert_int_equal(restarts_of(&bench), 1);
    bench_fini(&bench);
}

/* In it, what another partition had stored without saying so yet would be stored again. */
static void an_epoch_that_librdkafka_raises_is_the_end_of_the_producer(void **state)
{
    struct bench bench;
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    warm_up(&bench);
    inject(&bench, PRODUCE_API, 1, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID);
    give_from_to(&bench, 2, RECORDS);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_int_equal(bench_trouble(&bench, "producer-epoch", &is_now), 1);
    assert_int_equal(restarts_of(&bench), 1);
    assert_seen_once(&bench, RECORDS, true);
    bench_fini(&bench);
}

static bool has_restarted_thrice(const struct fixture *fixture)
{
    struct sluice_stats stats;

    sl_sink_stats(fixture->sink, &stats);
    return stats.restarts >= 3;
}

static void a_producer_that_may_not_begin_is_made_anew_until_it_may(void **state)
{
    struct bench bench;
    bool is_now;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    inject(&bench, INIT_PRODUCER_ID_API, 3, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    assert_true(fixture_run_until(&bench.fixture, has_restarted_thrice));
    assert_true(bench_trouble(&bench, "producer-ended", &is_now) >= 3);
    assert_true(bench_trouble(&bench, "cluster-not-authorised", &is_now) >= 3);
    assert_true(is_now);
    assert_true(fixture_run_until(&bench.fixture, is_taking));
    give_from_to(&bench, 1, 10);
    assert_true(fixture_run_until(&bench.fixture, all_are_acked));
    assert_all_came_back(&bench.fixture, 0);
    assert_seen_once(&bench, 10, true);
    bench_fini(&bench);
}

static void closing_in_the_middle_of_it_gives_everything_back(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, KAFKA_HEADERS_COMPACT, RECORDS);
    warm_up(&bench);
    inject(&bench, PRODUCE_API, 100, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    give_from_to(&bench, 2, RECORDS);
    assert_true(fixture_run_until(&bench.fixture, is_backing_off));
    fixture_close(&bench.fixture);
    assert_all_came_back(&bench.fixture, RECORDS - 1);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_heals_is_tried_again_in_order_under_its_name),
        cmocka_unit_test(it_is_tried_later_and_later_and_the_other_topics_go_on),
        cmocka_unit_test(a_partition_without_a_leader_is_waited_for),
        cmocka_unit_test(a_topic_that_is_missing_or_forbidden_is_waited_for),
        cmocka_unit_test(a_batch_that_is_too_large_goes_one_by_one),
        cmocka_unit_test(only_the_record_that_is_refused_alone_is_lost),
        cmocka_unit_test(what_is_refused_goes_to_the_dead_letters_and_says_why),
        cmocka_unit_test(what_is_too_large_goes_to_the_dead_letters_without_being_sent_first),
        cmocka_unit_test(what_is_in_doubt_ends_its_partition_and_nothing_else),
        cmocka_unit_test(what_a_moved_leader_refused_is_not_sent_by_the_next_producer),
        cmocka_unit_test(an_epoch_that_librdkafka_raises_is_the_end_of_the_producer),
        cmocka_unit_test(a_producer_that_may_not_begin_is_made_anew_until_it_may),
        cmocka_unit_test(closing_in_the_middle_of_it_gives_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
