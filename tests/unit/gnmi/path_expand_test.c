/* One text for many paths. */
#include "base/buf.h"
#include "gnmi/path_expand.h"
#include "test.h"

static bool take(struct sl_str text, void *arg)
{
    struct sl_buf *out = arg;

    sl_buf_add_c(out, out->len ? " " : "");
    sl_buf_add_str(out, text);
    return true;
}

static void assert_expanded(const char *text, const char *expected)
{
    struct sl_buf out = {0};
    struct sl_status status = sl_gnmi_path_expand(sl_str_from(text), take, &out);

    assert_string_equal(status.text, "");
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
}

static void a_text_without_braces_is_itself(void **state)
{
    (void)state;
    assert_expanded("", "");
    assert_expanded("/a[k=v]/b", "/a[k=v]/b");
    assert_expanded("/a\\/b[k=\\]]", "/a\\/b[k=\\]]");
}

static void a_list_stands_for_each_of_its_words(void **state)
{
    (void)state;
    assert_expanded("/{a,b}", "/a /b");
    assert_expanded("/x/{a,}/y", "/x/a/y /x//y");
    assert_expanded("/{a,b}/{c,d}", "/a/c /a/d /b/c /b/d");
    assert_expanded("/i[n={e1,e2}]/m", "/i[n=e1]/m /i[n=e2]/m");
    assert_expanded("/{a,b{1,2},c}", "/a /b1 /b2 /c");
    assert_expanded("/{{a,b},{c,d}}", "/a /b /c /d");
}

static void a_range_stands_for_each_number(void **state)
{
    (void)state;
    assert_expanded("/e{1..4}", "/e1 /e2 /e3 /e4");
    assert_expanded("/e{4..2}", "/e4 /e3 /e2");
    assert_expanded("/e{08..10}", "/e08 /e09 /e10");
    assert_expanded("/e{1..9..4}", "/e1 /e5 /e9");
    assert_expanded("/e{-1..1}", "/e-1 /e0 /e1");
    assert_expanded("/e{1..2}/{1..2}", "/e1/1 /e1/2 /e2/1 /e2/2");
    assert_expanded("/{x,{1..3}}", "/x /1 /2 /3");
}

static void other_braces_stand_for_themselves(void **state)
{
    (void)state;
    assert_expanded("/{a}", "/{a}");
    assert_expanded("/{}", "/{}");
    assert_expanded("/{a,b", "/{a,b");
    assert_expanded("/a,b}", "/a,b}");
    assert_expanded("/{1..}", "/{1..}");
    assert_expanded("/{1..2..0}", "/{1..2..0}");
    assert_expanded("/{1...3}", "/{1...3}");
    assert_expanded("/{a{b,c}}", "/{ab} /{ac}");
    assert_expanded("/\\{a,b\\}", "/{a,b}");
    assert_expanded("/{a\\,b,c}", "/a,b /c");
    assert_expanded("/a[k=\\\\]{b,c}", "/a[k=\\\\]b /a[k=\\\\]c");
}

static bool count(struct sl_str text, void *arg)
{
    (void)text;
    ++*(size_t *)arg;
    return true;
}

static void what_stands_for_too_much_is_refused(void **state)
{
    size_t taken = 0;
    struct sl_status status =
        sl_gnmi_path_expand(SL_STR("/{1..999999999999999999}"), count, &taken);
    struct sl_buf many = {0};

    (void)state;
    assert_int_equal(status.code, SL_INVALID_ARGUMENT);
    assert_int_equal(taken, SL_GNMI_MAX_EXPANDED);
    for (int i = 0; i <= SL_GNMI_MAX_BRACES; i++) {
        sl_buf_add_c(&many, "{a,b}");
    }
    status = sl_gnmi_path_expand(sl_buf_str(&many), count, &taken);
    assert_int_equal(status.code, SL_INVALID_ARGUMENT);
    sl_buf_fini(&many);
}

static bool take_two(struct sl_str text, void *arg)
{
    (void)text;
    return ++*(int *)arg < 2;
}

static void who_has_enough_gets_no_more(void **state)
{
    int taken = 0;
    struct sl_status status = sl_gnmi_path_expand(SL_STR("/{a,b}/{1..9}"), take_two, &taken);

    (void)state;
    assert_true(sl_status_is_ok(&status));
    assert_int_equal(taken, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_without_braces_is_itself),
        cmocka_unit_test(a_list_stands_for_each_of_its_words),
        cmocka_unit_test(a_range_stands_for_each_number),
        cmocka_unit_test(other_braces_stand_for_themselves),
        cmocka_unit_test(what_stands_for_too_much_is_refused),
        cmocka_unit_test(who_has_enough_gets_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
