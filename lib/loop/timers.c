/* timers.c - a heap of timers over one of libuv's. A uv_timer_t is a handle of 152 bytes that is
 * freed by a callback in a later turn; an idle device has four timers, and there are thousands of
 * devices. */
#include <stdlib.h>

#include "loop/internal.h"

enum { FIRST_TIMERS = 16 };

struct sl_timer {
    struct sl_loop *loop;
    sl_loop_fn fn;
    void *arg;
    uint64_t due_ms; /* of libuv's clock */
    uint64_t order;  /* of its start, among those of one time */
    size_t place;    /* in the heap, from 1; 0: it is not armed */
};

/* ---- the heap ---- */

static bool is_before(const struct sl_timer *a, const struct sl_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct sl_timers *timers, size_t place, struct sl_timer *timer)
{
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static void sift_up(struct sl_timers *timers, struct sl_timer *timer)
{
    size_t place = timer->place;

    while (place > 1 && is_before(timer, timers->heap[place / 2 - 1])) {
        put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct sl_timers *timers, struct sl_timer *timer)
{
    size_t place = timer->place;

    for (size_t next; (next = place * 2) <= timers->count; place = next) {
        if (next < timers->count && is_before(timers->heap[next], timers->heap[next - 1])) {
            next++;
        }
        if (!is_before(timers->heap[next - 1], timer)) {
            break;
        }
        put(timers, place, timers->heap[next - 1]);
    }
    put(timers, place, timer);
}

static void take_out(struct sl_timers *timers, struct sl_timer *timer)
{
    struct sl_timer *last = timers->heap[--timers->count];

    if (last != timer) {
        put(timers, timer->place, last);
        sift_up(timers, last);
        sift_down(timers, last);
    }
    timer->place = 0;
}

/* ---- libuv's timer ---- */

static void on_due(uv_timer_t *uv);

/* It stands at the first one's time. While they fire it is set once, at the end. */
static void set_clock(struct sl_timers *timers)
{
    uint64_t due_ms = timers->count ? timers->heap[0]->due_ms : UINT64_MAX;

    if (timers->is_firing || due_ms == timers->set_ms) {
        return;
    }
    timers->set_ms = due_ms;
    if (timers->count == 0) {
        uv_timer_stop(&timers->uv);
        return;
    }
    uint64_t now_ms = uv_now(timers->uv.loop);
    uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    SL_ASSERT(uv_timer_start(&timers->uv, on_due, left_ms, 0) == 0);
}

/* One that is started meanwhile waits for the next turn, also when it is due at once: descriptors
 * have theirs in between. */
static void on_due(uv_timer_t *uv)
{
    struct sl_timers *timers = SL_CONTAINER_OF(uv, struct sl_timers, uv);
    uint64_t now_ms = uv_now(uv->loop);
    uint64_t last = timers->starts;

    timers->is_firing = true;
    while (timers->count && timers->heap[0]->due_ms <= now_ms && timers->heap[0]->order <= last) {
        struct sl_timer *timer = timers->heap[0];
        take_out(timers, timer);
        timer->fn(timer->arg); /* which may free it */
    }
    timers->is_firing = false;
    timers->set_ms = UINT64_MAX;
    set_clock(timers);
}

void sl_timers_init(struct sl_timers *timers, uv_loop_t *uv)
{
    *timers = (struct sl_timers){.set_ms = UINT64_MAX};
    uv_timer_init(uv, &timers->uv);
}

void sl_timers_fini(struct sl_timers *timers)
{
    SL_ASSERT(timers->count == 0);
    free(timers->heap);
}

/* ---- timers ---- */

/* As many places as there are timers, so that a start cannot fail. */
static bool make_room(struct sl_timers *timers)
{
    if (timers->made < timers->capacity) {
        return true;
    }
    size_t capacity = timers->capacity ? timers->capacity * 2 : FIRST_TIMERS;
    struct sl_timer **heap = realloc(timers->heap, capacity * sizeof(struct sl_timer *));

    if (heap) {
        timers->heap = heap;
        timers->capacity = capacity;
    }
    return heap != NULL;
}

struct sl_timer *sl_timer_new(struct sl_loop *loop, sl_loop_fn fn, void *arg)
{
    struct sl_timers *timers = sl_loop_timers(loop);
    struct sl_timer *timer = make_room(timers) ? malloc(sizeof(*timer)) : NULL;

    if (timer) {
        *timer = (struct sl_timer){.loop = loop, .fn = fn, .arg = arg};
        timers->made++;
    }
    return timer;
}

void sl_timer_start(struct sl_timer *timer, uint64_t delay_ms)
{
    struct sl_timers *timers = sl_loop_timers(timer->loop);

    sl_loop_freshen(timer->loop);
    if (timer->place) {
        take_out(timers, timer);
    }
    uint64_t now_ms = uv_now(timers->uv.loop);
    timer->due_ms = delay_ms < UINT64_MAX - 1 - now_ms ? now_ms + delay_ms : UINT64_MAX - 1;
    timer->order = ++timers->starts;
    put(timers, ++timers->count, timer);
    sift_up(timers, timer);
    set_clock(timers);
}

void sl_timer_stop(struct sl_timer *timer)
{
    struct sl_timers *timers = sl_loop_timers(timer->loop);

    if (timer->place) {
        take_out(timers, timer);
        set_clock(timers);
    }
}

bool sl_timer_is_armed(const struct sl_timer *timer)
{
    return timer->place > 0;
}

void sl_timer_free(struct sl_timer *timer)
{
    if (timer) {
        sl_timer_stop(timer);
        sl_loop_timers(timer->loop)->made--;
        free(timer);
    }
}
