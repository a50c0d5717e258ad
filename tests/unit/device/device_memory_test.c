/* Every allocation of reading a request fails once: RESOURCE_EXHAUSTED, and nothing is left over.
 */
#include <stdlib.h>
#include <string.h>

#include "device/subscription.h"
#include "failing.h"
#include "test.h"

enum { INTERFACES = 3, ASKED = 3, REQUEST_BYTES = 256 };

/* /.../in-octets at three paces: leaves that do not follow one another. */
static size_t pack_request(uint8_t out[REQUEST_BYTES])
{
    char dots[] = "...";
    char octets[] = "in-octets";
    char target[] = "sim1";
    Gnmi__PathElem elems[2];
    Gnmi__PathElem *pointers[] = {&elems[0], &elems[1]};
    Gnmi__Path path;
    Gnmi__Path prefix;
    Gnmi__Subscription asked[ASKED];
    Gnmi__Subscription *subscriptions[ASKED];
    Gnmi__SubscriptionList list;
    Gnmi__SubscribeRequest message;

    gnmi__path_elem__init(&elems[0]);
    gnmi__path_elem__init(&elems[1]);
    gnmi__path__init(&path);
    gnmi__path__init(&prefix);
    gnmi__subscription_list__init(&list);
    gnmi__subscribe_request__init(&message);
    elems[0].name = dots;
    elems[1].name = octets;
    path.n_elem = SL_ARRAY_LEN(elems);
    path.elem = pointers;
    prefix.target = target;
    for (size_t i = 0; i < ASKED; i++) {
        gnmi__subscription__init(&asked[i]);
        asked[i].path = &path;
        asked[i].mode = GNMI__SUBSCRIPTION_MODE__SAMPLE;
        asked[i].sample_interval = (i + 1) * SL_NS_PER_S;
        subscriptions[i] = &asked[i];
    }
    list.prefix = &prefix;
    list.n_subscription = ASKED;
    list.subscription = subscriptions;
    message.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE;
    message.subscribe = &list;
    assert_true(gnmi__subscribe_request__get_packed_size(&message) <= REQUEST_BYTES);
    return gnmi__subscribe_request__pack(&message, out);
}

static void each_allocation_may_fail(void **state)
{
    uint8_t packed[REQUEST_BYTES];
    struct sl_str request = {(const char *)packed, pack_request(packed)};
    struct sl_device_subscription subscription;
    struct sl_device_leaves leaves;
    struct sl_status status;
    long runs = 0;

    (void)state;
    assert_true(sl_device_leaves_init(&leaves, INTERFACES));
    do {
        has_failed = false;
        left = runs++;
        status = sl_device_subscription_init(&subscription, request, &leaves);
        left = -1;
        if (sl_status_is_ok(&status)) {
            assert_int_equal(subscription.part_count, ASKED);
            sl_device_subscription_fini(&subscription);
        } else {
            assert_true(has_failed);
            assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
        }
    } while (!sl_status_is_ok(&status));
    assert_true(runs > 10);
    sl_device_leaves_fini(&leaves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
