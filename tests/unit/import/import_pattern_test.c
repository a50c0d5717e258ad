/* Regular expressions as globs: which ones, and that nothing else passes for one. */
#include <string.h>

#include "base/base.h"
#include "import/internal.h"
#include "test.h"

static void expect_globs(const char *regex, const char *expected)
{
    struct sl_buf out = {0};
    size_t count = 0;
    bool is_everything = false;

    assert_true(sl_import_path_globs(regex, &out, &count, &is_everything));
    assert_string_equal(is_everything ? "everything" : sl_buf_text(&out), expected);
    sl_buf_fini(&out);
}

static void literals_anchors_and_anything_have_globs(void **state)
{
    (void)state;
    expect_globs("^/a/b$", "\"/a/b\"");
    expect_globs("^/a/b", "\"/a/b*/...\"");
    expect_globs("octets$", "\"/.../*octets\"");
    expect_globs(".*octets$", "\"/.../*octets\"");
    expect_globs("/octets$", "\"/.../octets\"");
    expect_globs("state/counters", "\"/.../*state/counters*/...\"");
    expect_globs("^/a/.*/c$", "\"/a/*/.../c\"");
    expect_globs("^/a/.*c$", "\"/a/.../*c\"");
    expect_globs("^/a.*/c$", "\"/a*/.../c\"");
    expect_globs("^/a/i.*s$", "\"/a/i*s\", \"/a/i*/.../*s\"");
    expect_globs("in\\-octets|out-octets$", "\"/.../*in-octets*/...\", \"/.../*out-octets\"");
}

static void what_matches_all_is_everything(void **state)
{
    (void)state;
    expect_globs("", "everything");
    expect_globs(".*", "everything");
    expect_globs("^.*$", "everything");
    expect_globs("a|.*", "everything");
}

static void the_rest_is_refused(void **state)
{
    static const char *const refused[] = {
        "a.b",   "a+",       "[ab]", "(a|b)",  "a?",   "\\d", "^a/b",      "a$b",
        "^/a/$", "a//b",     "oc:a", "a|[b]",  "a{2}", "ab*", "x*",        "a\\",
        "a b",   "^/a/...$", ".",    "(?i)ab", "\\[",  "*",   "a.*b.*c.*d"};
    struct sl_buf out = {0};
    size_t count = 0;
    bool is_everything = false;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(refused); i++) {
        if (sl_import_path_globs(refused[i], &out, &count, &is_everything)) {
            fail_msg("'%s' became %s", refused[i], sl_buf_text(&out));
        }
        assert_int_equal(out.len, 0);
    }
    sl_buf_fini(&out);
}

static void too_long_is_refused(void **state)
{
    struct sl_buf out = {0};
    size_t count = 0;
    bool is_everything = false;
    char text[400];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_false(sl_import_path_globs(text, &out, &count, &is_everything));
    for (size_t i = 1; i < sizeof(text) - 1; i += 2) {
        text[i] = '|';
    }
    assert_false(sl_import_path_globs(text, &out, &count, &is_everything));
    sl_buf_fini(&out);
}

static void texts_have_one_glob(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    assert_true(sl_import_text_glob("^UP$", &out));
    assert_true(sl_import_text_glob("err", &out));
    assert_string_equal(sl_buf_text(&out), "\"UP\", \"*err*\"");
    assert_false(sl_import_text_glob("a|b", &out));
    assert_false(sl_import_text_glob("[ab]", &out));
    assert_false(sl_import_text_glob(".*", &out));
    sl_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_anchors_and_anything_have_globs),
        cmocka_unit_test(what_matches_all_is_everything),
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(texts_have_one_glob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
