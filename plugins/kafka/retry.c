#include "retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "restart.h"

/* ---- parked records ---- */

static char *copy(const void *bytes, size_t len)
{
    char *made = malloc(len + 1);

    if (made && len) {
        memcpy(made, bytes, len);
    }
    return made;
}

struct kafka_parked *kafka_parked_new(const rd_kafka_message_t *message)
{
    struct kafka_parked *parked = calloc(1, sizeof(*parked));
    rd_kafka_timestamp_type_t type;

    if (!parked) {
        return NULL;
    }
    parked->payload = copy(message->payload, message->len);
    parked->key = message->key ? copy(message->key, message->key_len) : NULL;
    if (!parked->payload || (message->key && !parked->key)) {
        kafka_parked_free(parked);
        return NULL;
    }
    parked->item = message->_private;
    parked->len = message->len;
    parked->key_len = message->key_len;
    parked->ms = rd_kafka_message_timestamp(message, &type);
    parked->partition = message->partition;
    (void)rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)message,
                                          &parked->headers);
    return parked;
}

void kafka_parked_free(struct kafka_parked *parked)
{
    if (parked->headers) {
        rd_kafka_headers_destroy(parked->headers);
    }
    free(parked->payload);
    free(parked->key);
    free(parked);
}

/* ---- topics that wait ---- */

static void begin_wait(struct kafka *kafka, struct kafka_topic *topic)
{
    struct kafka_topic **end = &kafka->waiting;

    if (topic->is_waiting) {
        return;
    }
    while (*end) {
        end = &(*end)->next_waiting;
    }
    *end = topic;
    topic->is_waiting = true;
    topic->window = 1;
    topic->retry_ms = 0;
}

static void end_wait(struct kafka *kafka, struct kafka_topic **slot)
{
    struct kafka_topic *topic = *slot;

    *slot = topic->next_waiting;
    topic->next_waiting = NULL;
    topic->is_waiting = false;
    kafka->is_full = true; /* for it: now there is room */
}

void kafka_park(struct kafka *kafka, struct kafka_topic *topic, struct kafka_parked *parked)
{
    struct kafka_parked **slot = &topic->parked;

    begin_wait(kafka, topic);
    if (topic->last_parked && topic->last_parked->item->order < parked->item->order) {
        slot = &topic->last_parked->next;
    }
    while (*slot && (*slot)->item->order < parked->item->order) {
        slot = &(*slot)->next;
    }
    parked->next = *slot;
    *slot = parked;
    topic->last_parked = parked;
}

static int64_t next_backoff(int64_t backoff_ms)
{
    int64_t next_ms = backoff_ms ? 2 * backoff_ms : KAFKA_BACKOFF_MIN_MS;

    return next_ms < KAFKA_BACKOFF_MAX_MS ? next_ms : KAFKA_BACKOFF_MAX_MS;
}

/* Of many that fail together only the first one makes the wait longer. */
void kafka_topic_trouble(struct kafka *kafka, struct kafka_topic *topic,
                         const struct kafka_error *error, const char *text)
{
    char words[KAFKA_TROUBLE_BYTES];
    int64_t now_ms = kafka_now_ms();

    begin_wait(kafka, topic);
    if (topic->retry_ms <= now_ms) {
        topic->backoff_ms = next_backoff(topic->backoff_ms);
        topic->retry_ms = now_ms + topic->backoff_ms;
        snprintf(words, sizeof(words), "topic %s: %s; again in %lld ms", topic->name, text,
                 (long long)topic->backoff_ms);
        kafka_note(kafka, error->reason, words);
    }
    topic->window = 1;
    if (topic->trouble != error) {
        if (topic->trouble) {
            kafka_troubles_wait(&kafka->troubles, topic->trouble->reason, -1);
        }
        kafka_troubles_wait(&kafka->troubles, error->reason, 1);
        topic->trouble = error;
    }
}

void kafka_topic_well(struct kafka *kafka, struct kafka_topic *topic)
{
    if (topic->trouble) {
        kafka_troubles_wait(&kafka->troubles, topic->trouble->reason, -1);
        topic->trouble = NULL;
        topic->backoff_ms = 0;
    }
}

void kafka_parked_sift(struct kafka *kafka,
                       bool (*fn)(struct kafka *kafka, struct kafka_topic *topic,
                                  struct kafka_parked *parked))
{
    for (struct kafka_topic *topic = kafka->waiting; topic; topic = topic->next_waiting) {
        struct kafka_parked **slot = &topic->parked;
        topic->last_parked = NULL;
        while (*slot) {
            struct kafka_parked *parked = *slot;
            struct kafka_parked *next = parked->next;
            if (fn(kafka, topic, parked)) {
                *slot = next;
            } else {
                topic->last_parked = parked;
                slot = &parked->next;
            }
        }
    }
}

/* ---- again ---- */

