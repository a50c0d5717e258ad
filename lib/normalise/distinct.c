#include "normalise/distinct.h"

#include <sys/random.h>
#include <xxhash.h>

#include "gnmi/rewrite.h"
#include "gnmi/wire.h"

enum { UPDATE = 4, UPDATE_PATH = 1, FIRST_SLOTS = 64 };

struct slot {
    uint64_t hash;
    struct sl_str path;
    uint32_t stamp; /* another than the notification's: free */
    uint32_t update;
};

void sl_distinct_fini(struct sl_distinct *distinct)
{
    sl_buf_fini(&distinct->slots);
    sl_buf_fini(&distinct->dead);
    sl_buf_fini(&distinct->message);
}

/* ---- the table ---- */

static bool clear(struct sl_distinct *distinct, size_t slots)
{
    size_t size = slots * sizeof(struct slot);

    sl_buf_reset(&distinct->slots);
    if (!sl_buf_reserve(&distinct->slots, size)) {
        return false;
    }
    memset(distinct->slots.data, 0, size);
    distinct->slots.len = size;
    distinct->stamp = 0;
    if (!distinct->seed && getrandom(&distinct->seed, sizeof(distinct->seed), GRND_NONBLOCK) < 0) {
        distinct->seed = (uint64_t)(uintptr_t)distinct * UINT64_C(0x9e3779b97f4a7c15);
    }
    return true;
}

/* Room for so many paths, and none in it: twice as many slots, a power of two. */
static bool begin(struct sl_distinct *distinct, uint32_t paths)
{
    size_t slots = FIRST_SLOTS;

    while (slots < (size_t)paths * 2) {
        slots *= 2;
    }
    size_t bytes = slots * sizeof(struct slot);
    bool is_spare = distinct->slots.len > SL_DISTINCT_KEPT_BYTES && bytes < distinct->slots.len;

    if (is_spare) {
        sl_buf_fini(&distinct->slots);
    }
    if (distinct->slots.len < bytes || distinct->stamp == UINT32_MAX) {
        if (!clear(distinct, slots)) {
            return false;
        }
    }
    distinct->stamp++;
    sl_buf_trim(&distinct->dead, SL_DISTINCT_KEPT_BYTES);
    return sl_buf_reserve(&distinct->dead, paths);
}

/* The slot of the path: its own, or a free one. */
static struct slot *find(struct sl_distinct *distinct, struct sl_str path, uint64_t hash)
{
    struct slot *slots = (void *)distinct->slots.data;
    size_t mask = distinct->slots.len / sizeof(struct slot) - 1;

    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct slot *slot = &slots[at];
        if (slot->stamp != distinct->stamp || (slot->hash == hash && sl_str_eq(slot->path, path))) {
            return slot; /* what another notification left there points nowhere any more */
        }
    }
}

/* ---- updates ---- */

static struct sl_str path_of(struct sl_str update)
{
    struct sl_wire wire = sl_wire_of(update);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, UPDATE_PATH, SL_WIRE_BYTES)) {
            return field.bytes;
        }
    }
    return (struct sl_str){NULL, 0};
}

/* Marks what a later update outdoes; how many those are. */
static uint32_t mark_dead(struct sl_distinct *distinct, const struct sl_gnmi_response *response,
                          uint32_t count)
{
    struct sl_wire wire = sl_wire_of(response->notification);
    struct sl_wire_field field;
    uint32_t update = 0;
    uint32_t dead = 0;

    while (update < count && sl_wire_next(&wire, &field)) {
        if (!sl_wire_is(&field, UPDATE, SL_WIRE_BYTES)) {
            continue;
        }
        struct sl_str path = path_of(field.bytes);
        uint64_t hash = XXH3_64bits_withSeed(path.data, path.len, distinct->seed);
        struct slot *slot = find(distinct, path, hash);
        if (slot->stamp == distinct->stamp) {
            distinct->dead.data[slot->update] = true;
            dead++;
        }
        *slot = (struct slot){hash, path, distinct->stamp, update};
        distinct->dead.data[update++] = false;
    }
    return dead;
}

static bool rewrite(struct sl_distinct *distinct, const struct sl_gnmi_response *response,
                    uint32_t count, struct sl_gnmi_response *made)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_rewrite rewrite;
    struct sl_gnmi_update update;
    struct sl_str path;

    sl_buf_trim(&distinct->message, SL_DISTINCT_KEPT_BYTES);
    sl_gnmi_rewrite_begin(&rewrite, response, &distinct->message);
    for (uint32_t i = 0; sl_gnmi_next_update(&cursor, &update); i++) {
        if (i >= count || !distinct->dead.data[i]) {
            sl_gnmi_rewrite_add_update(&rewrite, update.path, &update);
        }
    }
    cursor = sl_gnmi_response_begin(response);
    while (sl_gnmi_next_delete(&cursor, &path)) {
        sl_gnmi_rewrite_add_delete(&rewrite, path);
    }
    return sl_gnmi_rewrite_end(&rewrite, made);
}

const struct sl_gnmi_response *sl_distinct_apply(struct sl_distinct *distinct,
                                                 const struct sl_gnmi_response *response,
                                                 struct sl_gnmi_response *made)
{
    uint32_t count =
        response->updates < SL_DISTINCT_MAX_UPDATES ? response->updates : SL_DISTINCT_MAX_UPDATES;

    if (count < 2) {
        return response;
    }
    if (!begin(distinct, count)) {
        return NULL;
    }
    if (mark_dead(distinct, response, count) == 0) {
        return response;
    }
    return rewrite(distinct, response, count, made) ? made : NULL;
}
