/* TOML: what it becomes, and that what the specification forbids is refused with its place. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "test.h"

static struct sl_config *parse(const char *text)
{
    struct sl_config *config = sl_config_parse_toml("t", sl_str_from(text));

    assert_non_null(config);
    return config;
}

/* As one line: {a: 1, b: ["x"]}. */
static void add_node(struct sl_buf *out, const struct sl_config_node *node)
{
    bool is_map = sl_config_kind(node) == SL_CONFIG_MAP;
    bool is_plain = false;

    if (sl_config_kind(node) == SL_CONFIG_SCALAR) {
        struct sl_str text = sl_config_raw(node, &is_plain);
        sl_buf_printf(out, is_plain ? "%.*s" : "'%.*s'", SL_STR_ARG(text));
        return;
    }
    sl_buf_add_byte(out, is_map ? '{' : '[');
    for (size_t i = 0; i < sl_config_count(node); i++) {
        sl_buf_add_c(out, i ? ", " : "");
        if (is_map) {
            sl_buf_printf(out, "%s: ", sl_config_key(node, i));
        }
        add_node(out, sl_config_at(node, i));
    }
    sl_buf_add_byte(out, is_map ? '}' : ']');
}

static void expect(const char *text, const char *expected)
{
    struct sl_config *config = parse(text);
    struct sl_buf out = {0};

    sl_config_print_errors(config, &out);
    assert_string_equal(sl_buf_text(&out), "");
    add_node(&out, sl_config_root(config));
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    sl_config_free(config);
}

static void expect_error(const char *text, const char *expected)
{
    struct sl_config *config = parse(text);
    struct sl_buf out = {0};

    sl_config_print_errors(config, &out);
    if (strncmp(sl_buf_text(&out), expected, strlen(expected)) != 0 || sl_config_root(config)) {
        fail_msg("'%s' gives '%s', not '%s'", text, sl_buf_text(&out), expected);
    }
    sl_buf_fini(&out);
    sl_config_free(config);
}

static void values_are_what_they_say(void **state)
{
    (void)state;
    expect("", "{}");
    expect("# nothing\n\n", "{}");
    expect("a = 1\nb = \"x\" # c\n'c d' = true\n", "{a: 1, b: 'x', c d: true}");
    expect("a = [1, 2,\n 3, # x\n]\r\nb = { x = 1, y.z = [] }\n",
           "{a: [1, 2, 3], b: {x: 1, y: {z: []}}}");
}

static void numbers_and_times_stay_as_they_stand(void **state)
{
    (void)state;
    expect("a = 1_000\nb = 0xff\nc = -1.5e-3\nd = +inf\ne = 1979-05-27T07:32:00Z\nf = 07:32:00\n"
           "g = 1979-05-27 # d\nh = 0b1\ni = 6.0E+2\n",
           "{a: 1000, b: 0xff, c: -1.5e-3, d: +inf, e: 1979-05-27T07:32:00Z, f: 07:32:00, g: "
           "1979-05-27, h: 0b1, i: 6.0E+2}");
}

static void times_have_their_forms(void **state)
{
    static const char *const wrong[] = {
        "1979-05-27T07", "1979-05-27T0:32:00Z", "07:32",     "1979-05-27T07:32:00+7",
        "07:32:00Z",     "07:32:00.",           "1979-5-27", "1979-05-27x"};

    (void)state;
    expect("a = 1979-05-27 07:32:00.25+01:00 # x\nb = 1979-05-27t07:32:00-00:30\nc = 07:32:00.9\n",
           "{a: 1979-05-27 07:32:00.25+01:00, b: 1979-05-27t07:32:00-00:30, c: 07:32:00.9}");
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        char text[64];
        snprintf(text, sizeof(text), "a = %s\n", wrong[i]);
        expect_error(text, "t:1:5: expected a value");
    }
}

static void texts_have_four_forms(void **state)
{
    (void)state;
    expect("a = \"\\t\\u00e9\\\\\\\"\"\n", "{a: '\t\xc3\xa9\\\"'}");
    expect("a = 'C:\\x'\n", "{a: 'C:\\x'}");
    expect("a = \"\"\"\nx\n  y \\\n   z\"\"\"\n", "{a: 'x\n  y z'}");
    expect("a = '''\n'x''''\n", "{a: ''x''}");
    expect("a = \"\"\"\"\"\"\n", "{a: ''}");
}

