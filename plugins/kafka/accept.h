/* accept.h - what a Kafka sink does with a record: struct sluice_sink_plugin's functions for that.
 */
#ifndef SLUICE_KAFKA_ACCEPT_H
#define SLUICE_KAFKA_ACCEPT_H

#include "inside.h"

enum sluice_accept kafka_accept(void *sink, const struct sluice_record *record,
                                struct sluice_token *token);
size_t kafka_most(void *sink, const struct sluice_record *record);
size_t kafka_record_cost(const void *options);

#endif
