/* Telegraf's keys, one habit at a time: what is written, and what is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "import/internal.h"
#include "test.h"

/* The least that there must be. */
#define ASK                                                                                        \
    "[[inputs.gnmi.subscription]]\nname = 's'\npath = '/a'\nsubscription_mode = 'on_change'\n"
#define OUTPUT "[[outputs.kafka]]\nbrokers = ['b:9092']\ntopic = 't'\n"
#define INPUT  "[[inputs.gnmi]]\naddresses = ['r1:9']\n"

struct result {
    struct sl_config *config;
    struct sl_import *import;
    struct sl_buf out;
    bool is_good;
};

static struct result import(const char *text)
{
    const struct sl_import_options options = {.host = "machine1"};
    struct result result = {.config = sl_config_parse_toml("t", sl_str_from(text))};

    assert_non_null(result.config);
    assert_int_equal(sl_config_errors(result.config), 0);
    result.import = sl_import_new(result.config, &options);
    assert_non_null(result.import);
    result.is_good = sl_import_telegraf(result.import, "t", &result.out);
    return result;
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
    if (strstr(sl_buf_text(&result.out), written)) {
        fail_msg("%s\nin\n%s", written, sl_buf_text(&result.out));
    }
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
    for (size_t i = 0; i < sl_import_notes(result.import); i++) {
        const struct sl_import_note *note = sl_import_note_at(result.import, i);
        print_message("%u: %s\n", note->line, note->text);
    }
    fail_msg("no note at line %u: %s", line, words);
}

static void expect_nothing_left_out(const char *text)
{
    struct result result = import(text);

    assert_true(result.is_good);
    assert_int_equal(sl_import_left_out(result.import), 0);
    done(&result);
}

static void each_address_is_a_target(void **state)
{
    (void)state;
    expect_nothing_left_out(INPUT ASK OUTPUT);
    expect(INPUT ASK OUTPUT, "  \"r1:9\":\n    address: \"r1:9\"\n    insecure: true\n"
                             "    subscriptions: [\"s\"]\n");
    expect("[[inputs.gnmi]]\naddresses = ['r1:9', '[::1]:9', 'r1:9']\n" ASK OUTPUT,
           "  \"r1:9-2\":\n    address: \"r1:9\"\n");
    expect("[[inputs.gnmi]]\naddresses = ['r1:9', '${R2}:9']\n" ASK OUTPUT,
           "    address: \"${env.R2}:9\"\n");
    expect_note("[[inputs.gnmi]]\naddresses = ['r1:9',\n 'r2', '::1']\n" ASK OUTPUT, 3,
                SL_IMPORT_LEFT_OUT, "'r2'");
    expect_note("[[inputs.gnmi]]\naddresses = ['r1:9',\n '::1']\n" ASK OUTPUT, 3,
                SL_IMPORT_LEFT_OUT, "'::1'");
}

static void tls_is_only_where_it_is_enabled(void **state)
{
    (void)state;
    expect(INPUT "tls_enable = true\n" ASK OUTPUT, "    address: \"r1:9\"\n    subscriptions:");
    expect(INPUT "tls_enable = true\ninsecure_skip_verify = true\ntls_ca = '/ca'\n" ASK OUTPUT,
           "    skip-verify: true\n    subscriptions:");
    expect(INPUT "tls_enable = true\ntls_ca = '/ca'\ntls_min_version = 'TLS13'\n" ASK OUTPUT,
           "    tls:\n      ca: \"/ca\"\n      min-version: \"1.3\"\n");
    expect_note(INPUT "tls_ca = '/ca'\n" ASK OUTPUT, 3, SL_IMPORT_CHANGED, "plaintext");
    expect_note(INPUT "tls_enable = true\ntls_min_version = 'TLS11'\n" ASK OUTPUT, 4,
                SL_IMPORT_LEFT_OUT, "nothing older");
}

static void measurements_are_subscriptions(void **state)
{
    static const char twice[] = INPUT ASK "[[inputs.gnmi.subscription]]\nname = 's'\n"
                                          "path = 'b'\norigin = 'o'\nsubscription_mode = 'sample'\n"
                                          "sample_interval = 1.5\nsuppress_redundant = true\n"
                                          "heartbeat_interval = '1d'\n" OUTPUT;

    (void)state;
    expect(INPUT ASK OUTPUT, "subscriptions:\n  s:\n    paths:\n      - \"/a\"\n"
                             "    stream-mode: \"on-change\"\n    encoding: proto\n");
    expect(twice, "  s:\n    stream-subscriptions:\n      - paths:\n          - \"/a\"\n"
                  "        stream-mode: \"on-change\"\n      - paths:\n          - \"o:/b\"\n"
                  "        stream-mode: \"sample\"\n        sample-interval: 1s500ms\n"
                  "        suppress-redundant: true\n        heartbeat-interval: 24h\n");
    expect(
        INPUT
        "origin = 'o'\nprefix = '/x'\ntarget = 'r'\ndepth = 3\nmax_msg_size = '1MiB'\n" ASK OUTPUT,
        "    prefix: \"o:/x\"\n    target: \"r\"\n    depth: 3\n    max-message: 1048576\n");
    expect(INPUT "name_override = 'n'\nname_suffix = '_x'\n" ASK OUTPUT, "\n  \"n_x\":\n");
    expect_note(INPUT "max_msg_size = '1GB'\n" ASK OUTPUT, 3, SL_IMPORT_CHANGED, "256MiB");
    expect_note(INPUT "[[inputs.gnmi.subscription]]\npath = '/a'\n" ASK OUTPUT, 3,
                SL_IMPORT_LEFT_OUT, "expected a 'name'");
}

