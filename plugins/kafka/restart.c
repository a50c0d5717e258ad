#include "restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "retry.h"

enum { LOOK_MS = 200 };

/* Where nothing that is left of an epoch may go. */
struct kafka_lost {
    const struct kafka_topic *topic;
    int32_t partition;
    bool is_keyless;
};

/* ---- the end of a producer ---- */

static void begin(struct kafka *kafka)
{
    kafka->state = KAFKA_FAILING;
    kafka->failing_ms = kafka_now_ms();
    kafka->has_id = false;
    kafka->stats.restarts++;
    kafka_calm_hold(&kafka->calm);
    kafka_note(kafka, "producer-ended", kafka->fatal);
    kafka_tell_down(kafka);
    kafka->host->calls->timer_start(kafka->retry_timer, 0);
}

/* What it ended of is a trouble of its own: not every record that comes back says so, and before
 * the first one there is none. */
static void note_cause(struct kafka *kafka, rd_kafka_resp_err_t code)
{
    const struct kafka_error *error = kafka_error_of(code);

    if (error->code == code) {
        kafka_note(kafka, error->reason, kafka->fatal);
    }
}

void kafka_note_fatal(struct kafka *kafka)
{
    if (kafka->state != KAFKA_RUNNING) {
        return;
    }
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(kafka->rk, kafka->fatal, KAFKA_TEXT_BYTES);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_cause(kafka, code);
        begin(kafka);
    }
}

void kafka_note_epoch(struct kafka *kafka, const char *text)
{
    kafka_note(kafka, "producer-epoch", text);
    if (kafka->state == KAFKA_RUNNING && !kafka->is_closing) {
        snprintf(kafka->fatal, sizeof(kafka->fatal),
                 "librdkafka was about to number anew what may be stored");
        begin(kafka);
    }
}

/* No memory for it: then nothing that waits is trusted. */
static void note_lost(struct kafka *kafka, struct kafka_lost lost)
{
    for (size_t i = 0; i < kafka->lost_count; i++) {
        if (kafka->lost[i].topic == lost.topic && kafka->lost[i].partition == lost.partition &&
            kafka->lost[i].is_keyless == lost.is_keyless) {
            return;
        }
    }
    struct kafka_lost *more =
        realloc(kafka->lost, (kafka->lost_count + 1) * sizeof(struct kafka_lost));
    kafka->is_all_lost = kafka->is_all_lost || !more;
    if (more) {
        kafka->lost = more;
        kafka->lost[kafka->lost_count++] = lost;
    }
}

void kafka_lose(struct kafka *kafka, const struct kafka_topic *topic,
                const rd_kafka_message_t *message, const char *why)
{
    note_lost(kafka, (struct kafka_lost){topic, message->partition, !message->key});
    if (kafka->state == KAFKA_RUNNING) {
        snprintf(kafka->fatal, sizeof(kafka->fatal), "%s", why);
        begin(kafka);
    }
    kafka_settle(kafka, message->_private, message->len, SLUICE_RESTARTED, why);
}

static bool is_lost(struct kafka *kafka, struct kafka_topic *topic, struct kafka_parked *parked)
{
    bool is_lost = kafka->is_all_lost;

    for (size_t i = 0; i < kafka->lost_count && !is_lost; i++) {
        const struct kafka_lost *lost = &kafka->lost[i];
        is_lost = lost->topic == topic &&
                  ((lost->is_keyless && !parked->key) || lost->partition == parked->partition);
    }
    if (is_lost) {
        kafka_settle(kafka, parked->item, parked->len, SLUICE_RESTARTED, kafka->fatal);
        kafka_parked_free(parked);
    }
    return is_lost;
}

static void give_up_lost(struct kafka *kafka)
{
    if (kafka->lost_count || kafka->is_all_lost) {
        kafka_parked_sift(kafka, is_lost);
    }
    free(kafka->lost);
    kafka->lost = NULL;
    kafka->lost_count = 0;
    kafka->is_all_lost = false;
}

static void *destroy(void *arg)
{
    static const uint64_t ring = 1;
    struct kafka *kafka = arg;

    rd_kafka_destroy(kafka->ending);
    atomic_store(&kafka->has_ended, true);
    ssize_t count = write(kafka->event_fd, &ring, sizeof(ring));
    (void)count; /* it cannot be full */
    return NULL;
}

