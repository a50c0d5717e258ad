/* file_test.c - lines of a file: order, bounds, and disks that will not take them. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

/* The plugin's own struct, as its option table describes it. */
struct options {
    const char *path;
    uint64_t queue_bytes;
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
}

static void lines_arrive_in_order_through_a_small_queue(void **state)
{
    struct fixture fixture;
    struct place place;

    (void)state;
    place_init(&place);
    struct options options = {place.path, 1024};
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
    struct options options = {place.path, 10};
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
    struct options options = {place.path, 1024};
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
    struct options options = {place.path, 1024};
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
    struct options options = {"/dev/full", 64};
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
    struct options options = {place.path, 4096};
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
    struct options options = {place.path, 4096};
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
    struct options options = {place.path, 1024};
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
    struct options options = {place.path, 1024};
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

static void a_path_is_needed(void **state)
{
    struct options options = {"", 1024};
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
        cmocka_unit_test(a_path_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
