/* kafka.c - records into Kafka by one idempotent producer per instance.
 *
 * librdkafka's threads run no code of ours but the filter of its log lines: reports, errors and
 * statistics wait in the producer's main queue, which rings an eventfd that the host's loop
 * watches. Nothing bounds that queue but credit: its own limits are shared by all partitions and
 * would hold the wrong streams.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"
#include "oauth.h"
#include "restart.h"
#include "retry.h"

enum {
    RETRY_MS = 10, /* after FULL, should no report come before */
    LOOK_MS = 1000,
    CLOSE_POLL_MS = 50,
    CLOSE_MAX_MS = 10000, /* for purged records to come back */
    SPLIT_HEADERS = 6,
    FIXED_FIELDS = 7, /* topic, payload, flags, opaque, time, partition, key */
    PARTITION_DIGITS = 9,
    /* librdkafka's own memory for a queued record, measured: 235, with one header 491, with five
     * 795 bytes. */
    RECORD_COST = 240,
    RECORD_COST_HEADERS = 180, /* for having any */
    RECORD_COST_HEADER = 80,
    ITEM_COST = 64,
};

static const char too_large[] = "it is larger than its topic takes";

int64_t kafka_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what the host is told ---- */

void kafka_tell_down(struct kafka *kafka)
{
    char reason[2 * KAFKA_TEXT_BYTES];

    if (kafka->state != KAFKA_RUNNING) {
        snprintf(reason, sizeof(reason), "the producer ended, a new one takes over: %s",
                 kafka->fatal);
    } else {
        snprintf(reason, sizeof(reason), "%s%s%s",
                 kafka->has_id ? "no broker is up" : "no broker has given the producer its id",
                 kafka->trouble[0] ? ": " : "", kafka->trouble);
    }
    kafka->is_up = false;
    kafka->host->calls->available(kafka->host, false, reason);
}

void kafka_tell_brokers(struct kafka *kafka, bool is_any_up)
{
    if (!is_any_up || kafka->state != KAFKA_RUNNING) {
        kafka_tell_down(kafka);
    } else if (!kafka->is_up) {
        kafka->is_up = true;
        kafka->trouble[0] = '\0';
        kafka->host->calls->available(kafka->host, true, "");
    }
}

void kafka_tell_ready(struct kafka *kafka)
{
    if (kafka->is_full && kafka->state == KAFKA_RUNNING) {
        kafka->is_full = false;
        kafka->host->calls->ready(kafka->host);
    }
}

void kafka_note(struct kafka *kafka, const char *reason, const char *text)
{
    kafka_troubles_note(&kafka->troubles, kafka->host, reason, text, kafka_now_ms());
    if (!kafka->is_looking) {
        kafka->is_looking = true;
        kafka->host->calls->timer_start(kafka->look_timer, LOOK_MS);
    }
}

static void on_look_timer(void *arg)
{
    struct kafka *kafka = arg;

    kafka->is_looking = kafka_troubles_look(&kafka->troubles, kafka->host, kafka_now_ms());
    if (kafka->is_looking) {
        kafka->host->calls->timer_start(kafka->look_timer, LOOK_MS);
    }
}

static void acknowledge(struct kafka *kafka, struct kafka_item *item)
{
    kafka->stats.queued_records--;
    kafka->stats.queued_bytes -= item->len;
    kafka->host->calls->ack(kafka->host, item->token, item->result, item->reason);
    free(item);
}

void kafka_settle(struct kafka *kafka, struct kafka_item *item, size_t len,
                  enum sluice_result result, const char *reason)
{
    item->result = result;
    item->len = len;
    item->reason = reason;
    if (!kafka->is_accepting) {
        acknowledge(kafka, item);
        return;
    }
    item->next = kafka->failed;
    kafka->failed = item;
    kafka->host->calls->timer_start(kafka->timer, 0);
}

static void acknowledge_failed(struct kafka *kafka)
{
    struct kafka_item *item = kafka->failed;

    kafka->failed = NULL;
    while (item) {
        struct kafka_item *next = item->next;
        acknowledge(kafka, item);
        item = next;
    }
}

/* ---- the loop's side ---- */

static void poll_reports(struct kafka *kafka, int timeout_ms)
{
    kafka->is_latency_due = true;
    kafka->is_heard = false;
    rd_kafka_poll(kafka->rk, timeout_ms);
    if (kafka->is_heard) {
        kafka_calm_heard(&kafka->calm, kafka_now_ms());
    }
}

