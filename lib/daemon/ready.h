/* ready.h - whether records can flow: what /readyz says. */
#ifndef SLUICE_DAEMON_READY_H
#define SLUICE_DAEMON_READY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "daemon/snapshot.h"

/* What /readyz looks at: snapshots of workers, all of which have answered (NULL: they have not),
 * and whether the collector is on its way out. */
struct sl_ready_view {
    const struct sl_snapshot *snapshots;
    size_t count;
    bool is_draining;
};

/* True when every required sink takes records in every worker, every worker answers, and the end
 * has not begun. Else `why` gets a line for each reason. Devices that are not there make nobody
 * unready: that is theirs, and to be seen in the metrics. */
bool sl_ready_look(const struct sl_ready_view *view, struct sl_buf *why);

#endif
