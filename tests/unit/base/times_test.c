/* Points in time, as words. */
#include "test.h"
#include "base/times.h"

static void assert_time(const char *text, int64_t expected)
{
    int64_t ns;

    assert_true(sl_time_read(text, &ns));
    assert_int_equal(ns, expected);
}

static void a_number_is_nanoseconds(void **state)
{
    (void)state;
    assert_time("0", 0);
    assert_time("1763712000000000001", 1763712000000000001);
}

static void a_date_is_that_of_rfc_3339(void **state)
{
    (void)state;
    assert_time("1970-01-01T00:00:00Z", 0);
    assert_time("2026-11-21T08:00:00Z", 1795248000 * SL_NS_PER_S);
    assert_time("2026-11-21t08:00:00.123z", 1795248000 * SL_NS_PER_S + 123 * SL_NS_PER_MS);
    assert_time("2026-11-21 08:00:00.1234567891Z", 1795248000 * SL_NS_PER_S + 123456789);
    assert_time("2026-11-21T10:30:00+02:30", 1795248000 * SL_NS_PER_S);
    assert_time("2026-11-21T07:00:00-01:00", 1795248000 * SL_NS_PER_S);
    assert_time("2024-02-29T00:00:00Z", 1709164800 * SL_NS_PER_S);
    assert_time("2016-12-31T23:59:60Z", 1483228800 * SL_NS_PER_S);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "now",
        "-1",
        "9223372036854775808",
        "2026-11-21",
        "2026-11-21T08:00:00",
        "2026-11-31T08:00:00Z",
        "2025-02-29T08:00:00Z",
        "2026-13-21T08:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z",
        "2026-11-21T08:00:00.Z",
        "2026-11-21T08:00:00Zulu",
        "2026-11-21T08:00:00+2",
        "2026-11-21T08:00:00+24:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        assert_false(sl_time_read(wrong[i], &ns));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_nanoseconds),
        cmocka_unit_test(a_date_is_that_of_rfc_3339),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
