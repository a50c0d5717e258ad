/* accept.c - records on their way into librdkafka. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "restart.h"
#include "retry.h"

enum {
    RETRY_MS = 10, /* after FULL, should no report come before */
    SPLIT_HEADERS = 6,
    FIELDS = 8, /* topic, payload, flags, opaque, time, partition, key, headers */
    PARTITION_DIGITS = 9,
    /* librdkafka's own memory for a queued record, measured: 235, with one header 491, with five
     * 795 bytes. */
    RECORD_COST = 240,
    RECORD_COST_HEADERS = 180, /* for having any */
    RECORD_COST_HEADER = 80,
    ITEM_COST = 64,
};

static const char too_large[] = "it is larger than its topic takes";

void kafka_count_out(struct kafka *kafka, struct kafka_topic *topic, size_t len)
{
    kafka->out++;
    topic->out++;
    topic->out_bytes += len;
    if (!kafka->calm.is_armed) {
        kafka->host->calls->timer_start(kafka->calm_timer,
                                        kafka_calm_begin(&kafka->calm, kafka_now_ms()));
    }
}

static enum sluice_accept refuse(struct kafka *kafka)
{
    kafka->is_full = true;
    kafka->host->calls->timer_start(kafka->timer, RETRY_MS);
    return SLUICE_FULL;
}

static struct kafka_item *item_new(struct kafka *kafka, struct sluice_token *token)
{
    struct kafka_item *item = malloc(sizeof(*item));

    if (item) {
        *item = (struct kafka_item){.token = token,
                                    .order = ++kafka->order,
                                    .result = SLUICE_DELIVERED,
                                    .partition = RD_KAFKA_PARTITION_UA};
    }
    return item;
}

static enum sluice_accept taken(struct kafka *kafka, const struct sluice_record *record)
{
    kafka->stats.queued_records++;
    kafka->stats.queued_bytes += record->payload_len;
    return SLUICE_TAKEN;
}

static enum sluice_accept take_failed(struct kafka *kafka, const struct sluice_record *record,
                                      struct kafka_item *item, enum sluice_result result,
                                      const char *reason)
{
    kafka_settle(kafka, item, record->payload_len, result, reason);
    free(record->payload);
    return taken(kafka, record);
}

static void add(rd_kafka_headers_t *headers, const char *name, struct sluice_str value)
{
    rd_kafka_header_add(headers, name, -1, value.data, (ssize_t)value.len);
}

static void add_split(rd_kafka_headers_t *headers, const struct sluice_record *record)
{
    char epoch[KAFKA_NUMBER_BYTES];
    char seq[KAFKA_NUMBERS_BYTES];

    add(headers, "sluice-epoch", (struct sluice_str){epoch, kafka_digits(record->epoch, epoch)});
    add(headers, "sluice-seq", (struct sluice_str){seq, kafka_numbers(record, seq)});
    add(headers, "sluice-format", record->format);
    add(headers, "sluice-target", record->target);
    add(headers, "sluice-subscription", record->subscription);
    add(headers, "sluice-kind", record->kind);
}

/* False: no memory. NULL: the record has none. They are made here rather than by the call that
 * produces, for where that fails librdkafka 2.0.2 frees its own ones twice. */
static bool make_headers(struct kafka *kafka, const struct sluice_record *record,
                         enum kafka_headers kind, rd_kafka_headers_t **headers)
{
    *headers = kind == KAFKA_HEADERS_NONE ? NULL : rd_kafka_headers_new(SPLIT_HEADERS);
    if (kind == KAFKA_HEADERS_NONE) {
        return true;
    }
    if (!*headers ||
        (kind == KAFKA_HEADERS_COMPACT && !kafka_header_compact(record, &kafka->header))) {
        if (*headers) {
            rd_kafka_headers_destroy(*headers);
        }
        return false;
    }
    if (kind == KAFKA_HEADERS_SPLIT) {
        add_split(*headers, record);
    } else {
        add(*headers, "sluice", (struct sluice_str){kafka->header.data, kafka->header.len});
    }
    return true;
}

