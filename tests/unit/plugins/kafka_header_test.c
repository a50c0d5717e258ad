/* kafka_header_test.c - what a Kafka record says about itself, and what the statistics say. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "kafka/brokers.h"
#include "kafka/partitions.h"
#include "kafka/header.h"
#include "sink/sink.h"

#define HOUR_NS (INT64_C(3600) * SL_NS_PER_S)

static struct sluice_str str(const char *text)
{
    return (struct sluice_str){text, strlen(text)};
}

static void assert_header(struct kafka_text *text, struct sluice_record record,
                          const char *expected)
{
    assert_true(kafka_header_compact(&record, text));
    assert_int_equal(text->len, strlen(expected));
    assert_memory_equal(text->data, expected, text->len);
}

static void the_compact_header_names_the_record(void **state)
{
    struct kafka_text text = {0};
    static char long_name[10001];
    static char long_header[60000];

    (void)state;
    struct sluice_record record = {.epoch = UINT64_MAX,
                                   .seq = 0,
                                   .format = str("event"),
                                   .target = str("leaf1"),
                                   .subscription = str("counters"),
                                   .kind = str("baseline")};
    assert_header(&text, record, "18446744073709551615;0;event;leaf1;counters;baseline");
    record.kind = (struct sluice_str){NULL, 0};
    record.epoch = 1700000000000000001;
    record.seq = 10;
    record.target = str("a;b%c");
    record.subscription = (struct sluice_str){NULL, 0};
    assert_header(&text, record, "1700000000000000001;10;event;a%3Bb%25c;;");
    record.lines = 1;
    assert_header(&text, record, "1700000000000000001;10;event;a%3Bb%25c;;");
    record.lines = 31;
    assert_header(&text, record, "1700000000000000001;10-40;event;a%3Bb%25c;;");
    record.lines = 1;
    memset(long_name, ';', sizeof(long_name) - 1);
    record.target = str(long_name);
    strcpy(long_header, "1700000000000000001;10;event;");
    for (size_t i = 0; i + 1 < sizeof(long_name); i++) {
        strcpy(long_header + 29 + 3 * i, "%3B");
    }
    strcat(long_header, ";;");
    assert_header(&text, record, long_header);
    free(text.data);
}

static void assert_time(int64_t device_ns, int64_t received_ns, bool is_device)
{
    struct sluice_record record = {.timestamp_ns = device_ns, .received_ns = received_ns};
    int64_t ms;

    assert_int_equal(kafka_timestamp(&record, 24 * HOUR_NS, &ms), is_device);
    assert_int_equal(ms, (is_device ? device_ns : received_ns) / SL_NS_PER_MS);
}

static void a_time_that_cannot_be_is_replaced_by_that_of_receipt(void **state)
{
    const int64_t now = INT64_C(1700000000) * SL_NS_PER_S + 999999;

    (void)state;
    assert_time(now, now, true);
    assert_time(now - 24 * HOUR_NS, now, true);
    assert_time(now - 24 * HOUR_NS - 1, now, false);
    assert_time(now + HOUR_NS, now, true);
    assert_time(now + HOUR_NS + 1, now, false);
    assert_time(0, now, false);
    assert_time(-1, now, false);
    assert_time(INT64_MIN, now, false);
    assert_time(INT64_MAX, now, false);
    assert_time(1, now, false);
    assert_time(now, 0, false);
}

static void assert_brokers(const char *json, bool is_there, unsigned known, unsigned up)
{
    struct kafka_brokers brokers;

    assert_int_equal(kafka_brokers_read(json, strlen(json), &brokers), is_there);
    assert_int_equal(brokers.known, known);
    assert_int_equal(brokers.up, up);
}

static void brokers_are_read_from_statistics_cut_short_too(void **state)
{
    struct kafka_brokers brokers;
    static const char json[] =
        "{ \"name\": \"x\", \"brokers\":{ \"a:1/1\": {\"state\":\"UP\",\"source\":\"learned\","
        "\"txretries\":3}, \"b:1/2\": {\"state\":\"DOWN\",\"source\":\"learned\",\"txretries\":4},"
        " \":0/internal\": {\"state\":\"UP\",\"source\":\"internal\"} }, \"topics\":{ broken";

    (void)state;
    assert_brokers(json, true, 2, 1);
    assert_true(kafka_brokers_read(json, sizeof(json) - 1, &brokers));
    assert_int_equal(brokers.retries, 7);
    assert_brokers("", false, 0, 0);
    assert_brokers("{}", false, 0, 0);
    assert_brokers("\"brokers\":", false, 0, 0);
    assert_brokers("\"brokers\":[1]", false, 0, 0);
    assert_brokers("\"brokers\":{}", true, 0, 0);
    assert_brokers("\"brokers\":{\"a\":5}", true, 1, 0);
    for (size_t len = 0; len < strlen("{ \"name\": \"x\", \"brokers\":{ \"a"); len++) {
        assert_false(kafka_brokers_read(json, len, &brokers));
    }
}

static void a_producer_id_is_there_when_it_is_assigned(void **state)
{
    static const char assigned[] =
        "{\"topics\":{}, \"eos\": { \"idemp_state\": \"Assigned\", \"a\":1}}";
    static const char asked[] = "{\"eos\":{\"idemp_state\":\"RequestPID\",\"x\":\"Assigned\"}}";

    (void)state;
    assert_true(kafka_has_producer_id(assigned, sizeof(assigned) - 1));
    assert_false(kafka_has_producer_id(asked, sizeof(asked) - 1));
    assert_false(kafka_has_producer_id("{}", 2));
    size_t known = (size_t)(strstr(assigned, "\"a\"") - assigned) - 2;
    for (size_t len = 0; len <= known; len++) {
        assert_false(kafka_has_producer_id(assigned, len));
    }
}

static void partitions_are_read_while_somebody_looks(void **state)
{
    static const char json[] =
        "{ \"brokers\":{ "
        "\"a:1/1\":{\"nodeid\":7,\"int_latency\":{\"avg\":1000},\"rtt\":{\"avg\":500},"
        "\"toppars\":{\"t-0\":{\"topic\":\"t\"}}}}, \"topics\":{ \"t\":{\"partitions\":{"
        "\"0\":{\"partition\":0,\"leader\":3},"
        "\"1\":{\"partition\":1,\"leader\":7,\"msgq_cnt\":2,\"xmit_msgq_cnt\":3,\"msgq_bytes\":20,"
        "\"xmit_msgq_bytes\":30,\"msgs_inflight\":4},"
        "\"-1\":{\"partition\":-1,\"leader\":-1}, \"2\":5}}, \"u\":[] } }";
    struct kafka_partitions partitions = {.rows = NULL};
    struct sluice_partition told[4];

    (void)state;
    kafka_partitions_read(&partitions, json, sizeof(json) - 1, 1000);
    assert_int_equal(kafka_partitions_ask(&partitions, told, 4, KAFKA_LOOK_MS * 2), 0);
    kafka_partitions_read(&partitions, json, sizeof(json) - 1, KAFKA_LOOK_MS * 2 + 1000);
    assert_int_equal(kafka_partitions_ask(&partitions, told, 4, KAFKA_LOOK_MS * 2 + 1000), 2);
    assert_int_equal(told[0].number, 1); /* those with records go first */
    assert_int_equal(told[0].leader, 7);
    assert_int_equal(told[0].queued_records, 5);
    assert_int_equal(told[0].queued_bytes, 50);
    assert_int_equal(told[0].sent_records, 4);
    assert_int_equal(told[0].report_latency_ns, 1500000);
    assert_memory_equal(told[0].destination.data, "t", told[0].destination.len);
    assert_int_equal(told[1].leader, 3);
    assert_int_equal(kafka_partitions_ask(&partitions, told, 1, KAFKA_LOOK_MS * 2 + 1000), 1);
    /* What was long ago is not told, and not read any more. */
    kafka_partitions_read(&partitions, "{}", 2, KAFKA_LOOK_MS * 4);
    assert_int_equal(kafka_partitions_ask(&partitions, told, 4, KAFKA_LOOK_MS * 4), 0);
    for (size_t len = 0; len < sizeof(json) - 1; len++) {
        kafka_partitions_read(&partitions, json, len, KAFKA_LOOK_MS * 4);
    }
    kafka_partitions_fini(&partitions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_read_while_somebody_looks),
        cmocka_unit_test(a_producer_id_is_there_when_it_is_assigned),
        cmocka_unit_test(the_compact_header_names_the_record),
        cmocka_unit_test(a_time_that_cannot_be_is_replaced_by_that_of_receipt),
        cmocka_unit_test(brokers_are_read_from_statistics_cut_short_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
