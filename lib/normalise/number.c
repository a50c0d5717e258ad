#include "normalise/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DIGITS = 20,
    PLAIN_FROM = -6, /* the power of ten of the first digit from which on there is no exponent */
    PLAIN_TO = 21,
    EXACT_DIGITS = DBL_DIG, /* any decimal of so many digits survives a double */
    EXACT_POWER = 290,      /* ... within this range */
    SHORT_TEXT_BYTES = 512,
    PLAIN_POWER = 400, /* beyond it a number without an exponent is 0 */
};

/* d.ddd × 10^power, without leading or trailing zeros; zero has no digits. */
struct decimal {
    bool is_negative;
    char digits[MAX_DIGITS];
    size_t len;
    int64_t power;
};

static const struct sl_str zeros = {"000000000000000000000", 21};

static void add_zeros(struct sl_buf *buf, size_t count)
{
    sl_buf_add(buf, zeros.data, sl_min_size(count, zeros.len));
}

static void add_plain(struct sl_buf *buf, const struct decimal *decimal)
{
    SL_ASSERT(decimal->power >= PLAIN_FROM && decimal->power < PLAIN_TO);
    if (decimal->power < 0) {
        sl_buf_add_c(buf, "0.");
        add_zeros(buf, (size_t)(-decimal->power - 1));
        sl_buf_add(buf, decimal->digits, decimal->len);
        return;
    }
    size_t whole = (size_t)decimal->power + 1;

    sl_buf_add(buf, decimal->digits, sl_min_size(whole, decimal->len));
    if (decimal->len <= whole) {
        add_zeros(buf, whole - decimal->len);
    } else {
        sl_buf_add_byte(buf, '.');
        sl_buf_add(buf, decimal->digits + whole, decimal->len - whole);
    }
}

static void add_decimal(struct sl_buf *buf, const struct decimal *decimal)
{
    if (decimal->is_negative) {
        sl_buf_add_byte(buf, '-');
    }
    if (!decimal->len) {
        sl_buf_add_byte(buf, '0');
    } else if (decimal->power >= PLAIN_FROM && decimal->power < PLAIN_TO) {
        add_plain(buf, decimal);
    } else {
        sl_buf_add_byte(buf, decimal->digits[0]);
        if (decimal->len > 1) {
            sl_buf_add_byte(buf, '.');
            sl_buf_add(buf, decimal->digits + 1, decimal->len - 1);
        }
        sl_buf_add_c(buf, decimal->power < 0 ? "e" : "e+");
        sl_buf_add_i64(buf, decimal->power);
    }
}

static void strip_zeros(struct decimal *decimal)
{
    while (decimal->len && decimal->digits[decimal->len - 1] == '0') {
        decimal->len--;
    }
}

/* ---- binary to decimal ---- */

/* `text` is what "%.*e" prints of a value above 0: d.ddde±xx. */
static void parse_exponential(const char *text, struct decimal *decimal)
{
    decimal->len = 0;
    for (; *text != 'e'; text++) {
        if (*text != '.') {
            decimal->digits[decimal->len++] = *text;
        }
    }
    decimal->power = strtol(text + 1, NULL, 10);
    strip_zeros(decimal);
}

/* What reads a decimal back: strtod, or strtof widened. */
typedef double (*read_fn)(const char *text);

static double read_double(const char *text)
{
    return strtod(text, NULL);
}

static double read_float(const char *text)
{
    return (double)strtof(text, NULL);
}

/* Adds one to the last digit of a "d.ddde±xx" of which no digit is 9, else leaves it. */
static void bump(char *text)
{
    char *last = strchr(text, 'e');

    do {
        last--;
    } while (*last == '.');
    if (*last < '9') {
        ++*last;
    }
}

/* The shortest decimal that `read` takes for `value`, and of several the closest. Printing rounds
 * correctly, so the first precision that reads back has it; except above a power of two, where the
 * values below lie closer than those above and the next decimal up may be the only one. */
static void shortest(double value, int precision, read_fn read, struct decimal *decimal)
{
    char text[MAX_DIGITS + 16];
    int exponent;
    bool is_lopsided = frexp(value, &exponent) == 0.5;

    for (; precision < DBL_DECIMAL_DIG; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        if (read(text) == value) {
            break;
        }
        if (is_lopsided) {
            bump(text);
            if (read(text) == value) {
                break;
            }
        }
    }
    if (precision == DBL_DECIMAL_DIG) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, value);
    }
    parse_exponential(text, decimal);
}

static void decimal_of_double(double value, struct decimal *decimal)
{
    decimal->is_negative = signbit(value);
    decimal->len = 0;
    decimal->power = 0;
    value = fabs(value);
    if (value > 0) {
        shortest(value, value < DBL_MIN ? 1 : DBL_DIG, read_double, decimal);
    }
}

