/* api_internal.h - what the files of the admin API share: api.c the table, api_status.c,
 * api_streams.c, api_targets.c, api_sinks.c, api_sources.c, api_ledger.c and api_config.c the
 * answers, api_actions.c what is done, api_capture.c captures, api_rows.c a stream's row,
 * api_condition.c what a person makes of it, api_filter.c whether it is looked for, api_summary.c
 * all of them in a few numbers.
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
/* With the partitions of sinks. */
bool sl_api_snapshots_take_partitions(const struct sl_api *api, struct sl_api_snapshots *snapshots,
                                      struct sl_admin_answer *answer) SL_MUST_CHECK;
void sl_api_snapshots_drop(struct sl_api_snapshots *snapshots);

/* How much a stream wants eyes. */
enum sl_api_level { SL_API_OK, SL_API_WAIT, SL_API_HELD, SL_API_BAD, SL_API_LEVELS };

/* What is said of a stream, flat: rows are sorted and written by one table. */
struct sl_api_stream {
    const struct sl_stream_row *row;
    const char *target;
    const char *subscription;
    const char *state;
    const char *limited;
    const char *last_error; /* NULL: none */
    const char *level;
    const char *condition;      /* its state, as people say it: "held back", "syncing", "stale" */
    const char *holder;         /* the sink that has most of what is held; NULL: none has any */
    struct sl_str holder_place; /* its destination */
    uint64_t rank;              /* enum sl_api_level */
    double held_share;          /* of its limit: received, and not acknowledged */
    double received_per_s;      /* NAN: not known */
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

/* The part of it that api_condition.c has: from its row, its credit. */
void sl_api_condition(struct sl_api_stream *stream);

/* What a person looks for: words, all of which have to fit, whatever the case. A word is part of
 * the id, the condition, the state or the last error; or one of
 *
 *     target:NAME  sink:NAME (that holds it)  state:WORD (the condition or its level, too)
 *     is:blocked|stale|stalled|synced|held|down
 */
enum { SL_API_FILTER_WORDS = 16, SL_API_FILTER_BYTES = 500 };
struct sl_api_filter {
    char text[SL_API_FILTER_BYTES];
    const char *words[SL_API_FILTER_WORDS]; /* within `text` */
    size_t count;
};
/* NULL is no word. False: it is too long, or too many. */
bool sl_api_filter_read(struct sl_api_filter *filter, const char *text) SL_MUST_CHECK;
bool sl_api_filter_fits(const struct sl_api_filter *filter, const struct sl_api_stream *stream);

/* All streams in a few numbers: conditions, lags, who holds how many of them. */
json_t *sl_api_summary_json(struct sl_json *json, const struct sl_api_stream *streams,
                            size_t count);

/* "leaf1/counters" */
json_t *sl_api_id_json(struct sl_json *json, const struct sl_stream_row *row);

/* As an object: a row of a list; with its members and routes where `is_whole`. */
json_t *sl_api_stream_json(struct sl_json *json, const struct sl_api_stream *stream, bool is_whole);

/* How two streams are sorted: by the field of that name, or by "id", "level", "held_by" or
 * "held_share", and where that is the same by their id. Of names, leaf2 comes before leaf10. */
struct sl_api_order;
const struct sl_api_order *sl_api_order_find(const char *name); /* NULL: there is no such field */
int sl_api_order_compare(const struct sl_api_order *order, bool is_descending,
                         const struct sl_api_stream *a, const struct sl_api_stream *b);

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

/* A parameter that is "true" or "false", which it is where it is not there. */
bool sl_api_flag_read(const struct sl_admin_request *request, const char *name, bool *is_set,
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
sl_api_fn sl_api_capture_begin;
sl_api_fn sl_api_capture;
sl_api_fn sl_api_capture_file;
sl_api_fn sl_api_capture_stop;
sl_api_fn sl_api_capture_drop;

/* {"ok":true} */
void sl_api_say_done(struct sl_admin_answer *answer);

#endif
