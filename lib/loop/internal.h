/* internal.h - what the files of lib/loop need of each other. */
#ifndef SLUICE_LOOP_INTERNAL_H
#define SLUICE_LOOP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "loop/loop.h"

/* All timers of a loop. */
struct sl_timers {
    uv_timer_t uv;          /* for the first of them */
    struct sl_timer **heap; /* those that are armed */
    size_t count;
    size_t capacity; /* of the heap */
    size_t made;     /* timers that exist */
    uint64_t starts;
    uint64_t set_ms; /* when `uv` fires; UINT64_MAX: it does not */
    bool is_firing;
};

void sl_timers_init(struct sl_timers *timers, uv_loop_t *uv);
void sl_timers_fini(struct sl_timers *timers); /* after `uv` is closed; none may be armed */

struct sl_timers *sl_loop_timers(struct sl_loop *loop);

/* Outside of a run libuv's clock stands still: reads it, so that a timer started now counts from
 * now. */
void sl_loop_freshen(struct sl_loop *loop);

#endif
