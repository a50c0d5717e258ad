/* kafka.h - librdkafka's configuration out of a source's, which needs no thread and no loop. */
#ifndef SLUICE_DISCOVERY_KAFKA_H
#define SLUICE_DISCOVERY_KAFKA_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "base/base.h"
#include "base/status.h"
#include "discovery/options.h"

/* To be destroyed, or given to rd_kafka_new. NULL: `why`, without the value of any property. */
rd_kafka_conf_t *sl_source_kafka_conf(const struct sl_source_options *options,
                                      struct sl_status *why) SL_MUST_CHECK;

/* Whether librdkafka takes it. False: `why`. */
bool sl_source_check_kafka(const struct sl_source_options *options,
                           struct sl_status *why) SL_MUST_CHECK;

#endif
