/* Rules out of a configuration: each kind's example does what it says, and what is wrong is told
 * with its place. */
#include <string.h>

#include "../normalise/rule_lines.h"
#include "daemon/settings.h"
#include "daemon/settings_rules.h"
#include "test.h"

struct fixture {
    struct sl_config *config;
    struct sl_rule_list list;
};

/* `text` is a list of rules. */
static void read_rules(struct fixture *f, const char *text)
{
    *f = (struct fixture){.config = sl_config_parse("rules.yaml", sl_str_from(text))};
    assert_non_null(f->config);
    f->list.name = "tidy";
    assert_non_null(sl_config_root(f->config));
    assert_true(sl_settings_read_rule_list(f->config, sl_config_root(f->config), &f->list));
}

static void fixture_fini(struct fixture *f)
{
    sl_settings_free_rule_list(&f->list);
    sl_config_free(f->config);
}

static void assert_good(const struct fixture *f)
{
    struct sl_buf errors = {0};

    sl_config_print_errors(f->config, &errors);
    assert_string_equal(sl_buf_text(&errors), "");
    sl_buf_fini(&errors);
}

static void assert_becomes(const char *rules, const char *before, const char *after)
{
    struct fixture f;
    struct sl_buf out = {0};

    read_rules(&f, rules);
    assert_good(&f);
    const struct sl_rules compiled = {(const struct sl_rule *const *)f.list.items, f.list.count};

    for (size_t prefix_elems = 0; prefix_elems < 4; prefix_elems++) {
        sl_buf_reset(&out);
        test_rule_lines(&compiled, before, prefix_elems, false, &out);
        assert_string_equal(sl_buf_text(&out), after);
    }
    sl_buf_fini(&out);
    fixture_fini(&f);
}

static void assert_refused(const char *rules, const char *error)
{
    struct fixture f;
    struct sl_buf errors = {0};

    read_rules(&f, rules);
    sl_config_print_errors(f.config, &errors);
    assert_string_equal(sl_buf_text(&errors), error);
    sl_buf_fini(&errors);
    fixture_fini(&f);
}

/* ---- examples ---- */

static void every_kind_does_what_its_example_says(void **state)
{
    (void)state;
    for (size_t i = 0; sl_rule_kinds[i]; i++) {
        const struct sl_rule_kind *kind = sl_rule_kinds[i];
        print_message("%s: %s\n", kind->name, kind->example);
        assert_non_null(kind->purpose);
        assert_string_not_equal(kind->before, kind->after);
        assert_becomes(kind->example, kind->before, kind->after);
    }
}

static void every_example_is_in_the_reference(void **state)
{
    struct sl_buf reference = {0};

    (void)state;
    struct sl_plugins *plugins = sl_settings_plugins("", &reference);
    sl_settings_reference(plugins, &reference);
    sl_plugins_free(plugins);
    const char *text = sl_buf_text(&reference);
    for (size_t i = 0; sl_rule_kinds[i]; i++) {
        assert_non_null(strstr(text, sl_rule_kinds[i]->example));
        assert_non_null(strstr(text, sl_rule_kinds[i]->purpose));
    }
    sl_buf_fini(&reference);
}

/* ---- several rules ---- */

static void rules_are_done_in_order(void **state)
{
    static const char in[] = "/interfaces/interface[name=e1]/state/mtu uint 9000\n";

    (void)state;
    assert_becomes("[{kind: rename, from: mtu, to: size}, {kind: rename, from: size, to: bytes}]",
                   in, "/interfaces/interface[name=e1]/state/bytes uint 9000\n");
    assert_becomes("[{kind: rename, from: size, to: bytes}, {kind: rename, from: mtu, to: size}]",
                   in, "/interfaces/interface[name=e1]/state/size uint 9000\n");
    assert_becomes("[{kind: rename, from: state, to: s}, {kind: drop, path: /.../state/...}]", in,
                   "/interfaces/interface[name=e1]/s/mtu uint 9000\n");
    assert_becomes("[{kind: drop, path: /.../state/...}, {kind: rename, from: state, to: s}]", in,
                   "");
}

