/* pass.h - one response on its way into a record: the fragments of its paths, and what room and
 * work are left.
 *
 * A record, and all records of a response together, have at most SL_ENCODER_MAX_RECORD_BYTES, and
 * so many bytes at most are worked out for paths that were not interned (a long prefix over many
 * short updates costs time even where little of it is written). From where either is passed nothing
 * more is taken from the message.
 */
#ifndef SLUICE_NORMALISE_PASS_H
#define SLUICE_NORMALISE_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"
#include "normalise/fragment.h"
#include "normalise/intern.h"

/* What a format works out for a path; `arg` is its working memory. False from the first two: a
 * limit, or memory. */
struct sl_pass_paths {
    bool (*begin)(void *arg, struct sl_str prefix);
    bool (*build)(void *arg, struct sl_str path, struct sl_fragment *fragment);
    size_t (*cost)(const void *arg); /* bytes that the last build wrote */
};

/* What an encoder found for a path, kept by those who give it the same paths again and again (the
 * rules of its route): an update that has one need not be sought, and its path is not looked at.
 * Updates that are listed have them. */
struct sl_path_hint {
    const struct sl_fragment *fragment; /* interned; NULL: nothing was found yet */
};

struct sl_pass {
    const struct sl_gnmi_response *response;
    const struct sl_pass_paths *paths;
    void *arg;
    struct sl_intern *intern;
    const struct sl_intern_prefix *prefix; /* NULL: no room, each path is worked out anew */
    enum { SL_PASS_NOT_BUILT, SL_PASS_BUILT, SL_PASS_REFUSED } built;
    size_t built_bytes;
    size_t wasted_bytes; /* written and taken back, over the updates */
    bool is_full;        /* something found no room in the record: nothing behind it is taken */
    struct sl_buf *out;
    size_t start;        /* of the record in `out` */
    uint64_t made_bytes; /* of the records before it, of the same response */
    struct sl_encoded *encoded;
};

/* `pass` has all but `start`, `prefix` and what begins at 0. */
void sl_pass_begin(struct sl_pass *pass);

/* False when the record is full or the path passes a limit. The fragment lives until the next. */
bool sl_pass_find(struct sl_pass *pass, struct sl_str path,
                  struct sl_fragment *fragment) SL_MUST_CHECK;

/* The same for the path of an update, which may have a hint; NULL: it has none. */
bool sl_pass_find_hinted(struct sl_pass *pass, struct sl_path_hint *hint, struct sl_str path,
                         struct sl_fragment *fragment) SL_MUST_CHECK;

/* Whether the record has room for `more` bytes. */
bool sl_pass_fits(const struct sl_pass *pass, size_t more) SL_MUST_CHECK;

/* The same; if not it is full. */
bool sl_pass_has_room(struct sl_pass *pass, size_t more) SL_MUST_CHECK;

/* Counts one update or delete as published, or takes back what it has left in `out` from `start` on
 * and counts it as dropped. */
void sl_pass_count(struct sl_pass *pass, size_t start, bool is_ok);

#endif
