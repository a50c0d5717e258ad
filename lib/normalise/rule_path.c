#include "normalise/rule_path.h"

#include <string.h>

#include "gnmi/path_build.h"

/* ---- elements ---- */

void sl_rule_path_set_origin(struct sl_rule_path *path, struct sl_str origin)
{
    path->is_changed = path->is_changed || !sl_str_eq(path->origin, origin);
    path->origin = origin;
}

void sl_rule_path_set_target(struct sl_rule_path *path, struct sl_str target)
{
    path->is_changed = path->is_changed || !sl_str_eq(path->target, target);
    path->target = target;
}

void sl_rule_path_set_elem(struct sl_rule_path *path, size_t elem, struct sl_str name)
{
    SL_ASSERT(elem < path->elem_count);
    path->is_changed = path->is_changed || !sl_str_eq(path->elems[elem], name);
    path->elems[elem] = name;
}

void sl_rule_path_remove_elems(struct sl_rule_path *path, size_t from, size_t count)
{
    size_t kept = 0;

    SL_ASSERT(from + count <= path->elem_count);
    memmove(&path->elems[from], &path->elems[from + count],
            (path->elem_count - from - count) * sizeof(path->elems[0]));
    path->elem_count -= count;
    for (size_t i = 0; i < path->key_count; i++) {
        struct sl_rule_key key = path->keys[i];
        if (key.elem < from || key.elem >= from + count) {
            key.elem -= key.elem < from ? 0 : count;
            path->keys[kept++] = key;
        }
    }
    path->key_count = kept;
    path->is_changed = path->is_changed || count > 0;
}

bool sl_rule_path_insert_elem(struct sl_rule_path *path, size_t at, struct sl_str name)
{
    SL_ASSERT(at <= path->elem_count);
    if (path->elem_count == SL_RULE_MAX_ELEMS) {
        return false;
    }
    memmove(&path->elems[at + 1], &path->elems[at],
            (path->elem_count - at) * sizeof(path->elems[0]));
    path->elems[at] = name;
    path->elem_count++;
    for (size_t i = 0; i < path->key_count; i++) {
        path->keys[i].elem += path->keys[i].elem >= at;
    }
    path->is_changed = true;
    return true;
}

/* ---- keys ---- */

void sl_rule_path_remove_key(struct sl_rule_path *path, size_t at)
{
    SL_ASSERT(at < path->key_count);
    memmove(&path->keys[at], &path->keys[at + 1],
            (path->key_count - at - 1) * sizeof(path->keys[0]));
    path->key_count--;
    path->is_changed = true;
}

bool sl_rule_path_set_key(struct sl_rule_path *path, size_t elem, struct sl_str name,
                          struct sl_str value)
{
    size_t at = 0;

    while (at < path->key_count && path->keys[at].elem <= elem) {
        struct sl_rule_key *key = &path->keys[at++];
        if (key->elem == elem && sl_str_eq(key->key.name, name)) {
            path->is_changed = path->is_changed || !sl_str_eq(key->key.value, value);
            key->key.value = value;
            return true;
        }
    }
    if (path->key_count == SL_RULE_MAX_KEYS) {
        return false;
    }
    memmove(&path->keys[at + 1], &path->keys[at], (path->key_count - at) * sizeof(path->keys[0]));
    path->keys[at] = (struct sl_rule_key){elem, {name, value}};
    path->key_count++;
    path->is_changed = true;
    return true;
}

/* ---- labels ---- */

static struct sl_gnmi_key *find_label(struct sl_rule_path *path, struct sl_str name)
{
    for (size_t i = 0; i < path->label_count; i++) {
        if (sl_str_eq(path->labels[i].name, name)) {
            return &path->labels[i];
        }
    }
    return NULL;
}

/* One that is there has data. */
static struct sl_str or_empty(struct sl_str value)
{
    return value.data ? value : SL_STR("");
}

struct sl_str sl_rule_path_label(const struct sl_rule_path *path, struct sl_str name)
{
    const struct sluice_map *others = path->target_labels;

    for (size_t i = 0; i < path->label_count; i++) {
        if (sl_str_eq(path->labels[i].name, name)) {
            return or_empty(path->labels[i].value);
        }
    }
    for (size_t i = 0; others && i < others->count; i++) {
        if (sl_str_eq_c(name, others->pairs[i].name)) {
            return or_empty(sl_str_from(others->pairs[i].value));
        }
    }
    return (struct sl_str){0};
}

