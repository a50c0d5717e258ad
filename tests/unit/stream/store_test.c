/* store_test.c - what is kept of updates while a sink stands still. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi/path_print.h"
#include "notify.h"
#include "stream/store.h"
#include "tree.h"

enum { ROUNDS = 400, STEPS = 60 };

static const struct sl_store_when when = {.received_ns = 7, .device_ns = 8};

struct kept {
    struct sl_store store;
    struct sl_store_lost lost;
    struct sl_buf scratch;
    struct sl_buf out;
    uint64_t received;
    uint64_t taken;
    uint64_t limit_bytes;
    bool is_synced;
};

static int set_up(void **state)
{
    struct kept *kept = calloc(1, sizeof(*kept));

    sl_store_init(&kept->store);
    kept->limit_bytes = SL_MIB;
    *state = kept;
    return 0;
}

static int tear_down(void **state)
{
    struct kept *kept = *state;

    sl_store_fini(&kept->store);
    assert_int_equal(kept->store.cost_bytes, 0);
    sl_buf_fini(&kept->scratch);
    sl_buf_fini(&kept->out);
    free(kept);
    return 0;
}

static void check(const struct kept *kept)
{
    assert_int_equal(kept->received,
                     kept->store.updates + kept->taken + kept->lost.conflated + kept->lost.shed);
    assert_true(kept->store.cost_bytes <= kept->limit_bytes);
}

static void add_bytes(struct kept *kept, struct sl_str message)
{
    struct sl_store_when now = when;
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &kept->scratch, &response);

    assert_int_equal(status.code, SL_OK);
    now.is_synced = kept->is_synced;
    kept->received += response.updates + response.deletes;
    sl_store_add(&kept->store, &response, &now, kept->limit_bytes, &kept->lost);
    check(kept);
}

static void add(struct kept *kept, const struct notify *what)
{
    add_bytes(kept, notify_bytes(what));
}

/* Takes what is next and writes it as notify_print does. */
static const char *take(struct kept *kept, struct sl_buf *text)
{
    struct sl_store_taken taken;
    struct sl_gnmi_response response;

    sl_store_take(&kept->store, &kept->out, &taken);
    assert_non_null(taken.message.data);
    kept->taken += taken.updates;
    check(kept);
    struct sl_status status = sl_gnmi_response_read(taken.message, &kept->scratch, &response);
    assert_int_equal(status.code, SL_OK);
    assert_int_equal(response.updates + response.deletes, taken.updates);
    assert_int_equal(taken.when.received_ns, when.received_ns);
    sl_buf_reset(text);
    notify_print(&response, text);
    return sl_buf_text(text);
}

static void assert_leaves(struct kept *kept, const char *const *expected)
{
    struct sl_buf text = {0};

    for (; *expected; expected++) {
        assert_false(sl_store_is_empty(&kept->store));
        assert_string_equal(take(kept, &text), *expected);
    }
    assert_true(sl_store_is_empty(&kept->store));
    assert_int_equal(kept->store.cost_bytes, 0);
    sl_buf_fini(&text);
}

#define LEAVES_AS(...) assert_leaves(kept, (const char *const[]){__VA_ARGS__, NULL})
#define PATHS(...)     ((const char *const[]){__VA_ARGS__, NULL})

static void the_newest_of_each_path_is_kept(void **state)
{
    struct kept *kept = *state;

    for (int i = 1; i <= 3; i++) {
        add(kept, &(struct notify){.prefix = "/a", .updates = PATHS("/x", "/y"), .value = i});
    }
    add(kept, &(struct notify){.updates = PATHS("/a/x"), .value = 4}); /* however it is split */
    assert_int_equal(kept->lost.conflated, 5);
    assert_int_equal(kept->store.updates, 2);
    LEAVES_AS("/a/y=3", "/a/x=4");
}

static void what_came_together_leaves_together(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){
                  .prefix = "/a", .updates = PATHS("/x", "/y", "/z"), .deletes = PATHS("/w")});
    add(kept, &(struct notify){.prefix = "/a", .updates = PATHS("/y"), .value = 2});
    LEAVES_AS("-/a/w /a/x=0 /a/z=0", "/a/y=2");
}

static void a_delete_outdoes_what_is_beneath_it(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/a/x", "/a", "/a/x/y", "/a-b", "/ab", "/b/a/x"),
                               .deletes = PATHS("/a/q")});
    add(kept, &(struct notify){.deletes = PATHS("/a")});
    assert_int_equal(kept->lost.conflated, 4);
    LEAVES_AS("/a-b=0 /ab=0 /b/a/x=0", "-/a");
}

