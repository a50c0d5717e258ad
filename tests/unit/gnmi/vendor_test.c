/* Vendors: which one Capabilities show, and what becomes of a request for each. */
#include "gnmi/vendor.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"
#include "test.h"

/* protobuf-c takes strings that it will not write to without const. */
static char *borrowed(const char *text)
{
    union {
        const char *given;
        char *taken;
    } pointer = {.given = text};

    return pointer.taken;
}

/* ---- Capabilities ---- */

struct told {
    const char *model;
    const char *organization;
    const char *version;
};

static struct sl_gnmi_capabilities read_back(const struct told *told, size_t count,
                                             Gnmi__Encoding *encodings, size_t encoding_count)
{
    Gnmi__CapabilityResponse response = GNMI__CAPABILITY_RESPONSE__INIT;
    Gnmi__ModelData models[4];
    Gnmi__ModelData *pointers[4];
    struct sl_gnmi_capabilities capabilities;
    uint8_t bytes[1024];

    for (size_t i = 0; i < count; i++) {
        gnmi__model_data__init(&models[i]);
        models[i].name = borrowed(told[i].model);
        models[i].organization = borrowed(told[i].organization);
        models[i].version = borrowed(told[i].version);
        pointers[i] = &models[i];
    }
    response.n_supported_models = count;
    response.supported_models = pointers;
    response.n_supported_encodings = encoding_count;
    response.supported_encodings = encodings;
    response.gnmi_version = borrowed("0.8.0\n");
    size_t size = gnmi__capability_response__pack(&response, bytes);

    assert_true(size <= sizeof(bytes));
    sl_gnmi_capabilities_read((struct sl_str){(char *)bytes, size}, &capabilities);
    return capabilities;
}

static void models_tell_the_vendor(void **state)
{
    static const struct {
        struct told told;
        const char *vendor;
    } rows[] = {
        {{"arista-exp-eos", "Arista Networks, Inc.", ""}, "arista-eos"},
        {{"Cisco-IOS-XR-ifmgr-oper", "Cisco Systems, Inc.", "2015-07-30"}, "cisco-ios-xr"},
        {{"Cisco-IOS-XE-native", "Cisco Systems, Inc.", ""}, "cisco-ios-xe"},
        {{"Cisco-NX-OS-device", "Cisco Systems, Inc.", "2022-04-01"}, "cisco-nx-os"},
        {{"junos-conf-root", "Juniper Networks, Inc.", ""}, "juniper"},
        {{"urn:srl/general:srl_nokia-aaa", "Nokia", ""}, "nokia-srl"},
        {{"srl_nokia-interfaces", "Nokia", ""}, "nokia-srl"},
        {{"nokia-conf", "Nokia", "16.0.R1"}, "nokia-sros"},
        {{"sonic-db", "SONiC", "0.1.0"}, "sonic"},
        {{"huawei-ifm", "Huawei Technologies Co., Ltd.", ""}, "huawei"},
        {{"ciena-waveserver", "Ciena", ""}, "generic"},
    };
    const struct told open = {"openconfig-interfaces", "OpenConfig working group", "3.0.0"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        const struct told told[] = {open, rows[i].told};
        struct sl_gnmi_capabilities read = read_back(told, 2, NULL, 0);

        assert_string_equal(read.vendor->name, rows[i].vendor);
        assert_int_equal(read.models, 2);
        assert_int_equal(read.encodings, 0);
        assert_string_equal(read.version, "0.8.0?");
    }
}

static void the_vendor_of_most_models_counts(void **state)
{
    const struct told told[] = {
        {"nokia-conf", "Nokia", ""}, {"huawei-ifm", "Huawei", ""}, {"huawei-bgp", "Huawei", ""}};

    (void)state;
    assert_string_equal(read_back(told, 2, NULL, 0).vendor->name, "nokia-sros");
    assert_string_equal(read_back(told, 3, NULL, 0).vendor->name, "huawei");
}

