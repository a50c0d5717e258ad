#include "normalise/event.h"

#include <string.h>

#include "normalise/number.h"
#include "normalise/pass.h"
#include "normalise/text.h"
#include "normalise/value.h"

static struct sl_event *event_of(const struct sl_pass *pass)
{
    return pass->arg;
}

/* ---- paths ---- */

static bool begin_paths(void *arg, struct sl_str prefix)
{
    struct sl_event *event = arg;

    return sl_fragment_begin(&event->scratch->builder, prefix);
}

static bool build_path(void *arg, struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_event *event = arg;

    return sl_fragment_build(&event->scratch->builder, &event->meta, path, fragment);
}

static size_t path_cost(const void *arg)
{
    const struct sl_event *event = arg;

    return sl_fragment_cost(&event->scratch->builder);
}

static const struct sl_pass_paths event_paths = {begin_paths, build_path, path_cost};

/* ---- events ---- */

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static const struct sl_str before_first = {",\"values\":{\"", 12};
static const struct sl_str before_next = {",\"", 2};

/* All leaves, whose names need no escaping, with one look at the room. False: there is none. */
static bool add_plain_leaves(struct sl_pass *pass, struct sl_str key, const struct sl_json *json)
{
    struct sl_buf *out = pass->out;
    size_t count = sl_json_leaf_count(json);
    size_t most = before_first.len + count * (before_next.len + key.len) + json->text.len;

    if (!sl_pass_fits(pass, most) || !sl_buf_reserve(out, most)) {
        return false;
    }
    char *at = out->data + out->len;
    struct sl_str before = before_first;

    for (size_t i = 0; i < count; i++) {
        struct sl_json_leaf leaf = sl_json_leaf(json, i);
        const char *end = leaf.value.data + leaf.value.len;
        at = put(at, before.data, before.len);
        at = put(at, key.data, key.len);
        at = put(at, leaf.name.data, (size_t)(end - leaf.name.data));
        before = before_next;
    }
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
    return true;
}

static void add_leaf(struct sl_buf *out, struct sl_str before, struct sl_str key,
                     const struct sl_json_leaf *leaf)
{
    sl_buf_add_str(out, before);
    sl_buf_add_str(out, key);
    sl_text_add_escaped(out, leaf->name);
    sl_buf_add_c(out, "\":");
    sl_buf_add_str(out, leaf->value);
}

/* The working memory is shared with other encoders. */
static void prepare_json(struct sl_event *event)
{
    struct sl_encoder_scratch *scratch = event->scratch;

    scratch->json.is_rounding = event->is_float64;
    scratch->json.keyed = event->json_keys ? &scratch->keyed : NULL;
    scratch->keyed.keys = event->json_keys;
}

/* "values" with one member for each leaf. */
static bool add_leaves(struct sl_pass *pass, const struct sl_fragment *fragment)
{
    const struct sl_json *json = &event_of(pass)->scratch->json;
    struct sl_str key = {fragment->text + fragment->key_at, fragment->key_len};
    struct sl_str before = before_first;
    size_t count = sl_json_leaf_count(json);

    if (!json->has_plain_names || !add_plain_leaves(pass, key, json)) {
        for (size_t i = 0; i < count; i++) {
            struct sl_json_leaf leaf = sl_json_leaf(json, i);
            if (!sl_pass_has_room(pass, key.len + leaf.name.len + leaf.value.len)) {
                return false;
            }
            add_leaf(pass->out, before, key, &leaf);
            before = before_next;
        }
    }
    sl_buf_add_c(pass->out, count ? "}}" : "}");
    return true;
}

static bool add_json(struct sl_pass *pass, const struct sl_fragment *fragment, struct sl_str source)
{
    struct sl_buf *out = pass->out;
    struct sl_str value;

    switch (sl_json_flatten(&event_of(pass)->scratch->json, source, &value)) {
    case SL_JSON_VALUE:
        sl_buf_add(out, fragment->text, fragment->len);
        sl_buf_add_str(out, value);
        sl_buf_add_c(out, "}}");
        return true;
    case SL_JSON_LEAVES:
        sl_buf_add(out, fragment->text, fragment->tags_len);
        return add_leaves(pass, fragment);
    case SL_JSON_NO_ROOM:
        pass->is_full = true;
        break;
    case SL_JSON_BROKEN:
        break;
    }
    return false;
}

