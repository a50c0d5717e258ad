/* protojson.h - the format protojson: the whole SubscribeResponse in protobuf's own JSON mapping.
 *
 * The bytes are those of Go's protojson where that writes no blanks (it adds one behind each comma,
 * or not, depending on the program that it is linked into, so that nobody relies on it). Of a
 * google.protobuf.Any only gNMI's own messages have a form; an update with another one is dropped
 * and counted.
 */
#ifndef SLUICE_NORMALISE_PROTOJSON_H
#define SLUICE_NORMALISE_PROTOJSON_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"

/* As sl_encoder_encode. */
bool sl_protojson_encode(const struct sl_gnmi_response *response, struct sl_buf *out,
                         struct sl_encoded *encoded) SL_MUST_CHECK;

#endif
