#include "normalise/record.h"

#include "sluice.pb-c.h"

#include "base/utf8.h"
#include "normalise/marker.h"
#include "normalise/message_json.h"
#include "gnmi/pack.h"
#include "normalise/pass.h"
#include "normalise/record_fields.h"
#include "normalise/record_value.h"
#include "normalise/text.h"

enum {
    EXTENSION = 5, /* of SubscribeResponse */
    KEPT_BYTES = 64 * 1024,
    HEAD_BYTES = 96,   /* the fields of a record that are numbers: at most these */
    UPDATE_BYTES = 40, /* of an update beside its fragment and its value: at most these */
};

/* ---- paths ---- */

static struct sl_record *record_of(const struct sl_pass *pass)
{
    return pass->arg;
}

static bool begin_paths(void *arg, struct sl_str prefix)
{
    struct sl_record *record = arg;

    return sl_record_path_begin(&record->scratch->path, prefix);
}

static bool build_path(void *arg, struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_record *record = arg;

    return sl_record_path_build(&record->scratch->path, path, fragment);
}

static size_t path_cost(const void *arg)
{
    const struct sl_record *record = arg;

    return sl_record_path_cost(&record->scratch->path);
}

static const struct sl_pass_paths record_paths = {begin_paths, build_path, path_cost};

/* The fields that say what the prefix is. One beyond the limits is left out, and with it every
 * path. */
static void add_prefix(struct sl_pass *pass)
{
    struct sl_record *record = record_of(pass);
    struct sl_str prefix = pass->response->prefix;
    struct sl_fragment fragment;

    if (!pass->response->has_prefix) {
        return;
    }
    const struct sl_intern_prefix *none = sl_intern_prefix(&record->prefixes, (struct sl_str){0});

    if (!none || !sl_intern_find(&record->prefixes, none, prefix, &fragment)) {
        if (!sl_record_path_prefix(&record->scratch->path, prefix, &fragment)) {
            return;
        }
        if (none) {
            sl_intern_add(&record->prefixes, none, prefix, &fragment);
        }
    }
    if (sl_pass_has_room(pass, fragment.len)) {
        sl_buf_add(pass->out, fragment.text, fragment.len);
    }
}

/* ---- updates ---- */

static bool is_json(const struct sl_gnmi_value *value)
{
    return value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF;
}

/* A whole update with a value of fixed size, the ones that come most: with one look at the buffer's
 * room. False: it is of another kind. */
static bool add_scalar_update(struct sl_buf *out, const struct sl_fragment *fragment,
                              const struct sl_gnmi_update *update)
{
    char value[SL_RECORD_SCALAR_BYTES];
    const char *end = sl_record_put_scalar(value, &update->value);
    size_t value_len = end ? (size_t)(end - value) : 0;
    size_t len = fragment->len + 2 + value_len;

    if (!end) {
        return false;
    }
    len += update->duplicates ? 1 + sl_pack_varint_len(update->duplicates) : 0;
    if (!sl_buf_reserve(out, len + UPDATE_BYTES)) {
        return true;
    }
    char *at = out->data + out->len;

    *at++ = SL_RECORD_UPDATES << 3 | SL_WIRE_BYTES;
    at = sl_pack_put_varint(at, len);
    memcpy(at, fragment->text, fragment->len);
    at += fragment->len;
    *at++ = SL_RECORD_UPDATE_VALUE << 3 | SL_WIRE_BYTES;
    *at++ = (char)value_len;
    memcpy(at, value, value_len);
    at += value_len;
    if (update->duplicates) {
        *at++ = SL_RECORD_UPDATE_DUPLICATES << 3 | SL_WIRE_VARINT;
        at = sl_pack_put_varint(at, update->duplicates);
    }
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
    return true;
}

static void add_update(struct sl_buf *out, const struct sl_fragment *fragment,
                       const struct sl_gnmi_update *update)
{
    size_t start = sl_pack_begin(out, SL_RECORD_UPDATES);

    sl_buf_add(out, fragment->text, fragment->len);
    if (update->value.kind != SL_GNMI_VALUE_NONE) {
        size_t value = sl_pack_begin(out, SL_RECORD_UPDATE_VALUE);
        sl_record_add_value(out, &update->value);
        sl_pack_end(out, value);
    }
    if (update->duplicates) {
        sl_pack_varint(out, SL_RECORD_UPDATE_DUPLICATES, update->duplicates);
    }
    sl_pack_end(out, start);
}