static void on_calm_timer(void *arg)
{
    struct kafka *kafka = arg;

    if (!kafka->rk) {
        return;
    }
    uint64_t delay_ms = kafka_calm_tick(&kafka->calm, kafka_now_ms(), kafka->out > 0);
    if (delay_ms > 0) {
        kafka->host->calls->timer_start(kafka->calm_timer, delay_ms);
    }
}

static void go_on(struct kafka *kafka)
{
    if (kafka->state != KAFKA_RUNNING) {
        kafka_restart(kafka);
    }
    if (kafka->waiting) {
        kafka_retry(kafka);
    }
    kafka_tell_ready(kafka);
}

/* The bell is read before the queues: what is queued in between rings again. */
static void on_readable(void *arg)
{
    struct kafka *kafka = arg;
    uint64_t rings;
    ssize_t count = read(kafka->event_fd, &rings, sizeof(rings));

    (void)count; /* EAGAIN is nothing: the queues are empty then */
    kafka_read_lines(kafka);
    if (kafka->rk) {
        poll_reports(kafka, 0);
        kafka_read_answers(kafka);
    }
    go_on(kafka);
}

static void on_timer(void *arg)
{
    acknowledge_failed(arg);
    kafka_tell_ready(arg);
}

static void on_retry_timer(void *arg)
{
    go_on(arg);
}

/* ---- records ---- */

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

static rd_kafka_vu_t header_of(const char *name, struct sluice_str value)
{
    rd_kafka_vu_t vu = {.vtype = RD_KAFKA_VTYPE_HEADER};

    vu.u.header.name = name;
    vu.u.header.val = value.data;
    vu.u.header.size = (ssize_t)value.len;
    return vu;
}

/* Adds the headers to `vus`, returns how many. librdkafka copies them. */
static size_t add_headers(const struct kafka *kafka, const struct sluice_record *record,
                          char epoch[KAFKA_NUMBER_BYTES], char seq[KAFKA_NUMBERS_BYTES],
                          rd_kafka_vu_t *vus)
{
    switch ((enum kafka_headers)kafka->options->headers) {
    case KAFKA_HEADERS_COMPACT:
        vus[0] = header_of("sluice", (struct sluice_str){kafka->header.data, kafka->header.len});
        return 1;
    case KAFKA_HEADERS_SPLIT:
        vus[0] = header_of("sluice-epoch",
                           (struct sluice_str){epoch, kafka_digits(record->epoch, epoch)});
        vus[1] = header_of("sluice-seq", (struct sluice_str){seq, kafka_numbers(record, seq)});
        vus[2] = header_of("sluice-format", record->format);
        vus[3] = header_of("sluice-target", record->target);
        vus[4] = header_of("sluice-subscription", record->subscription);
        vus[5] = header_of("sluice-kind", record->kind);
        return SPLIT_HEADERS;
    case KAFKA_HEADERS_NONE:
        return 0;
    }
    return 0;
}

/* The headers that a letter to the dead has, whatever the records have. */
static rd_kafka_headers_t *letter_headers(const struct kafka *kafka,
                                          const struct sluice_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2 * SPLIT_HEADERS);
    rd_kafka_vu_t vus[SPLIT_HEADERS];
    char epoch[KAFKA_NUMBER_BYTES];
    char seq[KAFKA_NUMBERS_BYTES];
    size_t count = add_headers(kafka, record, epoch, seq, vus);

    if (count == 0) {
        vus[count++] =
            header_of("sluice", (struct sluice_str){kafka->header.data, kafka->header.len});
    }
    for (size_t i = 0; headers && i < count; i++) {
        rd_kafka_header_add(headers, vus[i].u.header.name, -1, vus[i].u.header.val,
                            vus[i].u.header.size);
    }
    return headers;
}

/* The record as one that came back. NULL: no memory; nothing was taken. */
static struct kafka_parked *parked_of(const struct kafka *kafka, const struct sluice_record *record,
                                      struct kafka_item *item, int64_t ms)
{
    struct kafka_parked *parked = calloc(1, sizeof(*parked));

