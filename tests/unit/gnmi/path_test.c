/* Paths as text, and Paths read where they lie. */
#include "gnmi/made_path.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "gnmi/request.h"
#include "test.h"

/* ---- text ---- */

/* What the text was parsed to: origin|elem{key=value}{key=value}|elem */
static void assert_parsed(const char *text, const char *expected)
{
    struct sl_status why;
    struct sl_buf out = {0};
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);

    assert_non_null(path);
    assert_true(sl_status_is_ok(&why));
    sl_buf_add_c(&out, path->origin);
    for (size_t i = 0; i < path->n_elem; i++) {
        sl_buf_printf(&out, "|%s", path->elem[i]->name);
        for (size_t k = 0; k < path->elem[i]->n_key; k++) {
            sl_buf_printf(&out, "{%s=%s}", path->elem[i]->key[k]->key,
                          path->elem[i]->key[k]->value);
        }
    }
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    gnmi__path__free_unpacked(path, NULL);
}

static void assert_refused(const char *text, const char *expected)
{
    struct sl_status why = sl_gnmi_path_check(sl_str_from(text));

    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    assert_string_equal(why.text, expected);
}

static void elements_are_parted_by_slashes(void **state)
{
    (void)state;
    assert_parsed("", "");
    assert_parsed("/", "");
    assert_parsed("/a", "|a");
    assert_parsed("a/b", "|a|b");
    assert_parsed("/interfaces/interface/state/counters", "|interfaces|interface|state|counters");
    assert_parsed("/oc-if:interfaces/x:y", "|oc-if:interfaces|x:y");
    assert_parsed("/a/*/.../b", "|a|*|...|b");
    assert_parsed("/\303\251", "|\303\251");
}

static void keys_stand_in_brackets(void **state)
{
    (void)state;
    assert_parsed("/a[k=v]", "|a{k=v}");
    assert_parsed("/a[k=v][l=w]/b", "|a{k=v}{l=w}|b");
    assert_parsed("/a[name=ethernet-1/1]/b", "|a{name=ethernet-1/1}|b");
    assert_parsed("/a[k=*]", "|a{k=*}");
    assert_parsed("/a[k=]", "|a{k=}");
    assert_parsed("/a[k=b=c[d]", "|a{k=b=c[d}");
}

static void a_backslash_takes_the_meaning_away(void **state)
{
    (void)state;
    assert_parsed("/a[k=\\]]", "|a{k=]}");
    assert_parsed("/a[k=[\\\\\\]]", "|a{k=[\\]}");
    assert_parsed("/a\\/b\\[c/d", "|a/b[c|d");
    assert_parsed("/a[k\\=l=v]", "|a{k=l=v}");
    assert_parsed("/a[k=x\\ny\\r]", "|a{k=x\ny\r}");
    assert_parsed("/a[k=\\u00e9\\U0001F600]", "|a{k=\303\251\360\237\230\200}");
    assert_parsed("/a\\x2f\\xfe[k=\\xff\\x5D]", "|a/\376{k=\377]}");
}

static void an_origin_stands_before_a_colon_and_a_slash(void **state)
{
    (void)state;
    assert_parsed("openconfig:/a/b", "openconfig|a|b");
    assert_parsed("openconfig:", "openconfig");
    assert_parsed("openconfig:/", "openconfig");
    assert_parsed("oc-if:interfaces/b", "|oc-if:interfaces|b");
    assert_parsed(":/a", "|:|a");
    assert_parsed("a\\:b\\/c:/d", "a:b/c|d");
    assert_parsed("a\\:/b", "|a:|b");
    assert_parsed("a b:/c", "a b|c");
    assert_parsed("/a:/b", "|a:|b");
}

static void an_element_may_have_no_name(void **state)
{
    (void)state;
    assert_parsed("/[k=v]", "|{k=v}");
    assert_parsed("/a/[k=v][l=w]/b", "|a|{k=v}{l=w}|b");
    assert_parsed("/[]", "|");
    assert_parsed("/a/[]/[]/b", "|a|||b");
    assert_parsed("[]", "|");
}

