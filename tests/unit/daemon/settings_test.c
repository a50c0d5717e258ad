/* Whole files: the broken ones of tests/unit/config with every message, the good ones resolved. */
#include "daemon/settings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gnmi/request.h"
#include "normalise/encoder.h"
#include "gnmi/extension.h"
#include "stream/stall.h"
#include "test.h"

enum { BROKEN_FILES = 80, PATH_BYTES = 512 };

static void read_file(const char *path, struct sl_buf *out)
{
    FILE *stream = fopen(path, "re");
    size_t len = 1;

    assert_non_null(stream);
    while (len) {
        assert_true(sl_buf_reserve(out, 4096));
        len = fread(out->data + out->len, 1, 4096, stream);
        out->len += len;
    }
    fclose(stream);
}

/* Reads NAME.yaml and holds what was said about it against NAME.err. */
static bool is_as_told(const char *file)
{
    char path[PATH_BYTES];
    struct sl_buf errors = {0};
    struct sl_buf expected = {0};
    struct sl_settings *settings = sl_settings_read(file, &errors);

    snprintf(path, sizeof(path), "%.*s.err", (int)(strlen(file) - strlen(".yaml")), file);
    read_file(path, &expected);
    bool is_same = !settings && sl_str_eq(sl_buf_str(&errors), sl_buf_str(&expected));
    if (!is_same) {
        print_error("%s, expected:\n%sfound:\n%s", file, sl_buf_text(&expected),
                    settings ? "no errors\n" : sl_buf_text(&errors));
    }
    sl_settings_free(settings);
    sl_buf_fini(&errors);
    sl_buf_fini(&expected);
    return is_same;
}

static void every_broken_file_is_told_what_is_wrong(void **state)
{
    size_t files = 0;
    size_t wrong = 0;

    (void)state;
    assert_int_equal(chdir(SL_TEST_BROKEN_DIR), 0);
    DIR *dir = opendir(".");
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0) {
            files++;
            wrong += !is_as_told(entry->d_name);
        }
    }
    closedir(dir);
    assert_int_equal(wrong, 0);
    assert_true(files >= BROKEN_FILES);
}

static struct sl_settings *read_good(const char *file)
{
    struct sl_buf errors = {0};

    assert_int_equal(chdir(SL_TEST_GOOD_DIR), 0);
    struct sl_settings *settings = sl_settings_read(file, &errors);
    assert_string_equal(sl_buf_text(&errors), "");
    assert_non_null(settings);
    sl_buf_fini(&errors);
    return settings;
}

static void the_example_of_the_design_is_understood(void **state)
{
    struct sl_settings *settings = read_good("architecture.yaml");
    const struct sl_target_settings *leaf1 = &settings->targets[0];
    const struct sl_target_settings *leaf2 = &settings->targets[1];

    (void)state;
    assert_string_equal(settings->collector.name, "dc1-a");
    assert_int_equal(settings->collector.memory_bytes, 512 * SL_MIB);
    assert_string_equal(settings->admin.host, "127.0.0.1");
    assert_int_equal(settings->admin.port, 9804);
    assert_int_equal(settings->target_count, 2);
    assert_string_equal(leaf1->name, "leaf1");
    assert_string_equal(leaf1->address.host, "leaf1.example");
    assert_int_equal(leaf1->address.port, 57401);
    assert_string_equal(leaf1->options.username, "telemetry");
    assert_string_equal(leaf1->options.password, "s3cret");
    assert_int_equal(leaf1->options.labels.count, 2);
    assert_string_equal(leaf1->options.labels.pairs[0].value, "tyo1");
    assert_int_equal(leaf1->stream_count, 1);
    assert_int_equal(leaf1->streams[0].sink_count, 1);
    assert_string_equal(leaf1->streams[0].sinks[0]->spec.name, "main");
    assert_string_equal(leaf2->address.host, "leaf2.example");
    assert_int_equal(leaf2->address.port, 57400);
    assert_int_equal(leaf2->stream_count, 2);
    assert_int_equal(leaf2->streams[0].sink_count, 1);
    assert_int_equal(leaf2->streams[1].sink_count, 2);
    assert_int_equal(settings->subscriptions[0].options.ask.sample_interval_ns, 10 * SL_NS_PER_S);
    assert_int_equal(settings->subscriptions[0].options.ask.stream_mode, SL_GNMI_SAMPLE);
    assert_int_equal(settings->sinks[0].spec.format, SL_FORMAT_EVENT);
    assert_int_equal(settings->sinks[1].spec.format, SL_FORMAT_PROTO);
    assert_int_equal(settings->sinks[1].spec.stall_after_ns, 60 * SL_NS_PER_S);
    assert_true(settings->plan.share_bytes > 0);
    sl_settings_free(settings);
}