static void inputs_share_what_is_the_same(void **state)
{
    (void)state;
    expect(INPUT ASK "[[inputs.gnmi]]\naddresses = ['r2:9']\n" ASK OUTPUT,
           "  \"r2:9\":\n    address: \"r2:9\"\n    insecure: true\n    subscriptions: [\"s\"]\n"
           "subscriptions:\n  s:\n");
    expect(INPUT ASK "[[inputs.gnmi]]\naddresses = ['r2:9']\nencoding = 'json'\n" ASK OUTPUT,
           "  s-2:\n    measurement: \"s\"\n    paths:\n");
}

static void overlapping_paths_are_told_of(void **state)
{
    (void)state;
    expect_note(INPUT ASK "[[inputs.gnmi.subscription]]\nname = 't'\npath = '/a[k=x/y]/b'\n"
                          "subscription_mode = 'on_change'\n" OUTPUT,
                7, SL_IMPORT_CHANGED, "the path of 't' is asked for by 's', too");
    struct result result = import("[[inputs.gnmi]]\naddresses = ['r1:9']\n"
                                  "[[inputs.gnmi.subscription]]\nname = 't'\npath = '/ab'\n"
                                  "subscription_mode = 'on_change'\n" ASK OUTPUT);
    for (size_t i = 0; i < sl_import_notes(result.import); i++) {
        assert_null(strstr(sl_import_note_at(result.import, i)->text, "asked for by"));
    }
    done(&result);
    expect_nothing_left_out(INPUT "aliases = {s = 'o:/a'}\n" ASK OUTPUT);
    expect_note(INPUT "aliases = {s = '/b'}\n" ASK OUTPUT, 3, SL_IMPORT_LEFT_OUT, "the alias 's'");
}

static void keys_are_what_routing_says(void **state)
{
    (void)state;
    expect_not(INPUT ASK OUTPUT, "    key:");
    expect(INPUT ASK OUTPUT "routing_key = 'k$$'\n", "    key: \"k$$$$\"\n");
    expect(INPUT ASK OUTPUT "routing_tag = 'host'\n", "    key: \"machine1\"\n");
    expect("[agent]\nhostname = 'c1'\n" INPUT ASK OUTPUT "routing_tag = 'host'\n",
           "    key: \"c1\"\n");
    expect("[agent]\nomit_hostname = true\n" INPUT ASK OUTPUT
           "routing_tag = 'host'\nrouting_key = 'k'\n",
           "    key: \"k\"\n");
    expect(INPUT ASK OUTPUT "routing_tag = 'source'\n",
           "    labels: {\"telegraf-source\": \"r1\"}\n");
    expect_note(INPUT ASK OUTPUT "routing_key = 'random'\n", 10, SL_IMPORT_CHANGED,
                "any partition");
    expect_note(INPUT ASK OUTPUT "routing_tag = 'host'\n", 0, SL_IMPORT_CHANGED, "'machine1'");
}

static void topics_have_suffixes(void **state)
{
    (void)state;
    expect(INPUT ASK OUTPUT "topic_suffix = {method = 'measurement', separator = '.'}\n",
           "    topic: \"t.${subscription}\"\n");
    expect("[global_tags]\ndc = 'a'\n" INPUT ASK OUTPUT
           "topic_suffix = {method = 'tags', keys = ['dc', 'source'], separator = '-'}\n",
           "    topic: \"t-a-${label.telegraf-source}\"\n");
    expect("[global_tags]\ndc = 'a'\n" INPUT ASK OUTPUT "topic_tag = 'dc'\n", "    topic: \"a\"\n");
    expect_note(INPUT ASK OUTPUT "topic_tag = 'name'\n", 10, SL_IMPORT_LEFT_OUT, "'topic_tag'");
}

static void outputs_choose_by_name(void **state)
{
    static const char text[] = INPUT ASK "[[outputs.kafka]]\ntopic = 't'\nnamepass = ['x*']\n"
                                         "[[outputs.file]]\nfiles = ['stdout']\nnamedrop = ['y']\n";

    (void)state;
    expect(text, "    sinks: [\"file\"]\n");
    expect_note(INPUT ASK "[[outputs.kafka]]\ntopic = 't'\nnamepass = ['{x,y}']\n"
                          "[[outputs.file]]\nfiles = ['stdout']\n",
                9, SL_IMPORT_LEFT_OUT, "the pattern");
    expect_note(INPUT ASK OUTPUT "namedrop = ['s']\n", 3, SL_IMPORT_LEFT_OUT,
                "no output that is in the new file takes it");
}