static void a_command_is_one_element_of_origin_cli(void **state)
{
    (void)state;
    assert_parsed("cli:show interface ethernet 1/1 | json",
                  "cli|show interface ethernet 1/1 | json");
    assert_parsed("cli:show [x\\", "cli|show [x\\");
    assert_parsed("cli:/show version", "cli|show version");
    assert_parsed("cli:/show interface ethernet 1\\/1", "cli|show interface ethernet 1/1");
    assert_parsed("/cli:show", "|cli:show");
    assert_parsed("cli:", "cli");
}

static void errors_name_the_byte(void **state)
{
    (void)state;
    assert_refused("//a", "an element without a name at byte 2 of the path");
    assert_refused("/a//b", "an element without a name at byte 4 of the path");
    assert_refused("/a/", "a '/' with nothing behind it at byte 3 of the path");
    assert_refused("/a[k=v", "a '[' without its ']' at byte 3 of the path");
    assert_refused("/a[k]", "'=' is missing behind the name of a key at byte 5 of the path");
    assert_refused("/a[k", "'=' is missing behind the name of a key at byte 5 of the path");
    assert_refused("/a[=v]", "a key without a name at byte 4 of the path");
    assert_refused("/a[k=v][k=w]", "a key for the second time at byte 9 of the path");
    assert_refused("/a]", "a ']' without its '[' at byte 3 of the path");
    assert_refused("/a[k=v]b", "neither '/' nor '[' behind a ']' at byte 8 of the path");
    assert_refused("[][]", "neither '/' nor '[' behind a ']' at byte 3 of the path");
    assert_refused("/a[]", "a key without a name at byte 4 of the path");
    assert_refused("/a\\x4", "a \\x without its two hexadecimal digits at byte 3 of the path");
    assert_refused("/a\\x00", "a zero byte at byte 3 of the path");
    assert_refused("/a\\", "a backslash with nothing behind it at byte 3 of the path");
    assert_refused("/a\\y", "an unknown escape at byte 3 of the path");
    assert_refused("/a\\u12", "a \\u without its hexadecimal digits at byte 3 of the path");
    assert_refused("/a\\ud800", "not the number of a character at byte 3 of the path");
}

static void a_zero_byte_or_too_many_bytes_are_refused(void **state)
{
    struct sl_buf text = {0};
    struct sl_status why = sl_gnmi_path_check((struct sl_str){"/a\0b", 4});

    (void)state;
    assert_string_equal(why.text, "a zero byte at byte 3 of the path");
    while (text.len <= SL_GNMI_MAX_TEXT_BYTES) {
        sl_buf_add_c(&text, "/a");
    }
    why = sl_gnmi_path_check(sl_buf_str(&text));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    sl_buf_fini(&text);
}

static void every_front_of_a_path_is_parsed_or_refused(void **state)
{
    struct sl_str text = SL_STR("o:/a[k=\\u00e9][l=\\]]/b\\/c[m=n]/*");

    (void)state;
    for (size_t len = 0; len <= text.len; len++) {
        struct sl_status why = sl_gnmi_path_check((struct sl_str){text.data, len});
        assert_true(sl_status_is_ok(&why) || why.code == SL_INVALID_ARGUMENT);
    }
}

/* ---- text out of bytes ---- */

static void assert_printed(struct sl_str prefix, struct sl_str path, const char *expected)
{
    struct sl_buf text = {0};

    assert_true(sl_gnmi_path_print(prefix, path, &text));
    assert_string_equal(sl_buf_text(&text), expected);
    sl_buf_fini(&text);
}

static void assert_canonical(const char *given, const char *expected)
{
    struct sl_status why;
    struct sl_buf bytes = {0};
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(given), &why);

    assert_non_null(path);
    made_pack(path, &bytes);
    assert_printed((struct sl_str){0}, sl_buf_str(&bytes), expected);
    gnmi__path__free_unpacked(path, NULL);
    sl_buf_fini(&bytes);
}

