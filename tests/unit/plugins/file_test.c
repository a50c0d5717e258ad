/* file_test.c - lines of a file: order, bounds, and disks that will not take them. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

/* The plugin's own struct, as its option table describes it. */
struct options {
    const char *path;
    uint64_t queue_bytes;
    struct {
        uint64_t size_bytes;
        int64_t interval_ns;
        int64_t keep;
    } rotate;
    int sync; /* never, interval, batch */
    int64_t sync_interval_ns;
};

struct place {
    char directory[64];
    char path[128];
};

static const struct sluice_record record = {.destination = {"", 0}};

static void place_init(struct place *place)
{
    strcpy(place->directory, "/tmp/sluice-file-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/events.jsonl", place->directory);
}

static void place_fini(struct place *place)
{
    unlink(place->path);
    rmdir(place->directory);
}

static void assert_lines(const char *path, const char *head, size_t count)
{
    char line[64];
    char expected[64];
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    if (head) {
        assert_non_null(fgets(line, sizeof(line), in));
        assert_string_equal(line, head);
    }
    for (size_t i = 0; i < count; i++) {
        assert_non_null(fgets(line, sizeof(line), in));
        snprintf(expected, sizeof(expected), "{\"n\":%zu}\n", i);
        assert_string_equal(line, expected);
    }
    assert_null(fgets(line, sizeof(line), in));
    fclose(in);
}

static bool give_line(struct fixture *fixture, size_t n)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "{\"n\":%zu}", n);

    return fixture_give(fixture, &record, line, (size_t)len);
}

static void give_all(struct fixture *fixture, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (!give_line(fixture, i)) {
            fixture->readies = 0;
            assert_true(fixture_run_until(fixture, was_ready));
        }
    }
}

static void options_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(sluice_file_plugin.options_size, sizeof(struct options));
    assert_int_equal(sluice_file_plugin.options[0].offset, offsetof(struct options, path));
    assert_int_equal(sluice_file_plugin.options[1].offset, offsetof(struct options, queue_bytes));
    const struct sluice_option *rotate = sluice_file_plugin.options[2].table;
    assert_int_equal(rotate[0].offset, offsetof(struct options, rotate.size_bytes));
    assert_int_equal(rotate[1].offset, offsetof(struct options, rotate.interval_ns));
    assert_int_equal(rotate[2].offset, offsetof(struct options, rotate.keep));
    assert_int_equal(sluice_file_plugin.options[3].offset, offsetof(struct options, sync));
}

static void lines_arrive_in_order_through_a_small_queue(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path, .queue_bytes = 1024};
    fixture_init(&fixture, &sluice_file_plugin, &options, 20000);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    give_all(&fixture, 20000);
    assert_true(fixture.readies > 0);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    for (size_t i = 0; i < 20000; i++) {
        assert_int_equal(fixture.slots[i].order, i + 1);
    }
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
    assert_lines(place.path, NULL, 20000);
    place_fini(&place);
}

static void a_line_longer_than_the_queue_is_taken_when_it_is_empty(void **state)
{
    struct fixture fixture;
    struct place place;
    struct stat info;
    static char large[100000];

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path, .queue_bytes = 10};
    fixture_init(&fixture, &sluice_file_plugin, &options, 3);
    fixture_open(&fixture);
    assert_true(fixture_give(&fixture, &record, large, sizeof(large)));
    assert_false(fixture_give(&fixture, &record, "x", 1));
    assert_true(fixture_run_until(&fixture, was_ready));
    assert_true(fixture_give(&fixture, &record, "x", 1));
    assert_true(fixture_run_until(&fixture, all_are_acked));
    fixture_fini(&fixture);
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_size, sizeof(large) + 1 + 2);
    place_fini(&place);
}

static void a_payload_that_is_a_line_already_gets_no_second_end(void **state)
{
    static const char expected[] = "a\nb\nc\n\n";
    struct fixture fixture;
    struct place place;
    char found[sizeof(expected) + 1] = "";

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path, .queue_bytes = 1024};
    fixture_init(&fixture, &sluice_file_plugin, &options, 4);
    fixture_open(&fixture);
    assert_true(fixture_give(&fixture, &record, "a\n", 2));
    assert_true(fixture_give(&fixture, &record, "b", 1));
    assert_true(fixture_give(&fixture, &record, "c\n", 2));
    assert_true(fixture_give(&fixture, &record, "", 0));
    assert_true(fixture_run_until(&fixture, all_are_acked));
    fixture_fini(&fixture);
    FILE *in = fopen(place.path, "r");
    assert_non_null(in);
    assert_int_equal(fread(found, 1, sizeof(found) - 1, in), sizeof(expected) - 1);
    fclose(in);
    assert_string_equal(found, expected);
    place_fini(&place);
}

