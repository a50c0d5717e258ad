#include "gnmi/rewrite.h"

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/wire.h"

enum { RESPONSE_UPDATE = 1, RESPONSE_EXTENSION = 5 };
enum { TIMESTAMP = 1, PREFIX = 2, UPDATE = 4, DELETE = 5, ATOMIC = 6 }; /* of Notification */
enum { UPDATE_PATH = 1, UPDATE_VALUE = 3, UPDATE_DUPLICATES = 4 };
enum { DECIMAL_DIGITS = 1, DECIMAL_PRECISION = 2 };

/* Kept in front of the Notification for its tag and its length, which are known at the end. */
enum { HEAD_BYTES = 1 + SL_PACK_LEN_BYTES };

/* ---- values ---- */

static void add_fixed(struct sl_buf *out, uint32_t number, enum sl_wire_type type, uint64_t bits)
{
    char field[1 + 8];
    size_t size = type == SL_WIRE_FIXED64 ? 8 : 4;

    field[0] = (char)(number << 3 | type);
    sl_pack_put_fixed(field + 1, size, bits);
    sl_buf_add(out, field, 1 + size);
}

static void add_float(struct sl_buf *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    add_fixed(out, 6, SL_WIRE_FIXED32, bits);
}

static void add_double(struct sl_buf *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    add_fixed(out, 14, SL_WIRE_FIXED64, bits);
}

static void add_decimal(struct sl_buf *out, int64_t digits, uint32_t precision)
{
    size_t start = sl_pack_begin(out, 7);

    sl_pack_varint(out, DECIMAL_DIGITS, (uint64_t)digits);
    sl_pack_varint(out, DECIMAL_PRECISION, precision);
    sl_pack_end(out, start);
}

void sl_gnmi_add_typed_value(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    static const uint8_t numbers[] = {
        [SL_GNMI_VALUE_STRING] = 1,   [SL_GNMI_VALUE_BYTES] = 5,
        [SL_GNMI_VALUE_LEAFLIST] = 8, [SL_GNMI_VALUE_ANY] = 9,
        [SL_GNMI_VALUE_JSON] = 10,    [SL_GNMI_VALUE_JSON_IETF] = 11,
        [SL_GNMI_VALUE_ASCII] = 12,   [SL_GNMI_VALUE_PROTO_BYTES] = 13,
    };

    switch (value->kind) {
    case SL_GNMI_VALUE_NONE:
        break;
    case SL_GNMI_VALUE_INT:
        sl_pack_varint(out, 2, (uint64_t)value->of.i64);
        break;
    case SL_GNMI_VALUE_UINT:
        sl_pack_varint(out, 3, value->of.u64);
        break;
    case SL_GNMI_VALUE_BOOL:
        sl_pack_varint(out, 4, value->of.boolean);
        break;
    case SL_GNMI_VALUE_FLOAT:
        add_float(out, value->of.f32);
        break;
    case SL_GNMI_VALUE_DOUBLE:
        add_double(out, value->of.f64);
        break;
    case SL_GNMI_VALUE_DECIMAL:
        add_decimal(out, value->of.decimal.digits, value->of.decimal.precision);
        break;
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        sl_pack_bytes(out, numbers[value->kind], value->of.bytes);
        break;
    }
}

/* ---- the notification ---- */

void sl_gnmi_rewrite_begin(struct sl_gnmi_rewrite *rewrite, const struct sl_gnmi_response *from,
                           struct sl_buf *out)
{
    static const char gap[HEAD_BYTES];

    SL_ASSERT(from->kind == SL_GNMI_UPDATE);
    sl_buf_reset(out);
    sl_buf_add(out, gap, sizeof(gap));
    *rewrite = (struct sl_gnmi_rewrite){
        .from = from,
        .out = out,
        .made = {.kind = SL_GNMI_UPDATE,
                 .prefix = from->prefix,
                 .has_prefix = from->has_prefix,
                 .is_atomic = from->is_atomic,
                 .has_labels = from->has_labels,
                 .timestamp_ns = from->timestamp_ns},
    };
}

void sl_gnmi_rewrite_set_timestamp(struct sl_gnmi_rewrite *rewrite, int64_t timestamp_ns)
{
    SL_ASSERT(!rewrite->has_head);
    rewrite->made.timestamp_ns = timestamp_ns;
}

void sl_gnmi_rewrite_set_prefix(struct sl_gnmi_rewrite *rewrite, struct sl_str prefix)
{
    SL_ASSERT(!rewrite->has_head);
    rewrite->made.prefix = prefix;
    rewrite->made.has_prefix = prefix.len > 0;
}

