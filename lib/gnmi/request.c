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

static bool out_of_memory(struct sl_status *why)
{
    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
    return false;
}

/* "" is what an empty string of protobuf-c is already, and is not to be freed. */
static bool set_text(char **field, const char *text, struct sl_status *why)
{
    char *copy = *text ? sl_str_dup(sl_str_from(text)) : *field;

    if (!copy) {
        return out_of_memory(why);
    }
    *field = copy;
    return true;
}

static bool set_prefix(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                       struct sl_status *why)
{
    if (!subscribe->prefix && !subscribe->target) {
        return true;
    }
    list->prefix = sl_gnmi_path_parse(sl_str_from(subscribe->prefix), why);
    return list->prefix &&
           (!subscribe->target || set_text(&list->prefix->target, subscribe->target, why));
}

static bool set_qos(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                    struct sl_status *why)
{
    if (!subscribe->has_qos) {
        return true;
    }
    list->qos = malloc(sizeof(*list->qos));
    if (!list->qos) {
        return out_of_memory(why);
    }
    gnmi__qosmarking__init(list->qos);
    list->qos->marking = subscribe->qos;
    return true;
}

static bool add_model(Gnmi__SubscriptionList *list, const struct sl_gnmi_model *given,
                      struct sl_status *why)
{
    Gnmi__ModelData *model = malloc(sizeof(*model));

    if (!model) {
        return out_of_memory(why);
    }
    gnmi__model_data__init(model);
    list->use_models[list->n_use_models++] = model;
    return set_text(&model->name, given->name, why) &&
           set_text(&model->organization, given->organization, why) &&
           set_text(&model->version, given->version, why);
}

static bool set_models(Gnmi__SubscriptionList *list, const struct sl_gnmi_subscribe *subscribe,
                       struct sl_status *why)
{
    list->use_models = calloc(subscribe->model_count + 1, sizeof(Gnmi__ModelData *));
    if (!list->use_models) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < subscribe->model_count; i++) {
        if (!add_model(list, &subscribe->models[i], why)) {
            return false;
        }
    }
    return true;
}

static bool add_subscription(Gnmi__SubscriptionList *list, const char *text,
                             const struct sl_gnmi_asked *asked, struct sl_status *why)
{
    Gnmi__Subscription *subscription = malloc(sizeof(*subscription));

    if (!subscription) {
        return out_of_memory(why);
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
        return out_of_memory(why);
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
    list->mode = GNMI__SUBSCRIPTION_LIST__MODE__STREAM;
    list->encoding = (Gnmi__Encoding)subscribe->encoding;
    list->updates_only = subscribe->updates_only;
    return set_subscriptions(list, subscribe, why) && set_prefix(list, subscribe, why) &&
           set_qos(list, subscribe, why) && set_models(list, subscribe, why);
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
        (void)out_of_memory(&status);
        return status;
    }
    gnmi__subscription_list__init(list);
    if (fill_list(list, subscribe, &status) && !pack(list, out)) {
        (void)out_of_memory(&status);
    }
    gnmi__subscription_list__free_unpacked(list, NULL);
    return status;
}
