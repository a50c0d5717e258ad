/* The SubscribeRequest that goes to a device. */
#include "gnmi.pb-c.h"

#include "gnmi/extension.h"
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
    assert_int_equal(request->subscribe->mode, subscribe->mode);
    sl_buf_fini(&out);
    return request;
}

static void every_path_becomes_a_subscription(void **state)
{
    const char *const paths[] = {"/a[k=v]/b", "origin:/c", NULL};
    const struct sl_gnmi_asked asked = {
        .paths = paths, .mode = SL_GNMI_SAMPLE, .sample_interval_ns = 10000000000};
    struct sl_gnmi_subscribe subscribe = {
        .asked = &asked, .asked_count = 1, .encoding = SL_GNMI_PROTO};
    Gnmi__SubscribeRequest *request = pack(&subscribe);
    const Gnmi__SubscriptionList *list = request->subscribe;

    (void)state;
    assert_null(list->prefix);
    assert_null(list->qos);
    assert_false(list->updates_only);
    assert_int_equal(list->n_use_models, 0);
    assert_int_equal(list->encoding, GNMI__ENCODING__PROTO);
    assert_int_equal(list->n_subscription, 2);
    assert_int_equal(list->subscription[0]->mode, GNMI__SUBSCRIPTION_MODE__SAMPLE);
    assert_int_equal(list->subscription[0]->sample_interval, 10000000000);
    assert_string_equal(list->subscription[0]->path->elem[0]->key[0]->value, "v");
    assert_string_equal(list->subscription[1]->path->origin, "origin");
    assert_string_equal(list->subscription[1]->path->elem[0]->name, "c");
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void the_mode_and_the_extensions_are_sent(void **state)
{
    const char *const paths[] = {"/", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths};
    const struct sl_gnmi_extension extensions[] = {{.kind = SL_GNMI_SNAPSHOT, .of.snapshot_ns = 5},
                                                   {.kind = SL_GNMI_DEPTH, .of.depth = 1}};
    const struct sl_gnmi_subscribe subscribe = {.asked = &asked,
                                                .asked_count = 1,
                                                .mode = SL_GNMI_ONCE,
                                                .extensions = extensions,
                                                .extension_count = 2};
    Gnmi__SubscribeRequest *request = pack(&subscribe);

    (void)state;
    assert_int_equal(request->subscribe->mode, GNMI__SUBSCRIPTION_LIST__MODE__ONCE);
    assert_int_equal(request->n_extension, 2);
    assert_int_equal(request->extension[0]->history->snapshot_time, 5);
    assert_int_equal(request->extension[1]->depth->level, 1);
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void a_poll_is_a_request(void **state)
{
    struct sl_str poll = sl_gnmi_poll();
    Gnmi__SubscribeRequest *request =
        gnmi__subscribe_request__unpack(NULL, poll.len, (const uint8_t *)poll.data);

    (void)state;
    assert_non_null(request);
    assert_int_equal(request->request_case, GNMI__SUBSCRIBE_REQUEST__REQUEST_POLL);
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void several_ways_of_asking_are_one_list(void **state)
{
    const char *const counters[] = {"/a", "/b", NULL};
    const char *const states[] = {"/c", NULL};
    const char *const others[] = {"/d", NULL};
    const struct sl_gnmi_asked asked[] = {
        {.paths = counters,
         .mode = SL_GNMI_SAMPLE,
         .sample_interval_ns = 7,
         .heartbeat_interval_ns = UINT64_MAX,
         .suppress_redundant = true},
        {.paths = states, .mode = SL_GNMI_ON_CHANGE, .heartbeat_interval_ns = 9},
        {.paths = others},
    };
    const struct sl_gnmi_subscribe subscribe = {.asked = asked, .asked_count = 3};
    Gnmi__SubscribeRequest *request = pack(&subscribe);
    Gnmi__Subscription *const *found = request->subscribe->subscription;

    (void)state;
    assert_int_equal(request->subscribe->n_subscription, 4);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(found[i]->path->elem[0]->name, counters[i] + 1);
        assert_int_equal(found[i]->mode, GNMI__SUBSCRIPTION_MODE__SAMPLE);
        assert_int_equal(found[i]->sample_interval, 7);
        assert_true(found[i]->suppress_redundant);
        assert_true(found[i]->heartbeat_interval == UINT64_MAX);
    }
    assert_int_equal(found[2]->mode, GNMI__SUBSCRIPTION_MODE__ON_CHANGE);
    assert_int_equal(found[2]->heartbeat_interval, 9);
    assert_false(found[2]->suppress_redundant);
    assert_int_equal(found[3]->mode, GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED);
    assert_int_equal(found[3]->heartbeat_interval, 0);
    assert_string_equal(found[3]->path->elem[0]->name, "d");
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void what_the_list_says_is_packed(void **state)
{
    static const enum sl_gnmi_encoding encodings[] = {SL_GNMI_JSON, SL_GNMI_BYTES, SL_GNMI_PROTO,
                                                      SL_GNMI_ASCII, SL_GNMI_JSON_IETF};
    static const Gnmi__Encoding expected[] = {GNMI__ENCODING__JSON, GNMI__ENCODING__BYTES,
                                              GNMI__ENCODING__PROTO, GNMI__ENCODING__ASCII,
                                              GNMI__ENCODING__JSON_IETF};
    const struct sl_gnmi_model models[] = {{"openconfig-interfaces", "", ""},
                                           {"vendor", "An Organization", "2.0.0"}};
    const char *const paths[] = {"/", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths};
    struct sl_gnmi_subscribe subscribe = {.asked = &asked,
                                          .asked_count = 1,
                                          .updates_only = true,
                                          .has_qos = true,
                                          .models = models,
                                          .model_count = 2};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(encodings); i++) {
        subscribe.encoding = encodings[i];
        subscribe.qos = (uint32_t)i * 15;
        Gnmi__SubscribeRequest *request = pack(&subscribe);
        const Gnmi__SubscriptionList *list = request->subscribe;
        assert_int_equal(list->encoding, expected[i]);
        assert_true(list->updates_only);
        assert_int_equal(list->qos->marking, i * 15);
        assert_int_equal(list->n_use_models, 2);
        assert_string_equal(list->use_models[0]->name, "openconfig-interfaces");
        assert_string_equal(list->use_models[0]->organization, "");
        assert_string_equal(list->use_models[1]->organization, "An Organization");
        assert_string_equal(list->use_models[1]->version, "2.0.0");
        gnmi__subscribe_request__free_unpacked(request, NULL);
    }
}

static void an_interval_is_sent_with_samples_only(void **state)
{
    const char *const paths[] = {"/", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths,
                                        .mode = SL_GNMI_ON_CHANGE,
                                        .sample_interval_ns = 5,
                                        .suppress_redundant = true};
    const struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1};
    Gnmi__SubscribeRequest *request = pack(&subscribe);

    (void)state;
    assert_int_equal(request->subscribe->subscription[0]->mode, GNMI__SUBSCRIPTION_MODE__ON_CHANGE);
    assert_int_equal(request->subscribe->subscription[0]->sample_interval, 0);
    assert_false(request->subscribe->subscription[0]->suppress_redundant);
    assert_int_equal(request->subscribe->subscription[0]->path->n_elem, 0);
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void a_prefix_is_sent_where_it_or_a_target_is_given(void **state)
{
    const char *const paths[] = {"/a", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths};
    struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1, .target = "leaf1"};
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
    const struct sl_gnmi_asked asked = {.paths = paths};
    const struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1};
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
        cmocka_unit_test(the_mode_and_the_extensions_are_sent),
        cmocka_unit_test(a_poll_is_a_request),
        cmocka_unit_test(several_ways_of_asking_are_one_list),
        cmocka_unit_test(what_the_list_says_is_packed),
        cmocka_unit_test(an_interval_is_sent_with_samples_only),
        cmocka_unit_test(a_prefix_is_sent_where_it_or_a_target_is_given),
        cmocka_unit_test(a_broken_path_is_refused_and_nothing_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
