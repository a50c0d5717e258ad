/* errors.h - what goes wrong with Kafka, under names that a metric can have, and whether it can
 * heal.
 *
 * librdkafka tries most of it again by itself, without end and in order, and says so only among its
 * debug lines; what it gives back is either no fault of the record (then it is tried again here) or
 * the record's own, and final.
 */
#ifndef SLUICE_KAFKA_ERRORS_H
#define SLUICE_KAFKA_ERRORS_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

struct kafka_error {
    rd_kafka_resp_err_t code;
    const char *reason; /* "not-authorised" */
    bool is_final;      /* the same record would be refused again, whenever it came */
};

/* The last row, "unknown", for codes that have none of their own. */
const struct kafka_error *kafka_error_of(rd_kafka_resp_err_t code);

/* What a person may try; "" : nothing comes to mind. A literal. */
const char *kafka_hint(const char *reason);

/* Of librdkafka's words for it ("Broker: Not enough in-sync replicas"), which may go on behind.
 * NULL: they are not at the beginning of `words`. */
const struct kafka_error *kafka_error_in(const char *words);

#endif
