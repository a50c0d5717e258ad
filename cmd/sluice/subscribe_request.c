/* The requests: out of the command line's paths, or out of the configuration's subscriptions with
 * what the command line says otherwise. */
#include <stdlib.h>
#include <string.h>

#include "gnmi/vendor.h"
#include "subscribe.h"
#include "base/times.h"

/* ---- extensions ---- */

static bool add_extension(struct subscribe *tool, const struct sl_gnmi_extension *extension)
{
    return sl_tool_add_extension(&tool->extensions, extension) ||
           sl_tool_complain(&tool->common, "out of memory");
}

static bool read_time(const struct subscribe *tool, const char *flag, const char *text, int64_t *ns)
{
    return sl_time_read(text, ns) ||
           sl_tool_complain(&tool->common,
                            "--%s: expected nanoseconds since 1970 or a date as in "
                            "2026-11-21T08:00:00Z, found '%.80s'",
                            flag, text);
}

static bool add_history(struct subscribe *tool)
{
    struct sl_gnmi_extension history = {.kind = SL_GNMI_SNAPSHOT};

    if (tool->snapshot && (tool->start || tool->end)) {
        return sl_tool_complain(&tool->common, "expected --history-snapshot or --history-start "
                                               "and --history-end, found both");
    }
    if (tool->snapshot) {
        return read_time(tool, "history-snapshot", tool->snapshot, &history.of.snapshot_ns) &&
               add_extension(tool, &history);
    }
    if (!tool->start && !tool->end) {
        return true;
    }
    if (!tool->start || !tool->end) {
        return sl_tool_complain(&tool->common, "expected --history-start and --history-end, found "
                                               "one of them");
    }
    history.kind = SL_GNMI_RANGE;
    return read_time(tool, "history-start", tool->start, &history.of.range.start_ns) &&
           read_time(tool, "history-end", tool->end, &history.of.range.end_ns) &&
           add_extension(tool, &history);
}

static bool add_depth(struct subscribe *tool)
{
    const struct sl_gnmi_extension depth = {.kind = SL_GNMI_DEPTH,
                                            .of.depth = (uint32_t)tool->depth};

    return !sl_tool_is_given(&tool->common, "depth") || add_extension(tool, &depth);
}

static bool add_config_subscription(struct subscribe *tool)
{
    const struct sl_gnmi_extension start = {.kind = SL_GNMI_CONFIG_START};

    return !tool->config_subscription || add_extension(tool, &start);
}

/* ---- what the command line says ---- */

/* gnmic's users write --sample-interval 10s alone. */
static bool is_sampled(const struct subscribe *tool)
{
    return tool->stream_mode == SL_GNMI_SAMPLE ||
           (!sl_tool_is_given(&tool->common, "stream-mode") &&
            (sl_tool_is_given(&tool->common, "sample-interval") || tool->suppress_redundant));
}

static bool check_meaning(const struct subscribe *tool)
{
    const struct sl_tool_options *common = &tool->common;
    bool is_stream = tool->mode == SL_GNMI_STREAM;

    if (is_stream && !tool->common.config && !is_sampled(tool) &&
        (tool->suppress_redundant || sl_tool_is_given(common, "sample-interval"))) {
        return sl_tool_complain(common, "--sample-interval and --suppress-redundant have a meaning "
                                        "only with --stream-mode sample");
    }
    if (tool->mode != SL_GNMI_POLL && (tool->poll_count || tool->poll_interval_ns)) {
        return sl_tool_complain(common, "--poll-interval and --poll-count have a meaning only with "
                                        "--mode poll");
    }
    if (tool->retry_ns && !is_stream) {
        return sl_tool_complain(common, "--retry has a meaning only with --mode stream");
    }
    return true;
}

static bool check_paths(const struct subscribe *tool)
{
    for (size_t i = 0; i < tool->paths.count; i++) {
        struct sl_status why = sl_gnmi_path_check(sl_str_from(tool->paths.items[i]));
        if (!sl_status_is_ok(&why)) {
            return sl_tool_complain(&tool->common, "--path '%.80s': %s", tool->paths.items[i],
                                    why.text);
        }
    }
    return true;
}

