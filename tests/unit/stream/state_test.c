#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "stream/state.h"

static bool has_call(enum sl_stream_state state)
{
    return state == SL_STREAM_OPENING || state == SL_STREAM_FLOWING || state == SL_STREAM_HELD ||
           state == SL_STREAM_DRAINING || state == SL_STREAM_ENDING;
}

static void a_call_may_end_exactly_where_there_is_one(void **state)
{
    (void)state;
    for (int s = SL_STREAM_WAITING; s < SL_STREAM_STATES; s++) {
        enum sl_stream_state next = sl_stream_next((enum sl_stream_state)s, SL_STREAM_ENDED);
        assert_int_equal(next != SL_STREAM_NONE, has_call((enum sl_stream_state)s));
    }
}

static void every_state_but_closed_can_be_left_and_closed_cannot(void **state)
{
    (void)state;
    for (int s = SL_STREAM_WAITING; s < SL_STREAM_STATES; s++) {
        bool can_leave = false;
        for (int e = 0; e < SL_STREAM_EVENTS; e++) {
            enum sl_stream_state next =
                sl_stream_next((enum sl_stream_state)s, (enum sl_stream_event)e);
            can_leave |= next != SL_STREAM_NONE && next != (enum sl_stream_state)s;
        }
        assert_int_equal(can_leave, s != SL_STREAM_CLOSED);
    }
}

static void every_state_is_reached_from_waiting(void **state)
{
    bool reached[SL_STREAM_STATES] = {[SL_STREAM_WAITING] = true};

    (void)state;
    for (int round = 0; round < SL_STREAM_STATES; round++) {
        for (int s = 1; s < SL_STREAM_STATES; s++) {
            for (int e = 0; reached[s] && e < SL_STREAM_EVENTS; e++) {
                reached[sl_stream_next((enum sl_stream_state)s, (enum sl_stream_event)e)] = true;
            }
        }
    }
    for (int s = SL_STREAM_WAITING; s < SL_STREAM_STATES; s++) {
        assert_true(reached[s]);
        assert_string_not_equal(sl_stream_state_name((enum sl_stream_state)s), "unknown");
    }
}

static void a_stream_that_drains_never_flows_again(void **state)
{
    (void)state;
    for (int s = SL_STREAM_DRAINING; s < SL_STREAM_STATES; s++) {
        for (int e = 0; e < SL_STREAM_EVENTS; e++) {
            enum sl_stream_state next =
                sl_stream_next((enum sl_stream_state)s, (enum sl_stream_event)e);
            assert_true(next == SL_STREAM_NONE || next >= SL_STREAM_DRAINING);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_may_end_exactly_where_there_is_one),
        cmocka_unit_test(every_state_but_closed_can_be_left_and_closed_cannot),
        cmocka_unit_test(every_state_is_reached_from_waiting),
        cmocka_unit_test(a_stream_that_drains_never_flows_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
