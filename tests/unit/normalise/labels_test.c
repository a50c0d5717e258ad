/* Labels in paths, as each format has them. */
#include "gnmi/path_build.h"
#include "gnmi/rewrite.h"
#include "normalise/encoder.h"
#include "test.h"

/* timestamp 5, update /a[name=e1]/b = 7, delete /a[name=e1]/b, both with the labels site=tyo and
 * a_name=mine, which is also the tag that the key makes. */
static void make_response(struct sl_buf *out, struct sl_gnmi_response *response)
{
    static const struct sl_gnmi_value seven = {.kind = SL_GNMI_VALUE_INT, .of.i64 = 7};
    struct sl_gnmi_response from;
    struct sl_buf path = {0};
    struct sl_gnmi_path_build build;
    struct sl_gnmi_rewrite rewrite;
    struct sl_status status =
        sl_gnmi_response_read(SL_STR("\x0a\x02\x08\x05"), &(struct sl_buf){0}, &from);

    assert_true(sl_status_is_ok(&status));
    sl_gnmi_path_build_begin(&build, &path);
    sl_gnmi_path_build_elem(&build, SL_STR("a"));
    sl_gnmi_path_build_key(&build, SL_STR("name"), SL_STR("e1"));
    sl_gnmi_path_build_elem(&build, SL_STR("b"));
    sl_gnmi_path_build_label(&build, SL_STR("site"), SL_STR("tyo"));
    sl_gnmi_path_build_label(&build, SL_STR("a_name"), SL_STR("mine"));
    sl_gnmi_path_build_label(&build, SL_STR("name"), SL_STR("own"));
    sl_gnmi_rewrite_begin(&rewrite, &from, out);
    sl_gnmi_rewrite_note_labels(&rewrite);
    sl_gnmi_rewrite_add_update_value(&rewrite, sl_buf_str(&path), &seven, 0);
    sl_gnmi_rewrite_add_delete(&rewrite, sl_buf_str(&path));
    assert_true(sl_gnmi_rewrite_end(&rewrite, response));
    sl_buf_fini(&path);
}

static void assert_encoded(enum sl_format format, const char *expected)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder_context context = {.epoch = 1, .seq = 1, .is_synced = true};
    struct sl_encoded encoded;
    struct sl_buf message = {0};
    struct sl_buf out = {0};
    struct sl_gnmi_response response;
    struct sl_encoder *encoder = sl_encoder_new(&(struct sl_encoder_config){
        .format = format,
        .target = SL_STR("t"),
        .subscription = SL_STR("s"),
        .host = SL_STR("h"),
        .memory = &memory,
    });

    make_response(&message, &response);
    for (int i = 0; i < 2; i++) { /* the second time the path is interned */
        sl_buf_reset(&out);
        assert_true(sl_encoder_encode(encoder, &response, &context, &out, &encoded));
        assert_string_equal(sl_buf_text(&out), expected);
    }
    sl_encoder_free(encoder);
    sl_buf_fini(&out);
    sl_buf_fini(&message);
}

static void a_label_is_a_tag_of_an_event(void **state)
{
    (void)state;
    assert_encoded(
        SL_FORMAT_EVENT,
        "[{\"name\":\"s\",\"timestamp\":5,\"tags\":{\"a_name\":\"mine\",\"name\":\"own\","
        "\"site\":\"tyo\",\"source\":\"t\",\"subscription-name\":\"s\"},"
        "\"values\":{\"/a/b\":7}},"
        "{\"name\":\"s\",\"timestamp\":5,\"tags\":{\"a_name\":\"mine\",\"name\":\"own\","
        "\"site\":\"tyo\",\"source\":\"t\",\"subscription-name\":\"s\"},"
        "\"deletes\":[\"/a/b\"]}]");
}

static void a_label_is_a_tag_of_a_metric(void **state)
{
    (void)state;
    assert_encoded(SL_FORMAT_TELEGRAF_JSON,
                   "{\"fields\":{\"a/b\":7},\"name\":\"\",\"tags\":{\"a_name\":\"mine\","
                   "\"host\":\"h\",\"name\":\"own\",\"site\":\"tyo\",\"source\":\"t\"},"
                   "\"timestamp\":0}\n");
}

static void a_label_is_one_of_a_record(void **state)
{
    (void)state;
    assert_encoded(SL_FORMAT_SLUICE_V1_JSON,
                   "{\"epoch\":\"1\",\"seq\":\"1\",\"target\":\"t\",\"subscription\":\"s\","
                   "\"kind\":\"KIND_CHANGE\",\"timestampNs\":\"5\","
                   "\"updates\":[{\"path\":\"/a[name=e1]/b\",\"value\":{\"intVal\":\"7\"},"
                   "\"labels\":{\"a_name\":\"mine\",\"name\":\"own\",\"site\":\"tyo\"}}],"
                   "\"deletes\":[{\"path\":\"/a[name=e1]/b\","
                   "\"labels\":{\"a_name\":\"mine\",\"name\":\"own\",\"site\":\"tyo\"}}]}");
}

static void what_is_gnmi_has_no_labels(void **state)
{
    (void)state;
    assert_encoded(SL_FORMAT_PROTOJSON,
                   "{\"update\":{\"timestamp\":\"5\",\"update\":[{\"path\":{\"elem\":[{\"name\":"
                   "\"a\",\"key\":{\"name\":\"e1\"}},{\"name\":\"b\"}]},\"val\":{\"intVal\":\"7\"}}"
                   "],\"delete\":[{\"elem\":[{\"name\":\"a\",\"key\":{\"name\":\"e1\"}},{\"name\":"
                   "\"b\"}]}]}}");
    assert_encoded(SL_FORMAT_PROTO, "\x0a\x38\x08\x05"
                                    "\x22\x1c\x0a\x16\x1a\x0f\x0a\x01"
                                    "a\x12\x0a\x0a\x04name\x12\x02"
                                    "e1\x1a\x03\x0a\x01"
                                    "b\x1a\x02\x10\x07"
                                    "\x2a\x16\x1a\x0f\x0a\x01"
                                    "a\x12\x0a\x0a\x04name\x12\x02"
                                    "e1\x1a\x03\x0a\x01"
                                    "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_is_a_tag_of_an_event),
        cmocka_unit_test(a_label_is_a_tag_of_a_metric),
        cmocka_unit_test(a_label_is_one_of_a_record),
        cmocka_unit_test(what_is_gnmi_has_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
