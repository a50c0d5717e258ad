#include "device/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { LEAF_BYTES = 256 }; /* what a leaf costs beside its message */

static struct sl_status no_memory(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

static struct sl_status too_large(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED,
                           "the tree would have more than %d leaves or %d bytes",
                           (int)SL_DEVICE_MAX_TREE_LEAVES, (int)SL_DEVICE_MAX_TREE_BYTES);
}

/* ---- leaves ---- */

static int compare_elems(const Gnmi__PathElem *a, const Gnmi__PathElem *b)
{
    int order = strcmp(a->name, b->name);

    if (order == 0 && a->n_key != b->n_key) {
        return a->n_key < b->n_key ? -1 : 1;
    }
    for (size_t i = 0; order == 0 && i < a->n_key; i++) {
        order = strcmp(a->key[i]->key, b->key[i]->key);
        order = order ? order : strcmp(a->key[i]->value, b->key[i]->value);
    }
    return order;
}

size_t sl_device_leaf_common(const struct sl_device_leaf *a, const struct sl_device_leaf *b)
{
    size_t least = sl_min_size(a->path->n_elem, b->path->n_elem);
    size_t count = 0;

    while (count < least && compare_elems(a->path->elem[count], b->path->elem[count]) == 0) {
        count++;
    }
    return count;
}

int sl_device_leaf_compare(const struct sl_device_leaf *a, const struct sl_device_leaf *b)
{
    int order = a == b ? 0 : strcmp(a->origin, b->origin);
    size_t common;

    if (order != 0 || a == b) {
        return order;
    }
    common = sl_device_leaf_common(a, b);
    if (common == a->path->n_elem || common == b->path->n_elem) {
        return a->path->n_elem == b->path->n_elem ? 0 : a->path->n_elem < b->path->n_elem ? -1 : 1;
    }
    return compare_elems(a->path->elem[common], b->path->elem[common]);
}

bool sl_device_leaf_equals(const struct sl_device_leaf *a, const struct sl_device_leaf *b)
{
    struct sl_buf both[2] = {{.data = NULL}, {.data = NULL}};
    const Gnmi__TypedValue *values[2] = {a->value, b->value};
    bool is_equal = true;

    for (size_t i = 0; i < 2; i++) {
        size_t size = gnmi__typed_value__get_packed_size(values[i]);

        if (sl_buf_reserve(&both[i], size + 1)) {
            both[i].len = gnmi__typed_value__pack(values[i], (uint8_t *)both[i].data);
        }
        is_equal = is_equal && !both[i].failed;
    }
    is_equal = is_equal && sl_str_eq(sl_buf_str(&both[0]), sl_buf_str(&both[1]));
    sl_buf_fini(&both[0]);
    sl_buf_fini(&both[1]);
    return is_equal;
}

static void free_leaf(struct sl_device_leaf *leaf)
{
    if (leaf->path) {
        gnmi__path__free_unpacked(leaf->path, NULL);
    }
    if (leaf->value) {
        gnmi__typed_value__free_unpacked(leaf->value, NULL);
    }
    free(leaf->origin);
    free(leaf);
}

static void release_leaf(struct sl_device_leaf *leaf)
{
    SL_ASSERT(leaf->holders > 0);
    if (--leaf->holders == 0) {
        free_leaf(leaf);
    }
}

static ProtobufCMessage *copy_message(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    ProtobufCMessage *copy = NULL;

    if (packed) {
        protobuf_c_message_pack(message, packed);
        copy = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);
    }
    free(packed);
    return copy;
}

static int compare_keys(const void *a, const void *b)
{
    const Gnmi__PathElem__KeyEntry *const *one = a;
    const Gnmi__PathElem__KeyEntry *const *other = b;

    return strcmp((*one)->key, (*other)->key);
}

static Gnmi__Path *copy_path(const struct sl_device_place *place)
{
    Gnmi__PathElem copies[SL_DEVICE_MAX_TREE_ELEMS];
    Gnmi__PathElem *elems[SL_DEVICE_MAX_TREE_ELEMS];
    Gnmi__Path path = GNMI__PATH__INIT;
    Gnmi__Path *copy;

    for (size_t i = 0; i < place->count; i++) {
        copies[i] = place->elems[i];
        elems[i] = &copies[i];
    }
    path.n_elem = place->count;
    path.elem = elems;
    copy = (Gnmi__Path *)copy_message(&path.base);
    for (size_t i = 0; copy && i < copy->n_elem; i++) {
        if (copy->elem[i]->n_key > 1) {
            qsort(copy->elem[i]->key, copy->elem[i]->n_key, sizeof(Gnmi__PathElem__KeyEntry *),
                  compare_keys);
        }
    }
    return copy;
}

