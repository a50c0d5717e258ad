/* kafka_workers_test.c - two workers, each with its loop and its producer: nothing is shared.
 *
 * Small in itself; it is there for the thread sanitizer (preset tsan), which also watches that
 * reports, errors and log lines of librdkafka's threads come only through the queue.
 */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "fixture.h"
#include "kafka/conf.h"

enum { WORKERS = 2, RECORDS = 5000, PARTITIONS = 4 };

struct worker {
    pthread_t thread;
    unsigned index;
    const struct kafka_options *options;
    struct cluster *cluster;
    bool is_good;
};

static struct sluice_str str(const char *text)
{
    return (struct sluice_str){text, strlen(text)};
}

static bool give_all(struct fixture *fixture, unsigned index)
{
    for (uint64_t seq = 1; seq <= RECORDS; seq++) {
        struct sluice_record record = {
            .destination = str("t"),
            .key = str(index ? "b" : "a"),
            .timestamp_ns = 0,
            .received_ns = sl_loop_wall_ns(),
            .seq = seq,
            .format = str("event"),
            .target = str(index ? "b" : "a"),
            .subscription = str("s"),
        };
        char payload[32];
        int len = snprintf(payload, sizeof(payload), "%llu", (unsigned long long)seq);
        if (!fixture_give_soon(fixture, &record, payload, (size_t)len)) {
            return false;
        }
    }
    return true;
}

/* The outage in the middle is the first worker's to make. */
static void *run(void *arg)
{
    struct worker *worker = arg;
    struct fixture fixture;

    fixture_init(&fixture, &sluice_kafka_plugin, worker->options, 2 * RECORDS);
    fixture_open(&fixture);
    worker->is_good = fixture_run_until(&fixture, is_taking) && give_all(&fixture, worker->index);
    if (worker->index == 0) {
        cluster_set_up(worker->cluster, false);
        worker->is_good = fixture_run_until(&fixture, is_not_taking) && worker->is_good;
        cluster_set_up(worker->cluster, true);
    }
    worker->is_good = worker->is_good && fixture_run_until(&fixture, all_are_acked) &&
                      fixture.acked == RECORDS && fixture.failed == 0;
    fixture_fini(&fixture);
    return NULL;
}

struct order {
    uint64_t last[WORKERS];
    size_t holes; /* the mock cluster may store a batch twice: see assert_seen_whole */
};

static void see(const rd_kafka_message_t *message, void *arg)
{
    struct order *order = arg;
    char text[32] = "";
    unsigned index = *(const char *)message->key == 'b';
    unsigned long long seq = 0;

    memcpy(text, message->payload, message->len < sizeof(text) - 1 ? message->len : 0);
    sscanf(text, "%llu", &seq);
    order->holes += seq > order->last[index] + 1;
    order->last[index] = sl_max_u64(seq, order->last[index]);
}

static void two_workers_publish_side_by_side_through_an_outage(void **state)
{
    struct cluster cluster;
    struct worker workers[WORKERS];
    struct order order = {.holes = 0};

    (void)state;
    cluster_init(&cluster);
    struct kafka_options options = {.brokers = {cluster.brokers, 1},
                                    .topic = "t",
                                    .key = "",
                                    .timestamp_max_age_ns = 86400 * SL_NS_PER_S};
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.index = i, .options = &options, .cluster = &cluster};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_true(workers[i].is_good);
    }
    size_t count = (size_t)WORKERS * RECORDS;
    assert_true(cluster_read(&cluster, "t", PARTITIONS, count, see, &order) >= count);
    assert_int_equal(order.holes, 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(order.last[i], RECORDS);
    }
    cluster_fini(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_workers_publish_side_by_side_through_an_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