/* The record as one that came back. NULL: no memory; nothing was taken. */
static struct kafka_parked *parked_of(struct kafka *kafka, const struct sluice_record *record,
                                      struct kafka_item *item, int64_t ms)
{
    struct kafka_parked *parked = calloc(1, sizeof(*parked));
    enum kafka_headers kind = (enum kafka_headers)kafka->options->headers;

    if (!parked) {
        return NULL;
    }
    /* A letter has them, whatever the records have. */
    bool has_headers = make_headers(
        kafka, record, kind == KAFKA_HEADERS_NONE ? KAFKA_HEADERS_COMPACT : kind, &parked->headers);
    if (record->key.len > 0) {
        parked->key = malloc(record->key.len);
        parked->key_len = record->key.len;
    }
    if (!has_headers || (record->key.len > 0 && !parked->key)) {
        parked->headers = has_headers ? parked->headers : NULL;
        kafka_parked_free(parked);
        return NULL;
    }
    if (parked->key) {
        memcpy(parked->key, record->key.data, record->key.len);
    }
    parked->item = item;
    parked->payload = record->payload;
    parked->len = record->payload_len;
    parked->ms = ms;
    parked->partition = item->partition;
    return parked;
}

/* It can never be stored there. */
static enum sluice_accept take_refused(struct kafka *kafka, struct kafka_topic *topic,
                                       const struct sluice_record *record, struct kafka_item *item,
                                       rd_kafka_resp_err_t code, const char *text)
{
    int64_t ms;

    (void)kafka_timestamp(record, kafka->options->timestamp_max_age_ns, &ms);
    struct kafka_parked *parked = parked_of(kafka, record, item, ms);
    if (!parked) {
        free(item);
        return refuse(kafka);
    }
    kafka_give_up(kafka, topic, parked, kafka_error_of(code), text);
    return taken(kafka, record);
}

