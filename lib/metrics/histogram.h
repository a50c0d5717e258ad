/* histogram.h - how long things took, as counts in buckets that double.
 *
 * The bounds are fixed: SL_HISTOGRAM_FIRST_NS, twice that, and so on to nine minutes; the last
 * bucket has no bound. So histograms of several workers can be added up, and one is no larger than
 * that. One thread.
 */
#ifndef SLUICE_METRICS_HISTOGRAM_H
#define SLUICE_METRICS_HISTOGRAM_H

#include <stdint.h>

#include "base/base.h"

enum { SL_HISTOGRAM_BOUNDS = 22 };

#define SL_HISTOGRAM_FIRST_NS INT64_C(250000)                    /* 0.25 ms */
#define SL_HISTOGRAM_MOST_NS  (INT64_C(24) * 3600 * SL_NS_PER_S) /* longer is as long in the sum */

/* Zeroed storage is an empty one. */
struct sl_histogram {
    uint64_t counts[SL_HISTOGRAM_BOUNDS + 1]; /* of a bucket alone, without those below it */
    double sum_s;
};

/* The upper bound of a bucket, which belongs to it. `i` < SL_HISTOGRAM_BOUNDS. */
static inline int64_t sl_histogram_bound_ns(unsigned i)
{
    return SL_HISTOGRAM_FIRST_NS << i;
}

/* A negative time, as clocks differ, is none. */
void sl_histogram_record(struct sl_histogram *histogram, int64_t ns);

void sl_histogram_add(struct sl_histogram *sum, const struct sl_histogram *more);

#endif
