/* ring.h - bytes that go in at the end and come out at the front, in one block.
 *
 * What is in it never moves but when the block grows, so a byte is copied once in and once out
 * however long a ring is in use. The block is as large as what was in it at most, rounded up to a
 * power of two; it shrinks only by sl_ring_fini. Invariant: len <= cap, front < cap or both are 0.
 */
#ifndef SLUICE_BASE_RING_H
#define SLUICE_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

struct sl_ring {
    char *data; /* malloc'd; NULL while cap is 0 */
    size_t cap; /* a power of two, or 0 */
    size_t front;
    size_t len;
};

/* Empties it and gives its memory back. Zeroed storage is an empty ring too. */
void sl_ring_fini(struct sl_ring *ring);

/* Room for `more` bytes behind the end. False when memory is out: it is as it was. */
bool sl_ring_reserve(struct sl_ring *ring, size_t more) SL_MUST_CHECK;

/* Copies into room that was reserved. */
void sl_ring_add(struct sl_ring *ring, const void *bytes, size_t len);

/* Copies the first `len` bytes, which are there, to `to`; they are gone from the ring. */
void sl_ring_take(struct sl_ring *ring, void *to, size_t len);

#endif
