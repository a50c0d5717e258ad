#include "tool/outlet.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 4096, /* a pipe that has room takes so much without a wait */
    PATIENCE_MS = 1000,
    KEPT_BYTES = 64 * 1024,
};

/* A descriptor whose readiness is the other one's: it may be watched, and its flags are ours. What
 * broke is reported whatever is waited for. */
static bool wait_for(struct sl_outlet *outlet, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events};

    return epoll_ctl(outlet->epoll_fd, operation, outlet->fd, &event) == 0;
}

static bool is_writable(const struct sl_outlet *outlet, int timeout_ms)
{
    struct pollfd polled = {.fd = outlet->fd, .events = POLLOUT};

    return outlet->epoll_fd < 0 || poll(&polled, 1, timeout_ms) != 0;
}

static size_t left(const struct sl_outlet *outlet)
{
    return outlet->waiting.len - outlet->written;
}

/* One write. What failed once is not tried again. */
static void write_chunk(struct sl_outlet *outlet)
{
    size_t len = outlet->epoll_fd < 0 ? left(outlet) : sl_min_size(left(outlet), CHUNK_BYTES);
    ssize_t done = write(outlet->fd, outlet->waiting.data + outlet->written, len);

    if (done >= 0) {
        outlet->written += (size_t)done;
    } else if (errno != EINTR && errno != EAGAIN) {
        outlet->error = errno;
    }
}

static void write_now(struct sl_outlet *outlet, int timeout_ms)
{
    while (!outlet->error && left(outlet) && is_writable(outlet, timeout_ms)) {
        write_chunk(outlet);
    }
    if (outlet->error || !left(outlet)) {
        outlet->written = 0;
        sl_buf_trim(&outlet->waiting, KEPT_BYTES);
    }
}

static void on_readable(void *arg)
{
    struct sl_outlet *outlet = arg;
    struct epoll_event event;

    if (outlet->error || epoll_wait(outlet->epoll_fd, &event, 1, 0) < 1) {
        return;
    }
    if (event.events & (EPOLLERR | EPOLLHUP)) {
        outlet->error = EPIPE;
    }
    write_now(outlet, 0);
    if (outlet->error) {
        (void)wait_for(outlet, EPOLL_CTL_DEL, 0);
    } else if (!left(outlet)) {
        (void)wait_for(outlet, EPOLL_CTL_MOD, 0);
    }
    if (outlet->error || !left(outlet)) {
        outlet->is_awaited = false;
        outlet->on_change(outlet->arg);
    }
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
    sl_buf_fini(&outlet->waiting);
}

bool sl_outlet_has_room(const struct sl_outlet *outlet)
{
    return outlet->error || (!left(outlet) && is_writable(outlet, 0));
}

void sl_outlet_await(struct sl_outlet *outlet)
{
    if (outlet->epoll_fd >= 0 && !outlet->is_awaited && !outlet->error) {
        outlet->is_awaited = wait_for(outlet, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

bool sl_outlet_print(struct sl_outlet *outlet, struct sl_str text)
{
    sl_buf_add_str(&outlet->waiting, text);
    if (outlet->waiting.failed) {
        return false;
    }
    write_now(outlet, 0);
    if (left(outlet)) {
        sl_outlet_await(outlet);
    }
    return true;
}

int sl_outlet_error(const struct sl_outlet *outlet)
{
    return outlet->error;
}

void sl_outlet_drain(struct sl_outlet *outlet, bool is_patient)
{
    write_now(outlet, is_patient ? -1 : PATIENCE_MS);
}