/* All reports are here. */
static void end(struct kafka *kafka)
{
    give_up_lost(kafka);
    kafka_detach(kafka);
    kafka->ending = kafka->rk;
    kafka->rk = NULL;
    kafka->retired_retries = kafka->stats.retries;
    atomic_store(&kafka->has_ended, false);
    kafka->state = KAFKA_ENDING;
    kafka->has_ender = pthread_create(&kafka->ender, NULL, destroy, kafka) == 0;
    if (!kafka->has_ender) {
        destroy(kafka);
    }
}

/* What is in requests is answered, or fails with its connection; what librdkafka would send again
 * then is purged, and at last what it still has. */
static void hurry(struct kafka *kafka)
{
    bool is_late = kafka_now_ms() - kafka->failing_ms > KAFKA_LAST_CALL_MS;

    rd_kafka_purge(kafka->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING |
                                  (is_late ? RD_KAFKA_PURGE_F_INFLIGHT : 0));
    kafka->host->calls->timer_start(kafka->retry_timer, LOOK_MS);
}

/* ---- the next one ---- */

static void await_turn(struct kafka *kafka)
{
    int64_t next_ms = kafka->backoff_ms ? 2 * kafka->backoff_ms : KAFKA_RESTART_MIN_MS;

    kafka->backoff_ms = kafka->has_delivered             ? 0
                        : next_ms < KAFKA_RESTART_MAX_MS ? next_ms
                                                         : KAFKA_RESTART_MAX_MS;
    kafka->has_delivered = false;
    kafka->restart_ms = kafka_now_ms() + kafka->backoff_ms;
    kafka->state = KAFKA_WAITING;
    if (kafka->backoff_ms) {
        kafka->host->calls->log_reason(kafka->host, SLUICE_WARN, "producer-ended", NULL,
                                       "a new producer in %lld ms", (long long)kafka->backoff_ms);
    }
}

static void make(struct kafka *kafka)
{
    char error[KAFKA_TEXT_BYTES] = "";

    if (!kafka_attach(kafka, error, sizeof(error))) {
        kafka_note(kafka, "producer-ended", error);
        kafka->restart_ms = kafka_now_ms() + KAFKA_RESTART_MIN_MS;
        kafka->host->calls->timer_start(kafka->retry_timer, KAFKA_RESTART_MIN_MS);
        return;
    }
    kafka->state = KAFKA_RUNNING;
    kafka->host->calls->log_reason(kafka->host, SLUICE_INFO, "producer-ended", NULL,
                                   "a new producer has taken over");
    kafka_tell_down(kafka);
}

/* After it the producer says nothing more; its last words are not taken for its successor's. */
static void join(struct kafka *kafka)
{
    if (kafka->has_ender) {
        pthread_join(kafka->ender, NULL);
        kafka->has_ender = false;
    }
    kafka_read_lines(kafka);
    kafka->ending = NULL;
}

void kafka_note_id(struct kafka *kafka)
{
    kafka->has_id = true;
    kafka->is_full = true; /* who waits for that may come */
    kafka->host->calls->timer_start(kafka->retry_timer, 0);
}

int64_t kafka_restart_left(const struct kafka *kafka, int64_t now_ms)
{
    return kafka->state == KAFKA_WAITING && kafka->restart_ms > now_ms ? kafka->restart_ms - now_ms
                                                                       : 0;
}

void kafka_restart(struct kafka *kafka)
{
    if (kafka->state == KAFKA_FAILING && kafka->out > 0) {
        hurry(kafka);
    } else if (kafka->state == KAFKA_FAILING) {
        end(kafka);
    }
    if (kafka->state == KAFKA_ENDING && atomic_load(&kafka->has_ended)) {
        join(kafka);
        await_turn(kafka);
    }
    if (kafka->state == KAFKA_WAITING) {
        int64_t left_ms = kafka_restart_left(kafka, kafka_now_ms());
        if (left_ms > 0) {
            kafka->host->calls->timer_start(kafka->retry_timer, (uint64_t)left_ms);
        } else {
            make(kafka);
        }
    }
}

void kafka_restart_fini(struct kafka *kafka)
{
    join(kafka);
    free(kafka->lost);
    kafka->lost = NULL;
}
