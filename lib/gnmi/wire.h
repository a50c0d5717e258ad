/* wire.h - the fields of one serialised protobuf message, read where they lie.
 *
 * For bytes that sl_gnmi_check has passed, which need no second look; on others a reader stops
 * early, and never leaves the message. Groups are stepped over.
 */
#ifndef SLUICE_GNMI_WIRE_H
#define SLUICE_GNMI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"

enum sl_wire_type {
    SL_WIRE_VARINT = 0,
    SL_WIRE_FIXED64 = 1,
    SL_WIRE_BYTES = 2,
    SL_WIRE_GROUP = 3,
    SL_WIRE_END_GROUP = 4,
    SL_WIRE_FIXED32 = 5,
};

struct sl_wire {
    const uint8_t *at;
    const uint8_t *end;
};

struct sl_wire_field {
    uint32_t number;
    enum sl_wire_type type;
    uint64_t value;      /* of a VARINT, FIXED64 or FIXED32 */
    struct sl_str bytes; /* of BYTES */
};

static inline struct sl_wire sl_wire_of(struct sl_str message)
{
    const uint8_t *at = (const uint8_t *)message.data;

    return (struct sl_wire){at, at ? at + message.len : at};
}

/* A varint of at most 10 bytes; bits beyond the 64th are dropped. Where it ends; NULL: nowhere. */
const uint8_t *sl_wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value);

/* Where the group ends whose start was just read; NULL: nowhere. */
const uint8_t *sl_wire_group_end(const uint8_t *at, const uint8_t *end);

static inline bool sl_wire_varint(struct sl_wire *wire, uint64_t *value)
{
    if (wire->at < wire->end && *wire->at < 0x80) {
        *value = *wire->at++;
        return true;
    }
    uint64_t read = 0;
    const uint8_t *end = sl_wire_long_varint(wire->at, wire->end, &read);

    wire->at = end ? end : wire->at;
    *value = read;
    return end != NULL;
}

static inline bool sl_wire_skip_group(struct sl_wire *wire)
{
    const uint8_t *end = sl_wire_group_end(wire->at, wire->end);

    wire->at = end ? end : wire->at;
    return end != NULL;
}

static inline bool sl_wire_fixed(struct sl_wire *wire, size_t size, uint64_t *value)
{
    *value = 0;
    if ((size_t)(wire->end - wire->at) < size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        *value |= (uint64_t)wire->at[i] << (8 * i);
    }
    wire->at += size;
    return true;
}

static inline bool sl_wire_bytes(struct sl_wire *wire, struct sl_str *bytes)
{
    uint64_t len;

    if (!sl_wire_varint(wire, &len) || len > (uint64_t)(wire->end - wire->at)) {
        return false;
    }
    *bytes = (struct sl_str){(const char *)wire->at, (size_t)len};
    wire->at += len;
    return true;
}

/* The next field; false at the end. */
static inline bool sl_wire_next(struct sl_wire *wire, struct sl_wire_field *field)
{
    uint64_t tag;

    if (wire->at == wire->end || !sl_wire_varint(wire, &tag)) {
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum sl_wire_type)(tag & 7);
    field->value = 0;
    switch (field->type) {
    case SL_WIRE_VARINT:
        return sl_wire_varint(wire, &field->value);
    case SL_WIRE_BYTES:
        return sl_wire_bytes(wire, &field->bytes);
    case SL_WIRE_FIXED64:
        return sl_wire_fixed(wire, 8, &field->value);
    case SL_WIRE_FIXED32:
        return sl_wire_fixed(wire, 4, &field->value);
    case SL_WIRE_GROUP:
        return sl_wire_skip_group(wire);
    case SL_WIRE_END_GROUP:
        break;
    }
    return false;
}

/* Whether the field is `number` with that type: protobuf takes one of another type as unknown. */
static inline bool sl_wire_is(const struct sl_wire_field *field, uint32_t number,
                              enum sl_wire_type type)
{
    return field->number == number && field->type == type;
}

#endif
