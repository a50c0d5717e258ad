/* fixture.h - one loop with a timer that fails a test which would hang, and callbacks that leave a
 * trace. */
#ifndef SLUICE_TESTS_UNIT_LOOP_FIXTURE_H
#define SLUICE_TESTS_UNIT_LOOP_FIXTURE_H

#include "test.h"

#include "loop/loop.h"

enum { GUARD_MS = 20000 };

struct world {
    struct sl_loop *loop;
    struct sl_timer *guard;
    char trace[64];
    size_t count;
};

void add_trace(struct world *world, char letter);
void open_world(struct world *world);
void close_world(struct world *world);

/* Of a struct world. */
void stop(void *arg);
void trace_a(void *arg);
void trace_b(void *arg);
void trace_c_and_stop(void *arg);

#endif
