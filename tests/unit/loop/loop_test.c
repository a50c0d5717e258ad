/* What every loop does, libuv's and the one of tests/world alike. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void timers_fire_in_the_order_of_their_times(void **state)
{
    struct world world;
    struct sl_timer *a, *b, *c;

    (void)state;
    open_world(&world);
    a = sl_timer_new(world.loop, trace_a, &world);
    b = sl_timer_new(world.loop, trace_b, &world);
    c = sl_timer_new(world.loop, trace_c_and_stop, &world);
    sl_timer_start(c, 20);
    sl_timer_start(b, 10);
    sl_timer_start(a, 1);
    assert_true(sl_timer_is_armed(a));
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "abc");
    assert_false(sl_timer_is_armed(a));
    sl_timer_free(a);
    sl_timer_free(b);
    sl_timer_free(c);
    close_world(&world);
}

static void timers_of_one_time_fire_in_the_order_of_their_starts(void **state)
{
    struct world world;
    struct sl_timer *a, *b, *c;

    (void)state;
    open_world(&world);
    a = sl_timer_new(world.loop, trace_a, &world);
    b = sl_timer_new(world.loop, trace_b, &world);
    c = sl_timer_new(world.loop, trace_c_and_stop, &world);
    sl_timer_start(b, 0);
    sl_timer_start(a, 0);
    sl_timer_start(c, 0);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "bac");
    sl_timer_free(a);
    sl_timer_free(b);
    sl_timer_free(c);
    close_world(&world);
}

/* Many timers, started in one turn, some again and some stopped; what fires is held against the
 * delays that they had last. */
enum { CROWD = 500, CROWD_MS = 30, CROWD_END = CROWD };

struct crowd;

struct one {
    struct crowd *crowd;
    struct sl_timer *timer;
    uint64_t delay_ms;
    size_t started; /* which start of all was its last; 0: it is stopped */
};

struct crowd {
    struct sl_loop *loop;
    struct one ones[CROWD + 1]; /* the last ends the run */
    size_t starts;
    size_t fired;
    const struct one *last;
};

static void crowd_fires(void *arg)
{
    struct one *one = arg;
    struct crowd *crowd = one->crowd;
    const struct one *last = crowd->last;

    assert_true(one->started > 0);
    if (last) {
        assert_true(last->delay_ms <= one->delay_ms);
        assert_true(last->delay_ms < one->delay_ms || last->started < one->started);
    }
    crowd->last = one;
    crowd->fired++;
    if (one == &crowd->ones[CROWD_END]) {
        sl_loop_stop(crowd->loop);
    }
}

static void start_one(struct one *one, uint64_t delay_ms)
{
    one->delay_ms = delay_ms;
    one->started = ++one->crowd->starts;
    sl_timer_start(one->timer, delay_ms);
}

static void start_crowd(void *arg)
{
    struct crowd *crowd = arg;

    for (size_t i = 0; i < CROWD; i++) {
        start_one(&crowd->ones[i], i * 7919 % CROWD_MS);
    }
    for (size_t i = 0; i < CROWD; i += 3) {
        start_one(&crowd->ones[i], i * 104729 % CROWD_MS);
    }
    for (size_t i = 0; i < CROWD; i += 5) {
        crowd->ones[i].started = 0;
        sl_timer_stop(crowd->ones[i].timer);
    }
    start_one(&crowd->ones[CROWD_END], CROWD_MS);
}

static void many_timers_keep_their_order(void **state)
{
    struct crowd crowd = {.loop = sl_loop_new()};

    (void)state;
    assert_non_null(crowd.loop);
    for (size_t i = 0; i <= CROWD; i++) {
        crowd.ones[i].crowd = &crowd;
        crowd.ones[i].timer = sl_timer_new(crowd.loop, crowd_fires, &crowd.ones[i]);
        assert_non_null(crowd.ones[i].timer);
    }
    struct sl_timer *begin = sl_timer_new(crowd.loop, start_crowd, &crowd);
    assert_non_null(begin);
    sl_timer_start(begin, 0);
    sl_loop_run(crowd.loop);
    assert_int_equal(crowd.fired, CROWD - CROWD / 5 + 1);
    for (size_t i = 0; i <= CROWD; i++) {
        assert_false(sl_timer_is_armed(crowd.ones[i].timer));
        sl_timer_free(crowd.ones[i].timer);
    }
    sl_timer_free(begin);
    sl_loop_free(crowd.loop);
}

