/* gnmic's keys, one habit at a time: what is written, and what is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "import/internal.h"
#include "test.h"

/* The least that there must be. */
#define REST                                                                                       \
    "subscriptions: {s: {paths: [/a]}}\n"                                                          \
    "outputs: {k: {type: kafka}}\n"

struct result {
    struct sl_config *config;
    struct sl_import *import;
    struct sl_buf out;
    bool is_good;
};

static struct result import_with(const char *text, struct sl_import_options options)
{
    struct result result = {.config = sl_config_parse("g", sl_str_from(text))};

    assert_non_null(result.config);
    assert_int_equal(sl_config_errors(result.config), 0);
    result.import = sl_import_new(result.config, &options);
    assert_non_null(result.import);
    result.is_good = sl_import_gnmic(result.import, "g", &result.out);
    return result;
}

static struct result import(const char *text)
{
    return import_with(text, (struct sl_import_options){0});
}

static void done(struct result *result)
{
    sl_buf_fini(&result->out);
    sl_import_free(result->import);
    sl_config_free(result->config);
}

static void expect(const char *text, const char *written)
{
    struct result result = import(text);

    assert_true(result.is_good);
    if (!strstr(sl_buf_text(&result.out), written)) {
        fail_msg("no\n%s\nin\n%s", written, sl_buf_text(&result.out));
    }
    done(&result);
}

static void expect_not(const char *text, const char *written)
{
    struct result result = import(text);

    assert_true(result.is_good);
    assert_null(strstr(sl_buf_text(&result.out), written));
    done(&result);
}

static void expect_note(const char *text, unsigned line, enum sl_import_note_kind kind,
                        const char *words)
{
    struct result result = import(text);

    for (size_t i = 0; i < sl_import_notes(result.import); i++) {
        const struct sl_import_note *note = sl_import_note_at(result.import, i);
        if (note->line == line && note->kind == kind && strstr(note->text, words)) {
            done(&result);
            return;
        }
    }
    fail_msg("no note at line %u: %s", line, words);
}

static void a_target_is_its_name_until_it_says_more(void **state)
{
    (void)state;
    expect("targets: {'leaf1:57400': }\n" REST,
           "  \"leaf1:57400\":\n    address: \"leaf1:57400\"\n");
    expect("port: 9339\ntargets: {leaf1: {}}\n" REST, "  leaf1:\n    address: \"leaf1:9339\"\n");
    expect("targets: {leaf1: {address: 10.0.0.1}}\n" REST, "    address: \"10.0.0.1\"\n");
    expect("targets: {a: {name: leaf7, address: 'fe80::1'}}\n" REST,
           "  leaf7:\n    address: \"[fe80::1]:57400\"\n");
    expect("targets: {a: {address: 'unix:///run/g.sock'}}\n" REST,
           "    address: \"unix:/run/g.sock\"\n");
    expect("address: [r1, r2]\n" REST, "  r2:\n    address: \"r2\"\n");
}

static void keys_may_be_in_any_case(void **state)
{
    (void)state;
    expect("Username: u\nTargets: {a: {Skip-Verify: TRUE}}\n" REST, "    username: \"u\"\n");
    expect("Username: u\nTargets: {a: {Skip-Verify: TRUE}}\n" REST, "    skip-verify: true\n");
}

static void what_holds_for_all_is_not_repeated(void **state)
{
    (void)state;
    expect_not("username: u\ntargets: {a: {}}\n" REST, "    address: \"a\"\n    username:");
    expect("username: u\ntargets: {a: {username: v}}\n" REST,
           "    address: \"a\"\n    username: \"v\"\n");
}

static void tls_keys_without_use_are_not_written(void **state)
{
    (void)state;
    expect_not("tls-ca: /ca\ninsecure: true\ntargets: {a: {}}\n" REST, "tls:");
    expect_not("tls-ca: /ca\nskip-verify: true\ntargets: {a: {}}\n" REST, "tls:");
    expect("tls-ca: /ca\nskip-verify: true\ntargets: {a: {skip-verify: false}}\n" REST,
           "    skip-verify: false\n    tls:\n      ca: \"/ca\"\n");
}

