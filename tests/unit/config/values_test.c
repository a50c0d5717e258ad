#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static void a_duration_is_numbers_with_units_the_larger_first(void **state)
{
    const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"1ns", 1},
        {"7us", 7000},
        {"500ms", 500 * SL_NS_PER_MS},
        {"10s", 10 * SL_NS_PER_S},
        {"1m30s", 90 * SL_NS_PER_S},
        {"1h0m1s", 3601 * SL_NS_PER_S},
        {"90m", 5400 * SL_NS_PER_S},
        {"1h2m3s4ms5us6ns", 3723 * SL_NS_PER_S + 4005006},
        {"9223372036854775807ns", INT64_MAX},
        {"2562047h47m16s854ms775us807ns", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        int64_t ns = -1;
        assert_true(sl_config_to_duration(sl_str_from(good[i].text), &ns));
        assert_int_equal(ns, good[i].ns);
    }
}

static void anything_else_is_no_duration(void **state)
{
    const char *const bad[] = {
        "",     "10",   "s",      "1.5s", "-1s",  "+1s",  " 1s", "1s ",    "1 s",
        "1S",   "1d",   "1s1m",   "1s1s", "1s1",  "s1",   "1ss", "1m30",   "ten",
        "0x1s", "00 s", "1s\xff", "1,5s", "1s+1", "00h1", "m",   "1h-30m",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        int64_t ns = 42;
        assert_false(sl_config_to_duration(sl_str_from(bad[i]), &ns));
        assert_int_equal(ns, 42);
    }
}

static void a_duration_that_does_not_fit_is_refused(void **state)
{
    const char *const bad[] = {
        "9223372036854775808ns",
        "18446744073709551616ns",
        "2562047h47m16s854ms775us808ns",
        "2562048h",
        "9223372037s",
        "18446744073709551615h",
        "99999999999999999999999999h",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        int64_t ns = 42;
        assert_false(sl_config_to_duration(sl_str_from(bad[i]), &ns));
    }
}

static void a_size_is_a_number_and_a_power_of_1024(void **state)
{
    const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"512", 512},
        {"0MiB", 0},
        {"64KiB", 64 * SL_KIB},
        {"16MiB", 16 * SL_MIB},
        {"2GiB", 2 * SL_GIB},
        {"1TiB", 1024 * SL_GIB},
        {"9223372036854775807", INT64_MAX},
        {"8388607TiB", UINT64_C(8388607) << 40},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        uint64_t bytes = 1;
        assert_true(sl_config_to_size(sl_str_from(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void anything_else_is_no_size_nor_one_that_does_not_fit(void **state)
{
    const char *const bad[] = {
        "",
        "KiB",
        "1KB",
        "1MB",
        "1kib",
        "1 KiB",
        "-1",
        "1.5MiB",
        "1B",
        "1KiB1",
        "0x10",
        "1MiBs",
        "8388608TiB",
        "9223372036854775808",
        "18446744073709551616",
        "18446744073709551615KiB",
        "9007199254740992KiB",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        uint64_t bytes = 42;
        assert_false(sl_config_to_size(sl_str_from(bad[i]), &bytes));
        assert_int_equal(bytes, 42);
    }
}

static void a_whole_number_has_its_sign_and_64_bits(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_true(sl_config_to_int(SL_STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(sl_config_to_int(SL_STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(sl_config_to_int(SL_STR("-0"), &value));
    assert_int_equal(value, 0);
    assert_false(sl_config_to_int(SL_STR("-9223372036854775809"), &value));
    assert_false(sl_config_to_int(SL_STR("9223372036854775808"), &value));
    assert_false(sl_config_to_int(SL_STR("-"), &value));
    assert_false(sl_config_to_int(SL_STR(""), &value));
    assert_false(sl_config_to_int(SL_STR("1.0"), &value));
    assert_false(sl_config_to_int(SL_STR("--1"), &value));
}

static void what_is_printed_is_read_back(void **state)
{
    const uint64_t values[] = {0,       1,          999,       1000,      1023,         1024,
                               1048577, 3600000000, 123456789, INT64_MAX, SL_GIB * 1024};
    struct sl_buf text;

    (void)state;
    sl_buf_init(&text, 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(values); i++) {
        int64_t ns = 0;
        uint64_t bytes = 0;
        sl_buf_reset(&text);
        sl_config_add_duration(&text, (int64_t)values[i]);
        assert_true(sl_config_to_duration(sl_buf_str(&text), &ns));
        assert_int_equal(ns, values[i]);
        sl_buf_reset(&text);
        sl_config_add_size(&text, values[i]);
        assert_true(sl_config_to_size(sl_buf_str(&text), &bytes));
        assert_int_equal(bytes, values[i]);
    }
    sl_buf_reset(&text);
    sl_config_add_duration(&text, 90 * SL_NS_PER_S);
    sl_config_add_size(&text, 64 * SL_KIB);
    assert_string_equal(sl_buf_text(&text), "1m30s64KiB");
    sl_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_numbers_with_units_the_larger_first),
        cmocka_unit_test(anything_else_is_no_duration),
        cmocka_unit_test(a_duration_that_does_not_fit_is_refused),
        cmocka_unit_test(a_size_is_a_number_and_a_power_of_1024),
        cmocka_unit_test(anything_else_is_no_size_nor_one_that_does_not_fit),
        cmocka_unit_test(a_whole_number_has_its_sign_and_64_bits),
        cmocka_unit_test(what_is_printed_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
