/* restart.h - a new producer in place of one that cannot go on.
 *
 * An idempotent producer ends for good rather than double records or change their order: also where
 * a broker refuses a batch (enable.gapless.guarantee), so that nothing behind it is stored before
 * it. What it has comes back: what is in a request, as the broker answers; the rest unsent. Records
 * that were certainly not stored are kept, and go first with the next producer, in their order
 * (retry.h). Of others nobody knows, nor of what a leader refused that was moved meanwhile
 * (topics.h: doubts): they are SLUICE_RESTARTED, as is whatever was to follow them
 * in their partition, or, where they had no key, anywhere without one.
 *
 * Destroying a producer waits for its threads, so a thread does that. Where the new one ends before
 * it delivered anything, the next waits, up to KAFKA_RESTART_MAX_MS.
 */
#ifndef SLUICE_KAFKA_RESTART_H
#define SLUICE_KAFKA_RESTART_H

#include "inside.h"

enum { KAFKA_RESTART_MIN_MS = 500, KAFKA_RESTART_MAX_MS = 60000, KAFKA_LAST_CALL_MS = 15000 };

/* The producer has ended for good, if it has. */
void kafka_note_fatal(struct kafka *kafka);

/* librdkafka begins a new epoch of the producer's, in which it would send again, under new numbers,
 * what the old one may have stored: it is made to end before that. */
void kafka_note_epoch(struct kafka *kafka, const char *text);

/* The record may or may not have been stored; the producer is to end. */
void kafka_lose(struct kafka *kafka, const struct kafka_topic *topic,
                const rd_kafka_message_t *message, const char *why);

/* It has its id, and can send. */
void kafka_note_id(struct kafka *kafka);

/* Goes on with the restart as far as it goes now. Not from a callback of librdkafka's. */
void kafka_restart(struct kafka *kafka);

/* For a sink that closes: waits for the thread. */
void kafka_restart_fini(struct kafka *kafka);

/* In how many milliseconds there is to be a new producer; 0: there is one, or soon. */
int64_t kafka_restart_left(const struct kafka *kafka, int64_t now_ms);

#endif
