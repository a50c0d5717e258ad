#include "tree_tools.h"

#include <stdlib.h>

static struct sl_device_tree *tree;

static int make_tree(void **state)
{
    (void)state;
    tree = tree_of(TWO_INTERFACES);
    return 0;
}

static int release_tree(void **state)
{
    (void)state;
    sl_device_tree_release(tree);
    return 0;
}

static Gnmi__GetResponse *get(Gnmi__GetRequest *request, const char *path)
{
    struct sl_status status;
    Gnmi__GetResponse *response = get_with(tree, request, path, &status);

    assert_string_equal(status.text, "");
    if (!response) {
        abort();
    }
    return response;
}

static void each_match_of_a_wildcard_is_an_update(void **state)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    Gnmi__GetResponse *response;
    const Gnmi__Notification *notification;

    (void)state;
    response = get(&request, "/interfaces/interface/config");
    notification = response->notification[0];
    assert_int_equal(notification->timestamp, 7);
    assert_null(notification->prefix);
    assert_int_equal(notification->n_update, 2);
    assert_int_equal(notification->update[1]->path->n_elem, 3);
    assert_string_equal(notification->update[1]->path->elem[1]->key[0]->value, "eth1");
    assert_memory_equal(notification->update[1]->val->json_val.data, "{\"mtu\":1500}", 12);
    gnmi__get_response__free_unpacked(response, NULL);
}

static void leaves_come_one_by_one_in_the_other_encodings(void **state)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    Gnmi__GetResponse *response;
    const Gnmi__Notification *notification;

    (void)state;
    request.encoding = GNMI__ENCODING__PROTO;
    response = get(&request, "/system");
    notification = response->notification[0];
    assert_int_equal(notification->n_update, 2);
    assert_string_equal(notification->update[0]->val->string_val, "r1");
    assert_int_equal(notification->update[1]->val->leaflist_val->n_element, 2);
    gnmi__get_response__free_unpacked(response, NULL);
    request.encoding = GNMI__ENCODING__ASCII;
    response = get(&request, "/system");
    assert_string_equal(response->notification[0]->update[0]->val->ascii_val, "r1");
    assert_string_equal(response->notification[0]->update[1]->val->ascii_val, "[\"a\",\"b\"]");
    gnmi__get_response__free_unpacked(response, NULL);
    request.encoding = GNMI__ENCODING__BYTES;
    response = get(&request, "/interfaces/interface[name=eth1]/config/mtu");
    assert_memory_equal(response->notification[0]->update[0]->val->bytes_val.data, "1500", 4);
    gnmi__get_response__free_unpacked(response, NULL);
}

static size_t count_of_type(Gnmi__GetRequest__DataType type)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    Gnmi__GetResponse *response;
    size_t count;

    request.encoding = GNMI__ENCODING__PROTO;
    request.type = type;
    response = get(&request, "/interfaces/interface[name=eth0]");
    count = response->notification[0]->n_update;
    gnmi__get_response__free_unpacked(response, NULL);
    return count;
}

static void a_type_selects_leaves_and_always_the_keys(void **state)
{
    (void)state;
    assert_int_equal(count_of_type(GNMI__GET_REQUEST__DATA_TYPE__ALL), 4);
    assert_int_equal(count_of_type(GNMI__GET_REQUEST__DATA_TYPE__CONFIG), 2);
    assert_int_equal(count_of_type(GNMI__GET_REQUEST__DATA_TYPE__STATE), 3);
    assert_int_equal(count_of_type(GNMI__GET_REQUEST__DATA_TYPE__OPERATIONAL), 2);
}

static void a_depth_ends_below_the_path(void **state)
{
    static const size_t leaves[] = {4, 1, 3, 4, 4}; /* of eth0, at each level */
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__Extension *extensions[] = {&extension};
    GnmiExt__Depth depth = GNMI_EXT__DEPTH__INIT;

    (void)state;
    request.encoding = GNMI__ENCODING__PROTO;
    request.n_extension = 1;
    request.extension = extensions;
    extension.ext_case = GNMI_EXT__EXTENSION__EXT_DEPTH;
    extension.depth = &depth;
    for (depth.level = 0; depth.level < SL_ARRAY_LEN(leaves); depth.level++) {
        Gnmi__GetResponse *response = get(&request, "/interfaces/interface[name=eth0]");

        assert_int_equal(response->notification[0]->n_update, leaves[depth.level]);
        gnmi__get_response__free_unpacked(response, NULL);
    }
}

static void target_and_origin_come_back_in_the_prefix(void **state)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    Gnmi__Path *prefix = path_of("openconfig:/interfaces");
    char *none = prefix->target;
    char target[] = "leaf1";
    Gnmi__GetResponse *response;

    (void)state;
    prefix->target = target;
    request.prefix = prefix;
    response = get(&request, "/interface[name=eth1]/config/mtu");
    assert_string_equal(response->notification[0]->prefix->target, "leaf1");
    assert_string_equal(response->notification[0]->prefix->origin, "openconfig");
    assert_int_equal(response->notification[0]->prefix->n_elem, 0);
    assert_int_equal(response->notification[0]->update[0]->path->n_elem, 4);
    gnmi__get_response__free_unpacked(response, NULL);
    prefix->target = none;
    gnmi__path__free_unpacked(prefix, NULL);
}

