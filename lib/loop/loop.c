#include "loop/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <uv.h>

#include "loop/internal.h"

/* libuv's own time has milliseconds; this one is read at the first question of a phase. */
struct phase_clock {
    int64_t now_ns;
    bool is_read;
};

struct sl_loop {
    uv_loop_t uv;
    uv_async_t wake;      /* something is posted */
    uv_prepare_t prepare; /* before the poll: the clock is old */
    uv_check_t check;     /* after the poll: the end of a turn */
    struct sl_timers timers;
    uv_idle_t idle;          /* active while something is deferred: the poll does not sleep */
    struct sl_list deferred; /* for the end of this turn */
    struct sl_list due;      /* of the turn that is ending: empty but in on_check */
    struct phase_clock clock_store;
    struct phase_clock *clock; /* &clock_store, for a const loop too */
    bool is_running;
    pthread_mutex_t lock;        /* of what follows */
    struct sl_post *posted;      /* oldest first */
    struct sl_post **posted_end; /* where the next one goes */
};

static struct sl_post *take_posted(struct sl_loop *loop)
{
    struct sl_post *posts;

    pthread_mutex_lock(&loop->lock);
    posts = loop->posted;
    loop->posted = NULL;
    loop->posted_end = &loop->posted;
    pthread_mutex_unlock(&loop->lock);
    return posts;
}

/* From here on it may be posted again, or be gone. Returns the one behind it. */
static struct sl_post *let_go(struct sl_loop *loop, struct sl_post *post)
{
    struct sl_post *next = post->next;

    if (post->is_loops) {
        free(post);
        return next;
    }
    pthread_mutex_lock(&loop->lock);
    post->is_pending = false;
    pthread_mutex_unlock(&loop->lock);
    return next;
}

/* True when there was anything to run. */
static bool run_posted(struct sl_loop *loop)
{
    struct sl_post *post = take_posted(loop);
    bool had_any = post != NULL;

    while (post) {
        sl_loop_fn fn = post->fn;
        void *arg = post->arg;

        post = let_go(loop, post);
        fn(arg);
    }
    return had_any;
}

static void on_wake(uv_async_t *wake)
{
    run_posted(SL_CONTAINER_OF(wake, struct sl_loop, wake));
}

static void on_prepare(uv_prepare_t *prepare)
{
    SL_CONTAINER_OF(prepare, struct sl_loop, prepare)->clock->is_read = false;
}

/* Work of an idle handle is to be active. */
static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void on_check(uv_check_t *check)
{
    struct sl_loop *loop = SL_CONTAINER_OF(check, struct sl_loop, check);
    struct sl_list *node;

    loop->clock->is_read = false;
    while ((node = sl_list_pop(&loop->deferred))) {
        sl_list_append(&loop->due, node);
    }
    while ((node = sl_list_pop(&loop->due))) {
        struct sl_deferred *deferred = SL_CONTAINER_OF(node, struct sl_deferred, node);

        deferred->is_pending = false;
        deferred->fn(deferred->arg);
    }
    if (sl_list_is_empty(&loop->deferred)) {
        uv_idle_stop(&loop->idle);
    }
}

/* The loop's own handles but for the idle one do not keep it alive: when it ends is said. */
static void start_own(struct sl_loop *loop)
{
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_check_init(&loop->uv, &loop->check);
    uv_idle_init(&loop->uv, &loop->idle);
    sl_timers_init(&loop->timers, &loop->uv);
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
}

struct sl_loop *sl_loop_new(void)
{
    struct sl_loop *loop = calloc(1, sizeof(*loop));

    if (!loop) {
        return NULL;
    }
    sl_list_init(&loop->deferred);
    sl_list_init(&loop->due);
    loop->clock = &loop->clock_store;
    loop->posted_end = &loop->posted;
    if (pthread_mutex_init(&loop->lock, NULL) != 0) {
        free(loop);
        return NULL;
    }
    if (uv_loop_init(&loop->uv) == 0) {
        if (uv_async_init(&loop->uv, &loop->wake, on_wake) == 0) {
            start_own(loop);
            return loop;
        }
        SL_ASSERT(uv_loop_close(&loop->uv) == 0);
    }
    pthread_mutex_destroy(&loop->lock);
    free(loop);
    return NULL;
}

