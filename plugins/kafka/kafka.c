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

#include "accept.h"
#include "inside.h"
#include "oauth.h"
#include "restart.h"
#include "retry.h"

enum {
    LOOK_MS = 1000,
    CLOSE_POLL_MS = 50,
    CLOSE_MAX_MS = 10000, /* for purged records to come back */
};

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

/* Nothing is over while no producer can send: between two tries it is only silent. */
static void on_look_timer(void *arg)
{
    struct kafka *kafka = arg;
    bool can_send = kafka->state == KAFKA_RUNNING && kafka->has_id;

    kafka->is_looking =
        !can_send || kafka_troubles_look(&kafka->troubles, kafka->host, kafka_now_ms());
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
    kafka_read_lines(kafka); /* the last ones */
    kafka_topics_free(kafka->topics);
    kafka_partitions_fini(&kafka->partitions);
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

static size_t kafka_partitions(void *sink, struct sluice_partition *partitions, size_t most)
{
    struct kafka *kafka = sink;

    return kafka_partitions_ask(&kafka->partitions, partitions, most, kafka_now_ms());
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
    .partitions = kafka_partitions,
};
