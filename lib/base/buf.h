/* buf.h - bytes that grow at the end.
 *
 * Appending never returns an error. The first allocation that fails, or that would pass
 * `limit_bytes`, makes the buffer `failed`: from then on every append does nothing, so a writer
 * checks once, at its end. Invariant: len <= cap, and cap <= limit_bytes when a limit is set.
 */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"

struct sl_buf {
    char *data; /* malloc'd; NULL while cap is 0 */
    size_t len;
    size_t cap;
    size_t limit_bytes; /* 0: none */
    bool failed;
};

/* An empty buffer owns no memory: zeroed storage is one too. */
void sl_buf_init(struct sl_buf *buf, size_t limit_bytes);
void sl_buf_fini(struct sl_buf *buf);

/* Empties it and clears `failed`; the memory stays. */
void sl_buf_reset(struct sl_buf *buf);

/* The same; the memory stays only where it is not more than `kept_bytes`. */
void sl_buf_trim(struct sl_buf *buf, size_t kept_bytes);

/* sl_buf_reserve where there is no room yet. */
bool sl_buf_grow(struct sl_buf *buf, size_t more) SL_MUST_CHECK;

/* Room for `more` bytes behind the end. False (and `failed`) when there is none to be had. */
SL_MUST_CHECK static inline bool sl_buf_reserve(struct sl_buf *buf, size_t more)
{
    return (!buf->failed && buf->cap - buf->len >= more) || sl_buf_grow(buf, more);
}

static inline void sl_buf_add(struct sl_buf *buf, const void *bytes, size_t len)
{
    if (len && sl_buf_reserve(buf, len)) {
        memcpy(buf->data + buf->len, bytes, len);
        buf->len += len;
    }
}

static inline void sl_buf_add_str(struct sl_buf *buf, struct sl_str str)
{
    sl_buf_add(buf, str.data, str.len);
}

static inline void sl_buf_add_byte(struct sl_buf *buf, char byte)
{
    if (sl_buf_reserve(buf, 1)) {
        buf->data[buf->len++] = byte;
    }
}

void sl_buf_add_c(struct sl_buf *buf, const char *text);
void sl_buf_add_u64(struct sl_buf *buf, uint64_t value); /* decimal digits */
void sl_buf_add_i64(struct sl_buf *buf, int64_t value);  /* decimal digits */
void sl_buf_printf(struct sl_buf *buf, const char *format, ...) SL_PRINTF(2, 3);

/* Drops the first `count` bytes; the rest moves to the front. */
void sl_buf_drop(struct sl_buf *buf, size_t count);

/* Hands the memory over to the caller, who frees it with free(); the buffer is empty afterwards.
 * NULL when it is empty or `failed`. */
char *sl_buf_take(struct sl_buf *buf, size_t *len) SL_MUST_CHECK;

/* Ends the bytes with a NUL that does not count and returns them as a C string; "" on failure. */
const char *sl_buf_text(struct sl_buf *buf);

struct sl_str sl_buf_str(const struct sl_buf *buf);

#endif
