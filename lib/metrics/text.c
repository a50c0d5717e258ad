#include "metrics/text.h"

#include <inttypes.h>

static const char *type_name(enum sl_metric_type type)
{
    switch (type) {
    case SL_METRIC_COUNTER:
        return "counter";
    case SL_METRIC_GAUGE:
        return "gauge";
    case SL_METRIC_INFO:
        return "info";
    }
    return "unknown";
}

static const char *suffix(enum sl_metric_type type)
{
    switch (type) {
    case SL_METRIC_COUNTER:
        return "_total";
    case SL_METRIC_GAUGE:
        return "";
    case SL_METRIC_INFO:
        return "_info";
    }
    return "";
}

void sl_metrics_family(struct sl_buf *out, const char *name, enum sl_metric_type type,
                       const char *help)
{
    sl_buf_printf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type_name(type), name, help);
}

static void add_escaped(struct sl_buf *out, struct sl_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char byte = value.data[i];
        if (byte == '\\' || byte == '"') {
            sl_buf_add_byte(out, '\\');
            sl_buf_add_byte(out, byte);
        } else if (byte == '\n') {
            sl_buf_add_c(out, "\\n");
        } else {
            sl_buf_add_byte(out, (unsigned char)byte < 0x20 || byte == 0x7f ? '?' : byte);
        }
    }
}

static void add_name(struct sl_buf *out, const char *name, enum sl_metric_type type,
                     const struct sl_metric_label *labels, size_t count)
{
    sl_buf_add_c(out, name);
    sl_buf_add_c(out, suffix(type));
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_byte(out, i == 0 ? '{' : ',');
        sl_buf_add_c(out, labels[i].name);
        sl_buf_add_c(out, "=\"");
        add_escaped(out, labels[i].value);
        sl_buf_add_byte(out, '"');
    }
    sl_buf_add_c(out, count ? "} " : " ");
}

void sl_metrics_u64(struct sl_buf *out, const char *name, enum sl_metric_type type,
                    const struct sl_metric_label *labels, size_t count, uint64_t value)
{
    add_name(out, name, type, labels, count);
    sl_buf_add_u64(out, value);
    sl_buf_add_byte(out, '\n');
}

void sl_metrics_seconds(struct sl_buf *out, const char *name, enum sl_metric_type type,
                        const struct sl_metric_label *labels, size_t count, int64_t value_ns)
{
    uint64_t ns = value_ns < 0 ? 0 : (uint64_t)value_ns;
    const uint64_t per_second = (uint64_t)SL_NS_PER_S;

    add_name(out, name, type, labels, count);
    sl_buf_printf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / per_second, ns % per_second);
}

void sl_metrics_end(struct sl_buf *out)
{
    sl_buf_add_c(out, "# EOF\n");
}
