#include "gnmi/request.h"

#include <stdlib.h>

#include "gnmi/path.h"

struct sl_status sl_gnmi_path_check(struct sl_str text)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(text, &why);

    if (path) {
        gnmi__path__free_unpacked(path, NULL);
    }
    return why;
}

static bool set_prefix(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                       struct sl_status *why)
{
    if (!subscribe->prefix && !subscribe->target) {
        return true;
    }
    list->prefix = sl_gnmi_path_parse(sl_str_from(subscribe->prefix), why);
    if (list->prefix && subscribe->target) {
        char *target = sl_str_dup(sl_str_from(subscribe->target));
        if (!target) {
            *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
            return false;
        }
        list->prefix->target = target;
    }
    return list->prefix != NULL;
}

static bool add_subscription(Gnmi__SubscriptionList *list, const char *text,
                             const struct sl_gnmi_subscribe *subscribe, struct sl_status *why)
{
    Gnmi__Subscription *subscription = malloc(sizeof(*subscription));

    if (!subscription) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
        return false;
    }
    gnmi__subscription__init(subscription);
    list->subscription[list->n_subscription++] = subscription;
    subscription->mode = (Gnmi__SubscriptionMode)subscribe->mode;
    if (subscribe->mode == SL_GNMI_SAMPLE) {
        subscription->sample_interval = subscribe->sample_interval_ns;
    }
    subscription->path = sl_gnmi_path_parse(sl_str_from(text), why);
    return subscription->path != NULL;
}

static size_t count_paths(const struct sl_gnmi_subscribe *subscribe)
{
    size_t count = 0;

    while (subscribe->paths[count]) {
        count++;
    }
    return count;
}

static bool fill_list(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                      struct sl_status *why)
{
    size_t count = count_paths(subscribe);

    list->mode = GNMI__SUBSCRIPTION_LIST__MODE__STREAM;
    list->encoding = (Gnmi__Encoding)subscribe->encoding;
    list->subscription = calloc(count + 1, sizeof(Gnmi__Subscription *));
    if (!list->subscription) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_subscription(list, subscribe->paths[i], subscribe, why)) {
            return false;
        }
    }
    return set_prefix(list, subscribe, why);
}

static bool pack(Gnmi__SubscriptionList *list, struct sl_buf *out)
{
    Gnmi__SubscribeRequest request = GNMI__SUBSCRIBE_REQUEST__INIT;

    request.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE;
    request.subscribe = list;
    size_t size = gnmi__subscribe_request__get_packed_size(&request);

    if (!sl_buf_reserve(out, size)) {
        return false;
    }
    out->len += gnmi__subscribe_request__pack(&request, (uint8_t *)out->data + out->len);
    return true;
}

struct sl_status sl_gnmi_subscribe_pack(const struct sl_gnmi_subscribe *subscribe,
                                        struct sl_buf *out)
{
    struct sl_status status = sl_status_ok();
    Gnmi__SubscriptionList *list = malloc(sizeof(*list));

    if (!list) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
    }
    gnmi__subscription_list__init(list);
    if (fill_list(list, subscribe, &status) && !pack(list, out)) {
        status = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
    }
    gnmi__subscription_list__free_unpacked(list, NULL);
    return status;
}