static void templates_are_compiled(void **state)
{
    const struct sluice_pair labels[] = {{"site", "tyo1"}};
    const struct sluice_map map = {labels, 1};
    const struct sl_template_values values = {.target = "leaf1", .labels = &map};
    struct sl_settings *settings = read_good("architecture.yaml");
    struct sl_buf text = {0};

    (void)state;
    sl_template_fill(settings->sinks[0].destination, &values, SL_STR(""), &text);
    sl_buf_add_c(&text, " ");
    sl_template_fill(settings->sinks[0].key, &values, SL_STR(""), &text);
    assert_string_equal(sl_buf_text(&text), "telemetry.tyo1 leaf1");
    sl_buf_fini(&text);
    sl_settings_free(settings);
}

static void what_a_file_does_not_say_has_its_default(void **state)
{
    struct sl_settings *settings = read_good("minimal.yaml");
    const struct sl_target_settings *target = &settings->targets[0];
    const struct sl_subscription_options *options = &settings->subscriptions[0].options;

    (void)state;
    assert_true(settings->collector.name[0] != '\0');
    assert_true(settings->workers >= 1);
    assert_int_equal(settings->collector.shutdown_timeout_ns, 10 * SL_NS_PER_S);
    assert_int_equal(settings->admin.port, SL_SETTINGS_DEFAULT_ADMIN_PORT);
    assert_string_equal(target->address.host, "2001:db8::1");
    assert_int_equal(target->address.port, 6030);
    assert_string_equal(target->options.username, "");
    assert_int_equal(target->options.dial_timeout_ns, 10 * SL_NS_PER_S);
    assert_int_equal(target->options.backoff.min_ns, SL_NS_PER_S);
    assert_int_equal(target->options.backoff.max_ns, 60 * SL_NS_PER_S);
    assert_int_equal(target->stream_count, 1);
    assert_int_equal(options->ask.paths.count, 1);
    assert_string_equal(options->ask.paths.items[0], "/interfaces");
    assert_int_equal(options->ask.stream_mode, SL_GNMI_TARGET_DEFINED);
    assert_int_equal(options->encoding, SL_GNMI_AUTO_ENCODING);
    assert_int_equal(options->ask.sample_interval_ns, 0);
    assert_int_equal(options->max_message_bytes, 16 * SL_MIB);
    assert_int_equal(options->credit.initial_bytes, 64 * SL_KIB);
    assert_int_equal(options->stall.policy, SL_STALL_BLOCK);
    assert_int_equal(options->stall.after_ns, 30 * SL_NS_PER_S);
    assert_string_equal(settings->sinks[0].spec.plugin->type, "null");
    assert_int_equal(settings->sinks[0].spec.format, SL_FORMAT_EVENT);
    assert_true(settings->sinks[0].spec.is_required);
    assert_int_equal(settings->sinks[0].spec.stall_after_ns, 10 * SL_NS_PER_S);
    sl_settings_free(settings);
}

