/* The pace of one part: by a clock of the test. */
#include "test.h"

#include <stdlib.h>

#include "base/base.h"
#include "device/track.h"

enum { INTERFACES = 3, COUNTERS = INTERFACES * SL_DEVICE_COUNTERS };

#define OPER_STATUS (COUNTERS + 1) /* of eth0 */

struct bench {
    struct sl_device_leaves leaves;
    struct sl_device_options options;
    struct sl_device_part part;
    struct sl_device_track track;
    struct sl_device_now now;
};

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_true(sl_device_leaves_init(&bench->leaves, INTERFACES));
    bench->options.updates = 20;
    bench->now.now_ns = 5 * SL_NS_PER_S;
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_device_leaves_fini(&bench->leaves);
    free(bench);
    return 0;
}

static void pass_ms(struct bench *bench, uint64_t ms)
{
    bench->now.now_ns += (int64_t)ms * SL_NS_PER_MS;
    bench->now.elapsed_ms += ms;
}

static uint64_t owed(struct bench *bench)
{
    return sl_device_track_owed(&bench->track, &bench->now);
}

/* The dump of all leaves in one message, and the clock begins. */
static void start(struct bench *bench, struct sl_device_part part)
{
    bench->part = part;
    sl_device_track_init(&bench->track, &bench->part, &bench->leaves, 0, &bench->options);
    sl_device_track_dumped(&bench->track, &bench->now, part.selection.count);
    sl_device_track_start(&bench->track, &bench->now);
}

static void a_sample_is_a_round_of_messages_in_each_interval(void **state)
{
    struct bench *bench = *state;

    start(bench, (struct sl_device_part){.selection = {.count = COUNTERS},
                                         .interval_ns = 10 * SL_NS_PER_MS});
    assert_int_equal(bench->track.round, 3);
    pass_ms(bench, 9);
    assert_int_equal(owed(bench), 0);
    assert_int_equal(sl_device_track_next_ns(&bench->track), bench->now.now_ns + SL_NS_PER_MS);
    pass_ms(bench, 1);
    for (uint64_t left = 3; left > 0; left--) {
        assert_int_equal(owed(bench), left);
        sl_device_track_sent(&bench->track, 1, 18);
    }
    assert_int_equal(owed(bench), 0);
    assert_int_equal(bench->track.next, 0);
    assert_int_equal(sl_device_track_next_ns(&bench->track), bench->now.now_ns + 10 * SL_NS_PER_MS);
}

static void a_look_that_finds_nothing_makes_no_message(void **state)
{
    struct bench *bench = *state;

    /* admin-status alone, which never changes */
    start(bench, (struct sl_device_part){.selection = {.first = COUNTERS, .count = 1},
                                         .interval_ns = SL_NS_PER_MS,
                                         .only_changes = true});
    for (int i = 0; i < 10000; i++) {
        pass_ms(bench, 1);
        assert_int_equal(owed(bench), 0);
    }
}

static void each_change_is_sent_once(void **state)
{
    struct bench *bench = *state;
    uint64_t changes = 0;
    uint64_t sent = 0;

    start(bench, (struct sl_device_part){.selection = {.first = COUNTERS, .count = 3},
                                         .interval_ns = 10 * SL_NS_PER_MS,
                                         .only_changes = true});
    for (int i = 0; i < 2000; i++) {
        uint64_t before_ms = bench->now.elapsed_ms;
        pass_ms(bench, 10);
        changes += sl_device_leaf_differs(&bench->leaves, 0, OPER_STATUS, before_ms,
                                          bench->now.elapsed_ms);
        while (owed(bench) > 0) {
            assert_true(bench->track.next == 1); /* the leaves around it have not changed */
            assert_int_equal(sl_device_track_value_ms(&bench->track, &bench->now),
                             bench->now.elapsed_ms);
            sl_device_track_sent(&bench->track, 1, 2); /* it, and the one behind passed over */
            sent++;
        }
    }
    assert_int_equal(changes, 10); /* down and up in each 4 s of 20 */
    assert_int_equal(sent, changes);
}

static void the_values_of_a_round_are_of_one_time(void **state)
{
    struct bench *bench = *state;

    start(bench, (struct sl_device_part){.selection = {.count = COUNTERS},
                                         .interval_ns = 10 * SL_NS_PER_MS,
                                         .only_changes = true});
    pass_ms(bench, 10);
    uint64_t began_ms = bench->now.elapsed_ms;
    assert_int_equal(owed(bench), 1);
    sl_device_track_sent(&bench->track, 1, 18);
    pass_ms(bench, 3);
    assert_int_equal(owed(bench), 1);
    assert_int_equal(sl_device_track_value_ms(&bench->track, &bench->now), began_ms);
    sl_device_track_sent(&bench->track, 1, 18);
    sl_device_track_sent(&bench->track, 1, 18);
    assert_int_equal(owed(bench), 0);
    assert_int_equal(bench->track.sent_ms, began_ms);
}

