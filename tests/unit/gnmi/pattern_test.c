/* pattern_test.c - what was asked for, held against what comes and against what others ask for. */
#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "gnmi/pattern.h"

/* The bytes of the Path that `text` stands for; "" : none. */
static struct sl_str pack_path(const char *text, uint8_t *bytes)
{
    struct sl_status why;
    struct sl_str packed = {(const char *)bytes, 0};

    if (*text) {
        Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);
        assert_non_null(path);
        packed.len = gnmi__path__pack(path, bytes);
        gnmi__path__free_unpacked(path, NULL);
    }
    return packed;
}

static struct sl_gnmi_pattern *pattern(const char *prefix, const char *path)
{
    struct sl_status why;
    struct sl_gnmi_pattern *made = sl_gnmi_pattern_new(prefix, path, &why);

    assert_non_null(made);
    return made;
}

static enum sl_gnmi_relation relation(const char *asked_prefix, const char *asked,
                                      const char *prefix, const char *path)
{
    static struct sl_gnmi_place place;
    uint8_t bytes[2][4096];
    struct sl_gnmi_pattern *made = pattern(asked_prefix, asked);
    uint32_t weight;

    sl_gnmi_place_read(&place, pack_path(prefix, bytes[0]), pack_path(path, bytes[1]));
    enum sl_gnmi_relation found = sl_gnmi_pattern_relation(made, &place, &weight);
    sl_gnmi_pattern_free(made);
    return found;
}

static void a_place_is_asked_for_above_or_apart(void **state)
{
    static const struct {
        const char *asked_prefix, *asked, *prefix, *path;
        enum sl_gnmi_relation is;
    } rows[] = {
        {NULL, "/a/b", "", "/a/b", SL_GNMI_ASKED},
        {NULL, "/a/b", "/a", "/b/c", SL_GNMI_ASKED},
        {"/a", "/b", "/a/b", "", SL_GNMI_ASKED},
        {"/a", "/b", "", "/a/c", SL_GNMI_APART},
        {NULL, "/a/b", "", "/a", SL_GNMI_ABOVE},
        {NULL, "/a/b", "", "/", SL_GNMI_ABOVE},
        {NULL, "/", "", "/a", SL_GNMI_ASKED},
        {NULL, "/a/b", "", "/a/bc", SL_GNMI_APART},
        /* keys */
        {NULL, "/a[k=1]/b", "", "/a[k=1]/b", SL_GNMI_ASKED},
        {NULL, "/a[k=1]/b", "", "/a[k=2]/b", SL_GNMI_APART},
        {NULL, "/a[k=*]/b", "", "/a[k=2]/b", SL_GNMI_ASKED},
        {NULL, "/a/b", "", "/a[k=2]/b", SL_GNMI_ASKED},
        {NULL, "/a[k=1]/b", "", "/a/b", SL_GNMI_ABOVE},
        {NULL, "/a[k=1][l=2]", "", "/a[k=1][l=3]", SL_GNMI_APART},
        /* names */
        {NULL, "/*/b", "", "/x/b/c", SL_GNMI_ASKED},
        {NULL, "/a/.../d", "", "/a/b/c/d/e", SL_GNMI_ASKED},
        {NULL, "/a/.../d", "", "/a/d", SL_GNMI_ASKED},
        {NULL, "/a/.../d", "", "/a/b/c", SL_GNMI_ABOVE},
        {NULL, "/a/.../d", "", "/b/d", SL_GNMI_APART},
        {NULL, "/a/...", "", "/a", SL_GNMI_ASKED},
        /* other words for the same */
        {NULL, "oc:/a/b", "", "/a/b", SL_GNMI_ASKED},
        {NULL, "/a/b", "oc:/a", "/b", SL_GNMI_ASKED},
        {NULL, "oc:/a/b", "", "other:/a/b", SL_GNMI_APART},
        {NULL, "/interfaces", "", "/oc-if:interfaces", SL_GNMI_ASKED},
        {NULL, "/m:interfaces", "", "/n:interfaces", SL_GNMI_APART},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        enum sl_gnmi_relation is =
            relation(rows[i].asked_prefix, rows[i].asked, rows[i].prefix, rows[i].path);
        if (is != rows[i].is) {
            fail_msg("'%s' against '%s' '%s': %d", rows[i].asked, rows[i].prefix, rows[i].path, is);
        }
    }
}

