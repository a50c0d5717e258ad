/* exact.h - decimal numbers that are reckoned with exactly, or not at all.
 *
 * A number is ± digits × 10^power with at most 38 digits. Sums and products that need more do not
 * exist, and say so; a quotient is rounded once, half to even, to the digits that are asked for.
 * Nothing here goes through a double. Pure functions.
 */
#ifndef SLUICE_NORMALISE_EXACT_H
#define SLUICE_NORMALISE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Products of two 64-bit numbers need it; C11 has no other word for it. */
__extension__ typedef unsigned __int128 sl_u128;

enum { SL_EXACT_MAX_POWER = 1 << 20, SL_EXACT_MAX_DECIMALS = 38 };

struct sl_exact {
    bool is_negative; /* false for zero */
    sl_u128 digits;   /* without zeros at the end */
    int32_t power;    /* 0 for zero; at most SL_EXACT_MAX_POWER either way */
};

struct sl_exact sl_exact_of_u64(uint64_t value);
struct sl_exact sl_exact_of_i64(int64_t value);

/* digits / 10^precision. False when the precision is beyond SL_EXACT_MAX_POWER. */
bool sl_exact_of_decimal(int64_t digits, uint32_t precision, struct sl_exact *exact) SL_MUST_CHECK;

/* The whole of `text`: a number by JSON's grammar, but that a '+' may stand in front, and zeros.
 * False when it is none, or has more than 38 digits. */
bool sl_exact_parse(struct sl_str text, struct sl_exact *exact) SL_MUST_CHECK;

/* False: the result has too many digits. `result` may be one of the operands. */
bool sl_exact_add(struct sl_exact a, struct sl_exact b, struct sl_exact *result) SL_MUST_CHECK;
bool sl_exact_multiply(struct sl_exact a, struct sl_exact b, struct sl_exact *result) SL_MUST_CHECK;

/* a / b, rounded to `decimals` digits behind the point (at most SL_EXACT_MAX_DECIMALS). False when
 * b is 0, or when what is divided needs too many digits. */
bool sl_exact_divide(struct sl_exact a, struct sl_exact b, uint32_t decimals,
                     struct sl_exact *result) SL_MUST_CHECK;

/* Below 0, 0 or above 0. */
int sl_exact_compare(struct sl_exact a, struct sl_exact b);

bool sl_exact_is_whole(const struct sl_exact *exact);

/* The number as one of gNMI's types. False when that cannot hold it. */
bool sl_exact_to_u64(const struct sl_exact *exact, uint64_t *value) SL_MUST_CHECK;
bool sl_exact_to_i64(const struct sl_exact *exact, int64_t *value) SL_MUST_CHECK;
bool sl_exact_to_decimal(const struct sl_exact *exact, int64_t *digits,
                         uint32_t *precision) SL_MUST_CHECK;

/* The same, but that digits behind the point for which there is no room are rounded off. */
bool sl_exact_to_nearest_decimal(const struct sl_exact *exact, int64_t *digits,
                                 uint32_t *precision) SL_MUST_CHECK;

/* The nearest double, or float. False when it is beyond the range. */
bool sl_exact_to_double(const struct sl_exact *exact, double *value) SL_MUST_CHECK;
bool sl_exact_to_float(const struct sl_exact *exact, float *value) SL_MUST_CHECK;

/* Appends the digits: "1500", "0.0015"; with an exponent where there would be more than 40 of them.
 */
void sl_exact_add_text(struct sl_buf *buf, const struct sl_exact *exact);

#endif