static void encodings_are_a_set_packed_or_not(void **state)
{
    static const char loose[] = "\x10\x02\x10\x04\x10\x63\x12\x02\x00\x02";
    Gnmi__Encoding packed[] = {GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF};
    struct sl_gnmi_capabilities read = read_back(NULL, 0, packed, 2);

    (void)state;
    assert_int_equal(read.encodings, 1 << SL_GNMI_JSON | 1 << SL_GNMI_JSON_IETF);
    sl_gnmi_capabilities_read(SL_STR("\x11\x02\x02\x02\x02\x02\x02\x02\x02"), &read);
    assert_int_equal(read.encodings, 0); /* of another wire type: an unknown field */
    sl_gnmi_capabilities_read(SL_STR(loose), &read);
    assert_int_equal(read.encodings,
                     1 << SL_GNMI_PROTO | 1 << SL_GNMI_JSON_IETF | 1 << SL_GNMI_JSON);
}

static void a_dated_model_tells_of_target_defined(void **state)
{
    const struct told old = {"Cisco-NX-OS-device", "", "2020-07-20"};
    const struct told new = {"Cisco-NX-OS-device", "", "2021-12-01"};
    const struct told undated = {"Cisco-NX-OS-device", "", "1.0"};

    (void)state;
    assert_true(read_back(&old, 1, NULL, 0).lacks_target_defined);
    assert_false(read_back(&new, 1, NULL, 0).lacks_target_defined);
    assert_false(read_back(&undated, 1, NULL, 0).lacks_target_defined);
}

static void bytes_that_are_no_capabilities_say_nothing(void **state)
{
    static const char bytes[] = "\x0a\xff\x01\x1a\x7f\xff";
    struct sl_gnmi_capabilities read;

    (void)state;
    for (size_t len = 0; len < sizeof(bytes); len++) {
        sl_gnmi_capabilities_read((struct sl_str){bytes, len}, &read);
        assert_ptr_equal(read.vendor, sl_gnmi_vendor_generic());
    }
}

static void vendors_have_names_and_work_too(void **state)
{
    (void)state;
    for (const struct sl_gnmi_vendor *vendor = sl_gnmi_vendors; vendor->name; vendor++) {
        assert_ptr_equal(sl_gnmi_vendor_find(sl_str_from(vendor->name)), vendor);
        assert_true(vendor->encoding_count > 0);
    }
    assert_null(sl_gnmi_vendor_find(SL_STR("acme")));
    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        assert_non_null(sl_gnmi_workaround_name((enum sl_gnmi_workaround)i));
    }
}

static void a_wrapped_status_means_what_is_in_it(void **state)
{
    struct sl_status wrapped =
        sl_status_error(SL_INVALID_ARGUMENT, "rpc error: code = ResourceExhausted desc = x");
    struct sl_status plain = sl_status_error(SL_INVALID_ARGUMENT, "no such path");
    struct sl_status same = wrapped;

    (void)state;
    sl_gnmi_unwrap_status(0, &same);
    assert_int_equal(same.code, SL_INVALID_ARGUMENT);
    sl_gnmi_unwrap_status(SL_GNMI_WORK(UNWRAPS_STATUS), &wrapped);
    assert_int_equal(wrapped.code, SL_RESOURCE_EXHAUSTED);
    sl_gnmi_unwrap_status(SL_GNMI_WORK(UNWRAPS_STATUS), &plain);
    assert_int_equal(plain.code, SL_INVALID_ARGUMENT);
}

/* ---- encodings ---- */

