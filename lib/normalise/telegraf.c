#include "normalise/telegraf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "gnmi/path.h"
#include "gnmi/request.h"
#include "normalise/items.h"
#include "normalise/number.h"
#include "normalise/pass.h"
#include "normalise/scan.h"
#include "normalise/telegraf_value.h"
#include "normalise/text.h"

enum { KEPT_BYTES = 64 * 1024, HOST_BYTES = 256 };

/* All offsets are of scratch->metrics. */
struct field {
    struct sl_item series;
    struct sl_item key; /* from and to: the value */
    enum sl_telegraf_kind kind;
    uint32_t update; /* the number of the update in the window */
    bool is_first;   /* of that update */
};

struct window {
    struct sl_pass *pass;
    struct sl_pass *leaf_pass; /* of leaves in JSON */
    struct sl_telegraf *telegraf;
    struct sl_telegraf_form form;
    struct sl_buf *text; /* the form's */
    struct sl_buf *fields;
    struct sl_item series;
    uint32_t update; /* the number of the one under way; in the end, how many were looked at */
    bool is_first;   /* it has no field yet */
};

static struct sl_telegraf *telegraf_of(void *arg)
{
    return arg;
}

/* ---- paths ---- */

static bool begin_paths(void *arg, struct sl_str prefix)
{
    telegraf_of(arg)->scratch->telegraf.prefix = prefix;
    return true;
}

static bool build_path(void *arg, struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_telegraf *telegraf = arg;

    return sl_telegraf_path_build(&telegraf->scratch->telegraf, &telegraf->names, path, false,
                                  fragment);
}

static bool build_leaf(void *arg, struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_telegraf *telegraf = arg;

    return sl_telegraf_path_build(&telegraf->scratch->telegraf, &telegraf->names, path, true,
                                  fragment);
}

static size_t path_cost(const void *arg)
{
    const struct sl_telegraf *telegraf = arg;
    const struct sl_telegraf_path *path = &telegraf->scratch->telegraf;

    return path->text.len + path->words.len;
}

static const struct sl_pass_paths telegraf_paths = {begin_paths, build_path, path_cost};
static const struct sl_pass_paths leaf_paths = {begin_paths, build_leaf, path_cost};

/* ---- fields ---- */

static struct sl_item add_text(struct window *window, struct sl_str text)
{
    struct sl_item item = {.name_at = (uint32_t)window->text->len, .name_len = (uint32_t)text.len};

    sl_buf_add_str(window->text, text);
    item.name_len = window->text->failed ? 0 : item.name_len;
    return item;
}

static char behind(const struct sl_fragment *fragment)
{
    size_t at = fragment->key_at + fragment->key_len;

    return fragment->len > at ? fragment->text[at] : '\0';
}

/* Series and key of a field whose value comes next. */
static struct field begin_field(struct window *window, const struct sl_fragment *fragment,
                                struct sl_str leaf)
{
    struct sl_str series = {fragment->text, fragment->tags_len};
    struct sl_str key = {fragment->text + fragment->key_at, fragment->key_len};
    struct sl_str last = {window->text->data + window->series.name_at, window->series.name_len};

    if (!window->series.name_len || !sl_str_eq(last, series)) {
        window->series = add_text(window, series);
    }
    struct field field = {.series = window->series, .update = window->update};

    if (leaf.len && behind(fragment) == SL_TELEGRAF_ROOT) {
        key.len = 0; /* the leaf's name, without the first '/' */
        leaf = (struct sl_str){leaf.data + 1, leaf.len - 1};
    }
    field.key = add_text(window, key);
    size_t from = window->text->len;

    sl_buf_add_str(window->text, leaf);
    for (; from < window->text->len; from++) {
        window->text->data[from] = window->text->data[from] == '-' ? '_' : window->text->data[from];
    }
    field.key.name_len += (uint32_t)leaf.len;
    field.key.from = (uint32_t)window->text->len;
    return field;
}

static void end_field(struct window *window, struct field *field, enum sl_telegraf_kind kind)
{
    field->kind = kind;
    field->key.to = (uint32_t)window->text->len;
    if (kind != SL_TELEGRAF_ERROR) {
        field->is_first = window->is_first;
        window->is_first = false;
        sl_buf_add(window->fields, field, sizeof(*field));
    }
}

static bool is_json(const struct sl_gnmi_value *value)
{
    return value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF;
}

