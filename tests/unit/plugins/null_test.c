/* null_test.c - the sink that forgets. */
#include "test.h"

#include "fixture.h"

static const struct sluice_record record = {.destination = {"", 0}};

static void records_are_acknowledged_in_the_next_turn(void **state)
{
    struct fixture fixture;
    int64_t delay_ns = 0;

    (void)state;
    fixture_init(&fixture, &sluice_null_plugin, &delay_ns, 1000);
    fixture_open(&fixture);
    assert_true(sl_sink_is_taking(fixture.sink));
    for (int i = 0; i < 1000; i++) {
        assert_true(fixture_give(&fixture, &record, "x", 1));
    }
    assert_int_equal(fixture.acked, 0);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(fixture.slots[i].order, i + 1);
    }
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
}

static void a_delay_holds_records_that_long(void **state)
{
    struct fixture fixture;
    struct sluice_stats stats;
    int64_t delay_ns = 30 * SL_NS_PER_MS;

    (void)state;
    fixture_init(&fixture, &sluice_null_plugin, &delay_ns, 100);
    fixture_open(&fixture);
    int64_t begin_ns = sl_loop_now_ns(fixture.loop);
    for (int i = 0; i < 100; i++) {
        assert_true(fixture_give(&fixture, &record, "xyz", 3));
    }
    sl_sink_stats(fixture.sink, &stats);
    assert_int_equal(stats.queued_records, 100);
    assert_int_equal(stats.queued_bytes, 300);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_true(sl_loop_now_ns(fixture.loop) - begin_ns >= delay_ns);
    sl_sink_stats(fixture.sink, &stats);
    assert_int_equal(stats.queued_bytes, 0);
    assert_true(stats.report_latency_ns >= delay_ns / 2);
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
}

static void closing_gives_up_what_is_delayed(void **state)
{
    struct fixture fixture;
    int64_t delay_ns = 60 * SL_NS_PER_S;

    (void)state;
    fixture_init(&fixture, &sluice_null_plugin, &delay_ns, 100);
    fixture_open(&fixture);
    for (int i = 0; i < 100; i++) {
        assert_true(fixture_give(&fixture, &record, "x", 1));
    }
    sl_sink_flush(fixture.sink);
    assert_int_equal(fixture.acked, 0);
    fixture_close(&fixture);
    assert_all_came_back(&fixture, 100);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_acknowledged_in_the_next_turn),
        cmocka_unit_test(a_delay_holds_records_that_long),
        cmocka_unit_test(closing_gives_up_what_is_delayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
