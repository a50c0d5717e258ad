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

    HEAD_BYTES = 8,         /* in front of the notification, for its tag and length */
    MAX_UPDATE_BYTES = 192, /* of one leaf but for the padding: our own paths are short */
    FIXED_BYTES = 1024,     /* timestamp, the sim's own leaves, tags and lengths */
    MIN_PADDING_BYTES = 42, /* an update with the padding leaf and no padding */
    MIN_EXTENSION_BYTES = 7,
    MAX_EXTENSION_PADDING_BYTES = 100, /* all of its lengths take one byte */
};

/* Each the bytes of field 1 of an Update: the path /sluice-sim/state/X. */
#define STATE_PATH "\x1a\x0c\x0a\x0asluice-sim\x1a\x07\x0a\x05state"
static const char seq_path[] = "\x0a\x1e" STATE_PATH "\x1a\x05\x0a\x03seq";
static const char session_path[] = "\x0a\x22" STATE_PATH "\x1a\x09\x0a\x07session";
static const char padding_path[] = "\x0a\x22" STATE_PATH "\x1a\x09\x0a\x07padding";

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

static uint8_t *put_uint_update(uint8_t *at, struct sl_str path, uint64_t value,
                                uint32_t duplicates)
{
    size_t value_len = 1 + varint_len(value);
    size_t len = path.len + 2 + value_len;

    if (duplicates > 0) {
        len += 1 + varint_len(duplicates);
    }
    *at++ = NOTIFICATION_UPDATE_TAG;
    at = put_varint(at, len);
    at = put_bytes(at, path.data, path.len);
    *at++ = UPDATE_VAL_TAG;
    *at++ = (uint8_t)value_len;
    *at++ = VALUE_UINT_TAG;
    at = put_varint(at, value);
    if (duplicates > 0) {
        *at++ = UPDATE_DUPLICATES_TAG;
        at = put_varint(at, duplicates);
    }
    return at;
}

static size_t string_value_len(size_t len)
{
    return 1 + varint_len(len) + len;
}

static size_t string_update_len(size_t path_len, size_t len)
{
    size_t value_len = string_value_len(len);

    return path_len + 1 + varint_len(value_len) + value_len;
}

/* All of a string update but the string's bytes. */
static uint8_t *put_string_update_head(uint8_t *at, struct sl_str path, size_t len)
{
    *at++ = NOTIFICATION_UPDATE_TAG;
    at = put_varint(at, string_update_len(path.len, len));
    at = put_bytes(at, path.data, path.len);
    *at++ = UPDATE_VAL_TAG;
    at = put_varint(at, string_value_len(len));
    *at++ = VALUE_STRING_TAG;
    return put_varint(at, len);
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

/* Writes counters up to `limit`, and at most `room` of them. Where what is then left is too short
 * for the padding leaf, the last one goes again. */
static uint8_t *put_counters(uint8_t *at, const uint8_t *limit, uint32_t room,
                             const struct sl_device_writer *writer,
                             const struct sl_device_message *message, uint32_t *written)
{
    uint32_t index = message->leaf_first;
    uint8_t *before = at;

    *written = 0;
    while (*written < room) {
        uint32_t leaf = message->leaves ? message->leaves[index] : index;
        uint64_t value = sl_device_leaf_value(message->device, leaf, message->elapsed_ms);
        uint8_t *end = put_uint_update(at, sl_device_leaves_path(writer->table, leaf), value, 0);

        if (end > limit) {
            break;
        }
        before = at;
        at = end;
        *written += 1;
        index = index + 1 == message->leaf_count ? 0 : index + 1;
    }
    if (message->size_bytes > 0 && *written > 0 && at < limit && limit - at < MIN_PADDING_BYTES) {
        *written -= 1;
        return before;
    }
    return at;
}

/* Fills up to `limit`, or less than a handful of bytes below it where lengths grow by a byte. */
static uint8_t *put_padding(uint8_t *at, const uint8_t *limit)
{
    struct sl_str path = SL_STR(padding_path);
    size_t room = (size_t)(limit - at);
    size_t len = room - MIN_PADDING_BYTES;
    size_t total;

    for (;;) {
        size_t update_len = string_update_len(path.len, len);

        total = 1 + varint_len(update_len) + update_len;
        if (total <= room) {
            break;
        }
        len -= total - room;
    }
    at = put_string_update_head(at, path, len);
    memset(at, '.', len);
    return at + len;
}

static size_t need_bytes(const struct sl_device_message *message, uint32_t counters)
{
    return FIXED_BYTES + message->target.len + message->session.len + message->size_bytes +
           (size_t)counters * MAX_UPDATE_BYTES;
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
    struct sl_str session = message->session;
    const uint8_t *limit;
    uint8_t *body;
    uint8_t *at;

    SL_ASSERT(message->max_updates > 0 && message->leaf_first <= message->leaf_count);
    room = sl_min_u32(room, sl_min_u32(message->leaf_limit, message->leaf_count));
    if (!reserve(writer, need_bytes(message, room))) {
        return written;
    }
    body = writer->data + HEAD_BYTES;
    limit = writer->data + writer->cap;
    if (message->size_bytes > 0) {
        limit = body + notification_limit(message->size_bytes);
    }
    at = put_head(body, message);
    at = put_uint_update(at, SL_STR(seq_path), message->seq, message->duplicates);
    if (at > limit) {
        return write_extension(writer, message->size_bytes);
    }
    if (message->max_updates > 1 &&
        at + 2 + string_update_len(sizeof(session_path) - 1, session.len) <= limit) {
        at = put_string_update_head(at, SL_STR(session_path), session.len);
        at = put_bytes(at, session.data, session.len);
        written.updates++;
    }
    at = put_counters(at, limit, room, writer, message, &written.counters);
    written.updates += written.counters;
    if (message->size_bytes > 0 && limit - at >= MIN_PADDING_BYTES) {
        at = put_padding(at, limit);
        written.updates++;
    }
    written.bytes = frame(body, at);
    return written;
}

struct sl_str sl_device_sync(void)
{
    return SL_STR(sync_response);
}
