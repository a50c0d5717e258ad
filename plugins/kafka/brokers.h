/* brokers.h - what librdkafka's statistics say about the brokers. */
#ifndef SLUICE_KAFKA_BROKERS_H
#define SLUICE_KAFKA_BROKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_brokers {
    unsigned known;
    unsigned up;
    uint64_t retries; /* of requests, since the start */
};

/* Reads the statistics' "brokers" object and nothing behind it: topics may be many. False when it
 * is not there. */
bool kafka_brokers_read(const char *json, size_t len, struct kafka_brokers *brokers);

#endif
