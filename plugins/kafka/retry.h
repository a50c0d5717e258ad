/* retry.h - records that came back from librdkafka without having been stored, and are tried again.
 *
 * They wait with their topic, in the order in which they were given; nothing new goes there before
 * they have gone. First one alone, then twice as many each time that all were delivered; after a
 * failure one alone again, later and later (KAFKA_BACKOFF_MIN_MS to KAFKA_BACKOFF_MAX_MS), without
 * end. Other topics take no notice.
 */
#ifndef SLUICE_KAFKA_RETRY_H
#define SLUICE_KAFKA_RETRY_H

#include "inside.h"

enum {
    KAFKA_BACKOFF_MIN_MS = 100,
    KAFKA_BACKOFF_MAX_MS = 30000,
    KAFKA_MAX_WINDOW = 4096,
};

/* A record with all that is needed to produce it again. */
struct kafka_parked {
    struct kafka_parked *next;
    struct kafka_item *item;
    char *payload; /* of malloc */
    size_t len;
    char *key; /* of malloc; NULL: none */
    size_t key_len;
    rd_kafka_headers_t *headers; /* NULL: none */
    int64_t ms;
    int32_t partition; /* where it went, RD_KAFKA_PARTITION_UA: nowhere yet */
};

/* Of a message whose report this is, and whose headers it takes. NULL: no memory. */
struct kafka_parked *kafka_parked_new(const rd_kafka_message_t *message);
void kafka_parked_free(struct kafka_parked *parked); /* but for its item */

/* Takes `parked`. */
void kafka_park(struct kafka *kafka, struct kafka_topic *topic, struct kafka_parked *parked);

/* The topic takes nothing, for that reason: it waits. */
void kafka_topic_trouble(struct kafka *kafka, struct kafka_topic *topic,
                         const struct kafka_error *error, const char *text);

/* A record was delivered there. */
void kafka_topic_well(struct kafka *kafka, struct kafka_topic *topic);

/* Goes on wherever it is time, and arranges to be called when it is the next time. */
void kafka_retry(struct kafka *kafka);

/* Calls `fn` for each record that waits, and takes those out for which it is true. */
void kafka_parked_sift(struct kafka *kafka,
                       bool (*fn)(struct kafka *kafka, struct kafka_topic *topic,
                                  struct kafka_parked *parked));

/* The longest wait that a topic is in, of what is left of it. */
int64_t kafka_retry_longest(const struct kafka *kafka, int64_t now_ms);

/* dead.c: the record can never be stored where it should be. Takes `parked` with its item. */
void kafka_give_up(struct kafka *kafka, const struct kafka_topic *topic,
                   struct kafka_parked *parked, const struct kafka_error *error, const char *text);

#endif
