#include "normalise/mend_sensors.h"

#include <xxhash.h>

#include "gnmi/extension.h"
#include "gnmi/wire.h"

enum {
    EXTENSION_REGISTERED = 1,
    REGISTERED_ID = 1,
    REGISTERED_MESSAGE = 2,
    JUNIPER_HEADER = 1, /* the id */
    HEADER_COMPONENT = 7,
    HEADER_SEQUENCE = 8,
    HEADER_EOM = 14,
    INITIAL_RANGE = (1 << 21) - 1,
};

/* The message of a registered extension of that id. */
static bool find_registered(struct sl_str extension, uint64_t wanted, struct sl_str *message)
{
    struct sl_wire wire = sl_wire_of(extension);
    struct sl_wire_field field;
    uint64_t id = 0;

    *message = (struct sl_str){NULL, 0};
    while (sl_wire_next(&wire, &field)) {
        if (!sl_wire_is(&field, EXTENSION_REGISTERED, SL_WIRE_BYTES)) {
            continue;
        }
        struct sl_wire registered = sl_wire_of(field.bytes);

        while (sl_wire_next(&registered, &field)) {
            if (sl_wire_is(&field, REGISTERED_ID, SL_WIRE_VARINT)) {
                id = field.value;
            } else if (sl_wire_is(&field, REGISTERED_MESSAGE, SL_WIRE_BYTES)) {
                *message = field.bytes;
            }
        }
    }
    return id == wanted && message->data;
}

/* Fields up to the component say which sensor it is. */
static void read_field(const struct sl_wire_field *field, struct sl_mend_header *header)
{
    if (field->number <= HEADER_COMPONENT && field->type == SL_WIRE_BYTES) {
        header->sensor = XXH3_64bits_withSeed(field->bytes.data, field->bytes.len,
                                              header->sensor + field->number);
    } else if (field->number <= HEADER_COMPONENT && field->type == SL_WIRE_VARINT) {
        header->sensor = XXH3_64bits_withSeed(&field->value, sizeof(field->value),
                                              header->sensor + field->number);
    } else if (sl_wire_is(field, HEADER_SEQUENCE, SL_WIRE_VARINT)) {
        header->sequence = field->value;
        header->has_sequence = true;
    } else if (sl_wire_is(field, HEADER_EOM, SL_WIRE_VARINT)) {
        header->is_end = field->value != 0;
    }
}

bool sl_mend_header_read(const struct sl_gnmi_response *response, struct sl_mend_header *header)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_extensions_begin(response);
    struct sl_str extension;
    struct sl_str message;
    struct sl_wire_field field;

    *header = (struct sl_mend_header){.sensor = 0};
    while (sl_gnmi_next_extension(&cursor, &extension)) {
        if (!find_registered(extension, JUNIPER_HEADER, &message)) {
            continue;
        }
        struct sl_wire wire = sl_wire_of(message);

        while (sl_wire_next(&wire, &field)) {
            read_field(&field, header);
        }
        header->sensor += header->sequence >= INITIAL_RANGE;
        return true;
    }
    return false;
}

uint64_t sl_mend_sensors_note(struct sl_mend_sensors *sensors, const struct sl_mend_header *header)
{
    size_t at = 0;

    if (!header->has_sequence) {
        return 0;
    }
    while (at < sensors->count && sensors->rows[at].sensor != header->sensor) {
        at++;
    }
    if (at < sensors->count) {
        uint64_t last = sensors->rows[at].sequence;

        sensors->rows[at].sequence = header->sequence;
        return header->sequence > last ? header->sequence - last - 1 : 0;
    }
    if (sensors->count < SL_MEND_SENSORS) {
        sensors->count++;
    } else {
        at = sensors->oldest;
        sensors->oldest = (sensors->oldest + 1) % SL_MEND_SENSORS;
    }
    sensors->rows[at].sensor = header->sensor;
    sensors->rows[at].sequence = header->sequence;
    return 0;
}
