/* loop.c - the twin of lib/loop. */
#include "loop/loop.h"

#include <stdlib.h>

#include "world/internal.h"

struct sl_loop {
    struct sl_list deferred; /* for the end of this turn */
    struct sl_list due;      /* of the turn that is ending */
    struct sl_list endings;
    struct sl_post *posted; /* oldest first */
    struct sl_post **posted_end;
    struct world_event mail; /* set while something is posted */
    struct world_event turn; /* set while something is for the end of a turn that has not come */
    size_t held;             /* connections and listeners */
    size_t timers;           /* that are armed */
    bool is_in_turn;
    bool is_running;
    bool is_stopped;
};

struct sl_timer {
    struct world_event event;
    sl_loop_fn fn;
    void *arg;
};

/* ---- turns ---- */

static bool has_work(const struct sl_loop *loop)
{
    return !sl_list_is_empty(&loop->deferred) || !sl_list_is_empty(&loop->endings);
}

static void wake(struct sl_loop *loop)
{
    if (!loop->is_in_turn && !world_is_set(&loop->turn)) {
        world_set(&loop->turn, world_now_ns(), WORLD_RANK_TURN);
    }
}

static void run_due(struct sl_loop *loop)
{
    struct world_event *event;

    for (unsigned left = world_turn_events(); left > 0; left--) {
        event = world_take_due(loop);
        if (!event) {
            return;
        }
        if (event->kind != WORLD_TURN) {
            event->fn(event->arg); /* the event may be gone now */
            world_happened_done();
        }
    }
}

static void run_deferred(struct sl_loop *loop)
{
    struct sl_list *node;

    while ((node = sl_list_pop(&loop->deferred))) {
        sl_list_append(&loop->due, node);
    }
    while ((node = sl_list_pop(&loop->due))) {
        struct sl_deferred *deferred = SL_CONTAINER_OF(node, struct sl_deferred, node);
        deferred->is_pending = false;
        world_count()->deferred++;
        world_happened(WORLD_DEFERRED, 0, 0);
        deferred->fn(deferred->arg);
        world_happened_done();
    }
}

static void run_endings(struct sl_loop *loop)
{
    struct sl_list now;
    struct sl_list *node;

    sl_list_init(&now);
    while ((node = sl_list_pop(&loop->endings))) {
        sl_list_append(&now, node);
    }
    while ((node = sl_list_pop(&now))) {
        struct world_ending *ending = SL_CONTAINER_OF(node, struct world_ending, node);
        world_happened(WORLD_CLOSE, ending->id, 0);
        ending->fn(ending->arg);
        world_happened_done();
    }
}

void world_loop_turn(struct sl_loop *loop)
{
    SL_ASSERT(!loop->is_in_turn);
    world_clear(&loop->turn);
    loop->is_in_turn = true;
    run_due(loop);
    run_deferred(loop);
    run_endings(loop);
    loop->is_in_turn = false;
    if (has_work(loop)) {
        wake(loop);
    }
    world_turn_ends(loop);
}

void world_end_soon(struct sl_loop *loop, struct world_ending *ending)
{
    sl_list_init(&ending->node);
    sl_list_append(&loop->endings, &ending->node);
    wake(loop);
}

void world_loop_hold(struct sl_loop *loop)
{
    loop->held++;
}

void world_loop_release(struct sl_loop *loop)
{
    SL_ASSERT(loop->held > 0);
    loop->held--;
}

/* ---- life ---- */

static void run_posted(void *arg)
{
    struct sl_loop *loop = arg;
    struct sl_post *post = loop->posted;

    loop->posted = NULL;
    loop->posted_end = &loop->posted;
    while (post) {
        struct sl_post *next = post->next;
        sl_loop_fn fn = post->fn;
        void *what = post->arg;

        if (post->is_loops) {
            free(post);
        } else {
            post->is_pending = false;
        }
        post = next;
        world_count()->posted++;
        world_happened(WORLD_POSTED, 0, 0);
        fn(what);
    }
}

struct sl_loop *sl_loop_new(void)
{
    struct sl_loop *loop = calloc(1, sizeof(*loop));

