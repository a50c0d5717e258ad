#include "test.h"

#include "cluster.h"

enum { POLL_MS = 100, MOST_POLLS = 300 };

void cluster_init(struct cluster *cluster)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    cluster->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    assert_non_null(cluster->rk);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->rk, 1);
    assert_non_null(cluster->mock);
    cluster->brokers[0] = rd_kafka_mock_cluster_bootstraps(cluster->mock);
    cluster->brokers[1] = NULL;
}

void cluster_fini(struct cluster *cluster)
{
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->rk);
}

void cluster_set_up(struct cluster *cluster, bool is_up)
{
    rd_kafka_resp_err_t error = is_up ? rd_kafka_mock_broker_set_up(cluster->mock, 1)
                                      : rd_kafka_mock_broker_set_down(cluster->mock, 1);

    assert_int_equal(error, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static rd_kafka_t *consumer_new(struct cluster *cluster, const char *topic, int partitions)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", cluster->brokers[0], NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", NULL, 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    assert_non_null(consumer);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    assert_int_equal(rd_kafka_assign(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

size_t cluster_read(struct cluster *cluster, const char *topic, int partitions, size_t count,
                    void (*fn)(const rd_kafka_message_t *message, void *arg), void *arg)
{
    rd_kafka_t *consumer = consumer_new(cluster, topic, partitions);
    size_t read = 0;
    int ends = 0;

    for (int polls = 0; polls < MOST_POLLS && (read < count || ends < partitions);) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, POLL_MS);
        if (!message) {
            polls++;
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            read++;
            fn(message, arg);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return read;
}
