/* credit.h - how much one device stream may still send us.
 *
 * A ledger splits a number of bytes of HTTP/2 stream window, the limit, four ways:
 *
 *     granted      announced to the device and not used: what it may send now
 *     assembling   received, and not yet a whole message that was charged
 *     held         of charged messages, not yet acknowledged by every sink they went to
 *     pending      free again, and not yet announced
 *
 *     granted + assembling + held + pending = limit + borrowed        (after every call)
 *
 * `borrowed` is what a message larger than the limit was lent so that it can arrive; the first
 * bytes that are released repay it.
 *
 * The ledger decides when to announce, not nghttp2, whose own threshold (half of the window) leaves
 * messages larger than half of it waiting for ever: a quarter of what is in use, or anything at all
 * while the device cannot go on without it.
 *
 * Pure accounting: no I/O, no clock, no lock. One stream, one thread. The bytes are those of the
 * window: DATA payload, the 5 bytes of gRPC's prefix included.
 */
#ifndef SLUICE_CREDIT_CREDIT_H
#define SLUICE_CREDIT_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum {
    SL_CREDIT_FLOOR_BYTES = 16 * 1024, /* no limit is below it: SETTINGS_INITIAL_WINDOW_SIZE */
    SL_CREDIT_PREFIX_BYTES = 5,        /* a device with less cannot even begin a message */
};

struct sl_credit {
    uint32_t limit_bytes;
    uint32_t borrowed_bytes;
    uint32_t granted_bytes;
    uint32_t assembling_bytes;
    uint32_t held_bytes;
    uint32_t pending_bytes;
    uint32_t generation; /* of the RPC: reports of an earlier one do not count any more */
};

/* A ledger without a stream: nothing granted. `limit_bytes` is at least SL_CREDIT_FLOOR_BYTES. */
void sl_credit_init(struct sl_credit *credit, uint32_t limit_bytes);

/* A new RPC begins: SL_CREDIT_FLOOR_BYTES are granted (by SETTINGS, not announced), the rest is
 * pending, and whatever an earlier RPC still has with a sink is not this one's. */
void sl_credit_open(struct sl_credit *credit);

/* The limit becomes `limit_bytes` (at least SL_CREDIT_FLOOR_BYTES), or as near to it as can be:
 * only what is pending can be taken away. */
void sl_credit_resize(struct sl_credit *credit, uint32_t limit_bytes);

/* granted → assembling. False, and nothing moves, when the device sent more than it may. */
bool sl_credit_receive(struct sl_credit *credit, uint32_t bytes) SL_MUST_CHECK;

/* assembling → held: a message of so many bytes is complete. */
void sl_credit_charge(struct sl_credit *credit, uint32_t bytes);

/* held → borrowed's repayment, then pending: the last sink acknowledged a charge made under
 * `generation`. False, and nothing moves, when that generation is over. */
bool sl_credit_release(struct sl_credit *credit, uint32_t generation, uint32_t bytes);

/* How many bytes beyond those granted the device must get before it can finish its message.
 * `missing` is what that message still lacks, 0 between two messages. */
uint32_t sl_credit_need(const struct sl_credit *credit, uint32_t missing);

/* pending → granted, and how much: the WINDOW_UPDATE to send now, none if 0. At most `room_bytes`,
 * which is what the memory budget lets out. */
uint32_t sl_credit_announce(struct sl_credit *credit, uint32_t missing,
                            uint64_t room_bytes) SL_MUST_CHECK;

/* Grants exactly the need of the message under way: what is pending, the rest borrowed. Returns it
 * (the WINDOW_UPDATE to send). The caller has made sure that the memory is there. */
uint32_t sl_credit_borrow(struct sl_credit *credit, uint32_t missing) SL_MUST_CHECK;

/* Grants so many bytes more: what is pending, the rest borrowed. For a device that is to go on
 * whatever is held; the caller sees to a bound. Returns them (the WINDOW_UPDATE to send). */
uint32_t sl_credit_extend(struct sl_credit *credit, uint32_t bytes) SL_MUST_CHECK;

/* The equation above. */
bool sl_credit_is_valid(const struct sl_credit *credit);

#endif