/* The record is librdkafka's when there is no error. */
static rd_kafka_resp_err_t produce(struct kafka *kafka, struct kafka_topic *topic,
                                   struct kafka_parked *parked)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_t *rkt = kafka_topic_handle(topic, kafka->rk, &code);
    rd_kafka_vu_t vus[8];
    size_t count = 0;

    if (!rkt) {
        return code;
    }
    vus[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt};
    vus[count].vtype = RD_KAFKA_VTYPE_VALUE;
    vus[count].u.mem.ptr = parked->payload;
    vus[count++].u.mem.size = parked->len;
    vus[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_FREE};
    vus[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = parked->item};
    vus[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = parked->ms};
    vus[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = parked->item->partition};
    if (parked->key) {
        vus[count].vtype = RD_KAFKA_VTYPE_KEY;
        vus[count].u.mem.ptr = parked->key;
        vus[count++].u.mem.size = parked->key_len;
    }
    if (parked->headers) {
        vus[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = parked->headers};
    }
    rd_kafka_error_t *error = rd_kafka_produceva(kafka->rk, vus, count);
    code = rd_kafka_error_code(error);
    if (error) {
        rd_kafka_error_destroy(error);
    }
    return code;
}

static void unlink_first(struct kafka_topic *topic)
{
    struct kafka_parked *parked = topic->parked;

    topic->parked = parked->next;
    if (topic->last_parked == parked) {
        topic->last_parked = NULL;
    }
}

/* librdkafka has it: what was its own is gone already. */
static void sent(struct kafka *kafka, struct kafka_topic *topic)
{
    struct kafka_parked *parked = topic->parked;

    unlink_first(topic);
    kafka_count_out(kafka, topic, parked->len);
    parked->payload = NULL;
    parked->headers = NULL;
    kafka_parked_free(parked);
}

/* It would not have it. False: no more for now. */
static bool refused(struct kafka *kafka, struct kafka_topic *topic, rd_kafka_resp_err_t code)
{
    struct kafka_parked *parked = topic->parked;
    const struct kafka_error *error = kafka_error_of(code);

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_note_fatal(kafka);
        return false;
    }
    if (error->is_final) {
        unlink_first(topic);
        kafka_give_up(kafka, topic, parked, error, rd_kafka_err2str(code));
        return true;
    }
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        kafka_topic_trouble(kafka, topic, error, rd_kafka_err2str(code));
    }
    return false;
}

static void send_window(struct kafka *kafka, struct kafka_topic *topic)
{
    unsigned count = 0;

    while (topic->parked && count < topic->window) {
        struct kafka_parked *parked = topic->parked;
        if (count && topic->most_out_bytes &&
            topic->out_bytes + parked->len > topic->most_out_bytes) {
            break;
        }
        parked->item->is_alone = topic->window == 1;
        rd_kafka_resp_err_t code = produce(kafka, topic, parked);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            sent(kafka, topic);
            count++;
        } else if (!refused(kafka, topic, code)) {
            return;
        }
    }
    topic->window = topic->window < KAFKA_MAX_WINDOW ? 2 * topic->window : KAFKA_MAX_WINDOW;
}

int64_t kafka_retry_longest(const struct kafka *kafka, int64_t now_ms)
{
    int64_t longest_ms = 0;

    for (const struct kafka_topic *topic = kafka->waiting; topic; topic = topic->next_waiting) {
        int64_t left_ms = topic->trouble ? topic->retry_ms - now_ms : 0;
        longest_ms = left_ms > longest_ms ? left_ms : longest_ms;
    }
    return longest_ms;
}

/* When the first of them is due; -1: that depends on reports. */
static int64_t next_due(const struct kafka *kafka)
{
    int64_t due_ms = -1;

    for (const struct kafka_topic *topic = kafka->waiting; topic; topic = topic->next_waiting) {
        if (topic->out == 0 && topic->limit == KAFKA_LIMIT_KNOWN &&
            (due_ms < 0 || topic->retry_ms < due_ms)) {
            due_ms = topic->retry_ms;
        }
    }
    return due_ms;
}

static void arrange(struct kafka *kafka)
{
    int64_t now_ms = kafka_now_ms();
    int64_t due_ms = next_due(kafka);

    if (due_ms >= 0) {
        int64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
        kafka->host->calls->timer_start(kafka->retry_timer, (uint64_t)left_ms);
    }
}

/* What was refused for its size is not sent again before the limit is asked for. */
static bool knows_limit(struct kafka *kafka, struct kafka_topic *topic)
{
    if (topic->limit == KAFKA_LIMIT_UNASKED) {
        kafka_ask_limit(kafka, topic);
    }
    return topic->limit == KAFKA_LIMIT_KNOWN;
}

void kafka_retry(struct kafka *kafka)
{
    struct kafka_topic **slot = &kafka->waiting;
    int64_t now_ms = kafka_now_ms();

    if (kafka->state != KAFKA_RUNNING || !kafka->has_id || kafka->is_closing || !kafka->waiting) {
        return;
    }
    while (*slot && kafka->state == KAFKA_RUNNING) {
        struct kafka_topic *topic = *slot;
        bool is_due = topic->out == 0 && topic->retry_ms <= now_ms && knows_limit(kafka, topic);

        if (is_due && topic->parked) {
            send_window(kafka, topic);
        }
        if (is_due && !topic->parked) {
            end_wait(kafka, slot);
        } else {
            slot = &topic->next_waiting;
        }
    }
    if (kafka->state == KAFKA_RUNNING) {
        arrange(kafka);
    }
    kafka_tell_ready(kafka);
}
