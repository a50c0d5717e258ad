/* worker.h - one thread with its own loop, devices, sinks and budget.
 *
 * A device belongs to one worker; nothing is shared between workers, so nothing is locked. Other
 * threads reach a worker only through its loop's mailbox: drain, abort and snapshot post there.
 */
#ifndef SLUICE_DAEMON_WORKER_H
#define SLUICE_DAEMON_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "daemon/settings.h"
#include "daemon/snapshot.h"
#include "target/target.h"

struct sl_worker;

enum { SL_WORKER_ANSWER_MS = 2000 }; /* a worker that answers later than this is not healthy */

/* Opens the sinks and makes the targets of settings->targets whose worker is `index`; nothing dials
 * yet. Holds the settings. NULL: `why`. */
struct sl_worker *sl_worker_new(struct sl_settings *settings, unsigned index,
                                struct sl_status *why) SL_MUST_CHECK;

/* Starts the thread, which dials. `on_done(arg)` comes on that thread when it has drained; by
 * itself it drains when all targets of the settings replay captures, and its own are over. */
bool sl_worker_start(struct sl_worker *worker, void (*on_done)(void *arg), void *arg) SL_MUST_CHECK;

/* What the thread does before it runs the loop: opens the targets. For who runs the loop by
 * themselves instead of starting a thread; the drain then ends with `on_done`. */
void sl_worker_open(struct sl_worker *worker, void (*on_done)(void *arg), void *arg);

/* Before the start: `on_over(arg)` comes on the worker's thread when a required sink will never
 * take records again, and nothing but the end is left. */
void sl_worker_on_over(struct sl_worker *worker, void (*on_over)(void *arg), void *arg);

/* Any thread: no more credit, wait for what is held at most shutdown-timeout, then end. */
void sl_worker_drain(struct sl_worker *worker);

/* Any thread, while it runs, one change after the other: makes what other settings need beside what
 * runs, then `on_step(arg)` on the worker's thread. `difference` outlives the change. */
struct sl_difference;
void sl_worker_prepare(struct sl_worker *worker, const struct sl_difference *difference,
                       void (*on_step)(void *arg), void *arg);

/* Once prepared: whether it was possible; else `why`. */
bool sl_worker_is_prepared(const struct sl_worker *worker, struct sl_status *why);

/* Any thread: goes over to what was prepared, or drops it; then `on_step` comes once more. What has
 * to wait for sinks comes into force by itself. */
void sl_worker_commit(struct sl_worker *worker, bool goes);

/* Waits for the thread's end, if it was started. */
void sl_worker_join(struct sl_worker *worker);

/* After the join: a replay's file was damaged, or a required sink was over. */
bool sl_worker_has_failed(const struct sl_worker *worker);

/* Any thread, while it runs: asks the worker for a snapshot. False when it does not answer within
 * SL_WORKER_ANSWER_MS. */
bool sl_worker_ask(struct sl_worker *worker, struct sl_snapshot *snapshot) SL_MUST_CHECK;
/* The same, with the partitions of its sinks. */
bool sl_worker_ask_partitions(struct sl_worker *worker, struct sl_snapshot *snapshot) SL_MUST_CHECK;

/* Any thread, while it runs: has its target of that name do what `command` says. False when it does
 * not answer within SL_WORKER_ANSWER_MS: then it may still be done. */
enum sl_worker_outcome {
    SL_WORKER_NO_TARGET, /* none of its own */
    SL_WORKER_DONE,
    SL_WORKER_REFUSED, /* sl_target_command */
};
bool sl_worker_command(struct sl_worker *worker, const char *target, enum sl_target_command command,
                       enum sl_worker_outcome *outcome) SL_MUST_CHECK;

/* After the join, or on the worker's thread. False when memory is out. */
bool sl_worker_snapshot(struct sl_worker *worker, struct sl_snapshot *snapshot) SL_MUST_CHECK;
/* Adds the partitions of the sinks to its snapshot. False when memory is out. */
bool sl_worker_add_partitions(struct sl_worker *worker, struct sl_snapshot *snapshot) SL_MUST_CHECK;

/* What it runs on. */
struct sl_loop *sl_worker_loop(const struct sl_worker *worker);

/* Its devices. On its thread. */
size_t sl_worker_targets(const struct sl_worker *worker);
struct sl_target *sl_worker_target(const struct sl_worker *worker, size_t i);

/* After the join, or when it was never started. */
void sl_worker_free(struct sl_worker *worker);

#endif