/* The payload and the headers are librdkafka's when there is no error, and only then. */
static rd_kafka_resp_err_t produce(const struct kafka *kafka, rd_kafka_topic_t *rkt, int64_t ms,
                                   const struct sluice_record *record, struct kafka_item *item,
                                   rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t vus[FIELDS];
    size_t count = 0;

    vus[count].vtype = RD_KAFKA_VTYPE_RKT;
    vus[count++].u.rkt = rkt;
    vus[count].vtype = RD_KAFKA_VTYPE_VALUE;
    vus[count].u.mem.ptr = record->payload;
    vus[count++].u.mem.size = record->payload_len;
    vus[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vus[count++].u.i = RD_KAFKA_MSG_F_FREE;
    vus[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    vus[count++].u.ptr = item;
    vus[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    vus[count++].u.i64 = ms;
    vus[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    vus[count++].u.i32 = item->partition;
    if (record->key.len > 0) {
        vus[count].vtype = RD_KAFKA_VTYPE_KEY;
        vus[count].u.mem.ptr = (void *)(uintptr_t)record->key.data; /* copied */
        vus[count++].u.mem.size = record->key.len;
    }
    if (headers) {
        vus[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        vus[count++].u.headers = headers;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(kafka->rk, vus, count);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error); /* of NULL: no error */
    if (error) {
        rd_kafka_error_destroy(error);
    }
    return code;
}

/* librdkafka would not have it, and no report of it will come. */
static enum sluice_accept not_taken(struct kafka *kafka, struct kafka_topic *topic,
                                    const struct sluice_record *record, struct kafka_item *item,
                                    rd_kafka_resp_err_t code)
{
    const struct kafka_error *error = kafka_error_of(code);

    if (error->is_final) {
        return take_refused(kafka, topic, record, item, code, rd_kafka_err2str(code));
    }
    free(item);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL || code == RD_KAFKA_RESP_ERR__FATAL) {
        return refuse(kafka); /* on_error follows, and tells */
    }
    kafka_topic_trouble(kafka, topic, error, rd_kafka_err2str(code));
    kafka->host->calls->timer_start(kafka->retry_timer, KAFKA_BACKOFF_MIN_MS);
    return SLUICE_FULL;
}

static enum sluice_accept hand_over(struct kafka *kafka, struct kafka_topic *topic,
                                    const struct sluice_record *record, struct kafka_item *item)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_t *rkt = kafka_topic_handle(topic, kafka->rk, &code);
    rd_kafka_headers_t *headers;
    int64_t ms;

    if (!make_headers(kafka, record, (enum kafka_headers)kafka->options->headers, &headers)) {
        free(item);
        return refuse(kafka);
    }
    bool is_device_time = kafka_timestamp(record, kafka->options->timestamp_max_age_ns, &ms);
    size_t len = record->payload_len;
    if (rkt) {
        code = produce(kafka, rkt, ms, record, item, headers);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (headers) {
            rd_kafka_headers_destroy(headers);
        }
        return not_taken(kafka, topic, record, item, code);
    }
    kafka->stats.skewed_timestamps += !is_device_time;
    kafka_count_out(kafka, topic, len);
    return taken(kafka, record);
}

/* Whether the topic takes records now. */
static bool has_room(struct kafka *kafka, struct kafka_topic *topic, size_t len)
{
    if (topic->is_waiting) {
        return false; /* kafka_retry says when that is over */
    }
    if (topic->limit != KAFKA_LIMIT_KNOWN && kafka->has_id) {
        if (topic->limit == KAFKA_LIMIT_UNASKED) {
            kafka_ask_limit(kafka, topic);
        }
        return false;
    }
    topic->is_awaited =
        topic->most_out_bytes && topic->out > 0 && topic->out_bytes + len > topic->most_out_bytes;
    return !topic->is_awaited;
}

/* "" is none: then the key decides. */
static bool read_partition(struct sluice_str text, int32_t *partition)
{
    int32_t number = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || text.len > PARTITION_DIGITS) {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *partition = text.len ? number : RD_KAFKA_PARTITION_UA;
    return true;
}

static enum sluice_accept take(struct kafka *kafka, const struct sluice_record *record,
                               struct sluice_token *token)
{
    const char *why = NULL;
    struct kafka_topic *topic = kafka_topics_get(kafka->topics, record->destination, &why);

    if (topic && !has_room(kafka, topic, record->payload_len)) {
        return SLUICE_FULL;
    }
    struct kafka_item *item = item_new(kafka, token);
    if (!item) {
        return refuse(kafka);
    }
    if (!topic) {
        return take_failed(kafka, record, item, SLUICE_FAILED, why);
    }
    if (!read_partition(record->partition, &item->partition)) {
        return take_failed(kafka, record, item, SLUICE_FAILED, "its partition is not a number");
    }
    if (record->payload_len > kafka_most_bytes(kafka, topic, record)) {
        return take_refused(kafka, topic, record, item, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                            too_large);
    }
    return hand_over(kafka, topic, record, item);
}

/* While a new producer has no id yet, librdkafka would poll without sleeping for what waits. */
enum sluice_accept kafka_accept(void *sink, const struct sluice_record *record,
                                struct sluice_token *token)
{
    struct kafka *kafka = sink;

    if (kafka->state != KAFKA_RUNNING || (kafka->stats.restarts > 0 && !kafka->has_id)) {
        kafka->is_full = true;
        return SLUICE_FULL;
    }
    kafka->is_accepting = true;
    enum sluice_accept answer = take(kafka, record, token);
    kafka->is_accepting = false;
    return answer;
}

size_t kafka_most(void *sink, const struct sluice_record *record)
{
    struct kafka *kafka = sink;
    const char *why = NULL;
    const struct kafka_topic *topic = kafka_topics_get(kafka->topics, record->destination, &why);

    return topic ? kafka_most_bytes(kafka, topic, record) : SIZE_MAX;
}

size_t kafka_record_cost(const void *options)
{
    static const size_t headers[] = {
        [KAFKA_HEADERS_COMPACT] = 1,
        [KAFKA_HEADERS_SPLIT] = SPLIT_HEADERS,
        [KAFKA_HEADERS_NONE] = 0,
    };
    const struct kafka_options *kafka_options = options;

    size_t count = headers[kafka_options->headers];

    return (size_t)RECORD_COST + ITEM_COST + (count ? (size_t)RECORD_COST_HEADERS : 0) +
           count * RECORD_COST_HEADER;
}
