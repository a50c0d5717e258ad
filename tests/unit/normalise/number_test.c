/* Numbers against what Go's encoding/json prints (the figures were made by Go). */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "normalise/number.h"
#include "test.h"

static void assert_text(struct sl_buf *buf, const char *text)
{
    assert_string_equal(sl_buf_text(buf), text);
    sl_buf_fini(buf);
}

static void assert_double(double value, const char *text)
{
    struct sl_buf buf = {0};

    assert_true(sl_number_add_double(&buf, value));
    assert_text(&buf, text);
}

static void assert_float(float value, const char *text)
{
    struct sl_buf buf = {0};

    assert_true(sl_number_add_float(&buf, value));
    assert_text(&buf, text);
}

static void doubles_have_their_shortest_digits(void **state)
{
    (void)state;
    assert_double(0, "0");
    assert_double(-0.0, "-0");
    assert_double(1, "1");
    assert_double(-12.5, "-12.5");
    assert_double(0.1, "0.1");
    assert_double(0.3, "0.3");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(123456789.125, "123456789.125");
    assert_double(1125899906842624.25, "1125899906842624.2");
    assert_double(1125899906842624.75, "1125899906842624.8");
    assert_double(9007199254740993.0, "9007199254740992");
    assert_double(100.0 / 3, "33.333333333333336");
    assert_double(0x1p-44, "5.684341886080802e-14"); /* a power of two: lopsided neighbours */
    assert_double(0x1p-1074, "5e-324");
    assert_double(DBL_MAX, "1.7976931348623157e+308");
    assert_double(DBL_MIN, "2.2250738585072014e-308");
}

static void exponents_begin_where_go_begins_them(void **state)
{
    (void)state;
    assert_double(1e20, "100000000000000000000");
    assert_double(1e21, "1e+21");
    assert_double(999999999999999900000.0, "999999999999999900000");
    assert_double(1e-6, "0.000001");
    assert_double(9.99e-7, "9.99e-7");
    assert_double(1e-7, "1e-7");
    assert_double(1e300, "1e+300");
    assert_double(-2.5e-10, "-2.5e-10");
}

static void floats_have_the_digits_of_a_float(void **state)
{
    (void)state;
    assert_float(0.1f, "0.1");
    assert_float(1.5f, "1.5");
    assert_float(16777216.0f, "16777216");
    assert_float(FLT_MAX, "3.4028235e+38");
    assert_float(1e21f, "1e+21");
    assert_float(1e-7f, "1e-7");
    assert_float(1e-6f, "0.000001");
    assert_float(0x1p-149f, "1e-45");
    assert_float(-3865.5f, "-3865.5");
    assert_float(1452.81165f, "1452.8116");
    assert_float(-0.0f, "-0");
    assert_float(999999.0f, "999999");
    assert_float(1000000.0f, "1000000");
}

static void what_is_not_a_number_is_refused(void **state)
{
    struct sl_buf buf = {0};

    (void)state;
    assert_false(sl_number_add_double(&buf, (double)NAN));
    assert_false(sl_number_add_double(&buf, -(double)INFINITY));
    assert_false(sl_number_add_float(&buf, INFINITY));
    assert_false(sl_number_add_json(&buf, SL_STR("1e400")));
    assert_false(sl_number_add_json(&buf, SL_STR("-1e999999999999999999999")));
    assert_int_equal(buf.len, 0);
}

static void assert_decimal(int64_t digits, uint32_t precision, const char *text)
{
    struct sl_buf buf = {0};

    sl_number_add_decimal(&buf, digits, precision);
    assert_text(&buf, text);
}

static void decimals_keep_every_digit(void **state)
{
    (void)state;
    assert_decimal(12345, 2, "123.45");
    assert_decimal(42, 0, "42");
    assert_decimal(-1, 1, "-0.1");
    assert_decimal(100, 2, "1");
    assert_decimal(120, 2, "1.2");
    assert_decimal(0, 5, "0");
    assert_decimal(INT64_MIN, 3, "-9223372036854775.808");
    assert_decimal(INT64_MAX, 0, "9223372036854775807");
    assert_decimal(INT64_MAX, 18, "9.223372036854775807");
    assert_decimal(1, 6, "0.000001");
    assert_decimal(1, 7, "1e-7");
    assert_decimal(5, 20, "5e-20");
    assert_decimal(5, UINT32_MAX, "5e-4294967295");
}

