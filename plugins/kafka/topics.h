/* topics.h - librdkafka's handle of each topic, by name.
 *
 * A device may have a say in names (${origin}), so there is a limit to how many are kept; none is
 * ever forgotten before the end. Names that Kafka would refuse never reach it.
 */
#ifndef SLUICE_KAFKA_TOPICS_H
#define SLUICE_KAFKA_TOPICS_H

#include <librdkafka/rdkafka.h>

#include "sluice_plugin.h"

enum { KAFKA_MAX_TOPICS = 1024, KAFKA_MAX_TOPIC_BYTES = 249 };

struct kafka_topics;

/* NULL when memory is out. */
struct kafka_topics *kafka_topics_new(rd_kafka_t *rk);
void kafka_topics_free(struct kafka_topics *topics); /* NULL is nothing */

/* NULL: *why, which lives for good. */
rd_kafka_topic_t *kafka_topics_get(struct kafka_topics *topics, struct sluice_str name,
                                   const char **why);

#endif