static void a_torn_last_line_is_ended_first(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    FILE *out = fopen(place.path, "w");
    fputs("{\"to", out);
    fclose(out);
    struct options options = {.path = place.path, .queue_bytes = 1024};
    for (int round = 0; round < 2; round++) {
        fixture_init(&fixture, &sluice_file_plugin, &options, 5);
        fixture_open(&fixture);
        if (round == 0) {
            give_all(&fixture, 5);
            assert_true(fixture_run_until(&fixture, all_are_acked));
        }
        fixture_fini(&fixture);
    }
    assert_lines(place.path, "{\"to\n", 5);
    place_fini(&place);
}

static bool has_disk_full(const struct fixture *fixture)
{
    return strcmp(sl_sink_reason(fixture->sink), "write: No space left on device") == 0;
}

static void a_full_disk_holds_records_and_the_close_gives_them_up(void **state)
{
    struct fixture fixture;
    struct options options = {.path = "/dev/full", .queue_bytes = 64};
    struct sluice_stats stats;

    (void)state;
    fixture_init(&fixture, &sluice_file_plugin, &options, 100);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    for (size_t i = 0; give_line(&fixture, i); i++) {
        assert_true(i < 20);
    }
    assert_true(fixture_run_until(&fixture, has_disk_full));
    assert_false(sl_sink_is_taking(fixture.sink));
    assert_int_equal(fixture.acked, 0);
    sl_sink_stats(fixture.sink, &stats);
    assert_int_equal(stats.queued_records, fixture.given);
    fixture_close(&fixture);
    assert_all_came_back(&fixture, fixture.given);
    fixture_fini(&fixture);
}

static bool is_absent(const struct fixture *fixture)
{
    return strcmp(sl_sink_reason(fixture->sink), "open: No such file or directory") == 0;
}

static void it_goes_on_when_the_directory_is_there_again(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    assert_int_equal(rmdir(place.directory), 0);
    struct options options = {.path = place.path, .queue_bytes = 4096};
    fixture_init(&fixture, &sluice_file_plugin, &options, 50);
    fixture_open(&fixture);
    give_all(&fixture, 50);
    assert_true(fixture_run_until(&fixture, is_absent));
    assert_int_equal(fixture.acked, 0);
    assert_int_equal(mkdir(place.directory, 0700), 0);
    assert_true(fixture_run_until(&fixture, is_taking));
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
    assert_lines(place.path, NULL, 50);
    place_fini(&place);
}

static void two_workers_share_a_file_line_by_line(void **state)
{
    struct fixture fixtures[2];
    struct place place;
    char line[64];
    size_t next[2] = {0, 0};

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path, .queue_bytes = 4096};
    for (int i = 0; i < 2; i++) {
        fixture_init(&fixtures[i], &sluice_file_plugin, &options, 5000);
        fixture_open(&fixtures[i]);
    }
    for (size_t i = 0; i < 10000; i++) {
        struct fixture *fixture = &fixtures[i % 2];
        int len = snprintf(line, sizeof(line), "%zu %zu", i % 2, i / 2);
        while (!fixture_give(fixture, &record, line, (size_t)len)) {
            fixture->readies = 0;
            assert_true(fixture_run_until(fixture, was_ready));
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_true(fixture_run_until(&fixtures[i], all_are_acked));
        assert_all_came_back(&fixtures[i], 0);
        fixture_fini(&fixtures[i]);
    }
    FILE *in = fopen(place.path, "r");
    while (fgets(line, sizeof(line), in)) {
        size_t who;
        size_t n;
        char end;
        assert_int_equal(sscanf(line, "%zu %zu%c", &who, &n, &end), 3);
        assert_true(who < 2 && end == '\n');
        assert_int_equal(n, next[who]++);
    }
    fclose(in);
    assert_int_equal(next[0] + next[1], 10000);
    place_fini(&place);
}

