/* record_path.h - what a sluice.v1 record says of a path: its canonical text, as serialised fields.
 *
 * The text's rules stand in gnmi/path_print.h. What is worked out is a fragment (fragment.h): its
 * `text` are the fields of Update and Delete that depend on the path alone (path, path_target,
 * labels), and `key` is where the canonical text stands in it. For the prefix of a message the
 * fields are those of Record (prefix, prefix_target, prefix_origin).
 */
#ifndef SLUICE_NORMALISE_RECORD_PATH_H
#define SLUICE_NORMALISE_RECORD_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/fragment.h"

enum { SL_RECORD_PATH_MAX_BYTES = 8 * 1024 * 1024 }; /* of a fragment */

/* The working memory, kept from one path to the next. */
struct sl_record_path {
    struct sl_buf fields;
    struct sl_buf elems;  /* the text of the prefix's elements, then of the path's */
    size_t prefix_len;    /* how much of it is the prefix's */
    struct sl_str origin; /* the prefix's; borrowed */
};

void sl_record_path_init(struct sl_record_path *path);
void sl_record_path_fini(struct sl_record_path *path);

/* Works out the fields of the prefix; they live until the next call of any. False when it passes a
 * limit, or memory is out. */
bool sl_record_path_prefix(struct sl_record_path *path, struct sl_str prefix,
                           struct sl_fragment *fragment) SL_MUST_CHECK;

/* Goes on with paths under `prefix` (the bytes of a Path), which is borrowed until the next call.
 * False as above. */
bool sl_record_path_begin(struct sl_record_path *path, struct sl_str prefix) SL_MUST_CHECK;

/* Works out the fields of a path under that prefix; they live until the next call of any. False as
 * above; other paths may still do. */
bool sl_record_path_build(struct sl_record_path *path, struct sl_str bytes,
                          struct sl_fragment *fragment) SL_MUST_CHECK;

/* How many bytes the last build wrote, whether or not it came to an end. */
size_t sl_record_path_cost(const struct sl_record_path *path);

#endif
