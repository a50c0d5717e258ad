#include "header.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS    INT64_C(1000000)
#define MAX_AHEAD_NS (INT64_C(3600) * 1000 * NS_PER_MS)

enum { ESCAPED_BYTES = 3, FIRST_BYTES = 256 };

size_t kafka_digits(uint64_t value, char digits[KAFKA_NUMBER_BYTES])
{
    char backwards[KAFKA_NUMBER_BYTES];
    size_t len = 0;

    do {
        backwards[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < len; i++) {
        digits[i] = backwards[len - 1 - i];
    }
    return len;
}

static bool reserve(struct kafka_text *text, size_t size)
{
    if (size <= text->cap) {
        return true;
    }
    size_t cap = size > FIRST_BYTES ? size * 2 : FIRST_BYTES;
    char *data = realloc(text->data, cap);
    if (!data) {
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

static void put(struct kafka_text *text, struct sluice_str str)
{
    memcpy(text->data + text->len, str.data, str.len);
    text->len += str.len;
}

/* A name between separators. */
static void put_name(struct kafka_text *text, struct sluice_str name)
{
    text->data[text->len++] = ';';
    if (name.len == 0) {
        return;
    }
    if (!memchr(name.data, ';', name.len) && !memchr(name.data, '%', name.len)) {
        put(text, name);
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == ';') {
            put(text, (struct sluice_str){"%3B", ESCAPED_BYTES});
        } else if (name.data[i] == '%') {
            put(text, (struct sluice_str){"%25", ESCAPED_BYTES});
        } else {
            text->data[text->len++] = name.data[i];
        }
    }
}

size_t kafka_numbers(const struct sluice_record *record, char text[KAFKA_NUMBERS_BYTES])
{
    size_t len = kafka_digits(record->seq, text);

    if (record->lines > 1) {
        text[len++] = '-';
        len += kafka_digits(record->seq + record->lines - 1, text + len);
    }
    return len;
}

bool kafka_header_compact(const struct sluice_record *record, struct kafka_text *text)
{
    size_t names =
        record->format.len + record->target.len + record->subscription.len + record->kind.len;

    if (!reserve(text,
                 (size_t)KAFKA_NUMBER_BYTES + KAFKA_NUMBERS_BYTES + 5 + ESCAPED_BYTES * names)) {
        return false;
    }
    text->len = kafka_digits(record->epoch, text->data);
    text->data[text->len++] = ';';
    text->len += kafka_numbers(record, text->data + text->len);
    put_name(text, record->format);
    put_name(text, record->target);
    put_name(text, record->subscription);
    put_name(text, record->kind);
    return true;
}

bool kafka_timestamp(const struct sluice_record *record, int64_t max_age_ns, int64_t *ms)
{
    int64_t device_ns = record->timestamp_ns;
    int64_t now_ns = record->received_ns;
    /* Both are positive where they are compared, so nothing overflows. */
    bool is_device = device_ns > 0 && now_ns > 0 &&
                     (device_ns > now_ns ? device_ns - now_ns <= MAX_AHEAD_NS
                                         : now_ns - device_ns <= max_age_ns);

    *ms = (is_device ? device_ns : now_ns) / NS_PER_MS;
    return is_device;
}