/* The working memory is shared with other encoders. */
static void prepare_json(struct sl_record *record)
{
    struct sl_encoder_scratch *scratch = record->scratch;

    scratch->record_json.keyed = record->json_keys ? &scratch->keyed : NULL;
    scratch->keyed.keys = record->json_keys;
}

static void find_and_add_update(struct sl_pass *pass, struct sl_path_hint *hint,
                                const struct sl_gnmi_update *update)
{
    struct sl_record_json *json = &record_of(pass)->scratch->record_json;
    size_t start = pass->out->len;
    struct sl_fragment fragment;
    bool is_ok = sl_pass_find_hinted(pass, hint, update->path, &fragment) &&
                 sl_pass_has_room(pass, fragment.len + UPDATE_BYTES);

    if (is_ok && !add_scalar_update(pass->out, &fragment, update) &&
        !(is_json(&update->value) && sl_record_json_add(json, pass, &fragment, update))) {
        add_update(pass->out, &fragment, update);
    }
    sl_pass_count(pass, start, is_ok);
}

static void add_updates(struct sl_pass *pass)
{
    const struct sl_gnmi_response *response = pass->response;
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;

    for (uint32_t i = 0; response->listed && i < response->updates; i++) {
        find_and_add_update(pass, response->listed[i].hint, &response->listed[i].update);
    }
    while (!response->listed && sl_gnmi_next_update(&cursor, &update)) {
        find_and_add_update(pass, NULL, &update);
    }
}

static void add_deletes(struct sl_pass *pass)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(pass->response);
    struct sl_fragment fragment;
    struct sl_str path;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        size_t start = pass->out->len;
        bool is_ok = sl_pass_find(pass, path, &fragment) &&
                     sl_pass_has_room(pass, fragment.len + UPDATE_BYTES);
        if (is_ok) {
            sl_pack_bytes(pass->out, SL_RECORD_DELETES,
                          (struct sl_str){fragment.text, fragment.len});
        }
        sl_pass_count(pass, start, is_ok);
    }
}

/* ---- records ---- */

static size_t count_extensions(struct sl_str message)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;
    size_t count = 0;

    while (sl_wire_next(&wire, &field)) {
        count += sl_wire_is(&field, EXTENSION, SL_WIRE_BYTES);
    }
    return count;
}

/* They are part of the message, so they need no limit of their own. */
static void add_extensions(struct sl_buf *out, struct sl_str message)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, EXTENSION, SL_WIRE_BYTES)) {
            sl_pack_bytes(out, SL_RECORD_EXTENSIONS, field.bytes);
        }
    }
}

static enum sl_record_kind kind_of(const struct sl_gnmi_response *response,
                                   const struct sl_encoder_context *context)
{
    if (response->is_sync) {
        return SL_RECORD_MARK;
    }
    if (response->deletes && !response->updates) {
        return SL_RECORD_DELETE;
    }
    return context->is_synced ? SL_RECORD_CHANGE : SL_RECORD_BASELINE;
}

static char *put_fixed64(char *at, enum sl_record_field field, uint64_t value)
{
    at = sl_pack_put_varint(at, field << 3 | SL_WIRE_FIXED64);
    return sl_pack_put_fixed(at, sizeof(value), value);
}

static char *put_varint(char *at, enum sl_record_field field, uint64_t value)
{
    at = sl_pack_put_varint(at, field << 3 | SL_WIRE_VARINT);
    return sl_pack_put_varint(at, value);
}