void sl_gnmi_rewrite_set_atomic(struct sl_gnmi_rewrite *rewrite, bool is_atomic)
{
    SL_ASSERT(!rewrite->has_head);
    rewrite->made.is_atomic = is_atomic;
}

void sl_gnmi_rewrite_note_labels(struct sl_gnmi_rewrite *rewrite)
{
    rewrite->made.has_labels = true;
}

static void end_run(struct sl_gnmi_rewrite *rewrite)
{
    if (rewrite->run != rewrite->run_end) {
        sl_buf_add(rewrite->out, rewrite->run, (size_t)(rewrite->run_end - rewrite->run));
        rewrite->run = rewrite->run_end = NULL;
    }
}

/* Before anything else than a run is written. */
static void add_head(struct sl_gnmi_rewrite *rewrite)
{
    const struct sl_gnmi_response *made = &rewrite->made;

    end_run(rewrite);

    if (rewrite->has_head) {
        return;
    }
    rewrite->has_head = true;
    if (made->timestamp_ns) {
        sl_pack_varint(rewrite->out, TIMESTAMP, (uint64_t)made->timestamp_ns);
    }
    if (made->has_prefix) {
        sl_pack_bytes(rewrite->out, PREFIX, made->prefix);
        rewrite->prefix_at = rewrite->out->len - made->prefix.len;
    }
}

/* ---- updates and deletes ---- */

/* All fields of an Update but its path, which stand in few runs. */
static size_t rest_len(struct sl_str raw)
{
    struct sl_wire wire = sl_wire_of(raw);
    struct sl_wire_field field;
    size_t len = 0;

    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        len += sl_wire_is(&field, UPDATE_PATH, SL_WIRE_BYTES) ? 0 : (size_t)(wire.at - at);
    }
    return len;
}

static void add_rest(struct sl_buf *out, struct sl_str raw)
{
    struct sl_wire wire = sl_wire_of(raw);
    struct sl_wire_field field;

    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        if (!sl_wire_is(&field, UPDATE_PATH, SL_WIRE_BYTES)) {
            sl_buf_add(out, at, (size_t)(wire.at - at));
        }
    }
}

/* With one look at the buffer's room; `rest` is everything behind the path, or NULL: to be sought.
 */
static void add_moved(struct sl_buf *out, struct sl_str path, struct sl_str raw,
                      const struct sl_str *rest)
{
    size_t more = rest ? rest->len : rest_len(raw);
    size_t len = 1 + sl_pack_varint_len(path.len) + path.len + more;

    if (!sl_buf_reserve(out, len + HEAD_BYTES)) {
        return;
    }
    char *at = out->data + out->len;

    *at++ = UPDATE << 3 | SL_WIRE_BYTES;
    at = sl_pack_put_varint(at, len);
    *at++ = UPDATE_PATH << 3 | SL_WIRE_BYTES;
    at = sl_pack_put_varint(at, path.len);
    if (path.len) {
        memcpy(at, path.data, path.len);
    }
    at += path.len;
    if (rest && more) {
        memcpy(at, rest->data, more);
        at += more;
    }
    out->len = (size_t)(at - out->data);
    if (!rest) {
        add_rest(out, raw);
    }
}

/* The update as it stands in its notification, with its tag and a length of one byte. False: it
 * does not stand so. */
static inline bool add_to_run(struct sl_gnmi_rewrite *rewrite, struct sl_str raw)
{
    const char *at = raw.len ? raw.data - 2 : NULL;

    if (!at || raw.len >= 0x80 || at[0] != (UPDATE << 3 | SL_WIRE_BYTES) ||
        (size_t)at[1] != raw.len) {
        return false;
    }
    if (at != rewrite->run_end) {
        end_run(rewrite);
        rewrite->run = at;
    }
    rewrite->run_end = raw.data + raw.len;
    return true;
}

void sl_gnmi_rewrite_add_update(struct sl_gnmi_rewrite *rewrite, struct sl_str path,
                                const struct sl_gnmi_update *update)
{
    struct sl_str raw = update->raw;
    struct sl_str old = update->path;

    rewrite->made.updates++;
    rewrite->made.duplicates += update->duplicates;
    if (path.data == old.data && path.len == old.len) {
        if (!rewrite->has_head) {
            add_head(rewrite);
        }
        if (!add_to_run(rewrite, raw)) {
            end_run(rewrite);
            sl_pack_bytes(rewrite->out, UPDATE, raw);
        }
        return;
    }
    add_head(rewrite);
    /* The path stands in front nearly always: tag, a length of one byte, path. */
    if (update->has_path && old.len < 0x80 && old.data == raw.data + 2) {
        struct sl_str rest = {old.data + old.len, raw.len - 2 - old.len};
        struct sl_wire wire = sl_wire_of(rest);
        if (wire.at == wire.end || *wire.at != (UPDATE_PATH << 3 | SL_WIRE_BYTES)) {
            add_moved(rewrite->out, path, raw, &rest);
            return;
        }
    }
    add_moved(rewrite->out, path, raw, NULL);
}

