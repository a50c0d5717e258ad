/* The document: YAML to nodes, places, aliases, merge keys, limits. What tables make of it is
 * fill_test's. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct sl_config *parse(const char *text)
{
    struct sl_config *config = sl_config_parse("t", sl_str_from(text));

    assert_non_null(config);
    return config;
}

static struct sl_config *parse_good(const char *text)
{
    struct sl_config *config = parse(text);

    assert_int_equal(sl_config_errors(config), 0);
    assert_non_null(sl_config_root(config));
    return config;
}

static void expect_errors(struct sl_config *config, const char *expected)
{
    struct sl_buf out;

    sl_buf_init(&out, 0);
    sl_config_print_errors(config, &out);
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    sl_config_free(config);
}

static const char *text_of(struct sl_config *config, const struct sl_config_node *map,
                           const char *key)
{
    const struct sl_config_node *node = sl_config_get(map, key);

    assert_non_null(node);
    return sl_config_text(config, node);
}

static void a_document_is_maps_lists_and_texts(void **state)
{
    struct sl_config *config = parse_good("b: {x: 1, a: '2'}\n"
                                          "a: [one, \"two\", 3]\n"
                                          "n:\n"
                                          "t: ~\n"
                                          "q: ''\n");
    const struct sl_config_node *root = sl_config_root(config);
    const struct sl_config_node *list = sl_config_get(root, "a");

    (void)state;
    assert_int_equal(sl_config_kind(root), SL_CONFIG_MAP);
    assert_int_equal(sl_config_count(root), 5);
    assert_string_equal(sl_config_key(root, 0), "b");
    assert_string_equal(sl_config_key(root, 1), "a");
    assert_string_equal(text_of(config, sl_config_get(root, "b"), "x"), "1");
    assert_string_equal(text_of(config, sl_config_at(root, 0), "a"), "2");
    assert_int_equal(sl_config_kind(list), SL_CONFIG_LIST);
    assert_int_equal(sl_config_count(list), 3);
    assert_string_equal(sl_config_text(config, sl_config_at(list, 1)), "two");
    assert_int_equal(sl_config_kind(sl_config_get(root, "n")), SL_CONFIG_NULL);
    assert_int_equal(sl_config_kind(sl_config_get(root, "t")), SL_CONFIG_NULL);
    assert_int_equal(sl_config_kind(sl_config_get(root, "q")), SL_CONFIG_SCALAR);
    assert_null(sl_config_get(root, "c"));
    assert_null(sl_config_get(list, "a"));
    assert_null(sl_config_get(NULL, "a"));
    sl_config_free(config);
}

static void a_list_of_one_may_be_written_as_its_item(void **state)
{
    struct sl_config *config = parse_good("{one: a, many: [b, c]}");
    const struct sl_config_node *root = sl_config_root(config);
    const struct sl_config_node *one = sl_config_get(root, "one");
    const struct sl_config_node *many = sl_config_get(root, "many");

    (void)state;
    assert_ptr_equal(sl_config_item(one, 0), one);
    assert_ptr_equal(sl_config_item(many, 1), sl_config_at(many, 1));
    assert_ptr_equal(sl_config_item(many, 2), many);
    assert_null(sl_config_item(NULL, 0));
    sl_config_free(config);
}

static void every_key_of_a_large_map_is_found(void **state)
{
    struct sl_buf text;
    char key[16];

    (void)state;
    sl_buf_init(&text, 0);
    for (unsigned i = 0; i < 5000; i++) {
        sl_buf_printf(&text, "k%u: %u\n", i * 7919 % 5000, i);
    }
    struct sl_config *config = parse_good(sl_buf_text(&text));
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        assert_non_null(sl_config_get(sl_config_root(config), key));
    }
    assert_null(sl_config_get(sl_config_root(config), "k5000"));
    sl_config_free(config);
    sl_buf_fini(&text);
}

static void an_alias_stands_for_its_anchor(void **state)
{
    struct sl_config *config = parse_good("a: &x {k: v}\nb: *x\nc: [*x, *x]\nd: &x 1\ne: *x\n");
    const struct sl_config_node *root = sl_config_root(config);

    (void)state;
    assert_string_equal(text_of(config, sl_config_get(root, "b"), "k"), "v");
    assert_string_equal(text_of(config, sl_config_at(sl_config_get(root, "c"), 1), "k"), "v");
    assert_string_equal(text_of(config, root, "e"), "1");
    sl_config_free(config);
}

static void a_merge_key_adds_what_the_map_does_not_say(void **state)
{
    struct sl_config *config = parse_good("x: &x {a: 1, b: 1, c: 1}\n"
                                          "y: &y {b: 2, d: 2, <<: *x}\n"
                                          "one: {<<: *x, a: 0}\n"
                                          "two: {b: 0, <<: [*y, *x]}\n"
                                          "quoted: {'<<': text}\n"
                                          "none: {<<: []}\n");
    const struct sl_config_node *root = sl_config_root(config);
    const struct sl_config_node *one = sl_config_get(root, "one");
    const struct sl_config_node *two = sl_config_get(root, "two");

    (void)state;
    assert_int_equal(sl_config_count(one), 3);
    assert_string_equal(text_of(config, one, "a"), "0");
    assert_string_equal(text_of(config, one, "b"), "1");
    assert_int_equal(sl_config_count(two), 4);
    assert_string_equal(text_of(config, two, "a"), "1");
    assert_string_equal(text_of(config, two, "b"), "0");
    assert_string_equal(text_of(config, two, "d"), "2");
    assert_string_equal(text_of(config, sl_config_get(root, "quoted"), "<<"), "text");
    assert_int_equal(sl_config_count(sl_config_get(root, "none")), 0);
    sl_config_free(config);
}

static void environment_is_filled_in_and_a_doubled_dollar_is_one(void **state)
{
    setenv("SLUICE_TEST_A", "va$ue", 1);
    struct sl_config *config =
        parse_good("{a: \"<${env.SLUICE_TEST_A}>\", b: \"$${x} $$ $\", c: \"1$2\", d: x$}");
    const struct sl_config_node *root = sl_config_root(config);

    (void)state;
    assert_string_equal(text_of(config, root, "a"), "<va$ue>");
    assert_string_equal(text_of(config, root, "b"), "${x} $ $");
    assert_string_equal(text_of(config, root, "c"), "1$2");
    assert_string_equal(text_of(config, root, "d"), "x$");
    sl_config_free(config);
    unsetenv("SLUICE_TEST_A");
}

static void only_a_scalar_is_text(void **state)
{
    struct sl_config *config = parse_good("{a: [], b: {}, c: , d: null, e: ~}");
    const struct sl_config_node *root = sl_config_root(config);

    (void)state;
    assert_string_equal(text_of(config, root, "d"), "null");
    assert_string_equal(text_of(config, root, "a"), "");
    assert_string_equal(text_of(config, root, "b"), "");
    assert_string_equal(text_of(config, root, "c"), "");
    assert_string_equal(text_of(config, root, "e"), "");
    expect_errors(config, "t:1:5: expected text, found a list\n"
                          "t:1:12: expected text, found a map\n"
                          "t:1:19: expected text, found nothing\n"
                          "t:1:33: expected text, found nothing\n");
}

static void errors_come_in_the_order_of_the_file(void **state)
{
    struct sl_config *config = parse_good("a: 1\nb: {c: 2}\n");
    const struct sl_config_node *root = sl_config_root(config);

    (void)state;
    sl_config_error(config, sl_config_get(sl_config_get(root, "b"), "c"), "third");
    sl_config_error(config, sl_config_get(root, "b"), "second");
    sl_config_error(config, sl_config_key_node(root, 0), "first");
    sl_config_error(config, sl_config_key_node(root, 0), "first");
    sl_config_error(config, sl_config_key_node(root, 0), "and %d more", 1);
    sl_config_error(config, NULL, "as a whole: \x1b[31m");
    assert_int_equal(sl_config_errors(config), 5);
    expect_errors(config, "t: as a whole: .[31m\n"
                          "t:1:1: first\n"
                          "t:1:1: and 1 more\n"
                          "t:2:4: second\n"
                          "t:2:8: third\n");
}

static void columns_count_characters_and_not_bytes(void **state)
{
    (void)state;
    expect_errors(parse("\xc3\xa4\xc3\xb6: {a: 1, a: 2}\n"),
                  "t:1:12: key 'a' stands here twice; first at line 1\n");
    expect_errors(parse("\xc3\xa4: \xff\n"), "t:1:4: invalid leading UTF-8 octet\n");
}

static void lists_and_maps_go_32_deep(void **state)
{
    char text[80] = "";

    (void)state;
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    struct sl_config *config = parse_good(text);
    sl_config_free(config);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    expect_errors(parse(text), "t:1:33: more than 32 lists and maps in each other\n");
}

/* `count` values in a list: itself and count - 1 texts. */
static void put_list(struct sl_buf *text, size_t count)
{
    sl_buf_add_c(text, "[");
    for (size_t i = 1; i < count; i++) {
        sl_buf_add_c(text, "1,");
    }
    sl_buf_add_c(text, "]");
}

