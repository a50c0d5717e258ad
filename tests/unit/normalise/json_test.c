/* What becomes of JSON text. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "normalise/json.h"
#include "test.h"

/* The leaves as "name=value;name=value", or the value, or what went wrong. */
static void assert_flat(struct sl_str source, const char *expected)
{
    struct sl_json json;
    struct sl_buf out = {0};
    struct sl_str value = {0};

    sl_json_init(&json);
    switch (sl_json_flatten(&json, source, &value)) {
    case SL_JSON_VALUE:
        sl_buf_add_str(&out, value);
        break;
    case SL_JSON_LEAVES:
        for (size_t i = 0; i < sl_json_leaf_count(&json); i++) {
            struct sl_json_leaf leaf = sl_json_leaf(&json, i);
            sl_buf_add_str(&out, leaf.name);
            sl_buf_add_byte(&out, '=');
            sl_buf_add_str(&out, leaf.value);
            sl_buf_add_byte(&out, ';');
        }
        break;
    case SL_JSON_BROKEN:
        sl_buf_add_c(&out, "broken");
        break;
    case SL_JSON_NO_ROOM:
        sl_buf_add_c(&out, "no room");
        break;
    }
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    sl_json_fini(&json);
}

static void assert_c(const char *source, const char *expected)
{
    assert_flat(sl_str_from(source), expected);
}

static void objects_become_leaves(void **state)
{
    (void)state;
    assert_c("{\"a\":{\"b\":1,\"c\":\"x\"},\"d\":true}", "/a/b=1;/a/c=\"x\";/d=true;");
    assert_c("{\"l\":[{\"x\":1,\"y\":{\"z\":2}},{\"x\":3}]}", "/l.0/x=1;/l.0/y/z=2;/l.1/x=3;");
    assert_c("{\"a\":[[1,2],[3]]}", "/a.0.0=1;/a.0.1=2;/a.1.0=3;");
    assert_c(" \n{ \"a\" :\t1 } \r", "/a=1;");
}

static void empty_containers_vanish(void **state)
{
    (void)state;
    assert_c("{}", "");
    assert_c("{\"a\":{},\"b\":[],\"c\":[{}],\"d\":[[]]}", "");
    assert_c("[]", "[]");
    assert_c("[{},[]]", "[{},[]]");
}

static void null_is_true(void **state)
{
    (void)state;
    assert_c("null", "true");
    assert_c("[null]", "true");
    assert_c("[ null ]", "true");
    assert_c("[null,null]", "[true,true]");
    assert_c("[[null]]", "[true]");
    assert_c("{\"a\":null,\"b\":[null],\"c\":[null,1]}", "/a=true;/b=true;/c.0=true;/c.1=1;");
    assert_c("[{\"a\":null}]", "[{\"a\":true}]");
}

static void leaves_are_sorted_by_their_whole_name(void **state)
{
    (void)state;
    assert_c("{\"b\":1,\"a\":{\"z\":2},\"a-b\":3,\"\":4}", "/=4;/a-b=3;/a/z=2;/b=1;");
    assert_c("{\"\\\"\":1,\"a\":2,\"\\u0001\":3}", "/\001=3;/\"=1;/a=2;");
}

static void members_in_arrays_are_sorted(void **state)
{
    (void)state;
    assert_c("[{\"b\":1,\"a\":[{\"d\":1,\"c\":2}]}]", "[{\"a\":[{\"c\":2,\"d\":1}],\"b\":1}]");
}

static void the_later_of_two_counts(void **state)
{
    (void)state;
    assert_c("{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "/a/y=2;");
    assert_c("{\"a\":{\"x\":1},\"b\":0,\"a\":5}", "/a=5;/b=0;");
    assert_c("{\"a\":1,\"a\":{}}", "");
    assert_c("[{\"a\":1,\"b\":2,\"a\":3}]", "[{\"a\":3,\"b\":2}]");
    assert_c("[{\"a\":1,\"\\u0061\":3}]", "[{\"a\":3}]");
    assert_c("{\"a/b\":1,\"a\":{\"b\":2}}", "/a/b=2;");
    assert_c("{\"a\":{\"b\":2},\"a/b\":1}", "/a/b=1;");
    assert_c("{\"a.0\":1,\"a\":[2]}", "/a.0=2;");
}

static void many_members_out_of_order_are_sorted_too(void **state)
{
    struct sl_buf source = {0};
    struct sl_buf expected = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        unsigned name = 999 - i * 7 % 1000;
        sl_buf_printf(&source, "%s\"n%03u\":%u", i ? "," : "{", name, i);
        sl_buf_printf(&source, ",\"n%03u\":%u", name, name);
        sl_buf_printf(&expected, "/n%03u=%u;", i, i);
    }
    sl_buf_add_byte(&source, '}');
    assert_flat(sl_buf_str(&source), sl_buf_text(&expected));
    sl_buf_fini(&source);
    sl_buf_fini(&expected);
}

static void strings_are_escaped_as_go_escapes_them(void **state)
{
    (void)state;
    assert_c("\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"/\\b\\f\\n\\r\\t\\\"\\\\\"");
    assert_c("\"\\u003c\\u00e9\\u0000\\u007f\"", "\"<\303\251\\u0000\177\"");
    assert_c("\"\\u2028\342\200\251\"", "\"\\u2028\\u2029\"");
    assert_c("\"\\ud83d\\ude00\"", "\"\360\237\230\200\"");
}

