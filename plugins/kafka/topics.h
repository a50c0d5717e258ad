/* topics.h - the topics that a sink writes to, by name: librdkafka's handle of each, how much is
 * out there, and what it is held up by.
 *
 * A device may have a say in names (${origin}), so there is a limit to how many are kept; none is
 * ever forgotten before the end. Names that Kafka would refuse never reach it.
 */
#ifndef SLUICE_KAFKA_TOPICS_H
#define SLUICE_KAFKA_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "sluice_plugin.h"

enum { KAFKA_MAX_TOPICS = 1024, KAFKA_MAX_TOPIC_BYTES = 249 };

struct kafka_error;
struct kafka_parked;

enum kafka_limit {
    KAFKA_LIMIT_UNASKED,
    KAFKA_LIMIT_ASKED,
    KAFKA_LIMIT_KNOWN, /* or that nobody tells it */
};

/* A partition whose leader refused a batch in a way that does not say whether it is stored: as one
 * that was moved while replicas still wrote it. */
struct kafka_doubt {
    int32_t partition;
    uint64_t order; /* of the newest record then */
};

struct kafka_topic {
    rd_kafka_topic_t *rkt; /* of the producer that there is; NULL: not made yet */
    uint64_t out;          /* records that are with librdkafka */
    uint64_t out_bytes;
    enum kafka_limit limit;
    uint64_t limit_bytes;    /* of a batch; 0: not known */
    uint64_t most_out_bytes; /* at once; 0: any */
    bool is_awaited;         /* FULL was said for want of that room */

    /* What came back and is to be tried again, in the order in which it was given (retry.h). As
     * long as there is any, and until then, the topic takes nothing new. */
    bool is_waiting;
    struct kafka_topic *next_waiting;
    struct kafka_parked *parked;
    struct kafka_parked *last_parked;  /* that was put there; NULL: it is gone */
    unsigned window;                   /* so many at once */
    const struct kafka_error *trouble; /* why; NULL: none is known */
    int64_t retry_ms;                  /* not before */
    int64_t backoff_ms;                /* the last wait */

    struct kafka_doubt *doubts;
    size_t doubt_count;
    bool is_all_doubtful; /* there was no memory for one */

    uint32_t hash;
    size_t name_len;
    char name[KAFKA_MAX_TOPIC_BYTES + 1];
};

struct kafka_topics;

/* NULL when memory is out. */
struct kafka_topics *kafka_topics_new(void);
void kafka_topics_free(struct kafka_topics *topics); /* NULL is nothing; nothing may be parked */

/* NULL: *why, which lives for good. */
struct kafka_topic *kafka_topics_get(struct kafka_topics *topics, struct sluice_str name,
                                     const char **why);

/* Its handle, made when it is wanted. NULL: *code. */
rd_kafka_topic_t *kafka_topic_handle(struct kafka_topic *topic, rd_kafka_t *rk,
                                     rd_kafka_resp_err_t *code);

/* As kafka_topics_get, but only one that is there. */
struct kafka_topic *kafka_topics_find(struct kafka_topics *topics, struct sluice_str name);

/* A batch was refused, and its records may be stored; `order` is that of the newest record given.
 * Once a record of the partition that was given later is stored, they are, too. Doubtful is what
 * was given until then. */
void kafka_topic_doubt(struct kafka_topic *topic, int32_t partition, uint64_t order);
void kafka_topic_stored(struct kafka_topic *topic, int32_t partition, uint64_t order);
bool kafka_topic_is_doubtful(const struct kafka_topic *topic, int32_t partition, uint64_t order);

/* The topic of a message of ours. */
struct kafka_topic *kafka_topic_of(const rd_kafka_message_t *message);

/* The producer is about to end: no handle is its any more. */
void kafka_topics_leave(struct kafka_topics *topics);

#endif
