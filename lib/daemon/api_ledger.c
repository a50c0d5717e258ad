/* GET /api/v1/ledger: whether all that was received is accounted for. */
#include <stdlib.h>

#include "daemon/api_internal.h"
#include "daemon/ledger.h"

static json_t *sinks_json(struct sl_json *json, const struct sl_ledger *ledger)
{
    json_t *array = sl_json_array(json);

    for (size_t i = 0; i < ledger->sink_count; i++) {
        const struct sl_ledger_sink *sink = &ledger->sinks[i];
        json_t *object = sl_json_object(json);
        sl_json_put(json, object, "sink", sl_json_text(json, sink->name));
        sl_api_put_counts(json, object, &sink->counts);
        sl_json_put(json, object, "balanced",
                    sl_json_bool(json, sl_route_counts_are_valid(&sink->counts)));
        sl_json_add(json, array, object);
    }
    return array;
}

static bool is_balanced(const struct sl_stream_row *row)
{
    for (size_t i = 0; i < row->route_count; i++) {
        if (!sl_route_counts_are_valid(&row->routes[i].counts)) {
            return false;
        }
    }
    return true;
}

/* The names of those whose sum is wrong, which would be a bug of ours. */
static json_t *wrong_json(struct sl_json *json, const struct sl_api_snapshots *snapshots)
{
    json_t *array = sl_json_array(json);

    for (unsigned w = 0; w < snapshots->count; w++) {
        for (size_t s = 0; s < snapshots->all[w].stream_count; s++) {
            const struct sl_stream_row *row = &snapshots->all[w].streams[s];
            if (!is_balanced(row)) {
                sl_json_add(json, array, sl_api_id_json(json, row));
            }
        }
    }
    return array;
}

void sl_api_ledger(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    struct sl_api_snapshots snapshots;

    (void)request;
    if (!sl_api_snapshots_take(arg, &snapshots, answer)) {
        return;
    }
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    json_t *sum = sl_json_object(&json);
    struct sl_ledger ledger;
    sl_ledger_add_up(&ledger, snapshots.all, snapshots.count);
    sl_api_put_counts(&json, sum, &ledger.all);
    sl_json_put(&json, sum, "balanced",
                sl_json_bool(&json, sl_route_counts_are_valid(&ledger.all)));
    sl_json_put(&json, root, "sum", sum);
    sl_json_put(&json, root, "sinks", sinks_json(&json, &ledger));
    sl_json_put(&json, root, "streams_out_of_balance", wrong_json(&json, &snapshots));
    sl_admin_answer_json(answer, &json, root);
    sl_api_snapshots_drop(&snapshots);
}
