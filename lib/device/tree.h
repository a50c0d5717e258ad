/* tree.h - the data tree of a simulated device: leaves with their paths, in versions that never
 * change.
 *
 * A version is a sorted array of leaves, and leaves are shared between versions: whoever holds a
 * version sees the tree as it was, whatever is set meanwhile, and what differs between two of them
 * is one walk over both. An edit makes the next version out of one, or nothing at all.
 *
 * There is no schema. What stands at the end of a path is a leaf or a leaf-list; an element with
 * keys is a list's entry, and the keys are leaves of it too. A leaf that has an element `state`
 * above it is state, any other is configuration. Module names in front of an element's name are cut
 * off, but not in paths of a native origin. The origins "" and "openconfig" are one.
 *
 * Pure: no I/O, no clock. One thread.
 */
#ifndef SLUICE_DEVICE_TREE_H
#define SLUICE_DEVICE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi.pb-c.h"

enum {
    SL_DEVICE_MAX_TREE_BYTES = 16 * 1024 * 1024, /* of one version's leaves, as messages */
    SL_DEVICE_MAX_TREE_LEAVES = 100 * 1000,
    SL_DEVICE_MAX_TREE_ELEMS = 64, /* of a leaf's path, and of a request's with its prefix */
    SL_DEVICE_MAX_TREE_KEYS = 16,  /* of one element */
};

/* Constant once it is in a version. */
struct sl_device_leaf {
    uint32_t holders;
    char *origin;            /* "" for openconfig */
    Gnmi__Path *path;        /* elements alone; keys sorted by name */
    Gnmi__TypedValue *value; /* as PROTO has it: a scalar or a leaflist */
    size_t bytes;
    int64_t set_ns; /* when it got its value */
    bool is_state;
};

struct sl_device_tree {
    uint32_t holders;
    size_t bytes;
    size_t count;
    struct sl_device_leaf **leaves; /* sorted by path; none has another one's path, or begins it */
};

/* A path out of a request, or one that is being made: prefix and path behind one another. The
 * strings are borrowed. */
struct sl_device_place {
    const char *origin;
    size_t count;
    Gnmi__PathElem elems[SL_DEVICE_MAX_TREE_ELEMS];
};

/* What prefix and path, of which each may be NULL, name together. INVALID_ARGUMENT: an origin in
 * both, a key in the deprecated `element`, an element without a name, a key that comes twice;
 * RESOURCE_EXHAUSTED beyond a limit. */
struct sl_status sl_device_place_init(struct sl_device_place *place, const Gnmi__Path *prefix,
                                      const Gnmi__Path *path) SL_MUST_CHECK;

/* `*` and `...` among the elements, `*` as a key's value. */
bool sl_device_place_is_concrete(const struct sl_device_place *place);

/* Whether the place selects the leaf, whose first `*consumed` elements are then what it names. */
bool sl_device_place_selects(const struct sl_device_place *place, const struct sl_device_leaf *leaf,
                             size_t *consumed);

/* The value of one of an element's keys; NULL: it has none of that name. */
const char *sl_device_key_value(const Gnmi__PathElem *elem, const char *name);

/* Below 0, 0 or above 0: by origin, then element by element, a beginning before what it begins. */
int sl_device_leaf_compare(const struct sl_device_leaf *a, const struct sl_device_leaf *b);

/* Whether both values are the same. */
bool sl_device_leaf_equals(const struct sl_device_leaf *a, const struct sl_device_leaf *b);

/* How many elements, with their keys, both begin with. */
size_t sl_device_leaf_common(const struct sl_device_leaf *a, const struct sl_device_leaf *b);

struct sl_device_tree *sl_device_tree_hold(struct sl_device_tree *tree);
void sl_device_tree_release(struct sl_device_tree *tree); /* NULL: nothing */

/* ---- the next version ---- */

struct sl_device_entry {
    struct sl_device_leaf *leaf;
    size_t order; /* of two with one path the later counts … */
    bool is_weak; /* … but for these, which fill a gap alone */
};

struct sl_device_edit {
    const struct sl_device_tree *base;
    struct sl_device_entry *entries;
    size_t count;
    size_t cap;
    size_t bytes;
    size_t order;
    int64_t now_ns;
};

/* `base` outlives the edit; NULL: an empty tree. False when memory is out; then there is nothing to
 * `fini`. */
bool sl_device_edit_init(struct sl_device_edit *edit, const struct sl_device_tree *base,
                         int64_t now_ns) SL_MUST_CHECK;
void sl_device_edit_fini(struct sl_device_edit *edit);

/* Everything that the place selects is gone; `but_state`: all of it but state, unless the place
 * itself is there. */
void sl_device_edit_delete(struct sl_device_edit *edit, const struct sl_device_place *place,
                           bool but_state);

/* A leaf with a scalar or a leaflist. INVALID_ARGUMENT where that cannot be, RESOURCE_EXHAUSTED
 * beyond a limit or when memory is out. */
struct sl_status sl_device_edit_put(struct sl_device_edit *edit,
                                    const struct sl_device_place *place,
                                    const Gnmi__TypedValue *value) SL_MUST_CHECK;

/* The version that comes of it, held for the caller; a leaf with the value that it had in the base
 * is the one of the base. the edit is used up, and there is nothing left to `fini`. NULL with the
 * reason in `why`: a leaf below a leaf, a list's entry beside an element of that name without keys,
 * keys that differ from the leaves of their names. */
struct sl_device_tree *sl_device_edit_done(struct sl_device_edit *edit,
                                           struct sl_status *why) SL_MUST_CHECK;

#endif
