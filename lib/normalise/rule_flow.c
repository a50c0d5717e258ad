/* Rules that say whether an update goes on, and with which time. */
#include <stddef.h>

#include <xxhash.h>

#include "normalise/clock.h"
#include "normalise/rule_kinds.h"

/* ---- keep, drop ---- */

const struct sl_rule_kind sl_rule_keep = {
    .name = "keep",
    .purpose = "Lets only what is selected go on; a delete of something above it goes on, too.",
    .example = "{kind: keep, path: [/interfaces/interface/state/..., /system/...]}",
    .before = "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
              "/interfaces/interface[name=e1]/config/mtu uint 9000\n"
              "/system/state/hostname string \"leaf1\"\n"
              "delete /interfaces/interface[name=e1]\n"
              "delete /components\n",
    .after = "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
             "/system/state/hostname string \"leaf1\"\n"
             "delete /interfaces/interface[name=e1]\n",
    .takes_value = true,
    .keeps = true,
};

static enum sl_rule_verdict drop_path(const void *rule, struct sl_rule_path *path)
{
    (void)rule;
    (void)path;
    return SL_RULE_FILTER;
}

static enum sl_rule_verdict drop_update(const void *rule, void *state,
                                        struct sl_rule_update *update)
{
    (void)rule;
    (void)state;
    (void)update;
    return SL_RULE_FILTER;
}

const struct sl_rule_kind sl_rule_drop = {
    .name = "drop",
    .purpose = "Takes out what is selected.",
    .example = "{kind: drop, path: /interfaces/interface/state/counters/..., value: \"0\"}",
    .before = "/interfaces/interface[name=e1]/state/counters/in-errors uint 0\n"
              "/interfaces/interface[name=e1]/state/counters/in-octets uint 17\n"
              "/interfaces/interface[name=e1]/state/mtu uint 0\n",
    .after = "/interfaces/interface[name=e1]/state/counters/in-octets uint 17\n"
             "/interfaces/interface[name=e1]/state/mtu uint 0\n",
    .takes_value = true,
    .path = drop_path,
    .apply = drop_update,
};

/* ---- rate-limit ---- */

struct rate_limit {
    int64_t interval_ns;
};

static const struct sluice_option rate_limit_options[] = {
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct rate_limit, interval_ns),
     .min = SL_NS_PER_MS,
     .max = 24 * 3600 * SL_NS_PER_S,
     .is_required = true,
     .doc = "At most one update of a path in so much time, by sluice's clock."},
    {.name = NULL},
};

struct last_passed {
    int64_t received_ns;
    bool has_passed;
};

/* Whether so much time has passed; a clock that was set back does not hold anything up. */
static bool is_later(int64_t now_ns, int64_t then_ns, int64_t interval_ns)
{
    return now_ns < then_ns || (uint64_t)now_ns - (uint64_t)then_ns >= (uint64_t)interval_ns;
}

static enum sl_rule_verdict limit_rate(const void *rule, void *state, struct sl_rule_update *update)
{
    const struct rate_limit *limit = rule;
    struct last_passed *last = state;

    if (!last) {
        return SL_RULE_PASS;
    }
    if (last->has_passed && !update->is_atomic &&
        !is_later(update->received_ns, last->received_ns, limit->interval_ns)) {
        return SL_RULE_FILTER;
    }
    *last = (struct last_passed){update->received_ns, true};
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_rate_limit = {
    .name = "rate-limit",
    .purpose = "Lets one update of each path go on per interval; atomic notifications stay whole.",
    .example = "{kind: rate-limit, path: /interfaces/..., interval: 10s}",
    .before = "0s /interfaces/interface[name=e1]/state/mtu uint 1\n"
              "4s /interfaces/interface[name=e1]/state/mtu uint 2\n"
              "4s /interfaces/interface[name=e2]/state/mtu uint 3\n"
              "10s /interfaces/interface[name=e1]/state/mtu uint 4\n"
              "11s delete /interfaces/interface[name=e1]\n"
              "12s /interfaces/interface[name=e1]/state/mtu uint 5\n",
    .after = "0s /interfaces/interface[name=e1]/state/mtu uint 1\n"
             "4s /interfaces/interface[name=e2]/state/mtu uint 3\n"
             "10s /interfaces/interface[name=e1]/state/mtu uint 4\n"
             "11s delete /interfaces/interface[name=e1]\n"
             "12s /interfaces/interface[name=e1]/state/mtu uint 5\n",
    .options = rate_limit_options,
    .options_size = sizeof(struct rate_limit),
    .state_size = sizeof(struct last_passed),
    .apply = limit_rate,
};

/* ---- deduplicate ---- */

struct deduplicate {
    int64_t heartbeat_ns;
};

static const struct sluice_option deduplicate_options[] = {
    {.name = "heartbeat",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct deduplicate, heartbeat_ns),
     .default_text = "0",
     .max = 24 * 3600 * SL_NS_PER_S,
     .doc = "An unchanged value goes on all the same when the last one did so long ago; 0: never."},
    {.name = NULL},
};

