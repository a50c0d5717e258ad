/* unary.h - a call to Capabilities, Get or Set at a simulated device. */
#ifndef SLUICE_DEVICE_UNARY_H
#define SLUICE_DEVICE_UNARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "device/world.h"
#include "grpc/call.h"

/* Takes over the call's events, at a port of `device` or of SL_DEVICE_BY_TARGET (Capabilities names
 * no target, and all devices have the same). False when memory is out. */
bool sl_device_unary_begin(struct sl_device_world *world, struct sl_grpc_call *call,
                           uint32_t device) SL_MUST_CHECK;

#endif
