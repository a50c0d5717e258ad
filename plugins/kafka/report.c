/* report.c - what became of records, and what librdkafka says beside: all from rd_kafka_poll, on
 * the loop thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brokers.h"
#include "inside.h"
#include "restart.h"
#include "retry.h"

#define NS_PER_US INT64_C(1000)

/* ---- records ---- */

static void on_delivered(struct kafka *kafka, struct kafka_topic *topic,
                         const rd_kafka_message_t *message)
{
    if (kafka->is_latency_due) {
        int64_t latency_ns = rd_kafka_message_latency(message) * NS_PER_US;
        kafka->stats.report_latency_ns += (latency_ns - kafka->stats.report_latency_ns) / 8;
        kafka->is_latency_due = false;
    }
    kafka->has_delivered = true;
    if (topic->trouble) {
        kafka_topic_well(kafka, topic);
    }
    struct kafka_item *item = message->_private;
    if (topic->doubt_count > 0) {
        kafka_topic_stored(topic, message->partition, item->order);
    }
    kafka_settle(kafka, item, message->len, item->result, NULL);
}

/* The broker takes it alone, or not at all: then that is known. */
static void note_refused(struct kafka *kafka, struct kafka_topic *topic,
                         const rd_kafka_message_t *message, const struct kafka_error *error)
{
    char words[KAFKA_TROUBLE_BYTES];

    if (topic->window == 1 && topic->is_waiting) {
        return; /* one of a batch of which the first was told */
    }
    snprintf(words, sizeof(words), "topic %s [%d]: %s; one by one", topic->name,
             (int)message->partition, rd_kafka_err2str(message->err));
    kafka_note(kafka, error->reason, words);
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        uint64_t most_bytes = topic->most_out_bytes ? topic->most_out_bytes : kafka->assumed_bytes;
        topic->most_out_bytes = most_bytes / 2;
        topic->limit = KAFKA_LIMIT_UNASKED; /* it may have another one now */
    }
}

static void park(struct kafka *kafka, struct kafka_topic *topic, const rd_kafka_message_t *message,
                 const struct kafka_error *error)
{
    bool is_alone = ((struct kafka_item *)message->_private)->is_alone;
    struct kafka_parked *parked = kafka_parked_new(message);

    if (!parked) {
        kafka_lose(kafka, topic, message, "no memory to keep what came back");
        return;
    }
    if (error->is_final && is_alone) {
        if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
            topic->limit_bytes = message->len;
            topic->limit = KAFKA_LIMIT_KNOWN;
        }
        kafka_give_up(kafka, topic, parked, error, rd_kafka_err2str(message->err));
        return;
    }
    if (error->is_final) {
        note_refused(kafka, topic, message, error);
    } else if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
        kafka_topic_trouble(kafka, topic, error, rd_kafka_err2str(message->err));
    }
    kafka_park(kafka, topic, parked);
    if (error->is_final) {
        topic->window = 1;
    }
}

/* librdkafka says so of whatever a leader refused that was moved meanwhile, whose replicas may have
 * it. As long as it sends it again itself that does no harm: brokers know its number. */
static bool is_not_stored(const struct kafka *kafka, const struct kafka_topic *topic,
                          const rd_kafka_message_t *message)
{
    const struct kafka_item *item = message->_private;

    return rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED &&
           (kafka->state == KAFKA_RUNNING ||
            !kafka_topic_is_doubtful(topic, message->partition, item->order));
}

static void on_failed(struct kafka *kafka, struct kafka_topic *topic,
                      const rd_kafka_message_t *message)
{
    if (kafka->is_closing) {
        kafka_settle(kafka, message->_private, message->len, SLUICE_FAILED,
                     rd_kafka_err2str(message->err));
        return;
    }
    kafka_note_fatal(kafka);
    if (is_not_stored(kafka, topic, message)) {
        park(kafka, topic, message, kafka_error_of(message->err));
    } else {
        kafka_lose(kafka, topic, message, rd_kafka_err2str(message->err));
    }
}

static void note_room(struct kafka *kafka, struct kafka_topic *topic)
{
    if (topic->is_awaited && topic->out_bytes <= topic->most_out_bytes / 2) {
        topic->is_awaited = false;
        kafka->is_full = true;
    }
}

void kafka_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
    struct kafka *kafka = arg;
    struct kafka_topic *topic = kafka_topic_of(message);

    (void)rk;
    kafka->is_heard = true;
    kafka_calm_note(&kafka->calm, message->rkt, message->partition);
    kafka->out--;
    topic->out--;
    topic->out_bytes -= message->len;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_delivered(kafka, topic, message);
    } else {
        on_failed(kafka, topic, message);
    }
    note_room(kafka, topic);
}

/* ---- the rest ---- */

void kafka_on_error(rd_kafka_t *rk, int error, const char *reason, void *arg)
{
    struct kafka *kafka = arg;
    rd_kafka_resp_err_t code = (rd_kafka_resp_err_t)error;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_note_fatal(kafka);
        return;
    }
    kafka_note(kafka, kafka_error_of(code)->reason, reason);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        kafka_tell_brokers(kafka, false);
    } else {
        snprintf(kafka->trouble, sizeof(kafka->trouble), "%s", reason);
    }
}

int kafka_on_statistics(rd_kafka_t *rk, char *json, size_t len, void *arg)
{
    struct kafka *kafka = arg;
    struct kafka_brokers brokers;

    (void)rk;
    if (!kafka->has_id && kafka_has_producer_id(json, len)) {
        kafka_note_id(kafka);
    }
    if (kafka_brokers_read(json, len, &brokers)) {
        kafka->stats.retries = kafka->retired_retries + brokers.retries;
        kafka->broker_id = brokers.up_id;
        kafka_tell_brokers(kafka, brokers.up > 0 && kafka->has_id);
    }
    kafka_partitions_read(&kafka->partitions, json, len, kafka_now_ms());
    return 0; /* librdkafka frees it */
}

void kafka_on_throttle(rd_kafka_t *rk, const char *broker, int32_t id, int ms, void *arg)
{
    char words[KAFKA_TROUBLE_BYTES];

    (void)rk;
    if (ms > 0) {
        snprintf(words, sizeof(words), "broker %s (%d) asks to wait %d ms", broker, (int)id, ms);
        kafka_note(arg, "throttled", words);
    }
}
