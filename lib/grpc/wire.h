/* wire.h - the words of gRPC over HTTP/2: status codes of HTTP and HTTP/2, percent-encoding. Pure.
 */
#ifndef SLUICE_GRPC_WIRE_H
#define SLUICE_GRPC_WIRE_H

#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* What a response without a gRPC status means ("http-grpc-status-mapping.md"). */
enum sl_code sl_grpc_code_of_http(unsigned http_status);

/* What an RST_STREAM means ("gRPC over HTTP/2", Errors). */
enum sl_code sl_grpc_code_of_h2(uint32_t h2_error);

/* A grpc-status field: UNKNOWN when it is not a number of the table. */
enum sl_code sl_grpc_code_of_text(struct sl_str text);

/* grpc-message: bytes outside of 0x20..0x7e and '%' become %XX; broken escapes stay as they are. */
void sl_grpc_percent_encode(struct sl_str text, struct sl_buf *out);
void sl_grpc_percent_decode(struct sl_str text, struct sl_buf *out);

/* Whether a list like "identity, gzip" has the word. */
bool sl_grpc_list_has(struct sl_str list, struct sl_str word);

/* grpc-timeout: at most eight digits and a unit (H M S m u n). Written in the finest unit in which
 * the number fits, rounded up, and at most eight nines of hours. False: it is not a timeout. */
void sl_grpc_timeout_encode(uint64_t timeout_ns, struct sl_buf *out);
bool sl_grpc_timeout_decode(struct sl_str text, uint64_t *timeout_ns) SL_MUST_CHECK;

#endif