static bool has_state(const struct sl_device_place *place)
{
    for (size_t i = 0; i < place->count; i++) {
        if (strcmp(place->elems[i].name, "state") == 0) {
            return true;
        }
    }
    return false;
}

static size_t leaf_bytes(const struct sl_device_place *place, const Gnmi__TypedValue *value)
{
    size_t bytes = LEAF_BYTES + gnmi__typed_value__get_packed_size(value);

    for (size_t i = 0; i < place->count; i++) {
        bytes += gnmi__path_elem__get_packed_size(&place->elems[i]);
    }
    return bytes;
}

static struct sl_device_leaf *new_leaf(const struct sl_device_place *place,
                                       const Gnmi__TypedValue *value, int64_t now_ns)
{
    struct sl_device_leaf *leaf = calloc(1, sizeof(*leaf));

    if (!leaf) {
        return NULL;
    }
    leaf->holders = 1;
    leaf->set_ns = now_ns;
    leaf->is_state = has_state(place);
    leaf->bytes = leaf_bytes(place, value);
    leaf->origin = strdup(place->origin);
    leaf->path = copy_path(place);
    leaf->value = (Gnmi__TypedValue *)copy_message(&value->base);
    if (!leaf->origin || !leaf->path || !leaf->value) {
        free_leaf(leaf);
        return NULL;
    }
    return leaf;
}

/* ---- versions ---- */

struct sl_device_tree *sl_device_tree_hold(struct sl_device_tree *tree)
{
    tree->holders++;
    return tree;
}

void sl_device_tree_release(struct sl_device_tree *tree)
{
    if (!tree) {
        return;
    }
    SL_ASSERT(tree->holders > 0);
    if (--tree->holders > 0) {
        return;
    }
    for (size_t i = 0; i < tree->count; i++) {
        release_leaf(tree->leaves[i]);
    }
    free(tree->leaves);
    free(tree);
}

/* ---- edits ---- */

bool sl_device_edit_init(struct sl_device_edit *edit, const struct sl_device_tree *base,
                         int64_t now_ns)
{
    size_t count = base ? base->count : 0;

    *edit = (struct sl_device_edit){.base = base, .now_ns = now_ns};
    edit->entries = calloc(count + 1, sizeof(*edit->entries));
    if (!edit->entries) {
        return false;
    }
    edit->cap = count + 1;
    for (; edit->count < count; edit->count++) {
        struct sl_device_leaf *leaf = base->leaves[edit->count];

        leaf->holders++;
        edit->bytes += leaf->bytes;
        edit->entries[edit->count] = (struct sl_device_entry){leaf, edit->order++, false};
    }
    return true;
}

void sl_device_edit_fini(struct sl_device_edit *edit)
{
    for (size_t i = 0; i < edit->count; i++) {
        release_leaf(edit->entries[i].leaf);
    }
    free(edit->entries);
    *edit = (struct sl_device_edit){.entries = NULL};
}

void sl_device_edit_delete(struct sl_device_edit *edit, const struct sl_device_place *place,
                           bool but_state)
{
    bool keeps_state = but_state && !has_state(place);
    size_t kept = 0;
    size_t consumed;

    for (size_t i = 0; i < edit->count; i++) {
        struct sl_device_leaf *leaf = edit->entries[i].leaf;

        if (sl_device_place_selects(place, leaf, &consumed) && !(keeps_state && leaf->is_state)) {
            edit->bytes -= leaf->bytes;
            release_leaf(leaf);
        } else {
            edit->entries[kept++] = edit->entries[i];
        }
    }
    edit->count = kept;
}

static bool reserve(struct sl_device_edit *edit)
{
    size_t cap = edit->cap * 2;
    struct sl_device_entry *grown;

    if (edit->count < edit->cap) {
        return true;
    }
    grown = realloc(edit->entries, cap * sizeof(*grown));
    if (grown) {
        edit->entries = grown;
        edit->cap = cap;
    }
    return grown != NULL;
}

