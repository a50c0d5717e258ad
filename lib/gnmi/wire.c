#include "gnmi/wire.h"

const uint8_t *sl_wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
        uint8_t byte = *at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return at;
        }
    }
    return NULL;
}

const uint8_t *sl_wire_group_end(const uint8_t *at, const uint8_t *end)
{
    struct sl_wire wire = {at, end};
    uint64_t tag;
    uint64_t value;
    struct sl_str bytes;
    bool is_ok = true;

    for (uint32_t depth = 1; depth && is_ok;) {
        is_ok = sl_wire_varint(&wire, &tag);
        switch ((enum sl_wire_type)(is_ok ? tag & 7 : 7)) {
        case SL_WIRE_VARINT:
            is_ok = sl_wire_varint(&wire, &value);
            break;
        case SL_WIRE_FIXED64:
            is_ok = sl_wire_fixed(&wire, 8, &value);
            break;
        case SL_WIRE_BYTES:
            is_ok = sl_wire_bytes(&wire, &bytes);
            break;
        case SL_WIRE_GROUP:
            depth++;
            break;
        case SL_WIRE_END_GROUP:
            depth--;
            break;
        case SL_WIRE_FIXED32:
            is_ok = sl_wire_fixed(&wire, 4, &value);
            break;
        default:
            is_ok = false;
        }
    }
    return is_ok ? wire.at : NULL;
}
