/* protobuf.h - a SubscribeResponse as protobuf-c reads it: the oracle of the walk.
 *
 * protobuf-c refuses groups and known fields of another wire type, does not merge the members of a
 * oneof, and loses the one that is set when the message that it merges in has none. So it is given
 * the message without the first (taken out here, by its own descriptors), and a message with one of
 * the others is not comparable; nor is one with a zero byte in a string, where it stops. */
#ifndef SLUICE_TESTS_PROTOBUF_H
#define SLUICE_TESTS_PROTOBUF_H

#include <stdbool.h>

#include "gnmi.pb-c.h"

#include "base/buf.h"
#include "base/str.h"

struct protobuf_reading {
    Gnmi__SubscribeResponse *response; /* NULL: invalid, or refused though it is valid */
    bool is_valid;
    bool is_comparable; /* `response` is what protobuf says */
};

void protobuf_read(struct sl_str message, struct protobuf_reading *reading);
void protobuf_fini(struct protobuf_reading *reading);

/* Appends the response as protobuf-c writes it. */
void protobuf_pack(const struct protobuf_reading *reading, struct sl_buf *out);

#endif
