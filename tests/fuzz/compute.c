/* compute.c - exact numbers against arithmetic as one does it on paper: digits in rows of ten times
 * the room that is needed, without 128-bit words and without doubles.
 *
 * Input: what to do, then two numbers; or a text that may be one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "decimal.h"
#include "fuzz.h"
#include "normalise/compute.h"
#include "normalise/counter.h"
#include "normalise/exact.h"

enum { ROOM = 400, POINT = 200, MOST_POWER = 60, MOST_DIGITS = 38, MOST_WORD_DIGITS = 20 };

/* A number on paper: digits[i] is worth 10^(i - POINT). */
struct paper {
    bool is_negative;
    uint8_t digits[ROOM];
};

static bool is_zero(const struct paper *a)
{
    for (size_t i = 0; i < ROOM; i++) {
        if (a->digits[i]) {
            return false;
        }
    }
    return true;
}

/* "-123e-4": what is given to both. */
static struct paper paper_of(bool is_negative, uint64_t digits, int power)
{
    struct paper paper = {.is_negative = is_negative && digits};

    for (size_t i = (size_t)(POINT + power); digits; i++, digits /= 10) {
        paper.digits[i] = (uint8_t)(digits % 10);
    }
    return paper;
}

static int compare_paper(const struct paper *a, const struct paper *b)
{
    for (size_t i = ROOM; i-- > 0;) {
        if (a->digits[i] != b->digits[i]) {
            return a->digits[i] < b->digits[i] ? -1 : 1;
        }
    }
    return 0;
}

static void add_digits(struct paper *a, const struct paper *b)
{
    unsigned carry = 0;

    for (size_t i = 0; i < ROOM; i++) {
        carry += a->digits[i] + b->digits[i];
        a->digits[i] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    SL_ASSERT(carry == 0);
}

/* b is not larger. */
static void take_digits(struct paper *a, const struct paper *b)
{
    int borrow = 0;

    for (size_t i = 0; i < ROOM; i++) {
        int digit = a->digits[i] - b->digits[i] - borrow;
        borrow = digit < 0;
        a->digits[i] = (uint8_t)(digit + 10 * borrow);
    }
    SL_ASSERT(borrow == 0);
}

static struct paper sum(struct paper a, struct paper b)
{
    if (a.is_negative == b.is_negative) {
        add_digits(&a, &b);
        return a;
    }
    if (compare_paper(&a, &b) < 0) {
        struct paper swapped = a;
        a = b;
        b = swapped;
    }
    take_digits(&a, &b);
    a.is_negative = a.is_negative && !is_zero(&a);
    return a;
}

static struct paper product(const struct paper *a, const struct paper *b)
{
    struct paper result = {.is_negative = a->is_negative != b->is_negative};

    for (size_t i = 0; i < ROOM; i++) {
        unsigned carry = 0;
        for (size_t k = 0; b->digits[i] && k < ROOM; k++) {
            size_t at = i + k;
            if (at < POINT || at - POINT >= ROOM) {
                SL_ASSERT(!a->digits[k]);
                continue;
            }
            carry += result.digits[at - POINT] + (unsigned)(a->digits[k] * b->digits[i]);
            result.digits[at - POINT] = (uint8_t)(carry % 10);
            carry /= 10;
        }
        SL_ASSERT(carry == 0);
    }
    result.is_negative = result.is_negative && !is_zero(&result);
    return result;
}

/* The exact number, written down. False: it does not fit on the paper. */
static bool write_down(const struct sl_exact *exact, struct paper *paper)
{
    sl_u128 digits = exact->digits;

    *paper = (struct paper){.is_negative = exact->is_negative};
    for (int64_t i = POINT + (int64_t)exact->power; digits; i++, digits /= 10) {
        if (i < 0 || i >= ROOM) {
            return false;
        }
        paper->digits[i] = (uint8_t)(digits % 10);
    }
    return true;
}

static void assert_same(const struct sl_exact *exact, const struct paper *expected)
{
    struct paper found;

    SL_ASSERT(write_down(exact, &found) && compare_paper(&found, expected) == 0);
    SL_ASSERT(found.is_negative == expected->is_negative);
}

struct operand {
    struct sl_exact exact;
    struct paper paper;
};

static uint64_t number_of(struct fuzz_input *input)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < 8; i++) {
        number = number << 8 | fuzz_byte(input);
    }
    return number >> (fuzz_byte(input) % 64);
}

static struct operand operand_of(struct fuzz_input *input)
{
    struct operand operand;
    char text[64];
    uint64_t digits = number_of(input);
    bool is_negative = fuzz_byte(input) & 1;
    int power = fuzz_byte(input) % (2 * MOST_POWER + 1) - MOST_POWER;

    snprintf(text, sizeof(text), "%s%" PRIu64 "e%d", is_negative ? "-" : "", digits, power);
    bool is_ok = sl_exact_parse(sl_str_from(text), &operand.exact);

    SL_ASSERT(is_ok);
    operand.paper = paper_of(is_negative, digits, power);
    assert_same(&operand.exact, &operand.paper);
    return operand;
}

/* q is a / b rounded to `decimals`: |a - q × b| is at most half of b × 10^-decimals, and where it
 * is the half, the last digit is even. */
