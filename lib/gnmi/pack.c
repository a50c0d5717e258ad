#include "gnmi/pack.h"

#include <string.h>

#include "base/base.h"

enum { LONGEST_FIELD_BYTES = SL_PACK_LEN_BYTES + SL_PACK_VARINT_BYTES };

static char *put_tag(char *at, uint32_t number, enum sl_wire_type type)
{
    return sl_pack_put_varint(at, (uint64_t)number << 3 | type);
}

/* A field without its payload, or one that is a varint. */
static void add_head(struct sl_buf *out, uint32_t number, enum sl_wire_type type, uint64_t value)
{
    char field[LONGEST_FIELD_BYTES];
    char *end = sl_pack_put_varint(put_tag(field, number, type), value);

    sl_buf_add(out, field, (size_t)(end - field));
}

void sl_pack_varint(struct sl_buf *out, uint32_t number, uint64_t value)
{
    add_head(out, number, SL_WIRE_VARINT, value);
}

void sl_pack_bytes(struct sl_buf *out, uint32_t number, struct sl_str bytes)
{
    add_head(out, number, SL_WIRE_BYTES, bytes.len);
    sl_buf_add_str(out, bytes);
}

/* Opens a gap of `len` bytes at `at`; false when memory is out. */
static bool open_gap(struct sl_buf *out, size_t at, size_t len)
{
    if (len && !sl_buf_reserve(out, len)) {
        return false;
    }
    if (len) {
        memmove(out->data + at + len, out->data + at, out->len - at);
        out->len += len;
    }
    return true;
}

/* One byte is kept for the length: most payloads are short, and others are moved. */
size_t sl_pack_begin(struct sl_buf *out, uint32_t number)
{
    add_head(out, number, SL_WIRE_BYTES, 0);
    return out->len;
}

void sl_pack_end(struct sl_buf *out, size_t start)
{
    if (out->failed) {
        return;
    }
    SL_ASSERT(start > 0 && start <= out->len);
    size_t len = out->len - start;

    if (open_gap(out, start, sl_pack_varint_len(len) - 1)) {
        sl_pack_put_varint(out->data + start - 1, len);
    }
}

void sl_pack_wrap(struct sl_buf *out, size_t start, uint32_t number)
{
    char head[LONGEST_FIELD_BYTES];

    if (out->failed) {
        return;
    }
    SL_ASSERT(start <= out->len);
    char *end = put_tag(head, number, SL_WIRE_BYTES);
    end = sl_pack_put_varint(end, out->len - start);
    if (open_gap(out, start, (size_t)(end - head))) {
        memcpy(out->data + start, head, (size_t)(end - head));
    }
}
