/* A worker with two streams at two sinks, and a simulated device, while each allocation fails once:
 * of the worker's side, then of the device's; over plaintext, then over TLS. Whichever it is, the
 * worker subscribes, is told goodbye, subscribes anew and ends: one failure is no reason to stay
 * away.
 *
 * The threads allocate in a somewhat different order each time, so "the n-th" is a sample. It is
 * taken of every n up to EACH, then of each of a step; with SL_LONG set, of every n up to
 * LONG_EACH, and of every one over plaintext (OpenSSL makes thousands).
 */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/worker.h"
#include "device/device.h"
#include "failing_everywhere.h"
#include "net/certificates.h"
#include "net/tls.h"

enum {
    EACH = 60,
    STEP = 11,
    TLS_STEP = 211,
    LONG_EACH = 2000,
    LONG_TLS_STEP = 7,
    RATE_PER_S = 2000,
    STREAMS = 2,
    SOME_MESSAGES = 10,
    HANG_S = 30, /* a run takes a fraction of a second */
};

/* ---- the device, on a thread of its own ---- */

struct device {
    struct sl_loop *loop;
    struct sl_tls *tls; /* NULL: plaintext */
    struct sl_device_fleet *fleet;
    struct sl_timer *retry;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint16_t port; /* 0: not open yet */
    bool is_ending;
};

static void open_fleet(void *arg);

static void on_fleet_closed(void *arg)
{
    struct device *device = arg;

    device->fleet = NULL;
    if (device->is_ending) {
        sl_loop_stop(device->loop);
    } else {
        sl_timer_start(device->retry, 0);
    }
}

static const struct sl_device_events device_events = {.on_closed = on_fleet_closed};

static void open_fleet(void *arg)
{
    struct device *device = arg;
    struct sl_status why;
    struct sl_device_options options = {
        .listen = {.host = "127.0.0.1", .port = device->port},
        .devices = 1,
        .interfaces = 2,
        .updates = 5,
        .rate_per_s = RATE_PER_S,
        .tls = device->tls,
    };

    device->fleet = sl_device_fleet_open(device->loop, &options, &device_events, device, &why);
    if (!device->fleet) {
        sl_timer_start(device->retry, 1); /* memory, or the port is not free yet */
        return;
    }
    pthread_mutex_lock(&device->lock);
    device->port = sl_device_fleet_port(device->fleet, 0);
    pthread_cond_signal(&device->changed);
    pthread_mutex_unlock(&device->lock);
}

static void close_fleet(void *arg)
{
    struct device *device = arg;

    if (device->fleet) {
        sl_device_fleet_close(device->fleet);
    }
}

static void end_device(void *arg)
{
    struct device *device = arg;

    device->is_ending = true;
    if (device->fleet) {
        sl_device_fleet_close(device->fleet);
    } else {
        sl_loop_stop(device->loop);
    }
}

/* The bench's own parts are made before anything fails. */
static void *run_device(void *arg)
{
    struct device *device = arg;

    failing_set_side(FAILING_DEVICE);
    open_fleet(device);
    sl_loop_run(device->loop);
    return NULL;
}

static struct sl_tls *server_tls(void)
{
    const struct sl_tls_options options = {.ca = "ca.pem", .cert = "leaf.pem", .key = "leaf.key"};
    struct sl_status why;
    enum sl_tls_part part;
    struct sl_tls *tls = sl_tls_new(SL_TLS_SERVER, &options, &why, &part);

    assert_non_null(tls);
    return tls;
}

static void start_device(struct device *device, bool has_tls)
{
    *device = (struct device){.tls = has_tls ? server_tls() : NULL};
    pthread_mutex_init(&device->lock, NULL);
    pthread_cond_init(&device->changed, NULL);
    device->loop = sl_loop_new();
    device->retry = device->loop ? sl_timer_new(device->loop, open_fleet, device) : NULL;
    assert_non_null(device->retry);
}

