#include "gnmi/canonical.h"

#include "gnmi/path.h"
#include "gnmi/wire.h"

/* Merging is concatenation: protobuf reads two messages behind one another as the one merged from
 * them. So a field that came twice becomes one whose payload is both payloads. Lengths are written
 * as varints of a fixed width, which is legal, and lets them be filled in afterwards. */
enum { LEN_BYTES = 5 };

static void add_varint(struct sl_buf *out, uint64_t value)
{
    while (value >= 0x80) {
        sl_buf_add_byte(out, (char)(value | 0x80));
        value >>= 7;
    }
    sl_buf_add_byte(out, (char)value);
}

static void add_tag(struct sl_buf *out, uint32_t number, enum sl_wire_type type)
{
    add_varint(out, (uint64_t)number << 3 | type);
}

/* Begins a message field; returns where its payload starts. */
static size_t begin_message(struct sl_buf *out, uint32_t number)
{
    static const char zeros[LEN_BYTES];

    add_tag(out, number, SL_WIRE_BYTES);
    sl_buf_add(out, zeros, sizeof(zeros));
    return out->len;
}

static void end_message(struct sl_buf *out, size_t start)
{
    if (out->failed) {
        return;
    }
    SL_ASSERT(start >= LEN_BYTES && start <= out->len);
    size_t len = out->len - start;

    for (size_t i = 0; i < LEN_BYTES; i++) {
        size_t more = i + 1 < LEN_BYTES ? 0x80 : 0;
        out->data[start - LEN_BYTES + i] = (char)((len >> (7 * i) & 0x7f) | more);
    }
}

static void add_field(struct sl_buf *out, const struct sl_wire_field *field)
{
    add_tag(out, field->number, field->type);
    if (field->type == SL_WIRE_VARINT) {
        add_varint(out, field->value);
    } else if (field->type == SL_WIRE_BYTES) {
        add_varint(out, field->bytes.len);
        sl_buf_add_str(out, field->bytes);
    } else {
        for (size_t i = 0; i < (field->type == SL_WIRE_FIXED64 ? 8 : 4); i++) {
            sl_buf_add_byte(out, (char)(field->value >> (8 * i)));
        }
    }
}

/* The payloads of the fields `number` in `message`, behind one another. */
static void add_joined(struct sl_buf *out, struct sl_str message, uint32_t number)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            sl_buf_add_str(out, field.bytes);
        }
    }
}

static size_t count_fields(struct sl_str message, uint32_t number)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;
    size_t count = 0;

    while (sl_wire_next(&wire, &field)) {
        count += sl_wire_is(&field, number, SL_WIRE_BYTES);
    }
    return count;
}

/* ---- TypedValue ---- */

enum { ARM_DECIMAL = 7, ARM_LEAFLIST = 8, ARM_ANY = 9, ARMS = 15 };

/* The wire type of each arm, as far as it is one. */
static bool is_arm(const struct sl_wire_field *field)
{
    static const uint8_t types[ARMS] = {
        [1] = SL_WIRE_BYTES,  [2] = SL_WIRE_VARINT,   [3] = SL_WIRE_VARINT, [4] = SL_WIRE_VARINT,
        [5] = SL_WIRE_BYTES,  [6] = SL_WIRE_FIXED32,  [7] = SL_WIRE_BYTES,  [8] = SL_WIRE_BYTES,
        [9] = SL_WIRE_BYTES,  [10] = SL_WIRE_BYTES,   [11] = SL_WIRE_BYTES, [12] = SL_WIRE_BYTES,
        [13] = SL_WIRE_BYTES, [14] = SL_WIRE_FIXED64,
    };
    return field->number > 0 && field->number < ARMS && types[field->number] == field->type;
}

static void add_typed_value(struct sl_buf *out, struct sl_str value);

static void add_elements(struct sl_buf *out, struct sl_str scalar_array)
{
    struct sl_wire wire = sl_wire_of(scalar_array);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            size_t start = begin_message(out, 1);
            add_typed_value(out, field.bytes);
            end_message(out, start);
        }
    }
}