    if (!parked) {
        return NULL;
    }
    parked->headers = letter_headers(kafka, record);
    if (record->key.len > 0) {
        parked->key = malloc(record->key.len);
        parked->key_len = record->key.len;
    }
    if (!parked->headers || (record->key.len > 0 && !parked->key)) {
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
    if (!kafka_header_compact(record, &kafka->header)) {
        free(item);
        return refuse(kafka);
    }
    struct kafka_parked *parked = parked_of(kafka, record, item, ms);
    if (!parked) {
        free(item);
        return refuse(kafka);
    }
    kafka_give_up(kafka, topic, parked, kafka_error_of(code), text);
    return taken(kafka, record);
}

/* The payload is librdkafka's when there is no error, and only then. */
static rd_kafka_resp_err_t produce(const struct kafka *kafka, rd_kafka_topic_t *rkt, int64_t ms,
                                   const struct sluice_record *record, struct kafka_item *item)
{
    rd_kafka_vu_t vus[FIXED_FIELDS + SPLIT_HEADERS];
    char epoch[KAFKA_NUMBER_BYTES];
    char seq[KAFKA_NUMBERS_BYTES];
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
    count += add_headers(kafka, record, epoch, seq, vus + count);
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
    int64_t ms;

    if (kafka->options->headers == KAFKA_HEADERS_COMPACT &&
        !kafka_header_compact(record, &kafka->header)) {
        free(item);
        return refuse(kafka);
    }
    bool is_device_time = kafka_timestamp(record, kafka->options->timestamp_max_age_ns, &ms);
    size_t len = record->payload_len;
    if (rkt) {
        code = produce(kafka, rkt, ms, record, item);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
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
static enum sluice_accept kafka_accept(void *sink, const struct sluice_record *record,
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

static size_t kafka_most(void *sink, const struct sluice_record *record)
{
    struct kafka *kafka = sink;
    const char *why = NULL;
    const struct kafka_topic *topic = kafka_topics_get(kafka->topics, record->destination, &why);

    return topic ? kafka_most_bytes(kafka, topic, record) : SIZE_MAX;
}

static size_t kafka_record_cost(const void *options)
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

/* ---- begin and end ---- */

static bool make_producer(struct kafka *kafka, char *error, size_t error_size)
{
    rd_kafka_conf_t *conf = kafka_conf_new(kafka->options, kafka->host, error, error_size);

    if (!conf) {
        return false;
    }
    kafka->has_debug = kafka_conf_has_debug(kafka->options);
    kafka->client_bytes = kafka_conf_number(conf, "message.max.bytes");
    kafka->batch_bytes = kafka_conf_number(conf, "batch.size");
    kafka->assumed_bytes = kafka_conf_assumed_bytes(kafka->options);
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_on_report);
    rd_kafka_conf_set_error_cb(conf, kafka_on_error);
    rd_kafka_conf_set_stats_cb(conf, kafka_on_statistics);
    rd_kafka_conf_set_throttle_cb(conf, kafka_on_throttle);
    rd_kafka_conf_set_log_cb(conf, kafka_on_log);
    if (kafka->options->oauth.token_file) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, kafka_on_token_wanted);
    }
    kafka->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
    }
    return kafka->rk != NULL;
}

static void ring_for(struct kafka *kafka, rd_kafka_queue_t *queue)
{
    static const uint64_t ring = 1;

    rd_kafka_queue_io_event_enable(queue, kafka->event_fd, &ring, sizeof(ring));
    /* What was queued before rings no more: the bell is rung once for it. */
    ssize_t count = write(kafka->event_fd, &ring, sizeof(ring));
    (void)count; /* it cannot be full */
}

bool kafka_attach(struct kafka *kafka, char *error, size_t error_size)
{
    if (!make_producer(kafka, error, error_size)) {
        return false;
    }
    kafka->queue = rd_kafka_queue_get_main(kafka->rk);
    kafka->answers = rd_kafka_queue_new(kafka->rk);
    if (!kafka_calm_init(&kafka->calm, kafka->rk)) {
        snprintf(error, error_size, "out of memory");
        kafka_detach(kafka);
        rd_kafka_destroy(kafka->rk);
        kafka->rk = NULL;
        return false;
    }
    ring_for(kafka, kafka->queue);
    ring_for(kafka, kafka->answers);
    return true;
}

static void queue_free(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
    rd_kafka_queue_destroy(queue);
}

void kafka_detach(struct kafka *kafka)
{
    kafka_calm_fini(&kafka->calm);
    memset(&kafka->calm, 0, sizeof(kafka->calm));
    kafka_topics_leave(kafka->topics);
    queue_free(kafka->queue);
    queue_free(kafka->answers);
}

/* Frees what there is; no record may be out. */
static void kafka_free(struct kafka *kafka)
{
    const struct sluice_host_calls *calls = kafka->host->calls;

    kafka->is_closing = true;
    struct sluice_timer *timers[] = {kafka->timer, kafka->calm_timer, kafka->retry_timer,
                                     kafka->look_timer};

    if (kafka->watch) {
        calls->unwatch(kafka->watch);
    }
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        if (timers[i]) {
            calls->timer_free(timers[i]);
        }
    }
    kafka_restart_fini(kafka);
    if (kafka->rk) {
        kafka_detach(kafka);
        rd_kafka_destroy(kafka->rk);
    }
    kafka_topics_free(kafka->topics);
    kafka_read_lines(kafka); /* the last ones */
    if (kafka->event_fd >= 0) {
        close(kafka->event_fd);
    }
    pthread_mutex_destroy(&kafka->lines_lock);
    free(kafka->header.data);
    free(kafka);
}

