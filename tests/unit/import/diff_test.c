/* Records that mean the same are the same, and whatever else differs is told. Each comparison runs
 * twice, the second time byte by byte. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/diff.h"
#include "import/diff_internal.h"
#include "test.h"

enum { CHOICES = 8, ROUNDS = 300, MEMBERS = 12 };

static const char *const *ignored;
static size_t ignored_count;
static enum sl_diff_form form;

/* ---- both ends ---- */

static bool feed(struct sl_diff *diff, enum sl_diff_end end, struct sl_str text, bool is_slow)
{
    bool is_good = is_slow || sl_diff_add(diff, end, text);

    for (size_t i = 0; is_slow && is_good && i < text.len; i++) {
        is_good = sl_diff_add(diff, end, (struct sl_str){text.data + i, 1});
    }
    return is_good && sl_diff_finish(diff, end);
}

/* What is printed, or the error. */
static struct sl_diff_counts compare(const char *old, const char *new, char *said, size_t room)
{
    struct sl_diff_counts counts[2];

    for (size_t i = 0; i < 2; i++) {
        const struct sl_diff_options options = {
            .form = form, .ignored = ignored, .ignored_count = ignored_count};
        struct sl_diff *diff = sl_diff_new(&options);
        struct sl_buf text = {0};
        assert_non_null(diff);
        bool is_good = feed(diff, SL_DIFF_OLD, sl_str_from(old), i) &&
                       feed(diff, SL_DIFF_NEW, sl_str_from(new), i);
        if (is_good) {
            sl_diff_print(diff, "old", 0, &text);
        }
        assert_false(text.failed);
        assert_true(is_good != (*sl_diff_error(diff) != 0));
        counts[i] = sl_diff_counts(diff);
        assert_true(is_good || !room || said);
        if (said && i) {
            const char *now = is_good ? sl_buf_text(&text) : sl_diff_error(diff);
            assert_string_equal(said, now);
        } else if (said) {
            snprintf(said, room, "%s", is_good ? sl_buf_text(&text) : sl_diff_error(diff));
        } else if (!is_good) {
            fail_msg("%s: of\n%s\nand\n%s", sl_diff_error(diff), old, new);
        }
        sl_buf_fini(&text);
        sl_diff_free(diff);
    }
    assert_memory_equal(&counts[0], &counts[1], sizeof(counts[0]));
    return counts[0];
}

static bool are_same(const char *old, const char *new)
{
    struct sl_diff_counts counts = compare(old, new, NULL, 0);

    return !counts.differ && !counts.only_old && !counts.only_new;
}

static void expect(const char *old, const char *new, const char *words)
{
    char said[8192];

    (void)compare(old, new, said, sizeof(said));
    if (!strstr(said, words)) {
        fail_msg("no\n%s\nin\n%s", words, said);
    }
}

static void expect_counts(const char *old, const char *new, uint64_t same, uint64_t differ,
                          uint64_t only_old, uint64_t only_new)
{
    struct sl_diff_counts counts = compare(old, new, NULL, 0);

    assert_int_equal(counts.same, same);
    assert_int_equal(counts.differ, differ);
    assert_int_equal(counts.only_old, only_old);
    assert_int_equal(counts.only_new, only_new);
}

static int set_up(void **state)
{
    (void)state;
    ignored = NULL;
    ignored_count = 0;
    form = SL_DIFF_JSON;
    return 0;
}

/* ---- what does not count ---- */

static void blanks_order_and_batches_do_not_count(void **state)
{
    (void)state;
    assert_true(are_same("[{\"a\":1,\"b\":[1,2]},{\"c\":{}}]\n",
                         "{\"c\" : {} }{\"b\":[ 1,2 ], \n\"a\":1}"));
    assert_true(are_same("[]\n[]", ""));
    assert_true(are_same("{}", " [ { } ] "));
    assert_true(are_same("{\"a\":\"\\u003c\\/\\u00e9\\ud83d\\ude00\"}", "{\"a\":\"</é😀\"}"));
    assert_true(are_same("{\"a\\u0062\":1}", "{\"ab\":1}"));
    assert_true(are_same("{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}"));
}

