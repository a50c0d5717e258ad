#include "normalise/gnmic_json.h"

#include <stdio.h>
#include <time.h>

#include "gnmi/path.h"
#include "normalise/message_json.h"
#include "normalise/pass.h"
#include "normalise/text.h"
#include "normalise/value.h"

enum { KEPT_BYTES = 64 * 1024, TIME_BYTES = 64, UPDATE_BYTES = 16 };

static struct sl_gnmic_json *json_of(const struct sl_pass *pass)
{
    return pass->arg;
}

/* ---- paths ---- */

static bool begin_paths(void *arg, struct sl_str prefix)
{
    (void)arg;
    (void)prefix; /* a path is written without it */
    return true;
}

static bool add_keys(struct sl_buf *text, struct sl_gnmi_elem *elem)
{
    struct sl_gnmi_key keys[SL_GNMI_MAX_KEYS];
    size_t count;

    if (!sl_gnmi_elem_sort_keys(elem, keys, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_byte(text, '[');
        sl_text_add_escaped(text, keys[i].name);
        sl_buf_add_byte(text, '=');
        sl_text_add_escaped(text, keys[i].value);
        sl_buf_add_byte(text, ']');
    }
    return true;
}

/* The elements with '/' between them. */
static bool add_elems(struct sl_buf *text, struct sl_gnmi_path path, bool has_keys)
{
    struct sl_gnmi_elem elem;

    for (bool is_first = true; sl_gnmi_path_next(&path, &elem); is_first = false) {
        sl_buf_add_c(text, is_first ? "" : "/");
        sl_text_add_escaped(text, elem.name);
        if (text->failed || (has_keys && !add_keys(text, &elem))) {
            return false;
        }
    }
    return true;
}

/* {"Path":"origin:/a/b[k=v]","values":{"a/b": and in `key` where the first text stands. */
static bool build_path(void *arg, struct sl_str bytes, struct sl_fragment *fragment)
{
    struct sl_gnmic_json *json = arg;
    struct sl_buf *text = &json->scratch->builder.text;
    struct sl_gnmi_path path;

    sl_buf_trim(text, KEPT_BYTES);
    sl_gnmi_path_read(bytes, &path);
    sl_buf_add_c(text, "{\"Path\":\"");
    fragment->key_at = (uint32_t)text->len;
    if (path.origin.len) {
        sl_text_add_escaped(text, path.origin);
        sl_buf_add_c(text, ":/");
    }
    if (!add_elems(text, path, true)) {
        return false;
    }
    fragment->key_len = (uint32_t)text->len - fragment->key_at;
    sl_buf_add_c(text, "\",\"values\":{\"");
    if (!add_elems(text, path, false)) {
        return false;
    }
    sl_buf_add_c(text, "\":");
    fragment->text = text->data;
    fragment->len = (uint32_t)text->len;
    fragment->tags_len = 0;
    return !text->failed;
}

static size_t path_cost(const void *arg)
{
    const struct sl_gnmic_json *json = arg;

    return json->scratch->builder.text.len;
}

static const struct sl_pass_paths json_paths = {begin_paths, build_path, path_cost};

/* ---- members ---- */

/* RFC 3339 with as many decimals as it needs. */
static void add_time(struct sl_buf *out, int64_t timestamp_ns)
{
    int64_t nanos = timestamp_ns % SL_NS_PER_S;
    time_t seconds = (time_t)(timestamp_ns / SL_NS_PER_S) - (nanos < 0);
    struct tm tm;
    char text[TIME_BYTES];
    char decimals[] = ".000000000";

    nanos += nanos < 0 ? SL_NS_PER_S : 0;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    for (size_t i = 9; i > 0; i--, nanos /= 10) {
        decimals[i] = (char)('0' + nanos % 10);
    }
    size_t len = sizeof(decimals) - 1;

    while (len > 1 && decimals[len - 1] == '0') {
        len--;
    }
    sl_buf_add_c(out, "\"time\":\"");
    sl_buf_add_c(out, text);
    sl_buf_add(out, decimals, len > 1 ? len : 0);
    sl_buf_add_c(out, "Z\"");
}

/* "prefix" and "target". A prefix beyond the limits is left out, and with it all that is under it.
 */
static void add_prefix(struct sl_pass *pass)
{
    struct sl_gnmi_path prefix;
    struct sl_fragment fragment;

    sl_gnmi_path_read(pass->response->prefix, &prefix);
    pass->is_full = !sl_pass_find(pass, pass->response->prefix, &fragment);
    if (!pass->is_full && fragment.key_len) {
        sl_buf_add_c(pass->out, ",\"prefix\":\"");
        sl_buf_add(pass->out, fragment.text + fragment.key_at, fragment.key_len);
        sl_buf_add_byte(pass->out, '"');
    }
    if (prefix.target.len) {
        sl_buf_add_c(pass->out, ",\"target\":");
        sl_text_add_quoted(pass->out, prefix.target);
    }
}

static void end_list(struct sl_pass *pass, size_t list, bool is_any)
{
    if (is_any) {
        sl_buf_add_byte(pass->out, ']');
    } else {
        pass->out->len = list;
    }
}

static void add_updates(struct sl_pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    struct sl_json *json = &json_of(pass)->scratch->json;
    size_t list = pass->out->len;
    struct sl_gnmi_update update;
    struct sl_fragment fragment;

    sl_buf_add_c(pass->out, ",\"updates\":[");
    while (sl_gnmi_next_update(&cursor, &update)) {
        size_t start = pass->out->len;
        bool is_ok = sl_pass_find(pass, update.path, &fragment) &&
                     sl_pass_has_room(pass, fragment.len + UPDATE_BYTES);
        if (is_ok) {
            sl_buf_add_c(pass->out, pass->encoded->published ? "," : "");
            sl_buf_add(pass->out, fragment.text, fragment.len);
            is_ok = sl_value_add_whole(pass->out, json, &update.value);
            sl_buf_add_c(pass->out, "}}");
        }
        sl_pass_count(pass, start, is_ok);
    }
    end_list(pass, list, pass->encoded->published);
}

static void add_deletes(struct sl_pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    uint32_t updates = pass->encoded->published;
    size_t list = pass->out->len;
    struct sl_fragment fragment;
    struct sl_str path;

    sl_buf_add_c(pass->out, ",\"deletes\":[");
    while (sl_gnmi_next_delete(&cursor, &path)) {
        size_t start = pass->out->len;
        bool is_ok = sl_pass_find(pass, path, &fragment) &&
                     sl_pass_has_room(pass, fragment.len + UPDATE_BYTES);
        if (is_ok) {
            sl_buf_add_c(pass->out, pass->encoded->published != updates ? ",\"" : "\"");
            sl_buf_add(pass->out, fragment.text + fragment.key_at, fragment.key_len);
            sl_buf_add_byte(pass->out, '"');
        }
        sl_pass_count(pass, start, is_ok);
    }
    end_list(pass, list, pass->encoded->published != updates);
}

static void add_notification(struct sl_pass *pass)
{
    const struct sl_gnmi_response *response = pass->response;
    struct sl_buf *out = pass->out;

    sl_buf_add_str(out, sl_buf_str(&json_of(pass)->names));
    if (response->timestamp_ns) {
        sl_buf_add_c(out, "\"timestamp\":");
        sl_buf_add_i64(out, response->timestamp_ns);
        sl_buf_add_byte(out, ',');
    }
    add_time(out, response->timestamp_ns);
    if (response->has_prefix) {
        add_prefix(pass);
    }
    add_updates(pass);
    add_deletes(pass);
}

bool sl_gnmic_json_encode(struct sl_gnmic_json *json, const struct sl_gnmi_response *response,
                          struct sl_buf *out, struct sl_encoded *encoded)
{
    struct sl_pass pass = {
        .response = response,
        .paths = &json_paths,
        .arg = json,
        .intern = &json->paths,
        .prefix = sl_intern_prefix(&json->paths, (struct sl_str){0}),
        .out = out,
        .start = out->len,
        .encoded = encoded,
    };

    json->scratch->json.is_rounding = json->is_float64;
    if (response->kind == SL_GNMI_UPDATE) {
        add_notification(&pass);
    } else {
        sl_buf_add_c(out, response->is_sync ? "{\"sync-response\":true" : "{");
    }
    size_t len = out->len;

    sl_message_json_add_extensions(out, pass.start, SL_MESSAGE_GO, response->message);
    bool is_nothing = response->kind != SL_GNMI_UPDATE && response->kind != SL_GNMI_SYNC;

    sl_buf_add_byte(out, '}');
    if ((is_nothing && out->len == len + 1) || (encoded->dropped && !encoded->published)) {
        out->len = pass.start;
    }
    return !out->failed;
}

/* ---- lifetime ---- */

static void add_name(struct sl_buf *names, const char *name, struct sl_str text)
{
    if (text.len) {
        sl_buf_add_c(names, name);
        sl_text_add_quoted(names, text);
        sl_buf_add_byte(names, ',');
    }
}

bool sl_gnmic_json_init(struct sl_gnmic_json *json, const struct sl_encoder_config *config)
{
    *json = (struct sl_gnmic_json){.is_float64 = config->is_float64};
    sl_intern_init(&json->paths, config->memory);
    json->scratch = sl_encoder_scratch_hold(config->memory);
    sl_buf_add_byte(&json->names, '{');
    add_name(&json->names, "\"source\":", config->target);
    add_name(&json->names, "\"subscription-name\":", config->subscription);
    return json->scratch && !json->names.failed;
}

void sl_gnmic_json_fini(struct sl_gnmic_json *json)
{
    if (json->scratch) {
        sl_encoder_scratch_release(json->paths.memory);
    }
    sl_intern_fini(&json->paths);
    sl_buf_fini(&json->names);
}
