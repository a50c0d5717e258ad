/* flow.h - one Subscribe RPC of a simulated device: dump, sync_response, then the flow, in which
 * each part of the subscription has its own pace (track.h) and all take turns.
 *
 * A flow makes messages while less than a handful of kilobytes wait in its send buffer, and makes
 * none while it is blocked: what it made before has not left although its connection has sent
 * everything it may. Messages that are due in the meantime wait or coalesce (device.h).
 */
#ifndef SLUICE_DEVICE_FLOW_H
#define SLUICE_DEVICE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/status.h"
#include "device/device.h"
#include "device/leaves.h"
#include "device/message.h"
#include "device/play.h"
#include "device/subscription.h"
#include "device/track.h"
#include "device/watch.h"
#include "device/world.h"
#include "grpc/call.h"
#include "loop/loop.h"

enum sl_device_phase {
    SL_DEVICE_ASKED, /* the call is there, its request not yet */
    SL_DEVICE_DUMP,
    SL_DEVICE_SYNC,
    SL_DEVICE_FLOW,
    SL_DEVICE_DONE,   /* sent its count */
    SL_DEVICE_ENDING, /* the status is on its way */
};

enum { SL_DEVICE_SESSION_BYTES = 17, SL_DEVICE_NAME_BYTES = 16 };

struct sl_device_flow {
    struct sl_list node;        /* its owner's */
    struct sl_list unsent_node; /* on `unsent` while something waits in the send buffer */
    struct sl_list *unsent;
    struct sl_device_world *world;
    struct sl_grpc_call *call;
    /* What goes on instead of the flow: of the tree, or of a capture. */
    struct sl_device_watch *watch;
    struct sl_device_play *play;
    struct sl_timer *timer;
    enum sl_device_phase phase;
    uint32_t device;
    struct sl_device_subscription subscription;
    char session[SL_DEVICE_SESSION_BYTES];

    uint64_t seq;
    uint64_t messages;
    uint64_t updates;
    uint64_t bytes;
    uint64_t duplicates;

    uint64_t random;                /* state of the generator of sizes */
    uint32_t next_size_bytes;       /* drawn and not sent yet; 0: none */
    struct sl_device_track *tracks; /* one for each part of the subscription; NULL: not begun */
    uint32_t turn;                  /* the track whose message comes next, when it has one due */

    bool is_reported; /* on_done was called */
    bool is_blocked;
    int64_t blocked_since_ns;
    int64_t blocked_ns; /* without the time since `blocked_since_ns` */
};

/* Takes over the call's events. `unsent` is the list of those flows of one connection that have
 * something in the send buffer. The flow is freed with its call. NULL when memory is out. */
struct sl_device_flow *sl_device_flow_new(struct sl_device_world *world, struct sl_grpc_call *call,
                                          uint32_t device, struct sl_list *unsent) SL_MUST_CHECK;

/* The connection has sent what it may; the flow was just taken off `unsent`. */
void sl_device_flow_sent(struct sl_device_flow *flow);

/* Ends the RPC with a status behind what is in the send buffer. Idempotent. */
void sl_device_flow_finish(struct sl_device_flow *flow, const struct sl_status *status);

/* False before the request was read: then there is nothing to report. */
bool sl_device_flow_is_begun(const struct sl_device_flow *flow);
int64_t sl_device_flow_blocked_ns(const struct sl_device_flow *flow);

/* `name` is room for the report's `device`. */
struct sl_device_report sl_device_flow_report(const struct sl_device_flow *flow,
                                              char name[SL_DEVICE_NAME_BYTES]);

#endif