static void the_encoding_is_one_that_both_have(void **state)
{
    static const struct {
        const char *vendor;
        uint32_t device;
        int asked;
        int chosen;
    } rows[] = {
        {"generic", 0, SL_GNMI_AUTO_ENCODING, SL_GNMI_PROTO},
        {"generic", 0, SL_GNMI_ASCII, SL_GNMI_ASCII},
        {"generic", 1 << SL_GNMI_JSON | 1 << SL_GNMI_JSON_IETF, SL_GNMI_AUTO_ENCODING,
         SL_GNMI_JSON_IETF},
        {"generic", 1 << SL_GNMI_JSON, SL_GNMI_PROTO, SL_GNMI_JSON},
        {"cisco-ios-xr", 1 << SL_GNMI_JSON | 1 << SL_GNMI_JSON_IETF | 1 << SL_GNMI_PROTO,
         SL_GNMI_JSON, SL_GNMI_PROTO},
        {"cisco-ios-xr", 0, SL_GNMI_JSON_IETF, SL_GNMI_JSON_IETF},
        {"juniper", 1 << SL_GNMI_JSON | 1 << SL_GNMI_PROTO, SL_GNMI_JSON, SL_GNMI_PROTO},
        {"juniper", 1 << SL_GNMI_ASCII, SL_GNMI_PROTO, SL_GNMI_ASCII},
        {"cisco-ios-xe", 1 << SL_GNMI_JSON | 1 << SL_GNMI_JSON_IETF, SL_GNMI_PROTO,
         SL_GNMI_JSON_IETF},
        {"nokia-sros", 0, SL_GNMI_AUTO_ENCODING, SL_GNMI_JSON},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_gnmi_profile profile =
            sl_gnmi_profile_of(sl_gnmi_vendor_find(sl_str_from(rows[i].vendor)));

        profile.encodings = rows[i].device;
        assert_int_equal(sl_gnmi_profile_encoding(&profile, rows[i].asked), rows[i].chosen);
    }
}

/* ---- requests ---- */

static const char *const two_paths[] = {"/interfaces/interface/state", "/system/state", NULL};

static struct sl_gnmi_subscribe asking(const struct sl_gnmi_asked *asked)
{
    return (struct sl_gnmi_subscribe){
        .asked = asked, .asked_count = 1, .encoding = SL_GNMI_AUTO_ENCODING};
}

/* What goes out, to be freed; `in_force` is what was done for it. */
static Gnmi__SubscribeRequest *shaped(const struct sl_gnmi_subscribe *subscribe,
                                      const struct sl_gnmi_profile *profile, uint32_t *in_force)
{
    struct sl_buf bytes = {.data = NULL};
    struct sl_status status;
    Gnmi__SubscribeRequest *request;

    *in_force = 0;
    status = sl_gnmi_subscribe_pack_for(subscribe, profile, &bytes, in_force);
    assert_true(sl_status_is_ok(&status));
    request = gnmi__subscribe_request__unpack(NULL, bytes.len, (uint8_t *)bytes.data);
    assert_non_null(request);
    sl_buf_fini(&bytes);
    return request;
}

static struct sl_gnmi_profile profile_named(const char *name)
{
    return sl_gnmi_profile_of(sl_gnmi_vendor_find(sl_str_from(name)));
}

static void forget(Gnmi__SubscribeRequest *request)
{
    gnmi__subscribe_request__free_unpacked(request, NULL);
}

static void a_generic_device_gets_what_was_said(void **state)
{
    const struct sl_gnmi_asked asked = {.paths = two_paths, .mode = SL_GNMI_TARGET_DEFINED};
    struct sl_gnmi_subscribe subscribe = asking(&asked);
    struct sl_gnmi_profile profile = profile_named("generic");
    struct sl_buf plain = {.data = NULL};
    struct sl_buf same = {.data = NULL};
    uint32_t in_force = 0;

    (void)state;
    struct sl_status one = sl_gnmi_subscribe_pack(&subscribe, &plain);
    struct sl_status two = sl_gnmi_subscribe_pack_for(&subscribe, &profile, &same, &in_force);

    assert_true(sl_status_is_ok(&one) && sl_status_is_ok(&two));
    assert_true(sl_str_eq(sl_buf_str(&plain), sl_buf_str(&same)));
    assert_int_equal(in_force, 0);
    sl_buf_fini(&plain);
    sl_buf_fini(&same);
}

