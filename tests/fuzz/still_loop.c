#include "still_loop.h"

#include <stdlib.h>

struct sl_loop {
    int64_t now_ns;
    struct sl_list timers;
    struct sl_list deferred;
    struct sl_deferred last; /* of a turn */
};

struct sl_timer {
    struct sl_list node; /* of the loop's, while it is armed */
    struct sl_loop *loop;
    int64_t due_ns;
    sl_loop_fn fn;
    void *arg;
};

struct sl_loop *sl_loop_new(void)
{
    struct sl_loop *loop = calloc(1, sizeof(*loop));

    if (loop) {
        loop->now_ns = SL_NS_PER_S;
        sl_list_init(&loop->timers);
        sl_list_init(&loop->deferred);
    }
    return loop;
}

void sl_loop_free(struct sl_loop *loop)
{
    SL_ASSERT(sl_list_is_empty(&loop->timers) && sl_list_is_empty(&loop->deferred));
    free(loop);
}

int64_t sl_loop_now_ns(const struct sl_loop *loop)
{
    return loop->now_ns;
}

int64_t sl_loop_fresh_ns(struct sl_loop *loop)
{
    return loop->now_ns;
}

void sl_loop_defer(struct sl_loop *loop, struct sl_deferred *deferred)
{
    if (!deferred->is_pending) {
        deferred->is_pending = true;
        sl_list_init(&deferred->node);
        sl_list_append(&loop->deferred, &deferred->node);
    }
}

void sl_loop_cancel(struct sl_loop *loop, struct sl_deferred *deferred)
{
    (void)loop;
    if (deferred->is_pending) {
        deferred->is_pending = false;
        sl_list_remove(&deferred->node);
    }
}

struct sl_timer *sl_timer_new(struct sl_loop *loop, sl_loop_fn fn, void *arg)
{
    struct sl_timer *timer = calloc(1, sizeof(*timer));

    if (timer) {
        sl_list_init(&timer->node);
        timer->loop = loop;
        timer->fn = fn;
        timer->arg = arg;
    }
    return timer;
}

void sl_timer_start(struct sl_timer *timer, uint64_t delay_ms)
{
    uint64_t most_ms = (uint64_t)(INT64_MAX - timer->loop->now_ns) / SL_NS_PER_MS;

    sl_list_remove(&timer->node);
    timer->due_ns = timer->loop->now_ns + (int64_t)sl_min_u64(delay_ms, most_ms) * SL_NS_PER_MS;
    sl_list_append(&timer->loop->timers, &timer->node);
}

void sl_timer_free(struct sl_timer *timer)
{
    if (timer) {
        sl_list_remove(&timer->node);
        free(timer);
    }
}

static struct sl_timer *due_timer(const struct sl_loop *loop)
{
    SL_LIST_FOR_EACH(node, &loop->timers)
    {
        struct sl_timer *timer = SL_CONTAINER_OF(node, struct sl_timer, node);
        if (timer->due_ns <= loop->now_ns) {
            return timer;
        }
    }
    return NULL;
}

void still_loop_turn(struct sl_loop *loop, uint64_t later_ms)
{
    struct sl_timer *timer;

    loop->now_ns += (int64_t)later_ms * SL_NS_PER_MS;
    while ((timer = due_timer(loop)) != NULL) {
        sl_list_remove(&timer->node);
        timer->fn(timer->arg);
    }
    sl_loop_defer(loop, &loop->last); /* what comes behind it is of the next turn */
    while (loop->last.is_pending) {
        struct sl_deferred *deferred =
            SL_CONTAINER_OF(loop->deferred.next, struct sl_deferred, node);
        sl_loop_cancel(loop, deferred);
        if (deferred != &loop->last) {
            deferred->fn(deferred->arg);
        }
    }
}
