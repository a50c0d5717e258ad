#include "normalise/compute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "normalise/number.h"
#include "normalise/scan.h"
#include "normalise/text.h"

enum { SHORT_TEXT_BYTES = 64, FLOAT_BYTES = 4, DOUBLE_BYTES = 8, MOST_DECIMALS = 18 };

const char *const sl_type_names[] = {"string", "int",     "uint",  "bool",   "float",
                                     "double", "decimal", "bytes", "base64", NULL};

/* What was appended since `text` had so many bytes. */
static struct sl_str since(const struct sl_buf *text, size_t start)
{
    return text->data ? (struct sl_str){text->data + start, text->len - start} : (struct sl_str){0};
}

/* ---- what a value says ---- */

enum said {
    SAID_NUMBER, /* `number` */
    SAID_BINARY, /* `binary` */
    SAID_DIGITS, /* `text`, by JSON's grammar; `number` where `is_exact` */
    SAID_TEXT,   /* `text` */
    SAID_TRUTH,  /* `truth` */
    SAID_BYTES,  /* `text` */
};

struct said_value {
    enum said said;
    struct sl_exact number;
    bool is_exact;
    double binary;
    bool is_float; /* `binary` was one */
    struct sl_str text;
    bool truth;
};

static void say_digits(struct said_value *said, struct sl_str digits)
{
    said->said = SAID_DIGITS;
    said->text = digits;
    said->is_exact = sl_exact_parse(digits, &said->number);
}

static void say_binary(struct said_value *said, double binary, bool is_float)
{
    said->said = SAID_BINARY;
    said->binary = binary;
    said->is_float = is_float;
}

static bool scan_json_scalar(struct sl_scan *scan, struct sl_buf *text, struct said_value *said)
{
    size_t start = text->len;
    struct sl_str digits;

    said->said = SAID_TRUTH;
    if (sl_scan_is_at(scan, '"')) {
        said->said = SAID_TEXT;
        if (!sl_buf_reserve(text, (size_t)(scan->end - scan->at)) ||
            !sl_scan_string(scan, text, false) || text->failed) {
            return false;
        }
        said->text = since(text, start);
        return true;
    }
    if (sl_scan_word(scan, SL_STR("true")) || sl_scan_word(scan, SL_STR("[null]"))) {
        said->truth = true;
        return true;
    }
    if (sl_scan_word(scan, SL_STR("false"))) {
        return true;
    }
    if (!sl_scan_digits(scan, &digits)) {
        return false;
    }
    say_digits(said, digits);
    return true;
}

/* The scalar that a text of JSON is. */
static bool read_json(struct sl_str source, struct sl_buf *text, struct said_value *said)
{
    struct sl_scan scan = {.at = source.data, .end = source.data};

    if (!source.len) {
        return false;
    }
    scan.end += source.len;
    sl_scan_blanks(&scan);
    if (!scan_json_scalar(&scan, text, said)) {
        return false;
    }
    sl_scan_blanks(&scan);
    return scan.at == scan.end;
}

static bool read_value(const struct sl_gnmi_value *value, struct sl_buf *text,
                       struct said_value *said)
{
    *said = (struct said_value){.said = SAID_NUMBER, .is_exact = true};
    switch (value->kind) {
    case SL_GNMI_VALUE_UINT:
        said->number = sl_exact_of_u64(value->of.u64);
        return true;
    case SL_GNMI_VALUE_INT:
        said->number = sl_exact_of_i64(value->of.i64);
        return true;
    case SL_GNMI_VALUE_DECIMAL:
        return sl_exact_of_decimal(value->of.decimal.digits, value->of.decimal.precision,
                                   &said->number);
    case SL_GNMI_VALUE_FLOAT:
        say_binary(said, (double)value->of.f32, true);
        return true;
    case SL_GNMI_VALUE_DOUBLE:
        say_binary(said, value->of.f64, false);
        return true;
    case SL_GNMI_VALUE_BOOL:
        said->said = SAID_TRUTH;
        said->truth = value->of.boolean;
        return true;
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
        said->said = SAID_TEXT;
        said->text = value->of.bytes;
        return true;
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_PROTO_BYTES:
        said->said = SAID_BYTES;
        said->text = value->of.bytes;
        return true;
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        return read_json(value->of.bytes, text, said);
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
        break;
    }
    return false;
}

/* ---- readings ---- */

/* There is room for it. */
static bool decode_base64(struct said_value *said, struct sl_buf *text)
{
    size_t start = text->len;

    if (!sl_base64_decode(said->text, text)) {
        return false;
    }
    said->said = SAID_BYTES;
    said->text = since(text, start);
    return true;
}

