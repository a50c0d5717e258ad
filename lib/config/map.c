/* A map from its keys and values: keys are texts, each once; "<<" brings those of other maps. */
#include <stdlib.h>
#include <string.h>

#include "config/document.h"

/* One entry on its way into a map: those of the map itself come before those of merged ones. */
struct candidate {
    struct sl_config_entry entry;
    bool is_merged;
    bool is_dropped;
    uint32_t slot; /* in the finished map */
};

struct candidates {
    struct candidate *list;
    uint32_t *by_key;
    size_t count;
};

static bool is_merge_key(const struct sl_config_node *key)
{
    return key->is_plain && strcmp(key->text, "<<") == 0;
}

/* How many entries the value of a "<<" stands for; an error when it is not made of maps. */
static size_t count_merged(struct sl_config *config, const struct sl_config_node *value)
{
    size_t count = 0;
    size_t sources = value->kind == SL_CONFIG_LIST ? value->count : 1;

    for (size_t i = 0; i < sources; i++) {
        const struct sl_config_node *source = sl_config_item(value, i);
        if (source->kind != SL_CONFIG_MAP) {
            sl_config_error(config, source, "'<<' takes a map or a list of maps, found %s",
                            sl_config_kind_name(source->kind));
            continue;
        }
        count += source->count;
    }
    return count;
}

static void add_merged(struct candidates *candidates, const struct sl_config_node *value)
{
    size_t sources = value->kind == SL_CONFIG_LIST ? value->count : 1;

    for (size_t i = 0; i < sources; i++) {
        const struct sl_config_node *source = sl_config_item(value, i);
        size_t count = source->kind == SL_CONFIG_MAP ? source->count : 0;
        for (size_t j = 0; j < count; j++) {
            candidates->list[candidates->count++] =
                (struct candidate){.entry = source->entries[j], .is_merged = true};
        }
    }
}

static int compare_keys(const void *a, const void *b, void *arg)
{
    const struct candidate *list = arg;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    int order = strcmp(list[x].entry.key->text, list[y].entry.key->text);

    return order ? order : (x > y) - (x < y);
}

/* Of several with one key the first stays. That is an error only among those of the map itself. */
static void drop_doubles(struct sl_config *config, struct candidates *candidates)
{
    const struct candidate *kept = NULL;

    for (size_t i = 0; i < candidates->count; i++) {
        struct candidate *next = &candidates->list[candidates->by_key[i]];
        const struct sl_config_node *key = next->entry.key;
        if (!kept || strcmp(kept->entry.key->text, key->text) != 0) {
            kept = next;
            continue;
        }
        next->is_dropped = true;
        if (!next->is_merged) {
            sl_config_error(config, key, "key '%.*s' stands here twice; first at line %u",
                            SL_CONFIG_QUOTE_BYTES, key->text, kept->entry.key->line);
        }
    }
}

static bool collect(struct sl_config *config, const struct sl_config_node *const *items,
                    size_t count, struct candidates *candidates)
{
    size_t most = count / 2;

    for (size_t i = 0; i < count; i += 2) {
        const struct sl_config_node *key = items[i];
        if (key->kind != SL_CONFIG_SCALAR) {
            sl_config_error(config, key, "expected a key, which is text, found %s",
                            sl_config_kind_name(key->kind));
        } else if (is_merge_key(key)) {
            most += count_merged(config, items[i + 1]);
        }
    }
    candidates->list = calloc(most + 1, sizeof(*candidates->list));
    candidates->by_key = calloc(most + 1, sizeof(*candidates->by_key));
    if (!candidates->list || !candidates->by_key) {
        return false;
    }
    for (size_t i = 0; i < count; i += 2) {
        if (items[i]->kind == SL_CONFIG_SCALAR && !is_merge_key(items[i])) {
            candidates->list[candidates->count++] =
                (struct candidate){.entry = {items[i], items[i + 1]}};
        }
    }
    for (size_t i = 0; i < count; i += 2) {
        if (items[i]->kind == SL_CONFIG_SCALAR && is_merge_key(items[i])) {
            add_merged(candidates, items[i + 1]);
        }
    }
    return true;
}

static bool take_over(struct sl_config *config, struct candidates *candidates,
                      struct sl_config_node *map)
{
    struct sl_config_entry *entries = sl_config_alloc(config, candidates->count, sizeof(*entries));
    uint32_t *by_key = sl_config_alloc(config, candidates->count, sizeof(*by_key));
    uint32_t at = 0;

    if (!entries || !by_key) {
        return false;
    }
    for (size_t i = 0; i < candidates->count; i++) {
        if (!candidates->list[i].is_dropped) {
            candidates->list[i].slot = map->count;
            entries[map->count++] = candidates->list[i].entry;
        }
    }
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *candidate = &candidates->list[candidates->by_key[i]];
        if (!candidate->is_dropped) {
            by_key[at++] = candidate->slot;
        }
    }
    map->entries = entries;
    map->by_key = by_key;
    return true;
}

bool sl_config_build_map(struct sl_config *config, const struct sl_config_node *const *items,
                         size_t count, struct sl_config_node *map)
{
    struct candidates candidates = {0};
    bool is_done = collect(config, items, count, &candidates);

    if (is_done) {
        for (uint32_t i = 0; i < candidates.count; i++) {
            candidates.by_key[i] = i;
        }
        qsort_r(candidates.by_key, candidates.count, sizeof(*candidates.by_key), compare_keys,
                candidates.list);
        drop_doubles(config, &candidates);
        is_done = take_over(config, &candidates, map);
    }
    free(candidates.list);
    free(candidates.by_key);
    return is_done;
}
