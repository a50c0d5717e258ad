/* What streams may be sent and hold, and what keeps them from more: families of the metrics page.
 */
#include "daemon/report.h"
#include "metrics/text.h"

enum { LABELS = 3, STREAM_LABELS = 2 };

struct family {
    const char *name;
    enum sl_metric_type type;
    const char *help;
    void (*put)(const struct family *family, const struct sl_stream_view *view, struct sl_buf *out);
};

static void fill_labels(const struct sl_stream_view *view, struct sl_metric_label *labels)
{
    labels[0] = (struct sl_metric_label){"target", sl_str_from(view->target)};
    labels[1] = (struct sl_metric_label){"subscription", sl_str_from(view->subscription)};
}

/* A sample of the stream; with a third label, where that has a name. */
static void put_u64(const struct family *family, const struct sl_stream_view *view,
                    const struct sl_metric_label *third, uint64_t value, struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];

    fill_labels(view, labels);
    if (third) {
        labels[STREAM_LABELS] = *third;
    }
    sl_metrics_u64(out, family->name, family->type, labels, STREAM_LABELS + (third != NULL), value);
}

static void put_credit(const struct family *family, const struct sl_stream_view *view,
                       struct sl_buf *out)
{
    const struct {
        const char *state;
        uint32_t bytes;
    } parts[] = {
        {"granted", view->granted_bytes},
        {"assembling", view->assembling_bytes},
        {"held", view->held_bytes},
        {"pending", view->pending_bytes},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        const struct sl_metric_label state = {"state", sl_str_from(parts[i].state)};
        if (parts[i].bytes) {
            put_u64(family, view, &state, parts[i].bytes, out);
        }
    }
}

static void put_limit(const struct family *family, const struct sl_stream_view *view,
                      struct sl_buf *out)
{
    put_u64(family, view, NULL, view->limit_bytes, out);
}

static void put_doublings(const struct family *family, const struct sl_stream_view *view,
                          struct sl_buf *out)
{
    if (view->window_doublings) {
        put_u64(family, view, NULL, view->window_doublings, out);
    }
}

static void put_cost(const struct family *family, const struct sl_stream_view *view,
                     struct sl_buf *out)
{
    if (view->cost_held_bytes) {
        put_u64(family, view, NULL, view->cost_held_bytes, out);
    }
}

static void put_share(const struct family *family, const struct sl_stream_view *view,
                      struct sl_buf *out)
{
    put_u64(family, view, NULL, view->share_bytes, out);
}

static void put_entitled(const struct family *family, const struct sl_stream_view *view,
                         struct sl_buf *out)
{
    put_u64(family, view, NULL, view->entitled_bytes, out);
}

static void put_blocked(const struct family *family, const struct sl_stream_view *view,
                        struct sl_buf *out)
{
    put_u64(family, view, NULL, view->is_blocked, out);
}

static void put_blocked_time(const struct family *family, const struct sl_stream_view *view,
                             struct sl_buf *out)
{
    struct sl_metric_label labels[LABELS];

    fill_labels(view, labels);
    sl_metrics_seconds(out, family->name, family->type, labels, STREAM_LABELS, view->blocked_ns);
}

/* A device that is not blocked is limited by nothing. */
static void put_limited(const struct family *family, const struct sl_stream_view *view,
                        struct sl_buf *out)
{
    for (int i = SL_LIMITED_NOT + 1; i < SL_LIMITS; i++) {
        enum sl_limited limited = (enum sl_limited)i;
        const struct sl_metric_label by = {"by", sl_str_from(sl_limited_name(limited))};
        if (view->limited == limited) {
            put_u64(family, view, &by, 1, out);
        }
    }
}

static const struct family families[] = {
    {"sluice_stream_credit_bytes", SL_METRIC_GAUGE, "The stream's limit, four ways.", put_credit},
    {"sluice_stream_limit_bytes", SL_METRIC_GAUGE, "Bytes that may be out at once.", put_limit},
    {"sluice_stream_window_doublings", SL_METRIC_COUNTER,
     "How often its window grew, as it was what limited the device.", put_doublings},
    {"sluice_stream_cost_bytes", SL_METRIC_GAUGE, "Memory that what is held takes.", put_cost},
    {"sluice_stream_share_bytes", SL_METRIC_GAUGE, "Memory that it may take now.", put_share},
    {"sluice_stream_entitled_bytes", SL_METRIC_GAUGE,
     "Memory that it gets whenever it wants it, by its priority.", put_entitled},
    {"sluice_stream_blocked_seconds", SL_METRIC_COUNTER, "Time without credit to go on with.",
     put_blocked_time},
    {"sluice_stream_blocked", SL_METRIC_GAUGE, "1 while the device cannot go on.", put_blocked},
    {"sluice_stream_limited", SL_METRIC_GAUGE,
     "1 while the device cannot go on: for its window, the memory, or a slow sink.", put_limited},
};

void sl_report_credit(const struct sl_snapshot *snapshots, size_t count, struct sl_buf *out)
{
    for (size_t f = 0; f < SL_ARRAY_LEN(families); f++) {
        const struct family *family = &families[f];
        sl_metrics_family(out, family->name, family->type, family->help);
        for (size_t w = 0; w < count; w++) {
            for (size_t s = 0; s < snapshots[w].stream_count; s++) {
                family->put(family, &snapshots[w].streams[s].view, out);
            }
        }
    }
}