static void references_stay_and_dollars_stay_dollars(void **state)
{
    (void)state;
    expect("targets: {a: {username: '$U', password: '${P}'}}\n" REST,
           "    username: \"${env.U}\"\n    password: \"${env.P}\"\n");
    expect("targets: {a: {username: 'a$U.b$ ${x'}}\n" REST,
           "    username: \"a${env.U}.b$$ $${x\"\n");
}

static void secrets_in_plain_text_become_references(void **state)
{
    const char *text = "password: hunter2\ntargets: {a: {password: other}, b: {password: other}}\n"
                       "subscriptions: {s: {paths: [/a]}}\n"
                       "outputs: {k: {type: kafka, sasl: {user: u, password: 'ab$c'}}}\n";
    struct result result = import(text);

    (void)state;
    assert_true(result.is_good);
    const char *out = sl_buf_text(&result.out);
    assert_null(strstr(out, "hunter2"));
    assert_null(strstr(out, "other\""));
    assert_null(strstr(out, "ab$c"));
    assert_non_null(strstr(out, "\"${env.SLUICE_IMPORT_PASSWORD}\""));
    assert_non_null(strstr(out, "b:\n    address: \"b\"\n    password: "
                                "\"${env.SLUICE_IMPORT_PASSWORD_2}\""));
    assert_non_null(strstr(out, "\"${env.SLUICE_IMPORT_SASL_PASSWORD_3}\""));
    assert_int_equal(sl_import_left_out(result.import), 0);
    done(&result);
    result = import_with(text, (struct sl_import_options){.keeps_secrets = true});
    assert_non_null(strstr(sl_buf_text(&result.out), "\"hunter2\""));
    assert_non_null(strstr(sl_buf_text(&result.out), "\"ab$$c\""));
    for (size_t i = 0; i < sl_import_notes(result.import); i++) {
        assert_null(strstr(sl_import_note_at(result.import, i)->text, "hunter2"));
    }
    done(&result);
}

static void an_unknown_key_is_told(void **state)
{
    (void)state;
    expect_note("targets: {a: {}}\nsome-day: 1\n" REST, 2, SL_IMPORT_LEFT_OUT, "'some-day'");
    expect_note("targets:\n  a:\n    unheard: 1\n" REST, 3, SL_IMPORT_LEFT_OUT, "'unheard'");
    expect_note("targets: {a: {}}\nsubscriptions:\n  s: {paths: [/a], x: 1}\n"
                "outputs: {k: {type: kafka}}\n",
                3, SL_IMPORT_LEFT_OUT, "'x'");
}

static void what_is_off_is_not_told(void **state)
{
    struct result result = import("targets: {a: {gzip: false, proto-files: [], token: ''}}\n"
                                  "clustering:\n" REST);

    (void)state;
    assert_true(result.is_good);
    assert_int_equal(sl_import_left_out(result.import), 0);
    done(&result);
}

static void outputs_that_are_gone_take_nobody_with_them_unseen(void **state)
{
    const char *text = "targets: {a: {outputs: [p]}, b: {outputs: [p, k]}, c: {}}\n"
                       "subscriptions: {s: {paths: [/a]}, t: {paths: [/b], outputs: [p]}}\n"
                       "outputs: {k: {type: kafka}, p: {type: prometheus}}\n";

    (void)state;
    expect_note(text, 1, SL_IMPORT_LEFT_OUT, "target 'a'");
    expect_note(text, 2, SL_IMPORT_LEFT_OUT, "subscription 't'");
    expect_note(text, 3, SL_IMPORT_LEFT_OUT, "'prometheus'");
    expect_not(text, "address: \"a\"");
    expect(text, "  b:\n    address: \"b\"\n    sinks: [\"k\"]\n  c:\n    address: \"c\"\n"
                 "subscriptions:\n");
}

