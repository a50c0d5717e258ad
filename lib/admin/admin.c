#include "admin/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SWEEP_MS = 1000 };

/* ---- libmicrohttpd on the loop ---- */

static void take_turn(void *arg)
{
    struct sl_admin *admin = arg;
    MHD_UNSIGNED_LONG_LONG wait_ms;

    (void)MHD_run(admin->daemon);
    if (MHD_get_timeout(admin->daemon, &wait_ms) == MHD_YES) {
        sl_timer_start(admin->turn, wait_ms);
    } else {
        sl_timer_stop(admin->turn);
    }
}

/* ---- those who are slow ---- */

/* The request is not read whole, so nothing was sent for it yet; libmicrohttpd learns of the end
 * from the socket. */
static void cut(struct sl_admin_visitor *visitor)
{
    static const char slow[] =
        "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\n"
        "Connection: close\r\n\r\n"
        "{\"error\":{\"code\":\"slow\",\"message\":\"the request did not come in time\"}}\n";

    visitor->is_cut = true;
    if (!visitor->is_answering) {
        (void)!send(visitor->fd, slow, sizeof(slow) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    shutdown(visitor->fd, SHUT_RDWR);
}

static void sweep(void *arg)
{
    struct sl_admin *admin = arg;
    int64_t now_ns = sl_loop_now_ns(admin->loop);

    SL_LIST_FOR_EACH(node, &admin->visitors)
    {
        struct sl_admin_visitor *visitor = SL_CONTAINER_OF(node, struct sl_admin_visitor, node);
        int64_t limit_s = visitor->is_answering ? SL_ADMIN_ANSWER_S : SL_ADMIN_REQUEST_S;
        if (!visitor->is_cut && now_ns - visitor->since_ns > limit_s * SL_NS_PER_S) {
            cut(visitor);
        }
    }
    if (admin->visitor_count > 0) {
        sl_timer_start(admin->sweep, SWEEP_MS);
    }
}

/* ---- life ---- */

static void stop(void *arg)
{
    struct sl_admin *admin = arg;

    sl_admin_bridge_close(admin);
    sl_loop_stop(admin->loop);
}

static void *run(void *arg)
{
    struct sl_admin *admin = arg;

    sl_loop_run(admin->loop);
    return NULL;
}

static bool open_loop(struct sl_admin *admin)
{
    admin->loop = sl_loop_new();
    admin->turn = admin->loop ? sl_timer_new(admin->loop, take_turn, admin) : NULL;
    admin->sweep = admin->loop ? sl_timer_new(admin->loop, sweep, admin) : NULL;
    return admin->turn && admin->sweep;
}

static bool open_thread(struct sl_admin *admin)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    admin->watch = info ? sl_watch_new(admin->loop, info->epoll_fd, take_turn, admin) : NULL;
    admin->is_running = admin->watch && pthread_create(&admin->thread, NULL, run, admin) == 0;
    return admin->is_running;
}

struct sl_admin *sl_admin_open(const struct sl_admin_config *config, struct sl_status *why)
{
    struct sl_admin *admin = calloc(1, sizeof(*admin));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "admin listener: out of memory or descriptors");
    if (!admin) {
        return NULL;
    }
    admin->config = *config;
    admin->stop_due = (struct sl_post){.fn = stop, .arg = admin};
    sl_list_init(&admin->visitors);
    sl_list_init(&admin->bridges);
    if (!open_loop(admin) || !sl_admin_listen(admin, why) || !open_thread(admin)) {
        sl_admin_close(admin);
        return NULL;
    }
    *why = sl_status_ok();
    return admin;
}

uint16_t sl_admin_port(const struct sl_admin *admin)
{
    return admin->port;
}

void sl_admin_close(struct sl_admin *admin)
{
    if (!admin) {
        return;
    }
    if (admin->is_running) {
        sl_loop_post_kept(admin->loop, &admin->stop_due);
        pthread_join(admin->thread, NULL);
    }
    sl_admin_bridge_close(admin);
    sl_watch_free(admin->watch);
    if (admin->daemon) {
        MHD_stop_daemon(admin->daemon);
        sl_unix_unlink(&admin->config.address, &admin->file);
    }
    sl_timer_free(admin->turn);
    sl_timer_free(admin->sweep);
    if (admin->loop) {
        sl_loop_free(admin->loop); /* ends what the bridges left */
    }
    sl_log_end(&admin->subject);
    free(admin);
}
