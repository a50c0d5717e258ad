#include "test.h"

#include "base/base.h"
#include "metrics/tally.h"

static void each_name_has_its_row_and_the_rest_is_other(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g",
                                        "h", "i", "j", "k", "l", "m"};
    struct sl_tally tally = {0};

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
            sl_tally_add(&tally, names[i]);
        }
    }
    for (size_t i = 0; i < SL_TALLY_ROWS; i++) {
        assert_string_equal(sl_tally_row(&tally, i).name, names[i]);
        assert_int_equal(sl_tally_row(&tally, i).count, 3);
    }
    assert_string_equal(sl_tally_row(&tally, SL_TALLY_ROWS).name, "other");
    assert_int_equal(sl_tally_row(&tally, SL_TALLY_ROWS).count, 6);
    assert_null(sl_tally_row(&tally, SL_TALLY_ROWS + 1).name);
    sl_tally_fini(&tally);
    assert_null(sl_tally_row(&tally, 0).name);
}

static void without_memory_everything_is_other(void **state)
{
    struct sl_tally tally = {0};
    struct sl_tally_row rows[SL_TALLY_ROWS];
    struct sl_tally copy;

    (void)state;
    tally.other = 2; /* what is left of two that found no memory */
    sl_tally_add(&tally, "a");
    assert_string_equal(sl_tally_row(&tally, 0).name, "a");
    assert_string_equal(sl_tally_row(&tally, 1).name, "other");
    sl_tally_copy(&copy, &tally, rows);
    sl_tally_fini(&tally);
    assert_string_equal(sl_tally_row(&copy, 0).name, "a");
    assert_int_equal(sl_tally_row(&copy, 1).count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_has_its_row_and_the_rest_is_other),
        cmocka_unit_test(without_memory_everything_is_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
