#include "base/ring.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP_BYTES = 64 };

void sl_ring_fini(struct sl_ring *ring)
{
    free(ring->data);
    *ring = (struct sl_ring){.data = NULL};
}

/* The first `len` bytes, which may go on at the start of the block. */
static void copy_out(const struct sl_ring *ring, char *to, size_t len)
{
    size_t straight = sl_min_size(len, ring->cap - ring->front);

    if (len > 0) {
        memcpy(to, ring->data + ring->front, straight);
        memcpy(to + straight, ring->data, len - straight);
    }
}

bool sl_ring_reserve(struct sl_ring *ring, size_t more)
{
    size_t cap = ring->cap ? ring->cap : FIRST_CAP_BYTES;

    SL_ASSERT(ring->len <= ring->cap);
    if (more <= ring->cap - ring->len) {
        return true;
    }
    if (more > SIZE_MAX / 4 || ring->len > SIZE_MAX / 4) {
        return false;
    }
    while (cap < ring->len + more) {
        cap *= 2;
    }
    char *data = malloc(cap);
    if (!data) {
        return false;
    }
    copy_out(ring, data, ring->len);
    free(ring->data);
    ring->data = data;
    ring->cap = cap;
    ring->front = 0;
    return true;
}

void sl_ring_add(struct sl_ring *ring, const void *bytes, size_t len)
{
    SL_ASSERT(len <= ring->cap - ring->len);
    if (len > 0) {
        size_t end = (ring->front + ring->len) & (ring->cap - 1);
        size_t straight = sl_min_size(len, ring->cap - end);

        memcpy(ring->data + end, bytes, straight);
        memcpy(ring->data, (const char *)bytes + straight, len - straight);
        ring->len += len;
    }
}

void sl_ring_take(struct sl_ring *ring, void *to, size_t len)
{
    SL_ASSERT(len <= ring->len);
    copy_out(ring, to, len);
    ring->len -= len;
    ring->front = ring->len ? (ring->front + len) & (ring->cap - 1) : 0;
}
