/* inside.h - the inside of a Kafka sink: kafka.c takes records and has its life, report.c hears
 * what became of them, retry.c tries again what came back, restart.c makes a new producer when the
 * old one has ended, lines.c reads librdkafka's log, limits.c asks for topics' limits.
 *
 * Everything is the loop thread's but `lines`, which librdkafka's threads write.
 */
#ifndef SLUICE_KAFKA_INSIDE_H
#define SLUICE_KAFKA_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "calm.h"
#include "conf.h"
#include "errors.h"
#include "header.h"
#include "partitions.h"
#include "topics.h"
#include "troubles.h"

#define NS_PER_MS INT64_C(1000000)

enum { KAFKA_TEXT_BYTES = 256 };

enum kafka_state {
    KAFKA_RUNNING,
    KAFKA_FAILING, /* the producer cannot go on; what it has comes back */
    KAFKA_ENDING,  /* a thread destroys it */
    KAFKA_WAITING, /* until the next one may be made */
};

/* A record that was taken: the opaque of its message. */
struct kafka_item {
    struct sluice_token *token;
    uint64_t order;            /* in which records were given */
    enum sluice_result result; /* to be reported when it is delivered: DELIVERED or DEAD_LETTER */
    int32_t partition;         /* that it was given for; RD_KAFKA_PARTITION_UA: the partitioner's */
    bool is_alone;             /* with nothing else of its topic out */
    /* It is over, and will be told: from within accept, in the loop's next turn. */
    struct kafka_item *next;
    size_t len;
    const char *reason; /* lives for good */
};

/* A line of librdkafka's, on its way to the loop. */
struct kafka_line {
    struct kafka_line *next;
    int level; /* syslog's */
    char facility[24];
    char text[];
};

struct kafka {
    const struct sluice_host *host;
    const struct kafka_options *options;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;   /* rings event_fd */
    rd_kafka_queue_t *answers; /* to what was asked of brokers; rings it, too */
    int event_fd;
    struct sluice_watch *watch;
    struct sluice_timer *timer; /* for `failed`, and after FULL */
    struct sluice_timer *calm_timer;
    struct sluice_timer *retry_timer; /* retry.c, restart.c */
    struct sluice_timer *look_timer;  /* for troubles that may be over */
    bool is_looking;
    struct kafka_calm calm;
    struct kafka_topics *topics;
    struct kafka_topic *waiting; /* a list of those that are */
    struct kafka_text header;
    struct kafka_item *failed; /* to be told in the next turn */
    struct kafka_troubles troubles;
    struct kafka_partitions partitions;
    struct sluice_stats stats;
    uint64_t out;           /* messages that are with librdkafka */
    uint64_t order;         /* of the newest record */
    uint64_t client_bytes;  /* librdkafka's limit of a record */
    uint64_t batch_bytes;   /* and of a batch with several */
    uint64_t assumed_bytes; /* a topic's limit, where nobody tells it */

    enum kafka_state state;
    int64_t failing_ms; /* KAFKA_FAILING: since when */
    rd_kafka_t *ending; /* KAFKA_ENDING: the old producer, the thread's */
    pthread_t ender;
    bool has_ender;
    atomic_bool has_ended;
    struct kafka_lost *lost; /* of the producer that is failing: restart.c */
    size_t lost_count;
    bool is_all_lost;
    int64_t restart_ms;       /* KAFKA_WAITING: not before */
    int64_t backoff_ms;       /* the last such wait */
    bool has_delivered;       /* anything, since the producer was made */
    uint64_t retired_retries; /* of earlier producers */

    bool is_up;
    int32_t broker_id; /* of one that is up; -1: none is known */
    bool has_id;       /* of the idempotent producer: it can send */
    bool is_full;
    bool is_accepting;
    bool is_closing;
    bool is_heard;                  /* a report came in this poll */
    bool is_latency_due;            /* one report of each poll tells the latency */
    bool has_debug;                 /* the user wants librdkafka's debug lines */
    char trouble[KAFKA_TEXT_BYTES]; /* what librdkafka said last about a broker */
    char fatal[KAFKA_TEXT_BYTES];

    pthread_mutex_t lines_lock;
    struct kafka_line *lines; /* newest first */
    unsigned line_count;
};

int64_t kafka_now_ms(void);

/* kafka.c */

void kafka_tell_ready(struct kafka *kafka);
void kafka_tell_down(struct kafka *kafka);
void kafka_tell_brokers(struct kafka *kafka, bool is_any_up);
void kafka_note(struct kafka *kafka, const char *reason, const char *text);

/* The record is over. Takes `item`. */
void kafka_settle(struct kafka *kafka, struct kafka_item *item, size_t len,
                  enum sluice_result result, const char *reason);

/* accept.c: librdkafka has a record. */
void kafka_count_out(struct kafka *kafka, struct kafka_topic *topic, size_t len);

/* Makes the producer and what hangs on it (false: `error`, and nothing is there), and takes that
 * down again but for the producer. */
bool kafka_attach(struct kafka *kafka, char *error, size_t error_size);
void kafka_detach(struct kafka *kafka);

/* report.c: librdkafka's callbacks. */
void kafka_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg);
void kafka_on_error(rd_kafka_t *rk, int error, const char *reason, void *arg);
int kafka_on_statistics(rd_kafka_t *rk, char *json, size_t len, void *arg);
void kafka_on_throttle(rd_kafka_t *rk, const char *broker, int32_t id, int ms, void *arg);

/* lines.c */
void kafka_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);
void kafka_read_lines(struct kafka *kafka);

/* limits.c */

/* Asks the broker for the topic's limit, once. */
void kafka_ask_limit(struct kafka *kafka, struct kafka_topic *topic);
void kafka_read_answers(struct kafka *kafka);

/* The payload that a record may have; SIZE_MAX: that is being asked for. */
size_t kafka_most_bytes(const struct kafka *kafka, const struct kafka_topic *topic,
                        const struct sluice_record *record);

#endif