static void a_heartbeat_sends_all(void **state)
{
    struct bench *bench = *state;
    uint64_t beats = 0;

    start(bench, (struct sl_device_part){.selection = {.first = COUNTERS, .count = 1},
                                         .interval_ns = 100 * SL_NS_PER_MS,
                                         .heartbeat_ns = 30 * SL_NS_PER_MS,
                                         .only_changes = true});
    assert_int_equal(sl_device_track_next_ns(&bench->track), bench->now.now_ns + 30 * SL_NS_PER_MS);
    for (int i = 0; i < 300; i++) {
        pass_ms(bench, 1);
        while (owed(bench) > 0) {
            assert_true(bench->track.is_beat);
            sl_device_track_sent(&bench->track, 1, 1);
            beats++;
        }
    }
    assert_int_equal(beats, 10);
}

static void without_a_dump_what_there_is_counts_as_sent(void **state)
{
    struct bench *bench = *state;

    bench->part = (struct sl_device_part){.selection = {.first = COUNTERS, .count = 3},
                                          .interval_ns = SL_NS_PER_MS,
                                          .only_changes = true};
    pass_ms(bench, 3500); /* a moment at which some are down */
    sl_device_track_init(&bench->track, &bench->part, &bench->leaves, 0, &bench->options);
    sl_device_track_start(&bench->track, &bench->now);
    assert_int_equal(bench->track.sent_ms, bench->now.elapsed_ms);
    pass_ms(bench, 1);
    assert_int_equal(owed(bench), 0);
}

static void held_clocks_stand_still_or_merge(void **state)
{
    struct bench *bench = *state;

    start(bench, (struct sl_device_part){.selection = {.first = 0, .count = 18},
                                         .interval_ns = 10 * SL_NS_PER_MS});
    pass_ms(bench, 1005);
    sl_device_track_wait(&bench->track, 1000 * SL_NS_PER_MS);
    assert_int_equal(owed(bench), 0);
    pass_ms(bench, 5);
    assert_int_equal(owed(bench), 1);
    pass_ms(bench, 1000);
    sl_device_track_merge(&bench->track, &bench->now, 1000 * SL_NS_PER_MS);
    assert_true(bench->track.merges);
    assert_int_equal(owed(bench), 101);
    sl_device_track_sent(&bench->track, 101, 18);
    assert_false(bench->track.merges);
    assert_int_equal(owed(bench), 0);
}

static void looks_that_were_missed_merge_and_never_go_back(void **state)
{
    struct bench *bench = *state;

    start(bench, (struct sl_device_part){.selection = {.first = 0, .count = 18},
                                         .interval_ns = 10 * SL_NS_PER_MS,
                                         .heartbeat_ns = 20 * SL_NS_PER_MS,
                                         .only_changes = true});
    pass_ms(bench, 1000);
    sl_device_track_merge(&bench->track, &bench->now, 1000 * SL_NS_PER_MS);
    assert_int_equal(owed(bench), 100);
    sl_device_track_sent(&bench->track, 100, 18);
    assert_int_equal(owed(bench), 0);
    sl_device_track_wait(&bench->track, 500 * SL_NS_PER_MS); /* a clock in front of its counts */
    assert_int_equal(owed(bench), 0);
}

static void messages_without_room_for_leaves_stand_for_a_round(void **state)
{
    struct bench *bench = *state;

    bench->options.updates = 2;
    start(bench, (struct sl_device_part){.selection = {.count = COUNTERS},
                                         .interval_ns = 10 * SL_NS_PER_MS,
                                         .only_changes = true});
    pass_ms(bench, 10);
    assert_int_equal(owed(bench), 1);
    sl_device_track_sent(&bench->track, 1, 0);
    assert_int_equal(owed(bench), 0);
}

static void a_leaf_that_never_fits_does_not_stop_the_round(void **state)
{
    struct bench *bench = *state;
    uint32_t messages = 0;

    start(bench, (struct sl_device_part){.selection = {.count = COUNTERS},
                                         .interval_ns = 10 * SL_NS_PER_MS,
                                         .heartbeat_ns = 10 * SL_NS_PER_MS,
                                         .only_changes = true});
    pass_ms(bench, 10);
    for (; owed(bench) > 0; messages++) {
        sl_device_track_sent(&bench->track, 1, 0);
    }
    assert_int_equal(messages, COUNTERS);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_sample_is_a_round_of_messages_in_each_interval),
        BENCH_TEST(a_look_that_finds_nothing_makes_no_message),
        BENCH_TEST(each_change_is_sent_once),
        BENCH_TEST(the_values_of_a_round_are_of_one_time),
        BENCH_TEST(a_heartbeat_sends_all),
        BENCH_TEST(without_a_dump_what_there_is_counts_as_sent),
        BENCH_TEST(held_clocks_stand_still_or_merge),
        BENCH_TEST(looks_that_were_missed_merge_and_never_go_back),
        BENCH_TEST(messages_without_room_for_leaves_stand_for_a_round),
        BENCH_TEST(a_leaf_that_never_fits_does_not_stop_the_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