    if (!loop) {
        return NULL;
    }
    world_loop_begins();
    sl_list_init(&loop->deferred);
    sl_list_init(&loop->due);
    sl_list_init(&loop->endings);
    loop->posted_end = &loop->posted;
    loop->mail =
        (struct world_event){.loop = loop, .fn = run_posted, .arg = loop, .kind = WORLD_POSTED};
    loop->turn = (struct world_event){.loop = loop, .kind = WORLD_TURN};
    return loop;
}

void sl_loop_free(struct sl_loop *loop)
{
    SL_ASSERT(!loop->is_running && !loop->is_in_turn);
    while (loop->posted || has_work(loop)) {
        run_posted(loop);
        world_loop_turn(loop);
    }
    SL_ASSERT(loop->held == 0 && loop->timers == 0);
    world_clear(&loop->mail);
    world_clear(&loop->turn);
    world_loop_ends();
    free(loop);
}

/* Returns also where nothing is left to be done, and a loop of lib/loop would wait for ever. */
void sl_loop_run(struct sl_loop *loop)
{
    SL_ASSERT(!loop->is_running);
    loop->is_running = true;
    while (!loop->is_stopped && world_step()) {
        continue;
    }
    loop->is_stopped = false;
    loop->is_running = false;
}

void sl_loop_stop(struct sl_loop *loop)
{
    loop->is_stopped = true;
}

/* ---- clock ---- */

int64_t sl_loop_now_ns(const struct sl_loop *loop)
{
    (void)loop;
    return world_now_ns();
}

int64_t sl_loop_fresh_ns(struct sl_loop *loop)
{
    if (loop->is_in_turn) {
        world_pass_time();
    }
    return world_now_ns();
}

/* ---- posted, deferred ---- */

void sl_loop_post_kept(struct sl_loop *loop, struct sl_post *post)
{
    if (post->is_pending) {
        return;
    }
    post->is_pending = true;
    post->next = NULL;
    if (!loop->posted) {
        world_set(&loop->mail, world_now_ns(), world_any_rank());
    }
    *loop->posted_end = post;
    loop->posted_end = &post->next;
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
    wake(loop);
}

void sl_loop_cancel(struct sl_loop *loop, struct sl_deferred *deferred)
{
    (void)loop;
    if (deferred->is_pending) {
        deferred->is_pending = false;
        sl_list_remove(&deferred->node);
    }
}

/* ---- timers ---- */

static void on_timer(void *arg)
{
    struct sl_timer *timer = arg;

    timer->event.loop->timers--;
    world_count()->timers++;
    world_happened(WORLD_TIMER, 0, 0);
    timer->fn(timer->arg);
}

struct sl_timer *sl_timer_new(struct sl_loop *loop, sl_loop_fn fn, void *arg)
{
    struct sl_timer *timer = calloc(1, sizeof(*timer));

    if (!timer) {
        return NULL;
    }
    timer->fn = fn;
    timer->arg = arg;
    timer->event =
        (struct world_event){.loop = loop, .fn = on_timer, .arg = timer, .kind = WORLD_TIMER};
    return timer;
}

void sl_timer_start(struct sl_timer *timer, uint64_t delay_ms)
{
    sl_timer_stop(timer);
    timer->event.loop->timers++;
    world_set(&timer->event, world_now_ns() + (int64_t)delay_ms * SL_NS_PER_MS, WORLD_RANK_TIMER);
}

void sl_timer_stop(struct sl_timer *timer)
{
    if (world_is_set(&timer->event)) {
        timer->event.loop->timers--;
        world_clear(&timer->event);
    }
}

bool sl_timer_is_armed(const struct sl_timer *timer)
{
    return world_is_set(&timer->event);
}

void sl_timer_free(struct sl_timer *timer)
{
    if (timer) {
        sl_timer_stop(timer);
        free(timer);
    }
}

/* ---- what is not in this world ---- */

struct sl_watch *sl_watch_new(struct sl_loop *loop, int fd, sl_loop_fn fn, void *arg)
{
    (void)loop;
    (void)fd;
    (void)fn;
    (void)arg;
    return NULL;
}

void sl_watch_free(struct sl_watch *watch)
{
    SL_ASSERT(!watch);
}

struct sl_signal *sl_signal_new(struct sl_loop *loop, int number, sl_loop_fn fn, void *arg)
{
    (void)loop;
    (void)number;
    (void)fn;
    (void)arg;
    return NULL;
}

void sl_signal_free(struct sl_signal *signal)
{
    SL_ASSERT(!signal);
}
