#include "normalise/message_fields.h"

#include <string.h>

enum sl_wire_type sl_message_wire_type(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return SL_WIRE_BYTES;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return SL_WIRE_FIXED32;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return SL_WIRE_FIXED64;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return SL_WIRE_VARINT;
}

bool sl_message_is_whole(struct sl_str message)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;
    const uint8_t *at = wire.at; /* a field that breaks off may have moved wire.at to the end */

    while (sl_wire_next(&wire, &field)) {
        at = wire.at;
    }
    return at == wire.end;
}

bool sl_message_is_member(const ProtobufCFieldDescriptor *field)
{
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

bool sl_message_are_rivals(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
    return sl_message_is_member(a) && sl_message_is_member(b) &&
           a->quantifier_offset == b->quantifier_offset;
}

static void drop_rivals(const ProtobufCMessageDescriptor *descriptor, unsigned index,
                        struct sl_message_found *found)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (i != index &&
            sl_message_are_rivals(&descriptor->fields[i], &descriptor->fields[index])) {
            found[i].count = 0;
        }
    }
}

/* ---- lists of numbers in one place ---- */

/* Whether the place may hold several: protobuf's packed form. */
static bool is_packed(const ProtobufCFieldDescriptor *known, const struct sl_wire_field *field)
{
    return known->label == PROTOBUF_C_LABEL_REPEATED && field->type == SL_WIRE_BYTES &&
           sl_message_wire_type(known) != SL_WIRE_BYTES;
}

static bool next_packed(struct sl_wire *packed, const ProtobufCFieldDescriptor *known,
                        struct sl_wire_field *field)
{
    enum sl_wire_type type = sl_message_wire_type(known);

    *field = (struct sl_wire_field){.number = known->id, .type = type};
    if (packed->at == packed->end) {
        return false;
    }
    if (type == SL_WIRE_VARINT) {
        return sl_wire_varint(packed, &field->value);
    }
    return sl_wire_fixed(packed, type == SL_WIRE_FIXED64 ? 8 : 4, &field->value);
}

static bool is_whole(const ProtobufCFieldDescriptor *known, const struct sl_wire_field *place)
{
    struct sl_wire packed = sl_wire_of(place->bytes);
    struct sl_wire_field field;

    while (next_packed(&packed, known, &field)) {
    }
    return packed.at == packed.end;
}

/* ---- fields ---- */

bool sl_message_find(const ProtobufCMessageDescriptor *descriptor, struct sl_str message,
                     struct sl_message_found *found)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire before = wire;
    struct sl_wire_field field;

    SL_ASSERT(descriptor->n_fields <= SL_MESSAGE_MAX_FIELDS);
    for (; sl_wire_next(&wire, &field); before = wire) {
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        bool is_several = known && is_packed(known, &field);
        if (!known || (!is_several && sl_message_wire_type(known) != field.type)) {
            continue;
        }
        if (is_several && !is_whole(known, &field)) {
            return false;
        }
        if (is_several && !field.bytes.len) {
            continue;
        }
        unsigned index = (unsigned)(known - descriptor->fields);
        drop_rivals(descriptor, index, found);
        if (found[index].count++ == 0) {
            found[index].from = before;
        }
        found[index].field = field;
    }
    return before.at == wire.end;
}

bool sl_message_next(struct sl_message_walk *walk, const ProtobufCFieldDescriptor *known,
                     struct sl_wire_field *field)
{
    while (!next_packed(&walk->packed, known, field)) {
        if (!sl_wire_next(&walk->wire, field)) {
            return false;
        }
        if (sl_wire_is(field, known->id, sl_message_wire_type(known))) {
            return true;
        }
        if (field->number == known->id && is_packed(known, field)) {
            walk->packed = sl_wire_of(field->bytes);
        }
    }
    return true;
}

bool sl_message_is_map(const ProtobufCFieldDescriptor *known)
{
    if (known->type != PROTOBUF_C_TYPE_MESSAGE || known->label != PROTOBUF_C_LABEL_REPEATED) {
        return false;
    }
    const ProtobufCMessageDescriptor *entry = known->descriptor;
    size_t len = strlen(entry->short_name);

    return len > 5 && strcmp(entry->short_name + len - 5, "Entry") == 0;
}

bool sl_message_is_default(const ProtobufCFieldDescriptor *known, const struct sl_wire_field *field)
{
    if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }
    if (sl_message_wire_type(known) == SL_WIRE_BYTES) {
        return field->bytes.len == 0;
    }
    bool is_narrow = known->type == PROTOBUF_C_TYPE_INT32 ||
                     known->type == PROTOBUF_C_TYPE_UINT32 || known->type == PROTOBUF_C_TYPE_ENUM;

    return (is_narrow ? (uint32_t)field->value : field->value) == 0;
}
