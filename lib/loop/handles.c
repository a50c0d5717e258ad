#include <stdlib.h>

#include <uv.h>

#include "loop/loop.h"

/* Every handle is freed by libuv's close callback, in a later turn: it may be freed in its own
 * callback, and fires no more from then on. */
struct sl_watch {
    uv_poll_t uv;
    sl_loop_fn fn;
    void *arg;
};

struct sl_signal {
    uv_signal_t uv;
    sl_loop_fn fn;
    void *arg;
};

static void on_watch_closed(uv_handle_t *handle)
{
    free(SL_CONTAINER_OF(handle, struct sl_watch, uv));
}

static void on_signal_closed(uv_handle_t *handle)
{
    free(SL_CONTAINER_OF(handle, struct sl_signal, uv));
}

/* A broken descriptor is "readable" too: the reader finds the error. */
static void on_readable(uv_poll_t *uv, int status, int events)
{
    struct sl_watch *watch = SL_CONTAINER_OF(uv, struct sl_watch, uv);

    (void)status;
    (void)events;
    watch->fn(watch->arg);
}

static void on_signal(uv_signal_t *uv, int number)
{
    struct sl_signal *signal = SL_CONTAINER_OF(uv, struct sl_signal, uv);

    (void)number;
    signal->fn(signal->arg);
}

struct sl_watch *sl_watch_new(struct sl_loop *loop, int fd, sl_loop_fn fn, void *arg)
{
    struct sl_watch *watch = malloc(sizeof(*watch));

    if (!watch) {
        return NULL;
    }
    watch->fn = fn;
    watch->arg = arg;
    if (uv_poll_init(sl_loop_handle(loop), &watch->uv, fd) != 0) {
        free(watch);
        return NULL;
    }
    if (uv_poll_start(&watch->uv, UV_READABLE, on_readable) != 0) {
        sl_watch_free(watch);
        return NULL;
    }
    return watch;
}

void sl_watch_free(struct sl_watch *watch)
{
    if (watch) {
        uv_close((uv_handle_t *)&watch->uv, on_watch_closed);
    }
}

struct sl_signal *sl_signal_new(struct sl_loop *loop, int number, sl_loop_fn fn, void *arg)
{
    struct sl_signal *signal = malloc(sizeof(*signal));

    if (!signal) {
        return NULL;
    }
    signal->fn = fn;
    signal->arg = arg;
    if (uv_signal_init(sl_loop_handle(loop), &signal->uv) != 0) {
        free(signal);
        return NULL;
    }
    if (uv_signal_start(&signal->uv, on_signal, number) != 0) {
        sl_signal_free(signal);
        return NULL;
    }
    return signal;
}

void sl_signal_free(struct sl_signal *signal)
{
    if (signal) {
        uv_close((uv_handle_t *)&signal->uv, on_signal_closed);
    }
}
