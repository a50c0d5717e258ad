/* Each allocation fails in turn: the import ends, nothing is written in half, and nothing leaks. */
#include "failing.h"

#include <string.h>

#include "import/diff.h"
#include "import/import.h"
#include "test.h"

static const char text[] =
    "password: hunter2\nretry: 1s\n"
    "targets: {a: {event-tags: {site: ams}, tls-ca: /x, retry-timer: 2s}, 'b:1': {address: "
    "'c,d'}}\n"
    "subscriptions: {s: {stream-subscriptions: [{paths: [/a], stream-mode: on-change}]}}\n"
    "processors: {p: {event-drop: {value-names: ['^/a/b$', 'c|d']}}}\n"
    "outputs: {k: {type: kafka, topic-prefix: t, event-processors: [p], sasl: {password: x}}}\n";

static const char telegraf[] =
    "global_tags = {a = 'b'}\nagent = {hostname = 'c', logfile = 'x'}\n"
    "[[processors.override]]\ntags = {s = 't'}\n[[processors.strings]]\n"
    "[[inputs.gnmi]]\naddresses = ['r1:9', 'r1:9', 'r2']\nusername = 'u'\npassword = 'hunter2'\n"
    "tls_enable = true\ntls_ca = '/x'\nredial = '2s'\nmax_msg_size = '8MB'\ntags = {k = 'v'}\n"
    "subscription = [{name = 's', path = '/a', subscription_mode = 'sample', sample_interval = "
    "10}]\n"
    "[[inputs.gnmi]]\naddresses = ['r1:9']\ntags = {k = 'w'}\norigin = 'o'\n"
    "subscription = [{name = 's', path = '/a', subscription_mode = 'on_change'},\n"
    "{name = 's', path = '/b', subscription_mode = 'on_change'}]\n"
    "[[outputs.kafka]]\nbrokers = ['b:1']\ntopic = 't'\nrouting_tag = 'source'\n"
    "topic_suffix = {method = 'tags', keys = ['k', 'x'], separator = '_'}\nsasl_username = 'u'\n"
    "[[outputs.file]]\nfiles = ['/f', 'stdout']\ndata_format = 'json'\nnamedrop = ['x']\n";

typedef bool import_fn(struct sl_import *import, const char *source, struct sl_buf *out);

static void fail_each(struct sl_config *config, import_fn *write)
{
    const struct sl_import_options options = {0};
    bool is_through = false;

    assert_non_null(config);
    assert_int_equal(sl_config_errors(config), 0);
    for (long i = 0; !is_through; i++) {
        struct sl_buf out = {0};
        left = i;
        has_failed = false;
        struct sl_import *import = sl_import_new(config, &options);
        bool is_good = import && write(import, "g", &out);
        left = -1;
        is_through = !has_failed;
        assert_true(is_good != has_failed);
        sl_import_free(import);
        sl_buf_fini(&out);
        assert_true(i < 100000);
    }
    sl_config_free(config);
}

/* A comparison that has not failed has an outcome; one that has says so. */
static void a_comparison_may_find_no_memory(void **state)
{
    const char *ignored[] = {"tags.c"};
    const struct sl_diff_options options = {.ignored = ignored, .ignored_count = 1};
    bool is_through = false;

    (void)state;
    for (long i = 0; !is_through; i++) {
        struct sl_buf out = {0};
        left = i;
        has_failed = false;
        struct sl_diff *diff = sl_diff_new(&options);
        bool is_good =
            diff &&
            sl_diff_add(diff, SL_DIFF_OLD, SL_STR("[{\"values\":{\"a\":1.5}},{\"b\":1}]")) &&
            sl_diff_finish(diff, SL_DIFF_OLD) &&
            sl_diff_add(diff, SL_DIFF_NEW, SL_STR("{\"values\":{\"a\":\"x\"}}{\"c\":1}")) &&
            sl_diff_finish(diff, SL_DIFF_NEW);
        if (is_good) {
            sl_diff_print(diff, "old", 0, &out);
        }
        left = -1;
        is_through = !has_failed;
        assert_true((is_good && !out.failed) || has_failed);
        /* all that may be missing is the remark on a number */
        assert_true(!is_good || out.failed ||
                    strstr(sl_buf_text(&out), "0 the same, 1 differ, 1 only in old, 1 only new"));
        assert_true(!diff || is_good || *sl_diff_error(diff));
        sl_diff_free(diff);
        sl_buf_fini(&out);
        assert_true(i < 100000);
    }
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    fail_each(sl_config_parse("g", sl_str_from(text)), sl_import_gnmic);
    fail_each(sl_config_parse_toml("t", sl_str_from(telegraf)), sl_import_telegraf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail),
                                       cmocka_unit_test(a_comparison_may_find_no_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
