#include "test.h"

#include <malloc.h>

#include "cluster.h"
#include "kafka/calm.h"

struct scene {
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    struct kafka_calm calm;
};

static int set_up(void **state)
{
    static struct scene scene;
    char error[200];

    scene.rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, error, sizeof(error));
    assert_non_null(scene.rk);
    scene.rkt = rd_kafka_topic_new(scene.rk, "t", NULL);
    assert_true(kafka_calm_init(&scene.calm, scene.rk));
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    kafka_calm_fini(&scene->calm);
    rd_kafka_topic_destroy(scene->rkt);
    rd_kafka_destroy(scene->rk);
    return 0;
}

static void silence_pauses_and_the_next_report_resumes(void **state)
{
    struct kafka_calm *calm = &((struct scene *)*state)->calm;

    kafka_calm_note(calm, ((struct scene *)*state)->rkt, 0);
    assert_int_equal(kafka_calm_begin(calm, 1000), KAFKA_SILENCE_MS);
    assert_int_equal(kafka_calm_begin(calm, 1001), 0);
    kafka_calm_heard(calm, 1004);
    assert_int_equal(kafka_calm_tick(calm, 1010, true), 4);
    assert_false(calm->is_paused);
    assert_int_equal(kafka_calm_tick(calm, 1014, true), KAFKA_PAUSE_MS);
    assert_true(calm->is_paused);
    kafka_calm_heard(calm, 1020);
    assert_false(calm->is_paused);
}

static void a_long_silence_is_interrupted_to_look_again(void **state)
{
    struct kafka_calm *calm = &((struct scene *)*state)->calm;

    kafka_calm_note(calm, ((struct scene *)*state)->rkt, 0);
    assert_int_equal(kafka_calm_begin(calm, 0), KAFKA_SILENCE_MS);
    for (int64_t at = 10; at < 1000; at += 110) {
        assert_int_equal(kafka_calm_tick(calm, at, true), KAFKA_PAUSE_MS);
        assert_true(calm->is_paused);
        assert_int_equal(kafka_calm_tick(calm, at + 100, true), KAFKA_SILENCE_MS);
        assert_false(calm->is_paused);
    }
}

static void with_nothing_out_nothing_is_paused_and_the_clock_stops(void **state)
{
    struct kafka_calm *calm = &((struct scene *)*state)->calm;

    kafka_calm_note(calm, ((struct scene *)*state)->rkt, 0);
    assert_int_equal(kafka_calm_begin(calm, 0), KAFKA_SILENCE_MS);
    assert_int_equal(kafka_calm_tick(calm, 10, true), KAFKA_PAUSE_MS);
    assert_int_equal(kafka_calm_tick(calm, 110, false), 0);
    assert_false(calm->is_paused);
    assert_int_equal(kafka_calm_begin(calm, 200), KAFKA_SILENCE_MS);
}

static void each_partition_is_kept_once(void **state)
{
    struct scene *scene = *state;

    for (int round = 0; round < 3; round++) {
        for (int32_t partition = 0; partition < 4; partition++) {
            kafka_calm_note(&scene->calm, scene->rkt, partition);
        }
    }
    kafka_calm_note(&scene->calm, scene->rkt, RD_KAFKA_PARTITION_UA);
    assert_int_equal(scene->calm.partitions->cnt, 4);
}

/* Bytes of the heap that are in use; always 0 with a sanitizer, which has a heap of its own. */
static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static rd_kafka_t *producer_of(const struct cluster *cluster)
{
    char error[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", cluster->brokers[0], NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    assert_non_null(rk);
    return rk;
}

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int32_t partition)
{
    char byte = 'x';

    assert_int_equal(rd_kafka_produce(rkt, partition, RD_KAFKA_MSG_F_COPY, &byte, 1, NULL, 0, NULL),
                     0);
    assert_int_equal(rd_kafka_flush(rk, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* As a broker that is slower than KAFKA_SILENCE_MS again and again has it, in partitions that
 * there are. */
static void pausing_leaves_nothing_behind(void **state)
{
    enum { ROUNDS = 1000, PARTITIONS = 4, MOST_BYTES = 64 * 1024 };
    struct cluster cluster;
    struct kafka_calm calm;
    size_t before = 0;

    (void)state;
    cluster_init(&cluster);
    rd_kafka_t *rk = producer_of(&cluster);
    assert_true(kafka_calm_init(&calm, rk));
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, "t", NULL);
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        produce(rk, rkt, partition);
        kafka_calm_note(&calm, rkt, partition);
    }
    for (int round = 0; round < 2 * ROUNDS; round++) {
        before = round == ROUNDS ? heap_bytes() : before;
        (void)kafka_calm_begin(&calm, 0);
        assert_int_equal(kafka_calm_tick(&calm, KAFKA_SILENCE_MS, true), KAFKA_PAUSE_MS);
        kafka_calm_heard(&calm, 2 * (int64_t)KAFKA_SILENCE_MS);
        assert_int_equal(kafka_calm_tick(&calm, 2 * (int64_t)KAFKA_SILENCE_MS, false), 0);
    }
    assert_in_range(heap_bytes(), 0, before + MOST_BYTES); /* a mark each would be 1 MB */
    produce(rk, rkt, 0);
    kafka_calm_fini(&calm);
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
    cluster_fini(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silence_pauses_and_the_next_report_resumes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_silence_is_interrupted_to_look_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_nothing_out_nothing_is_paused_and_the_clock_stops,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_partition_is_kept_once, set_up, tear_down),
        cmocka_unit_test(pausing_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
