/* mark.h - a stream's own words on their way to its sinks: the markers of normalise/marker.h.
 *
 * A marker takes the next number of its route when it is made, and goes where the record before it
 * went. It holds none of the device's window. While its sink is full it waits; no record of the
 * route passes it, and the stream does not subscribe anew before it is gone. So few wait at once:
 * those of one epoch, and of losses one for each reason.
 *
 * connected comes with the first message of an epoch, and with it a gap: `reconnect`, or `start` in
 * the first one, because what was before it this process did not see; disconnected when an epoch
 * that was connected ends. What was lost is told at the end of a turn of the loop, and at the end
 * of the epoch; by which counters of the route have grown since it was told last. Losses of a
 * marker are no gap.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_MARK_H
#define SLUICE_STREAM_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/status.h"

struct sl_gnmi_response;
struct sl_route;
struct sl_route_place;
struct sl_stream;

struct sl_mark_counts {
    uint64_t made;
    uint64_t published;
    uint64_t dropped; /* given up by the sink, or by us: no memory, or the stream's end */
};

/* A message begins; of one that is no SubscribeResponse `response` is an empty one. */
void sl_mark_message(struct sl_stream *stream, const struct sl_gnmi_response *response);

/* The baseline is whole: before the record of the sync_response. */
void sl_mark_synced(struct sl_stream *stream);

/* The same for one route that kept the sync_response (stall.h) until now. */
void sl_mark_synced_late(struct sl_stream *stream, struct sl_route *route);

/* Tells what was lost since it was told last. */
void sl_mark_gaps(struct sl_stream *stream);

void sl_mark_stale(struct sl_stream *stream, int64_t since_ns);
void sl_mark_resumed(struct sl_stream *stream, int64_t since_ns);

/* The call has ended: all of its records are made. */
void sl_mark_disconnected(struct sl_stream *stream, const struct sl_status *why);

/* All that the route kept has left: what was not said meanwhile. `end`: why the call has ended;
 * NULL: it has not. */
void sl_mark_stall_over(struct sl_stream *stream, struct sl_route *route, bool owes_sync,
                        const struct sl_status *end);

/* A batch with these numbers, behind which markers wait that have theirs, goes no further: a marker
 * of its own takes its place, so that no number is missing. Without memory for it some are. */
void sl_mark_fill(struct sl_stream *stream, struct sl_route *route, struct sl_route_place *place,
                  uint64_t seq, uint32_t lines);

/* Offers what waits. False: some waits on. */
bool sl_mark_give(struct sl_stream *stream, struct sl_route *route);
bool sl_mark_give_all(struct sl_stream *stream);

/* Gives up what waits, of one route or of all. */
void sl_mark_give_up(struct sl_route *route);
void sl_mark_drop(struct sl_stream *stream);

#endif
