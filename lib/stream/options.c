#include "stream/options.h"

#include <stddef.h>

#include "base/base.h"
#include "stream/stall.h"

#define AT(field)       offsetof(struct sl_subscription_options, field)
#define MAX_INTERVAL_NS (INT64_C(24) * 3600 * SL_NS_PER_S)

/* `once` and `poll` end, or wait for someone to ask: a collector streams. */
const char *const sl_module_prefixes_names[] = {"keep", "strip", NULL};
static const char *const modes[] = {"stream", NULL};

/* In the order of enum sl_gnmi_stream_mode and enum sl_gnmi_encoding. */
static const char *const stream_modes[] = {"target-defined", "on-change", "sample", NULL};
static const char *const encodings[] = {"json",      "bytes", "proto", "ascii",
                                        "json_ietf", "auto",  NULL};

/* The rows of struct sl_ask_options, of which one stands in a struct at `at`. */
#define ASK_ROWS(at)                                                                               \
    {.name = "paths",                                                                              \
     .type = SLUICE_STRINGS,                                                                       \
     .offset = (at) + offsetof(struct sl_ask_options, paths),                                      \
     .doc = "gNMI paths: /interfaces/interface[name=*]/state, openconfig:/a/b."},                  \
        {.name = "stream-mode",                                                                    \
         .type = SLUICE_ENUM,                                                                      \
         .offset = (at) + offsetof(struct sl_ask_options, stream_mode),                            \
         .default_text = "target-defined",                                                         \
         .names = stream_modes,                                                                    \
         .doc = "When the device sends a value."},                                                 \
        {.name = "sample-interval",                                                                \
         .type = SLUICE_DURATION,                                                                  \
         .offset = (at) + offsetof(struct sl_ask_options, sample_interval_ns),                     \
         .default_text = "0",                                                                      \
         .max = MAX_INTERVAL_NS,                                                                   \
         .doc = "With stream-mode sample; 0: as often as the device can."},                        \
        {.name = "heartbeat-interval",                                                             \
         .type = SLUICE_DURATION,                                                                  \
         .offset = (at) + offsetof(struct sl_ask_options, heartbeat_interval_ns),                  \
         .default_text = "0",                                                                      \
         .max = MAX_INTERVAL_NS,                                                                   \
         .doc = "Unchanged values come this often all the same; 0: they do not."},                 \
    {                                                                                              \
        .name = "suppress-redundant", .type = SLUICE_BOOL,                                         \
        .offset = (at) + offsetof(struct sl_ask_options, suppress_redundant),                      \
        .default_text = "false",                                                                   \
        .doc = "With stream-mode sample: no sample of what has not changed."                       \
    }

static const struct sluice_option ask_table[] = {ASK_ROWS(0), {.name = NULL}};

static const struct sluice_option model_table[] = {
    {.name = "name",
     .type = SLUICE_STRING,
     .offset = offsetof(struct sl_gnmi_model, name),
     .is_required = true,
     .doc = "As the device's Capabilities have it."},
    {.name = "organization",
     .type = SLUICE_STRING,
     .offset = offsetof(struct sl_gnmi_model, organization),
     .default_text = ""},
    {.name = "version",
     .type = SLUICE_STRING,
     .offset = offsetof(struct sl_gnmi_model, version),
     .default_text = ""},
    {.name = NULL},
};

/* The first, then those of enum sl_priority in their order. */
static const char *const priorities[] = {"auto", "low", "normal", "high", NULL};

static const struct sluice_option credit_table[] = {
    {.name = "initial",
     .type = SLUICE_SIZE,
     .offset = AT(credit.initial_bytes),
     .default_text = "64KiB",
     .min = 16 * SL_KIB,
     .max = SL_GIB,
     .doc = "What a stream may have in flight at first; less where collector.memory has no more."},
    {.name = "max",
     .type = SLUICE_SIZE,
     .offset = AT(credit.max_bytes),
     .default_text = "2MiB",
     .min = 16 * SL_KIB,
     .max = SL_GIB,
     .doc = "What it grows to while that is what limits it, and Kafka is quick; as much as initial "
            "where that is more."},
    {.name = NULL},
};

/* In the order of enum sl_clock_policy and enum sl_clock_unit. */
static const char *const clock_policies[] = {"by-format", "device", "receive", "clamp", NULL};
static const char *const clock_units[] = {"auto", "s", "ms", "us", "ns", NULL};

