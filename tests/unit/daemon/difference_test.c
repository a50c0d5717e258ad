/* What another configuration changes, and what that costs: two texts that differ in one thing. */
#include "daemon/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* What each line of the file is; a test says one of them otherwise. */
struct text {
    const char *collector;
    const char *first; /* the target a */
    const char *more;  /* further targets */
    const char *subscription;
    const char *sink;
    const char *rules;
    const char *discovery;
};

static const struct text plain = {
    .collector = "{memory: 64MiB, workers: 1}",
    .first = "{insecure: true, labels: {site: x}}",
    .more = "",
    .subscription = "{paths: [/a], rules: [r]}",
    .sink = "{type: 'null'}",
    .rules = "[{kind: drop, path: /a/b}]",
    .discovery = "{w: {type: files, paths: [/w]}}",
};

/* What the test says, or what stands there else. */
static const char *or_plain(const char *said, const char *usual)
{
    return said ? said : usual;
}

static struct sl_settings *read_text(const struct text *text)
{
    char file[] = "/tmp/difference_testXXXXXX";
    struct sl_buf errors = {0};
    int fd = mkstemp(file);

    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    fprintf(out,
            "collector: %s\ntargets:\n  a: %s\n  z: {insecure: true}\n%ssubscriptions: {s: %s}\n"
            "sinks: {k: %s}\nrules: {r: %s}\ndiscovery: %s\n",
            or_plain(text->collector, plain.collector), or_plain(text->first, plain.first),
            or_plain(text->more, plain.more), or_plain(text->subscription, plain.subscription),
            or_plain(text->sink, plain.sink), or_plain(text->rules, plain.rules),
            or_plain(text->discovery, plain.discovery));
    fclose(out);
    struct sl_settings *settings = sl_settings_read(file, &errors);
    unlink(file);
    if (!settings) {
        fail_msg("%s", sl_buf_text(&errors));
    }
    sl_buf_fini(&errors);
    return settings;
}

static struct sl_difference *between(const struct text *from, const struct text *to)
{
    struct sl_settings *old = read_text(from);
    struct sl_settings *new = read_text(to);
    struct sl_difference *difference = sl_difference_new(old, new);

    assert_non_null(difference);
    sl_settings_release(old);
    sl_settings_release(new);
    return difference;
}

/* Of the first target. */
static void expect_cost(const struct text *to, bool is_changed, enum sl_change_cost cost)
{
    struct sl_difference *difference = between(&plain, to);

    assert_int_equal(difference->targets[0].is_changed, is_changed);
    assert_int_equal(difference->targets[0].cost, cost);
    assert_int_equal(difference->added + difference->removed, 0);
    sl_difference_free(difference);
}

#define WITH(field, words) (&(struct text){.field = (words)})

static void the_same_text_changes_nothing(void **state)
{
    (void)state;
    struct sl_difference *difference = between(&plain, &plain);

    assert_false(difference->is_any);
    assert_int_equal(difference->changed, 0);
    sl_difference_free(difference);
}

static void each_key_of_a_target_costs_what_it_touches(void **state)
{
    (void)state;
    expect_cost(WITH(first, "{insecure: true, labels: {site: y}}"), true, SL_COST_ROUTES);
    expect_cost(WITH(first, "{insecure: true, labels: {site: x}, username: u, password: p}"), true,
                SL_COST_NOTHING);
    expect_cost(WITH(first, "{insecure: true, labels: {site: x}, address: 'b:1'}"), true,
                SL_COST_RECONNECT);
    expect_cost(WITH(first, "{insecure: true, labels: {site: x}, gzip: true}"), true, SL_COST_RPC);
    expect_cost(WITH(first, "{skip-verify: true, labels: {site: x}}"), true, SL_COST_RECONNECT);
}

static void what_others_say_costs_their_targets(void **state)
{
    (void)state;
    expect_cost(WITH(rules, "[{kind: drop, path: /a/c}]"), true, SL_COST_ROUTES);
    expect_cost(WITH(sink, "{type: 'null', format: proto}"), true, SL_COST_ROUTES);
    expect_cost(WITH(subscription, "{paths: [/a, /b], rules: [r]}"), true, SL_COST_RPC);
    expect_cost(WITH(subscription, "{paths: [/a]}"), true, SL_COST_ROUTES);
    expect_cost(WITH(subscription, "{paths: [/a], rules: [r], measurement: m}"), true,
                SL_COST_ROUTES);
    expect_cost(WITH(sink, "{type: 'null', host: none}"), true, SL_COST_ROUTES);
    expect_cost(WITH(collector, "{memory: 64MiB, workers: 1, shutdown-timeout: 1s}"), false,
                SL_COST_NOTHING);
}