void sl_gnmi_rewrite_add_update_value(struct sl_gnmi_rewrite *rewrite, struct sl_str path,
                                      const struct sl_gnmi_value *value, uint32_t duplicates)
{
    struct sl_buf *out = rewrite->out;

    add_head(rewrite);
    rewrite->made.updates++;
    rewrite->made.duplicates += duplicates;
    size_t update = sl_pack_begin(out, UPDATE);

    sl_pack_bytes(out, UPDATE_PATH, path);
    if (value->kind != SL_GNMI_VALUE_NONE) {
        size_t start = sl_pack_begin(out, UPDATE_VALUE);
        sl_gnmi_add_typed_value(out, value);
        sl_pack_end(out, start);
    }
    if (duplicates) {
        sl_pack_varint(out, UPDATE_DUPLICATES, duplicates);
    }
    sl_pack_end(out, update);
}

void sl_gnmi_rewrite_add_delete(struct sl_gnmi_rewrite *rewrite, struct sl_str path)
{
    add_head(rewrite);
    rewrite->made.deletes++;
    sl_pack_bytes(rewrite->out, DELETE, path);
}

/* ---- the end ---- */

static void add_extensions(struct sl_buf *out, struct sl_str message)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, RESPONSE_EXTENSION, SL_WIRE_BYTES)) {
            sl_pack_bytes(out, RESPONSE_EXTENSION, field.bytes);
        }
    }
}

bool sl_gnmi_rewrite_end(struct sl_gnmi_rewrite *rewrite, struct sl_gnmi_response *response)
{
    struct sl_gnmi_response *made = &rewrite->made;
    struct sl_buf *out = rewrite->out;

    add_head(rewrite);
    if (made->is_atomic) {
        sl_pack_varint(out, ATOMIC, true);
    }
    size_t end = out->len;

    add_extensions(out, rewrite->from->message);
    if (out->failed) {
        return false;
    }
    size_t len = end - HEAD_BYTES;
    size_t start = HEAD_BYTES - 1 - sl_pack_varint_len(len);

    out->data[start] = RESPONSE_UPDATE << 3 | SL_WIRE_BYTES;
    sl_pack_put_varint(out->data + start + 1, len);
    made->message = (struct sl_str){out->data + start, out->len - start};
    made->notification = (struct sl_str){out->data + HEAD_BYTES, len};
    if (made->has_prefix) {
        made->prefix.data = out->data + rewrite->prefix_at;
    }
    *response = *made;
    return true;
}

/* ---- labels ---- */

static void add_path_without_labels(struct sl_buf *out, uint32_t number, struct sl_str path)
{
    size_t start = sl_pack_begin(out, number);

    sl_gnmi_path_add_without_labels(out, path);
    sl_pack_end(out, start);
}

static void add_update_without_labels(struct sl_buf *out, const struct sl_gnmi_update *update)
{
    size_t start = sl_pack_begin(out, UPDATE);

    if (update->has_path) {
        add_path_without_labels(out, UPDATE_PATH, update->path);
    }
    add_rest(out, update->raw);
    sl_pack_end(out, start);
}

static void add_notification_field(struct sl_buf *out, const struct sl_wire_field *field,
                                   struct sl_str raw)
{
    struct sl_gnmi_update update;
    struct sl_gnmi_cursor cursor = {(const uint8_t *)raw.data, (const uint8_t *)raw.data + raw.len};

    if (sl_wire_is(field, UPDATE, SL_WIRE_BYTES) && sl_gnmi_next_update(&cursor, &update)) {
        add_update_without_labels(out, &update);
    } else if (sl_wire_is(field, DELETE, SL_WIRE_BYTES)) {
        add_path_without_labels(out, DELETE, field->bytes);
    } else {
        sl_buf_add_str(out, raw);
    }
}

void sl_gnmi_add_without_labels(struct sl_buf *out, const struct sl_gnmi_response *response)
{
    size_t start = sl_pack_begin(out, RESPONSE_UPDATE);
    struct sl_wire wire = sl_wire_of(response->notification);
    struct sl_wire_field field;

    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        add_notification_field(out, &field,
                               (struct sl_str){(const char *)at, (size_t)(wire.at - at)});
    }
    sl_pack_end(out, start);
    add_extensions(out, response->message);
}