static void a_timer_started_again_moves(void **state)
{
    struct world world;
    struct sl_timer *a, *c;

    (void)state;
    open_world(&world);
    a = sl_timer_new(world.loop, trace_a, &world);
    c = sl_timer_new(world.loop, trace_c_and_stop, &world);
    sl_timer_start(a, 1);
    sl_timer_start(a, GUARD_MS);
    sl_timer_start(c, 20);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "c");
    sl_timer_free(a);
    sl_timer_free(c);
    close_world(&world);
}

static void a_stopped_or_freed_timer_does_not_fire(void **state)
{
    struct world world;
    struct sl_timer *a, *b, *c;

    (void)state;
    open_world(&world);
    a = sl_timer_new(world.loop, trace_a, &world);
    b = sl_timer_new(world.loop, trace_b, &world);
    c = sl_timer_new(world.loop, trace_c_and_stop, &world);
    sl_timer_start(a, 1);
    sl_timer_start(b, 1);
    sl_timer_start(c, 10);
    sl_timer_stop(a);
    sl_timer_free(b);
    assert_false(sl_timer_is_armed(a));
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "c");
    sl_timer_free(a);
    sl_timer_free(c);
    sl_timer_free(NULL);
    close_world(&world);
}

struct own_timer {
    struct world *world;
    struct sl_timer *timer;
};

static void free_own_timer(void *arg)
{
    struct own_timer *own = arg;

    sl_timer_free(own->timer);
    stop(own->world);
}

static void a_timer_may_be_freed_in_its_callback(void **state)
{
    struct world world;
    struct own_timer own;

    (void)state;
    open_world(&world);
    own.world = &world;
    own.timer = sl_timer_new(world.loop, free_own_timer, &own);
    sl_timer_start(own.timer, 0);
    sl_loop_run(world.loop);
    close_world(&world);
}

static void a_timer_waits_for_its_delay(void **state)
{
    struct world world;
    struct sl_timer *timer;
    int64_t start_ns;

    (void)state;
    open_world(&world);
    timer = sl_timer_new(world.loop, stop, &world);
    start_ns = sl_loop_now_ns(world.loop);
    sl_timer_start(timer, 30);
    sl_loop_run(world.loop);
    assert_true(sl_loop_now_ns(world.loop) - start_ns >= 29 * SL_NS_PER_MS);
    sl_timer_free(timer);
    close_world(&world);
}

struct kept {
    struct world world;
    struct sl_post post;
    unsigned runs;
};

/* Posts itself once more: it is no longer pending. */
static void on_kept(void *arg)
{
    struct kept *kept = arg;

    if (++kept->runs == 1) {
        sl_loop_post_kept(kept->world.loop, &kept->post);
    } else {
        sl_loop_stop(kept->world.loop);
    }
}

static void a_kept_post_runs_once_however_often_it_was_posted(void **state)
{
    struct kept kept = {.post = {.fn = on_kept, .arg = &kept}};

    (void)state;
    open_world(&kept.world);
    sl_loop_post_kept(kept.world.loop, &kept.post);
    sl_loop_post_kept(kept.world.loop, &kept.post);
    sl_loop_run(kept.world.loop);
    assert_int_equal(kept.runs, 2);
    assert_false(kept.post.is_pending);
    close_world(&kept.world);
}

static void what_is_posted_and_not_run_runs_when_the_loop_is_freed(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_true(sl_loop_post(world.loop, trace_a, &world));
    close_world(&world);
    assert_string_equal(world.trace, "a");
}

/* Deferred work that is traced, and defers `then` or itself `again` times. */
struct work {
    struct sl_deferred deferred;
    struct world *world;
    struct work *then;
    size_t again;
    char letter;
};

static void run_work(void *arg)
{
    struct work *work = arg;

    if (work->letter) {
        add_trace(work->world, work->letter);
    }
    if (work->then) {
        sl_loop_defer(work->world->loop, &work->then->deferred);
    }
    if (work->again > 0) {
        work->again--;
        sl_loop_defer(work->world->loop, &work->deferred);
    }
}

static struct work make_work(struct world *world, char letter)
{
    return (struct work){.deferred = {.fn = run_work}, .world = world, .letter = letter};
}

static void start_work(struct work *work)
{
    work->deferred.arg = work;
    sl_loop_defer(work->world->loop, &work->deferred);
}

static void deferred_work_runs_once_and_in_order(void **state)
{
    struct world world;
    struct work work[3];
    struct sl_timer *timer;

    (void)state;
    open_world(&world);
    for (size_t i = 0; i < 3; i++) {
        work[i] = make_work(&world, (char)('x' + i));
        start_work(&work[i]);
        start_work(&work[i]);
    }
    timer = sl_timer_new(world.loop, stop, &world);
    sl_timer_start(timer, 5);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "xyz");
    sl_timer_free(timer);
    close_world(&world);
}

