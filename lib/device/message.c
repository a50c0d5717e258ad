#include "device/message.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESPONSE_UPDATE_TAG = 0x0a, /* field numbers and wire types of gnmi.proto */
    RESPONSE_EXTENSION_TAG = 0x2a,
    NOTIFICATION_TIMESTAMP_TAG = 0x08,
    NOTIFICATION_PREFIX_TAG = 0x12,
    NOTIFICATION_UPDATE_TAG = 0x22,
    PATH_TARGET_TAG = 0x22,
    UPDATE_VAL_TAG = 0x1a,
    UPDATE_DUPLICATES_TAG = 0x20,
    VALUE_STRING_TAG = 0x0a,
    VALUE_UINT_TAG = 0x18,
    VALUE_BYTES_TAG = 0x2a,
    VALUE_JSON_TAG = 0x52,
    VALUE_JSON_IETF_TAG = 0x5a,
    VALUE_ASCII_TAG = 0x62,

    HEAD_BYTES = 8,         /* in front of the notification, for its tag and length */
    MAX_UPDATE_BYTES = 192, /* of one leaf but for the padding: our own paths are short */
    FIXED_BYTES = 1024,     /* timestamp, the sim's own leaves, tags and lengths */
    MIN_PADDING_BYTES = 42, /* an update with the padding leaf and no padding, without quotes */
    MAX_DIGITS = 20,        /* of 64 bits */
    MIN_EXTENSION_BYTES = 7,
    MAX_EXTENSION_PADDING_BYTES = 100, /* all of its lengths take one byte */
};

/* Each the bytes of field 1 of an Update: the path /sluice-sim/state/X. */
#define STATE_PATH "\x1a\x0c\x0a\x0asluice-sim\x1a\x07\x0a\x05state"
static const char seq_path[] = "\x0a\x1e" STATE_PATH "\x1a\x05\x0a\x03seq";
static const char session_path[] = "\x0a\x22" STATE_PATH "\x1a\x09\x0a\x07session";
static const char padding_path[] = "\x0a\x22" STATE_PATH "\x1a\x09\x0a\x07padding";

/* How an encoding writes values. */
struct arm {
    uint8_t text_tag;
    uint8_t number_tag;
    bool has_digits; /* numbers are text */
    bool quotes_text;
    bool quotes_numbers;
};

static const struct arm arms[] = {
    [GNMI__ENCODING__JSON] = {VALUE_JSON_TAG, VALUE_JSON_TAG, true, true, false},
    [GNMI__ENCODING__BYTES] = {VALUE_BYTES_TAG, VALUE_BYTES_TAG, true, false, false},
    [GNMI__ENCODING__PROTO] = {VALUE_STRING_TAG, VALUE_UINT_TAG, false, false, false},
    [GNMI__ENCODING__ASCII] = {VALUE_ASCII_TAG, VALUE_ASCII_TAG, true, false, false},
    [GNMI__ENCODING__JSON_IETF] = {VALUE_JSON_IETF_TAG, VALUE_JSON_IETF_TAG, true, true, true},
};

static const char sync_response[] = "\x18\x01";

