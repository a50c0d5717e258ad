#include "test.h"

#include "credit/credit.h"
#include "credit/growth.h"

enum { FIRST = 64 * 1024, MOST = 2 * 1024 * 1024 };

/* A device at the end of a link, behind a sink that takes so long to acknowledge. */
struct scene {
    struct sl_growth growth;
    int64_t now_ns;
    uint64_t charged;
    bool is_urgent;
};

static struct scene a_scene(void)
{
    struct scene scene = {.now_ns = 1};

    sl_growth_init(&scene.growth, FIRST, MOST);
    sl_growth_open(&scene.growth);
    return scene;
}

static void look(struct scene *scene, uint32_t held, bool is_limited, bool may_grow)
{
    const struct sl_growth_look what = {.now_ns = scene->now_ns,
                                        .charged_bytes = scene->charged,
                                        .held_bytes = held,
                                        .is_limited = is_limited,
                                        .may_grow = may_grow,
                                        .is_urgent = scene->is_urgent};

    sl_growth_look(&scene->growth, &what);
}

/* A window's worth arrives, is held, and is acknowledged `ack_ms` later. */
static void pass_window(struct scene *scene, uint32_t bytes, int ack_ms, bool may_grow)
{
    scene->charged += bytes;
    look(scene, bytes, true, may_grow);
    scene->now_ns += ack_ms * SL_NS_PER_MS;
    look(scene, 0, true, may_grow);
}

static void a_limited_stream_with_quick_acknowledgements_doubles_up_to_the_most(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 100; i++) {
        uint32_t before = scene.growth.window_bytes;
        pass_window(&scene, before, 100, true);
        assert_true(scene.growth.window_bytes <= before * 2);
    }
    assert_int_equal(scene.growth.window_bytes, MOST);
    assert_int_equal(scene.growth.doublings, 5);
}

static void a_slow_sink_gets_no_longer_a_queue(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 100; i++) {
        pass_window(&scene, FIRST, SL_GROWTH_QUICK_MS + 1, true);
    }
    assert_int_equal(scene.growth.window_bytes, FIRST);
    assert_false(scene.growth.is_quick);
}

static void an_urgent_stream_grows_all_the_same_as_far_as_there_is_memory(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    scene.is_urgent = true;
    pass_window(&scene, FIRST, SL_GROWTH_QUICK_MS + 1, false);
    assert_int_equal(scene.growth.window_bytes, FIRST);
    pass_window(&scene, FIRST, SL_GROWTH_QUICK_MS + 1, true);
    assert_true(scene.growth.window_bytes > FIRST);
    for (int i = 0; i < 100; i++) {
        pass_window(&scene, scene.growth.window_bytes, 2 * SL_GROWTH_QUICK_MS, true);
    }
    assert_int_equal(scene.growth.window_bytes, MOST); /* each twice as fast */
    assert_false(scene.growth.is_quick);
}

static void who_is_not_limited_does_not_grow(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 100; i++) {
        scene.charged += FIRST / 4;
        look(&scene, FIRST / 4, false, true);
        scene.now_ns += 10 * SL_NS_PER_MS;
        look(&scene, 0, false, true);
    }
    assert_int_equal(scene.growth.window_bytes, FIRST);
    assert_true(scene.growth.is_quick);
}

static void without_memory_for_it_no_window_grows(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 100; i++) {
        pass_window(&scene, FIRST, 10, false);
    }
    assert_int_equal(scene.growth.window_bytes, FIRST);
}

/* What comes is always as much a second: the sink or the processor is what limits. */
static void beyond_what_is_free_a_doubling_that_brings_nothing_is_taken_back(void **state)
{
    struct scene scene = a_scene();
    uint32_t most = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        pass_window(&scene, FIRST, 10, true);
        most = scene.growth.window_bytes > most ? scene.growth.window_bytes : most;
    }
    assert_int_equal(most, SL_GROWTH_FREE_BYTES * 2); /* tried, once */
    assert_int_equal(scene.growth.window_bytes, SL_GROWTH_FREE_BYTES);
    assert_true(scene.growth.pause_sweeps > 0);
    for (int i = 0; i < SL_GROWTH_PAUSE_SWEEPS; i++) {
        sl_growth_sweep(&scene.growth, scene.now_ns, false);
        pass_window(&scene, SL_GROWTH_FREE_BYTES, 1, true);
    }
    assert_int_equal(scene.growth.pause_sweeps, 0); /* it may be tried again */
}

