/* ledger.h - what became of every update, per stream, per sink and in sum.
 *
 * received = published + filtered + dropped{reason} + held holds of each route at any instant
 * (stream/route.h), so it holds of every sum of routes in one snapshot. Sums are over all workers.
 */
#ifndef SLUICE_DAEMON_LEDGER_H
#define SLUICE_DAEMON_LEDGER_H

#include <stddef.h>

#include "base/buf.h"
#include "daemon/settings.h"
#include "daemon/snapshot.h"

struct sl_ledger_sink {
    const char *name;
    struct sl_route_counts counts;
};

enum { SL_LEDGER_SINKS = SL_SETTINGS_MAX_SINKS + SL_SNAPSHOT_ENDED }; /* also those that ended */

struct sl_ledger {
    struct sl_ledger_sink sinks[SL_LEDGER_SINKS];
    size_t sink_count;
    struct sl_route_counts all;
};

void sl_ledger_add_up(struct sl_ledger *ledger, const struct sl_snapshot *snapshots, size_t count);

/* The families of the sums per sink and over all sinks; those of each stream and sink are on the
 * metrics page beside them (report.h). */
void sl_ledger_metrics(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* A line for each stream and sink, one for each stream with several, one for each sink, and last
 * that of everything. */
void sl_ledger_log(const struct sl_snapshot *snapshots, size_t count);

#endif