static void what_a_file_says_is_taken(void **state)
{
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "p$${x}", 1);
    struct sl_settings *settings = read_good("anchors.yaml");
    const struct sl_subscription_options *one = &settings->subscriptions[0].options;
    const struct sl_subscription_options *two = &settings->subscriptions[1].options;
    const struct sl_target_options *leaf2 = &settings->targets[1].options;

    (void)state;
    assert_string_equal(settings->collector.name, "dc2-b");
    assert_int_equal(settings->workers, 3);
    assert_int_equal(settings->collector.shutdown_timeout_ns, 90 * SL_NS_PER_S);
    assert_string_equal(settings->admin.host, "");
    assert_string_equal(leaf2->password, "p$${x}");
    assert_int_equal(leaf2->dial_timeout_ns, 500 * SL_NS_PER_MS);
    assert_int_equal(leaf2->backoff.min_ns, 100 * SL_NS_PER_MS);
    assert_string_equal(leaf2->labels.pairs[0].value, "b");
    assert_string_equal(one->prefix, "/p");
    assert_string_equal(one->target, "dev1");
    assert_int_equal(one->ask.stream_mode, SL_GNMI_ON_CHANGE);
    assert_int_equal(one->encoding, SL_GNMI_JSON_IETF);
    assert_int_equal(two->max_message_bytes, 64 * SL_KIB);
    assert_int_equal(two->credit.initial_bytes, 16 * SL_KIB);
    sl_settings_free(settings);
    unsetenv("SLUICE_TEST_NAME");
    unsetenv("SLUICE_TEST_PASSWORD");
}

static void extensions_follow_from_their_keys(void **state)
{
    struct sl_settings *settings = read_good("extensions.yaml");
    const struct sl_gnmi_subscribe *past = &settings->subscriptions[0].request;
    const struct sl_gnmi_extension *all = past->extensions;

    (void)state;
    assert_int_equal(settings->subscriptions[1].request.extension_count, 0);
    assert_int_equal(past->extension_count, 5);
    assert_int_equal(all[0].kind, SL_GNMI_RANGE);
    assert_int_equal(all[0].of.range.start_ns, INT64_C(1795248000) * SL_NS_PER_S);
    assert_int_equal(all[0].of.range.end_ns, INT64_C(1795284000000000001));
    assert_int_equal(all[1].kind, SL_GNMI_DEPTH);
    assert_int_equal(all[1].of.depth, 3);
    assert_int_equal(all[2].kind, SL_GNMI_CONFIG_START);
    assert_int_equal(all[3].kind, SL_GNMI_REGISTERED);
    assert_int_equal(all[3].of.registered.id, 999);
    assert_true(sl_str_eq_c(all[3].of.registered.message, "hello"));
    assert_int_equal(all[4].of.registered.id, 1);
    assert_int_equal(all[4].of.registered.message.len, 0);
    assert_string_equal(sl_target_vendor(&settings->targets[0].options)->name, "nokia-srl");
    assert_null(sl_target_vendor(&settings->targets[1].options));
    sl_settings_free(settings);
}

static void every_vendor_can_be_named(void **state)
{
    size_t i = 0;

    (void)state;
    for (; sl_gnmi_vendors[i].name; i++) {
        const struct sl_target_options options = {.vendor = (int)i + 1};
        assert_ptr_equal(sl_target_vendor(&options), &sl_gnmi_vendors[i]);
    }
    assert_null(sl_target_vendor_names[i + 1]);
}

