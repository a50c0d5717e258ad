#include "test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "device/subscription.h"

enum {
    INTERFACES = 3,
    COUNTERS = INTERFACES * SL_DEVICE_COUNTERS,
    LEAVES = COUNTERS + INTERFACES * SL_DEVICE_STATES,
    MAX_ELEMS = 8,
    MOST_ASKED = 4,
};

struct elem {
    char name[24];
    char value[24]; /* of the key `name`; "" : no key */
};

/* A request with one subscription (or copies of it), in memory that the test may change before it
 * is packed. */
struct asked {
    Gnmi__SubscribeRequest request;
    Gnmi__SubscriptionList list;
    Gnmi__Subscription subscription;
    Gnmi__Subscription more[MOST_ASKED - 1];
    Gnmi__Subscription *subscriptions[MOST_ASKED];
    Gnmi__QOSMarking qos;
    Gnmi__ModelData model;
    Gnmi__ModelData *models[1];
    char text[64];
    Gnmi__Path prefix;
    Gnmi__Path path;
    struct elem texts[MAX_ELEMS];
    char key_name[8];
    char origin[16];
    char target[16];
    Gnmi__PathElem elems[MAX_ELEMS];
    Gnmi__PathElem *elem_pointers[MAX_ELEMS];
    Gnmi__PathElem__KeyEntry keys[MAX_ELEMS];
    Gnmi__PathElem__KeyEntry *key_pointers[MAX_ELEMS];
};

static void ask(struct asked *asked, const struct elem *elems, size_t count)
{
    memset(asked, 0, sizeof(*asked));
    gnmi__subscribe_request__init(&asked->request);
    gnmi__subscription_list__init(&asked->list);
    gnmi__subscription__init(&asked->subscription);
    gnmi__path__init(&asked->prefix);
    gnmi__path__init(&asked->path);
    strcpy(asked->key_name, "name");
    for (size_t i = 0; i < count; i++) {
        asked->texts[i] = elems[i];
        gnmi__path_elem__init(&asked->elems[i]);
        gnmi__path_elem__key_entry__init(&asked->keys[i]);
        asked->elems[i].name = asked->texts[i].name;
        asked->keys[i].key = asked->key_name;
        asked->keys[i].value = asked->texts[i].value;
        asked->key_pointers[i] = &asked->keys[i];
        asked->elems[i].n_key = asked->texts[i].value[0] != '\0';
        asked->elems[i].key = &asked->key_pointers[i];
        asked->elem_pointers[i] = &asked->elems[i];
    }
    asked->path.n_elem = count;
    asked->path.elem = asked->elem_pointers;
    asked->subscription.path = &asked->path;
    asked->subscription.mode = GNMI__SUBSCRIPTION_MODE__SAMPLE;
    asked->subscriptions[0] = &asked->subscription;
    asked->list.n_subscription = 1;
    asked->list.subscription = asked->subscriptions;
    asked->list.encoding = GNMI__ENCODING__PROTO;
    asked->list.prefix = &asked->prefix;
    asked->request.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE;
    asked->request.subscribe = &asked->list;
}

static struct sl_status read_asked(const struct asked *asked,
                                   struct sl_device_subscription *subscription)
{
    struct sl_device_leaves leaves;
    size_t len = gnmi__subscribe_request__get_packed_size(&asked->request);
    uint8_t *packed = malloc(len + 1);
    struct sl_status status;

    assert_non_null(packed);
    assert_true(sl_device_leaves_init(&leaves, INTERFACES));
    gnmi__subscribe_request__pack(&asked->request, packed);
    status = sl_device_subscription_init(subscription, (struct sl_str){(const char *)packed, len},
                                         &leaves);
    sl_device_leaves_fini(&leaves);
    free(packed);
    return status;
}

static const struct elem all_counters[] = {
    {"interfaces", ""}, {"interface", "*"}, {"state", ""}, {"counters", ""}};

