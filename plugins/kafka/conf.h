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

/* Which partition a key leads to, and where records without one go. */
enum kafka_partitioner {
    KAFKA_CONSISTENT_RANDOM, /* librdkafka's own: CRC-32; at random */
    KAFKA_CONSISTENT,        /* CRC-32; all to the same one */
    KAFKA_FNV1A,             /* as sarama's (and with that gnmic's) hash partitioner; at random */
    KAFKA_MURMUR2,           /* as Java's; at random */
    KAFKA_RANDOM,            /* whatever the key is */
};

enum kafka_compression {
    KAFKA_COMPRESSION_NONE,
    KAFKA_COMPRESSION_GZIP,
    KAFKA_COMPRESSION_SNAPPY,
    KAFKA_COMPRESSION_LZ4,
    KAFKA_COMPRESSION_ZSTD,
};

struct kafka_oauth {
    const char *token_file; /* NULL: tokens are librdkafka's affair */
    const char *principal;
    int64_t lifetime_ns;
};

struct kafka_options {
    struct sluice_strings brokers;
    const char *topic; /* read by the host alone, as `key` is */
    const char *key;
    int headers;           /* enum kafka_headers */
    const char *partition; /* read by the host alone */
    int partitioner;       /* enum kafka_partitioner */
    int compression;       /* enum kafka_compression */
    struct {
        const char *topic; /* NULL: there is none */
    } dead_letter;
    struct kafka_oauth oauth;
    int64_t timestamp_max_age_ns;
    struct sluice_map properties;
};

extern const struct sluice_option kafka_option_table[];

/* For the instance of `host`, or without brokers and name (NULL), for a check. NULL: `error`, which
 * never holds the value of a secret. */
rd_kafka_conf_t *kafka_conf_new(const struct kafka_options *options, const struct sluice_host *host,
                                char *error, size_t error_size);

/* The number that a property of it has. */
uint64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *name);

/* Whether librdkafka's debug lines are wanted by the user. */
bool kafka_conf_has_debug(const struct kafka_options *options);

/* How large a record may be where nobody tells the topic's limit: what the user says, or what
 * nearly all brokers take. */
uint64_t kafka_conf_assumed_bytes(const struct kafka_options *options);

/* struct sluice_sink_plugin's check. */
bool kafka_conf_check(const void *options, char *error, size_t error_size);

#endif