static void aliases_count_as_if_they_were_written_out(void **state)
{
    struct sl_buf text;

    (void)state;
    sl_buf_init(&text, 0);
    /* root, 2 keys, 1000 values, 1 list and 998 aliases of 1000 values, and a few texts */
    sl_buf_add_c(&text, "a: &a ");
    put_list(&text, 1000);
    sl_buf_add_c(&text, "\nb: [");
    for (int i = 0; i < 998; i++) {
        sl_buf_add_c(&text, "*a , ");
    }
    size_t len = text.len;
    for (int i = 0; i < 996; i++) {
        sl_buf_add_c(&text, "1,");
    }
    sl_buf_add_c(&text, "]\n");
    struct sl_config *config = parse_good(sl_buf_text(&text));
    sl_config_free(config);
    text.len = len;
    for (int i = 0; i < 997; i++) {
        sl_buf_add_c(&text, "1,");
    }
    sl_buf_add_c(&text, "]\n");
    expect_errors(parse(sl_buf_text(&text)),
                  "t:2:6987: more than 1000000 values with all aliases written out\n");
    sl_buf_fini(&text);
}

static void anchors_are_a_thousand(void **state)
{
    struct sl_buf text;

    (void)state;
    sl_buf_init(&text, 0);
    for (int i = 0; i < 1001; i++) {
        sl_buf_printf(&text, "- &a%d 1\n", i);
    }
    expect_errors(parse(sl_buf_text(&text)), "t:1001:3: more than 1000 anchors\n");
    sl_buf_fini(&text);
}

