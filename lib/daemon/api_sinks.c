/* GET /api/v1/sinks and /api/v1/ledger: what becomes of the data. */
#include <stdlib.h>
#include <string.h>

#include "daemon/api_internal.h"

/* What all streams of one worker have with one destination. */
struct place {
    struct sl_str name;
    uint64_t held;
};

/* ---- destinations ---- */

static int compare_places(const void *a, const void *b)
{
    return sl_str_cmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static size_t count_places(const struct sl_snapshot *snapshot, const struct sl_sink_spec *sink,
                           struct place *places)
{
    size_t count = 0;

    for (size_t s = 0; s < snapshot->stream_count; s++) {
        for (size_t r = 0; r < snapshot->streams[s].route_count; r++) {
            const struct sl_route_row *route = &snapshot->streams[s].routes[r];
            for (size_t p = 0; route->sink == sink && p < route->place_count; p++, count++) {
                if (places) {
                    places[count] =
                        (struct place){route->places[p].destination, route->places[p].held};
                }
            }
        }
    }
    return count;
}

static size_t merge(struct place *places, size_t count)
{
    size_t kept = 0;

    qsort(places, count, sizeof(*places), compare_places);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && sl_str_eq(places[kept - 1].name, places[i].name)) {
            places[kept - 1].held += places[i].held;
        } else {
            places[kept++] = places[i];
        }
    }
    return kept;
}

static json_t *destinations_json(struct sl_json *json, const struct sl_snapshot *snapshot,
                                 const struct sl_sink_spec *sink)
{
    json_t *array = sl_json_array(json);
    size_t count = count_places(snapshot, sink, NULL);
    struct place *places = calloc(count + 1, sizeof(*places));

    json->failed = json->failed || !places;
    if (places) {
        count_places(snapshot, sink, places);
        count = merge(places, count);
    }
    for (size_t i = 0; places && i < count; i++) {
        json_t *object = sl_json_object(json);
        sl_json_put(json, object, "name", sl_json_str(json, places[i].name));
        sl_json_put(json, object, "held", sl_json_u64(json, places[i].held));
        sl_json_add(json, array, object);
    }
    free(places);
    return array;
}

/* ---- sinks ---- */

static json_t *troubles_json(struct sl_json *json, const struct sluice_stats *stats)
{
    json_t *array = sl_json_array(json);

    for (uint32_t i = 0; i < stats->trouble_count && i < SLUICE_MAX_TROUBLES; i++) {
        json_t *object = sl_json_object(json);
        sl_json_put(json, object, "reason", sl_json_text(json, stats->troubles[i].reason));
        sl_json_put(json, object, "count", sl_json_u64(json, stats->troubles[i].count));
        sl_json_put(json, object, "now", sl_json_bool(json, stats->troubles[i].is_now));
        sl_json_add(json, array, object);
    }
    return array;
}

static void put_delivery(struct sl_json *json, json_t *object, const struct sl_sink_row *row)
{
    const struct sluice_stats *stats = &row->stats;

    sl_json_put(json, object, "taking", sl_json_bool(json, row->is_taking));
    sl_json_put(json, object, "in_flight", sl_json_u64(json, row->in_flight));
    sl_json_put(json, object, "queued_records", sl_json_u64(json, stats->queued_records));
    sl_json_put(json, object, "queued_bytes", sl_json_u64(json, stats->queued_bytes));
    sl_json_put(json, object, "report_latency_s", sl_json_seconds(json, stats->report_latency_ns));
    sl_json_put(json, object, "oldest_s", sl_json_seconds(json, row->oldest_ns));
    sl_json_put(json, object, "full_s", sl_json_seconds(json, row->full_ns));
    sl_json_put(json, object, "retries", sl_json_u64(json, stats->retries));
    sl_json_put(json, object, "restarts", sl_json_u64(json, stats->restarts));
    sl_json_put(json, object, "backoff_s", sl_json_seconds(json, stats->backoff_ns));
    sl_json_put(json, object, "overdue", sl_json_u64(json, row->overdue));
}

/* -1 is what is not known. */
static json_t *id_json(struct sl_json *json, int32_t id)
{
    return id < 0 ? sl_json_text(json, NULL) : sl_json_u64(json, (uint64_t)id);
}

static json_t *partitions_json(struct sl_json *json, const struct sl_sink_row *row)
{
    json_t *array = sl_json_array(json);

    for (size_t i = 0; i < row->partition_count; i++) {
        const struct sluice_partition *one = &row->partitions[i];
        const struct sl_str destination = {one->destination.data, one->destination.len};
        json_t *object = sl_json_object(json);
        sl_json_put(json, object, "destination", sl_json_str(json, destination));
        sl_json_put(json, object, "partition", id_json(json, one->number));
        sl_json_put(json, object, "broker", id_json(json, one->leader));
        sl_json_put(json, object, "queued_records", sl_json_u64(json, one->queued_records));
        sl_json_put(json, object, "queued_bytes", sl_json_u64(json, one->queued_bytes));
        sl_json_put(json, object, "sent_records", sl_json_u64(json, one->sent_records));
        sl_json_put(json, object, "report_latency_s",
                    sl_json_seconds(json, one->report_latency_ns));
        sl_json_add(json, array, object);
    }
    return array;
}

static json_t *sink_json(struct sl_json *json, const struct sl_snapshot *snapshot,
                         const struct sl_sink_row *row)
{
    json_t *object = sl_json_object(json);

    sl_json_put(json, object, "name", sl_json_text(json, row->spec->name));
    sl_json_put(json, object, "type", sl_json_text(json, row->spec->plugin->type));
    sl_json_put(json, object, "worker", sl_json_u64(json, snapshot->worker));
    sl_json_put(json, object, "required", sl_json_bool(json, row->spec->is_required));
    put_delivery(json, object, row);
    sl_json_put(json, object, "troubles", troubles_json(json, &row->stats));
    sl_json_put(json, object, "destination_word",
                sl_json_text(json, row->spec->plugin->destination_word));
    sl_json_put(json, object, "destinations", destinations_json(json, snapshot, row->spec));
    sl_json_put(json, object, "partitions", partitions_json(json, row));
    return object;
}

void sl_api_sinks(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg)
{
    struct sl_api_snapshots snapshots;

    (void)request;
    if (!sl_api_snapshots_take_partitions(arg, &snapshots, answer)) {
        return;
    }
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    json_t *sinks = sl_json_array(&json);
    for (unsigned w = 0; w < snapshots.count; w++) {
        for (size_t s = 0; s < snapshots.all[w].sink_count; s++) {
            sl_json_add(&json, sinks,
                        sink_json(&json, &snapshots.all[w], &snapshots.all[w].sinks[s]));
        }
    }
    sl_json_put(&json, root, "sinks", sinks);
    sl_admin_answer_json(answer, &json, root);
    sl_api_snapshots_drop(&snapshots);
}
