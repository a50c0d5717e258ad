#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop/loop.h"

enum { THREADS = 4, POSTS = 5000, GUARD_MS = 20000 };

/* One loop with a timer that fails a test which would hang. */
struct world {
    struct sl_loop *loop;
    struct sl_timer *guard;
    char trace[64];
    size_t count;
};

static void add_trace(struct world *world, char letter)
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

static void open_world(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->loop = sl_loop_new();
    assert_non_null(world->loop);
    world->guard = sl_timer_new(world->loop, on_guard, NULL);
    assert_non_null(world->guard);
    sl_timer_start(world->guard, GUARD_MS);
}

static void close_world(struct world *world)
{
    sl_timer_free(world->guard);
    sl_loop_free(world->loop);
}

static void stop(void *arg)
{
    struct world *world = arg;

    sl_loop_stop(world->loop);
}

static void trace_a(void *arg)
{
    add_trace(arg, 'a');
}

static void trace_b(void *arg)
{
    add_trace(arg, 'b');
}

static void trace_c_and_stop(void *arg)
{
    add_trace(arg, 'c');
    stop(arg);
}

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

static void burn_and_look(void *arg)
{
    struct world *world = arg;
    int64_t now_ns = sl_loop_now_ns(world->loop);
    int64_t until_ns = sl_loop_wall_ns() + 2 * SL_NS_PER_MS;

    while (sl_loop_wall_ns() < until_ns) {
    }
    assert_int_equal(sl_loop_now_ns(world->loop), now_ns);
    stop(world);
}

static void the_clock_stands_within_a_callback_and_moves_between(void **state)
{
    struct world world;
    int64_t before_ns;

    (void)state;
    open_world(&world);
    before_ns = sl_loop_now_ns(world.loop);
    assert_true(sl_loop_post(world.loop, burn_and_look, &world));
    sl_loop_run(world.loop);
    assert_true(sl_loop_now_ns(world.loop) >= before_ns + SL_NS_PER_MS);
    close_world(&world);
}

struct poster {
    struct posts *posts;
    size_t thread;
    pthread_t id;
};

struct posts {
    struct world world;
    struct poster posters[THREADS];
    size_t next[THREADS]; /* the number expected of each thread; loop thread only */
    size_t arrived;
};

struct posted {
    struct posts *posts;
    size_t thread;
    size_t number;
};

static void on_posted(void *arg)
{
    struct posted *posted = arg;
    struct posts *posts = posted->posts;

    assert_int_equal(posted->number, posts->next[posted->thread]);
    posts->next[posted->thread]++;
    if (++posts->arrived == (size_t)THREADS * POSTS) {
        sl_loop_stop(posts->world.loop);
    }
    free(posted);
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;

    for (size_t i = 0; i < POSTS; i++) {
        struct posted *posted = malloc(sizeof(*posted));

        *posted = (struct posted){.posts = poster->posts, .thread = poster->thread, .number = i};
        if (!sl_loop_post(poster->posts->world.loop, on_posted, posted)) {
            abort();
        }
    }
    return NULL;
}

static void posts_of_each_thread_come_all_and_in_order(void **state)
{
    static struct posts posts;

    (void)state;
    memset(&posts, 0, sizeof(posts));
    open_world(&posts.world);
    for (size_t i = 0; i < THREADS; i++) {
        posts.posters[i] = (struct poster){.posts = &posts, .thread = i};
        assert_int_equal(pthread_create(&posts.posters[i].id, NULL, post_all, &posts.posters[i]),
                         0);
    }
    sl_loop_run(posts.world.loop);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(posts.posters[i].id, NULL);
    }
    assert_int_equal(posts.arrived, (size_t)THREADS * POSTS);
    close_world(&posts.world);
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

struct reader {
    struct world *world;
    struct sl_watch *watch;
    int fd;
    uint64_t got;
    uint64_t wanted;
};

static void on_eventfd(void *arg)
{
    struct reader *reader = arg;
    uint64_t value;

    assert_int_equal(read(reader->fd, &value, sizeof(value)), sizeof(value));
    reader->got += value;
    if (reader->got == reader->wanted) {
        stop(reader->world);
    }
}

static void *signal_eventfd(void *arg)
{
    const uint64_t one = 1;
    const int fd = *(const int *)arg;

    for (size_t i = 0; i < POSTS; i++) {
        if (write(fd, &one, sizeof(one)) != (ssize_t)sizeof(one)) {
            abort();
        }
    }
    return NULL;
}

