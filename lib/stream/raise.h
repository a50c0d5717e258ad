/* raise.h - the end of an epoch that a sink could not keep: SLUICE_RESTARTED.
 *
 * A sink that had to start anew has lost records, and cannot say which of those that it had out are
 * at their destination. What the stream gave it after them in the same epoch would stand behind a
 * hole, so nothing more of that epoch is given to it: the call is ended, what waits for the sink
 * (lines of a batch, markers) is given up, and the stream subscribes anew, with a larger epoch.
 * There one gap, "sink-restart", tells all that the route lost, in place of "reconnect" and of the
 * reasons by themselves. The stream's other sinks see an ordinary reconnect. A sink that is not
 * required ends no epoch: what it lost is a gap in this one.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_RAISE_H
#define SLUICE_STREAM_RAISE_H

#include <stdint.h>

struct sl_route;
struct sl_stream;

/* The route's sink lost a record that is as old as `lost_ns` says (wall clock of its receipt). */
void sl_raise_note(struct sl_stream *stream, struct sl_route *route, int64_t lost_ns);

/* The call has ended, and what was half offered is counted: gives up what still waits for sinks
 * that lost something. */
void sl_raise_end(struct sl_stream *stream);

#endif