static void a_target_more_is_dialed_and_one_less_is_left(void **state)
{
    (void)state;
    const struct text *more = WITH(more, "  b: {insecure: true}\n");
    struct sl_difference *added = between(&plain, more);
    struct sl_difference *removed = between(more, &plain);

    assert_int_equal(added->added, 1);
    assert_int_equal(added->changed + added->removed, 0);
    assert_int_equal(removed->removed, 1);
    assert_string_equal(removed->targets[2].from->name, "b");
    assert_null(removed->targets[2].to);
    sl_difference_free(added);
    sl_difference_free(removed);
}

static void what_needs_a_restart_stays_as_it_was(void **state)
{
    (void)state;
    struct sl_buf errors = {0};
    struct sl_difference *difference =
        between(&plain, WITH(collector, "{memory: 128MiB, workers: 3, name: other}"));

    assert_false(difference->is_any);
    assert_non_null(strstr(sl_buf_text(&difference->restart), "needs a restart: collector.memory"));
    assert_non_null(strstr(sl_buf_text(&difference->restart), "needs a restart: collector.name"));
    assert_true(sl_settings_succeed(difference, &errors));
    assert_int_equal(difference->to->workers, 1);
    assert_int_equal(difference->to->collector.memory_bytes, 64 * SL_MIB);
    assert_int_equal(difference->to->plan.shared_bytes, difference->from->plan.shared_bytes);
    assert_int_equal(difference->to->generation, 2);
    sl_difference_free(difference);
}

static void expect_sources(const char *from, const char *to, bool are_other)
{
    struct sl_difference *difference = between(WITH(discovery, from), WITH(discovery, to));

    assert_int_equal(difference->has_other_sources, are_other);
    assert_int_equal(difference->is_any, are_other);
    assert_string_equal(sl_buf_text(&difference->restart), "");
    sl_difference_free(difference);
}

static void other_sources_are_a_difference(void **state)
{
    const char *w = plain.discovery;
    const char *both = "{w: {type: files, paths: [/w]}, x: {type: files, paths: [/x]}}";

    (void)state;
    expect_sources(w, w, false);
    expect_sources(both, both, false);
    expect_sources(w, "{w: {type: files, paths: [/v]}}", true);
    expect_sources(w, both, true);
    expect_sources(both, w, true);
    expect_sources(both, "{x: {type: files, paths: [/x]}, w: {type: files, paths: [/w]}}", true);
    expect_sources("{w: {type: http, url: 'http://a/', token: b}}",
                   "{w: {type: http, url: 'http://a/', token: c}}", true);
    expect_sources(w, "{w: {type: http, url: 'http://a/'}}", true);
}

static void memory_that_is_laid_out_has_to_do(void **state)
{
    (void)state;
    struct sl_buf errors = {0};
    struct sl_difference *difference =
        between(&plain, WITH(subscription, "{paths: [/a], rules: [r], max-message: 32MiB}"));

    assert_false(sl_settings_succeed(difference, &errors));
    assert_non_null(strstr(sl_buf_text(&errors), "max-message"));
    sl_buf_fini(&errors);
    sl_difference_free(difference);
}

static void a_person_reads_what_changes_and_no_secret(void **state)
{
    (void)state;
    struct sl_buf out = {0};
    struct sl_difference *difference = between(
        &plain, WITH(first, "{insecure: true, labels: {site: y}, username: u, password: hush}"));

    sl_difference_print(difference, &out);
    const char *text = sl_buf_text(&out);
    assert_non_null(strstr(text, "targets: 0 added, 0 removed, 1 changed, 1 untouched"));
    assert_non_null(strstr(text, "routes rebuilt"));
    assert_non_null(strstr(text, "labels"));
    assert_non_null(strstr(text, "password"));
    assert_null(strstr(text, "hush"));
    sl_buf_fini(&out);
    sl_difference_free(difference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_text_changes_nothing),
        cmocka_unit_test(each_key_of_a_target_costs_what_it_touches),
        cmocka_unit_test(what_others_say_costs_their_targets),
        cmocka_unit_test(a_target_more_is_dialed_and_one_less_is_left),
        cmocka_unit_test(what_needs_a_restart_stays_as_it_was),
        cmocka_unit_test(other_sources_are_a_difference),
        cmocka_unit_test(memory_that_is_laid_out_has_to_do),
        cmocka_unit_test(a_person_reads_what_changes_and_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
