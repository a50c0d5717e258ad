#include "normalise/exact.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_DIGITS = 38,
    PLAIN_DIGITS = 40,
    EXPONENT_LIMIT = SL_EXACT_MAX_POWER,
};

static const sl_u128 most = ~(sl_u128)0;

/* ---- powers and digits ---- */

/* 10^power; false when that is beyond 38 digits. */
static bool power_of_ten(uint32_t power, sl_u128 *result)
{
    *result = 1;
    if (power > MOST_DIGITS) {
        return false;
    }
    for (; power; power--) {
        *result *= 10;
    }
    return true;
}

/* value × 10^power */
static bool shift(sl_u128 value, uint32_t power, sl_u128 *result)
{
    sl_u128 factor;

    *result = value;
    if (value == 0 || power == 0) {
        return true;
    }
    if (!power_of_ten(power, &factor) || value > most / factor) {
        return false;
    }
    *result = value * factor;
    return true;
}

/* The one form that each number has. False when its power is out of range. */
static bool settle(bool is_negative, sl_u128 digits, int64_t power, struct sl_exact *exact)
{
    if (digits == 0) {
        *exact = (struct sl_exact){0};
        return true;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        power++;
    }
    if (power < -EXPONENT_LIMIT || power > EXPONENT_LIMIT) {
        return false;
    }
    *exact =
        (struct sl_exact){.is_negative = is_negative, .digits = digits, .power = (int32_t)power};
    return true;
}

static unsigned count_digits(sl_u128 value)
{
    unsigned count = 0;

    for (; value; value /= 10) {
        count++;
    }
    return count;
}

/* ---- into ---- */

struct sl_exact sl_exact_of_u64(uint64_t value)
{
    struct sl_exact exact;
    bool is_ok = settle(false, value, 0, &exact);

    SL_ASSERT(is_ok);
    return exact;
}

static uint64_t magnitude_of(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

struct sl_exact sl_exact_of_i64(int64_t value)
{
    struct sl_exact exact = sl_exact_of_u64(magnitude_of(value));

    exact.is_negative = value < 0;
    return exact;
}

bool sl_exact_of_decimal(int64_t digits, uint32_t precision, struct sl_exact *exact)
{
    return settle(digits < 0, magnitude_of(digits), -(int64_t)precision, exact);
}

struct parser {
    const char *at;
    const char *end;
    sl_u128 digits;
    unsigned count; /* of digits from the first that is not 0, without the zeros at the end */
    unsigned zeros; /* that were read and not yet taken into `digits` */
    int64_t power;
};

static bool take_digit(struct parser *parser, unsigned digit)
{
    if (digit == 0) {
        parser->zeros += parser->count > 0;
        return true;
    }
    parser->count += parser->zeros + 1;
    if (parser->count > MOST_DIGITS) {
        return false;
    }
    for (; parser->zeros; parser->zeros--) {
        parser->digits *= 10;
    }
    parser->digits = parser->digits * 10 + digit;
    return true;
}

/* At least one digit; `shift` is what each does to the power of the last. */
static bool take_digits(struct parser *parser, int shift_of_each)
{
    const char *start = parser->at;

    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        if (!take_digit(parser, (unsigned)(*parser->at - '0'))) {
            return false;
        }
        parser->power += shift_of_each;
    }
    return parser->at > start;
}

static bool is_next(const struct parser *parser, char byte)
{
    return parser->at < parser->end && *parser->at == byte;
}

static bool take_exponent(struct parser *parser)
{
    bool is_negative = is_next(parser, '-');
    int64_t exponent = 0;

    parser->at += is_negative || is_next(parser, '+');
    const char *start = parser->at;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        if (exponent <= 2 * (int64_t)EXPONENT_LIMIT) {
            exponent = exponent * 10 + (*parser->at - '0');
        }
    }
    parser->power += is_negative ? -exponent : exponent;
    return parser->at > start;
}

bool sl_exact_parse(struct sl_str text, struct sl_exact *exact)
{
    struct parser parser = {.at = text.data, .end = text.data + text.len};
    bool is_negative;

    if (!text.len || text.len > EXPONENT_LIMIT) {
        return false;
    }
    is_negative = is_next(&parser, '-');
    parser.at += is_negative || is_next(&parser, '+');
    if (!take_digits(&parser, 0)) {
        return false;
    }
    if (is_next(&parser, '.')) {
        parser.at++;
        if (!take_digits(&parser, -1)) {
            return false;
        }
    }
    if (is_next(&parser, 'e') || is_next(&parser, 'E')) {
        parser.at++;
        if (!take_exponent(&parser)) {
            return false;
        }
    }
    return parser.at == parser.end &&
           settle(is_negative, parser.digits, parser.power + parser.zeros, exact);
}

