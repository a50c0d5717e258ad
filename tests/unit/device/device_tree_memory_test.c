/* Every allocation of reading a tree, of a Set and of a Get fails once: an error that says so, the
 * tree as it was, and nothing left over. */
#include "tree_tools.h"

#include "failing.h"
#include "loop/loop.h"

static void each_allocation_of_reading_a_tree_may_fail(void **state)
{
    struct sl_device_tree *tree = NULL;
    long runs = 0;

    (void)state;
    do {
        struct sl_status why = sl_status_ok();

        sl_device_tree_release(tree);
        has_failed = false;
        left = runs++;
        tree = sl_device_json_read(SL_STR(TWO_INTERFACES), 1, &why);
        left = -1;
        if (!tree) {
            assert_true(has_failed);
            assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
        } else {
            expect_json(tree, "/system/config", "{\"hostname\":\"r1\",\"servers\":[\"a\",\"b\"]}");
        }
    } while (has_failed);
    assert_true(runs > 30);
    sl_device_tree_release(tree);
}

static void each_allocation_of_a_set_may_fail(void **state)
{
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    struct sl_loop *loop = sl_loop_new();
    struct sl_device_store *store = sl_device_store_new(loop, tree, 1);
    Gnmi__SetRequest request = GNMI__SET_REQUEST__INIT;
    struct written written;
    long runs = 0;

    (void)state;
    assert_non_null(store);
    write_json(&written, "/interfaces/interface",
               "[{\"name\":\"eth7\",\"config\":{\"mtu\":1,\"tags\":[1,\"x\"]}}]");
    request.n_replace = 1;
    request.replace = &written.pointer;
    do {
        const struct sl_device_tree *before = sl_device_store_now(store)->tree;
        struct sl_status status;

        has_failed = false;
        left = runs++;
        status = sl_device_store_set(store, &request, 5);
        left = -1;
        if (!sl_status_is_ok(&status)) {
            assert_true(has_failed);
            assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
            assert_ptr_equal(sl_device_store_now(store)->tree, before);
        } else {
            expect_json(sl_device_store_now(store)->tree, "/interfaces/interface[name=eth7]",
                        "{\"config\":{\"mtu\":1,\"tags\":[1,\"x\"]},\"name\":\"eth7\"}");
        }
    } while (has_failed);
    assert_true(runs > 20);
    forget(&written);
    sl_device_store_free(store);
    sl_loop_free(loop);
    sl_device_tree_release(tree);
}

static void each_allocation_of_a_get_may_fail(void **state)
{
    static const Gnmi__Encoding encodings[] = {GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__PROTO,
                                               GNMI__ENCODING__ASCII};
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);
    Gnmi__Path *path = path_of("/interfaces/interface");

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(encodings); i++) {
        Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
        struct sl_buf whole = {.data = NULL};
        struct sl_status status;
        long runs = 0;

        request.encoding = encodings[i];
        request.n_path = 1;
        request.path = &path;
        status = sl_device_answer_get(tree, &request, 7, &whole);
        assert_true(sl_status_is_ok(&status));
        do {
            struct sl_buf out = {.data = NULL};

            has_failed = false;
            left = runs++;
            status = sl_device_answer_get(tree, &request, 7, &out);
            left = -1;
            if (sl_status_is_ok(&status)) {
                assert_true(sl_str_eq(sl_buf_str(&out), sl_buf_str(&whole)));
            } else {
                assert_true(has_failed);
                assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
            }
            sl_buf_fini(&out);
        } while (has_failed);
        assert_true(runs > 3);
        sl_buf_fini(&whole);
    }
    gnmi__path__free_unpacked(path, NULL);
    sl_device_tree_release(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_reading_a_tree_may_fail),
        cmocka_unit_test(each_allocation_of_a_set_may_fail),
        cmocka_unit_test(each_allocation_of_a_get_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
