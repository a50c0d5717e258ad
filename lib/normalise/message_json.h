/* message_json.h - a serialised protobuf message as JSON, by the tables that the build makes of its
 * definition (protobuf-c's descriptors), read where it lies.
 *
 * What protobuf says of fields that come more than once holds: of scalars the last counts, of a
 * oneof the last member, messages are merged. Unknown fields, and known ones of another wire type,
 * are left out.
 */
#ifndef SLUICE_NORMALISE_MESSAGE_JSON_H
#define SLUICE_NORMALISE_MESSAGE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum sl_message_style {
    /* protobuf's own mapping (protobuf.dev, "ProtoJSON Format"): lowerCamelCase, 64-bit integers as
     * strings, bytes as base64, names of enums, the keys of maps sorted. Without blanks; what is
     * not UTF-8 becomes U+FFFD. */
    SL_MESSAGE_PROTOJSON,
    /* As Go's encoding/json prints the structs that protoc-gen-go makes: names as they are defined,
     * numbers as numbers, a oneof as {"Name":{"Member":value}} or null. Only for gnmi_ext. */
    SL_MESSAGE_GO,
};

/* Appends the object. False, with something left behind in `out`, when a google.protobuf.Any holds
 * what is no message of gNMI (protobuf's mapping has no form for it), when the message nests
 * deeper than SL_GNMI_MAX_DEPTH or is broken, when what stands in `out` from `start` on passes
 * SL_ENCODER_MAX_RECORD_BYTES, or when memory is out (out->failed). */
bool sl_message_json_add(struct sl_buf *out, size_t start, enum sl_message_style style,
                         const ProtobufCMessageDescriptor *descriptor,
                         struct sl_str message) SL_MUST_CHECK;

/* Appends the extensions of a SubscribeResponse as the last member, "extension" (PROTOJSON) or
 * "extensions" (GO), of the object that begins at `start` in `out`; nothing where it has none. One
 * that has no form is left out. */
void sl_message_json_add_extensions(struct sl_buf *out, size_t start, enum sl_message_style style,
                                    struct sl_str response);

#endif
