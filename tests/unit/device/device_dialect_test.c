/* Vendors' devices: each says of itself who it is, has data, and every allocation on the way of its
 * messages fails once. */
#include "device/dialect.h"

#include <stdlib.h>

#include "device/dress.h"
#include "failing.h"
#include "gnmi/response.h"
#include "gnmi/vendor.h"
#include "tree_tools.h"

static const Gnmi__SubscriptionList asked = GNMI__SUBSCRIPTION_LIST__INIT;

static void each_is_known_by_its_capabilities(void **state)
{
    (void)state;
    for (const struct sl_device_dialect *dialect = sl_device_dialects; dialect->name; dialect++) {
        struct sl_buf out = {.data = NULL};
        struct sl_gnmi_capabilities read;
        struct sl_status status = sl_device_dialect_capabilities(dialect, &out);

        if (dialect->gnmi_version) {
            assert_true(sl_status_is_ok(&status));
            sl_gnmi_capabilities_read(sl_buf_str(&out), &read);
            assert_string_equal(read.vendor->name, dialect->name);
            assert_string_equal(read.version, dialect->gnmi_version);
        } else {
            assert_int_equal(status.code, SL_UNIMPLEMENTED);
        }
        sl_buf_fini(&out);
    }
}

static void each_vendor_has_one(void **state)
{
    (void)state;
    for (const struct sl_gnmi_vendor *vendor = sl_gnmi_vendors; vendor->name; vendor++) {
        const struct sl_device_dialect *dialect = sl_device_dialect_find(vendor->name);

        assert_non_null(dialect);
        sl_device_tree_release(tree_of(dialect->data));
    }
    assert_null(sl_device_dialect_find("acme"));
}

/* What the profile makes of a request is what the device takes. */
static void what_a_profile_asks_for_is_not_refused(void **state)
{
    static const char *const paths[] = {"/a/b", "/a/b", NULL};
    const struct sl_gnmi_asked ways[] = {
        {.paths = paths, .mode = SL_GNMI_SAMPLE, .sample_interval_ns = SL_NS_PER_MS},
        {.paths = paths, .mode = SL_GNMI_TARGET_DEFINED}};
    const struct sl_gnmi_model model = {"m", "", ""};

    (void)state;
    for (const struct sl_device_dialect *dialect = sl_device_dialects; dialect->name; dialect++) {
        bool has_models = true;
        struct sl_gnmi_subscribe subscribe = {.asked = ways,
                                              .asked_count = 2,
                                              .prefix = "/",
                                              .target = "COUNTERS_DB",
                                              .encoding = SL_GNMI_JSON,
                                              .models = &model,
                                              .model_count = has_models};
        struct sl_gnmi_profile profile =
            sl_gnmi_profile_of(sl_gnmi_vendor_find(sl_str_from(dialect->name)));
        struct sl_buf bytes = {.data = NULL};
        uint32_t in_force = 0;

        profile.lacks_target_defined = true;
        struct sl_status status =
            sl_gnmi_subscribe_pack_for(&subscribe, &profile, &bytes, &in_force);

        assert_true(sl_status_is_ok(&status));
        Gnmi__SubscribeRequest *request =
            gnmi__subscribe_request__unpack(NULL, bytes.len, (uint8_t *)bytes.data);

        assert_non_null(request);
        status = sl_device_dialect_check(dialect, request->subscribe, 0, 0);
        assert_string_equal(status.text, "");
        assert_false(dialect->silent_encodings >> request->subscribe->encoding & 1);
        status = sl_device_dialect_check(dialect, request->subscribe, 1, 1);
        assert_false(sl_status_is_ok(&status));
        gnmi__subscribe_request__free_unpacked(request, NULL);
        sl_buf_fini(&bytes);
    }
}

/* ---- messages ---- */

static void add_value(Gnmi__Update *update, uint64_t number)
{
    update->val = malloc(sizeof(*update->val));
    assert_non_null(update->val);
    gnmi__typed_value__init(update->val);
    if (number == 0) {
        update->val->value_case = GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL;
        update->val->double_val = -2.5;
    } else {
        update->val->value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
        update->val->uint_val = number;
    }
}

