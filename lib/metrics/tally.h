/* tally.h - how often each of a few things happened.
 *
 * The names are literals (sl_status_reason): a peer cannot make new ones. What finds no row any
 * more is counted as "other". One thread; copied as it is.
 */
#ifndef SLUICE_METRICS_TALLY_H
#define SLUICE_METRICS_TALLY_H

#include <stddef.h>
#include <stdint.h>

enum { SL_TALLY_ROWS = 12 }; /* the last is "other" */

struct sl_tally_row {
    const char *name; /* NULL: from here on nothing was counted yet */
    uint64_t count;
};

/* Zeroed storage is an empty one. */
struct sl_tally {
    struct sl_tally_row rows[SL_TALLY_ROWS];
};

void sl_tally_add(struct sl_tally *tally, const char *name);

#endif