static void defer_in_callback(void *arg)
{
    struct work *work = arg;

    add_trace(work->world, '(');
    start_work(work);
    add_trace(work->world, ')');
    stop(work->world);
}

static void deferred_work_runs_after_the_callback_in_its_turn(void **state)
{
    struct world world;
    struct work work;

    (void)state;
    open_world(&world);
    work = make_work(&world, 'x');
    assert_true(sl_loop_post(world.loop, defer_in_callback, &work));
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "()x");
    close_world(&world);
}

static void cancelled_work_does_not_run(void **state)
{
    struct world world;
    struct work x, y;
    struct sl_timer *timer;

    (void)state;
    open_world(&world);
    x = make_work(&world, 'x');
    y = make_work(&world, 'y');
    start_work(&x);
    start_work(&y);
    sl_loop_cancel(world.loop, &x.deferred);
    sl_loop_cancel(world.loop, &x.deferred);
    timer = sl_timer_new(world.loop, stop, &world);
    sl_timer_start(timer, 5);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "y");
    sl_timer_free(timer);
    close_world(&world);
}

static void cancel_other(void *arg)
{
    struct work *work = arg;

    add_trace(work->world, 'k');
    sl_loop_cancel(work->world->loop, &work->then->deferred);
    stop(work->world);
}

static void deferred_work_may_cancel_what_stands_behind_it(void **state)
{
    struct world world;
    struct work x, y;

    (void)state;
    open_world(&world);
    x = make_work(&world, 'x');
    y = make_work(&world, 'y');
    x.deferred.fn = cancel_other;
    x.then = &y;
    start_work(&x);
    start_work(&y);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "k");
    close_world(&world);
}

/* 1000 turns without sleeping: the timer of a millisecond gets in between, and no time is lost. */
static void work_that_defers_itself_neither_sleeps_nor_starves_others(void **state)
{
    struct world world;
    struct work work;
    struct sl_timer *timer;

    (void)state;
    open_world(&world);
    work = make_work(&world, 0);
    work.again = SIZE_MAX;
    start_work(&work);
    timer = sl_timer_new(world.loop, stop, &world);
    sl_timer_start(timer, 20);
    sl_loop_run(world.loop);
    assert_true(SIZE_MAX - work.again > 100);
    work.again = 0;
    sl_timer_free(timer);
    close_world(&world);
}

static void free_deferred(void *arg)
{
    struct work *work = arg;
    struct world *world = work->world;

    free(work);
    stop(world);
}

static void deferred_work_may_free_itself(void **state)
{
    struct world world;
    struct work *work = malloc(sizeof(*work));

    (void)state;
    open_world(&world);
    *work = make_work(&world, 'x');
    work->deferred.fn = free_deferred;
    start_work(work);
    sl_loop_run(world.loop);
    close_world(&world);
}

static void a_loop_may_run_and_stop_many_times(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    for (size_t i = 0; i < 100; i++) {
        assert_true(sl_loop_post(world.loop, trace_a, &world));
        assert_true(sl_loop_post(world.loop, stop, &world));
        sl_loop_run(world.loop);
        assert_string_equal(world.trace, "a");
        world.trace[0] = 0;
    }
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(timers_of_one_time_fire_in_the_order_of_their_starts),
        cmocka_unit_test(many_timers_keep_their_order),
        cmocka_unit_test(a_timer_started_again_moves),
        cmocka_unit_test(a_stopped_or_freed_timer_does_not_fire),
        cmocka_unit_test(a_timer_may_be_freed_in_its_callback),
        cmocka_unit_test(a_timer_waits_for_its_delay),
        cmocka_unit_test(a_kept_post_runs_once_however_often_it_was_posted),
        cmocka_unit_test(what_is_posted_and_not_run_runs_when_the_loop_is_freed),
        cmocka_unit_test(deferred_work_runs_once_and_in_order),
        cmocka_unit_test(deferred_work_runs_after_the_callback_in_its_turn),
        cmocka_unit_test(cancelled_work_does_not_run),
        cmocka_unit_test(deferred_work_may_cancel_what_stands_behind_it),
        cmocka_unit_test(work_that_defers_itself_neither_sleeps_nor_starves_others),
        cmocka_unit_test(deferred_work_may_free_itself),
        cmocka_unit_test(a_loop_may_run_and_stop_many_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
