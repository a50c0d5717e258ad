/* report.h - snapshots as text: the metrics page. */
#ifndef SLUICE_DAEMON_REPORT_H
#define SLUICE_DAEMON_REPORT_H

#include <stddef.h>

#include "base/buf.h"
#include "daemon/snapshot.h"

/* The metrics of all workers, OpenMetrics text format. */
void sl_report_metrics(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* Of them, what streams may be sent and hold, and why not more. */
void sl_report_credit(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

/* Of them, what plugins do with their records. */
void sl_report_plugins(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out);

#endif
