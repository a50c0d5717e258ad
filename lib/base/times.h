/* times.h - points in time, as an operator writes them. */
#ifndef SLUICE_BASE_TIMES_H
#define SLUICE_BASE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* Nanoseconds since 1970 of "1763712000000000000" (the same), or of RFC 3339's
 * "2026-11-21T08:00:00.123Z" and "2026-11-21t10:00:00+02:00". */
bool sl_time_read(const char *text, int64_t *ns) SL_MUST_CHECK;

#endif