static void formats_and_topics_are_gnmics(void **state)
{
    static const char head[] = "targets: {'r1:1': {}}\nsubscriptions: {s: {paths: [/a]}}\n";
    static const char *const rows[][2] = {
        {"{type: kafka}", "topic: \"telemetry\"\n    partitioner: fnv1a\n    format: event\n"},
        {"{type: kafka, split-events: true}", "format: event-split\n"},
        {"{type: kafka, format: json, topic: 'a$b'}", "topic: \"a${env.b}\"\n"},
        {"{type: kafka, format: json}", "format: gnmic-json\n"},
        {"{type: kafka, format: proto}", "format: proto\n"},
        {"{type: kafka, topic-prefix: t}", "topic: \"t_${subscription}_${label.topic-name}\"\n"},
        {"{type: kafka, insert-key: true}", "key: \"${target}:::${subscription}\"\n"},
        {"{type: kafka, address: 'b1:1, b2:2'}", "brokers: [\"b1:1\", \"b2:2\"]\n"},
        {"{type: kafka, override-timestamps: true}", "rules: [\"gnmic-override-timestamps\"]\n"},
        {"{type: file, filename: /x}", "type: file\n    path: \"/x\"\n    format: gnmic-json\n"},
        {"{type: file, file-type: stdout, format: event}", "type: stdout\n    format: event\n"},
        {"{type: kafka, tls: {ca-file: /c}}",
         "\"security.protocol\": ssl\n      \"ssl.ca.location\": \"/c\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[500];
        snprintf(text, sizeof(text), "%soutputs: {k: %s}\n", head, rows[i][0]);
        expect(text, rows[i][1]);
    }
}

static void intervals_without_meaning_are_not_sent(void **state)
{
    static const char rest[] = "targets: {a: {}}\noutputs: {k: {type: kafka}}\n";
    char text[500];

    (void)state;
    snprintf(text, sizeof(text), "%ssubscriptions:\n  s: {paths: [a], sample-interval: 10s}\n",
             rest);
    expect_not(text, "sample-interval: 10s\n");
    expect_note(text, 4, SL_IMPORT_CHANGED, "'sample-interval'");
    expect(text, "- \"/a\"\n");
    snprintf(
        text, sizeof(text),
        "%ssubscriptions: {s: {paths: [/a], stream-mode: SAMPLE, sample-interval: 90000000000}}\n",
        rest);
    expect(text, "stream-mode: \"sample\"\n    sample-interval: 1m30s\n");
}

static void durations_are_gos(void **state)
{
    int64_t ns = 0;

    (void)state;
    assert_true(sl_import_to_duration("1h2m3.5s", &ns));
    assert_int_equal(ns, 3723500000000);
    assert_true(sl_import_to_duration("100", &ns));
    assert_int_equal(ns, 100);
    assert_true(sl_import_to_duration("1.5ms", &ns));
    assert_int_equal(ns, 1500000);
    assert_true(sl_import_to_duration("0.0000001s", &ns));
    assert_int_equal(ns, 100);
    assert_false(sl_import_to_duration("-1s", &ns));
    assert_false(sl_import_to_duration("1d", &ns));
    assert_false(sl_import_to_duration("s", &ns));
    assert_false(sl_import_to_duration("1s2", &ns));
    assert_false(sl_import_to_duration("99999999999999999999h", &ns));
}

static void a_trial_asks_nobody(void **state)
{
    struct result result =
        import_with("targets: {a: {password: p}, b: {}}\n" REST,
                    (struct sl_import_options){.replay = "/c", .output = "k", .target = "b"});

    (void)state;
    assert_true(result.is_good);
    const char *out = sl_buf_text(&result.out);
    assert_null(strstr(out, "  a:"));
    assert_non_null(strstr(out, "  b:\n    replay: {pace: fast, file: \"/c\"}\n"));
    assert_non_null(strstr(out, "    type: stdout\n    format: event\n"));
    assert_null(strstr(out, "brokers"));
    done(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_its_name_until_it_says_more),
        cmocka_unit_test(keys_may_be_in_any_case),
        cmocka_unit_test(what_holds_for_all_is_not_repeated),
        cmocka_unit_test(tls_keys_without_use_are_not_written),
        cmocka_unit_test(references_stay_and_dollars_stay_dollars),
        cmocka_unit_test(secrets_in_plain_text_become_references),
        cmocka_unit_test(an_unknown_key_is_told),
        cmocka_unit_test(what_is_off_is_not_told),
        cmocka_unit_test(outputs_that_are_gone_take_nobody_with_them_unseen),
        cmocka_unit_test(formats_and_topics_are_gnmics),
        cmocka_unit_test(intervals_without_meaning_are_not_sent),
        cmocka_unit_test(durations_are_gos),
        cmocka_unit_test(a_trial_asks_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
