/* options.h - what a subscription of the configuration says.
 *
 * The names are gnmic's. What may be said together follows gnmi-specification.md 3.5.1.5.2: a
 * sample_interval and suppress_redundant belong to SAMPLE; a heartbeat_interval to ON_CHANGE, and
 * to SAMPLE as far as suppress_redundant holds samples back; TARGET_DEFINED leaves it to the target
 * what to do with one. And mixed-schema.md: an origin stands in the prefix or in the paths
 * ("origin:/a/b" in both, so that there is no option for it), and a prefix with elements stands
 * before paths of one origin. The checks are lib/daemon's.
 */
#ifndef SLUICE_STREAM_OPTIONS_H
#define SLUICE_STREAM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "credit/governor.h"
#include "gnmi/request.h"
#include "sluice_option.h"

/* Paths, and the way in which they are asked for. */
struct sl_ask_options {
    struct sluice_strings paths;
    int stream_mode; /* enum sl_gnmi_stream_mode: target-defined, on-change, sample */
    int64_t sample_interval_ns;
    int64_t heartbeat_interval_ns;
    bool suppress_redundant;
};

struct sl_extension_options {
    int64_t id;
    const char *message; /* base64 */
};

/* Of the names in paths: openconfig-interfaces:interfaces. */
enum sl_module_prefixes { SL_KEEP_MODULES, SL_STRIP_MODULES };

extern const char *const sl_module_prefixes_names[]; /* ends with NULL */

struct sl_subscription_options {
    struct sl_ask_options ask;
    struct sluice_list asks; /* of struct sl_ask_options: instead of `ask`, which is what they do
                                not say */
    const char *prefix;      /* "" : none */
    const char *target;      /* prefix.target; "" : none */
    const char *measurement; /* what Telegraf's formats call it; "" : its name */
    bool set_target;         /* prefix.target is the target's name */
    int mode;                /* only `stream` so far */
    int encoding;            /* enum sl_gnmi_encoding: json, bytes, proto, ascii, json_ietf, auto */
    bool updates_only;
    int64_t qos;               /* a DSCP; -1: none */
    struct sluice_list models; /* of struct sl_gnmi_model */
    struct {
        const char *start; /* points in time, as base/times.h has them; "" : the present */
        const char *end;
    } history;
    int64_t depth; /* 0: any */
    bool config_subscription;
    struct sluice_list extensions; /* of struct sl_extension_options */
    uint64_t max_message_bytes;
    struct {
        uint64_t initial_bytes; /* of a stream's window */
        uint64_t max_bytes;
    } credit;
    int priority; /* 0: what fits how it is asked; else 1 + enum sl_priority */
    struct {
        int policy; /* enum sl_clock_policy */
        int unit;   /* enum sl_clock_unit */
        int64_t max_skew_ns;
    } timestamps;
    struct {
        int64_t after_ns;
        int policy; /* enum sl_stall_policy */
    } stall;
    int64_t stale_after_ns;      /* 0: three of the longest interval that is asked for */
    int module_prefixes;         /* enum sl_module_prefixes */
    struct sluice_strings rules; /* names of lists */
    struct sluice_strings sinks; /* narrows the target's; none named: all of those */
};

/* After how long without a message the device is stale: what `stale-after` says; else three times
 * the longest of the intervals at which some path has to send, SL_STALE_MIN_NS at least; else,
 * where a path may be silent for ever, 0: never. */
int64_t sl_subscription_stale_after(const struct sl_subscription_options *options);

/* What `priority` says; else high where everything is on-change, for such a value comes once. */
enum sl_priority sl_subscription_priority(const struct sl_subscription_options *options);

#define SL_STALE_MIN_NS (INT64_C(10) * SL_NS_PER_S)

/* Ends with a NULL name. */
extern const struct sluice_option sl_subscription_table[];

#endif