static bool read_ieee(struct said_value *said)
{
    uint64_t bits = 0;
    uint32_t low;
    float single;
    double binary;

    if (said->text.len != FLOAT_BYTES && said->text.len != DOUBLE_BYTES) {
        return false;
    }
    for (size_t i = 0; i < said->text.len; i++) {
        bits = bits << 8 | (unsigned char)said->text.data[i];
    }
    low = (uint32_t)bits;
    memcpy(&single, &low, sizeof(single));
    memcpy(&binary, &bits, sizeof(binary));
    say_binary(said, said->text.len == FLOAT_BYTES ? (double)single : binary,
               said->text.len == FLOAT_BYTES);
    return true;
}

/* What is bytes, or text, is taken for what it holds; anything else says what it says. */
static bool apply_reading(enum sl_reading reading, struct sl_buf *text, struct said_value *said)
{
    if (reading == SL_READING_PLAIN || (said->said != SAID_TEXT && said->said != SAID_BYTES)) {
        return true;
    }
    if (said->said == SAID_TEXT) {
        uintptr_t at = (uintptr_t)said->text.data - (uintptr_t)text->data;
        bool is_own = text->data && at < text->len; /* it moves with the buffer */
        if (!sl_buf_reserve(text, said->text.len + 1)) {
            return false;
        }
        said->text.data = is_own ? text->data + at : said->text.data;
        if (!decode_base64(said, text)) {
            return false;
        }
    }
    return reading == SL_READING_BASE64 || read_ieee(said);
}

/* ---- numbers ---- */

/* The digits that a double is printed with, as a number. */
static bool exact_of_binary(const struct said_value *said, struct sl_exact *exact)
{
    char room[SHORT_TEXT_BYTES];
    struct sl_buf digits = {.data = room, .cap = sizeof(room), .limit_bytes = sizeof(room)};
    bool is_ok = said->is_float ? sl_number_add_float(&digits, (float)said->binary)
                                : sl_number_add_double(&digits, said->binary);

    return is_ok && !digits.failed && sl_exact_parse(sl_buf_str(&digits), exact);
}

static bool exact_of(const struct said_value *said, struct sl_exact *exact)
{
    switch (said->said) {
    case SAID_NUMBER:
    case SAID_DIGITS:
        *exact = said->number;
        return said->is_exact;
    case SAID_BINARY:
        return exact_of_binary(said, exact);
    case SAID_TEXT:
        if (sl_str_eq_c(said->text, "true") || sl_str_eq_c(said->text, "false")) {
            *exact = sl_exact_of_u64(said->text.len == 4);
            return true;
        }
        return sl_exact_parse(said->text, exact);
    case SAID_TRUTH:
        *exact = sl_exact_of_u64(said->truth);
        return true;
    case SAID_BYTES:
        break;
    }
    return false;
}

/* A double that is a whole number is that number, however it would be printed. */
static bool whole_of(const struct said_value *said, bool is_rounding, struct sl_exact *exact)
{
    if (said->said == SAID_BINARY) {
        double whole = is_rounding ? rint(said->binary) : said->binary;
        if (!(fabs(whole) < 0x1p64) || rint(whole) != whole) {
            return false;
        }
        *exact = sl_exact_of_u64((uint64_t)fabs(whole));
        exact->is_negative = whole < 0;
        return true;
    }
    if (!exact_of(said, exact)) {
        return false;
    }
    return sl_exact_is_whole(exact) ||
           (is_rounding && sl_exact_divide(*exact, sl_exact_of_u64(1), 0, exact));
}

bool sl_compute_number(const struct sl_gnmi_value *value, struct sl_exact *exact)
{
    struct said_value said;
    struct sl_buf text = {0};
    bool is_ok = read_value(value, &text, &said) && exact_of(&said, exact);

    sl_buf_fini(&text);
    return is_ok;
}

/* ---- types ---- */

static bool to_integer(const struct said_value *said, const struct sl_conversion *conversion,
                       struct sl_gnmi_value *out)
{
    struct sl_exact whole;

    if (!whole_of(said, conversion->is_rounding, &whole)) {
        return false;
    }
    if (conversion->type == SL_TYPE_UINT) {
        out->kind = SL_GNMI_VALUE_UINT;
        return sl_exact_to_u64(&whole, &out->of.u64);
    }
    out->kind = SL_GNMI_VALUE_INT;
    return sl_exact_to_i64(&whole, &out->of.i64);
}