static const struct sluice_option timestamps_table[] = {
    {.name = "policy",
     .type = SLUICE_ENUM,
     .offset = AT(timestamps.policy),
     .default_text = "by-format",
     .names = clock_policies,
     .doc = "device: the device's, in nanoseconds; receive: ours; clamp: the device's, but within "
            "max-skew of ours, and ours for zero and negative ones; by-format: device for "
            "sluice.v1, and exactly what was sent for the formats of gnmic and Telegraf."},
    {.name = "unit",
     .type = SLUICE_ENUM,
     .offset = AT(timestamps.unit),
     .default_text = "auto",
     .names = clock_units,
     .doc = "What the device counts in; auto: found out from what it sends."},
    {.name = "max-skew",
     .type = SLUICE_DURATION,
     .offset = AT(timestamps.max_skew_ns),
     .default_text = "1h",
     .min = SL_NS_PER_MS,
     .max = INT64_C(366) * 24 * 3600 * SL_NS_PER_S,
     .doc = "Further from our clock a timestamp is counted as skewed, and clamped by that policy."},
    {.name = NULL},
};

static const struct sluice_option stall_table[] = {
    {.name = "after",
     .type = SLUICE_DURATION,
     .offset = AT(stall.after_ns),
     .default_text = "30s",
     .min = 100 * SL_NS_PER_MS,
     .max = MAX_INTERVAL_NS,
     .doc = "So long without credit the stream stands still; some devices give up after a minute."},
    {.name = "policy",
     .type = SLUICE_ENUM,
     .offset = AT(stall.policy),
     .default_text = "block",
     .names = sl_stall_policy_names,
     .doc = "block: the device waits, and nothing is lost; resubscribe: the RPC is ended, and made "
            "again when the sinks take records, for devices that queue without bound; conflate: "
            "the device goes on, and the newest value of each path is kept; shed: the device goes "
            "on, and nothing is kept. What is dropped is counted, and a gap in the data."},
    {.name = NULL},
};

static const struct sluice_option history_table[] = {
    {.name = "start",
     .type = SLUICE_STRING,
     .offset = AT(history.start),
     .default_text = "",
     .doc = "As 2026-11-21T08:00:00Z, or in nanoseconds since 1970."},
    {.name = "end",
     .type = SLUICE_STRING,
     .offset = AT(history.end),
     .default_text = "",
     .doc = "Likewise; not included."},
    {.name = NULL},
};

static const struct sluice_option registered_table[] = {
    {.name = "id",
     .type = SLUICE_INT,
     .offset = offsetof(struct sl_extension_options, id),
     .is_required = true,
     .max = UINT32_MAX,
     .doc = "As gnmi_ext.proto has it (ExtensionID)."},
    {.name = "message",
     .type = SLUICE_STRING,
     .offset = offsetof(struct sl_extension_options, message),
     .default_text = "",
     .doc = "Its bytes, in base64."},
    {.name = NULL},
};

static const struct sluice_option extension_table[] = {
    {.name = "registered", .type = SLUICE_OBJECT, .table = registered_table},
    {.name = NULL},
};

