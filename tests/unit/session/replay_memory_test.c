/* A worker whose one target replays a capture of two calls, while each allocation fails once: it
 * comes to the capture's end and ends by itself, whichever it is. */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/writer.h"
#include "daemon/worker.h"
#include "failing_everywhere.h"

enum {
    MESSAGES = 5, /* in each call */
    EACH = 400,   /* then every STEPth */
    STEP = 7,
    HANG_S = 30,
};

static char directory[] = "/tmp/sluice-replay-XXXXXX";
static char capture[64];
static char file[64];
static long run_number;

static void write_capture(void)
{
    static const char *const subscriptions[] = {NULL};
    const struct sl_capture_writer_options options = {.path = capture,
                                                      .subscriptions = subscriptions};
    struct sl_status why;
    struct sl_capture_writer *writer = sl_capture_writer_open(&options, &why);

    assert_non_null(writer);
    for (int i = 0; i < 2 * MESSAGES; i++) {
        assert_true(sl_capture_writer_response(
            writer, i, SL_STR("\x0a\x0f\x08\x01\x22\x0b\x0a\x05\x1a\x03\x0a\x01n\x1a\x02\x18\x05"),
            &why));
        if (i + 1 == MESSAGES) {
            assert_true(sl_capture_writer_end(writer, i, SL_UNAVAILABLE, SL_STR("x"), &why));
        }
    }
    assert_true(sl_capture_writer_close(writer, 0, "count", &why));
}

static struct sl_settings *read_settings(void)
{
    struct sl_buf errors = {0};
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    fprintf(out,
            "collector: {name: test, workers: 1, memory: 64MiB, admin: {listen: \"\"}}\n"
            "targets:\n"
            "  leaf1: {replay: {file: %s, pace: fast}, vendor: generic,\n"
            "          backoff: {min: 1ms, max: 2ms}}\n"
            "subscriptions: {all: {paths: /n}}\n"
            "sinks: {quick: {type: null, format: sluice.v1}}\n",
            capture);
    fclose(out);
    struct sl_settings *settings = sl_settings_read(file, &errors);

    if (!settings) {
        fail_msg("%s", sl_buf_text(&errors));
    }
    return settings;
}

/* What an RPC that memory broke off had told is told again by the next one, unless all of it had
 * left when the connection broke: of one call that may be lost. */
static void check_counts(struct sl_worker *worker)
{
    struct sl_snapshot snapshot = {0};
    bool is_taken = sl_worker_snapshot(worker, &snapshot);

    assert_true(is_taken || failing_has_failed());
    for (size_t i = 0; is_taken && i < snapshot.stream_count; i++) {
        const struct sl_route_counts *counts = &snapshot.streams[i].routes[0].counts;
        assert_true(sl_route_counts_are_valid(counts));
        assert_int_equal(counts->held, 0);
        assert_true(counts->received >= (failing_has_failed() ? MESSAGES : 2 * MESSAGES));
    }
    sl_snapshot_fini(&snapshot);
}

static void on_done(void *arg)
{
    (void)arg;
}

static void live(struct sl_settings *settings)
{
    struct sl_status why;
    struct sl_worker *worker = sl_worker_new(settings, 0, &why);

    if (!worker) {
        assert_true(failing_has_failed() && !sl_status_is_ok(&why));
        return;
    }
    if (sl_worker_start(worker, on_done, NULL)) {
        sl_worker_join(worker);
        assert_false(sl_worker_has_failed(worker));
        check_counts(worker);
    } else {
        assert_true(failing_has_failed());
    }
    sl_worker_free(worker);
}

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

static void a_replay_ends_whichever_of_its_allocations_fails(void **state)
{
    bool has_failed = true;

    (void)state;
    for (long count = 0; has_failed; count += count < EACH ? 1 : STEP) {
        run_number = count;
        alarm(HANG_S);
        struct sl_settings *settings = read_settings();
        failing_start(FAILING_COLLECTOR, count);
        live(settings);
        has_failed = failing_has_failed();
        failing_stop();
        sl_settings_free(settings);
    }
    alarm(0);
    assert_true(run_number > 100);
}

static int set_up(void **state)
{
    (void)state;
    failing_init();
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    signal(SIGALRM, on_hang);
    if (!mkdtemp(directory)) {
        return -1;
    }
    snprintf(capture, sizeof(capture), "%s/capture", directory);
    snprintf(file, sizeof(file), "%s/sluice.yaml", directory);
    write_capture();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(capture);
    unlink(file);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replay_ends_whichever_of_its_allocations_fails),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