/* The leaf with a path of its own. */
static void add_leaf(struct window *window, const struct sl_json_leaf *leaf)
{
    struct sl_telegraf_leaves *leaves = window->telegraf->leaves;
    struct sl_fragment fragment;

    if (sl_telegraf_leaves_find(leaves, window->leaf_pass, leaf->name, &fragment) &&
        fragment.key_len && fragment.tags_len) {
        struct field field = begin_field(window, &fragment, (struct sl_str){0});
        end_field(window, &field, sl_telegraf_add_leaf(&window->form, leaf->value));
    }
    window->pass->is_full = window->pass->is_full || window->leaf_pass->is_full;
}

static void add_json(struct window *window, const struct sl_fragment *fragment,
                     const struct sl_gnmi_update *update)
{
    struct sl_json *json = &window->telegraf->scratch->json;
    struct sl_str source = update->value.of.bytes;
    bool has_leaves = behind(fragment) == SL_TELEGRAF_LEAVES;

    if (!source.len || sl_json_flatten_all(json, source) != SL_JSON_LEAVES) {
        return;
    }
    size_t count = sl_json_leaf_count(json);

    if (has_leaves && !sl_telegraf_leaves_begin(window->telegraf->leaves, update->path)) {
        window->text->failed = true;
    }
    for (size_t i = 0; i < count && sl_pass_has_room(window->pass, window->text->len); i++) {
        struct sl_json_leaf leaf = sl_json_leaf(json, i);
        if (has_leaves) {
            add_leaf(window, &leaf);
            continue;
        }
        struct field field = begin_field(window, fragment, leaf.name);
        end_field(window, &field, sl_telegraf_add_leaf(&window->form, leaf.value));
    }
}

static void add_update(struct window *window, const struct sl_gnmi_update *update)
{
    struct sl_fragment fragment;

    window->is_first = true;
    if (!update->has_path || !sl_pass_find(window->pass, update->path, &fragment) ||
        !sl_pass_has_room(window->pass, window->text->len + fragment.len)) {
        return;
    }
    bool has_key = fragment.key_len && fragment.tags_len;

    if (is_json(&update->value) && (has_key || behind(&fragment) == SL_TELEGRAF_LEAVES)) {
        add_json(window, &fragment, update);
    } else if (has_key) {
        struct field field = begin_field(window, &fragment, (struct sl_str){0});
        end_field(window, &field, sl_telegraf_add_value(&window->form, &update->value));
    }
}

/* The updates from `at` on, as many as a window has. Where they end; `is_last` where all do. */
static size_t collect(struct window *window, size_t at, bool *is_last)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(window->pass->response);
    const uint8_t *begin = cursor.at;
    struct sl_gnmi_update update;

    cursor.at += at;
    *is_last = false;
    for (window->update = 0; window->update < SL_TELEGRAF_WINDOW && !*is_last; window->update++) {
        *is_last = !sl_gnmi_next_update(&cursor, &update);
        if (!*is_last) {
            add_update(window, &update);
        }
    }
    return (size_t)(cursor.at - begin);
}

/* ---- metrics ---- */

static struct field *fields_of(const struct window *window)
{
    return (struct field *)(void *)window->fields->data;
}

static size_t field_count(const struct window *window)
{
    return window->fields->len / sizeof(struct field);
}

/* Items in `order`, one for each field of `count`, named by `name_of`. */
static struct sl_item *order_fields(const struct window *window, const uint32_t *indices,
                                    size_t count, bool by_series)
{
    struct sl_item *items = malloc((count ? count : 1) * sizeof(*items));

    for (size_t i = 0; items && i < count; i++) {
        uint32_t index = indices ? indices[i] : (uint32_t)i;
        const struct field *field = &fields_of(window)[index];
        items[i] = by_series ? field->series : field->key;
        items[i].from = items[i].to = index;
    }
    if (items && !sl_items_sort(items, count, window->text->data)) {
        free(items);
        items = NULL;
    }
    return items;
}

static struct sl_str text_at(const struct window *window, uint32_t from, uint32_t to)
{
    return (struct sl_str){window->text->data + from, to - from};
}

/* Of each run of fields with one key the last, with the index of the first in `to`; how many. */
static size_t drop_repeated(struct sl_item *items, size_t count, const char *names)
{
    size_t kept = 0;
    size_t first = 0;

    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && sl_items_compare(&items[i], &items[i + 1], names) == 0) {
            continue;
        }
        uint32_t first_index = items[first].from;
        items[kept] = items[i];
        items[kept++].to = first_index;
        first = i + 1;
    }
    return kept;
}

