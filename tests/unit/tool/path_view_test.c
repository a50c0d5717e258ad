/* What is said of a path, right or wrong. */
#include "gnmi/path.h"
#include "test.h"
#include "tool/path_view.h"

typedef bool (*view_fn)(const struct sl_path_view *view, struct sl_buf *out);

static void assert_viewed(view_fn show, const char *prefix, const char *given, const char *expected)
{
    struct sl_buf out = {0};
    struct sl_status why;
    Gnmi__Path *before = prefix ? sl_gnmi_path_parse(sl_str_from(prefix), &why) : NULL;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(given), &why);
    const struct sl_path_view view = {sl_str_from(given), before, path};

    assert_non_null(path);
    assert_true(show(&view, &out));
    assert_string_equal(sl_buf_text(&out), expected);
    if (before) {
        gnmi__path__free_unpacked(before, NULL);
    }
    gnmi__path__free_unpacked(path, NULL);
    sl_buf_fini(&out);
}

static void a_line_is_the_canonical_text(void **state)
{
    (void)state;
    assert_viewed(sl_path_view_line, NULL, "a[z=1][b=]", "/a[b=][z=1]\n");
    assert_viewed(sl_path_view_line, "o:/p", "x", "o:/p/x\n");
    assert_viewed(sl_path_view_line, NULL, "cli:show a/b", "cli:/show a\\/b\n");
}

static void a_person_sees_each_element(void **state)
{
    (void)state;
    assert_viewed(sl_path_view_text, "o:/m:p", "/a[k=*]/*/.../[]/b",
                  "o:/m:p/a[k=*]/*/.../[]/b\n"
                  "  origin    o\n"
                  "  element   p   module m\n"
                  "  element   a\n"
                  "    key     k = *   (any value)\n"
                  "  element   *   (any one element)\n"
                  "  element   ...   (any elements)\n"
                  "  element   (no name)\n"
                  "  element   b\n");
    assert_viewed(sl_path_view_text, NULL, "/", "/\n");
}

static void a_program_sees_an_object(void **state)
{
    (void)state;
    assert_viewed(sl_path_view_json, NULL, "o:a[k=\"]/b",
                  "{\"given\":\"o:a[k=\\\"]/b\",\"path\":\"/o:a[k=\\\"]/b\",\"wildcards\":false,"
                  "\"elements\":[{\"name\":\"a\",\"module\":\"o\",\"keys\":{\"k\":\"\\\"\"}},"
                  "{\"name\":\"b\"}]}\n");
    assert_viewed(sl_path_view_json, "o:/", "/...",
                  "{\"given\":\"/...\",\"path\":\"o:/...\",\"origin\":\"o\",\"wildcards\":true,"
                  "\"elements\":[{\"name\":\"...\"}]}\n");
}

static void assert_caret(const char *given, size_t wrong_at, const char *expected)
{
    struct sl_buf out = {0};

    sl_path_view_caret(sl_str_from(given), wrong_at, &out);
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
}

static void a_caret_stands_below_what_is_wrong(void **state)
{
    (void)state;
    assert_caret("/a[k", 4, "  /a[k\n      ^");
    assert_caret("/\303\274/[", 4, "  /\303\274/[\n     ^");
    assert_caret("/\033[1m\377", 1, "  /?[1m?\n   ^");
    assert_caret("", 0, "  \n  ^");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_the_canonical_text),
        cmocka_unit_test(a_person_sees_each_element),
        cmocka_unit_test(a_program_sees_an_object),
        cmocka_unit_test(a_caret_stands_below_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
