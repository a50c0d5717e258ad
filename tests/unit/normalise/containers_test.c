/* Containers of JSON: items of lists named by their keys, leaves as updates of their own; and that
 * no format sends a number through a double that was none. */
#include <stdio.h>
#include <string.h>

#include "gnmi/pack.h"
#include "gnmi/path_print.h"
#include "normalise/encoder.h"
#include "normalise/flatten.h"
#include "test.h"

enum { RESPONSE_UPDATE = 1, NOTIFICATION_UPDATE = 4, UPDATE_PATH = 1, UPDATE_VAL = 3 };
enum { PATH_ELEMENT = 1, PATH_ELEM = 3, ARM_JSON = 10, ARM_JSON_IETF = 11 };

static const char interfaces[] =
    "{\"interface\":[{\"name\":\"e1\",\"mtu\":9000,\"config\":{\"x\":[1,2]}},"
    "{\"mtu\":1500,\"oc:name\":\"e]2\"}],\"other\":[{\"a\":1},{\"a\":1}]}";

/* ---- messages ---- */

struct fixture {
    struct sl_buf message;
    struct sl_buf scratch;
    struct sl_gnmi_response response;
    struct sl_buf out;
};

static void begin(struct fixture *f, size_t *starts)
{
    *f = (struct fixture){{0}, {0}, {0}, {0}};
    starts[0] = sl_pack_begin(&f->message, RESPONSE_UPDATE);
}

/* An update of /top, or of the deprecated element "old[k=v]". */
static void add_update(struct fixture *f, bool is_old, uint32_t arm, struct sl_str value,
                       uint32_t duplicates)
{
    size_t update = sl_pack_begin(&f->message, NOTIFICATION_UPDATE);
    size_t path = sl_pack_begin(&f->message, UPDATE_PATH);

    if (is_old) {
        sl_pack_bytes(&f->message, PATH_ELEMENT, SL_STR("old[k=v]"));
    } else {
        size_t elem = sl_pack_begin(&f->message, PATH_ELEM);
        sl_pack_bytes(&f->message, 1, SL_STR("top"));
        sl_pack_end(&f->message, elem);
    }
    sl_pack_end(&f->message, path);
    size_t val = sl_pack_begin(&f->message, UPDATE_VAL);

    sl_pack_bytes(&f->message, arm, value);
    sl_pack_end(&f->message, val);
    sl_pack_varint(&f->message, 4, duplicates);
    sl_pack_end(&f->message, update);
}

static void end(struct fixture *f, const size_t *starts)
{
    sl_pack_end(&f->message, starts[0]);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&f->message), &f->scratch, &f->response);

    assert_true(sl_status_is_ok(&status));
}

static void fini(struct fixture *f)
{
    sl_buf_fini(&f->message);
    sl_buf_fini(&f->scratch);
    sl_buf_fini(&f->out);
}

static void make(struct fixture *f, const char *json)
{
    size_t start;

    begin(f, &start);
    add_update(f, false, ARM_JSON_IETF, sl_str_from(json), 3);
    end(f, &start);
}

static void encode(struct fixture *f, enum sl_format format, const struct sluice_strings *keys)
{
    const struct sl_encoder_context context = {.epoch = 1, .seq = 1};
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder_config config = {.format = format,
                                       .target = SL_STR("leaf1"),
                                       .subscription = SL_STR("sub1"),
                                       .host = SL_STR("c1"),
                                       .json_keys = keys,
                                       .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_encoded encoded;

    assert_non_null(encoder);
    sl_buf_reset(&f->out);
    assert_true(sl_encoder_encode(encoder, &f->response, &context, &f->out, &encoded));
    assert_int_equal(encoded.published, 1);
    sl_encoder_free(encoder);
}

static void assert_has(struct fixture *f, const char *text)
{
    if (!strstr(sl_buf_text(&f->out), text)) {
        fail_msg("no %s in %s", text, sl_buf_text(&f->out));
    }
}

/* ---- keys ---- */

static void items_of_events_are_named_by_their_keys(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, interfaces);
    encode(&f, SL_FORMAT_EVENT, &sl_json_default_keys);
    assert_has(&f, "\"values\":{\"/top/interface[name=e1]/config/x.0\":1,"
                   "\"/top/interface[name=e1]/config/x.1\":2,"
                   "\"/top/interface[name=e1]/mtu\":9000,"
                   "\"/top/interface[name=e1]/name\":\"e1\","
                   "\"/top/interface[name=e\\\\]2]/mtu\":1500,"
                   "\"/top/interface[name=e\\\\]2]/oc:name\":\"e]2\","
                   "\"/top/other.0/a\":1,\"/top/other.1/a\":1}");
    fini(&f);
}

