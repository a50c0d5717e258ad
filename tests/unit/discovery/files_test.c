/* Documents of files, on a real file system and with the threads that they are found by. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "discovery/discovery.h"

enum { PATH_BYTES = 256, WAIT_MS = 10 * 1000 };

struct place {
    char directory[64];
    char pattern[PATH_BYTES];
    const char *items[3];
    struct sl_source_spec spec;
    struct sl_loop *loop;
    struct sl_timer *late;
    struct sl_discovery *discovery;
    unsigned changes;
};

static void write_file(const struct place *place, const char *name, const char *text)
{
    char path[PATH_BYTES];
    char made[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    snprintf(made, sizeof(made), "%s/.new", place->directory);
    FILE *out = fopen(made, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(rename(made, path), 0);
}

static void remove_file(const struct place *place, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    assert_int_equal(unlink(path), 0);
}

static void on_change(void *arg)
{
    struct place *place = arg;

    place->changes++;
    sl_loop_stop(place->loop);
}

static void on_late(void *arg)
{
    (void)arg;
    fail_msg("%s", "no change within the time");
}

static void make_place(struct place *place)
{
    *place = (struct place){.directory = "/tmp/sluice-found-XXXXXX"};
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->pattern, sizeof(place->pattern), "%s/*.yaml", place->directory);
    place->items[0] = place->pattern;
    place->spec.name = "inv";
    place->spec.options.type = SL_SOURCE_FILES;
    place->spec.options.paths = (struct sluice_strings){place->items, 1};
    place->spec.options.interval_ns = 3600 * SL_NS_PER_S;
    place->spec.options.max_bytes = 1000;
}

static void open_place(struct place *place)
{
    place->loop = sl_loop_new();
    const struct sl_discovery_config config = {.specs = &place->spec,
                                               .count = 1,
                                               .state_dir = "",
                                               .loop = place->loop,
                                               .on_change = on_change,
                                               .arg = place};
    struct sl_status why;

    place->late = sl_timer_new(place->loop, on_late, NULL);
    place->discovery = sl_discovery_open(&config, &why);
    assert_non_null(place->discovery);
    sl_discovery_wait(place->discovery, WAIT_MS);
}

static void close_place(struct place *place)
{
    char command[PATH_BYTES];

    sl_discovery_close(place->discovery);
    sl_timer_free(place->late);
    sl_loop_free(place->loop);
    snprintf(command, sizeof(command), "rm -rf %s", place->directory);
    assert_int_equal(system(command), 0);
}

static void await_change(struct place *place)
{
    sl_timer_start(place->late, WAIT_MS);
    sl_loop_run(place->loop);
    sl_timer_stop(place->late);
}

/* All documents, one behind the other. */
static void assert_found(struct place *place, const char *expected)
{
    struct sl_found *found;
    size_t count;
    struct sl_buf all = {0};

    assert_true(sl_discovery_found(place->discovery, &found, &count));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].source, "inv");
        assert_false(found[i].is_foreign);
        sl_buf_add(&all, found[i].text, found[i].len);
    }
    assert_string_equal(sl_buf_text(&all), expected);
    sl_buf_fini(&all);
    sl_found_free(found, count);
}

static void files_are_found_and_their_changes_too(void **state)
{
    struct place place;

    (void)state;
    make_place(&place);
    write_file(&place, "b.yaml", "b: {}\n");
    write_file(&place, "a.yaml", "a: {}\n");
    write_file(&place, "c.txt", "c: {}\n");
    open_place(&place);
    assert_found(&place, "a: {}\nb: {}\n");
    await_change(&place); /* that there is anything */
    write_file(&place, "a.yaml", "a: {gzip: true}\n");
    await_change(&place);
    assert_found(&place, "a: {gzip: true}\nb: {}\n");
    remove_file(&place, "b.yaml");
    await_change(&place);
    assert_found(&place, "a: {gzip: true}\n");
    close_place(&place);
}

static void a_file_that_is_broken_stays_as_it_was(void **state)
{
    struct place place;
    struct sl_source_status status;

    (void)state;
    make_place(&place);
    write_file(&place, "a.yaml", "a: {}\n");
    write_file(&place, "b.yaml", "b: {}\n");
    open_place(&place);
    await_change(&place);
    write_file(&place, "a.yaml", "a: {\n");
    write_file(&place, "b.yaml", "bb: {}\n");
    await_change(&place);
    assert_found(&place, "a: {}\nbb: {}\n");
    assert_true(sl_discovery_status(place.discovery, 0, &status));
    assert_non_null(strstr(status.error, "a.yaml:2:1: "));
    assert_int_equal(status.documents, 2);
    write_file(&place, "a.yaml", "aa: {}\n");
    await_change(&place);
    assert_found(&place, "aa: {}\nbb: {}\n");
    assert_true(sl_discovery_status(place.discovery, 0, &status));
    assert_string_equal(status.error, "");
    close_place(&place);
}

