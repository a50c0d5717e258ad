/* kafka.c - records into Kafka by one idempotent producer per instance.
 *
 * librdkafka's threads never run code of ours: reports, errors, log lines and statistics wait in
 * the producer's main queue, which rings an eventfd that the host's loop watches. Nothing bounds
 * that queue but credit: its own limits are shared by all partitions and would hold the wrong
 * streams.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "brokers.h"
#include "calm.h"
#include "conf.h"
#include "header.h"
#include "topics.h"

#define NS_PER_US INT64_C(1000)

enum {
    RETRY_MS = 10, /* after FULL, should no report come before */
    CLOSE_POLL_MS = 50,
    CLOSE_MAX_MS = 10000, /* for purged records to come back */
    TEXT_BYTES = 256,
    SPLIT_HEADERS = 6,
    FIXED_FIELDS = 6, /* topic, payload, flags, opaque, time, key */
    /* librdkafka's own memory for a queued record, measured: 235, with one header 491, with five
     * 795 bytes. */
    RECORD_COST = 240,
    RECORD_COST_HEADERS = 180, /* for having any */
    RECORD_COST_HEADER = 80,
};

/* A record that was taken and that librdkafka would not have: told in the loop's next turn. */
struct failed {
    struct failed *next;
    struct sluice_token *token;
    size_t payload_len;
    const char *reason;
};

struct kafka {
    const struct sluice_host *host;
    const struct kafka_options *options;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* rings event_fd */
    int event_fd;
    struct sluice_watch *watch;
    struct sluice_timer *timer; /* for `failed`, and after FULL */
    struct sluice_timer *calm_timer;
    struct kafka_calm calm;
    struct kafka_topics *topics;
    struct kafka_text header;
    struct failed *failed;
    struct sluice_stats stats;
    bool is_up;
    bool has_id; /* of the idempotent producer: it can send */
    bool is_full;
    bool is_fatal;
    bool is_heard;            /* a report came in this poll */
    bool is_latency_due;      /* one report of each poll tells the latency */
    char trouble[TEXT_BYTES]; /* what librdkafka said last about a broker */
    char fatal[TEXT_BYTES];
};

/* ---- whether brokers are up ---- */

static void tell_down(struct kafka *kafka)
{
    char reason[2 * TEXT_BYTES];

    if (kafka->is_fatal) {
        snprintf(reason, sizeof(reason), "the producer ended for good: %s", kafka->fatal);
    } else {
        snprintf(reason, sizeof(reason), "%s%s%s",
                 kafka->has_id ? "no broker is up" : "no broker has given the producer its id",
                 kafka->trouble[0] ? ": " : "", kafka->trouble);
    }
    kafka->is_up = false;
    kafka->host->calls->available(kafka->host, false, reason);
}

static void tell_brokers(struct kafka *kafka, bool is_any_up)
{
    if (!is_any_up || kafka->is_fatal) {
        tell_down(kafka);
    } else if (!kafka->is_up) {
        kafka->is_up = true;
        kafka->trouble[0] = '\0';
        kafka->host->calls->available(kafka->host, true, "");
    }
}

/* An idempotent producer that cannot keep its word ends: what it held comes back purged, and
 * nothing is taken any more. */
static void note_fatal(struct kafka *kafka)
{
    if (kafka->is_fatal) {
        return;
    }
    rd_kafka_resp_err_t error = rd_kafka_fatal_error(kafka->rk, kafka->fatal, TEXT_BYTES);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    kafka->is_fatal = true;
    kafka->host->calls->log(kafka->host, SLUICE_ERROR,
                            "the producer cannot go on without doubling or losing records; the "
                            "sink holds its streams until sluice is restarted: %s (%s)",
                            kafka->fatal, rd_kafka_err2name(error));
    tell_down(kafka);
}

/* ---- callbacks: all from rd_kafka_poll, on the loop thread ---- */

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
    struct kafka *kafka = arg;
    bool is_delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    const char *reason = NULL;

    (void)rk;
    kafka->is_heard = true;
    kafka_calm_note(&kafka->calm, message->rkt, message->partition);
    kafka->stats.queued_records--;
    kafka->stats.queued_bytes -= message->len;
    if (kafka->is_latency_due && is_delivered) {
        int64_t latency_ns = rd_kafka_message_latency(message) * NS_PER_US;
        kafka->stats.report_latency_ns += (latency_ns - kafka->stats.report_latency_ns) / 8;
        kafka->is_latency_due = false;
    }
    if (!is_delivered) {
        note_fatal(kafka);
        reason = kafka->is_fatal ? kafka->fatal : rd_kafka_err2str(message->err);
    }
    kafka->host->calls->ack(kafka->host, message->_private,
                            is_delivered ? SLUICE_DELIVERED : SLUICE_FAILED, reason);
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *arg)
{
    struct kafka *kafka = arg;

    (void)rk;
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        note_fatal(kafka);
    } else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        tell_brokers(kafka, false);
    } else {
        snprintf(kafka->trouble, sizeof(kafka->trouble), "%s", reason);
    }
}