/* What was said anew of one way of asking. */
static void change_asked(const struct subscribe *tool, struct sl_gnmi_asked *asked)
{
    const struct sl_tool_options *common = &tool->common;

    if (sl_tool_is_given(common, "stream-mode") || is_sampled(tool)) {
        asked->mode =
            is_sampled(tool) ? SL_GNMI_SAMPLE : (enum sl_gnmi_stream_mode)tool->stream_mode;
    }
    if (sl_tool_is_given(common, "sample-interval")) {
        asked->sample_interval_ns = (uint64_t)tool->sample_interval_ns;
    }
    if (sl_tool_is_given(common, "heartbeat-interval")) {
        asked->heartbeat_interval_ns = (uint64_t)tool->heartbeat_interval_ns;
    }
    if (sl_tool_is_given(common, "suppress-redundant")) {
        asked->suppress_redundant = tool->suppress_redundant;
    }
}

static void change_list(struct subscribe *tool, struct sl_gnmi_subscribe *list)
{
    const struct sl_tool_options *common = &tool->common;

    if (sl_tool_is_given(common, "mode")) {
        list->mode = (enum sl_gnmi_list_mode)tool->mode;
    }
    if (sl_tool_is_given(common, "encoding")) {
        list->encoding = (enum sl_gnmi_encoding)common->encoding;
    }
    if (sl_tool_is_given(common, "updates-only")) {
        list->updates_only = tool->updates_only;
    }
    if (sl_tool_is_given(common, "qos")) {
        list->has_qos = true;
        list->qos = (uint32_t)tool->qos;
    }
    if (sl_tool_prefix_target(common)) {
        list->target = sl_tool_prefix_target(common);
    }
    if (tool->extensions.count) {
        list->extensions = tool->extensions.items;
        list->extension_count = tool->extensions.count;
    }
}

/* ---- one RPC ---- */

/* In the shape that the device wants, where the file says whose it is. */
static bool pack(struct subscribe *tool, struct subscribe_rpc *rpc,
                 const struct sl_gnmi_subscribe *list)
{
    const struct sl_target_settings *settings = rpc->target->settings;
    const struct sl_gnmi_vendor *vendor = settings ? sl_target_vendor(&settings->options) : NULL;
    const struct sl_gnmi_profile profile =
        sl_gnmi_profile_of(vendor ? vendor : sl_gnmi_vendor_generic());
    uint32_t in_force = 0;
    struct sl_status why = sl_gnmi_subscribe_pack_for(list, &profile, &rpc->request, &in_force);

    rpc->watch.mode = list->mode;
    rpc->printer = sl_printer_new(rpc->target, rpc->name, list, false);
    if (!rpc->printer) {
        return sl_tool_complain(&tool->common, "out of memory");
    }
    return sl_status_is_ok(&why) ||
           sl_tool_complain(&tool->common, "%s: %s", rpc->target->name, why.text);
}

static struct subscribe_rpc *add_rpc(struct subscribe *tool, struct sl_tool_target *target,
                                     const char *name)
{
    struct subscribe_rpc *rpc = &tool->rpcs[tool->rpc_count++];

    *rpc = (struct subscribe_rpc){.tool = tool, .target = target, .name = name};
    return rpc;
}

/* "leaf1:57400" without its port; "[::1]:57400" without the brackets, too. */
static struct sl_str host_of(const char *name)
{
    const char *colon = strrchr(name, ':');
    bool is_bracketed = *name == '[' && strchr(name, ']');
    bool is_address = colon && strchr(name, ':') != colon; /* of IPv6, without a port */

    if (is_bracketed) {
        return (struct sl_str){name + 1, (size_t)(strchr(name, ']') - name) - 1};
    }
    return colon && !is_address ? (struct sl_str){name, (size_t)(colon - name)} : sl_str_from(name);
}

static const char *own_name(const struct subscribe *tool, const struct sl_tool_target *target)
{
    const char *otherwise = target->subscription ? target->subscription : "default";

    return tool->names.count ? tool->names.items[0] : otherwise;
}

