/* json.h - the JSON in a json_val: checked and rewritten in one pass, without a tree.
 *
 * An object becomes leaves, each named by what leads to it: "/a/b" for members, "/a/list.0/x" for
 * the items of arrays. Any other value stays one value. The rules are those of gnmic's event
 * format:
 *
 *     (with keys, json_keyed.h: "/a/list[name=x]/…")
 *     null is true, and so is an array of one null (YANG's type empty)
 *     an empty array or object inside an object vanishes
 *     of two members with one name the later counts, of two leaves with one name the later too
 *     members and leaves are sorted by name, bytewise
 *
 * Numbers keep their value exactly (number.h); bytes that are not UTF-8 and halves of surrogate
 * pairs become U+FFFD.
 */
#ifndef SLUICE_NORMALISE_JSON_H
#define SLUICE_NORMALISE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/items.h"
#include "normalise/json_keyed.h"

enum { SL_JSON_MAX_BYTES = 32 * 1024 * 1024 }; /* of each working buffer */

/* The working memory, kept from one value to the next. Zeroed storage is an empty one. */
struct sl_json {
    struct sl_buf text;    /* rewritten values, and the names of leaves */
    struct sl_buf leaves;  /* struct item */
    struct sl_buf names;   /* a stack: the member names of the objects under way */
    struct sl_buf members; /* a stack: struct item */
    struct sl_buf path;    /* the name of the leaf under way */
    struct sl_buf spare;
    struct sl_json_keyed *keyed; /* sl_json_flatten: items are named by their keys; NULL: counted */
    bool has_plain_names; /* of leaves: nothing in them is escaped in JSON, and between each and its
                             value stands ": */
    bool is_rounding;     /* numbers go through a double, as gnmic's; false to begin with */
};

enum sl_json_result {
    SL_JSON_VALUE,  /* one value: its text */
    SL_JSON_LEAVES, /* an object: its leaves */
    SL_JSON_BROKEN, /* not JSON, a number beyond a double's range, or nested too deep */
    SL_JSON_NO_ROOM,
};

struct sl_json_leaf {
    struct sl_str name; /* not escaped */
    struct sl_str value;
};

void sl_json_init(struct sl_json *json);
void sl_json_fini(struct sl_json *json);

/* What is found lives until the next call. */
enum sl_json_result sl_json_flatten(struct sl_json *json, struct sl_str source,
                                    struct sl_str *value) SL_MUST_CHECK;
static inline size_t sl_json_leaf_count(const struct sl_json *json)
{
    return json->leaves.len / sizeof(struct sl_item);
}

static inline struct sl_json_leaf sl_json_leaf(const struct sl_json *json, size_t index)
{
    const struct sl_item *leaf = (const struct sl_item *)(const void *)json->leaves.data + index;
    const char *text = json->text.data;

    return (struct sl_json_leaf){{text + leaf->name_at, leaf->name_len},
                                 {text + leaf->from, leaf->to - leaf->from}};
}

/* Any value as leaves, as Telegraf has them: the items of arrays are "/0", "/1" …, a member without
 * a name adds nothing, and null is a leaf like others. */
enum sl_json_result sl_json_flatten_all(struct sl_json *json, struct sl_str source) SL_MUST_CHECK;

/* The same without any of it: an object stays one value, and null stays null. */
enum sl_json_result sl_json_rewrite(struct sl_json *json, struct sl_str source,
                                    struct sl_str *value) SL_MUST_CHECK;

#endif