static void each_path_has_one_text(void **state)
{
    (void)state;
    assert_canonical("", "/");
    assert_canonical("/", "/");
    assert_canonical("openconfig:", "openconfig:/");
    assert_canonical("a/b", "/a/b");
    assert_canonical("a[z=1][b=2]/c", "/a[b=2][z=1]/c");
    assert_canonical("/a[k=b=c[d]", "/a[k=b=c[d]");
    assert_canonical("/a[k=\\=\\[\\/\\]\\:\\\\]", "/a[k==[/\\]:\\\\]");
    assert_canonical("/a\\:b\\=c", "/a:b=c");
    assert_canonical("/a[k=\\u00e9\\xe9\\u000a]", "/a[k=\303\251\\xe9\\n]");
    assert_canonical("cli:show ip 1/1", "cli:/show ip 1\\/1");
    assert_canonical("/[]/[k=]/...", "/[]/[k=]/...");
}

static void a_path_is_printed_behind_its_prefix(void **state)
{
    struct sl_str prefix = SL_STR("\x12\x01o\x1a\x03\x0a\x01"
                                  "a");
    struct sl_str path = SL_STR("\x1a\x03\x0a\x01"
                                "b");

    (void)state;
    assert_printed(prefix, path, "o:/a/b");
    assert_printed(prefix, SL_STR(""), "o:/a");
    assert_printed(prefix, SL_STR("\x12\x01p"), "p:/a");
    assert_printed(SL_STR(""), path, "/b");
    assert_printed(SL_STR(""),
                   SL_STR("\x0a\x01"
                          "a\x0a\x08"
                          "b[k=v/w]"),
                   "/a/b[k=v/w]");
}

/* A generator whose numbers are the same in each run. */
static void fill(uint8_t *bytes, size_t len, uint64_t *seed)
{
    for (size_t i = 0; i < len; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(*seed >> 33);
    }
}

static void assert_comes_back(Gnmi__Path *path)
{
    struct sl_buf bytes = {0};
    struct sl_buf text = {0};
    struct sl_buf again_bytes = {0};
    struct sl_status why;

    made_pack(path, &bytes);
    assert_true(sl_gnmi_path_print((struct sl_str){0}, sl_buf_str(&bytes), &text));
    Gnmi__Path *again = sl_gnmi_path_parse(sl_buf_str(&text), &why);
    if (!again) {
        fail_msg("%s: %s", sl_buf_text(&text), why.text);
    }
    made_pack(again, &again_bytes);
    assert_int_equal(bytes.len, again_bytes.len);
    assert_true(bytes.len == 0 || memcmp(bytes.data, again_bytes.data, bytes.len) == 0);
    assert_canonical(sl_buf_text(&text), sl_buf_text(&text));
    gnmi__path__free_unpacked(again, NULL);
    sl_buf_fini(&bytes);
    sl_buf_fini(&text);
    sl_buf_fini(&again_bytes);
}

static void any_path_comes_back_from_its_text(void **state)
{
    uint64_t seed = 6;
    uint8_t bytes[256];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct made_input input = {bytes, bytes + sizeof(bytes)};
        fill(bytes, sizeof(bytes), &seed);
        Gnmi__Path *path = made_path(&input);
        assert_comes_back(path);
        gnmi__path__free_unpacked(path, NULL);
    }
}

/* ---- bytes ---- */

static void assert_read(struct sl_str bytes, const char *expected)
{
    struct sl_gnmi_path path;
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;
    struct sl_buf out = {0};

    sl_gnmi_path_read(bytes, &path);
    sl_buf_printf(&out, "%.*s@%.*s", SL_STR_ARG(path.origin), SL_STR_ARG(path.target));
    while (sl_gnmi_path_next(&path, &elem)) {
        sl_buf_printf(&out, "|%.*s", SL_STR_ARG(elem.name));
        while (sl_gnmi_elem_next_key(&elem, &key)) {
            sl_buf_printf(&out, "{%.*s=%.*s}", SL_STR_ARG(key.name), SL_STR_ARG(key.value));
        }
    }
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
}