struct last_value {
    XXH128_hash_t hash;
    int64_t received_ns;
    bool has_passed;
};

/* 128 bits stand for the value: two that differ have the same once in 2^64 pairs. */
static XXH128_hash_t hash_value(const struct sl_gnmi_value *value)
{
    uint64_t seed = value->kind;

    switch (value->kind) {
    case SL_GNMI_VALUE_NONE:
        return XXH3_128bits_withSeed("", 0, seed);
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
        return XXH3_128bits_withSeed(&value->of.u64, sizeof(value->of.u64), seed);
    case SL_GNMI_VALUE_BOOL:
        return XXH3_128bits_withSeed(value->of.boolean ? "1" : "0", 1, seed);
    case SL_GNMI_VALUE_FLOAT:
        return XXH3_128bits_withSeed(&value->of.f32, sizeof(value->of.f32), seed);
    case SL_GNMI_VALUE_DOUBLE:
        return XXH3_128bits_withSeed(&value->of.f64, sizeof(value->of.f64), seed);
    case SL_GNMI_VALUE_DECIMAL:
        return XXH3_128bits_withSeed(&value->of.decimal.digits, sizeof(value->of.decimal.digits),
                                     seed | (uint64_t)value->of.decimal.precision << 8);
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        break;
    }
    return XXH3_128bits_withSeed(value->of.bytes.data ? value->of.bytes.data : "",
                                 value->of.bytes.len, seed);
}

static enum sl_rule_verdict pass_changes(const void *rule, void *state,
                                         struct sl_rule_update *update)
{
    const struct deduplicate *deduplicate = rule;
    struct last_value *last = state;

    if (!last) {
        return SL_RULE_PASS;
    }
    XXH128_hash_t hash = hash_value(&update->value);
    bool is_same = last->has_passed && XXH128_isEqual(hash, last->hash);
    bool is_due = deduplicate->heartbeat_ns &&
                  is_later(update->received_ns, last->received_ns, deduplicate->heartbeat_ns);

    if (is_same && !is_due && !update->is_atomic) {
        return SL_RULE_FILTER;
    }
    *last = (struct last_value){hash, update->received_ns, true};
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_deduplicate = {
    .name = "deduplicate",
    .purpose =
        "Takes out values that are the path's last one again; atomic notifications stay whole.",
    .example = "{kind: deduplicate, path: /interfaces/..., heartbeat: 1m}",
    .before = "0s /interfaces/interface[name=e1]/state/oper-status string \"UP\"\n"
              "10s /interfaces/interface[name=e1]/state/oper-status string \"UP\"\n"
              "20s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n"
              "30s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n"
              "80s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n"
              "81s delete /interfaces/interface[name=e1]\n"
              "82s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n",
    .after = "0s /interfaces/interface[name=e1]/state/oper-status string \"UP\"\n"
             "20s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n"
             "80s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n"
             "81s delete /interfaces/interface[name=e1]\n"
             "82s /interfaces/interface[name=e1]/state/oper-status string \"DOWN\"\n",
    .options = deduplicate_options,
    .options_size = sizeof(struct deduplicate),
    .state_size = sizeof(struct last_value),
    .apply = pass_changes,
};

/* ---- timestamp ---- */

struct timestamp {
    int policy;
    int64_t max_skew_ns;
};

/* In the order of enum sl_clock_policy, from SL_CLOCK_DEVICE on. */
static const char *const policies[] = {"device", "receive", "clamp", NULL};

static const struct sluice_option timestamp_options[] = {
    {.name = "policy",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct timestamp, policy),
     .names = policies,
     .is_required = true,
     .doc = "device: as it is; receive: sluice's clock; clamp: the device's where it is within "
            "max-skew of sluice's, else the nearest that is."},
    {.name = "max-skew",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct timestamp, max_skew_ns),
     .default_text = "1m",
     .max = 366 * 24 * 3600 * SL_NS_PER_S,
     .doc = "With clamp."},
    {.name = NULL},
};

static int64_t settle(const void *rule, int64_t timestamp_ns, int64_t received_ns)
{
    const struct timestamp *timestamp = rule;

    return sl_clock_settle((enum sl_clock_policy)(SL_CLOCK_DEVICE + timestamp->policy),
                           timestamp->max_skew_ns, timestamp_ns, received_ns);
}

const struct sl_rule_kind sl_rule_timestamp = {
    .name = "timestamp",
    .purpose =
        "Gives a notification with such a path another time (of several paths: the first's).",
    .example = "{kind: timestamp, path: /system/..., policy: clamp, max-skew: 10s}",
    .before = "100s sent 95s /system/state/up-time uint 1\n"
              "100s sent 20s /system/state/up-time uint 2\n"
              "100s sent 20s /interfaces/interface[name=e1]/state/mtu uint 3\n",
    .after = "100s sent 95s /system/state/up-time uint 1\n"
             "100s sent 90s /system/state/up-time uint 2\n"
             "100s sent 20s /interfaces/interface[name=e1]/state/mtu uint 3\n",
    .options = timestamp_options,
    .options_size = sizeof(struct timestamp),
    .timestamp = settle,
};
