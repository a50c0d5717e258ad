#include "test.h"

#include <stdio.h>

#include "stream/meter.h"

static void there_is_one_for_each_subscription_and_sink(void **state)
{
    struct sl_meters meters;
    char name[] = "counters";

    (void)state;
    sl_meters_init(&meters);
    struct sl_meter *first = sl_meters_find(&meters, name, "kafka");
    name[0] = 'C'; /* it has a copy */
    assert_string_equal(first->subscription, "counters");
    assert_string_equal(first->sink, "kafka");
    assert_ptr_equal(sl_meters_find(&meters, "counters", "kafka"), first);
    assert_ptr_not_equal(sl_meters_find(&meters, "counters", "file"), first);
    assert_ptr_not_equal(sl_meters_find(&meters, "other", "other"), &meters.other);
    assert_int_equal(meters.count, 3);
    sl_meters_fini(&meters);
}

static void there_are_only_so_many(void **state)
{
    struct sl_meters meters;
    char name[16];

    (void)state;
    sl_meters_init(&meters);
    for (int i = 0; i < SL_METERS_MOST; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        assert_ptr_not_equal(sl_meters_find(&meters, name, "kafka"), &meters.other);
    }
    assert_ptr_equal(sl_meters_find(&meters, "one more", "kafka"), &meters.other);
    assert_string_equal(meters.other.subscription, "other");
    assert_ptr_not_equal(sl_meters_find(&meters, "s7", "kafka"), &meters.other);
    sl_meters_fini(&meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_one_for_each_subscription_and_sink),
        cmocka_unit_test(there_are_only_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
