/* What timestamps mean, and what is made of them. */
#include "normalise/clock.h"
#include "test.h"

#define DAY_NS  (INT64_C(24) * 3600 * SL_NS_PER_S)
#define HOUR_NS (INT64_C(3600) * SL_NS_PER_S)
#define NOW_NS  (INT64_C(1795300000) * SL_NS_PER_S + 123456789)

static struct sl_clock make(enum sl_clock_unit unit)
{
    const struct sl_clock_config config = {SL_CLOCK_DEVICE, unit, HOUR_NS};
    struct sl_clock clock;

    sl_clock_init(&clock, &config);
    return clock;
}

static const int64_t unit_ns[] = {
    [SL_CLOCK_S] = SL_NS_PER_S, [SL_CLOCK_MS] = SL_NS_PER_MS, [SL_CLOCK_US] = SL_NS_PER_US, 1};

static void the_first_number_that_speaks_for_a_unit_decides(void **state)
{
    (void)state;
    for (int unit = SL_CLOCK_S; unit <= SL_CLOCK_NS; unit++) {
        int64_t ns = unit == SL_CLOCK_NS ? 1 : unit_ns[unit];
        struct sl_clock clock = make(SL_CLOCK_AUTO);
        assert_int_equal(sl_clock_read(&clock, NOW_NS / ns, NOW_NS), NOW_NS / ns * ns);
        assert_int_equal(clock.unit, unit);
        assert_int_equal(clock.counts.scaled, unit != SL_CLOCK_NS);
        assert_int_equal(clock.counts.future + clock.counts.past, 0);
    }
}

static void an_old_change_speaks_too(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);
    int64_t then_ns = NOW_NS - 300 * DAY_NS;

    (void)state;
    assert_int_equal(sl_clock_read(&clock, then_ns / SL_NS_PER_MS, NOW_NS),
                     then_ns / SL_NS_PER_MS * SL_NS_PER_MS);
    assert_int_equal(clock.unit, SL_CLOCK_MS);
    clock = make(SL_CLOCK_AUTO);
    assert_int_equal(sl_clock_read(&clock, NOW_NS - 9 * 365 * DAY_NS, NOW_NS),
                     NOW_NS - 9 * 365 * DAY_NS);
    assert_int_equal(clock.unit, SL_CLOCK_NS);
    assert_int_equal(clock.counts.past, 1);
}

static void without_evidence_it_is_nanoseconds(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);

    (void)state;
    assert_int_equal(sl_clock_read(&clock, 5 * DAY_NS, NOW_NS), 5 * DAY_NS);
    assert_int_equal(sl_clock_read(&clock, INT64_MAX, NOW_NS), INT64_MAX);
    assert_int_equal(clock.unit, SL_CLOCK_AUTO);
    assert_int_equal(sl_clock_read(&clock, NOW_NS / SL_NS_PER_MS, NOW_NS),
                     NOW_NS / SL_NS_PER_MS * SL_NS_PER_MS);
    assert_int_equal(clock.unit, SL_CLOCK_MS);
}

/* Set to 1970, half an hour after it was switched on it sends numbers that would be milliseconds.
 */
static void a_clock_at_1970_does_not_change_the_unit(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);
    int64_t uptime_ns = NOW_NS / SL_NS_PER_MS;

    (void)state;
    assert_int_equal(sl_clock_read(&clock, NOW_NS, NOW_NS), NOW_NS);
    for (int i = 0; i < SL_CLOCK_CONTRARY - 1; i++) {
        assert_int_equal(sl_clock_read(&clock, uptime_ns + i, NOW_NS), uptime_ns + i);
    }
    assert_int_equal(sl_clock_read(&clock, NOW_NS, NOW_NS), NOW_NS);
    assert_int_equal(clock.unit, SL_CLOCK_NS);
}

static void several_contrary_numbers_in_a_row_decide_anew(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);

    (void)state;
    assert_int_equal(sl_clock_read(&clock, NOW_NS, NOW_NS), NOW_NS);
    for (int i = 1; i < SL_CLOCK_CONTRARY; i++) {
        assert_int_equal(sl_clock_read(&clock, NOW_NS / SL_NS_PER_US, NOW_NS),
                         NOW_NS / SL_NS_PER_US);
        assert_int_equal(sl_clock_read(&clock, 0, NOW_NS), 0); /* says nothing */
    }
    assert_int_equal(sl_clock_read(&clock, NOW_NS / SL_NS_PER_US, NOW_NS),
                     NOW_NS / SL_NS_PER_US * SL_NS_PER_US);
    assert_int_equal(clock.unit, SL_CLOCK_US);
}

static void contrary_numbers_that_disagree_do_not_add_up(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);

    (void)state;
    assert_int_equal(sl_clock_read(&clock, NOW_NS, NOW_NS), NOW_NS);
    for (int i = 0; i < 3 * SL_CLOCK_CONTRARY; i++) {
        int64_t sent = NOW_NS / (i % 2 ? SL_NS_PER_US : SL_NS_PER_MS);
        assert_int_equal(sl_clock_read(&clock, sent, NOW_NS), sent);
    }
    assert_int_equal(clock.unit, SL_CLOCK_NS);
}

