/* counter.h - what a counter has grown by since its last sample, and how fast.
 *
 * Time is the device's. A counter that is smaller than before has wrapped where the way over its
 * end is less than half of its range; else it was reset, and counts from anew: what it had in
 * between is not known, so there is nothing to say. The same moment twice says nothing and changes
 * nothing; an earlier one begins anew. Pure: the state is the caller's.
 */
#ifndef SLUICE_NORMALISE_COUNTER_H
#define SLUICE_NORMALISE_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "gnmi/response.h"
#include "normalise/exact.h"

struct sl_counter {
    bool
        is_rate; /* growth for each second, as a decimal; else the growth, as an unsigned integer */
    bool is_32_bit;    /* it wraps at 2^32, else at 2^64 */
    uint32_t decimals; /* of a rate: rounded to so many digits behind the point */
};

/* Zeroed: no sample yet. */
struct sl_counter_state {
    bool has_sample;
    uint64_t value;
    int64_t timestamp_ns;
};

enum sl_counter_result {
    SL_COUNTER_DONE,    /* `out` is the value */
    SL_COUNTER_NOTHING, /* a first sample, a reset, or a moment that is not later */
    SL_COUNTER_REFUSED, /* no counter: not a whole number from 0 up; or a rate that no decimal64
                           holds */
};

/* Takes a sample. What says no number leaves the state as it was. */
enum sl_counter_result sl_counter_apply(const struct sl_counter *counter,
                                        struct sl_counter_state *state,
                                        const struct sl_gnmi_value *value, int64_t timestamp_ns,
                                        struct sl_gnmi_value *out) SL_MUST_CHECK;

#endif
