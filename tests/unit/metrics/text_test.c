#include "test.h"

#include <string.h>

#include "metrics/text.h"

static void check(struct sl_buf *out, const char *expected)
{
    assert_false(out->failed);
    assert_string_equal(sl_buf_text(out), expected);
    sl_buf_fini(out);
}

static void a_page_is_families_with_their_samples_and_an_end(void **state)
{
    const struct sl_metric_label labels[] = {{"target", SL_STR("leaf1")},
                                             {"subscription", SL_STR("counters")}};
    struct sl_buf out = {0};

    (void)state;
    sl_metrics_family(&out, "sluice_received", SL_METRIC_COUNTER, "Updates received.");
    sl_metrics_u64(&out, "sluice_received", SL_METRIC_COUNTER, labels, 2, 17);
    sl_metrics_u64(&out, "sluice_received", SL_METRIC_COUNTER, labels, 1, UINT64_MAX);
    sl_metrics_family(&out, "sluice_held_bytes", SL_METRIC_GAUGE, "Bytes held.");
    sl_metrics_u64(&out, "sluice_held_bytes", SL_METRIC_GAUGE, NULL, 0, 0);
    sl_metrics_family(&out, "sluice_build", SL_METRIC_INFO, "What runs.");
    sl_metrics_u64(&out, "sluice_build", SL_METRIC_INFO, labels, 1, 1);
    sl_metrics_end(&out);
    check(&out, "# TYPE sluice_received counter\n"
                "# HELP sluice_received Updates received.\n"
                "sluice_received_total{target=\"leaf1\",subscription=\"counters\"} 17\n"
                "sluice_received_total{target=\"leaf1\"} 18446744073709551615\n"
                "# TYPE sluice_held_bytes gauge\n"
                "# UNIT sluice_held_bytes bytes\n"
                "# HELP sluice_held_bytes Bytes held.\n"
                "sluice_held_bytes 0\n"
                "# TYPE sluice_build info\n"
                "# HELP sluice_build What runs.\n"
                "sluice_build_info{target=\"leaf1\"} 1\n"
                "# EOF\n");
}

static void a_histogram_is_its_buckets_their_number_and_their_sum(void **state)
{
    const struct sl_metric_label label = {"sink", SL_STR("k")};
    struct sl_histogram histogram = {0};
    struct sl_histogram sum = {0};
    struct sl_buf out = {0};

    (void)state;
    sl_histogram_record(&histogram, -1);
    sl_histogram_record(&histogram, 0);
    sl_histogram_record(&histogram, SL_HISTOGRAM_FIRST_NS);
    sl_histogram_record(&histogram, SL_HISTOGRAM_FIRST_NS + 1);
    sl_histogram_record(&histogram, 2 * SL_NS_PER_S);
    sl_histogram_record(&histogram, INT64_MAX);
    assert_int_equal(histogram.counts[0], 3);
    assert_int_equal(histogram.counts[1], 1);
    assert_int_equal(histogram.counts[13], 1); /* up to 2.048 s */
    assert_int_equal(histogram.counts[SL_HISTOGRAM_BOUNDS], 1);
    sl_histogram_add(&sum, &histogram);
    sl_histogram_add(&sum, &histogram);
    sl_metrics_family(&out, "sluice_lag_seconds", SL_METRIC_HISTOGRAM, "Lag.");
    sl_metrics_histogram(&out, "sluice_lag_seconds", &label, 1, &sum);
    const char *text = sl_buf_text(&out);
    assert_non_null(strstr(text, "# TYPE sluice_lag_seconds histogram\n"));
    assert_non_null(strstr(text, "# UNIT sluice_lag_seconds seconds\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"0.00025\"} 6\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"0.0005\"} 8\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"1.024\"} 8\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"2.048\"} 10\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"524.288\"} 10\n"));
    assert_non_null(strstr(text, "_bucket{sink=\"k\",le=\"+Inf\"} 12\n"));
    assert_non_null(strstr(text, "\nsluice_lag_seconds_count{sink=\"k\"} 12\n"));
    assert_non_null(strstr(text, "\nsluice_lag_seconds_sum{sink=\"k\"} 172804.001000002\n"));
    sl_buf_fini(&out);
}

struct value_case {
    struct sl_str value;
    const char *written;
};

static const struct value_case value_cases[] = {
    {{NULL, 0}, ""},
    {{"plain", 5}, "plain"},
    {{"a\"b", 3}, "a\\\"b"},
    {{"a\\b", 3}, "a\\\\b"},
    {{"a\nb", 3}, "a\\nb"},
    {{"a\0\r\x1f\x7f", 5}, "a????"},
    {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {{"\xff", 1}, "?"},
    {{"\x80x", 2}, "?x"},
    {{"\xc3", 1}, "?"},                /* cut off */
    {{"\xe2\x82", 2}, "??"},           /* cut off */
    {{"\xc0\xaf", 2}, "??"},           /* overlong */
    {{"\xe0\x80\xaf", 3}, "???"},      /* overlong */
    {{"\xed\xa0\x80", 3}, "???"},      /* surrogate */
    {{"\xf4\x90\x80\x80", 4}, "????"}, /* above U+10FFFF */
    {{"\xe2\x82\n", 3}, "??\\n"},      /* the newline is not swallowed */
    {{"\xc3\"", 2}, "?\\\""},          /* nor the quote */
};

static void label_values_are_escaped_whatever_they_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(value_cases); i++) {
        const struct sl_metric_label label = {"l", value_cases[i].value};
        char expected[256] = "a{l=\"";
        struct sl_buf out = {0};

        strcat(expected, value_cases[i].written);
        strcat(expected, "\"} 1\n");
        sl_metrics_u64(&out, "a", SL_METRIC_GAUGE, &label, 1, 1);
        check(&out, expected);
    }
}

static void seconds_have_nine_digits_behind_the_point(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    sl_metrics_seconds(&out, "a", SL_METRIC_GAUGE, NULL, 0, 0);
    sl_metrics_seconds(&out, "a", SL_METRIC_GAUGE, NULL, 0, 1);
    sl_metrics_seconds(&out, "a", SL_METRIC_COUNTER, NULL, 0, 12 * SL_NS_PER_S + 345000000);
    sl_metrics_seconds(&out, "a", SL_METRIC_GAUGE, NULL, 0, INT64_MAX);
    sl_metrics_seconds(&out, "a", SL_METRIC_GAUGE, NULL, 0, -1);
    check(&out, "a 0.000000000\na 0.000000001\na_total 12.345000000\na 9223372036.854775807\n"
                "a 0.000000000\n");
}

static void a_page_past_the_limit_is_failed_and_not_longer(void **state)
{
    static char name[4096];
    const struct sl_metric_label label = {"l", {name, sizeof(name)}};
    struct sl_buf out;

    (void)state;
    memset(name, '"', sizeof(name));
    sl_buf_init(&out, 1000);
    for (uint64_t i = 0; i < 100; i++) {
        sl_metrics_u64(&out, "a", SL_METRIC_GAUGE, &label, 1, i);
    }
    assert_true(out.failed);
    assert_true(out.cap <= 1000);
    sl_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_is_its_buckets_their_number_and_their_sum),
        cmocka_unit_test(a_page_is_families_with_their_samples_and_an_end),
        cmocka_unit_test(label_values_are_escaped_whatever_they_hold),
        cmocka_unit_test(seconds_have_nine_digits_behind_the_point),
        cmocka_unit_test(a_page_past_the_limit_is_failed_and_not_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
