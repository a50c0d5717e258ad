#include "daemon/report.h"

#include <stdio.h>
#include <string.h>

#include "daemon/ledger.h"
#include "daemon/ready.h"
#include "metrics/text.h"

enum { MAX_LABELS = 5, WORKER_DIGITS = 16 };

/* What a family's writer needs: the page, the family's own name and type. */
struct family {
    struct sl_buf *out;
    const char *name;
    enum sl_metric_type type;
};

static void sample(const struct family *family, const struct sl_metric_label *labels, size_t count,
                   uint64_t value)
{
    sl_metrics_u64(family->out, family->name, family->type, labels, count, value);
}

static void seconds(const struct family *family, const struct sl_metric_label *labels, size_t count,
                    int64_t value_ns)
{
    sl_metrics_seconds(family->out, family->name, family->type, labels, count, value_ns);
}

/* ---- families with a sample per stream and sink ---- */

static size_t route_labels(const struct sl_stream_row *row, const struct sl_route_row *route,
                           struct sl_metric_label *labels)
{
    labels[0] = (struct sl_metric_label){"target", sl_str_from(row->view.target)};
    labels[1] = (struct sl_metric_label){"subscription", sl_str_from(route->subscription)};
    labels[2] = (struct sl_metric_label){"sink", sl_str_from(route->sink->name)};
    return 3;
}

typedef void (*route_fn)(const struct family *family, const struct sl_stream_row *row,
                         const struct sl_route_row *route);

static void put_dropped(const struct family *family, const struct sl_stream_row *row,
                        const struct sl_route_row *route)
{
    struct sl_metric_label labels[MAX_LABELS];
    size_t count = route_labels(row, route, labels);

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        const char *reason = sl_drop_reason_name((enum sl_drop_reason)i);
        labels[count] = (struct sl_metric_label){"reason", sl_str_from(reason)};
        if (route->counts.dropped[i]) {
            sample(family, labels, count + 1, route->counts.dropped[i]);
        }
    }
}

/* Who is held by whom: a sample per place that has records of the stream. */
static void put_held_by(const struct family *family, const struct sl_stream_row *row,
                        const struct sl_route_row *route)
{
    const char *word = route->sink->plugin->destination_word;
    struct sl_metric_label labels[MAX_LABELS];
    size_t count = route_labels(row, route, labels);

    for (size_t i = 0; i < route->place_count; i++) {
        labels[count] = (struct sl_metric_label){word, route->places[i].destination};
        if (route->places[i].held) {
            sample(family, labels, count + (word != NULL), route->places[i].held);
        }
    }
}

static void put_markers(const struct family *family, const struct sl_stream_row *row,
                        const struct sl_route_row *route)
{
    const struct {
        const char *state;
        uint64_t count;
    } parts[] = {
        {"made", route->marks.made},
        {"published", route->marks.published},
        {"dropped", route->marks.dropped},
    };
    struct sl_metric_label labels[MAX_LABELS];
    size_t count = route_labels(row, route, labels);

    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        labels[count] = (struct sl_metric_label){"state", sl_str_from(parts[i].state)};
        if (parts[i].count) {
            sample(family, labels, count + 1, parts[i].count);
        }
    }
}

#define COUNT(field) .offset = offsetof(struct sl_route_row, field)