static size_t varint_len(uint64_t value)
{
    size_t len = 1;

    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

/* The bytes of a TypedValue; room for MAX_DIGITS and a handful. */
static size_t number_value(const struct arm *arm, uint64_t value, uint8_t *out)
{
    char digits[MAX_DIGITS];
    size_t count = 0;
    uint8_t *at = out;

    *at++ = arm->number_tag;
    if (!arm->has_digits) {
        return (size_t)(put_varint(at, value) - out);
    }
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    *at++ = (uint8_t)(count + (arm->quotes_numbers ? 2 : 0));
    if (arm->quotes_numbers) {
        *at++ = '"';
    }
    while (count > 0) {
        *at++ = (uint8_t)digits[--count];
    }
    if (arm->quotes_numbers) {
        *at++ = '"';
    }
    return (size_t)(at - out);
}

static uint8_t *put_number_update(uint8_t *at, const struct arm *arm, struct sl_str path,
                                  uint64_t number, uint32_t duplicates)
{
    uint8_t value[MAX_DIGITS + 8];
    size_t value_len = number_value(arm, number, value);
    size_t len = path.len + 2 + value_len;

    if (duplicates > 0) {
        len += 1 + varint_len(duplicates);
    }
    *at++ = NOTIFICATION_UPDATE_TAG;
    at = put_varint(at, len);
    at = put_bytes(at, path.data, path.len);
    *at++ = UPDATE_VAL_TAG;
    *at++ = (uint8_t)value_len;
    at = put_bytes(at, value, value_len);
    if (duplicates > 0) {
        *at++ = UPDATE_DUPLICATES_TAG;
        at = put_varint(at, duplicates);
    }
    return at;
}

static size_t quotes_len(const struct arm *arm)
{
    return arm->quotes_text ? 2 : 0;
}

static size_t text_value_len(const struct arm *arm, size_t len)
{
    len += quotes_len(arm);
    return 1 + varint_len(len) + len;
}

static size_t text_update_len(const struct arm *arm, size_t path_len, size_t len)
{
    size_t value_len = text_value_len(arm, len);

    return path_len + 1 + varint_len(value_len) + value_len;
}

/* A text of our own: nothing in it needs an escape. With NULL for it, `len` dots. */
static uint8_t *put_text_update(uint8_t *at, const struct arm *arm, struct sl_str path,
                                const char *text, size_t len)
{
    *at++ = NOTIFICATION_UPDATE_TAG;
    at = put_varint(at, text_update_len(arm, path.len, len));
    at = put_bytes(at, path.data, path.len);
    *at++ = UPDATE_VAL_TAG;
    at = put_varint(at, text_value_len(arm, len));
    *at++ = arm->text_tag;
    at = put_varint(at, len + quotes_len(arm));
    if (arm->quotes_text) {
        *at++ = '"';
    }
    if (text) {
        memcpy(at, text, len);
    } else {
        memset(at, '.', len);
    }
    at += len;
    if (arm->quotes_text) {
        *at++ = '"';
    }
    return at;
}

static uint8_t *put_head(uint8_t *at, const struct sl_device_message *message)
{
    size_t target_len = message->target.len;

    *at++ = NOTIFICATION_TIMESTAMP_TAG;
    at = put_varint(at, (uint64_t)message->timestamp_ns);
    if (target_len > 0) {
        *at++ = NOTIFICATION_PREFIX_TAG;
        at = put_varint(at, 1 + varint_len(target_len) + target_len);
        *at++ = PATH_TARGET_TAG;
        at = put_varint(at, target_len);
        at = put_bytes(at, message->target.data, target_len);
    }
    return at;
}

/* The longest notification that makes a response of at most `size` bytes. */
static size_t notification_limit(size_t size)
{
    size_t limit = size - 2;

    while (1 + varint_len(limit) + limit > size) {
        limit--;
    }
    return limit;
}

static size_t min_padding(const struct arm *arm)
{
    return MIN_PADDING_BYTES + quotes_len(arm);
}

static uint8_t *put_leaf(uint8_t *at, const struct arm *arm, const struct sl_device_writer *writer,
                         const struct sl_device_message *message, uint32_t leaf)
{
    const struct sl_device_leaves *table = writer->table;
    struct sl_str path = sl_device_leaves_path(table, leaf);
    const char *text = sl_device_leaf_text(table, message->device, leaf, message->elapsed_ms);

    if (text) {
        return put_text_update(at, arm, path, text, strlen(text));
    }
    return put_number_update(at, arm, path,
                             sl_device_leaf_value(message->device, leaf, message->elapsed_ms), 0);
}

static bool is_passed_over(const struct sl_device_writer *writer,
                           const struct sl_device_message *message, uint32_t leaf)
{
    return message->only_changes && !sl_device_leaf_differs(writer->table, message->device, leaf,
                                                            message->since_ms, message->elapsed_ms);
}

/* Writes leaves up to `limit`, and at most `room` of them. Where what is then left is too short for
 * the padding leaf, the last one goes again. */
static uint8_t *put_leaves(uint8_t *at, const uint8_t *limit, uint32_t room,
                           const struct sl_device_writer *writer,
                           const struct sl_device_message *message,
                           struct sl_device_written *written)
{
    const struct arm *arm = &arms[message->encoding];
    const struct sl_device_selection *selection = message->selection;
    uint32_t limit_leaves = sl_min_u32(message->leaf_limit, selection->count);
    uint32_t index = message->leaf_first;
    uint32_t passed_before = 0;
    uint8_t *before = NULL;
    uint32_t count = 0;

    for (; written->passed < limit_leaves && count < room; written->passed++) {
        uint32_t leaf = sl_device_selected(selection, index);
        if (!is_passed_over(writer, message, leaf)) {
            uint8_t *end = put_leaf(at, arm, writer, message, leaf);
            if (end > limit) {
                break;
            }
            before = at;
            passed_before = written->passed;
            at = end;
            count++;
        }
        index = index + 1 == selection->count ? 0 : index + 1;
    }
    if (message->size_bytes > 0 && before && at < limit &&
        (size_t)(limit - at) < min_padding(arm)) {
        count--;
        at = before;
        written->passed = passed_before;
    }
    written->updates += count;
    return at;
}

/* Fills up to `limit`, or less than a handful of bytes below it where lengths grow by a byte. */
static uint8_t *put_padding(uint8_t *at, const struct arm *arm, const uint8_t *limit)
{
    struct sl_str path = SL_STR(padding_path);
    size_t room = (size_t)(limit - at);
    size_t len = room - min_padding(arm);
    size_t total;

    for (;;) {
        size_t update_len = text_update_len(arm, path.len, len);

        total = 1 + varint_len(update_len) + update_len;
        if (total <= room) {
            break;
        }
        len -= total - room;
    }
    return put_text_update(at, arm, path, NULL, len);
}

static size_t need_bytes(const struct sl_device_message *message, uint32_t leaves)
{
    return FIXED_BYTES + message->target.len + message->session.len + message->size_bytes +
           (size_t)leaves * MAX_UPDATE_BYTES;
}

static bool reserve(struct sl_device_writer *writer, size_t need)
{
    uint8_t *grown;

    if (need <= writer->cap) {
        return true;
    }
    grown = realloc(writer->data, need);
    if (!grown) {
        return false;
    }
    writer->data = grown;
    writer->cap = need;
    return true;
}

/* A response with neither notification nor sync: an extension with number 999 (EXPERIMENTAL), and
 * zeros for its message. */
static struct sl_device_written write_extension(struct sl_device_writer *writer, size_t size)
{
    static const uint8_t id[] = {0x08, 0xe7, 0x07};
    struct sl_device_written written = {.is_notification = false};
    bool has_padding = size >= MIN_EXTENSION_BYTES + 2;
    size_t padding = has_padding ? size - MIN_EXTENSION_BYTES - 2 : 0;
    size_t registered_len;
    uint8_t *at = writer->data;

    padding = sl_min_size(padding, MAX_EXTENSION_PADDING_BYTES);
    registered_len = sizeof(id) + (has_padding ? 2 + padding : 0);
    *at++ = RESPONSE_EXTENSION_TAG;
    *at++ = (uint8_t)(2 + registered_len);
    *at++ = 0x0a; /* registered_ext */
    *at++ = (uint8_t)registered_len;
    at = put_bytes(at, id, sizeof(id));
    if (has_padding) {
        *at++ = 0x12; /* msg */
        *at++ = (uint8_t)padding;
        memset(at, 0, padding);
        at += padding;
    }
    written.bytes = (struct sl_str){(const char *)writer->data, (size_t)(at - writer->data)};
    return written;
}

/* Puts tag and length in front of the notification. */
static struct sl_str frame(uint8_t *body, const uint8_t *end)
{
    size_t body_len = (size_t)(end - body);
    uint8_t *begin = body - varint_len(body_len) - 1;

    begin[0] = RESPONSE_UPDATE_TAG;
    put_varint(begin + 1, body_len);
    return (struct sl_str){(const char *)begin, (size_t)(end - begin)};
}

void sl_device_writer_init(struct sl_device_writer *writer, const struct sl_device_leaves *table)
{
    *writer = (struct sl_device_writer){.table = table};
}

void sl_device_writer_fini(struct sl_device_writer *writer)
{
    free(writer->data);
    writer->data = NULL;
    writer->cap = 0;
}

struct sl_device_written sl_device_write(struct sl_device_writer *writer,
                                         const struct sl_device_message *message)
{
    struct sl_device_written written = {.is_notification = true, .updates = 1};
    uint32_t room = message->max_updates > 2 ? message->max_updates - 2 : 0;
    const struct arm *arm = &arms[message->encoding];
    struct sl_str session = message->session;
    const uint8_t *limit;
    uint8_t *body;
    uint8_t *at;

    SL_ASSERT(message->max_updates > 0 && message->leaf_first <= message->selection->count);
    SL_ASSERT(message->encoding < SL_ARRAY_LEN(arms));
    room = sl_min_u32(room, sl_min_u32(message->leaf_limit, message->selection->count));
    if (!reserve(writer, need_bytes(message, room))) {
        return written;
    }
    body = writer->data + HEAD_BYTES;
    limit = writer->data + writer->cap;
    if (message->size_bytes > 0) {
        limit = body + notification_limit(message->size_bytes);
    }
    at = put_head(body, message);
    at = put_number_update(at, arm, SL_STR(seq_path), message->seq, message->duplicates);
    if (at > limit) {
        return write_extension(writer, message->size_bytes);
    }
    if (message->max_updates > 1 &&
        at + 2 + text_update_len(arm, sizeof(session_path) - 1, session.len) <= limit) {
        at = put_text_update(at, arm, SL_STR(session_path), session.data, session.len);
        written.updates++;
    }
    at = put_leaves(at, limit, room, writer, message, &written);
    if (message->size_bytes > 0 && limit >= at && (size_t)(limit - at) >= min_padding(arm)) {
        at = put_padding(at, arm, limit);
        written.updates++;
    }
    written.bytes = frame(body, at);
    return written;
}

struct sl_str sl_device_sync(void)
{
    return SL_STR(sync_response);
}
