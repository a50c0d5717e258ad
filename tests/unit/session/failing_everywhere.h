/* failing_everywhere.h - one allocation of a whole program fails, the n-th from now: ours, and
 * those of nghttp2, OpenSSL and libuv, which can be told how to allocate.
 *
 * A program has two sides here, the collector and the device; of one of them, on whichever of its
 * threads, allocations are counted and one fails. libuv's realloc never does: it holds a loop's
 * table of descriptors, without which libuv aborts.
 *
 * For programs that are linked with SL_FAILING_LINK. */
#ifndef SLUICE_TESTS_SESSION_FAILING_EVERYWHERE_H
#define SLUICE_TESTS_SESSION_FAILING_EVERYWHERE_H

#include <stdbool.h>

enum failing_side { FAILING_COLLECTOR, FAILING_DEVICE };

/* Once, before the first loop. */
void failing_init(void);

/* Which side the calling thread belongs to; a new thread is the collector's. */
void failing_set_side(enum failing_side side);

/* From now on `count` allocations of that side succeed and the next fails, once. */
void failing_start(enum failing_side side, long count);
void failing_stop(void);
bool failing_has_failed(void); /* since the start */

/* Where the last one failed, as addresses of the program (for addr2line), on standard error. */
void failing_print_place(void);

#endif
