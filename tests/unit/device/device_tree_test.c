#include "tree_tools.h"

#include <stdlib.h>

static void what_is_read_is_printed_again(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);

    (void)state;
    expect_json(tree, "/interfaces",
                "{\"interface\":[{\"config\":{\"mtu\":9000},\"name\":\"eth0\",\"state\":{"
                "\"counters\":{\"in-octets\":\"18446744073709551615\"},\"mtu\":9000}},"
                "{\"config\":{\"mtu\":1500},\"name\":\"eth1\"}]}");
    expect_json(tree, "/system/config", "{\"hostname\":\"r1\",\"servers\":[\"a\",\"b\"]}");
    expect_json(tree, "/interfaces/interface[name=eth1]/config/mtu", "1500");
    expect_json(tree, "/system/config/servers", "[\"a\",\"b\"]");
    expect_json(tree, "/interfaces/interface[name=eth1]/name", "\"eth1\"");
    sl_device_tree_release(tree);
}

static void every_kind_of_value_keeps_its_type(void **state)
{
    static const struct {
        const char *text;
        Gnmi__TypedValue__ValueCase kind;
        const char *ietf;
    } rows[] = {
        {"\"\\u00e9\\\"\"", GNMI__TYPED_VALUE__VALUE_STRING_VAL, "\"\xc3\xa9\\\"\""},
        {"-9223372036854775808", GNMI__TYPED_VALUE__VALUE_INT_VAL, "\"-9223372036854775808\""},
        {"4294967295", GNMI__TYPED_VALUE__VALUE_UINT_VAL, "4294967295"},
        {"4294967296", GNMI__TYPED_VALUE__VALUE_UINT_VAL, "\"4294967296\""},
        {"1.5", GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL, "\"1.5\""},
        {"true", GNMI__TYPED_VALUE__VALUE_BOOL_VAL, "true"},
        {"false", GNMI__TYPED_VALUE__VALUE_BOOL_VAL, "false"},
        {"[null]", GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL, "[null]"},
        {"[1,-2,\"x\"]", GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL, "[1,-2,\"x\"]"},
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_device_tree *tree;

        snprintf(text, sizeof(text), "{\"a\":{\"b\":%s}}", rows[i].text);
        tree = tree_of(text);
        assert_int_equal(tree->count, 1);
        assert_int_equal(tree->leaves[0]->value->value_case, rows[i].kind);
        expect_json(tree, "/a/b", rows[i].ietf);
        sl_device_tree_release(tree);
    }
}

static void keys_are_all_scalars_beside_config_or_state_else_the_first(void **state)
{
    struct sl_device_tree *tree = tree_of("{\"m:routes\":{\"route\":[{\"prefix\":\"10.0.0.0/"
                                          "8\",\"index\":3,\"state\":{\"up\":true}}]},"
                                          "\"native\":{\"port\":[{\"id\":\"1/1\",\"mtu\":9000}]}}");

    (void)state;
    assert_int_equal(tree->leaves[0]->path->elem[1]->n_key, 1);
    expect_json(tree, "/native/port[id=1\\/1]/mtu", "9000");
    expect_json(tree, "/routes/route[prefix=10.0.0.0\\/8][index=3]/state/up", "true");
    expect_json(tree, "/routes/route[prefix=10.0.0.0\\/8][index=3]/index", "3");
    sl_device_tree_release(tree);
}

static void members_of_the_root_may_be_paths(void **state)
{
    struct sl_device_tree *tree =
        tree_of("{\"/a/b[k=1]/c\":5,\"eos_native:/Sysdb/m:x\":\"y\",\"d\":{\"e\":1}}");

    (void)state;
    expect_json(tree, "/a/b[k=1]/c", "5");
    expect_json(tree, "/a/b[k=1]/k", "\"1\"");
    expect_json(tree, "openconfig:/d/e", "1");
    expect_json(tree, "eos_native:/Sysdb", "{\"m:x\":\"y\"}");
    sl_device_tree_release(tree);
}

