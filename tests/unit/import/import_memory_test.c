/* Each allocation fails in turn: the import ends, nothing is written in half, and nothing leaks. */
#include "failing.h"

#include "import/import.h"
#include "test.h"

static const char text[] =
    "password: hunter2\nretry: 1s\n"
    "targets: {a: {event-tags: {site: ams}, tls-ca: /x, retry-timer: 2s}, 'b:1': {address: "
    "'c,d'}}\n"
    "subscriptions: {s: {stream-subscriptions: [{paths: [/a], stream-mode: on-change}]}}\n"
    "processors: {p: {event-drop: {value-names: ['^/a/b$', 'c|d']}}}\n"
    "outputs: {k: {type: kafka, topic-prefix: t, event-processors: [p], sasl: {password: x}}}\n";

static void each_allocation_may_fail(void **state)
{
    const struct sl_import_options options = {0};
    struct sl_config *config = sl_config_parse("g", sl_str_from(text));
    bool is_through = false;

    (void)state;
    assert_non_null(config);
    assert_int_equal(sl_config_errors(config), 0);
    for (long i = 0; !is_through; i++) {
        struct sl_buf out = {0};
        left = i;
        has_failed = false;
        struct sl_import *import = sl_import_new(config, &options);
        bool is_good = import && sl_import_gnmic(import, "g", &out);
        left = -1;
        is_through = !has_failed;
        assert_true(is_good != has_failed);
        sl_import_free(import);
        sl_buf_fini(&out);
        assert_true(i < 100000);
    }
    sl_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
