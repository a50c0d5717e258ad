/* report.h - snapshots as text: the metrics page. */
#ifndef SLUICE_DAEMON_REPORT_H
#define SLUICE_DAEMON_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "daemon/reload.h"
#include "daemon/snapshot.h"

/* The metrics of all workers, OpenMetrics text format.
 *
 * How many samples there are is bounded by the configuration, never by what devices send: a target
 * has at most SL_REPORT_TARGET_SAMPLES, a stream SL_REPORT_STREAM_SAMPLES, each of its routes
 * SL_REPORT_ROUTE_SAMPLES and one for each place that its records go to (SL_ROUTE_MAX_ORIGINS).
 * What is rare has a sample once it happened, and what is usually 0 has one while it is not: at
 * rest a target with one stream has less than twenty. */
enum {
    SL_REPORT_TARGET_SAMPLES = 24,
    SL_REPORT_STREAM_SAMPLES = 72,
    SL_REPORT_ROUTE_SAMPLES = 24,
};
void sl_report_metrics(const struct sl_snapshot *snapshots, size_t count, bool is_draining,
                       struct sl_buf *out);

/* Of them, what streams may be sent and hold, and why not more. */
void sl_report_credit(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* Of them, what plugins do with their records. */
void sl_report_plugins(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* Of them, histograms of what takes time. */
void sl_report_times(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* What came of the configuration's reloads. */
void sl_report_reloads(const struct sl_reload_outcome *outcome, struct sl_buf *out);

/* What the process itself is, takes and says. */
void sl_report_process(struct sl_buf *out);

#endif
