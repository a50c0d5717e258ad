/* processor.h - what stands between encoders and a sink: instances of processors, in a row.
 *
 * Each sink has its own, so that nothing is shared between threads. A record goes through them
 * once, in order, after it is encoded and before the sink sees it.
 *
 * Loop thread only.
 */
#ifndef SLUICE_SINK_PROCESSOR_H
#define SLUICE_SINK_PROCESSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"
#include "sluice_plugin.h"

struct sl_sink;
struct sl_processors;

/* A processor as configured: the same for all sinks and workers. */
struct sl_processor_spec {
    const char *name;
    const struct sluice_processor_plugin *plugin;
    const void *options; /* the plugin's own, parsed */
};

/* Instances for `sink`, as its spec names them. NULL with the reason in `why`. */
struct sl_processors *sl_processors_open(struct sl_sink *sink, struct sl_status *why) SL_MUST_CHECK;
void sl_processors_close(struct sl_processors *processors);

/* What becomes of the record, of which payload, destination and key may be others then. Its payload
 * stays the caller's. */
enum sluice_verdict sl_processors_run(struct sl_processors *processors,
                                      struct sluice_record *record) SL_MUST_CHECK;

#endif
