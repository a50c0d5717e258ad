#include "normalise/encoder.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi/path.h"
#include "normalise/fragment.h"
#include "normalise/intern.h"
#include "normalise/json.h"
#include "normalise/number.h"
#include "normalise/text.h"
#include "normalise/value.h"

struct sl_encoder {
    enum sl_format format;
    char *target;
    char *subscription;
    char *subscription_target;
    struct sl_fragment_meta meta;
    struct sl_buf name; /* what every event begins with: {"name":"sub1", */
    struct sl_buf head; /* ... and with the timestamp of the notification under way */
    struct sl_json json;
    struct sl_fragment_builder builder;
    struct sl_intern intern;
};

/* One response on its way into a record. */
struct pass {
    struct sl_encoder *encoder;
    const struct sl_gnmi_response *response;
    const struct sl_intern_prefix *prefix; /* NULL: no room, each path is worked out anew */
    enum { PREFIX_NOT_BUILT, PREFIX_BUILT, PREFIX_REFUSED } built;
    size_t built_bytes; /* what working out paths has come to */
    bool is_full;       /* something found no room in the record: nothing behind it is taken */
    struct sl_buf *out;
    size_t start; /* of the record in `out` */
    struct sl_encoded *encoded;
};

const char *sl_format_name(enum sl_format format)
{
    switch (format) {
    case SL_FORMAT_EVENT:
        return "event";
    case SL_FORMAT_PROTO:
        return "proto";
    }
    return "unknown";
}

/* ---- events ---- */

/* The builder's prefix is that of the response; worked out only when a path was not found. */
static bool build_prefix(struct pass *pass)
{
    if (pass->built == PREFIX_NOT_BUILT) {
        bool is_ok = sl_fragment_begin(&pass->encoder->builder, pass->response->prefix);
        pass->built = is_ok ? PREFIX_BUILT : PREFIX_REFUSED;
    }
    return pass->built == PREFIX_BUILT;
}

static bool find_fragment(struct pass *pass, struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_encoder *encoder = pass->encoder;

    if (pass->prefix && sl_intern_find(&encoder->intern, pass->prefix, path, fragment)) {
        return true;
    }
    if (!build_prefix(pass)) {
        return false;
    }
    bool is_ok = sl_fragment_build(&encoder->builder, &encoder->meta, path, fragment);

    /* A long prefix over many short updates costs time even where little of it is written. */
    pass->built_bytes += sl_fragment_cost(&encoder->builder);
    pass->is_full = pass->is_full || pass->built_bytes > SL_ENCODER_MAX_RECORD_BYTES;
    if (!is_ok) {
        return false;
    }
    if (pass->prefix) {
        sl_intern_add(&encoder->intern, pass->prefix, path, fragment);
    }
    return true;
}

static bool has_room(struct pass *pass, size_t more)
{
    size_t len = pass->out->len - pass->start;

    pass->is_full = pass->is_full || more > SL_ENCODER_MAX_RECORD_BYTES ||
                    len > SL_ENCODER_MAX_RECORD_BYTES - more;
    return !pass->is_full;
}

/* "values" with one member for each leaf. */
static bool add_leaves(struct pass *pass, const struct sl_fragment *fragment)
{
    const struct sl_json *json = &pass->encoder->json;
    struct sl_str key = {fragment->text + fragment->key_at, fragment->key_len};
    size_t count = sl_json_leaf_count(json);

    for (size_t i = 0; i < count; i++) {
        struct sl_json_leaf leaf = sl_json_leaf(json, i);
        if (!has_room(pass, key.len + leaf.name.len + leaf.value.len)) {
            return false;
        }
        sl_buf_add_c(pass->out, i == 0 ? ",\"values\":{\"" : ",\"");
        sl_buf_add_str(pass->out, key);
        sl_text_add_escaped(pass->out, leaf.name);
        sl_buf_add_c(pass->out, "\":");
        sl_buf_add_str(pass->out, leaf.value);
    }
    sl_buf_add_c(pass->out, count ? "}}" : "}");
    return true;
}

