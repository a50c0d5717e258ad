/* growth.h - how large a window one stream wants, from how it uses the one it has.
 *
 * A stream needs a window of its bandwidth times its round trip, the sink's acknowledgement
 * included; both are only found out by trying. So its window starts small and doubles, once a
 * round, while
 *
 *     the device was limited by it: it had used up all that it was granted, and
 *     acknowledgements are quick: what was held when the round began was acknowledged within
 *     SL_GROWTH_QUICK_MS (behind a slow sink a larger window is but a longer queue).
 *
 * Up to SL_GROWTH_FREE_BYTES nothing else is asked. Beyond, a doubling is on trial: the round after
 * it must be faster by SL_GROWTH_GAIN_PERCENT, or the window goes back, and the next trial is some
 * sweeps away: where the processor or the sink is what limits, windows stay small.
 *
 * An urgent stream grows behind a slow sink, too: what it sends is to flow while others wait.
 *
 * A stream of whose window less than a quarter was used and is held, in each of several sweeps, is
 * calm; its window halves with each further sweep, down to the initial one, and to the floor while
 * memory is short.
 *
 * Pure arithmetic: no I/O; the time is handed in, in nanoseconds of a monotonic clock.
 */
#ifndef SLUICE_CREDIT_GROWTH_H
#define SLUICE_CREDIT_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum {
    SL_GROWTH_QUICK_MS = 500,
    SL_GROWTH_FREE_BYTES = 256 * 1024,
    SL_GROWTH_TRIAL_MS = 100, /* a round that a trial is judged by is at least so long */
    SL_GROWTH_GAIN_PERCENT = 20,
    SL_GROWTH_PAUSE_SWEEPS = 10, /* after a trial that failed */
    SL_GROWTH_CALM_SWEEPS = 2,
};

struct sl_growth {
    uint64_t charged_bytes; /* of window, of all messages so far; at the last look */
    uint64_t swept_bytes;   /* the same at the last sweep */
    uint64_t round_bytes;   /* charged_bytes when the round began: so much is to be acknowledged */
    uint64_t speed;         /* bytes a second before the doubling that is on trial; 0: none is */
    int64_t round_ns;       /* when it began */
    uint32_t held_bytes;    /* at the last look */
    uint32_t initial_bytes;
    uint32_t max_bytes;
    uint32_t window_bytes; /* what the stream wants now */
    uint32_t doublings;
    uint8_t pause_sweeps; /* until the next trial */
    uint8_t calm_sweeps;  /* in a row in which little was used */
    bool is_round;
    bool is_acked;    /* in the round: everything that it waits for */
    bool was_limited; /* in the round */
    bool is_quick;    /* the last acknowledgements were */
};

/* What a look sees. */
struct sl_growth_look {
    int64_t now_ns;
    uint64_t charged_bytes; /* of window, of all messages so far: never less than before */
    uint32_t held_bytes;    /* of them, not acknowledged */
    bool is_limited;        /* the device can go on no more */
    bool may_grow;          /* there is memory for a window twice as large */
    bool is_urgent;         /* also behind a slow sink */
};

/* `initial_bytes` is at least SL_CREDIT_FLOOR_BYTES; `max_bytes` below it counts as equal to it. */
void sl_growth_init(struct sl_growth *growth, uint32_t initial_bytes, uint64_t max_bytes);

/* A new RPC: from the beginning. */
void sl_growth_open(struct sl_growth *growth);

/* Whenever something has come or was acknowledged, before credit is announced. */
void sl_growth_look(struct sl_growth *growth, const struct sl_growth_look *look);

/* Each second or so. */
void sl_growth_sweep(struct sl_growth *growth, int64_t now_ns, bool is_memory_short);

/* Little of the window is used. */
bool sl_growth_is_calm(const struct sl_growth *growth);

#endif
