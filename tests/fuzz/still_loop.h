/* still_loop.h - loop/loop.h without descriptors, whose clock stands until it is moved: time is
 * a part of a fuzzer's input.
 *
 * Of loop.h there is what calls use: deferred work, timers, the clock. Linked before sl_loop, whose
 * objects stay out then.
 */
#ifndef SLUICE_TESTS_FUZZ_STILL_LOOP_H
#define SLUICE_TESTS_FUZZ_STILL_LOOP_H

#include "loop/loop.h"

/* One turn, so much later: timers that are due, then what is deferred. */
void still_loop_turn(struct sl_loop *loop, uint64_t later_ms);

#endif