static void a_pipe_without_a_reader_for_its_bytes_does_not_hold_the_close(void **state)
{
    struct fixture fixture;
    struct place place;
    static char large[200000];

    (void)state;
    place_init(&place);
    assert_int_equal(mkfifo(place.path, 0600), 0);
    struct options options = {.path = place.path, .queue_bytes = 1024};
    fixture_init(&fixture, &sluice_file_plugin, &options, 1);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    assert_true(fixture_give(&fixture, &record, large, sizeof(large)));
    fixture_close(&fixture);
    assert_all_came_back(&fixture, 1);
    fixture_fini(&fixture);
    place_fini(&place);
}

static void a_file_that_another_holds_is_waited_for(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    int fd = open(place.path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    struct options options = {.path = place.path, .queue_bytes = 1024};
    fixture_init(&fixture, &sluice_file_plugin, &options, 10);
    fixture_open(&fixture);
    assert_true(fixture_run_until(&fixture, is_taking));
    give_all(&fixture, 5);
    assert_int_equal(fixture.acked, 0);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_int_equal(flock(fd, LOCK_EX), 0);
    give_all(&fixture, 1);
    fixture_close(&fixture); /* and it does not wait for the holder */
    assert_all_came_back(&fixture, 1);
    close(fd);
    fixture_fini(&fixture);
    place_fini(&place);
}

/* ---- files put aside ---- */

enum { MOST_FILES = 5000 };

static void numbered(const struct place *place, size_t number, char *path, size_t room)
{
    if (number) {
        snprintf(path, room, "%s.%zu", place->path, number);
    } else {
        snprintf(path, room, "%s", place->path);
    }
}

/* How many there are; each but the first no larger than `most_bytes`. */
static size_t count_files(const struct place *place, off_t most_bytes)
{
    struct stat info;
    char path[160];
    size_t count = 0;

    for (; count < MOST_FILES; count++) {
        numbered(place, count, path, sizeof(path));
        if (stat(path, &info) != 0) {
            break;
        }
        assert_true(info.st_size <= most_bytes);
    }
    return count;
}

/* The lines of all files, the oldest first: of each of two writers in order, none torn, none twice.
 * How many there are; the first of each in `first`. Takes the files away. */
static size_t read_all(const struct place *place, size_t count, size_t *first)
{
    size_t next[2] = {SIZE_MAX, SIZE_MAX};
    size_t lines = 0;
    char path[160];
    char line[64];

    while (count-- > 0) {
        numbered(place, count, path, sizeof(path));
        FILE *in = fopen(path, "r");
        assert_non_null(in);
        while (fgets(line, sizeof(line), in)) {
            size_t who;
            size_t n;
            char end;
            assert_int_equal(sscanf(line, "%zu %zu%c", &who, &n, &end), 3);
            assert_true(who < 2 && end == '\n');
            if (next[who] == SIZE_MAX) {
                first[who] = n;
                next[who] = n;
            }
            assert_int_equal(n, next[who]++);
            lines++;
        }
        fclose(in);
        unlink(path);
    }
    return lines;
}

static void give_numbered(struct fixture *fixture, size_t who, size_t n)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "%zu %zu", who, n);

    while (!fixture_give(fixture, &record, line, (size_t)len)) {
        fixture->readies = 0;
        assert_true(fixture_run_until(fixture, was_ready));
    }
}

static void no_file_is_larger_than_asked_and_none_is_lost(void **state)
{
    struct fixture fixtures[2];
    struct place place;
    size_t first[2];

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path,
                              .queue_bytes = 4096,
                              .rotate = {.size_bytes = 2048, .keep = MOST_FILES}};
    for (int i = 0; i < 2; i++) { /* two workers agree on it */
        fixture_init(&fixtures[i], &sluice_file_plugin, &options, 5000);
        fixture_open(&fixtures[i]);
    }
    for (size_t i = 0; i < 10000; i++) {
        give_numbered(&fixtures[i % 2], i % 2, i / 2);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(fixture_run_until(&fixtures[i], all_are_acked));
        assert_all_came_back(&fixtures[i], 0);
        fixture_fini(&fixtures[i]);
    }
    size_t count = count_files(&place, 2048);
    assert_true(count > 30);
    assert_int_equal(read_all(&place, count, first), 10000);
    assert_int_equal(first[0] + first[1], 0);
    place_fini(&place);
}

