#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "normalise/rules_internal.h"

enum { FIRST_SLOTS = 64 };

/* ---- hashes ---- */

static uint64_t hash_str(uint64_t seed, struct sl_str text)
{
    return XXH3_64bits_withSeed(text.data ? text.data : "", text.len, seed);
}

/* The path one element further; keys count in any order. */
static uint64_t extend(uint64_t hash, struct sl_str name, uint64_t keys)
{
    uint64_t parts[2] = {hash_str(hash, name), keys};

    return XXH3_64bits_withSeed(parts, sizeof(parts), hash);
}

/* Of the keys of an element, which begin at *at; 0 where there are none. */
static uint64_t hash_keys(const struct sl_rule_path *path, size_t elem, size_t *at, uint64_t seed)
{
    uint64_t keys = 0;

    for (; *at < path->key_count && path->keys[*at].elem == elem; ++*at) {
        const struct sl_gnmi_key *key = &path->keys[*at].key;
        keys += hash_str(hash_str(seed, key->name), key->value) | 1;
    }
    return keys;
}

/* ---- the table ---- */

static size_t slots_bytes(size_t slot_count)
{
    return slot_count * sizeof(struct sl_rules_node *);
}

static struct sl_rules_node **slot_of(const struct sl_rules_nodes *nodes, uint64_t hash)
{
    size_t at = hash & (nodes->slot_count - 1);

    while (nodes->slots[at] && nodes->slots[at]->hash != hash) {
        at = (at + 1) & (nodes->slot_count - 1);
    }
    return &nodes->slots[at];
}

/* At most two thirds of the slots are used. */
static bool make_room(struct sl_rules_nodes *nodes)
{
    struct sl_rules_nodes old = *nodes;

    if ((nodes->used + 1) * 3 <= nodes->slot_count * 2) {
        return true;
    }
    size_t slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOTS;
    struct sl_rules_node **slots = sl_intern_reserve(nodes->memory, slots_bytes(slot_count));

    if (!slots) {
        return false;
    }
    memset(slots, 0, slots_bytes(slot_count));
    nodes->slots = slots;
    nodes->slot_count = slot_count;
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i]) {
            *slot_of(nodes, old.slots[i]->hash) = old.slots[i];
        }
    }
    sl_intern_give_back(nodes->memory, old.slots, slots_bytes(old.slot_count));
    return true;
}

static struct sl_rules_node *find(const struct sl_rules_nodes *nodes, uint64_t hash)
{
    return nodes->slot_count ? *slot_of(nodes, hash) : NULL;
}

static struct sl_rules_node *find_or_add(struct sl_rules_nodes *nodes, uint64_t hash)
{
    struct sl_rules_node *node = find(nodes, hash);

    if (node || !make_room(nodes)) {
        return node;
    }
    node = sl_intern_reserve(nodes->memory, sizeof(*node));
    if (node) {
        *node = (struct sl_rules_node){.hash = hash};
        *slot_of(nodes, hash) = node;
        nodes->used++;
    }
    return node;
}

void sl_rules_nodes_init(struct sl_rules_nodes *nodes, struct sl_encoder_memory *memory,
                         uint64_t seed)
{
    *nodes = (struct sl_rules_nodes){.memory = memory, .seed = seed, .clock = 1};
}

void sl_rules_nodes_fini(struct sl_rules_nodes *nodes)
{
    for (size_t i = 0; i < nodes->slot_count; i++) {
        if (nodes->slots[i]) {
            sl_intern_give_back(nodes->memory, nodes->slots[i], sizeof(*nodes->slots[i]));
        }
    }
    sl_intern_give_back(nodes->memory, nodes->slots, slots_bytes(nodes->slot_count));
    *nodes = (struct sl_rules_nodes){0};
}

/* ---- paths ---- */

/* The hashes of a path and of what a delete may name it by: a list without its keys, the last one
 * or all of them. */
struct names {
    uint64_t full;
    uint64_t keyless;
    uint64_t bare;
};

/* False when there is no room. */
static bool link_node(struct sl_rules_nodes *nodes, struct sl_rules_node *node,
                      struct sl_rules_node *parent, const struct names *names)
{
    bool has_keyless = names->keyless != names->full;
    bool has_bare = names->bare != names->full && names->bare != names->keyless;

    if (node->parent) {
        return true;
    }
    node->keyless = has_keyless ? find_or_add(nodes, names->keyless) : NULL;
    node->bare = has_bare ? find_or_add(nodes, names->bare) : NULL;
    if ((has_keyless && !node->keyless) || (has_bare && !node->bare)) {
        return false;
    }
    node->parent = parent;
    return true;
}

struct sl_rules_node *sl_rules_nodes_add(struct sl_rules_nodes *nodes,
                                         const struct sl_rule_path *path)
{
    struct sl_rules_node *parent = find_or_add(nodes, nodes->seed);
    struct names names = {.full = nodes->seed, .bare = nodes->seed};
    size_t at = 0;

    for (size_t i = 0; i < path->elem_count && parent; i++) {
        uint64_t keys = hash_keys(path, i, &at, nodes->seed);
        names.keyless = extend(names.full, path->elems[i], 0);
        names.full = extend(names.full, path->elems[i], keys);
        names.bare = extend(names.bare, path->elems[i], 0);
        struct sl_rules_node *node = find_or_add(nodes, names.full);
        parent = node && link_node(nodes, node, parent, &names) ? node : NULL;
    }
    return parent;
}

static bool has_wildcard(const struct sl_rule_path *path)
{
    for (size_t i = 0; i < path->elem_count; i++) {
        if (sl_str_eq_c(path->elems[i], "*") || sl_str_eq_c(path->elems[i], "...")) {
            return true;
        }
    }
    for (size_t i = 0; i < path->key_count; i++) {
        if (sl_str_eq_c(path->keys[i].key.value, "*")) {
            return true;
        }
    }
    return false;
}

void sl_rules_nodes_delete(struct sl_rules_nodes *nodes, const struct sl_rule_path *path)
{
    uint64_t hash = nodes->seed;
    size_t at = 0;

    if (has_wildcard(path)) {
        sl_rules_nodes_delete_all(nodes);
        return;
    }
    for (size_t i = 0; i < path->elem_count; i++) {
        hash = extend(hash, path->elems[i], hash_keys(path, i, &at, nodes->seed));
    }
    struct sl_rules_node *node = find(nodes, hash);

    if (node) {
        node->deleted_at = ++nodes->clock;
    }
}

void sl_rules_nodes_delete_all(struct sl_rules_nodes *nodes)
{
    nodes->floor = ++nodes->clock;
}

static bool is_deleted(const struct sl_rules_node *node, uint64_t then)
{
    return node && node->deleted_at > then;
}

bool sl_rules_nodes_is_forgotten(const struct sl_rules_nodes *nodes,
                                 const struct sl_rules_node *node, uint64_t then)
{
    if (nodes->floor > then) {
        return true;
    }
    for (; node; node = node->parent) {
        if (is_deleted(node, then) || is_deleted(node->keyless, then) ||
            is_deleted(node->bare, then)) {
            return true;
        }
    }
    return false;
}