static void requests_follow_from_what_subscriptions_say(void **state)
{
    struct sl_settings *settings = read_good("subscriptions.yaml");
    const struct sl_gnmi_subscribe *all = &settings->subscriptions[0].request;
    const struct sl_gnmi_subscribe *mixed = &settings->subscriptions[1].request;
    const struct sl_gnmi_subscribe *own = &settings->subscriptions[2].request;

    (void)state;
    assert_int_equal(all->asked_count, 1);
    assert_string_equal(all->asked[0].paths[1], "/b");
    assert_int_equal(all->asked[0].mode, SL_GNMI_SAMPLE);
    assert_int_equal(all->asked[0].sample_interval_ns, 10 * SL_NS_PER_S);
    assert_int_equal(all->asked[0].heartbeat_interval_ns, 60 * SL_NS_PER_S);
    assert_true(all->asked[0].suppress_redundant);
    assert_string_equal(all->prefix, "openconfig:");
    assert_string_equal(all->target, "dev1");
    assert_int_equal(all->encoding, SL_GNMI_ASCII);
    assert_true(all->updates_only && all->has_qos);
    assert_int_equal(all->qos, 0);
    assert_int_equal(all->model_count, 2);
    assert_string_equal(all->models[0].name, "openconfig-interfaces");
    assert_string_equal(all->models[0].version, "");
    assert_string_equal(all->models[1].organization, "ACME");
    assert_int_equal(mixed->asked_count, 3);
    assert_int_equal(mixed->asked[0].sample_interval_ns, SL_NS_PER_S);
    assert_false(mixed->asked[0].suppress_redundant);
    assert_int_equal(mixed->asked[0].heartbeat_interval_ns, 0);
    assert_int_equal(mixed->asked[1].mode, SL_GNMI_ON_CHANGE);
    assert_int_equal(mixed->asked[1].sample_interval_ns, 0); /* the list's, without a meaning */
    assert_int_equal(mixed->asked[1].heartbeat_interval_ns, 30 * SL_NS_PER_S);
    assert_int_equal(mixed->asked[2].sample_interval_ns, 5 * SL_NS_PER_S);
    assert_string_equal(mixed->asked[2].paths[0], "other:/d");
    assert_false(mixed->has_qos || mixed->updates_only);
    assert_null(mixed->prefix);
    assert_null(mixed->target);
    assert_true(settings->subscriptions[1].options.set_target);
    assert_int_equal(own->asked_count, 1); /* its paths, not the stream-subscriptions of `mixed` */
    assert_int_equal(own->asked[0].mode, SL_GNMI_TARGET_DEFINED);
    assert_int_equal(own->asked[0].heartbeat_interval_ns, SL_NS_PER_S);
    sl_settings_free(settings);
}

static void sinks_of_a_stream_are_the_targets_narrowed_by_the_subscription(void **state)
{
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "p", 1);
    struct sl_settings *settings = read_good("anchors.yaml");
    const struct sl_target_settings *targets = settings->targets;

    (void)state;
    assert_int_equal(targets[0].streams[0].sink_count, 3); /* all of all */
    assert_int_equal(targets[0].streams[1].sink_count, 2); /* all, narrowed to b and c */
    assert_string_equal(targets[0].streams[1].sinks[0]->spec.name, "b");
    assert_string_equal(targets[0].streams[1].sinks[1]->spec.name, "c");
    assert_int_equal(targets[2].stream_count, 1);
    assert_string_equal(targets[2].streams[0].subscription->name, "one");
    assert_int_equal(targets[3].streams[0].sink_count, 1); /* b of all */
    assert_int_equal(targets[3].streams[1].sink_count, 1); /* b of b and c */
    assert_string_equal(targets[3].streams[1].sinks[0]->spec.name, "b");
    /* each to the worker with the fewest streams so far */
    assert_int_equal(targets[0].worker, 0);
    assert_int_equal(targets[1].worker, 1);
    assert_int_equal(targets[2].worker, 2);
    assert_int_equal(targets[3].worker, 2);
    sl_settings_free(settings);
    unsetenv("SLUICE_TEST_NAME");
    unsetenv("SLUICE_TEST_PASSWORD");
}

