/* message_text.h - a serialised protobuf message in protobuf's text format (protobuf.dev, "Text
 * Format Language"), by protobuf-c's descriptors, read where it lies.
 *
 * A field to a line, two blanks a level, fields in the order of their definition, a map's entries
 * in the order of the wire. Bytes of a string that are no printable ASCII are escaped, UTF-8 too. A
 * google.protobuf.Any stays type_url and value. Unknown fields are left out, and so is a field
 * outside of a oneof that has the value it has when it is not there.
 */
#ifndef SLUICE_NORMALISE_MESSAGE_TEXT_H
#define SLUICE_NORMALISE_MESSAGE_TEXT_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Appends the message's lines. False when it nests deeper than SL_GNMI_MAX_DEPTH or is broken, or
 * memory is out (out->failed). */
bool sl_message_text_add(struct sl_buf *out, const ProtobufCMessageDescriptor *descriptor,
                         struct sl_str message) SL_MUST_CHECK;

#endif
