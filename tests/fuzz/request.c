/* request.c - what the simulated device makes of the bytes of a SubscribeRequest. */
#include <string.h>

#include "device/subscription.h"
#include "fuzz.h"

enum { INTERFACES = 3 };

static void assert_part(const struct sl_device_part *part, const struct sl_device_leaves *table)
{
    const struct sl_device_selection *selection = &part->selection;

    SL_ASSERT(selection->count <= table->count);
    for (uint32_t i = 0; i < selection->count; i++) {
        SL_ASSERT(sl_device_selected(selection, i) < table->count);
        SL_ASSERT(i == 0 ||
                  sl_device_selected(selection, i - 1) < sl_device_selected(selection, i));
    }
    SL_ASSERT(part->interval_ns >= 0 && part->heartbeat_ns >= 0);
    SL_ASSERT(!part->only_changes || part->interval_ns >= SL_DEVICE_MIN_INTERVAL_NS);
}

static void assert_subscription(const struct sl_device_subscription *subscription,
                                const struct sl_device_leaves *table)
{
    SL_ASSERT(subscription->part_count > 0 &&
              subscription->part_count <= SL_DEVICE_MAX_SUBSCRIPTIONS);
    for (uint32_t i = 0; i < subscription->part_count; i++) {
        assert_part(&subscription->parts[i], table);
    }
    SL_ASSERT(subscription->encoding <= GNMI__ENCODING__JSON_IETF);
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