static void what_is_not_unicode_is_replaced(void **state)
{
    (void)state;
    assert_c("\"\\ud800x\"", "\"\357\277\275x\"");
    assert_c("\"\\ud800\\u0041\"", "\"\357\277\275A\"");
    assert_c("\"\\udc00\\ud83d\"", "\"\357\277\275\357\277\275\"");
    assert_c("\"\377\376\"", "\"\357\277\275\357\277\275\"");
    assert_c("\"\355\240\200\"", "\"\357\277\275\357\277\275\357\277\275\"");
    assert_c("\"\300\200\"", "\"\357\277\275\357\277\275\"");
    assert_c("\"\342\200\"", "\"\357\277\275\357\277\275\"");
}

static void what_is_not_json_is_refused(void **state)
{
    static const char *const sources[] = {
        "",
        " ",
        "1 2",
        "\357\273\2771",
        "tru",
        "nulll",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "[1",
        "]",
        "\"a",
        "\"\\q\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "NaN",
        "[null,]",
        "[null",
        "{\"a\":1",
        "{\"a\" 1}",
        "'a'",
        "1e400",
        "{\"a\":[null,]}",
        "\"\\u12",
        "\"\\",
        "{,}",
        "[1 2]",
        "{}{}",
        "truefalse",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(sources); i++) {
        assert_c(sources[i], "broken");
    }
    assert_flat((struct sl_str){"1\0", 2}, "broken");
}

static void assert_depth(const char *open, const char *close, unsigned levels, bool is_ok)
{
    struct sl_buf source = {0};
    struct sl_json json;
    struct sl_str value;

    for (unsigned i = 0; i < levels; i++) {
        sl_buf_add_c(&source, open);
    }
    sl_buf_add_c(&source, "1");
    for (unsigned i = 0; i < levels; i++) {
        sl_buf_add_c(&source, close);
    }
    sl_json_init(&json);
    assert_int_equal(sl_json_flatten(&json, sl_buf_str(&source), &value) != SL_JSON_BROKEN, is_ok);
    sl_json_fini(&json);
    sl_buf_fini(&source);
}

static void a_hundred_levels_are_enough(void **state)
{
    (void)state;
    assert_depth("[", "]", 100, true);
    assert_depth("[", "]", 101, false);
    assert_depth("{\"a\":", "}", 100, true);
    assert_depth("{\"a\":", "}", 101, false);
    assert_depth("[", "", 1000000, false);
    assert_depth("{\"a\":[", "", 1000000, false);
}

static void long_names_over_many_leaves_find_no_room(void **state)
{
    struct sl_buf source = {0};
    struct sl_json json;
    struct sl_str value;

    (void)state;
    sl_buf_add_c(&source, "{\"");
    for (unsigned i = 0; i < 100000; i++) {
        sl_buf_add_byte(&source, 'n');
    }
    sl_buf_add_c(&source, "\":[1");
    for (unsigned i = 0; i < 10000; i++) { /* a gigabyte of names */
        sl_buf_add_c(&source, ",1");
    }
    sl_buf_add_c(&source, "]}");
    sl_json_init(&json);
    assert_int_equal(sl_json_flatten(&json, sl_buf_str(&source), &value), SL_JSON_NO_ROOM);
    assert_true(json.text.cap <= SL_JSON_MAX_BYTES);
    assert_int_equal(sl_json_flatten(&json, SL_STR("1"), &value), SL_JSON_VALUE);
    assert_true(json.text.cap <= 64 * 1024); /* nor is the room kept */
    sl_json_fini(&json);
    sl_buf_fini(&source);
}

static void every_front_of_a_text_is_refused(void **state)
{
    static const char source[] = "{\"a\":[1.5e3,null,\"\\ud83d\\ude00\\n\",{\"b\":[null]}],\"c\":tr"
                                 "ue}";

    (void)state;
    for (size_t len = 0; len < sizeof(source) - 1; len++) {
        char *copy = malloc(len ? len : 1); /* so that a read beyond it is seen */
        assert_non_null(copy);
        memcpy(copy, source, len);
        assert_flat((struct sl_str){copy, len}, "broken");
        free(copy);
    }
    assert_c(source, "/a.0=1500;/a.1=true;/a.2=\"\360\237\230\200\\n\";/a.3/b=true;/c=true;");
}

static void rewriting_keeps_null_and_objects(void **state)
{
    struct sl_json json;
    struct sl_str value;

    (void)state;
    sl_json_init(&json);
    assert_int_equal(sl_json_rewrite(&json, SL_STR("{\"b\":[null],\"a\":null}"), &value),
                     SL_JSON_VALUE);
    assert_true(sl_str_eq_c(value, "{\"a\":null,\"b\":[null]}"));
    sl_json_fini(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_leaves),
        cmocka_unit_test(empty_containers_vanish),
        cmocka_unit_test(null_is_true),
        cmocka_unit_test(leaves_are_sorted_by_their_whole_name),
        cmocka_unit_test(members_in_arrays_are_sorted),
        cmocka_unit_test(the_later_of_two_counts),
        cmocka_unit_test(many_members_out_of_order_are_sorted_too),
        cmocka_unit_test(strings_are_escaped_as_go_escapes_them),
        cmocka_unit_test(what_is_not_unicode_is_replaced),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(a_hundred_levels_are_enough),
        cmocka_unit_test(long_names_over_many_leaves_find_no_room),
        cmocka_unit_test(every_front_of_a_text_is_refused),
        cmocka_unit_test(rewriting_keeps_null_and_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
