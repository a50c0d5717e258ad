/* round.h - what is told of a data tree, message by message: all of a version, or what differs
 * between two.
 *
 * A round walks over both versions at once, in the order of the paths. It may rest after each
 * message: versions do not change.
 */
#ifndef SLUICE_DEVICE_ROUND_H
#define SLUICE_DEVICE_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "device/tree.h"

/* What of a tree is told, and how. */
struct sl_device_view {
    struct sl_device_place place;
    const char *target; /* of the prefix; "": none */
    const char *origin; /* likewise */
    Gnmi__Encoding encoding;
    uint32_t depth;       /* elements behind those that the place names; 0: any */
    uint32_t max_updates; /* of one notification, deletes too; at least 1 */
    bool is_config;       /* no state */
    bool is_nested;       /* JSON: what the place names as one thing is one value */
    bool is_bundled;      /* whatever the times and the size are, one notification */
};

struct sl_device_round {
    const struct sl_device_view *view; /* NULL: no round is under way */
    struct sl_device_tree *old;        /* held; NULL: nothing was told */
    struct sl_device_tree *goal;       /* held */
    bool is_full;                      /* what has not changed too */
    int64_t time_ns;                   /* of the notifications; 0: when each leaf was set */
    size_t old_at;
    size_t new_at;
};

/* Holds both versions; `view` outlives the round. */
void sl_device_round_begin(struct sl_device_round *round, const struct sl_device_view *view,
                           struct sl_device_tree *old, struct sl_device_tree *goal);

/* Idempotent. */
void sl_device_round_end(struct sl_device_round *round);

/* Appends the next SubscribeResponse, where there is one. False: it was the last. */
bool sl_device_round_next(struct sl_device_round *round, int64_t now_ns, struct sl_buf *message);

#endif