const struct sluice_option sl_subscription_table[] = {
    ASK_ROWS(AT(ask)),
    {.name = "stream-subscriptions",
     .type = SLUICE_LIST,
     .offset = AT(asks),
     .table = ask_table,
     .item_bytes = sizeof(struct sl_ask_options),
     .doc =
         "Instead of paths: several ways of asking in one RPC. What one does not say is as above."},
    {.name = "prefix",
     .type = SLUICE_STRING,
     .offset = AT(prefix),
     .default_text = "",
     .doc = "A path that all others are under."},
    {.name = "target",
     .type = SLUICE_STRING,
     .offset = AT(target),
     .default_text = "",
     .doc = "prefix.target, for a device that speaks for several."},
    {.name = "measurement",
     .type = SLUICE_STRING,
     .offset = AT(measurement),
     .default_text = "",
     .doc =
         "telegraf-json, influx: the name of its metrics; without it the subscription's. Several "
         "may have the same."},
    {.name = "set-target",
     .type = SLUICE_BOOL,
     .offset = AT(set_target),
     .default_text = "false",
     .doc = "prefix.target is the name of the target."},
    {.name = "mode",
     .type = SLUICE_ENUM,
     .offset = AT(mode),
     .default_text = "stream",
     .names = modes,
     .doc = "How the subscription ends: it does not."},
    {.name = "encoding",
     .type = SLUICE_ENUM,
     .offset = AT(encoding),
     .default_text = "auto",
     .names = encodings,
     .doc = "How the device writes values; auto: as suits it best, proto where nothing is known of "
            "it. One that it has not is replaced by the best that it has, and the log says so."},
    {.name = "updates-only",
     .type = SLUICE_BOOL,
     .offset = AT(updates_only),
     .default_text = "false",
     .doc = "Without what there is when the subscription begins: only what comes then."},
    {.name = "qos",
     .type = SLUICE_INT,
     .offset = AT(qos),
     .default_text = "-1",
     .min = -1,
     .max = SL_GNMI_MAX_QOS,
     .doc = "The DSCP that the device marks its packets with; -1: its own."},
    {.name = "models",
     .type = SLUICE_LIST,
     .offset = AT(models),
     .table = model_table,
     .item_bytes = sizeof(struct sl_gnmi_model),
     .takes_text = true,
     .doc = "Nothing but what these define (use_models): names, or more of it."},
    {.name = "history",
     .type = SLUICE_OBJECT,
     .table = history_table,
     .doc =
         "Asks for the past (gnmi-history.md): what changed from one time to another; once told, "
         "the subscription is over."},
    {.name = "depth",
     .type = SLUICE_INT,
     .offset = AT(depth),
     .default_text = "0",
     .max = UINT32_MAX,
     .doc = "No more than so many elements below each path (gnmi-depth.md); 0: any."},
    {.name = "config-subscription",
     .type = SLUICE_BOOL,
     .offset = AT(config_subscription),
     .default_text = "false",
     .doc = "Configuration alone, and the device says when a change is through "
            "(gnmi-config-subscriptions.md)."},
    {.name = "extensions",
     .type = SLUICE_LIST,
     .offset = AT(extensions),
     .table = extension_table,
     .item_bytes = sizeof(struct sl_extension_options),
     .doc = "Registered extensions that go out with the request."},
    {.name = "max-message",
     .type = SLUICE_SIZE,
     .offset = AT(max_message_bytes),
     .default_text = "16MiB",
     .min = 64 * SL_KIB,
     .max = 256 * SL_MIB,
     .doc = "A larger message ends its stream with RESOURCE_EXHAUSTED."},
    {.name = "credit",
     .type = SLUICE_OBJECT,
     .table = credit_table,
     .doc = "Bytes of HTTP/2 window."},
    {.name = "priority",
     .type = SLUICE_ENUM,
     .offset = AT(priority),
     .default_text = "auto",
     .names = priorities,
     .doc = "Whose part of collector.memory is larger, each four times the one before, and who is "
            "served first while there is too little; auto: high where everything is asked for "
            "on-change, else normal."},
    {.name = "timestamps",
     .type = SLUICE_OBJECT,
     .table = timestamps_table,
     .doc = "What a device's timestamps mean, and what is made of them."},
    {.name = "stall",
     .type = SLUICE_OBJECT,
     .table = stall_table,
     .doc = "What becomes of the stream when its sinks stand still."},
    {.name = "stale-after",
     .type = SLUICE_DURATION,
     .offset = AT(stale_after_ns),
     .default_text = "0",
     .max = 7 * MAX_INTERVAL_NS,
     .doc =
         "So long without a message the stream is stale (a metric, a marker in the data); 0: "
         "three times the longest interval asked for (10s at least), never where there is none."},
    {.name = "module-prefixes",
     .type = SLUICE_ENUM,
     .offset = AT(module_prefixes),
     .default_text = "keep",
     .names = sl_module_prefixes_names,
     .doc = "strip: without the modules in front of names (openconfig-interfaces:interfaces), "
            "before any rule."},
    {.name = "rules",
     .type = SLUICE_STRINGS,
     .offset = AT(rules),
     .doc = "Lists of rules for what the subscription brings, in order."},
    {.name = "sinks",
     .type = SLUICE_STRINGS,
     .offset = AT(sinks),
     .doc = "Narrows the target's sinks; none named: all of those."},
    {.name = NULL},
};

/* Within how long a path has to say something; 0: it need not. */
static int64_t pace_of(const struct sl_ask_options *ask)
{
    bool is_sampled = ask->stream_mode == SL_GNMI_SAMPLE && !ask->suppress_redundant;

    return is_sampled && ask->sample_interval_ns ? ask->sample_interval_ns
                                                 : ask->heartbeat_interval_ns;
}

int64_t sl_subscription_stale_after(const struct sl_subscription_options *options)
{
    const struct sl_ask_options *asks = options->asks.count ? options->asks.items : &options->ask;
    size_t count = options->asks.count ? options->asks.count : 1;
    int64_t pace_ns = 0;

    if (options->stale_after_ns) {
        return options->stale_after_ns;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t own_ns = pace_of(&asks[i]);
        pace_ns = own_ns > pace_ns ? own_ns : pace_ns;
    }
    if (!pace_ns) {
        return 0;
    }
    return 3 * pace_ns > SL_STALE_MIN_NS ? 3 * pace_ns : SL_STALE_MIN_NS;
}

enum sl_priority sl_subscription_priority(const struct sl_subscription_options *options)
{
    const struct sl_ask_options *asks = options->asks.count ? options->asks.items : &options->ask;
    size_t count = options->asks.count ? options->asks.count : 1;
    bool is_on_change = true;

    if (options->priority) {
        return (enum sl_priority)(options->priority - 1);
    }
    for (size_t i = 0; i < count; i++) {
        is_on_change = is_on_change && asks[i].stream_mode == SL_GNMI_ON_CHANGE;
    }
    return is_on_change ? SL_PRIORITY_HIGH : SL_PRIORITY_NORMAL;
}