/* The fields that are numbers; false when memory is out. */
static bool add_head(struct sl_buf *out, const struct sl_gnmi_response *response,
                     const struct sl_encoder_context *context)
{
    if (!sl_buf_reserve(out, HEAD_BYTES)) {
        return false;
    }
    char *at = out->data + out->len;

    at = put_fixed64(at, SL_RECORD_EPOCH, context->epoch);
    at = put_varint(at, SL_RECORD_SEQ, context->seq);
    at = put_varint(at, SL_RECORD_KIND, kind_of(response, context));
    if (response->is_sync) {
        at = put_varint(at, SL_RECORD_MARKER, SL_RECORD_SYNCED);
    }
    if (response->timestamp_ns) {
        at = put_fixed64(at, SL_RECORD_TIMESTAMP, (uint64_t)response->timestamp_ns);
    }
    at = put_fixed64(at, SL_RECORD_RECEIVED, (uint64_t)context->received_ns);
    if (response->is_atomic) {
        at = put_varint(at, SL_RECORD_ATOMIC, true);
    }
    if (context->is_settled) {
        at = put_fixed64(at, SL_RECORD_SENT_TIMESTAMP, (uint64_t)context->sent_timestamp);
    }
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
    return true;
}

bool sl_record_encode(struct sl_record *record, const struct sl_gnmi_response *response,
                      const struct sl_encoder_context *context, struct sl_buf *out,
                      struct sl_encoded *encoded)
{
    size_t extensions = count_extensions(response->message);
    struct sl_pass pass = {
        .response = response,
        .paths = &record_paths,
        .arg = record,
        .intern = &record->paths,
        .out = out,
        .encoded = encoded,
    };

    if (response->kind != SL_GNMI_UPDATE && !response->is_sync && !extensions) {
        return true;
    }
    sl_pass_begin(&pass);
    if (!add_head(out, response, context)) {
        return false;
    }
    sl_buf_add_str(out, sl_buf_str(&record->names));
    if (extensions) {
        add_extensions(out, response->message);
    }
    add_prefix(&pass);
    prepare_json(record);
    add_updates(&pass);
    if (response->deletes) {
        add_deletes(&pass);
    }
    if (encoded->dropped) {
        sl_pack_varint(out, SL_RECORD_DROPPED, encoded->dropped);
    }
    return !out->failed;
}

bool sl_record_encode_json(struct sl_record *record, const struct sl_gnmi_response *response,
                           const struct sl_encoder_context *context, struct sl_buf *out,
                           struct sl_encoded *encoded)
{
    struct sl_buf *packed = &record->scratch->record;
    size_t start = out->len;

    sl_buf_trim(packed, KEPT_BYTES);
    if (!sl_record_encode(record, response, context, packed, encoded)) {
        return false;
    }
    if (packed->len && !sl_message_json_add(out, start, SL_MESSAGE_PROTOJSON,
                                            &sluice__v1__record__descriptor, sl_buf_str(packed))) {
        out->len = start;
        encoded->dropped += encoded->published;
        encoded->published = 0;
    }
    return !out->failed;
}

/* ---- markers ---- */

static enum sl_record_marker number_of(enum sl_marker_kind kind)
{
    static const enum sl_record_marker numbers[] = {
        [SL_MARKER_CONNECTED] = SL_RECORD_CONNECTED,
        [SL_MARKER_SYNCED] = SL_RECORD_SYNCED,
        [SL_MARKER_GAP] = SL_RECORD_GAP_MARK,
        [SL_MARKER_STALE] = SL_RECORD_STALE,
        [SL_MARKER_RESUMED] = SL_RECORD_RESUMED,
        [SL_MARKER_DISCONNECTED] = SL_RECORD_DISCONNECTED,
    };

    SL_ASSERT((unsigned)kind < SL_ARRAY_LEN(numbers));
    return numbers[kind];
}

static void add_fixed64(struct sl_buf *out, uint32_t number, int64_t value)
{
    char field[SL_PACK_VARINT_BYTES + sizeof(value)];
    char *at = sl_pack_put_varint(field, number << 3 | SL_WIRE_FIXED64);

    at = sl_pack_put_fixed(at, sizeof(value), (uint64_t)value);
    sl_buf_add(out, field, (size_t)(at - field));
}

static void add_gap(struct sl_buf *out, const struct sl_marker *marker)
{
    size_t start = sl_pack_begin(out, SL_RECORD_GAP);

    sl_pack_bytes(out, SL_RECORD_GAP_REASON, marker->reason);
    sl_pack_varint(out, SL_RECORD_GAP_COUNT, marker->count);
    add_fixed64(out, SL_RECORD_GAP_FROM, marker->from_ns);
    add_fixed64(out, SL_RECORD_GAP_TO, marker->to_ns);
    sl_pack_end(out, start);
}

