#include "commands.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "tool/options.h"

enum {
    MAX_BROKERS = 16,
    MAX_PARTITIONS = 1000,
    MAX_TOPICS = 64,
    MAX_REPLICAS = 3,
    ERROR_BYTES = 256,
};

struct broker_options {
    struct sl_tool_options common;
    int64_t brokers;
    int64_t partitions;
    struct sl_tool_list topics;
};

#define AT(field) offsetof(struct broker_options, field)

static const struct sl_flag flags[] = {
    {.name = "brokers",
     .type = SL_FLAG_NUMBER,
     .offset = AT(brokers),
     .value = "N",
     .min = 1,
     .max = MAX_BROKERS,
     .initial = "1",
     .doc = "how many brokers"},
    {.name = "topic",
     .type = SL_FLAG_LIST,
     .offset = AT(topics),
     .value = "NAME",
     .doc = "makes this topic at the start; others are made at their first use, with 4 partitions"},
    {.name = "partitions",
     .type = SL_FLAG_NUMBER,
     .offset = AT(partitions),
     .value = "N",
     .min = 1,
     .max = MAX_PARTITIONS,
     .initial = "4",
     .doc = "of the topics that --topic names"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Flags", flags}, {NULL, NULL}};

const struct sl_tool sl_tool_broker = {
    .name = "broker",
    .doc = "a Kafka broker for trials, in memory",
    .usage = "",
    .text =
        "A Kafka cluster for trials, on loopback and in memory: prints 'bootstrap ADDRESSES' and\n"
        "runs until SIGTERM or SIGINT. Any Kafka client may use it. A partition keeps its last\n"
        "5 MB.",
    .exits = "0 it was ended; 1 it could not serve; 2 wrong words.",
    .groups = groups,
};

static bool check_topics(const struct broker_options *broker)
{
    return broker->topics.count <= MAX_TOPICS ||
           sl_tool_complain(&broker->common, "--topic: more than %d topics", (int)MAX_TOPICS);
}

static bool make_topics(rd_kafka_mock_cluster_t *cluster, const struct broker_options *broker)
{
    int replicas = (int)(broker->brokers < MAX_REPLICAS ? broker->brokers : MAX_REPLICAS);

    for (size_t i = 0; i < broker->topics.count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(cluster, broker->topics.items[i],
                                                               (int)broker->partitions, replicas);
        if (error) {
            fprintf(stderr, "sluice broker: topic %s: %s\n", broker->topics.items[i],
                    rd_kafka_err2str(error));
            return false;
        }
    }
    return true;
}

/* The cluster's thread does everything; this one waits for the end. */
static int serve(rd_kafka_t *rk, const struct broker_options *broker, const sigset_t *ends)
{
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, (int)broker->brokers);
    int number;

    if (!cluster) {
        fputs("sluice broker: no sockets to be had\n", stderr);
        return SL_EXIT_FAILED;
    }
    bool is_good = make_topics(cluster, broker);
    if (is_good) {
        printf("bootstrap %s\n", rd_kafka_mock_cluster_bootstraps(cluster));
        puts("for trials only: in memory, on loopback, the last 5 MB of each partition");
        fflush(stdout);
        sigwait(ends, &number);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int run(struct sl_tool_options *common)
{
    const struct broker_options *broker = SL_CONTAINER_OF(common, struct broker_options, common);
    char error[ERROR_BYTES];
    sigset_t ends;
    int code;

    if (!check_topics(broker)) {
        return SL_EXIT_USAGE;
    }
    /* Before any thread starts: they inherit it, and only sigwait sees these. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0); /* a trial has no brokers: no warning */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    if (!rk) {
        fprintf(stderr, "sluice broker: %s\n", error);
        rd_kafka_conf_destroy(conf);
        return SL_EXIT_FAILED;
    }
    code = serve(rk, broker, &ends);
    rd_kafka_destroy(rk);
    return code;
}

int sl_command_broker(int argc, char **argv)
{
    struct broker_options broker = {0};

    return sl_tool_main(&sl_tool_broker, argc, argv, &broker.common, run);
}
