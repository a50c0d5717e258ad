/* distinct.h - of several updates of one path in one notification the last one counts
 * (all of a notification is of one time, so that a path can have but one value in it).
 *
 * Two paths are one when their bytes are, under the notification's one prefix. At most
 * SL_DISTINCT_MAX_UPDATES of a notification are held against each other; what stands behind them
 * stays.
 *
 * One thread. Memory is kept from one notification to the next, up to SL_DISTINCT_KEPT_BYTES.
 */
#ifndef SLUICE_NORMALISE_DISTINCT_H
#define SLUICE_NORMALISE_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"

enum {
    SL_DISTINCT_MAX_UPDATES = 64 * 1024,
    SL_DISTINCT_KEPT_BYTES = 64 * 1024,
};

/* Zeroed storage is an empty one. */
struct sl_distinct {
    struct sl_buf slots; /* of the paths seen */
    uint64_t seed;       /* so that a device cannot choose paths that collide */
    uint32_t stamp;      /* of the slots that are of this notification */
    struct sl_buf dead;  /* a byte for each update: whether a later one has its path */
    struct sl_buf message;
};

void sl_distinct_fini(struct sl_distinct *distinct);

/* The response without the updates that a later one outdoes, in `made`, which lives until the next
 * call; `response` itself where there are none. NULL: no memory. */
const struct sl_gnmi_response *sl_distinct_apply(struct sl_distinct *distinct,
                                                 const struct sl_gnmi_response *response,
                                                 struct sl_gnmi_response *made) SL_MUST_CHECK;

#endif