static void labels_select(void **state)
{
    static const char in[] = "/interfaces/interface[name=e1]/state/mtu uint 1\n"
                             "/interfaces/interface[name=lo0]/state/mtu uint 2\n";

    (void)state;
    assert_becomes("[{kind: key-to-label, key: name, keep: true},"
                   " {kind: drop, label: {name: \"lo*\"}}]",
                   in, "/interfaces/interface[name=e1]/state/mtu {name=e1} uint 1\n");
    assert_becomes("[{kind: key-to-label, key: name, keep: true},"
                   " {kind: keep, label: {name: \"lo?\"}},"
                   " {kind: label, set: {a: b}, remove: name}]",
                   in, "/interfaces/interface[name=lo0]/state/mtu {a=b} uint 2\n");
}

static void values_select(void **state)
{
    static const char in[] = "/a uint 18446744073709551615\n"
                             "/a int -5\n"
                             "/a decimal 0.3\n"
                             "/a string \"UP\"\n"
                             "/a bool true\n"
                             "/a json_ietf \"7\"\n"
                             "delete /a\n";

    (void)state;
    assert_becomes("{kind: keep, above: 18446744073709551614}", in,
                   "/a uint 18446744073709551615\ndelete /a\n");
    assert_becomes("{kind: keep, below: 0.30}", in, "/a int -5\ndelete /a\n");
    assert_becomes("{kind: keep, above: \"-10\", below: 7.5}", in,
                   "/a int -5\n/a decimal 0.3\n/a json_ietf \"7\"\ndelete /a\n");
    assert_becomes("{kind: drop, value: [\"U?\", \"true\", \"1*\", \"7\"]}", in,
                   "/a int -5\n/a decimal 0.3\ndelete /a\n");
}

static void elements_are_renamed_one_for_one_from_the_end(void **state)
{
    static const char in[] = "/a[k=1]/b[l=2]/c[m=3]/d uint 1\n";

    (void)state;
    assert_becomes("{kind: rename, from: /b/c, to: /x/y}", in, "/a[k=1]/x[l=2]/y[m=3]/d uint 1\n");
    assert_becomes("{kind: rename, from: /a/b/c, to: z}", in, "/z[k=1][l=2][m=3]/d uint 1\n");
    assert_becomes("{kind: rename, from: b, to: /x/y/z}", in,
                   "/a[k=1]/x/y/z[l=2]/c[m=3]/d uint 1\n");
    assert_becomes("{kind: rename, from: /c/b, to: z}", "/m:a uint 1\n/m:c/b uint 2\n",
                   "/m:a uint 1\n/z uint 2\n");
}

static void keys_and_labels_move(void **state)
{
    static const char in[] = "/a[k=1][l=2]/b[k=3]/c uint 1\n";

    (void)state;
    assert_becomes("{kind: key-to-label, key: k}", in, "/a[k=1][l=2]/b/c {k=3} uint 1\n");
    assert_becomes("{kind: key-to-label, key: k, element: a, to: x}", in,
                   "/a[l=2]/b[k=3]/c {x=1} uint 1\n");
    assert_becomes("[{kind: key-to-label, key: k, element: a, to: x},"
                   " {kind: label-to-key, from: x, element: c}]",
                   in, "/a[l=2]/b[k=3]/c[x=1] uint 1\n");
    assert_becomes("[{kind: key-to-label, key: k, keep: true},"
                   " {kind: label, add: {k: no, n: new}}]",
                   in, "/a[k=1][l=2]/b[k=3]/c {k=3, n=new} uint 1\n");
}

