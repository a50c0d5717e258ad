#include "base/times.h"

#include <string.h>
#include <time.h>

#include "base/str.h"

enum { NS_DIGITS = 9, HOURS_OF_DAY = 24, MINUTES_OF_HOUR = 60 };

/* `count` digits at the front, which they are taken from. */
static bool take_number(const char **at, size_t count, int64_t *number)
{
    uint64_t value;

    if (strnlen(*at, count) < count || !sl_str_to_u64((struct sl_str){*at, count}, &value)) {
        return false;
    }
    *number = (int64_t)value;
    *at += count;
    return true;
}

static bool take_byte(const char **at, const char *bytes)
{
    bool is_there = **at && strchr(bytes, **at);

    *at += is_there;
    return is_there;
}

/* What is behind a point, to the ninth digit. */
static bool take_fraction(const char **at, int64_t *ns)
{
    size_t digits = 0;

    *ns = 0;
    if (!take_byte(at, ".")) {
        return true;
    }
    for (; **at >= '0' && **at <= '9'; ++*at, digits++) {
        *ns = digits < NS_DIGITS ? *ns * 10 + (**at - '0') : *ns;
    }
    for (size_t i = digits; i < NS_DIGITS; i++) {
        *ns *= 10;
    }
    return digits > 0;
}

/* "Z", or the hours and minutes that the clock is ahead. */
static bool take_zone(const char **at, int64_t *seconds)
{
    bool is_behind = **at == '-';
    int64_t hours;
    int64_t minutes;

    *seconds = 0;
    if (take_byte(at, "Zz")) {
        return true;
    }
    if (!take_byte(at, "+-") || !take_number(at, 2, &hours) || !take_byte(at, ":") ||
        !take_number(at, 2, &minutes) || hours >= HOURS_OF_DAY || minutes >= MINUTES_OF_HOUR) {
        return false;
    }
    *seconds = (hours * MINUTES_OF_HOUR + minutes) * MINUTES_OF_HOUR * (is_behind ? -1 : 1);
    return true;
}

static bool take_date(const char **at, struct tm *tm)
{
    int64_t year, month, day, hour, minute, second;

    if (!take_number(at, 4, &year) || !take_byte(at, "-") || !take_number(at, 2, &month) ||
        !take_byte(at, "-") || !take_number(at, 2, &day) || !take_byte(at, "Tt ") ||
        !take_number(at, 2, &hour) || !take_byte(at, ":") || !take_number(at, 2, &minute) ||
        !take_byte(at, ":") || !take_number(at, 2, &second)) {
        return false;
    }
    *tm = (struct tm){.tm_year = (int)year - 1900,
                      .tm_mon = (int)month - 1,
                      .tm_mday = (int)day,
                      .tm_hour = (int)hour,
                      .tm_min = (int)minute,
                      .tm_sec = (int)second};
    return year >= 1970 && year < 2262 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           hour < HOURS_OF_DAY && minute < MINUTES_OF_HOUR && second <= 60;
}

bool sl_time_read(const char *text, int64_t *ns)
{
    uint64_t number;
    int64_t fraction, ahead;
    struct tm tm;

    if (sl_str_to_u64(sl_str_from(text), &number)) {
        *ns = (int64_t)number;
        return number <= INT64_MAX;
    }
    if (!take_date(&text, &tm) || !take_fraction(&text, &fraction) || !take_zone(&text, &ahead) ||
        *text) {
        return false;
    }
    struct tm day = tm;
    int64_t seconds = (int64_t)timegm(&tm);

    *ns = (seconds - ahead) * SL_NS_PER_S + fraction;
    return tm.tm_mday == day.tm_mday || day.tm_sec == 60; /* not the 31st of November */
}
