/* items.h - named spans, sorted by name: the members of a JSON object, or the leaves made of it. */
#ifndef SLUICE_NORMALISE_ITEMS_H
#define SLUICE_NORMALISE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct sl_item {
    uint32_t name_at; /* in the bytes `names` that the functions are given, never NULL */
    uint32_t name_len;
    uint32_t from; /* what the name stands for: a range of bytes, or of leaves */
    uint32_t to;
};

/* Bytewise by name: below 0, 0, or above 0. */
int sl_items_compare(const struct sl_item *a, const struct sl_item *b, const char *names);

/* Sorts by name; what has the same name stays in its order. At most n log n comparisons whatever
 * the order was. False, with nothing moved, when memory is out. */
bool sl_items_sort(struct sl_item *items, size_t count, const char *names) SL_MUST_CHECK;

/* Keeps the last of each run of items with one name and returns how many are left. Where `leaves`
 * is not NULL the spans are ranges of it, and those of the dropped items become dead. */
size_t sl_items_drop_repeated(struct sl_item *items, size_t count, const char *names,
                              struct sl_item *leaves);

/* Moves the living together and returns how many there are. */
size_t sl_items_drop_dead(struct sl_item *items, size_t count);

#endif
