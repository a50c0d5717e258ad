/* record.h - a SubscribeResponse becomes the payload of one record, by the shortest way.
 *
 * Knows what simulated devices send and no more: notifications of updates with numbers and plain
 * strings, no prefix, no deletes. Anything else is refused, so that a measurement never rests on a
 * message that was passed over.
 */
#ifndef FLOOR_RECORD_H
#define FLOOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum floor_format { FLOOR_EVENT, FLOOR_PROTO };

struct floor_writer;

struct floor_record {
    char *payload; /* from malloc; NULL: the message makes no record */
    size_t len;
    uint32_t updates;
    int64_t timestamp_ns;
};

struct floor_writer *floor_writer_new(enum floor_format format, const char *target,
                                      const char *subscription);
void floor_writer_free(struct floor_writer *writer);

/* False when the message is not of the kind above, or memory is out. */
bool floor_writer_write(struct floor_writer *writer, const uint8_t *message, size_t len,
                        struct floor_record *record);

#endif
