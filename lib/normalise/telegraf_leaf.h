/* telegraf_leaf.h - what Telegraf's formats say of a leaf inside a JSON value, where that is not
 * what they say of the value's path with the leaf's name behind it.
 *
 * To Telegraf the names in JSON are elements of the path like others: a subscription's path may
 * lead into the value, and a module in front of the whole path's first element is its origin. So
 * the leaf has a Path made for it, and that is looked up and interned like one of the device's.
 */
#ifndef SLUICE_NORMALISE_TELEGRAF_LEAF_H
#define SLUICE_NORMALISE_TELEGRAF_LEAF_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/fragment.h"
#include "normalise/intern.h"
#include "normalise/pass.h"

struct sl_telegraf_leaves {
    struct sl_intern paths;
    struct sl_buf path; /* of the leaf that is looked up */
    size_t value_len;   /* how much of it is the value's path */
};

void sl_telegraf_leaves_init(struct sl_telegraf_leaves *leaves, struct sl_encoder_memory *memory);
void sl_telegraf_leaves_fini(struct sl_telegraf_leaves *leaves);

/* Goes on with the leaves of the value of `path`. False when memory is out. */
bool sl_telegraf_leaves_begin(struct sl_telegraf_leaves *leaves, struct sl_str path) SL_MUST_CHECK;

/* The fragment of the leaf `name` ("/a/b", or "" for a value that is none of an object or array).
 * `pass` has the leaves' paths. False as sl_pass_find. */
bool sl_telegraf_leaves_find(struct sl_telegraf_leaves *leaves, struct sl_pass *pass,
                             struct sl_str name, struct sl_fragment *fragment) SL_MUST_CHECK;

#endif