static void numbers_are_the_same_by_value_and_type(void **state)
{
    static const char *const same[][2] = {
        {"1.50", "15e-1"}, {"1e3", "1000.0"},  {"0.1", "1E-1"},       {"1e400", "10e399"},
        {"0.0", "0e5"},    {"-1.0", "-10e-1"}, {"1e-7", "0.0000001"}, {"123456.75", "1.2345675e5"},
    };
    static const char *const other[][2] = {
        {"1", "1.0"},     {"1", "\"1\""}, {"9007199254740993", "9007199254740992"},
        {"true", "1"},    {"null", "0"},  {"18446744073709551615", "18446744073709551616"},
        {"0", "-0"},      {"[]", "{}"},   {"\"true\"", "true"},
        {"1e-7", "1e-8"},
    };
    char old[80];
    char new[80];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(same) + SL_ARRAY_LEN(other); i++) {
        bool is_same = i < SL_ARRAY_LEN(same);
        const char *const *pair = is_same ? same[i] : other[i - SL_ARRAY_LEN(same)];
        snprintf(old, sizeof(old), "{\"values\":{\"a\":%s}}", pair[0]);
        snprintf(new, sizeof(new), "{\"values\":{\"a\":%s}}", pair[1]);
        if (are_same(old, new) != is_same || are_same(new, old) != is_same) {
            fail_msg("%s and %s", pair[0], pair[1]);
        }
    }
}

static void names_that_look_alike_are_others(void **state)
{
    static const char *const records[] = {
        "{\"a.b\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1]}",
        "{\"a\":{\"0\":1}}",
        "{\"a[0]\":1}",
        "{\"\":1}",
        "{}",
        "{\"\":{\"a\":[1]}}",
        "{\"a\":{\"\":1}}",
        "{\"a\":{\"\":[1]}}",
        "{\"\":{\"\":1}}",
        "{\"a\":\"1\"}",
        "{\"a\\u001db\":1}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1}",
        "{\"a\":[[1]]}",
        "{\"a\":[[],1]}",
        "{\"a\\u001e\":1}",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(records); i++) {
        for (size_t j = 0; j < SL_ARRAY_LEN(records); j++) {
            if (are_same(records[i], records[j]) != (i == j)) {
                fail_msg("%s and %s", records[i], records[j]);
            }
        }
    }
}

/* ---- properties ---- */

static uint32_t chance(void)
{
    static uint64_t seed = 88172645463325252U;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20);
}

/* A record: which of a few values each member has; CHOICES: it is not there. */
struct record {
    unsigned values[MEMBERS];
};

static const char *const values[CHOICES] = {"0",    "\"0\"", "0.0", "18446744073709551615",
                                            "true", "{}",    "[]",  "{\"x\":[1,{\"y\":null}]}"};

static void add_blanks(struct sl_buf *out)
{
    static const char *const blanks[] = {"", "", " ", "\n", "\t \r\n"};

    sl_buf_add_c(out, blanks[chance() % SL_ARRAY_LEN(blanks)]);
}

static void add_record(struct sl_buf *out, const struct record *record)
{
    unsigned first = chance() % MEMBERS;
    bool has_any = false;

    sl_buf_add_c(out, "{");
    for (unsigned i = 0; i < MEMBERS; i++) {
        unsigned member = (first + i * 5) % MEMBERS; /* 5 and 12 have nothing in common */
        if (record->values[member] < CHOICES) {
            add_blanks(out);
            sl_buf_add_c(out, has_any ? "," : "");
            add_blanks(out);
            sl_buf_printf(out, chance() % 2 ? "\"m%u\"" : "\"\\u006d%u\"", member);
            add_blanks(out);
            sl_buf_add_c(out, ":");
            add_blanks(out);
            sl_buf_add_c(out, values[record->values[member]]);
            has_any = true;
        }
    }
    sl_buf_add_c(out, "}");
}

/* In an order of its own, alone or in arrays. */
static void add_records(struct sl_buf *out, const struct record *records, size_t count)
{
    bool is_list = chance() % 2;
    size_t first = chance() % count;

    sl_buf_add_c(out, is_list ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        add_blanks(out);
        if (is_list && i && chance() % 3 == 0) {
            sl_buf_add_c(out, "]\n[");
        } else {
            sl_buf_add_c(out, is_list && i ? "," : "");
        }
        add_blanks(out);
        add_record(out, &records[(first + i * 3) % count]);
    }
    sl_buf_add_c(out, is_list ? "]" : "");
}

