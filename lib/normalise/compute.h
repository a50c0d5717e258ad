/* compute.h - a value that is computed out of a value: other types, scaled numbers, mapped words.
 *
 * Pure functions. What was exact stays exact: a number goes through a double only where it was one,
 * or where one is asked for. A value of JSON that is a scalar is computed with as what it says; a
 * leaf-list, an array, an object, an Any and no value at all can be computed with nowhere.
 */
#ifndef SLUICE_NORMALISE_COMPUTE_H
#define SLUICE_NORMALISE_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"
#include "normalise/exact.h"

/* The functions below give true with the value in `out`, which may point into `text` (to which they
 * append) and into `value`; false when there is none: the value cannot become that, or memory is
 * out, which text->failed says. `out` may be `value`. */

/* ---- types ---- */

enum sl_type {
    SL_TYPE_STRING,
    SL_TYPE_INT,
    SL_TYPE_UINT,
    SL_TYPE_BOOL,
    SL_TYPE_FLOAT,
    SL_TYPE_DOUBLE,
    SL_TYPE_DECIMAL,
    SL_TYPE_BYTES,
    SL_TYPE_BASE64, /* a string: bytes as base64 */
};

/* Their names in a configuration; ends with NULL. */
extern const char *const sl_type_names[];

enum sl_reading {
    SL_READING_PLAIN,
    SL_READING_IEEE_FLOAT, /* bytes, or base64 text, are a float32 or float64, big endian */
    SL_READING_BASE64,     /* text is base64, and stands for its bytes */
};

struct sl_conversion {
    enum sl_type type;
    enum sl_reading reading;
    bool is_rounding; /* a fraction is rounded to an integer, half to even; else it cannot be one */
};

/* From what to what: numbers to any type of number that holds them exactly, but that float and
 * double take the nearest; text (by JSON's grammar of numbers, or true and false) as what it says;
 * true and false are 1 and 0, and back; everything to a string as it looks in JSON, without quotes
 * (bytes where they are UTF-8). A number of more than 38 digits is one as a string only. */
bool sl_convert(const struct sl_gnmi_value *value, const struct sl_conversion *conversion,
                struct sl_buf *text, struct sl_gnmi_value *out) SL_MUST_CHECK;

/* The number that a value says; false for none, NaN and more than 38 digits. A double says the
 * fewest digits that read back as it. */
bool sl_compute_number(const struct sl_gnmi_value *value, struct sl_exact *exact) SL_MUST_CHECK;

/* The number with the type of `like`: text and JSON strings that are numbers stay what they are,
 * too; an integer becomes a decimal. A decimal64 has 18 digits: what is behind them is rounded. */
bool sl_compute_put(const struct sl_exact *number, const struct sl_gnmi_value *like,
                    struct sl_buf *text, struct sl_gnmi_value *out) SL_MUST_CHECK;

/* ---- scale ---- */

/* (value × factor + offset) / divisor */
struct sl_scale {
    struct sl_exact factor;
    struct sl_exact offset;
    struct sl_exact divisor; /* not 0 */
    uint32_t decimals;       /* a quotient is rounded to so many digits behind the point */
};

/* value × multiply / divide + add, where the texts are decimal numbers; empty ones do nothing.
 * False when one is none, divide is 0, or they have too many digits. */
bool sl_scale_make(struct sl_str multiply, struct sl_str divide, struct sl_str add,
                   uint32_t decimals, struct sl_scale *scale) SL_MUST_CHECK;

/* Takes the divisor into the other two where they are decimals still (1 / 8 is 0.125), so that
 * nothing need be rounded. */
void sl_scale_reduce(struct sl_scale *scale);

/* The result has the type of the value, as above; an integer stays one where the scale is whole
 * numbers (so that the type does not depend on the value). What the type cannot hold there is not.
 */
bool sl_scale_apply(const struct sl_scale *scale, const struct sl_gnmi_value *value,
                    struct sl_buf *text, struct sl_gnmi_value *out) SL_MUST_CHECK;

/* ---- words ---- */

struct sl_meaning {
    struct sl_str word; /* the value as a string */
    struct sl_str meaning;
};

struct sl_meanings {
    const struct sl_meaning *pairs;
    size_t count;
    bool has_other;
    struct sl_str other; /* for every other word */
    enum sl_type type;   /* of all meanings: sl_meanings_type */
};

/* UINT, INT, DECIMAL or BOOL when every meaning (and `other`) is one, else STRING. */
enum sl_type sl_meanings_type(const struct sl_meanings *meanings);

bool sl_meanings_apply(const struct sl_meanings *meanings, const struct sl_gnmi_value *value,
                       struct sl_buf *text, struct sl_gnmi_value *out) SL_MUST_CHECK;

#endif
