/* record.h - the format sluice.v1: one Record of proto/sluice.proto for each response that says
 * something. Written by hand straight into the record's buffer; and sluice.v1-json, the same as
 * JSON.
 */
#ifndef SLUICE_NORMALISE_RECORD_H
#define SLUICE_NORMALISE_RECORD_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"
#include "normalise/intern.h"
#include "normalise/scratch.h"

struct sl_record {
    struct sl_buf names; /* target, subscription and labels: the fields that never change */
    struct sl_encoder_scratch *scratch;
    const struct sluice_strings *json_keys; /* NULL: items of arrays are counted */
    struct sl_intern paths;    /* by prefix and path: the fields of Update and Delete */
    struct sl_intern prefixes; /* by prefix, taken as a path: the fields of Record */
};

/* False when memory is out; fini is due in either case. */
bool sl_record_init(struct sl_record *record, const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_record_fini(struct sl_record *record);

/* As sl_encoder_encode. */
bool sl_record_encode(struct sl_record *record, const struct sl_gnmi_response *response,
                      const struct sl_encoder_context *context, struct sl_buf *out,
                      struct sl_encoded *encoded) SL_MUST_CHECK;

/* The same record in protobuf's JSON mapping (message_json.h). One that would have more than
 * SL_ENCODER_MAX_RECORD_BYTES as text is dropped whole. */
bool sl_record_encode_json(struct sl_record *record, const struct sl_gnmi_response *response,
                           const struct sl_encoder_context *context, struct sl_buf *out,
                           struct sl_encoded *encoded) SL_MUST_CHECK;

/* As sl_encoder_mark. */
bool sl_record_mark(struct sl_record *record, const struct sl_marker *marker,
                    const struct sl_encoder_context *context, struct sl_buf *out) SL_MUST_CHECK;
bool sl_record_mark_json(struct sl_record *record, const struct sl_marker *marker,
                         const struct sl_encoder_context *context,
                         struct sl_buf *out) SL_MUST_CHECK;

#endif