static void globs_are_of_whole_paths(void **state)
{
    static const char in[] = "/a uint 1\n"
                             "/a/b uint 2\n"
                             "/a/b[k=e1]/c uint 3\n"
                             "oc:/m:a/b uint 4\n";

    (void)state;
    assert_becomes("{kind: keep, path: /a}", in, "/a uint 1\n");
    assert_becomes("{kind: keep, path: /a/*}", in, "/a/b uint 2\noc:/m:a/b uint 4\n");
    assert_becomes("{kind: keep, path: \"oc:/**\"}", in, "oc:/m:a/b uint 4\n");
    assert_becomes("{kind: keep, path: \"/a/b[k=e*]/...\"}", in, "/a/b[k=e1]/c uint 3\n");
    assert_becomes("{kind: keep, path: \"/.../c\"}", in, "/a/b[k=e1]/c uint 3\n");
    assert_becomes("{kind: keep, path: [/a, /.../c]}", in, "/a uint 1\n/a/b[k=e1]/c uint 3\n");
    assert_becomes("{kind: drop}", in, "");
}

static void what_is_deleted_is_forgotten(void **state)
{
    (void)state;
    assert_becomes("{kind: deduplicate}",
                   "/a[k=1]/b[l=2]/c uint 1\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a[k=1]/b\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a/b\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a[k=2]\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a[k=*]\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /\n/a[k=1]/b[l=2]/c uint 1\n",
                   "/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a[k=1]/b\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a/b\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /a[k=2]\n"
                   "delete /a[k=*]\n/a[k=1]/b[l=2]/c uint 1\n"
                   "delete /\n/a[k=1]/b[l=2]/c uint 1\n");
}

/* ---- errors ---- */

static const char container[] =
    "/interfaces json_ietf {\"interface\":[{\"name\":\"e1\",\"state\":{\"mtu\":\"9000\","
    "\"oc:up\":true}},{\"name\":\"e2\"}]}\n";

static void containers_open_where_a_rule_looks_inside(void **state)
{
    (void)state;
    assert_becomes("{kind: convert, path: /interfaces/interface/state/mtu, to: uint}", container,
                   "/interfaces/interface[name=e1]/name json_ietf \"e1\"\n"
                   "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
                   "/interfaces/interface[name=e1]/state/oc:up json_ietf true\n"
                   "/interfaces/interface[name=e2]/name json_ietf \"e2\"\n");
    assert_becomes("{kind: keep, path: \"/interfaces/interface[name=e1]/state/*\"}", container,
                   "/interfaces/interface[name=e1]/state/mtu json_ietf \"9000\"\n"
                   "/interfaces/interface[name=e1]/state/oc:up json_ietf true\n");
    assert_becomes("[{kind: drop, path: /interfaces/interface/state/mtu}, {kind: strip, modules: "
                   "true}]",
                   container,
                   "/interfaces/interface[name=e1]/name json_ietf \"e1\"\n"
                   "/interfaces/interface[name=e1]/state/up json_ietf true\n"
                   "/interfaces/interface[name=e2]/name json_ietf \"e2\"\n");
    assert_becomes("{kind: keep, path: /interfaces/interface/none}", container, "");
    /* read through, but nothing is done with any leaf */
    assert_becomes("{kind: convert, path: /interfaces/interface/none, to: uint}",
                   "/interfaces json {\"x\":1}\n", "/interfaces/x json 1\n");
}

static void other_containers_stay_whole(void **state)
{
    static const char *const rules[] = {
        "{kind: convert, path: /system/..., to: uint}",
        "{kind: label, path: /interfaces/..., set: {a: b}}",
        "{kind: keep, path: /interfaces/...}",
        "{kind: convert, path: /interfaces, to: uint, otherwise: keep}",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rules); i++) {
        bool has_label = strstr(rules[i], "label") != NULL;
        assert_becomes(rules[i], "/interfaces json {\"a\":1}\n",
                       has_label ? "/interfaces {a=b} json {\"a\":1}\n"
                                 : "/interfaces json {\"a\":1}\n");
    }
    /* what is no JSON cannot be opened */
    assert_becomes("{kind: convert, path: /a/b, to: uint}", "/a json {\"b\":\"1\"\n",
                   "/a json {\"b\":\"1\"\n");
    assert_becomes("{kind: deduplicate}", "/a json {\"b\":1,\"c\":2}\n/a json {\"b\":1,\"c\":3}\n",
                   "/a/b json 1\n/a/c json 2\n/a/c json 3\n");
}