static void a_path_is_read_where_it_lies(void **state)
{
    (void)state;
    assert_read(SL_STR(""), "@");
    assert_read(SL_STR("\x1a\x03\x0a\x01"
                       "a\x1a\x0b\x0a\x01"
                       "b\x12\x06\x0a\x01k\x12\x01v"),
                "@|a|b{k=v}");
    assert_read(SL_STR("\x22\x01t\x12\x01o\x1a\x00"), "o@t|");
}

static void of_what_comes_twice_the_later_counts(void **state)
{
    (void)state;
    assert_read(SL_STR("\x12\x01o\x12\x01p\x1a\x06\x0a\x01"
                       "a\x0a\x01"
                       "b"),
                "p@|b");
    assert_read(SL_STR("\x1a\x0b\x12\x09\x0a\x01k\x12\x01v\x0a\x01l"), "@|{l=v}");
}

static void unknown_fields_are_stepped_over(void **state)
{
    (void)state;
    assert_read(SL_STR("\x7b\x08\x01\x7c\x18\x05\x32\x01x\x1a\x03\x0a\x01"
                       "a"),
                "@|a");
}

static void deprecated_elements_count_where_there_are_no_others(void **state)
{
    (void)state;
    assert_read(SL_STR("\x0a\x01"
                       "a\x0a\x08"
                       "b[k=v/w]\x0a\x04"
                       "c[k]"),
                "@|a|b{k=v/w}|c[k]");
    assert_read(SL_STR("\x0a\x0a"
                       "b[k=v][l=]\x0a\x05[k=v]\x0a\x07"
                       "x[a=\\b]"),
                "@|b{k=v}{l=}|{k=v}|x[a=\\b]");
    assert_read(SL_STR("\x0a\x01"
                       "a\x1a\x03\x0a\x01"
                       "b"),
                "@|b");
}

static void assert_module(const char *name, const char *module, const char *rest)
{
    struct sl_str found = sl_gnmi_module_of(sl_str_from(name));
    struct sl_str without = sl_gnmi_without_module(sl_str_from(name));

    assert_true(sl_str_eq_c(found, module));
    assert_true(sl_str_eq_c(without, rest));
}

static void a_name_may_begin_with_its_module(void **state)
{
    (void)state;
    assert_module("openconfig-interfaces:interfaces", "openconfig-interfaces", "interfaces");
    assert_module("a:b", "a", "b");
    assert_module("_a.1:_b-2", "_a.1", "_b-2");
    assert_module("interfaces", "", "interfaces");
    assert_module("", "", "");
    assert_module(":b", "", ":b");
    assert_module("a:", "", "a:");
    assert_module("fe80::1", "", "fe80::1");
    assert_module("aa:bb:cc", "", "aa:bb:cc");
    assert_module("1a:b", "", "1a:b");
    assert_module("show x:y", "", "show x:y");
    assert_module("a:b c", "", "a:b c");
    assert_module("*", "", "*");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_parted_by_slashes),
        cmocka_unit_test(keys_stand_in_brackets),
        cmocka_unit_test(a_backslash_takes_the_meaning_away),
        cmocka_unit_test(an_origin_stands_before_a_colon_and_a_slash),
        cmocka_unit_test(an_element_may_have_no_name),
        cmocka_unit_test(a_command_is_one_element_of_origin_cli),
        cmocka_unit_test(errors_name_the_byte),
        cmocka_unit_test(a_zero_byte_or_too_many_bytes_are_refused),
        cmocka_unit_test(every_front_of_a_path_is_parsed_or_refused),
        cmocka_unit_test(each_path_has_one_text),
        cmocka_unit_test(a_path_is_printed_behind_its_prefix),
        cmocka_unit_test(any_path_comes_back_from_its_text),
        cmocka_unit_test(a_path_is_read_where_it_lies),
        cmocka_unit_test(of_what_comes_twice_the_later_counts),
        cmocka_unit_test(unknown_fields_are_stepped_over),
        cmocka_unit_test(deprecated_elements_count_where_there_are_no_others),
        cmocka_unit_test(a_name_may_begin_with_its_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
