#include "credit/growth.h"

#include "credit/credit.h"

static const int64_t quick_ns = SL_GROWTH_QUICK_MS * SL_NS_PER_MS;
static const int64_t trial_ns = SL_GROWTH_TRIAL_MS * SL_NS_PER_MS;

void sl_growth_init(struct sl_growth *growth, uint32_t initial_bytes, uint64_t max_bytes)
{
    SL_ASSERT(initial_bytes >= SL_CREDIT_FLOOR_BYTES);
    uint64_t most = sl_max_u64(sl_min_u64(max_bytes, SL_GIB), initial_bytes);

    *growth = (struct sl_growth){
        .initial_bytes = initial_bytes,
        .max_bytes = (uint32_t)most,
        .window_bytes = initial_bytes,
    };
}

void sl_growth_open(struct sl_growth *growth)
{
    growth->window_bytes = growth->initial_bytes;
    growth->speed = 0;
    growth->pause_sweeps = 0;
    growth->calm_sweeps = 0;
    growth->is_round = false;
    growth->is_quick = false;
}

static void begin_round(struct sl_growth *growth, const struct sl_growth_look *look)
{
    growth->is_round = true;
    growth->is_acked = look->held_bytes == 0;
    growth->was_limited = look->is_limited;
    growth->round_ns = look->now_ns;
    growth->round_bytes = look->charged_bytes;
}

static uint64_t speed_of(const struct sl_growth *growth, const struct sl_growth_look *look)
{
    uint64_t ms = (uint64_t)(look->now_ns - growth->round_ns) / SL_NS_PER_MS;

    return (look->charged_bytes - growth->round_bytes) * 1000 / sl_max_u64(ms, 1) + 1;
}

static void set_window(struct sl_growth *growth, uint64_t bytes)
{
    growth->window_bytes = (uint32_t)sl_min_u64(bytes, growth->max_bytes);
}

static void double_window(struct sl_growth *growth)
{
    growth->doublings++;
    set_window(growth, (uint64_t)growth->window_bytes * 2);
}

/* The doubling before was one too many. */
static bool end_trial(struct sl_growth *growth, uint64_t speed)
{
    bool has_failed = growth->speed && speed < growth->speed / 100 * (100 + SL_GROWTH_GAIN_PERCENT);

    growth->speed = 0;
    if (has_failed) {
        set_window(growth, sl_max_u64(growth->window_bytes / 2, growth->initial_bytes));
        growth->pause_sweeps = SL_GROWTH_PAUSE_SWEEPS;
    }
    return has_failed;
}

static bool may_double(const struct sl_growth *growth, const struct sl_growth_look *look)
{
    return look->may_grow && growth->window_bytes < growth->max_bytes;
}

static void end_round(struct sl_growth *growth, const struct sl_growth_look *look)
{
    uint64_t speed = speed_of(growth, look);
    bool is_trial = growth->window_bytes >= SL_GROWTH_FREE_BYTES;

    growth->is_round = false;
    bool is_held_up = growth->was_limited && (growth->is_quick || look->is_urgent);
    bool has_failed = end_trial(growth, speed);

    if (has_failed || !is_held_up || !may_double(growth, look) ||
        (is_trial && growth->pause_sweeps)) {
        return;
    }
    growth->speed = is_trial ? speed : 0;
    double_window(growth);
}

static void watch_round(struct sl_growth *growth, const struct sl_growth_look *look)
{
    int64_t took_ns = look->now_ns - growth->round_ns;
    bool is_trial = growth->window_bytes >= SL_GROWTH_FREE_BYTES || growth->speed;

    growth->was_limited = growth->was_limited || look->is_limited;
    if (!growth->is_acked && look->charged_bytes - look->held_bytes >= growth->round_bytes) {
        growth->is_acked = true;
        growth->is_quick = took_ns <= quick_ns;
    } else if (!growth->is_acked && took_ns > quick_ns) {
        growth->is_quick = false;
    }
    if (growth->is_acked && (!is_trial || took_ns >= trial_ns)) {
        end_round(growth, look);
    }
}

void sl_growth_look(struct sl_growth *growth, const struct sl_growth_look *look)
{
    bool is_acked_at_once = look->held_bytes == 0 && look->charged_bytes > growth->charged_bytes;

    growth->charged_bytes = look->charged_bytes;
    growth->held_bytes = look->held_bytes;
    if (look->is_limited) {
        growth->calm_sweeps = 0;
        set_window(growth, sl_max_u64(growth->window_bytes, growth->initial_bytes));
    }
    if (look->is_limited && look->is_urgent && may_double(growth, look) &&
        growth->window_bytes < SL_GROWTH_FREE_BYTES) {
        double_window(growth);
    }
    if (growth->is_round) {
        watch_round(growth, look);
    }
    if (!growth->is_round && (look->held_bytes || is_acked_at_once)) {
        growth->is_quick = growth->is_quick || is_acked_at_once;
        begin_round(growth, look);
    }
}

bool sl_growth_is_calm(const struct sl_growth *growth)
{
    return growth->calm_sweeps >= SL_GROWTH_CALM_SWEEPS;
}

void sl_growth_sweep(struct sl_growth *growth, int64_t now_ns, bool is_memory_short)
{
    uint64_t used = sl_max_u64(growth->charged_bytes - growth->swept_bytes, growth->held_bytes);
    uint32_t rest = is_memory_short ? SL_CREDIT_FLOOR_BYTES : growth->initial_bytes;

    growth->swept_bytes = growth->charged_bytes;
    growth->pause_sweeps = (uint8_t)(growth->pause_sweeps - (growth->pause_sweeps > 0));
    if (growth->is_round && !growth->is_acked && now_ns - growth->round_ns > quick_ns) {
        growth->is_quick = false;
    }
    if (used >= growth->window_bytes / 4) {
        growth->calm_sweeps = 0;
        return;
    }
    if (sl_growth_is_calm(growth) && growth->window_bytes > rest) {
        set_window(growth, sl_max_u64(growth->window_bytes / 2, rest));
    }
    growth->calm_sweeps = (uint8_t)(growth->calm_sweeps + (growth->calm_sweeps < UINT8_MAX));
}
