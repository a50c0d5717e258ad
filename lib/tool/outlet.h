/* outlet.h - standard output without a wait.
 *
 * A tool that prints what comes on a stream prints here, looks before it takes the next message
 * whether there is room, and leaves what it cannot print now with the device. So a reader that
 * stops stops the device, and the loop goes on meanwhile: signals and keepalive are answered. What
 * waits here is at most what was printed of one message. A regular file always takes all.
 *
 * The descriptor's flags stay as they are: others share them. On the loop's thread.
 */
#ifndef SLUICE_TOOL_OUTLET_H
#define SLUICE_TOOL_OUTLET_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "loop/loop.h"

struct sl_outlet {
    int fd;
    int epoll_fd; /* knows nothing of fd but for a wait; -1: fd always takes more */
    struct sl_watch *watch;
    sl_loop_fn on_change;
    void *arg;
    struct sl_buf waiting;
    size_t written; /* of that */
    int error;      /* of errno, at the first write that failed, or EPIPE; 0: none */
    bool is_awaited;
};

/* False: the system has no descriptors or memory left. `on_change(arg)` comes after sl_outlet_await
 * when there is room, and when nobody reads any more or a write failed (sl_outlet_error). */
bool sl_outlet_open(struct sl_outlet *outlet, struct sl_loop *loop, int fd, sl_loop_fn on_change,
                    void *arg) SL_MUST_CHECK;
void sl_outlet_close(struct sl_outlet *outlet);

/* Nothing waits, and the next write will not (or will fail). */
bool sl_outlet_has_room(const struct sl_outlet *outlet);

void sl_outlet_await(struct sl_outlet *outlet);

/* Takes all of it, and writes what can be written now. False when memory is out. */
bool sl_outlet_print(struct sl_outlet *outlet, struct sl_str text) SL_MUST_CHECK;

int sl_outlet_error(const struct sl_outlet *outlet);

/* The loop has ended: writes what waits. Where `is_patient` is false it gives up when nothing is
 * read for a second. */
void sl_outlet_drain(struct sl_outlet *outlet, bool is_patient);

#endif
