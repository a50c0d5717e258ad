/* stdout_test.c - lines on standard output: a reader that stops, one that goes, two workers. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

enum { PIPE_BYTES = 64 * 1024, LINE_BYTES = 100, TEXT_BYTES = 8 * 1024 * 1024 };

/* The plugin's own struct, as its option table describes it. */
struct options {
    uint64_t queue_bytes;
};

static const struct sluice_record record = {.destination = {"", 0}};

/* Standard output is one end of this; the other one is read here. */
static struct {
    int saved;
    int reader;
    char *text; /* all that was read */
    size_t len;
} out;

static void begin_with(int reader, int writer)
{
    fflush(stdout);
    out.saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    out.reader = reader;
    out.text = malloc(TEXT_BYTES);
    out.len = 0;
    assert_int_equal(dup2(writer, STDOUT_FILENO), STDOUT_FILENO);
    close(writer);
}

static void begin(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin_with(ends[0], ends[1]);
}

static void stop_reading(void)
{
    close(out.reader);
    out.reader = -1;
}

static void finish(void)
{
    assert_int_equal(dup2(out.saved, STDOUT_FILENO), STDOUT_FILENO);
    close(out.saved);
    if (out.reader >= 0) {
        close(out.reader);
    }
    free(out.text);
}

static void read_what_is_there(void)
{
    struct pollfd pollfd = {.fd = out.reader, .events = POLLIN};

    while (poll(&pollfd, 1, 0) > 0) {
        ssize_t got = read(out.reader, out.text + out.len, TEXT_BYTES - 1 - out.len);
        if (got <= 0) {
            return;
        }
        out.len += (size_t)got;
        out.text[out.len] = '\0';
    }
}

static bool give_line(struct fixture *fixture, size_t who, size_t n, size_t len)
{
    char *line = malloc(len + 1);

    memset(line, '.', len);
    line[sprintf(line, "%zu %zu", who, n)] = ' ';
    bool is_taken = fixture_give(fixture, &record, line, len);
    free(line);
    return is_taken;
}

/* Each worker's lines in order, none torn. */
static void expect_lines(size_t count, size_t len)
{
    size_t next[2] = {0, 0};
    size_t lines = 0;

    for (const char *at = out.text; at < out.text + out.len;) {
        const char *end = memchr(at, '\n', (size_t)(out.text + out.len - at));
        size_t who;
        size_t n;
        assert_non_null(end);
        assert_int_equal((size_t)(end - at), len);
        assert_int_equal(sscanf(at, "%zu %zu ", &who, &n), 2);
        assert_int_equal(n, next[who]++);
        at = end + 1;
        lines++;
    }
    assert_int_equal(lines, count);
}

static bool are_acked_while_read(const struct fixture *fixture)
{
    read_what_is_there();
    return all_are_acked(fixture);
}

static void options_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(sluice_stdout_plugin.options_size, sizeof(struct options));
    assert_int_equal(sluice_stdout_plugin.options[0].offset, offsetof(struct options, queue_bytes));
}

static void a_reader_that_stops_holds_what_comes_and_gets_it_later(void **state)
{
    struct options options = {4096};
    struct fixture fixture;
    size_t given = 0;

    (void)state;
    begin();
    fixture_init(&fixture, &sluice_stdout_plugin, &options, 4000);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    while (given < 4000) {
        if (give_line(&fixture, 0, given, LINE_BYTES)) {
            given++;
        } else if (given * LINE_BYTES > PIPE_BYTES) {
            break; /* the pipe is full, and so is the queue */
        } else {
            fixture.readies = 0;
            assert_true(fixture_run_until(&fixture, was_ready));
        }
    }
    assert_true(given < 4000);
    assert_true(fixture.acked < given);
    assert_true(sl_sink_is_taking(fixture.sink));
    assert_true(fixture_run_until(&fixture, are_acked_while_read));
    read_what_is_there();
    fixture_close(&fixture);
    finish();
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
}

static void lines_are_whole_and_in_order(void **state)
{
    static const size_t lengths[] = {20, 4095, 4096, 4097, 30000};
    struct options options = {1 << 20};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(lengths); i++) {
        struct fixture fixture;
        begin();
        fixture_init(&fixture, &sluice_stdout_plugin, &options, 30);
        fixture_open(&fixture);
        for (size_t n = 0; n < 30; n++) {
            assert_true(give_line(&fixture, 0, n, lengths[i]));
        }
        assert_true(fixture_run_until(&fixture, are_acked_while_read));
        read_what_is_there();
        expect_lines(30, lengths[i]);
        fixture_close(&fixture);
        finish();
        assert_all_came_back(&fixture, 0);
        fixture_fini(&fixture);
    }
}

