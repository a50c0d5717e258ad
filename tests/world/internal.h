/* internal.h - what the twins of lib/loop and lib/net share: things that are due, and turns. */
#ifndef SLUICE_TESTS_WORLD_INTERNAL_H
#define SLUICE_TESTS_WORLD_INTERNAL_H

#include "base/list.h"
#include "world/world.h"

/* What an event is, for the trace. */
enum world_kind {
    WORLD_TURN, /* nothing by itself: a turn has to come */
    WORLD_TIMER,
    WORLD_POSTED,
    WORLD_DEFERRED,
    WORLD_DIAL,
    WORLD_ACCEPT,
    WORLD_OPEN,
    WORLD_READ,
    WORLD_DRAIN,
    WORLD_BREAK,
    WORLD_CLOSE,
    WORLD_WRITE, /* not an event: noted only */
};

/* Something that is due on a loop. Embedded in what it is for; zeroed it is not due. Of those that
 * are due at once, the lower rank is first, then whoever was set first. */
struct world_event {
    struct sl_loop *loop;
    sl_loop_fn fn;
    void *arg;
    enum world_kind kind;
    int64_t due_ns;
    uint32_t rank;
    uint64_t order;
    size_t place; /* in the queue, from 1; 0: it is not due */
};

/* Timers are in their order and first, as in libuv. */
#define WORLD_RANK_TIMER UINT32_C(0)
#define WORLD_RANK_TURN  UINT32_MAX

void world_set(struct world_event *event, int64_t due_ns, uint32_t rank);
void world_clear(struct world_event *event);
static inline bool world_is_set(const struct world_event *event)
{
    return event->place > 0;
}

/* A rank that puts it anywhere among the others. */
uint32_t world_any_rank(void);

/* What `loop` has to do now, no more due; NULL: nothing. */
struct world_event *world_take_due(struct sl_loop *loop);

/* Something happened to `id` (a connection, or 0). The second one also is an event. */
void world_note(enum world_kind kind, uint64_t id, uint64_t detail);
void world_happened(enum world_kind kind, uint64_t id, uint64_t detail);
void world_happened_done(void); /* the hook */

struct world_counts *world_count(void);

/* A loop is made, is gone. */
void world_loop_begins(void);
void world_loop_ends(void);

/* The end of a turn, which may have taken its time. */
void world_turn_ends(struct sl_loop *loop);

/* A number for something new. */
uint64_t world_next_id(void);

/* How many events a turn that begins now has. */
unsigned world_turn_events(void);

/* A drawn part of the longest turn passes. */
void world_pass_time(void);

/* A part of the seed for one name. */
void world_random_for(struct world_random *random, const char *name);

/* ---- loop.c ---- */

void world_loop_turn(struct sl_loop *loop);

/* At the end of this turn, after all that is deferred: `fn` may free it. */
struct world_ending {
    sl_loop_fn fn;
    void *arg;
    uint64_t id;
    struct sl_list node;
};

void world_end_soon(struct sl_loop *loop, struct world_ending *ending);

/* How many connections and listeners the loop has; none when it is freed. */
void world_loop_hold(struct sl_loop *loop);
void world_loop_release(struct sl_loop *loop);

/* ---- net.c ---- */

void world_net_end(void); /* the links go */

#endif
