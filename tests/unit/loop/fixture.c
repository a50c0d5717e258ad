#include "fixture.h"

#include <string.h>

void add_trace(struct world *world, char letter)
{
    size_t len = strlen(world->trace);

    assert_true(len + 1 < sizeof(world->trace));
    world->trace[len] = letter;
}

static void on_guard(void *arg)
{
    (void)arg;
    fail_msg("%s", "nothing came for too long");
}

void open_world(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->loop = sl_loop_new();
    assert_non_null(world->loop);
    world->guard = sl_timer_new(world->loop, on_guard, NULL);
    assert_non_null(world->guard);
    sl_timer_start(world->guard, GUARD_MS);
}

void close_world(struct world *world)
{
    sl_timer_free(world->guard);
    sl_loop_free(world->loop);
}

void stop(void *arg)
{
    struct world *world = arg;

    sl_loop_stop(world->loop);
}

void trace_a(void *arg)
{
    add_trace(arg, 'a');
}

void trace_b(void *arg)
{
    add_trace(arg, 'b');
}

void trace_c_and_stop(void *arg)
{
    add_trace(arg, 'c');
    stop(arg);
}
