/* world.h - what all calls to the devices of a fleet share.
 *
 * Loop thread only.
 */
#ifndef SLUICE_DEVICE_WORLD_H
#define SLUICE_DEVICE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/ring.h"
#include "base/status.h"
#include "device/device.h"
#include "device/leaves.h"
#include "device/message.h"
#include "device/store.h"
#include "loop/loop.h"

/* How far the RPCs of a replay have come together. */
struct sl_device_tape {
    uint64_t next_at;     /* the byte of the file where the next one begins; 0: the first entry */
    bool is_over;         /* one has come to the file's end */
    struct sl_status why; /* what was there */
};

struct sl_device_world {
    struct sl_loop *loop;
    struct sl_device_options options;
    const struct sl_device_events *events;
    void *arg;
    struct sl_device_leaves leaves;
    struct sl_device_writer writer;
    struct sl_device_totals totals; /* blocked_ns: of what is over */
    int64_t opened_ns;
    int64_t opened_wall_ns;
    uint64_t rpcs;    /* ever */
    uint32_t watches; /* open now: those on the tree */
    struct sl_device_tape tape;
    struct sl_ring times; /* int64_t each: when messages on their way came, with tells_times */
    struct sl_device_tree *tree;     /* what every device has at first; held */
    struct sl_device_store **stores; /* of each device; NULL until it is asked for */
};

/* The device that a call is for is named by prefix.target. */
#define SL_DEVICE_BY_TARGET UINT32_MAX

/* The tree of the options, or the built-in one. False when memory is out; sl_device_world_fini is
 * right then too. */
bool sl_device_world_init(struct sl_device_world *world) SL_MUST_CHECK;
void sl_device_world_fini(struct sl_device_world *world);

/* Which device a call is for, at a port of `device`. False: there is none of that name. */
bool sl_device_world_resolve(const struct sl_device_world *world, uint32_t device,
                             const char *target, uint32_t *found) SL_MUST_CHECK;

/* NOT_FOUND, with the names that there are. */
struct sl_status sl_device_world_no_device(const struct sl_device_world *world);

/* What the device has set. NULL when memory is out. */
struct sl_device_store *sl_device_world_store(struct sl_device_world *world,
                                              uint32_t device) SL_MUST_CHECK;

#endif
