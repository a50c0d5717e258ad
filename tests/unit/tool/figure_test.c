#include "tool/figure.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#include "base/base.h"
#include "test.h"
#include "tool/columns.h"

static void numbers_have_three_digits_that_count(void **state)
{
    (void)state;
    assert_string_equal(sl_figure_count(0).text, "0");
    assert_string_equal(sl_figure_count(99999).text, "99999");
    assert_string_equal(sl_figure_count(100000).text, "100k");
    assert_string_equal(sl_figure_count(999499).text, "999k");
    assert_string_equal(sl_figure_count(999500).text, "1.00M");
    assert_string_equal(sl_figure_count(1234567).text, "1.23M");
    assert_string_equal(sl_figure_bytes(512).text, "512 B");
    assert_string_equal(sl_figure_bytes(1536).text, "1.50 KiB");
    assert_string_equal(sl_figure_bytes(64.0 * 1024 * 1024).text, "64.0 MiB");
    assert_string_equal(sl_figure_rate(0.44).text, "0.4");
    assert_string_equal(sl_figure_rate(0).text, "0");
    assert_string_equal(sl_figure_rate(1234).text, "1234");
}

static void times_are_read_at_a_glance(void **state)
{
    (void)state;
    assert_string_equal(sl_figure_time(0).text, "0.0s");
    assert_string_equal(sl_figure_time(9.94).text, "9.9s");
    assert_string_equal(sl_figure_time(9.96).text, "10s");
    assert_string_equal(sl_figure_time(59.6).text, "1m00s");
    assert_string_equal(sl_figure_time(3600).text, "1h00m");
    assert_string_equal(sl_figure_time(86400 * 3 + 7200).text, "3d02h");
    assert_string_equal(sl_figure_time(-12).text, "-12s");
    assert_string_equal(sl_figure_time(1e15).text, ">99999d");
}

static void any_number_gives_a_figure(void **state)
{
    static const double numbers[] = {NAN,    INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,      DBL_MIN,
                                     -0.0,   1e26,     -1e26,     9.99e26, 1e-300,        -5e-324,
                                     8.64e9, -8.64e9,  999.5e24,  1023.6,  1024 * 1023.99};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(numbers); i++) {
        struct sl_figure figures[] = {sl_figure_count(numbers[i]), sl_figure_bytes(numbers[i]),
                                      sl_figure_time(numbers[i]), sl_figure_rate(numbers[i])};
        for (size_t j = 0; j < SL_ARRAY_LEN(figures); j++) {
            assert_true(strnlen(figures[j].text, SL_FIGURE_BYTES) < SL_FIGURE_BYTES - 1);
            assert_true(figures[j].text[0]);
        }
    }
    assert_string_equal(sl_figure_time(NAN).text, "-");
    assert_string_equal(sl_figure_bytes(INFINITY).text, "-");
}

static void text_is_as_wide_as_a_terminal_shows_it(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        skip();
    }
    assert_int_equal(sl_text_width(SL_STR("leaf1")), 5);
    assert_int_equal(sl_text_width(SL_STR("zürich")), 6);
    assert_int_equal(sl_text_width(SL_STR("東京")), 4);
    assert_int_equal(sl_text_width(SL_STR("\xff\xfe")), 2);
    assert_int_equal(sl_text_fit(SL_STR("東京"), 3), 3);
    assert_int_equal(sl_text_fit(SL_STR("abc"), 2), 2);
    assert_int_equal(sl_text_fit(SL_STR("abc"), 9), 3);
}

static void a_table_is_as_wide_as_its_cells(void **state)
{
    static const struct sl_column columns[] = {
        {"NAME", false}, {"N", true}, {"X", false}, {NULL, false}};
    struct sl_columns table;
    struct sl_buf out = {0};

    (void)state;
    sl_columns_init(&table, columns);
    sl_columns_add(&table, "a\x1b[2J");
    sl_columns_add_figure(&table, sl_figure_count(12));
    sl_columns_add(&table, "");
    sl_columns_add(&table, "b");
    sl_columns_add_figure(&table, sl_figure_count(7));
    sl_columns_add(&table, "last");
    sl_columns_add(&table, "a row that is not whole");
    sl_columns_print(&table, &out);
    assert_string_equal(sl_buf_text(&out), "NAME                      N  X\n"
                                           "a\\x1b[2J                 12\n"
                                           "b                         7  last\n");
    sl_buf_fini(&out);
    sl_columns_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_three_digits_that_count),
        cmocka_unit_test(times_are_read_at_a_glance),
        cmocka_unit_test(any_number_gives_a_figure),
        cmocka_unit_test(text_is_as_wide_as_a_terminal_shows_it),
        cmocka_unit_test(a_table_is_as_wide_as_its_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