bool sl_rule_path_set_label(struct sl_rule_path *path, struct sl_str name, struct sl_str value)
{
    struct sl_gnmi_key *label = find_label(path, name);

    if (!label) {
        if (path->label_count == SL_RULE_MAX_LABELS) {
            return false;
        }
        label = &path->labels[path->label_count++];
        label->name = name;
        label->value = (struct sl_str){0};
        path->is_changed = true;
    }
    path->is_changed = path->is_changed || !sl_str_eq(label->value, value);
    label->value = value;
    return true;
}

void sl_rule_path_remove_label(struct sl_rule_path *path, struct sl_str name)
{
    struct sl_gnmi_key *label = find_label(path, name);

    if (label) {
        struct sl_gnmi_key *end = &path->labels[path->label_count];
        memmove(label, label + 1, (size_t)(end - label - 1) * sizeof(*label));
        path->label_count--;
        path->is_changed = true;
    }
}

/* ---- reading ---- */

void sl_rule_path_init(struct sl_rule_path *path, const struct sluice_map *target_labels,
                       bool is_delete)
{
    path->origin = path->target = (struct sl_str){0};
    path->elem_count = path->key_count = path->label_count = 0;
    path->target_labels = target_labels;
    path->is_delete = is_delete;
    path->is_changed = false;
}

bool sl_rule_path_add(struct sl_rule_path *path, struct sl_str bytes)
{
    bool was_changed = path->is_changed;
    struct sl_gnmi_path read;
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;

    sl_gnmi_path_read(bytes, &read);
    path->origin = read.origin.len ? read.origin : path->origin;
    path->target = read.target.len ? read.target : path->target;
    while (sl_gnmi_path_next(&read, &elem)) {
        if (path->elem_count == SL_RULE_MAX_ELEMS) {
            return false;
        }
        path->elems[path->elem_count++] = elem.name;
        while (sl_gnmi_elem_next_key(&elem, &key)) {
            if (!sl_rule_path_set_key(path, path->elem_count - 1, key.name, key.value)) {
                return false;
            }
        }
    }
    while (sl_gnmi_path_next_label(&read, &key)) {
        if (!sl_rule_path_set_label(path, key.name, key.value)) {
            return false;
        }
    }
    path->is_changed = was_changed;
    return true;
}

/* ---- writing ---- */

static bool is_same_elem(const struct sl_rule_path *a, const struct sl_rule_path *b, size_t elem,
                         size_t *a_key, size_t *b_key)
{
    if (!sl_str_eq(a->elems[elem], b->elems[elem])) {
        return false;
    }
    while (*a_key < a->key_count && a->keys[*a_key].elem == elem) {
        if (*b_key == b->key_count || b->keys[*b_key].elem != elem ||
            !sl_str_eq(a->keys[*a_key].key.name, b->keys[*b_key].key.name) ||
            !sl_str_eq(a->keys[*a_key].key.value, b->keys[*b_key].key.value)) {
            return false;
        }
        ++*a_key;
        ++*b_key;
    }
    return *b_key == b->key_count || b->keys[*b_key].elem != elem;
}

bool sl_rule_path_is_below(const struct sl_rule_path *path, const struct sl_rule_path *prefix)
{
    size_t key = 0;
    size_t prefix_key = 0;

    if (prefix->elem_count > path->elem_count || (prefix->origin.len && !path->origin.len)) {
        return false;
    }
    for (size_t i = 0; i < prefix->elem_count; i++) {
        if (!is_same_elem(path, prefix, i, &key, &prefix_key)) {
            return false;
        }
    }
    return true;
}

struct sl_str sl_rule_path_build(const struct sl_rule_path *path, size_t from, bool has_origin,
                                 bool has_target, bool has_labels, struct sl_buf *out)
{
    struct sl_gnmi_path_build build;
    size_t key = 0;

    sl_gnmi_path_build_begin(&build, out);
    if (has_origin) {
        sl_gnmi_path_build_origin(&build, path->origin);
    }
    while (key < path->key_count && path->keys[key].elem < from) {
        key++;
    }
    for (size_t i = from; i < path->elem_count; i++) {
        sl_gnmi_path_build_elem(&build, path->elems[i]);
        for (; key < path->key_count && path->keys[key].elem == i; key++) {
            sl_gnmi_path_build_key(&build, path->keys[key].key.name, path->keys[key].key.value);
        }
    }
    if (has_target) {
        sl_gnmi_path_build_target(&build, path->target);
    }
    for (size_t i = 0; has_labels && i < path->label_count; i++) {
        sl_gnmi_path_build_label(&build, path->labels[i].name, path->labels[i].value);
    }
    return sl_gnmi_path_build_end(&build);
}
