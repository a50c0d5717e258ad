/* difference.h - what another configuration changes, and what that costs the devices.
 *
 * Worked out before anything is touched: for a collector that takes the new one, and for a person
 * who wants to know first (`sluice plan`).
 *
 * Pure: reads both settings, changes neither but for memory of the new ones' document. One thread.
 */
#ifndef SLUICE_DAEMON_DIFFERENCE_H
#define SLUICE_DAEMON_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "daemon/settings.h"

/* Of the dearest part of a change. */
enum sl_change_cost {
    SL_COST_NOTHING,   /* and what is new is used from the next call, or the next connection on */
    SL_COST_ROUTES,    /* its records are made anew: the device notices nothing of it */
    SL_COST_RPC,       /* a Subscribe call begins, or ends, or both */
    SL_COST_RECONNECT, /* the connection ends and is made again */
    SL_COST_DIAL,      /* a connection more; or, of what is removed, one less */
};

enum { SL_COSTS = SL_COST_DIAL + 1 };

const char *sl_change_cost_name(enum sl_change_cost cost); /* "new RPC" */

struct sl_target_difference {
    const struct sl_target_settings *from; /* NULL: added */
    const struct sl_target_settings *to;   /* NULL: removed */
    bool is_changed;                       /* of one that is in both */
    bool is_replaced;                      /* ends, and begins as another one: a replay */
    bool redials;
    enum sl_change_cost cost;
};

/* Of a target that is in both: whether another source of discovery names it. */
bool sl_difference_is_elsewhere(const struct sl_target_difference *target);

struct sl_sink_difference {
    const struct sl_sink_settings *from; /* NULL: added */
    const struct sl_sink_settings *to;   /* NULL: removed */
    bool is_changed;
    bool is_new; /* the running instance cannot go on */
};

struct sl_subscription_difference {
    const struct sl_subscription_settings *from;
    const struct sl_subscription_settings *to;
    bool is_changed;
    bool is_other_call;  /* what the device is asked */
    bool is_other_route; /* what becomes of what it sends */
};

struct sl_difference {
    struct sl_settings *from; /* held */
    struct sl_settings *to;   /* held */
    bool has_other_sources;   /* of targets; what they find is not known before */
    struct sl_target_difference
        *targets; /* those of `to` in their order, then those that are removed */
    size_t target_count;
    struct sl_sink_difference *sinks; /* likewise */
    size_t sink_count;
    struct sl_subscription_difference *subscriptions; /* likewise */
    size_t subscription_count;
    size_t added; /* targets */
    size_t removed;
    size_t changed;
    bool is_any;           /* anything at all, but for `restart` */
    struct sl_buf restart; /* keys that need a restart, a line each */
};

/* NULL when memory is out. Holds both. */
struct sl_difference *sl_difference_new(struct sl_settings *from,
                                        struct sl_settings *to) SL_MUST_CHECK;
void sl_difference_free(struct sl_difference *difference); /* NULL is nothing */

/* Whether the stream, of a target that is in both and had it before, has to subscribe anew. */
bool sl_difference_is_anew(const struct sl_difference *difference,
                           const struct sl_target_difference *target,
                           const struct sl_stream_settings *stream);

/* `to` takes the place of `from`, which runs: what cannot change while it runs is as it was, each
 * target that is in both stays on its worker, and the others are placed. False with the reasons, a
 * line each, in `errors`, where the memory that was laid out at the start has no room for it. */
bool sl_settings_succeed(const struct sl_difference *difference,
                         struct sl_buf *errors) SL_MUST_CHECK;

/* For a person: what is added, removed and changed, each with what it costs. Secrets are named and
 * not shown. */
void sl_difference_print(const struct sl_difference *difference, struct sl_buf *out);

#endif
