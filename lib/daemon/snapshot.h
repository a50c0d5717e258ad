/* snapshot.h - what one worker looked like at one moment: copies that any thread may read.
 *
 * A worker fills its snapshot on its own thread; nobody else ever reads a live stream. Names are
 * borrowed from the settings, whose generations it holds for as long as it lives.
 */
#ifndef SLUICE_DAEMON_SNAPSHOT_H
#define SLUICE_DAEMON_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "daemon/settings.h"
#include "stream/stream.h"
#include "target/target.h"

struct sl_place_row {
    struct sl_str destination;
    uint64_t held;
};

struct sl_route_row {
    const char *subscription;
    const struct sl_sink_spec *sink;
    struct sl_route_counts counts;
    struct sl_mark_counts marks;
    uint64_t kept; /* of what is held: by its stall policy */
    struct sl_place_row *places;
    size_t place_count;
};

/* Sums of sinks: those that ended, and those of streams that are about to. */
enum { SL_SNAPSHOT_ENDED = 2 * SL_ENDED_SINKS + SL_SETTINGS_MAX_SINKS };

enum { SL_SNAPSHOT_PATHS = 16 }; /* in quarantine, that a subscription shows by name */

struct sl_member_row {
    const char *subscription;
    uint32_t quarantined; /* paths */
    const char **paths;   /* the first SL_SNAPSHOT_PATHS of them; the settings'. NULL: none */
};

struct sl_stream_row {
    struct sl_stream_view view; /* `routes` is NULL: see below */
    struct sl_route_row *routes;
    size_t route_count;
    struct sl_member_row *members;
    size_t member_count;
    struct sl_target_view target;
    const struct sluice_map *labels; /* of the target, the settings' */
    struct sl_mend_counts mended;
    bool is_first; /* of its target's streams */
};

struct sl_sink_row {
    const struct sl_sink_spec *spec;
    struct sluice_stats stats;
    uint64_t in_flight;
    uint64_t overdue;
    int64_t oldest_ns;
    int64_t full_ns;
    uint64_t bugs[SL_BUGS];
    struct sl_histogram latency;         /* from taken to delivered */
    const char *reason;                  /* why it is not taking; "" while it is */
    struct sluice_partition *partitions; /* where they were asked for */
    size_t partition_count;
    bool is_taking;
};

/* Of all streams of a subscription, to one sink; some of them empty. */
struct sl_meter_row {
    const char *subscription;
    const char *sink;
    struct sl_histogram lag;
    struct sl_histogram blocked;
};

struct sl_snapshot_block;

struct sl_snapshot {
    struct sl_snapshot_block *blocks; /* all that follows lies in them */
    struct sl_settings **generations; /* held */
    size_t generation_count;
    struct sl_ended_row *ended; /* what streams have counted that are no more, or about to go */
    size_t ended_count;
    unsigned worker;
    uint64_t part_bytes;     /* of collector.memory */
    uint64_t promised_bytes; /* to streams */
    uint64_t held_bytes;     /* cost of all that is held for them */
    uint64_t interned_bytes;
    struct sl_stream_row *streams;
    size_t stream_count;
    struct sl_sink_row *sinks;
    size_t sink_count;
    struct sl_meter_row *meters;
    size_t meter_count;
};

/* Zeroed storage is an empty snapshot. */
void sl_snapshot_fini(struct sl_snapshot *snapshot);

/* Zeroed memory of the snapshot's, for as long as it lives. It comes in large blocks that go back
 * to the system at its end: rows in between everything else would leave the heap in pieces. NULL
 * when memory is out. */
void *sl_snapshot_alloc(struct sl_snapshot *snapshot, size_t count,
                        size_t item_bytes) SL_MUST_CHECK;

/* Copies a worker's meters. False when memory is out. */
bool sl_meter_rows_init(struct sl_snapshot *snapshot, const struct sl_meters *meters) SL_MUST_CHECK;

/* A copy of the text, which may not live as long. NULL when memory is out. */
const char *sl_snapshot_text(struct sl_snapshot *snapshot, const char *text) SL_MUST_CHECK;
/* A copy of the text in such memory, with a NUL behind it. NULL when memory is out. */
char *sl_snapshot_str(struct sl_snapshot *snapshot, struct sl_str text) SL_MUST_CHECK;

/* Copies one stream into a row of the snapshot. False when memory is out. */
bool sl_stream_row_init(struct sl_stream_row *row, struct sl_snapshot *snapshot,
                        const struct sl_stream *stream,
                        const struct sl_target *target) SL_MUST_CHECK;

#endif
