#include "tool/outlet.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A descriptor whose readiness is the other one's: it may be watched, and its flags are ours. What
 * broke is reported whatever is waited for. */
static bool wait_for(struct sl_outlet *outlet, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events};

    return epoll_ctl(outlet->epoll_fd, operation, outlet->fd, &event) == 0;
}

static void on_readable(void *arg)
{
    struct sl_outlet *outlet = arg;
    struct epoll_event event;

    if (outlet->is_gone || epoll_wait(outlet->epoll_fd, &event, 1, 0) < 1) {
        return;
    }
    outlet->is_gone = event.events & (EPOLLERR | EPOLLHUP);
    outlet->is_awaited = false;
    if (outlet->is_gone) {
        (void)wait_for(outlet, EPOLL_CTL_DEL, 0);
    } else {
        (void)wait_for(outlet, EPOLL_CTL_MOD, 0);
    }
    outlet->on_change(outlet->arg);
}

static void forget(struct sl_outlet *outlet)
{
    if (outlet->epoll_fd >= 0) {
        close(outlet->epoll_fd);
    }
    outlet->epoll_fd = -1;
}

bool sl_outlet_open(struct sl_outlet *outlet, struct sl_loop *loop, int fd, sl_loop_fn on_change,
                    void *arg)
{
    *outlet = (struct sl_outlet){.fd = fd, .on_change = on_change, .arg = arg};
    outlet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (outlet->epoll_fd < 0) {
        return false;
    }
    if (!wait_for(outlet, EPOLL_CTL_ADD, 0)) {
        forget(outlet); /* a regular file: it is never full */
        return true;
    }
    outlet->watch = sl_watch_new(loop, outlet->epoll_fd, on_readable, outlet);
    if (!outlet->watch) {
        forget(outlet);
    }
    return outlet->watch != NULL;
}

void sl_outlet_close(struct sl_outlet *outlet)
{
    sl_watch_free(outlet->watch);
    outlet->watch = NULL;
    forget(outlet);
}

bool sl_outlet_has_room(const struct sl_outlet *outlet)
{
    struct pollfd polled = {.fd = outlet->fd, .events = POLLOUT};

    return outlet->epoll_fd < 0 || poll(&polled, 1, 0) != 0;
}

void sl_outlet_await(struct sl_outlet *outlet)
{
    if (outlet->epoll_fd >= 0 && !outlet->is_awaited && !outlet->is_gone) {
        outlet->is_awaited = wait_for(outlet, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

bool sl_outlet_is_gone(const struct sl_outlet *outlet)
{
    return outlet->is_gone;
}