static void the_root_is_above_all_of_its_origin_and_target(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/a", "oc:/a", "oc:/b")});
    add(kept, &(struct notify){.target = "db", .prefix = "/a", .updates = PATHS("/x")});
    add(kept, &(struct notify){.deletes = PATHS("oc:/")});
    LEAVES_AS("/a=0", "/a/x=0", "-oc:/");
    add(kept, &(struct notify){.updates = PATHS("/a", "oc:/a")});
    add(kept, &(struct notify){.deletes = PATHS("/")});
    LEAVES_AS("oc:/a=0", "-/");
}

static void keys_tell_paths_apart_and_their_order_does_not(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){
                  .updates = PATHS("/a[i=1][j=2]/x", "/a[i=1][j=3]/x", "/a[i=1/2]/x", "/a/x")});
    add(kept, &(struct notify){.updates = PATHS("/a[j=2][i=1]/x"), .value = 1});
    add(kept, &(struct notify){.deletes = PATHS("/a[i=1]", "/a[i=1/2]")});
    LEAVES_AS("/a[i=1][j=3]/x=0 /a/x=0", "/a[i=1][j=2]/x=1", "-/a[i=1] -/a[i=1/2]");
}

static void a_delete_before_an_update_leaves_before_it(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/a/x"), .value = 1});
    add(kept, &(struct notify){.deletes = PATHS("/a")});
    add(kept, &(struct notify){.updates = PATHS("/a/x"), .value = 2});
    add(kept, &(struct notify){.deletes = PATHS("/b")});
    add(kept, &(struct notify){.deletes = PATHS("/a/y")});
    add(kept, &(struct notify){.deletes = PATHS("/b")});
    assert_int_equal(kept->lost.conflated, 2);
    LEAVES_AS("-/a", "/a/x=2", "-/a/y", "-/b");
}

static void an_atomic_one_stays_whole_and_the_newest_stays(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/a/b/x", "/a/c"), .value = 1});
    add(kept, &(struct notify){
                  .prefix = "/a/b", .updates = PATHS("/x", "/y"), .value = 2, .is_atomic = true});
    assert_int_equal(kept->lost.conflated, 1);
    add(kept, &(struct notify){.updates = PATHS("/a/b/x"), .value = 3});
    LEAVES_AS("/a/c=1", "!/a/b /a/b/x=2 /a/b/y=2", "/a/b/x=3");

    add(kept, &(struct notify){
                  .prefix = "/a/b", .updates = PATHS("/x", "/y"), .value = 4, .is_atomic = true});
    add(kept, &(struct notify){.updates = PATHS("/a/b/x"), .value = 5});
    add(kept,
        &(struct notify){.prefix = "/a/b", .updates = PATHS("/z"), .value = 6, .is_atomic = true});
    assert_int_equal(kept->lost.conflated, 4);
    LEAVES_AS("!/a/b /a/b/z=6");
    add(kept, &(struct notify){
                  .prefix = "/a/b", .updates = PATHS("/x", "/y"), .value = 7, .is_atomic = true});
    add(kept, &(struct notify){.deletes = PATHS("/a")});
    assert_int_equal(kept->lost.conflated, 6);
    LEAVES_AS("-/a");
}

static void an_atomic_one_without_updates_says_that_nothing_is_left(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/a/x", "/b"), .value = 1});
    add(kept, &(struct notify){.prefix = "/a", .is_atomic = true});
    add(kept, &(struct notify){.is_atomic = true}); /* of what? */
    LEAVES_AS("/b=1", "!/a");
}

static void an_atomic_one_without_a_prefix_outdoes_its_like_alone(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.updates = PATHS("/q"), .value = 1});
    add(kept, &(struct notify){.updates = PATHS("/a/x", "/a/y"), .value = 1, .is_atomic = true});
    add(kept, &(struct notify){.updates = PATHS("/b/x"), .value = 2, .is_atomic = true});
    add(kept, &(struct notify){.updates = PATHS("/a/x", "/a/y"), .value = 3, .is_atomic = true});
    LEAVES_AS("/q=1", "!/ /b/x=2", "!/ /a/x=3 /a/y=3");
}

static void the_first_sync_keeps_its_place(void **state)
{
    struct kept *kept = *state;
    const struct sl_str sync = {"\x18\x01", 2};

    add(kept, &(struct notify){.updates = PATHS("/a", "/b"), .value = 1});
    add_bytes(kept, sync);
    kept->is_synced = true;
    add(kept, &(struct notify){.updates = PATHS("/b"), .value = 2});
    add_bytes(kept, sync);
    LEAVES_AS("/a=1", "sync", "/b=2");
}