/* ---- reckoning ---- */

/* Both with the power of the smaller. */
static bool align(const struct sl_exact *a, const struct sl_exact *b, sl_u128 *of_a, sl_u128 *of_b,
                  int32_t *power)
{
    bool a_counts = a->digits && (!b->digits || a->power <= b->power);

    *power = a_counts ? a->power : b->digits ? b->power : 0;
    return shift(a->digits, a->digits ? (uint32_t)(a->power - *power) : 0, of_a) &&
           shift(b->digits, b->digits ? (uint32_t)(b->power - *power) : 0, of_b);
}

bool sl_exact_add(struct sl_exact a, struct sl_exact b, struct sl_exact *result)
{
    sl_u128 of_a;
    sl_u128 of_b;
    int32_t power;

    if (!align(&a, &b, &of_a, &of_b, &power)) {
        return false;
    }
    if (a.is_negative == b.is_negative) {
        return of_a <= most - of_b && settle(a.is_negative, of_a + of_b, power, result);
    }
    return of_a >= of_b ? settle(a.is_negative, of_a - of_b, power, result)
                        : settle(b.is_negative, of_b - of_a, power, result);
}

bool sl_exact_multiply(struct sl_exact a, struct sl_exact b, struct sl_exact *result)
{
    if (b.digits && a.digits > most / b.digits) {
        return false;
    }
    return settle(a.is_negative != b.is_negative, a.digits * b.digits, (int64_t)a.power + b.power,
                  result);
}

/* a / b, half to even. */
static sl_u128 divide_rounding(sl_u128 a, sl_u128 b)
{
    sl_u128 whole = a / b;
    sl_u128 rest = a % b;
    sl_u128 other = b - rest;

    return whole + (rest > other || (rest == other && whole % 2 == 1));
}

bool sl_exact_divide(struct sl_exact a, struct sl_exact b, uint32_t decimals,
                     struct sl_exact *result)
{
    int64_t power = (int64_t)a.power - b.power + decimals; /* of what is divided */
    sl_u128 numerator = a.digits;
    sl_u128 denominator = b.digits;

    SL_ASSERT(decimals <= SL_EXACT_MAX_DECIMALS);
    if (!b.digits) {
        return false;
    }
    if (power < 0 && !shift(denominator, (uint32_t)-power, &denominator)) {
        *result = (struct sl_exact){0}; /* it is beyond all digits: less than a half */
        return numerator <= most / 2;
    }
    return (power < 0 || shift(numerator, (uint32_t)power, &numerator)) &&
           settle(a.is_negative != b.is_negative, divide_rounding(numerator, denominator),
                  -(int64_t)decimals, result);
}

/* By the power of the first digit, then digit by digit. */
static int compare_magnitude(const struct sl_exact *a, const struct sl_exact *b)
{
    unsigned a_len = count_digits(a->digits);
    unsigned b_len = count_digits(b->digits);
    int64_t a_first = (int64_t)a->power + a_len;
    int64_t b_first = (int64_t)b->power + b_len;
    sl_u128 of_a = a->digits;
    sl_u128 of_b = b->digits;

    if (!of_a || !of_b) {
        return (of_a != 0) - (of_b != 0);
    }
    if (a_first != b_first) {
        return a_first < b_first ? -1 : 1;
    }
    bool is_ok =
        a_len < b_len ? shift(of_a, b_len - a_len, &of_a) : shift(of_b, a_len - b_len, &of_b);

    SL_ASSERT(is_ok); /* neither gets more digits than the other has */
    return of_a < of_b ? -1 : of_a > of_b;
}

int sl_exact_compare(struct sl_exact a, struct sl_exact b)
{
    if (a.is_negative != b.is_negative) {
        return a.is_negative ? -1 : 1;
    }
    return a.is_negative ? compare_magnitude(&b, &a) : compare_magnitude(&a, &b);
}

/* ---- out of ---- */

bool sl_exact_is_whole(const struct sl_exact *exact)
{
    return exact->power >= 0;
}