static const struct {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    route_fn put;  /* NULL: one sample, … */
    size_t offset; /* … an uint64_t of the row */
    bool is_rare;  /* no sample while it is 0 */
} route_families[] = {
    {"sluice_updates_received", SL_METRIC_COUNTER, "Updates and deletes received for a sink.",
     COUNT(counts.received)},
    {"sluice_updates_published", SL_METRIC_COUNTER, "Of them, acknowledged by the sink.",
     COUNT(counts.published)},
    {"sluice_updates_filtered", SL_METRIC_COUNTER, "Of them, left out by rules.",
     COUNT(counts.filtered), .is_rare = true},
    {"sluice_updates_dropped", SL_METRIC_COUNTER, "Of them, lost for good, by reason.",
     .put = put_dropped},
    {"sluice_updates_held", SL_METRIC_GAUGE, "Of them, not acknowledged yet.", COUNT(counts.held),
     .is_rare = true},
    {"sluice_stream_held", SL_METRIC_GAUGE, "Updates held, by who holds them.", .put = put_held_by},
    {"sluice_updates_kept", SL_METRIC_GAUGE,
     "Of those held, kept by a stall policy until the sink takes again.", COUNT(kept),
     .is_rare = true},
    {"sluice_markers", SL_METRIC_COUNTER, "Markers in the data: made, and what became of them.",
     .put = put_markers},
};

static void put_route(size_t f, const struct family *family, const struct sl_stream_row *row,
                      const struct sl_route_row *route)
{
    struct sl_metric_label labels[MAX_LABELS];
    uint64_t value;

    if (route_families[f].put) {
        route_families[f].put(family, row, route);
        return;
    }
    memcpy(&value, (const char *)route + route_families[f].offset, sizeof(value));
    if (value == 0 && route_families[f].is_rare) {
        return;
    }
    sample(family, labels, route_labels(row, route, labels), value);
}

/* ---- families with a sample per stream ---- */

static void put_stream(const struct family *family, const struct sl_stream_row *row, uint64_t value)
{
    struct sl_metric_label labels[] = {
        {"target", sl_str_from(row->view.target)},
        {"subscription", sl_str_from(row->view.subscription)},
    };

    sample(family, labels, SL_ARRAY_LEN(labels), value);
}

static const struct {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    size_t offset; /* of an uint64_t of the view */
    bool is_rare;  /* no sample while it is 0 */
} stream_families[] = {
    {"sluice_stream_messages", SL_METRIC_COUNTER, "Messages received.",
     offsetof(struct sl_stream_view, messages), false},
    {"sluice_stream_received_bytes", SL_METRIC_COUNTER, "Their bytes, prefixes included.",
     offsetof(struct sl_stream_view, message_bytes), false},
    {"sluice_stream_duplicates", SL_METRIC_COUNTER, "Updates that the device merged by itself.",
     offsetof(struct sl_stream_view, duplicates), true},
    {"sluice_stream_syncs", SL_METRIC_COUNTER, "sync_response messages.",
     offsetof(struct sl_stream_view, syncs), false},
    {"sluice_stream_empty_responses", SL_METRIC_COUNTER, "Responses with nothing in them.",
     offsetof(struct sl_stream_view, empties), true},
    {"sluice_stream_unasked_updates", SL_METRIC_COUNTER,
     "Updates and deletes that none of the stream's subscriptions asked for.",
     offsetof(struct sl_stream_view, unasked), true},
    {"sluice_stream_extensions", SL_METRIC_COUNTER,
     "Extensions received, without those of the vendor's header.",
     offsetof(struct sl_stream_view, extensions), true},
    {"sluice_stream_config_syncs", SL_METRIC_COUNTER,
     "Of them, ends of a change of configuration (config subscription).",
     offsetof(struct sl_stream_view, config_syncs), true},
    {"sluice_stream_subscribes", SL_METRIC_COUNTER, "Subscribe calls made.",
     offsetof(struct sl_stream_view, subscribes), false},
    {"sluice_stream_trials", SL_METRIC_COUNTER,
     "Subscribe calls made to find the paths that the device refuses.",
     offsetof(struct sl_stream_view, trials), true},
    {"sluice_stream_stalls", SL_METRIC_COUNTER, "Times that its stall policy had to act.",
     offsetof(struct sl_stream_view, stalls), true},
    {"sluice_stream_kept_bytes", SL_METRIC_GAUGE,
     "Memory for the newest of each path, kept for sinks that stand still.",
     offsetof(struct sl_stream_view, kept_bytes), true},
};

static uint64_t field_u64(const struct sl_stream_view *view, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)view + offset, sizeof(value));
    return value;
}

