#include "test.h"

#include "base/machine.h"

enum { NONE, OFF, ON, STATES };
enum { PUSH, BREAK, EVENTS };

static const uint8_t next[STATES][EVENTS] = {
    [OFF][PUSH] = ON,
    [ON][PUSH] = OFF,
    [ON][BREAK] = ON,
};

static const char *name_of(unsigned state)
{
    return state == ON ? "on" : "off";
}

static const char *const event_names[EVENTS] = {"push", "break"};

static const struct sl_machine lamp = {
    .name = "lamp",
    .states = STATES,
    .events = EVENTS,
    .next = &next[0][0],
    .state_name = name_of,
    .event_names = event_names,
};

static void a_cell_says_what_follows_and_an_absent_one_that_nothing_can(void **state)
{
    (void)state;
    assert_int_equal(sl_machine_next(&lamp, OFF, PUSH), ON);
    assert_int_equal(sl_machine_next(&lamp, ON, PUSH), OFF);
    assert_int_equal(sl_machine_next(&lamp, ON, BREAK), ON);
    assert_int_equal(sl_machine_next(&lamp, OFF, BREAK), NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_says_what_follows_and_an_absent_one_that_nothing_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
