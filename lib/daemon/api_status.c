/* GET /api/v1/status: is everything flowing. */
#include <string.h>
#include <unistd.h>

#include "daemon/api_internal.h"
#include "daemon/ready.h"

struct totals {
    uint64_t targets;
    uint64_t targets_up;
    uint64_t streams;
    uint64_t synced;
    uint64_t blocked;
    uint64_t held_streams;
    struct sl_route_counts counts;
};

static void add_stream(struct totals *totals, const struct sl_stream_row *row)
{
    const struct sl_stream_view *view = &row->view;

    totals->streams++;
    totals->synced += view->is_synced;
    totals->blocked += view->is_blocked;
    totals->held_streams += view->state == SL_STREAM_HELD;
    totals->targets += row->is_first;
    totals->targets_up += row->is_first && (row->target.state == SL_TARGET_UP ||
                                            row->target.state == SL_TARGET_GOING);
    for (size_t i = 0; i < row->route_count; i++) {
        sl_route_counts_add(&totals->counts, &row->routes[i].counts);
    }
}

static json_t *totals_json(struct sl_json *json, const struct sl_api_snapshots *snapshots)
{
    json_t *object = sl_json_object(json);
    struct totals totals = {0};

    for (unsigned w = 0; w < snapshots->count; w++) {
        for (size_t s = 0; s < snapshots->all[w].stream_count; s++) {
            add_stream(&totals, &snapshots->all[w].streams[s]);
        }
    }
    sl_json_put(json, object, "targets", sl_json_u64(json, totals.targets));
    sl_json_put(json, object, "targets_up", sl_json_u64(json, totals.targets_up));
    sl_json_put(json, object, "streams", sl_json_u64(json, totals.streams));
    sl_json_put(json, object, "streams_synced", sl_json_u64(json, totals.synced));
    sl_json_put(json, object, "streams_blocked", sl_json_u64(json, totals.blocked));
    sl_json_put(json, object, "streams_held", sl_json_u64(json, totals.held_streams));
    sl_json_put(json, object, "received", sl_json_u64(json, totals.counts.received));
    sl_json_put(json, object, "published", sl_json_u64(json, totals.counts.published));
    sl_json_put(json, object, "filtered", sl_json_u64(json, totals.counts.filtered));
    sl_json_put(json, object, "dropped", sl_json_u64(json, sl_api_dropped(&totals.counts)));
    sl_json_put(json, object, "held", sl_json_u64(json, totals.counts.held));
    return object;
}

static json_t *memory_json(struct sl_json *json, const struct sl_api *api,
                           const struct sl_api_snapshots *snapshots)
{
    json_t *object = sl_json_object(json);
    uint64_t held_bytes = 0, promised_bytes = 0;

    for (unsigned w = 0; w < snapshots->count; w++) {
        held_bytes += snapshots->all[w].held_bytes;
        promised_bytes += snapshots->all[w].promised_bytes;
    }
    sl_json_put(json, object, "limit_bytes",
                sl_json_u64(json, api->settings->collector.memory_bytes));
    sl_json_put(json, object, "held_bytes", sl_json_u64(json, held_bytes));
    sl_json_put(json, object, "promised_bytes", sl_json_u64(json, promised_bytes));
    return object;
}

/* Why it is not ready: the lines of /readyz. */
static json_t *not_ready_json(struct sl_json *json, const struct sl_api *api,
                              const struct sl_api_snapshots *snapshots)
{
    const struct sl_ready_view view = {snapshots->all, snapshots->count, sl_api_is_draining(api)};
    json_t *array = sl_json_array(json);
    struct sl_buf why = {0};
    char *rest = NULL;

    (void)sl_ready_look(&view, &why);
    sl_buf_add_byte(&why, '\0');
    json->failed = json->failed || why.failed;
    char *line = why.failed ? NULL : strtok_r(why.data, "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest)) {
        sl_json_add(json, array, sl_json_text(json, line));
    }
    sl_buf_fini(&why);
    return array;
}

/* What came of the last reload; null: there was none. */
static json_t *reload_json(struct sl_json *json, const struct sl_reload_outcome *outcome)
{
    if (outcome->result == SL_RELOAD_NONE) {
        return json_null();
    }
    json_t *object = sl_json_object(json);
    json_t *errors = sl_json_array(json);
    for (const char *line = outcome->text; *line;) {
        size_t len = strcspn(line, "\n");
        sl_json_add(json, errors, sl_json_str(json, (struct sl_str){line, len}));
        line += len + (line[len] == '\n');
    }
    sl_json_put(json, object, "at", sl_json_time(json, outcome->at_ns));
    sl_json_put(json, object, "result", sl_json_text(json, sl_reload_result_name(outcome->result)));
    sl_json_put(json, object, "why", sl_json_text(json, outcome->why));
    sl_json_put(json, object, "errors", errors);
    sl_json_put(json, object, "added", sl_json_u64(json, outcome->added));
    sl_json_put(json, object, "removed", sl_json_u64(json, outcome->removed));
    sl_json_put(json, object, "changed", sl_json_u64(json, outcome->changed));
    return object;
}

void sl_api_status(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    const struct sl_api *api = arg;
    struct sl_api_snapshots snapshots;

    (void)request;
    if (!sl_api_snapshots_take(api, &snapshots, answer)) {
        return;
    }
    struct sl_reload_outcome reload;
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    sl_reload_last(api->reload, &reload);
    json_t *not_ready = not_ready_json(&json, api, &snapshots);
    sl_json_put(&json, root, "collector", sl_json_text(&json, api->settings->collector.name));
    sl_json_put(&json, root, "version", sl_json_text(&json, SLUICE_VERSION));
    sl_json_put(&json, root, "started", sl_json_time(&json, api->started_ns));
    sl_json_put(&json, root, "uptime_s",
                sl_json_seconds(&json, sl_loop_wall_ns() - api->started_ns));
    sl_json_put(&json, root, "pid", sl_json_u64(&json, (uint64_t)getpid()));
    sl_json_put(&json, root, "generation", sl_json_u64(&json, reload.generation));
    sl_json_put(&json, root, "reload", reload_json(&json, &reload));
    sl_json_put(&json, root, "ready", sl_json_bool(&json, json_array_size(not_ready) == 0));
    sl_json_put(&json, root, "not_ready", not_ready);
    sl_json_put(&json, root, "discovery", sl_api_discovery_json(&json, api));
    sl_json_put(&json, root, "memory", memory_json(&json, api, &snapshots));
    sl_json_put(&json, root, "totals", totals_json(&json, &snapshots));
    sl_admin_answer_json(answer, &json, root);
    sl_api_snapshots_drop(&snapshots);
}
