#include "gnmi/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct shaping {
    Gnmi__SubscriptionList *list;
    const struct sl_gnmi_profile *profile;
    uint32_t *in_force;
};

static bool does(const struct shaping *shaping, uint32_t work)
{
    return (shaping->profile->vendor->workarounds & work) != 0;
}

static void choose_encoding(const struct shaping *shaping, enum sl_gnmi_encoding asked)
{
    enum sl_gnmi_encoding chosen = sl_gnmi_profile_encoding(shaping->profile, (int)asked);

    shaping->list->encoding = (Gnmi__Encoding)chosen;
    if (asked != SL_GNMI_AUTO_ENCODING && asked != chosen) {
        *shaping->in_force |= SL_GNMI_WORK(OTHER_ENCODING);
    }
}

/* ---- origins ---- */

/* The origin, which the path has no more; to be freed. NULL: there was none. */
static char *take_origin(Gnmi__Path *path)
{
    const Gnmi__Path empty = GNMI__PATH__INIT;
    char *origin = path && *path->origin ? path->origin : NULL;

    if (origin) {
        path->origin = empty.origin;
    }
    return origin;
}

static Gnmi__PathElem *first_elem(const Gnmi__Path *path)
{
    return path && path->n_elem > 0 ? path->elem[0] : NULL;
}

/* "huawei-ifm" and "ifm" become "huawei-ifm:ifm"; "openconfig" names no module. */
static bool set_module(Gnmi__PathElem *elem, const char *origin)
{
    struct sl_buf name = {.data = NULL};
    char *joined;

    if (!elem || strchr(elem->name, ':') || strcmp(origin, "openconfig") == 0) {
        return true;
    }
    sl_buf_printf(&name, "%s:%s", origin, elem->name);
    joined = name.failed ? NULL : sl_str_dup(sl_buf_str(&name));
    sl_buf_fini(&name);
    if (!joined) {
        return false;
    }
    if (*elem->name) { /* "" is protobuf-c's own */
        free(elem->name);
    }
    elem->name = joined;
    return true;
}

/* The module of the prefix's origin stands before the first element there is of each path. */
static bool move_prefix_origin(const struct shaping *shaping)
{
    Gnmi__SubscriptionList *list = shaping->list;
    char *origin = take_origin(list->prefix);
    bool is_done = true;

    if (!origin) {
        return true;
    }
    *shaping->in_force |= SL_GNMI_WORK(ORIGIN_AS_MODULE);
    if (first_elem(list->prefix)) {
        is_done = set_module(first_elem(list->prefix), origin);
    }
    for (size_t i = 0; !first_elem(list->prefix) && i < list->n_subscription && is_done; i++) {
        is_done = set_module(first_elem(list->subscription[i]->path), origin);
    }
    free(origin);
    return is_done;
}

static bool move_origins(const struct shaping *shaping)
{
    bool is_done = move_prefix_origin(shaping);

    for (size_t i = 0; i < shaping->list->n_subscription && is_done; i++) {
        Gnmi__Path *path = shaping->list->subscription[i]->path;
        char *origin = take_origin(path);

        if (origin) {
            *shaping->in_force |= SL_GNMI_WORK(ORIGIN_AS_MODULE);
            is_done = set_module(first_elem(path), origin);
            free(origin);
        }
    }
    return is_done;
}

/* ---- the prefix ---- */

static bool is_empty(const Gnmi__Path *path)
{
    return path->n_elem == 0 && path->n_element == 0 && !*path->origin && !*path->target;
}

static bool shape_prefix(const struct shaping *shaping)
{
    Gnmi__SubscriptionList *list = shaping->list;

    if (list->prefix && is_empty(list->prefix) && does(shaping, SL_GNMI_WORK(NO_EMPTY_PREFIX))) {
        gnmi__path__free_unpacked(list->prefix, NULL);
        list->prefix = NULL;
        *shaping->in_force |= SL_GNMI_WORK(NO_EMPTY_PREFIX);
    }
    if (!list->prefix && does(shaping, SL_GNMI_WORK(ALWAYS_PREFIX))) {
        list->prefix = malloc(sizeof(*list->prefix));
        if (!list->prefix) {
            return false;
        }
        gnmi__path__init(list->prefix);
        *shaping->in_force |= SL_GNMI_WORK(ALWAYS_PREFIX);
    }
    return true;
}

/* ---- subscriptions ---- */