static bool is_json(const struct sl_gnmi_value *value)
{
    return value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF;
}

static bool is_integer(const struct sl_gnmi_value *value)
{
    return value->kind == SL_GNMI_VALUE_UINT || value->kind == SL_GNMI_VALUE_INT;
}

/* Everything of the event behind its head. */
static bool add_body(struct sl_pass *pass, const struct sl_fragment *fragment,
                     const struct sl_gnmi_value *value)
{
    struct sl_buf *out = pass->out;

    if (value->kind == SL_GNMI_VALUE_NONE || (is_json(value) && !value->of.bytes.len)) {
        sl_buf_add(out, fragment->text, fragment->tags_len);
        sl_buf_add_byte(out, '}');
        return true;
    }
    if (is_json(value)) {
        return add_json(pass, fragment, value->of.bytes);
    }
    sl_buf_add(out, fragment->text, fragment->len);
    if (!sl_value_add(out, &event_of(pass)->scratch->json, value)) {
        return false;
    }
    sl_buf_add(out, "}}", 2);
    return true;
}

/* The whole event of an integer, the value that comes most: as add_body, but with one look at the
 * buffer's room. */
static void add_integer_event(struct sl_pass *pass, const struct sl_fragment *fragment,
                              const struct sl_gnmi_value *value)
{
    const struct sl_buf *head = &event_of(pass)->head;
    struct sl_buf *out = pass->out;

    if (!sl_buf_reserve(out, head->len + fragment->len + SL_NUMBER_INTEGER_BYTES + 3)) {
        return;
    }
    char *at = out->data + out->len;

    if (!event_of(pass)->is_split) {
        *at++ = pass->encoded->published ? ',' : '[';
    }
    at = put(at, head->data, head->len);
    at = put(at, fragment->text, fragment->len);
    at = value->kind == SL_GNMI_VALUE_UINT ? sl_number_put_u64(at, value->of.u64)
                                           : sl_number_put_i64(at, value->of.i64);
    at = put(at, "}}", 2);
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
}

/* False when the path, or the record, passes a limit. */
static bool has_room(struct sl_pass *pass, const struct sl_fragment *fragment)
{
    return sl_pass_has_room(pass, event_of(pass)->head.len + fragment->len);
}

static void begin_event(struct sl_pass *pass)
{
    const struct sl_buf *head = &event_of(pass)->head;

    if (!event_of(pass)->is_split) {
        sl_buf_add_byte(pass->out, pass->encoded->published ? ',' : '[');
    }
    sl_buf_add(pass->out, head->data, head->len);
}

static void add_update(struct sl_pass *pass, struct sl_path_hint *hint,
                       const struct sl_gnmi_update *update)
{
    size_t start = pass->out->len;
    struct sl_fragment fragment;
    bool is_ok =
        sl_pass_find_hinted(pass, hint, update->path, &fragment) && has_room(pass, &fragment);

    if (is_ok && is_integer(&update->value)) {
        add_integer_event(pass, &fragment, &update->value);
    } else if (is_ok) {
        begin_event(pass);
        is_ok = add_body(pass, &fragment, &update->value);
    }
    sl_pass_count(pass, start, is_ok);
}

static void add_delete(struct sl_pass *pass, struct sl_str path)
{
    size_t start = pass->out->len;
    struct sl_fragment fragment;
    bool is_ok = sl_pass_find(pass, path, &fragment) && has_room(pass, &fragment);

    if (is_ok) {
        begin_event(pass);
        sl_buf_add(pass->out, fragment.text, fragment.tags_len);
        sl_buf_add_c(pass->out, ",\"deletes\":[\"");
        sl_buf_add(pass->out, fragment.text + fragment.key_at, fragment.key_len);
        sl_buf_add_c(pass->out, "\"]}");
    }
    sl_pass_count(pass, start, is_ok);
}

static void add_updates(struct sl_pass *pass)
{
    const struct sl_gnmi_response *response = pass->response;
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;

    for (uint32_t i = 0; response->listed && i < response->updates; i++) {
        add_update(pass, response->listed[i].hint, &response->listed[i].update);
    }
    while (!response->listed && sl_gnmi_next_update(&cursor, &update)) {
        add_update(pass, NULL, &update);
    }
}

static void add_deletes(struct sl_pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    struct sl_str path;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        add_delete(pass, path);
    }
}

