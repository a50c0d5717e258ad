/* split.h - a record that is larger than its destination takes becomes several, each with a part of
 * the notification's updates and deletes, with its number, and atomic where that is.
 *
 * What cannot be split (one update; formats that make a record of each anyhow) is given as it is:
 * the sink knows what to do with it, and says what became of it.
 */
#ifndef SLUICE_STREAM_SPLIT_H
#define SLUICE_STREAM_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct sl_encoded;
struct sl_encoder_progress;
struct sl_gnmi_response;
struct sl_route;
struct sl_route_place;
struct sl_stream;

/* The bytes that a record of the response may have there; SIZE_MAX: any. */
size_t sl_split_most_bytes(const struct sl_stream *stream, const struct sl_route *route,
                           const struct sl_route_place *place,
                           const struct sl_gnmi_response *response);

/* A record of `bytes` was made of `updates` updates and deletes, from where `before` stands, and it
 * may have `most_bytes`. True: it is to be made again from there, now of fewer, which `before`
 * says.
 */
bool sl_split_again(const struct sl_route *route, const struct sl_gnmi_response *response,
                    uint32_t updates, size_t bytes, size_t most_bytes,
                    struct sl_encoder_progress *before);

/* Makes the next record of one response, no larger than its place takes, where that can be done.
 * False: no memory. */
bool sl_split_make(struct sl_stream *stream, struct sl_route *route,
                   const struct sl_gnmi_response *response, struct sl_encoder_progress *progress,
                   struct sl_buf *buf, struct sl_encoded *encoded) SL_MUST_CHECK;

#endif
