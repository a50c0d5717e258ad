#include "top/bar.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "test.h"
#include "tool/figure.h"

static void expect(double held, double granted, const char *unicode, const char *ascii)
{
    assert_string_equal(sl_bar(8, held, granted, 64, false).text, unicode);
    assert_string_equal(sl_bar(8, held, granted, 64, true).text, ascii);
}

static void held_comes_first_in_eighths(void **state)
{
    (void)state;
    expect(0, 0, "········", "........");
    expect(64, 0, "████████", "########");
    expect(0, 64, "░░░░░░░░", "--------");
    expect(32, 32, "████░░░░", "####----");
    expect(12, 0, "█▌······", "##......");
    expect(9, 8, "█▏░·····", "#-......");
}

static void a_little_is_not_nothing_and_not_quite_all_is_not_all(void **state)
{
    (void)state;
    expect(0.001, 0, "▏·······", "#.......");
    expect(0, 0.001, "░·······", "-.......");
    expect(63.999, 0, "███████▉", "#######.");
    expect(0.001, 0.001, "▏░······", "#-......");
    expect(63.999, 0.001, "███████▉", "#######-");
}

/* A bar is as wide as it should be, whatever the numbers. */
static void any_numbers_give_a_whole_bar(void **state)
{
    static const double numbers[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e-300, 1, 63, 64, 65, 1e300};
    enum { COUNT = SL_ARRAY_LEN(numbers) };

    (void)state;
    for (unsigned width = 1; width <= SL_BAR_MAX_COLUMNS; width += width < 4 ? 1 : 28) {
        for (unsigned i = 0; i < COUNT * COUNT * COUNT * 2; i++) {
            struct sl_bar bar = sl_bar(width, numbers[i % COUNT], numbers[i / COUNT % COUNT],
                                       numbers[i / COUNT / COUNT % COUNT], i % 2);
            unsigned columns = 0;
            for (const char *at = bar.text; *at; at++) {
                columns += ((unsigned char)*at & 0xc0) != 0x80;
            }
            assert_int_equal(columns, width);
            assert_true(bar.held + bar.granted <= width);
            assert_true(sl_utf8_is_valid(sl_str_from(bar.text)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_comes_first_in_eighths),
        cmocka_unit_test(a_little_is_not_nothing_and_not_quite_all_is_not_all),
        cmocka_unit_test(any_numbers_give_a_whole_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
