#include "commands.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum {
    MAX_BROKERS = 16,
    MAX_PARTITIONS = 1000,
    MAX_TOPICS = 64,
    DEFAULT_PARTITIONS = 4, /* of a topic that librdkafka makes by itself */
    MAX_REPLICAS = 3,
    ERROR_BYTES = 256,
};

static const char usage[] =
    "usage: sluice broker [--brokers N] [--topic NAME ...] [--partitions N]\n\n"
    "A Kafka cluster for trials, on loopback and in memory: prints 'bootstrap ADDRESSES' and runs\n"
    "until SIGTERM or SIGINT. Any Kafka client may use it. A partition keeps its last 5 MB.\n\n"
    "  --brokers N      how many brokers (1)\n"
    "  --topic NAME     makes this topic at the start; others are made at their first use, with 4\n"
    "                   partitions\n"
    "  --partitions N   of the topics that --topic names (4)\n";

struct broker_options {
    int brokers;
    int partitions;
    const char *topics[MAX_TOPICS];
    int topic_count;
};

static bool read_count(const char *name, const char *text, int max, int *count)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 1 || value > max) {
        fprintf(stderr, "sluice broker: --%s %s: expected a number from 1 to %d\n", name, text,
                max);
        return false;
    }
    *count = (int)value;
    return true;
}

static bool add_topic(struct broker_options *broker, const char *name)
{
    if (broker->topic_count == MAX_TOPICS) {
        fprintf(stderr, "sluice broker: --topic %s: more than %d topics\n", name, MAX_TOPICS);
        return false;
    }
    broker->topics[broker->topic_count++] = name;
    return true;
}

/* False: *code is the exit code. */
static bool read_options(int argc, char **argv, struct broker_options *broker, int *code)
{
    static const struct option options[] = {
        {"brokers", required_argument, NULL, 'b'},
        {"partitions", required_argument, NULL, 'p'},
        {"topic", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool is_good = true;

    *code = SL_EXIT_USAGE;
    for (int option; is_good && (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            *code = SL_EXIT_OK;
            return false;
        }
        is_good = (option == 'b' && read_count("brokers", optarg, MAX_BROKERS, &broker->brokers)) ||
                  (option == 'p' &&
                   read_count("partitions", optarg, MAX_PARTITIONS, &broker->partitions)) ||
                  (option == 't' && add_topic(broker, optarg));
    }
    if (is_good && optind != argc) {
        fputs(usage, stderr);
        is_good = false;
    }
    return is_good;
}

static bool make_topics(rd_kafka_mock_cluster_t *cluster, const struct broker_options *broker)
{
    int replicas = broker->brokers < MAX_REPLICAS ? broker->brokers : MAX_REPLICAS;

    for (int i = 0; i < broker->topic_count; i++) {
        rd_kafka_resp_err_t error =
            rd_kafka_mock_topic_create(cluster, broker->topics[i], broker->partitions, replicas);
        if (error) {
            fprintf(stderr, "sluice broker: topic %s: %s\n", broker->topics[i],
                    rd_kafka_err2str(error));
            return false;
        }
    }
    return true;
}

/* The cluster's thread does everything; this one waits for the end. */
static int serve(rd_kafka_t *rk, const struct broker_options *broker, const sigset_t *ends)
{
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, broker->brokers);
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

int sl_command_broker(int argc, char **argv)
{
    struct broker_options broker = {.brokers = 1, .partitions = DEFAULT_PARTITIONS};
    char error[ERROR_BYTES];
    sigset_t ends;
    int code;

    if (!read_options(argc, argv, &broker, &code)) {
        return code;
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
    code = serve(rk, &broker, &ends);
    rd_kafka_destroy(rk);
    return code;
}