static int compare_first(const void *a, const void *b)
{
    uint32_t left = ((const struct sl_item *)a)->to;
    uint32_t right = ((const struct sl_item *)b)->to;

    return (left > right) - (left < right);
}

/* The fields of a metric as they stand in the record; how many. */
static size_t add_fields(const struct window *window, const struct sl_item *items, size_t count)
{
    struct sl_buf *out = window->pass->out;
    bool is_influx = window->telegraf->names.is_influx;
    size_t added = 0;

    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields_of(window)[items[i].from];
        struct sl_str key =
            text_at(window, field->key.name_at, field->key.name_at + field->key.name_len);
        if (field->kind == SL_TELEGRAF_NONE || (is_influx && field->kind == SL_TELEGRAF_NULL)) {
            continue;
        }
        sl_buf_add_c(out, added++ ? "," : "");
        if (is_influx) {
            sl_telegraf_add_escaped(out, key, ", =");
            sl_buf_add_byte(out, '=');
        } else {
            sl_text_add_quoted(out, key);
            sl_buf_add_byte(out, ':');
        }
        if (field->kind == SL_TELEGRAF_NULL) {
            sl_buf_add_c(out, "null");
        } else {
            sl_buf_add_str(out, text_at(window, field->key.from, field->key.to));
        }
    }
    return added;
}

static bool write_metric(const struct window *window, struct sl_str series,
                         const struct sl_item *items, size_t count)
{
    struct sl_buf *out = window->pass->out;
    size_t start = out->len;
    int64_t timestamp_ns = window->pass->response->timestamp_ns;

    if (window->telegraf->names.is_influx) {
        sl_buf_add_str(out, sl_telegraf_series_text(series));
        sl_buf_add_byte(out, ' ');
        if (!add_fields(window, items, count)) {
            out->len = start;
            return false;
        }
        sl_buf_add_byte(out, ' ');
        sl_buf_add_i64(out, timestamp_ns);
    } else {
        sl_buf_add_c(out, "{\"fields\":{");
        (void)add_fields(window, items, count);
        sl_buf_add_c(out, "},");
        sl_buf_add_str(out, series);
        sl_buf_add_c(out, ",\"timestamp\":");
        sl_buf_add_i64(out, timestamp_ns / SL_NS_PER_S);
        sl_buf_add_byte(out, '}');
        sl_text_escape_html(out, start);
    }
    sl_buf_add_byte(out, '\n');
    return true;
}

/* Counts the updates whose first fields are in the metric; each one's fields stand together. */
static void count_updates(const struct window *window, const uint32_t *indices, size_t count,
                          bool is_written)
{
    bool is_influx = window->telegraf->names.is_influx;

    for (size_t i = 0; i < count;) {
        uint32_t update = fields_of(window)[indices[i]].update;
        bool is_counted = fields_of(window)[indices[i]].is_first;
        bool is_published = false;
        for (; i < count && fields_of(window)[indices[i]].update == update; i++) {
            enum sl_telegraf_kind kind = fields_of(window)[indices[i]].kind;
            is_published = is_published || kind == SL_TELEGRAF_TEXT ||
                           (kind == SL_TELEGRAF_NULL && !is_influx);
        }
        if (is_counted && is_published && is_written) {
            window->pass->encoded->published++;
        } else if (is_counted) {
            window->pass->encoded->dropped++;
        }
    }
}

/* The metric of the fields at `indices`, in the order in which they came. False: memory is out. */
static bool add_metric(const struct window *window, const uint32_t *indices, size_t count)
{
    const struct field *first = &fields_of(window)[indices[0]];
    size_t skipped = first->kind == SL_TELEGRAF_NULL; /* a metric does not begin with one */
    struct sl_str series =
        text_at(window, first->series.name_at, first->series.name_at + first->series.name_len);
    struct sl_item *items = order_fields(window, indices + skipped, count - skipped, false);

    if (!items) {
        return false;
    }
    size_t kept = drop_repeated(items, count - skipped, window->text->data);

    if (window->telegraf->names.is_influx) { /* JSON stays sorted by key */
        qsort(items, kept, sizeof(*items), compare_first);
    }
    size_t start = window->pass->out->len;
    bool is_written = kept > 0 && write_metric(window, series, items, kept);

    if (is_written && !sl_pass_fits(window->pass, 0)) {
        window->pass->out->len = start;
        is_written = false;
    }
    count_updates(window, indices, count, is_written);
    free(items);
    return true;
}

