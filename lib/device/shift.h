/* shift.h - the timestamp of a SubscribeResponse moved, and every other byte of it left as it is.
 */
#ifndef SLUICE_DEVICE_SHIFT_H
#define SLUICE_DEVICE_SHIFT_H

#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* The response with each Notification.timestamp later by `by_ns`, in the unit (s, ms, µs, ns) that
 * its magnitude says; zero and negative ones stay, and so does what is no SubscribeResponse. Points
 * into `response` or into `out`, which is emptied first; `out` fails when memory is out, and then
 * it is the response as it was. */
struct sl_str sl_device_shift(struct sl_str response, int64_t by_ns, struct sl_buf *out);

#endif
