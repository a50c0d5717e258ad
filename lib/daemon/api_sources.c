/* GET /api/v1/sources: where targets are found; and what /metrics and the status say of it. */
#include "daemon/api_internal.h"
#include "daemon/sources.h"
#include "metrics/text.h"

static json_t *time_json(struct sl_json *json, int64_t wall_ns)
{
    return wall_ns ? sl_json_time(json, wall_ns) : sl_json_text(json, NULL);
}

static json_t *text_json(struct sl_json *json, const char *text)
{
    return sl_json_text(json, text[0] ? text : NULL);
}

static json_t *row_json(struct sl_json *json, const struct sl_sources_row *row)
{
    const struct sl_source_status *source = &row->source;
    json_t *object = sl_json_object(json);

    sl_json_put(json, object, "name", sl_json_text(json, source->name));
    sl_json_put(json, object, "type", sl_json_text(json, source->type));
    sl_json_put(json, object, "well", sl_json_bool(json, sl_source_is_well(source)));
    sl_json_put(json, object, "last_success", time_json(json, source->success_ns));
    sl_json_put(json, object, "last_failure", time_json(json, source->error_ns));
    sl_json_put(json, object, "error", text_json(json, source->error));
    sl_json_put(json, object, "failures", sl_json_u64(json, source->failures));
    sl_json_put(json, object, "kept", sl_json_bool(json, source->is_kept));
    sl_json_put(json, object, "tag", text_json(json, source->tag));
    sl_json_put(json, object, "documents", sl_json_u64(json, source->documents));
    sl_json_put(json, object, "document_bytes", sl_json_u64(json, source->bytes));
    sl_json_put(json, object, "targets", sl_json_u64(json, row->targets));
    sl_json_put(json, object, "wrong", sl_json_u64(json, row->wrong));
    sl_json_put(json, object, "conflicts", sl_json_u64(json, row->conflicts));
    sl_json_put(json, object, "elsewhere", sl_json_u64(json, row->elsewhere));
    return object;
}

void sl_api_sources(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    void *arg)
{
    const struct sl_api *api = arg;
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    json_t *rows = sl_json_array(&json);

    (void)request;
    for (size_t i = 0; i < sl_sources_count(api->sources); i++) {
        struct sl_sources_row row;
        if (sl_sources_row(api->sources, i, &row)) {
            sl_json_add(&json, rows, row_json(&json, &row));
        }
    }
    sl_json_put(&json, root, "sources", rows);
    sl_admin_answer_json(answer, &json, root);
}

json_t *sl_api_discovery_json(struct sl_json *json, const struct sl_api *api)
{
    json_t *object = sl_json_object(json);
    json_t *failing = sl_json_array(json);

    for (size_t i = 0; i < sl_sources_count(api->sources); i++) {
        struct sl_sources_row row;
        if (sl_sources_row(api->sources, i, &row) && !sl_source_is_well(&row.source)) {
            sl_json_add(json, failing, sl_json_text(json, row.source.name));
        }
    }
    sl_json_put(json, object, "sources", sl_json_u64(json, sl_sources_count(api->sources)));
    sl_json_put(json, object, "failing", failing);
    return object;
}

/* ---- metrics ---- */

struct family {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    uint64_t (*value)(const struct sl_sources_row *row);
};

static uint64_t well(const struct sl_sources_row *row)
{
    return sl_source_is_well(&row->source);
}

static uint64_t kept(const struct sl_sources_row *row)
{
    return row->source.is_kept;
}

static uint64_t failures(const struct sl_sources_row *row)
{
    return row->source.failures;
}

static uint64_t targets(const struct sl_sources_row *row)
{
    return row->targets;
}

static uint64_t wrong(const struct sl_sources_row *row)
{
    return row->wrong;
}

static uint64_t conflicts(const struct sl_sources_row *row)
{
    return row->conflicts;
}

static const struct family families[] = {
    {"sluice_discovery_well", SL_METRIC_GAUGE, "1 while the source answers as it should.", well},
    {"sluice_discovery_kept", SL_METRIC_GAUGE,
     "1 while what is known of it is what was kept on disk.", kept},
    {"sluice_discovery_failures", SL_METRIC_COUNTER, "Times that it did not.", failures},
    {"sluice_discovery_targets", SL_METRIC_GAUGE, "Targets found by it that are collected.",
     targets},
    {"sluice_discovery_wrong_targets", SL_METRIC_GAUGE,
     "Targets of it that are left out, as something is wrong with them.", wrong},
    {"sluice_discovery_conflicting_targets", SL_METRIC_GAUGE,
     "Targets of it that are left out, as who goes before it has the name.", conflicts},
};

static void put(const struct family *family, const struct sl_sources_row *row, struct sl_buf *out)
{
    const struct sl_metric_label labels[] = {
        {"source", sl_str_from(row->source.name)},
        {"type", sl_str_from(row->source.type)},
    };

    sl_metrics_u64(out, family->name, family->type, labels, SL_ARRAY_LEN(labels),
                   family->value(row));
}

/* When each of those that ever answered did so last. */
static void put_successes(struct sl_sources *sources, struct sl_buf *out)
{
    const char *name = "sluice_discovery_success_timestamp_seconds";

    sl_metrics_family(out, name, SL_METRIC_GAUGE, "When it last answered as it should.");
    for (size_t i = 0; i < sl_sources_count(sources); i++) {
        struct sl_sources_row row;
        bool is_there = sl_sources_row(sources, i, &row);
        const struct sl_metric_label labels[] = {
            {"source", sl_str_from(row.source.name)},
            {"type", sl_str_from(is_there ? row.source.type : "")},
        };
        if (is_there && row.source.success_ns) {
            sl_metrics_seconds(out, name, SL_METRIC_GAUGE, labels, SL_ARRAY_LEN(labels),
                               row.source.success_ns);
        }
    }
}

void sl_api_put_sources(struct sl_sources *sources, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(families); f++) {
        sl_metrics_family(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < sl_sources_count(sources); i++) {
            struct sl_sources_row row;
            if (sl_sources_row(sources, i, &row)) {
                put(&families[f], &row, out);
            }
        }
    }
    put_successes(sources, out);
}
