/* quarantine.h - paths that the device refuses, and when each is tried again.
 *
 * A path that was refused waits `first` until the next try, and each time that it is refused again
 * twice as long as before, but never longer than `longest`. One that is accepted is as if it had
 * never been here.
 *
 * Pure: time is an argument.
 */
#ifndef SLUICE_STREAM_QUARANTINE_H
#define SLUICE_STREAM_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct sl_quarantined {
    int64_t wait_ns; /* the last one; 0: the path is not in quarantine */
    int64_t due_ns;
};

struct sl_quarantine {
    struct sl_quarantined *paths;
    size_t limit;
    size_t count; /* in quarantine */
    int64_t first_ns;
    int64_t longest_ns;
};

/* For paths with the numbers 0 to limit - 1. False when memory is out. */
bool sl_quarantine_init(struct sl_quarantine *quarantine, size_t limit, int64_t first_ns,
                        int64_t longest_ns) SL_MUST_CHECK;
void sl_quarantine_fini(struct sl_quarantine *quarantine);

bool sl_quarantine_has(const struct sl_quarantine *quarantine, size_t path);

/* The path was refused, for the first time or again; returns how long it waits now. */
int64_t sl_quarantine_put(struct sl_quarantine *quarantine, size_t path, int64_t now_ns);

/* It was accepted. */
void sl_quarantine_release(struct sl_quarantine *quarantine, size_t path);

/* When the first of them is due; INT64_MAX: there are none. */
int64_t sl_quarantine_next(const struct sl_quarantine *quarantine);

/* Writes into `is_in`, a byte for each path, which are due; how many. */
size_t sl_quarantine_due(const struct sl_quarantine *quarantine, int64_t now_ns, uint8_t *is_in);

#endif