static Gnmi__Update *update_of(const char *path, uint64_t number)
{
    Gnmi__Update *update = malloc(sizeof(*update));

    assert_non_null(update);
    gnmi__update__init(update);
    update->path = path_of(path);
    add_value(update, number);
    return update;
}

/* Two updates, a delete, and a prefix with an origin. */
static void write_message(struct sl_buf *out)
{
    Gnmi__SubscribeResponse *response = malloc(sizeof(*response));
    Gnmi__Notification *notification = malloc(sizeof(*notification));

    assert_true(response && notification);
    gnmi__subscribe_response__init(response);
    gnmi__notification__init(notification);
    response->response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response->update = notification;
    notification->timestamp = INT64_C(1700000000123456789);
    notification->prefix = path_of("native:/");
    notification->update = calloc(2, sizeof(Gnmi__Update *));
    notification->delete_ = calloc(1, sizeof(Gnmi__Path *));
    assert_true(notification->update && notification->delete_);
    notification->n_update = 2;
    notification->update[0] = update_of("/interfaces/interface[name=a]/state/x", 7);
    notification->update[1] = update_of("/optics/power", 0);
    notification->n_delete_ = 1;
    notification->delete_[0] = path_of("/interfaces/interface[name=b]");
    size_t size = gnmi__subscribe_response__get_packed_size(response);

    assert_true(sl_buf_reserve(out, size));
    out->len = gnmi__subscribe_response__pack(response, (uint8_t *)out->data);
    gnmi__subscribe_response__free_unpacked(response, NULL);
}

/* How many messages came out; each can be read. */
static unsigned drain(struct sl_device_dress *dress)
{
    struct sl_buf scratch = {.data = NULL};
    struct sl_gnmi_response response;
    struct sl_str message;
    unsigned count = 0;

    for (; sl_device_dress_next(dress, &message); sl_device_dress_pop(dress)) {
        struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

        assert_true(sl_status_is_ok(&status));
        count++;
    }
    sl_buf_fini(&scratch);
    return count;
}

static void every_dress_fits_and_each_allocation_of_it_may_fail(void **state)
{
    struct sl_buf message = {.data = NULL};

    (void)state;
    write_message(&message);
    for (const struct sl_device_dialect *dialect = sl_device_dialects; dialect->name; dialect++) {
        bool is_dressed = false;

        for (long run = 0; !is_dressed; run++) {
            struct sl_device_dress dress = {.dialect = dialect, .list = &asked, .lose_every = 2};

            has_failed = false;
            left = run;
            is_dressed = sl_device_dress_add(&dress, sl_buf_str(&message));
            left = -1;
            assert_int_equal(is_dressed, !has_failed);
            if (is_dressed) {
                assert_true(drain(&dress) >= 1);
            }
            sl_device_dress_fini(&dress);
        }
    }
    sl_buf_fini(&message);
}

static void numbers_are_left_out_on_demand(void **state)
{
    struct sl_device_dress dress = {
        .dialect = sl_device_dialect_find("juniper"), .list = &asked, .lose_every = 3};
    struct sl_buf message = {.data = NULL};

    (void)state;
    write_message(&message);
    for (int i = 0; i < 3; i++) {
        assert_true(sl_device_dress_add(&dress, sl_buf_str(&message)));
        assert_int_equal(drain(&dress), 2);
    }
    assert_int_equal(dress.sequence, 8); /* 1 2 4 5 7 8: two are missing */
    sl_device_dress_fini(&dress);
    sl_buf_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_known_by_its_capabilities),
        cmocka_unit_test(each_vendor_has_one),
        cmocka_unit_test(what_a_profile_asks_for_is_not_refused),
        cmocka_unit_test(every_dress_fits_and_each_allocation_of_it_may_fail),
        cmocka_unit_test(numbers_are_left_out_on_demand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
