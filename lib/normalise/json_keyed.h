/* json_keyed.h - items of JSON arrays named by their keys: [name=e1] instead of a number.
 *
 * JSON does not say what the keys of a list are, so that is asked of the configuration: sets of
 * member names, of which the first counts that every item of an array has. The array is keyed when
 * all of its items are objects that have that set as strings, numbers or booleans, and no two items
 * the same; else its items are counted. A member's name counts without its module.
 *
 * Finding the keys means to look ahead. What is looked at of one value is bounded by LOOKS times
 * its length; arrays behind that are counted (they lie deeper than that many others).
 */
#ifndef SLUICE_NORMALISE_JSON_KEYED_H
#define SLUICE_NORMALISE_JSON_KEYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/scan.h"
#include "sluice_option.h"

enum {
    SL_JSON_KEYED_MAX = 4,                       /* names in a set */
    SL_JSON_KEYED_LOOKS = 8,                     /* see above */
    SL_JSON_KEYED_MOST_BYTES = 32 * 1024 * 1024, /* of each working buffer */
};

/* Sets of names, each as text: names with blanks between them. What is in force where nothing is
 * configured: "identifier name", name, id, index, key. */
extern const struct sluice_strings sl_json_default_keys;

/* Whether `text` is a set: 1 to SL_JSON_KEYED_MAX names. */
bool sl_json_keys_check(const char *text);

/* Appends what stands for one key of an item. */
typedef void (*sl_json_key_fn)(struct sl_buf *out, struct sl_str name, struct sl_str value);

/* As text: [name=value], escaped as in a canonical path (gnmi/path_print.h). */
void sl_json_key_as_text(struct sl_buf *out, struct sl_str name, struct sl_str value);

/* The working memory, kept from one value to the next. */
struct sl_json_keyed {
    const struct sluice_strings *keys; /* borrowed */
    sl_json_key_fn add;
    struct sl_buf text;  /* a stack: what stands for the keys of each item */
    struct sl_buf items; /* a stack: where that is, as struct sl_item */
    struct sl_buf order; /* the same, sorted */
    struct sl_buf words; /* values of the keys of the item under way */
    size_t looked_bytes;
    size_t most_bytes;
};

struct sl_json_keyed_array {
    size_t text_len; /* of the stacks, before */
    size_t items_len;
};

void sl_json_keyed_init(struct sl_json_keyed *keyed, const struct sluice_strings *keys,
                        sl_json_key_fn add);
void sl_json_keyed_fini(struct sl_json_keyed *keyed);

/* A new value begins, of so many bytes. */
void sl_json_keyed_start(struct sl_json_keyed *keyed, size_t len);

/* Looks at the array behind whose '[' `scan` stands. True when it is keyed; sl_json_keyed_end is
 * due then, after those of all arrays within. */
bool sl_json_keyed_begin(struct sl_json_keyed *keyed, const struct sl_scan *scan,
                         struct sl_json_keyed_array *array) SL_MUST_CHECK;

/* What stands for the keys of item `index`; until the next begin. */
struct sl_str sl_json_keyed_item(const struct sl_json_keyed *keyed,
                                 const struct sl_json_keyed_array *array, size_t index);

void sl_json_keyed_end(struct sl_json_keyed *keyed, const struct sl_json_keyed_array *array);

#endif