static bool add_json(struct pass *pass, const struct sl_fragment *fragment, struct sl_str source)
{
    struct sl_buf *out = pass->out;
    struct sl_str value;

    switch (sl_json_flatten(&pass->encoder->json, source, &value)) {
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
static bool add_body(struct pass *pass, const struct sl_fragment *fragment,
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
    if (!sl_value_add(out, &pass->encoder->json, value)) {
        return false;
    }
    sl_buf_add(out, "}}", 2);
    return true;
}

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

/* The whole event of an integer, the value that comes most: as add_body, but with one look at the
 * buffer's room. */
static void add_integer_event(struct pass *pass, const struct sl_fragment *fragment,
                              const struct sl_gnmi_value *value)
{
    const struct sl_buf *head = &pass->encoder->head;
    struct sl_buf *out = pass->out;

    if (!sl_buf_reserve(out, head->len + fragment->len + SL_NUMBER_INTEGER_BYTES + 3)) {
        return;
    }
    char *at = out->data + out->len;

    *at++ = pass->encoded->published ? ',' : '[';
    at = put(at, head->data, head->len);
    at = put(at, fragment->text, fragment->len);
    at = value->kind == SL_GNMI_VALUE_UINT ? sl_number_put_u64(at, value->of.u64)
                                           : sl_number_put_i64(at, value->of.i64);
    at = put(at, "}}", 2);
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
}

/* False when the path, or the record, passes a limit. */
static bool find_room(struct pass *pass, struct sl_str path, struct sl_fragment *fragment)
{
    return !pass->is_full && find_fragment(pass, path, fragment) &&
           has_room(pass, pass->encoder->head.len + fragment->len);
}

static void begin_event(struct pass *pass)
{
    const struct sl_buf *head = &pass->encoder->head;

    sl_buf_add_byte(pass->out, pass->encoded->published ? ',' : '[');
    sl_buf_add(pass->out, head->data, head->len);
}

/* Counts the event, or takes back what it has left in `out` from `start` on. */
static void end_event(struct pass *pass, size_t start, bool is_ok)
{
    if (is_ok && has_room(pass, 0)) {
        pass->encoded->published++;
    } else {
        pass->out->len = start;
        pass->encoded->dropped++;
    }
}

static void add_updates(struct pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    struct sl_gnmi_update update;
    struct sl_fragment fragment;

    while (sl_gnmi_next_update(&cursor, &update)) {
        size_t start = pass->out->len;
        bool is_ok = find_room(pass, update.path, &fragment);
        if (is_ok && is_integer(&update.value)) {
            add_integer_event(pass, &fragment, &update.value);
        } else if (is_ok) {
            begin_event(pass);
            is_ok = add_body(pass, &fragment, &update.value);
        }
        end_event(pass, start, is_ok);
    }
}

static void add_deletes(struct pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    struct sl_fragment fragment;
    struct sl_str path;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        size_t start = pass->out->len;
        bool is_ok = find_room(pass, path, &fragment);
        if (is_ok) {
            begin_event(pass);
            sl_buf_add(pass->out, fragment.text, fragment.tags_len);
            sl_buf_add_c(pass->out, ",\"deletes\":[\"");
            sl_buf_add(pass->out, fragment.text + fragment.key_at, fragment.key_len);
            sl_buf_add_c(pass->out, "\"]}");
        }
        end_event(pass, start, is_ok);
    }
}

static bool make_head(struct sl_encoder *encoder, int64_t timestamp_ns)
{
    struct sl_buf *head = &encoder->head;

    sl_buf_reset(head);
    sl_buf_add(head, encoder->name.data, encoder->name.len);
    if (timestamp_ns) {
        sl_buf_add_c(head, "\"timestamp\":");
        sl_buf_add_i64(head, timestamp_ns);
        sl_buf_add_byte(head, ',');
    }
    return !head->failed;
}

static bool encode_event(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                         struct sl_buf *out, struct sl_encoded *encoded)
{
    struct pass pass = {
        .encoder = encoder,
        .response = response,
        .out = out,
        .start = out->len,
        .encoded = encoded,
    };

    if (response->updates + response->deletes == 0) {
        return true;
    }
    if (!make_head(encoder, response->timestamp_ns)) {
        return false;
    }
    pass.prefix = sl_intern_prefix(&encoder->intern, response->prefix);
    add_updates(&pass);
    if (response->deletes) {
        add_deletes(&pass);
    }
    SL_ASSERT(encoded->published + encoded->dropped == response->updates + response->deletes);
    if (encoded->published) {
        sl_buf_add_byte(out, ']');
    }
    return !out->failed;
}

/* ---- lifetime ---- */

static bool copy(char **slot, struct sl_str from, struct sl_str *to)
{
    *slot = sl_str_dup(from);
    *to = sl_str_from(*slot);
    to->len = from.len;
    return *slot != NULL;
}

static bool make_name(struct sl_encoder *encoder)
{
    sl_buf_add_byte(&encoder->name, '{');
    if (encoder->meta.subscription.len) {
        sl_buf_add_c(&encoder->name, "\"name\":");
        sl_text_add_quoted(&encoder->name, encoder->meta.subscription);
        sl_buf_add_byte(&encoder->name, ',');
    }
    return !encoder->name.failed;
}

struct sl_encoder *sl_encoder_new(const struct sl_encoder_config *config)
{
    struct sl_encoder *encoder = calloc(1, sizeof(*encoder));

    if (!encoder) {
        return NULL;
    }
    encoder->format = config->format;
    sl_json_init(&encoder->json);
    sl_fragment_init(&encoder->builder);
    sl_intern_init(&encoder->intern, config->memory);
    if (!copy(&encoder->target, config->target, &encoder->meta.source) ||
        !copy(&encoder->subscription, config->subscription, &encoder->meta.subscription) ||
        !copy(&encoder->subscription_target, config->subscription_target,
              &encoder->meta.subscription_target) ||
        !make_name(encoder)) {
        sl_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void sl_encoder_free(struct sl_encoder *encoder)
{
    if (!encoder) {
        return;
    }
    sl_intern_fini(&encoder->intern);
    sl_fragment_fini(&encoder->builder);
    sl_json_fini(&encoder->json);
    sl_buf_fini(&encoder->head);
    sl_buf_fini(&encoder->name);
    free(encoder->subscription_target);
    free(encoder->subscription);
    free(encoder->target);
    free(encoder);
}

bool sl_encoder_encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       struct sl_buf *out, struct sl_encoded *encoded)
{
    SL_ASSERT(encoder && response && out);
    *encoded = (struct sl_encoded){0};
    if (encoder->format == SL_FORMAT_EVENT) {
        return encode_event(encoder, response, out, encoded);
    }
    sl_buf_add_str(out, response->message);
    encoded->published = response->updates + response->deletes;
    return !out->failed;
}

/* ---- origin ---- */

static struct sl_str origin_of(struct sl_str path)
{
    struct sl_gnmi_path read;

    sl_gnmi_path_read(path, &read);
    return read.origin;
}

struct sl_str sl_response_origin(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_str origin = origin_of(response->prefix);
    struct sl_gnmi_update update;
    struct sl_str path;

    if (origin.len) {
        return origin;
    }
    if (sl_gnmi_next_update(&cursor, &update)) {
        return origin_of(update.path);
    }
    cursor = sl_gnmi_response_begin(response);
    return sl_gnmi_next_delete(&cursor, &path) ? origin_of(path) : (struct sl_str){0};
}