static void expect_sinks(const struct sl_stream_settings *stream, const char *expected)
{
    struct sl_buf text = {0};

    for (size_t i = 0; i < stream->sink_count; i++) {
        sl_buf_printf(&text, i ? " %s" : "%s", stream->sinks[i]->spec.name);
    }
    assert_string_equal(sl_buf_text(&text), expected);
    sl_buf_fini(&text);
}

static void sinks_match_labels_and_those_not_required_have_memory_of_their_own(void **state)
{
    struct sl_settings *settings = read_good("routes.yaml");
    const struct sl_target_settings *targets = settings->targets;

    (void)state;
    expect_sinks(&targets[0].streams[0], "all tokyo leaves");
    expect_sinks(&targets[1].streams[0], "all leaves");
    expect_sinks(&targets[2].streams[0], "all tokyo"); /* no label `role` */
    assert_int_equal(settings->plan.part_bytes, 255 * SL_MIB);
    assert_true(settings->sinks[0].spec.is_required);
    assert_false(settings->sinks[1].spec.is_required);
    sl_settings_free(settings);
}

/* The streams of a target as a text: "a;b c". */
static void assert_streams(const struct sl_target_settings *target, const char *expected)
{
    struct sl_buf names = {0};

    for (size_t i = 0; i < target->stream_count; i++) {
        sl_buf_printf(&names, "%s%s", i ? " " : "", target->streams[i].name);
    }
    assert_string_equal(sl_buf_text(&names), expected);
    sl_buf_fini(&names);
}

static void subscriptions_that_can_share_an_rpc(void **state)
{
    struct sl_settings *settings = read_good("pack.yaml");
    const struct sl_target_settings *targets = settings->targets;

    (void)state;
    assert_streams(&targets[0], "system;interfaces;bgp json prefixed narrowed changes overlapping "
                                "larger shedding");
    assert_int_equal(targets[0].streams[0].member_count, 3);
    assert_string_equal(targets[0].streams[0].members[2]->name, "bgp");
    assert_string_equal(targets[0].streams[0].subscription->name, "system");
    assert_int_equal(targets[0].streams[7].subscription->options.stall.policy, SL_STALL_SHED);
    assert_streams(&targets[1], "system interfaces bgp");
    assert_streams(&targets[2], "system interfaces");      /* a topic for each subscription */
    assert_streams(&targets[3], "interfaces;overlapping"); /* keys that cannot both be */

    struct sl_buf out = {0};
    sl_settings_print(settings, &out);
    assert_non_null(strstr(sl_buf_text(&out), "    # one RPC: subscriptions system, interfaces, "
                                              "bgp (4 paths), to none, other\n"));
    assert_non_null(strstr(sl_buf_text(&out), "    # one RPC: subscription json (1 path), to"));
    assert_non_null(
        strstr(sl_buf_text(&out), "    # 8 RPCs: juniper is known to bear 5 at once\n"));
    sl_buf_fini(&out);
    sl_settings_free(settings);
}

/* So many subscriptions of so many paths each, of one target. */
static struct sl_settings *read_many(int subscriptions, int paths)
{
    char file[] = "/tmp/sluice-pack-XXXXXX";
    struct sl_buf text = {0};
    struct sl_buf errors = {0};
    int fd = mkstemp(file);

    sl_buf_add_c(&text, "targets: {leaf1: {insecure: true}}\nsinks: {none: {type: 'null'}}\n"
                        "subscriptions:\n");
    for (int i = 0; i < subscriptions; i++) {
        sl_buf_printf(&text, "  subscription-number-%d:\n    paths:\n", i);
        for (int j = 0; j < paths; j++) {
            sl_buf_printf(&text, "    - /a%d/b%d\n", i, j);
        }
    }
    assert_int_equal(write(fd, text.data, text.len), text.len);
    close(fd);
    struct sl_settings *settings = sl_settings_read(file, &errors);
    remove(file);
    assert_non_null(settings);
    sl_buf_fini(&text);
    sl_buf_fini(&errors);
    return settings;
}