static void any_order_is_the_same_and_any_change_is_not(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct record records[7]; /* 3 and 7 have nothing in common */
        struct sl_buf old = {0};
        struct sl_buf same = {0};
        struct sl_buf other = {0};
        for (size_t i = 0; i < SL_ARRAY_LEN(records); i++) {
            for (size_t j = 0; j < MEMBERS; j++) {
                records[i].values[j] = chance() % (CHOICES + 1);
            }
        }
        add_records(&old, records, SL_ARRAY_LEN(records));
        add_records(&same, records, SL_ARRAY_LEN(records));
        unsigned *changed = &records[chance() % SL_ARRAY_LEN(records)].values[chance() % MEMBERS];
        *changed = (*changed + 1 + chance() % CHOICES) % (CHOICES + 1);
        add_records(&other, records, SL_ARRAY_LEN(records));
        assert_true(are_same(sl_buf_text(&old), sl_buf_text(&same)));
        assert_false(are_same(sl_buf_text(&old), sl_buf_text(&other)));
        sl_buf_fini(&old);
        sl_buf_fini(&same);
        sl_buf_fini(&other);
    }
}

static void as_often_as_it_is_there(void **state)
{
    (void)state;
    expect_counts("{\"a\":1}{\"a\":1}{\"a\":1}", "{\"a\":1}", 1, 0, 2, 0);
    expect_counts("{\"a\":1}", "{\"a\":1}{\"a\":1}", 1, 0, 0, 1);
}

/* ---- what is told ---- */

#define EVENT(tag, time, members)                                                                  \
    "{\"name\":\"s\",\"tags\":{\"if\":\"" tag "\"},\"timestamp\":" time ",\"values\":{" members    \
    "}}\n"

static void a_value_that_differs_is_told(void **state)
{
    const char *old = EVENT("e1", "1", "\"/a\":1") EVENT("e2", "1", "\"/a\":2");

    (void)state;
    expect(old, EVENT("e2", "1", "\"/a\":3") EVENT("e1", "1", "\"/a\":1"),
           "differ in values./a: 1\n  old:2: old 2, new 3 in name=\"s\" tags.if=\"e2\"\n"
           "2 records in old, 2 new ones: 1 the same, 1 differ, 0 only in old, 0 only new\n");
    expect(old, EVENT("e2", "1", "\"/a\":\"2\"") EVENT("e1", "1", "\"/a\":1"),
           "old 2, new \"2\" (another type)");
    expect(old, EVENT("e2", "1", "\"/a\":2.0") EVENT("e1", "1", "\"/a\":1"),
           "old 2, new 2.0 (another type)");
    expect(old, EVENT("e2", "1", "\"/a\":2") EVENT("e9", "1", "\"/a\":1"),
           "differ in tags.if: 1\n  old:1: old \"e1\", new \"e9\" in");
    expect(old, EVENT("e2", "5", "\"/a\":2") EVENT("e1", "1", "\"/a\":1"),
           "differ in timestamp: 1\n  old:2: old 1, new 5 in");
    expect(old, EVENT("e2", "1", "\"/a\":2,\"/b\":true") EVENT("e1", "1", "\"/a\":1"),
           "differ in values./b: 1\n  old:2: old has none, new true in");
    expect(EVENT("e1", "1", "\"/a\":1,\"/b\":{}"), EVENT("e1", "1", "\"/a\":1"),
           "differ in values./b: 1\n  old:1: old {}, new has none in");
}

