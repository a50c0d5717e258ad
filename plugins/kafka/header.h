/* header.h - what a Kafka record says about itself beside its payload: headers and timestamp. */
#ifndef SLUICE_KAFKA_HEADER_H
#define SLUICE_KAFKA_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice_plugin.h"

/* Bytes that are written anew for each record and keep their memory. Zeroed storage is empty. */
struct kafka_text {
    char *data;
    size_t len;
    size_t cap;
};

enum {
    KAFKA_NUMBER_BYTES = 20, /* the longest uint64 in digits */
    KAFKA_NUMBERS_BYTES = 2 * KAFKA_NUMBER_BYTES + 1,
};

/* Writes `value` in digits, returns how many. */
size_t kafka_digits(uint64_t value, char digits[KAFKA_NUMBER_BYTES]);

/* The number of a record, "12", or of the lines of a batch, "12-40"; returns how many bytes. */
size_t kafka_numbers(const struct sluice_record *record, char text[KAFKA_NUMBERS_BYTES]);

/* "epoch;seq;format;target;subscription;kind", seq as above, where ';' and '%' of a name are %3B
 * and %25. False when memory is out. */
bool kafka_header_compact(const struct sluice_record *record, struct kafka_text *text);

/* The record's time in milliseconds: the device's, or that of receipt when the device's is absent,
 * more than an hour ahead of it, or more than `max_age_ns` behind it. True: the device's. */
bool kafka_timestamp(const struct sluice_record *record, int64_t max_age_ns, int64_t *ms);

#endif
