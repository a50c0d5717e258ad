/* Whether a descriptor takes more: pipes, files, readers that go away. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "tool/outlet.h"

struct bench {
    struct sl_loop *loop;
    struct sl_outlet outlet;
    int reading;
    int writing;
    int changes;
};

static void on_change(void *arg)
{
    struct bench *bench = arg;

    bench->changes++;
    sl_loop_stop(bench->loop);
}

static void open_bench(struct bench *bench)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *bench = (struct bench){.loop = sl_loop_new(), .reading = ends[0], .writing = ends[1]};
    assert_non_null(bench->loop);
    assert_true(sl_outlet_open(&bench->outlet, bench->loop, bench->writing, on_change, bench));
}

static void close_bench(struct bench *bench)
{
    sl_outlet_close(&bench->outlet);
    sl_loop_free(bench->loop);
    close(bench->writing);
    if (bench->reading >= 0) {
        close(bench->reading);
    }
}

static void fill(struct bench *bench)
{
    char block[4096];

    memset(block, 'x', sizeof(block));
    while (sl_outlet_has_room(&bench->outlet)) {
        assert_int_equal(write(bench->writing, block, sizeof(block)), sizeof(block));
    }
}

static void room_is_told_once_somebody_reads(void **state)
{
    struct bench bench;
    char block[64 * 1024];

    (void)state;
    open_bench(&bench);
    for (int round = 1; round <= 3; round++) {
        fill(&bench);
        sl_outlet_await(&bench.outlet);
        sl_outlet_await(&bench.outlet);
        assert_true(read(bench.reading, block, sizeof(block)) > 0);
        sl_loop_run(bench.loop);
        assert_int_equal(bench.changes, round);
        assert_true(sl_outlet_has_room(&bench.outlet));
    }
    assert_int_equal(fcntl(bench.writing, F_GETFL) & O_NONBLOCK, 0);
    close_bench(&bench);
}

/* More than a pipe holds: it waits here, and leaves as it is read, without the loop's standing. */
static void what_finds_no_room_waits_and_leaves_in_order(void **state)
{
    enum { TEXT_BYTES = 300 * 1000 };
    struct bench bench;
    char *text = malloc(TEXT_BYTES);
    char *found = malloc(TEXT_BYTES);
    size_t have = 0;

    (void)state;
    assert_non_null(text);
    assert_non_null(found);
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        text[i] = (char)(i * 7 % 251);
    }
    open_bench(&bench);
    assert_true(sl_outlet_print(&bench.outlet, (struct sl_str){text, TEXT_BYTES / 2}));
    assert_false(sl_outlet_has_room(&bench.outlet));
    assert_true(
        sl_outlet_print(&bench.outlet, (struct sl_str){text + TEXT_BYTES / 2, TEXT_BYTES / 2}));
    while (have < TEXT_BYTES) {
        ssize_t len = read(bench.reading, found + have, TEXT_BYTES - have);
        assert_true(len > 0);
        have += (size_t)len;
        assert_true(sl_outlet_print(&bench.outlet, (struct sl_str){0}));
    }
    assert_memory_equal(found, text, TEXT_BYTES);
    assert_true(sl_outlet_has_room(&bench.outlet));
    close_bench(&bench);
    free(text);
    free(found);
}

static void a_reader_that_goes_away_is_told(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    close(bench.reading);
    bench.reading = -1;
    sl_loop_run(bench.loop);
    assert_int_equal(sl_outlet_error(&bench.outlet), EPIPE);
    assert_int_equal(bench.changes, 1);
    assert_true(sl_outlet_has_room(&bench.outlet));
    sl_outlet_await(&bench.outlet);
    close_bench(&bench);
}

static void a_file_always_has_room(void **state)
{
    struct bench bench = {.loop = sl_loop_new()};
    char name[] = "/tmp/outlet-test-XXXXXX";
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    assert_true(sl_outlet_open(&bench.outlet, bench.loop, fd, on_change, &bench));
    assert_true(sl_outlet_has_room(&bench.outlet));
    assert_int_equal(sl_outlet_error(&bench.outlet), 0);
    assert_true(sl_outlet_print(&bench.outlet, SL_STR("text")));
    assert_true(sl_outlet_has_room(&bench.outlet));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 4);
    sl_outlet_close(&bench.outlet);
    sl_loop_free(bench.loop);
    close(fd);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_told_once_somebody_reads),
        cmocka_unit_test(what_finds_no_room_waits_and_leaves_in_order),
        cmocka_unit_test(a_reader_that_goes_away_is_told),
        cmocka_unit_test(a_file_always_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
