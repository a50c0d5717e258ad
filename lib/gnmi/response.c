#include "gnmi/response.h"

#include "gnmi/canonical.h"
#include "gnmi/check.h"
#include "gnmi/wire.h"

enum { SCRATCH_KEPT_BYTES = 64 * 1024 }; /* more is given back with the next message */

/* ---- fields ---- */

enum {
    TAG_NOTIFICATION_UPDATE = 4 << 3 | SL_WIRE_BYTES,
    TAG_UPDATE_PATH = 1 << 3 | SL_WIRE_BYTES,
    TAG_UPDATE_VALUE = 3 << 3 | SL_WIRE_BYTES,
};

/* The payload of the field with this tag that `wire` stands at, where its length is written in one
 * byte, or two: what most fields are. False, with nothing taken, for all others. */
static inline bool take_plain(struct sl_wire *wire, uint8_t tag, struct sl_str *bytes)
{
    const uint8_t *at = wire->at;
    size_t left = (size_t)(wire->end - at);

    if (left < 3 || at[0] != tag) {
        return false;
    }
    size_t len = at[1];
    size_t head = 2;

    if (len >= 0x80) {
        if (at[2] >= 0x80) {
            return false;
        }
        len = (len & 0x7f) | (size_t)at[2] << 7;
        head = 3;
    }
    if (len > left - head) {
        return false;
    }
    *bytes = (struct sl_str){(const char *)at + head, len};
    wire->at = at + head + len;
    return true;
}

/* ---- values ---- */

static float float_of(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof(value));
    return value;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void read_decimal(struct sl_str decimal, struct sl_gnmi_value *value)
{
    struct sl_wire wire = sl_wire_of(decimal);
    struct sl_wire_field field;

    value->kind = SL_GNMI_VALUE_DECIMAL;
    value->of.decimal.digits = 0;
    value->of.decimal.precision = 0;
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_VARINT)) {
            value->of.decimal.digits = (int64_t)field.value;
        } else if (sl_wire_is(&field, 2, SL_WIRE_VARINT)) {
            value->of.decimal.precision = (uint32_t)field.value;
        }
    }
}

static void read_varint_arm(const struct sl_wire_field *field, struct sl_gnmi_value *value)
{
    switch (field->number) {
    case 2:
        value->kind = SL_GNMI_VALUE_INT;
        value->of.i64 = (int64_t)field->value;
        break;
    case 3:
        value->kind = SL_GNMI_VALUE_UINT;
        value->of.u64 = field->value;
        break;
    case 4:
        value->kind = SL_GNMI_VALUE_BOOL;
        value->of.boolean = field->value != 0;
        break;
    default:
        break;
    }
}

static void read_bytes_arm(const struct sl_wire_field *field, struct sl_gnmi_value *value)
{
    static const uint8_t kinds[] = {
        [1] = SL_GNMI_VALUE_STRING,       [5] = SL_GNMI_VALUE_BYTES,
        [7] = SL_GNMI_VALUE_DECIMAL,      [8] = SL_GNMI_VALUE_LEAFLIST,
        [9] = SL_GNMI_VALUE_ANY,          [10] = SL_GNMI_VALUE_JSON,
        [11] = SL_GNMI_VALUE_JSON_IETF,   [12] = SL_GNMI_VALUE_ASCII,
        [13] = SL_GNMI_VALUE_PROTO_BYTES,
    };

    if (field->number >= SL_ARRAY_LEN(kinds) || kinds[field->number] == SL_GNMI_VALUE_NONE) {
        return;
    }
    if (field->number == 7) {
        read_decimal(field->bytes, value);
        return;
    }
    value->kind = (enum sl_gnmi_value_kind)kinds[field->number];
    value->of.bytes = field->bytes;
}

