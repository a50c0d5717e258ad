#include "tree_tools.h"

#include <stdlib.h>

#include "device/round.h"

enum { SOON_NS = 77, MANY = 100, DEEPEST = 7 };

/* What rounds told, in the order of the messages. */
struct told {
    struct sl_device_view view;
    Gnmi__Path *path;
    Gnmi__SubscribeResponse *responses[16];
    size_t count;
};

static void look_at(struct told *told, const char *path)
{
    struct sl_status status;

    *told = (struct told){.path = path_of(path)};
    told->view.target = "";
    told->view.origin = "";
    told->view.encoding = GNMI__ENCODING__PROTO;
    told->view.max_updates = MANY;
    status = sl_device_place_init(&told->view.place, NULL, told->path);
    assert_string_equal(status.text, "");
}

static void forget_responses(struct told *told)
{
    for (size_t i = 0; i < told->count; i++) {
        gnmi__subscribe_response__free_unpacked(told->responses[i], NULL);
    }
    told->count = 0;
}

static void forget_told(struct told *told)
{
    forget_responses(told);
    gnmi__path__free_unpacked(told->path, NULL);
}

static void tell(struct told *told, struct sl_device_tree *old, struct sl_device_tree *goal,
                 bool is_full, int64_t time_ns)
{
    struct sl_device_round round;
    struct sl_buf message = {.data = NULL};
    bool goes_on = true;

    forget_responses(told);
    sl_device_round_begin(&round, &told->view, old, goal);
    round.is_full = is_full;
    round.time_ns = time_ns;
    while (goes_on) {
        goes_on = sl_device_round_next(&round, SOON_NS, &message);
        assert_false(message.failed);
        if (message.len > 0) {
            assert_true(told->count < SL_ARRAY_LEN(told->responses));
            told->responses[told->count] =
                gnmi__subscribe_response__unpack(NULL, message.len, (const uint8_t *)message.data);
            assert_non_null(told->responses[told->count++]);
        }
        sl_buf_reset(&message);
    }
    sl_device_round_end(&round);
    sl_buf_fini(&message);
}

static const Gnmi__Notification *notification(const struct told *told, size_t index)
{
    if (index >= told->count) {
        abort();
    }
    return told->responses[index]->update;
}

/* `old` without what is below `deleted`, and with the JSON at `path`. */
static struct sl_device_tree *changed(const struct sl_device_tree *old, const char *deleted,
                                      const char *path, const char *json, int64_t now_ns)
{
    Gnmi__Path *paths[] = {path_of(deleted), path_of(path)};
    struct sl_device_place place;
    struct sl_device_edit edit;
    struct sl_device_tree *new;
    struct sl_status why;

    assert_true(sl_device_edit_init(&edit, old, now_ns));
    why = sl_device_place_init(&place, NULL, paths[0]);
    assert_true(sl_status_is_ok(&why));
    sl_device_edit_delete(&edit, &place, false);
    why = sl_device_place_init(&place, NULL, paths[1]);
    assert_true(sl_status_is_ok(&why));
    why = sl_device_json_put(&edit, &place, sl_str_from(json));
    assert_string_equal(why.text, "");
    new = sl_device_edit_done(&edit, &why);
    assert_string_equal(why.text, "");
    gnmi__path__free_unpacked(paths[0], NULL);
    gnmi__path__free_unpacked(paths[1], NULL);
    return new;
}

static void the_first_round_is_everything_at_its_own_time(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    struct sl_device_tree *younger =
        changed(tree, "/nothing", "/interfaces/interface[name=eth0]/config/mtu", "1", 5);
    struct told told;

    (void)state;
    look_at(&told, "/interfaces/interface[name=eth0]");
    tell(&told, NULL, tree, true, 0);
    assert_int_equal(told.count, 1);
    assert_int_equal(notification(&told, 0)->n_update, 4);
    assert_int_equal(notification(&told, 0)->timestamp, 1);
    tell(&told, NULL, younger, true, 0);
    assert_int_equal(told.count, 2);
    assert_int_equal(notification(&told, 0)->timestamp, 5);
    assert_int_equal(notification(&told, 0)->update[0]->val->uint_val, 1);
    assert_int_equal(notification(&told, 1)->n_update, 3);
    tell(&told, NULL, younger, true, 9);
    assert_int_equal(told.count, 1);
    assert_int_equal(notification(&told, 0)->timestamp, 9);
    forget_told(&told);
    sl_device_tree_release(younger);
    sl_device_tree_release(tree);
}