/* The magnitude of a whole number within 64 bits. */
static bool to_whole(const struct sl_exact *exact, uint64_t *value)
{
    sl_u128 digits;

    if (exact->power < 0 || !shift(exact->digits, (uint32_t)exact->power, &digits) ||
        digits > UINT64_MAX) {
        return false;
    }
    *value = (uint64_t)digits;
    return true;
}

bool sl_exact_to_u64(const struct sl_exact *exact, uint64_t *value)
{
    return !exact->is_negative && to_whole(exact, value);
}

static bool to_signed(bool is_negative, uint64_t magnitude, int64_t *value)
{
    *value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return magnitude <= (uint64_t)INT64_MAX + is_negative;
}

bool sl_exact_to_i64(const struct sl_exact *exact, int64_t *value)
{
    uint64_t magnitude;

    return to_whole(exact, &magnitude) && to_signed(exact->is_negative, magnitude, value);
}

bool sl_exact_to_decimal(const struct sl_exact *exact, int64_t *digits, uint32_t *precision)
{
    *precision = exact->power < 0 ? (uint32_t)-exact->power : 0;
    if (exact->power >= 0) {
        return sl_exact_to_i64(exact, digits);
    }
    return exact->digits <= UINT64_MAX &&
           to_signed(exact->is_negative, (uint64_t)exact->digits, digits);
}

bool sl_exact_to_nearest_decimal(const struct sl_exact *exact, int64_t *digits, uint32_t *precision)
{
    struct sl_exact rounded = *exact;
    uint32_t decimals = exact->power < 0 ? (uint32_t)-exact->power : 0;

    while (!sl_exact_to_decimal(&rounded, digits, precision)) {
        if (decimals == 0) {
            return false;
        }
        decimals = sl_min_u32(decimals - 1, SL_EXACT_MAX_DECIMALS);
        if (!sl_exact_divide(*exact, sl_exact_of_u64(1), decimals, &rounded)) {
            return false;
        }
    }
    return true;
}

/* The digits at `at`, which has room for 40. */
static unsigned put_digits(char *at, sl_u128 value)
{
    unsigned count = value ? count_digits(value) : 1;

    for (unsigned i = count; i > 0; i--, value /= 10) {
        at[i - 1] = (char)('0' + (unsigned)(value % 10));
    }
    return count;
}

static void add_zeros(struct sl_buf *buf, int64_t count)
{
    for (; count > 0; count--) {
        sl_buf_add_byte(buf, '0');
    }
}

void sl_exact_add_text(struct sl_buf *buf, const struct sl_exact *exact)
{
    char digits[PLAIN_DIGITS];
    unsigned count = put_digits(digits, exact->digits);
    int64_t whole = (int64_t)count + exact->power; /* digits in front of the point */

    if (exact->is_negative) {
        sl_buf_add_byte(buf, '-');
    }
    if (whole > PLAIN_DIGITS || whole < -PLAIN_DIGITS) {
        sl_buf_add(buf, digits, count);
        sl_buf_add_byte(buf, 'e');
        sl_buf_add_i64(buf, exact->power);
    } else if (exact->power >= 0) {
        sl_buf_add(buf, digits, count);
        add_zeros(buf, exact->power);
    } else if (whole > 0) {
        sl_buf_add(buf, digits, (size_t)whole);
        sl_buf_add_byte(buf, '.');
        sl_buf_add(buf, digits + whole, count - (size_t)whole);
    } else {
        sl_buf_add_c(buf, "0.");
        add_zeros(buf, -whole);
        sl_buf_add(buf, digits, count);
    }
}

enum { SCIENTIFIC_BYTES = PLAIN_DIGITS + 16 };

/* "123e-4" */
static void put_scientific(const struct sl_exact *exact, char text[SCIENTIFIC_BYTES])
{
    unsigned sign = exact->is_negative;
    unsigned count;

    text[0] = '-';
    count = put_digits(text + sign, exact->digits) + sign;
    snprintf(text + count, SCIENTIFIC_BYTES - count, "e%" PRId32, exact->power);
}

bool sl_exact_to_double(const struct sl_exact *exact, double *value)
{
    char text[SCIENTIFIC_BYTES];

    put_scientific(exact, text);
    *value = strtod(text, NULL);
    return isfinite(*value) != 0;
}

bool sl_exact_to_float(const struct sl_exact *exact, float *value)
{
    char text[SCIENTIFIC_BYTES];

    put_scientific(exact, text);
    *value = strtof(text, NULL);
    return isfinite(*value) != 0;
}
