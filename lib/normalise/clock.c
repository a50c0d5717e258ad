#include "normalise/clock.h"

static const struct {
    const char *name;
    int64_t ns;
    int64_t window_ns;
} units[] = {
    [SL_CLOCK_AUTO] = {"", 1, 0},
    [SL_CLOCK_S] = {"s", SL_NS_PER_S, SL_CLOCK_CLOSE_NS},
    [SL_CLOCK_MS] = {"ms", SL_NS_PER_MS, SL_CLOCK_CLOSE_NS},
    [SL_CLOCK_US] = {"us", SL_NS_PER_US, SL_CLOCK_CLOSE_NS},
    [SL_CLOCK_NS] = {"ns", 1, SL_CLOCK_NEAR_NS},
};

const char *sl_clock_unit_name(enum sl_clock_unit unit)
{
    SL_ASSERT((unsigned)unit < SL_ARRAY_LEN(units));
    return units[unit].name;
}

void sl_clock_init(struct sl_clock *clock, const struct sl_clock_config *config)
{
    SL_ASSERT(config->max_skew_ns >= 0);
    *clock = (struct sl_clock){.config = *config, .unit = config->unit};
}

/* ---- the unit ---- */

static int64_t sub_clipped(int64_t a, int64_t b)
{
    int64_t difference;

    if (!__builtin_sub_overflow(a, b, &difference)) {
        return difference;
    }
    return a < b ? INT64_MIN + 1 : INT64_MAX; /* so that it can be negated */
}

static int64_t add_clipped(int64_t a, int64_t b)
{
    int64_t sum;

    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return a < 0 ? INT64_MIN : INT64_MAX;
}

/* `sent`, which is positive, in nanoseconds; false: they are too many. */
static bool scale(int64_t sent, enum sl_clock_unit unit, int64_t *ns)
{
    return !__builtin_mul_overflow(sent, units[unit].ns, ns);
}

/* AUTO: for none. */
static enum sl_clock_unit speaks_for(int64_t sent, int64_t received_ns)
{
    for (int unit = SL_CLOCK_NS; unit > SL_CLOCK_AUTO; unit--) {
        int64_t window_ns = units[unit].window_ns;
        int64_t ns;
        if (scale(sent, (enum sl_clock_unit)unit, &ns)) {
            int64_t ahead_ns = sub_clipped(ns, received_ns);
            if (ahead_ns >= -window_ns && ahead_ns <= window_ns) {
                return (enum sl_clock_unit)unit;
            }
        }
    }
    return SL_CLOCK_AUTO;
}

static void note_unit(struct sl_clock *clock, enum sl_clock_unit spoken)
{
    if (spoken == clock->unit || clock->unit == SL_CLOCK_AUTO) {
        clock->unit = spoken;
        clock->contrary_count = 0;
        return;
    }
    clock->contrary_count = spoken == clock->contrary ? clock->contrary_count + 1 : 1;
    clock->contrary = spoken;
    if (clock->contrary_count >= SL_CLOCK_CONTRARY) {
        clock->unit = spoken;
        clock->contrary_count = 0;
    }
}

/* ---- what it is now ---- */

static void count_skew(struct sl_clock *clock, int64_t device_ns, int64_t received_ns)
{
    struct sl_clock_counts *counts = &clock->counts;
    int64_t ahead_ns = sub_clipped(device_ns, received_ns);

    counts->future += ahead_ns > clock->config.max_skew_ns;
    counts->past += -ahead_ns > clock->config.max_skew_ns;
    counts->max_ahead_ns = ahead_ns > counts->max_ahead_ns ? ahead_ns : counts->max_ahead_ns;
    counts->max_behind_ns = -ahead_ns > counts->max_behind_ns ? -ahead_ns : counts->max_behind_ns;
}

int64_t sl_clock_read(struct sl_clock *clock, int64_t sent, int64_t received_ns)
{
    int64_t ns;

    if (sent <= 0) {
        clock->counts.zero += sent == 0;
        clock->counts.negative += sent < 0;
        return sent;
    }
    if (clock->config.unit == SL_CLOCK_AUTO) {
        note_unit(clock, speaks_for(sent, received_ns));
    }
    if (!scale(sent, clock->unit, &ns)) {
        ns = sent;
    }
    clock->counts.scaled += ns != sent;
    count_skew(clock, ns, received_ns);
    return ns;
}

static int64_t clamp(int64_t max_skew_ns, int64_t device_ns, int64_t received_ns)
{
    int64_t first_ns = sub_clipped(received_ns, max_skew_ns);
    int64_t last_ns = add_clipped(received_ns, max_skew_ns);

    if (device_ns <= 0) {
        return received_ns;
    }
    if (device_ns < first_ns) {
        return first_ns;
    }
    return device_ns > last_ns ? last_ns : device_ns;
}

int64_t sl_clock_settle(enum sl_clock_policy policy, int64_t max_skew_ns, int64_t device_ns,
                        int64_t received_ns)
{
    switch (policy) {
    case SL_CLOCK_RECEIVE:
        return received_ns;
    case SL_CLOCK_CLAMP:
        return clamp(max_skew_ns, device_ns, received_ns);
    case SL_CLOCK_OF_FORMAT:
    case SL_CLOCK_DEVICE:
        break;
    }
    return device_ns;
}
