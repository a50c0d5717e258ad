/* subscription.h - what a collector asked of a simulated device.
 *
 * Reads a SubscribeRequest by protobuf-c, whose memory is bounded here: a request's messages do not
 * nest beyond what the schema says, but two bytes of request can become a hundred of memory.
 */
#ifndef SLUICE_DEVICE_SUBSCRIPTION_H
#define SLUICE_DEVICE_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "device/device.h"
#include "device/leaves.h"

enum {
    SL_DEVICE_MAX_SUBSCRIPTIONS = 64, /* paths of one request */
    SL_DEVICE_MAX_TARGET_BYTES = 256,
    SL_DEVICE_MAX_UNPACKED_BYTES = 8 * 1024 * 1024, /* of one request */
    SL_DEVICE_MAX_OVERLAP = 2, /* times all leaves: what the paths may select together */
    SL_DEVICE_MAX_QOS = 63,    /* a DSCP */
};

#define SL_DEVICE_MIN_INTERVAL_NS SL_NS_PER_MS
#define SL_DEVICE_MAX_INTERVAL_NS                                                                  \
    (INT64_C(366) * 24 * 3600 * SL_NS_PER_S) /* longer ones are so long */
/* How often values are looked at where the request does not say so: ON_CHANGE, and SAMPLE with
 * suppress_redundant and a sample_interval of 0. */
#define SL_DEVICE_LOOK_NS (100 * SL_NS_PER_MS)

/* The leaves that are to come at one pace. */
struct sl_device_part {
    struct sl_device_selection selection;
    uint32_t *leaves;     /* the selection's memory; NULL: it has none */
    int64_t interval_ns;  /* 0: at the pace of the options (device.h) */
    int64_t heartbeat_ns; /* with `only_changes`: all of them come this often; 0: never */
    bool only_changes;    /* what has not changed since it was sent last does not come */
};

struct sl_device_subscription {
    char target[SL_DEVICE_MAX_TARGET_BYTES]; /* prefix.target; "" : none */
    char path[SL_DEVICE_MAX_STREAM_PATH_BYTES];
    Gnmi__Encoding encoding;
    struct sl_device_part *parts; /* subscriptions of one pace are one part */
    uint32_t part_count;          /* at least one */
    bool updates_only;            /* no initial dump */
};

/* What of a list is wrong whatever the leaves are, as below; its mode is any. */
struct sl_status sl_device_subscription_check(const Gnmi__SubscriptionList *list) SL_MUST_CHECK;

/* What gnmi-specification.md 3.5.1 asks of a target, as far as a request can be wrong.
 *
 * INVALID_ARGUMENT when the bytes are not a valid first message, or say what has no meaning: a
 * sample_interval or heartbeat_interval below SL_DEVICE_MIN_INTERVAL_NS, a sample_interval with
 * TARGET_DEFINED, a mode or a model that is not known, a marking that is no DSCP, an origin in both
 * prefix and path. UNIMPLEMENTED when they ask for what the simulator does not do (ONCE, POLL, an
 * encoding that is not known), RESOURCE_EXHAUSTED when a limit above is passed. After an error
 * there is nothing to `fini`. */
struct sl_status sl_device_subscription_init(struct sl_device_subscription *subscription,
                                             struct sl_str request,
                                             const struct sl_device_leaves *table) SL_MUST_CHECK;
void sl_device_subscription_fini(struct sl_device_subscription *subscription);

#endif
