/* number.h - numbers as text in JSON, the way Go's encoding/json writes them: the shortest digits
 * that read back as the same value, plain from 1e-6 up to 1e21, with an exponent (e-7, e+21)
 * outside.
 */
#ifndef SLUICE_NORMALISE_NUMBER_H
#define SLUICE_NORMALISE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum { SL_NUMBER_INTEGER_BYTES = 20 };

/* False, with nothing appended, for what JSON cannot say: NaN and the infinities. */
bool sl_number_add_double(struct sl_buf *buf, double value) SL_MUST_CHECK;
bool sl_number_add_float(struct sl_buf *buf, float value) SL_MUST_CHECK;

/* The digits of an integer at `at`, which has room for SL_NUMBER_INTEGER_BYTES. Returns their end.
 */
char *sl_number_put_u64(char *at, uint64_t value);
char *sl_number_put_i64(char *at, int64_t value);

/* digits / 10^precision, exactly. */
void sl_number_add_decimal(struct sl_buf *buf, int64_t digits, uint32_t precision);

/* A number of JSON text, in the same form as a double where a double holds it exactly ("1.0" is 1),
 * else as it stands. False, with nothing appended, when it is beyond a double's range. */
bool sl_number_add_json(struct sl_buf *buf, struct sl_str text) SL_MUST_CHECK;

/* A number of JSON text without an exponent: 1e+21 as 1000000000000000000000. */
void sl_number_add_plain(struct sl_buf *out, struct sl_str text);

/* Both as gnmic has them, through a double: float64(digits) / 10^precision, which is 0 for a
 * precision above 308, and the double that is nearest to the text. */
void sl_number_add_decimal_rounded(struct sl_buf *buf, int64_t digits, uint32_t precision);
bool sl_number_add_json_rounded(struct sl_buf *buf, struct sl_str text) SL_MUST_CHECK;

#endif
