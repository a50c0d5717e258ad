#include "normalise/telegraf_value.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "normalise/number.h"
#include "normalise/scan.h"
#include "normalise/text.h"

enum { FLOAT_BYTES = 4 };

static void add_number(const struct sl_telegraf_form *form, struct sl_str text)
{
    if (form->is_influx) {
        sl_number_add_plain(form->text, text);
    } else {
        sl_buf_add_str(form->text, text);
    }
}

static enum sl_telegraf_kind add_double(const struct sl_telegraf_form *form, double value)
{
    struct sl_buf number = {0};

    if (!sl_number_add_double(&number, value)) {
        return SL_TELEGRAF_NONE;
    }
    form->text->failed = form->text->failed || number.failed;
    add_number(form, sl_buf_str(&number));
    sl_buf_fini(&number);
    return SL_TELEGRAF_TEXT;
}

static void add_string(const struct sl_telegraf_form *form, struct sl_str text)
{
    struct sl_buf *out = form->text;

    if (!form->is_influx) {
        sl_text_add_quoted(out, text);
        return;
    }
    sl_buf_add_byte(out, '"');
    while (text.len) {
        uint32_t rune;
        size_t len = sl_utf8_decode(text, &rune);
        rune = len ? rune : SL_TEXT_REPLACEMENT;
        if (rune == '"' || rune == '\\') {
            sl_buf_add_byte(out, '\\');
        }
        sl_utf8_add(out, rune);
        len = len ? len : 1;
        text = (struct sl_str){text.data + len, text.len - len};
    }
    sl_buf_add_byte(out, '"');
}

static void add_bytes(const struct sl_telegraf_form *form, struct sl_str bytes)
{
    sl_buf_add_byte(form->text, '"');
    sl_text_add_base64(form->text, bytes);
    sl_buf_add_byte(form->text, '"');
}

static float float_of(struct sl_str bytes)
{
    uint32_t word = 0;
    float value;

    for (size_t i = 0; i < FLOAT_BYTES; i++) {
        word = word << 8 | (uint8_t)bytes.data[i];
    }
    memcpy(&value, &word, sizeof(value));
    return value;
}

static enum sl_telegraf_kind add_decimal(const struct sl_telegraf_form *form,
                                         const struct sl_gnmi_value *value)
{
    int64_t digits = value->of.decimal.digits;
    uint32_t precision = value->of.decimal.precision;
    struct sl_buf number = {0};

    if (form->is_float64) {
        return add_double(form, (double)(float)((double)digits / pow(10, precision)));
    }
    sl_number_add_decimal(&number, digits, precision);
    form->text->failed = form->text->failed || number.failed;
    add_number(form, sl_buf_str(&number));
    sl_buf_fini(&number);
    return SL_TELEGRAF_TEXT;
}

static void add_integer(const struct sl_telegraf_form *form, const struct sl_gnmi_value *value)
{
    struct sl_buf *out = form->text;
    bool is_influx = form->is_influx;

    if (value->kind == SL_GNMI_VALUE_INT) {
        sl_buf_add_i64(out, value->of.i64);
    } else {
        bool is_large = is_influx && value->of.u64 > INT64_MAX;
        sl_buf_add_u64(out, is_large ? INT64_MAX : value->of.u64);
    }
    sl_buf_add_c(out, is_influx ? "i" : "");
}

static bool is_list(const struct sl_telegraf_form *form, struct sl_str elements);

static bool is_element(const struct sl_telegraf_form *form, const struct sl_gnmi_value *value)
{
    struct sl_str rewritten;

    switch (value->kind) {
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
    case SL_GNMI_VALUE_BOOL:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_FLOAT:
    case SL_GNMI_VALUE_DOUBLE:
    case SL_GNMI_VALUE_DECIMAL:
        return true;
    case SL_GNMI_VALUE_LEAFLIST:
        return is_list(form, value->of.bytes);
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        return sl_json_rewrite(form->json, value->of.bytes, &rewritten) == SL_JSON_VALUE;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_PROTO_BYTES:
        break;
    }
    return false;
}

/* Whether Telegraf takes the whole leaf-list. Lists nest as deep as a message may. */
static bool is_list(const struct sl_telegraf_form *form, struct sl_str elements)
{
    struct sl_gnmi_value value;

    while (sl_gnmi_next_element(&elements, &value)) {
        if (!is_element(form, &value)) {
            return false;
        }
    }
    return true;
}

enum sl_telegraf_kind sl_telegraf_add_value(const struct sl_telegraf_form *form,
                                            const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_NONE:
        return SL_TELEGRAF_NULL;
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
        add_string(form, value->of.bytes);
        break;
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
        add_integer(form, value);
        break;
    case SL_GNMI_VALUE_BOOL:
        sl_buf_add_c(form->text, value->of.boolean ? "true" : "false");
        break;
    case SL_GNMI_VALUE_BYTES:
        if (value->of.bytes.len == FLOAT_BYTES) {
            return add_double(form, (double)float_of(value->of.bytes));
        }
        add_bytes(form, value->of.bytes);
        break;
    case SL_GNMI_VALUE_FLOAT:
        return add_double(form, (double)value->of.f32);
    case SL_GNMI_VALUE_DOUBLE:
        return add_double(form, value->of.f64);
    case SL_GNMI_VALUE_DECIMAL:
        return add_decimal(form, value);
    case SL_GNMI_VALUE_LEAFLIST:
        return is_list(form, value->of.bytes) ? SL_TELEGRAF_NULL : SL_TELEGRAF_ERROR;
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_PROTO_BYTES:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        return SL_TELEGRAF_ERROR;
    }
    return SL_TELEGRAF_TEXT;
}

enum sl_telegraf_kind sl_telegraf_add_leaf(const struct sl_telegraf_form *form, struct sl_str text)
{
    struct sl_scan scan = {.at = text.data, .end = text.data + text.len};
    struct sl_buf string = {0};

    if (sl_str_eq_c(text, "null")) {
        return SL_TELEGRAF_NULL;
    }
    if (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9')) {
        add_number(form, text);
    } else if (text.data[0] != '"' || !form->is_influx) {
        sl_buf_add_str(form->text, text);
    } else if (sl_scan_string(&scan, &string, false)) {
        add_string(form, sl_buf_str(&string));
    }
    form->text->failed = form->text->failed || string.failed;
    sl_buf_fini(&string);
    return SL_TELEGRAF_TEXT;
}
