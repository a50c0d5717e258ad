#include "normalise/value.h"

#include <math.h>

#include "gnmi/wire.h"
#include "normalise/number.h"
#include "normalise/text.h"

/* Inside a leaf-list gnmic prints what is not a scalar as Go prints its generated structs; so the
 * members below have those names, and vanish when they are empty. */

static void add_quoted_base64(struct sl_buf *buf, struct sl_str bytes)
{
    sl_buf_add_byte(buf, '"');
    sl_text_add_base64(buf, bytes);
    sl_buf_add_byte(buf, '"');
}

static void add_any(struct sl_buf *buf, struct sl_str any)
{
    struct sl_gnmi_any parts = sl_gnmi_any_of(any);
    sl_buf_add_byte(buf, '{');
    if (parts.type_url.len) {
        sl_buf_add_c(buf, "\"type_url\":");
        sl_text_add_quoted(buf, parts.type_url);
    }
    if (parts.value.len) {
        sl_buf_add_c(buf, parts.type_url.len ? ",\"value\":" : "\"value\":");
        add_quoted_base64(buf, parts.value);
    }
    sl_buf_add_byte(buf, '}');
}

static void add_decimal_struct(struct sl_buf *buf, const struct sl_gnmi_value *value)
{
    sl_buf_add_byte(buf, '{');
    if (value->of.decimal.digits) {
        sl_buf_add_c(buf, "\"digits\":");
        sl_buf_add_i64(buf, value->of.decimal.digits);
    }
    if (value->of.decimal.precision) {
        sl_buf_add_c(buf, value->of.decimal.digits ? ",\"precision\":" : "\"precision\":");
        sl_buf_add_u64(buf, value->of.decimal.precision);
    }
    sl_buf_add_byte(buf, '}');
}

static const char *arm_name(enum sl_gnmi_value_kind kind)
{
    static const char *const names[] = {
        [SL_GNMI_VALUE_STRING] = "StringVal",     [SL_GNMI_VALUE_INT] = "IntVal",
        [SL_GNMI_VALUE_UINT] = "UintVal",         [SL_GNMI_VALUE_BOOL] = "BoolVal",
        [SL_GNMI_VALUE_BYTES] = "BytesVal",       [SL_GNMI_VALUE_FLOAT] = "FloatVal",
        [SL_GNMI_VALUE_DOUBLE] = "DoubleVal",     [SL_GNMI_VALUE_DECIMAL] = "DecimalVal",
        [SL_GNMI_VALUE_LEAFLIST] = "LeaflistVal", [SL_GNMI_VALUE_ANY] = "AnyVal",
        [SL_GNMI_VALUE_JSON] = "JsonVal",         [SL_GNMI_VALUE_JSON_IETF] = "JsonIetfVal",
        [SL_GNMI_VALUE_ASCII] = "AsciiVal",       [SL_GNMI_VALUE_PROTO_BYTES] = "ProtoBytes",
    };
    return names[kind];
}

/* The arms that look the same wherever they stand; the others are the callers'. */
static bool add_scalar(struct sl_buf *buf, const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
        sl_text_add_quoted(buf, value->of.bytes);
        break;
    case SL_GNMI_VALUE_INT:
        sl_buf_add_i64(buf, value->of.i64);
        break;
    case SL_GNMI_VALUE_UINT:
        sl_buf_add_u64(buf, value->of.u64);
        break;
    case SL_GNMI_VALUE_BOOL:
        sl_buf_add_c(buf, value->of.boolean ? "true" : "false");
        break;
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_PROTO_BYTES:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        add_quoted_base64(buf, value->of.bytes);
        break;
    case SL_GNMI_VALUE_FLOAT:
        return sl_number_add_float(buf, value->of.f32);
    case SL_GNMI_VALUE_DOUBLE:
        return sl_number_add_double(buf, value->of.f64);
    case SL_GNMI_VALUE_ANY:
        add_any(buf, value->of.bytes);
        break;
    case SL_GNMI_VALUE_DECIMAL:
        add_decimal_struct(buf, value);
        break;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_LEAFLIST:
        sl_buf_add_c(buf, "null");
        break;
    }
    return true;
}

