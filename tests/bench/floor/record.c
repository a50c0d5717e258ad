#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    BUCKETS = 1 << 16,
    MAX_TAGS = 16,
    MAX_TEXT_BYTES = 2048,
    MAX_DIGITS = 20,
    MAX_HEAD_BYTES = 512,
    VALUE_OVERHEAD_BYTES = 8, /* quotes, braces, comma */
    VARINT = 0,               /* wire types */
    BYTES = 2,
};

struct span {
    const uint8_t *at;
    const uint8_t *end;
};

struct field {
    uint32_t number;
    uint32_t type;
    uint64_t number_value;
    struct span bytes;
};

/* What an update's path comes to in the record. */
struct known {
    struct known *next;  /* in its bucket */
    struct known *after; /* came after this one last time */
    char *text;          /* from `,"tags":` to the colon before the value */
    size_t text_len;
    size_t path_len;
    uint8_t path[];
};

struct floor_writer {
    enum floor_format format;
    const char *target;
    const char *subscription;
    size_t last_len; /* of the last record: what the next is given room for */
    struct known *last;
    struct known *buckets[BUCKETS];
};

struct out {
    char *data;
    size_t len;
    size_t cap;
};

/* ---- Protobuf, where it lies ---- */

static bool read_varint(struct span *in, uint64_t *value)
{
    uint64_t result = 0;

    for (unsigned shift = 0; in->at < in->end && shift < 64; shift += 7) {
        uint8_t byte = *in->at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return true;
        }
    }
    return false;
}

static bool read_field(struct span *in, struct field *field)
{
    uint64_t tag;
    uint64_t value;

    if (!read_varint(in, &tag) || !read_varint(in, &value)) {
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->type = tag & 7;
    field->number_value = value;
    if (field->type == VARINT) {
        return true;
    }
    if (field->type != BYTES || value > (uint64_t)(in->end - in->at)) {
        return false;
    }
    field->bytes = (struct span){in->at, in->at + value};
    in->at += value;
    return true;
}

static size_t span_len(struct span span)
{
    return (size_t)(span.end - span.at);
}

/* ---- The text of a path: made once, found again ---- */

struct tag {
    char name[MAX_HEAD_BYTES];
    struct span value;
};

struct path_text {
    char key[MAX_TEXT_BYTES];
    size_t key_len;
    struct tag tags[MAX_TAGS];
    size_t tag_count;
};

static bool is_plain(struct span text)
{
    for (const uint8_t *at = text.at; at < text.end; at++) {
        if (*at < 0x20 || *at == '"' || *at == '\\' || *at >= 0x80) {
            return false;
        }
    }
    return true;
}

static struct span span_of(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    return (struct span){at, at + strlen(text)};
}

static bool add_tag(struct path_text *text, struct span elem, struct span name, struct span value)
{
    if (text->tag_count == MAX_TAGS || !is_plain(name) || !is_plain(value)) {
        return false;
    }
    struct tag *tag = &text->tags[text->tag_count++];
    int len = snprintf(tag->name, sizeof(tag->name), "%.*s%s%.*s", (int)span_len(elem),
                       (const char *)elem.at, span_len(elem) > 0 ? "_" : "", (int)span_len(name),
                       (const char *)name.at);
    tag->value = value;
    return len > 0 && (size_t)len < sizeof(tag->name);
}

static bool add_key(struct path_text *text, struct span elem, struct span entry)
{
    struct field field;
    struct span key = {0};
    struct span value = {0};

    while (entry.at < entry.end) {
        if (!read_field(&entry, &field) || field.type != BYTES) {
            return false;
        }
        *(field.number == 1 ? &key : &value) = field.bytes;
    }
    return add_tag(text, elem, key, value);
}

static bool add_elem(struct path_text *text, struct span elem)
{
    struct field field;
    struct span name = {0};

    while (elem.at < elem.end) {
        if (!read_field(&elem, &field) || field.type != BYTES) {
            return false;
        }
        if (field.number == 1) {
            name = field.bytes;
            if (text->key_len + 1 + span_len(name) > sizeof(text->key) || !is_plain(name)) {
                return false;
            }
            text->key[text->key_len++] = '/';
            memcpy(text->key + text->key_len, name.at, span_len(name));
            text->key_len += span_len(name);
        } else if (!add_key(text, name, field.bytes)) {
            return false;
        }
    }
    return true;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct tag *)left)->name, ((const struct tag *)right)->name);
}

