/* What reaches a terminal, and the forms of messages. */
#include "tool/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "grpc/message.h"
#include "normalise/message_text.h"
#include "test.h"
#include "tool/extensions.h"

static void assert_text(struct sl_buf *buf, const char *expected)
{
    assert_string_equal(sl_buf_text(buf), expected);
    sl_buf_fini(buf);
}

static void no_byte_of_a_device_steers_a_terminal(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    sl_print_plain(&out, SL_STR("a\x1b[31mb\nc\td\r\x7f\xc2\x9b\xff\xe2\x82\xac z"));
    assert_text(&out, "a\\x1b[31mb\\nc\\td\\r\\x7f\\xc2\\x9b\\xff\xe2\x82\xac z");
    sl_print_json_value(&out, SL_STR("\"\\u001b]0;x\\u0007\""));
    assert_text(&out, "\\x1b]0;x\\x07");
}

static void values_are_printed_as_they_came(void **state)
{
    struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_UINT, .of.u64 = UINT64_MAX};
    struct sl_buf out = {0};

    (void)state;
    sl_print_value(&out, &value);
    assert_text(&out, "18446744073709551615");
    value = (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_DECIMAL, .of.decimal = {-12345, 4}};
    sl_print_value(&out, &value);
    assert_text(&out, "-1.2345");
    value = (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_DOUBLE, .of.f64 = -HUGE_VAL};
    sl_print_value(&out, &value);
    assert_text(&out, "-Infinity");
    value = (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_FLOAT, .of.f32 = NAN};
    sl_print_value(&out, &value);
    assert_text(&out, "NaN");
    value = (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_BYTES, .of.bytes = SL_STR("\x3f\x80")};
    sl_print_value(&out, &value);
    assert_text(&out, "0x3f80");
    value = (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_JSON_IETF,
                                   .of.bytes = SL_STR("\"9007199254740993\"")};
    sl_print_value(&out, &value);
    assert_text(&out, "9007199254740993");
}

static void collect(struct sl_str name, struct sl_str text, void *arg)
{
    struct sl_buf *all = arg;

    sl_buf_printf(all, "%.*s=%.*s;", SL_STR_ARG(name), SL_STR_ARG(text));
}

static void assert_leaves(const char *json, const char *expected)
{
    const struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_JSON, .of.bytes = sl_str_from(json)};
    struct sl_json working;
    struct sl_buf text = {0};
    struct sl_buf all = {0};

    sl_json_init(&working);
    sl_print_leaves(&value, &working, &text, collect, &all);
    sl_json_fini(&working);
    sl_buf_fini(&text);
    assert_text(&all, expected);
}

static void json_is_taken_apart_to_its_leaves(void **state)
{
    (void)state;
    assert_leaves("{\"a\":{\"b\":1.50},\"c\":[\"x\",null]}", "/a/b=1.5;/c/0=x;/c/1=null;");
    assert_leaves("5", "=5;");
    assert_leaves("\"x\"", "=x;");
    assert_leaves("{}", "={};");
    assert_leaves("{broken", "={broken;");
}

static void json_is_indented_without_a_change(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    sl_json_indent(&out, SL_STR("{\"a\":[1,{\"b\":\"x:,[\\\"\"}],\"c\":{},\"d\":[]}"));
    assert_text(&out, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x:,[\\\"\"\n    }\n  ],\n"
                      "  \"c\": {},\n  \"d\": []\n}\n");
}

/* The bytes of a message of ours. */
static struct sl_buf packed(const ProtobufCMessage *message)
{
    struct sl_buf bytes = {0};

    assert_true(sl_grpc_message_pack(message, &bytes));
    return bytes;
}

static void prototext_has_a_line_for_each_field(void **state)
{
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    Gnmi__Update update = GNMI__UPDATE__INIT;
    struct sl_buf out = {0};

    (void)state;
    value.value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
    value.string_val = (char[]){"a\"\\\n\xc3\xa9"};
    update.val = &value;
    update.duplicates = 3;
    struct sl_buf bytes = packed(&update.base);
    assert_true(sl_message_text_add(&out, &gnmi__update__descriptor, sl_buf_str(&bytes)));
    assert_text(&out, "val {\n  string_val: \"a\\\"\\\\\\n\\303\\251\"\n}\nduplicates: 3\n");
    assert_false(sl_message_text_add(&out, &gnmi__update__descriptor, SL_STR("\x1a\x05x")));
    sl_buf_fini(&out);
    sl_buf_fini(&bytes);
}

static void registered_extensions_come_out_of_words(void **state)
{
    const struct {
        const char *text;
        bool is_good;
        const char *message;
        size_t len;
    } cases[] = {
        {"5:abc", true, "abc", 3},
        {"5:", true, "", 0},
        {"7:hex:0aFf", true, "\x0a\xff", 2},
        {"5", false, NULL, 0},
        {"x:abc", false, NULL, 0},
        {"5:hex:0", false, NULL, 0},
        {":abc", false, NULL, 0},
        {"5:hex:zz", false, NULL, 0},
        {"99999999999:a", false, NULL, 0},
    };
    const struct sl_tool tool = {.name = "test"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        char *items[] = {strdup(cases[i].text), NULL};
        const struct sl_tool_options options = {.extensions = {items, 1}, .tool = &tool};
        struct sl_tool_extensions extensions = {0};
        assert_int_equal(sl_tool_read_extensions(&options, &extensions), cases[i].is_good);
        if (cases[i].is_good) {
            struct sl_str message = extensions.items[0].of.registered.message;
            assert_int_equal(extensions.count, 1);
            assert_int_equal(message.len, cases[i].len);
            assert_true(!message.len || memcmp(message.data, cases[i].message, message.len) == 0);
        }
        sl_tool_extensions_fini(&extensions);
        free(items[0]);
    }
}

static void extensions_of_an_answer_are_shown(void **state)
{
    const struct sl_gnmi_extension given = {.kind = SL_GNMI_REGISTERED,
                                            .of.registered = {5, SL_STR("a")}};
    GnmiExt__Extension *extension = sl_gnmi_extension_new(&given);
    GnmiExt__Extension *extensions[] = {extension, extension};
    Gnmi__SetResponse answer = GNMI__SET_RESPONSE__INIT;
    struct sl_buf out = {0};

    (void)state;
    answer.n_extension = 2;
    answer.extension = extensions;
    struct sl_buf bytes = packed(&answer.base);
    sl_tool_add_extensions(&out, sl_buf_str(&bytes), &gnmi__set_response__descriptor);
    assert_text(&out, ",\"extensions\":[{\"registeredExt\":{\"id\":5,\"msg\":\"YQ==\"}},"
                      "{\"registeredExt\":{\"id\":5,\"msg\":\"YQ==\"}}]");
    sl_tool_add_extension_lines(&out, sl_buf_str(&bytes), &gnmi__set_response__descriptor);
    assert_text(&out, "extension: {\"registeredExt\":{\"id\":5,\"msg\":\"YQ==\"}}\n"
                      "extension: {\"registeredExt\":{\"id\":5,\"msg\":\"YQ==\"}}\n");
    sl_buf_fini(&bytes);
    gnmi_ext__extension__free_unpacked(extension, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_of_a_device_steers_a_terminal),
        cmocka_unit_test(values_are_printed_as_they_came),
        cmocka_unit_test(json_is_taken_apart_to_its_leaves),
        cmocka_unit_test(json_is_indented_without_a_change),
        cmocka_unit_test(prototext_has_a_line_for_each_field),
        cmocka_unit_test(registered_extensions_come_out_of_words),
        cmocka_unit_test(extensions_of_an_answer_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
