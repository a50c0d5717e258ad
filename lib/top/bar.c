#include "top/bar.h"

#include <math.h>
#include <string.h>

enum { EIGHTHS = 8 };

static const char *const eighths[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

static double part(double value, double limit)
{
    return isfinite(value) && value > 0 && limit > 0 ? fmin(value / limit, 1) : 0;
}

static void add(struct sl_bar *bar, const char *text)
{
    memcpy(bar->text + strlen(bar->text), text, strlen(text) + 1);
}

/* Of `steps` how many a part takes: at least one, and all of them only for all. */
static unsigned steps_of(double share, unsigned steps)
{
    unsigned whole = (unsigned)(share * steps + 0.5);

    if (share <= 0 || share >= 1) {
        return share <= 0 ? 0 : steps;
    }
    return whole < 1 ? 1 : whole >= steps && steps > 1 ? steps - 1 : whole;
}

struct sl_bar sl_bar(unsigned width, double held, double granted, double limit, bool is_ascii)
{
    struct sl_bar bar = {0};
    double all = fmax(isfinite(limit) ? limit : 0, 0);
    double held_share = part(held, all);
    double both_share = fmin(held_share + part(granted, all), 1);

    SL_ASSERT(width >= 1 && width <= SL_BAR_MAX_COLUMNS);
    unsigned fine = steps_of(held_share, is_ascii ? width : width * EIGHTHS);
    unsigned full = is_ascii ? fine : fine / EIGHTHS;
    unsigned rest = is_ascii ? 0 : fine % EIGHTHS;
    unsigned both = steps_of(both_share, width);

    bar.held = full + (rest > 0);
    if (both < bar.held) {
        both = bar.held;
    }
    if (both == bar.held && both_share > held_share && both < width) {
        both++;
    }
    bar.granted = both - bar.held;
    for (unsigned i = 0; i < full; i++) {
        add(&bar, is_ascii ? "#" : "█");
    }
    add(&bar, eighths[rest]);
    for (unsigned i = 0; i < bar.granted; i++) {
        add(&bar, is_ascii ? "-" : "░");
    }
    for (unsigned i = both; i < width; i++) {
        add(&bar, is_ascii ? "." : "·");
    }
    return bar;
}