static bool is_over(const struct fixture *fixture)
{
    return fixture->overs > 0;
}

static void a_reader_that_goes_is_the_end(void **state)
{
    struct options options = {1 << 20};
    struct fixture fixture;

    (void)state;
    begin();
    fixture_init(&fixture, &sluice_stdout_plugin, &options, 1000);
    fixture_open(&fixture);
    for (size_t n = 0; n < 999; n++) {
        assert_true(give_line(&fixture, 0, n, LINE_BYTES));
    }
    stop_reading();
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_int_equal(fixture.failed, 999);
    assert_true(fixture_run_until(&fixture, is_over));
    assert_int_equal(fixture.overs, 1);
    assert_false(sl_sink_is_taking(fixture.sink));
    assert_true(give_line(&fixture, 0, 999, LINE_BYTES)); /* so that nobody waits for it */
    assert_true(fixture_run_until(&fixture, all_are_acked));
    fixture_close(&fixture);
    finish();
    assert_all_came_back(&fixture, 1000);
    fixture_fini(&fixture);
}

static void it_is_noticed_with_nothing_to_write(void **state)
{
    struct options options = {4096};
    struct fixture fixture;

    (void)state;
    begin();
    fixture_init(&fixture, &sluice_stdout_plugin, &options, 1);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    stop_reading();
    assert_true(fixture_run_until(&fixture, is_over));
    fixture_close(&fixture);
    finish();
    fixture_fini(&fixture);
}

static void the_close_does_not_wait_for_a_reader(void **state)
{
    struct options options = {1 << 20};
    struct fixture fixture;

    (void)state;
    begin();
    fixture_init(&fixture, &sluice_stdout_plugin, &options, 1);
    fixture_open(&fixture);
    assert_true(give_line(&fixture, 0, 0, 3 * PIPE_BYTES));
    fixture_close(&fixture);
    finish();
    assert_all_came_back(&fixture, 1);
    fixture_fini(&fixture);
}

static void a_socket_does_as_well(void **state)
{
    struct options options = {1 << 20};
    struct fixture fixture;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    begin_with(ends[0], ends[1]);
    fixture_init(&fixture, &sluice_stdout_plugin, &options, 100);
    fixture_open(&fixture);
    for (size_t n = 0; n < 100; n++) {
        assert_true(give_line(&fixture, 0, n, 5000));
    }
    assert_true(fixture_run_until(&fixture, are_acked_while_read));
    read_what_is_there();
    expect_lines(100, 5000);
    fixture_close(&fixture);
    finish();
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
}

/* ---- two workers, each on a thread of its own ---- */

enum { EACH = 300 };

static struct fixture of_workers[2];

static void *work(void *arg)
{
    size_t who = *(const size_t *)arg;
    struct fixture *fixture = &of_workers[who];

    sl_sink_adopt(fixture->sink);
    for (size_t n = 0; n < EACH; n++) {
        while (!give_line(fixture, who, n, 6000)) {
            fixture->readies = 0;
            assert_true(fixture_run_until(fixture, was_ready));
        }
    }
    assert_true(fixture_run_until(fixture, all_are_acked));
    return NULL;
}

static void *read_all(void *arg)
{
    (void)arg;
    while (out.len < (size_t)2 * EACH * 6001) {
        ssize_t got = read(out.reader, out.text + out.len, TEXT_BYTES - 1 - out.len);
        assert_true(got > 0);
        out.len += (size_t)got;
    }
    out.text[out.len] = '\0';
    return NULL;
}

static void two_workers_share_it_line_by_line(void **state)
{
    struct options options = {20000};
    const size_t who[] = {0, 1};
    pthread_t threads[3];

    (void)state;
    begin();
    for (int i = 0; i < 2; i++) {
        fixture_init(&of_workers[i], &sluice_stdout_plugin, &options, EACH);
        fixture_open(&of_workers[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)&who[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[2], NULL, read_all, NULL), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        sl_sink_adopt(of_workers[i].sink);
        fixture_close(&of_workers[i]);
    }
    expect_lines((size_t)2 * EACH, 6000);
    finish();
    for (int i = 0; i < 2; i++) {
        assert_all_came_back(&of_workers[i], 0);
        fixture_fini(&of_workers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_those_of_the_table),
        cmocka_unit_test(a_reader_that_stops_holds_what_comes_and_gets_it_later),
        cmocka_unit_test(lines_are_whole_and_in_order),
        cmocka_unit_test(a_reader_that_goes_is_the_end),
        cmocka_unit_test(it_is_noticed_with_nothing_to_write),
        cmocka_unit_test(the_close_does_not_wait_for_a_reader),
        cmocka_unit_test(a_socket_does_as_well),
        cmocka_unit_test(two_workers_share_it_line_by_line),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