static struct sl_status put(struct sl_device_edit *edit, const struct sl_device_place *place,
                            const Gnmi__TypedValue *value, bool is_weak)
{
    struct sl_device_leaf *leaf;
    size_t bytes = leaf_bytes(place, value);
    size_t room = is_weak ? 2 : 1; /* most of these are there already, which comes out later */

    if (edit->count >= SL_DEVICE_MAX_TREE_LEAVES * room ||
        edit->bytes + bytes > SL_DEVICE_MAX_TREE_BYTES * room) {
        return too_large();
    }
    leaf = reserve(edit) ? new_leaf(place, value, edit->now_ns) : NULL;
    if (!leaf) {
        return no_memory();
    }
    edit->bytes += bytes;
    edit->entries[edit->count++] = (struct sl_device_entry){leaf, edit->order++, is_weak};
    return sl_status_ok();
}

/* Scalars as text: what a key's value is compared with. */
static bool is_same_text(const Gnmi__TypedValue *value, const char *text)
{
    char number[32];

    switch ((int)value->value_case) {
    case GNMI__TYPED_VALUE__VALUE_STRING_VAL:
        return strcmp(value->string_val, text) == 0;
    case GNMI__TYPED_VALUE__VALUE_INT_VAL:
        snprintf(number, sizeof(number), "%lld", (long long)value->int_val);
        return strcmp(number, text) == 0;
    case GNMI__TYPED_VALUE__VALUE_UINT_VAL:
        snprintf(number, sizeof(number), "%llu", (unsigned long long)value->uint_val);
        return strcmp(number, text) == 0;
    case GNMI__TYPED_VALUE__VALUE_BOOL_VAL:
        return strcmp(value->bool_val ? "true" : "false", text) == 0;
    default:
        return false;
    }
}

struct sl_status sl_device_edit_put(struct sl_device_edit *edit,
                                    const struct sl_device_place *place,
                                    const Gnmi__TypedValue *value)
{
    if (place->count == 0) {
        return sl_status_error(SL_INVALID_ARGUMENT, "the root is no leaf");
    }
    if (place->elems[place->count - 1].n_key > 0) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a list's entry is no leaf");
    }
    if (place->count > 1) {
        const char *name = place->elems[place->count - 1].name;
        const char *key = sl_device_key_value(&place->elems[place->count - 2], name);

        if (key && !is_same_text(value, key)) {
            return sl_status_quote(SL_INVALID_ARGUMENT, "a leaf differs from the key of its name",
                                   sl_str_from(name));
        }
    }
    return put(edit, place, value, false);
}

static int compare_entries(const void *a, const void *b)
{
    const struct sl_device_entry *one = a;
    const struct sl_device_entry *other = b;
    int order = sl_device_leaf_compare(one->leaf, other->leaf);

    if (order == 0 && one->is_weak != other->is_weak) {
        return one->is_weak ? -1 : 1;
    }
    if (order == 0) {
        order = one->order < other->order ? -1 : 1;
    }
    return order;
}

/* In order, each path once. A leaf that was there with the same value stays what it was. */
static void settle(struct sl_device_edit *edit)
{
    size_t kept = 0;

    if (edit->count > 1) {
        qsort(edit->entries, edit->count, sizeof(*edit->entries), compare_entries);
    }
    for (size_t i = 0; i < edit->count; i++) {
        struct sl_device_leaf *leaf = edit->entries[i].leaf;
        struct sl_device_leaf *before = kept > 0 ? edit->entries[kept - 1].leaf : NULL;

        if (!before || sl_device_leaf_compare(before, leaf) != 0) {
            edit->entries[kept++] = edit->entries[i];
            continue;
        }
        if (edit->entries[kept - 1].is_weak || !sl_device_leaf_equals(before, leaf)) {
            edit->entries[kept - 1] = edit->entries[i];
            leaf = before;
        }
        edit->bytes -= leaf->bytes;
        release_leaf(leaf);
    }
    edit->count = kept;
    for (size_t i = 0; i < kept; i++) {
        edit->entries[i].is_weak = false;
    }
}

/* The leaves that the keys of one element of a leaf's path are. */
static struct sl_status put_keys(struct sl_device_edit *edit, const struct sl_device_leaf *leaf,
                                 size_t index)
{
    struct sl_status status = sl_status_ok();
    const Gnmi__PathElem *elem = leaf->path->elem[index];
    struct sl_device_place place = {.origin = leaf->origin, .count = index + 2};

    if (index + 2 > SL_DEVICE_MAX_TREE_ELEMS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "a path has more than %d elements",
                               (int)SL_DEVICE_MAX_TREE_ELEMS);
    }
    for (size_t i = 0; i <= index; i++) {
        place.elems[i] = *leaf->path->elem[i];
    }
    gnmi__path_elem__init(&place.elems[index + 1]);
    for (size_t i = 0; i < elem->n_key && sl_status_is_ok(&status); i++) {
        Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;

        place.elems[index + 1].name = elem->key[i]->key;
        value.value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
        value.string_val = elem->key[i]->value;
        status = put(edit, &place, &value, true);
    }
    return status;
}

