/* number.c - numbers as text against the C library: a float reads back as itself from the fewest
 * digits, integers are those of printf, decimals keep each digit.
 *
 * Input: what kind of number, then its bytes. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "fuzz.h"
#include "normalise/number.h"

/* JSON's grammar, and gnmic's choice of form. */
static void assert_form(struct sl_str text, double magnitude)
{
    bool has_exponent = text.len && memchr(text.data, 'e', text.len);

    SL_ASSERT(text.len && text.data[text.len - 1] >= '0' && text.data[text.len - 1] <= '9');
    SL_ASSERT(has_exponent == (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)));
}

/* The fewest digits of a rounded decimal that reads back; the shortest one may need one less where
 * the doubles below lie closer than those above. */
static int fewest_digits(double value, bool is_float)
{
    char text[64];

    for (int digits = 1;; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        double back = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == value) {
            return digits;
        }
    }
}

static void check_double(uint64_t bits)
{
    struct sl_buf text = {0};
    double value;

    memcpy(&value, &bits, sizeof(value));
    bool is_added = sl_number_add_double(&text, value);

    SL_ASSERT(is_added == (isfinite(value) != 0) && (is_added || text.len == 0));
    if (is_added) {
        double back = strtod(sl_buf_text(&text), NULL);
        SL_ASSERT(memcmp(&back, &value, sizeof(value)) == 0);
        SL_ASSERT(decimal_digits(sl_buf_str(&text)) <= (size_t)fewest_digits(value, false));
        assert_form(sl_buf_str(&text), fabs(value));
    }
    sl_buf_fini(&text);
}

static void check_float(uint32_t bits)
{
    struct sl_buf text = {0};
    float value;

    memcpy(&value, &bits, sizeof(value));
    bool is_added = sl_number_add_float(&text, value);

    SL_ASSERT(is_added == (isfinite(value) != 0) && (is_added || text.len == 0));
    if (is_added) {
        float back = strtof(sl_buf_text(&text), NULL);
        SL_ASSERT(memcmp(&back, &value, sizeof(value)) == 0);
        SL_ASSERT(decimal_digits(sl_buf_str(&text)) <= (size_t)fewest_digits((double)value, true));
        /* the form goes by the digits written: the float beside 1e21 is written so */
        assert_form(sl_buf_str(&text), fabs(strtod(sl_buf_text(&text), NULL)));
    }
    sl_buf_fini(&text);
}

static void check_integers(uint64_t value)
{
    char expected[32];
    char found[SL_NUMBER_INTEGER_BYTES];
    size_t len = (size_t)snprintf(expected, sizeof(expected), "%" PRIu64, value);

    SL_ASSERT((size_t)(sl_number_put_u64(found, value) - found) == len);
    SL_ASSERT(memcmp(found, expected, len) == 0);
    len = (size_t)snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)value);
    SL_ASSERT((size_t)(sl_number_put_i64(found, (int64_t)value) - found) == len);
    SL_ASSERT(memcmp(found, expected, len) == 0);
}

static void check_decimal(int64_t digits, uint32_t precision)
{
    struct sl_buf text = {0};
    char expected[64];

    sl_number_add_decimal(&text, digits, precision);
    snprintf(expected, sizeof(expected), "%" PRId64 "e-%" PRIu32, digits, precision);
    SL_ASSERT(!text.failed && decimal_eq(sl_buf_str(&text), sl_str_from(expected)));
    sl_buf_fini(&text);
}

static uint64_t number_of(struct fuzz_input *input)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < 8; i++) {
        number = number << 8 | fuzz_byte(input);
    }
    return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    uint8_t kind = fuzz_byte(&input);
    uint64_t number = number_of(&input);

    switch (kind % 5) {
    case 0:
        check_double(number);
        break;
    case 1:
        check_float((uint32_t)(number >> 32));
        break;
    case 2:
        check_integers(number);
        break;
    case 3:
        check_decimal((int64_t)number, (uint32_t)number_of(&input));
        break;
    default: /* a double of few digits: their neighbours are where shortcuts go wrong */
        memcpy(&number, &(double){(double)(number >> 40) / (1 + (double)(number & 0xffff))}, 8);
        check_double(number);
    }
    return 0;
}
