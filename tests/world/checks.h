/* checks.h - the promises of the core, held against the book after each event.
 *
 * What is looked at is what the core tells of itself (sl_stream_view: the ledger as metrics and the
 * report at exit have it) and what devices and brokers have seen:
 *
 *     ledger     received = published + filtered + dropped + held, for each route; what is
 * published is what brokers have acknowledged, and what is lost by a sink what they refused credit
 * a device never has more window than the ledger has granted; what is made of bytes that are in the
 * ledger as free has been acknowledged bound      what is held for a stream is within its limit
 * plus one message, and what all hold within collector.memory isolation  a stream whose own way is
 * clear goes on, whatever else stands still
 *
 * Order, epochs and gaps are the book's.
 */
#ifndef SLUICE_TESTS_WORLD_CHECKS_H
#define SLUICE_TESTS_WORLD_CHECKS_H

#include "world/run.h"

struct checks *checks_new(struct run *run);
void checks_free(struct checks *checks);

/* After something happened. */
void checks_after_event(struct checks *checks);

/* After a turn: what takes time. */
void checks_after_turn(struct checks *checks);

/* Something begins or ends to be wrong with the way of these streams; `by` is 1, -1, or 0 for what
 * happens once. PLAN_DEVICES, PLAN_STREAMS, PLAN_SINKS: any. */
void checks_touch(struct checks *checks, unsigned device, unsigned stream, unsigned sink, int by);

/* A device's target is closed on purpose: nothing is expected of it any more. */
void checks_forget(struct checks *checks, unsigned device);

/* All streams of which something is expected have given a sink something since `since_ns`. */
bool checks_all_went_on(const struct checks *checks, int64_t since_ns);

/* Nothing is held or on its way, and all is as if nothing had ever been. */
bool checks_are_still(const struct checks *checks);
void checks_at_rest(struct checks *checks);

/* The worker has drained: `is_late` when it did not wait for everything. */
void checks_at_end(struct checks *checks, bool is_late);

#endif
