/* Numbers as decimals, of any length (RFC 8259, 6). */
#include "import/diff_internal.h"

enum { MAX_EXPONENT = 1000 * 1000 * 1000, PLAIN_MIN = -5, PLAIN_MAX = 21 };

static bool is_digit(struct sl_str text, size_t at)
{
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool is_one_of(struct sl_str text, size_t at, char a, char b)
{
    return at < text.len && (text.data[at] == a || text.data[at] == b);
}

static size_t digits_end(struct sl_str text, size_t at)
{
    while (is_digit(text, at)) {
        at++;
    }
    return at;
}

size_t sl_diff_number_len(struct sl_str text)
{
    size_t at = is_one_of(text, 0, '-', '-') ? 1 : 0;

    if (!is_digit(text, at)) {
        return 0;
    }
    at = text.data[at] == '0' ? at + 1 : digits_end(text, at);
    if (is_one_of(text, at, '.', '.')) {
        if (!is_digit(text, at + 1)) {
            return 0;
        }
        at = digits_end(text, at + 1);
    }
    if (is_one_of(text, at, 'e', 'E')) {
        at += is_one_of(text, at + 1, '+', '-') ? 2 : 1;
        if (!is_digit(text, at)) {
            return 0;
        }
        at = digits_end(text, at);
    }
    return at;
}

/* A decimal in its parts: 0.DIGITS times ten to the power of `point`. */
struct decimal {
    struct sl_str whole; /* before the point as it stands, and behind it */
    struct sl_str rest;
    size_t skipped; /* zeros at the front, and at the end, of both together */
    size_t count;   /* digits between those */
    int64_t point;
    bool is_negative;
};

static char digit_at(const struct decimal *decimal, size_t i)
{
    i += decimal->skipped;
    return i < decimal->whole.len ? decimal->whole.data[i]
                                  : decimal->rest.data[i - decimal->whole.len];
}

/* False: its exponent is beyond all reason. */
static bool read_exponent(struct sl_str text, size_t at, int64_t *exponent)
{
    bool is_negative = is_one_of(text, at, '-', '-');

    at += is_one_of(text, at, '+', '-') ? 1 : 0;
    for (*exponent = 0; at < text.len; at++) {
        *exponent = *exponent * 10 + (text.data[at] - '0');
        if (*exponent > MAX_EXPONENT) {
            return false;
        }
    }
    *exponent = is_negative ? -*exponent : *exponent;
    return true;
}

static bool read_decimal(struct sl_str text, struct decimal *decimal)
{
    size_t start = is_one_of(text, 0, '-', '-') ? 1 : 0;
    size_t at = digits_end(text, start);
    int64_t exponent = 0;

    *decimal = (struct decimal){.whole = {text.data + start, at - start}, .is_negative = start > 0};
    if (is_one_of(text, at, '.', '.')) {
        size_t end = digits_end(text, at + 1);
        decimal->rest = (struct sl_str){text.data + at + 1, end - at - 1};
        at = end;
    }
    if (at < text.len && !read_exponent(text, at + 1, &exponent)) {
        return false;
    }
    size_t count = decimal->whole.len + decimal->rest.len;
    while (decimal->skipped < count && digit_at(decimal, 0) == '0') {
        decimal->skipped++;
    }
    decimal->count = count - decimal->skipped;
    while (decimal->count && digit_at(decimal, decimal->count - 1) == '0') {
        decimal->count--;
    }
    decimal->point = (int64_t)decimal->whole.len - (int64_t)decimal->skipped + exponent;
    return true;
}

static void add_digits(struct sl_buf *out, const struct decimal *decimal, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        sl_buf_add_byte(out, i < decimal->count ? digit_at(decimal, i) : '0');
    }
}

static void add_plain(struct sl_buf *out, const struct decimal *decimal)
{
    size_t whole = decimal->point > 0 ? (size_t)decimal->point : 0;

    add_digits(out, decimal, 0, whole);
    sl_buf_add_c(out, whole ? "." : "0.");
    for (int64_t i = decimal->point; i < 0; i++) {
        sl_buf_add_byte(out, '0');
    }
    add_digits(out, decimal, whole, decimal->count);
    sl_buf_add_c(out, whole >= decimal->count ? "0" : "");
}

void sl_diff_add_number(struct sl_buf *out, struct sl_str number, bool is_decimal)
{
    struct decimal decimal;

    for (size_t i = 0; i < number.len; i++) {
        is_decimal = is_decimal || !(is_digit(number, i) || number.data[i] == '-');
    }
    if (!is_decimal || !read_decimal(number, &decimal)) {
        sl_buf_add_str(out, number);
        return;
    }
    sl_buf_add_c(out, decimal.is_negative ? "-" : "");
    if (!decimal.count) {
        sl_buf_add_c(out, "0.0");
    } else if (decimal.point >= PLAIN_MIN && decimal.point <= PLAIN_MAX) {
        add_plain(out, &decimal);
    } else {
        add_digits(out, &decimal, 0, 1);
        sl_buf_add_c(out, decimal.count > 1 ? "." : "");
        add_digits(out, &decimal, 1, decimal.count);
        sl_buf_printf(out, "e%lld", (long long)decimal.point - 1);
    }
}