static void huawei_gets_neither_origin_nor_an_empty_prefix(void **state)
{
    static const char *const paths[] = {"huawei-ifm:/ifm/interfaces", "openconfig:/a/b",
                                        "/huawei-bgp:bgp", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths, .mode = SL_GNMI_ON_CHANGE};
    struct sl_gnmi_subscribe subscribe = asking(&asked);
    struct sl_gnmi_profile profile = profile_named("huawei");
    uint32_t in_force;

    (void)state;
    subscribe.prefix = "/";
    Gnmi__SubscribeRequest *request = shaped(&subscribe, &profile, &in_force);
    const Gnmi__SubscriptionList *list = request->subscribe;

    assert_null(list->prefix);
    for (size_t i = 0; i < list->n_subscription; i++) {
        assert_string_equal(list->subscription[i]->path->origin, "");
    }
    assert_string_equal(list->subscription[0]->path->elem[0]->name, "huawei-ifm:ifm");
    assert_string_equal(list->subscription[1]->path->elem[0]->name, "a");
    assert_string_equal(list->subscription[2]->path->elem[0]->name, "huawei-bgp:bgp");
    assert_int_equal(in_force, SL_GNMI_WORK(NO_EMPTY_PREFIX) | SL_GNMI_WORK(ORIGIN_AS_MODULE));
    forget(request);
}

static void an_origin_in_the_prefix_moves_too(void **state)
{
    static const char *const paths[] = {"/ifm/interfaces", "/x", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths, .mode = SL_GNMI_ON_CHANGE};
    struct sl_gnmi_subscribe subscribe = asking(&asked);
    struct sl_gnmi_profile profile = profile_named("huawei");
    uint32_t in_force;

    (void)state;
    subscribe.prefix = "huawei-ifm:/";
    Gnmi__SubscribeRequest *request = shaped(&subscribe, &profile, &in_force);

    assert_null(request->subscribe->prefix);
    assert_string_equal(request->subscribe->subscription[0]->path->elem[0]->name, "huawei-ifm:ifm");
    assert_string_equal(request->subscribe->subscription[1]->path->elem[0]->name, "huawei-ifm:x");
    forget(request);
    subscribe.prefix = "huawei-ifm:/top";
    subscribe.target = "r1";
    request = shaped(&subscribe, &profile, &in_force);
    assert_string_equal(request->subscribe->prefix->elem[0]->name, "huawei-ifm:top");
    assert_string_equal(request->subscribe->prefix->target, "r1");
    assert_string_equal(request->subscribe->subscription[0]->path->elem[0]->name, "ifm");
    forget(request);
}

static void sonic_always_gets_a_prefix(void **state)
{
    const struct sl_gnmi_asked asked = {.paths = two_paths, .mode = SL_GNMI_ON_CHANGE};
    struct sl_gnmi_subscribe subscribe = asking(&asked);
    struct sl_gnmi_profile profile = profile_named("sonic");
    uint32_t in_force;

    (void)state;
    Gnmi__SubscribeRequest *request = shaped(&subscribe, &profile, &in_force);

    assert_non_null(request->subscribe->prefix);
    assert_int_equal(request->subscribe->encoding, GNMI__ENCODING__JSON_IETF);
    assert_int_equal(in_force, SL_GNMI_WORK(ALWAYS_PREFIX));
    forget(request);
    subscribe.target = "COUNTERS_DB";
    request = shaped(&subscribe, &profile, &in_force);
    assert_string_equal(request->subscribe->prefix->target, "COUNTERS_DB");
    assert_int_equal(in_force, 0);
    forget(request);
}