static void assert_json(const char *source, const char *text)
{
    struct sl_buf buf = {0};

    assert_true(sl_number_add_json(&buf, sl_str_from(source)));
    assert_text(&buf, text);
}

static void numbers_of_json_keep_their_value(void **state)
{
    (void)state;
    assert_json("0", "0");
    assert_json("-0", "-0");
    assert_json("-0.00e7", "-0");
    assert_json("1.0", "1");
    assert_json("1e3", "1000");
    assert_json("1E+2", "100");
    assert_json("1.10e1", "11");
    assert_json("0.00001", "0.00001");
    assert_json("0.0000001", "1e-7");
    assert_json("100000000000000000000000e-5", "1000000000000000000");
    assert_json("1000000000000000000000", "1e+21");
    assert_json("123456789012345e10", "1.23456789012345e+24");
    assert_json("0.30000000000000004", "0.30000000000000004");
}

static void numbers_that_no_double_holds_stay_as_they_stand(void **state)
{
    (void)state;
    assert_json("9007199254740993", "9007199254740993");
    assert_json("18446744073709551615", "18446744073709551615");
    assert_json("-9223372036854775807", "-9223372036854775807");
    assert_json("0.10000000000000001", "0.10000000000000001");
    assert_json("1234567890123456789012345678901234567890",
                "1234567890123456789012345678901234567890");
    assert_json("1e-400", "1e-400");
    assert_json("9007199254740992", "9007199254740992");
}

/* A cheap generator: the same numbers on every run. */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void any_double_reads_back_as_itself(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t bits = draw(&seed);
        double value = i % 2 ? (double)(int64_t)(bits % 2000000007) / 1000 : 0;
        struct sl_buf buf = {0};
        if (i % 2 == 0) {
            memcpy(&value, &bits, sizeof(value));
        }
        if (!isfinite(value)) {
            continue;
        }
        assert_true(sl_number_add_double(&buf, value));
        assert_true(strtod(sl_buf_text(&buf), NULL) == value);
        sl_buf_fini(&buf);
    }
}

static void what_is_rounded_goes_through_a_double(void **state)
{
    static const struct {
        const char *text;
        const char *rounded;
    } cases[] = {
        {"9007199254740993", "9007199254740992"},
        {"18446744073709551616", "18446744073709552000"},
        {"0.1000000000000000055511151231257827", "0.1"},
        {"1e-400", "0"},
        {"-0.0", "-0"},
        {"123456789", "123456789"},
        {"1.50", "1.5"},
    };
    struct sl_buf buf = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        sl_buf_reset(&buf);
        assert_true(sl_number_add_json_rounded(&buf, sl_str_from(cases[i].text)));
        assert_string_equal(sl_buf_text(&buf), cases[i].rounded);
    }
    assert_false(sl_number_add_json_rounded(&buf, SL_STR("1e400")));
    sl_buf_reset(&buf);
    sl_number_add_decimal_rounded(&buf, INT64_MIN, 308);
    sl_buf_add_byte(&buf, ' ');
    sl_number_add_decimal_rounded(&buf, 5, 309);
    sl_buf_add_byte(&buf, ' ');
    sl_number_add_decimal_rounded(&buf, 12345, 2);
    assert_string_equal(sl_buf_text(&buf), "-9.223372036854776e-290 0 123.45");
    sl_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rounded_goes_through_a_double),
        cmocka_unit_test(doubles_have_their_shortest_digits),
        cmocka_unit_test(exponents_begin_where_go_begins_them),
        cmocka_unit_test(floats_have_the_digits_of_a_float),
        cmocka_unit_test(what_is_not_a_number_is_refused),
        cmocka_unit_test(decimals_keep_every_digit),
        cmocka_unit_test(numbers_of_json_keep_their_value),
        cmocka_unit_test(numbers_that_no_double_holds_stay_as_they_stand),
        cmocka_unit_test(any_double_reads_back_as_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