static void put_synced(const struct family *family, const struct sl_stream_row *row)
{
    put_stream(family, row, row->view.is_synced);
}

static void put_stalled(const struct family *family, const struct sl_stream_row *row)
{
    if (row->view.is_stalled) {
        put_stream(family, row, 1);
    }
}

static void put_stale(const struct family *family, const struct sl_stream_row *row)
{
    if (row->view.is_stale) {
        put_stream(family, row, 1);
    }
}

/* Notifications whose time is not what it should be, by what it is. */
static void put_skewed(const struct family *family, const struct sl_stream_row *row)
{
    const struct sl_clock_counts *clock = &row->view.clock;
    const struct {
        const char *kind;
        uint64_t count;
    } parts[] = {
        {"zero", clock->zero},
        {"negative", clock->negative},
        {"future", clock->future},
        {"past", clock->past},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        struct sl_metric_label labels[] = {
            {"target", sl_str_from(row->view.target)},
            {"subscription", sl_str_from(row->view.subscription)},
            {"kind", sl_str_from(parts[i].kind)},
        };
        if (parts[i].count) {
            sample(family, labels, SL_ARRAY_LEN(labels), parts[i].count);
        }
    }
}

static void put_skew(const struct family *family, const struct sl_stream_row *row)
{
    const struct {
        const char *direction;
        int64_t ns;
    } parts[] = {
        {"ahead", row->view.clock.max_ahead_ns},
        {"behind", row->view.clock.max_behind_ns},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        struct sl_metric_label labels[] = {
            {"target", sl_str_from(row->view.target)},
            {"subscription", sl_str_from(row->view.subscription)},
            {"direction", sl_str_from(parts[i].direction)},
        };
        if (parts[i].ns >= SL_NS_PER_S) {
            seconds(family, labels, SL_ARRAY_LEN(labels), parts[i].ns);
        }
    }
}

static void put_unit(const struct family *family, const struct sl_stream_row *row)
{
    struct sl_metric_label labels[] = {
        {"target", sl_str_from(row->view.target)},
        {"subscription", sl_str_from(row->view.subscription)},
        {"unit", sl_str_from(sl_clock_unit_name(row->view.clock_unit))},
    };

    if (row->view.clock_unit != SL_CLOCK_NS && row->view.clock_unit != SL_CLOCK_AUTO) {
        sample(family, labels, SL_ARRAY_LEN(labels), 1);
    }
}

static void put_reconnects(const struct family *family, const struct sl_stream_row *row)
{
    if (row->view.subscribes > 1) {
        put_stream(family, row, row->view.subscribes - 1);
    }
}

/* A sample for each reason that was ever seen. */
static void put_ends(const struct family *family, const struct sl_tally *tally,
                     const struct sl_metric_label *who, size_t count)
{
    struct sl_metric_label labels[MAX_LABELS];

    memcpy(labels, who, count * sizeof(*who));
    for (size_t i = 0; sl_tally_row(tally, i).name; i++) {
        struct sl_tally_row row = sl_tally_row(tally, i);
        labels[count] = (struct sl_metric_label){"reason", sl_str_from(row.name)};
        sample(family, labels, count + 1, row.count);
    }
}

static void put_stream_ends(const struct family *family, const struct sl_stream_row *row)
{
    const struct sl_metric_label who[] = {
        {"target", sl_str_from(row->view.target)},
        {"subscription", sl_str_from(row->view.subscription)},
    };

    put_ends(family, &row->view.ends, who, SL_ARRAY_LEN(who));
}

/* Of a target with several streams, once. */
static void put_connection_ends(const struct family *family, const struct sl_stream_row *row)
{
    const struct sl_metric_label who[] = {{"target", sl_str_from(row->view.target)}};

    if (row->is_first) {
        put_ends(family, &row->target.ends, who, SL_ARRAY_LEN(who));
    }
}