static void tables_grow_where_they_may(void **state)
{
    (void)state;
    expect("[a.b]\nx = 1\n[a]\ny = 2\n[a.c]\n", "{a: {b: {x: 1}, y: 2, c: {}}}");
    expect("[[i]]\nx = 1\n[[i.s]]\ny = 1\n[[i.s]]\ny = 2\n[[i]]\n[i.t]\nz = 1\n",
           "{i: [{x: 1, s: [{y: 1}, {y: 2}]}, {t: {z: 1}}]}");
    expect("a.b = 1\na.c = 2\n[d]\ne.f = 1\n", "{a: {b: 1, c: 2}, d: {e: {f: 1}}}");
}

static void what_is_wrong_has_its_place(void **state)
{
    static const char *const wrong[][2] = {
        {"a = \n", "t:1:5: expected a value"},
        {"a 1\n", "t:1:3: expected '='"},
        {"= 1\n", "t:1:1: expected a key"},
        {"a = 1 b = 2\n", "t:1:7: expected the end of the line"},
        {"\n a = 1\n a = 2\n", "t:3:4: a key that stands here already"},
        {"[a]\n[a]\n", "t:2:3: a table that is defined already"},
        {"a = 1\n[a]\n", "t:2:3: a table that is defined already"},
        {"a = 1\n[a.b]\n", "t:2:5: a table's name leads through a value"},
        {"a = {}\n[a.b]\n", "t:2:5: a table's name leads through a value"},
        {"a = {x = 1}\na.y = 2\n", "t:2:5: a key with dots"},
        {"a.b = 1\n[a]\n", "t:2:3: a table that is defined already"},
        {"a = []\n[[a]]\n", "t:2:4: an array of tables with the name"},
        {"[[a]]\n[a]\n", "t:2:3: a table that is defined already"},
        {"a = [1 2]\n", "t:1:8: expected ',' or ']'"},
        {"a = {x = 1,}\n", "t:1:12: expected a key"},
        {"a = {x = 1\n}\n", "t:1:11: expected ',' or '}'"},
        {"a = \"x\n", "t:2:1: a text that does not end"},
        {"a = \"x", "t:1:7: a text without its end"},
        {"a = \"\\q\"\n", "t:1:7: an escape"},
        {"a = \"\\ud800\"\n", "t:1:8: no character"},
        {"a = \"\\u12\"\n", "t:1:8: expected four"},
        {"a = 01\n", "t:1:5: expected a value"},
        {"a = 1__0\n", "t:1:5: expected a value"},
        {"a = 1.\n", "t:1:5: expected a value"},
        {"a = .5\n", "t:1:5: expected a value"},
        {"a = 1e\n", "t:1:5: expected a value"},
        {"a = ${X}\n", "t:1:5: expected a value"},
        {"a = yes\n", "t:1:5: expected a value"},
        {"a = \"\x01\"\n", "t:1:6: a control character"},
        {"# \x01\n", "t:1:3: a control character"},
        {"a = \"\xff\"\n", "t:1:6: a byte that is not UTF-8"},
        {"[a\n", "t:1:3: expected ']'"},
        {"[[a]\n", "t:1:4: expected ']]'"},
        {"[]\n", "t:1:2: expected a key"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1\n", "t:1:33: more parts"},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        expect_error(wrong[i][0], wrong[i][1]);
    }
}

static void depth_has_a_limit(void **state)
{
    char text[200] = "a = ";

    (void)state;
    memset(text + 4, '[', 100);
    text[104] = '\0';
    expect_error(text, "t:1:21: more arrays");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_what_they_say),
        cmocka_unit_test(numbers_and_times_stay_as_they_stand),
        cmocka_unit_test(times_have_their_forms),
        cmocka_unit_test(texts_have_four_forms),
        cmocka_unit_test(tables_grow_where_they_may),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(depth_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