static bool read_path(const struct floor_writer *writer, struct span path, struct path_text *text)
{
    struct field field;
    struct span none = {0};

    text->key_len = 0;
    text->tag_count = 0;
    while (path.at < path.end) {
        if (!read_field(&path, &field) || field.number != 3 || !add_elem(text, field.bytes)) {
            return false;
        }
    }
    if (!add_tag(text, none, span_of("source"), span_of(writer->target)) ||
        !add_tag(text, none, span_of("subscription-name"), span_of(writer->subscription))) {
        return false;
    }
    qsort(text->tags, text->tag_count, sizeof(*text->tags), by_name);
    return true;
}

static bool print_path(const struct path_text *text, struct known *known)
{
    FILE *out = open_memstream(&known->text, &known->text_len);

    if (!out) {
        return false;
    }
    fputs(",\"tags\":{", out);
    for (size_t i = 0; i < text->tag_count; i++) {
        const struct tag *tag = &text->tags[i];
        fprintf(out, "%s\"%s\":\"%.*s\"", i > 0 ? "," : "", tag->name, (int)span_len(tag->value),
                (const char *)tag->value.at);
    }
    fprintf(out, "},\"values\":{\"%.*s\":", (int)text->key_len, text->key);
    return fclose(out) == 0;
}

static struct known *learn(struct floor_writer *writer, struct span path, struct known **bucket)
{
    static struct path_text text;
    struct known *known = calloc(1, sizeof(*known) + span_len(path));

    if (!known || !read_path(writer, path, &text) || !print_path(&text, known)) {
        if (known) {
            free(known->text);
        }
        free(known);
        return NULL;
    }
    memcpy(known->path, path.at, span_len(path));
    known->path_len = span_len(path);
    known->next = *bucket;
    *bucket = known;
    return known;
}

static bool is_of(const struct known *known, struct span path)
{
    return known->path_len == span_len(path) && memcmp(known->path, path.at, known->path_len) == 0;
}

static struct known *find(struct floor_writer *writer, struct span path)
{
    struct known *last = writer->last;

    if (last && last->after && is_of(last->after, path)) {
        return writer->last = last->after;
    }
    struct known **bucket = &writer->buckets[XXH3_64bits(path.at, span_len(path)) % BUCKETS];
    struct known *known = *bucket;
    while (known && !is_of(known, path)) {
        known = known->next;
    }
    if (!known) {
        known = learn(writer, path, bucket);
    }
    if (last) {
        last->after = known;
    }
    return writer->last = known;
}

/* ---- The record ---- */

static bool reserve(struct out *out, size_t more)
{
    if (out->cap - out->len >= more) {
        return true;
    }
    size_t cap = (out->cap + more) * 2;
    char *grown = realloc(out->data, cap);
    if (!grown) {
        return false;
    }
    out->data = grown;
    out->cap = cap;
    return true;
}

/* The following write to room that was reserved. */
static void put(struct out *out, const void *bytes, size_t len)
{
    memcpy(out->data + out->len, bytes, len);
    out->len += len;
}

static void put_number(struct out *out, uint64_t value)
{
    char digits[MAX_DIGITS];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(out, digits + at, sizeof(digits) - at);
}

static bool put_value(struct out *out, struct span value)
{
    struct field field;

    if (!read_field(&value, &field) || value.at != value.end) {
        return false;
    }
    if (field.number == 3 && field.type == VARINT) { /* uint_val */
        put_number(out, field.number_value);
        return true;
    }
    if (field.number != 1 || field.type != BYTES || !is_plain(field.bytes)) { /* string_val */
        return false;
    }
    put(out, "\"", 1);
    put(out, field.bytes.at, span_len(field.bytes));
    put(out, "\"", 1);
    return true;
}

