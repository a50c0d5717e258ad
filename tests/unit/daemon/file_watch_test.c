/* Files as editors, scripts and Kubernetes change them, in a folder of the test's own. */
#include "daemon/file_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { GUARD_MS = 60 * 1000, STILL_MS = 3 * SL_FILE_WATCH_QUIET_MS };

struct scene {
    char folder[64];
    char file[128];
    struct sl_loop *loop;
    struct sl_timer *guard; /* ends a wait that is in vain */
    struct sl_timer *writes;
    struct sl_file_watch *watch;
    unsigned calls;
    unsigned left; /* writes to come */
    bool is_over;
};

static void on_guard(void *arg)
{
    struct scene *scene = arg;

    scene->is_over = true;
    sl_loop_stop(scene->loop);
}

static void on_change(void *arg)
{
    struct scene *scene = arg;

    scene->calls++;
    sl_loop_stop(scene->loop);
}

static const char *at(const struct scene *scene, const char *name)
{
    static char paths[4][192];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", scene->folder, name);
    return path;
}

static void put(const struct scene *scene, const char *name, const char *text)
{
    FILE *file = fopen(at(scene, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void put_link(const struct scene *scene, const char *name, const char *text)
{
    assert_int_equal(symlink(text, at(scene, name)), 0);
}

static void move(const struct scene *scene, const char *from, const char *to)
{
    assert_int_equal(rename(at(scene, from), at(scene, to)), 0);
}

static void make_folder(const struct scene *scene, const char *name)
{
    assert_int_equal(mkdir(at(scene, name), 0700), 0);
}

static void open_watch(struct scene *scene)
{
    struct sl_status why;

    scene->watch = sl_file_watch_new(scene->loop, scene->file, on_change, scene, &why);
    assert_non_null(scene->watch);
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    strcpy(scene->folder, "/tmp/sluice-watch-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->file, sizeof(scene->file), "%s/sluice.yaml", scene->folder);
    scene->loop = sl_loop_new();
    assert_non_null(scene->loop);
    scene->guard = sl_timer_new(scene->loop, on_guard, scene);
    assert_non_null(scene->guard);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    char command[128];

    sl_file_watch_free(scene->watch);
    sl_timer_free(scene->guard);
    sl_timer_free(scene->writes);
    sl_loop_free(scene->loop);
    snprintf(command, sizeof(command), "rm -r %s", scene->folder);
    assert_int_equal(system(command), 0);
    free(scene);
    return 0;
}

/* The next change is told, once. */
static void expect_change(struct scene *scene)
{
    unsigned before = scene->calls;

    sl_timer_start(scene->guard, GUARD_MS);
    sl_loop_run(scene->loop);
    assert_false(scene->is_over);
    assert_int_equal(scene->calls, before + 1);
}

static void expect_nothing(struct scene *scene)
{
    unsigned before = scene->calls;

    sl_timer_start(scene->guard, STILL_MS);
    sl_loop_run(scene->loop);
    assert_true(scene->is_over);
    assert_int_equal(scene->calls, before);
    scene->is_over = false;
}

static void a_file_written_in_place_is_told_once(void **state)
{
    struct scene *scene = *state;

    put(scene, "sluice.yaml", "a");
    open_watch(scene);
    put(scene, "sluice.yaml", "ab");
    expect_change(scene);
    expect_nothing(scene);
    put(scene, "sluice.yaml", "abc");
    expect_change(scene);
}

static void a_file_renamed_over_it_is_told(void **state)
{
    struct scene *scene = *state;

    put(scene, "sluice.yaml", "a");
    open_watch(scene);
    put(scene, "new", "b");
    move(scene, "new", "sluice.yaml");
    expect_change(scene);
    expect_nothing(scene);
}

static void other_files_beside_it_are_nothing(void **state)
{
    struct scene *scene = *state;

    put(scene, "sluice.yaml", "a");
    open_watch(scene);
    put(scene, "other", "b");
    assert_int_equal(unlink(at(scene, "other")), 0);
    expect_nothing(scene);
}

/* As kubelet does it: the file is a link through ..data, which is renamed over. */
static void the_swap_of_a_config_map_is_told(void **state)
{
    struct scene *scene = *state;

    make_folder(scene, "..1");
    put(scene, "..1/sluice.yaml", "a");
    put_link(scene, "..data", "..1");
    put_link(scene, "sluice.yaml", "..data/sluice.yaml");
    open_watch(scene);
    for (int i = 2; i < 4; i++) {
        char name[8], file[32];
        snprintf(name, sizeof(name), "..%d", i);
        snprintf(file, sizeof(file), "..%d/sluice.yaml", i);
        make_folder(scene, name);
        put(scene, file, "b");
        put_link(scene, "..tmp", name);
        move(scene, "..tmp", "..data");
        expect_change(scene);
    }
    expect_nothing(scene);
}

static void links_are_followed_to_where_they_lead(void **state)
{
    struct scene *scene = *state;

    make_folder(scene, "a");
    make_folder(scene, "b");
    make_folder(scene, "b/v1");
    make_folder(scene, "b/v2");
    put(scene, "b/v1/f", "1");
    put(scene, "b/v2/f", "2");
    put_link(scene, "b/now", "v1");
    put_link(scene, "a/f", "../b/./now/f");
    put_link(scene, "sluice.yaml", at(scene, "a//f"));
    open_watch(scene);
    put(scene, "b/v1/f", "11");
    expect_change(scene);
    put_link(scene, "b/next", "v2");
    move(scene, "b/next", "b/now");
    expect_change(scene);
    put(scene, "b/v1/f", "111"); /* nothing leads there any more */
    expect_nothing(scene);
    put(scene, "b/v2/f", "22");
    expect_change(scene);
}

static void a_file_that_goes_and_comes_is_told_both_times(void **state)
{
    struct scene *scene = *state;

    make_folder(scene, "a");
    put(scene, "a/f", "1");
    put_link(scene, "sluice.yaml", "a/f");
    open_watch(scene);
    assert_int_equal(unlink(at(scene, "a/f")), 0);
    assert_int_equal(rmdir(at(scene, "a")), 0);
    expect_change(scene);
    make_folder(scene, "a");
    expect_nothing(scene);
    put(scene, "a/f", "1");
    expect_change(scene);
}

static void links_in_a_circle_end(void **state)
{
    struct scene *scene = *state;

    put_link(scene, "sluice.yaml", "other");
    put_link(scene, "other", "sluice.yaml");
    open_watch(scene);
    assert_int_equal(unlink(at(scene, "other")), 0);
    put(scene, "other", "1");
    expect_change(scene);
}

enum { WRITES = 8, WRITE_MS = SL_FILE_WATCH_QUIET_MS / 2 };

static void on_write(void *arg)
{
    struct scene *scene = arg;
    char text[WRITES + 1];

    memset(text, 'x', scene->left);
    text[scene->left] = '\0';
    put(scene, "sluice.yaml", text);
    if (--scene->left > 0) {
        sl_timer_start(scene->writes, WRITE_MS);
    }
}

/* Fewer calls than writes, and one after the last: how many is the machine's time to say. */
static void what_is_being_written_is_waited_for(void **state)
{
    struct scene *scene = *state;
    unsigned calls_before_last = 0;

    put(scene, "sluice.yaml", "");
    open_watch(scene);
    scene->left = WRITES;
    scene->writes = sl_timer_new(scene->loop, on_write, scene);
    assert_non_null(scene->writes);
    sl_timer_start(scene->writes, WRITE_MS);
    while (scene->left > 0) {
        calls_before_last = scene->calls;
        expect_change(scene);
    }
    assert_true(scene->calls > calls_before_last && scene->calls < WRITES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_written_in_place_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_renamed_over_it_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files_beside_it_are_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_swap_of_a_config_map_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_followed_to_where_they_lead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_goes_and_comes_is_told_both_times, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(links_in_a_circle_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_being_written_is_waited_for, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
