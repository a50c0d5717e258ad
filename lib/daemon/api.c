#include "daemon/api.h"

#include <stdlib.h>

#include "daemon/api_internal.h"
#include "daemon/ready.h"
#include "daemon/report.h"

/* ---- snapshots ---- */

typedef bool ask_fn(struct sl_worker *worker, struct sl_snapshot *snapshot);

static bool take(const struct sl_api *api, struct sl_api_snapshots *snapshots,
                 struct sl_admin_answer *answer, ask_fn *ask)
{
    unsigned workers = api->settings->workers;

    *snapshots = (struct sl_api_snapshots){.all = calloc(workers, sizeof(*snapshots->all))};
    for (; snapshots->all && snapshots->count < workers; snapshots->count++) {
        if (!ask(api->workers[snapshots->count], &snapshots->all[snapshots->count])) {
            sl_api_snapshots_drop(snapshots);
        }
    }
    if (!snapshots->all) {
        sl_admin_answer_error(answer, 503, "no-answer", "a worker did not answer in time", NULL);
    }
    return snapshots->all != NULL;
}

bool sl_api_snapshots_take(const struct sl_api *api, struct sl_api_snapshots *snapshots,
                           struct sl_admin_answer *answer)
{
    return take(api, snapshots, answer, sl_worker_ask);
}

bool sl_api_snapshots_take_partitions(const struct sl_api *api, struct sl_api_snapshots *snapshots,
                                      struct sl_admin_answer *answer)
{
    return take(api, snapshots, answer, sl_worker_ask_partitions);
}

void sl_api_snapshots_drop(struct sl_api_snapshots *snapshots)
{
    for (unsigned i = 0; i < snapshots->count; i++) {
        sl_snapshot_fini(&snapshots->all[i]);
    }
    free(snapshots->all);
    *snapshots = (struct sl_api_snapshots){.all = NULL};
}

/* ---- for machines ---- */

static void metrics(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    void *arg)
{
    const struct sl_api *api = arg;
    struct sl_api_snapshots snapshots;
    struct sl_reload_outcome reload;

    (void)request;
    if (!sl_api_snapshots_take(arg, &snapshots, answer)) {
        return;
    }
    answer->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    sl_api_put_sources(api->sources, &answer->body);
    sl_reload_last(api->reload, &reload);
    sl_report_reloads(&reload, &answer->body);
    sl_report_metrics(snapshots.all, snapshots.count, sl_api_is_draining(arg), &answer->body);
    sl_api_snapshots_drop(&snapshots);
}

static void health(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    struct sl_api_snapshots snapshots;

    (void)request;
    if (sl_api_snapshots_take(arg, &snapshots, answer)) {
        sl_admin_answer_text(answer, 200, "ok\n");
        sl_api_snapshots_drop(&snapshots);
    } else {
        sl_admin_answer_text(answer, 503, "a worker did not answer in time\n");
    }
}

/* A line for each reason why not. */
static void ready(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg)
{
    struct sl_api_snapshots snapshots;
    struct sl_buf why = {0};

    (void)request;
    bool is_answered = sl_api_snapshots_take(arg, &snapshots, answer);
    const struct sl_ready_view view = {is_answered ? snapshots.all : NULL, snapshots.count,
                                       sl_api_is_draining(arg)};
    bool is_ready = sl_ready_look(&view, &why);
    sl_admin_answer_text(answer, is_ready ? 200 : 503, is_ready ? "ok\n" : sl_buf_text(&why));
    sl_buf_fini(&why);
    sl_api_snapshots_drop(&snapshots);
}

const struct sl_admin_route sl_api_routes[] = {
    {"GET", "/healthz", SL_ADMIN_NO_TOKEN | SL_ADMIN_ANY_HOST | SL_ADMIN_SMALL, health},
    {"GET", "/readyz", SL_ADMIN_NO_TOKEN | SL_ADMIN_ANY_HOST | SL_ADMIN_SMALL, ready},
    {"GET", "/metrics", 0, metrics},
    {"GET", "/api/v1/status", 0, sl_api_status},
    {"GET", "/api/v1/streams", 0, sl_api_streams},
    {"GET", "/api/v1/targets", 0, sl_api_targets},
    {"GET", "/api/v1/targets/{}", 0, sl_api_target},
    {"GET", "/api/v1/sinks", 0, sl_api_sinks},
    {"GET", "/api/v1/sources", 0, sl_api_sources},
    {"GET", "/api/v1/ledger", 0, sl_api_ledger},
    {"GET", "/api/v1/config", 0, sl_api_config},
    {"GET", "/api/v1/events", 0, sl_api_events},
    {"POST", "/api/v1/reload", 0, sl_api_reload},
    {"POST", "/api/v1/drain", 0, sl_api_drain},
    {"POST", "/api/v1/log-level", 0, sl_api_log_level},
    {"POST", "/api/v1/targets/{}/pause", 0, sl_api_pause},
    {"POST", "/api/v1/targets/{}/resume", 0, sl_api_resume},
    {"POST", "/api/v1/targets/{}/reconnect", 0, sl_api_reconnect},
    {"POST", "/api/v1/targets/{}/capture", 0, sl_api_capture_begin},
    {"GET", "/api/v1/targets/{}/capture", 0, sl_api_capture},
    {"DELETE", "/api/v1/targets/{}/capture", 0, sl_api_capture_drop},
    {"POST", "/api/v1/targets/{}/capture/stop", 0, sl_api_capture_stop},
    {"GET", "/api/v1/targets/{}/capture/file", 0, sl_api_capture_file},
    {.method = NULL},
};