/* Of each subscription that shares the stream. */
static void put_quarantined(const struct family *family, const struct sl_stream_row *row)
{
    for (size_t i = 0; i < row->member_count; i++) {
        const struct sl_metric_label labels[] = {
            {"target", sl_str_from(row->view.target)},
            {"subscription", sl_str_from(row->members[i].subscription)},
        };
        if (row->members[i].quarantined) {
            sample(family, labels, SL_ARRAY_LEN(labels), row->members[i].quarantined);
        }
    }
}

static void put_state(const struct family *family, const struct sl_stream_row *row)
{
    struct sl_metric_label labels[] = {
        {"target", sl_str_from(row->view.target)},
        {"subscription", sl_str_from(row->view.subscription)},
        {"stream", sl_str_from(sl_stream_state_name(row->view.state))},
        {"connection", sl_str_from(sl_target_state_name(row->target.state))},
        {"last_error", sl_str_from(row->view.last_reason ? row->view.last_reason : "")},
    };

    sample(family, labels, SL_ARRAY_LEN(labels), 1);
}

static void put_lost(const struct family *family, const struct sl_stream_row *row)
{
    if (row->mended.lost) {
        put_stream(family, row, row->mended.lost);
    }
}

static void put_mended(const struct family *family, const struct sl_stream_row *row)
{
    struct sl_metric_label labels[] = {
        {"target", sl_str_from(row->view.target)},
        {"subscription", sl_str_from(row->view.subscription)},
        {"workaround", {NULL, 0}},
    };

    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        if (row->mended.changed[i]) {
            const char *name = sl_gnmi_workaround_name((enum sl_gnmi_workaround)i);
            labels[2].value = sl_str_from(name);
            sample(family, labels, SL_ARRAY_LEN(labels), row->mended.changed[i]);
        }
    }
}

static void put_target(const struct family *family, const struct sl_stream_row *row)
{
    const struct sl_metric_label labels[] = {
        {"target", sl_str_from(row->view.target)},
        {"vendor", sl_str_from(row->target.vendor->name)},
        {"known_by", sl_str_from(row->target.known_by)},
        {"gnmi_version", sl_str_from(row->target.gnmi_version)},
    };

    if (row->is_first) {
        sample(family, labels, SL_ARRAY_LEN(labels), 1);
    }
}

static void put_target_up(const struct family *family, const struct sl_stream_row *row)
{
    const struct sl_metric_label labels[] = {{"target", sl_str_from(row->view.target)}};

    if (row->is_first) {
        sample(family, labels, SL_ARRAY_LEN(labels), row->target.state == SL_TARGET_UP);
    }
}

static void put_workarounds(const struct family *family, const struct sl_stream_row *row)
{
    struct sl_metric_label labels[] = {{"target", sl_str_from(row->view.target)},
                                       {"workaround", {NULL, 0}}};

    for (int i = 0; row->is_first && i < SL_GNMI_WORKAROUNDS; i++) {
        if (row->target.workarounds >> i & 1) {
            const char *name = sl_gnmi_workaround_name((enum sl_gnmi_workaround)i);
            labels[1].value = sl_str_from(name);
            sample(family, labels, SL_ARRAY_LEN(labels), 1);
        }
    }
}

