/* intern.h - what was worked out for a path, found again by the bytes of its prefix and its path.
 *
 * A device sends the same paths again and again, mostly in the same order. So each entry remembers
 * which one followed it last time, and that one is compared before anything is hashed.
 *
 * The hash is seeded from the system, so that a device cannot choose paths that collide. Every byte
 * is taken from a `sl_encoder_memory`; when that is used up nothing is added any more.
 */
#ifndef SLUICE_NORMALISE_INTERN_H
#define SLUICE_NORMALISE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/str.h"
#include "normalise/encoder.h"
#include "normalise/fragment.h"

struct sl_intern_prefix;
struct sl_intern_path;

struct sl_intern_table {
    struct sl_intern_head **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t used;
};

struct sl_intern {
    struct sl_encoder_memory *memory;
    uint64_t seed;
    struct sl_intern_table prefixes;
    struct sl_intern_table paths;
    struct sl_intern_path *last; /* the entry that was asked for last */
};

void sl_intern_init(struct sl_intern *intern, struct sl_encoder_memory *memory);
void sl_intern_fini(struct sl_intern *intern);

/* The prefix, added if it is new; NULL when there is no room. */
const struct sl_intern_prefix *sl_intern_prefix(struct sl_intern *intern, struct sl_str bytes);

/* The fragment of the path under that prefix; false when there is none yet. */
bool sl_intern_find(struct sl_intern *intern, const struct sl_intern_prefix *prefix,
                    struct sl_str path, struct sl_fragment *fragment);

/* Keeps the fragment of a path that was not found. False: there is no room. */
bool sl_intern_add(struct sl_intern *intern, const struct sl_intern_prefix *prefix,
                   struct sl_str path, const struct sl_fragment *fragment);

/* The fragment that was found or added last; lives as long as the table. NULL: none was. */
const struct sl_fragment *sl_intern_last(const struct sl_intern *intern);

/* Memory that counts; NULL when there is no room for it. */
void *sl_intern_reserve(struct sl_encoder_memory *memory, size_t bytes) SL_MUST_CHECK;
void sl_intern_give_back(struct sl_encoder_memory *memory, void *block, size_t bytes);

#endif
