/* template_test.c - topics and keys with names in them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/sink.h"

static const struct sluice_pair pairs[] = {{"site", "tyo1"}, {"role", "leaf"}};
static const struct sluice_map labels = {pairs, 2};
static const struct sl_template_values values = {"leaf1", "counters", &labels};

static void assert_fills(const char *text, const char *origin, const char *expected)
{
    struct sl_status why;
    struct sl_buf out = {0};
    struct sl_template *templ = sl_template_new(text, &why);

    assert_non_null(templ);
    sl_template_fill(templ, &values, sl_str_from(origin), &out);
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    sl_template_free(templ);
}

static void assert_refused(const char *text, const char *expected)
{
    struct sl_status why;

    assert_null(sl_template_new(text, &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    assert_string_equal(why.text, expected);
}

static void names_are_filled_in(void **state)
{
    (void)state;
    assert_fills("", "", "");
    assert_fills("telemetry", "", "telemetry");
    assert_fills("${target}", "", "leaf1");
    assert_fills("a${target}b${subscription}c", "", "aleaf1bcountersc");
    assert_fills("t.${label.site}.${label.role}", "", "t.tyo1.leaf");
    assert_fills("${origin}-${origin}", "openconfig", "openconfig-openconfig");
}

static void an_absent_label_is_empty(void **state)
{
    (void)state;
    assert_fills("t.${label.rack}.", "", "t..");
}

static void two_dollars_are_one_and_a_lone_one_is_itself(void **state)
{
    (void)state;
    assert_fills("$$", "", "$");
    assert_fills("$${target}", "", "${target}");
    assert_fills("$$${target}$$", "", "$leaf1$");
    assert_fills("a$b", "", "a$b");
    assert_fills("a$", "", "a$");
    assert_fills("$$$$x$$$", "", "$$x$$");
}

static void what_it_cannot_know_is_refused_with_the_nearest_name(void **state)
{
    const char *expected = ", expected ${target}, ${subscription}, ${origin} or ${label.NAME}";
    char text[240];

    (void)state;
    snprintf(text, sizeof(text), "byte 3: unknown ${targte}%s; did you mean ${target}?", expected);
    assert_refused("a.${targte}", text);
    snprintf(text, sizeof(text), "byte 1: unknown ${labe.site}%s; did you mean ${label.NAME}?",
             expected);
    assert_refused("${labe.site}", text);
    snprintf(text, sizeof(text), "byte 1: unknown ${}%s", expected);
    assert_refused("${}", text);
    snprintf(text, sizeof(text), "byte 1: unknown ${label.}%s; did you mean ${label.NAME}?",
             expected);
    assert_refused("${label.}", text);
    snprintf(text, sizeof(text), "byte 1: unknown ${a.b.}%s", expected);
    assert_refused("${a\"b\n}", text);
}

static void an_open_brace_is_refused(void **state)
{
    (void)state;
    assert_refused("x${target", "byte 2: \"${\" without \"}\"; \"$$\" is a dollar");
    assert_refused("${", "byte 1: \"${\" without \"}\"; \"$$\" is a dollar");
}

static void it_knows_whether_it_uses_the_origin(void **state)
{
    struct sl_status why;
    struct sl_template *with = sl_template_new("a${origin}", &why);
    struct sl_template *without = sl_template_new("$${origin}${target}", &why);

    (void)state;
    assert_true(sl_template_uses_origin(with));
    assert_false(sl_template_uses_origin(without));
    sl_template_free(with);
    sl_template_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_filled_in),
        cmocka_unit_test(an_absent_label_is_empty),
        cmocka_unit_test(two_dollars_are_one_and_a_lone_one_is_itself),
        cmocka_unit_test(what_it_cannot_know_is_refused_with_the_nearest_name),
        cmocka_unit_test(an_open_brace_is_refused),
        cmocka_unit_test(it_knows_whether_it_uses_the_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
