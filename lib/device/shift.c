#include "device/shift.h"

#include "gnmi/pack.h"
#include "gnmi/wire.h"

enum { RESPONSE_UPDATE = 1, NOTIFICATION_TIMESTAMP = 1 };

/* The largest number that is taken for seconds since 1970 (the year 5138), and so on. */
static const int64_t most_s = INT64_C(100000000000);
static const int64_t most_ms = INT64_C(100000000000000);
static const int64_t most_us = INT64_C(100000000000000000);

static int64_t unit_ns(int64_t timestamp)
{
    return timestamp < most_s    ? SL_NS_PER_S
           : timestamp < most_ms ? SL_NS_PER_MS
           : timestamp < most_us ? SL_NS_PER_US
                                 : 1;
}

static uint64_t moved(uint64_t timestamp, int64_t by_ns)
{
    int64_t sent = (int64_t)timestamp;
    int64_t result;

    if (sent <= 0 || __builtin_add_overflow(sent, by_ns / unit_ns(sent), &result)) {
        return timestamp;
    }
    return (uint64_t)result;
}

/* Appends a field as it stands. */
static void copy(struct sl_buf *out, const uint8_t *from, const struct sl_wire *wire)
{
    sl_buf_add(out, from, (size_t)(wire->at - from));
}

/* False: it is broken. */
static bool shift_notification(struct sl_str notification, int64_t by_ns, struct sl_buf *out)
{
    struct sl_wire wire = sl_wire_of(notification);
    struct sl_wire_field field;

    while (wire.at < wire.end) {
        const uint8_t *from = wire.at;
        if (!sl_wire_next(&wire, &field)) {
            return false;
        }
        if (sl_wire_is(&field, NOTIFICATION_TIMESTAMP, SL_WIRE_VARINT)) {
            sl_pack_varint(out, NOTIFICATION_TIMESTAMP, moved(field.value, by_ns));
        } else {
            copy(out, from, &wire);
        }
    }
    return true;
}

static bool shift_response(struct sl_str response, int64_t by_ns, struct sl_buf *out)
{
    struct sl_wire wire = sl_wire_of(response);
    struct sl_wire_field field;

    while (wire.at < wire.end) {
        const uint8_t *from = wire.at;
        if (!sl_wire_next(&wire, &field)) {
            return false;
        }
        if (!sl_wire_is(&field, RESPONSE_UPDATE, SL_WIRE_BYTES)) {
            copy(out, from, &wire);
            continue;
        }
        size_t start = sl_pack_begin(out, RESPONSE_UPDATE);
        if (!shift_notification(field.bytes, by_ns, out)) {
            return false;
        }
        sl_pack_end(out, start);
    }
    return true;
}

struct sl_str sl_device_shift(struct sl_str response, int64_t by_ns, struct sl_buf *out)
{
    sl_buf_reset(out);
    return shift_response(response, by_ns, out) && !out->failed ? sl_buf_str(out) : response;
}