static void the_name_of_a_packed_stream_has_an_end(void **state)
{
    struct sl_settings *settings = read_many(100, 1);

    (void)state;
    const struct sl_target_settings *target = &settings->targets[0];
    assert_int_equal(target->stream_count, 2);
    assert_int_equal(target->streams[0].member_count, SL_STREAM_MAX_MEMBERS);
    assert_int_equal(target->streams[1].member_count, 100 - SL_STREAM_MAX_MEMBERS);
    assert_true(strlen(target->streams[0].name) < SL_SETTINGS_MAX_NAME_BYTES + 10);
    assert_non_null(strstr(target->streams[0].name, ";+"));
    sl_settings_free(settings);
}

static void so_many_paths_are_packed_and_no_more(void **state)
{
    struct sl_settings *settings = read_many(5, SL_STREAM_MAX_PATHS / 2);

    (void)state;
    assert_int_equal(settings->targets[0].stream_count, 3);
    assert_int_equal(settings->targets[0].streams[2].member_count, 1);
    sl_settings_free(settings);
    settings = read_many(3, SL_STREAM_MAX_PATHS + 1);
    assert_int_equal(settings->targets[0].stream_count, 3);
    sl_settings_free(settings);
}

static void targets_behind_the_same_proxy_share_it(void **state)
{
    struct sl_settings *settings = read_good("proxy.yaml");
    const struct sl_target_settings *targets = settings->targets;

    (void)state;
    assert_int_equal(settings->target_count, 4);
    assert_string_equal(targets[0].proxy->address.host, "proxy.example");
    assert_string_equal(targets[0].proxy->password, "se$cret");
    assert_ptr_equal(targets[1].proxy, targets[0].proxy);
    assert_int_equal(targets[2].proxy->kind, SL_PROXY_SOCKS5);
    assert_null(targets[3].proxy);

    struct sl_buf out;
    sl_buf_init(&out, 0);
    sl_settings_print(settings, &out);
    assert_non_null(strstr(sl_buf_text(&out), "proxy: \"http://me:***@proxy.example:3128\""));
    assert_null(strstr(sl_buf_text(&out), "cret"));
    sl_buf_fini(&out);
    sl_settings_free(settings);
}

static void targets_with_the_same_files_share_what_was_made_of_them(void **state)
{
    struct sl_settings *settings = read_good("tls.yaml");
    const struct sl_target_settings *targets = settings->targets;

    (void)state;
    assert_int_equal(settings->target_count, 9);
    assert_non_null(targets[0].tls); /* the system's store */
    assert_ptr_equal(targets[0].tls, targets[1].tls);
    assert_string_equal(targets[1].options.tls.server_name, "leaf");
    assert_non_null(targets[2].tls);
    assert_ptr_not_equal(targets[2].tls, targets[0].tls);
    assert_true(targets[2].options.skip_verify);
    assert_null(targets[3].tls);
    assert_string_equal(targets[3].options.tls.server_name, ""); /* idle there */
    assert_ptr_equal(targets[4].tls, targets[0].tls);
    assert_non_null(targets[5].tls);
    assert_ptr_not_equal(targets[5].tls, targets[0].tls);
    assert_string_equal(targets[5].options.tls.min_version, "1.3");
    assert_ptr_equal(targets[6].tls, targets[5].tls);
    assert_ptr_not_equal(targets[7].tls, targets[0].tls);
    assert_ptr_not_equal(targets[7].tls, targets[5].tls);
    sl_settings_free(settings);
}

