/* log.h - one line for one decision, on standard error, in logfmt.
 *
 *     time=2026-11-21T08:00:00.123Z level=info target=leaf1 subscription=counters msg="..." k=v
 *
 * The line is logged once, where the decision is taken. Any thread may log: a line is one write().
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdbool.h>

#include "base/base.h"

enum sl_log_level { SL_LOG_DEBUG, SL_LOG_INFO, SL_LOG_WARN, SL_LOG_ERROR };

enum { SL_LOG_LINE_BYTES = 2048 }; /* a longer line is cut off */

/* Lines below `level` are not printed (the start: SL_LOG_INFO). Call before threads start. */
void sl_log_set_level(enum sl_log_level level);
bool sl_log_is_on(enum sl_log_level level);

/* `subject` is logfmt that says who speaks ("target=leaf1 subscription=counters"), or NULL.
 * `format` makes the rest of the line, logfmt too: words with blanks are quoted by the caller. */
void sl_log(enum sl_log_level level, const char *subject, const char *format, ...) SL_PRINTF(3, 4);

#endif
