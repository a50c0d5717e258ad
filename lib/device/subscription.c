#include "device/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_INTERVAL_NS SL_NS_PER_S
#define MIN_INTERVAL_NS     SL_NS_PER_MS
#define MAX_INTERVAL_NS     (INT64_C(366) * 24 * 3600 * SL_NS_PER_S)

struct bound {
    size_t left_bytes;
    bool has_refused;
};

static void *bounded_alloc(void *arg, size_t size)
{
    struct bound *bound = arg;

    if (size > bound->left_bytes) {
        bound->has_refused = true;
        return NULL;
    }
    bound->left_bytes -= size;
    return malloc(size);
}

static void bounded_free(void *arg, void *pointer)
{
    (void)arg;
    free(pointer);
}

static struct sl_status check_list(const Gnmi__SubscriptionList *list)
{
    if (list->mode != GNMI__SUBSCRIPTION_LIST__MODE__STREAM) {
        return sl_status_error(SL_UNIMPLEMENTED, "the simulator does mode STREAM alone");
    }
    if (list->encoding != GNMI__ENCODING__PROTO) {
        return sl_status_error(SL_UNIMPLEMENTED, "the simulator does encoding PROTO alone");
    }
    if (list->n_subscription == 0) {
        return sl_status_error(SL_INVALID_ARGUMENT, "the request has no subscription");
    }
    if (list->n_subscription > SL_DEVICE_MAX_SUBSCRIPTIONS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d subscriptions",
                               (int)SL_DEVICE_MAX_SUBSCRIPTIONS);
    }
    if (list->prefix && strlen(list->prefix->target) >= SL_DEVICE_MAX_TARGET_BYTES) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "prefix.target has more than %d bytes",
                               SL_DEVICE_MAX_TARGET_BYTES - 1);
    }
    return sl_status_ok();
}

static bool add_elems(struct sl_device_pattern *pattern, const Gnmi__Path *path)
{
    size_t count = path ? path->n_elem : 0;

    if (count > SL_DEVICE_MAX_PATH_ELEMS - pattern->count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        pattern->elems[pattern->count++] = path->elem[i];
    }
    return true;
}

static bool is_other_origin(const Gnmi__Path *path)
{
    return path && path->origin[0] != '\0' && strcmp(path->origin, "openconfig") != 0;
}

static void add_text(struct sl_buf *text, const struct sl_device_pattern *pattern)
{
    if (text->len > 0) {
        sl_buf_add_byte(text, ',');
    }
    if (pattern->count == 0) {
        sl_buf_add_byte(text, '/');
    }
    for (size_t i = 0; i < pattern->count; i++) {
        const Gnmi__PathElem *elem = pattern->elems[i];

        sl_buf_add_byte(text, '/');
        sl_buf_add_c(text, elem->name);
        for (size_t k = 0; k < elem->n_key; k++) {
            sl_buf_printf(text, "[%s=%s]", elem->key[k]->key, elem->key[k]->value);
        }
    }
}

/* The text without blanks and without what is not printable: it becomes one word of a line. */
static void set_path(struct sl_device_subscription *subscription, struct sl_str text)
{
    size_t len = sl_min_size(text.len, sizeof(subscription->path) - 1);

    for (size_t i = 0; i < len; i++) {
        char byte = text.data[i];

        subscription->path[i] = byte > ' ' && byte <= '~' ? byte : '.';
    }
    subscription->path[len] = '\0';
}

static bool is_sampled(const Gnmi__Subscription *asked)
{
    return asked->mode == GNMI__SUBSCRIPTION_MODE__SAMPLE && asked->sample_interval > 0;
}

static int64_t interval_of(const Gnmi__Subscription *asked)
{
    uint64_t interval = asked->sample_interval;

    if (!is_sampled(asked)) {
        return DEFAULT_INTERVAL_NS;
    }
    interval = sl_min_u64(interval, (uint64_t)MAX_INTERVAL_NS);
    return (int64_t)sl_max_u64(interval, (uint64_t)MIN_INTERVAL_NS);
}

/* Marks the leaves that `pattern` selects. Returns how many are new. */
static uint32_t mark(bool *selected, uint32_t count, const struct sl_device_pattern *pattern)
{
    uint32_t marked = 0;

    for (uint32_t leaf = 0; leaf < count; leaf++) {
        if (!selected[leaf] && sl_device_leaf_matches(leaf, pattern)) {
            selected[leaf] = true;
            marked++;
        }
    }
    return marked;
}