static void a_capture_stands_for_a_device(void **state)
{
    struct sl_settings *settings = read_good("replay.yaml");
    const struct sl_target_settings *leaf1 = &settings->targets[0];
    const struct sl_target_settings *leaf2 = &settings->targets[1];

    (void)state;
    assert_int_equal(leaf1->address.kind, SL_ADDRESS_PRIVATE);
    assert_null(leaf1->tls);
    assert_string_equal(leaf1->replay.file, "leaf1.capture");
    assert_false(leaf1->replay.is_fast);
    assert_false(leaf1->replay.shifts);
    assert_true(leaf1->replay.ends);
    assert_string_equal(sl_target_vendor_names[leaf1->options.vendor], "arista-eos");
    assert_true(leaf2->replay.is_fast);
    assert_true(leaf2->replay.shifts);
    assert_string_equal(sl_target_vendor_names[leaf2->options.vendor], "juniper");
    assert_int_equal(settings->targets[2].stream_count, 1);
    assert_true(settings->is_finite);
    sl_settings_free(settings);
    settings = read_good("minimal.yaml");
    assert_false(settings->is_finite);
    sl_settings_free(settings);
}

static void formats_are_named_as_encoders_name_them(void **state)
{
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "p", 1);
    struct sl_settings *settings = read_good("anchors.yaml");

    (void)state;
    assert_string_equal(sl_format_name((enum sl_format)settings->sinks[0].spec.format), "event");
    assert_string_equal(sl_format_name((enum sl_format)settings->sinks[1].spec.format), "proto");
    assert_string_equal(sl_format_name((enum sl_format)settings->sinks[2].spec.format),
                        "sluice.v1");
    sl_settings_free(settings);
    unsetenv("SLUICE_TEST_NAME");
    unsetenv("SLUICE_TEST_PASSWORD");
}

static void expect_keys(const struct sluice_option *table, const char *reference)
{
    char line[PATH_BYTES];

    for (; table && table->name; table++) {
        snprintf(line, sizeof(line), " %s: ", table->name);
        assert_non_null(strstr(reference, line));
        if (table->type == SLUICE_OBJECT || table->type == SLUICE_LIST) {
            expect_keys(table->table, reference);
        }
    }
}

static void the_reference_has_every_key(void **state)
{
    const char *const more[] = {"collector:", "defaults:", "targets:",  "subscriptions:",
                                "sinks:",     " memory: ", " listen: ", " stall-after: "};
    struct sl_buf out = {0};

    (void)state;
    struct sl_plugins *plugins = sl_settings_plugins("", &out);
    sl_settings_reference(plugins, &out);
    const char *reference = sl_buf_text(&out);
    expect_keys(sl_target_table, reference);
    expect_keys(sl_subscription_table, reference);
    for (const struct sluice_sink_plugin *const *plugin = sl_plugins_sinks(plugins); *plugin;
         plugin++) {
        assert_non_null(strstr(reference, (*plugin)->type));
        expect_keys((*plugin)->options, reference);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(more); i++) {
        assert_non_null(strstr(reference, more[i]));
    }
    sl_plugins_free(plugins);
    sl_buf_fini(&out);
}

/* What `check --print` prints of `file`. */
static char *print(const char *file)
{
    struct sl_settings *settings = read_good(file);
    struct sl_buf out = {0};

    sl_settings_print(settings, &out);
    char *text = strdup(sl_buf_text(&out));
    assert_non_null(text);
    sl_settings_free(settings);
    sl_buf_fini(&out);
    return text;
}

static void rules_of_a_subscription_come_before_those_of_a_sink(void **state)
{
    struct sl_settings *settings = read_good("rules.yaml");

    (void)state;
    assert_int_equal(settings->rule_list_count, 3);
    assert_string_equal(settings->subscriptions[0].name, "all");
    assert_int_equal(settings->subscriptions[0].rules[0].count, 9);
    assert_int_equal(settings->subscriptions[0].rules[1].count, 8);
    assert_int_equal(settings->subscriptions[1].rules[0].count, 1);
    assert_int_equal(settings->subscriptions[1].rules[1].count, 0);
    const struct sl_rule_config *first =
        sl_rule_config(settings->subscriptions[0].rules[0].items[0]);
    const struct sl_rule_config *last =
        sl_rule_config(settings->subscriptions[0].rules[0].items[8]);
    assert_string_equal(first->kind->name, "drop");
    assert_string_equal(first->list, "tidy");
    assert_int_equal(first->number, 1);
    assert_string_equal(last->kind->name, "timestamp");
    assert_string_equal(last->list, "last");
    sl_settings_free(settings);
}