static bool to_decimal(const struct said_value *said, struct sl_gnmi_value *out)
{
    struct sl_exact exact;

    out->kind = SL_GNMI_VALUE_DECIMAL;
    return exact_of(said, &exact) &&
           sl_exact_to_decimal(&exact, &out->of.decimal.digits, &out->of.decimal.precision);
}

static bool to_double(const struct said_value *said, struct sl_gnmi_value *out)
{
    struct sl_exact exact;

    out->kind = SL_GNMI_VALUE_DOUBLE;
    if (said->said == SAID_BINARY) {
        out->of.f64 = said->binary;
        return true;
    }
    return exact_of(said, &exact) && sl_exact_to_double(&exact, &out->of.f64);
}

/* Rounded once, from the digits. */
static bool to_float(const struct said_value *said, struct sl_gnmi_value *out)
{
    struct sl_exact exact;

    out->kind = SL_GNMI_VALUE_FLOAT;
    if (said->said == SAID_BINARY) {
        out->of.f32 = (float)said->binary;
        return isfinite(out->of.f32) || !isfinite(said->binary);
    }
    return exact_of(said, &exact) && sl_exact_to_float(&exact, &out->of.f32);
}

static bool to_bool(const struct said_value *said, struct sl_gnmi_value *out)
{
    struct sl_exact exact;
    uint64_t number;

    out->kind = SL_GNMI_VALUE_BOOL;
    if (!exact_of(said, &exact) || !sl_exact_to_u64(&exact, &number) || number > 1) {
        return false;
    }
    out->of.boolean = number == 1;
    return true;
}

static bool add_text_of(const struct said_value *said, struct sl_buf *text)
{
    switch (said->said) {
    case SAID_NUMBER:
        sl_exact_add_text(text, &said->number);
        return true;
    case SAID_BINARY:
        return said->is_float ? sl_number_add_float(text, (float)said->binary)
                              : sl_number_add_double(text, said->binary);
    case SAID_TRUTH:
        sl_buf_add_c(text, said->truth ? "true" : "false");
        return true;
    case SAID_DIGITS:
    case SAID_TEXT:
    case SAID_BYTES:
        break;
    }
    SL_ASSERT(false);
    return false;
}

static bool to_string(const struct said_value *said, struct sl_buf *text, struct sl_gnmi_value *out)
{
    size_t start = text->len;

    out->kind = SL_GNMI_VALUE_STRING;
    if (said->said == SAID_DIGITS || said->said == SAID_TEXT || said->said == SAID_BYTES) {
        out->of.bytes = said->text;
        return sl_utf8_is_valid(said->text);
    }
    if (!add_text_of(said, text) || text->failed) {
        return false;
    }
    out->of.bytes = since(text, start);
    return true;
}

static bool to_bytes(const struct said_value *said, struct sl_gnmi_value *out)
{
    out->kind = SL_GNMI_VALUE_BYTES;
    out->of.bytes = said->text;
    return said->said == SAID_TEXT || said->said == SAID_BYTES;
}

static bool to_base64(const struct said_value *said, struct sl_buf *text, struct sl_gnmi_value *out)
{
    struct sl_buf encoded = {0};

    if (said->said != SAID_TEXT && said->said != SAID_BYTES) {
        return false;
    }
    sl_text_add_base64(&encoded, said->text); /* beside `text`, in which what is read may lie */
    size_t start = text->len;

    sl_buf_add_str(text, sl_buf_str(&encoded));
    text->failed = text->failed || encoded.failed;
    sl_buf_fini(&encoded);
    if (text->failed) {
        return false;
    }
    out->kind = SL_GNMI_VALUE_STRING;
    out->of.bytes = since(text, start);
    return true;
}

static bool convert_said(const struct said_value *said, const struct sl_conversion *conversion,
                         struct sl_buf *text, struct sl_gnmi_value *out)
{
    switch (conversion->type) {
    case SL_TYPE_STRING:
        return to_string(said, text, out);
    case SL_TYPE_INT:
    case SL_TYPE_UINT:
        return to_integer(said, conversion, out);
    case SL_TYPE_BOOL:
        return to_bool(said, out);
    case SL_TYPE_FLOAT:
        return to_float(said, out);
    case SL_TYPE_DOUBLE:
        return to_double(said, out);
    case SL_TYPE_DECIMAL:
        return to_decimal(said, out);
    case SL_TYPE_BYTES:
        return to_bytes(said, out);
    case SL_TYPE_BASE64:
        return to_base64(said, text, out);
    }
    return false;
}