static void add_end(struct sl_buf *out, const struct sl_marker *marker)
{
    size_t start = sl_pack_begin(out, SL_RECORD_END);

    sl_pack_bytes(out, SL_RECORD_END_REASON, marker->reason);
    sl_pack_bytes(out, SL_RECORD_END_CODE, marker->code);
    sl_pack_bytes(out, SL_RECORD_END_TEXT, marker->text);
    sl_pack_end(out, start);
}

bool sl_record_mark(struct sl_record *record, const struct sl_marker *marker,
                    const struct sl_encoder_context *context, struct sl_buf *out)
{
    add_fixed64(out, SL_RECORD_EPOCH, (int64_t)context->epoch);
    sl_pack_varint(out, SL_RECORD_SEQ, context->seq);
    sl_buf_add_str(out, sl_buf_str(&record->names));
    sl_pack_varint(out, SL_RECORD_KIND, SL_RECORD_MARK);
    sl_pack_varint(out, SL_RECORD_MARKER, number_of(marker->kind));
    add_fixed64(out, SL_RECORD_RECEIVED, context->received_ns);
    if (marker->kind == SL_MARKER_GAP) {
        add_gap(out, marker);
    } else if (marker->kind == SL_MARKER_DISCONNECTED) {
        add_end(out, marker);
    } else if (marker->from_ns) {
        add_fixed64(out, SL_RECORD_SILENT_SINCE, marker->from_ns);
    }
    return !out->failed;
}

bool sl_record_mark_json(struct sl_record *record, const struct sl_marker *marker,
                         const struct sl_encoder_context *context, struct sl_buf *out)
{
    struct sl_buf *packed = &record->scratch->record;

    sl_buf_trim(packed, KEPT_BYTES);
    return sl_record_mark(record, marker, context, packed) &&
           sl_message_json_add(out, out->len, SL_MESSAGE_PROTOJSON, &sluice__v1__record__descriptor,
                               sl_buf_str(packed));
}

/* ---- lifetime ---- */

/* A name of the configuration. What is not UTF-8 (from the environment) becomes U+FFFD. */
static void add_name(struct sl_buf *out, uint32_t number, struct sl_str text)
{
    size_t start = sl_pack_begin(out, number);

    while (text.len) {
        uint32_t rune;
        size_t len = sl_utf8_decode(text, &rune);
        sl_utf8_add(out, len ? rune : SL_TEXT_REPLACEMENT);
        len = len ? len : 1;
        text = (struct sl_str){text.data + len, text.len - len};
    }
    sl_pack_end(out, start);
}

static void add_labels(struct sl_buf *out, const struct sluice_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        size_t start = sl_pack_begin(out, SL_RECORD_LABELS);
        add_name(out, SL_RECORD_LABEL_NAME, sl_str_from(labels->pairs[i].name));
        add_name(out, SL_RECORD_LABEL_TEXT, sl_str_from(labels->pairs[i].value));
        sl_pack_end(out, start);
    }
}

bool sl_record_init(struct sl_record *record, const struct sl_encoder_config *config)
{
    *record = (struct sl_record){.json_keys = config->json_keys};
    sl_intern_init(&record->paths, config->memory);
    sl_intern_init(&record->prefixes, config->memory);
    record->scratch = sl_encoder_scratch_hold(config->memory);
    if (config->target.len) {
        add_name(&record->names, SL_RECORD_TARGET, config->target);
    }
    if (config->subscription.len) {
        add_name(&record->names, SL_RECORD_SUBSCRIPTION, config->subscription);
    }
    if (config->labels) {
        add_labels(&record->names, config->labels);
    }
    return record->scratch && !record->names.failed;
}

void sl_record_fini(struct sl_record *record)
{
    if (record->scratch) {
        sl_encoder_scratch_release(record->paths.memory);
    }
    sl_intern_fini(&record->prefixes);
    sl_intern_fini(&record->paths);
    sl_buf_fini(&record->names);
}