static void what_is_missing_is_told(void **state)
{
    const char *old = EVENT("e1", "1", "\"/a\":1") EVENT("e2", "1", "\"/a\":2");

    (void)state;
    expect(old, EVENT("e1", "1", "\"/a\":1"),
           "only in old, with values./a: 1\n"
           "  old:2: name=\"s\" tags.if=\"e2\" timestamp=1 values./a=2\n");
    expect(EVENT("e1", "1", "\"/a\":1"), old,
           "only in the new ones, with values./a: 1\n  name=\"s\" tags.if=\"e2\" timestamp=1 "
           "values./a=2\n");
    expect_counts(EVENT("e1", "1", "\"/a\":1"), EVENT("e1", "1", "\"/b\":2"), 0, 0, 1, 1);
    expect_counts("{\"a\":1}", "{\"b\":1}", 0, 0, 1, 1);
    expect_counts(EVENT("e1", "1", ""), EVENT("e2", "1", ""), 0, 1, 0, 0);
    expect("{\"updates\":[{\"Path\":\"a\"},{\"Path\":\"b\"}]}",
           "{\"updates\":[{\"Path\":\"a\"},{\"Path\":\"c\"}]}",
           "differ in updates[].Path: 1\n  old:1: old \"b\", new \"c\"");
}

/* The nearest: each interface's own, although several could be meant. */
static void each_has_its_own_counterpart(void **state)
{
    (void)state;
    expect_counts(EVENT("e1", "1", "\"/a\":0,\"/b\":1") EVENT("e2", "1", "\"/a\":0,\"/b\":2"),
                  EVENT("e2", "1", "\"/a\":0") EVENT("e1", "1", "\"/b\":1"), 0, 2, 0, 0);
    expect_counts(EVENT("e1", "1", "\"/a\":1") EVENT("e1", "1", "\"/a\":2"),
                  EVENT("e1", "1", "\"/a\":2") EVENT("e1", "1", "\"/a\":3"), 1, 1, 0, 0);
}

static void rounding_is_told_or_ignored(void **state)
{
    static const char *const rounding[] = {"rounding"};
    static const char *const rounded[][2] = {
        {"18446744073709552000", "18446744073709551615"},
        {"9007199254740992", "9007199254740993"},
        {"-9223372036854776", "-9223372036854775.808"},
        {"123.44999694824219", "123.45"},
        {"0", "5e-4294967295"},
    };
    static const char *const others[][2] = {
        {"16777216", "16777217"}, {"1", "1.0"}, {"100.5", "100.25"}, {"1", "2"}, {"1e999", "1e998"},
    };
    char old[80];
    char new[80];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rounded) + SL_ARRAY_LEN(others); i++) {
        bool is_rounding = i < SL_ARRAY_LEN(rounded);
        const char *const *pair = is_rounding ? rounded[i] : others[i - SL_ARRAY_LEN(rounded)];
        snprintf(old, sizeof(old), "{\"values\":{\"a\":%s}}", pair[0]);
        snprintf(new, sizeof(new), "{\"values\":{\"a\":%s}}", pair[1]);
        ignored_count = 0;
        assert_false(are_same(old, new));
        if (is_rounding) {
            expect(old, new, "(the old one is rounded)");
            expect(new, old, "(the new one is rounded)");
        }
        ignored = rounding;
        ignored_count = 1;
        if (are_same(old, new) != is_rounding) {
            fail_msg("%s and %s", pair[0], pair[1]);
        }
    }
    expect("{\"values\":{\"a\":9007199254740992,\"b\":1}}",
           "{\"values\":{\"a\":9007199254740993,\"b\":2}}", "differ in values.a: 1");
}

static void what_is_ignored_does_not_count(void **state)
{
    static const char *const time[] = {"timestamp"};
    static const char *const source[] = {"tags.source"};
    static const char *const tags[] = {"tags"};

    (void)state;
    ignored_count = 1;
    ignored = time;
    assert_true(are_same("{\"timestamp\":1,\"time\":\"x\",\"a\":1}", "{\"timestamp\":2,\"a\":1}"));
    assert_true(
        are_same("{\"update\":{\"timestamp\":\"1\"}}", "{\"update\":{\"timestamp\":\"2\"}}"));
    assert_false(are_same("{\"values\":{\"timestamp\":1}}", "{\"values\":{\"timestamp\":2}}"));
    ignored = source;
    assert_true(are_same("{\"tags\":{\"source\":\"a\"}}", "{\"tags\":{\"source\":\"b\"}}"));
    assert_false(are_same("{\"tags\":{\"source2\":\"a\"}}", "{\"tags\":{\"source2\":\"b\"}}"));
    assert_false(are_same("{\"source\":\"a\"}", "{\"source\":\"b\"}"));
    ignored = tags;
    assert_true(are_same("{\"tags\":{\"a\":1}}", "{\"tags\":{\"b\":[2]}}"));
    assert_false(are_same("{\"tagsx\":1}", "{\"tagsx\":2}"));
}

