/* play.h - one Subscribe RPC of a device that replays a capture (capture/source.h).
 *
 * Whatever was asked, what is sent is what the capture has, byte by byte, at its pace or as fast as
 * credit allows; a message that could not leave in time leaves when it can, and none is left out.
 * Where the capture has the end of a call, the RPC ends with that status, and the next RPC at the
 * device goes on behind it. At the end of the file see struct sl_device_replay.
 *
 * The file is read from the loop's thread, a chunk at a time.
 */
#ifndef SLUICE_DEVICE_PLAY_H
#define SLUICE_DEVICE_PLAY_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "device/world.h"
#include "grpc/call.h"

struct sl_device_play;

/* Takes over what becomes of the call, whose request has come, and begins to send; what happens to
 * the call is told by the functions below. NULL with the status that the call is to end with. */
struct sl_device_play *sl_device_play_new(struct sl_device_world *world, struct sl_grpc_call *call,
                                          struct sl_status *why) SL_MUST_CHECK;

/* The call is gone, with its last event's status: OK, and how far it came counts. NULL: nothing. */
void sl_device_play_free(struct sl_device_play *play, const struct sl_status *outcome);

void sl_device_play_writable(struct sl_device_play *play);

/* Sends nothing more and ends the call. Idempotent. */
void sl_device_play_finish(struct sl_device_play *play, const struct sl_status *status);

#endif