static bool attach_to_loop(struct kafka *kafka)
{
    const struct sluice_host *host = kafka->host;

    kafka->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (kafka->event_fd < 0) {
        return false;
    }
    kafka->watch = host->calls->watch(host, kafka->event_fd, on_readable, kafka);
    kafka->timer = host->calls->timer_new(host, on_timer, kafka);
    kafka->calm_timer = host->calls->timer_new(host, on_calm_timer, kafka);
    kafka->retry_timer = host->calls->timer_new(host, on_retry_timer, kafka);
    kafka->look_timer = host->calls->timer_new(host, on_look_timer, kafka);
    kafka->topics = kafka_topics_new();
    return kafka->watch && kafka->timer && kafka->calm_timer && kafka->retry_timer &&
           kafka->look_timer && kafka->topics;
}

static void *kafka_open(const struct sluice_host *host, const void *options, char *error,
                        size_t error_size)
{
    struct kafka *kafka = calloc(1, sizeof(*kafka));

    if (!kafka) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    kafka->host = host;
    kafka->options = options;
    kafka->event_fd = -1;
    kafka->broker_id = -1;
    kafka->is_looking = true; /* nothing is armed while it begins, and ends */
    pthread_mutex_init(&kafka->lines_lock, NULL);
    if (!attach_to_loop(kafka)) {
        snprintf(error, error_size, "no descriptors or memory left");
        kafka_free(kafka);
        return NULL;
    }
    if (!kafka_attach(kafka, error, error_size)) {
        kafka_free(kafka);
        return NULL;
    }
    kafka->is_looking = false;
    kafka_tell_down(kafka);
    return kafka;
}

/* A hint: with a timeout of 0 it wakes librdkafka's threads and serves what is queued. */
static void kafka_flush(void *sink)
{
    struct kafka *kafka = sink;

    if (!kafka->rk) {
        return;
    }
    kafka->is_latency_due = true;
    rd_kafka_flush(kafka->rk, 0);
    kafka_tell_ready(kafka);
}

static void kafka_stats(void *sink, struct sluice_stats *stats)
{
    const struct kafka *kafka = sink;
    int64_t now_ms = kafka_now_ms();
    int64_t restart_ms = kafka_restart_left(kafka, now_ms);
    int64_t retry_ms = kafka_retry_longest(kafka, now_ms);

    *stats = kafka->stats;
    stats->backoff_ns = (restart_ms > retry_ms ? restart_ms : retry_ms) * NS_PER_MS;
    kafka_troubles_stats(&kafka->troubles, stats);
}

static bool give_up_parked(struct kafka *kafka, struct kafka_topic *topic,
                           struct kafka_parked *parked)
{
    (void)topic;
    kafka_settle(kafka, parked->item, parked->len, SLUICE_FAILED, "the sink is closed");
    kafka_parked_free(parked);
    return true;
}

static void kafka_close(void *sink)
{
    struct kafka *kafka = sink;
    int64_t until_ms = kafka_now_ms() + CLOSE_MAX_MS;

    kafka->is_closing = true;
    kafka->is_looking = true;
    acknowledge_failed(kafka);
    if (kafka->rk) {
        rd_kafka_purge(kafka->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
    while (kafka->rk && kafka->out > 0 && kafka_now_ms() <= until_ms) {
        poll_reports(kafka, CLOSE_POLL_MS);
    }
    kafka_parked_sift(kafka, give_up_parked);
    kafka_free(kafka);
}

const struct sluice_sink_plugin sluice_kafka_plugin = {
    .type = "kafka",
    .doc = "one record of Kafka each, by an idempotent producer on each worker",
    .options = kafka_option_table,
    .options_size = sizeof(struct kafka_options),
    .destination_option = "topic",
    .destination_word = "topic",
    .key_option = "key",
    .check = kafka_conf_check,
    .record_cost = kafka_record_cost,
    .open = kafka_open,
    .accept = kafka_accept,
    .flush = kafka_flush,
    .stats = kafka_stats,
    .close = kafka_close,
    .partition_option = "partition",
    .most_bytes = kafka_most,
};