static int on_statistics(rd_kafka_t *rk, char *json, size_t len, void *arg)
{
    struct kafka *kafka = arg;
    struct kafka_brokers brokers;

    (void)rk;
    kafka->has_id = kafka->has_id || kafka_has_producer_id(json, len);
    if (kafka_brokers_read(json, len, &brokers)) {
        kafka->stats.retries = brokers.retries;
        tell_brokers(kafka, brokers.up > 0 && kafka->has_id);
    }
    return 0; /* librdkafka frees it */
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    /* syslog's: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
    static const enum sluice_level levels[] = {SLUICE_ERROR, SLUICE_ERROR, SLUICE_ERROR,
                                               SLUICE_ERROR, SLUICE_WARN,  SLUICE_INFO,
                                               SLUICE_INFO,  SLUICE_DEBUG};
    const struct kafka *kafka = rd_kafka_opaque(rk);

    kafka->host->calls->log(kafka->host, levels[level & 7], "%s: %s", facility, text);
}

/* ---- the loop's side ---- */

static void tell_ready(struct kafka *kafka)
{
    if (kafka->is_full && !kafka->is_fatal) {
        kafka->is_full = false;
        kafka->host->calls->ready(kafka->host);
    }
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void poll_reports(struct kafka *kafka, int timeout_ms)
{
    kafka->is_latency_due = true;
    kafka->is_heard = false;
    rd_kafka_poll(kafka->rk, timeout_ms);
    if (kafka->is_heard) {
        kafka_calm_heard(&kafka->calm, now_ms());
    }
}

static void on_calm_timer(void *arg)
{
    struct kafka *kafka = arg;
    bool is_out = kafka->stats.queued_records > 0;
    uint64_t delay_ms = kafka_calm_tick(&kafka->calm, now_ms(), is_out);

    if (delay_ms > 0) {
        kafka->host->calls->timer_start(kafka->calm_timer, delay_ms);
    }
}

/* The bell is read before the queue: what is queued in between rings again. */
static void on_readable(void *arg)
{
    struct kafka *kafka = arg;
    uint64_t rings;
    ssize_t count = read(kafka->event_fd, &rings, sizeof(rings));

    (void)count; /* EAGAIN is nothing: the queue is empty then */
    poll_reports(kafka, 0);
    tell_ready(kafka);
}

static void acknowledge_failed(struct kafka *kafka)
{
    struct failed *failed = kafka->failed;

    kafka->failed = NULL;
    while (failed) {
        struct failed *next = failed->next;

        kafka->stats.queued_records--;
        kafka->stats.queued_bytes -= failed->payload_len;
        kafka->host->calls->ack(kafka->host, failed->token, SLUICE_FAILED, failed->reason);
        free(failed);
        failed = next;
    }
}

static void on_timer(void *arg)
{
    acknowledge_failed(arg);
    tell_ready(arg);
}

/* ---- records ---- */

static void count_taken(struct kafka *kafka, const struct sluice_record *record)
{
    kafka->stats.queued_records++;
    kafka->stats.queued_bytes += record->payload_len;
    if (!kafka->calm.is_armed) {
        kafka->host->calls->timer_start(kafka->calm_timer,
                                        kafka_calm_begin(&kafka->calm, now_ms()));
    }
}

static enum sluice_accept refuse(struct kafka *kafka)
{
    kafka->is_full = true;
    kafka->host->calls->timer_start(kafka->timer, RETRY_MS);
    return SLUICE_FULL;
}

static enum sluice_accept take_failed(struct kafka *kafka, const struct sluice_record *record,
                                      struct sluice_token *token, const char *reason)
{
    struct failed *failed = malloc(sizeof(*failed));

    if (!failed) {
        return refuse(kafka);
    }
    *failed = (struct failed){kafka->failed, token, record->payload_len, reason};
    kafka->failed = failed;
    count_taken(kafka, record);
    free(record->payload);
    kafka->host->calls->timer_start(kafka->timer, 0);
    return SLUICE_TAKEN;
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

/* The payload is librdkafka's when there is no error, and only then. */
static rd_kafka_resp_err_t produce(const struct kafka *kafka, rd_kafka_topic_t *rkt, int64_t ms,
                                   const struct sluice_record *record, struct sluice_token *token)
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
    vus[count++].u.ptr = token;
    vus[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    vus[count++].u.i64 = ms;
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

static enum sluice_accept kafka_accept(void *sink, const struct sluice_record *record,
                                       struct sluice_token *token)
{
    struct kafka *kafka = sink;
    const char *why = NULL;
    int64_t ms;

    if (kafka->is_fatal) {
        return SLUICE_FULL;
    }
    rd_kafka_topic_t *rkt = kafka_topics_get(kafka->topics, record->destination, &why);
    if (!rkt) {
        return take_failed(kafka, record, token, why);
    }
    if (kafka->options->headers == KAFKA_HEADERS_COMPACT &&
        !kafka_header_compact(record, &kafka->header)) {
        return refuse(kafka);
    }
    bool is_device_time = kafka_timestamp(record, kafka->options->timestamp_max_age_ns, &ms);
    rd_kafka_resp_err_t error = produce(kafka, rkt, ms, record, token);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return refuse(kafka);
    }
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        return refuse(kafka); /* on_error follows, and tells */
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return take_failed(kafka, record, token, rd_kafka_err2str(error));
    }
    kafka->stats.skewed_timestamps += !is_device_time;
    count_taken(kafka, record);
    return SLUICE_TAKEN;
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

    return (size_t)RECORD_COST + (count ? (size_t)RECORD_COST_HEADERS : 0) +
           count * RECORD_COST_HEADER;
}

/* ---- begin and end ---- */

/* Frees what there is; no record may be out. */
static void kafka_free(struct kafka *kafka)
{
    if (kafka->watch) {
        kafka->host->calls->unwatch(kafka->watch);
    }
    if (kafka->timer) {
        kafka->host->calls->timer_free(kafka->timer);
    }
    if (kafka->calm_timer) {
        kafka->host->calls->timer_free(kafka->calm_timer);
    }
    kafka_calm_fini(&kafka->calm);
    if (kafka->queue) {
        rd_kafka_queue_io_event_enable(kafka->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(kafka->queue);
    }
    kafka_topics_free(kafka->topics);
    if (kafka->rk) {
        rd_kafka_destroy(kafka->rk);
    }
    if (kafka->event_fd >= 0) {
        close(kafka->event_fd);
    }
    free(kafka->header.data);
    free(kafka);
}

static bool make_producer(struct kafka *kafka, char *error, size_t error_size)
{
    rd_kafka_conf_t *conf = kafka_conf_new(kafka->options, kafka->host, error, error_size);

    if (!conf) {
        return false;
    }
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_log_cb(conf, on_log);
    kafka->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    rd_kafka_set_log_queue(kafka->rk, NULL);
    return true;
}

static bool attach_to_loop(struct kafka *kafka)
{
    static const uint64_t ring = 1;

    kafka->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (kafka->event_fd < 0) {
        return false;
    }
    kafka->watch = kafka->host->calls->watch(kafka->host, kafka->event_fd, on_readable, kafka);
    kafka->timer = kafka->host->calls->timer_new(kafka->host, on_timer, kafka);
    kafka->calm_timer = kafka->host->calls->timer_new(kafka->host, on_calm_timer, kafka);
    kafka->topics = kafka_topics_new(kafka->rk);
    kafka->queue = rd_kafka_queue_get_main(kafka->rk);
    if (!kafka->watch || !kafka->timer || !kafka->calm_timer || !kafka->topics ||
        !kafka_calm_init(&kafka->calm, kafka->rk)) {
        return false;
    }
    rd_kafka_queue_io_event_enable(kafka->queue, kafka->event_fd, &ring, sizeof(ring));
    /* What was queued before rings no more: the bell is rung once for it. */
    return write(kafka->event_fd, &ring, sizeof(ring)) == (ssize_t)sizeof(ring);
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
    if (!make_producer(kafka, error, error_size)) {
        kafka_free(kafka);
        return NULL;
    }
    if (!attach_to_loop(kafka)) {
        snprintf(error, error_size, "no descriptors or memory left");
        kafka_free(kafka);
        return NULL;
    }
    tell_down(kafka);
    return kafka;
}

/* A hint: with a timeout of 0 it wakes librdkafka's threads and serves what is queued. */
static void kafka_flush(void *sink)
{
    struct kafka *kafka = sink;

    kafka->is_latency_due = true;
    rd_kafka_flush(kafka->rk, 0);
    tell_ready(kafka);
}

static void kafka_stats(void *sink, struct sluice_stats *stats)
{
    const struct kafka *kafka = sink;

    *stats = kafka->stats;
}

static void kafka_close(void *sink)
{
    struct kafka *kafka = sink;
    int64_t until_ms = now_ms() + CLOSE_MAX_MS;

    acknowledge_failed(kafka);
    rd_kafka_purge(kafka->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (kafka->stats.queued_records > 0 && now_ms() <= until_ms) {
        poll_reports(kafka, CLOSE_POLL_MS);
    }
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
};
