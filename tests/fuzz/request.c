/* request.c - what the simulated device makes of the bytes of a SubscribeRequest. */
#include <string.h>

#include "device/subscription.h"
#include "fuzz.h"

enum { INTERFACES = 3 };

static void assert_subscription(const struct sl_device_subscription *subscription,
                                const struct sl_device_leaves *table)
{
    SL_ASSERT(subscription->leaf_count <= table->count);
    for (uint32_t i = 0; subscription->leaves && i < subscription->leaf_count; i++) {
        SL_ASSERT(subscription->leaves[i] < table->count);
        SL_ASSERT(i == 0 || subscription->leaves[i - 1] < subscription->leaves[i]);
    }
    SL_ASSERT(subscription->interval_ns > 0);
    SL_ASSERT(memchr(subscription->target, 0, sizeof(subscription->target)));
    SL_ASSERT(memchr(subscription->path, 0, sizeof(subscription->path)));
    for (const char *at = subscription->path; *at; at++) {
        SL_ASSERT(*at > ' ' && *at <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_device_subscription subscription;
    struct sl_device_leaves table;
    bool is_made = sl_device_leaves_init(&table, INTERFACES);

    SL_ASSERT(is_made);
    struct sl_status status = sl_device_subscription_init(
        &subscription, (struct sl_str){(const char *)data, size}, &table);
    if (sl_status_is_ok(&status)) {
        assert_subscription(&subscription, &table);
        sl_device_subscription_fini(&subscription);
    } else {
        SL_ASSERT(status.code == SL_INVALID_ARGUMENT || status.code == SL_UNIMPLEMENTED ||
                  status.code == SL_RESOURCE_EXHAUSTED);
    }
    sl_device_leaves_fini(&table);
    return 0;
}