static void run_device_until_open(struct device *device)
{
    assert_int_equal(pthread_create(&device->thread, NULL, run_device, device), 0);
    pthread_mutex_lock(&device->lock);
    while (!device->port) {
        pthread_cond_wait(&device->changed, &device->lock);
    }
    pthread_mutex_unlock(&device->lock);
}

/* Any thread; that one's allocation may fail, once. */
static void tell_device(struct device *device, sl_loop_fn fn)
{
    while (!sl_loop_post(device->loop, fn, device)) {
    }
}

static void stop_device(struct device *device)
{
    tell_device(device, end_device);
    pthread_join(device->thread, NULL);
    sl_timer_free(device->retry);
    sl_loop_free(device->loop);
    sl_tls_release(device->tls);
    pthread_cond_destroy(&device->changed);
    pthread_mutex_destroy(&device->lock);
}

/* ---- the worker ---- */

static char directory[] = "/tmp/sluice-session-XXXXXX";

static struct sl_settings *read_settings(const struct device *device)
{
    const char *security =
        device->tls ? "tls: {ca: ca.pem, cert: client.pem, key: client.key}" : "insecure: true";
    char file[64];
    struct sl_buf errors = {0};

    snprintf(file, sizeof(file), "%s/sluice.yaml", directory);
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    fprintf(out,
            "collector: {name: test, workers: 1, memory: 64MiB, admin: {listen: \"\"}}\n"
            "targets:\n"
            "  leaf1: {address: \"127.0.0.1:%u\", %s, username: u, password: p,\n"
            "          backoff: {min: 1ms, max: 2ms}}\n"
            "subscriptions:\n"
            "  all: {paths: /interfaces, sinks: [quick]}\n"
            "  some: {paths: \"/interfaces/interface[name=eth0]\", sinks: [quick, file]}\n"
            "sinks:\n"
            "  quick: {type: null, format: sluice.v1}\n"
            "  file: {type: file, path: %s/records, format: event}\n",
            device->port, security, directory);
    fclose(out);
    struct sl_settings *settings = sl_settings_read(file, &errors);

    if (!settings) {
        fail_msg("%s", sl_buf_text(&errors));
    }
    return settings;
}

struct progress {
    uint64_t synced; /* streams that are */
    uint64_t least_subscribes;
    uint64_t least_messages;
};

/* False when there was no memory for the answer. */
static bool ask(struct sl_worker *worker, struct progress *progress)
{
    struct sl_snapshot snapshot = {0};

    if (!sl_worker_ask(worker, &snapshot)) {
        return false;
    }
    *progress = (struct progress){0, UINT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < snapshot.stream_count; i++) {
        const struct sl_stream_view *view = &snapshot.streams[i].view;
        progress->synced += view->is_synced;
        progress->least_subscribes = sl_min_u64(progress->least_subscribes, view->subscribes);
        progress->least_messages = sl_min_u64(progress->least_messages, view->messages);
    }
    assert_int_equal(snapshot.stream_count, STREAMS);
    sl_snapshot_fini(&snapshot);
    return true;
}

/* Until each stream has subscribed so often, is synced and has had so many messages in all. */
static void wait_for(struct sl_worker *worker, uint64_t subscribes, uint64_t messages)
{
    const struct timespec pause = {.tv_nsec = SL_NS_PER_MS};
    struct progress progress = {0};

    while (!ask(worker, &progress) || progress.synced < STREAMS ||
           progress.least_subscribes < subscribes || progress.least_messages < messages) {
        nanosleep(&pause, NULL); /* between two questions, each of which costs the worker a turn */
    }
}

static void check_counts(struct sl_worker *worker)
{
    struct sl_snapshot snapshot = {0};
    bool is_taken = sl_worker_snapshot(worker, &snapshot);

    assert_true(is_taken || failing_has_failed());
    for (size_t i = 0; i < snapshot.stream_count; i++) {
        for (size_t j = 0; j < snapshot.streams[i].route_count; j++) {
            const struct sl_route_counts *counts = &snapshot.streams[i].routes[j].counts;
            assert_true(sl_route_counts_are_valid(counts));
            assert_int_equal(counts->held, 0);
        }
    }
    sl_snapshot_fini(&snapshot);
}