static bool put_update(struct floor_writer *writer, struct out *out, const char *head,
                       size_t head_len, struct span update)
{
    struct field field;
    struct span path = {0};
    struct span value = {0};

    while (update.at < update.end) {
        if (!read_field(&update, &field) || (field.number != 4 && field.type != BYTES)) {
            return false;
        }
        if (field.number == 1) {
            path = field.bytes;
        } else if (field.number == 3) {
            value = field.bytes;
        } else if (field.number != 4) { /* duplicates */
            return false;
        }
    }
    const struct known *known = find(writer, path);
    if (!known || !reserve(out, head_len + known->text_len + span_len(value) + MAX_DIGITS +
                                    VALUE_OVERHEAD_BYTES)) {
        return false;
    }
    put(out, head, head_len);
    put(out, known->text, known->text_len);
    if (!put_value(out, value)) {
        return false;
    }
    put(out, "}},", 3);
    return true;
}

/* The fields of every update of a message begin alike. */
static size_t make_head(const struct floor_writer *writer, const struct floor_record *record,
                        char head[MAX_HEAD_BYTES])
{
    return (size_t)snprintf(head, MAX_HEAD_BYTES, "{\"name\":\"%.128s\",\"timestamp\":%lld",
                            writer->subscription, (long long)record->timestamp_ns);
}

static bool write_event(struct floor_writer *writer, struct span notification,
                        struct floor_record *record)
{
    char head[MAX_HEAD_BYTES];
    size_t head_len = make_head(writer, record, head);
    struct out out = {.cap = writer->last_len + MAX_HEAD_BYTES};
    struct field field;

    out.data = malloc(out.cap);
    if (!out.data) {
        return false;
    }
    put(&out, "[", 1);
    while (notification.at < notification.end) {
        if (!read_field(&notification, &field) ||
            (field.number == 4 && !put_update(writer, &out, head, head_len, field.bytes))) {
            free(out.data);
            return false;
        }
    }
    out.data[out.len - 1] = ']';
    writer->last_len = out.len;
    record->payload = out.data;
    record->len = out.len;
    return true;
}

/* Counts, and looks whether this is all that we know. */
static bool read_notification(struct span notification, struct floor_record *record)
{
    struct field field;

    while (notification.at < notification.end) {
        if (!read_field(&notification, &field)) {
            return false;
        }
        if (field.number == 1) {
            record->timestamp_ns = (int64_t)field.number_value;
        } else if (field.number == 4 && field.type == BYTES) {
            record->updates++;
        } else {
            return false;
        }
    }
    return record->updates > 0;
}

static bool write_copy(const uint8_t *message, size_t len, struct floor_record *record)
{
    record->payload = malloc(len);
    if (record->payload) {
        memcpy(record->payload, message, len);
        record->len = len;
    }
    return record->payload;
}

struct floor_writer *floor_writer_new(enum floor_format format, const char *target,
                                      const char *subscription)
{
    struct floor_writer *writer = calloc(1, sizeof(*writer));

    if (writer) {
        writer->format = format;
        writer->target = target;
        writer->subscription = subscription;
    }
    return writer;
}

void floor_writer_free(struct floor_writer *writer)
{
    for (size_t i = 0; writer && i < BUCKETS; i++) {
        for (struct known *known = writer->buckets[i], *next; known; known = next) {
            next = known->next;
            free(known->text);
            free(known);
        }
    }
    free(writer);
}

bool floor_writer_write(struct floor_writer *writer, const uint8_t *message, size_t len,
                        struct floor_record *record)
{
    struct span in = {message, message + len};
    struct field field;

    *record = (struct floor_record){0};
    if (!read_field(&in, &field) || in.at != in.end) {
        return false;
    }
    if (field.number == 3 && field.type == VARINT) { /* sync_response */
        return writer->format == FLOOR_EVENT || write_copy(message, len, record);
    }
    if (field.number != 1 || field.type != BYTES || !read_notification(field.bytes, record)) {
        return false;
    }
    return writer->format == FLOOR_PROTO ? write_copy(message, len, record)
                                         : write_event(writer, field.bytes, record);
}
