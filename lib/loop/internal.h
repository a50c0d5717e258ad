/* internal.h - what handles.c needs of loop.c. */
#ifndef SLUICE_LOOP_INTERNAL_H
#define SLUICE_LOOP_INTERNAL_H

struct sl_loop;

/* Outside of a run libuv's clock stands still: reads it, so that a timer started now counts from
 * now. */
void sl_loop_freshen(struct sl_loop *loop);

#endif