/* The frequent case: a whole number, or one of up to six decimals, that has no more digits than any
 * double (or float) keeps. m / 10^k rounds once, so that it equals `value` says that the decimal
 * reads back as it, and of so few digits there is only one such decimal. (Rounding it once more, to
 * a float, is harmless: a decimal of 6 digits is never so close to the middle of two floats.) */
static bool add_short(struct sl_buf *buf, double value, double limit, bool is_float)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double magnitude = fabs(value);

    for (size_t k = 0; k < SL_ARRAY_LEN(powers) && magnitude * powers[k] < limit; k++) {
        uint64_t whole = (uint64_t)(magnitude * powers[k] + 0.5);
        uint64_t power = (uint64_t)powers[k];
        double back = (double)whole / powers[k];
        if ((is_float ? (double)(float)back : back) != magnitude) {
            continue;
        }
        if (signbit(value)) {
            sl_buf_add_byte(buf, '-');
        }
        sl_buf_add_u64(buf, whole / power);
        if (k > 0) {
            char text[8] = ".000000";
            uint64_t rest = whole % power;
            for (size_t i = k; i > 0; i--, rest /= 10) {
                text[i] = (char)('0' + rest % 10);
            }
            sl_buf_add(buf, text, k + 1);
        }
        return true;
    }
    return false;
}

bool sl_number_add_double(struct sl_buf *buf, double value)
{
    struct decimal decimal;

    if (!isfinite(value)) {
        return false;
    }
    if (!add_short(buf, value, 1e15, false)) {
        decimal_of_double(value, &decimal);
        add_decimal(buf, &decimal);
    }
    return true;
}

bool sl_number_add_float(struct sl_buf *buf, float value)
{
    struct decimal decimal = {.is_negative = signbit(value)};
    double magnitude = fabs((double)value);

    if (!isfinite(value)) {
        return false;
    }
    if (add_short(buf, (double)value, 999999, true)) {
        return true;
    }
    shortest(magnitude, magnitude < (double)FLT_MIN ? 1 : FLT_DIG, read_float, &decimal);
    add_decimal(buf, &decimal);
    return true;
}

/* ---- integers ---- */

char *sl_number_put_u64(char *at, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[SL_NUMBER_INTEGER_BYTES];
    size_t from = sizeof(digits);

    for (; value >= 100; value /= 100) {
        from -= 2;
        memcpy(digits + from, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        from -= 2;
        memcpy(digits + from, pairs + 2 * value, 2);
    } else {
        digits[--from] = (char)('0' + value);
    }
    memcpy(at, digits + from, sizeof(digits) - from);
    return at + sizeof(digits) - from;
}

char *sl_number_put_i64(char *at, int64_t value)
{
    if (value >= 0) {
        return sl_number_put_u64(at, (uint64_t)value);
    }
    *at = '-';
    return sl_number_put_u64(at + 1, 0 - (uint64_t)value);
}

/* ---- decimal to decimal ---- */

void sl_number_add_decimal(struct sl_buf *buf, int64_t digits, uint32_t precision)
{
    struct decimal decimal = {.is_negative = digits < 0};
    uint64_t magnitude = digits < 0 ? 0 - (uint64_t)digits : (uint64_t)digits;
    char text[MAX_DIGITS];
    size_t at = sizeof(text);

    for (; magnitude; magnitude /= 10) {
        text[--at] = (char)('0' + magnitude % 10);
    }
    decimal.len = sizeof(text) - at;
    memcpy(decimal.digits, text + at, decimal.len);
    decimal.power = (int64_t)decimal.len - 1 - (int64_t)precision;
    strip_zeros(&decimal);
    add_decimal(buf, &decimal);
}

struct scan {
    struct decimal decimal; /* its digits are kept as far as they fit */
    size_t digits;          /* how many there are, without the zeros at either end */
};

/* The exponent behind the mantissa, held within what no sum here overflows. */
static int64_t scan_exponent(struct sl_str text, size_t at)
{
    int64_t exponent = 0;
    bool is_negative = at < text.len && text.data[at] == '-';

    for (; at < text.len; at++) {
        if (text.data[at] >= '0' && text.data[at] <= '9' && exponent < INT32_MAX) {
            exponent = exponent * 10 + (text.data[at] - '0');
        }
    }
    return is_negative ? -exponent : exponent;
}

/* `text` is a number by JSON's grammar. */
static struct scan scan_number(struct sl_str text)
{
    struct scan scan = {.decimal = {.is_negative = text.data[0] == '-'}};
    struct decimal *decimal = &scan.decimal;
    size_t significant = 0; /* digits so far, from the first one that is not 0 */
    int64_t point = 0;      /* the power of ten of the digit after the next */
    bool is_fraction = false;
    size_t at = decimal->is_negative;

    for (; at < text.len && (text.data[at] | 0x20) != 'e'; at++) {
        if (text.data[at] == '.') {
            is_fraction = true;
            continue;
        }
        significant += significant || text.data[at] != '0';
        point += is_fraction ? (significant ? 0 : -1) : (significant ? 1 : 0);
        if (significant && significant <= MAX_DIGITS) {
            decimal->digits[significant - 1] = text.data[at];
        }
        scan.digits = text.data[at] != '0' ? significant : scan.digits;
    }
    decimal->len = sl_min_size(scan.digits, MAX_DIGITS);
    decimal->power = point - 1 + scan_exponent(text, at + 1);
    return scan;
}

/* Whether the shortest form of the double that is nearest is what the text says. */
static bool is_exact(const struct scan *scan, double value)
{
    struct decimal nearest;

    decimal_of_double(value, &nearest);
    return nearest.len == scan->digits && nearest.power == scan->decimal.power &&
           memcmp(nearest.digits, scan->decimal.digits, nearest.len) == 0;
}

static bool read_long_number(struct sl_str text, double *value)
{
    char shortened[SHORT_TEXT_BYTES];
    char *copy = text.len < sizeof(shortened) ? shortened : malloc(text.len + 1);

    if (!copy) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, NULL);
    if (copy != shortened) {
        free(copy);
    }
    return isfinite(*value);
}