static void items_of_records_are_named_by_their_keys(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, interfaces);
    encode(&f, SL_FORMAT_SLUICE_V1_JSON, &sl_json_default_keys);
    assert_has(&f, "\"path\":\"/top/interface[name=e1]/mtu\",\"value\":{\"uintVal\":\"9000\"}");
    assert_has(&f, "\"path\":\"/top/interface[name=e\\\\]2]/mtu\"");
    assert_has(&f, "\"path\":\"/top/other[1]/a\"");
    fini(&f);
}

static void without_keys_items_are_counted(void **state)
{
    static const char *const rows[] = {
        "{\"l\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",       /* twice the same */
        "{\"l\":[{\"name\":\"a\"},{\"mane\":\"b\"}]}",       /* not in all */
        "{\"l\":[{\"name\":\"a\"},7]}",                      /* no object */
        "{\"l\":[{\"name\":\"a\"},{\"name\":null}]}",        /* no key */
        "{\"l\":[{\"name\":{\"x\":1}},{\"name\":\"a\"}]}",   /* neither */
        "{\"l\":[{\"name\":\"\\ud800\"},{\"name\":\"a\"}]}", /* no text */
    };
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        make(&f, rows[i]);
        encode(&f, SL_FORMAT_EVENT, &sl_json_default_keys);
        assert_has(&f, "\"/top/l.0");
        assert_null(strstr(sl_buf_text(&f.out), "[name="));
        fini(&f);
    }
    make(&f, interfaces);
    encode(&f, SL_FORMAT_EVENT, NULL);
    assert_has(&f, "\"/top/interface.0/mtu\":9000");
    fini(&f);
}

static void sets_of_keys_are_tried_in_order(void **state)
{
    static const char *const items[] = {"b a", "c", NULL};
    static const struct sluice_strings keys = {items, 2};
    struct fixture f;

    (void)state;
    make(&f, "{\"x\":[{\"a\":1,\"b\":true},{\"a\":1,\"b\":false}],\"y\":[{\"a\":1,\"c\":-2.5}],"
             "\"z\":[{\"c\":1,\"l\":[{\"c\":2,\"v\":3}]}]}");
    encode(&f, SL_FORMAT_EVENT, &keys);
    assert_has(&f, "\"/top/x[b=false][a=1]/a\":1");
    assert_has(&f, "\"/top/y[c=-2.5]/a\":1");
    assert_has(&f, "\"/top/z[c=1]/l[c=2]/v\":3");
    fini(&f);
    assert_true(sl_json_keys_check("a b  c d "));
    assert_false(sl_json_keys_check("a b c d e"));
    assert_false(sl_json_keys_check(" "));
}

static void looking_ahead_is_bounded(void **state)
{
    struct sl_buf json = {0};
    struct fixture f;

    (void)state;
    sl_buf_add_c(&json, "{\"l\":");
    for (unsigned i = 0; i < 45; i++) {
        sl_buf_add_c(&json, "[{\"name\":\"n\",\"l\":");
    }
    sl_buf_add_c(&json, "1");
    for (unsigned i = 0; i < 45; i++) {
        sl_buf_add_c(&json, "}]");
    }
    sl_buf_add_byte(&json, '}');
    make(&f, sl_buf_text(&json));
    encode(&f, SL_FORMAT_EVENT, &sl_json_default_keys);
    assert_has(&f, "\"/top/l[name=n]/l[name=n]/l");
    assert_has(&f, "/l.0/l.0/l\":1");
    fini(&f);
    sl_buf_fini(&json);
}

/* ---- leaves ---- */

/* The updates of the message, "PATH VALUE DUPLICATES;" each, once its containers are flattened. */
static void flatten(struct fixture *f, const char *expected)
{
    struct sl_flatten work;
    struct sl_gnmi_rewrite rewrite;
    struct sl_gnmi_response made;
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&f->response);
    struct sl_gnmi_update update;
    struct sl_buf bytes = {0};
    uint32_t count = 0;

    sl_flatten_init(&work);
    sl_gnmi_rewrite_begin(&rewrite, &f->response, &bytes);
    while (sl_gnmi_next_update(&cursor, &update)) {
        if (!sl_flatten_is_container(&update.value) ||
            !sl_flatten_add(&work, &rewrite, &update, &count)) {
            sl_gnmi_rewrite_add_update(&rewrite, update.path, &update);
        }
    }
    assert_true(sl_gnmi_rewrite_end(&rewrite, &made));
    sl_buf_reset(&f->out);
    cursor = sl_gnmi_response_begin(&made);
    while (sl_gnmi_next_update(&cursor, &update)) {
        assert_true(sl_gnmi_path_print(made.prefix, update.path, &f->out));
        sl_buf_printf(&f->out, " %.*s %u;", SL_STR_ARG(update.value.of.bytes), update.duplicates);
    }
    assert_string_equal(sl_buf_text(&f->out), expected);
    sl_buf_fini(&bytes);
    sl_flatten_fini(&work);
}

