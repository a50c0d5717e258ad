/* api_internal.h - what the files of the admin API share: api.c the table, api_status.c,
 * api_streams.c, api_targets.c, api_sinks.c, api_sources.c, api_ledger.c and api_config.c the
 * answers, api_actions.c what is done, api_rows.c a stream's row.
 */
#ifndef SLUICE_DAEMON_API_INTERNAL_H
#define SLUICE_DAEMON_API_INTERNAL_H

#include "daemon/api.h"

enum {
    SL_API_DEFAULT_ROWS = 500, /* of a list, without `limit` */
    SL_API_MAX_ROWS = 5000,
};

/* A snapshot of every worker. */
struct sl_api_snapshots {
    struct sl_snapshot *all;
    unsigned count;
};

static inline bool sl_api_is_draining(const struct sl_api *api)
{
    return atomic_load(api->is_draining);
}

/* False when a worker does not answer or memory is out: `answer` says so. */
bool sl_api_snapshots_take(const struct sl_api *api, struct sl_api_snapshots *snapshots,
                           struct sl_admin_answer *answer) SL_MUST_CHECK;
void sl_api_snapshots_drop(struct sl_api_snapshots *snapshots);

/* What is said of a stream, flat: rows are sorted and written by one table. */
struct sl_api_stream {
    const struct sl_stream_row *row;
    const char *target;
    const char *subscription;
    const char *state;
    const char *limited;
    const char *last_error; /* NULL: none */
    uint64_t worker;
    uint64_t epoch;
    uint64_t limit_bytes;
    uint64_t granted_bytes;
    uint64_t held_bytes;
    uint64_t assembling_bytes;
    uint64_t pending_bytes;
    uint64_t free_bytes;
    uint64_t messages;
    uint64_t message_bytes;
    uint64_t received;
    uint64_t published;
    uint64_t filtered;
    uint64_t dropped;
    uint64_t held;
    int64_t blocked_ns;
    int64_t lag_ns; /* 0: not known */
    bool is_synced;
    bool is_blocked;
    bool is_stalled;
    bool is_stale;
};

void sl_api_stream_init(struct sl_api_stream *stream, const struct sl_stream_row *row,
                        unsigned worker);

/* "leaf1/counters" */
json_t *sl_api_id_json(struct sl_json *json, const struct sl_stream_row *row);

/* As an object: a row of a list; with its members and routes where `is_whole`. */
json_t *sl_api_stream_json(struct sl_json *json, const struct sl_api_stream *stream, bool is_whole);

/* How two streams are sorted: by the field of that name, and where that is the same by their id. */
struct sl_api_order;
const struct sl_api_order *sl_api_order_find(const char *name); /* NULL: there is no such field */
int sl_api_order_compare(const struct sl_api_order *order, const struct sl_api_stream *a,
                         const struct sl_api_stream *b);

/* The counters of one or several routes, as members of `object`. */
void sl_api_put_counts(struct sl_json *json, json_t *object, const struct sl_route_counts *counts);
uint64_t sl_api_dropped(const struct sl_route_counts *counts);

/* How many sources there are, and which of them fail. */
json_t *sl_api_discovery_json(struct sl_json *json, const struct sl_api *api);

/* Families of the metrics page; of NULL their heads. */
void sl_api_put_sources(struct sl_sources *sources, struct sl_buf *out);

/* Whether `text` has `part`, whatever the case; NULL and "" are in every text. */
bool sl_api_has(const char *text, const char *part);

/* What part of a list is asked for. False: `answer` says what is wrong. */
struct sl_api_page {
    size_t offset;
    size_t limit;
};
bool sl_api_page_read(struct sl_api_page *page, const struct sl_admin_request *request,
                      struct sl_admin_answer *answer) SL_MUST_CHECK;

typedef void sl_api_fn(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                       void *arg);

sl_api_fn sl_api_status;
sl_api_fn sl_api_streams;
sl_api_fn sl_api_targets;
sl_api_fn sl_api_target;
sl_api_fn sl_api_sinks;
sl_api_fn sl_api_sources;
sl_api_fn sl_api_ledger;
sl_api_fn sl_api_config;
sl_api_fn sl_api_events;
sl_api_fn sl_api_reload;
sl_api_fn sl_api_drain;
sl_api_fn sl_api_log_level;
sl_api_fn sl_api_pause;
sl_api_fn sl_api_resume;
sl_api_fn sl_api_reconnect;

#endif
