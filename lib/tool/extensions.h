/* extensions.h - the extensions of a tool's request, out of its flags, and those of an answer, for
 * whoever reads it. */
#ifndef SLUICE_TOOL_EXTENSIONS_H
#define SLUICE_TOOL_EXTENSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/extension.h"
#include "tool/options.h"

/* Zeroed storage is an empty one. */
struct sl_tool_extensions {
    struct sl_gnmi_extension *items;
    size_t count;
    struct sl_buf *bytes; /* of registered ones that were written in hex: one for each item */
};

/* The registered extensions of the command line. False: what is wrong is said, and fini is due in
 * either case. */
bool sl_tool_read_extensions(const struct sl_tool_options *options,
                             struct sl_tool_extensions *extensions) SL_MUST_CHECK;

/* One more; false when memory is out. */
bool sl_tool_add_extension(struct sl_tool_extensions *extensions,
                           const struct sl_gnmi_extension *extension) SL_MUST_CHECK;
void sl_tool_extensions_fini(struct sl_tool_extensions *extensions);

/* ,"extensions":[...] of the field `extension` of a message, each in protobuf's JSON; nothing where
 * it has none. */
void sl_tool_add_extensions(struct sl_buf *out, struct sl_str message,
                            const ProtobufCMessageDescriptor *descriptor);

/* The same, a line for each: "extension: {...}". */
void sl_tool_add_extension_lines(struct sl_buf *out, struct sl_str message,
                                 const ProtobufCMessageDescriptor *descriptor);

#endif
