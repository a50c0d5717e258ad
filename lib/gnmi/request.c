#include "gnmi/request.h"

#include <stdlib.h>

#include "gnmi/build.h"
#include "gnmi/path.h"
#include "gnmi/shape.h"

struct sl_status sl_gnmi_path_check(struct sl_str text)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(text, &why);

    if (path) {
        gnmi__path__free_unpacked(path, NULL);
    }
    return why;
}

static bool set_qos(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                    struct sl_status *why)
{
    if (!subscribe->has_qos) {
        return true;
    }
    list->qos = malloc(sizeof(*list->qos));
    if (!list->qos) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__qosmarking__init(list->qos);
    list->qos->marking = subscribe->qos;
    return true;
}

static bool add_subscription(Gnmi__SubscriptionList *list, const char *text,
                             const struct sl_gnmi_asked *asked, struct sl_status *why)
{
    Gnmi__Subscription *subscription = malloc(sizeof(*subscription));

    if (!subscription) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__subscription__init(subscription);
    list->subscription[list->n_subscription++] = subscription;
    subscription->mode = (Gnmi__SubscriptionMode)asked->mode;
    if (asked->mode == SL_GNMI_SAMPLE) {
        subscription->sample_interval = asked->sample_interval_ns;
        subscription->suppress_redundant = asked->suppress_redundant;
    }
    subscription->heartbeat_interval = asked->heartbeat_interval_ns;
    subscription->path = sl_gnmi_path_parse(sl_str_from(text), why);
    return subscription->path != NULL;
}

static size_t count_paths(const struct sl_gnmi_subscribe *subscribe)
{
    size_t count = 0;

    for (size_t i = 0; i < subscribe->asked_count; i++) {
        for (const char *const *path = subscribe->asked[i].paths; *path; path++) {
            count++;
        }
    }
    return count;
}

static bool set_subscriptions(Gnmi__SubscriptionList *list,
                              const struct sl_gnmi_subscribe *subscribe, struct sl_status *why)
{
    list->subscription = calloc(count_paths(subscribe) + 1, sizeof(Gnmi__Subscription *));
    if (!list->subscription) {
        return sl_gnmi_build_no_memory(why);
    }
    for (size_t i = 0; i < subscribe->asked_count; i++) {
        const struct sl_gnmi_asked *asked = &subscribe->asked[i];
        for (const char *const *path = asked->paths; *path; path++) {
            if (!add_subscription(list, *path, asked, why)) {
                return false;
            }
        }
    }
    return true;
}

static bool fill_list(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                      struct sl_status *why)
{
    list->mode = (Gnmi__SubscriptionList__Mode)subscribe->mode;
    list->encoding = subscribe->encoding == SL_GNMI_AUTO_ENCODING
                         ? GNMI__ENCODING__PROTO
                         : (Gnmi__Encoding)subscribe->encoding;
    list->updates_only = subscribe->updates_only;
    return set_subscriptions(list, subscribe, why) &&
           sl_gnmi_build_prefix(&list->prefix, subscribe->prefix, subscribe->target, why) &&
           set_qos(list, subscribe, why) &&
           sl_gnmi_build_models(&list->use_models, &list->n_use_models, subscribe->models,
                                subscribe->model_count, why);
}

static bool pack(const Gnmi__SubscribeRequest *request, struct sl_buf *out)
{
    size_t size = gnmi__subscribe_request__get_packed_size(request);

    if (!sl_buf_reserve(out, size)) {
        return false;
    }
    out->len += gnmi__subscribe_request__pack(request, (uint8_t *)out->data + out->len);
    return true;
}

static bool fill_request(Gnmi__SubscribeRequest *request, const struct sl_gnmi_subscribe *subscribe,
                         struct sl_status *why)
{
    request->subscribe = malloc(sizeof(*request->subscribe));
    if (!request->subscribe) {
        return sl_gnmi_build_no_memory(why);
    }
    request->request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE;
    gnmi__subscription_list__init(request->subscribe);
    return fill_list(request->subscribe, subscribe, why) &&
           sl_gnmi_build_extensions(&request->extension, &request->n_extension,
                                    subscribe->extensions, subscribe->extension_count, why);
}

struct sl_status sl_gnmi_subscribe_pack_for(const struct sl_gnmi_subscribe *subscribe,
                                            const struct sl_gnmi_profile *profile,
                                            struct sl_buf *out, uint32_t *in_force)
{
    struct sl_status status = sl_status_ok();
    Gnmi__SubscribeRequest *request = malloc(sizeof(*request));

    if (!request) {
        (void)sl_gnmi_build_no_memory(&status);
        return status;
    }
    gnmi__subscribe_request__init(request);
    if (fill_request(request, subscribe, &status)) {
        bool is_shaped =
            !profile || sl_gnmi_shape(request->subscribe, subscribe->encoding, profile, in_force);
        if (!is_shaped || !pack(request, out)) {
            (void)sl_gnmi_build_no_memory(&status);
        }
    }
    gnmi__subscribe_request__free_unpacked(request, NULL);
    return status;
}

struct sl_status sl_gnmi_subscribe_pack(const struct sl_gnmi_subscribe *subscribe,
                                        struct sl_buf *out)
{
    uint32_t in_force = 0;

    return sl_gnmi_subscribe_pack_for(subscribe, NULL, out, &in_force);
}

struct sl_str sl_gnmi_poll(void)
{
    return SL_STR("\x1a\x00");
}
