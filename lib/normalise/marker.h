/* marker.h - what sluice itself says of a stream, among its records: when it was connected and
 * disconnected, when its baseline is whole, where something is missing, and when nothing comes.
 *
 * In sluice.v1 and its JSON a marker is a Record of KIND_MARKER (proto/sluice.proto). In the
 * formats of gnmic it is what they make of one update of the path /sluice/marker, whose value is an
 * object of the members below; in those of Telegraf a metric `sluice_marker` with them as fields
 * and the tags `source` and `subscription`. The formats proto and protojson, which are what the
 * device sent, have none.
 *
 * - kind: connected, synced, gap, stale, resumed or disconnected
 * - epoch and seq: of the record
 * - reason: of a gap start, reconnect, duplicates, or the reason of the ledger's `dropped`; of
 *   disconnected the reason of the log
 * - count: of a gap the updates that are known to be lost; 0: nobody knows
 * - from: before this time nothing is missing (gap), or came (stale); nanoseconds
 * - to: after this time nothing is missing
 * - code: of disconnected gRPC's, and
 * - text: what the device said
 */
#ifndef SLUICE_NORMALISE_MARKER_H
#define SLUICE_NORMALISE_MARKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "normalise/encoder.h"

enum sl_marker_kind {
    SL_MARKER_CONNECTED,
    SL_MARKER_SYNCED,
    SL_MARKER_GAP,
    SL_MARKER_STALE,
    SL_MARKER_RESUMED,
    SL_MARKER_DISCONNECTED,
};

const char *sl_marker_kind_name(enum sl_marker_kind kind); /* "gap" */

/* Members that a kind does not have are 0 and empty. */
struct sl_marker {
    enum sl_marker_kind kind;
    struct sl_str reason;
    uint64_t count;
    int64_t from_ns;
    int64_t to_ns;
    struct sl_str code;
    struct sl_str text;
};

/* Appends the SubscribeResponse that stands for a marker: an update whose value is JSON or, where
 * `is_metric`, one for each member. */
void sl_marker_respond(const struct sl_marker *marker, const struct sl_encoder_context *context,
                       struct sl_str subscription, bool is_metric, struct sl_buf *out);

#endif
