/* pulse.h - whether every worker answers, and what they are at, told to the service manager.
 *
 * Each turn every worker is asked, through its loop, to count what it has. Once all have answered
 * the manager gets WATCHDOG=1 and a status line, and the next turn begins. A worker that does not
 * answer is named in the status line instead, and the manager's watchdog runs out.
 *
 * Belongs to one loop; a worker touches its own answer alone, and only between question and answer.
 * Where nobody listens (notify.h) there is none of it.
 */
#ifndef SLUICE_DAEMON_PULSE_H
#define SLUICE_DAEMON_PULSE_H

#include <stdatomic.h>

#include "base/base.h"
#include "daemon/worker.h"
#include "loop/loop.h"

struct sl_pulse;

enum {
    SL_PULSE_MS = 10 * 1000
}; /* from turn to turn, at most; or a third of the watchdog's time */

/* Whether there is anybody to tell. */
bool sl_pulse_is_wanted(void);

/* Asks for the first time. `workers` run. `done`: how many of them have drained, and do not answer
 * any more; that is no fault. Both outlive it. NULL when memory is out. */
struct sl_pulse *sl_pulse_new(struct sl_loop *loop, struct sl_worker *const *workers,
                              unsigned count, const atomic_uint *done) SL_MUST_CHECK;

/* After the workers are freed: a question may wait in a loop until then. NULL is nothing. */
void sl_pulse_free(struct sl_pulse *pulse);

/* Stops asking, on its loop. The workers may still run. NULL is nothing. */
void sl_pulse_stop(struct sl_pulse *pulse);

#endif
