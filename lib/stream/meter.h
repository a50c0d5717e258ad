/* meter.h - how long it took, of all streams of one subscription to one sink.
 *
 * Such times are kept for a worker's streams together, not for each of them: a histogram is larger
 * than what an idle stream has. A worker has at most SL_METERS_MOST of these, made when a route is
 * first made for that subscription and sink, and kept until its end; routes beyond that, or without
 * memory for their own, share one whose names are "other". One thread.
 */
#ifndef SLUICE_STREAM_METER_H
#define SLUICE_STREAM_METER_H

#include <stddef.h>

#include "base/list.h"
#include "metrics/histogram.h"

enum { SL_METERS_MOST = 1024 };

struct sl_meter {
    struct sl_list node;
    const char *subscription;
    const char *sink;
    struct sl_histogram lag;     /* from a record's time, the device's, to its acknowledgement */
    struct sl_histogram blocked; /* what each wait of a device for credit took */
};

struct sl_meters {
    struct sl_list list;
    size_t count; /* of them, but for the other */
    struct sl_meter other;
};

void sl_meters_init(struct sl_meters *meters);
void sl_meters_fini(struct sl_meters *meters); /* nobody has one any more */

/* The meter for these names, which are copied. It lives as long as `meters`. */
struct sl_meter *sl_meters_find(struct sl_meters *meters, const char *subscription,
                                const char *sink);

#endif
