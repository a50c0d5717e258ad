/* What plugins do with the records that they have, what they are in trouble with, and what they do
 * wrong: families of the metrics page. */
#include <stdio.h>

#include "daemon/report.h"
#include "metrics/text.h"

enum { DIGITS = 16, OWN_LABELS = 3, LABELS = OWN_LABELS + 1 };

struct family {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    /* Of one sink's row; `labels` has its own OWN_LABELS, and room for one more. */
    void (*put)(const struct family *family, const struct sl_sink_row *row,
                struct sl_metric_label *labels, struct sl_buf *out);
};

static void put_overdue(const struct family *family, const struct sl_sink_row *row,
                        struct sl_metric_label *labels, struct sl_buf *out)
{
    sl_metrics_u64(out, family->name, family->type, labels, OWN_LABELS, row->overdue);
}

static void put_full(const struct family *family, const struct sl_sink_row *row,
                     struct sl_metric_label *labels, struct sl_buf *out)
{
    sl_metrics_seconds(out, family->name, family->type, labels, OWN_LABELS, row->full_ns);
}

static void put_oldest(const struct family *family, const struct sl_sink_row *row,
                       struct sl_metric_label *labels, struct sl_buf *out)
{
    sl_metrics_seconds(out, family->name, family->type, labels, OWN_LABELS, row->oldest_ns);
}

/* Those that there were. */
static void put_bugs(const struct family *family, const struct sl_sink_row *row,
                     struct sl_metric_label *labels, struct sl_buf *out)
{
    for (int i = 0; i < SL_BUGS; i++) {
        labels[OWN_LABELS] =
            (struct sl_metric_label){"bug", sl_str_from(sl_sink_bug_name((enum sl_sink_bug)i))};
        if (row->bugs[i]) {
            sl_metrics_u64(out, family->name, family->type, labels, LABELS, row->bugs[i]);
        }
    }
}

static void put_restarts(const struct family *family, const struct sl_sink_row *row,
                         struct sl_metric_label *labels, struct sl_buf *out)
{
    sl_metrics_u64(out, family->name, family->type, labels, OWN_LABELS, row->stats.restarts);
}

static void put_backoff(const struct family *family, const struct sl_sink_row *row,
                        struct sl_metric_label *labels, struct sl_buf *out)
{
    sl_metrics_seconds(out, family->name, family->type, labels, OWN_LABELS, row->stats.backoff_ns);
}

static struct sl_metric_label label_of(const struct sluice_trouble *trouble)
{
    return (struct sl_metric_label){"reason", sl_str_from(trouble->reason)};
}

static void put_errors(const struct family *family, const struct sl_sink_row *row,
                       struct sl_metric_label *labels, struct sl_buf *out)
{
    for (uint32_t i = 0; i < row->stats.trouble_count; i++) {
        const struct sluice_trouble *trouble = &row->stats.troubles[i];
        labels[OWN_LABELS] = label_of(trouble);
        sl_metrics_u64(out, family->name, family->type, labels, LABELS, trouble->count);
    }
}

static void put_troubled(const struct family *family, const struct sl_sink_row *row,
                         struct sl_metric_label *labels, struct sl_buf *out)
{
    for (uint32_t i = 0; i < row->stats.trouble_count; i++) {
        const struct sluice_trouble *trouble = &row->stats.troubles[i];
        labels[OWN_LABELS] = label_of(trouble);
        sl_metrics_u64(out, family->name, family->type, labels, LABELS, trouble->is_now);
    }
}

static const struct family families[] = {
    {"sluice_sink_overdue_records", SL_METRIC_GAUGE, "Records out for longer than overdue-after.",
     put_overdue},
    {"sluice_sink_oldest_record_seconds", SL_METRIC_GAUGE, "How long the oldest record is out.",
     put_oldest},
    {"sluice_sink_full_seconds", SL_METRIC_GAUGE,
     "Since the sink said that it is full; 0: it has room.", put_full},
    {"sluice_sink_restarts", SL_METRIC_COUNTER, "How often the sink had to start anew.",
     put_restarts},
    {"sluice_sink_backoff_seconds", SL_METRIC_GAUGE,
     "The longest wait before something is tried again.", put_backoff},
    {"sluice_sink_errors", SL_METRIC_COUNTER, "What the sink was in trouble with, and how often.",
     put_errors},
    {"sluice_sink_troubled", SL_METRIC_GAUGE, "1 while it is in trouble with that.", put_troubled},
    {"sluice_plugin_bugs", SL_METRIC_COUNTER,
     "What a plugin did against its interface, and what it was.", put_bugs},
};

static void put_row(const struct family *family, unsigned worker, const struct sl_sink_row *row,
                    struct sl_buf *out)
{
    char digits[DIGITS];

    snprintf(digits, sizeof(digits), "%u", worker);
    struct sl_metric_label labels[LABELS] = {
        {"sink", sl_str_from(row->spec->name)},
        {"plugin", sl_str_from(row->spec->plugin->type)},
        {"worker", sl_str_from(digits)},
    };
    family->put(family, row, labels, out);
}

void sl_report_plugins(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(families); f++) {
        sl_metrics_family(out, families[f].name, families[f].type, families[f].help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].sink_count; s++) {
                put_row(&families[f], snapshots[w].worker, &snapshots[w].sinks[s], out);
            }
        }
    }
}
