#include "test.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
