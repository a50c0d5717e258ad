/* watch.h - one Subscribe RPC on a device's data tree: ONCE, POLL, and STREAM.
 *
 * What has been told of the tree is a version of it, and so is what is to be told: a round walks
 * over both and says what differs, or everything. A STREAM that waits for changes takes the
 * versions one after the other, so that none is passed over while the store has it, and each has
 * its time; a SAMPLE takes what holds. The past (gnmi-history.md) is a version that does not hold
 * any more, or a row of them. With a config subscription (gnmi-config-subscriptions.md) state is
 * left out, and behind each version comes a sync_done with the ids of its commit. A depth
 * (gnmi-depth.md) ends what is told below each path.
 *
 * Values are one leaf in one update; a leaf that is gone is one delete. In the first round an
 * update has the time at which its leaf was set.
 */
#ifndef SLUICE_DEVICE_WATCH_H
#define SLUICE_DEVICE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "device/world.h"
#include "grpc/call.h"

struct sl_device_watch;

/* Whether this first message of a call asks for the tree, rather than for numbered messages: the
 * mode is not STREAM, the device was given data, or the request has one of the extensions above. */
bool sl_device_watch_is_asked(const struct sl_device_world *world,
                              const Gnmi__SubscribeRequest *request);

/* Takes `request`, at a port of `device` or of SL_DEVICE_BY_TARGET, and begins to send. What
 * becomes of the call is told by the functions below. NULL with the status that the call is to end
 * with; then the request is freed too. */
struct sl_device_watch *sl_device_watch_new(struct sl_device_world *world,
                                            struct sl_grpc_call *call, uint32_t device,
                                            Gnmi__SubscribeRequest *request,
                                            struct sl_status *why) SL_MUST_CHECK;
void sl_device_watch_free(struct sl_device_watch *watch); /* NULL: nothing */

/* A later message of the call. */
void sl_device_watch_message(struct sl_device_watch *watch, struct sl_str bytes);
void sl_device_watch_half_close(struct sl_device_watch *watch);
void sl_device_watch_writable(struct sl_device_watch *watch);

/* Sends nothing more and ends the call. Idempotent. */
void sl_device_watch_finish(struct sl_device_watch *watch, const struct sl_status *status);

#endif
