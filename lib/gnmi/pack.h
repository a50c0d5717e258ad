/* pack.h - fields of a protobuf message, written straight into a buffer. */
#ifndef SLUICE_GNMI_PACK_H
#define SLUICE_GNMI_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "gnmi/wire.h"

enum { SL_PACK_VARINT_BYTES = 10, SL_PACK_LEN_BYTES = 5 };

static inline size_t sl_pack_varint_len(uint64_t value)
{
    size_t len = 1;

    for (; value >= 0x80; value >>= 7) {
        len++;
    }
    return len;
}

/* Writes at `at`, where there is room, and returns the end. */
static inline char *sl_pack_put_varint(char *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *at++ = (char)(value | 0x80);
    }
    *at++ = (char)value;
    return at;
}

static inline char *sl_pack_put_fixed(char *at, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++) {
        *at++ = (char)(value >> (8 * i));
    }
    return at;
}

/* One field each; a value of 0 is written too, as a oneof wants it. */
void sl_pack_varint(struct sl_buf *out, uint32_t number, uint64_t value);
void sl_pack_bytes(struct sl_buf *out, uint32_t number, struct sl_str bytes);

/* A message field: what is appended between the two is its payload. `start` is what begin
 * returned. */
size_t sl_pack_begin(struct sl_buf *out, uint32_t number) SL_MUST_CHECK;
void sl_pack_end(struct sl_buf *out, size_t start);

/* Makes what stands from `start` on the payload of the field `number`. */
void sl_pack_wrap(struct sl_buf *out, size_t start, uint32_t number);

#endif
