/* world.c - the queue of what is due, the clock, the trace. */
#include "world/world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "world/internal.h"

enum {
    RECENT = 256,     /* events that are remembered for a failure's sake; a power of two */
    TURN_EVENTS = 4,  /* of one turn, at most */
    FIRST_QUEUE = 64, /* events */
};

static const int64_t start_ns = 3600 * SL_NS_PER_S;
static const int64_t first_wall_ns = INT64_C(1700000000) * SL_NS_PER_S;

struct note {
    int64_t now_ns;
    enum world_kind kind;
    uint64_t id;
    uint64_t detail;
};

static struct {
    bool is_begun;
    uint64_t seed;
    int64_t now_ns;
    int64_t wall_ahead_ns; /* of the monotonic clock */
    int64_t most_turn_ns;
    struct world_random order;
    struct world_random pace;
    struct world_random system;
    struct world_event **queue; /* a heap, from 1 */
    size_t queued;
    size_t queue_room;
    uint64_t next_order;
    uint64_t last_id;
    size_t loops;
    bool is_stopped;
    void (*after_event)(void *arg);
    void *after_event_arg;
    void (*after_turn)(struct sl_loop *loop, void *arg);
    void *after_turn_arg;
    struct world_counts counts;
    uint64_t trace;
    struct note recent[RECENT];
    uint64_t notes;
} world;

/* ---- life ---- */

void world_begin(uint64_t seed)
{
    if (world.is_begun) {
        world_end();
    }
    world.is_begun = true;
    world.seed = seed;
    world.now_ns = start_ns;
    world.wall_ahead_ns = first_wall_ns - start_ns;
    world.trace = seed;
    world.most_turn_ns = 10 * SL_NS_PER_US;
    world_random_for(&world.order, "order");
    world_random_for(&world.pace, "pace");
    world_random_for(&world.system, "system");
}

void world_end(void)
{
    SL_ASSERT(world.loops == 0 && world.queued == 0);
    world_net_end();
    free(world.queue);
    memset(&world, 0, sizeof(world));
}

static void begin_if_not(void)
{
    if (!world.is_begun) {
        world_begin(1);
    }
}

void world_loop_begins(void)
{
    begin_if_not();
    world.loops++;
}

void world_loop_ends(void)
{
    world.loops--;
}

void world_random_for(struct world_random *random, const char *name)
{
    world_random_init(random, world.seed, name);
}

uint64_t world_next_id(void)
{
    return ++world.last_id;
}

/* The core's own randomness (backoff, hash seeds) comes from here: it takes the place of libc's, as
 * long as there is a world. */
ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    uint8_t *to = buffer;

    if (!world.is_begun) {
        return syscall(SYS_getrandom, buffer, len, flags);
    }
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t draw = world_random_next(&world.system);
        memcpy(to + i, &draw, sl_min_size(sizeof(draw), len - i));
    }
    return (ssize_t)len;
}

/* ---- time ---- */

/* The same: lines of the log and plugins have the world's time, too. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!world.is_begun) {
        return (int)syscall(SYS_clock_gettime, clock, now);
    }
    int64_t now_ns = world.now_ns + (clock == CLOCK_REALTIME ? world.wall_ahead_ns : 0);

    *now = (struct timespec){.tv_sec = (time_t)(now_ns / SL_NS_PER_S),
                             .tv_nsec = (long)(now_ns % SL_NS_PER_S)};
    return 0;
}

int64_t world_now_ns(void)
{
    return world.now_ns;
}

int64_t sl_loop_wall_ns(void)
{
    begin_if_not();
    return world.now_ns + world.wall_ahead_ns;
}

void world_jump_wall(int64_t by_ns)
{
    world.wall_ahead_ns += by_ns;
}

void world_set_turn_ns(int64_t most_ns)
{
    world.most_turn_ns = most_ns;
}

void world_pass_time(void)
{
    if (world.most_turn_ns > 0) {
        world.now_ns += (int64_t)world_random_below(&world.pace, (uint64_t)world.most_turn_ns + 1);
    }
}

/* ---- the queue ---- */

static bool is_before(const struct world_event *a, const struct world_event *b)
{
    if (a->due_ns != b->due_ns) {
        return a->due_ns < b->due_ns;
    }
    return a->rank != b->rank ? a->rank < b->rank : a->order < b->order;
}

static void put(struct world_event *event, size_t place)
{
    world.queue[place] = event;
    event->place = place;
}

static void rise(struct world_event *event)
{
    size_t place = event->place;

    while (place > 1 && is_before(event, world.queue[place / 2])) {
        put(world.queue[place / 2], place);
        place /= 2;
    }
    put(event, place);
}

static void sink(struct world_event *event)
{
    size_t place = event->place;

    for (size_t next = place * 2; next <= world.queued; next = place * 2) {
        if (next < world.queued && is_before(world.queue[next + 1], world.queue[next])) {
            next++;
        }
        if (!is_before(world.queue[next], event)) {
            break;
        }
        put(world.queue[next], place);
        place = next;
    }
    put(event, place);
}