static bool keep_selected(struct sl_device_subscription *subscription, const bool *selected,
                          uint32_t count)
{
    uint32_t kept = 0;

    if (subscription->leaf_count == 0 || subscription->leaf_count == count) {
        return true;
    }
    subscription->leaves = calloc(subscription->leaf_count, sizeof(*subscription->leaves));
    if (!subscription->leaves) {
        return false;
    }
    for (uint32_t leaf = 0; leaf < count; leaf++) {
        if (selected[leaf]) {
            subscription->leaves[kept++] = leaf;
        }
    }
    return true;
}

static struct sl_status read_paths(struct sl_device_subscription *subscription,
                                   const Gnmi__SubscriptionList *list, bool *selected,
                                   uint32_t count, struct sl_buf *text)
{
    subscription->is_sampled = true;
    for (size_t i = 0; i < list->n_subscription; i++) {
        const Gnmi__Subscription *asked = list->subscription[i];
        struct sl_device_pattern pattern = {.count = 0};
        int64_t interval_ns = interval_of(asked);

        if (!add_elems(&pattern, list->prefix) || !add_elems(&pattern, asked->path)) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "a path has more than %d elements",
                                   (int)SL_DEVICE_MAX_PATH_ELEMS);
        }
        add_text(text, &pattern);
        if (i == 0 || interval_ns < subscription->interval_ns) {
            subscription->interval_ns = interval_ns;
        }
        subscription->is_sampled = subscription->is_sampled && is_sampled(asked);
        if (!is_other_origin(list->prefix) && !is_other_origin(asked->path)) {
            subscription->leaf_count += mark(selected, count, &pattern);
        }
    }
    return sl_status_ok();
}

static struct sl_status read_list(struct sl_device_subscription *subscription,
                                  const Gnmi__SubscriptionList *list,
                                  const struct sl_device_leaves *table)
{
    struct sl_status status = check_list(list);
    struct sl_buf text;
    bool *selected;

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    selected = calloc(table->count + 1, sizeof(*selected));
    if (!selected) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    sl_buf_init(&text, 0);
    subscription->updates_only = list->updates_only;
    if (list->prefix) {
        snprintf(subscription->target, sizeof(subscription->target), "%s", list->prefix->target);
    }
    status = read_paths(subscription, list, selected, table->count, &text);
    if (sl_status_is_ok(&status)) {
        set_path(subscription, sl_buf_str(&text));
        if (!keep_selected(subscription, selected, table->count)) {
            status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        }
    }
    sl_buf_fini(&text);
    free(selected);
    return status;
}

struct sl_status sl_device_subscription_init(struct sl_device_subscription *subscription,
                                             struct sl_str request,
                                             const struct sl_device_leaves *table)
{
    struct bound bound = {.left_bytes = SL_DEVICE_MAX_UNPACKED_BYTES};
    ProtobufCAllocator allocator = {
        .alloc = bounded_alloc, .free = bounded_free, .allocator_data = &bound};
    Gnmi__SubscribeRequest *unpacked;
    struct sl_status status;

    *subscription = (struct sl_device_subscription){.leaves = NULL};
    if (request.len > SL_DEVICE_MAX_REQUEST_BYTES) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "the request has more than %d bytes",
                               (int)SL_DEVICE_MAX_REQUEST_BYTES);
    }
    unpacked =
        gnmi__subscribe_request__unpack(&allocator, request.len, (const uint8_t *)request.data);
    if (!unpacked && bound.has_refused) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "the request unpacks to more than %d bytes",
                               (int)SL_DEVICE_MAX_UNPACKED_BYTES);
    }
    if (!unpacked) {
        return sl_status_error(SL_INVALID_ARGUMENT, "the message is not a SubscribeRequest");
    }
    if (unpacked->request_case == GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE) {
        status = read_list(subscription, unpacked->subscribe, table);
    } else {
        status = sl_status_error(SL_INVALID_ARGUMENT, "the first message is not a subscribe");
    }
    gnmi__subscribe_request__free_unpacked(unpacked, &allocator);
    return status;
}

void sl_device_subscription_fini(struct sl_device_subscription *subscription)
{
    free(subscription->leaves);
    subscription->leaves = NULL;
}
