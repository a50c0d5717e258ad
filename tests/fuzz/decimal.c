#include "decimal.h"

#include <stdint.h>

/* digits × 10^power, the digits being those of `text` from `first` on, points left out. */
struct decimal {
    struct sl_str text;
    size_t first;
    size_t count;
    int64_t power; /* of the last one */
    bool is_negative;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static int64_t exponent_of(struct sl_str text, size_t at)
{
    int64_t exponent = 0;
    bool is_negative = at < text.len && text.data[at] == '-';

    for (; at < text.len; at++) {
        if (is_digit(text.data[at]) && exponent < INT64_MAX / 100) {
            exponent = exponent * 10 + (text.data[at] - '0');
        }
    }
    return is_negative ? -exponent : exponent;
}

static struct decimal read_decimal(struct sl_str text)
{
    struct decimal decimal = {.text = text, .is_negative = text.len && text.data[0] == '-'};
    size_t count = 0; /* digits from the first that is not 0 */
    bool is_fraction = false;
    size_t at = decimal.is_negative;

    for (; at < text.len && text.data[at] != 'e' && text.data[at] != 'E'; at++) {
        char byte = text.data[at];
        is_fraction = is_fraction || byte == '.';
        if (!is_digit(byte)) {
            continue;
        }
        decimal.first = count ? decimal.first : at;
        count += count || byte != '0';
        decimal.count = byte != '0' ? count : decimal.count;
        decimal.power -= is_fraction;
    }
    /* So far the power is that of the last digit; the zeros behind the last other one raise it. */
    decimal.power =
        decimal.count ? decimal.power + (int64_t)(count - decimal.count) + exponent_of(text, at + 1)
                      : 0;
    return decimal;
}

bool decimal_eq(struct sl_str a_text, struct sl_str b_text)
{
    struct decimal a = read_decimal(a_text);
    struct decimal b = read_decimal(b_text);
    size_t i = a.first;
    size_t j = b.first;

    if (a.is_negative != b.is_negative || a.count != b.count || a.power != b.power) {
        return false;
    }
    for (size_t k = 0; k < a.count; k++, i++, j++) {
        i += a.text.data[i] == '.';
        j += b.text.data[j] == '.';
        if (a.text.data[i] != b.text.data[j]) {
            return false;
        }
    }
    return true;
}

size_t decimal_digits(struct sl_str text)
{
    return read_decimal(text).count;
}
