/* Two objects of one table: which keys have other values. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"

enum { KEY_BYTES = 256 };

struct comparison {
    void (*on_difference)(void *arg, const char *key);
    void *arg;
};

static bool differ(const struct comparison *comparison, const char *parent,
                   const struct sluice_option *table, const void *a, const void *b);

static bool texts_differ(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool strings_differ(const struct sluice_strings *a, const struct sluice_strings *b)
{
    bool is_other = a->count != b->count;

    for (size_t i = 0; !is_other && i < a->count; i++) {
        is_other = texts_differ(a->items[i], b->items[i]);
    }
    return is_other;
}

static bool maps_differ(const struct sluice_map *a, const struct sluice_map *b)
{
    bool is_other = a->count != b->count;

    for (size_t i = 0; !is_other && i < a->count; i++) {
        is_other = texts_differ(a->pairs[i].name, b->pairs[i].name) ||
                   texts_differ(a->pairs[i].value, b->pairs[i].value);
    }
    return is_other;
}

static bool lists_differ(const struct sluice_option *option, const struct sluice_list *a,
                         const struct sluice_list *b)
{
    const struct comparison silent = {.on_difference = NULL};
    bool is_other = a->count != b->count;

    for (size_t i = 0; !is_other && i < a->count; i++) {
        size_t at = i * option->item_bytes;
        is_other = differ(&silent, "", option->table, (const char *)a->items + at,
                          (const char *)b->items + at);
    }
    return is_other;
}

static bool values_differ(const struct sluice_option *option, const void *a, const void *b)
{
    switch (option->type) {
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
    case SLUICE_SECRET:
        return texts_differ(*(const char *const *)a, *(const char *const *)b);
    case SLUICE_BOOL:
        return *(const bool *)a != *(const bool *)b;
    case SLUICE_INT:
    case SLUICE_DURATION:
        return *(const int64_t *)a != *(const int64_t *)b;
    case SLUICE_SIZE:
        return *(const uint64_t *)a != *(const uint64_t *)b;
    case SLUICE_ENUM:
        return *(const int *)a != *(const int *)b;
    case SLUICE_STRINGS:
        return strings_differ(a, b);
    case SLUICE_MAP:
        return maps_differ(a, b);
    case SLUICE_LIST:
        return lists_differ(option, a, b);
    case SLUICE_OBJECT:
        break; /* its rows are looked at one by one */
    }
    return false;
}

static bool differ(const struct comparison *comparison, const char *parent,
                   const struct sluice_option *table, const void *a, const void *b)
{
    bool is_other = false;

    for (const struct sluice_option *option = table; option->name; option++) {
        const void *one = (const char *)a + option->offset;
        const void *other = (const char *)b + option->offset;
        char key[KEY_BYTES];
        snprintf(key, sizeof(key), "%s%s%s", parent, *parent ? "." : "", option->name);
        if (option->type == SLUICE_OBJECT) {
            is_other = differ(comparison, key, option->table, one, other) || is_other;
        } else if (values_differ(option, one, other)) {
            is_other = true;
            if (comparison->on_difference) {
                comparison->on_difference(comparison->arg, key);
            }
        }
    }
    return is_other;
}

bool sl_config_differ(const struct sluice_option *table, const void *a, const void *b,
                      void (*on_difference)(void *arg, const char *key), void *arg)
{
    const struct comparison comparison = {on_difference, arg};

    return differ(&comparison, "", table, a, b);
}