static void nothing_that_is_told_steers_a_terminal(void **state)
{
    char said[8192];

    (void)state;
    (void)compare("{\"values\":{\"a\\u001b[2J\":\"\\u001b]0;x\\u0007\\u009b\\u202e\"}}", "", said,
                  sizeof(said));
    for (const unsigned char *at = (const unsigned char *)said; *at; at++) {
        assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n');
    }
}

/* ---- the line protocol ---- */

static void lines_are_compared_likewise(void **state)
{
    (void)state;
    form = SL_DIFF_INFLUX;
    assert_true(are_same("m,a=1,b=2 x=1i,y=\"a b,\\\"c\\\\\" 5\n",
                         "# no\n\nm,b=2,a=1 y=\"a b,\\\"c\\\\\",x=1i 5"));
    assert_true(are_same("m x=1 5\n", "m x=1.0 5\r\n"));
    assert_true(are_same("m x=t,y=F\n", "m x=true,y=false\n"));
    assert_true(
        are_same("m\\ n,t\\,a\\=b=c\\ d=e x=\"1\n2\" 5\n", "m\\ n,t\\,a\\=b=c\\ d=e x=\"1\n2\" 5"));
    expect("m,a=1 x=1i 5\n", "m,a=1 x=1 5\n", "old 1i, new 1.0 (another type)");
    expect("m,a=1 x=1i 5\n", "m,a=2 x=1i 5\n",
           "differ in tags.a: 1\n  old:1: old \"1\", new \"2\"");
    expect("m,a=1 x=1i 5\n\nm x=1i 6\n", "m,a=1 x=1i 5",
           "only in old, with fields.x: 1\n  old:3: ");
    expect("m x=1i,y=2i 5\n", "m x=1i,y=2u 5\n", "differ in fields.y");
    expect("m x=1i,y=2i 5\n", "m x=1i 5\n", "differ in fields.y: 1\n  old:1: old 2i, new has none");
}

/* ---- what cannot be compared ---- */

static void what_is_broken_is_told_with_its_place(void **state)
{
    static const char *const json[][2] = {
        {"x", "line 1, column 1: expected an object"},
        {"{}\n  5", "line 2, column 3: expected an object"},
        {"[{},\n]", "line 2, column 1: expected an object"},
        {"[{}{}]", "line 1, column 4: expected an object, ',' or ']'"},
        {"[[{}]]", "line 1, column 2: expected an object"},
        {"{\"a\":\n1", "line 2, column 1: it is cut off"},
        {"[{}", "it is cut off"},
        {"{\n\"a\" 1}", "line 2, column 5: expected ':'"},
        {"{\"a\":01}", "line 1, column 7: expected ','"},
        {"{\"a\":1,}", "expected a member's name"},
        {"{\"a\":[1}]}", "expected ',' or ']'"},
        {"{\"a\":tru}", "expected a value"},
        {"{\"a\":\"\\x\"}", "expected an escape"},
        {"{\"a\":\"\\u12g4\"}", "four hexadecimal digits"},
        {"{\"a\":\"\t\"}", "control character"},
        {"{\"a\":1.}", "expected a value"},
        {"{\"a\":-}", "expected a value"},
        {"{\"a\":1e}", "expected a value"},
    };
    static const char *const influx[][2] = {
        {"m\n", "line 1, column 2: expected fields"},
        {"m x\n", "expected '=' behind a field's name"},
        {"m,a x=1\n", "expected '=' behind a tag's name"},
        {"m x=1\nm x=1j\n", "line 2, column 5: expected a number"},
        {"m x=\"a\n", "it is cut off"},
        {"m x=1 5 6\n", "expected a timestamp"},
        {"m x=\"a\"b\n", "expected ',' or a timestamp"},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(json); i++) {
        expect(json[i][0], "", json[i][1]);
        expect("", json[i][0], json[i][1]);
    }
    form = SL_DIFF_INFLUX;
    for (size_t i = 0; i < SL_ARRAY_LEN(influx); i++) {
        expect(influx[i][0], "", influx[i][1]);
    }
}

