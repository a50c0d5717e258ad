/* kept.h - what one route keeps while its sink stands still (stall.h), and how it leaves.
 *
 * Beside the store (store.h) there may be one message that leaves before all else: one of which a
 * part was with the sink already, or the store's first, which the sink would not take whole. A
 * message under way is a set of fields of the stream; while a kept one is offered, its own take
 * their places.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_KEPT_H
#define SLUICE_STREAM_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "stream/internal.h"
#include "stream/store.h"

/* What a message under way consists of. */
struct sl_underway {
    struct sl_charge *charge;
    size_t next_route;
    struct sl_ruled ruled;
    struct sl_encoder_progress progress;
    uint32_t given;
    uint32_t repeated;
    uint32_t coming;
    struct sl_store_when when;
};

struct sl_kept {
    struct sl_store store;
    struct sl_str message; /* that leaves before the store's; NULL data: none does */
    struct sl_buf bytes;   /* that it lies in */
    struct sl_underway under;
    uint64_t cost_bytes; /* as the stream was told */
    bool owes_sync;      /* the marker of a sync_response */
};

void sl_kept_init(struct sl_stream *stream, struct sl_kept *kept);

/* Nothing is kept any more. */
void sl_kept_fini(struct sl_stream *stream, struct sl_kept *kept);

/* Takes what is left of the part of the message under way that is for the route; all of its updates
 * and deletes are accounted for. */
void sl_kept_add(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                 const struct sl_gnmi_response *part);

enum sl_kept_left {
    SL_KEPT_GONE,    /* nothing is kept any more */
    SL_KEPT_REFUSED, /* the sink is full */
    SL_KEPT_WAITS,   /* for memory: there will be some when the sink acknowledges */
};

/* Offers what is kept. Not from within a message. */
enum sl_kept_left sl_kept_leave(struct sl_stream *stream, struct sl_route *route,
                                struct sl_kept *kept) SL_MUST_CHECK;

/* Gives it up; how many updates and deletes that were, which are still held by the ledger. */
uint64_t sl_kept_drop(struct sl_kept *kept) SL_MUST_CHECK;

#endif
