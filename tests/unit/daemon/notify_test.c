/* What the service manager hears: the test is the manager, with a socket of its own. */
#include "daemon/notify.h"

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/pulse.h"
#include "daemon/settings.h"
#include "test.h"

enum { PATIENCE_S = 30 };

static char folder[] = "/tmp/sluice-notify-XXXXXX";

/* A socket under `name`, which the environment tells the code under test. */
static int listen_as(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_true(strlen(name) < sizeof(address.sun_path));
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

/* The next message. */
static const char *hear(int fd)
{
    static char text[2 * SL_NOTIFY_BYTES];
    ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

    assert_true(len >= 0);
    text[len] = '\0';
    return text;
}

static int forget(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static const char *socket_path(void)
{
    static char path[sizeof(folder) + 8];

    snprintf(path, sizeof(path), "%s/notify", folder);
    unlink(path);
    return path;
}

static void without_a_manager_nothing_is_sent(void **state)
{
    static const char *const nowhere[] = {"", "/", "relative", "vsock:2:1234", "/nowhere/at/all"};
    char longest[200];

    (void)state;
    assert_false(sl_notify_is_heard());
    sl_notify_ready();
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    for (size_t i = 0; i < SL_ARRAY_LEN(nowhere); i++) {
        setenv("NOTIFY_SOCKET", nowhere[i], 1);
        sl_notify_ready();
    }
    setenv("NOTIFY_SOCKET", longest, 1);
    assert_false(sl_notify_is_heard());
    sl_notify_ready();
}

static void a_manager_hears_each_message_as_lines(void **state)
{
    char name[64];

    (void)state;
    snprintf(name, sizeof(name), "@sluice-notify-test-%d", (int)getpid());
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        int fd = listen_as(is_abstract ? name : socket_path());
        assert_true(sl_notify_is_heard());
        sl_notify_ready();
        assert_string_equal(hear(fd), "READY=1");
        sl_notify_reloading();
        assert_int_equal(strncmp(hear(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
        sl_notify_stopping(30000);
        assert_non_null(strstr(hear(fd), "STOPPING=1\n"));
        sl_notify_stopping(30000);
        assert_non_null(strstr(hear(fd), "\nEXTEND_TIMEOUT_USEC=30000000"));
        close(fd);
    }
}

static void a_message_too_long_is_cut_off(void **state)
{
    (void)state;
    int fd = listen_as(socket_path());

    sl_notify("STATUS=%0*d", 2 * SL_NOTIFY_BYTES, 1);
    assert_int_equal(strlen(hear(fd)), SL_NOTIFY_BYTES - 1);
    close(fd);
}

static void the_watchdogs_time_is_that_of_this_process(void **state)
{
    char other[32];

    (void)state;
    int fd = listen_as(socket_path());
    assert_int_equal(sl_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(sl_notify_watchdog_ms(), 30000);
    snprintf(other, sizeof(other), "%d", (int)getppid());
    setenv("WATCHDOG_PID", other, 1);
    assert_int_equal(sl_notify_watchdog_ms(), 0);
    snprintf(other, sizeof(other), "%d", (int)getpid());
    setenv("WATCHDOG_PID", other, 1);
    assert_int_equal(sl_notify_watchdog_ms(), 30000);
    static const char *const none[] = {"", "x", "-5", "30s", "99999999999999999999999"};
    for (size_t i = 0; i < SL_ARRAY_LEN(none); i++) {
        setenv("WATCHDOG_USEC", none[i], 1);
        assert_int_equal(sl_notify_watchdog_ms(), 0);
    }
    close(fd);
}

/* ---- the pulse ---- */

struct life {
    struct sl_settings *settings;
    struct sl_worker *workers[2];
    struct sl_loop *loop;
    struct sl_pulse *pulse;
    atomic_uint done;
    pthread_t thread;
    sem_t go_on; /* what a stuck worker waits for */
};

static void on_done(void *arg)
{
    struct life *life = arg;

    atomic_fetch_add(&life->done, 1);
}

static void *run_loop(void *arg)
{
    sl_loop_run(arg);
    return NULL;
}

static void life_open(struct life *life)
{
    char path[sizeof(folder) + 16];
    struct sl_buf errors = {0};
    struct sl_status why;

    snprintf(path, sizeof(path), "%s/sluice.yaml", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("collector: {workers: 2}\n"
          "targets: {nobody: {address: '127.0.0.1:1', insecure: true}}\n"
          "subscriptions: {all: {paths: /}}\n"
          "sinks: {nowhere: {type: null}}\n",
          file);
    assert_int_equal(fclose(file), 0);
    life->settings = sl_settings_read(path, &errors);
    assert_string_equal(sl_buf_text(&errors), "");
    sl_buf_fini(&errors);
    assert_non_null(life->settings);
    life->loop = sl_loop_new();
    assert_non_null(life->loop);
    for (unsigned i = 0; i < 2; i++) {
        life->workers[i] = sl_worker_new(life->settings, i, &why);
        assert_non_null(life->workers[i]);
        assert_true(sl_worker_start(life->workers[i], on_done, life));
    }
    life->pulse = sl_pulse_new(life->loop, life->workers, 2, &life->done);
    assert_non_null(life->pulse);
    assert_int_equal(sem_init(&life->go_on, 0, 0), 0);
    assert_int_equal(pthread_create(&life->thread, NULL, run_loop, life->loop), 0);
}

static void stop_loop(void *arg)
{
    struct life *life = arg;

    sl_pulse_stop(life->pulse);
    sl_loop_stop(life->loop);
}

static void life_close(struct life *life)
{
    for (unsigned i = 0; i < 2; i++) {
        sl_worker_drain(life->workers[i]);
        sl_worker_join(life->workers[i]);
    }
    assert_int_equal(atomic_load(&life->done), 2);
    assert_true(sl_loop_post(life->loop, stop_loop, life));
    pthread_join(life->thread, NULL);
    for (unsigned i = 0; i < 2; i++) {
        sl_worker_free(life->workers[i]);
    }
    sl_pulse_free(life->pulse);
    sl_loop_free(life->loop);
    sl_settings_free(life->settings);
    sem_destroy(&life->go_on);
}

/* Messages until one has `wanted` in it. */
static const char *hear_until(int fd, const char *wanted)
{
    const char *text;

    do {
        text = hear(fd);
    } while (!strstr(text, wanted));
    return text;
}

static void get_stuck(void *arg)
{
    struct life *life = arg;

    sem_wait(&life->go_on);
}

static void the_watchdog_hears_only_of_workers_that_answer(void **state)
{
    struct life life = {.loop = NULL};

    (void)state;
    int fd = listen_as(socket_path());
    setenv("WATCHDOG_USEC", "60000", 1);
    life_open(&life);
    assert_string_equal(
        hear_until(fd, "WATCHDOG=1"),
        "WATCHDOG=1\nSTATUS=0 of 1 targets up, 1 streams, 0 blocked, 0 updates held");

    assert_true(sl_loop_post(sl_worker_loop(life.workers[1]), get_stuck, &life));
    hear_until(fd, "STATUS=worker 1 does not answer");
    for (int i = 0; i < 5; i++) { /* and from then on no watchdog; the other one may be slow, too */
        const char *text = hear(fd);
        assert_null(strstr(text, "WATCHDOG=1"));
        assert_non_null(strstr(text, "does not answer"));
    }
    sem_post(&life.go_on);
    hear_until(fd, "WATCHDOG=1\nSTATUS=0 of 1");

    sl_worker_drain(life.workers[0]);
    do { /* one worker is over, which is no fault */
    } while (strcmp(hear(fd), "WATCHDOG=1") != 0);
    life_close(&life);
    close(fd);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char path[sizeof(folder) + 16];

    (void)state;
    unlink(socket_path());
    snprintf(path, sizeof(path), "%s/sluice.yaml", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_a_manager_nothing_is_sent, forget),
        cmocka_unit_test_teardown(a_manager_hears_each_message_as_lines, forget),
        cmocka_unit_test_teardown(a_message_too_long_is_cut_off, forget),
        cmocka_unit_test_teardown(the_watchdogs_time_is_that_of_this_process, forget),
        cmocka_unit_test_teardown(the_watchdog_hears_only_of_workers_that_answer, forget),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