static void a_file_that_is_too_long_or_not_there_is_told(void **state)
{
    struct place place;
    struct sl_source_status status;
    char text[2000];

    (void)state;
    make_place(&place);
    memset(text, ' ', sizeof(text));
    memcpy(text, "a: {}\n", 6);
    text[sizeof(text) - 1] = '\0';
    write_file(&place, "a.yaml", text);
    open_place(&place);
    assert_true(sl_discovery_status(place.discovery, 0, &status));
    assert_non_null(strstr(status.error, "longer than max-bytes (1000)"));
    assert_found(&place, "");
    close_place(&place);

    make_place(&place);
    place.items[0] = "/nonexistent/targets.yaml";
    open_place(&place);
    assert_true(sl_discovery_status(place.discovery, 0, &status));
    assert_non_null(strstr(status.error, "/nonexistent/targets.yaml: No such file"));
    close_place(&place);
}

static void rename_directory(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

/* As when a file system is not mounted: that is no word about targets. */
static void a_directory_that_goes_away_takes_nothing_along(void **state)
{
    struct place place;
    struct sl_source_status status;
    char away[PATH_BYTES];

    (void)state;
    make_place(&place);
    snprintf(away, sizeof(away), "%s.away", place.directory);
    place.spec.options.interval_ns = 20 * SL_NS_PER_MS;
    write_file(&place, "a.yaml", "a: {}\n");
    open_place(&place);
    await_change(&place);
    rename_directory(place.directory, away);
    do {
        assert_true(sl_discovery_status(place.discovery, 0, &status));
    } while (!status.error[0]);
    assert_non_null(strstr(status.error, "cannot be looked up"));
    assert_found(&place, "a: {}\n");
    rename_directory(away, place.directory);
    remove_file(&place, "a.yaml");
    await_change(&place);
    assert_found(&place, "");
    close_place(&place);
}

static void a_named_file_that_goes_away_stays_known(void **state)
{
    struct place place;
    struct sl_source_status status;

    (void)state;
    make_place(&place);
    snprintf(place.pattern, sizeof(place.pattern), "%s/a.yaml", place.directory);
    write_file(&place, "a.yaml", "a: {}\n");
    open_place(&place);
    await_change(&place);
    remove_file(&place, "a.yaml");
    do {
        assert_true(sl_discovery_status(place.discovery, 0, &status));
    } while (!status.error[0]);
    assert_found(&place, "a: {}\n");
    assert_int_equal(status.documents, 1);
    close_place(&place);
}

static void other_sources_begin_with_what_is_known_of_their_name(void **state)
{
    struct place place;
    struct sl_source_status status;
    const char *paths[] = {NULL};
    char gone[PATH_BYTES];

    (void)state;
    make_place(&place);
    write_file(&place, "a.yaml", "a: {}\n");
    open_place(&place);
    await_change(&place);
    snprintf(gone, sizeof(gone), "%s/gone/*.yaml", place.directory);
    paths[0] = gone;
    struct sl_source_spec specs[] = {place.spec, place.spec};
    specs[0].name = "first";
    specs[1].options.paths = (struct sluice_strings){paths, 1};
    assert_true(sl_discovery_change(place.discovery, specs, 2));
    await_change(&place);
    sl_discovery_wait(place.discovery, WAIT_MS);
    assert_int_equal(sl_discovery_sources(place.discovery), 2);
    assert_true(sl_discovery_status(place.discovery, 1, &status));
    assert_string_equal(status.name, "inv");
    assert_true(status.is_kept);
    assert_int_equal(status.documents, 1);
    assert_non_null(strstr(status.error, "cannot be looked up"));
    assert_true(sl_discovery_uses(place.discovery, &specs[1]));
    assert_false(sl_discovery_uses(place.discovery, &place.spec));

    const struct sl_source_spec alone = specs[0];
    assert_true(sl_discovery_change(place.discovery, &alone, 1));
    assert_true(
        sl_discovery_uses(place.discovery, &specs[0])); /* it has not changed, and goes on */
    assert_false(sl_discovery_status(place.discovery, 1, &status));
    assert_true(sl_discovery_change(place.discovery, NULL, 0));
    assert_found(&place, "");
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_and_their_changes_too),
        cmocka_unit_test(a_file_that_is_broken_stays_as_it_was),
        cmocka_unit_test(a_file_that_is_too_long_or_not_there_is_told),
        cmocka_unit_test(a_directory_that_goes_away_takes_nothing_along),
        cmocka_unit_test(a_named_file_that_goes_away_stays_known),
        cmocka_unit_test(other_sources_begin_with_what_is_known_of_their_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
