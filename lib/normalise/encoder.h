/* encoder.h - a SubscribeResponse becomes the payload of one record.
 *
 * One encoder serves one stream and one sink. What depends on a path alone (its text, the tags) is
 * worked out once and kept (interned), up to the bytes that `memory` still has; a path that finds
 * no room is worked out again each time, and nothing else changes.
 *
 * One thread. Nothing allocates per update but the payload.
 */
#ifndef SLUICE_NORMALISE_ENCODER_H
#define SLUICE_NORMALISE_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"

enum { SL_ENCODER_MAX_RECORD_BYTES = 32 * 1024 * 1024 };

struct sl_encoder;

enum sl_format {
    SL_FORMAT_EVENT, /* gnmic's event array */
    SL_FORMAT_PROTO, /* the SubscribeResponse as it came */
};

const char *sl_format_name(enum sl_format format);

/* The memory that all encoders of one worker share for interned paths. */
struct sl_encoder_memory {
    uint64_t limit_bytes;
    uint64_t used_bytes;
};

struct sl_encoder_config {
    enum sl_format format;
    struct sl_str target;              /* event: tag "source" */
    struct sl_str subscription;        /* event: "name" and tag "subscription-name" */
    struct sl_str subscription_target; /* event: tag "subscription-target"; empty: none */
    struct sl_encoder_memory *memory;  /* outlives the encoder */
};

/* What became of the updates and deletes of one response. */
struct sl_encoded {
    uint32_t published; /* in the payload */
    uint32_t dropped;   /* a value that the format cannot carry (broken JSON, NaN); a path beyond
                           the limits of fragment.h; and from where the record, or the work on it,
                           would pass SL_ENCODER_MAX_RECORD_BYTES, the rest of the message */
};

/* Copies the strings of `config`. NULL when memory is out. */
struct sl_encoder *sl_encoder_new(const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_encoder_free(struct sl_encoder *encoder);

/* Appends the record to `out`; nothing when the format has no record for this response (event: a
 * sync, an empty one, one whose every update was dropped). published + dropped is always
 * response->updates + response->deletes. False only when memory is out. */
bool sl_encoder_encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       struct sl_buf *out, struct sl_encoded *encoded) SL_MUST_CHECK;

/* The origin that ${origin} stands for: the prefix's, else the first path's, else empty. Borrowed
 * from the message. */
struct sl_str sl_response_origin(const struct sl_gnmi_response *response);

#endif
