#include "tool/dial.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "capture/source.h"
#include "tool/internal.h"
#include "tool/login.h"

/* ---- TLS and the proxy of --address ---- */

static bool check_tls(const struct sl_tool_options *options)
{
    bool has_tls = options->skip_verify || options->tls_ca || options->tls_cert ||
                   options->tls_key || options->tls_server_name || options->tls_min_version;

    if (options->insecure && has_tls) {
        return sl_tool_complain(options, "--insecure is plaintext: without --skip-verify and "
                                         "--tls-...");
    }
    if (options->skip_verify && options->tls_ca) {
        return sl_tool_complain(options, "--skip-verify trusts whoever answers: without --tls-ca");
    }
    if (!options->tls_cert != !options->tls_key) {
        return sl_tool_complain(options, "--tls-cert and --tls-key go together");
    }
    return true;
}

static bool make_tls(struct sl_tool_run *run)
{
    const struct sl_tool_options *options = run->options;
    const struct sl_tls_options tls = {.ca = options->tls_ca,
                                       .cert = options->tls_cert,
                                       .key = options->tls_key,
                                       .skip_verify = options->skip_verify,
                                       .min_version = options->tls_min_version};
    enum sl_tls_part part;
    struct sl_status why;

    if (!check_tls(options)) {
        return false;
    }
    if (options->insecure) {
        return true;
    }
    run->dial->tls = sl_tls_new(SL_TLS_CLIENT, &tls, &why, &part);
    return run->dial->tls || sl_tool_complain(options, "%s", why.text);
}

static bool make_proxy(struct sl_tool_run *run)
{
    const struct sl_tool_options *options = run->options;
    struct sl_status why;

    if (!options->proxy) {
        return true;
    }
    run->dial->has_proxy = sl_proxy_parse(options->proxy, &run->dial->proxy, &why);
    return run->dial->has_proxy || sl_tool_complain(options, "--proxy: %s", why.text);
}

/* ---- who ---- */

static bool add_address(struct sl_tool_run *run, const char *text)
{
    struct sl_tool_target *target = &run->targets[run->target_count];
    struct sl_status why;

    *target = (struct sl_tool_target){.run = run, .name = text, .status = sl_status_ok()};
    if (!sl_address_parse(text, (uint16_t)run->options->port, &target->address) ||
        (!target->address.port && !sl_address_is_unix(&target->address))) {
        return sl_tool_complain(run->options,
                                "--address: expected host:port, [v6]:port, host or unix:path, "
                                "found '%.80s'",
                                text);
    }
    if (!sl_address_check(&target->address, &why) ||
        (run->dial->has_proxy && !sl_proxy_can_reach(&target->address, &why))) {
        return sl_tool_complain(run->options, "--address '%.80s': %s", text, why.text);
    }
    run->target_count++;
    return true;
}

static bool make_room(struct sl_tool_run *run, size_t count)
{
    if (count > SL_TOOL_MAX_TARGETS) {
        return sl_tool_complain(run->options, "%zu targets; there can be %d", count,
                                SL_TOOL_MAX_TARGETS);
    }
    run->targets = calloc(count, sizeof(*run->targets));
    return run->targets || sl_tool_complain(run->options, "out of memory");
}

static bool take_addresses(struct sl_tool_run *run)
{
    const struct sl_tool_list *addresses = &run->options->addresses;

    if (run->options->targets.count > 1) {
        return sl_tool_complain(run->options, "--target: without --config it is prefix.target, of "
                                              "which there is one");
    }
    if (!make_tls(run) || !make_proxy(run) || !make_room(run, addresses->count)) {
        return false;
    }
    for (size_t i = 0; i < addresses->count; i++) {
        if (!add_address(run, addresses->items[i])) {
            return false;
        }
    }
    return true;
}

/* A name of the capture, where it can be printed. */
static char *name_of(struct sl_str name, const char *otherwise)
{
    return sl_str_dup(name.len && sl_utf8_is_valid(name) ? name : sl_str_from(otherwise));
}

/* False when memory is out. */
static bool name_replay(struct sl_tool_dial *dial, const struct sl_gnmi_capture_header *header)
{
    struct sl_str fields = header->fields;
    struct sl_str subscription = {NULL, 0};

    if (!sl_gnmi_capture_subscription(&fields, &subscription)) {
        subscription = SL_STR("default");
    }
    dial->replayed = name_of(header->target, "replay");
    dial->replayed_as = name_of(subscription, "default");
    return dial->replayed && dial->replayed_as;
}

