/* tally.h - how often each of a few things happened.
 *
 * The names are literals (sl_status_reason): a peer cannot make new ones. What finds no row any
 * more, or no memory for the first, is counted as "other". A tally of nothing has no rows: most
 * streams and connections never end for a reason worth counting. One thread.
 */
#ifndef SLUICE_METRICS_TALLY_H
#define SLUICE_METRICS_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { SL_TALLY_ROWS = 11 }; /* beside "other" */

struct sl_tally_row {
    const char *name; /* NULL: from here on nothing was counted yet */
    uint64_t count;
};

/* Zeroed storage is an empty one. */
struct sl_tally {
    struct sl_tally_row *rows; /* SL_TALLY_ROWS; NULL: nothing was counted yet */
    uint64_t other;
};

void sl_tally_fini(struct sl_tally *tally);

void sl_tally_add(struct sl_tally *tally, const char *name);

/* The row of that number, "other" being the last; `name` NULL behind it. */
struct sl_tally_row sl_tally_row(const struct sl_tally *tally, size_t number);

/* Into the SL_TALLY_ROWS of `rows` and the rest of `copy`, whose rows these become. */
void sl_tally_copy(struct sl_tally *copy, const struct sl_tally *tally, struct sl_tally_row *rows);

#endif
