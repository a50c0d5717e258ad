/* api.h - what the admin listener answers: /metrics, /healthz, /readyz and the JSON of /api/v1.
 *
 * deploy/openapi.yaml describes each path. A function takes a snapshot of every worker, writes what
 * it says, and gives it back; on the listener's thread.
 */
#ifndef SLUICE_DAEMON_API_H
#define SLUICE_DAEMON_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "capture/recording.h"
#include "daemon/api_rates.h"
#include "daemon/reload.h"
#include "daemon/settings.h"
#include "daemon/sources.h"
#include "daemon/worker.h"

/* The `arg` of the routes' functions. All of it outlives the listener. */
struct sl_api {
    const struct sl_settings *settings; /* of the start: what a reload does not change */
    struct sl_reload *reload;
    struct sl_sources *sources;       /* NULL: there are none */
    struct sl_worker *const *workers; /* as many as the settings say */
    const atomic_bool *is_draining;
    int64_t started_ns; /* wall clock */
    struct sl_events *events;
    struct sl_api_rates *rates;
    struct sl_recording_quota captures; /* of all workers; outlives them */
    void (*drain)(void *arg);           /* begins the end; any thread */
    void *arg;
};

/* Ends with a NULL method. */
extern const struct sl_admin_route sl_api_routes[];

#endif
