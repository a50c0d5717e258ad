/* check.h - whether bytes are a SubscribeResponse, and whether they are one in its usual form.
 *
 * One pass over every message inside (iterative: a peer cannot nest us off the stack). Unknown
 * fields, and known ones with another wire type, are skipped as protobuf says, groups too.
 */
#ifndef SLUICE_GNMI_CHECK_H
#define SLUICE_GNMI_CHECK_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"

/* False with the reason in `why`: INVALID_ARGUMENT with the place, or RESOURCE_EXHAUSTED beyond
 * SL_GNMI_MAX_DEPTH levels. `is_usual` is false when a message that comes once at most comes again,
 * or when a oneof has more than one member: what protobuf merges, or lets the last one win. */
bool sl_gnmi_check(struct sl_str message, bool *is_usual, struct sl_status *why) SL_MUST_CHECK;

#endif
