/* events.h - the last decisions of the log, for those who ask: what was said, numbered.
 *
 * It listens in on the log (sl_log_tap): lines of info and above, at most SL_EVENTS_MAX of them and
 * at most SL_EVENTS_BYTES together; the oldest go. Any thread; one lock, held for a copy.
 */
#ifndef SLUICE_DAEMON_EVENTS_H
#define SLUICE_DAEMON_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "admin/json.h"
#include "base/base.h"
#include "base/log.h"

enum {
    SL_EVENTS_MAX = 1000,
    SL_EVENTS_BYTES = 48 * 1024,
};

struct sl_events;

/* NULL when memory is out. */
struct sl_events *sl_events_new(void) SL_MUST_CHECK;
void sl_events_free(struct sl_events *events); /* once the log tells it nothing any more */

/* What sl_log_tap takes; `arg` is the sl_events. Without memory the event is left out, and its
 * number is missing. */
void sl_events_hear(void *arg, const struct sl_log_event *event);

/* Which of them are asked for. */
struct sl_events_part {
    uint64_t after; /* those with a larger number */
    size_t limit;
    bool is_newest; /* of more than `limit` the last ones; else the first ones */
};

/* {"next": N, "events": [...]}: those, the oldest first; N is the `after` of the next question. */
json_t *sl_events_json(struct sl_events *events, struct sl_json *json,
                       const struct sl_events_part *part);

#endif
