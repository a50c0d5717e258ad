#include "test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "device/subscription.h"

enum { INTERFACES = 3, LEAVES = INTERFACES * SL_DEVICE_COUNTERS, MAX_ELEMS = 8 };

struct elem {
    char name[24];
    char value[24]; /* of the key `name`; "" : no key */
};

/* A request with one subscription, in memory that the test may change before it is packed. */
struct asked {
    Gnmi__SubscribeRequest request;
    Gnmi__SubscriptionList list;
    Gnmi__Subscription subscription;
    Gnmi__Subscription *subscriptions[1];
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
    assert_int_equal(subscription.leaf_count, expected);
    sl_device_subscription_fini(&subscription);
}

static void a_path_selects_everything_below_it(void **state)
{
    static const struct elem one[] = {
        {"interfaces", ""}, {"interface", "eth1"}, {"state", ""}, {"counters", ""}};
    static const struct elem absent[] = {{"interfaces", ""}, {"interface", "eth9"}};
    static const struct elem no_key[] = {{"interfaces", ""}, {"interface", ""}};

    (void)state;
    check_count(NULL, 0, LEAVES);
    check_count(all_counters, SL_ARRAY_LEN(all_counters), LEAVES);
    check_count(no_key, SL_ARRAY_LEN(no_key), LEAVES);
    check_count(one, SL_ARRAY_LEN(one), SL_DEVICE_COUNTERS);
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
    check_count(middle, SL_ARRAY_LEN(middle), LEAVES);
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
        assert_int_equal(subscription.leaves[i], i * SL_DEVICE_COUNTERS + 1);
    }
    assert_string_equal(subscription.path, "/.../in-unicast-pkts");
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
    assert_int_equal(subscription.leaf_count, 0);
    sl_device_subscription_fini(&subscription);
}

static void the_interval_is_the_asked_one_or_a_second(void **state)
{
    static const struct {
        Gnmi__SubscriptionMode mode;
        uint64_t asked_ns;
        int64_t expected_ns;
    } cases[] = {
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 10000000, 10000000},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 0, SL_NS_PER_S},
        {GNMI__SUBSCRIPTION_MODE__SAMPLE, 1, SL_NS_PER_MS},
        {GNMI__SUBSCRIPTION_MODE__ON_CHANGE, 10000000, SL_NS_PER_S},
        {GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED, 0, SL_NS_PER_S},
    };
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        struct sl_status status;

        ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
        asked.subscription.mode = cases[i].mode;
        asked.subscription.sample_interval = cases[i].asked_ns;
        status = read_asked(&asked, &subscription);
        assert_int_equal(status.code, SL_OK);
        assert_int_equal(subscription.interval_ns, cases[i].expected_ns);
        assert_int_equal(subscription.is_sampled,
                         cases[i].mode == GNMI__SUBSCRIPTION_MODE__SAMPLE && cases[i].asked_ns > 0);
        sl_device_subscription_fini(&subscription);
    }
    asked.subscription.sample_interval = UINT64_MAX;
    asked.subscription.mode = GNMI__SUBSCRIPTION_MODE__SAMPLE;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_OK);
    assert_true(subscription.interval_ns > 0);
    sl_device_subscription_fini(&subscription);
}

static void what_it_does_not_do_is_refused(void **state)
{
    struct asked asked;
    struct sl_device_subscription subscription;

    (void)state;
    ask(&asked, all_counters, SL_ARRAY_LEN(all_counters));
    asked.list.mode = GNMI__SUBSCRIPTION_LIST__MODE__ONCE;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_UNIMPLEMENTED);
    asked.list.mode = GNMI__SUBSCRIPTION_LIST__MODE__STREAM;
    asked.list.encoding = GNMI__ENCODING__JSON;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_UNIMPLEMENTED);
    asked.list.encoding = GNMI__ENCODING__PROTO;
    asked.list.n_subscription = 0;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_INVALID_ARGUMENT);
    asked.request.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST__NOT_SET;
    assert_int_equal(read_asked(&asked, &subscription).code, SL_INVALID_ARGUMENT);
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
        cmocka_unit_test(the_interval_is_the_asked_one_or_a_second),
        cmocka_unit_test(what_it_does_not_do_is_refused),
        cmocka_unit_test(bytes_that_are_no_request_are_refused),
        cmocka_unit_test(a_request_cannot_make_memory_grow_past_the_limit),
        cmocka_unit_test(the_text_of_a_path_holds_no_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
