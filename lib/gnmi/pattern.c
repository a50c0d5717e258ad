#include "gnmi/pattern.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHT_OF_ELEM = 1 << 16 }; /* above that of all fixed names and keys of a path's text */

struct sl_gnmi_pattern {
    Gnmi__Path *prefix; /* or NULL */
    Gnmi__Path *path;
    struct sl_str origin;
    uint32_t weight;
    size_t count;
    const Gnmi__PathElem *elems[];
};

/* ---- one word ---- */

static bool is_any(struct sl_str word)
{
    return sl_str_eq(word, SL_STR("*"));
}

static bool is_deep(const Gnmi__PathElem *elem)
{
    return strcmp(elem->name, "...") == 0;
}

/* A module's name counts where both have one. */
static bool is_name(struct sl_str a, struct sl_str b)
{
    struct sl_str bare_a = sl_gnmi_without_module(a);
    struct sl_str bare_b = sl_gnmi_without_module(b);
    bool both = bare_a.len < a.len && bare_b.len < b.len;

    return both ? sl_str_eq(a, b) : sl_str_eq(bare_a, bare_b);
}

static bool names_meet(struct sl_str a, struct sl_str b)
{
    return is_any(a) || is_any(b) || is_name(a, b);
}

static bool origins_meet(struct sl_str a, struct sl_str b)
{
    return !a.len || !b.len || sl_str_eq(a, b);
}

/* ---- lifetime ---- */

static void add_elems(struct sl_gnmi_pattern *pattern, const Gnmi__Path *path)
{
    for (size_t i = 0; path && i < path->n_elem; i++) {
        const Gnmi__PathElem *elem = path->elem[i];
        pattern->elems[pattern->count++] = elem;
        if (is_deep(elem)) {
            continue;
        }
        pattern->weight += WEIGHT_OF_ELEM;
        pattern->weight += !is_any(sl_str_from(elem->name));
        for (size_t k = 0; k < elem->n_key; k++) {
            pattern->weight += !is_any(sl_str_from(elem->key[k]->value));
        }
    }
}

struct sl_gnmi_pattern *sl_gnmi_pattern_new(const char *prefix, const char *path,
                                            struct sl_status *why)
{
    Gnmi__Path *first = prefix ? sl_gnmi_path_parse(sl_str_from(prefix), why) : NULL;
    Gnmi__Path *second = prefix && !first ? NULL : sl_gnmi_path_parse(sl_str_from(path), why);
    size_t count = second ? second->n_elem + (first ? first->n_elem : 0) : 0;
    struct sl_gnmi_pattern *pattern =
        second ? calloc(1, sizeof(*pattern) + count * sizeof(pattern->elems[0])) : NULL;

    if (!pattern) {
        if (second) {
            *why = sl_status_out_of_memory();
            gnmi__path__free_unpacked(second, NULL);
        }
        if (first) {
            gnmi__path__free_unpacked(first, NULL);
        }
        return NULL;
    }
    pattern->prefix = first;
    pattern->path = second;
    bool has_own = second->origin && second->origin[0];
    pattern->origin = sl_str_from(has_own || !first ? second->origin : first->origin);
    add_elems(pattern, first);
    add_elems(pattern, second);
    return pattern;
}

void sl_gnmi_pattern_free(struct sl_gnmi_pattern *pattern)
{
    if (!pattern) {
        return;
    }
    if (pattern->prefix) {
        gnmi__path__free_unpacked(pattern->prefix, NULL);
    }
    gnmi__path__free_unpacked(pattern->path, NULL);
    free(pattern);
}

/* ---- two patterns ---- */

static const char *value_of(const Gnmi__PathElem *elem, const char *name)
{
    for (size_t i = 0; i < elem->n_key; i++) {
        if (strcmp(elem->key[i]->key, name) == 0) {
            return elem->key[i]->value;
        }
    }
    return "*";
}

static bool elems_meet(const Gnmi__PathElem *a, const Gnmi__PathElem *b)
{
    if (!names_meet(sl_str_from(a->name), sl_str_from(b->name))) {
        return false;
    }
    for (size_t i = 0; i < a->n_key; i++) {
        struct sl_str mine = sl_str_from(a->key[i]->value);
        struct sl_str theirs = sl_str_from(value_of(b, a->key[i]->key));
        if (!is_any(mine) && !is_any(theirs) && !sl_str_eq(mine, theirs)) {
            return false;
        }
    }
    return true;
}