static void a_container_becomes_updates(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, interfaces);
    flatten(&f, "/top/interface[name=e1]/name \"e1\" 3;/top/interface[name=e1]/mtu 9000 0;"
                "/top/interface[name=e1]/config/x [1,2] 0;"
                "/top/interface[name=e\\]2]/mtu 1500 0;/top/interface[name=e\\]2]/oc:name \"e]2\" "
                "0;/top/other[index=0]/a 1 0;/top/other[index=1]/a 1 0;");
    fini(&f);
    make(&f, "{\"a\":{},\"b\":[],\"c\":[null],\"d\":[[{\"x\":1}]],\"e\":[{},{}],\"\\u00e9\":{\"\":"
             "null}}");
    flatten(&f, "/top/a {} 3;/top/b [] 0;/top/c [null] 0;/top/d [[{\"x\":1}]] 0;"
                "/top/e[index=0] {} 0;/top/e[index=1] {} 0;/top/\xc3\xa9/[] null 0;");
    fini(&f);
}

static void what_is_no_container_stays(void **state)
{
    static const char *const rows[] = {
        "{}",         "[]",        "[{\"a\":1}]",     "1",     "{\"a\":1", "{\"a\":1}x",
        "{\"a\":1,}", "{\"a\" 1}", "{\"\\ud800\":1}", "{1:2}", "",         "{\"a\":[{]}"};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        char expected[64];
        make(&f, rows[i]);
        snprintf(expected, sizeof(expected), "/top %s 3;", rows[i]);
        flatten(&f, expected);
        fini(&f);
    }
}

static void a_deprecated_path_goes_on_too(void **state)
{
    struct fixture f;
    size_t start;

    (void)state;
    begin(&f, &start);
    add_update(&f, true, ARM_JSON, SL_STR("{\"a\":{\"b\":1}}"), 0);
    add_update(&f, false, ARM_JSON, SL_STR("2"), 0);
    end(&f, &start);
    flatten(&f, "/old[k=v]/a/b 1 0;/top 2 0;");
    fini(&f);
}

static void containers_nest_as_deep_as_json_may(void **state)
{
    struct sl_buf json = {0};
    struct fixture f;

    (void)state;
    for (int levels = SL_GNMI_MAX_DEPTH; levels <= SL_GNMI_MAX_DEPTH + 1; levels++) {
        sl_buf_reset(&json);
        for (int i = 0; i < levels; i++) {
            sl_buf_add_c(&json, "{\"a\":");
        }
        sl_buf_add_c(&json, "1");
        for (int i = 0; i < levels; i++) {
            sl_buf_add_byte(&json, '}');
        }
        make(&f, sl_buf_text(&json));
        struct sl_flatten work;
        struct sl_gnmi_rewrite rewrite;
        struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&f.response);
        struct sl_gnmi_update update;
        uint32_t count;
        sl_flatten_init(&work);
        sl_gnmi_rewrite_begin(&rewrite, &f.response, &f.out);
        assert_true(sl_gnmi_next_update(&cursor, &update));
        assert_int_equal(sl_flatten_add(&work, &rewrite, &update, &count),
                         levels == SL_GNMI_MAX_DEPTH);
        sl_flatten_fini(&work);
        fini(&f);
    }
    sl_buf_fini(&json);
}

/* ---- digits ---- */

static void no_number_goes_through_a_double(void **state)
{
    static const enum sl_format formats[] = {SL_FORMAT_EVENT, SL_FORMAT_EVENT_SPLIT,
                                             SL_FORMAT_GNMIC_JSON, SL_FORMAT_SLUICE_V1_JSON,
                                             SL_FORMAT_TELEGRAF_JSON};
    static const char *const rows[] = {"9007199254740993", "-9223372036854775807",
                                       "18446744073709551615", "123456789012345678901234567890",
                                       "0.1234567890123456789"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(formats); i++) {
        for (size_t k = 0; k < SL_ARRAY_LEN(rows); k++) {
            char json[64];
            struct fixture f;
            snprintf(json, sizeof(json), "{\"a\":%s}", rows[k]);
            make(&f, json);
            encode(&f, formats[i], NULL);
            assert_has(&f, rows[k]);
            fini(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_events_are_named_by_their_keys),
        cmocka_unit_test(items_of_records_are_named_by_their_keys),
        cmocka_unit_test(without_keys_items_are_counted),
        cmocka_unit_test(sets_of_keys_are_tried_in_order),
        cmocka_unit_test(looking_ahead_is_bounded),
        cmocka_unit_test(a_container_becomes_updates),
        cmocka_unit_test(what_is_no_container_stays),
        cmocka_unit_test(a_deprecated_path_goes_on_too),
        cmocka_unit_test(containers_nest_as_deep_as_json_may),
        cmocka_unit_test(no_number_goes_through_a_double),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