static void check_quotient(const struct operand *a, const struct operand *b, uint32_t decimals)
{
    struct sl_exact exact;
    struct paper quotient;

    if (!sl_exact_divide(a->exact, b->exact, decimals, &exact) || !write_down(&exact, &quotient)) {
        return;
    }
    SL_ASSERT(!is_zero(&b->paper));
    for (size_t i = 0; i + decimals < POINT; i++) {
        SL_ASSERT(!quotient.digits[i]);
    }
    struct paper back = product(&quotient, &b->paper);

    back.is_negative = !back.is_negative && !is_zero(&back);
    struct paper rest = sum(a->paper, back);
    struct paper step = paper_of(false, 1, -(int)decimals);
    struct paper half = product(&step, &b->paper);

    struct paper twice = rest;

    add_digits(&twice, &rest);
    int order = compare_paper(&twice, &half);

    SL_ASSERT(order < 0 || (order == 0 && quotient.digits[POINT - decimals] % 2 == 0));
}

static void check_two(struct fuzz_input *input, uint8_t what)
{
    struct operand a = operand_of(input);
    struct operand b = operand_of(input);
    struct sl_exact result;
    struct paper expected;

    switch (what) {
    case 0:
        expected = sum(a.paper, b.paper);
        if (sl_exact_add(a.exact, b.exact, &result)) {
            assert_same(&result, &expected);
        } else { /* as whole numbers of one power they have more than 38 digits */
            SL_ASSERT(abs(a.exact.power - b.exact.power) >= MOST_DIGITS - MOST_WORD_DIGITS);
        }
        break;
    case 1:
        expected = product(&a.paper, &b.paper);
        SL_ASSERT(sl_exact_multiply(a.exact, b.exact, &result)); /* of 64 bits each */
        assert_same(&result, &expected);
        break;
    case 2:
        check_quotient(&a, &b, fuzz_byte(input) % 20);
        break;
    default: {
        int order = sl_exact_compare(a.exact, b.exact);
        int wanted = a.paper.is_negative != b.paper.is_negative
                         ? (a.paper.is_negative ? -1 : 1)
                         : compare_paper(&a.paper, &b.paper) * (a.paper.is_negative ? -1 : 1);
        SL_ASSERT((order > 0) - (order < 0) == wanted);
    }
    }
}

/* A text that is taken is a number, is printed as itself, and reads back. */
static void check_text(struct sl_str text)
{
    struct sl_exact exact;
    struct sl_exact again;
    struct sl_buf printed = {0};

    if (!sl_exact_parse(text, &exact)) {
        return;
    }
    sl_exact_add_text(&printed, &exact);
    struct sl_str unsigned_text = text;

    if (*text.data == '+') {
        unsigned_text = (struct sl_str){text.data + 1, text.len - 1};
    }
    /* -0 is 0 here */
    SL_ASSERT(!exact.digits || decimal_eq(unsigned_text, sl_buf_str(&printed)));
    SL_ASSERT(sl_exact_parse(sl_buf_str(&printed), &again) && sl_exact_compare(exact, again) == 0);
    sl_buf_fini(&printed);
}

/* Any value converted to any type: what comes out as a number is the number that went in. */
static void check_convert(struct fuzz_input *input)
{
    const struct sl_conversion conversion = {
        .type = (enum sl_type)(fuzz_byte(input) % (SL_TYPE_BASE64 + 1)),
        .reading = (enum sl_reading)(fuzz_byte(input) % 3)};
    static const enum sl_gnmi_value_kind kinds[] = {SL_GNMI_VALUE_STRING, SL_GNMI_VALUE_BYTES,
                                                    SL_GNMI_VALUE_JSON, SL_GNMI_VALUE_JSON_IETF};
    struct sl_gnmi_value value = {.kind = kinds[fuzz_byte(input) % SL_ARRAY_LEN(kinds)],
                                  .of.bytes = fuzz_rest(input)};
    struct sl_gnmi_value out;
    struct sl_exact before;
    struct sl_exact after;
    struct sl_buf text = {0};

    if (sl_convert(&value, &conversion, &text, &out) && conversion.reading == SL_READING_PLAIN &&
        (out.kind == SL_GNMI_VALUE_INT || out.kind == SL_GNMI_VALUE_UINT ||
         out.kind == SL_GNMI_VALUE_DECIMAL)) {
        SL_ASSERT(sl_compute_number(&value, &before) && sl_compute_number(&out, &after));
        SL_ASSERT(sl_exact_compare(before, after) == 0);
    }
    sl_buf_fini(&text);
}

/* A counter that only grows: the sum of what it has grown by is the way from the first to the last
 * value, however often it wrapped. */
static void check_counter(struct fuzz_input *input)
{
    struct sl_counter counter = {.is_32_bit = fuzz_byte(input) & 1};
    struct sl_counter_state state = {0};
    uint64_t last = counter.is_32_bit ? UINT32_MAX : UINT64_MAX;
    uint64_t now = number_of(input) & last;
    uint64_t grown = 0;
    uint64_t found = 0;

    for (int64_t time = 1; input->at < input->end; time++) {
        struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_UINT, .of.u64 = now};
        enum sl_counter_result result = sl_counter_apply(&counter, &state, &value, time, &value);
        SL_ASSERT(result == (time == 1 ? SL_COUNTER_NOTHING : SL_COUNTER_DONE));
        found += time == 1 ? 0 : value.of.u64;
        SL_ASSERT(found == grown);
        uint64_t step = number_of(input) & (last / 2);
        grown += step;
        now = (now + step) & last;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    uint8_t what = fuzz_byte(&input) % 7;

    if (what < 4) {
        check_two(&input, what);
    } else if (what == 4) {
        check_text(fuzz_rest(&input));
    } else if (what == 5) {
        check_convert(&input);
    } else {
        check_counter(&input);
    }
    return 0;
}
