/* batch.h - lines that wait for company: records of several messages that leave as one.
 *
 * A record of a few hundred bytes costs Kafka and librdkafka as much as one of many lines. A route
 * with a batch writes its records as lines into one buffer, which leaves as one record when it has
 * so many bytes, or so late; at once when the device waits for credit, when what waits holds a
 * quarter of the stream's limit (performance.md, "Credit arithmetic": a part-filled batch holds
 * credit), when a line goes to another place or is of another kind, and when the call ends.
 *
 * Each line has a number of its own; the record says which it begins with, and how many there are.
 * Each message is charged until the record with its last line is acknowledged.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_BATCH_H
#define SLUICE_STREAM_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct sl_charge;
struct sl_delivery;
struct sl_encoder_progress;
struct sl_gnmi_response;
struct sl_route;
struct sl_stream;

struct sl_batch_config {
    uint64_t max_bytes; /* 0: no batch, each record leaves by itself */
    int64_t delay_ns;   /* a line waits no longer for company */
};

/* Zeroed storage is an empty one. */
struct sl_batch {
    struct sl_buf lines;
    struct sl_delivery *delivery; /* of the record to be; NULL: no line waits */
    uint64_t window_bytes;        /* of the messages that wait in it */
    struct sl_str kind;           /* of all its lines: sl_stream_kind */
    uint64_t epoch;
    uint64_t first_seq;
    uint32_t line_count;
    int64_t timestamp_ns; /* of the first line, as its response has it */
    bool is_due;          /* the sink was full when it was offered */
};

/* Adds the next record of the response as a line, as give_next does. False: a batch that must leave
 * first was not taken; nothing was counted. */
bool sl_batch_add(struct sl_stream *stream, struct sl_route *route,
                  const struct sl_gnmi_response *response,
                  struct sl_encoder_progress *progress) SL_MUST_CHECK;

/* Offers what waits in one route to its sink. False: it was not taken, and is due. */
bool sl_batch_leave(struct sl_stream *stream, struct sl_route *route);

/* Offers what waits to its sinks; what is not taken is due, and offered again here. False: some
 * is. */
bool sl_batch_flush(struct sl_stream *stream);
bool sl_batch_flush_due(struct sl_stream *stream);

/* Counts what still waits as dropped, and gives its credit back: of one route, which has a batch,
 * by `counter`, which is one of its own; of all as "closed". */
void sl_batch_give_up(struct sl_route *route, uint64_t *counter);
void sl_batch_drop(struct sl_stream *stream);

#endif
