/* route.h - one member of a stream at one sink: what it was given, and what became of it.
 *
 * The unit of the counters is one update or delete of a notification; a message that cannot be
 * decoded counts as one. At every instant
 *
 *     received = published + filtered + dropped{reason} + held
 *
 * for an update is held from its receipt on. The functions sl_route_receive … sl_route_settle are
 * the only ones that write these counters; builds with SL_INVARIANT check the equation in each.
 *
 * One thread.
 */
#ifndef SLUICE_STREAM_ROUTE_H
#define SLUICE_STREAM_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"
#include "normalise/clock.h"
#include "normalise/distinct.h"
#include "normalise/encoder.h"
#include "normalise/rules.h"
#include "sink/sink.h"
#include "stream/batch.h"
#include "stream/mark.h"
#include "stream/meter.h"

enum sl_drop_reason {
    SL_DROP_DECODE,       /* the message is not a SubscribeResponse */
    SL_DROP_VALUE,        /* a value that the sink's format cannot carry */
    SL_DROP_ORIGIN,       /* beyond SL_ROUTE_MAX_ORIGINS origins */
    SL_DROP_SINK,         /* the sink gave it up for good */
    SL_DROP_MEMORY,       /* no memory for the record */
    SL_DROP_CLOSED,       /* the stream was ended while the sink was full */
    SL_DROP_CONFLATED,    /* a newer one took its place while the sink stood still (stall.h) */
    SL_DROP_SHED,         /* there was no room to keep it while the sink stood still */
    SL_DROP_TOO_LARGE,    /* larger than its destination takes, and cannot be split */
    SL_DROP_DEAD_LETTER,  /* the sink keeps it elsewhere, with the reason */
    SL_DROP_SINK_RESTART, /* the sink had to start anew, and the epoch ended with that (raise.h) */
    SL_DROP_PROCESSOR,    /* a processor before the sink could not do with it */
    SL_DROP_SINK_FULL,    /* a sink that is not required had no room */
};

enum { SL_DROP_REASONS = SL_DROP_SINK_FULL + 1 };

const char *sl_drop_reason_name(enum sl_drop_reason reason); /* "decode" */

struct sl_route_counts {
    uint64_t received;
    uint64_t published;
    uint64_t filtered;
    uint64_t dropped[SL_DROP_REASONS];
    uint64_t held; /* received, and none of the above yet */
};

bool sl_route_counts_are_valid(const struct sl_route_counts *counts);
void sl_route_counts_add(struct sl_route_counts *sum, const struct sl_route_counts *more);

enum { SL_ROUTE_MAX_ORIGINS = 64 }; /* a device names origins: topics must not grow without end */

/* Where records of one origin go: the templates, filled in. */
struct sl_route_place {
    struct sl_list node;
    struct sl_str origin;
    struct sl_str destination; /* "" where the sink has none */
    struct sl_str key;         /* NULL data: none */
    struct sl_str partition;   /* likewise */
    uint64_t held;             /* updates on their way there */
    uint64_t held_bytes;       /* payload bytes on their way there */
};

struct sl_route_config {
    size_t member; /* of the stream: whose updates it gets */
    struct sl_sink *sink;
    struct sl_meter *meter;                /* of the member's subscription and the sink */
    const struct sl_template *destination; /* or NULL */
    const struct sl_template *key;         /* or NULL */
    const struct sl_template *partition;   /* or NULL */
    struct sl_template_values values;
    struct sl_encoder_config encoder;
    struct sl_rules rules; /* none: everything goes on as it is */
    struct sl_batch_config batch;
    bool is_last_only;                 /* of updates of one path in a notification; distinct.h */
    bool has_markers;                  /* the format can say them */
    enum sl_clock_policy clock_policy; /* of the subscription: what the time of a record is */
    int64_t max_skew_ns;
};

/* What the markers have said of the route's losses. */
struct sl_route_told {
    uint64_t dropped[SL_DROP_REASONS];
    uint64_t duplicates;
    int64_t at_ns; /* the newest message then */
};

struct sl_route {
    struct sl_sink *sink;
    const struct sl_sink_spec *spec; /* outlives the sink: for those who read the counters last */
    struct sl_route_config config;
    struct sl_encoder *encoder;
    struct sl_rules_state *rules; /* NULL: there are none */
    struct sl_route_counts counts;
    struct sl_list places;
    unsigned place_count;
    uint32_t coming; /* of what is held: updates of the message under way that still have to go
                        somewhere */
    struct sl_route_place *last_place; /* of the last record; NULL: there was none */
    uint64_t seq;                      /* of the last record, in this epoch */
    uint64_t in_flight;                /* records and markers with the sink, over all epochs */
    size_t typical_bytes;              /* of the last payload: what to reserve for the next */
    struct sl_batch *batch;            /* NULL: each record leaves by itself */
    uint64_t undecodable;   /* messages, which may have been anybody's; told as lost by "decode" */
    uint64_t duplicates;    /* values that the device left out */
    struct sl_list waiting; /* markers, of mark.c */
    struct sl_mark_counts marks;
    struct sl_route_told told;
    int64_t lost_ns;        /* when the oldest message came that the sink lost by starting anew */
    struct sl_stall *stall; /* NULL: messages become records */
    bool is_cut;            /* the sink had to start anew: nothing more of this epoch (raise.h) */
    bool is_restarted;      /* the same, and that epoch is over: the next one has yet to tell */
    bool is_stale_told;     /* by a marker, and not taken back */
    bool is_gap_owed;       /* a marker was lost that has to be made up for by a gap */
};

/* False when memory is out. What `config` points at outlives the route. */
bool sl_route_init(struct sl_route *route, const struct sl_route_config *config) SL_MUST_CHECK;
void sl_route_fini(struct sl_route *route); /* nothing may be in flight */

/* A route whose sink is not required holds nobody: what its sink has no room for is dropped, and
 * told when it has room again; its records cost the sink's memory and not the stream's
 * (optional.c).
 */
static inline bool sl_route_is_required(const struct sl_route *route)
{
    return route->spec->is_required;
}

/* Always, of one that is required: then FULL tells. */
static inline bool sl_route_has_room(const struct sl_route *route)
{
    return sl_sink_has_room(route->sink);
}

/* The steps of the ledger. Of the message under way: `updates` have come; are left out; are lost;
 * are with the sink, or wait for company to go there. */
void sl_route_receive(struct sl_route *route, uint64_t updates);
void sl_route_filter(struct sl_route *route, uint64_t updates);
void sl_route_drop(struct sl_route *route, enum sl_drop_reason reason, uint64_t updates);
void sl_route_send(struct sl_route *route, uint64_t updates);

/* Of what was sent: it goes to `counter`, one of the route's. */
void sl_route_settle(struct sl_route *route, uint64_t *counter, uint64_t updates);

/* The place for `origin`; NULL when there are too many or memory is out. */
struct sl_route_place *sl_route_place(struct sl_route *route, struct sl_str origin);

/* The place for a response: that of its origin; without a notification (a sync_response, extensions
 * alone) it goes where the record before it went. NULL as above. */
struct sl_route_place *sl_route_place_of(struct sl_route *route,
                                         const struct sl_gnmi_response *response);

#endif
