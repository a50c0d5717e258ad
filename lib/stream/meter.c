#include "stream/meter.h"

#include <stdlib.h>
#include <string.h>

void sl_meters_init(struct sl_meters *meters)
{
    *meters = (struct sl_meters){.other = {.subscription = "other", .sink = "other"}};
    sl_list_init(&meters->list);
    sl_list_init(&meters->other.node);
    sl_list_append(&meters->list, &meters->other.node);
}

void sl_meters_fini(struct sl_meters *meters)
{
    for (struct sl_list *node; (node = sl_list_pop(&meters->list));) {
        struct sl_meter *meter = SL_CONTAINER_OF(node, struct sl_meter, node);
        if (meter != &meters->other) {
            free(meter);
        }
    }
}

/* Its names lie behind it. */
static struct sl_meter *meter_new(const char *subscription, const char *sink)
{
    const size_t first = strlen(subscription) + 1;
    const size_t second = strlen(sink) + 1;
    struct sl_meter *meter = calloc(1, sizeof(*meter) + first + second);

    if (meter) {
        char *names = (char *)(meter + 1);
        meter->subscription = memcpy(names, subscription, first);
        meter->sink = memcpy(names + first, sink, second);
        sl_list_init(&meter->node);
    }
    return meter;
}

struct sl_meter *sl_meters_find(struct sl_meters *meters, const char *subscription,
                                const char *sink)
{
    SL_LIST_FOR_EACH(node, &meters->list)
    {
        struct sl_meter *meter = SL_CONTAINER_OF(node, struct sl_meter, node);
        if (meter != &meters->other && strcmp(meter->subscription, subscription) == 0 &&
            strcmp(meter->sink, sink) == 0) {
            return meter;
        }
    }
    struct sl_meter *meter = meters->count < SL_METERS_MOST ? meter_new(subscription, sink) : NULL;
    if (!meter) {
        return &meters->other;
    }
    sl_list_append(&meters->list, &meter->node);
    meters->count++;
    return meter;
}
