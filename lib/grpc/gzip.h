/* gzip.h - the message encoding "gzip" (RFC 1952), one message at a time, by zlib.
 *
 * Its working memory (about 300 KiB for compression, 50 KiB for the other way) is made for the
 * first message and kept until fini. One thread at a time.
 */
#ifndef SLUICE_GRPC_GZIP_H
#define SLUICE_GRPC_GZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct sl_grpc_gzip {
    void *deflate; /* z_stream */
    void *inflate;
};

/* Zeroed storage is one too. */
void sl_grpc_gzip_init(struct sl_grpc_gzip *gzip);
void sl_grpc_gzip_fini(struct sl_grpc_gzip *gzip);

/* Appends the compressed form of `message` to `out`. False when memory is out. */
bool sl_grpc_gzip_pack(struct sl_grpc_gzip *gzip, struct sl_str message,
                       struct sl_buf *out) SL_MUST_CHECK;

/* Appends the message in `packed` to `out`. RESOURCE_EXHAUSTED as soon as it has more than
 * `limit_bytes` (of which no more than one step of 16 KiB is made) or memory is out; INTERNAL when
 * it is not gzip, or ends too early or too late. */
struct sl_status sl_grpc_gzip_unpack(struct sl_grpc_gzip *gzip, struct sl_str packed,
                                     uint32_t limit_bytes, struct sl_buf *out) SL_MUST_CHECK;

#endif
