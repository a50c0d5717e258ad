/* dress.h - the messages of one Subscribe RPC on their way out, in a vendor's dress.
 *
 * What goes in is a SubscribeResponse as gNMI has it; what comes out is one or several, in order.
 * No I/O.
 */
#ifndef SLUICE_DEVICE_DRESS_H
#define SLUICE_DEVICE_DRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "device/dialect.h"

struct sl_device_dress {
    const struct sl_device_dialect *dialect; /* NULL: none */
    const Gnmi__SubscriptionList *list;      /* what was asked for */
    uint64_t lose_every;                     /* of so many numbers one is left out; 0: none */
    struct sl_buf queue;                     /* messages, each behind its length in 4 bytes */
    size_t at;                               /* the next one in it */
    uint64_t sequence;                       /* of the vendor's header */
    uint64_t dressed;                        /* notifications so far */
};

void sl_device_dress_fini(struct sl_device_dress *dress);

/* Takes a message in. False when memory is out. */
bool sl_device_dress_add(struct sl_device_dress *dress, struct sl_str message) SL_MUST_CHECK;

/* The message that comes next, until sl_device_dress_pop; false: there is none. */
bool sl_device_dress_next(const struct sl_device_dress *dress, struct sl_str *message);
void sl_device_dress_pop(struct sl_device_dress *dress);

/* For dressers: what goes out. */
void sl_device_dress_emit(struct sl_device_dress *dress, const Gnmi__SubscribeResponse *response);

#endif