static void secrets_do_not_show(void **state)
{
    (void)state;
    expect_not(INPUT "username = 'u'\npassword = 'hunter2'\n" ASK OUTPUT
                     "sasl_username = 'u'\nsasl_password = 'hunter3'\n",
               "hunter");
    expect(INPUT "username = 'u'\npassword = '$PASS'\n" ASK OUTPUT,
           "    password: \"${env.PASS}\"\n");
    expect_not(INPUT "username = 'u'\npassword = '${PASS:-hunter2}'\n" ASK OUTPUT, "hunter");
    expect_note(INPUT "username = 'u'\npassword = '${PASS:-hunter2}'\n" ASK OUTPUT, 4,
                SL_IMPORT_LEFT_OUT, "the variable 'PASS'");
    expect_note(INPUT "username = 'u'\npassword = '@{s:k}'\n" ASK OUTPUT, 4, SL_IMPORT_LEFT_OUT,
                "in a store");
}

static void kafka_is_secured_as_it_was(void **state)
{
    (void)state;
    expect_not(INPUT ASK OUTPUT, "properties:");
    expect(INPUT ASK OUTPUT "tls_ca = '/ca'\n",
           "      \"security.protocol\": ssl\n      \"ssl.ca.location\": \"/ca\"\n");
    expect_not(INPUT ASK OUTPUT "tls_ca = '/ca'\nenable_tls = false\n", "security.protocol");
    expect(INPUT ASK OUTPUT "sasl_username = 'u'\n",
           "      \"security.protocol\": sasl_plaintext\n      \"sasl.mechanism\": \"PLAIN\"\n");
    expect(INPUT ASK OUTPUT "enable_tls = true\ncertificate = '/c'\nkey = '/k'\n",
           "      \"security.protocol\": ssl\n      \"ssl.certificate.location\": \"/c\"\n");
    expect(INPUT ASK OUTPUT "compression_codec = 4\n", "    compression: zstd\n");
    expect_note(INPUT ASK OUTPUT "compression_codec = 9\n", 10, SL_IMPORT_LEFT_OUT, "0 to 4");
}

static void hosts_and_tags(void **state)
{
    (void)state;
    expect_not(INPUT ASK OUTPUT, "    host:");
    expect("[agent]\nomit_hostname = true\n" INPUT ASK OUTPUT, "    host: none\n");
    expect("[agent]\nhostname = '$H'\n" INPUT ASK OUTPUT, "    host: \"${env.H}\"\n");
    expect("[tags]\ndc = 'a'\n" INPUT ASK OUTPUT,
           "rules:\n  telegraf-tags:\n    - {kind: label, add: {\"dc\": \"a\"}}\nsinks:\n");
    expect_note("[[processors.override]]\nname_override = 'x'\n[processors.override.tags]\na = "
                "'b'\n" INPUT ASK OUTPUT,
                1, SL_IMPORT_LEFT_OUT, "'override'");
    expect_note("[[processors.rename]]\n" INPUT ASK OUTPUT, 1, SL_IMPORT_LEFT_OUT, "kind rename");
    expect_note("[global_tags]\nn = 7\n'a b' = 'x'\n" INPUT ASK OUTPUT, 3, SL_IMPORT_LEFT_OUT,
                "'a b'");
}

static void sizes_and_periods(void **state)
{
    uint64_t bytes = 0;
    int64_t ns = 0;

    (void)state;
    assert_true(sl_import_to_size("4MB", &bytes) && bytes == 4000000);
    assert_true(sl_import_to_size("4MiB", &bytes) && bytes == 4 * SL_MIB);
    assert_true(sl_import_to_size("70", &bytes) && bytes == 70);
    assert_true(sl_import_to_size("1B", &bytes) && bytes == 1);
    assert_false(sl_import_to_size("MB", &bytes));
    assert_false(sl_import_to_size("4XB", &bytes));
    assert_false(sl_import_to_size("4M", &bytes));
    assert_false(sl_import_to_size("18446744073709551615KB", &bytes));
    assert_true(sl_import_to_period("10", &ns) && ns == 10 * SL_NS_PER_S);
    assert_true(sl_import_to_period("1.5", &ns) && ns == 1500 * SL_NS_PER_MS);
    assert_true(sl_import_to_period("1d12h", &ns) && ns == 36 * INT64_C(3600) * SL_NS_PER_S);
    assert_false(sl_import_to_period("", &ns) && ns);
    assert_false(sl_import_to_period("x", &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_a_target),
        cmocka_unit_test(tls_is_only_where_it_is_enabled),
        cmocka_unit_test(measurements_are_subscriptions),
        cmocka_unit_test(inputs_share_what_is_the_same),
        cmocka_unit_test(overlapping_paths_are_told_of),
        cmocka_unit_test(keys_are_what_routing_says),
        cmocka_unit_test(topics_have_suffixes),
        cmocka_unit_test(outputs_choose_by_name),
        cmocka_unit_test(secrets_do_not_show),
        cmocka_unit_test(kafka_is_secured_as_it_was),
        cmocka_unit_test(hosts_and_tags),
        cmocka_unit_test(sizes_and_periods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
