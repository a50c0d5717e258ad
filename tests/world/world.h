/* world.h - a world for the core: its time, its network, and the order in which things happen.
 *
 * tests/world/loop*.c and net*.c have the symbols of lib/loop and lib/net. What is linked with them
 * runs without a socket, a thread or a clock: time is a number that jumps to the next event, a
 * connection is two queues of bytes with a latency, a bandwidth and a bound, and everything that
 * may differ from run to run (how long a piece of bytes travels, in how many reads it comes, which
 * of two things that are due at once is first, what getrandom gives) is drawn from one seed. Two
 * runs with the same seed do the same, and world_trace says so.
 *
 * What asks libc for the time (clock_gettime) or for random bytes is answered by the world as well,
 * while there is one.
 *
 * There is one world in a process, for one thread. Every loop that is made belongs to it. A turn
 * of a loop is as in lib/loop: some of the timers and bytes that are due (how many is drawn), then
 * what was deferred, then the ends of closed connections.
 *
 * Not simulated: TLS, proxies (a dial with one fails), descriptors and signals (a watch on one
 * cannot be made). Names are not resolved: a host is its name.
 *
 * malloc is the process's own, and what malloc_usable_size says depends on everything before: for
 * the same run twice, begin both in the same state (fork for each seed).
 */
#ifndef SLUICE_TESTS_WORLD_WORLD_H
#define SLUICE_TESTS_WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "loop/loop.h"
#include "net/net.h"
#include "world/random.h"

/* ---- the world ---- */

/* Begins a world; its clock stands at an hour. One that is under way must be over (no loops left).
 * Without it the first loop begins one with seed 1. */
void world_begin(uint64_t seed);

/* All loops must have been freed; nothing of the world is left. */
void world_end(void);

/* Virtual monotonic time; sl_loop_now_ns is the same, but stands still during a turn. */
int64_t world_now_ns(void);

/* Moves the wall clock (sl_loop_wall_ns), not the monotonic one. It begins in November 2023. */
void world_jump_wall(int64_t by_ns);

/* A turn takes a drawn time of up to so long, 10 us at first. 0: none; then work that makes itself
 * new work without a wait never ends. */
void world_set_turn_ns(int64_t most_ns);

/* ---- running ---- */

/* One turn of the loop that has something to do first; time goes on to when that is. False:
 * nothing is left to be done, ever. */
bool world_step(void);

/* Turns until `until_ns`, which then is the time; false when something said stop. */
bool world_run_until(int64_t until_ns);

/* world_run_until returns false after the present turn. A hook may say it. */
void world_stop(void);

/* After each single thing that happened: a timer fired, bytes or an end were delivered, something
 * deferred or posted ran. Within a turn, so what the core leaves for its end is not done yet. NULL:
 * none. */
void world_after_event(void (*fn)(void *arg), void *arg);

/* After each turn of a loop. */
void world_after_turn(void (*fn)(struct sl_loop *loop, void *arg), void *arg);

/* ---- the network ---- */

/* The way to an address. What a connection has of it may change while it stands: latency, jitter,
 * bandwidth and pieces count from the next bytes on. */
struct world_link {
    int64_t latency_ns;    /* one way */
    int64_t jitter_ns;     /* up to so much on top, drawn for each piece; bytes keep their order */
    uint64_t bytes_per_s;  /* each way; 0: no bound */
    uint32_t buffer_bytes; /* each way: what sockets and network hold before a write has to wait */
    uint32_t piece_bytes;  /* at most so much in one read; 0: as much as is there */
    bool is_ragged;        /* reads come in pieces of drawn sizes, down to a byte */
    bool is_refusing;      /* whoever dials is refused, as where nobody listens */
    bool is_silent;        /* whoever dials hears nothing, until its time is over */
};

/* 100 us, no jitter, no bound on bandwidth, 256 KiB, whole reads. */
extern const struct world_link world_default_link;

/* For `host` and `port` as they are dialled; a unix socket's host is its path and its port 0. For
 * connections to come and those that stand. */
void world_set_link(const char *host, uint16_t port, const struct world_link *link);

/* Of a connection, named by either of its ends. A stalled one carries nothing: what is written
 * waits, also an end or a reset of the other side. The end that dialled gives up after
 * SL_NET_DEAD_PEER_S of it, the other one does not notice; one that is never healed is cut. */
void world_stall(struct sl_conn *conn);
void world_heal(struct sl_conn *conn); /* one that is not stalled: nothing */

/* Both ends hear of a reset, each after the latency; what was under way is lost. */
void world_reset(struct sl_conn *conn);

/* How many ends of connections there are that have not closed. */
size_t world_connections(void);

/* The other end, for as long as both stand; else NULL. */
struct sl_conn *world_other_end(struct sl_conn *conn);

/* ---- what happened ---- */

struct world_counts {
    uint64_t turns;
    uint64_t events; /* single things: what world_after_event is called for */
    uint64_t timers, deferred, posted;
    uint64_t dials, refused, unanswered; /* unanswered: the time was over */
    uint64_t reads, partial_reads;       /* partial: more had arrived already */
    uint64_t writes, waiting_writes;     /* waiting: the buffer was full */
    uint64_t drains;
    uint64_t ends;   /* "closed by peer" */
    uint64_t resets; /* ends of connections that heard of one */
    uint64_t stalls, dead_peers;
};

const struct world_counts *world_counts(void);

/* A number that follows from everything that happened so far, bytes included. */
uint64_t world_trace(void);

/* Lets `number` count in it: what a test's own parts saw. */
void world_trace_add(uint64_t number);

/* The last few hundred events, a line each. */
void world_print_recent(FILE *file);

#endif