/* Of a TypedValue in its usual form: it has one arm at most. */
static void read_typed_value(struct sl_str typed_value, struct sl_gnmi_value *value)
{
    struct sl_wire wire = sl_wire_of(typed_value);
    struct sl_wire_field field;

    value->kind = SL_GNMI_VALUE_NONE;
    if (typed_value.len > 1 && (*wire.at & 7) == SL_WIRE_VARINT && *wire.at < 0x80) {
        field.number = *wire.at++ >> 3; /* a number, which most values are */
        (void)sl_wire_varint(&wire, &field.value);
        read_varint_arm(&field, value);
    }
    while (wire.at < wire.end && sl_wire_next(&wire, &field)) {
        if (field.type == SL_WIRE_VARINT) {
            read_varint_arm(&field, value);
        } else if (field.type == SL_WIRE_BYTES) {
            read_bytes_arm(&field, value);
        } else if (sl_wire_is(&field, 6, SL_WIRE_FIXED32)) {
            value->kind = SL_GNMI_VALUE_FLOAT;
            value->of.f32 = float_of(field.value);
        } else if (sl_wire_is(&field, 14, SL_WIRE_FIXED64)) {
            value->kind = SL_GNMI_VALUE_DOUBLE;
            value->of.f64 = double_of(field.value);
        }
    }
}

/* The deprecated Value: bytes, and an Encoding that says what they are. */
static void read_value(struct sl_str deprecated, struct sl_gnmi_value *value)
{
    static const enum sl_gnmi_value_kind kinds[] = {
        SL_GNMI_VALUE_JSON,  SL_GNMI_VALUE_BYTES,     SL_GNMI_VALUE_PROTO_BYTES,
        SL_GNMI_VALUE_ASCII, SL_GNMI_VALUE_JSON_IETF,
    };
    struct sl_wire wire = sl_wire_of(deprecated);
    struct sl_wire_field field;
    uint32_t encoding = 0;

    value->of.bytes = (struct sl_str){0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            value->of.bytes = field.bytes;
        } else if (sl_wire_is(&field, 2, SL_WIRE_VARINT)) {
            encoding = (uint32_t)field.value;
        }
    }
    value->kind = encoding < SL_ARRAY_LEN(kinds) ? kinds[encoding] : SL_GNMI_VALUE_BYTES;
}

/* ---- reading ---- */

static uint32_t read_duplicates(struct sl_str update)
{
    struct sl_wire plain = sl_wire_of(update);
    struct sl_str bytes;

    if (take_plain(&plain, TAG_UPDATE_PATH, &bytes) &&
        take_plain(&plain, TAG_UPDATE_VALUE, &bytes) && plain.at == plain.end) {
        return 0;
    }
    struct sl_wire wire = sl_wire_of(update);
    struct sl_wire_field field;
    uint32_t duplicates = 0;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 4, SL_WIRE_VARINT)) {
            duplicates = (uint32_t)field.value;
        }
    }
    return duplicates;
}

static void note_bytes(struct sl_gnmi_response *response, const struct sl_wire_field *field)
{
    switch (field->number) {
    case 2:
        response->prefix = field->bytes;
        response->has_prefix = true;
        break;
    case 4:
        response->updates++;
        response->duplicates += read_duplicates(field->bytes);
        break;
    case 5:
        response->deletes++;
        break;
    default:
        break;
    }
}

static void read_notification(struct sl_gnmi_response *response)
{
    struct sl_wire wire = sl_wire_of(response->notification);
    struct sl_wire_field field;
    struct sl_str update;

    for (;;) {
        if (take_plain(&wire, TAG_NOTIFICATION_UPDATE, &update)) {
            response->updates++;
            response->duplicates += read_duplicates(update);
            continue;
        }
        if (!sl_wire_next(&wire, &field)) {
            break;
        }
        if (field.type == SL_WIRE_BYTES) {
            note_bytes(response, &field);
        } else if (sl_wire_is(&field, 1, SL_WIRE_VARINT)) {
            response->timestamp_ns = (int64_t)field.value;
        } else if (sl_wire_is(&field, 6, SL_WIRE_VARINT)) {
            response->is_atomic = field.value != 0;
        }
    }
}

/* Which arm the response has: the last one on the wire. */
static void read_arm(struct sl_gnmi_response *response)
{
    struct sl_wire wire = sl_wire_of(response->message);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            response->kind = SL_GNMI_UPDATE;
            response->notification = field.bytes;
        } else if (sl_wire_is(&field, 3, SL_WIRE_VARINT)) {
            response->kind = SL_GNMI_SYNC;
            response->is_sync = field.value != 0;
        } else if (sl_wire_is(&field, 4, SL_WIRE_BYTES)) {
            response->kind = SL_GNMI_ERROR;
        }
    }
    if (response->kind != SL_GNMI_SYNC) {
        response->is_sync = false;
    }
    if (response->kind != SL_GNMI_UPDATE) {
        response->notification = (struct sl_str){0};
    }
}

