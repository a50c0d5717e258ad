/* ended.h - what routes have counted that are no more: the ledger of a worker, of which no update
 * may vanish with its stream.
 *
 * By the names of the sinks, of which there are few. One thread.
 */
#ifndef SLUICE_STREAM_ENDED_H
#define SLUICE_STREAM_ENDED_H

#include <stddef.h>

#include "stream/route.h"

enum { SL_ENDED_SINKS = 64 }; /* with names of their own; the rest is one */

struct sl_ended_row {
    char *sink; /* the sums' own */
    struct sl_route_counts counts;
};

/* Zeroed storage is empty. */
struct sl_ended {
    struct sl_ended_row *rows; /* NULL: nothing has ended */
    size_t count;
    struct sl_route_counts rest; /* of sinks that found no row */
};

void sl_ended_fini(struct sl_ended *ended);
void sl_ended_add(struct sl_ended *ended, const char *sink, const struct sl_route_counts *counts);

#endif
