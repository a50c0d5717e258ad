/* roads.h - the two ways from a message to a record must meet.
 *
 * A message is read as it came, and as protobuf-c packs it again. Both must be accepted or neither;
 * the walk must find what protobuf-c found, and the records must be the same. What differs trips an
 * assert. */
#ifndef SLUICE_TESTS_ROADS_H
#define SLUICE_TESTS_ROADS_H

#include <stdbool.h>

#include "normalise/encoder.h"

struct road {
    struct sl_buf record;
    struct sl_encoded encoded;
    bool is_ok; /* it is a SubscribeResponse */
};

/* Reads and encodes a copy of `message` in memory of its own size, so that a sanitizer sees each
 * byte too many. Free `record`. */
void road_travel(struct sl_encoder *encoder, struct sl_str message, struct road *road);

/* `format` is the encoder's. Returns whether both accepted it and the records were compared. */
bool roads_meet(struct sl_encoder *encoder, enum sl_format format, struct sl_str message);

#endif