static void check_count(const struct elem *elems, size_t count, uint32_t expected)
{
    struct asked asked;
    struct sl_device_subscription subscription;
    struct sl_status status;

    ask(&asked, elems, count);
    status = read_asked(&asked, &subscription);
    assert_int_equal(status.code, SL_OK);
    assert_int_equal(subscription.part_count, 1);
    assert_int_equal(subscription.parts[0].selection.count, expected);
    sl_device_subscription_fini(&subscription);
}

static void a_path_selects_everything_below_it(void **state)
{
    static const struct elem one[] = {
        {"interfaces", ""}, {"interface", "eth1"}, {"state", ""}, {"counters", ""}};
    static const struct elem absent[] = {{"interfaces", ""}, {"interface", "eth9"}};
    static const struct elem states[] = {
        {"interfaces", ""}, {"interface", ""}, {"state", ""}, {"oper-status", ""}};
    static const struct elem no_key[] = {{"interfaces", ""}, {"interface", ""}};

    (void)state;
    check_count(NULL, 0, LEAVES);
    check_count(all_counters, SL_ARRAY_LEN(all_counters), COUNTERS);
    check_count(no_key, SL_ARRAY_LEN(no_key), LEAVES);
    check_count(one, SL_ARRAY_LEN(one), SL_DEVICE_COUNTERS);
    check_count(states, SL_ARRAY_LEN(states), INTERFACES);
    check_count(absent, SL_ARRAY_LEN(absent), 0);
}

static void wildcards_stand_for_one_element_or_for_many(void **state)
{
    static const struct elem star[] = {
        {"*", ""}, {"*", ""}, {"*", ""}, {"*", ""}, {"in-octets", ""}};
    static const struct elem dots[] = {{"...", ""}, {"in-octets", ""}};
    static const struct elem middle[] = {{"interfaces", ""}, {"...", ""}, {"counters", ""}};
    static const struct elem twice[] = {{"...", ""}, {"state", ""}, {"...", ""}, {"out-pkts", ""}};
    static const struct elem beyond[] = {{"...", ""}, {"in-octets", ""}, {"more", ""}};

    (void)state;
    check_count(star, SL_ARRAY_LEN(star), INTERFACES);
    check_count(dots, SL_ARRAY_LEN(dots), INTERFACES);
    check_count(middle, SL_ARRAY_LEN(middle), COUNTERS);
    check_count(twice, SL_ARRAY_LEN(twice), INTERFACES);
    check_count(beyond, SL_ARRAY_LEN(beyond), 0);
}

static void the_selected_leaves_are_listed_in_order(void **state)
{
    static const struct elem elems[] = {{"...", ""}, {"in-unicast-pkts", ""}};
    struct asked asked;
    struct sl_device_subscription subscription;
    struct sl_status status;

    (void)state;
    ask(&asked, elems, SL_ARRAY_LEN(elems));
    status = read_asked(&asked, &subscription);
    assert_int_equal(status.code, SL_OK);
    for (uint32_t i = 0; i < INTERFACES; i++) {
        assert_int_equal(sl_device_selected(&subscription.parts[0].selection, i),
                         i * SL_DEVICE_COUNTERS + 1);
    }
    assert_string_equal(subscription.path, "/.../in-unicast-pkts");
    sl_device_subscription_fini(&subscription);
}

static void leaves_that_follow_one_another_take_no_memory(void **state)
{
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    assert_null(subscription.parts[0].selection.leaves);
    assert_int_equal(sl_device_selected(&subscription.parts[0].selection, 7), 7);
    sl_device_subscription_fini(&subscription);
}

static void another_origin_selects_nothing(void **state)
{
    struct asked asked;
    struct sl_device_subscription subscription;
    struct sl_status status;

    (void)state;
    ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
    strcpy(asked.origin, "cli");
    asked.path.origin = asked.origin;
    status = read_asked(&asked, &subscription);
    assert_int_equal(status.code, SL_OK);
    assert_int_equal(subscription.parts[0].selection.count, 0);
    sl_device_subscription_fini(&subscription);
}