/* Without a path: a replay, which answers whatever is asked. */
static bool build_own(struct subscribe *tool, struct sl_tool_target *target)
{
    static const char *const everything[] = {"/", NULL};
    struct sl_gnmi_asked asked = {
        .paths = tool->paths.count ? (const char *const *)tool->paths.items : everything,
        .mode = (enum sl_gnmi_stream_mode)tool->stream_mode,
    };
    struct sl_gnmi_subscribe list = {
        .asked = &asked,
        .asked_count = 1,
        .prefix = tool->prefix,
        .encoding = (enum sl_gnmi_encoding)tool->common.encoding,
        .models = tool->model_items,
        .model_count = tool->models.count,
        .mode = (enum sl_gnmi_list_mode)tool->mode,
    };
    char *host = tool->set_target ? sl_str_dup(host_of(target->name)) : NULL;

    if (tool->set_target && !host) {
        return sl_tool_complain(&tool->common, "out of memory");
    }
    change_asked(tool, &asked);
    list.target = host;
    change_list(tool, &list);
    bool is_ok = pack(tool, add_rpc(tool, target, own_name(tool, target)), &list);

    free(host);
    return is_ok;
}

static bool build_member(struct subscribe *tool, struct sl_tool_target *target,
                         const struct sl_subscription_settings *member)
{
    struct sl_gnmi_subscribe list = member->request;
    struct sl_gnmi_asked *asked = calloc(list.asked_count + 1, sizeof(*asked));

    if (!asked) {
        return sl_tool_complain(&tool->common, "out of memory");
    }
    for (size_t i = 0; i < list.asked_count; i++) {
        asked[i] = list.asked[i];
        change_asked(tool, &asked[i]);
    }
    list.asked = asked;
    if (tool->set_target || member->options.set_target) {
        list.target = target->name;
    }
    change_list(tool, &list);
    bool is_ok = pack(tool, add_rpc(tool, target, member->name), &list);

    free(asked);
    return is_ok;
}

static bool is_chosen(const struct subscribe *tool, const char *name)
{
    for (size_t i = 0; i < tool->names.count; i++) {
        if (strcmp(tool->names.items[i], name) == 0) {
            return true;
        }
    }
    return !tool->names.count;
}

/* Each member of each stream: the file's packing is for a collector that stays. */
static bool build_members(struct subscribe *tool, struct sl_tool_target *target)
{
    const struct sl_target_settings *settings = target->settings;
    size_t before = tool->rpc_count;

    for (size_t i = 0; i < settings->stream_count; i++) {
        const struct sl_stream_settings *stream = &settings->streams[i];
        for (size_t k = 0; k < stream->member_count; k++) {
            if (is_chosen(tool, stream->members[k]->name) &&
                !build_member(tool, target, stream->members[k])) {
                return false;
            }
        }
    }
    return tool->rpc_count > before ||
           sl_tool_complain(&tool->common, "%s: none of the subscriptions that --name names",
                            target->name);
}

/* ---- all of them ---- */

static size_t count_rpcs(const struct subscribe *tool)
{
    size_t count = 0;

    for (size_t t = 0; t < tool->run.target_count; t++) {
        const struct sl_target_settings *settings = tool->run.targets[t].settings;
        count++;
        for (size_t i = 0; settings && i < settings->stream_count; i++) {
            count += settings->streams[i].member_count;
        }
    }
    return count;
}

static bool read_flags(struct subscribe *tool)
{
    tool->model_items = calloc(tool->models.count + 1, sizeof(*tool->model_items));
    for (size_t i = 0; tool->model_items && i < tool->models.count; i++) {
        tool->model_items[i] = (struct sl_gnmi_model){tool->models.items[i], "", ""};
    }
    return (tool->model_items || sl_tool_complain(&tool->common, "out of memory")) &&
           check_meaning(tool) && check_paths(tool) &&
           sl_tool_read_extensions(&tool->common, &tool->extensions) && add_history(tool) &&
           add_depth(tool) && add_config_subscription(tool);
}

bool subscribe_build(struct subscribe *tool)
{
    size_t count = count_rpcs(tool);
    bool is_ok = read_flags(tool);

    tool->rpcs = calloc(count, sizeof(*tool->rpcs));
    if (!tool->rpcs) {
        return sl_tool_complain(&tool->common, "out of memory");
    }
    for (size_t t = 0; is_ok && t < tool->run.target_count; t++) {
        struct sl_tool_target *target = &tool->run.targets[t];
        if (tool->paths.count || tool->common.replay) {
            is_ok = build_own(tool, target);
        } else if (target->settings) {
            is_ok = build_members(tool, target);
        } else {
            is_ok = sl_tool_complain(&tool->common, "no path; expected --path PATH");
        }
    }
    SL_ASSERT(tool->rpc_count <= count);
    return is_ok;
}