static bool add_long_number(struct sl_buf *buf, struct sl_str text, const struct scan *scan)
{
    double value;

    if (!read_long_number(text, &value)) {
        return false;
    }
    if (is_exact(scan, value)) {
        add_decimal(buf, &scan->decimal);
    } else {
        sl_buf_add_str(buf, text);
    }
    return true;
}

static bool is_short_integer(struct sl_str text)
{
    size_t i = 0;

    while (i < text.len && text.data[i] != '.' && (text.data[i] | 0x20) != 'e') {
        i++;
    }
    return i == text.len && text.len <= EXACT_DIGITS;
}

bool sl_number_add_json(struct sl_buf *buf, struct sl_str text)
{
    if (is_short_integer(text)) {
        sl_buf_add_str(buf, text);
        return true;
    }
    struct scan scan = scan_number(text);

    if (scan.digits <= EXACT_DIGITS && (!scan.digits || llabs(scan.decimal.power) <= EXACT_POWER)) {
        add_decimal(buf, &scan.decimal);
        return true;
    }
    return add_long_number(buf, text, &scan);
}

bool sl_number_add_json_rounded(struct sl_buf *buf, struct sl_str text)
{
    double value;

    if (is_short_integer(text)) {
        sl_buf_add_str(buf, text);
        return true;
    }
    return read_long_number(text, &value) && sl_number_add_double(buf, value);
}

/* 10^power as Go's math.Pow10 has it: the product of two powers that are exact or nearest. */
static double power_of_ten(uint32_t power)
{
    static const double small[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                                   1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
                                   1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31};
    static const double large[] = {1e0, 1e32, 1e64, 1e96, 1e128, 1e160, 1e192, 1e224, 1e256, 1e288};

    return power > DBL_MAX_10_EXP ? HUGE_VAL : large[power / 32] * small[power % 32];
}

void sl_number_add_decimal_rounded(struct sl_buf *buf, int64_t digits, uint32_t precision)
{
    bool is_added = sl_number_add_double(buf, (double)digits / power_of_ten(precision));

    SL_ASSERT(is_added);
}

void sl_number_add_plain(struct sl_buf *out, struct sl_str text)
{
    size_t mantissa = 0;
    char digits[32];

    while (mantissa < text.len && (text.data[mantissa] | 0x20) != 'e') {
        mantissa++;
    }
    size_t len = text.len - mantissa - (mantissa < text.len);

    if (mantissa == text.len || len >= sizeof(digits)) {
        sl_buf_add(out, text.data, mantissa);
        return;
    }
    memcpy(digits, text.data + mantissa + 1, len);
    digits[len] = '\0';
    long power = strtol(digits, NULL, 10);
    const char *point = memchr(text.data, '.', mantissa);
    size_t whole = point ? (size_t)(point - text.data) : mantissa;
    bool is_negative = text.data[0] == '-';

    if (power > PLAIN_POWER || power < -PLAIN_POWER) {
        sl_buf_add_byte(out, '0');
        return;
    }
    sl_buf_add_c(out, is_negative ? "-" : "");
    long position = (long)whole - is_negative + power; /* of the point among the digits */
    if (position <= 0) {
        sl_buf_add_c(out, "0.");
    }
    for (long i = position; i < 0; i++) {
        sl_buf_add_byte(out, '0');
    }
    long at = 0;
    for (size_t i = is_negative; i < mantissa; i++) {
        if (text.data[i] == '.') {
            continue;
        }
        if (at == position && at > 0) {
            sl_buf_add_byte(out, '.');
        }
        sl_buf_add_byte(out, text.data[i]);
        at++;
    }
    for (; at < position; at++) {
        sl_buf_add_byte(out, '0');
    }
}
