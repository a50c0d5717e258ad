#include "subscribe.h"

#include <stdlib.h>

#include "commands.h"
#include "grpc/message.h"

#define AT(field) offsetof(struct subscribe, field)

static const char *const modes[] = {"stream", "once", "poll", NULL};
static const char *const stream_modes[] = {"target-defined", "on-change", "sample", NULL};

const struct sl_flag subscribe_what_flags[] = {
    {.name = "path",
     .type = SL_FLAG_LIST,
     .offset = AT(paths),
     .value = "PATH",
     .doc = "what to subscribe to: origin:/a/b[key=value]/c; the flag again for more"},
    {.name = "prefix",
     .type = SL_FLAG_TEXT,
     .offset = AT(prefix),
     .value = "PATH",
     .doc = "stands in front of every path"},
    {.name = "name",
     .type = SL_FLAG_COMMAS,
     .offset = AT(names),
     .value = "NAME",
     .doc = "with --config and no --path: which of the target's subscriptions; else what the "
            "output calls this one"},
    {.name = "set-target",
     .type = SL_FLAG_SWITCH,
     .offset = AT(set_target),
     .doc = "prefix.target is the target's name, without its port"},
    {.name = "model",
     .type = SL_FLAG_COMMAS,
     .offset = AT(models),
     .value = "NAME",
     .doc = "only data of these models, as 'sluice capabilities' names them"},
    {.name = "qos",
     .letter = 'q',
     .type = SL_FLAG_NUMBER,
     .offset = AT(qos),
     .value = "DSCP",
     .max = SL_GNMI_MAX_QOS,
     .doc = "how the device is to mark its packets"},
    {.name = "updates-only",
     .type = SL_FLAG_SWITCH,
     .offset = AT(updates_only),
     .doc = "changes alone, not what there is at first"},
    {.name = "depth",
     .type = SL_FLAG_NUMBER,
     .offset = AT(depth),
     .value = "N",
     .max = UINT32_MAX,
     .doc = "so many levels below each path (the depth extension); 0: all"},
    {.name = "config-subscription",
     .type = SL_FLAG_SWITCH,
     .offset = AT(config_subscription),
     .doc = "configuration alone, and after each commit what it was called (the "
            "config-subscription extension)"},
    {.name = "history-snapshot",
     .type = SL_FLAG_TEXT,
     .offset = AT(snapshot),
     .value = "TIME",
     .doc = "with --mode once: what there was then (the history extension); nanoseconds since "
            "1970, or a date as in 2026-11-21T08:00:00Z"},
    {.name = "history-start",
     .type = SL_FLAG_TEXT,
     .offset = AT(start),
     .value = "TIME",
     .doc = "with --mode stream: what changed from then on"},
    {.name = "history-end",
     .type = SL_FLAG_TEXT,
     .offset = AT(end),
     .value = "TIME",
     .doc = "and before then"},
    {.name = NULL},
};

