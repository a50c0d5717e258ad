/* ledger.h - what became of every update, per stream, per sink and in sum.
 *
 * received = published + filtered + dropped{reason} + held holds of each route at any instant
 * (stream/route.h), so it holds of every sum of routes in one snapshot. Sums are over all workers.
 */
#ifndef SLUICE_DAEMON_LEDGER_H
#define SLUICE_DAEMON_LEDGER_H

#include <stddef.h>

#include "base/buf.h"
#include "daemon/snapshot.h"

/* The families of the sums per sink and over all sinks; those of each stream and sink are on the
 * metrics page beside them (report.h). */
void sl_ledger_metrics(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* A line for each stream and sink, one for each stream with several, one for each sink, and last
 * that of everything. */
void sl_ledger_log(const struct sl_snapshot *snapshots, size_t count);

#endif
