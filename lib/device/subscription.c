#include "device/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/answer.h"

struct bound {
    size_t left_bytes;
    bool has_refused; /* for the limit, or for want of memory */
};

static void *bounded_alloc(void *arg, size_t size)
{
    struct bound *bound = arg;

    if (size > bound->left_bytes) {
        bound->has_refused = true;
        return NULL;
    }
    void *block = malloc(size);

    bound->left_bytes -= size;
    bound->has_refused = bound->has_refused || !block;
    return block;
}

static void bounded_free(void *arg, void *pointer)
{
    (void)arg;
    free(pointer);
}

static struct sl_status invalid(const char *why)
{
    return sl_status_error(SL_INVALID_ARGUMENT, "%s", why);
}

static struct sl_status check_list(const Gnmi__SubscriptionList *list)
{
    if (list->mode > GNMI__SUBSCRIPTION_LIST__MODE__POLL) {
        return invalid("the mode of the list is not known");
    }
    if (list->encoding > GNMI__ENCODING__JSON_IETF) {
        return sl_status_error(SL_UNIMPLEMENTED, "the simulator does not know encoding %u",
                               (unsigned)list->encoding);
    }
    if (list->n_subscription == 0) {
        return invalid("the request has no subscription");
    }
    if (list->n_subscription > SL_DEVICE_MAX_SUBSCRIPTIONS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d subscriptions",
                               (int)SL_DEVICE_MAX_SUBSCRIPTIONS);
    }
    if (list->prefix && strlen(list->prefix->target) >= SL_DEVICE_MAX_TARGET_BYTES) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "prefix.target has more than %d bytes",
                               SL_DEVICE_MAX_TARGET_BYTES - 1);
    }
    if (list->qos && list->qos->marking > SL_DEVICE_MAX_QOS) {
        return invalid("qos.marking is no DSCP");
    }
    for (size_t i = 0; i < list->n_use_models; i++) {
        if (!sl_device_knows_model(list->use_models[i])) {
            return invalid("a model is not known: Capabilities tells which are");
        }
    }
    return sl_status_ok();
}

static bool has_origin(const Gnmi__Path *path)
{
    return path && *path->origin;
}

static struct sl_status check_asked(const Gnmi__SubscriptionList *list,
                                    const Gnmi__Subscription *asked)
{
    bool is_sampled = asked->mode == GNMI__SUBSCRIPTION_MODE__SAMPLE;
    uint64_t interval = asked->sample_interval;
    uint64_t heartbeat = asked->heartbeat_interval;

    if (asked->mode > GNMI__SUBSCRIPTION_MODE__SAMPLE) {
        return invalid("the mode of a subscription is not known");
    }
    if (asked->mode == GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED && interval > 0) {
        return invalid("TARGET_DEFINED takes no sample_interval");
    }
    if (is_sampled && interval > 0 && interval < SL_DEVICE_MIN_INTERVAL_NS) {
        return invalid("the shortest sample_interval is 1 ms");
    }
    if (heartbeat > 0 && heartbeat < SL_DEVICE_MIN_INTERVAL_NS) {
        return invalid("the shortest heartbeat_interval is 1 ms");
    }
    if (has_origin(list->prefix) && has_origin(asked->path)) {
        return invalid("an origin in prefix and path");
    }
    return sl_status_ok();
}

struct sl_status sl_device_subscription_check(const Gnmi__SubscriptionList *list)
{
    struct sl_status status = check_list(list);

    for (size_t i = 0; i < list->n_subscription && sl_status_is_ok(&status); i++) {
        status = check_asked(list, list->subscription[i]);
    }
    return status;
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

/* The pace that is asked for; without leaves. */
static struct sl_device_part part_of(const Gnmi__Subscription *asked)
{
    bool is_sampled = asked->mode == GNMI__SUBSCRIPTION_MODE__SAMPLE;
    uint64_t heartbeat = sl_min_u64(asked->heartbeat_interval, (uint64_t)SL_DEVICE_MAX_INTERVAL_NS);
    uint64_t interval = sl_min_u64(asked->sample_interval, (uint64_t)SL_DEVICE_MAX_INTERVAL_NS);
    struct sl_device_part part = {.interval_ns = is_sampled ? (int64_t)interval : 0};

    part.only_changes = asked->mode == GNMI__SUBSCRIPTION_MODE__ON_CHANGE ||
                        (is_sampled && asked->suppress_redundant);
    if (part.only_changes) {
        part.heartbeat_ns = (int64_t)heartbeat;
        part.interval_ns = part.interval_ns > 0 ? part.interval_ns : SL_DEVICE_LOOK_NS;
    }
    return part;
}

/* The index of the part with this pace, which is a new one where there is none yet. */
static uint32_t find_part(struct sl_device_subscription *subscription,
                          const struct sl_device_part *wanted)
{
    uint32_t i = 0;

    for (; i < subscription->part_count; i++) {
        const struct sl_device_part *part = &subscription->parts[i];
        if (part->interval_ns == wanted->interval_ns &&
            part->heartbeat_ns == wanted->heartbeat_ns &&
            part->only_changes == wanted->only_changes) {
            return i;
        }
    }
    subscription->parts[i] = *wanted;
    subscription->part_count++;
    return i;
}

/* What is read of one request. */
struct reading {
    struct sl_device_subscription *subscription;
    const Gnmi__SubscriptionList *list;
    const struct sl_device_leaves *table;
    uint32_t part_of[SL_DEVICE_MAX_SUBSCRIPTIONS];
    bool *selected; /* of one part, per leaf */
    size_t left;    /* leaves that may be selected yet */
};

/* The leaves from the first to the last selected one follow one another, or are listed. */
static struct sl_status keep_selected(struct reading *reading, struct sl_device_part *part)
{
    const bool *selected = reading->selected;
    uint32_t last = 0;
    uint32_t kept = 0;

