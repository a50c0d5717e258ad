#include "normalise/intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

enum { FIRST_SLOTS = 16 };

/* What the entries of both tables begin with. */
struct sl_intern_head {
    uint64_t hash;
};

struct sl_intern_prefix {
    struct sl_intern_head head;
    size_t len;
    char bytes[];
};

struct sl_intern_path {
    struct sl_intern_head head;
    const struct sl_intern_prefix *prefix;
    struct sl_intern_path *next; /* the one that followed it last time, or NULL */
    struct sl_fragment fragment; /* its text stands behind the path */
    size_t len;
    char bytes[];
};

/* ---- memory ---- */

void *sl_intern_reserve(struct sl_encoder_memory *memory, size_t bytes)
{
    if (memory->used_bytes > memory->limit_bytes ||
        bytes > memory->limit_bytes - memory->used_bytes) {
        return NULL;
    }
    void *block = malloc(bytes);

    if (block) {
        memory->used_bytes += bytes;
    }
    return block;
}

void sl_intern_give_back(struct sl_encoder_memory *memory, void *block, size_t bytes)
{
    SL_ASSERT(memory->used_bytes >= bytes);
    memory->used_bytes -= bytes;
    free(block);
}

static size_t prefix_bytes(size_t len)
{
    return sizeof(struct sl_intern_prefix) + len;
}

static size_t path_bytes(size_t len, const struct sl_fragment *fragment)
{
    return sizeof(struct sl_intern_path) + len + fragment->len;
}

/* ---- tables ---- */

static size_t slots_bytes(size_t slot_count)
{
    return slot_count * sizeof(struct sl_intern_head *);
}

static void put(struct sl_intern_table *table, struct sl_intern_head *entry)
{
    SL_ASSERT(table->used < table->slot_count);
    size_t at = entry->hash & (table->slot_count - 1);

    while (table->slots[at]) {
        at = (at + 1) & (table->slot_count - 1);
    }
    table->slots[at] = entry;
}

/* Makes room for one more; at most two thirds of the slots are used. */
static bool make_room(struct sl_intern_table *table, struct sl_encoder_memory *memory)
{
    struct sl_intern_table old = *table;

    if ((table->used + 1) * 3 <= table->slot_count * 2) {
        return true;
    }
    size_t slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOTS;
    struct sl_intern_head **slots = sl_intern_reserve(memory, slots_bytes(slot_count));

    if (!slots) {
        return false;
    }
    memset(slots, 0, slots_bytes(slot_count));
    table->slots = slots;
    table->slot_count = slot_count;
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i]) {
            put(table, old.slots[i]);
        }
    }
    sl_intern_give_back(memory, old.slots, slots_bytes(old.slot_count));
    return true;
}

/* ---- prefixes ---- */

static bool is_prefix(const struct sl_intern_prefix *prefix, struct sl_str bytes)
{
    return prefix->len == bytes.len && memcmp(prefix->bytes, bytes.data, bytes.len) == 0;
}

static const struct sl_intern_prefix *find_prefix(const struct sl_intern_table *table,
                                                  uint64_t hash, struct sl_str bytes)
{
    if (!table->slot_count) {
        return NULL;
    }
    for (size_t at = hash;; at++) {
        const void *slot = table->slots[at & (table->slot_count - 1)];
        const struct sl_intern_prefix *prefix = slot;
        if (!prefix || (prefix->head.hash == hash && is_prefix(prefix, bytes))) {
            return prefix;
        }
    }
}

static const struct sl_intern_prefix *add_prefix(struct sl_intern *intern, uint64_t hash,
                                                 struct sl_str bytes)
{
    struct sl_intern_prefix *prefix = NULL;

    if (make_room(&intern->prefixes, intern->memory)) {
        prefix = sl_intern_reserve(intern->memory, prefix_bytes(bytes.len));
    }
    if (prefix) {
        prefix->head.hash = hash;
        prefix->len = bytes.len;
        memcpy(prefix->bytes, bytes.data, bytes.len);
        put(&intern->prefixes, &prefix->head);
        intern->prefixes.used++;
    }
    return prefix;
}

const struct sl_intern_prefix *sl_intern_prefix(struct sl_intern *intern, struct sl_str bytes)
{
    const struct sl_intern_path *guess = intern->last ? intern->last->next : NULL;

    bytes.data = bytes.data ? bytes.data : "";
    if (guess && is_prefix(guess->prefix, bytes)) {
        return guess->prefix;
    }
    uint64_t hash = XXH3_64bits_withSeed(bytes.data, bytes.len, intern->seed);
    const struct sl_intern_prefix *prefix = find_prefix(&intern->prefixes, hash, bytes);

    return prefix ? prefix : add_prefix(intern, hash, bytes);
}

