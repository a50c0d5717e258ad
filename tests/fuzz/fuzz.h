/* fuzz.h - what every fuzzer is: one function that takes any bytes.
 *
 * What must hold is asserted by SL_ASSERT, which aborts: libFuzzer then keeps the input. Each input
 * stands for itself: nothing is remembered from one to the next. */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes that steer a fuzzer, taken from the front of its input; 0 when it is used up. */
struct fuzz_input {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static inline struct sl_str fuzz_bytes(struct fuzz_input *input, size_t len)
{
    struct sl_str bytes = {(const char *)input->at,
                           sl_min_size(len, (size_t)(input->end - input->at))};

    input->at += bytes.len;
    return bytes;
}

static inline struct sl_str fuzz_rest(struct fuzz_input *input)
{
    return fuzz_bytes(input, (size_t)(input->end - input->at));
}

#endif
