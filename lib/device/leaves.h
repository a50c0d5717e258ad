/* leaves.h - the OpenConfig interface leaves that a simulated device has: counters and states.
 *
 * First come the counters: leaf k is counter k % SL_DEVICE_COUNTERS of interface
 * eth<k / SL_DEVICE_COUNTERS>; behind those of all interfaces the states, likewise: admin-status
 * and description never change, oper-status is down for a second of each four. All devices have the
 * same leaves, so there is one table of their encoded paths. Values follow from device, leaf and
 * time: nothing is stored per device, and whether a value has changed since follows from the two
 * times.
 */
#ifndef SLUICE_DEVICE_LEAVES_H
#define SLUICE_DEVICE_LEAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi.pb-c.h"

enum {
    SL_DEVICE_COUNTERS = 18,        /* of one interface */
    SL_DEVICE_STATES = 3,           /* of one interface */
    SL_DEVICE_MAX_PATH_ELEMS = 128, /* of a subscription's prefix and path together */
};

struct sl_device_leaves {
    uint32_t interfaces;
    uint32_t count;
    uint32_t *ends; /* where in `paths` the path of each leaf ends */
    struct sl_buf paths;
};

bool sl_device_leaves_init(struct sl_device_leaves *leaves, uint32_t interfaces) SL_MUST_CHECK;
void sl_device_leaves_fini(struct sl_device_leaves *leaves);

/* The leaf's path as the bytes of field 1 of an Update, tag and length included. */
struct sl_str sl_device_leaves_path(const struct sl_device_leaves *leaves, uint32_t leaf);

/* A counter's value: it grows with each of `elapsed_ms`, each at its own pace. */
uint64_t sl_device_leaf_value(uint32_t device, uint32_t leaf, uint64_t elapsed_ms);

/* A state's value; NULL: the leaf is a counter. */
const char *sl_device_leaf_text(const struct sl_device_leaves *leaves, uint32_t device,
                                uint32_t leaf, uint64_t elapsed_ms);

/* Whether the leaf has another value at the one time than at the other. */
bool sl_device_leaf_differs(const struct sl_device_leaves *leaves, uint32_t device, uint32_t leaf,
                            uint64_t one_ms, uint64_t other_ms);

/* Leaves in ascending order. */
struct sl_device_selection {
    const uint32_t *leaves; /* NULL: they follow one another, from `first` on */
    uint32_t first;
    uint32_t count;
};

static inline uint32_t sl_device_selected(const struct sl_device_selection *selection,
                                          uint32_t index)
{
    return selection->leaves ? selection->leaves[index] : selection->first + index;
}

/* A subscribed path: prefix and path behind one another. At most SL_DEVICE_MAX_PATH_ELEMS. */
struct sl_device_pattern {
    size_t count;
    const Gnmi__PathElem *elems[SL_DEVICE_MAX_PATH_ELEMS];
};

/* Whether the pattern selects the leaf: it is the leaf's path or begins it. `*` stands for one
 * element, `...` for any number; a key that is missing or `*` for every value. */
bool sl_device_leaf_matches(const struct sl_device_leaves *leaves, uint32_t leaf,
                            const struct sl_device_pattern *pattern);

#endif
