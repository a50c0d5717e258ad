/* pace.h - how often something may begin: so many a second, and a burst above that.
 *
 * Whoever wants to begin takes a turn and is told when it is: now, or later, in the order of the
 * asking. Over any span of time no more than rate × span + burst turns come. A turn that is not
 * used is lost. (Virtual scheduling, as ITU-T I.371 annex A has it.)
 *
 * Pure arithmetic: no clock, no lock.
 */
#ifndef SLUICE_TARGET_PACE_H
#define SLUICE_TARGET_PACE_H

#include <stdint.h>

struct sl_pace {
    int64_t interval_ns; /* from turn to turn; 0: no limit */
    int64_t ahead_ns;    /* how much earlier than its place a turn may come, for the burst */
    int64_t next_ns;     /* the place of the next turn, or in the past */
};

/* `rate` a second, 0: no limit; `burst` of them at once, at least 1. Also while turns are out: they
 * stay when they are. Zeroed storage has no limit. */
void sl_pace_set(struct sl_pace *pace, int64_t rate, int64_t burst);

/* The time of a turn, not before `now_ns`. */
int64_t sl_pace_take(struct sl_pace *pace, int64_t now_ns);

#endif