static void what_finds_no_room_is_shed_and_so_is_its_older_value(void **state)
{
    struct kept *kept = *state;
    static char large[4096];

    memset(large, 'v', sizeof(large) - 1);
    add(kept, &(struct notify){.updates = PATHS("/a"), .value = 1});
    add(kept, &(struct notify){.updates = PATHS("/b"), .value = 1});
    kept->limit_bytes = kept->store.cost_bytes + 64;
    add(kept, &(struct notify){.updates = PATHS("/c"), .value = 1});
    assert_int_equal(kept->lost.shed, 1);
    add(kept, &(struct notify){.updates = PATHS("/a"), .value = 2}); /* its own room is enough */
    assert_int_equal(kept->lost.shed, 1);
    add(kept, &(struct notify){.updates = PATHS("/a"), .text = large});
    assert_int_equal(kept->lost.shed, 2);
    assert_int_equal(kept->lost.conflated, 2);
    LEAVES_AS("/b=1");
    kept->limit_bytes = 0;
    add(kept, &(struct notify){.updates = PATHS("/a", "/b"), .deletes = PATHS("/c")});
    add(kept, &(struct notify){.prefix = "/a", .updates = PATHS("/x"), .is_atomic = true});
    assert_int_equal(kept->lost.shed, 6);
    assert_true(sl_store_is_empty(&kept->store));
}

static void paths_without_a_key_are_shed(void **state)
{
    struct kept *kept = *state;
    static char half[SL_STORE_MAX_KEY_BYTES / 2 + 16];

    memset(half, 'p', sizeof(half) - 1);
    half[0] = '/';
    add(kept, &(struct notify){.prefix = half, .updates = PATHS(half), .deletes = PATHS(half)});
    add(kept, &(struct notify){.updates = PATHS(half), .is_atomic = true});
    assert_int_equal(kept->lost.shed, 2);
    assert_int_equal(sl_store_clear(&kept->store), 1);
    kept->taken++;
    add(kept, &(struct notify){
                  .target = half, .prefix = half, .updates = PATHS("/x"), .is_atomic = true});
    assert_int_equal(kept->lost.shed, 3);
    add(kept, &(struct notify){.updates = PATHS("/x")});
    LEAVES_AS("/x=0");
}

static void what_is_cleared_is_told(void **state)
{
    struct kept *kept = *state;

    add(kept, &(struct notify){.prefix = "/p", .updates = PATHS("/x", "/y")});
    add(kept, &(struct notify){.prefix = "/a", .updates = PATHS("/x", "/y"), .is_atomic = true});
    add_bytes(kept, (struct sl_str){"\x18\x01", 2});
    assert_int_equal(sl_store_clear(&kept->store), 4);
    assert_true(sl_store_is_empty(&kept->store));
}

/* ---- whoever applies it has in the end what the device has ---- */

/* The text of take(), applied. */
static void apply(struct tree *tree, char *text)
{
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *value = strrchr(word, '=');
        if (*word == '-' || *word == '!') {
            tree_clear_beneath(tree, word + 1);
        } else {
            *value = '\0';
            tree_set(tree, word, atoi(value + 1));
        }
    }
}

static void take_some(struct kept *kept, struct tree *consumer, unsigned most)
{
    struct sl_buf text = {0};

    for (; most && !sl_store_is_empty(&kept->store); most--) {
        (void)take(kept, &text);
        apply(consumer, text.data);
    }
    sl_buf_fini(&text);
}

static void whoever_applies_what_leaves_has_what_the_device_has(void **state)
{
    struct kept *kept = *state;

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned seed = round;
        struct tree device;
        struct tree consumer;
        tree_clear(&device);
        tree_clear(&consumer);
        for (int step = 1; step <= STEPS; step++) {
            if (draw(&seed, 5) == 0) {
                take_some(kept, &consumer, draw(&seed, 6));
            } else {
                add_bytes(kept, tree_draw(&device, &seed, step));
            }
        }
        take_some(kept, &consumer, UINT32_MAX);
        assert_memory_equal(&device, &consumer, sizeof(device));
        assert_int_equal(kept->store.cost_bytes, 0);
    }
    assert_true(kept->lost.conflated > ROUNDS && kept->taken > ROUNDS);
    assert_int_equal(kept->lost.shed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_of_each_path_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_together_leaves_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delete_outdoes_what_is_beneath_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_root_is_above_all_of_its_origin_and_target, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_tell_paths_apart_and_their_order_does_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_delete_before_an_update_leaves_before_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_atomic_one_stays_whole_and_the_newest_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_atomic_one_without_updates_says_that_nothing_is_left,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_atomic_one_without_a_prefix_outdoes_its_like_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_sync_keeps_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_finds_no_room_is_shed_and_so_is_its_older_value,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_without_a_key_are_shed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_cleared_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whoever_applies_what_leaves_has_what_the_device_has, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
