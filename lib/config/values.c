#include "config/values.h"

static const struct unit {
    const char *name;
    uint64_t factor;
} durations[] =
    {
        {"h", UINT64_C(3600) * SL_NS_PER_S},
        {"m", UINT64_C(60) * SL_NS_PER_S},
        {"s", SL_NS_PER_S},
        {"ms", SL_NS_PER_MS},
        {"us", SL_NS_PER_US},
        {"ns", 1},
},
  sizes[] = {
      {"TiB", SL_GIB * 1024},
      {"GiB", SL_GIB},
      {"MiB", SL_MIB},
      {"KiB", SL_KIB},
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes a run of bytes that are digits, or that are none, off the front. */
static struct sl_str take_run(struct sl_str *rest, bool of_digits)
{
    struct sl_str run = {rest->data, 0};

    while (run.len < rest->len && is_digit(run.data[run.len]) == of_digits) {
        run.len++;
    }
    if (run.len) {
        rest->data += run.len;
        rest->len -= run.len;
    }
    return run;
}

/* Adds number × factor to `sum`; false when it passes INT64_MAX. */
static bool add_product(uint64_t *sum, uint64_t number, uint64_t factor)
{
    if (number > (INT64_MAX - *sum) / factor) {
        return false;
    }
    *sum += number * factor;
    return true;
}

bool sl_config_to_int(struct sl_str text, int64_t *value)
{
    bool is_negative = text.len > 0 && text.data[0] == '-';
    uint64_t magnitude = 0;

    if (is_negative) {
        text.data++;
        text.len--;
    }
    if (!sl_str_to_u64(text, &magnitude) || magnitude > (uint64_t)INT64_MAX + is_negative) {
        return false;
    }
    *value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool sl_config_to_duration(struct sl_str text, int64_t *ns)
{
    uint64_t sum = 0;
    size_t next = 0; /* the largest unit that may still come */

    if (sl_str_eq_c(text, "0")) {
        *ns = 0;
        return true;
    }
    if (!text.len) {
        return false;
    }
    while (text.len) {
        uint64_t number = 0;
        struct sl_str digits = take_run(&text, true);
        struct sl_str name = take_run(&text, false);
        while (next < SL_ARRAY_LEN(durations) && !sl_str_eq_c(name, durations[next].name)) {
            next++;
        }
        if (next == SL_ARRAY_LEN(durations) || !sl_str_to_u64(digits, &number) ||
            !add_product(&sum, number, durations[next].factor)) {
            return false;
        }
        next++;
    }
    *ns = (int64_t)sum;
    return true;
}

bool sl_config_to_size(struct sl_str text, uint64_t *bytes)
{
    uint64_t factor = text.len ? 1 : 0;
    uint64_t number = 0;
    uint64_t sum = 0;
    struct sl_str digits = take_run(&text, true);

    if (text.len) {
        factor = 0;
        for (size_t i = 0; i < SL_ARRAY_LEN(sizes); i++) {
            factor = sl_str_eq_c(text, sizes[i].name) ? sizes[i].factor : factor;
        }
    }
    if (!factor || !sl_str_to_u64(digits, &number) || !add_product(&sum, number, factor)) {
        return false;
    }
    *bytes = sum;
    return true;
}

void sl_config_add_duration(struct sl_buf *out, int64_t ns)
{
    uint64_t rest = (uint64_t)ns;

    SL_ASSERT(ns >= 0);
    if (!rest) {
        sl_buf_add_c(out, "0");
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(durations) && rest; i++) {
        if (rest >= durations[i].factor) {
            sl_buf_add_u64(out, rest / durations[i].factor);
            sl_buf_add_c(out, durations[i].name);
            rest %= durations[i].factor;
        }
    }
}

void sl_config_add_size(struct sl_buf *out, uint64_t bytes)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(sizes) && bytes; i++) {
        if (bytes % sizes[i].factor == 0) {
            sl_buf_add_u64(out, bytes / sizes[i].factor);
            sl_buf_add_c(out, sizes[i].name);
            return;
        }
    }
    sl_buf_add_u64(out, bytes);
}