static void make_room(void)
{
    if (world.queued + 1 < world.queue_room) {
        return;
    }
    world.queue_room = world.queue_room ? world.queue_room * 2 : FIRST_QUEUE;
    world.queue = realloc(world.queue, world.queue_room * sizeof(struct world_event *));
    SL_ASSERT(world.queue);
}

void world_clear(struct world_event *event)
{
    size_t place = event->place;

    if (place == 0) {
        return;
    }
    struct world_event *last = world.queue[world.queued--];
    event->place = 0;
    if (last != event) {
        put(last, place);
        rise(last);
        sink(last);
    }
}

void world_set(struct world_event *event, int64_t due_ns, uint32_t rank)
{
    world_clear(event);
    make_room();
    event->due_ns = due_ns > world.now_ns ? due_ns : world.now_ns;
    event->rank = rank;
    event->order = world.next_order++;
    put(event, ++world.queued);
    rise(event);
}

uint32_t world_any_rank(void)
{
    return (uint32_t)world_random_between(&world.order, WORLD_RANK_TIMER + 1, WORLD_RANK_TURN - 1);
}

struct world_event *world_take_due(struct sl_loop *loop)
{
    struct world_event *first = world.queued ? world.queue[1] : NULL;

    if (!first || first->loop != loop || first->due_ns > world.now_ns) {
        return NULL;
    }
    world_clear(first);
    return first;
}

/* ---- running ---- */

unsigned world_turn_events(void)
{
    return 1 + (unsigned)world_random_below(&world.order, TURN_EVENTS);
}

bool world_step(void)
{
    const struct world_event *first = world.queued ? world.queue[1] : NULL;

    if (!first) {
        return false;
    }
    if (first->due_ns > world.now_ns) {
        world.now_ns = first->due_ns;
    }
    world_loop_turn(first->loop);
    return true;
}

bool world_run_until(int64_t until_ns)
{
    world.is_stopped = false;
    while (!world.is_stopped && world.queued && world.queue[1]->due_ns <= until_ns) {
        world_step();
    }
    if (!world.is_stopped && world.now_ns < until_ns) {
        world.now_ns = until_ns;
    }
    return !world.is_stopped;
}

void world_stop(void)
{
    world.is_stopped = true;
}

void world_turn_ends(struct sl_loop *loop)
{
    world.counts.turns++;
    if (world.after_turn) {
        world.after_turn(loop, world.after_turn_arg);
    }
    world_pass_time();
}

void world_after_event(void (*fn)(void *arg), void *arg)
{
    world.after_event = fn;
    world.after_event_arg = arg;
}

void world_after_turn(void (*fn)(struct sl_loop *loop, void *arg), void *arg)
{
    world.after_turn = fn;
    world.after_turn_arg = arg;
}

/* ---- what happened ---- */

static const char *name_of(enum world_kind kind)
{
    switch (kind) {
    case WORLD_TURN:
        return "turn";
    case WORLD_TIMER:
        return "timer";
    case WORLD_POSTED:
        return "posted";
    case WORLD_DEFERRED:
        return "deferred";
    case WORLD_DIAL:
        return "dial";
    case WORLD_ACCEPT:
        return "accept";
    case WORLD_OPEN:
        return "open";
    case WORLD_READ:
        return "read";
    case WORLD_DRAIN:
        return "drain";
    case WORLD_BREAK:
        return "break";
    case WORLD_CLOSE:
        return "close";
    case WORLD_WRITE:
        return "write";
    }
    return "?";
}

static uint64_t fold(uint64_t trace, uint64_t with)
{
    trace = (trace ^ with) * UINT64_C(0x9fb21c651e98df25);
    return trace ^ (trace >> 29);
}

void world_note(enum world_kind kind, uint64_t id, uint64_t detail)
{
    struct note *note = &world.recent[world.notes++ & (RECENT - 1)];

    *note = (struct note){world.now_ns, kind, id, detail};
    world.trace = fold(world.trace, (uint64_t)world.now_ns);
    world.trace = fold(world.trace, (uint64_t)kind << 32 ^ id);
    world.trace = fold(world.trace, detail);
}

void world_happened(enum world_kind kind, uint64_t id, uint64_t detail)
{
    world.counts.events++;
    world_note(kind, id, detail);
}

void world_happened_done(void)
{
    if (world.after_event) {
        world.after_event(world.after_event_arg);
    }
}

struct world_counts *world_count(void)
{
    return &world.counts;
}

const struct world_counts *world_counts(void)
{
    return &world.counts;
}

uint64_t world_trace(void)
{
    return world.trace;
}

void world_trace_add(uint64_t number)
{
    world.trace = fold(world.trace, number);
}

void world_print_recent(FILE *file)
{
    uint64_t first = world.notes > RECENT ? world.notes - RECENT : 0;

    for (uint64_t i = first; i < world.notes; i++) {
        const struct note *note = &world.recent[i & (RECENT - 1)];
        fprintf(file, "%15.6f ms  %-8s", (double)(note->now_ns - start_ns) / SL_NS_PER_MS,
                name_of(note->kind));
        if (note->id) {
            fprintf(file, "  connection %llu", (unsigned long long)note->id);
        }
        fprintf(file, "  %llu\n", (unsigned long long)note->detail);
    }
}