/* The one target is whose capture it is. */
static bool take_replay(struct sl_tool_run *run)
{
    const struct sl_tool_options *options = run->options;
    struct sl_tool_dial *dial = run->dial;
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(options->replay, &why);

    if (options->config || options->addresses.count) {
        sl_capture_source_close(source);
        return sl_tool_complain(options, "--replay stands for the device: no --address, no "
                                         "--config");
    }
    if (!source) {
        return sl_tool_complain(options, "--replay %s: %s", options->replay, why.text);
    }
    bool is_named = name_replay(dial, sl_capture_source_header(source));
    sl_capture_source_close(source);
    dial->replay = (struct sl_device_replay){
        .file = options->replay,
        .is_fast = options->replay_pace == SL_TARGET_PACE_FAST,
        .ends = true,
    };
    if (!is_named) {
        return sl_tool_complain(options, "out of memory");
    }
    if (!make_room(run, 1)) {
        return false;
    }
    run->targets[run->target_count++] =
        (struct sl_tool_target){.run = run,
                                .name = dial->replayed,
                                .subscription = dial->replayed_as,
                                .replay = &dial->replay,
                                .address = {.kind = SL_ADDRESS_PRIVATE},
                                .status = sl_status_ok()};
    return true;
}

static bool is_named(const struct sl_tool_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (fnmatch(names->items[i], name, 0) == 0) {
            return true;
        }
    }
    return names->count == 0;
}

/* A name that is no glob and of nobody is a slip. */
static bool check_names(const struct sl_tool_run *run)
{
    const struct sl_tool_list *names = &run->options->targets;
    const struct sl_settings *settings = run->settings;

    for (size_t i = 0; i < names->count; i++) {
        bool is_found = false;
        for (size_t j = 0; j < settings->target_count && !is_found; j++) {
            is_found = fnmatch(names->items[i], settings->targets[j].name, 0) == 0;
        }
        if (!is_found) {
            return sl_tool_complain(run->options, "--target: '%.80s' is no target of %s",
                                    names->items[i], run->options->config);
        }
    }
    return true;
}

/* How to get to a target says the file alone. */
static bool check_flags(const struct sl_tool_options *options)
{
    static const char *const files[] = {
        "address", "insecure",        "skip-verify",     "tls-ca", "tls-cert",
        "tls-key", "tls-server-name", "tls-min-version", "proxy",
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(files); i++) {
        if (sl_tool_is_given(options, files[i])) {
            return sl_tool_complain(options,
                                    "--%s and --config: the file says how to get to its "
                                    "targets",
                                    files[i]);
        }
    }
    return true;
}

static bool take_settings(struct sl_tool_run *run)
{
    struct sl_buf errors = {0};

    run->settings = sl_settings_read(run->options->config, &errors);
    if (!run->settings) {
        fputs(sl_buf_text(&errors), stderr);
    }
    sl_buf_fini(&errors);
    if (!run->settings || !check_flags(run->options) || !check_names(run) ||
        !make_room(run, run->settings->target_count)) {
        return false;
    }
    for (size_t i = 0; i < run->settings->target_count; i++) {
        const struct sl_target_settings *settings = &run->settings->targets[i];
        if (is_named(&run->options->targets, settings->name)) {
            run->targets[run->target_count++] =
                (struct sl_tool_target){.run = run,
                                        .name = settings->name,
                                        .settings = settings,
                                        .replay = settings->replay.file ? &settings->replay : NULL,
                                        .address = settings->address,
                                        .status = sl_status_ok()};
        }
    }
    return true;
}

/* ---- public ---- */

bool sl_tool_run_init(struct sl_tool_run *run, const struct sl_tool_options *options)
{
    *run = (struct sl_tool_run){.options = options};
    sl_log_set(options->debug ? SL_LOG_DEBUG : SL_LOG_ERROR, SL_LOG_LOGFMT);
    run->loop = sl_loop_new();
    run->dial = calloc(1, sizeof(*run->dial));
    if (!run->loop || !run->dial) {
        return sl_tool_complain(options, "the system has no descriptors or memory left");
    }
    if (options->replay) {
        return take_replay(run);
    }
    if (!options->config && !options->addresses.count) {
        return sl_tool_complain(options, "no target; expected --address ADDRESS or --config FILE");
    }
    return (options->config ? take_settings(run) : take_addresses(run)) && sl_tool_login(run);
}

static void free_target(struct sl_tool_target *target)
{
    if (target->login.data) {
        explicit_bzero(target->login.data, target->login.len);
    }
    sl_buf_fini(&target->login);
    free(target->metadata);
}

void sl_tool_run_fini(struct sl_tool_run *run)
{
    for (size_t i = 0; i < run->target_count; i++) {
        free_target(&run->targets[i]);
    }
    if (run->dial) {
        sl_tls_release(run->dial->tls);
        explicit_bzero(&run->dial->proxy, sizeof(run->dial->proxy));
        if (run->dial->asked) {
            explicit_bzero(run->dial->asked, strlen(run->dial->asked));
        }
        free(run->dial->asked);
        free(run->dial->replayed);
        free(run->dial->replayed_as);
    }
    free(run->dial);
    free(run->targets);
    sl_settings_free(run->settings);
    if (run->loop) {
        sl_loop_free(run->loop);
    }
}