static bool is_own(const struct sl_loop *loop, const uv_handle_t *handle)
{
    const void *own = handle;

    return own == &loop->wake || own == &loop->prepare || own == &loop->check ||
           own == &loop->idle || own == &loop->timers.uv;
}

static void assert_ended(uv_handle_t *handle, void *arg)
{
    bool has_ended = is_own(arg, handle) || uv_is_closing(handle) || !uv_is_active(handle);

    if (!has_ended) { /* which one, for whoever reads the abort */
        fprintf(stderr, "loop: a %s is still active\n", uv_handle_type_name(handle->type));
    }
    SL_ASSERT(has_ended);
}

static void close_own(struct sl_loop *loop)
{
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->timers.uv, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void sl_loop_free(struct sl_loop *loop)
{
    SL_ASSERT(!loop->is_running);
    uv_unref((uv_handle_t *)&loop->wake);
    while (run_posted(loop) || uv_loop_alive(&loop->uv)) {
        SL_ASSERT(loop->timers.count == 0);
        uv_walk(&loop->uv, assert_ended, loop);
        uv_run(&loop->uv, UV_RUN_ONCE);
    }
    close_own(loop);
    sl_timers_fini(&loop->timers);
    SL_ASSERT(uv_loop_close(&loop->uv) == 0);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void sl_loop_run(struct sl_loop *loop)
{
    SL_ASSERT(!loop->is_running);
    loop->is_running = true;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->is_running = false;
    loop->clock->is_read = false;
}

void sl_loop_stop(struct sl_loop *loop)
{
    uv_stop(&loop->uv);
}

int64_t sl_loop_now_ns(const struct sl_loop *loop)
{
    struct phase_clock *clock = loop->clock;

    if (!clock->is_read) {
        clock->now_ns = (int64_t)uv_hrtime();
        clock->is_read = loop->is_running;
    }
    return clock->now_ns;
}

int64_t sl_loop_fresh_ns(struct sl_loop *loop)
{
    loop->clock->is_read = false;
    return sl_loop_now_ns(loop);
}

int64_t sl_loop_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

void sl_loop_post_kept(struct sl_loop *loop, struct sl_post *post)
{
    pthread_mutex_lock(&loop->lock);
    if (!post->is_pending) {
        post->is_pending = true;
        post->next = NULL;
        if (!loop->posted) {
            uv_async_send(&loop->wake);
        }
        *loop->posted_end = post;
        loop->posted_end = &post->next;
    }
    pthread_mutex_unlock(&loop->lock);
}

bool sl_loop_post(struct sl_loop *loop, sl_loop_fn fn, void *arg)
{
    struct sl_post *post = malloc(sizeof(*post));

    if (!post) {
        return false;
    }
    *post = (struct sl_post){.fn = fn, .arg = arg, .is_loops = true};
    sl_loop_post_kept(loop, post);
    return true;
}

void sl_loop_defer(struct sl_loop *loop, struct sl_deferred *deferred)
{
    if (deferred->is_pending) {
        return;
    }
    deferred->is_pending = true;
    sl_list_init(&deferred->node);
    sl_list_append(&loop->deferred, &deferred->node);
    if (!uv_is_active((uv_handle_t *)&loop->idle)) {
        uv_idle_start(&loop->idle, on_idle);
    }
}

/* The idle handle stops at the end of the turn. */
void sl_loop_cancel(struct sl_loop *loop, struct sl_deferred *deferred)
{
    (void)loop;
    if (deferred->is_pending) {
        deferred->is_pending = false;
        sl_list_remove(&deferred->node);
    }
}

struct sl_timers *sl_loop_timers(struct sl_loop *loop)
{
    return &loop->timers;
}

void *sl_loop_handle(struct sl_loop *loop)
{
    return &loop->uv;
}

void sl_loop_freshen(struct sl_loop *loop)
{
    if (!loop->is_running) {
        uv_update_time(&loop->uv);
    }
}