bool sl_convert(const struct sl_gnmi_value *value, const struct sl_conversion *conversion,
                struct sl_buf *text, struct sl_gnmi_value *out)
{
    struct sl_gnmi_value made = {0};
    struct said_value said;

    if (!read_value(value, text, &said) || !apply_reading(conversion->reading, text, &said) ||
        !convert_said(&said, conversion, text, &made)) {
        return false;
    }
    *out = made;
    return true;
}

/* ---- scale ---- */

static bool is_one(const struct sl_exact *exact)
{
    return sl_exact_compare(*exact, sl_exact_of_u64(1)) == 0;
}

static bool is_whole_scale(const struct sl_scale *scale)
{
    return is_one(&scale->divisor) && sl_exact_is_whole(&scale->factor) &&
           sl_exact_is_whole(&scale->offset);
}

/* a / b where that is a decimal of a reasonable length. */
static bool divide_exactly(struct sl_exact a, struct sl_exact b, struct sl_exact *result)
{
    struct sl_exact back;

    return sl_exact_divide(a, b, MOST_DECIMALS, result) && sl_exact_multiply(*result, b, &back) &&
           sl_exact_compare(back, a) == 0;
}

void sl_scale_reduce(struct sl_scale *scale)
{
    struct sl_exact factor;
    struct sl_exact offset;

    if (divide_exactly(scale->factor, scale->divisor, &factor) &&
        divide_exactly(scale->offset, scale->divisor, &offset)) {
        scale->factor = factor;
        scale->offset = offset;
        scale->divisor = sl_exact_of_u64(1);
    }
}

static bool parse_or(struct sl_str text, uint64_t otherwise, struct sl_exact *exact)
{
    *exact = sl_exact_of_u64(otherwise);
    return !text.len || sl_exact_parse(text, exact);
}

bool sl_scale_make(struct sl_str multiply, struct sl_str divide, struct sl_str add,
                   uint32_t decimals, struct sl_scale *scale)
{
    scale->decimals = decimals;
    if (decimals > SL_EXACT_MAX_DECIMALS || !parse_or(multiply, 1, &scale->factor) ||
        !parse_or(divide, 1, &scale->divisor) || !parse_or(add, 0, &scale->offset) ||
        !scale->divisor.digits ||
        !sl_exact_multiply(scale->offset, scale->divisor, &scale->offset)) {
        return false;
    }
    sl_scale_reduce(scale);
    return true;
}

static bool scale_number(const struct sl_scale *scale, struct sl_exact number,
                         struct sl_exact *result)
{
    if (!sl_exact_multiply(number, scale->factor, result) ||
        !sl_exact_add(*result, scale->offset, result)) {
        return false;
    }
    return is_one(&scale->divisor) ||
           sl_exact_divide(*result, scale->divisor, scale->decimals, result);
}

static bool put_binary(double binary, bool is_float, struct sl_gnmi_value *out)
{
    if (is_float) {
        out->kind = SL_GNMI_VALUE_FLOAT;
        out->of.f32 = (float)binary;
        return isfinite(out->of.f32);
    }
    out->kind = SL_GNMI_VALUE_DOUBLE;
    out->of.f64 = binary;
    return isfinite(binary);
}

static bool scale_binary(const struct sl_scale *scale, double value, double *result)
{
    double factor;
    double divisor;
    double offset;

    if (!sl_exact_to_double(&scale->factor, &factor) ||
        !sl_exact_to_double(&scale->divisor, &divisor) ||
        !sl_exact_to_double(&scale->offset, &offset)) {
        return false;
    }
    *result = (value * factor + offset) / divisor;
    return true;
}

/* The number as text of the same kind as `value` is: text, a JSON string or a JSON number. */
static bool put_text(const struct sl_exact *number, const struct sl_gnmi_value *value,
                     enum said said, struct sl_buf *text, struct sl_gnmi_value *out)
{
    bool is_json = value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF;
    const char *quote = is_json && said == SAID_TEXT ? "\"" : "";
    size_t start = text->len;

    sl_buf_add_c(text, quote);
    sl_exact_add_text(text, number);
    sl_buf_add_c(text, quote);
    if (text->failed) {
        return false;
    }
    out->kind = value->kind;
    out->of.bytes = since(text, start);
    return true;
}

static bool put_number(const struct sl_exact *number, enum sl_gnmi_value_kind kind, bool is_whole,
                       struct sl_gnmi_value *out)
{
    if (is_whole && kind == SL_GNMI_VALUE_UINT) {
        out->kind = kind;
        return sl_exact_to_u64(number, &out->of.u64);
    }
    if (is_whole && kind == SL_GNMI_VALUE_INT) {
        out->kind = kind;
        return sl_exact_to_i64(number, &out->of.i64);
    }
    out->kind = SL_GNMI_VALUE_DECIMAL;
    return sl_exact_to_nearest_decimal(number, &out->of.decimal.digits, &out->of.decimal.precision);
}

