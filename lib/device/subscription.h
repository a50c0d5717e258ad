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
};

struct sl_device_subscription {
    char target[SL_DEVICE_MAX_TARGET_BYTES]; /* prefix.target; "" : none */
    char path[SL_DEVICE_MAX_STREAM_PATH_BYTES];
    uint32_t *leaves; /* the selected leaves in ascending order; NULL: all, or none */
    uint32_t leaf_count;
    int64_t interval_ns; /* the shortest of the paths' */
    bool is_sampled;     /* every path is SAMPLE and names its interval */
    bool updates_only;   /* no initial dump */
};

/* INVALID_ARGUMENT when the bytes are not a valid first message, UNIMPLEMENTED when they ask for
 * what the simulator does not do (ONCE, POLL, an encoding other than PROTO), RESOURCE_EXHAUSTED
 * when a limit above is passed. After an error there is nothing to `fini`. */
struct sl_status sl_device_subscription_init(struct sl_device_subscription *subscription,
                                             struct sl_str request,
                                             const struct sl_device_leaves *table) SL_MUST_CHECK;
void sl_device_subscription_fini(struct sl_device_subscription *subscription);

#endif
