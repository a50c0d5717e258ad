/* tree_tools.h - trees and requests out of text, for tests. */
#ifndef SLUICE_TESTS_UNIT_DEVICE_TREE_TOOLS_H
#define SLUICE_TESTS_UNIT_DEVICE_TREE_TOOLS_H

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "device/answer.h"
#include "device/store.h"
#include "device/tree_json.h"
#include "gnmi/path.h"

#define TWO_INTERFACES                                                                             \
    "{\"interfaces\":{\"interface\":["                                                             \
    "{\"name\":\"eth0\",\"config\":{\"mtu\":9000},\"state\":{\"mtu\":9000,"                        \
    "\"counters\":{\"in-octets\":18446744073709551615}}},"                                         \
    "{\"name\":\"eth1\",\"config\":{\"mtu\":1500}}]},"                                             \
    "\"system\":{\"config\":{\"hostname\":\"r1\",\"servers\":[\"a\",\"b\"]}}}"

static inline Gnmi__Path *path_of(const char *text)
{
    struct sl_status why = sl_status_ok();
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);

    assert_string_equal(why.text, "");
    assert_non_null(path);
    return path;
}

static inline struct sl_device_tree *tree_of(const char *text)
{
    struct sl_status why;
    struct sl_device_tree *tree = sl_device_json_read(sl_str_from(text), 1, &why);

    assert_string_equal(why.text, "");
    assert_non_null(tree);
    return tree;
}

/* One path, and an update of it. */
struct written {
    Gnmi__Path *path;
    Gnmi__TypedValue value;
    Gnmi__Update update;
    Gnmi__Update *pointer;
    char text[512];
};

static inline void write_json(struct written *written, const char *path, const char *json)
{
    snprintf(written->text, sizeof(written->text), "%s", json);
    written->path = path_of(path);
    gnmi__typed_value__init(&written->value);
    gnmi__update__init(&written->update);
    written->value.value_case = GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL;
    written->value.json_ietf_val.data = (uint8_t *)written->text;
    written->value.json_ietf_val.len = strlen(json);
    written->update.path = written->path;
    written->update.val = &written->value;
    written->pointer = &written->update;
}

static inline void forget(struct written *written)
{
    gnmi__path__free_unpacked(written->path, NULL);
}

/* What Get answers to one path, unpacked; NULL with the status. */
static inline Gnmi__GetResponse *get_with(const struct sl_device_tree *tree,
                                          Gnmi__GetRequest *request, const char *text,
                                          struct sl_status *status)
{
    Gnmi__GetResponse *response = NULL;
    Gnmi__Path *path = path_of(text);
    Gnmi__Path *paths[] = {path};
    struct sl_buf out = {.data = NULL};

    request->n_path = 1;
    request->path = paths;
    *status = sl_device_answer_get(tree, request, 7, &out);
    if (sl_status_is_ok(status)) {
        response = gnmi__get_response__unpack(NULL, out.len, (uint8_t *)out.data);
        assert_non_null(response);
        assert_int_equal(response->n_notification, 1);
    }
    sl_buf_fini(&out);
    gnmi__path__free_unpacked(path, NULL);
    return response;
}

/* The JSON of the first update that Get answers. */
static inline void expect_json(const struct sl_device_tree *tree, const char *text,
                               const char *expected)
{
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    struct sl_status status;
    Gnmi__GetResponse *response;
    const Gnmi__TypedValue *value;

    request.encoding = GNMI__ENCODING__JSON_IETF;
    response = get_with(tree, &request, text, &status);
    assert_string_equal(status.text, "");
    if (!response || response->notification[0]->n_update == 0) {
        fail_msg("%s: nothing", text);
        return;
    }
    value = response->notification[0]->update[0]->val;
    assert_int_equal(value->json_ietf_val.len, strlen(expected));
    assert_memory_equal(value->json_ietf_val.data, expected, strlen(expected));
    gnmi__get_response__free_unpacked(response, NULL);
}

#endif