/* ---- paths ---- */

static bool is_path(const struct sl_intern_path *entry, const struct sl_intern_prefix *prefix,
                    struct sl_str path)
{
    return entry->prefix == prefix && entry->len == path.len &&
           memcmp(entry->bytes, path.data, path.len) == 0;
}

static uint64_t hash_path(const struct sl_intern_prefix *prefix, struct sl_str path)
{
    return XXH3_64bits_withSeed(path.data, path.len, prefix->head.hash);
}

static struct sl_intern_path *find_path(const struct sl_intern_table *table, uint64_t hash,
                                        const struct sl_intern_prefix *prefix, struct sl_str path)
{
    if (!table->slot_count) {
        return NULL;
    }
    for (size_t at = hash;; at++) {
        void *slot = table->slots[at & (table->slot_count - 1)];
        struct sl_intern_path *entry = slot;
        if (!entry || (entry->head.hash == hash && is_path(entry, prefix, path))) {
            return entry;
        }
    }
}

static void note_last(struct sl_intern *intern, struct sl_intern_path *entry)
{
    if (intern->last) {
        intern->last->next = entry;
    }
    intern->last = entry;
}

bool sl_intern_find(struct sl_intern *intern, const struct sl_intern_prefix *prefix,
                    struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_intern_path *entry = intern->last ? intern->last->next : NULL;

    path.data = path.data ? path.data : "";
    if (entry && is_path(entry, prefix, path)) {
        intern->last = entry;
    } else {
        entry = find_path(&intern->paths, hash_path(prefix, path), prefix, path);
        if (!entry) {
            return false;
        }
        note_last(intern, entry);
    }
    *fragment = entry->fragment;
    return true;
}

bool sl_intern_add(struct sl_intern *intern, const struct sl_intern_prefix *prefix,
                   struct sl_str path, const struct sl_fragment *fragment)
{
    struct sl_intern_path *entry = NULL;

    path.data = path.data ? path.data : "";
    if (make_room(&intern->paths, intern->memory)) {
        entry = sl_intern_reserve(intern->memory, path_bytes(path.len, fragment));
    }
    if (!entry) {
        return false;
    }
    entry->head.hash = hash_path(prefix, path);
    entry->prefix = prefix;
    entry->next = NULL;
    entry->len = path.len;
    memcpy(entry->bytes, path.data, path.len);
    memcpy(entry->bytes + path.len, fragment->text, fragment->len);
    entry->fragment = *fragment;
    entry->fragment.text = entry->bytes + path.len;
    put(&intern->paths, &entry->head);
    intern->paths.used++;
    note_last(intern, entry);
    return true;
}

const struct sl_fragment *sl_intern_last(const struct sl_intern *intern)
{
    return intern->last ? &intern->last->fragment : NULL;
}

/* ---- lifetime ---- */

void sl_intern_init(struct sl_intern *intern, struct sl_encoder_memory *memory)
{
    *intern = (struct sl_intern){.memory = memory};
    if (getrandom(&intern->seed, sizeof(intern->seed), GRND_NONBLOCK) < 0) {
        intern->seed = (uint64_t)(uintptr_t)intern * UINT64_C(0x9e3779b97f4a7c15);
    }
}

void sl_intern_fini(struct sl_intern *intern)
{
    for (size_t i = 0; i < intern->paths.slot_count; i++) {
        void *slot = intern->paths.slots[i];
        struct sl_intern_path *entry = slot;
        if (entry) {
            sl_intern_give_back(intern->memory, entry, path_bytes(entry->len, &entry->fragment));
        }
    }
    for (size_t i = 0; i < intern->prefixes.slot_count; i++) {
        void *slot = intern->prefixes.slots[i];
        struct sl_intern_prefix *prefix = slot;
        if (prefix) {
            sl_intern_give_back(intern->memory, prefix, prefix_bytes(prefix->len));
        }
    }
    sl_intern_give_back(intern->memory, intern->paths.slots, slots_bytes(intern->paths.slot_count));
    sl_intern_give_back(intern->memory, intern->prefixes.slots,
                        slots_bytes(intern->prefixes.slot_count));
    *intern = (struct sl_intern){0};
}