static void half_a_document_is_none(void **state)
{
    struct sl_config *config = parse("a: 1\na: 2\nb: {c: [d, {e: f}, g\n");

    (void)state;
    assert_null(sl_config_root(config));
    assert_true(sl_config_errors(config) > 0);
    sl_config_free(config);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct sl_config *config = sl_config_read("/nonexistent/sluice.yaml");
    struct sl_buf out;

    (void)state;
    assert_non_null(config);
    assert_null(sl_config_root(config));
    sl_buf_init(&out, 0);
    sl_config_print_errors(config, &out);
    assert_string_equal(sl_buf_text(&out),
                        "/nonexistent/sluice.yaml: cannot be read: No such file or directory\n");
    sl_buf_reset(&out);
    sl_config_free(config);
    config = sl_config_read("/");
    assert_non_null(config);
    sl_config_print_errors(config, &out);
    assert_string_equal(sl_buf_text(&out), "/: cannot be read: Is a directory\n");
    sl_buf_fini(&out);
    sl_config_free(config);
}

static void memory_of_the_document_is_zeroed_and_apart(void **state)
{
    struct sl_config *config = parse_good("a: 1");

    (void)state;
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *bytes = sl_config_alloc(config, size, 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(bytes[i], 0);
        }
        memset(bytes, 0xff, size);
    }
    assert_null(sl_config_alloc(config, SIZE_MAX / 4, 8));
    expect_errors(config, "t: out of memory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_maps_lists_and_texts),
        cmocka_unit_test(a_list_of_one_may_be_written_as_its_item),
        cmocka_unit_test(every_key_of_a_large_map_is_found),
        cmocka_unit_test(an_alias_stands_for_its_anchor),
        cmocka_unit_test(a_merge_key_adds_what_the_map_does_not_say),
        cmocka_unit_test(environment_is_filled_in_and_a_doubled_dollar_is_one),
        cmocka_unit_test(only_a_scalar_is_text),
        cmocka_unit_test(errors_come_in_the_order_of_the_file),
        cmocka_unit_test(columns_count_characters_and_not_bytes),
        cmocka_unit_test(lists_and_maps_go_32_deep),
        cmocka_unit_test(aliases_count_as_if_they_were_written_out),
        cmocka_unit_test(anchors_are_a_thousand),
        cmocka_unit_test(half_a_document_is_none),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(memory_of_the_document_is_zeroed_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
