#include "tool/figure.h"

#include <math.h>
#include <stdio.h>
#include <wchar.h>

#include "base/base.h"
#include "base/utf8.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, MOST_DAYS = 99999, WHOLE_COUNT = 100000 };

static const double TOO_MUCH = 1e27;

/* Three digits that count. */
static struct sl_figure scaled(double number, double step, const char *const *units, size_t count)
{
    struct sl_figure figure;
    size_t unit = 0;

    while (fabs(number) >= (unit ? 999.5 : step - 0.5) && unit + 1 < count) {
        number /= step;
        unit++;
    }
    int places = unit == 0 || fabs(number) >= 99.95 ? 0 : fabs(number) >= 9.995 ? 1 : 2;
    snprintf(figure.text, sizeof(figure.text), "%.*f%s", places, number, units[unit]);
    return figure;
}

static bool is_figure(double number)
{
    return isfinite(number) && fabs(number) < TOO_MUCH;
}

struct sl_figure sl_figure_count(double count)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
    struct sl_figure figure;

    if (!is_figure(count)) {
        return (struct sl_figure){"-"};
    }
    if (fabs(count) < WHOLE_COUNT) {
        snprintf(figure.text, sizeof(figure.text), "%.0f", count);
        return figure;
    }
    return scaled(count, 1000, units, SL_ARRAY_LEN(units));
}

struct sl_figure sl_figure_bytes(double bytes)
{
    static const char *const units[] = {" B",   " KiB", " MiB", " GiB", " TiB",
                                        " PiB", " EiB", " ZiB", " YiB"};

    return is_figure(bytes) ? scaled(bytes, 1024, units, SL_ARRAY_LEN(units))
                            : (struct sl_figure){"-"};
}

struct sl_figure sl_figure_rate(double a_second)
{
    struct sl_figure figure;

    if (!is_figure(a_second)) {
        return (struct sl_figure){"-"};
    }
    if (fabs(a_second) >= 9.95 || a_second == 0) {
        return sl_figure_count(a_second);
    }
    snprintf(figure.text, sizeof(figure.text), "%.1f", a_second);
    return figure;
}

struct sl_figure sl_figure_time(double seconds)
{
    struct sl_figure figure = {"-"};
    bool is_past = seconds < 0;
    double size = fabs(seconds);

    if (!is_figure(seconds)) {
        return figure;
    }
    const char *sign = is_past && size >= 0.05 ? "-" : "";
    if (size < 9.95) {
        snprintf(figure.text, sizeof(figure.text), "%s%.1fs", sign, size);
    } else if (size < MINUTE_S - 0.5) {
        snprintf(figure.text, sizeof(figure.text), "%s%.0fs", sign, size);
    } else if (size >= (double)MOST_DAYS * DAY_S) {
        snprintf(figure.text, sizeof(figure.text), "%s>%dd", sign, (int)MOST_DAYS);
    } else {
        long long whole = (long long)(size + 0.5);
        int days = (int)(whole / DAY_S);
        int hours = (int)(whole % DAY_S / HOUR_S);
        int minutes = (int)(whole % HOUR_S / MINUTE_S);
        if (days) {
            snprintf(figure.text, sizeof(figure.text), "%s%dd%02dh", sign, days, hours);
        } else if (hours) {
            snprintf(figure.text, sizeof(figure.text), "%s%dh%02dm", sign, hours, minutes);
        } else {
            snprintf(figure.text, sizeof(figure.text), "%s%dm%02ds", sign, minutes,
                     (int)(whole % MINUTE_S));
        }
    }
    return figure;
}

/* The bytes of the first character, and its columns. */
static size_t step(struct sl_str text, size_t *columns)
{
    uint32_t rune = 0;
    size_t len = sl_utf8_decode(text, &rune);
    int width = len ? wcwidth((wchar_t)rune) : 1;

    *columns = width < 0 ? 1 : (size_t)width;
    return len ? len : 1;
}

size_t sl_text_fit(struct sl_str text, size_t columns)
{
    size_t at = 0;
    size_t width;

    while (at < text.len) {
        size_t len = step((struct sl_str){text.data + at, text.len - at}, &width);
        if (width > columns) {
            break;
        }
        columns -= width;
        at += len;
    }
    return at;
}

size_t sl_text_width(struct sl_str text)
{
    size_t all = 0;
    size_t width;

    while (text.len) {
        size_t len = step(text, &width);
        all += width;
        text = (struct sl_str){text.data + len, text.len - len};
    }
    return all;
}
