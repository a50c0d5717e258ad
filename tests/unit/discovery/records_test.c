/* Targets that came one by one. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "discovery/records.h"

static bool take(struct sl_records *records, const char *key, const char *value,
                 struct sl_status *why)
{
    const struct sl_str text = sl_str_from(value ? value : "");

    return sl_records_take(records, sl_str_from(key), value ? &text : NULL, why);
}

static void assert_document(const struct sl_records *records, const char *expected)
{
    struct sl_buf text = {0};

    sl_records_print(records, &text);
    assert_string_equal(sl_buf_text(&text), expected);
    sl_buf_fini(&text);
}

static void the_last_of_each_name_counts(void **state)
{
    struct sl_records *records = sl_records_new(1000);
    struct sl_status why;

    (void)state;
    assert_document(records, "{\n}\n");
    assert_true(take(records, "leaf2", "address: 10.0.0.2\nlabels: {site: \"t\\\"yo\\n\"}", &why));
    assert_true(take(records, "leaf1", "{\"insecure\": true, \"sinks\": [\"a\", null]}", &why));
    assert_document(records, "{\n"
                             "\"leaf1\": {\"insecure\": \"true\", \"sinks\": [\"a\", null]},\n"
                             "\"leaf2\": {\"address\": \"10.0.0.2\", \"labels\": {\"site\": "
                             "\"t\\\"yo\\u000a\"}}\n}\n");
    assert_true(take(records, "leaf2", "{}", &why));
    assert_true(take(records, "leaf1", NULL, &why));
    assert_true(take(records, "leaf3", NULL, &why));
    assert_document(records, "{\n\"leaf2\": {}\n}\n");
    sl_records_free(records);
}

static void what_is_no_target_leaves_what_was(void **state)
{
    struct sl_records *records = sl_records_new(1000);
    struct sl_status why;
    const struct sl_str text = SL_STR("{}");

    (void)state;
    assert_true(take(records, "leaf1", "{gzip: true}", &why));
    assert_false(take(records, "leaf1", "{gzip", &why));
    assert_non_null(strstr(why.text, "leaf1:"));
    assert_false(take(records, "leaf1", "[a]", &why));
    assert_non_null(strstr(why.text, "expected a map"));
    assert_false(take(records, "leaf1", "", &why));
    assert_false(take(records, "", "{}", &why));
    assert_false(sl_records_take(records, (struct sl_str){"a\0b", 3}, &text, &why));
    assert_false(sl_records_take(records, (struct sl_str){NULL, 0}, &text, &why));
    assert_document(records, "{\n\"leaf1\": {\"gzip\": \"true\"}\n}\n");
    sl_records_free(records);
}

static void a_key_is_wrong_until_something_good_is_said_of_it(void **state)
{
    struct sl_records *records = sl_records_new(1000);
    struct sl_status why;

    (void)state;
    assert_true(take(records, "leaf1", "{}", &why));
    assert_int_equal(sl_records_wrong(records), 0);
    assert_false(take(records, "leaf1", "[]", &why));
    assert_false(take(records, "leaf1", "{", &why));
    assert_false(take(records, "leaf2", "{", &why));
    assert_false(take(records, "leaf3", "{", &why));
    assert_int_equal(sl_records_wrong(records), 3);
    assert_document(records, "{\n\"leaf1\": {}\n}\n");
    assert_true(take(records, "leaf1", "{gzip: true}", &why));
    assert_true(take(records, "leaf2", NULL, &why));
    assert_int_equal(sl_records_wrong(records), 1);
    assert_true(take(records, "leaf3", "{}", &why));
    assert_int_equal(sl_records_wrong(records), 0);
    assert_document(records, "{\n\"leaf1\": {\"gzip\": \"true\"},\n\"leaf3\": {}\n}\n");
    sl_records_free(records);
}

static void there_is_no_more_of_it_than_there_may_be(void **state)
{
    enum { LIMIT = 2000 };
    struct sl_records *records = sl_records_new(LIMIT);
    struct sl_status why;
    struct sl_buf text = {0};
    char name[16];
    int taken = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "leaf%d", i);
        taken += take(records, name, "{address: 10.0.0.1}", &why);
    }
    assert_in_range(taken, 20, 60);
    sl_records_print(records, &text);
    assert_true(text.len <= LIMIT + 10);
    sl_buf_fini(&text);
    assert_false(take(records, "bomb",
                      "{a: &a [x, x, x, x, x, x, x, x, x], b: &b [*a, *a, *a, *a], "
                      "c: [*b, *b, *b, *b, *b, *b, *b, *b]}",
                      &why));
    assert_true(take(records, "leaf0", NULL, &why));
    assert_true(take(records, "leaf1", NULL, &why));
    assert_true(take(records, "again", "{address: 10.0.0.1}", &why));
    sl_records_free(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_each_name_counts),
        cmocka_unit_test(what_is_no_target_leaves_what_was),
        cmocka_unit_test(a_key_is_wrong_until_something_good_is_said_of_it),
        cmocka_unit_test(there_is_no_more_of_it_than_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