const struct sl_flag subscribe_how_flags[] = {
    {.name = "mode",
     .type = SL_FLAG_WORD,
     .offset = AT(mode),
     .words = modes,
     .initial = "stream",
     .doc = "until it is stopped; once; or each time that it is polled"},
    {.name = "stream-mode",
     .type = SL_FLAG_WORD,
     .offset = AT(stream_mode),
     .words = stream_modes,
     .initial = "target-defined",
     .doc = "--sample-interval alone means sample"},
    {.name = "sample-interval",
     .letter = 'i',
     .type = SL_FLAG_DURATION,
     .offset = AT(sample_interval_ns),
     .value = "DURATION",
     .doc = "10s, 1m30s; 0s: the shortest that the device can"},
    {.name = "heartbeat-interval",
     .type = SL_FLAG_DURATION,
     .offset = AT(heartbeat_interval_ns),
     .value = "DURATION",
     .doc = "each value again after so long, though it did not change"},
    {.name = "suppress-redundant",
     .type = SL_FLAG_SWITCH,
     .offset = AT(suppress_redundant),
     .doc = "samples of values that changed alone"},
    {.name = "poll-interval",
     .type = SL_FLAG_DURATION,
     .offset = AT(poll_interval_ns),
     .value = "DURATION",
     .doc = "with --mode poll: poll by yourself; without it and --poll-count, Enter polls"},
    {.name = "poll-count",
     .type = SL_FLAG_NUMBER,
     .offset = AT(poll_count),
     .value = "N",
     .doc = "polls, then the end"},
    {.name = "count",
     .type = SL_FLAG_NUMBER,
     .offset = AT(count),
     .value = "N",
     .doc = "notifications from each target, then the end"},
    {.name = "duration",
     .type = SL_FLAG_DURATION,
     .offset = AT(duration_ns),
     .value = "DURATION",
     .doc = "then the end, and a good one"},
    {.name = "retry",
     .type = SL_FLAG_DURATION,
     .offset = AT(retry_ns),
     .value = "DURATION",
     .doc = "begin again so long after a stream or a connection broke; without it that is the end"},
    {.name = "quiet", .type = SL_FLAG_SWITCH, .offset = AT(quiet), .doc = "print no responses"},
    {.name = "dry-run",
     .type = SL_FLAG_SWITCH,
     .offset = AT(dry_run),
     .doc = "print the requests, ask nobody"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"What", subscribe_what_flags},
    {"How", subscribe_how_flags},
    {"A capture in place of devices", sl_tool_replay_flags},
    {"Targets and connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_stream_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_subscribe = {
    .name = "subscribe",
    .doc = "subscribe to data of devices and print what comes",
    .usage = "--path PATH ...",
    .text =
        "Subscribes to the paths at every target (gNMI Subscribe) and prints what comes, as it\n"
        "comes. With --config and without --path the subscriptions of the file are made, one RPC\n"
        "each: what does this device really send? Standard output that is not read holds the\n"
        "devices back; nothing is left out and nothing piles up here. Ctrl-C ends a stream well.",
    .examples =
        "  sluice subscribe -a leaf1:57400 -u admin --tls-ca ca.pem --path /interfaces -i 10s\n"
        "  sluice subscribe -a leaf1,leaf2 --insecure --mode once --format flat \\\n"
        "      --path '/interfaces/interface[name=*]/state/oper-status'\n"
        "  sluice subscribe -c sluice.yaml --target leaf1 --name counters --count 10\n"
        "  sluice subscribe -a leaf1 --mode poll --poll-interval 5s --path /system",
    .groups = groups,
};

/* ---- dry run ---- */

static bool print_request(const struct subscribe *tool, const struct subscribe_rpc *rpc)
{
    struct sl_status why;
    ProtobufCMessage *request = sl_grpc_message_unpack_kept(&gnmi__subscribe_request__descriptor,
                                                            (const uint8_t *)rpc->request.data,
                                                            (uint32_t)rpc->request.len, &why);

    if (!request) {
        return sl_tool_complain(&tool->common, "%s", why.text);
    }
    bool is_printed = sl_print_request(&tool->common, request);

    protobuf_c_message_free_unpacked(request, NULL);
    return is_printed;
}

static enum sl_tool_exit print_requests(const struct subscribe *tool)
{
    bool is_ok = true;

    for (size_t i = 0; is_ok && i < tool->rpc_count; i++) {
        is_ok = print_request(tool, &tool->rpcs[i]);
    }
    return is_ok ? SL_TOOL_EXIT_OK : SL_TOOL_EXIT_FAILED;
}

/* ---- the tool ---- */

static enum sl_tool_exit follow(struct subscribe *tool)
{
    const struct subscribe_way *way = tool->way;

    if (!way) {
        return subscribe_follow(tool);
    }
    return way->close(tool, way->open(tool) ? subscribe_follow(tool) : SL_TOOL_EXIT_FAILED);
}

static enum sl_tool_exit run(struct subscribe *tool)
{
    if (tool->common.wants_help) {
        sl_tool_print_help(tool->common.tool, stdout);
        return SL_TOOL_EXIT_OK;
    }
    if ((tool->way && !tool->way->check(tool)) || !sl_tool_run_init(&tool->run, &tool->common) ||
        !subscribe_build(tool)) {
        return SL_TOOL_EXIT_USAGE;
    }
    return tool->dry_run ? print_requests(tool) : follow(tool);
}

static void fini(struct subscribe *tool)
{
    for (size_t i = 0; i < tool->rpc_count; i++) {
        sl_buf_fini(&tool->rpcs[i].request);
        sl_printer_free(tool->rpcs[i].printer);
    }
    free(tool->rpcs);
    free(tool->model_items);
    sl_tool_extensions_fini(&tool->extensions);
    sl_tool_run_fini(&tool->run);
    sl_tool_fini(&tool->common);
}

int subscribe_main(const struct sl_tool *tool, struct subscribe *subscribe, int argc, char **argv)
{
    enum sl_tool_exit code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_parse(tool, argc, argv, &subscribe->common)) {
        code = run(subscribe);
    }
    fini(subscribe);
    return (int)code;
}

int sl_command_subscribe(int argc, char **argv)
{
    struct subscribe subscribe = {0};

    return subscribe_main(&sl_tool_subscribe, &subscribe, argc, argv);
}