static bool make_head(struct sl_event *event, int64_t timestamp_ns)
{
    struct sl_buf *head = &event->head;

    sl_buf_reset(head);
    sl_buf_add_str(head, sl_buf_str(&event->name));
    if (timestamp_ns) {
        sl_buf_add_c(head, "\"timestamp\":");
        sl_buf_add_i64(head, timestamp_ns);
        sl_buf_add_byte(head, ',');
    }
    return !head->failed;
}

static struct sl_pass pass_of(struct sl_event *event, const struct sl_gnmi_response *response,
                              struct sl_buf *out, struct sl_encoded *encoded)
{
    return (struct sl_pass){
        .response = response,
        .paths = &event_paths,
        .arg = event,
        .intern = &event->intern,
        .out = out,
        .encoded = encoded,
    };
}

bool sl_event_encode(struct sl_event *event, const struct sl_gnmi_response *response,
                     struct sl_buf *out, struct sl_encoded *encoded)
{
    struct sl_pass pass = pass_of(event, response, out, encoded);

    if (response->updates + response->deletes == 0) {
        return true;
    }
    if (!make_head(event, response->timestamp_ns)) {
        return false;
    }
    prepare_json(event);
    sl_pass_begin(&pass);
    add_updates(&pass);
    if (response->deletes) {
        add_deletes(&pass);
    }
    if (encoded->published) {
        sl_buf_add_byte(out, ']');
    }
    return !out->failed;
}

/* ---- one at a time ---- */

/* The update or delete where `progress` stands; false behind the last. */
static bool add_next(struct sl_pass *pass, struct sl_encoder_progress *progress)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    const uint8_t *begin = cursor.at;
    struct sl_gnmi_update update;
    struct sl_str path;

    if (!progress->is_deleting) {
        cursor.at += progress->at;
        if (sl_gnmi_next_update(&cursor, &update)) {
            progress->at = (size_t)(cursor.at - begin);
            add_update(pass, NULL, &update);
            return true;
        }
        progress->is_deleting = true;
        progress->at = 0;
        cursor.at = begin;
    }
    cursor.at += progress->at;
    if (!sl_gnmi_next_delete(&cursor, &path)) {
        return false;
    }
    progress->at = (size_t)(cursor.at - begin);
    add_delete(pass, path);
    return true;
}

bool sl_event_next(struct sl_event *event, const struct sl_gnmi_response *response,
                   struct sl_encoder_progress *progress, struct sl_buf *out,
                   struct sl_encoded *encoded)
{
    struct sl_pass pass = pass_of(event, response, out, encoded);

    pass.made_bytes = progress->made_bytes;
    pass.built_bytes = progress->built_bytes;
    if (response->updates + response->deletes == 0) {
        progress->is_done = true;
        return true;
    }
    if (!make_head(event, response->timestamp_ns)) {
        return false;
    }
    prepare_json(event);
    sl_pass_begin(&pass);
    while (!progress->is_done && !encoded->published) {
        progress->is_done = !add_next(&pass, progress);
    }
    sl_text_escape_html(out, pass.start);
    progress->made_bytes += out->len - pass.start;
    progress->built_bytes = pass.built_bytes;
    return !out->failed;
}

/* ---- lifetime ---- */

static bool make_name(struct sl_event *event)
{
    sl_buf_add_byte(&event->name, '{');
    if (event->meta.subscription.len) {
        sl_buf_add_c(&event->name, "\"name\":");
        sl_text_add_quoted(&event->name, event->meta.subscription);
        sl_buf_add_byte(&event->name, ',');
    }
    return !event->name.failed;
}

bool sl_event_init(struct sl_event *event, const struct sl_encoder_config *config)
{
    *event = (struct sl_event){.meta = {.source = config->target,
                                        .subscription = config->subscription,
                                        .subscription_target = config->subscription_target}};
    sl_intern_init(&event->intern, config->memory);
    event->is_split = config->format == SL_FORMAT_EVENT_SPLIT;
    event->is_float64 = config->is_float64;
    event->json_keys = config->json_keys;
    event->scratch = sl_encoder_scratch_hold(config->memory);
    return event->scratch && make_name(event);
}

void sl_event_fini(struct sl_event *event)
{
    if (event->scratch) {
        sl_encoder_scratch_release(event->intern.memory);
    }
    sl_intern_fini(&event->intern);
    sl_buf_fini(&event->head);
    sl_buf_fini(&event->name);
}
