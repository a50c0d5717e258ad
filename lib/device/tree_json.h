/* tree_json.h - a data tree as JSON text, in and out.
 *
 * In: members of objects are elements; an array of objects is a list, an array of anything else a
 * leaf-list. An entry's keys are, where it has a container `config` or `state`, all its members
 * that are neither object nor array, as OpenConfig has it; else the first of these. Numbers are
 * uint, with a minus int, with a point or an exponent double.
 *
 * Out: in JSON_IETF (RFC 7951) integers that do not fit 32 bits are strings, and so are numbers
 * with a point.
 */
#ifndef SLUICE_DEVICE_TREE_JSON_H
#define SLUICE_DEVICE_TREE_JSON_H

#include "base/buf.h"
#include "device/tree.h"

/* What `text` says, at the place. INVALID_ARGUMENT when it is not JSON or no tree. */
struct sl_status sl_device_json_put(struct sl_device_edit *edit,
                                    const struct sl_device_place *place,
                                    struct sl_str text) SL_MUST_CHECK;

/* A tree out of a file's text: an object whose members are elements of the root, or paths ("/a/b",
 * "origin:/a/b") with what stands there. NULL with the reason in `why`. */
struct sl_device_tree *sl_device_json_read(struct sl_str text, int64_t now_ns,
                                           struct sl_status *why) SL_MUST_CHECK;

/* Appends the value of one leaf. */
void sl_device_json_add_value(struct sl_buf *out, const Gnmi__TypedValue *value, bool is_ietf);

/* Appends the object that these leaves make below their first `above` elements, which they share.
 */
void sl_device_json_add_object(struct sl_buf *out, struct sl_device_leaf *const *leaves,
                               size_t count, size_t above, bool is_ietf);

#endif
