#include "normalise/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { SMALL_COUNT = 16 };

static const uint32_t dead = UINT32_MAX; /* the name_len of a dead item; no buffer is that long */

int sl_items_compare(const struct sl_item *a, const struct sl_item *b, const char *names)
{
    return sl_str_cmp((struct sl_str){names + a->name_at, a->name_len},
                      (struct sl_str){names + b->name_at, b->name_len});
}

static bool is_sorted(const struct sl_item *items, size_t count, const char *names)
{
    for (size_t i = 1; i < count; i++) {
        if (sl_items_compare(&items[i - 1], &items[i], names) > 0) {
            return false;
        }
    }
    return true;
}

static void sort_small(struct sl_item *items, size_t count, const char *names)
{
    for (size_t i = 1; i < count; i++) {
        struct sl_item item = items[i];
        size_t at = i;
        for (; at > 0 && sl_items_compare(&items[at - 1], &item, names) > 0; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

/* Two sorted neighbours, of `left` and `right` items, become one in `out`. */
static void merge(const struct sl_item *items, size_t left, size_t right, const char *names,
                  struct sl_item *out)
{
    const struct sl_item *a = items;
    const struct sl_item *b = items + left;
    const struct sl_item *a_end = b;
    const struct sl_item *b_end = b + right;

    while (a < a_end || b < b_end) {
        bool takes_a = b == b_end || (a < a_end && sl_items_compare(a, b, names) <= 0);
        *out++ = takes_a ? *a++ : *b++;
    }
}

static void merge_all(struct sl_item *items, size_t count, const char *names, struct sl_item *spare)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t left = sl_min_size(width, count - at);
            size_t right = sl_min_size(width, count - at - left);
            merge(items + at, left, right, names, spare + at);
        }
        memcpy(items, spare, count * sizeof(*items));
    }
}

bool sl_items_sort(struct sl_item *items, size_t count, const char *names)
{
    if (is_sorted(items, count, names)) {
        return true;
    }
    if (count <= SMALL_COUNT) {
        sort_small(items, count, names);
        return true;
    }
    struct sl_item *spare = malloc(count * sizeof(*spare));

    if (spare) {
        merge_all(items, count, names, spare);
        free(spare);
    }
    return spare != NULL;
}

static void kill_leaves(struct sl_item *leaves, const struct sl_item *span)
{
    for (uint32_t i = span->from; i < span->to; i++) {
        leaves[i].name_len = dead;
    }
}

size_t sl_items_drop_repeated(struct sl_item *items, size_t count, const char *names,
                              struct sl_item *leaves)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || sl_items_compare(&items[i], &items[i + 1], names) != 0) {
            items[kept++] = items[i];
        } else if (leaves) {
            kill_leaves(leaves, &items[i]);
        }
    }
    return kept;
}

size_t sl_items_drop_dead(struct sl_item *items, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].name_len != dead) {
            items[kept++] = items[i];
        }
    }
    return kept;
}
