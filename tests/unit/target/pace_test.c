/* How often something may begin. */
#include "test.h"
#include "base/base.h"
#include "target/pace.h"

enum { RATE = 50, BURST = 10 };

static struct sl_pace pace_of(int64_t rate, int64_t burst)
{
    struct sl_pace pace = {0};

    sl_pace_set(&pace, rate, burst);
    return pace;
}

static void without_a_rate_every_turn_is_now(void **state)
{
    struct sl_pace none = {0};
    struct sl_pace pace = pace_of(0, BURST);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sl_pace_take(&pace, 7), 7);
        assert_int_equal(sl_pace_take(&none, 7), 7);
    }
}

static void a_burst_is_now_and_the_rest_in_step(void **state)
{
    const int64_t now_ns = 3 * SL_NS_PER_S;
    struct sl_pace pace = pace_of(RATE, BURST);

    (void)state;
    for (int i = 0; i < BURST; i++) {
        assert_int_equal(sl_pace_take(&pace, now_ns), now_ns);
    }
    for (int i = 1; i <= 500; i++) {
        assert_int_equal(sl_pace_take(&pace, now_ns), now_ns + i * (SL_NS_PER_S / RATE));
    }
}

static void a_burst_of_one_is_none(void **state)
{
    struct sl_pace pace = pace_of(RATE, 1);

    (void)state;
    assert_int_equal(sl_pace_take(&pace, 0), 0);
    assert_int_equal(sl_pace_take(&pace, 0), SL_NS_PER_S / RATE);
}

static void a_pause_gives_the_burst_back_and_no_more(void **state)
{
    struct sl_pace pace = pace_of(RATE, BURST);
    int64_t later_ns = 3600 * SL_NS_PER_S;
    int now = 0;

    (void)state;
    for (int i = 0; i < 3 * BURST; i++) {
        (void)sl_pace_take(&pace, 0);
    }
    while (sl_pace_take(&pace, later_ns) == later_ns) {
        now++;
    }
    assert_int_equal(now, BURST);
}

/* Asked at random times: turns come in the order of the asking, never before it, and any span of
 * time has no more of them than it may. */
static void no_span_of_time_has_more_turns_than_it_may(void **state)
{
    enum { TURNS = 2000 };
    static int64_t turns[TURNS];
    struct sl_pace pace = pace_of(RATE, BURST);
    uint64_t draw = 1;
    int64_t now_ns = 0;

    (void)state;
    for (int i = 0; i < TURNS; i++) {
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        now_ns += (int64_t)(draw >> 33) % (i % 100 < 90 ? 30 * SL_NS_PER_MS : SL_NS_PER_S / 2);
        turns[i] = sl_pace_take(&pace, now_ns);
        assert_true(turns[i] >= now_ns);
        assert_true(i == 0 || turns[i] >= turns[i - 1]);
        if (i >= BURST) {
            assert_true(turns[i] - turns[i - BURST] >= SL_NS_PER_S / RATE);
        }
        for (int j = 0; j + BURST <= i; j += 13) {
            int64_t span_ns = turns[i] - turns[j];
            assert_true(i - j + 1 <= span_ns / (SL_NS_PER_S / RATE) + BURST);
        }
    }
}

static void a_new_rate_goes_for_the_next_turn(void **state)
{
    struct sl_pace pace = pace_of(1, 1);

    (void)state;
    assert_int_equal(sl_pace_take(&pace, 0), 0);
    assert_int_equal(sl_pace_take(&pace, 0), SL_NS_PER_S);
    sl_pace_set(&pace, 1000, 1);
    assert_int_equal(sl_pace_take(&pace, 0), 2 * SL_NS_PER_S);
    assert_int_equal(sl_pace_take(&pace, 0), 2 * SL_NS_PER_S + SL_NS_PER_MS);
    sl_pace_set(&pace, 0, 1);
    assert_int_equal(sl_pace_take(&pace, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rate_every_turn_is_now),
        cmocka_unit_test(a_burst_is_now_and_the_rest_in_step),
        cmocka_unit_test(a_burst_of_one_is_none),
        cmocka_unit_test(a_pause_gives_the_burst_back_and_no_more),
        cmocka_unit_test(no_span_of_time_has_more_turns_than_it_may),
        cmocka_unit_test(a_new_rate_goes_for_the_next_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
