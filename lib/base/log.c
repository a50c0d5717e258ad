#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum sl_log_level lowest_level = SL_LOG_INFO; /* written before threads start */

static const char *const level_names[] = {
    [SL_LOG_DEBUG] = "debug",
    [SL_LOG_INFO] = "info",
    [SL_LOG_WARN] = "warn",
    [SL_LOG_ERROR] = "error",
};

void sl_log_set_level(enum sl_log_level level)
{
    lowest_level = level;
}

bool sl_log_is_on(enum sl_log_level level)
{
    return level >= lowest_level;
}

static size_t put_head(char *line, size_t cap, enum sl_log_level level, const char *subject)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    int len = snprintf(line, cap, "time=%s.%03ldZ level=%s%s%s ", stamp, now.tv_nsec / 1000000,
                       level_names[level], subject ? " " : "", subject ? subject : "");
    return len < 0 ? 0 : sl_min_size((size_t)len, cap - 1);
}

void sl_log(enum sl_log_level level, const char *subject, const char *format, ...)
{
    char line[SL_LOG_LINE_BYTES];
    va_list args;

    if (!sl_log_is_on(level)) {
        return;
    }
    size_t len = put_head(line, sizeof(line), level, subject);
    va_start(args, format);
    int more = vsnprintf(line + len, sizeof(line) - len, format, args);
    va_end(args);
    len = more < 0 ? len : sl_min_size(len + (size_t)more, sizeof(line) - 1);
    line[len] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len + 1);
    (void)written; /* nobody is left to tell */
}
