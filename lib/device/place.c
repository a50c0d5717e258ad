#include "device/tree.h"

#include <string.h>

#include "gnmi/path.h"

/* The name without the module in front of it. The text is the caller's. */
static char *bare(char *name)
{
    size_t module = sl_gnmi_module_of(sl_str_from(name)).len;

    return module ? name + module + 1 : name;
}

static bool is_native(const char *origin)
{
    return *origin != '\0';
}

static struct sl_status check_keys(const Gnmi__PathElem *elem)
{
    if (elem->n_key > SL_DEVICE_MAX_TREE_KEYS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "an element has more than %d keys",
                               (int)SL_DEVICE_MAX_TREE_KEYS);
    }
    for (size_t i = 0; i < elem->n_key; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(elem->key[i]->key, elem->key[j]->key) == 0) {
                return sl_status_error(SL_INVALID_ARGUMENT, "a key comes twice in one element");
            }
        }
    }
    return sl_status_ok();
}

static struct sl_status add_elem(struct sl_device_place *place, const Gnmi__PathElem *elem)
{
    Gnmi__PathElem *added = &place->elems[place->count];

    if (*elem->name == '\0') {
        return sl_status_error(SL_INVALID_ARGUMENT, "an element has no name");
    }
    *added = *elem;
    added->name = is_native(place->origin) ? elem->name : bare(elem->name);
    place->count++;
    return check_keys(elem);
}

/* The deprecated strings count where there are no others: clients send both. */
static struct sl_status add_elems(struct sl_device_place *place, const Gnmi__Path *path)
{
    struct sl_status status = sl_status_ok();
    size_t count = path->n_elem > 0 ? path->n_elem : path->n_element;

    if (count > SL_DEVICE_MAX_TREE_ELEMS - place->count) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "a path has more than %d elements",
                               (int)SL_DEVICE_MAX_TREE_ELEMS);
    }
    for (size_t i = 0; i < count && sl_status_is_ok(&status); i++) {
        Gnmi__PathElem named = GNMI__PATH_ELEM__INIT;

        if (path->n_elem == 0) {
            named.name = path->element[i];
        }
        if (path->n_elem == 0 && strchr(path->element[i], '[')) {
            return sl_status_error(SL_INVALID_ARGUMENT, "a key in the deprecated `element`");
        }
        status = add_elem(place, path->n_elem > 0 ? path->elem[i] : &named);
    }
    return status;
}

struct sl_status sl_device_place_init(struct sl_device_place *place, const Gnmi__Path *prefix,
                                      const Gnmi__Path *path)
{
    const char *above = prefix ? prefix->origin : "";
    const char *origin = path ? path->origin : "";
    struct sl_status status = sl_status_ok();

    place->count = 0;
    if (*above && *origin) {
        return sl_status_error(SL_INVALID_ARGUMENT, "an origin in prefix and path");
    }
    place->origin = *above ? above : origin;
    if (strcmp(place->origin, "openconfig") == 0) {
        place->origin = "";
    }
    if (prefix) {
        status = add_elems(place, prefix);
    }
    if (path && sl_status_is_ok(&status)) {
        status = add_elems(place, path);
    }
    return status;
}

bool sl_device_place_is_concrete(const struct sl_device_place *place)
{
    for (size_t i = 0; i < place->count; i++) {
        const Gnmi__PathElem *elem = &place->elems[i];

        if (strcmp(elem->name, "*") == 0 || strcmp(elem->name, "...") == 0) {
            return false;
        }
        for (size_t k = 0; k < elem->n_key; k++) {
            if (strcmp(elem->key[k]->value, "*") == 0) {
                return false;
            }
        }
    }
    return true;
}

const char *sl_device_key_value(const Gnmi__PathElem *elem, const char *name)
{
    for (size_t i = 0; i < elem->n_key; i++) {
        if (strcmp(elem->key[i]->key, name) == 0) {
            return elem->key[i]->value;
        }
    }
    return NULL;
}

static bool elem_selects(const Gnmi__PathElem *asked, const Gnmi__PathElem *elem)
{
    if (strcmp(asked->name, "*") != 0 && strcmp(asked->name, elem->name) != 0) {
        return false;
    }
    for (size_t i = 0; i < asked->n_key; i++) {
        const char *value = sl_device_key_value(elem, asked->key[i]->key);

        if (!value ||
            (strcmp(asked->key[i]->value, "*") != 0 && strcmp(asked->key[i]->value, value) != 0)) {
            return false;
        }
    }
    return true;
}

bool sl_device_place_selects(const struct sl_device_place *place, const struct sl_device_leaf *leaf,
                             size_t *consumed)
{
    const Gnmi__Path *path = leaf->path;
    size_t at = 0;              /* in the place */
    size_t index = 0;           /* in the leaf's path */
    size_t retry_at = SIZE_MAX; /* behind the last `...` */
    size_t retry_index = 0;     /* where the next attempt behind it begins */

    if (strcmp(place->origin, leaf->origin) != 0) {
        return false;
    }
    while (at < place->count) {
        const Gnmi__PathElem *elem = &place->elems[at];

        if (strcmp(elem->name, "...") == 0) {
            retry_at = ++at;
            retry_index = index;
        } else if (index < path->n_elem && elem_selects(elem, path->elem[index])) {
            at++;
            index++;
        } else if (retry_at != SIZE_MAX && retry_index < path->n_elem) {
            at = retry_at;
            index = ++retry_index;
        } else {
            return false;
        }
    }
    *consumed = index;
    return true;
}
