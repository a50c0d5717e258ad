/* device.h - a device: gNMI served by nghttp2 over net.h, with nothing of the core in between.
 *
 * It listens at an address of its own, answers Capabilities and Subscribe, and sends messages of
 * numbered updates (book.h) at the pace of its plan, as far as its windows let it. How much window
 * it was given it counts by itself, from SETTINGS and WINDOW_UPDATE frames, and holds nghttp2's own
 * count against that. What goes wrong with it, a fault of the plan says.
 */
#ifndef SLUICE_TESTS_WORLD_DEVICE_H
#define SLUICE_TESTS_WORLD_DEVICE_H

#include "world/run.h"

struct device *device_open(struct run *run, unsigned index);

/* Hangs up, and listens no more; free it a turn later. */
void device_close(struct device *device);
void device_free(struct device *device);

/* Something begins to go wrong, or goes wrong once. False: there was nothing to which it could
 * happen. */
bool device_fault(struct device *device, const struct plan_fault *fault);

/* What lasted is over. */
void device_heal(struct device *device, const struct plan_fault *fault);

/* All its connections are reset. */
void device_reset(struct device *device);

/* Hangs up on connections whose other end is gone without a word. */
void device_sweep(struct device *device);

/* The call that the book has under that number: false when it is over or cut off. `left` is what it
 * may still send. */
bool device_window(const struct device *device, unsigned stream, uint32_t call, int64_t *left);

/* Where it is. */
void device_address(unsigned index, struct sl_address *address);

#endif