static void the_pace_is_the_asked_one(void **state)
{
    static const struct {
        Gnmi__SubscriptionMode mode;
        uint64_t interval_ns;
        uint64_t heartbeat_ns;
        bool suppresses;
        struct sl_device_part expected;
    } cases[] = {
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 10000000, 0, false, {.interval_ns = 10000000}},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 10000000, 5000000, false, {.interval_ns = 10000000}},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 0, 0, false, {.interval_ns = 0}},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE,
         10000000,
         30000000,
         true,
         {.interval_ns = 10000000, .heartbeat_ns = 30000000, .only_changes = true}},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE,
         0,
         0,
         true,
         {.interval_ns = SL_DEVICE_LOOK_NS, .only_changes = true}},
        {GNMI__SUBSCRIPTION_MODE__ON_CHANGE,
         10000000,
         0,
         true,
         {.interval_ns = SL_DEVICE_LOOK_NS, .only_changes = true}},
        {GNMI__SUBSCRIPTION_MODE__ON_CHANGE,
         0,
         1000000,
         false,
         {.interval_ns = SL_DEVICE_LOOK_NS, .heartbeat_ns = 1000000, .only_changes = true}},
        {GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED, 0, 5000000, true, {.interval_ns = 0}},
    };
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
        asked.subscription.mode = cases[i].mode;
        asked.subscription.sample_interval = cases[i].interval_ns;
        asked.subscription.heartbeat_interval = cases[i].heartbeat_ns;
        asked.subscription.suppress_redundant = cases[i].suppresses;
        assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
        assert_int_equal(subscription.parts[0].interval_ns, cases[i].expected.interval_ns);
        assert_int_equal(subscription.parts[0].heartbeat_ns, cases[i].expected.heartbeat_ns);
        assert_int_equal(subscription.parts[0].only_changes, cases[i].expected.only_changes);
        sl_device_subscription_fini(&subscription);
    }
    asked.subscription.sample_interval = UINT64_MAX;
    asked.subscription.heartbeat_interval = UINT64_MAX;
    asked.subscription.mode = GNMI__SUBSCRIPTION_MODE__SAMPLE;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    assert_true(subscription.parts[0].interval_ns > 0);
    assert_true(subscription.parts[0].heartbeat_ns > 0);
    sl_device_subscription_fini(&subscription);
}

/* `count` copies of the first subscription, to be changed before the request is read. */
static void ask_more(struct asked *asked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        asked->more[i] = asked->subscription;
        asked->subscriptions[1 + i] = &asked->more[i];
    }
    asked->list.n_subscription = 1 + count;
}

static void subscriptions_of_one_pace_are_one_part(void **state)
{
    static const struct elem octets[] = {{"...", ""}, {"in-octets", ""}};
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    ask(&asked, octets, SL_ARRAY_LEN(octets));
    asked.subscription.sample_interval = 10000000;
    ask_more(&asked, 3);
    asked.more[0].mode = GNMI__SUBSCRIPTION_MODE__ON_CHANGE;
    asked.more[2].sample_interval = 20000000;
    asked.more[2].path = NULL;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    assert_int_equal(subscription.part_count, 3);
    assert_int_equal(subscription.parts[0].interval_ns, 10000000);
    assert_int_equal(subscription.parts[0].selection.count, INTERFACES);
    assert_true(subscription.parts[1].only_changes);
    assert_int_equal(subscription.parts[2].interval_ns, 20000000);
    assert_int_equal(subscription.parts[2].selection.count, LEAVES);
    assert_string_equal(subscription.path, "/.../in-octets,/.../in-octets,/.../in-octets,/");
    sl_device_subscription_fini(&subscription);
}

