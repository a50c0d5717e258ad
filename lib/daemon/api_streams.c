/* GET /api/v1/streams: those that match, sorted, a part of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/api_internal.h"
#include "daemon/api_rates.h"

bool sl_api_has(const char *text, const char *part)
{
    return !part || !*part || strcasestr(text, part);
}

bool sl_api_page_read(struct sl_api_page *page, const struct sl_admin_request *request,
                      struct sl_admin_answer *answer)
{
    uint64_t offset, limit;

    if (!sl_admin_param_u64(request, "offset", 0, SL_SETTINGS_MAX_STREAMS, &offset, answer) ||
        !sl_admin_param_u64(request, "limit", SL_API_DEFAULT_ROWS, SL_API_MAX_ROWS, &limit,
                            answer)) {
        return false;
    }
    *page = (struct sl_api_page){.offset = (size_t)offset, .limit = (size_t)limit};
    return true;
}

bool sl_api_flag_read(const struct sl_admin_request *request, const char *name, bool *is_set,
                      struct sl_admin_answer *answer)
{
    const char *text = sl_admin_param(request, name);

    *is_set = text && strcmp(text, "true") == 0;
    if (text && !*is_set && strcmp(text, "false") != 0) {
        sl_admin_answer_error(answer, 400, "bad-parameter", "expected true or false", name);
        return false;
    }
    return true;
}

/* What is asked for. */
struct query {
    const char *target; /* NULL: any, as all of these */
    const char *subscription;
    const char *state;
    const char *part; /* of the id, whatever the case */
    struct sl_api_filter filter;
    const struct sl_api_order *order;
    bool is_descending;
    bool has_summary;
    struct sl_api_page page;
};

static bool refuse(struct sl_admin_answer *answer, const char *message, const char *hint)
{
    sl_admin_answer_error(answer, 400, "bad-parameter", message, hint);
    return false;
}

static bool read_query(struct query *query, const struct sl_admin_request *request,
                       struct sl_admin_answer *answer)
{
    const char *sort = sl_admin_param(request, "sort");
    const char *order = sl_admin_param(request, "order");

    *query = (struct query){
        .target = sl_admin_param(request, "target"),
        .subscription = sl_admin_param(request, "subscription"),
        .state = sl_admin_param(request, "state"),
        .part = sl_admin_param(request, "q"),
        .order = sl_api_order_find(sort ? sort : "id"),
        .is_descending = order && strcmp(order, "desc") == 0,
    };
    if (!query->order) {
        return refuse(answer, "'sort': there is no such field",
                      "sort by a text, number or truth of a row, such as held_bytes");
    }
    if (order && !query->is_descending && strcmp(order, "asc") != 0) {
        return refuse(answer, "'order': expected asc or desc", NULL);
    }
    if (!sl_api_filter_read(&query->filter, sl_admin_param(request, "filter"))) {
        return refuse(answer, "'filter' is too long", "at most 16 words and 499 bytes");
    }
    return sl_api_flag_read(request, "summary", &query->has_summary, answer) &&
           sl_api_page_read(&query->page, request, answer);
}

/* One of the members, or all of them as one. */
static bool has_subscription(const struct sl_stream_row *row, const char *name)
{
    for (size_t i = 0; i < row->member_count; i++) {
        if (strcmp(row->members[i].subscription, name) == 0) {
            return true;
        }
    }
    return strcmp(row->view.subscription, name) == 0;
}

static bool id_has(const struct sl_stream_row *row, const char *part)
{
    char id[3 * SL_SETTINGS_MAX_NAME_BYTES];

    snprintf(id, sizeof(id), "%s/%s", row->view.target, row->view.subscription);
    return sl_api_has(id, part);
}

static bool matches(const struct query *query, const struct sl_api_stream *stream)
{
    const struct sl_stream_row *row = stream->row;

    return (!query->target || strcmp(query->target, row->view.target) == 0) &&
           (!query->subscription || has_subscription(row, query->subscription)) &&
           (!query->state || strcmp(query->state, stream->state) == 0) &&
           (!query->part || id_has(row, query->part)) && sl_api_filter_fits(&query->filter, stream);
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct query *query = arg;

    return sl_api_order_compare(query->order, query->is_descending, a, b);
}

/* All there are, as they lie in the snapshots. NULL when memory is out. */
static struct sl_api_stream *collect(const struct sl_api_snapshots *snapshots, size_t *count)
{
    struct sl_api_stream *streams;
    size_t most = 0;

    for (unsigned w = 0; w < snapshots->count; w++) {
        most += snapshots->all[w].stream_count;
    }
    streams = calloc(most + 1, sizeof(*streams));
    *count = 0;
    for (unsigned w = 0; streams && w < snapshots->count; w++) {
        const struct sl_snapshot *snapshot = &snapshots->all[w];
        for (size_t i = 0; i < snapshot->stream_count; i++) {
            sl_api_stream_init(&streams[(*count)++], &snapshot->streams[i], snapshot->worker);
        }
    }
    return streams;
}

/* Leaves those that match, sorted. */
static size_t choose(struct sl_api_stream *streams, size_t count, struct query *query)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (matches(query, &streams[i])) {
            streams[kept++] = streams[i];
        }
    }
    qsort_r(streams, kept, sizeof(*streams), compare, query);
    return kept;
}

static json_t *rows_json(struct sl_json *json, const struct sl_api_stream *streams, size_t count,
                         const struct sl_api_page *page)
{
    json_t *rows = sl_json_array(json);

    for (size_t i = page->offset; i < count && i - page->offset < page->limit; i++) {
        sl_json_add(json, rows, sl_api_stream_json(json, &streams[i], false));
    }
    return rows;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

void sl_api_streams(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    void *arg)
{
    const struct sl_api *api = arg;
    struct sl_api_snapshots snapshots;
    struct sl_json json = {false};
    struct query query;
    size_t count;

    if (!read_query(&query, request, answer) || !sl_api_snapshots_take(api, &snapshots, answer)) {
        return;
    }
    json_t *root = sl_json_object(&json);
    struct sl_api_stream *streams = collect(&snapshots, &count);
    json.failed = json.failed || !streams;
    if (streams) {
        sl_api_rates_look(api->rates, streams, count, now_ns());
        if (query.has_summary) {
            sl_json_put(&json, root, "summary", sl_api_summary_json(&json, streams, count));
        }
        count = choose(streams, count, &query);
        sl_json_put(&json, root, "total", sl_json_u64(&json, count));
        sl_json_put(&json, root, "streams", rows_json(&json, streams, count, &query.page));
    }
    sl_admin_answer_json(answer, &json, root);
    free(streams);
    sl_api_snapshots_drop(&snapshots);
}