static void a_watch_sees_every_write_of_another_thread(void **state)
{
    struct world world;
    struct reader reader = {.world = &world, .wanted = POSTS};
    pthread_t thread;

    (void)state;
    open_world(&world);
    reader.fd = eventfd(0, EFD_CLOEXEC);
    reader.watch = sl_watch_new(world.loop, reader.fd, on_eventfd, &reader);
    assert_non_null(reader.watch);
    assert_int_equal(pthread_create(&thread, NULL, signal_eventfd, &reader.fd), 0);
    sl_loop_run(world.loop);
    pthread_join(thread, NULL);
    sl_watch_free(reader.watch);
    close(reader.fd);
    close_world(&world);
}

static void on_pipe(void *arg)
{
    struct reader *reader = arg;
    char byte;
    ssize_t got = read(reader->fd, &byte, 1);

    add_trace(reader->world, got == 0 ? '.' : byte);
    if (got == 0) {
        sl_watch_free(reader->watch);
        close(reader->fd);
        stop(reader->world);
    }
}

static void a_watch_is_called_while_bytes_are_left_and_at_the_end(void **state)
{
    struct world world;
    struct reader reader = {.world = &world};
    int ends[2];

    (void)state;
    open_world(&world);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    reader.fd = ends[0];
    reader.watch = sl_watch_new(world.loop, reader.fd, on_pipe, &reader);
    assert_int_equal(write(ends[1], "xyz", 3), 3);
    close(ends[1]);
    sl_loop_run(world.loop);
    assert_string_equal(world.trace, "xyz.");
    close_world(&world);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    struct world world;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    open_world(&world);
    assert_true(fd >= 0);
    assert_null(sl_watch_new(world.loop, fd, stop, &world));
    close(fd);
    assert_null(sl_watch_new(world.loop, fd, stop, &world));
    sl_watch_free(NULL);
    close_world(&world);
}

static void on_usr1(void *arg)
{
    struct world *world = arg;

    world->count++;
    if (world->count < 3) {
        raise(SIGUSR1);
    } else {
        stop(world);
    }
}

static void a_signal_comes_on_the_loop(void **state)
{
    struct world world;
    struct sl_signal *signal;

    (void)state;
    open_world(&world);
    signal = sl_signal_new(world.loop, SIGUSR1, on_usr1, &world);
    assert_non_null(signal);
    raise(SIGUSR1);
    assert_int_equal(world.count, 0);
    sl_loop_run(world.loop);
    assert_int_equal(world.count, 3);
    sl_signal_free(signal);
    assert_null(sl_signal_new(world.loop, 4711, on_usr1, &world));
    assert_null(sl_signal_new(world.loop, SIGKILL, on_usr1, &world));
    sl_signal_free(NULL);
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
        cmocka_unit_test(a_timer_started_again_moves),
        cmocka_unit_test(a_stopped_or_freed_timer_does_not_fire),
        cmocka_unit_test(a_timer_may_be_freed_in_its_callback),
        cmocka_unit_test(a_timer_waits_for_its_delay),
        cmocka_unit_test(the_clock_stands_within_a_callback_and_moves_between),
        cmocka_unit_test(posts_of_each_thread_come_all_and_in_order),
        cmocka_unit_test(a_kept_post_runs_once_however_often_it_was_posted),
        cmocka_unit_test(what_is_posted_and_not_run_runs_when_the_loop_is_freed),
        cmocka_unit_test(deferred_work_runs_once_and_in_order),
        cmocka_unit_test(deferred_work_runs_after_the_callback_in_its_turn),
        cmocka_unit_test(cancelled_work_does_not_run),
        cmocka_unit_test(deferred_work_may_cancel_what_stands_behind_it),
        cmocka_unit_test(work_that_defers_itself_neither_sleeps_nor_starves_others),
        cmocka_unit_test(deferred_work_may_free_itself),
        cmocka_unit_test(a_watch_sees_every_write_of_another_thread),
        cmocka_unit_test(a_watch_is_called_while_bytes_are_left_and_at_the_end),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
        cmocka_unit_test(a_signal_comes_on_the_loop),
        cmocka_unit_test(a_loop_may_run_and_stop_many_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