bool sl_gnmi_patterns_overlap(const struct sl_gnmi_pattern *a, const struct sl_gnmi_pattern *b)
{
    if (!origins_meet(a->origin, b->origin)) {
        return false;
    }
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (is_deep(a->elems[i]) || is_deep(b->elems[i])) {
            return true;
        }
        if (!elems_meet(a->elems[i], b->elems[i])) {
            return false;
        }
    }
    return true;
}

/* ---- a pattern and a place ---- */

static void add_place_elems(struct sl_gnmi_place *place, struct sl_gnmi_path *path)
{
    while (place->count < SL_GNMI_MAX_PLACE_ELEMS &&
           sl_gnmi_path_next(path, &place->elems[place->count])) {
        place->count++;
    }
}

void sl_gnmi_place_read(struct sl_gnmi_place *place, struct sl_str prefix, struct sl_str path)
{
    struct sl_gnmi_path first;
    struct sl_gnmi_path second;

    sl_gnmi_path_read(prefix, &first);
    sl_gnmi_path_read(path, &second);
    place->origin = second.origin.len ? second.origin : first.origin;
    place->count = 0;
    add_place_elems(place, &first);
    add_place_elems(place, &second);
}

/* The last key of that name; false: there is none. */
static bool find_key(const struct sl_gnmi_elem *elem, struct sl_str name, struct sl_str *value)
{
    struct sl_gnmi_elem walk = *elem;
    struct sl_gnmi_key key;
    bool is_found = false;

    while (sl_gnmi_elem_next_key(&walk, &key)) {
        if (sl_str_eq(key.name, name)) {
            *value = key.value;
            is_found = true;
        }
    }
    return is_found;
}

enum fit {
    FIT_NONE,
    FIT_WIDER, /* the place's element has no such key: it stands for all entries of a list */
    FIT_WHOLE,
};

static enum fit fit_elem(const Gnmi__PathElem *asked, const struct sl_gnmi_elem *elem)
{
    enum fit fit = FIT_WHOLE;

    if (!names_meet(sl_str_from(asked->name), elem->name)) {
        return FIT_NONE;
    }
    for (size_t i = 0; i < asked->n_key; i++) {
        struct sl_str wanted = sl_str_from(asked->key[i]->value);
        struct sl_str value = {NULL, 0};
        if (is_any(wanted)) {
            continue;
        }
        if (!find_key(elem, sl_str_from(asked->key[i]->key), &value) || is_any(value)) {
            fit = FIT_WIDER;
        } else if (!sl_str_eq(wanted, value)) {
            return FIT_NONE;
        }
    }
    return fit;
}

/* As a glob: after the last "..." as few elements are left out as will do. */
enum sl_gnmi_relation sl_gnmi_pattern_relation(const struct sl_gnmi_pattern *pattern,
                                               const struct sl_gnmi_place *place, uint32_t *weight)
{
    size_t asked = 0;
    size_t at = 0;
    size_t resume_asked = SIZE_MAX; /* behind the last "..." */
    size_t resume_at = 0;
    bool is_wider = false;

    *weight = pattern->weight;
    if (!origins_meet(pattern->origin, place->origin)) {
        return SL_GNMI_APART;
    }
    while (asked < pattern->count) {
        if (is_deep(pattern->elems[asked])) {
            resume_asked = ++asked;
            resume_at = at;
            continue;
        }
        if (at == place->count) {
            return SL_GNMI_ABOVE;
        }
        enum fit fit = fit_elem(pattern->elems[asked], &place->elems[at]);
        if (fit != FIT_NONE) {
            is_wider = is_wider || fit == FIT_WIDER;
            asked++;
            at++;
        } else if (resume_asked == SIZE_MAX) {
            return SL_GNMI_APART;
        } else {
            asked = resume_asked;
            at = ++resume_at;
        }
    }
    return is_wider ? SL_GNMI_ABOVE : SL_GNMI_ASKED;
}
