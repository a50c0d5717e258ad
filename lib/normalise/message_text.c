#include "normalise/message_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "gnmi/response.h"
#include "normalise/message_fields.h"
#include "normalise/number.h"

static void indent(struct sl_buf *out, unsigned depth)
{
    while (depth--) {
        sl_buf_add_c(out, "  ");
    }
}

static void add_bytes(struct sl_buf *out, struct sl_str bytes)
{
    sl_buf_add_byte(out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        char byte = bytes.data[i];
        if (byte == '"' || byte == '\\') {
            sl_buf_add_byte(out, '\\');
            sl_buf_add_byte(out, byte);
        } else if (byte >= ' ' && byte <= '~') {
            sl_buf_add_byte(out, byte);
        } else if (byte == '\n' || byte == '\r' || byte == '\t') {
            sl_buf_add_c(out, byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : "\\t");
        } else {
            sl_buf_printf(out, "\\%03o", (unsigned)(unsigned char)byte);
        }
    }
    sl_buf_add_byte(out, '"');
}

/* "inf", "-inf" and "nan" where there are no digits. */
static void add_no_number(struct sl_buf *out, double value)
{
    sl_buf_add_c(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
}

static void add_double(struct sl_buf *out, uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    if (!sl_number_add_double(out, value)) {
        add_no_number(out, value);
    }
}

static void add_float(struct sl_buf *out, uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;

    memcpy(&value, &word, sizeof(value));
    if (!sl_number_add_float(out, value)) {
        add_no_number(out, (double)value);
    }
}

static void add_enum(struct sl_buf *out, const ProtobufCEnumDescriptor *descriptor, int32_t number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);

    if (value) {
        sl_buf_add_c(out, value->name);
    } else {
        sl_buf_add_i64(out, number);
    }
}

/* The types that are not used in our definitions (sint, 32-bit fixed) read as what is nearest. */
static void add_scalar(struct sl_buf *out, const ProtobufCFieldDescriptor *known,
                       const struct sl_wire_field *field)
{
    switch (known->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        add_bytes(out, field->bytes);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        add_float(out, field->value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        add_double(out, field->value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        sl_buf_add_c(out, field->value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        add_enum(out, known->descriptor, (int32_t)field->value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        sl_buf_add_i64(out, (int64_t)field->value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        sl_buf_add_u64(out, field->value);
        break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        sl_buf_add_i64(out, (int32_t)field->value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        sl_buf_add_u64(out, (uint32_t)field->value);
        break;
    }
}

static bool add_message(struct sl_buf *out, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message, unsigned depth);

/* "name {" and what is in it. */
static bool add_nested(struct sl_buf *out, const ProtobufCFieldDescriptor *known,
                       struct sl_str message, unsigned depth)
{
    indent(out, depth);
    sl_buf_printf(out, "%s {\n", known->name);
    if (!add_message(out, known->descriptor, message, depth + 1)) {
        return false;
    }
    indent(out, depth);
    sl_buf_add_c(out, "}\n");
    return !out->failed;
}

static bool add_one(struct sl_buf *out, const ProtobufCFieldDescriptor *known,
                    const struct sl_wire_field *field, unsigned depth)
{
    if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
        return add_nested(out, known, field->bytes, depth);
    }
    indent(out, depth);
    sl_buf_printf(out, "%s: ", known->name);
    add_scalar(out, known, field);
    sl_buf_add_byte(out, '\n');
    return !out->failed;
}

static bool add_each(struct sl_buf *out, const ProtobufCFieldDescriptor *known, struct sl_wire wire,
                     unsigned depth)
{
    struct sl_message_walk walk = {.wire = wire};
    struct sl_wire_field field;

    while (sl_message_next(&walk, known, &field)) {
        if (!add_one(out, known, &field, depth)) {
            return false;
        }
    }
    return true;
}

/* A message that came in several pieces: behind one another they are the merged one. */
static bool add_merged(struct sl_buf *out, const ProtobufCFieldDescriptor *known,
                       struct sl_wire wire, unsigned depth)
{
    struct sl_buf joined = {0};
    struct sl_message_walk walk = {.wire = wire};
    struct sl_wire_field field;

    while (sl_message_next(&walk, known, &field)) {
        sl_buf_add_str(&joined, field.bytes);
    }
    out->failed = out->failed || joined.failed;
    bool is_ok = !joined.failed && add_nested(out, known, sl_buf_str(&joined), depth);

    sl_buf_fini(&joined);
    return is_ok;
}

static bool add_field(struct sl_buf *out, const ProtobufCFieldDescriptor *known,
                      const struct sl_message_found *found, unsigned depth)
{
    bool is_list = known->label == PROTOBUF_C_LABEL_REPEATED;

    if (!found->count ||
        (!is_list && !sl_message_is_member(known) && sl_message_is_default(known, &found->field))) {
        return true;
    }
    if (is_list) {
        return add_each(out, known, found->from, depth);
    }
    if (known->type == PROTOBUF_C_TYPE_MESSAGE && found->count > 1) {
        return add_merged(out, known, found->from, depth);
    }
    return add_one(out, known, &found->field, depth);
}

/* Recursive, to SL_GNMI_MAX_DEPTH. */
static bool add_message(struct sl_buf *out, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message, unsigned depth)
{
    struct sl_message_found found[SL_MESSAGE_MAX_FIELDS] = {0};
    bool is_ok = depth < SL_GNMI_MAX_DEPTH && sl_message_find(descriptor, message, found);

    for (unsigned i = 0; i < descriptor->n_fields && is_ok; i++) {
        is_ok = add_field(out, &descriptor->fields[i], &found[i], depth);
    }
    return is_ok && !out->failed;
}

bool sl_message_text_add(struct sl_buf *out, const ProtobufCMessageDescriptor *descriptor,
                         struct sl_str message)
{
    return add_message(out, descriptor, message, 0);
}
