#include "grpc/gzip.h"

#include <stdlib.h>

#include <zlib.h>

enum {
    GZIP_WINDOW_BITS = 15 + 16, /* zlib: the largest window, with gzip's header and trailer */
    MEMORY_LEVEL = 8,
    STEP_BYTES = 16 * 1024,
};

void sl_grpc_gzip_init(struct sl_grpc_gzip *gzip)
{
    *gzip = (struct sl_grpc_gzip){.deflate = NULL};
}

void sl_grpc_gzip_fini(struct sl_grpc_gzip *gzip)
{
    if (gzip->deflate) {
        deflateEnd(gzip->deflate);
        free(gzip->deflate);
    }
    if (gzip->inflate) {
        inflateEnd(gzip->inflate);
        free(gzip->inflate);
    }
    sl_grpc_gzip_init(gzip);
}

/* The stream of one direction, ready for a message; NULL when memory is out. */
static z_stream *begin_deflate(struct sl_grpc_gzip *gzip)
{
    z_stream *stream = gzip->deflate;

    if (stream) {
        deflateReset(stream);
        return stream;
    }
    stream = calloc(1, sizeof(*stream));
    if (stream && deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                               MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        stream = NULL;
    }
    gzip->deflate = stream;
    return stream;
}

static z_stream *begin_inflate(struct sl_grpc_gzip *gzip)
{
    z_stream *stream = gzip->inflate;

    if (stream) {
        inflateReset(stream);
        return stream;
    }
    stream = calloc(1, sizeof(*stream));
    if (stream && inflateInit2(stream, GZIP_WINDOW_BITS) != Z_OK) {
        free(stream);
        stream = NULL;
    }
    gzip->inflate = stream;
    return stream;
}

static void set_input(z_stream *stream, struct sl_str bytes)
{
    SL_ASSERT(bytes.len <= UINT32_MAX);
    stream->next_in = (Bytef *)(uintptr_t)bytes.data; /* zlib reads it only */
    stream->avail_in = (uInt)bytes.len;
}

bool sl_grpc_gzip_pack(struct sl_grpc_gzip *gzip, struct sl_str message, struct sl_buf *out)
{
    z_stream *stream = begin_deflate(gzip);

    if (!stream) {
        return false;
    }
    set_input(stream, message);
    size_t bound = deflateBound(stream, (uLong)message.len);
    if (!sl_buf_reserve(out, bound)) {
        return false;
    }
    stream->next_out = (Bytef *)out->data + out->len;
    stream->avail_out = (uInt)bound;
    SL_ASSERT(deflate(stream, Z_FINISH) == Z_STREAM_END);
    out->len += bound - stream->avail_out;
    return true;
}

static struct sl_status broken(const char *how)
{
    return sl_status_because("gzip-broken",
                             sl_status_error(SL_INTERNAL, "a message that is not gzip: %s", how));
}

/* One step. OK and `*is_done` when the message is whole. */
static struct sl_status unpack_step(z_stream *stream, struct sl_buf *out, bool *is_done)
{
    if (!sl_buf_reserve(out, STEP_BYTES)) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to decompress a message");
    }
    stream->next_out = (Bytef *)out->data + out->len;
    stream->avail_out = STEP_BYTES;
    int result = inflate(stream, Z_NO_FLUSH);
    out->len += STEP_BYTES - stream->avail_out;
    if (result == Z_MEM_ERROR) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to decompress a message");
    }
    if (result == Z_STREAM_END) {
        *is_done = stream->avail_in == 0;
        /* RFC 1952 section 2.2: members may follow each other */
        return *is_done || inflateReset(stream) == Z_OK ? sl_status_ok() : broken("out of order");
    }
    if (result == Z_BUF_ERROR && stream->avail_in == 0) {
        return broken("it ends too early");
    }
    return result == Z_OK || result == Z_BUF_ERROR
               ? sl_status_ok()
               : broken(stream->msg ? stream->msg : "broken data");
}

struct sl_status sl_grpc_gzip_unpack(struct sl_grpc_gzip *gzip, struct sl_str packed,
                                     uint32_t limit_bytes, struct sl_buf *out)
{
    z_stream *stream = begin_inflate(gzip);
    struct sl_status status = sl_status_ok();
    size_t start = out->len;
    bool is_done = false;

    if (!stream) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to decompress a message");
    }
    if (!packed.len) {
        return broken("it is empty");
    }
    set_input(stream, packed);
    while (!is_done && sl_status_is_ok(&status)) {
        status = unpack_step(stream, out, &is_done);
        if (sl_status_is_ok(&status) && out->len - start > limit_bytes) {
            status = sl_status_because(
                "message-too-large",
                sl_status_error(SL_RESOURCE_EXHAUSTED,
                                "a message that has more than %u bytes decompressed", limit_bytes));
        }
    }
    return status;
}