    for (uint32_t leaf = 0; leaf < reading->table->count; leaf++) {
        if (selected[leaf]) {
            part->selection.first = part->selection.count == 0 ? leaf : part->selection.first;
            part->selection.count++;
            last = leaf;
        }
    }
    if (part->selection.count == 0 || last - part->selection.first + 1 == part->selection.count) {
        return sl_status_ok();
    }
    if (part->selection.count > reading->left) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "the paths select too many leaves twice");
    }
    reading->left -= part->selection.count;
    part->leaves = calloc(part->selection.count, sizeof(*part->leaves));
    if (!part->leaves) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    for (uint32_t leaf = part->selection.first; leaf <= last; leaf++) {
        if (selected[leaf]) {
            part->leaves[kept++] = leaf;
        }
    }
    part->selection.leaves = part->leaves;
    return sl_status_ok();
}

static void mark(struct reading *reading, const Gnmi__Subscription *asked)
{
    struct sl_device_pattern pattern = {.count = 0};

    if (is_other_origin(reading->list->prefix) || is_other_origin(asked->path) ||
        !add_elems(&pattern, reading->list->prefix) || !add_elems(&pattern, asked->path)) {
        return; /* read_asked has refused what is too long */
    }
    for (uint32_t leaf = 0; leaf < reading->table->count; leaf++) {
        reading->selected[leaf] =
            reading->selected[leaf] || sl_device_leaf_matches(reading->table, leaf, &pattern);
    }
}

static struct sl_status select_leaves(struct reading *reading)
{
    struct sl_status status = sl_status_ok();

    for (uint32_t i = 0; i < reading->subscription->part_count && sl_status_is_ok(&status); i++) {
        memset(reading->selected, 0, reading->table->count * sizeof(*reading->selected));
        for (size_t j = 0; j < reading->list->n_subscription; j++) {
            if (reading->part_of[j] == i) {
                mark(reading, reading->list->subscription[j]);
            }
        }
        status = keep_selected(reading, &reading->subscription->parts[i]);
    }
    return status;
}

static struct sl_status read_asked(struct reading *reading, size_t i, struct sl_buf *text)
{
    const Gnmi__Subscription *asked = reading->list->subscription[i];
    struct sl_status status = sl_status_ok();
    struct sl_device_pattern pattern = {.count = 0};
    struct sl_device_part part = part_of(asked);

    if (!add_elems(&pattern, reading->list->prefix) || !add_elems(&pattern, asked->path)) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "a path has more than %d elements",
                               (int)SL_DEVICE_MAX_PATH_ELEMS);
    }
    add_text(text, &pattern);
    reading->part_of[i] = find_part(reading->subscription, &part);
    return status;
}

static struct sl_status read_paths(struct reading *reading)
{
    struct sl_status status = sl_status_ok();
    struct sl_buf text;

    sl_buf_init(&text, 0);
    for (size_t i = 0; i < reading->list->n_subscription && sl_status_is_ok(&status); i++) {
        status = read_asked(reading, i, &text);
    }
    set_path(reading->subscription, sl_buf_str(&text));
    sl_buf_fini(&text);
    return sl_status_is_ok(&status) ? select_leaves(reading) : status;
}

static struct sl_status read_list(struct sl_device_subscription *subscription,
                                  const Gnmi__SubscriptionList *list,
                                  const struct sl_device_leaves *table)
{
    struct reading reading = {.subscription = subscription, .list = list, .table = table};
    struct sl_status status = sl_device_subscription_check(list);

    if (sl_status_is_ok(&status) && list->mode != GNMI__SUBSCRIPTION_LIST__MODE__STREAM) {
        status = sl_status_error(SL_UNIMPLEMENTED, "numbered messages are for mode STREAM alone");
    }
    if (!sl_status_is_ok(&status)) {
        return status;
    }
    reading.left = (size_t)table->count * SL_DEVICE_MAX_OVERLAP;
    reading.selected = calloc(table->count + 1, sizeof(*reading.selected));
    subscription->parts = calloc(list->n_subscription, sizeof(*subscription->parts));
    subscription->encoding = list->encoding;
    subscription->updates_only = list->updates_only;
    if (list->prefix) {
        snprintf(subscription->target, sizeof(subscription->target), "%s", list->prefix->target);
    }
    if (reading.selected && subscription->parts) {
        status = read_paths(&reading);
    } else {
        status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    free(reading.selected);
    if (!sl_status_is_ok(&status)) {
        sl_device_subscription_fini(subscription);
    }
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

    *subscription = (struct sl_device_subscription){.parts = NULL};
    if (request.len > SL_DEVICE_MAX_REQUEST_BYTES) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "the request has more than %d bytes",
                               (int)SL_DEVICE_MAX_REQUEST_BYTES);
    }
    unpacked =
        gnmi__subscribe_request__unpack(&allocator, request.len, (const uint8_t *)request.data);
    if (!unpacked && bound.has_refused) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED,
                               "the request unpacks to more than %d bytes, or memory is out",
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
    for (uint32_t i = 0; i < subscription->part_count; i++) {
        free(subscription->parts[i].leaves);
    }
    free(subscription->parts);
    subscription->parts = NULL;
    subscription->part_count = 0;
}