/* 64 lists of nearly all leaves would be 64 times the memory of the leaves. */
static void paths_cannot_select_the_same_leaves_many_times(void **state)
{
    static const struct elem scattered[] = {
        {"interfaces", ""}, {"interface", "*"}, {"...", ""}, {"in-octets", ""}};
    struct asked asked;
    struct sl_device_subscription subscription;
    Gnmi__Subscription copies[SL_DEVICE_MAX_SUBSCRIPTIONS];
    Gnmi__Subscription *pointers[SL_DEVICE_MAX_SUBSCRIPTIONS];

    (void)state;
    ask(&asked, scattered, SL_ARRAY_LEN(scattered));
    for (size_t i = 0; i < SL_DEVICE_MAX_SUBSCRIPTIONS; i++) {
        copies[i] = asked.subscription;
        copies[i].sample_interval = SL_NS_PER_MS * (1 + i);
        pointers[i] = &copies[i];
    }
    asked.list.subscription = pointers;
    asked.list.n_subscription = SL_DEVICE_MAX_OVERLAP * LEAVES / INTERFACES;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    sl_device_subscription_fini(&subscription);
    asked.list.n_subscription++;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_RESOURCE_EXHAUSTED);
}

static void expect_code(struct asked *asked, enum sl_code code)
{
    struct sl_device_subscription subscription;
    struct sl_status status = read_asked(asked, &subscription);

    assert_int_equal(status.code, code);
    if (code == SL_OK) {
        sl_device_subscription_fini(&subscription);
    }
    ask(asked, all_counters, SL_ARRAY_LEN(all_counters));
}

static void what_it_does_not_do_is_refused(void **state)
{
    struct asked asked;

    (void)state;
    ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
    asked.list.mode = GNMI__SUBSCRIPTION_LIST__MODE__ONCE;
    expect_code(&asked, SL_UNIMPLEMENTED);
    for (unsigned encoding = 0; encoding <= GNMI__ENCODING__JSON_IETF; encoding++) {
        asked.list.encoding = (Gnmi__Encoding)encoding;
        expect_code(&asked, SL_OK);
    }
    asked.list.encoding = (Gnmi__Encoding)(GNMI__ENCODING__JSON_IETF + 1);
    expect_code(&asked, SL_UNIMPLEMENTED);
    asked.list.encoding = (Gnmi__Encoding)INT32_MIN;
    expect_code(&asked, SL_UNIMPLEMENTED);
    asked.list.n_subscription = 0;
    expect_code(&asked, SL_INVALID_ARGUMENT);
    asked.request.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST__NOT_SET;
    expect_code(&asked, SL_INVALID_ARGUMENT);
}

static void what_has_no_meaning_is_refused(void **state)
{
    struct asked asked;

    (void)state;
    ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
    asked.subscription.sample_interval = SL_NS_PER_MS - 1;
    expect_code(&asked, SL_INVALID_ARGUMENT);
    asked.subscription.heartbeat_interval = 1;
    expect_code(&asked, SL_INVALID_ARGUMENT);
    asked.subscription.mode = GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED;
    asked.subscription.sample_interval = SL_NS_PER_S;
    expect_code(&asked, SL_INVALID_ARGUMENT);
    asked.subscription.mode = (Gnmi__SubscriptionMode)3;
    expect_code(&asked, SL_INVALID_ARGUMENT);
    strcpy(asked.origin, "openconfig");
    asked.path.origin = asked.origin;
    asked.prefix.origin = asked.origin;
    expect_code(&asked, SL_INVALID_ARGUMENT);
}

static void a_marking_is_a_dscp(void **state)
{
    struct asked asked;

    (void)state;
    for (uint32_t marking = SL_DEVICE_MAX_QOS; marking < SL_DEVICE_MAX_QOS + 2; marking++) {
        ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
        gnmi__qosmarking__init(&asked.qos);
        asked.qos.marking = marking;
        asked.list.qos = &asked.qos;
        expect_code(&asked, marking > SL_DEVICE_MAX_QOS ? SL_INVALID_ARGUMENT : SL_OK);
    }
}