static const struct {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    void (*put)(const struct family *family, const struct sl_stream_row *row);
} special_families[] = {
    {"sluice_stream_synced", SL_METRIC_GAUGE, "1 after sync_response, in this call.", put_synced},
    {"sluice_stream_stalled", SL_METRIC_GAUGE,
     "1 while something is kept, or the stream waits to subscribe, for sinks that stand still.",
     put_stalled},
    {"sluice_stream_stale", SL_METRIC_GAUGE, "1 while nothing comes for longer than stale-after.",
     put_stale},
    {"sluice_stream_skewed_timestamps", SL_METRIC_COUNTER,
     "Notifications with a zero or negative time, or one beyond max-skew.", put_skewed},
    {"sluice_stream_skew_seconds", SL_METRIC_GAUGE,
     "The furthest that a device's time was from ours, where that is a second or more.", put_skew},
    {"sluice_stream_timestamp", SL_METRIC_INFO,
     "The unit of the device's timestamps, where it is not nanoseconds.", put_unit},
    {"sluice_stream_reconnects", SL_METRIC_COUNTER, "Subscribe calls after the first.",
     put_reconnects},
    {"sluice_quarantined_paths", SL_METRIC_GAUGE,
     "Paths that the device refuses, left out until they are tried again.", put_quarantined},
    {"sluice_stream_ends", SL_METRIC_COUNTER, "Subscribe calls that ended unasked, by reason.",
     put_stream_ends},
    {"sluice_connection_ends", SL_METRIC_COUNTER,
     "Connections, and attempts at one, that failed, by reason.", put_connection_ends},
    {"sluice_stream", SL_METRIC_INFO, "Where the stream and its connection stand.", put_state},
    {"sluice_stream_device_lost", SL_METRIC_COUNTER,
     "Messages that the device lost, by its own numbers (Junos).", put_lost},
    {"sluice_stream_mended", SL_METRIC_COUNTER,
     "Updates and deletes left out, and messages changed, for the device's sake.", put_mended},
    {"sluice_target", SL_METRIC_INFO, "Whose device it is, and how that is known.", put_target},
    {"sluice_target_up", SL_METRIC_GAUGE, "1 while there is a connection.", put_target_up},
    {"sluice_workaround_in_force", SL_METRIC_GAUGE,
     "1: what is done otherwise than gNMI has it, for the device's sake.", put_workarounds},
};

/* ---- families with a sample per sink or worker ---- */

static struct sl_metric_label worker_label(const struct sl_snapshot *snapshot, char *digits)
{
    snprintf(digits, WORKER_DIGITS, "%u", snapshot->worker);
    return (struct sl_metric_label){"worker", sl_str_from(digits)};
}

static void put_sink(const struct family *family, const struct sl_snapshot *snapshot,
                     const struct sl_sink_row *row, uint64_t value)
{
    char worker[WORKER_DIGITS];
    struct sl_metric_label labels[] = {
        {"sink", sl_str_from(row->spec->name)},
        worker_label(snapshot, worker),
    };
    if (strstr(family->name, "_seconds")) {
        seconds(family, labels, SL_ARRAY_LEN(labels), (int64_t)value);
    } else {
        sample(family, labels, SL_ARRAY_LEN(labels), value);
    }
}

static uint64_t sink_value(const struct sl_sink_row *row, int which)
{
    const uint64_t values[] = {
        row->is_taking,
        row->in_flight,
        row->stats.queued_records,
        row->stats.queued_bytes,
        (uint64_t)row->stats.report_latency_ns,
        row->stats.skewed_timestamps,
        row->stats.retries,
    };

    return values[which];
}

static const struct {
    const char *name;
    enum sl_metric_type type;
    const char *help;
} sink_families[] = {
    {"sluice_sink_taking", SL_METRIC_GAUGE, "1 while streams may be opened to it."},
    {"sluice_sink_in_flight_records", SL_METRIC_GAUGE, "Records not acknowledged yet."},
    {"sluice_sink_queued_records", SL_METRIC_GAUGE, "The same, as the sink counts them."},
    {"sluice_sink_queued_bytes", SL_METRIC_GAUGE, "Their payloads."},
    {"sluice_sink_smoothed_latency_seconds", SL_METRIC_GAUGE,
     "From taken to acknowledged, smoothed, as the sink has it."},
    {"sluice_sink_skewed_timestamps", SL_METRIC_COUNTER, "Device times replaced by ours."},
    {"sluice_sink_retries", SL_METRIC_COUNTER, "Deliveries tried again."},
};

