/* brokers.h - what librdkafka's statistics say about the brokers. */
#ifndef SLUICE_KAFKA_BROKERS_H
#define SLUICE_KAFKA_BROKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_brokers {
    unsigned known;
    unsigned up;
    int32_t up_id;    /* of one that is; -1: none is known */
    uint64_t retries; /* of requests, since the start */
};

/* Whether the statistics say that an idempotent producer has its id. Before that it sends nothing,
 * and records that wait for it make librdkafka 2.0.2's threads poll without sleeping, so busily
 * that the thread that asks for the id hardly comes to its lock. */
bool kafka_has_producer_id(const char *json, size_t len);

/* Reads the statistics' "brokers" object and nothing behind it: topics may be many. False when it
 * is not there. */
bool kafka_brokers_read(const char *json, size_t len, struct kafka_brokers *brokers);

#endif