static void a_later_one_is_what_differs(void **state)
{
    struct sl_device_tree *old = tree_of(TWO_INTERFACES);
    struct sl_device_tree *new =
        changed(old, "/interfaces/interface[name=eth1]", "/interfaces/interface[name=eth2]/config",
                "{\"mtu\":3}", 5);
    struct told told;
    const Gnmi__Notification *only;

    (void)state;
    look_at(&told, "/");
    tell(&told, old, new, false, 0);
    assert_int_equal(told.count, 2); /* the deletes have the time at which they are told */
    only = notification(&told, 0);
    assert_int_equal(only->timestamp, SOON_NS);
    assert_int_equal(only->n_delete_, 2);
    assert_string_equal(only->delete_[0]->elem[1]->key[0]->value, "eth1");
    tell(&told, old, new, false, 5);
    assert_int_equal(told.count, 1);
    only = notification(&told, 0);
    assert_int_equal(only->n_delete_, 2);
    assert_int_equal(only->n_update, 2);
    assert_string_equal(only->update[1]->val->string_val, "eth2");
    tell(&told, new, new, false, 5);
    assert_int_equal(told.count, 0);
    tell(&told, new, new, true, 5);
    assert_int_equal(notification(&told, 0)->n_update, new->count);
    forget_told(&told);
    look_at(&told, "/system");
    tell(&told, old, new, false, 5);
    assert_int_equal(told.count, 0);
    forget_told(&told);
    sl_device_tree_release(old);
    sl_device_tree_release(new);
}

static void what_is_put_back_as_it_was_does_not_differ(void **state)
{
    struct sl_device_tree *old = tree_of(TWO_INTERFACES);
    struct sl_device_tree *new =
        changed(old, "/interfaces/interface[name=eth1]", "/interfaces/interface[name=eth1]/config",
                "{\"mtu\":1500}", 5);
    struct told told;

    (void)state;
    look_at(&told, "/");
    tell(&told, old, new, false, 5);
    assert_int_equal(told.count, 0);
    forget_told(&told);
    sl_device_tree_release(old);
    sl_device_tree_release(new);
}

static void a_view_has_a_depth_and_may_leave_state_out(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    struct told told;

    (void)state;
    look_at(&told, "/");
    for (told.view.depth = 1; told.view.depth < DEEPEST; told.view.depth++) {
        size_t count = 0;

        tell(&told, NULL, tree, true, 5);
        for (size_t i = 0; i < tree->count; i++) {
            count += tree->leaves[i]->path->n_elem <= told.view.depth;
        }
        assert_int_equal(told.count, count > 0);
        assert_int_equal(count > 0 ? notification(&told, 0)->n_update : 0, count);
    }
    told.view.depth = 0;
    told.view.is_config = true;
    tell(&told, NULL, tree, true, 5);
    assert_int_equal(notification(&told, 0)->n_update, tree->count - 2);
    forget_told(&told);
    sl_device_tree_release(tree);
}

static void a_notification_has_a_limit(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    struct told told;
    size_t updates = 0;

    (void)state;
    look_at(&told, "/");
    told.view.max_updates = 3;
    tell(&told, NULL, tree, true, 5);
    assert_int_equal(told.count, (tree->count + 2) / 3);
    for (size_t i = 0; i < told.count; i++) {
        assert_in_range(notification(&told, i)->n_update, 1, 3);
        updates += notification(&told, i)->n_update;
    }
    assert_int_equal(updates, tree->count);
    forget_told(&told);
    sl_device_tree_release(tree);
}

static void target_and_origin_are_the_prefix(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    struct told told;

    (void)state;
    look_at(&told, "/system");
    told.view.target = "leaf1";
    told.view.origin = "openconfig";
    tell(&told, NULL, tree, true, 5);
    assert_string_equal(notification(&told, 0)->prefix->target, "leaf1");
    assert_string_equal(notification(&told, 0)->prefix->origin, "openconfig");
    forget_told(&told);
    sl_device_tree_release(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_is_everything_at_its_own_time),
        cmocka_unit_test(a_later_one_is_what_differs),
        cmocka_unit_test(what_is_put_back_as_it_was_does_not_differ),
        cmocka_unit_test(a_view_has_a_depth_and_may_leave_state_out),
        cmocka_unit_test(a_notification_has_a_limit),
        cmocka_unit_test(target_and_origin_are_the_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
