/* gzip.c - messages in the encoding "gzip": any bytes, or any bytes where a member's data stands,
 * read with a limit and held against zlib's raw reader; and messages there and back.
 *
 * Input: what is done; the limit in two bytes; then the bytes. Members: the length of each one's
 * data in two bytes, the data, and so on; head, checksum and length are put around it. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fuzz.h"
#include "grpc/gzip.h"

enum {
    STEP_BYTES = 16 * 1024, /* that unpacking may make beyond its limit */
    PIECE_BYTES = 1024,
    RAW_WINDOW_BITS = -15,
};

/* ---- zlib's reader of raw data ---- */

/* What raw data becomes, and how much of it is read; false when it does not end well. */
static bool inflate_raw(struct sl_str raw, struct sl_buf *out, size_t *taken)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)raw.data, .avail_in = (uInt)raw.len};
    int result = inflateInit2(&stream, RAW_WINDOW_BITS);

    SL_ASSERT(result == Z_OK);
    while (result == Z_OK) {
        SL_ASSERT(sl_buf_reserve(out, PIECE_BYTES));
        stream.next_out = (Bytef *)out->data + out->len;
        stream.avail_out = PIECE_BYTES;
        result = inflate(&stream, Z_SYNC_FLUSH);
        out->len += PIECE_BYTES - stream.avail_out;
    }
    *taken = raw.len - stream.avail_in;
    inflateEnd(&stream);
    return result == Z_STREAM_END;
}

static void put_u32(struct sl_buf *out, uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8) {
        sl_buf_add_byte(out, (char)(value >> shift));
    }
}

/* One member around raw data (RFC 1952 section 2.3). What the data becomes is behind `plain`. False
 * when it is none: then the member is broken. */
static bool put_member(struct sl_str raw, struct sl_buf *out, struct sl_buf *plain)
{
    static const char head[] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    size_t start = plain->len;
    size_t taken;
    bool is_good = inflate_raw(raw, plain, &taken);
    size_t len = plain->len - start;

    sl_buf_add(out, head, sizeof(head));
    sl_buf_add(out, raw.data, is_good ? taken : raw.len);
    put_u32(out, (uint32_t)crc32(0, (const Bytef *)plain->data + start, (uInt)len));
    put_u32(out, (uint32_t)len);
    return is_good;
}

/* ---- what is held against it ---- */

/* The first of an owner's buffer is not touched. */
static struct sl_status unpack(struct sl_grpc_gzip *gzip, struct sl_str packed, uint32_t limit,
                               struct sl_buf *out)
{
    sl_buf_reset(out);
    sl_buf_add_c(out, "before");
    struct sl_status status = sl_grpc_gzip_unpack(gzip, packed, limit, out);
    SL_ASSERT(out->len >= 6 && memcmp(out->data, "before", 6) == 0);
    sl_buf_drop(out, 6);
    if (sl_status_is_ok(&status)) {
        SL_ASSERT(out->len <= limit);
    } else {
        bool is_broken = status.code == SL_INTERNAL;
        SL_ASSERT(is_broken || status.code == SL_RESOURCE_EXHAUSTED);
        SL_ASSERT(strcmp(sl_status_reason(&status),
                         is_broken ? "gzip-broken" : "message-too-large") == 0);
        SL_ASSERT(out->len <= (size_t)limit + STEP_BYTES);
    }
    return status;
}

static void fuzz_anything(struct sl_grpc_gzip *gzip, struct sl_str packed, uint32_t limit)
{
    struct sl_buf out = {0};
    struct sl_status status = unpack(gzip, packed, limit, &out);

    if (sl_status_is_ok(&status)) {
        SL_ASSERT(packed.len >= 18 && memcmp(packed.data, "\x1f\x8b", 2) == 0);
    }
    sl_buf_fini(&out);
}

static void fuzz_members(struct sl_grpc_gzip *gzip, struct fuzz_input *input, uint32_t limit)
{
    struct sl_buf packed = {0};
    struct sl_buf plain = {0};
    struct sl_buf out = {0};
    bool is_good = true;

    while (is_good && input->at < input->end) {
        size_t len = 256u * fuzz_byte(input);
        len += fuzz_byte(input);
        is_good = put_member(fuzz_bytes(input, len), &packed, &plain);
    }
    struct sl_status status = unpack(gzip, sl_buf_str(&packed), limit, &out);
    if (!packed.len || !is_good) {
        SL_ASSERT(!sl_status_is_ok(&status));
    } else if (plain.len > limit) {
        SL_ASSERT(status.code == SL_RESOURCE_EXHAUSTED);
    } else {
        SL_ASSERT(sl_status_is_ok(&status));
        SL_ASSERT(sl_str_eq(sl_buf_str(&out), sl_buf_str(&plain)));
    }
    sl_buf_fini(&out);
    sl_buf_fini(&plain);
    sl_buf_fini(&packed);
}

static void fuzz_there_and_back(struct sl_grpc_gzip *gzip, struct sl_str message)
{
    struct sl_buf packed = {0};
    struct sl_buf out = {0};
    size_t taken;

    SL_ASSERT(sl_grpc_gzip_pack(gzip, message, &packed));
    struct sl_status status = unpack(gzip, sl_buf_str(&packed), (uint32_t)message.len, &out);
    SL_ASSERT(sl_status_is_ok(&status) && sl_str_eq(sl_buf_str(&out), message));
    if (message.len) {
        status = unpack(gzip, sl_buf_str(&packed), (uint32_t)message.len - 1, &out);
        SL_ASSERT(status.code == SL_RESOURCE_EXHAUSTED);
    }
    sl_buf_reset(&out);
    SL_ASSERT(inflate_raw((struct sl_str){packed.data + 10, packed.len - 10}, &out, &taken));
    SL_ASSERT(sl_str_eq(sl_buf_str(&out), message) && taken == packed.len - 18);
    sl_buf_fini(&out);
    sl_buf_fini(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    struct sl_grpc_gzip gzip = {NULL, NULL};
    uint8_t mode = fuzz_byte(&input);
    uint32_t limit = 256u * fuzz_byte(&input);

    limit += fuzz_byte(&input);
    if (mode % 3 == 0) {
        fuzz_anything(&gzip, fuzz_rest(&input), limit);
    } else if (mode % 3 == 1) {
        fuzz_members(&gzip, &input, limit);
    } else {
        fuzz_there_and_back(&gzip, fuzz_rest(&input));
    }
    sl_grpc_gzip_fini(&gzip);
    return 0;
}
