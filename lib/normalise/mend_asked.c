#include "normalise/mend_asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "normalise/mend.h"

/* One path that was asked for, the prefix in front of it. */
struct asked_path {
    const Gnmi__Path *prefix; /* or NULL */
    Gnmi__Path *path;
};

struct sl_mend_asked {
    Gnmi__Path *prefix; /* of all; or NULL */
    size_t count;
    size_t last; /* the path that matched last: neighbours match the same */
    struct asked_path paths[];
};

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

static bool parse_all(struct sl_mend_asked *asked, const struct sl_gnmi_subscribe *subscribe)
{
    struct sl_status why;
    size_t elems = 0;

    if (subscribe->prefix) {
        asked->prefix = sl_gnmi_path_parse(sl_str_from(subscribe->prefix), &why);
        if (!asked->prefix) {
            return false;
        }
    }
    for (size_t i = 0; i < subscribe->asked_count; i++) {
        for (const char *const *path = subscribe->asked[i].paths; *path; path++) {
            struct asked_path *row = &asked->paths[asked->count];

            row->prefix = asked->prefix;
            row->path = sl_gnmi_path_parse(sl_str_from(*path), &why);
            if (!row->path) {
                return false;
            }
            asked->count++;
            elems += row->path->n_elem;
        }
    }
    return elems <= SL_MEND_MAX_ASKED_ELEMS;
}

struct sl_mend_asked *sl_mend_asked_new(const struct sl_gnmi_subscribe *subscribe)
{
    size_t room = count_paths(subscribe);
    struct sl_mend_asked *asked = calloc(1, sizeof(*asked) + room * sizeof(asked->paths[0]));

    if (asked && !parse_all(asked, subscribe)) {
        sl_mend_asked_free(asked);
        return NULL;
    }
    return asked;
}

void sl_mend_asked_free(struct sl_mend_asked *asked)
{
    if (!asked) {
        return;
    }
    for (size_t i = 0; i < asked->count; i++) {
        gnmi__path__free_unpacked(asked->paths[i].path, NULL);
    }
    if (asked->prefix) {
        gnmi__path__free_unpacked(asked->prefix, NULL);
    }
    free(asked);
}

static const Gnmi__PathElem *elem_at(const struct asked_path *asked, size_t at)
{
    size_t above = asked->prefix ? asked->prefix->n_elem : 0;

    if (at < above) {
        return asked->prefix->elem[at];
    }
    return at - above < asked->path->n_elem ? asked->path->elem[at - above] : NULL;
}

static bool is_wild(const char *text)
{
    return strcmp(text, "*") == 0;
}

/* A key that only one of the two has does not tell them apart. */
static bool has_other_key(const Gnmi__PathElem *asked, struct sl_gnmi_elem elem)
{
    struct sl_gnmi_key key;

    while (sl_gnmi_elem_next_key(&elem, &key)) {
        for (size_t i = 0; i < asked->n_key; i++) {
            if (sl_str_eq_c(key.name, asked->key[i]->key) && !is_wild(asked->key[i]->value) &&
                !sl_str_eq_c(key.value, asked->key[i]->value)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_same(const Gnmi__PathElem *asked, const struct sl_gnmi_elem *elem)
{
    struct sl_str wanted = sl_gnmi_without_module(sl_str_from(asked->name));

    if (!is_wild(asked->name) && !sl_str_eq(wanted, sl_gnmi_without_module(elem->name))) {
        return false;
    }
    return !has_other_key(asked, *elem);
}

/* Goes on from the element `*at` of what was asked for. False: it is another path. `is_decided`:
 * whatever comes belongs to it. */
static bool follow(const struct asked_path *asked, size_t *at, struct sl_gnmi_path path,
                   bool *is_decided)
{
    struct sl_gnmi_elem elem;

    while (!*is_decided && sl_gnmi_path_next(&path, &elem)) {
        const Gnmi__PathElem *wanted = elem_at(asked, *at);

        if (elem.name.len == 0) { /* keys of the element before it */
            wanted = *at > 0 ? elem_at(asked, *at - 1) : NULL;
            if (wanted && has_other_key(wanted, elem)) {
                return false;
            }
            continue;
        }
        if (!wanted || strcmp(wanted->name, "...") == 0) {
            *is_decided = true;
        } else if (!is_same(wanted, &elem)) {
            return false;
        }
        ++*at;
    }
    return true;
}

static bool matches(const struct asked_path *asked, struct sl_gnmi_path prefix,
                    struct sl_gnmi_path path)
{
    bool is_decided = false;
    size_t at = 0;

    return follow(asked, &at, prefix, &is_decided) && follow(asked, &at, path, &is_decided);
}

bool sl_mend_is_asked(struct sl_mend_asked *asked, struct sl_gnmi_path prefix,
                      struct sl_gnmi_path path)
{
    if (asked->last < asked->count && matches(&asked->paths[asked->last], prefix, path)) {
        return true;
    }
    for (size_t i = 0; i < asked->count; i++) {
        if (matches(&asked->paths[i], prefix, path)) {
            asked->last = i;
            return true;
        }
    }
    return false;
}