static void only_its_own_model_is_known(void **state)
{
    static const struct {
        const char *name;
        const char *version;
        enum sl_code code;
    } cases[] = {
        {"openconfig-interfaces", "", SL_OK},
        {"openconfig-interfaces", "3.0.0", SL_OK},
        {"openconfig-interfaces", "2.0.0", SL_INVALID_ARGUMENT},
        {"openconfig-bgp", "", SL_INVALID_ARGUMENT},
        {"", "", SL_INVALID_ARGUMENT},
    };
    struct asked asked;
    char version[16];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
        gnmi__model_data__init(&asked.model);
        strcpy(asked.text, cases[i].name);
        strcpy(version, cases[i].version);
        asked.model.name = asked.text;
        asked.model.version = version;
        asked.models[0] = &asked.model;
        asked.list.use_models = asked.models;
        asked.list.n_use_models = 1;
        expect_code(&asked, cases[i].code);
    }
}

static struct sl_status read_bytes(const char *bytes, size_t len)
{
    struct sl_device_leaves leaves;
    struct sl_device_subscription subscription;
    struct sl_status status;

    assert_true(sl_device_leaves_init(&leaves, INTERFACES));
    status = sl_device_subscription_init(&subscription, (struct sl_str){bytes, len}, &leaves);
    if (sl_status_is_ok(&status)) {
        sl_device_subscription_fini(&subscription);
    }
    sl_device_leaves_fini(&leaves);
    return status;
}

static void bytes_that_are_no_request_are_refused(void **state)
{
    static const char broken[] = "\x0a\x7f\x01";

    (void)state;
    assert_int_equal(read_bytes(broken, sizeof(broken) - 1).code, SL_INVALID_ARGUMENT);
    assert_int_equal(read_bytes("", 0).code, SL_INVALID_ARGUMENT);
}

/* 400,000 empty subscriptions in 800,000 bytes would unpack to tens of megabytes. */
static void a_request_cannot_make_memory_grow_past_the_limit(void **state)
{
    enum { SUBSCRIPTIONS = 400000, HEAD_BYTES = 4 };
    size_t len = HEAD_BYTES + 2 * SUBSCRIPTIONS;
    char *bytes = calloc(1, SL_DEVICE_MAX_REQUEST_BYTES + 1);

    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, "\x0a\x80\xea\x30", HEAD_BYTES); /* field 1, 800,000 bytes */
    for (size_t i = 0; i < SUBSCRIPTIONS; i++) {
        bytes[HEAD_BYTES + 2 * i] = 0x12;
    }
    assert_int_equal(read_bytes(bytes, len).code, SL_RESOURCE_EXHAUSTED);
    assert_int_equal(read_bytes(bytes, SL_DEVICE_MAX_REQUEST_BYTES + 1).code,
                     SL_RESOURCE_EXHAUSTED);
    free(bytes);
}

static void the_text_of_a_path_holds_no_blank(void **state)
{
    static const struct elem elems[] = {{"a b\n\"c", ""}};
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    ask(&asked, elems, SL_ARRAY_LEN(elems));
    strcpy(asked.target, "sim1");
    asked.prefix.target = asked.target;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    assert_string_equal(subscription.path, "/a.b.\"c");
    assert_string_equal(subscription.target, "sim1");
    sl_device_subscription_fini(&subscription);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_selects_everything_below_it),
        cmocka_unit_test(wildcards_stand_for_one_element_or_for_many),
        cmocka_unit_test(the_selected_leaves_are_listed_in_order),
        cmocka_unit_test(another_origin_selects_nothing),
        cmocka_unit_test(leaves_that_follow_one_another_take_no_memory),
        cmocka_unit_test(the_pace_is_the_asked_one),
        cmocka_unit_test(subscriptions_of_one_pace_are_one_part),
        cmocka_unit_test(paths_cannot_select_the_same_leaves_many_times),
        cmocka_unit_test(what_has_no_meaning_is_refused),
        cmocka_unit_test(a_marking_is_a_dscp),
        cmocka_unit_test(only_its_own_model_is_known),
        cmocka_unit_test(what_it_does_not_do_is_refused),
        cmocka_unit_test(bytes_that_are_no_request_are_refused),
        cmocka_unit_test(a_request_cannot_make_memory_grow_past_the_limit),
        cmocka_unit_test(the_text_of_a_path_holds_no_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