static void nx_os_has_intervals_and_no_models(void **state)
{
    const struct sl_gnmi_model models[] = {{"openconfig-interfaces", "", ""}};
    struct sl_gnmi_asked asked[] = {
        {.paths = two_paths, .mode = SL_GNMI_SAMPLE, .sample_interval_ns = SL_NS_PER_MS},
        {.paths = two_paths,
         .mode = SL_GNMI_SAMPLE,
         .sample_interval_ns = UINT64_C(700000) * SL_NS_PER_S},
        {.paths = two_paths, .mode = SL_GNMI_SAMPLE},
        {.paths = two_paths, .mode = SL_GNMI_TARGET_DEFINED},
    };
    struct sl_gnmi_subscribe subscribe = asking(asked);
    struct sl_gnmi_profile profile = profile_named("cisco-nx-os");
    uint32_t in_force;

    (void)state;
    subscribe.asked_count = SL_ARRAY_LEN(asked);
    subscribe.models = models;
    subscribe.model_count = 1;
    profile.lacks_target_defined = true;
    Gnmi__SubscribeRequest *request = shaped(&subscribe, &profile, &in_force);
    const Gnmi__SubscriptionList *list = request->subscribe;

    assert_int_equal(list->n_use_models, 0);
    assert_int_equal(list->subscription[0]->sample_interval, SL_NS_PER_S);
    assert_int_equal(list->subscription[2]->sample_interval, INT64_C(604800) * SL_NS_PER_S);
    assert_int_equal(list->subscription[4]->sample_interval, 0);
    assert_int_equal(list->subscription[6]->mode, GNMI__SUBSCRIPTION_MODE__SAMPLE);
    assert_int_equal(list->subscription[6]->sample_interval, 10 * SL_NS_PER_S);
    assert_int_equal(in_force, SL_GNMI_WORK(NO_MODELS) | SL_GNMI_WORK(LONGER_INTERVAL) |
                                   SL_GNMI_WORK(SHORTER_INTERVAL) | SL_GNMI_WORK(SAMPLED_INSTEAD));
    forget(request);
}

static void sr_os_gets_each_path_once(void **state)
{
    static const char *const paths[] = {"/b", "/a[x=1]", "/b", "/a[x=2]", "/b", "/", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths, .mode = SL_GNMI_ON_CHANGE};
    struct sl_gnmi_subscribe subscribe = asking(&asked);
    struct sl_gnmi_profile profile = profile_named("nokia-sros");
    uint32_t in_force;

    (void)state;
    Gnmi__SubscribeRequest *request = shaped(&subscribe, &profile, &in_force);

    assert_int_equal(request->subscribe->n_subscription, 4);
    assert_string_equal(request->subscribe->subscription[0]->path->elem[0]->name, "b");
    assert_string_equal(request->subscribe->subscription[2]->path->elem[0]->key[0]->value, "2");
    assert_int_equal(in_force, SL_GNMI_WORK(PATHS_ONCE));
    forget(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_tell_the_vendor),
        cmocka_unit_test(the_vendor_of_most_models_counts),
        cmocka_unit_test(encodings_are_a_set_packed_or_not),
        cmocka_unit_test(a_dated_model_tells_of_target_defined),
        cmocka_unit_test(bytes_that_are_no_capabilities_say_nothing),
        cmocka_unit_test(vendors_have_names_and_work_too),
        cmocka_unit_test(a_wrapped_status_means_what_is_in_it),
        cmocka_unit_test(the_encoding_is_one_that_both_have),
        cmocka_unit_test(a_generic_device_gets_what_was_said),
        cmocka_unit_test(huawei_gets_neither_origin_nor_an_empty_prefix),
        cmocka_unit_test(an_origin_in_the_prefix_moves_too),
        cmocka_unit_test(sonic_always_gets_a_prefix),
        cmocka_unit_test(nx_os_has_intervals_and_no_models),
        cmocka_unit_test(sr_os_gets_each_path_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
