/* broker.h - a sink that behaves like Kafka on its better and on its worse days.
 *
 * A plugin behind plugins/sluice_plugin.h. Records go to partitions by target and subscription;
 * each partition reports in the order in which it took them, and each at its own pace. What it
 * takes and what it reports is entered in the book.
 */
#ifndef SLUICE_TESTS_WORLD_BROKER_H
#define SLUICE_TESTS_WORLD_BROKER_H

#include "sluice_plugin.h"
#include "world/run.h"

/* Whose brokers they are that will be opened. */
extern struct run *broker_run;

extern const struct sluice_sink_plugin broker_plugin;

/* Something begins to go wrong; false: it cannot. */
bool broker_fault(struct broker *broker, const struct plan_fault *fault);
void broker_heal(struct broker *broker, const struct plan_fault *fault);

bool broker_is_available(const struct broker *broker);      /* by its own word to the host */
uint64_t broker_payload_bytes(const struct broker *broker); /* of records that it has */
uint64_t broker_records(const struct broker *broker);

#endif
