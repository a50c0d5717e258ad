/* backoff.h - how long to wait before trying again: exponential, with full jitter.
 *
 * The n-th wait in a row is drawn evenly from 0 to min(max, min × 2^(n-1)), so that a thousand
 * devices that lost one router do not come back in step.
 */
#ifndef SLUICE_BASE_BACKOFF_H
#define SLUICE_BASE_BACKOFF_H

#include <stdint.h>

struct sl_backoff {
    uint64_t min_ms;
    uint64_t max_ms;
    unsigned failures; /* in a row */
};

void sl_backoff_init(struct sl_backoff *backoff, uint64_t min_ms, uint64_t max_ms);

/* Counts a failure and draws the wait for it, in milliseconds. */
uint64_t sl_backoff_next(struct sl_backoff *backoff);

/* What was tried has worked, and for so long. Longer than the longest wait: the next failure is the
 * first again. What breaks sooner is tried at ever longer intervals, however well it began. */
void sl_backoff_lasted(struct sl_backoff *backoff, uint64_t lasted_ms);

#endif