/* Walks the metrics in the order of their first fields up to number `wanted`, and adds that. False:
 * there are not so many, or memory is out. */
static bool add_wanted(const struct window *window, size_t wanted)
{
    size_t count = field_count(window);
    struct sl_item *items = order_fields(window, NULL, count, true);
    uint32_t *indices = malloc((count ? count : 1) * sizeof(*indices));
    uint32_t *metric_at =
        calloc(count ? count : 1, sizeof(*metric_at)); /* by first field, from 1 */
    bool is_found = false;

    if (!items || !indices || !metric_at) {
        window->pass->out->failed = true;
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        indices[i] = items[i].from;
        bool is_first =
            i == 0 || sl_items_compare(&items[i - 1], &items[i], window->text->data) != 0;
        metric_at[items[i].from] = is_first ? (uint32_t)i + 1 : 0;
    }
    for (size_t i = 0, number = 0; i < count && !is_found; i++) {
        if (metric_at[i] && number++ == wanted) {
            size_t from = metric_at[i] - 1;
            size_t to = from + 1;
            while (to < count && !metric_at[indices[to]]) {
                to++;
            }
            is_found = true;
            window->pass->out->failed |= !add_metric(window, indices + from, to - from);
        }
    }
    free(metric_at);
    free(indices);
    free(items);
    return is_found;
}

/* One metric of the window at progress->at, or the end of the window, where what got into none is
 * dropped. The window is worked out anew for each metric: where memory gives out in one of them an
 * update may look lost, or come twice, but it is counted once. */
static void step(struct window *window, struct sl_encoder_progress *progress)
{
    struct sl_encoded *encoded = window->pass->encoded;
    struct sl_encoded metric = {0};
    bool is_last;
    size_t end = collect(window, progress->at, &is_last);
    uint32_t updates = window->update - is_last;
    uint32_t left = updates - sl_min_u32(progress->counted, updates);

    if (window->text->failed || window->fields->failed) {
        window->pass->out->failed = true;
        return;
    }
    window->pass->encoded = &metric;
    bool is_found = add_wanted(window, progress->given);

    window->pass->encoded = encoded;
    if (is_found) {
        metric.published = sl_min_u32(metric.published, left);
        metric.dropped = sl_min_u32(metric.dropped, left - metric.published);
        encoded->published += metric.published;
        encoded->dropped += metric.dropped;
        progress->counted += metric.published + metric.dropped;
        progress->given++;
        return;
    }
    encoded->dropped += left;
    progress->at = end;
    progress->given = progress->counted = 0;
    if (is_last) {
        encoded->dropped += window->pass->response->deletes;
        progress->is_done = true;
    }
}

bool sl_telegraf_next(struct sl_telegraf *telegraf, const struct sl_gnmi_response *response,
                      struct sl_encoder_progress *progress, struct sl_buf *out,
                      struct sl_encoded *encoded)
{
    struct sl_encoder_scratch *scratch = telegraf->scratch;
    struct sl_pass pass = {
        .response = response,
        .paths = &telegraf_paths,
        .arg = telegraf,
        .intern = &telegraf->paths,
        .out = out,
        .encoded = encoded,
        .made_bytes = progress->made_bytes,
    };
    struct sl_pass leaf_pass = pass;

    leaf_pass.paths = &leaf_paths;
    leaf_pass.intern = &telegraf->leaves->paths;
    if (response->updates + response->deletes == 0) {
        progress->is_done = true;
        return true;
    }
    scratch->json.is_rounding = telegraf->is_float64;
    sl_pass_begin(&pass);
    sl_pass_begin(&leaf_pass);
    while (!progress->is_done && out->len == pass.start && !out->failed) {
        struct window window = {.pass = &pass,
                                .leaf_pass = &leaf_pass,
                                .telegraf = telegraf,
                                .form = {&scratch->metrics, &scratch->json,
                                         telegraf->names.is_influx, telegraf->is_float64},
                                .text = &scratch->metrics,
                                .fields = &scratch->fields};
        sl_buf_trim(&scratch->metrics, KEPT_BYTES);
        sl_buf_trim(&scratch->fields, KEPT_BYTES);
        if (!sl_buf_reserve(&scratch->metrics, 1)) { /* so that the text is never NULL */
            return false;
        }
        bool is_first = progress->given == 0;
        pass.built_bytes = progress->built_bytes;
        step(&window, progress);
        progress->built_bytes = is_first ? pass.built_bytes : progress->built_bytes;
    }
    progress->made_bytes += out->len - pass.start;
    return !out->failed;
}

