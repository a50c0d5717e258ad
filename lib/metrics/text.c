#include "metrics/text.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 32, SECOND_DIGITS = 9 };

static const char *type_name(enum sl_metric_type type)
{
    switch (type) {
    case SL_METRIC_COUNTER:
        return "counter";
    case SL_METRIC_GAUGE:
        return "gauge";
    case SL_METRIC_INFO:
        return "info";
    case SL_METRIC_HISTOGRAM:
        return "histogram";
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
    case SL_METRIC_HISTOGRAM:
        return ""; /* each sample has its own */
    }
    return "";
}

static const char *unit_of(const char *name)
{
    static const char *const units[] = {"bytes", "seconds"};
    const char *last = strrchr(name, '_');

    for (size_t i = 0; last && i < SL_ARRAY_LEN(units); i++) {
        if (strcmp(last + 1, units[i]) == 0) {
            return units[i];
        }
    }
    return NULL;
}

void sl_metrics_family(struct sl_buf *out, const char *name, enum sl_metric_type type,
                       const char *help)
{
    const char *unit = unit_of(name);

    sl_buf_printf(out, "# TYPE %s %s\n", name, type_name(type));
    if (unit) {
        sl_buf_printf(out, "# UNIT %s %s\n", name, unit);
    }
    sl_buf_printf(out, "# HELP %s %s\n", name, help);
}

/* How many bytes follow a first byte of UTF-8, and the range of the second one: that is where
 * overlong forms, surrogates and what lies above U+10FFFF are told. */
struct utf8_lead {
    uint8_t first, last;
    uint8_t followers;
    uint8_t second_min, second_max;
};

static const struct utf8_lead utf8_leads[] = {
    {0x00, 0x7f, 0, 0x00, 0x00}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static bool matches(const struct utf8_lead *lead, const uint8_t *bytes, size_t len)
{
    if (bytes[0] < lead->first || bytes[0] > lead->last || len <= lead->followers) {
        return false;
    }
    if (lead->followers > 0 && (bytes[1] < lead->second_min || bytes[1] > lead->second_max)) {
        return false;
    }
    for (size_t i = 2; i <= lead->followers; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* The length of the character at the front; 0 when it is none. `len` is not 0. */
static size_t utf8_len(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(utf8_leads); i++) {
        if (matches(&utf8_leads[i], bytes, len)) {
            return (size_t)utf8_leads[i].followers + 1;
        }
    }
    return 0;
}

/* Adds the character at the front of `str`, which is not empty; returns its length. */
static size_t add_character(struct sl_buf *out, struct sl_str str)
{
    const uint8_t byte = (uint8_t)str.data[0];
    size_t len = utf8_len((const uint8_t *)str.data, str.len);

    if (byte == '\\' || byte == '"') {
        sl_buf_add_byte(out, '\\');
        sl_buf_add_byte(out, (char)byte);
    } else if (byte == '\n') {
        sl_buf_add_c(out, "\\n");
    } else if (len == 0 || byte < 0x20 || byte == 0x7f) {
        sl_buf_add_byte(out, '?');
    } else {
        sl_buf_add(out, str.data, len);
    }
    return len ? len : 1;
}

/* How many bytes at the front are written as they are: nearly always all of them. */
static size_t plain_len(struct sl_str value)
{
    size_t len = 0;

    while (len < value.len && value.data[len] >= 0x20 && value.data[len] < 0x7f &&
           value.data[len] != '"' && value.data[len] != '\\') {
        len++;
    }
    return len;
}

static void add_escaped(struct sl_buf *out, struct sl_str value)
{
    size_t plain = plain_len(value);

    if (!value.len) {
        return;
    }
    sl_buf_add(out, value.data, plain);
    value.data += plain;
    value.len -= plain;
    while (value.len > 0 && !out->failed) {
        size_t len = add_character(out, value);

        value.data += len;
        value.len -= len;
    }
}

static void add_name(struct sl_buf *out, const char *name, const char *end,
                     const struct sl_metric_label *labels, size_t count)
{
    sl_buf_add_c(out, name);
    sl_buf_add_c(out, end);
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_byte(out, i == 0 ? '{' : ',');
        sl_buf_add_c(out, labels[i].name);
        sl_buf_add_c(out, "=\"");
        add_escaped(out, labels[i].value);
        sl_buf_add_byte(out, '"');
    }
    sl_buf_add_c(out, count ? "} " : " ");
}

static void add_count(struct sl_buf *out, const char *name, const char *end,
                      const struct sl_metric_label *labels, size_t count, uint64_t value)
{
    add_name(out, name, end, labels, count);
    sl_buf_add_u64(out, value);
    sl_buf_add_byte(out, '\n');
}

void sl_metrics_u64(struct sl_buf *out, const char *name, enum sl_metric_type type,
                    const struct sl_metric_label *labels, size_t count, uint64_t value)
{
    add_count(out, name, suffix(type), labels, count, value);
}

void sl_metrics_seconds(struct sl_buf *out, const char *name, enum sl_metric_type type,
                        const struct sl_metric_label *labels, size_t count, int64_t value_ns)
{
    uint64_t ns = value_ns < 0 ? 0 : (uint64_t)value_ns;
    uint64_t rest = ns % (uint64_t)SL_NS_PER_S;
    char digits[] = ".000000000\n";

    for (char *digit = digits + SECOND_DIGITS; digit > digits; digit--, rest /= 10) {
        *digit = (char)('0' + rest % 10);
    }
    add_name(out, name, suffix(type), labels, count);
    sl_buf_add_u64(out, ns / (uint64_t)SL_NS_PER_S);
    sl_buf_add(out, digits, sizeof(digits) - 1);
}

void sl_metrics_histogram(struct sl_buf *out, const char *name,
                          const struct sl_metric_label *labels, size_t count,
                          const struct sl_histogram *histogram)
{
    struct sl_metric_label all[SL_METRIC_HISTOGRAM_LABELS + 1];
    char bound[NUMBER_BYTES];
    uint64_t sum = 0;

    SL_ASSERT(count <= SL_METRIC_HISTOGRAM_LABELS);
    if (count) {
        memcpy(all, labels, count * sizeof(*labels));
    }
    for (unsigned i = 0; i < SL_HISTOGRAM_BOUNDS; i++) {
        double bound_s = (double)sl_histogram_bound_ns(i) / (double)SL_NS_PER_S;
        snprintf(bound, sizeof(bound), "%.10g", bound_s);
        all[count] = (struct sl_metric_label){"le", sl_str_from(bound)};
        sum += histogram->counts[i];
        add_count(out, name, "_bucket", all, count + 1, sum);
    }
    sum += histogram->counts[SL_HISTOGRAM_BOUNDS];
    all[count] = (struct sl_metric_label){"le", SL_STR("+Inf")};
    add_count(out, name, "_bucket", all, count + 1, sum);
    add_count(out, name, "_count", labels, count, sum);
    add_name(out, name, "_sum", labels, count);
    sl_buf_printf(out, "%.9f\n", histogram->sum_s);
}

void sl_metrics_end(struct sl_buf *out)
{
    sl_buf_add_c(out, "# EOF\n");
}
