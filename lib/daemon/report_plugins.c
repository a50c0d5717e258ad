/* What plugins do with the records that they have, what they are in trouble with, and what they do
 * wrong: families of the metrics page. */
#include <stdio.h>

#include "daemon/report.h"
#include "metrics/text.h"

enum { DIGITS = 16, LABELS = 4 };

struct family {
    const char *name;
    enum sl_metric_type type;
    const char *help;
};

static const struct family overdue = {"sluice_sink_overdue_records", SL_METRIC_GAUGE,
                                      "Records out for longer than overdue-after."};
static const struct family oldest = {"sluice_sink_oldest_record_seconds", SL_METRIC_GAUGE,
                                     "How long the oldest record is out."};
static const struct family full = {"sluice_sink_full_seconds", SL_METRIC_GAUGE,
                                   "Since the sink said that it is full; 0: it has room."};
static const struct family bugs = {"sluice_plugin_bugs", SL_METRIC_COUNTER,
                                   "What a plugin did against its interface, and what it was."};

static const struct family restarts = {"sluice_sink_restarts", SL_METRIC_COUNTER,
                                       "How often the sink had to start anew."};
static const struct family backoff = {"sluice_sink_backoff_seconds", SL_METRIC_GAUGE,
                                      "The longest wait before something is tried again."};
static const struct family errors = {"sluice_sink_errors", SL_METRIC_COUNTER,
                                     "What the sink was in trouble with, and how often."};
static const struct family troubled = {"sluice_sink_troubled", SL_METRIC_GAUGE,
                                       "1 while it is in trouble with that."};

/* The labels of a sink's row; `worker` has DIGITS. */
static void fill_labels(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                        char *worker, struct sl_metric_label *labels)
{
    snprintf(worker, DIGITS, "%u", snapshot->worker);
    labels[0] = (struct sl_metric_label){"sink", sl_str_from(row->spec->name)};
    labels[1] = (struct sl_metric_label){"plugin", sl_str_from(row->spec->plugin->type)};
    labels[2] = (struct sl_metric_label){"worker", sl_str_from(worker)};
}

static void put_overdue(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                        struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    sl_metrics_u64(out, overdue.name, overdue.type, labels, 3, row->overdue);
}

static void put_full(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                     struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    sl_metrics_seconds(out, full.name, full.type, labels, 3, row->full_ns);
}

static void put_oldest(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                       struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    sl_metrics_seconds(out, oldest.name, oldest.type, labels, 3, row->oldest_ns);
}

/* Those that there were. */
static void put_bugs(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                     struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    for (int i = 0; i < SL_BUGS; i++) {
        labels[3] =
            (struct sl_metric_label){"bug", sl_str_from(sl_sink_bug_name((enum sl_sink_bug)i))};
        if (row->bugs[i]) {
            sl_metrics_u64(out, bugs.name, bugs.type, labels, LABELS, row->bugs[i]);
        }
    }
}

static void put_restarts(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                         struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    sl_metrics_u64(out, restarts.name, restarts.type, labels, 3, row->stats.restarts);
}

static void put_backoff(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                        struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    sl_metrics_seconds(out, backoff.name, backoff.type, labels, 3, row->stats.backoff_ns);
}

static void put_errors(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                       struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    for (uint32_t i = 0; i < row->stats.trouble_count; i++) {
        const struct sluice_trouble *trouble = &row->stats.troubles[i];
        labels[3] = (struct sl_metric_label){"reason", sl_str_from(trouble->reason)};
        sl_metrics_u64(out, errors.name, errors.type, labels, LABELS, trouble->count);
    }
}

static void put_troubled(const struct sl_snapshot *snapshot, const struct sl_sink_row *row,
                         struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];
    char worker[DIGITS];

    fill_labels(snapshot, row, worker, labels);
    for (uint32_t i = 0; i < row->stats.trouble_count; i++) {
        const struct sluice_trouble *trouble = &row->stats.troubles[i];
        labels[3] = (struct sl_metric_label){"reason", sl_str_from(trouble->reason)};
        sl_metrics_u64(out, troubled.name, troubled.type, labels, LABELS, trouble->is_now);
    }
}

static void put_family(const struct family *family, const struct sl_snapshot *snapshots,
                       size_t count,
                       void (*put)(const struct sl_snapshot *snapshot,
                                   const struct sl_sink_row *row, struct sl_buf *out),
                       struct sl_buf *out)
{
    sl_metrics_family(out, family->name, family->type, family->help);
    for (size_t w = 0; w < count; w++) {
        for (size_t s = 0; s < snapshots[w].sink_count; s++) {
            put(&snapshots[w], &snapshots[w].sinks[s], out);
        }
    }
}

void sl_report_plugins(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    put_family(&overdue, snapshots, count, put_overdue, out);
    put_family(&oldest, snapshots, count, put_oldest, out);
    put_family(&full, snapshots, count, put_full, out);
    put_family(&restarts, snapshots, count, put_restarts, out);
    put_family(&backoff, snapshots, count, put_backoff, out);
    put_family(&errors, snapshots, count, put_errors, out);
    put_family(&troubled, snapshots, count, put_troubled, out);
    put_family(&bugs, snapshots, count, put_bugs, out);
}
