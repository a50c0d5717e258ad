#include "metrics/histogram.h"

void sl_histogram_record(struct sl_histogram *histogram, int64_t ns)
{
    unsigned i = 0;

    ns = ns < 0 ? 0 : ns;
    ns = ns > SL_HISTOGRAM_MOST_NS ? SL_HISTOGRAM_MOST_NS : ns;
    while (i < SL_HISTOGRAM_BOUNDS && ns > sl_histogram_bound_ns(i)) {
        i++;
    }
    histogram->counts[i]++;
    histogram->sum_s += (double)ns / (double)SL_NS_PER_S;
}

void sl_histogram_add(struct sl_histogram *sum, const struct sl_histogram *more)
{
    for (unsigned i = 0; i <= SL_HISTOGRAM_BOUNDS; i++) {
        sum->counts[i] += more->counts[i];
    }
    sum->sum_s += more->sum_s;
}