static void shape_pace(const struct shaping *shaping, Gnmi__Subscription *subscription)
{
    const struct sl_gnmi_vendor *vendor = shaping->profile->vendor;
    uint64_t least_ns = (uint64_t)vendor->min_sample_s * SL_NS_PER_S;
    uint64_t most_ns = (uint64_t)vendor->max_sample_s * SL_NS_PER_S;

    if (subscription->mode == GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED &&
        shaping->profile->lacks_target_defined) {
        subscription->mode = GNMI__SUBSCRIPTION_MODE__SAMPLE;
        subscription->sample_interval = (uint64_t)SL_GNMI_SAMPLED_INSTEAD_S * SL_NS_PER_S;
        *shaping->in_force |= SL_GNMI_WORK(SAMPLED_INSTEAD);
    }
    if (subscription->sample_interval == 0) {
        return; /* as often as the device can */
    }
    if (subscription->sample_interval < least_ns) {
        subscription->sample_interval = least_ns;
        *shaping->in_force |= SL_GNMI_WORK(LONGER_INTERVAL);
    }
    if (most_ns > 0 && subscription->sample_interval > most_ns) {
        subscription->sample_interval = most_ns;
        *shaping->in_force |= SL_GNMI_WORK(SHORTER_INTERVAL);
    }
}

struct asked_once {
    struct sl_str path; /* the bytes: one parser makes all paths, so that equal ones have equal */
    Gnmi__Subscription *subscription;
    size_t place;
};

static int by_path(const void *left, const void *right)
{
    const struct asked_once *one = left;
    const struct asked_once *other = right;
    int order = sl_str_cmp(one->path, other->path);

    if (order != 0) {
        return order;
    }
    return one->place < other->place ? -1 : 1;
}

static size_t path_size(const Gnmi__Subscription *subscription)
{
    return subscription->path ? gnmi__path__get_packed_size(subscription->path) : 0;
}

/* Fills a row for each subscription; their bytes lie in `bytes`, which has room for all. */
static void pack_paths(const Gnmi__SubscriptionList *list, struct asked_once *rows, uint8_t *bytes)
{
    for (size_t i = 0; i < list->n_subscription; i++) {
        Gnmi__Subscription *subscription = list->subscription[i];
        size_t size = path_size(subscription);

        if (size > 0) {
            gnmi__path__pack(subscription->path, bytes);
        }
        rows[i] = (struct asked_once){{(const char *)bytes, size}, subscription, i};
        bytes += size;
    }
}

/* Of those with one path the first stays where it is. */
static void drop_later(const struct shaping *shaping, struct asked_once *rows)
{
    Gnmi__SubscriptionList *list = shaping->list;
    size_t count = list->n_subscription;

    qsort(rows, count, sizeof(*rows), by_path);
    for (size_t i = 1; i < count; i++) {
        if (sl_str_eq(rows[i].path, rows[i - 1].path)) {
            gnmi__subscription__free_unpacked(rows[i].subscription, NULL);
            list->subscription[rows[i].place] = NULL;
            *shaping->in_force |= SL_GNMI_WORK(PATHS_ONCE);
        }
    }
    list->n_subscription = 0;
    for (size_t i = 0; i < count; i++) {
        if (list->subscription[i]) {
            list->subscription[list->n_subscription++] = list->subscription[i];
        }
    }
}

static bool ask_once(const struct shaping *shaping)
{
    const Gnmi__SubscriptionList *list = shaping->list;
    struct asked_once *rows = calloc(list->n_subscription + 1, sizeof(*rows));
    size_t size = 1;
    uint8_t *bytes;

    for (size_t i = 0; i < list->n_subscription; i++) {
        size += path_size(list->subscription[i]);
    }
    bytes = malloc(size);
    if (rows && bytes) {
        pack_paths(list, rows, bytes);
        drop_later(shaping, rows);
    }
    bool is_done = rows && bytes;

    free(rows);
    free(bytes);
    return is_done;
}

static void leave_models(const struct shaping *shaping)
{
    Gnmi__SubscriptionList *list = shaping->list;

    for (size_t i = 0; i < list->n_use_models; i++) {
        gnmi__model_data__free_unpacked(list->use_models[i], NULL);
        *shaping->in_force |= SL_GNMI_WORK(NO_MODELS);
    }
    list->n_use_models = 0;
}

bool sl_gnmi_shape(Gnmi__SubscriptionList *list, enum sl_gnmi_encoding encoding,
                   const struct sl_gnmi_profile *profile, uint32_t *in_force)
{
    const struct shaping shaping = {list, profile, in_force};

    choose_encoding(&shaping, encoding);
    for (size_t i = 0; i < list->n_subscription; i++) {
        shape_pace(&shaping, list->subscription[i]);
    }
    if (does(&shaping, SL_GNMI_WORK(NO_MODELS))) {
        leave_models(&shaping);
    }
    if (does(&shaping, SL_GNMI_WORK(ORIGIN_AS_MODULE)) && !move_origins(&shaping)) {
        return false;
    }
    if (does(&shaping, SL_GNMI_WORK(PATHS_ONCE)) && !ask_once(&shaping)) {
        return false;
    }
    return shape_prefix(&shaping);
}
