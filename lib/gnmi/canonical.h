/* canonical.h - a Notification in its usual form, from a SubscribeResponse that is not. */
#ifndef SLUICE_GNMI_CANONICAL_H
#define SLUICE_GNMI_CANONICAL_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Appends the bytes of the Notification that protobuf would make of `message`, whose last response
 * arm is an update and which sl_gnmi_check has passed: message fields merged, of each oneof the
 * last member, unknown fields of these left out, and those of paths that stand for labels (path.h).
 * False when memory is out. */
bool sl_gnmi_canonical(struct sl_str message, struct sl_buf *out) SL_MUST_CHECK;

#endif
