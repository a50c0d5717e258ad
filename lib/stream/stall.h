/* stall.h - what becomes of a stream whose sinks stand still: the policy of its subscription.
 *
 * A stream stands still when its device has had no credit for `after_ns`. Then, by policy,
 *
 *     block        nothing: the device waits. Should it end the RPC, the stream subscribes anew
 *                  when its sinks have taken all that it gave them
 *     resubscribe  the RPC is cancelled, and made again at that time; the gap marker says "stalled"
 *     conflate     each route that is stalled keeps its updates in a store (store.h), the newest of
 *                  each path; the device is given a small window all the time
 *     shed         the same with room for nothing
 *
 * A route is stalled when its sink has records of it and says nothing of them, or is full; the
 * other routes of the stream go on with every message. What a route keeps is held, in the ledger's
 * words; what it cannot keep is dropped, reason "conflated" or "shed". Stores of a stream cost no
 * more than its largest window (credit.max), nor more than its worker has left.
 *
 * When the sink has acknowledged all that it had, and is not full, what is kept leaves as messages,
 * by the route's ordinary way, rules and batch included; meanwhile newer messages for the route
 * wait in the call. Then come the markers: the sync_response if that was kept, one gap for each
 * reason, and the end of the RPC if that has ended; then the stream goes on. A route that stands
 * still again while it empties its store keeps on where it was.
 *
 * A message of which a part was with the sink when the route began to keep leaves first, as it was:
 * the rest of it is not conflated.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_STALL_H
#define SLUICE_STREAM_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/machine.h"

struct sl_gnmi_response;
struct sl_route;
struct sl_status;
struct sl_stream;

enum sl_stall_policy {
    SL_STALL_BLOCK,
    SL_STALL_RESUBSCRIBE,
    SL_STALL_CONFLATE,
    SL_STALL_SHED,
};

extern const char *const sl_stall_policy_names[]; /* ends with NULL */

struct sl_stall_config {
    enum sl_stall_policy policy;
    int64_t after_ns;
};

/* A route's part of it. */
enum sl_stall_state {
    SL_STALL_NONE,
    SL_STALL_OPEN, /* messages become records */
    SL_STALL_KEEPING,
    SL_STALL_LEAVING, /* what was kept leaves, what comes waits */
};

enum { SL_STALL_STATES = SL_STALL_LEAVING + 1 };

enum sl_stall_event {
    SL_STALL_STALLED, /* no credit for so long, and the route is to blame */
    SL_STALL_ROOM,    /* its sink takes again */
    SL_STALL_EMPTY,   /* nothing is kept any more */
};

enum { SL_STALL_EVENTS = SL_STALL_EMPTY + 1 };

extern const struct sl_machine sl_stall_machine;
const char *sl_stall_state_name(enum sl_stall_state state); /* "keeping" */

enum sl_stall_state sl_stall_state(const struct sl_route *route);

/* Updates and deletes that the route keeps. */
uint64_t sl_stall_kept(const struct sl_route *route);

/* The end of a turn of the loop: whether the device waits for credit. */
void sl_stall_note_blocked(struct sl_stream *stream, bool is_blocked);

/* The stream's stall timer. */
void sl_stall_on_timer(void *arg);

/* Some route keeps what comes, so that the device is to go on whatever is held; and how much window
 * to announce for that beyond what the ledger lets out. */
bool sl_stall_is_keeping(const struct sl_stream *stream);
uint32_t sl_stall_extend(struct sl_stream *stream);

/* So it is, and a message that has begun to come may be lent what it lacks. */
bool sl_stall_may_lend(const struct sl_stream *stream);

/* The route is not as usual: its markers are made when what it keeps has left. */
bool sl_stall_is_on(const struct sl_route *route);

/* What is left of the part of the message under way that is for the route: records are made of it,
 * as sl_stream_give_part does, or it is kept. False: it has to wait, for the sink is full, or for
 * what was kept before it. */
bool sl_stall_give(struct sl_stream *stream, struct sl_route *route,
                   const struct sl_gnmi_response *part) SL_MUST_CHECK;

/* A sync_response came, the first of the epoch. */
void sl_stall_note_synced(struct sl_route *route);

/* The RPC has ended: which is told when all that is kept has left. `is_held`: a sink, or want of
 * credit, held it at the end. */
void sl_stall_note_end(struct sl_stream *stream, const struct sl_status *why, bool is_held);

/* Sinks may have room: lets out what they take of what is kept. Not from within a message. */
void sl_stall_go_on(struct sl_stream *stream);

/* A sink has said that it has room after it was full. */
void sl_stall_sink_ready(struct sl_stream *stream);

/* No route keeps anything. */
bool sl_stall_is_over(const struct sl_stream *stream);

/* An RPC that was held when it ended: its sinks still have records of it. */
bool sl_stall_must_wait(struct sl_stream *stream);

/* Gives up what the route keeps, if it does, and says nothing: that goes to `counter`, of the
 * route's. And what all do: dropped, reason "closed". */
void sl_stall_give_up(struct sl_stream *stream, struct sl_route *route, uint64_t *counter);
void sl_stall_drop(struct sl_stream *stream);

#endif
