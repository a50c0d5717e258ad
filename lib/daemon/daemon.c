#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "admin/admin.h"
#include "daemon/api.h"
#include "daemon/events.h"
#include "daemon/file_watch.h"
#include "daemon/ledger.h"
#include "daemon/notify.h"
#include "daemon/pulse.h"
#include "daemon/reload.h"
#include "daemon/report.h"
#include "daemon/sources.h"
#include "daemon/worker.h"
#include "loop/loop.h"

enum { NS_PER_MS = 1000 * 1000, SLACK_MS = 10 * 1000 /* beyond shutdown-timeout, to the end */ };

struct sl_daemon {
    struct sl_settings *settings; /* of the start: what a reload does not change */
    const char *file;             /* from which they are */
    struct sl_sources *sources;
    struct sl_reload *reload;
    struct sl_loop *loop; /* of signals; the workers have their own */
    struct sl_signal *signals[2];
    struct sl_signal *hangup;
    struct sl_file_watch *watch; /* of the file; NULL: it is not watched */
    struct sl_worker **workers;
    unsigned started; /* workers whose thread runs */
    atomic_uint done; /* of them, drained; each worker's thread counts itself */
    struct sl_post done_due;
    struct sl_post over_due; /* a sink of some worker is over */
    struct sl_api api;
    struct sl_api_rates rates; /* the listener's */
    struct sl_admin *admin;
    struct sl_events *events; /* NULL without an admin listener */
    struct sl_pulse *pulse;   /* NULL: no service manager listens */
    atomic_bool is_draining;
    bool has_failed; /* once it is over */
};

/* ---- signals ---- */

static void drain(struct sl_daemon *daemon, const char *reason)
{
    daemon->is_draining = true;
    sl_reload_stop(daemon->reload);
    sl_log(SL_LOG_INFO, NULL, "draining: no more credit, waiting for what is held",
           sl_log_text("reason", reason));
    int64_t timeout_ns = sl_reload_settings(daemon->reload)->collector.shutdown_timeout_ns;
    sl_notify_stopping((uint64_t)(timeout_ns / NS_PER_MS) + SLACK_MS);
    for (unsigned i = 0; i < daemon->started; i++) {
        sl_worker_drain(daemon->workers[i]);
    }
}

static void on_signal(void *arg)
{
    struct sl_daemon *daemon = arg;

    if (daemon->is_draining) {
        sl_log(SL_LOG_WARN, NULL, "second signal: ending at once", sl_log_text("reason", "signal"));
        _exit(EXIT_FAILURE);
    }
    drain(daemon, "signal");
}

static void on_hangup(void *arg)
{
    const struct sl_daemon *daemon = arg;

    sl_reload_ask(daemon->reload, "SIGHUP");
}

static void on_file_changed(void *arg)
{
    const struct sl_daemon *daemon = arg;

    sl_reload_ask(daemon->reload, "file");
}

static void on_over(void *arg)
{
    struct sl_daemon *daemon = arg;

    if (!daemon->is_draining) {
        drain(daemon, "sink-over");
    }
}

/* On a worker's thread. */
static void on_worker_over(void *arg)
{
    struct sl_daemon *daemon = arg;

    sl_loop_post_kept(daemon->loop, &daemon->over_due);
}

static void on_done(void *arg)
{
    struct sl_daemon *daemon = arg;

    if (atomic_load(&daemon->done) == daemon->started) {
        sl_loop_stop(daemon->loop);
    }
}

/* On a worker's thread. */
static void on_worker_done(void *arg)
{
    struct sl_daemon *daemon = arg;

    atomic_fetch_add(&daemon->done, 1);
    sl_loop_post_kept(daemon->loop, &daemon->done_due);
}

/* ---- admin, on its own thread ---- */

static void free_snapshots(struct sl_snapshot *snapshots, unsigned count)
{
    for (unsigned i = 0; snapshots && i < count; i++) {
        sl_snapshot_fini(&snapshots[i]);
    }
    free(snapshots);
}

/* A snapshot of every worker, each by `take`; NULL when one did not answer. */
static struct sl_snapshot *snapshots(const struct sl_daemon *daemon,
                                     bool (*take)(struct sl_worker *, struct sl_snapshot *))
{
    struct sl_snapshot *all = calloc(daemon->settings->workers, sizeof(*all));

    for (unsigned i = 0; all && i < daemon->settings->workers; i++) {
        if (!take(daemon->workers[i], &all[i])) {
            free_snapshots(all, daemon->settings->workers);
            return NULL;
        }
    }
    return all;
}

/* Before the first decision of a worker. */
static struct sl_status open_events(struct sl_daemon *daemon)
{
    if (daemon->settings->admin.host[0] == '\0') {
        return sl_status_ok();
    }
    daemon->events = sl_events_new();
    if (!daemon->events) {
        return sl_status_out_of_memory();
    }
    sl_log_tap(sl_events_hear, daemon->events);
    return sl_status_ok();
}

