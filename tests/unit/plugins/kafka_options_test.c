/* kafka_options_test.c - what the check of a Kafka sink refuses, and what it says. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "kafka/conf.h"

static const char *const good_brokers[] = {"kafka1:9092", "kafka2", NULL};

static bool check_with(const struct sluice_pair *pairs, size_t count, char error[300])
{
    struct kafka_options options = {
        .brokers = {good_brokers, 2}, .topic = "t", .key = "", .properties = {pairs, count}};

    error[0] = '\0';
    return sluice_kafka_plugin.check(&options, error, 300);
}

static void assert_property(const char *name, const char *value, bool is_good, const char *words)
{
    const struct sluice_pair pair = {name, value};
    char error[300];

    if (check_with(&pair, 1, error) != is_good || !strstr(error, words)) {
        print_error("%s=%s: \"%s\"\n", name, value, error);
        fail();
    }
    assert_true(is_good || strstr(error, name) || strstr(error, "properties: "));
}

static void ordinary_properties_are_taken(void **state)
{
    (void)state;
    assert_property("compression.type", "lz4", true, "");
    assert_property("linger.ms", "5", true, "");
    assert_property("batch.size", "100000", true, "");
    assert_property("message.max.bytes", "4000000", true, "");
    assert_property("partitioner", "murmur2_random", true, "");
    assert_property("client.id", "mine", true, "");
    assert_property("max.in.flight", "1", true, "");
    assert_property("security.protocol", "sasl_plaintext", true, "");
    assert_property("debug", "broker", true, "");
}

static void the_fixed_ones_are_refused_under_each_name(void **state)
{
    (void)state;
    assert_property("message.timeout.ms", "300000", false, "holds the device");
    assert_property("delivery.timeout.ms", "300000", false, "holds the device");
    assert_property("retries", "3", false, "holds the device");
    assert_property("message.send.max.retries", "3", false, "holds the device");
    assert_property("queue.buffering.max.messages", "100000", false, "credit is the bound");
    assert_property("queue.buffering.max.kbytes", "1024", false, "credit is the bound");
    assert_property("acks", "1", false, "in-sync");
    assert_property("request.required.acks", "0", false, "in-sync");
    assert_property("enable.idempotence", "false", false, "retry");
    assert_property("queuing.strategy", "lifo", false, "retry");
    assert_property("max.in.flight", "6", false, "not be more than 5");
    assert_property("max.in.flight.requests.per.connection", "100", false, "not be more than 5");
    assert_property("topic.metadata.propagation.max.ms", "3000000", false, "no time at all");
    assert_property("transactional.id", "t", false, "transactions");
    assert_property("delivery.report.only.error", "true", false, "report");
    assert_property("statistics.interval.ms", "0", false, "up");
    assert_property("log.queue", "true", false, "log");
    assert_property("enable.gapless.guarantee", "false", false, "overtake");
    assert_property("bootstrap.servers", "x:1", false, "brokers");
    assert_property("metadata.broker.list", "x:1", false, "brokers");
}

static void a_fixed_one_may_be_said_again(void **state)
{
    (void)state;
    assert_property("acks", "all", true, "");
    assert_property("acks", "-1", true, "");
    assert_property("enable.idempotence", "true", true, "");
    assert_property("message.timeout.ms", "0", true, "");
    assert_property("queue.buffering.max.messages", "0", true, "");
}

static void unknown_names_and_bad_values_are_refused(void **state)
{
    (void)state;
    assert_property("compresion.type", "lz4", false, "knows no such property");
    assert_property("", "lz4", false, "knows no such property");
    assert_property("compression.type", "lzma", false, "lzma");
    assert_property("linger.ms", "often", false, "linger.ms");
    assert_property("linger.ms", "-5", false, "linger.ms");
    assert_property("ssl.ca.location", "/nonexistent/ca.pem", true, ""); /* plaintext: not read */
}

static void what_only_a_producer_finds_is_found(void **state)
{
    const struct sluice_pair pairs[] = {{"security.protocol", "ssl"},
                                        {"ssl.ca.location", "/nonexistent/ca.pem"}};
    char error[300];

    (void)state;
    assert_false(check_with(pairs, 2, error));
    assert_non_null(strstr(error, "ssl.ca.location"));
}

static void no_error_holds_a_secret(void **state)
{
    static const char *const secrets[] = {"sasl.password", "ssl.key.password", "ssl.key.pem",
                                          "ssl.keystore.password",
                                          "sasl.oauthbearer.client.secret"};
    char error[300];

    (void)state;
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const struct sluice_pair pairs[] = {{"security.protocol", "ssl"},
                                            {secrets[i], "hunter2"},
                                            {"ssl.keystore.location", "/nonexistent"}};
        check_with(pairs, 3, error);
        assert_null(strstr(error, "hunter2"));
    }
}

static void assert_broker(const char *broker, bool is_good)
{
    const char *items[] = {broker, NULL};
    struct kafka_options options = {.brokers = {items, 1}, .topic = "t", .key = ""};
    char error[300] = "";

    if (sluice_kafka_plugin.check(&options, error, sizeof(error)) != is_good) {
        print_error("%s: \"%s\"\n", broker, error);
        fail();
    }
}

static void brokers_are_hosts_with_ports(void **state)
{
    struct kafka_options none = {.topic = "t", .key = ""};
    char error[300];

    (void)state;
    assert_broker("kafka", true);
    assert_broker("kafka:9092", true);
    assert_broker("10.0.0.1:1", true);
    assert_broker("[::1]:9092", true);
    assert_broker("[::1]", true);
    assert_broker("SSL://kafka:9093", true);
    assert_broker("", false);
    assert_broker(":9092", false);
    assert_broker("kafka:", false);
    assert_broker("kafka:0", false);
    assert_broker("kafka:65536", false);
    assert_broker("kafka:x", false);
    assert_broker("::1:9092", false);
    assert_broker("a:1,b:1", false);
    assert_broker("a b", false);
    assert_false(sluice_kafka_plugin.check(&none, error, sizeof(error)));
}

static void headers_have_their_cost(void **state)
{
    struct kafka_options options = {.headers = KAFKA_HEADERS_NONE};
    size_t none = sluice_kafka_plugin.record_cost(&options);

    (void)state;
    options.headers = KAFKA_HEADERS_COMPACT;
    size_t one = sluice_kafka_plugin.record_cost(&options);
    options.headers = KAFKA_HEADERS_SPLIT;
    size_t five = sluice_kafka_plugin.record_cost(&options);
    assert_in_range(none, 235 + 48, 350); /* what was measured, and not much more */
    assert_in_range(one, 491 + 48, 650);
    assert_in_range(five, 795 + 48, 1050);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_properties_are_taken),
        cmocka_unit_test(the_fixed_ones_are_refused_under_each_name),
        cmocka_unit_test(a_fixed_one_may_be_said_again),
        cmocka_unit_test(unknown_names_and_bad_values_are_refused),
        cmocka_unit_test(what_only_a_producer_finds_is_found),
        cmocka_unit_test(no_error_holds_a_secret),
        cmocka_unit_test(brokers_are_hosts_with_ports),
        cmocka_unit_test(headers_have_their_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
