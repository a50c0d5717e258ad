#include "base/backoff.h"

#include <sys/random.h>

#include "base/base.h"

enum { MAX_DOUBLINGS = 32 };

void sl_backoff_init(struct sl_backoff *backoff, uint64_t min_ms, uint64_t max_ms)
{
    *backoff = (struct sl_backoff){.min_ms = min_ms, .max_ms = max_ms};
}

uint64_t sl_backoff_next(struct sl_backoff *backoff)
{
    uint64_t doubled = backoff->min_ms << sl_min_u32(backoff->failures, MAX_DOUBLINGS);
    uint64_t ceiling = sl_min_u64(backoff->max_ms, doubled);
    uint64_t draw = 0;

    backoff->failures++;
    if (getrandom(&draw, sizeof(draw), 0) != (ssize_t)sizeof(draw)) {
        draw = ceiling; /* no randomness to be had: wait the longest */
    }
    return draw % (ceiling + 1);
}

void sl_backoff_lasted(struct sl_backoff *backoff, uint64_t lasted_ms)
{
    if (lasted_ms > backoff->max_ms) {
        backoff->failures = 0;
    }
}