static void on_done(void *arg)
{
    (void)arg;
}

static void live(struct device *device, struct sl_settings *settings)
{
    struct sl_status why;
    struct sl_worker *worker = sl_worker_new(settings, 0, &why);

    if (!worker) {
        assert_true(failing_has_failed() && !sl_status_is_ok(&why));
        return;
    }
    if (sl_worker_start(worker, on_done, NULL)) {
        wait_for(worker, 1, SOME_MESSAGES);
        tell_device(device, close_fleet);
        wait_for(worker, 2, 3 * SOME_MESSAGES);
        sl_worker_drain(worker);
        sl_worker_join(worker);
        check_counts(worker);
    } else {
        assert_true(failing_has_failed());
    }
    sl_worker_free(worker);
}

/* ---- runs ---- */

static long run_number;

static void on_hang(int number)
{
    char text[96];
    int len = snprintf(text, sizeof(text), "hangs: allocation %ld failed\n", run_number);

    (void)number;
    ssize_t written = write(STDERR_FILENO, text, (size_t)len);
    (void)written;
    failing_print_place();
    abort();
}

/* True when an allocation failed. */
static bool run(enum failing_side side, bool has_tls, long count)
{
    struct device device;

    run_number = count;
    alarm(HANG_S);
    start_device(&device, has_tls);
    if (side == FAILING_DEVICE) {
        failing_start(side, count);
    }
    run_device_until_open(&device);
    struct sl_settings *settings = read_settings(&device);

    if (side == FAILING_COLLECTOR) {
        failing_start(side, count);
    }
    live(&device, settings);
    stop_device(&device);
    bool has_failed = failing_has_failed();

    failing_stop();
    sl_settings_free(settings);
    alarm(0);
    return has_failed;
}

static void run_all(enum failing_side side, bool has_tls)
{
    const char *is_set = getenv("SL_LONG");
    bool is_long = is_set && *is_set;
    long each = is_long ? LONG_EACH : EACH;
    long step = has_tls ? (is_long ? LONG_TLS_STEP : TLS_STEP) : (is_long ? 1 : STEP);
    long count = 0;
    long runs = 0;

    for (; run(side, has_tls, count); runs++) {
        count += count < each ? 1 : step;
    }
    printf("%ld allocations, %ld runs\n", count, runs);
    assert_true(runs > EACH);
}

static void a_worker_comes_back_whichever_of_its_allocations_fails(void **state)
{
    (void)state;
    run_all(FAILING_COLLECTOR, false);
}

static void so_it_does_over_tls(void **state)
{
    (void)state;
    run_all(FAILING_COLLECTOR, true);
}

static void a_device_goes_on_whichever_of_its_allocations_fails(void **state)
{
    (void)state;
    run_all(FAILING_DEVICE, false);
}

static void so_it_does_behind_tls(void **state)
{
    (void)state;
    run_all(FAILING_DEVICE, true);
}

static int set_up(void **state)
{
    failing_init();
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    signal(SIGALRM, on_hang);
    return mkdtemp(directory) && make_certificates(state) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char file[64];

    snprintf(file, sizeof(file), "%s/records", directory);
    unlink(file);
    snprintf(file, sizeof(file), "%s/sluice.yaml", directory);
    unlink(file);
    return rmdir(directory) == 0 ? remove_certificates(state) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_comes_back_whichever_of_its_allocations_fails),
        cmocka_unit_test(so_it_does_over_tls),
        cmocka_unit_test(a_device_goes_on_whichever_of_its_allocations_fails),
        cmocka_unit_test(so_it_does_behind_tls),
    };

    return cmocka_run_group_tests_name("session memory", tests, set_up, tear_down);
}