static void so_many_old_files_are_kept_and_they_are_the_newest(void **state)
{
    struct fixture fixture;
    struct place place;
    size_t first[2];

    (void)state;
    place_init(&place);
    struct options options = {
        .path = place.path, .queue_bytes = 4096, .rotate = {.size_bytes = 1024, .keep = 3}};
    fixture_init(&fixture, &sluice_file_plugin, &options, 2000);
    fixture_open(&fixture);
    for (size_t i = 0; i < 2000; i++) {
        give_numbered(&fixture, 0, i);
    }
    assert_true(fixture_run_until(&fixture, all_are_acked));
    fixture_fini(&fixture);
    assert_int_equal(count_files(&place, 1024), 1 + 3);
    size_t lines = read_all(&place, 4, first);
    assert_true(lines < 2000);
    assert_int_equal(first[0] + lines, 2000);
    place_fini(&place);
}

static void a_line_longer_than_a_file_may_be_has_one_to_itself(void **state)
{
    struct fixture fixture;
    struct place place;
    struct stat info;
    char path[160];
    static char large[5000];

    (void)state;
    place_init(&place);
    struct options options = {
        .path = place.path, .queue_bytes = 65536, .rotate = {.size_bytes = 1024, .keep = 9}};
    fixture_init(&fixture, &sluice_file_plugin, &options, 3);
    fixture_open(&fixture);
    assert_true(fixture_give(&fixture, &record, "x", 1));
    assert_true(fixture_give(&fixture, &record, large, sizeof(large)));
    assert_true(fixture_give(&fixture, &record, "y", 1));
    assert_true(fixture_run_until(&fixture, all_are_acked));
    fixture_fini(&fixture);
    assert_int_equal(count_files(&place, sizeof(large) + 1), 3);
    for (size_t i = 0; i < 3; i++) {
        numbered(&place, i, path, sizeof(path));
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, i == 1 ? (off_t)sizeof(large) + 1 : 2);
        unlink(path);
    }
    place_fini(&place);
}

static void a_new_stretch_of_time_begins_a_new_file(void **state)
{
    struct fixture fixture;
    struct place place;
    size_t first[2];

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path,
                              .queue_bytes = 4096,
                              .rotate = {.interval_ns = 3600 * SL_NS_PER_S, .keep = 2}};
    for (size_t i = 0; i < 3; i++) {
        const struct timespec long_ago[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000}};
        fixture_init(&fixture, &sluice_file_plugin, &options, 1);
        fixture_open(&fixture);
        give_numbered(&fixture, 0, i);
        assert_true(fixture_run_until(&fixture, all_are_acked));
        fixture_fini(&fixture);
        assert_int_equal(count_files(&place, 4), i + 1);
        assert_int_equal(utimensat(AT_FDCWD, place.path, long_ago, 0), 0);
    }
    assert_int_equal(read_all(&place, 3, first), 3);
    place_fini(&place);
}

static void a_file_that_somebody_takes_away_is_made_anew(void **state)
{
    struct fixture fixture;
    struct place place;
    char path[160];
    size_t first[2];

    (void)state;
    place_init(&place);
    numbered(&place, 1, path, sizeof(path));
    struct options options = {.path = place.path, .queue_bytes = 4096};
    fixture_init(&fixture, &sluice_file_plugin, &options, 2);
    fixture_open(&fixture);
    for (size_t i = 0; i < 2; i++) {
        give_numbered(&fixture, 0, i);
        assert_true(fixture_run_until(&fixture, all_are_acked));
        if (i == 0) {
            assert_int_equal(rename(place.path, path), 0);
        }
    }
    fixture_fini(&fixture);
    assert_int_equal(read_all(&place, 2, first), 2);
    place_fini(&place);
}

/* ---- disks that take a part ---- */

static bool is_too_large(const struct fixture *fixture)
{
    return strcmp(sl_sink_reason(fixture->sink), "write: File too large") == 0;
}

static struct {
    const char *path;
    off_t bytes;
} awaited;

static bool has_awaited_size(const struct fixture *fixture)
{
    struct stat info;

    assert_int_equal(stat(awaited.path, &info), 0);
    return info.st_size == awaited.bytes && is_too_large(fixture);
}