/* Each entry of a list has its keys as leaves. */
static struct sl_status complete_keys(struct sl_device_edit *edit)
{
    struct sl_status status = sl_status_ok();
    size_t count = edit->count;

    for (size_t i = 0; i < count; i++) {
        const struct sl_device_leaf *leaf = edit->entries[i].leaf;
        const struct sl_device_leaf *before = i > 0 ? edit->entries[i - 1].leaf : NULL;
        size_t known = before && strcmp(before->origin, leaf->origin) == 0
                           ? sl_device_leaf_common(before, leaf)
                           : 0;

        for (size_t at = known; at < leaf->path->n_elem && sl_status_is_ok(&status); at++) {
            status = put_keys(edit, leaf, at);
        }
    }
    if (sl_status_is_ok(&status)) {
        settle(edit);
    }
    return status;
}

/* Of two neighbours in the order, whether both can be in one tree. */
static struct sl_status check_neighbours(const struct sl_device_leaf *a,
                                         const struct sl_device_leaf *b)
{
    size_t common = sl_device_leaf_common(a, b);
    const Gnmi__PathElem *one;
    const Gnmi__PathElem *other;

    if (strcmp(a->origin, b->origin) != 0) {
        return sl_status_ok();
    }
    if (common == a->path->n_elem) {
        return sl_status_quote(SL_INVALID_ARGUMENT, "a leaf has something below it",
                               sl_str_from(a->path->elem[common - 1]->name));
    }
    one = a->path->elem[common];
    other = b->path->elem[common];
    if (strcmp(one->name, other->name) != 0) {
        return sl_status_ok();
    }
    for (size_t i = 0; i < one->n_key && one->n_key == other->n_key; i++) {
        if (strcmp(one->key[i]->key, other->key[i]->key) != 0) {
            break;
        }
        if (i + 1 == one->n_key) {
            return sl_status_ok();
        }
    }
    return sl_status_quote(SL_INVALID_ARGUMENT, "entries of one list have different keys",
                           sl_str_from(one->name));
}

/* What was taken away and put back is what it was. */
static void share_with_base(struct sl_device_edit *edit)
{
    const struct sl_device_tree *base = edit->base;
    size_t at = 0;

    for (size_t i = 0; base && i < edit->count && at < base->count; i++) {
        struct sl_device_leaf *leaf = edit->entries[i].leaf;
        int order = 1;

        while (at < base->count && order > 0) {
            order = sl_device_leaf_compare(leaf, base->leaves[at]);
            at += order > 0;
        }
        if (order == 0 && leaf != base->leaves[at] &&
            sl_device_leaf_equals(leaf, base->leaves[at])) {
            edit->entries[i].leaf = base->leaves[at];
            base->leaves[at]->holders++;
            release_leaf(leaf);
        }
    }
}

static struct sl_device_tree *new_tree(struct sl_device_edit *edit)
{
    struct sl_device_tree *tree = calloc(1, sizeof(*tree));

    if (tree) {
        tree->leaves = calloc(edit->count + 1, sizeof(struct sl_device_leaf *));
    }
    if (!tree || !tree->leaves) {
        free(tree);
        return NULL;
    }
    tree->holders = 1;
    tree->bytes = edit->bytes;
    tree->count = edit->count;
    for (size_t i = 0; i < edit->count; i++) {
        tree->leaves[i] = edit->entries[i].leaf;
    }
    edit->count = 0;
    return tree;
}

struct sl_device_tree *sl_device_edit_done(struct sl_device_edit *edit, struct sl_status *why)
{
    struct sl_device_tree *tree = NULL;

    settle(edit);
    *why = complete_keys(edit);
    if (sl_status_is_ok(why) &&
        (edit->count > SL_DEVICE_MAX_TREE_LEAVES || edit->bytes > SL_DEVICE_MAX_TREE_BYTES)) {
        *why = too_large();
    }
    for (size_t i = 1; i < edit->count && sl_status_is_ok(why); i++) {
        *why = check_neighbours(edit->entries[i - 1].leaf, edit->entries[i].leaf);
    }
    if (sl_status_is_ok(why)) {
        share_with_base(edit);
        tree = new_tree(edit);
        *why = tree ? sl_status_ok() : no_memory();
    }
    sl_device_edit_fini(edit);
    return tree;
}