static void a_unit_that_was_wrong_is_given_up(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);

    (void)state;
    assert_int_equal(sl_clock_read(&clock, NOW_NS / SL_NS_PER_S, NOW_NS),
                     NOW_NS / SL_NS_PER_S * SL_NS_PER_S);
    for (int i = 0; i < SL_CLOCK_CONTRARY; i++) {
        (void)sl_clock_read(&clock, 100 * SL_NS_PER_S + i, NOW_NS);
    }
    assert_int_equal(clock.unit, SL_CLOCK_AUTO);
    assert_int_equal(sl_clock_read(&clock, 100 * SL_NS_PER_S, NOW_NS), 100 * SL_NS_PER_S);
}

static void a_configured_unit_wins(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_MS);

    (void)state;
    for (int i = 0; i < 3 * SL_CLOCK_CONTRARY; i++) {
        assert_int_equal(sl_clock_read(&clock, 60000, NOW_NS), 60000 * SL_NS_PER_MS);
    }
    assert_int_equal(sl_clock_read(&clock, NOW_NS, NOW_NS), NOW_NS); /* no room: as it is */
    assert_int_equal(clock.unit, SL_CLOCK_MS);
}

static void skew_is_counted_whatever_the_policy(void **state)
{
    struct sl_clock clock = make(SL_CLOCK_AUTO);

    (void)state;
    (void)sl_clock_read(&clock, 0, NOW_NS);
    (void)sl_clock_read(&clock, -1, NOW_NS);
    (void)sl_clock_read(&clock, INT64_MIN, NOW_NS);
    (void)sl_clock_read(&clock, NOW_NS + HOUR_NS, NOW_NS);
    (void)sl_clock_read(&clock, NOW_NS + HOUR_NS + 1, NOW_NS);
    (void)sl_clock_read(&clock, NOW_NS - HOUR_NS, NOW_NS);
    (void)sl_clock_read(&clock, NOW_NS - HOUR_NS - 2, NOW_NS);
    assert_int_equal(clock.counts.zero, 1);
    assert_int_equal(clock.counts.negative, 2);
    assert_int_equal(clock.counts.future, 1);
    assert_int_equal(clock.counts.past, 1);
    assert_int_equal(clock.counts.max_ahead_ns, HOUR_NS + 1);
    assert_int_equal(clock.counts.max_behind_ns, HOUR_NS + 2);
}

static void the_policy_device_keeps_what_was_sent(void **state)
{
    static const int64_t sent[] = {0, -1, INT64_MIN, 1, NOW_NS + 100 * DAY_NS, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(sent); i++) {
        assert_int_equal(sl_clock_settle(SL_CLOCK_DEVICE, 0, sent[i], NOW_NS), sent[i]);
        assert_int_equal(sl_clock_settle(SL_CLOCK_RECEIVE, 0, sent[i], NOW_NS), NOW_NS);
    }
}

static void the_policy_clamp_keeps_what_is_near(void **state)
{
    const struct {
        int64_t sent;
        int64_t time;
    } rows[] = {
        {0, NOW_NS},
        {-1, NOW_NS},
        {INT64_MIN, NOW_NS},
        {1, NOW_NS - HOUR_NS},
        {NOW_NS - HOUR_NS - 1, NOW_NS - HOUR_NS},
        {NOW_NS - HOUR_NS, NOW_NS - HOUR_NS},
        {NOW_NS + 1, NOW_NS + 1},
        {NOW_NS + HOUR_NS + 1, NOW_NS + HOUR_NS},
        {INT64_MAX, NOW_NS + HOUR_NS},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        assert_int_equal(sl_clock_settle(SL_CLOCK_CLAMP, HOUR_NS, rows[i].sent, NOW_NS),
                         rows[i].time);
    }
    assert_int_equal(sl_clock_settle(SL_CLOCK_CLAMP, INT64_MAX, INT64_MAX, NOW_NS), INT64_MAX);
}

/* Whatever is sent and whatever our clock says, nothing overflows. */
static void the_ends_of_numbers_are_no_trap(void **state)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(ends); i++) {
        for (size_t j = 0; j < SL_ARRAY_LEN(ends); j++) {
            for (int unit = SL_CLOCK_AUTO; unit <= SL_CLOCK_NS; unit++) {
                struct sl_clock clock = make((enum sl_clock_unit)unit);
                int64_t ns = sl_clock_read(&clock, ends[i], ends[j]);
                (void)sl_clock_settle(SL_CLOCK_CLAMP, INT64_MAX, ns, ends[j]);
                assert_true(clock.counts.max_behind_ns >= 0 && clock.counts.max_ahead_ns >= 0);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_number_that_speaks_for_a_unit_decides),
        cmocka_unit_test(an_old_change_speaks_too),
        cmocka_unit_test(without_evidence_it_is_nanoseconds),
        cmocka_unit_test(a_clock_at_1970_does_not_change_the_unit),
        cmocka_unit_test(several_contrary_numbers_in_a_row_decide_anew),
        cmocka_unit_test(contrary_numbers_that_disagree_do_not_add_up),
        cmocka_unit_test(a_unit_that_was_wrong_is_given_up),
        cmocka_unit_test(a_configured_unit_wins),
        cmocka_unit_test(skew_is_counted_whatever_the_policy),
        cmocka_unit_test(the_policy_device_keeps_what_was_sent),
        cmocka_unit_test(the_policy_clamp_keeps_what_is_near),
        cmocka_unit_test(the_ends_of_numbers_are_no_trap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