static void what_is_no_tree_is_refused_with_its_line(void **state)
{
    static const char *const broken[] = {
        "",
        "[]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1} x",
        "{\"a\":tru}",
        "{\"a\":null}",
        "{\"a\":01}",
        "{\"a\":18446744073709551616}",
        "{\"a\":1e999}",
        "{\"a\":\"\\u0000\"}",
        "{\"\":1}",
        "{\"a\":[{}]}",
        "{\"a\":[{\"k\":1,\"k\":1,\"config\":{}}]}",
        "{\"a\":[{\"k\":1,\"m:k\":2}]}",
        "{\"a\":[{\"b\":{}}]}",
        "{\"a\":[{\"k\":1},2]}",
        "{\"a\":[[1]]}",
        "{\"a\":[1,{\"k\":1}]}",
        "{\"a\":{\"b\":1},\"/a\":2}",
        "{\"/a[k=1]/b\":1,\"/a/b\":2}",
        "{\"/a[k=1]/b\":1,\"/a[l=1]/b\":2}",
        "{\"/a[k=1]/k\":2}",
        "{\"/a[k=*]/b\":2}",
        "{\"/...\":2}",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct sl_status why = sl_status_ok();

        assert_null(sl_device_json_read(sl_str_from(broken[i]), 1, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    }
}

static void a_text_cut_off_anywhere_is_refused(void **state)
{
    static const char text[] = TWO_INTERFACES;

    (void)state;
    for (size_t len = 0; len + 1 < sizeof(text) - 1; len++) {
        char *cut = malloc(len + 1); /* so that a tool sees who reads behind it */
        struct sl_status why = sl_status_ok();

        assert_non_null(cut);
        memcpy(cut, text, len);
        assert_null(sl_device_json_read((struct sl_str){cut, len}, 1, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
        free(cut);
    }
}

/* Each leaf of a path as long as this costs it whole. */
static void what_nests_too_deep_or_becomes_too_large_is_refused(void **state)
{
    struct sl_buf text = {.data = NULL};
    struct sl_status why = sl_status_ok();

    (void)state;
    for (int i = 0; i < 100000; i++) {
        sl_buf_add_c(&text, "{\"a\":");
    }
    assert_null(sl_device_json_read(sl_buf_str(&text), 1, &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    sl_buf_reset(&text);
    for (int i = 0; i < 100000; i++) {
        sl_buf_add_c(&text, "{\"a\":[");
    }
    assert_null(sl_device_json_read(sl_buf_str(&text), 1, &why));
    sl_buf_reset(&text);
    sl_buf_add_c(&text, "{\"");
    for (int i = 0; i < 20000; i++) {
        sl_buf_add_byte(&text, 'x');
    }
    sl_buf_add_c(&text, "\":{\"a\":1");
    for (int i = 0; i < 2000; i++) {
        sl_buf_printf(&text, ",\"a%d\":1", i);
    }
    sl_buf_add_c(&text, "}}");
    assert_null(sl_device_json_read(sl_buf_str(&text), 1, &why));
    assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
    sl_buf_fini(&text);
}

static size_t selected(const struct sl_device_tree *tree, const char *text, size_t *last_consumed)
{
    Gnmi__Path *path = path_of(text);
    struct sl_device_place place;
    struct sl_status status = sl_device_place_init(&place, NULL, path);
    size_t count = 0;

    assert_string_equal(status.text, "");
    for (size_t i = 0; i < tree->count; i++) {
        count += sl_device_place_selects(&place, tree->leaves[i], last_consumed);
    }
    gnmi__path__free_unpacked(path, NULL);
    return count;
}

static void wildcards_and_missing_keys_select(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    size_t consumed = 0;

    (void)state;
    assert_int_equal(selected(tree, "/", &consumed), tree->count);
    assert_int_equal(selected(tree, "/interfaces/interface", &consumed), 6);
    assert_int_equal(selected(tree, "/interfaces/interface[name=*]/config/mtu", &consumed), 2);
    assert_int_equal(selected(tree, "/interfaces/*[name=eth0]", &consumed), 4);
    assert_int_equal(selected(tree, "/interfaces/interface[name=eth0]/*/mtu", &consumed), 2);
    assert_int_equal(selected(tree, "/.../mtu", &consumed), 3);
    assert_int_equal(selected(tree, "/.../counters/.../in-octets", &consumed), 1);
    assert_int_equal(selected(tree, "/interfaces/...", &consumed), 6);
    assert_int_equal(consumed, 1);
    assert_int_equal(selected(tree, "/interfaces/interface[id=eth0]", &consumed), 0);
    assert_int_equal(selected(tree, "/interface", &consumed), 0);
    assert_int_equal(selected(tree, "cli:/interfaces", &consumed), 0);
    assert_int_equal(selected(tree, "openconfig:/oc-if:interfaces", &consumed), 6);
    sl_device_tree_release(tree);
}

static void a_version_stays_what_it_was(void **state)
{
    struct sl_device_tree *old = tree_of(TWO_INTERFACES);
    Gnmi__Path *path = path_of("/interfaces/interface[name=eth0]");
    struct sl_device_place place;
    struct sl_device_edit edit;
    struct sl_status why = sl_device_place_init(&place, NULL, path);
    struct sl_device_tree *new;
    size_t shared = 0;

    (void)state;
    assert_true(sl_status_is_ok(&why));
    assert_true(sl_device_edit_init(&edit, old, 2));
    sl_device_edit_delete(&edit, &place, false);
    new = sl_device_edit_done(&edit, &why);
    assert_non_null(new);
    assert_int_equal(new->count, old->count - 4);
    for (size_t i = 0; i < new->count; i++) {
        for (size_t j = 0; j < old->count; j++) {
            shared += new->leaves[i] == old->leaves[j];
        }
    }
    assert_int_equal(shared, new->count);
    sl_device_tree_release(new);
    expect_json(old, "/interfaces/interface[name=eth0]/config", "{\"mtu\":9000}");
    sl_device_tree_release(old);
    gnmi__path__free_unpacked(path, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_printed_again),
        cmocka_unit_test(every_kind_of_value_keeps_its_type),
        cmocka_unit_test(keys_are_all_scalars_beside_config_or_state_else_the_first),
        cmocka_unit_test(members_of_the_root_may_be_paths),
        cmocka_unit_test(what_is_no_tree_is_refused_with_its_line),
        cmocka_unit_test(a_text_cut_off_anywhere_is_refused),
        cmocka_unit_test(what_nests_too_deep_or_becomes_too_large_is_refused),
        cmocka_unit_test(wildcards_and_missing_keys_select),
        cmocka_unit_test(a_version_stays_what_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
