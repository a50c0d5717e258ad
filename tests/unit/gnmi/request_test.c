/* The SubscribeRequest that goes to a device. */
#include "gnmi.pb-c.h"

#include "gnmi/request.h"
#include "test.h"

static Gnmi__SubscribeRequest *pack(const struct sl_gnmi_subscribe *subscribe)
{
    struct sl_buf out = {0};
    struct sl_status status;

    sl_buf_add_c(&out, "head"); /* the request goes behind what is there */
    status = sl_gnmi_subscribe_pack(subscribe, &out);
    assert_true(sl_status_is_ok(&status));
    Gnmi__SubscribeRequest *request =
        gnmi__subscribe_request__unpack(NULL, out.len - 4, (const uint8_t *)out.data + 4);

    assert_non_null(request);
    assert_int_equal(request->request_case, GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE);
    assert_int_equal(request->subscribe->mode, GNMI__SUBSCRIPTION_LIST__MODE__STREAM);
    sl_buf_fini(&out);
    return request;
}

static void every_path_becomes_a_subscription(void **state)
{
    const char *const paths[] = {"/a[k=v]/b", "origin:/c", NULL};
    struct sl_gnmi_subscribe subscribe = {
        .paths = paths,
        .mode = SL_GNMI_SAMPLE,
        .encoding = SL_GNMI_PROTO,
        .sample_interval_ns = 10000000000,
    };
    Gnmi__SubscribeRequest *request = pack(&subscribe);
    const Gnmi__SubscriptionList *list = request->subscribe;

    (void)state;
    assert_null(list->prefix);
    assert_int_equal(list->encoding, GNMI__ENCODING__PROTO);
    assert_int_equal(list->n_subscription, 2);
    assert_int_equal(list->subscription[0]->mode, GNMI__SUBSCRIPTION_MODE__SAMPLE);
    assert_int_equal(list->subscription[0]->sample_interval, 10000000000);
    assert_string_equal(list->subscription[0]->path->elem[0]->key[0]->value, "v");
    assert_string_equal(list->subscription[1]->path->origin, "origin");
    assert_string_equal(list->subscription[1]->path->elem[0]->name, "c");
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void an_interval_is_sent_with_samples_only(void **state)
{
    const char *const paths[] = {"/", NULL};
    struct sl_gnmi_subscribe subscribe = {
        .paths = paths,
        .mode = SL_GNMI_ON_CHANGE,
        .sample_interval_ns = 5,
    };
    Gnmi__SubscribeRequest *request = pack(&subscribe);

    (void)state;
    assert_int_equal(request->subscribe->subscription[0]->mode, GNMI__SUBSCRIPTION_MODE__ON_CHANGE);
    assert_int_equal(request->subscribe->subscription[0]->sample_interval, 0);
    assert_int_equal(request->subscribe->subscription[0]->path->n_elem, 0);
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void a_prefix_is_sent_where_it_or_a_target_is_given(void **state)
{
    const char *const paths[] = {"/a", NULL};
    struct sl_gnmi_subscribe subscribe = {.paths = paths, .target = "leaf1"};
    Gnmi__SubscribeRequest *request = pack(&subscribe);

    (void)state;
    assert_string_equal(request->subscribe->prefix->target, "leaf1");
    assert_int_equal(request->subscribe->prefix->n_elem, 0);
    gnmi__subscribe_request__free_unpacked(request, NULL);
    subscribe.target = NULL;
    subscribe.prefix = "oc:/p";
    request = pack(&subscribe);
    assert_string_equal(request->subscribe->prefix->target, "");
    assert_string_equal(request->subscribe->prefix->origin, "oc");
    assert_string_equal(request->subscribe->prefix->elem[0]->name, "p");
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void a_broken_path_is_refused_and_nothing_appended(void **state)
{
    const char *const paths[] = {"/a", "/b[", NULL};
    struct sl_gnmi_subscribe subscribe = {.paths = paths};
    struct sl_buf out = {0};
    struct sl_status status = sl_gnmi_subscribe_pack(&subscribe, &out);

    (void)state;
    assert_int_equal(status.code, SL_INVALID_ARGUMENT);
    assert_int_equal(out.len, 0);
    sl_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_becomes_a_subscription),
        cmocka_unit_test(an_interval_is_sent_with_samples_only),
        cmocka_unit_test(a_prefix_is_sent_where_it_or_a_target_is_given),
        cmocka_unit_test(a_broken_path_is_refused_and_nothing_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