static const struct {
    const char *name;
    const char *help;
    size_t offset; /* of an uint64_t of the snapshot */
} worker_families[] = {
    {"sluice_memory_budget_bytes", "The worker's part of collector.memory.",
     offsetof(struct sl_snapshot, part_bytes)},
    {"sluice_memory_promised_bytes", "Memory that streams may take: the sum of their shares.",
     offsetof(struct sl_snapshot, promised_bytes)},
    {"sluice_memory_held_bytes", "Memory that held records take.",
     offsetof(struct sl_snapshot, held_bytes)},
    {"sluice_memory_interned_bytes", "Memory that interned paths take.",
     offsetof(struct sl_snapshot, interned_bytes)},
};

/* ---- the page ---- */

static void put_routes(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(route_families); f++) {
        struct family family = {out, route_families[f].name, route_families[f].type};
        sl_metrics_family(out, family.name, family.type, route_families[f].help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].stream_count; s++) {
                const struct sl_stream_row *row = &snapshots[w].streams[s];
                for (size_t r = 0; r < row->route_count; r++) {
                    put_route(f, &family, row, &row->routes[r]);
                }
            }
        }
    }
}

static void put_streams(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(stream_families); f++) {
        struct family family = {out, stream_families[f].name, stream_families[f].type};
        sl_metrics_family(out, family.name, family.type, stream_families[f].help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].stream_count; s++) {
                const struct sl_stream_row *row = &snapshots[w].streams[s];
                uint64_t value = field_u64(&row->view, stream_families[f].offset);
                if (value || !stream_families[f].is_rare) {
                    put_stream(&family, row, value);
                }
            }
        }
    }
    for (size_t f = 0; f < SL_ARRAY_LEN(special_families); f++) {
        struct family family = {out, special_families[f].name, special_families[f].type};
        sl_metrics_family(out, family.name, family.type, special_families[f].help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].stream_count; s++) {
                special_families[f].put(&family, &snapshots[w].streams[s]);
            }
        }
    }
}

static void put_sinks(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(sink_families); f++) {
        struct family family = {out, sink_families[f].name, sink_families[f].type};
        sl_metrics_family(out, family.name, family.type, sink_families[f].help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].sink_count; s++) {
                const struct sl_sink_row *row = &snapshots[w].sinks[s];
                put_sink(&family, &snapshots[w], row, sink_value(row, (int)f));
            }
        }
    }
}

static void put_workers(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(worker_families); f++) {
        struct family family = {out, worker_families[f].name, SL_METRIC_GAUGE};
        sl_metrics_family(out, family.name, family.type, worker_families[f].help);
        for (size_t w = 0; w < count; w++) {
            char worker[WORKER_DIGITS];
            struct sl_metric_label label = worker_label(&snapshots[w], worker);
            uint64_t value;
            memcpy(&value, (const char *)&snapshots[w] + worker_families[f].offset, sizeof(value));
            sample(&family, &label, 1, value);
        }
    }
}

static void put_ready(const struct sl_snapshot *snapshots, size_t count, bool is_draining,
                      struct sl_buf *out)
{
    const struct sl_ready_view view = {snapshots, count, is_draining};
    struct sl_buf why = {0};

    sl_metrics_family(out, "sluice_ready", SL_METRIC_GAUGE, "1 while /readyz says so.");
    sl_metrics_u64(out, "sluice_ready", SL_METRIC_GAUGE, NULL, 0, sl_ready_look(&view, &why));
    sl_buf_fini(&why);
}

void sl_report_metrics(const struct sl_snapshot *snapshots, size_t count, bool is_draining,
                       struct sl_buf *out)
{
    sl_report_process(out);
    put_ready(snapshots, count, is_draining, out);
    put_routes(snapshots, count, out);
    put_streams(snapshots, count, out);
    put_sinks(snapshots, count, out);
    sl_report_credit(snapshots, count, out);
    sl_report_plugins(snapshots, count, out);
    sl_report_times(snapshots, count, out);
    sl_ledger_metrics(snapshots, count, out);
    put_workers(snapshots, count, out);
    sl_metrics_end(out);
}
