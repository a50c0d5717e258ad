/* conf.h - the options of a Kafka sink, and the librdkafka configuration made from them.
 *
 * Some of librdkafka's properties carry sluice's promises and are fixed: each is refused with its
 * reason when `properties` would change it (under any of its names; repeating its value is fine).
 */
#ifndef SLUICE_KAFKA_CONF_H
#define SLUICE_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "sluice_plugin.h"

enum kafka_headers { KAFKA_HEADERS_COMPACT, KAFKA_HEADERS_SPLIT, KAFKA_HEADERS_NONE };

struct kafka_options {
    struct sluice_strings brokers;
    const char *topic; /* read by the host alone, as `key` is */
    const char *key;
    int headers; /* enum kafka_headers */
    int64_t timestamp_max_age_ns;
    struct sluice_map properties;
};

extern const struct sluice_option kafka_option_table[];

/* For the instance of `host`, or without brokers and name (NULL), for a check. NULL: `error`, which
 * never holds the value of a secret. */
rd_kafka_conf_t *kafka_conf_new(const struct kafka_options *options, const struct sluice_host *host,
                                char *error, size_t error_size);

/* struct sluice_sink_plugin's check. */
bool kafka_conf_check(const void *options, char *error, size_t error_size);

#endif
