#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP_BYTES = 64 };

void sl_buf_init(struct sl_buf *buf, size_t limit_bytes)
{
    *buf = (struct sl_buf){.limit_bytes = limit_bytes};
}

void sl_buf_fini(struct sl_buf *buf)
{
    free(buf->data);
    *buf = (struct sl_buf){.limit_bytes = buf->limit_bytes};
}

void sl_buf_reset(struct sl_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

void sl_buf_trim(struct sl_buf *buf, size_t kept_bytes)
{
    if (buf->cap > kept_bytes) {
        sl_buf_fini(buf);
    }
    sl_buf_reset(buf);
}

static bool grow(struct sl_buf *buf, size_t more)
{
    size_t limit = buf->limit_bytes ? buf->limit_bytes : SIZE_MAX / 2;
    size_t cap = buf->cap < FIRST_CAP_BYTES ? FIRST_CAP_BYTES : buf->cap;

    if (more > limit || buf->len > limit - more) {
        return false;
    }
    while (cap < buf->len + more) {
        cap *= 2;
    }
    cap = sl_min_size(cap, limit);
    char *data = realloc(buf->data, cap);
    if (!data) {
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool sl_buf_grow(struct sl_buf *buf, size_t more)
{
    SL_ASSERT(buf->len <= buf->cap);
    if (!buf->failed && buf->cap - buf->len < more && !grow(buf, more)) {
        buf->failed = true;
    }
    return !buf->failed;
}

void sl_buf_add_c(struct sl_buf *buf, const char *text)
{
    sl_buf_add(buf, text, strlen(text));
}

void sl_buf_add_u64(struct sl_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    sl_buf_add(buf, digits + at, sizeof(digits) - at);
}

void sl_buf_add_i64(struct sl_buf *buf, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        sl_buf_add_byte(buf, '-');
        magnitude = 0 - magnitude;
    }
    sl_buf_add_u64(buf, magnitude);
}

void sl_buf_printf(struct sl_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !sl_buf_reserve(buf, (size_t)len + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void sl_buf_drop(struct sl_buf *buf, size_t count)
{
    SL_ASSERT(count <= buf->len);
    buf->len -= count;
    if (buf->len) {
        memmove(buf->data, buf->data + count, buf->len);
    }
}

char *sl_buf_take(struct sl_buf *buf, size_t *len)
{
    char *data = buf->failed || !buf->len ? NULL : buf->data;

    *len = data ? buf->len : 0;
    if (!data) {
        free(buf->data);
    }
    *buf = (struct sl_buf){.limit_bytes = buf->limit_bytes};
    return data;
}

const char *sl_buf_text(struct sl_buf *buf)
{
    if (!sl_buf_reserve(buf, 1)) {
        return "";
    }
    buf->data[buf->len] = '\0';
    return buf->data;
}

struct sl_str sl_buf_str(const struct sl_buf *buf)
{
    return (struct sl_str){buf->data, buf->len};
}