/* A message arm: what all its fields in `run` say, up to the end. */
static void add_message_arm(struct sl_buf *out, struct sl_wire run, uint32_t number)
{
    struct sl_wire_field field;
    size_t start = begin_message(out, number);

    while (sl_wire_next(&run, &field)) {
        if (!sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            continue;
        }
        if (number == ARM_LEAFLIST) {
            add_elements(out, field.bytes);
        } else {
            sl_buf_add_str(out, field.bytes);
        }
    }
    end_message(out, start);
}

/* The last arm; a message arm with those of its kind before it, since another one came. Recursive
 * by leaf-lists in leaf-lists, which sl_gnmi_check has limited. */
static void add_typed_value(struct sl_buf *out, struct sl_str value)
{
    struct sl_wire wire = sl_wire_of(value);
    struct sl_wire run = wire;
    struct sl_wire_field last = {0};
    struct sl_wire_field field;

    for (struct sl_wire here = wire; sl_wire_next(&wire, &field); here = wire) {
        if (is_arm(&field)) {
            run = field.number == last.number ? run : here;
            last = field;
        }
    }
    if (last.number == ARM_DECIMAL || last.number == ARM_LEAFLIST || last.number == ARM_ANY) {
        add_message_arm(out, run, last.number);
    } else if (last.number) {
        add_field(out, &last);
    }
}

/* ---- Update, Notification ---- */

static void add_joined_field(struct sl_buf *out, struct sl_str message, uint32_t number)
{
    if (count_fields(message, number)) {
        size_t start = begin_message(out, number);
        add_joined(out, message, number);
        end_message(out, start);
    }
}

/* The fields `number` as one Path. The field that holds labels is not a device's to set. */
static void add_path(struct sl_buf *out, struct sl_str message, uint32_t number)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;

    if (!count_fields(message, number)) {
        return;
    }
    size_t start = begin_message(out, number);

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            sl_gnmi_path_add_without_labels(out, field.bytes);
        }
    }
    end_message(out, start);
}

static void add_delete(struct sl_buf *out, struct sl_str path)
{
    size_t start = begin_message(out, 5);

    sl_gnmi_path_add_without_labels(out, path);
    end_message(out, start);
}

static void add_val(struct sl_buf *out, struct sl_str update)
{
    struct sl_buf joined = {0};

    if (count_fields(update, 3) == 0) {
        return;
    }
    size_t start = begin_message(out, 3);
    add_joined(&joined, update, 3);
    add_typed_value(out, sl_buf_str(&joined));
    end_message(out, start);
    out->failed = out->failed || joined.failed;
    sl_buf_fini(&joined);
}

static void add_update(struct sl_buf *out, struct sl_str update)
{
    struct sl_wire wire = sl_wire_of(update);
    struct sl_wire_field field;
    size_t start = begin_message(out, 4);

    add_path(out, update, 1);
    add_joined_field(out, update, 2);
    add_val(out, update);
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 4, SL_WIRE_VARINT)) {
            add_field(out, &field);
        }
    }
    end_message(out, start);
}

static void add_notification(struct sl_buf *out, struct sl_str notification)
{
    struct sl_wire wire = sl_wire_of(notification);
    struct sl_wire_field field;

    add_path(out, notification, 2);
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 4, SL_WIRE_BYTES)) {
            add_update(out, field.bytes);
        } else if (sl_wire_is(&field, 5, SL_WIRE_BYTES)) {
            add_delete(out, field.bytes);
        } else if (sl_wire_is(&field, 1, SL_WIRE_VARINT) || sl_wire_is(&field, 6, SL_WIRE_VARINT)) {
            add_field(out, &field);
        }
    }
}

static bool is_other_response(const struct sl_wire_field *field)
{
    return sl_wire_is(field, 3, SL_WIRE_VARINT) || sl_wire_is(field, 4, SL_WIRE_BYTES);
}

bool sl_gnmi_canonical(struct sl_str message, struct sl_buf *out)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;
    struct sl_buf joined = {0};

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            sl_buf_add_str(&joined, field.bytes);
        } else if (is_other_response(&field)) {
            sl_buf_reset(&joined); /* another member of the oneof clears it */
        }
    }
    add_notification(out, sl_buf_str(&joined));
    out->failed = out->failed || joined.failed;
    sl_buf_fini(&joined);
    return !out->failed;
}
