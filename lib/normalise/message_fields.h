/* message_fields.h - where the fields of a serialised message lie, by protobuf-c's descriptors, for
 * those who print it.
 *
 * What protobuf says of fields that come more than once holds: of scalars the last counts, of a
 * oneof the last member. Unknown fields, and known ones of another wire type, are stepped over.
 */
#ifndef SLUICE_NORMALISE_MESSAGE_FIELDS_H
#define SLUICE_NORMALISE_MESSAGE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/str.h"
#include "gnmi/wire.h"

enum { SL_MESSAGE_MAX_FIELDS = 32 /* of a message of ours */ };

/* What a message has of one field. */
struct sl_message_found {
    size_t count;
    struct sl_wire from;        /* where the first one that counts stands */
    struct sl_wire_field field; /* the last one */
};

/* Whether the bytes are fields to their end; what is in them is not looked at. */
bool sl_message_is_whole(struct sl_str message);

/* Fills `found`, zeroed and one for each field of the descriptor. False when the bytes are no
 * message. */
bool sl_message_find(const ProtobufCMessageDescriptor *descriptor, struct sl_str message,
                     struct sl_message_found *found) SL_MUST_CHECK;

/* Over the places of a field, from found->from on. Of a list of numbers several may lie in one
 * place (protobuf's packed form). */
struct sl_message_walk {
    struct sl_wire wire;   /* to begin with: found->from */
    struct sl_wire packed; /* what is left of such a place; zeroed to begin with */
};

/* The next one; false behind the last, and where a packed place is broken. */
bool sl_message_next(struct sl_message_walk *walk, const ProtobufCFieldDescriptor *known,
                     struct sl_wire_field *field);

enum sl_wire_type sl_message_wire_type(const ProtobufCFieldDescriptor *field);

/* Of a oneof; and whether both are of the same one: that is, share the number that says which is
 * set. */
bool sl_message_is_member(const ProtobufCFieldDescriptor *field);
bool sl_message_are_rivals(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b);

/* protobuf-c keeps a map as its entries, whose type is named after it. */
bool sl_message_is_map(const ProtobufCFieldDescriptor *known);

/* Whether a field outside of a oneof is left out: it has the value that it has when it is not
 * there. */
bool sl_message_is_default(const ProtobufCFieldDescriptor *known,
                           const struct sl_wire_field *field);

#endif