/* Lets files grow to so many bytes. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_line_is_whole_in_the_file_or_not_there(void **state)
{
    struct fixture fixture;
    struct place place;
    size_t first[2];

    (void)state;
    place_init(&place);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(1003);
    struct options options = {.path = place.path, .queue_bytes = 1 << 20};
    fixture_init(&fixture, &sluice_file_plugin, &options, 1000);
    fixture_open(&fixture);
    for (size_t i = 0; i < 1000; i++) {
        give_numbered(&fixture, 0, i + 1000); /* "0 1000": seven bytes with the LF */
    }
    assert_true(fixture_run_until(&fixture, is_too_large));
    awaited.path = place.path;
    for (rlim_t bytes = 1003; bytes < 2100; bytes += 500) {
        limit_files(bytes);
        awaited.bytes = (off_t)(bytes / 7 * 7);
        assert_true(fixture_run_until(&fixture, has_awaited_size));
    }
    assert_true(fixture.acked < 1000);
    limit_files(RLIM_INFINITY);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
    assert_int_equal(read_all(&place, 1, first), 1000);
    place_fini(&place);
}

static _Atomic int syncs_to_fail;
static _Atomic int syncs;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    syncs++;
    if (syncs_to_fail > 0) {
        syncs_to_fail--;
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

static bool has_no_sync(const struct fixture *fixture)
{
    return strcmp(sl_sink_reason(fixture->sink), "sync: Input/output error") == 0;
}

static void synced_batches_are_acknowledged_when_they_are_on_the_disk(void **state)
{
    struct fixture fixture;
    struct place place;
    size_t first[2];

    (void)state;
    place_init(&place);
    struct options options = {.path = place.path, .queue_bytes = 65536, .sync = 2};
    syncs_to_fail = 1 << 20;
    fixture_init(&fixture, &sluice_file_plugin, &options, 500);
    fixture_open(&fixture);
    for (size_t i = 0; i < 500; i++) {
        give_numbered(&fixture, 0, i);
    }
    assert_true(fixture_run_until(&fixture, has_no_sync));
    assert_int_equal(fixture.acked, 0);
    syncs_to_fail = 0;
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_all_came_back(&fixture, 0);
    fixture_fini(&fixture);
    assert_int_equal(read_all(&place, 1, first), 500);
    place_fini(&place);
}

static bool was_synced(const struct fixture *fixture)
{
    (void)fixture;
    return syncs > 0;
}

static void an_interval_syncs_what_was_acknowledged(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    struct options options = {
        .path = place.path, .queue_bytes = 65536, .sync = 1, .sync_interval_ns = 10 * SL_NS_PER_MS};
    syncs = 0;
    fixture_init(&fixture, &sluice_file_plugin, &options, 1);
    fixture_open(&fixture);
    give_all(&fixture, 1);
    assert_true(fixture_run_until(&fixture, all_are_acked));
    assert_true(fixture_run_until(&fixture, was_synced));
    fixture_fini(&fixture);
    place_fini(&place);
}

static void a_path_is_needed(void **state)
{
    struct options options = {.path = "", .queue_bytes = 1024};
    char error[100];

    (void)state;
    assert_false(sluice_file_plugin.check(&options, error, sizeof(error)));
    assert_non_null(strstr(error, "path"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_those_of_the_table),
        cmocka_unit_test(lines_arrive_in_order_through_a_small_queue),
        cmocka_unit_test(a_line_longer_than_the_queue_is_taken_when_it_is_empty),
        cmocka_unit_test(a_payload_that_is_a_line_already_gets_no_second_end),
        cmocka_unit_test(a_torn_last_line_is_ended_first),
        cmocka_unit_test(a_full_disk_holds_records_and_the_close_gives_them_up),
        cmocka_unit_test(it_goes_on_when_the_directory_is_there_again),
        cmocka_unit_test(two_workers_share_a_file_line_by_line),
        cmocka_unit_test(a_pipe_without_a_reader_for_its_bytes_does_not_hold_the_close),
        cmocka_unit_test(a_file_that_another_holds_is_waited_for),
        cmocka_unit_test(no_file_is_larger_than_asked_and_none_is_lost),
        cmocka_unit_test(so_many_old_files_are_kept_and_they_are_the_newest),
        cmocka_unit_test(a_line_longer_than_a_file_may_be_has_one_to_itself),
        cmocka_unit_test(a_new_stretch_of_time_begins_a_new_file),
        cmocka_unit_test(a_file_that_somebody_takes_away_is_made_anew),
        cmocka_unit_test(a_line_is_whole_in_the_file_or_not_there),
        cmocka_unit_test(synced_batches_are_acknowledged_when_they_are_on_the_disk),
        cmocka_unit_test(an_interval_syncs_what_was_acknowledged),
        cmocka_unit_test(a_path_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
