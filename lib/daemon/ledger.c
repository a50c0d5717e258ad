#include "daemon/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/settings.h"
#include "metrics/text.h"

enum {
    LEDGER_FIELDS = 5 + SL_DROP_REASONS,
    DROPPED_BYTES = 32,
};

/* ---- adding up ---- */

static struct sl_route_counts *of_sink(struct sl_ledger *sums, const char *name)
{
    size_t i = 0;

    while (i < sums->sink_count && strcmp(sums->sinks[i].name, name) != 0) {
        i++;
    }
    i = i < SL_LEDGER_SINKS ? i : SL_LEDGER_SINKS - 1; /* that many names end up in the last */
    sums->sinks[i].name = name;
    sums->sink_count += i == sums->sink_count;
    return &sums->sinks[i].counts;
}

static void add_stream(struct sl_ledger *sums, const struct sl_stream_row *row)
{
    for (size_t i = 0; i < row->route_count; i++) {
        const struct sl_route_row *route = &row->routes[i];
        SL_INVARIANT(sl_route_counts_are_valid(&route->counts));
        sl_route_counts_add(of_sink(sums, route->sink->name), &route->counts);
        sl_route_counts_add(&sums->all, &route->counts);
    }
}

void sl_ledger_add_up(struct sl_ledger *sums, const struct sl_snapshot *snapshots, size_t count)
{
    *sums = (struct sl_ledger){.sink_count = 0};
    for (size_t w = 0; w < count; w++) {
        for (size_t s = 0; s < snapshots[w].stream_count; s++) {
            add_stream(sums, &snapshots[w].streams[s]);
        }
        for (size_t e = 0; e < snapshots[w].ended_count; e++) {
            const struct sl_ended_row *row = &snapshots[w].ended[e];
            sl_route_counts_add(of_sink(sums, row->sink), &row->counts);
            sl_route_counts_add(&sums->all, &row->counts);
        }
    }
}

/* ---- metrics ---- */

/* Gauges, as one of them is: what they are together is the equation. */
static void put_state(struct sl_buf *out, const char *family, struct sl_metric_label *labels,
                      size_t count, const char *state, uint64_t value)
{
    labels[count] = (struct sl_metric_label){"state", sl_str_from(state)};
    sl_metrics_u64(out, family, SL_METRIC_GAUGE, labels, count + 1, value);
}

static void put_counts(struct sl_buf *out, const char *family, const char *sink,
                       const struct sl_route_counts *counts)
{
    struct sl_metric_label labels[3] = {{"sink", sl_str_from(sink ? sink : "")}};
    size_t count = sink != NULL;

    put_state(out, family, labels, count, "received", counts->received);
    put_state(out, family, labels, count, "published", counts->published);
    put_state(out, family, labels, count, "filtered", counts->filtered);
    put_state(out, family, labels, count, "held", counts->held);
    for (int i = 0; i < SL_DROP_REASONS; i++) {
        const char *reason = sl_drop_reason_name((enum sl_drop_reason)i);
        labels[count] = (struct sl_metric_label){"reason", sl_str_from(reason)};
        put_state(out, family, labels, count + 1, "dropped", counts->dropped[i]);
    }
}

void sl_ledger_metrics(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    struct sl_ledger sums;

    sl_ledger_add_up(&sums, snapshots, count);
    sl_metrics_family(out, "sluice_sink_ledger", SL_METRIC_GAUGE,
                      "Updates and deletes of a sink: received is the sum of all others.");
    for (size_t i = 0; i < sums.sink_count; i++) {
        put_counts(out, "sluice_sink_ledger", sums.sinks[i].name, &sums.sinks[i].counts);
    }
    sl_metrics_family(out, "sluice_ledger", SL_METRIC_GAUGE, "The same over all sinks.");
    put_counts(out, "sluice_ledger", NULL, &sums.all);
}

/* ---- the log ---- */

/* `stream` is its number; NULL: a sum of several. */
static void log_counts(const struct sl_log_field *who, size_t who_count, const uint64_t *stream,
                       const struct sl_route_counts *counts)
{
    struct sl_log_field fields[LEDGER_FIELDS] = {
        sl_log_u64("received", counts->received),
        sl_log_u64("published", counts->published),
        sl_log_u64("filtered", counts->filtered),
        sl_log_u64("held", counts->held),
    };
    char names[SL_DROP_REASONS][DROPPED_BYTES];
    struct sl_log_subject subject;
    size_t count = 4;

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        snprintf(names[i], sizeof(names[i]), "dropped.%s",
                 sl_drop_reason_name((enum sl_drop_reason)i));
        fields[count++] = sl_log_u64(names[i], counts->dropped[i]);
    }
    fields[count++] = sl_log_text("balances", sl_route_counts_are_valid(counts) ? "yes" : "NO");
    sl_log_subject_init(&subject, who, who_count);
    subject.stream = stream;
    sl_log_fields(SL_LOG_INFO, &subject, "ledger", fields, count);
}

/* Each route; and the stream, where that is more. */
static void log_stream(const struct sl_stream_row *row)
{
    struct sl_route_counts sum = {0};

    for (size_t i = 0; i < row->route_count; i++) {
        const struct sl_route_row *route = &row->routes[i];
        const struct sl_log_field who[] = {
            sl_log_text("target", row->view.target),
            sl_log_text("subscription", route->subscription),
            sl_log_text("sink", route->sink->name),
        };
        log_counts(who, SL_ARRAY_LEN(who), &row->view.epoch, &route->counts);
        sl_route_counts_add(&sum, &route->counts);
    }
    const struct sl_log_field who[] = {
        sl_log_text("target", row->view.target),
        sl_log_text("subscription", row->view.subscription),
        sl_log_text("sum", "stream"),
    };
    if (row->route_count > 1) {
        log_counts(who, SL_ARRAY_LEN(who), &row->view.epoch, &sum);
    }
}

void sl_ledger_log(const struct sl_snapshot *snapshots, size_t count)
{
    const struct sl_log_field everything = sl_log_text("sum", "all");
    struct sl_ledger sums;

    for (size_t w = 0; w < count; w++) {
        for (size_t s = 0; s < snapshots[w].stream_count; s++) {
            log_stream(&snapshots[w].streams[s]);
        }
    }
    sl_ledger_add_up(&sums, snapshots, count);
    for (size_t i = 0; i < sums.sink_count; i++) {
        const struct sl_log_field who[] = {
            sl_log_text("sink", sums.sinks[i].name),
            sl_log_text("sum", "sink"),
        };
        log_counts(who, SL_ARRAY_LEN(who), NULL, &sums.sinks[i].counts);
    }
    log_counts(&everything, 1, NULL, &sums.all);
}