/* Numbers and text; what is true, or bytes, cannot be reckoned with. */
static bool read_number(const struct sl_gnmi_value *value, struct sl_buf *text,
                        struct said_value *said)
{
    return read_value(value, text, said) && said->said != SAID_TRUTH && said->said != SAID_BYTES;
}

static bool put_exact(const struct sl_exact *number, const struct said_value *like,
                      const struct sl_gnmi_value *value, bool is_whole, struct sl_buf *text,
                      struct sl_gnmi_value *out)
{
    return like->said == SAID_NUMBER ? put_number(number, value->kind, is_whole, out)
                                     : put_text(number, value, like->said, text, out);
}

bool sl_compute_put(const struct sl_exact *number, const struct sl_gnmi_value *like,
                    struct sl_buf *text, struct sl_gnmi_value *out)
{
    struct sl_gnmi_value made = {0};
    struct said_value said;
    double binary;
    bool is_ok = read_number(like, text, &said);

    if (is_ok && said.said == SAID_BINARY) {
        is_ok = sl_exact_to_double(number, &binary) && put_binary(binary, said.is_float, &made);
    } else if (is_ok) {
        is_ok = put_exact(number, &said, like, false, text, &made);
    }
    *out = is_ok ? made : *out;
    return is_ok;
}

bool sl_scale_apply(const struct sl_scale *scale, const struct sl_gnmi_value *value,
                    struct sl_buf *text, struct sl_gnmi_value *out)
{
    struct sl_gnmi_value made = {0};
    struct said_value said;
    struct sl_exact number;
    double binary;
    bool is_ok = read_number(value, text, &said);

    if (is_ok && said.said == SAID_BINARY) {
        is_ok =
            scale_binary(scale, said.binary, &binary) && put_binary(binary, said.is_float, &made);
    } else if (is_ok) {
        is_ok = exact_of(&said, &number) && scale_number(scale, number, &number) &&
                put_exact(&number, &said, value, is_whole_scale(scale), text, &made);
    }
    *out = is_ok ? made : *out;
    return is_ok;
}

/* ---- words ---- */

static bool is_every(const struct sl_meanings *meanings, enum sl_type type)
{
    const struct sl_conversion conversion = {.type = type};
    struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_STRING};
    struct sl_gnmi_value out;
    struct sl_buf text = {0};
    bool is_ok = meanings->count > 0 || meanings->has_other;

    for (size_t i = 0; is_ok && i <= meanings->count; i++) {
        bool is_pair = i < meanings->count;
        if (!is_pair && !meanings->has_other) {
            break;
        }
        value.of.bytes = is_pair ? meanings->pairs[i].meaning : meanings->other;
        bool is_word = sl_str_eq_c(value.of.bytes, "true") || sl_str_eq_c(value.of.bytes, "false");
        is_ok = is_word == (type == SL_TYPE_BOOL) && sl_convert(&value, &conversion, &text, &out);
    }
    sl_buf_fini(&text);
    return is_ok;
}

enum sl_type sl_meanings_type(const struct sl_meanings *meanings)
{
    static const enum sl_type types[] = {SL_TYPE_BOOL, SL_TYPE_UINT, SL_TYPE_INT, SL_TYPE_DECIMAL};

    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (is_every(meanings, types[i])) {
            return types[i];
        }
    }
    return SL_TYPE_STRING;
}

bool sl_meanings_apply(const struct sl_meanings *meanings, const struct sl_gnmi_value *value,
                       struct sl_buf *text, struct sl_gnmi_value *out)
{
    const struct sl_conversion to_word = {.type = SL_TYPE_STRING};
    const struct sl_conversion to_type = {.type = meanings->type};
    struct sl_gnmi_value word;
    struct sl_gnmi_value meaning = {.kind = SL_GNMI_VALUE_STRING, .of.bytes = meanings->other};
    bool is_found = meanings->has_other;

    if (!sl_convert(value, &to_word, text, &word)) {
        return false;
    }
    for (size_t i = 0; i < meanings->count; i++) {
        if (sl_str_eq(meanings->pairs[i].word, word.of.bytes)) {
            meaning.of.bytes = meanings->pairs[i].meaning;
            is_found = true;
            break;
        }
    }
    return is_found && sl_convert(&meaning, &to_type, text, out);
}