/* A leaf-list inside a leaf-list. Recursive by as many levels as sl_gnmi_response_read allows. */
static bool add_list_struct(struct sl_buf *buf, struct sl_str elements)
{
    struct sl_gnmi_value value;
    bool is_first = true;
    bool is_ok = true;

    sl_buf_add_byte(buf, '{');
    for (; is_ok && sl_gnmi_next_element(&elements, &value); is_first = false) {
        sl_buf_add_c(buf, is_first ? "\"element\":[{\"Value\":" : ",{\"Value\":");
        if (value.kind == SL_GNMI_VALUE_NONE) {
            sl_buf_add_c(buf, "null}");
            continue;
        }
        sl_buf_add_c(buf, "{\"");
        sl_buf_add_c(buf, arm_name(value.kind));
        sl_buf_add_c(buf, "\":");
        is_ok = value.kind == SL_GNMI_VALUE_LEAFLIST ? add_list_struct(buf, value.of.bytes)
                                                     : add_scalar(buf, &value);
        sl_buf_add_c(buf, "}}");
    }
    sl_buf_add_c(buf, is_first ? "}" : "]}");
    return is_ok;
}

static bool add_json_element(struct sl_buf *buf, struct sl_json *json, struct sl_str source)
{
    struct sl_str text = {"null", 4};

    if (source.len && sl_json_rewrite(json, source, &text) != SL_JSON_VALUE) {
        return false;
    }
    sl_buf_add_str(buf, text);
    return true;
}

static bool add_element(struct sl_buf *buf, struct sl_json *json, const struct sl_gnmi_value *value)
{
    if (value->kind == SL_GNMI_VALUE_LEAFLIST) {
        return add_list_struct(buf, value->of.bytes);
    }
    if (value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF) {
        return add_json_element(buf, json, value->of.bytes);
    }
    return add_scalar(buf, value);
}

static bool add_list(struct sl_buf *buf, struct sl_json *json, struct sl_str elements)
{
    struct sl_gnmi_value value;
    const char *before = "[";

    while (sl_gnmi_next_element(&elements, &value)) {
        sl_buf_add_c(buf, before);
        before = ",";
        if (!add_element(buf, json, &value)) {
            return false;
        }
    }
    sl_buf_add_c(buf, before[0] == '[' ? "[]" : "]");
    return true;
}

bool sl_value_add(struct sl_buf *buf, struct sl_json *json, const struct sl_gnmi_value *value)
{
    if (value->kind == SL_GNMI_VALUE_LEAFLIST) {
        return add_list(buf, json, value->of.bytes);
    }
    if (value->kind == SL_GNMI_VALUE_DECIMAL) {
        if (json->is_rounding) {
            sl_number_add_decimal_rounded(buf, value->of.decimal.digits,
                                          value->of.decimal.precision);
        } else {
            sl_number_add_decimal(buf, value->of.decimal.digits, value->of.decimal.precision);
        }
        return true;
    }
    return add_scalar(buf, value);
}

bool sl_value_add_whole(struct sl_buf *buf, struct sl_json *json, const struct sl_gnmi_value *value)
{
    return add_element(buf, json, value);
}

/* JSON has no words for these. */
static void add_no_number(struct sl_buf *out, double value)
{
    sl_buf_add_c(out, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
}

bool sl_value_add_plain(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_INT:
        sl_buf_add_i64(out, value->of.i64);
        return true;
    case SL_GNMI_VALUE_UINT:
        sl_buf_add_u64(out, value->of.u64);
        return true;
    case SL_GNMI_VALUE_BOOL:
        sl_buf_add_c(out, value->of.boolean ? "true" : "false");
        return true;
    case SL_GNMI_VALUE_FLOAT:
        if (!sl_number_add_float(out, value->of.f32)) {
            add_no_number(out, (double)value->of.f32);
        }
        return true;
    case SL_GNMI_VALUE_DOUBLE:
        if (!sl_number_add_double(out, value->of.f64)) {
            add_no_number(out, value->of.f64);
        }
        return true;
    case SL_GNMI_VALUE_DECIMAL:
        sl_number_add_decimal(out, value->of.decimal.digits, value->of.decimal.precision);
        return true;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_PROTO_BYTES:
        break;
    }
    return false;
}
