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
    for (size_t i = 0; i + 1 < SL_TALLY_ROWS; i++) {
        assert_string_equal(tally.rows[i].name, names[i]);
        assert_int_equal(tally.rows[i].count, 3);
    }
    assert_string_equal(tally.rows[SL_TALLY_ROWS - 1].name, "other");
    assert_int_equal(tally.rows[SL_TALLY_ROWS - 1].count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_has_its_row_and_the_rest_is_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