static void what_cannot_be_computed_goes_by_the_rule(void **state)
{
    static const char before[] = "/a string \"x\"\n/a string \"7\"\n/a bool true\n";

    (void)state;
    assert_becomes("{kind: convert, path: /a, to: int}", before, "/a int 7\n/a int 1\n");
    assert_becomes("{kind: scale, path: /a, multiply: 2, otherwise: keep}", before,
                   "/a string \"x\"\n/a string \"14\"\n/a bool true\n");
    assert_becomes("{kind: map, path: /a, values: {x: \"1\"}, otherwise: string}", before,
                   "/a uint 1\n/a string \"7\"\n/a string \"true\"\n");
    assert_becomes("{kind: convert, path: /a, from: ieee-float, to: float}",
                   "/a json_ietf \"QbTMzQ==\"\n/a float 1.5\n", "/a float 22.6\n/a float 1.5\n");
    assert_becomes("{kind: convert, path: /a, to: uint, round: true}", "/a double 2.5\n",
                   "/a uint 2\n");
}

static void computing_rules_refuse_what_makes_no_sense(void **state)
{
    (void)state;
    assert_refused("{kind: unit, from: byte, to: s}",
                   "rules.yaml:1:30: 'to': 's' is not of one kind with 'byte'\n");
    assert_refused("{kind: rate, bits: 48}", "rules.yaml:1:20: 'bits': expected 32 or 64\n");
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    assert_refused("- {kind: renam, from: a, to: b}",
                   "rules.yaml:1:10: unknown kind of rule 'renam'; did you mean 'rename'?\n");
    assert_refused("- {kind: rename, fromm: a, to: b}",
                   "rules.yaml:1:3: the key 'from' is missing\n"
                   "rules.yaml:1:18: unknown key 'fromm'; did you mean 'from'?\n");
    assert_refused("- {kind: drop, path: [/a, \"/b[k=v\"]}",
                   "rules.yaml:1:27: 'path': a '[' without its ']' at byte 3 of the path\n");
    assert_refused("- {kind: keep, above: many}",
                   "rules.yaml:1:23: 'above': expected a number, found 'many'\n");
    assert_refused("- {kind: strip}",
                   "rules.yaml:1:3: rule 'strip': expected modules, origin, target or leading\n");
    assert_refused("- {kind: label}",
                   "rules.yaml:1:3: rule 'label': expected set, add or remove\n");
    assert_refused("- {path: /a}", "rules.yaml:1:3: the key 'kind' is missing\n");
    assert_refused("- drop", "rules.yaml:1:3: expected a rule, a map with the key 'kind'\n");
    assert_refused("- {kind: rename, from: \"a[k=v]\", to: b}",
                   "rules.yaml:1:24: 'from': expected names without keys, found 'a[k=v]'\n");
    assert_refused("- {kind: strip, modules: true, value: 1}",
                   "rules.yaml:1:32: unknown key 'value'; expected one of 'kind', 'path', 'label', "
                   "'modules', 'origin', 'target', 'leading'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_does_what_its_example_says),
        cmocka_unit_test(every_example_is_in_the_reference),
        cmocka_unit_test(rules_are_done_in_order),
        cmocka_unit_test(labels_select),
        cmocka_unit_test(values_select),
        cmocka_unit_test(elements_are_renamed_one_for_one_from_the_end),
        cmocka_unit_test(keys_and_labels_move),
        cmocka_unit_test(globs_are_of_whole_paths),
        cmocka_unit_test(what_is_deleted_is_forgotten),
        cmocka_unit_test(containers_open_where_a_rule_looks_inside),
        cmocka_unit_test(other_containers_stay_whole),
        cmocka_unit_test(what_cannot_be_computed_goes_by_the_rule),
        cmocka_unit_test(computing_rules_refuse_what_makes_no_sense),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
