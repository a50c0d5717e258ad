/* metadata.h - the fields that go with a call, in both directions ("gRPC over HTTP/2",
 * Custom-Metadata).
 *
 * A name is of a-z 0-9 _ - . and none of those that are HTTP's or gRPC's own. A value is printable
 * ASCII, or any bytes where the name ends in "-bin": what is base64 on the wire never shows here,
 * and a field that came as several values joined by commas is several fields.
 */
#ifndef SLUICE_GRPC_METADATA_H
#define SLUICE_GRPC_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "h2/session.h"

enum {
    /* That one side sends in one block: the sum of names, values and 32 each. And where received
     * values were joined by commas, of that block with each name as often as it has values. */
    SL_GRPC_MAX_METADATA_BYTES = 64 * 1024,
};

struct sl_grpc_field {
    struct sl_str name;
    struct sl_str value;
    bool is_secret; /* never indexed by HPACK (RFC 7541 section 7.1.3) */
};

/* Received fields, in their order. Zeroed storage is an empty one. Bounded by who receives: the
 * limits of a header block (h2/session.h). */
struct sl_grpc_metadata {
    struct sl_buf bytes; /* lengths, name, value; one field behind the other */
};

void sl_grpc_metadata_fini(struct sl_grpc_metadata *metadata);

/* Keeps a copy of one field as it came. INTERNAL ("broken-metadata") where a "-bin" value is not
 * base64, RESOURCE_EXHAUSTED when too much is joined by commas ("header-too-large") or memory is
 * out: then it is not kept. */
struct sl_status sl_grpc_metadata_add(struct sl_grpc_metadata *metadata, struct sl_str name,
                                      struct sl_str value) SL_MUST_CHECK;

/* The application's fields, one at each call, from `*at` = 0 on; borrowed from `metadata`. False:
 * there are no more. */
bool sl_grpc_metadata_next(const struct sl_grpc_metadata *metadata, size_t *at,
                           struct sl_grpc_field *field) SL_MUST_CHECK;

/* The first value of that name, HTTP's and gRPC's own names too; {NULL, 0} when there is none. */
struct sl_str sl_grpc_metadata_find(const struct sl_grpc_metadata *metadata, const char *name);

/* Whether fields may be sent. INVALID_ARGUMENT says which may not, and why. */
struct sl_status sl_grpc_metadata_check(const struct sl_grpc_field *fields,
                                        size_t count) SL_MUST_CHECK;

/* The fields as HTTP's, into `to`, which has room for `count`; values that are written anew lie in
 * `text`, which is empty before and stays as long as they. False when memory is out. */
bool sl_grpc_metadata_write(const struct sl_grpc_field *fields, size_t count,
                            struct sl_h2_field *to, struct sl_buf *text) SL_MUST_CHECK;

#endif