/* On the listener's thread. */
static void on_drain_asked(void *arg)
{
    struct sl_daemon *daemon = arg;

    sl_loop_post_kept(daemon->loop, &daemon->over_due);
}

static struct sl_status open_admin(struct sl_daemon *daemon)
{
    struct sl_status why = sl_status_ok();

    if (daemon->settings->admin.host[0] == '\0') {
        return why;
    }
    daemon->api = (struct sl_api){
        .settings = daemon->settings,
        .reload = daemon->reload,
        .sources = daemon->sources,
        .workers = daemon->workers,
        .is_draining = &daemon->is_draining,
        .started_ns = sl_loop_wall_ns(),
        .events = daemon->events,
        .rates = &daemon->rates,
        .drain = on_drain_asked,
        .arg = daemon,
    };
    const struct sl_admin_config config = {
        .address = daemon->settings->admin,
        .tls = daemon->settings->admin_tls,
        .token = daemon->settings->collector.admin.token,
        .hosts = &daemon->settings->collector.admin.hosts,
        .routes = sl_api_routes,
        .arg = &daemon->api,
    };
    daemon->admin = sl_admin_open(&config, &why);
    return why;
}

/* ---- life ---- */

/* A device is a descriptor: as many as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            sl_log(SL_LOG_WARN, NULL, "descriptor limit stays as it was",
                   sl_log_text("reason", "no-descriptors"), sl_log_text("why", strerror(errno)));
        }
    }
}

static struct sl_status open_workers(struct sl_daemon *daemon)
{
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

    daemon->workers = calloc(daemon->settings->workers, sizeof(struct sl_worker *));
    for (unsigned i = 0; i < daemon->settings->workers; i++) {
        daemon->workers[i] = daemon->workers ? sl_worker_new(daemon->settings, i, &why) : NULL;
        if (!daemon->workers[i]) {
            return why;
        }
        sl_worker_on_over(daemon->workers[i], on_worker_over, daemon);
    }
    return sl_status_ok();
}

static struct sl_status watch_signals(struct sl_daemon *daemon)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SL_ARRAY_LEN(numbers); i++) {
        daemon->signals[i] = sl_signal_new(daemon->loop, numbers[i], on_signal, daemon);
        if (!daemon->signals[i]) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot watch for signals");
        }
    }
    daemon->hangup = sl_signal_new(daemon->loop, SIGHUP, on_hangup, daemon);
    return daemon->hangup ? sl_status_ok()
                          : sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot watch for signals");
}

static struct sl_settings *read_settings(const char *file, struct sl_buf *errors, void *arg)
{
    const struct sl_daemon *daemon = arg;

    return sl_sources_read(daemon->sources, file, errors);
}

static void on_taken(const struct sl_settings *settings, void *arg)
{
    const struct sl_daemon *daemon = arg;

    if (!daemon->is_draining) {
        sl_sources_follow(daemon->sources, settings, daemon->file);
    }
}

static void on_found(void *arg)
{
    struct sl_daemon *daemon = arg;

    if (!daemon->is_draining && sl_sources_have_news(daemon->sources)) {
        sl_reload_ask(daemon->reload, "discovery");
    }
}

/* From here on the settings have what the sources have found, too. */
static struct sl_status find_targets(struct sl_daemon *daemon, const char *file)
{
    struct sl_status status = sl_status_ok();
    struct sl_buf errors = {0};

    daemon->sources = sl_sources_open(daemon->settings, daemon->loop, on_found, daemon, &status);
    if (!daemon->sources || !daemon->settings->source_count) {
        return daemon->sources ? sl_status_ok() : status;
    }
    struct sl_settings *found = sl_sources_read(daemon->sources, file, &errors);
    if (found) {
        daemon->settings = found;
        status = sl_status_ok();
    } else {
        status = sl_status_error(SL_INVALID_ARGUMENT, "%s", sl_buf_text(&errors));
    }
    sl_buf_fini(&errors);
    return status;
}

static struct sl_status open_reload(struct sl_daemon *daemon, const char *file)
{
    const struct sl_reload_config config = {
        .loop = daemon->loop,
        .file = file,
        .running = daemon->settings,
        .workers = daemon->workers,
        .worker_count = daemon->settings->workers,
        .read = read_settings,
        .on_taken = on_taken,
        .arg = daemon,
    };

    daemon->reload = sl_reload_new(&config);
    return daemon->reload ? sl_status_ok()
                          : sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

static struct sl_status watch_file(struct sl_daemon *daemon, const char *file)
{
    struct sl_status why = sl_status_ok();

    if (daemon->settings->collector.watch) {
        daemon->watch = sl_file_watch_new(daemon->loop, file, on_file_changed, daemon, &why);
    }
    return daemon->watch ? sl_status_ok() : why;
}

static struct sl_status start_workers(struct sl_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->settings->workers; i++) {
        if (!sl_worker_start(daemon->workers[i], on_worker_done, daemon)) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot start a thread");
        }
        daemon->started++;
    }
    return sl_status_ok();
}