static bool strips_modules_at(const struct sl_rules *rules, size_t at)
{
    return strcmp(sl_rule_config(rules->items[at])->list, "module-prefixes") == 0;
}

static void module_prefixes_go_before_any_rule_of_who_strips_them(void **state)
{
    struct sl_settings *settings = read_good("modules.yaml");
    const struct sl_rules *kept = settings->subscriptions[0].rules;
    const struct sl_rules *stripped = settings->subscriptions[1].rules;

    (void)state;
    assert_int_equal(kept[0].count, 0);
    assert_int_equal(kept[1].count, 2);
    assert_true(strips_modules_at(&kept[1], 0));
    assert_int_equal(stripped[0].count, 2);
    assert_true(strips_modules_at(&stripped[0], 0));
    assert_false(strips_modules_at(&stripped[0], 1));
    assert_int_equal(stripped[1].count, 3);
    assert_true(strips_modules_at(&stripped[1], 0));
    assert_false(strips_modules_at(&stripped[1], 2));
    sl_settings_free(settings);
}

static void what_is_printed_reads_back_as_the_same_and_has_no_secret(void **state)
{
    const char *const files[] = {"architecture.yaml",  "minimal.yaml", "anchors.yaml",
                                 "subscriptions.yaml", "replay.yaml",  "rules.yaml",
                                 "modules.yaml"};

    (void)state;
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "hunter2", 1);
    for (size_t i = 0; i < SL_ARRAY_LEN(files); i++) {
        char path[] = "/tmp/sluice-print-XXXXXX";
        char *text = print(files[i]);
        assert_null(strstr(text, "hunter2"));
        assert_null(strstr(text, "s3cret"));
        int fd = mkstemp(path);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        char *again = print(path);
        assert_string_equal(text, again);
        unlink(path);
        free(again);
        free(text);
    }
    unsetenv("SLUICE_TEST_NAME");
    unsetenv("SLUICE_TEST_PASSWORD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_file_is_told_what_is_wrong),
        cmocka_unit_test(the_example_of_the_design_is_understood),
        cmocka_unit_test(templates_are_compiled),
        cmocka_unit_test(what_a_file_does_not_say_has_its_default),
        cmocka_unit_test(what_a_file_says_is_taken),
        cmocka_unit_test(extensions_follow_from_their_keys),
        cmocka_unit_test(every_vendor_can_be_named),
        cmocka_unit_test(requests_follow_from_what_subscriptions_say),
        cmocka_unit_test(sinks_of_a_stream_are_the_targets_narrowed_by_the_subscription),
        cmocka_unit_test(sinks_match_labels_and_those_not_required_have_memory_of_their_own),
        cmocka_unit_test(subscriptions_that_can_share_an_rpc),
        cmocka_unit_test(the_name_of_a_packed_stream_has_an_end),
        cmocka_unit_test(so_many_paths_are_packed_and_no_more),
        cmocka_unit_test(targets_behind_the_same_proxy_share_it),
        cmocka_unit_test(targets_with_the_same_files_share_what_was_made_of_them),
        cmocka_unit_test(a_capture_stands_for_a_device),
        cmocka_unit_test(formats_are_named_as_encoders_name_them),
        cmocka_unit_test(the_reference_has_every_key),
        cmocka_unit_test(rules_of_a_subscription_come_before_those_of_a_sink),
        cmocka_unit_test(module_prefixes_go_before_any_rule_of_who_strips_them),
        cmocka_unit_test(what_is_printed_reads_back_as_the_same_and_has_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
