/* loop.h - one thread's event loop: timers, descriptors, wakeups, signals, clock.
 *
 * A loop belongs to the thread that runs it; every function here is for that thread alone, but for
 * the two that post. Callbacks come only from within sl_loop_run, never from the function that
 * armed them. libuv does the work and shows nowhere in this header: tests/world has a twin of this
 * module with a virtual clock.
 */
#ifndef SLUICE_LOOP_LOOP_H
#define SLUICE_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"

struct sl_loop;

typedef void (*sl_loop_fn)(void *arg);

/* NULL when the system has no descriptors or memory left. */
struct sl_loop *sl_loop_new(void) SL_MUST_CHECK;

/* Everything armed on the loop must have been disarmed, and no thread may post any more. Runs what
 * is posted and deferred and the pending ends of closed handles. */
void sl_loop_free(struct sl_loop *loop);

/* Runs until sl_loop_stop; the turn in which it is called is run to its end. */
void sl_loop_run(struct sl_loop *loop);
void sl_loop_stop(struct sl_loop *loop);

/* Monotonic time, taken once per turn of the loop: cheap, and constant within a callback. */
int64_t sl_loop_now_ns(const struct sl_loop *loop);

/* The same, read anew, for now and for the rest of the turn: for a decision that comes out wrong
 * when the turn has been long. */
int64_t sl_loop_fresh_ns(struct sl_loop *loop);

/* Wall clock, nanoseconds since 1970, read anew at each call. Any thread. */
int64_t sl_loop_wall_ns(void);

/* Any thread: runs `fn(arg)` on the loop's thread, in the order of the calls of one thread. False
 * when memory is out: then it is not run. */
bool sl_loop_post(struct sl_loop *loop, sl_loop_fn fn, void *arg) SL_MUST_CHECK;

/* The same with memory of the caller's, so that it cannot fail. Zeroed storage with `fn` and `arg`
 * set is ready; posting again before it ran is once. The storage stays until it ran, or until the
 * loop is gone. */
struct sl_post {
    sl_loop_fn fn;
    void *arg;
    struct sl_post *next; /* loop.c's, like all that follows */
    bool is_pending;
    bool is_loops; /* allocated by sl_loop_post */
};

void sl_loop_post_kept(struct sl_loop *loop, struct sl_post *post);

/* Work for the end of this turn of the loop (objects freed late, output pumped once for many small
 * writes). Zeroed storage with `fn` and `arg` set is ready; deferring twice before it ran is once.
 * What deferred work defers runs at the end of the next turn, which does not sleep: descriptors and
 * timers have their turn in between. `fn` may free its own sl_deferred. */
struct sl_deferred {
    sl_loop_fn fn;
    void *arg;
    struct sl_list node; /* loop.c's; listed while is_pending */
    bool is_pending;     /* loop.c's */
};

void sl_loop_defer(struct sl_loop *loop, struct sl_deferred *deferred);
void sl_loop_cancel(struct sl_loop *loop, struct sl_deferred *deferred);

/* A timer fires once, `delay_ms` after its start; starting it again moves it. */
struct sl_timer;
struct sl_timer *sl_timer_new(struct sl_loop *loop, sl_loop_fn fn, void *arg) SL_MUST_CHECK;
void sl_timer_start(struct sl_timer *timer, uint64_t delay_ms);
void sl_timer_stop(struct sl_timer *timer);
bool sl_timer_is_armed(const struct sl_timer *timer);
void sl_timer_free(struct sl_timer *timer); /* NULL is nothing; does not fire any more */

/* Calls `fn` whenever `fd` is readable or broken, until freed. The descriptor stays the caller's
 * and becomes non-blocking. NULL also for one that cannot be watched (a regular file, closed,
 * watched already). */
struct sl_watch;
struct sl_watch *sl_watch_new(struct sl_loop *loop, int fd, sl_loop_fn fn, void *arg) SL_MUST_CHECK;
void sl_watch_free(struct sl_watch *watch); /* NULL is nothing; before `fd` is closed */

/* Calls `fn` when something changes in the directory `path` (or the file), until freed; not all
 * file systems tell. NULL also where there is none. */
struct sl_path_watch;
struct sl_path_watch *sl_path_watch_new(struct sl_loop *loop, const char *path, sl_loop_fn fn,
                                        void *arg) SL_MUST_CHECK;
void sl_path_watch_free(struct sl_path_watch *watch); /* NULL is nothing */

/* Calls `fn` on the loop for each arrival of signal `number`. */
struct sl_signal;
struct sl_signal *sl_signal_new(struct sl_loop *loop, int number, sl_loop_fn fn,
                                void *arg) SL_MUST_CHECK;
void sl_signal_free(struct sl_signal *signal); /* NULL is nothing */

/* The libuv loop below, for lib/net alone, to which its `data` belongs too. */
void *sl_loop_handle(struct sl_loop *loop);

#endif
