/* fragment.h - what the event format says of a path: its text without keys, and the tags.
 *
 *     "tags":{"interface_name":"e1","source":"leaf1"},"values":{"/interfaces/interface/mtu":
 *     |<-------------- tags_len --------------->|               |<---- key ---->|
 *
 * The rules are gnmic's. The text is the prefix's and the path's with one '/' between; an origin
 * stands before its own part. A key of an element is the tag <element without module>_<key>, of an
 * element without a name <key>; a target is the tag "target"; a label is a tag as it stands. Within
 * one Path the later of two tags with one name counts; where the path has another value than the
 * prefix, its tag is called <text>_<tag>. The tags of the subscription (`source` …) give way to
 * these: meta_<tag>.
 */
#ifndef SLUICE_NORMALISE_FRAGMENT_H
#define SLUICE_NORMALISE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/items.h"

enum {
    SL_FRAGMENT_MAX_TAGS = 128,              /* of prefix, path and subscription together */
    SL_FRAGMENT_MAX_BYTES = 8 * 1024 * 1024, /* of a fragment, and of the names in it */
};

struct sl_fragment {
    const char *text;
    uint32_t len;
    uint32_t tags_len;
    uint32_t key_at;
    uint32_t key_len;
};

/* The tags that every event of an encoder has. */
struct sl_fragment_meta {
    struct sl_str source;
    struct sl_str subscription;
    struct sl_str subscription_target; /* empty: none */
};

struct sl_fragment_tag {
    struct sl_item name; /* in `words`; from and to are its place in the order of writing */
    struct sl_str value;
};

/* The working memory, kept from one path to the next. */
struct sl_fragment_builder {
    struct sl_buf text;  /* the fragment */
    struct sl_buf path;  /* the path's text */
    struct sl_buf words; /* the names of the tags */
    struct sl_fragment_tag tags[SL_FRAGMENT_MAX_TAGS];
    size_t tag_count;
    /* How much of these is the prefix's. */
    size_t prefix_path_len;
    size_t prefix_words_len;
    size_t prefix_tag_count;
};

void sl_fragment_init(struct sl_fragment_builder *builder);
void sl_fragment_fini(struct sl_fragment_builder *builder);

/* Goes on with paths under `prefix` (the bytes of a Path), which is borrowed until the next call.
 * False when it passes a limit, or memory is out. */
bool sl_fragment_begin(struct sl_fragment_builder *builder, struct sl_str prefix) SL_MUST_CHECK;

/* Works out the fragment of a path under that prefix; it lives in the builder until the next call.
 * False as above; other paths may still do. */
bool sl_fragment_build(struct sl_fragment_builder *builder, const struct sl_fragment_meta *meta,
                       struct sl_str path, struct sl_fragment *fragment) SL_MUST_CHECK;

/* How many bytes the last sl_fragment_build wrote, whether or not it came to an end. */
size_t sl_fragment_cost(const struct sl_fragment_builder *builder);

#endif