struct sl_status sl_gnmi_response_read(struct sl_str message, struct sl_buf *scratch,
                                       struct sl_gnmi_response *response)
{
    bool is_usual = true;
    struct sl_status why; /* a status is large: made where it is needed only */

    *response = (struct sl_gnmi_response){.message = message};
    sl_buf_trim(scratch, SCRATCH_KEPT_BYTES);
    if (!sl_gnmi_check(message, &is_usual, &why)) {
        return why;
    }
    read_arm(response);
    if (!is_usual && response->kind == SL_GNMI_UPDATE) {
        if (!sl_gnmi_canonical(message, scratch)) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to merge a message");
        }
        response->notification = sl_buf_str(scratch);
    }
    read_notification(response);
    return sl_status_ok();
}

/* ---- walking ---- */

struct sl_gnmi_cursor sl_gnmi_response_begin(const struct sl_gnmi_response *response)
{
    struct sl_wire wire = sl_wire_of(response->notification);

    return (struct sl_gnmi_cursor){wire.at, wire.end};
}

/* The next field `number` of the notification. */
static bool next_field(struct sl_gnmi_cursor *cursor, uint32_t number, struct sl_str *bytes)
{
    struct sl_wire wire = {cursor->at, cursor->end};
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            cursor->at = wire.at;
            *bytes = field.bytes;
            return true;
        }
    }
    cursor->at = cursor->end;
    return false;
}

bool sl_gnmi_next_update(struct sl_gnmi_cursor *cursor, struct sl_gnmi_update *update)
{
    struct sl_str bytes;
    struct sl_str deprecated = {0};
    struct sl_wire_field field;

    struct sl_wire wire = {cursor->at, cursor->end};

    if (take_plain(&wire, TAG_NOTIFICATION_UPDATE, &bytes)) {
        cursor->at = wire.at;
    } else if (!next_field(cursor, 4, &bytes)) {
        return false;
    }
    wire = sl_wire_of(bytes);
    update->raw = bytes;
    update->path = (struct sl_str){0};
    update->value.kind = SL_GNMI_VALUE_NONE;
    update->duplicates = 0;
    update->has_path = take_plain(&wire, TAG_UPDATE_PATH, &update->path);
    if (take_plain(&wire, TAG_UPDATE_VALUE, &bytes)) {
        read_typed_value(bytes, &update->value);
    }
    while (wire.at < wire.end && sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            update->path = field.bytes;
            update->has_path = true;
        } else if (sl_wire_is(&field, 3, SL_WIRE_BYTES)) {
            read_typed_value(field.bytes, &update->value);
        } else if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            deprecated = field.bytes;
        } else if (sl_wire_is(&field, 4, SL_WIRE_VARINT)) {
            update->duplicates = (uint32_t)field.value;
        }
    }
    if (update->value.kind == SL_GNMI_VALUE_NONE && deprecated.data) {
        read_value(deprecated, &update->value);
    }
    return true;
}

bool sl_gnmi_next_delete(struct sl_gnmi_cursor *cursor, struct sl_str *path)
{
    return next_field(cursor, 5, path);
}

bool sl_gnmi_next_element(struct sl_str *elements, struct sl_gnmi_value *value)
{
    struct sl_wire wire = sl_wire_of(*elements);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            *elements = (struct sl_str){(const char *)wire.at, (size_t)(wire.end - wire.at)};
            read_typed_value(field.bytes, value);
            return true;
        }
    }
    *elements = (struct sl_str){0};
    return false;
}

struct sl_gnmi_any sl_gnmi_any_of(struct sl_str any)
{
    struct sl_wire wire = sl_wire_of(any);
    struct sl_wire_field field;
    struct sl_gnmi_any parts = {0};

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            parts.type_url = field.bytes;
        } else if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            parts.value = field.bytes;
        }
    }
    return parts;
}
