/* How long things take: families of histograms on the metrics page, each over all workers. */
#include <stdlib.h>
#include <string.h>

#include "daemon/report.h"
#include "metrics/text.h"

enum { MOST_NAMES = 2 };

/* One worker's histogram of what has these names; the second is NULL where there is but one. */
struct part {
    const char *names[MOST_NAMES];
    const struct sl_histogram *histogram;
};

struct parts {
    struct part *list;
    size_t count;
};

struct family {
    const char *name;
    const char *help;
    const char *labels[MOST_NAMES];
    void (*collect)(const struct sl_snapshot *snapshot, struct parts *parts);
};

static void add(struct parts *parts, const char *first, const char *second,
                const struct sl_histogram *histogram)
{
    parts->list[parts->count++] = (struct part){.names = {first, second}, .histogram = histogram};
}

static void collect_lag(const struct sl_snapshot *snapshot, struct parts *parts)
{
    for (size_t i = 0; i < snapshot->meter_count; i++) {
        const struct sl_meter_row *row = &snapshot->meters[i];
        add(parts, row->subscription, row->sink, &row->lag);
    }
}

static void collect_blocked(const struct sl_snapshot *snapshot, struct parts *parts)
{
    for (size_t i = 0; i < snapshot->meter_count; i++) {
        const struct sl_meter_row *row = &snapshot->meters[i];
        add(parts, row->subscription, NULL, &row->blocked);
    }
}

static void collect_latency(const struct sl_snapshot *snapshot, struct parts *parts)
{
    for (size_t i = 0; i < snapshot->sink_count; i++) {
        const struct sl_sink_row *row = &snapshot->sinks[i];
        add(parts, row->spec->name, NULL, &row->latency);
    }
}

static const struct family families[] = {
    {"sluice_lag_seconds",
     "From the device's time of a record to its acknowledgement by the sink; without initial "
     "state.",
     {"subscription", "sink"},
     collect_lag},
    {"sluice_sink_report_latency_seconds",
     "From a record taken by the sink to its acknowledgement.",
     {"sink"},
     collect_latency},
    {"sluice_blocked_seconds",
     "How long devices waited each time that they had no credit to go on with.",
     {"subscription"},
     collect_blocked},
};

static int compare(const void *a, const void *b)
{
    const struct part *left = a;
    const struct part *right = b;
    int order = strcmp(left->names[0], right->names[0]);

    return order == 0 && left->names[1] ? strcmp(left->names[1], right->names[1]) : order;
}

/* Those with the same names stand together: one histogram of them all. */
static void put(const struct family *family, const struct parts *parts, struct sl_buf *out)
{
    for (size_t i = 0, next; i < parts->count; i = next) {
        const struct part *part = &parts->list[i];
        struct sl_histogram sum = *part->histogram;
        for (next = i + 1; next < parts->count && compare(part, &parts->list[next]) == 0; next++) {
            sl_histogram_add(&sum, parts->list[next].histogram);
        }
        struct sl_metric_label labels[MOST_NAMES];
        size_t count = 0;
        for (; count < MOST_NAMES && part->names[count]; count++) {
            labels[count] =
                (struct sl_metric_label){family->labels[count], sl_str_from(part->names[count])};
        }
        sl_metrics_histogram(out, family->name, labels, count, &sum);
    }
}

void sl_report_times(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    struct parts parts = {0};
    size_t most = 0;

    for (size_t w = 0; w < count; w++) {
        most += snapshots[w].meter_count + snapshots[w].sink_count;
    }
    parts.list = calloc(most + 1, sizeof(*parts.list));
    out->failed = out->failed || !parts.list;
    for (size_t f = 0; parts.list && f < SL_ARRAY_LEN(families); f++) {
        sl_metrics_family(out, families[f].name, SL_METRIC_HISTOGRAM, families[f].help);
        parts.count = 0;
        for (size_t w = 0; w < count; w++) {
            families[f].collect(&snapshots[w], &parts);
        }
        qsort(parts.list, parts.count, sizeof(*parts.list), compare);
        put(&families[f], &parts, out);
    }
    free(parts.list);
}