static uint32_t weight_of(const char *asked, const char *path)
{
    static struct sl_gnmi_place place;
    uint8_t bytes[4096];
    struct sl_gnmi_pattern *made = pattern(NULL, asked);
    uint32_t weight;

    sl_gnmi_place_read(&place, pack_path("", bytes), pack_path(path, bytes));
    assert_int_equal(sl_gnmi_pattern_relation(made, &place, &weight), SL_GNMI_ASKED);
    sl_gnmi_pattern_free(made);
    return weight;
}

static void the_longest_then_the_one_with_the_fewest_wildcards_is_heaviest(void **state)
{
    (void)state;
    assert_true(weight_of("/a/b/c", "/a/b/c") > weight_of("/a/b", "/a/b/c"));
    assert_true(weight_of("/a/b", "/a/b/c") > weight_of("/a/*", "/a/b/c"));
    assert_true(weight_of("/a[k=1]", "/a[k=1]/b") > weight_of("/a[k=*]", "/a[k=1]/b"));
    assert_true(weight_of("/a/*/c", "/a/b/c") > weight_of("/a/b", "/a/b/c"));
    assert_true(weight_of("/a/b", "/a/b/c") > weight_of("/a/...", "/a/b/c"));
}

static void patterns_overlap_where_one_path_could_be_both(void **state)
{
    static const struct {
        const char *a, *b;
        bool is;
    } rows[] = {
        {"/a/b", "/a/b", true},
        {"/a", "/a/b", true},
        {"/", "/a/b", true},
        {"/a/b", "/a/c", false},
        {"/a/*", "/a/c", true},
        {"/*/b", "/a/c", false},
        {"/a[k=1]/b", "/a[k=2]/b", false},
        {"/a[k=1]/b", "/a[k=*]/b", true},
        {"/a[k=1]/b", "/a/b", true},
        {"/a[k=1]", "/a[l=1]", true},
        {"/a/.../x", "/a/b/y", true},
        {"/b/.../x", "/a/b/y", false},
        {"oc:/a", "/a", true},
        {"oc:/a", "cli:/a", false},
        {"/m:a/b", "/a/b", true},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_gnmi_pattern *a = pattern(NULL, rows[i].a);
        struct sl_gnmi_pattern *b = pattern(NULL, rows[i].b);
        if (sl_gnmi_patterns_overlap(a, b) != rows[i].is ||
            sl_gnmi_patterns_overlap(b, a) != rows[i].is) {
            fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
        }
        sl_gnmi_pattern_free(a);
        sl_gnmi_pattern_free(b);
    }
}

static void a_broken_text_says_why(void **state)
{
    struct sl_status why = sl_status_ok();

    (void)state;
    assert_null(sl_gnmi_pattern_new(NULL, "/a[k", &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    assert_null(sl_gnmi_pattern_new("/a[k", "/b", &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
}

static void elements_beyond_the_limit_are_not_looked_at(void **state)
{
    char text[4 * SL_GNMI_MAX_PLACE_ELEMS + 1] = "";

    (void)state;
    for (size_t i = 0; i < 2 * SL_GNMI_MAX_PLACE_ELEMS; i++) {
        strcat(text, "/a");
    }
    assert_int_equal(relation(NULL, "/a/a", "", text), SL_GNMI_ASKED);
    assert_int_equal(relation(NULL, "/a/.../b", "", text), SL_GNMI_ABOVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_asked_for_above_or_apart),
        cmocka_unit_test(the_longest_then_the_one_with_the_fewest_wildcards_is_heaviest),
        cmocka_unit_test(patterns_overlap_where_one_path_could_be_both),
        cmocka_unit_test(a_broken_text_says_why),
        cmocka_unit_test(elements_beyond_the_limit_are_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