static void expect_refused(Gnmi__GetRequest *request, const char *path, enum sl_code code)
{
    struct sl_status status;

    assert_null(get_with(tree, request, path, &status));
    assert_int_equal(status.code, code);
}

static void what_is_not_there_or_not_known_is_refused(void **state)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    Gnmi__GetResponse *response;
    Gnmi__Path prefix = GNMI__PATH__INIT;
    char origin[] = "openconfig";

    (void)state;
    expect_refused(&request, "/interfaces/interface[name=eth2]", SL_NOT_FOUND);
    expect_refused(&request, "cli:/interfaces", SL_NOT_FOUND);
    response = get(&request, "/interfaces/interface[name=*]/nothing");
    assert_int_equal(response->notification[0]->n_update, 0);
    gnmi__get_response__free_unpacked(response, NULL);
    prefix.origin = origin;
    request.prefix = &prefix;
    expect_refused(&request, "openconfig:/interfaces", SL_INVALID_ARGUMENT);
    request.prefix = NULL;
    request.encoding = (Gnmi__Encoding)42;
    expect_refused(&request, "/interfaces", SL_UNIMPLEMENTED);
    request.encoding = GNMI__ENCODING__JSON;
    request.type = (Gnmi__GetRequest__DataType)9;
    expect_refused(&request, "/interfaces", SL_INVALID_ARGUMENT);
}

static void an_answer_has_a_limit(void **state)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    struct sl_buf text = {.data = NULL};
    struct sl_buf out = {.data = NULL};
    Gnmi__Path *path = path_of("/a");
    Gnmi__Path *paths[SL_DEVICE_MAX_GET_PATHS];
    struct sl_device_tree *large;
    struct sl_status status;

    (void)state;
    sl_buf_add_c(&text, "{\"a\":\"");
    for (int i = 0; i < 1000000; i++) {
        sl_buf_add_byte(&text, 'x');
    }
    sl_buf_add_c(&text, "\"}");
    large = tree_of(sl_buf_text(&text));
    for (size_t i = 0; i < SL_DEVICE_MAX_GET_PATHS; i++) {
        paths[i] = path;
    }
    request.n_path = SL_DEVICE_MAX_GET_PATHS;
    request.path = paths;
    status = sl_device_answer_get(large, &request, 7, &out);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_true(out.len < SL_DEVICE_MAX_ANSWER_BYTES + 2000000);
    sl_buf_fini(&text);
    sl_buf_fini(&out);
    sl_device_tree_release(large);
    gnmi__path__free_unpacked(path, NULL);
}

static void results_come_in_the_order_of_the_operations(void **state)
{
    Gnmi__SetRequest request = GNMI__SET_REQUEST__INIT;
    struct written written;
    struct sl_buf out = {.data = NULL};
    struct sl_status status;
    Gnmi__SetResponse *response;

    (void)state;
    write_json(&written, "/a", "1");
    request.n_delete_ = 1;
    request.delete_ = &written.path;
    request.n_update = 1;
    request.update = &written.pointer;
    request.n_replace = 1;
    request.replace = &written.pointer;
    status = sl_device_answer_set(&request, 9, &out);
    assert_true(sl_status_is_ok(&status));
    response = gnmi__set_response__unpack(NULL, out.len, (uint8_t *)out.data);
    assert_non_null(response);
    assert_int_equal(response->timestamp, 9);
    assert_int_equal(response->n_response, 3);
    assert_int_equal(response->response[0]->op, GNMI__UPDATE_RESULT__OPERATION__DELETE);
    assert_int_equal(response->response[1]->op, GNMI__UPDATE_RESULT__OPERATION__REPLACE);
    assert_int_equal(response->response[2]->op, GNMI__UPDATE_RESULT__OPERATION__UPDATE);
    assert_string_equal(response->response[2]->path->elem[0]->name, "a");
    gnmi__set_response__free_unpacked(response, NULL);
    sl_buf_fini(&out);
    forget(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_match_of_a_wildcard_is_an_update),
        cmocka_unit_test(leaves_come_one_by_one_in_the_other_encodings),
        cmocka_unit_test(a_type_selects_leaves_and_always_the_keys),
        cmocka_unit_test(a_depth_ends_below_the_path),
        cmocka_unit_test(target_and_origin_come_back_in_the_prefix),
        cmocka_unit_test(what_is_not_there_or_not_known_is_refused),
        cmocka_unit_test(an_answer_has_a_limit),
        cmocka_unit_test(results_come_in_the_order_of_the_operations),
    };

    return cmocka_run_group_tests(tests, make_tree, release_tree);
}
