/* text.h - metrics as text (OpenMetrics 1.0, which Prometheus reads).
 *
 * A page is a sequence of families; all samples of a family stand together, behind its head. The
 * writer adds to a buffer and never fails by itself: a full buffer is `failed`.
 */
#ifndef SLUICE_METRICS_TEXT_H
#define SLUICE_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "metrics/histogram.h"

enum sl_metric_type {
    SL_METRIC_COUNTER,
    SL_METRIC_GAUGE,
    SL_METRIC_INFO,
    SL_METRIC_HISTOGRAM,
};

struct sl_metric_label {
    const char *name;
    struct sl_str value; /* any bytes: backslash, quote and line feed are escaped, control
                            characters and what is not UTF-8 become '?' (one bad byte would make
                            the reader refuse the whole page) */
};

/* The head of a family. `name` is without the "_total" of a counter or the "_info" of an info, and
 * ends with its unit where it has one ("_bytes", "_seconds"), which the head then names. `help` is
 * one line. */
void sl_metrics_family(struct sl_buf *out, const char *name, enum sl_metric_type type,
                       const char *help);

/* The samples of one histogram of the family `name`, in seconds: its buckets, how many times there
 * were, and their sum. At most SL_METRIC_HISTOGRAM_LABELS labels, none of them "le". */
enum { SL_METRIC_HISTOGRAM_LABELS = 4 };
void sl_metrics_histogram(struct sl_buf *out, const char *name,
                          const struct sl_metric_label *labels, size_t count,
                          const struct sl_histogram *histogram);

/* One sample of the family `name` of type `type`, which is no histogram: its suffix is added. */
void sl_metrics_u64(struct sl_buf *out, const char *name, enum sl_metric_type type,
                    const struct sl_metric_label *labels, size_t count, uint64_t value);

/* A time in nanoseconds, written in seconds with nine digits behind the point. */
void sl_metrics_seconds(struct sl_buf *out, const char *name, enum sl_metric_type type,
                        const struct sl_metric_label *labels, size_t count, int64_t value_ns);

/* The last line of a page. */
void sl_metrics_end(struct sl_buf *out);

#endif
