/* Every allocation of making a request fails once: no request, an error that says so, and nothing
 * left over. */
#include "gnmi/ask.h"

#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "test.h"

static const struct sl_gnmi_extension extensions[] = {
    {.kind = SL_GNMI_ARBITRATION, .of.arbitration = {.role = "r", .high = 1}},
    {.kind = SL_GNMI_COMMIT, .of.commit = {.id = "c", .rollback_ns = 5}},
};

static Gnmi__GetRequest *make_get(struct sl_status *why)
{
    static const char *const paths[] = {"/a[k=v]", "/b", NULL};
    static const struct sl_gnmi_model model = {"m", "o", "v"};
    const struct sl_gnmi_get get = {
        .paths = paths,
        .prefix = "/p",
        .target = "t",
        .models = &model,
        .model_count = 1,
        .extensions = extensions,
        .extension_count = SL_ARRAY_LEN(extensions),
    };

    return sl_gnmi_get_new(&get, why);
}

static Gnmi__SetRequest *make_set(struct sl_status *why)
{
    static const struct sl_gnmi_write writes[] = {
        {SL_GNMI_DELETE, "/d", {.kind = SL_GNMI_VALUE_NONE}},
        {SL_GNMI_REPLACE, "/r", {.kind = SL_GNMI_VALUE_JSON, .of.bytes = {"{}", 2}}},
        {SL_GNMI_UPDATE_PATH, "/u", {.kind = SL_GNMI_VALUE_STRING, .of.bytes = {"x", 1}}},
        {SL_GNMI_UNION, "/n", {.kind = SL_GNMI_VALUE_DECIMAL, .of.decimal = {15, 1}}},
    };
    const struct sl_gnmi_set set = {
        .writes = writes,
        .write_count = SL_ARRAY_LEN(writes),
        .target = "t",
        .extensions = extensions,
        .extension_count = SL_ARRAY_LEN(extensions),
    };

    return sl_gnmi_set_new(&set, why);
}

static void expect_no_memory(const struct sl_status *why)
{
    assert_true(has_failed);
    assert_int_equal(why->code, SL_RESOURCE_EXHAUSTED);
}

static void each_allocation_of_a_get_may_fail(void **state)
{
    Gnmi__GetRequest *request = NULL;
    long runs = 0;

    (void)state;
    while (!request) {
        struct sl_status why = sl_status_ok();

        has_failed = false;
        left = runs++;
        request = make_get(&why);
        left = -1;
        if (!request) {
            expect_no_memory(&why);
        }
    }
    assert_true(runs > 20);
    assert_false(has_failed);
    gnmi__get_request__free_unpacked(request, NULL);
}

static void each_allocation_of_a_set_may_fail(void **state)
{
    Gnmi__SetRequest *request = NULL;
    long runs = 0;

    (void)state;
    while (!request) {
        struct sl_status why = sl_status_ok();

        has_failed = false;
        left = runs++;
        request = make_set(&why);
        left = -1;
        if (!request) {
            expect_no_memory(&why);
        }
    }
    assert_true(runs > 20);
    assert_false(has_failed);
    gnmi__set_request__free_unpacked(request, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_a_get_may_fail),
        cmocka_unit_test(each_allocation_of_a_set_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
