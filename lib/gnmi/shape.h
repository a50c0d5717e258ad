/* shape.h - a subscription brought into the shape that a device wants. For request.c alone. */
#ifndef SLUICE_GNMI_SHAPE_H
#define SLUICE_GNMI_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "gnmi.pb-c.h"
#include "gnmi/vendor.h"

/* Changes the list, of which every part is on the heap as protobuf-c's free_unpacked takes it.
 * `encoding` is what was asked for, auto too. What had to be done is added to `in_force`. False
 * when memory is out. */
bool sl_gnmi_shape(Gnmi__SubscriptionList *list, enum sl_gnmi_encoding encoding,
                   const struct sl_gnmi_profile *profile, uint32_t *in_force) SL_MUST_CHECK;

#endif
