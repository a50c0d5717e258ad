/* What only a loop over a real system does: threads, descriptors, signals, a clock that runs. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS = 4, POSTS = 5000 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_stands_within_a_callback_and_moves_between),
        cmocka_unit_test(posts_of_each_thread_come_all_and_in_order),
        cmocka_unit_test(a_watch_sees_every_write_of_another_thread),
        cmocka_unit_test(a_watch_is_called_while_bytes_are_left_and_at_the_end),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
        cmocka_unit_test(a_signal_comes_on_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