static struct sl_status open_pulse(struct sl_daemon *daemon)
{
    if (sl_pulse_is_wanted()) {
        daemon->pulse = sl_pulse_new(daemon->loop, daemon->workers, daemon->started, &daemon->done);
        if (!daemon->pulse) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        }
    }
    return sl_status_ok();
}

static struct sl_status start(struct sl_daemon *daemon, const char *file)
{
    daemon->loop = sl_loop_new();
    struct sl_status status =
        daemon->loop ? open_events(daemon)
                     : sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot make an event loop");

    if (sl_status_is_ok(&status)) {
        status = find_targets(daemon, file);
    }
    if (sl_status_is_ok(&status)) {
        status = open_workers(daemon);
    }
    if (sl_status_is_ok(&status)) {
        status = open_reload(daemon, file);
    }
    if (sl_status_is_ok(&status)) {
        status = watch_signals(daemon);
    }
    if (sl_status_is_ok(&status)) {
        status = watch_file(daemon, file);
    }
    if (sl_status_is_ok(&status)) {
        status = start_workers(daemon);
    }
    if (sl_status_is_ok(&status)) {
        status = open_admin(daemon);
    }
    if (sl_status_is_ok(&status)) {
        status = open_pulse(daemon);
    }
    return status;
}

static void log_ledger(const struct sl_daemon *daemon)
{
    struct sl_snapshot *all = snapshots(daemon, sl_worker_snapshot);

    if (all) {
        sl_ledger_log(all, daemon->settings->workers);
        free_snapshots(all, daemon->settings->workers);
    }
}

static void stop(struct sl_daemon *daemon, bool was_running)
{
    sl_sources_close(daemon->sources);
    sl_pulse_stop(daemon->pulse);
    sl_admin_close(daemon->admin);
    sl_api_rates_fini(&daemon->rates);
    sl_log_tap(NULL, NULL);
    sl_events_free(daemon->events);
    for (unsigned i = 0; i < daemon->started; i++) {
        sl_worker_join(daemon->workers[i]);
        daemon->has_failed = daemon->has_failed || sl_worker_has_failed(daemon->workers[i]);
    }
    if (was_running) {
        log_ledger(daemon);
    }
    for (unsigned i = 0; daemon->workers && i < daemon->settings->workers; i++) {
        if (daemon->workers[i]) {
            sl_worker_free(daemon->workers[i]);
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(daemon->signals); i++) {
        sl_signal_free(daemon->signals[i]);
    }
    sl_signal_free(daemon->hangup);
    sl_file_watch_free(daemon->watch);
    sl_reload_free(daemon->reload);
    sl_pulse_free(daemon->pulse);
    if (daemon->loop) {
        sl_loop_free(daemon->loop);
    }
    free(daemon->workers);
}

static void log_admin(const struct sl_daemon *daemon)
{
    struct sl_address address = daemon->settings->admin;
    char place[SL_ADDRESS_TEXT_BYTES];
    struct sl_buf url = {0};

    address.port = sl_admin_port(daemon->admin);
    sl_address_print(&address, place);
    if (sl_address_is_unix(&address)) {
        sl_log(SL_LOG_INFO, NULL, "metrics", sl_log_text("socket", place));
        return;
    }
    sl_buf_printf(&url, "http%s://%s/metrics", daemon->settings->admin_tls ? "s" : "", place);
    sl_log(SL_LOG_INFO, NULL, "metrics", sl_log_text("url", sl_buf_text(&url)));
    sl_buf_fini(&url);
}

struct sl_status sl_daemon_run(struct sl_settings *settings, const char *file)
{
    struct sl_daemon daemon = {
        .settings = settings,
        .file = file,
        .done_due = {.fn = on_done, .arg = &daemon},
        .over_due = {.fn = on_over, .arg = &daemon},
    };

    raise_descriptor_limit();
    struct sl_status status = start(&daemon, file);
    bool is_running = sl_status_is_ok(&status);
    if (is_running) {
        sl_log(SL_LOG_INFO, NULL, "started", sl_log_text("collector", settings->collector.name),
               sl_log_text("version", SLUICE_VERSION),
               sl_log_u64("workers", daemon.settings->workers),
               sl_log_u64("targets", daemon.settings->target_count),
               sl_log_u64("other-shards", daemon.settings->elsewhere_count));
        if (daemon.admin) {
            log_admin(&daemon);
        }
        sl_notify_ready();
    } else if (daemon.started > 0) {
        on_signal(&daemon);
    }
    if (daemon.started > 0) {
        sl_loop_run(daemon.loop);
    }
    stop(&daemon, is_running);
    if (is_running && daemon.has_failed) {
        status = sl_status_error(SL_INVALID_ARGUMENT,
                                 "a replay did not come to its end, or a sink is over");
    }
    if (daemon.settings != settings) {
        sl_settings_release(daemon.settings);
    }
    return status;
}
