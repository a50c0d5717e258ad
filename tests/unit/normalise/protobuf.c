#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100 };

enum member { NO_MEMBER, SCALAR_MEMBER, MESSAGE_MEMBER }; /* of a oneof: the last that was seen */

struct strip {
    const uint8_t *at;
    const uint8_t *end;
    bool is_broken;
    bool is_left_out; /* protobuf-c does not do here what protobuf says */
    enum member member;
};

static uint64_t take_varint(struct strip *strip, unsigned longest)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < longest && strip->at < strip->end; i++) {
        uint8_t byte = *strip->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            return value;
        }
    }
    strip->is_broken = true;
    return 0;
}

static void take_bytes(struct strip *strip, uint64_t count)
{
    if (count > (uint64_t)(strip->end - strip->at)) {
        strip->is_broken = true;
    } else {
        strip->at += count;
    }
}

static uint32_t take_tag(struct strip *strip, unsigned *type)
{
    uint64_t tag = take_varint(strip, 5);

    *type = tag & 7;
    strip->is_broken = strip->is_broken || tag > UINT32_MAX || tag >> 3 == 0;
    return (uint32_t)(tag >> 3);
}

static void skip_value(struct strip *strip, uint32_t number, unsigned type, unsigned depth);

static void skip_group(struct strip *strip, uint32_t group, unsigned depth)
{
    strip->is_broken = strip->is_broken || depth >= MAX_DEPTH;
    while (!strip->is_broken) {
        unsigned type;
        uint32_t number = take_tag(strip, &type);
        if (type == 4 && !strip->is_broken) {
            strip->is_broken = number != group;
            return;
        }
        skip_value(strip, number, type, depth);
    }
}

static void skip_value(struct strip *strip, uint32_t number, unsigned type, unsigned depth)
{
    switch (type) {
    case 0:
        (void)take_varint(strip, 10);
        break;
    case 1:
        take_bytes(strip, 8);
        break;
    case 2:
        take_bytes(strip, take_varint(strip, 10));
        break;
    case 3:
        skip_group(strip, number, depth + 1);
        break;
    case 5:
        take_bytes(strip, 4);
        break;
    default:
        strip->is_broken = true;
    }
}

static unsigned type_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 2;
    case PROTOBUF_C_TYPE_FLOAT:
        return 5;
    case PROTOBUF_C_TYPE_DOUBLE:
        return 1;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return 0;
    }
    return 0;
}

static void add_varint(struct sl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        sl_buf_add_byte(out, (char)(value | 0x80));
    }
    sl_buf_add_byte(out, (char)value);
}

static void strip_message(struct strip *strip, const ProtobufCMessageDescriptor *descriptor,
                          struct sl_buf *out, unsigned depth);

/* Whether protobuf-c merges a second message into a first as protobuf says: where it has a oneof,
 * only when that is set in the second, and to no message (which would have to be merged too). */
static bool merges(const ProtobufCFieldDescriptor *field, enum member second)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            return second == SCALAR_MEMBER;
        }
    }
    return true;
}

/* A length-delimited field that is known, from its length on. Which member of a oneof it has, if it
 * is a message. */
static enum member strip_bytes(struct strip *strip, const ProtobufCFieldDescriptor *field,
                               struct sl_buf *out, unsigned depth)
{
    uint64_t len = take_varint(strip, 10);
    struct sl_buf inside = {0};
    struct strip inner = {.at = strip->at};

    take_bytes(strip, len);
    if (strip->is_broken) {
        return NO_MEMBER;
    }
    inner.end = strip->at;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        strip_message(&inner, field->descriptor, &inside, depth + 1);
    } else {
        sl_buf_add(&inside, inner.at, len);
    }
    strip->is_broken = inner.is_broken;
    strip->is_left_out =
        strip->is_left_out || inner.is_left_out ||
        (field->type == PROTOBUF_C_TYPE_STRING && len && memchr(inside.data, 0, inside.len));
    add_varint(out, inside.len);
    sl_buf_add_str(out, sl_buf_str(&inside));
    sl_buf_fini(&inside);
    return inner.member;
}

static void strip_message(struct strip *strip, const ProtobufCMessageDescriptor *descriptor,
                          struct sl_buf *out, unsigned depth)
{
    uint32_t messages_seen = 0;

    strip->is_broken = depth >= MAX_DEPTH;
    while (!strip->is_broken && strip->at < strip->end) {
        unsigned type;
        uint32_t number = take_tag(strip, &type);
        const ProtobufCFieldDescriptor *field =
            number < 32 ? protobuf_c_message_descriptor_get_field(descriptor, number) : NULL;
        const uint8_t *start = strip->at;
        if (strip->is_broken || !field || type_of(field) != type) {
            skip_value(strip, number, type, depth);
            continue;
        }
        add_varint(out, (uint64_t)number << 3 | type);
        enum member member = NO_MEMBER; /* of the message that the field is */
        if (type == 2) {
            member = strip_bytes(strip, field, out, depth);
        } else {
            skip_value(strip, number, type, depth);
            sl_buf_add(out, start, (size_t)(strip->at - start));
        }
        bool is_member = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        if (is_member) {
            strip->member = field->type == PROTOBUF_C_TYPE_MESSAGE ? MESSAGE_MEMBER : SCALAR_MEMBER;
        }
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED) {
            strip->is_left_out = strip->is_left_out || (messages_seen & 1u << number &&
                                                        (is_member || !merges(field, member)));
            messages_seen |= 1u << number;
        }
    }
}

void protobuf_read(struct sl_str message, struct protobuf_reading *reading)
{
    struct strip strip = {.at = (const uint8_t *)message.data};
    struct sl_buf stripped = {0};

    strip.end = strip.at + message.len;
    strip_message(&strip, &gnmi__subscribe_response__descriptor, &stripped, 0);
    SL_ASSERT(!stripped.failed);
    *reading = (struct protobuf_reading){.is_valid = !strip.is_broken};
    if (!strip.is_broken) {
        reading->response = gnmi__subscribe_response__unpack(
            NULL, stripped.len, (const uint8_t *)(stripped.data ? stripped.data : ""));
        SL_ASSERT(reading->response || strip.is_left_out);
    }
    reading->is_comparable = reading->response && !strip.is_left_out;
    sl_buf_fini(&stripped);
}

void protobuf_fini(struct protobuf_reading *reading)
{
    gnmi__subscribe_response__free_unpacked(reading->response, NULL);
}

void protobuf_pack(const struct protobuf_reading *reading, struct sl_buf *out)
{
    size_t len = gnmi__subscribe_response__get_packed_size(reading->response);
    bool has_room = sl_buf_reserve(out, len + 1);

    SL_ASSERT(has_room);
    out->len += gnmi__subscribe_response__pack(reading->response, (uint8_t *)out->data + out->len);
}
