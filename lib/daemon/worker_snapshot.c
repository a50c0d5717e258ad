/* worker_snapshot.c - what a worker looks like, on its thread. */
#include <string.h>

#include "daemon/worker_internal.h"

/* The sum of a sink, which may be one that no row has yet. NULL: no room. */
static struct sl_ended_row *ended_row(struct sl_snapshot *snapshot, const char *sink)
{
    for (size_t i = 0; i < snapshot->ended_count; i++) {
        if (strcmp(snapshot->ended[i].sink, sink) == 0) {
            return &snapshot->ended[i];
        }
    }
    if (snapshot->ended_count == SL_SNAPSHOT_ENDED) {
        return NULL;
    }
    struct sl_ended_row *row = &snapshot->ended[snapshot->ended_count++];
    row->sink = sl_snapshot_str(snapshot, sl_str_from(sink));
    return row->sink ? row : NULL;
}

static bool add_ended(struct sl_snapshot *snapshot, const char *sink,
                      const struct sl_route_counts *counts)
{
    struct sl_ended_row *row = ended_row(snapshot, sink);

    if (row) {
        sl_route_counts_add(&row->counts, counts);
    }
    return row != NULL;
}

static bool copy_ended(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    const struct sl_ended *ended = &worker->pool.ended;
    bool is_copied = true;

    snapshot->ended = sl_snapshot_alloc(snapshot, SL_SNAPSHOT_ENDED, sizeof(*snapshot->ended));
    for (size_t i = 0; snapshot->ended && is_copied && i < ended->count; i++) {
        is_copied = add_ended(snapshot, ended->rows[i].sink, &ended->rows[i].counts);
    }
    if (is_copied && ended->rest.received) {
        is_copied = add_ended(snapshot, "(others)", &ended->rest);
    }
    return snapshot->ended && is_copied;
}

/* A stream that is about to go has no row any more: there may be one of its name already. */
static bool add_going(struct sl_snapshot *snapshot, const struct sl_stream *stream)
{
    struct sl_stream_view view;
    bool is_added = true;

    sl_stream_view(stream, &view);
    for (size_t i = 0; is_added && i < view.route_count; i++) {
        is_added = add_ended(snapshot, view.routes[i].spec->name, &view.routes[i].counts);
    }
    return is_added;
}

static bool copy_target(const struct sl_worker_target *from, struct sl_snapshot *snapshot)
{
    const struct sl_target *target = from->target;
    size_t count = sl_target_streams(target);
    size_t staying = from->is_going ? 0 : count - sl_target_going(target);
    bool is_copied = true;

    for (size_t i = 0; is_copied && i < count; i++) {
        const struct sl_stream *stream = sl_target_stream(target, i);
        if (i < staying) {
            struct sl_stream_row *row = &snapshot->streams[snapshot->stream_count++];
            is_copied = sl_stream_row_init(row, snapshot, stream, target);
        } else {
            is_copied = add_going(snapshot, stream);
        }
    }
    return is_copied;
}

static bool copy_streams(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    size_t count = 0;

    for (size_t i = 0; i < worker->target_count; i++) {
        count += sl_target_streams(worker->targets[i].target);
    }
    snapshot->streams = sl_snapshot_alloc(snapshot, count, sizeof(*snapshot->streams));
    for (size_t i = 0; snapshot->streams && i < worker->target_count; i++) {
        if (!copy_target(&worker->targets[i], snapshot)) {
            return false;
        }
    }
    return snapshot->streams != NULL;
}

static bool copy_sinks(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    snapshot->sinks = sl_snapshot_alloc(snapshot, worker->sink_count, sizeof(*snapshot->sinks));
    for (size_t i = 0; snapshot->sinks && i < worker->sink_count; i++) {
        struct sl_sink *sink = worker->sinks[i].sink;
        if (!sink || worker->sinks[i].is_retired) {
            continue;
        }
        struct sl_sink_row *row = &snapshot->sinks[snapshot->sink_count++];
        row->spec = sl_sink_spec(sink);
        row->in_flight = sl_sink_in_flight(sink);
        row->overdue = sl_sink_overdue(sink);
        row->oldest_ns = sl_sink_oldest_ns(sink);
        row->full_ns = sl_sink_full_ns(sink);
        for (int bug = 0; bug < SL_BUGS; bug++) {
            row->bugs[bug] = sl_sink_bugs(sink, (enum sl_sink_bug)bug);
        }
        row->is_taking = sl_sink_is_taking(sink);
        row->latency = *sl_sink_latency(sink);
        row->reason = sl_snapshot_text(snapshot, sl_sink_reason(sink));
        if (!row->reason) {
            return false;
        }
        sl_sink_stats(sink, &row->stats);
    }
    return snapshot->sinks != NULL;
}

static bool hold_generations(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    snapshot->generations =
        sl_snapshot_alloc(snapshot, worker->generation_count, sizeof(struct sl_settings *));
    for (size_t i = 0; snapshot->generations && i < worker->generation_count; i++) {
        sl_settings_hold(worker->generations[i]);
        snapshot->generations[snapshot->generation_count++] = worker->generations[i];
    }
    return snapshot->generations != NULL;
}

bool sl_worker_snapshot(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    *snapshot = (struct sl_snapshot){
        .worker = worker->index,
        .part_bytes = worker->pool.plan.part_bytes,
        .promised_bytes = worker->pool.governor.promised_bytes,
        .held_bytes = worker->pool.governor.held_bytes,
        .interned_bytes = worker->interned.used_bytes,
    };
    return hold_generations(worker, snapshot) && copy_ended(worker, snapshot) &&
           copy_streams(worker, snapshot) && copy_sinks(worker, snapshot) &&
           sl_meter_rows_init(snapshot, &worker->pool.meters);
}

/* A sink's, with their names copied: they are the sink's until its next call. */
static bool copy_partitions(struct sl_snapshot *snapshot, struct sl_sink_row *row,
                            const struct sluice_partition *partitions, size_t count)
{
    row->partitions = sl_snapshot_alloc(snapshot, count, sizeof(*row->partitions));
    for (size_t i = 0; row->partitions && i < count; i++) {
        const struct sluice_str *name = &partitions[i].destination;
        bool is_same = i > 0 && name->len == row->partitions[i - 1].destination.len &&
                       memcmp(name->data, row->partitions[i - 1].destination.data, name->len) == 0;
        const char *copy = is_same
                               ? row->partitions[i - 1].destination.data
                               : sl_snapshot_str(snapshot, (struct sl_str){name->data, name->len});
        if (!copy) {
            return false;
        }
        row->partitions[i] = partitions[i];
        row->partitions[i].destination.data = copy;
        row->partition_count++;
    }
    return row->partitions != NULL;
}

bool sl_worker_add_partitions(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    struct sluice_partition partitions[SLUICE_MAX_PARTITIONS];
    size_t at = 0;

    for (size_t i = 0; i < worker->sink_count; i++) {
        if (!worker->sinks[i].sink || worker->sinks[i].is_retired) {
            continue; /* as in copy_sinks: rows are in the same order */
        }
        struct sl_sink_row *row = &snapshot->sinks[at++];
        size_t count = sl_sink_partitions(worker->sinks[i].sink, partitions);
        if (count > 0 && !copy_partitions(snapshot, row, partitions, count)) {
            return false;
        }
    }
    return true;
}
