/* outlet.h - whether standard output takes more, without a wait.
 *
 * A tool that prints what comes on a stream looks before it prints, and leaves what it cannot print
 * now with the device. So a reader that stops stops the device, and the loop goes on meanwhile:
 * signals and keepalive are answered. A pipe that has room takes at least 4 KiB; a longer text may
 * still have to wait, on the thread. A regular file always takes more.
 *
 * The descriptor's flags stay as they are: others share them. On the loop's thread.
 */
#ifndef SLUICE_TOOL_OUTLET_H
#define SLUICE_TOOL_OUTLET_H

#include <stdbool.h>

#include "base/base.h"
#include "loop/loop.h"

struct sl_outlet {
    int fd;
    int epoll_fd; /* knows nothing of fd but for a wait; -1: fd always takes more */
    struct sl_watch *watch;
    sl_loop_fn on_change;
    void *arg;
    bool is_awaited;
    bool is_gone;
};

/* False: the system has no descriptors or memory left. `on_change(arg)` comes after sl_outlet_await
 * when there is room, and once when nobody reads any more (sl_outlet_is_gone). */
bool sl_outlet_open(struct sl_outlet *outlet, struct sl_loop *loop, int fd, sl_loop_fn on_change,
                    void *arg) SL_MUST_CHECK;
void sl_outlet_close(struct sl_outlet *outlet);

/* Also where the next write will fail. */
bool sl_outlet_has_room(const struct sl_outlet *outlet);

void sl_outlet_await(struct sl_outlet *outlet);

bool sl_outlet_is_gone(const struct sl_outlet *outlet);

#endif
