#include "normalise/counter.h"

#include "normalise/compute.h"

static const uint64_t ns_of_second = UINT64_C(1000000000);

/* How far it is from `old` to `new`; false: it was reset. */
static bool growth(bool is_32_bit, uint64_t old, uint64_t new, uint64_t *grown)
{
    uint64_t last = is_32_bit ? UINT32_MAX : UINT64_MAX;

    *grown = (new - old) & last;
    return new >= old || *grown <= last / 2;
}

static bool put_rate(const struct sl_counter *counter, uint64_t grown, uint64_t elapsed_ns,
                     struct sl_gnmi_value *out)
{
    struct sl_exact rate;

    out->kind = SL_GNMI_VALUE_DECIMAL;
    return sl_exact_multiply(sl_exact_of_u64(grown), sl_exact_of_u64(ns_of_second), &rate) &&
           sl_exact_divide(rate, sl_exact_of_u64(elapsed_ns), counter->decimals, &rate) &&
           sl_exact_to_nearest_decimal(&rate, &out->of.decimal.digits, &out->of.decimal.precision);
}

static bool read_sample(const struct sl_counter *counter, const struct sl_gnmi_value *value,
                        uint64_t *sample)
{
    struct sl_exact exact;

    if (value->kind == SL_GNMI_VALUE_UINT) {
        *sample = value->of.u64;
    } else if (!sl_compute_number(value, &exact) || !sl_exact_to_u64(&exact, sample)) {
        return false;
    }
    return !counter->is_32_bit || *sample <= UINT32_MAX;
}

enum sl_counter_result sl_counter_apply(const struct sl_counter *counter,
                                        struct sl_counter_state *state,
                                        const struct sl_gnmi_value *value, int64_t timestamp_ns,
                                        struct sl_gnmi_value *out)
{
    const struct sl_counter_state before = *state;
    struct sl_gnmi_value made = {.kind = SL_GNMI_VALUE_UINT};
    uint64_t sample;

    if (!read_sample(counter, value, &sample)) {
        return SL_COUNTER_REFUSED;
    }
    if (before.has_sample && before.timestamp_ns == timestamp_ns) {
        return SL_COUNTER_NOTHING;
    }
    *state = (struct sl_counter_state){true, sample, timestamp_ns};
    if (!before.has_sample || timestamp_ns < before.timestamp_ns ||
        !growth(counter->is_32_bit, before.value, sample, &made.of.u64)) {
        return SL_COUNTER_NOTHING;
    }
    uint64_t elapsed_ns = (uint64_t)timestamp_ns - (uint64_t)before.timestamp_ns;

    if (counter->is_rate && !put_rate(counter, made.of.u64, elapsed_ns, &made)) {
        return SL_COUNTER_REFUSED;
    }
    *out = made;
    return SL_COUNTER_DONE;
}