static void depth_has_a_limit(void **state)
{
    struct sl_buf text = {0};

    (void)state;
    sl_buf_add_c(&text, "{\"a\":");
    for (int i = 0; i < SL_DIFF_MAX_DEPTH - 1; i++) {
        sl_buf_add_byte(&text, '[');
    }
    size_t middle = text.len;
    for (int i = 0; i < SL_DIFF_MAX_DEPTH - 1; i++) {
        sl_buf_add_byte(&text, ']');
    }
    sl_buf_add_byte(&text, '}');
    assert_true(are_same(sl_buf_text(&text), sl_buf_text(&text)));
    memcpy(text.data + middle, "[", 1);
    memcpy(text.data + text.len - 1, "]", 1);
    sl_buf_add_c(&text, "]}");
    expect(sl_buf_text(&text), "", "nested too deep");
    sl_buf_fini(&text);
}

static void memory_has_a_limit(void **state)
{
    const struct sl_diff_options options = {.limit_bytes = 3 * SL_MIB};
    struct sl_buf text = {0};

    (void)state;
    for (int i = 0; i < 60000; i++) {
        sl_buf_printf(&text, "{\"a\":%d,\"b\":\"01234567890123456789\"}\n", i);
    }
    for (int end = SL_DIFF_OLD; end <= SL_DIFF_NEW; end++) {
        struct sl_diff *diff = sl_diff_new(&options);
        assert_non_null(diff);
        assert_true(end == SL_DIFF_OLD || sl_diff_finish(diff, SL_DIFF_OLD));
        assert_false(feed(diff, (enum sl_diff_end)end, sl_buf_str(&text), false));
        assert_non_null(strstr(sl_diff_error(diff), "more than 3 MiB"));
        sl_diff_free(diff);
    }
    sl_buf_fini(&text);
}

static void groups_have_a_limit(void **state)
{
    const struct sl_diff_options options = {.form = SL_DIFF_JSON};
    struct sl_diff *diff = sl_diff_new(&options);
    struct sl_buf text = {0};
    struct sl_buf out = {0};

    (void)state;
    assert_non_null(diff);
    for (int i = 0; i < SL_DIFF_MAX_GROUPS + 10; i++) {
        sl_buf_printf(&text, "{\"a%d\":1}\n", i);
    }
    assert_true(feed(diff, SL_DIFF_OLD, sl_buf_str(&text), false));
    assert_true(feed(diff, SL_DIFF_NEW, SL_STR(""), false));
    sl_diff_print(diff, "old", 0, &out);
    assert_non_null(strstr(sl_buf_text(&out), "\nand 10 differences of other kinds\n"));
    sl_buf_reset(&out);
    sl_diff_print(diff, "old", 6, &out);
    assert_non_null(strstr(sl_buf_text(&out), "\nand 260 differences of other kinds\n"));
    sl_diff_free(diff);
    sl_buf_fini(&text);
    sl_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blanks_order_and_batches_do_not_count, set_up),
        cmocka_unit_test_setup(numbers_are_the_same_by_value_and_type, set_up),
        cmocka_unit_test_setup(names_that_look_alike_are_others, set_up),
        cmocka_unit_test_setup(any_order_is_the_same_and_any_change_is_not, set_up),
        cmocka_unit_test_setup(as_often_as_it_is_there, set_up),
        cmocka_unit_test_setup(a_value_that_differs_is_told, set_up),
        cmocka_unit_test_setup(what_is_missing_is_told, set_up),
        cmocka_unit_test_setup(each_has_its_own_counterpart, set_up),
        cmocka_unit_test_setup(rounding_is_told_or_ignored, set_up),
        cmocka_unit_test_setup(what_is_ignored_does_not_count, set_up),
        cmocka_unit_test_setup(nothing_that_is_told_steers_a_terminal, set_up),
        cmocka_unit_test_setup(lines_are_compared_likewise, set_up),
        cmocka_unit_test_setup(what_is_broken_is_told_with_its_place, set_up),
        cmocka_unit_test_setup(depth_has_a_limit, set_up),
        cmocka_unit_test_setup(memory_has_a_limit, set_up),
        cmocka_unit_test_setup(groups_have_a_limit, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
