/* telegraf_path.h - what Telegraf's formats say of a path: the series, and the name of the field.
 *
 * The rules are those of Telegraf's inputs.gnmi with its default settings. The name of a series is
 * the subscription's where one of its paths leads to the path (origins must be equal where both
 * have one; the longest counts), else empty. The field is what is behind that path, elements with
 * their modules and '/' between them, each '-' a '_'. Tags are the keys of all elements; of two
 * with one name the later is called ORIGIN:/PATH/TO/ELEMENT/NAME. A module in front of the first
 * element of the prefix is its origin, in front of that of a leaf in JSON the leaf's. A label
 * (path.h) is a tag as it stands, instead of one with its name. Tags of the collector give way to
 * them: `host`; `source`, the target's name without its port; `path`, the prefix without keys.
 * Elements without a name do not count, but for their keys.
 */
#ifndef SLUICE_NORMALISE_TELEGRAF_PATH_H
#define SLUICE_NORMALISE_TELEGRAF_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "gnmi.pb-c.h"

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/fragment.h"

enum { SL_TELEGRAF_MAX_ELEMS = 256 }; /* of prefix and path together */

/* What does not depend on the path. */
struct sl_telegraf_names {
    bool is_influx;
    struct sl_str name;   /* the subscription's */
    struct sl_str host;   /* borrowed; NULL: no such tag */
    struct sl_str source; /* borrowed */
    Gnmi__Path **roots;   /* the subscription's paths */
    size_t root_count;
};

struct sl_telegraf_elem {
    struct sl_str module; /* empty: none, or it became the origin */
    struct sl_str name;
};

/* The working memory. */
struct sl_telegraf_path {
    struct sl_buf text;
    struct sl_buf words; /* the names of tags */
    struct sl_telegraf_elem elems[SL_TELEGRAF_MAX_ELEMS];
    size_t elem_count;
    bool has_elems;      /* the path behind the prefix has some, though they may have no names */
    size_t prefix_elems; /* the first are the prefix's, and it is through */
    struct sl_fragment_tag tags[SL_FRAGMENT_MAX_TAGS];
    size_t tag_count;
    struct sl_str prefix; /* borrowed */
};

void sl_telegraf_path_init(struct sl_telegraf_path *path);
void sl_telegraf_path_fini(struct sl_telegraf_path *path);

/* Works out the fragment of a path under `prefix`: up to `tags_len` the series (influx: nothing
 * when it has no name), and in `key` the field, not escaped. An empty field: the path is none for
 * Telegraf. What stands behind `key` matters where the value is JSON and has names of its own:
 * SL_TELEGRAF_ROOT: the path is the subscription's own, and the field (its last element) is not in
 * the names of the leaves; SL_TELEGRAF_LEAVES: each leaf is to be asked for by itself (is_leaf).
 * The fragment lives until the next call. False when it passes a limit, or memory is out. */
bool sl_telegraf_path_build(struct sl_telegraf_path *path, const struct sl_telegraf_names *names,
                            struct sl_str bytes, bool is_leaf,
                            struct sl_fragment *fragment) SL_MUST_CHECK;

/* The line protocol leaves a tag without a value out, but it makes another series: its name stands
 * behind the series' text, from a byte on that is in no text. What is to be written of a series. */
struct sl_str sl_telegraf_series_text(struct sl_str series);

enum { SL_TELEGRAF_ROOT = '.', SL_TELEGRAF_LEAVES = '*' };

/* Appends text as a name or a tag of the line protocol. */
void sl_telegraf_add_escaped(struct sl_buf *buf, struct sl_str text, const char *specials);

#endif