static void a_calm_stream_shrinks_to_where_it_began_and_under_pressure_to_the_floor(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 20; i++) {
        pass_window(&scene, scene.growth.window_bytes, 100, true);
    }
    sl_growth_sweep(&scene.growth, scene.now_ns, false);
    assert_false(sl_growth_is_calm(&scene.growth));
    for (int i = 0; i < SL_GROWTH_CALM_SWEEPS; i++) {
        assert_false(sl_growth_is_calm(&scene.growth));
        sl_growth_sweep(&scene.growth, scene.now_ns, false);
    }
    assert_true(sl_growth_is_calm(&scene.growth));
    assert_int_equal(scene.growth.window_bytes, MOST);
    sl_growth_sweep(&scene.growth, scene.now_ns, false);
    assert_int_equal(scene.growth.window_bytes, MOST / 2);
    for (int i = 0; i < 20; i++) {
        sl_growth_sweep(&scene.growth, scene.now_ns, false);
    }
    assert_int_equal(scene.growth.window_bytes, FIRST);
    for (int i = 0; i < 20; i++) {
        sl_growth_sweep(&scene.growth, scene.now_ns, true);
    }
    assert_int_equal(scene.growth.window_bytes, SL_CREDIT_FLOOR_BYTES);
    look(&scene, 0, true, true); /* it wants more than that: at once what it began with */
    assert_int_equal(scene.growth.window_bytes, FIRST);
    assert_false(sl_growth_is_calm(&scene.growth));
}

/* What comes between two sweeps is little, but all of it is still held. */
static void a_stream_whose_window_is_held_is_not_calm(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (uint32_t held = FIRST / 2; held < FIRST; held += FIRST / 100) {
        scene.charged += FIRST / 100;
        look(&scene, held, false, true);
        sl_growth_sweep(&scene.growth, scene.now_ns, true);
        assert_false(sl_growth_is_calm(&scene.growth));
    }
    assert_int_equal(scene.growth.window_bytes, FIRST);
}

static void acknowledgements_that_do_not_come_are_not_quick(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    pass_window(&scene, FIRST, 10, true);
    assert_true(scene.growth.is_quick);
    scene.charged += FIRST;
    look(&scene, FIRST, true, true);
    scene.now_ns += (SL_GROWTH_QUICK_MS + 1) * SL_NS_PER_MS;
    sl_growth_sweep(&scene.growth, scene.now_ns, false);
    assert_false(scene.growth.is_quick);
}

static void a_new_rpc_starts_small_again(void **state)
{
    struct scene scene = a_scene();

    (void)state;
    for (int i = 0; i < 20; i++) {
        pass_window(&scene, scene.growth.window_bytes, 100, true);
    }
    sl_growth_open(&scene.growth);
    assert_int_equal(scene.growth.window_bytes, FIRST);
    assert_false(scene.growth.is_quick);
}

static void the_most_is_never_below_the_first(void **state)
{
    struct sl_growth growth;

    (void)state;
    sl_growth_init(&growth, 1024 * 1024, 0);
    assert_int_equal(growth.max_bytes, 1024 * 1024);
    sl_growth_init(&growth, FIRST, UINT64_MAX);
    assert_int_equal(growth.max_bytes, SL_GIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limited_stream_with_quick_acknowledgements_doubles_up_to_the_most),
        cmocka_unit_test(a_slow_sink_gets_no_longer_a_queue),
        cmocka_unit_test(an_urgent_stream_grows_all_the_same_as_far_as_there_is_memory),
        cmocka_unit_test(who_is_not_limited_does_not_grow),
        cmocka_unit_test(without_memory_for_it_no_window_grows),
        cmocka_unit_test(beyond_what_is_free_a_doubling_that_brings_nothing_is_taken_back),
        cmocka_unit_test(a_calm_stream_shrinks_to_where_it_began_and_under_pressure_to_the_floor),
        cmocka_unit_test(a_stream_whose_window_is_held_is_not_calm),
        cmocka_unit_test(acknowledgements_that_do_not_come_are_not_quick),
        cmocka_unit_test(a_new_rpc_starts_small_again),
        cmocka_unit_test(the_most_is_never_below_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
