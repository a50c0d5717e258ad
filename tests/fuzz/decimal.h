/* decimal.h - what a decimal number says, whatever way it is written. */
#ifndef SLUICE_TESTS_FUZZ_DECIMAL_H
#define SLUICE_TESTS_FUZZ_DECIMAL_H

#include <stdbool.h>

#include "base/str.h"

/* Whether two numbers by JSON's grammar are the same to the last digit; -0 is not 0. */
bool decimal_eq(struct sl_str a, struct sl_str b);

/* How many digits there are without the zeros at either end. */
size_t decimal_digits(struct sl_str text);

#endif