/* ---- lifetime ---- */

/* The name of a target without the port. */
static struct sl_str without_port(struct sl_str target)
{
    const char *colon = target.len ? memrchr(target.data, ':', target.len) : NULL;
    size_t len = colon ? (size_t)(colon - target.data) : target.len;

    if (len > 2 && target.data[0] == '[' && target.data[len - 1] == ']') {
        return (struct sl_str){target.data + 1, len - 2};
    }
    bool is_port = colon && !memchr(target.data, ':', len);

    return is_port ? (struct sl_str){target.data, len} : target;
}

/* The path behind the subscription's prefix. False when memory is out; a path that is none, which a
 * subscription does not have, leads nowhere. */
static bool add_root(struct sl_telegraf *telegraf, const char *prefix, const char *path)
{
    struct sl_buf text = {0};
    struct sl_status why;

    if (*path == '/') {
        sl_buf_add_c(&text, prefix ? prefix : "");
        text.len -= text.len && text.data[text.len - 1] == '/';
    }
    sl_buf_add_c(&text, path);
    Gnmi__Path *root = text.failed ? NULL : sl_gnmi_path_parse(sl_buf_str(&text), &why);

    if (root) {
        telegraf->names.roots[telegraf->names.root_count++] = root;
    }
    bool is_ok = !text.failed && (root || why.code != SL_RESOURCE_EXHAUSTED);

    sl_buf_fini(&text);
    return is_ok;
}

static bool add_roots(struct sl_telegraf *telegraf, const struct sl_gnmi_subscribe *subscribe)
{
    size_t count = 0;

    for (size_t i = 0; subscribe && i < subscribe->asked_count; i++) {
        for (size_t k = 0; subscribe->asked[i].paths[k]; k++) {
            count++;
        }
    }
    telegraf->names.roots = calloc(count + 1, sizeof(*telegraf->names.roots));
    for (size_t i = 0; telegraf->names.roots && subscribe && i < subscribe->asked_count; i++) {
        for (size_t k = 0; subscribe->asked[i].paths[k]; k++) {
            if (!add_root(telegraf, subscribe->prefix, subscribe->asked[i].paths[k])) {
                return false;
            }
        }
    }
    return telegraf->names.roots != NULL;
}

bool sl_telegraf_init(struct sl_telegraf *telegraf, const struct sl_encoder_config *config)
{
    char host[HOST_BYTES] = "";

    *telegraf = (struct sl_telegraf){.is_float64 = config->is_float64};
    sl_intern_init(&telegraf->paths, config->memory);
    telegraf->leaves = malloc(sizeof(*telegraf->leaves));
    if (telegraf->leaves) {
        sl_telegraf_leaves_init(telegraf->leaves, config->memory);
    }
    telegraf->scratch = sl_encoder_scratch_hold(config->memory);
    if (!config->host.len) {
        (void)gethostname(host, sizeof(host) - 1);
    }
    telegraf->host = sl_str_dup(config->host.len ? config->host : sl_str_from(host));
    telegraf->names.is_influx = config->format == SL_FORMAT_INFLUX;
    telegraf->names.name = config->subscription;
    telegraf->names.host = config->is_hostless ? (struct sl_str){0} : sl_str_from(telegraf->host);
    telegraf->names.source = without_port(config->target);
    return telegraf->scratch && telegraf->host && telegraf->leaves &&
           add_roots(telegraf, config->subscribe);
}

void sl_telegraf_fini(struct sl_telegraf *telegraf)
{
    for (size_t i = 0; i < telegraf->names.root_count; i++) {
        gnmi__path__free_unpacked(telegraf->names.roots[i], NULL);
    }
    free(telegraf->names.roots);
    free(telegraf->host);
    if (telegraf->scratch) {
        sl_encoder_scratch_release(telegraf->paths.memory);
    }
    if (telegraf->leaves) {
        sl_telegraf_leaves_fini(telegraf->leaves);
    }
    free(telegraf->leaves);
    sl_intern_fini(&telegraf->paths);
}
