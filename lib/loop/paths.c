#include <stdlib.h>

#include <uv.h>

#include "loop/loop.h"

struct sl_path_watch {
    uv_fs_event_t uv;
    sl_loop_fn fn;
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    free(SL_CONTAINER_OF(handle, struct sl_path_watch, uv));
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status)
{
    struct sl_path_watch *watch = SL_CONTAINER_OF(uv, struct sl_path_watch, uv);

    (void)name;
    (void)events;
    (void)status;
    watch->fn(watch->arg);
}

struct sl_path_watch *sl_path_watch_new(struct sl_loop *loop, const char *path, sl_loop_fn fn,
                                        void *arg)
{
    struct sl_path_watch *watch = calloc(1, sizeof(*watch));

    if (!watch) {
        return NULL;
    }
    watch->fn = fn;
    watch->arg = arg;
    if (uv_fs_event_init(sl_loop_handle(loop), &watch->uv) != 0) {
        free(watch);
        return NULL;
    }
    if (uv_fs_event_start(&watch->uv, on_event, path, 0) != 0) {
        sl_path_watch_free(watch);
        return NULL;
    }
    return watch;
}

void sl_path_watch_free(struct sl_path_watch *watch)
{
    if (watch) {
        uv_close((uv_handle_t *)&watch->uv, on_closed);
    }
}
