/* Markers as each format says them. */
#include <string.h>

#include "normalise/encoder.h"
#include "normalise/marker.h"
#include "test.h"

static const struct sl_encoder_context context = {
    .epoch = 1700000000000000001,
    .seq = 7,
    .received_ns = 1700000000000000002,
};

static const struct sl_marker gap = {
    .kind = SL_MARKER_GAP,
    .reason = {"decode", sizeof("decode") - 1},
    .count = 18446744073709551615u,
    .from_ns = 1700000000000000000,
    .to_ns = 1700000000000000001,
};

static const struct sl_marker ended = {
    .kind = SL_MARKER_DISCONNECTED,
    .reason = {"ended-by-peer", sizeof("ended-by-peer") - 1},
    .code = {"UNAVAILABLE", sizeof("UNAVAILABLE") - 1},
    .text = {"bye \"x\" <y>", sizeof("bye \"x\" <y>") - 1},
};

static const struct sl_marker stale = {.kind = SL_MARKER_STALE, .from_ns = 1700000000000000000};

static void assert_mark(enum sl_format format, const struct sl_marker *marker, const char *text)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    const struct sl_encoder_config config = {
        .format = format,
        .target = SL_STR("leaf1"),
        .subscription = SL_STR("sub1"),
        .host = SL_STR("c1"),
        .is_float64 = true,
        .memory = &memory,
    };
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_buf out = {0};

    assert_non_null(encoder);
    assert_true(sl_format_has_markers(format));
    for (int i = 0; i < 2; i++) {
        sl_buf_reset(&out);
        assert_true(sl_encoder_mark(encoder, marker, &context, &out));
        assert_string_equal(sl_buf_text(&out), text);
    }
    sl_buf_fini(&out);
    sl_encoder_free(encoder);
}

static void in_gnmics_formats_a_marker_is_an_update_of_one_path(void **state)
{
    (void)state;
    assert_mark(SL_FORMAT_EVENT, &gap,
                "[{\"name\":\"sub1\",\"timestamp\":1700000000000000002,\"tags\":{\"source\":\"lea"
                "f1\",\"subscription-name\":\"sub1\"},\"values\":{\"/sluice/marker/count\":184467"
                "44073709551615,\"/sluice/marker/epoch\":1700000000000000001,\"/sluice/marker/fro"
                "m\":1700000000000000000,\"/sluice/marker/kind\":\"gap\",\"/sluice/marker/reason"
                "\":\"decode\",\"/sluice/marker/seq\":7,\"/sluice/marker/to\":1700000000000000001"
                "}}]");
    assert_mark(SL_FORMAT_EVENT_SPLIT, &ended,
                "{\"name\":\"sub1\",\"timestamp\":1700000000000000002,\"tags\":{\"source\":\"leaf"
                "1\",\"subscription-name\":\"sub1\"},\"values\":{\"/sluice/marker/code\":\"UNAVAI"
                "LABLE\",\"/sluice/marker/epoch\":1700000000000000001,\"/sluice/marker/kind\":\"d"
                "isconnected\",\"/sluice/marker/reason\":\"ended-by-peer\",\"/sluice/marker/seq\""
                ":7,\"/sluice/marker/text\":\"bye \\\"x\\\" \\u003cy\\u003e\"}}");
    assert_mark(SL_FORMAT_GNMIC_JSON, &stale,
                "{\"source\":\"leaf1\",\"subscription-name\":\"sub1\",\"timestamp\":1700000000000"
                "000002,\"time\":\"2023-11-14T22:13:20.000000002Z\",\"updates\":[{\"Path\":\"slui"
                "ce/marker\",\"values\":{\"sluice/marker\":{\"epoch\":1700000000000000001,\"from"
                "\":1700000000000000000,\"kind\":\"stale\",\"seq\":7}}}]}");
}

static void in_telegrafs_formats_it_is_a_metric(void **state)
{
    (void)state;
    assert_mark(SL_FORMAT_TELEGRAF_JSON, &gap,
                "{\"fields\":{\"count\":18446744073709551615,\"epoch\":1700000000000000001,\"from"
                "\":1700000000000000000,\"kind\":\"gap\",\"reason\":\"decode\",\"seq\":7,\"to\":1"
                "700000000000000001},\"name\":\"sluice_marker\",\"tags\":{\"host\":\"c1\",\"sourc"
                "e\":\"leaf1\",\"subscription\":\"sub1\"},\"timestamp\":1700000000}\n");
    assert_mark(SL_FORMAT_INFLUX, &ended,
                "sluice_marker,host=c1,source=leaf1,subscription=sub1 kind=\"disconnected\",epoch="
                "1700000000000000001i,seq=7i,reason=\"ended-by-peer\",code=\"UNAVAILABLE\",text="
                "\"bye \\\"x\\\" <y>\" 1700000000000000002\n");
}

static void in_ours_it_is_a_record(void **state)
{
    (void)state;
    assert_mark(SL_FORMAT_SLUICE_V1_JSON, &gap,
                "{\"epoch\":\"1700000000000000001\",\"seq\":\"7\",\"target\":\"leaf1\",\"subscrip"
                "tion\":\"sub1\",\"kind\":\"KIND_MARKER\",\"marker\":\"MARKER_GAP\",\"receivedNs"
                "\":\"1700000000000000002\",\"gap\":{\"reason\":\"decode\",\"count\":\"1844674407"
                "3709551615\",\"fromNs\":\"1700000000000000000\",\"toNs\":\"1700000000000000001\""
                "}}");
    assert_mark(SL_FORMAT_SLUICE_V1_JSON, &ended,
                "{\"epoch\":\"1700000000000000001\",\"seq\":\"7\",\"target\":\"leaf1\",\"subscrip"
                "tion\":\"sub1\",\"kind\":\"KIND_MARKER\",\"marker\":\"MARKER_DISCONNECTED\",\"re"
                "ceivedNs\":\"1700000000000000002\",\"end\":{\"reason\":\"ended-by-peer\",\"code"
                "\":\"UNAVAILABLE\",\"text\":\"bye \\\"x\\\" <y>\"}}");
    assert_mark(SL_FORMAT_SLUICE_V1_JSON, &stale,
                "{\"epoch\":\"1700000000000000001\",\"seq\":\"7\",\"target\":\"leaf1\",\"subscrip"
                "tion\":\"sub1\",\"kind\":\"KIND_MARKER\",\"marker\":\"MARKER_STALE\",\"receivedN"
                "s\":\"1700000000000000002\",\"silentSinceNs\":\"1700000000000000000\"}");
}

static void what_the_device_sent_has_no_markers(void **state)
{
    (void)state;
    assert_false(sl_format_has_markers(SL_FORMAT_PROTO));
    assert_false(sl_format_has_markers(SL_FORMAT_PROTOJSON));
    assert_true(sl_format_wants_markers(SL_FORMAT_SLUICE_V1));
    assert_true(sl_format_wants_markers(SL_FORMAT_SLUICE_V1_JSON));
    assert_false(sl_format_wants_markers(SL_FORMAT_EVENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_gnmics_formats_a_marker_is_an_update_of_one_path),
        cmocka_unit_test(in_telegrafs_formats_it_is_a_metric),
        cmocka_unit_test(in_ours_it_is_a_record),
        cmocka_unit_test(what_the_device_sent_has_no_markers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
