#include "normalise/record_value.h"

#include <string.h>

#include "base/base.h"
#include "base/utf8.h"
#include "gnmi/pack.h"
#include "gnmi/wire.h"

enum { ANY_TYPE_URL = 1, ANY_VALUE = 2, DECIMAL_DIGITS = 1, DECIMAL_PRECISION };

static char *put_number(char *at, enum sl_record_value arm, uint64_t value)
{
    *at++ = (char)(arm << 3 | SL_WIRE_VARINT);
    return sl_pack_put_varint(at, value);
}

static char *put_fixed(char *at, enum sl_record_value arm, const void *value, size_t size)
{
    uint64_t bits = 0;
    uint32_t low;

    if (size == sizeof(low)) {
        memcpy(&low, value, size);
        bits = low;
    } else {
        memcpy(&bits, value, size);
    }
    *at++ = (char)(arm << 3 | (size == sizeof(low) ? SL_WIRE_FIXED32 : SL_WIRE_FIXED64));
    return sl_pack_put_fixed(at, size, bits);
}

char *sl_record_put_scalar(char *at, const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_UINT:
        return put_number(at, SL_RECORD_UINT, value->of.u64);
    case SL_GNMI_VALUE_INT:
        return put_number(at, SL_RECORD_INT, (uint64_t)value->of.i64);
    case SL_GNMI_VALUE_BOOL:
        return put_number(at, SL_RECORD_BOOL, value->of.boolean);
    case SL_GNMI_VALUE_FLOAT:
        return put_fixed(at, SL_RECORD_FLOAT, &value->of.f32, sizeof(value->of.f32));
    case SL_GNMI_VALUE_DOUBLE:
        return put_fixed(at, SL_RECORD_DOUBLE, &value->of.f64, sizeof(value->of.f64));
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_DECIMAL:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        break;
    }
    return NULL;
}

static void add_decimal(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    size_t start = sl_pack_begin(out, SL_RECORD_DECIMAL);

    if (value->of.decimal.digits) {
        sl_pack_varint(out, DECIMAL_DIGITS, (uint64_t)value->of.decimal.digits);
    }
    if (value->of.decimal.precision) {
        sl_pack_varint(out, DECIMAL_PRECISION, value->of.decimal.precision);
    }
    sl_pack_end(out, start);
}

/* This and the two below return whether every string is one. */
static bool add_any(struct sl_buf *out, struct sl_str any)
{
    struct sl_gnmi_any parts = sl_gnmi_any_of(any);
    size_t start = sl_pack_begin(out, SL_RECORD_ANY);

    if (parts.type_url.len) {
        sl_pack_bytes(out, ANY_TYPE_URL, parts.type_url);
    }
    if (parts.value.len) {
        sl_pack_bytes(out, ANY_VALUE, parts.value);
    }
    sl_pack_end(out, start);
    return sl_utf8_is_valid(parts.type_url);
}

static bool add_fields(struct sl_buf *out, const struct sl_gnmi_value *value);

/* Recursive by as many levels as sl_gnmi_response_read allows. */
static bool add_list(struct sl_buf *out, struct sl_str elements)
{
    struct sl_gnmi_value value;
    size_t list = sl_pack_begin(out, SL_RECORD_LEAFLIST);
    bool is_text = true;

    while (sl_gnmi_next_element(&elements, &value)) {
        size_t element = sl_pack_begin(out, SL_RECORD_LIST_ELEMENT);
        is_text = add_fields(out, &value) && is_text;
        sl_pack_end(out, element);
    }
    sl_pack_end(out, list);
    return is_text;
}

static bool add_bytes(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    static const uint8_t arms[] = {
        [SL_GNMI_VALUE_STRING] = SL_RECORD_STRING,
        [SL_GNMI_VALUE_BYTES] = SL_RECORD_BYTES,
        [SL_GNMI_VALUE_JSON] = SL_RECORD_JSON_BYTES,
        [SL_GNMI_VALUE_JSON_IETF] = SL_RECORD_JSON_IETF_BYTES,
        [SL_GNMI_VALUE_ASCII] = SL_RECORD_ASCII,
        [SL_GNMI_VALUE_PROTO_BYTES] = SL_RECORD_PROTO_BYTES,
    };
    bool is_string = value->kind == SL_GNMI_VALUE_STRING || value->kind == SL_GNMI_VALUE_ASCII;

    SL_ASSERT(value->kind < SL_ARRAY_LEN(arms) && arms[value->kind]);
    sl_pack_bytes(out, arms[value->kind], value->of.bytes);
    return !is_string || sl_utf8_is_valid(value->of.bytes);
}

static bool add_fields(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    char scalar[SL_RECORD_SCALAR_BYTES];
    const char *end = sl_record_put_scalar(scalar, value);

    if (end) {
        sl_buf_add(out, scalar, (size_t)(end - scalar));
        return true;
    }
    switch (value->kind) {
    case SL_GNMI_VALUE_DECIMAL:
        add_decimal(out, value);
        return true;
    case SL_GNMI_VALUE_LEAFLIST:
        return add_list(out, value->of.bytes);
    case SL_GNMI_VALUE_ANY:
        return add_any(out, value->of.bytes);
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        return add_bytes(out, value);
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_UINT:
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_BOOL:
    case SL_GNMI_VALUE_FLOAT:
    case SL_GNMI_VALUE_DOUBLE:
        break;
    }
    return true;
}

void sl_record_add_value(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    size_t start = out->len;

    if (!add_fields(out, value)) {
        sl_pack_wrap(out, start, SL_RECORD_TYPED_VALUE);
    }
}
