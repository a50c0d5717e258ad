/* governor.h - the memory of one worker, shared among its streams as they need it.
 *
 * Each stream has a share of what budget.h's plan leaves to be shared, in *cost*: memory really
 * held. Credit is let out only as far as
 *
 *     cost held + (granted + assembling) × the stream's recent cost per byte  <=  its share
 *
 * and a message is made into records only as far as they fit in it (sl_share_claim), whatever was
 * granted before: the bytes of a message that has to wait cost no more than they are. At all times
 *
 *     sum of the shares = promised  <=  shared
 *
 * How much a stream gets:
 *
 *     floor     SL_CREDIT_FLOOR_BYTES, always
 *     entitled  of what is left, its part by priority: what it gets whenever it wants it, even if
 *               others must first give memory back for it
 *     level     × its weight: what it may have while its acknowledgements are quick and others do
 *               not use their parts; a sweep works it out, so that what all want fits
 *
 * A share grows when its stream wants more (growth.h) and memory is free; else the stream waits in
 * turn, those who miss some of what they are entitled to first, high priorities before low ones. It
 * shrinks as bytes are acknowledged and not granted anew: what a device was granted cannot be taken
 * back. So nobody is ever cut off, and a stream behind a slow sink has its part and no more.
 *
 * Pure: no I/O, the time is handed in. All but the sweep is O(1). One worker, one thread.
 */
#ifndef SLUICE_CREDIT_GOVERNOR_H
#define SLUICE_CREDIT_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "credit/budget.h"
#include "credit/credit.h"
#include "credit/growth.h"

/* Each weighs four times the one before. */
enum sl_priority { SL_PRIORITY_LOW, SL_PRIORITY_NORMAL, SL_PRIORITY_HIGH };

enum {
    SL_PRIORITIES = 3,
    SL_GOVERNOR_SWEEP_MS = 1000,
};

struct sl_share;

/* It waited for memory, and there may be some: look at it again, later. */
typedef void (*sl_share_room_fn)(struct sl_share *share);

struct sl_governor {
    sl_share_room_fn on_room;
    uint64_t shared_bytes;
    uint64_t promised_bytes; /* the sum of the shares */
    uint64_t held_bytes;     /* cost, of all */
    uint64_t level_bytes;    /* of each unit of weight; shared_bytes: all get what they want */
    uint64_t unit_bytes;     /* what a unit of weight is entitled to, above the floor */
    uint64_t weight;         /* of all */
    uint64_t share_count;
    struct sl_list shares;
    struct sl_list waiting[SL_PRIORITIES + 1]; /* the last: for more than they are entitled to */
};

struct sl_share_config {
    enum sl_priority priority;
    uint32_t initial_bytes; /* of window, as is the next */
    uint64_t max_bytes;
};

/* One stream's; there are many of them, so it is small. */
struct sl_share {
    struct sl_governor *governor; /* NULL: it has not joined */
    struct sl_credit *credit;     /* the stream's ledger, borrowed */
    struct sl_cost_rate rate;
    enum sl_priority priority;
    uint64_t bytes;      /* cost that is promised to it */
    uint64_t held_bytes; /* cost */
    struct sl_list node;
    struct sl_list waiting;
    struct sl_growth growth;
    uint32_t message_bytes; /* of window, of the message under way */
    bool is_open;           /* the RPC is there, and its window counts */
};

/* What keeps a device from sending more. */
enum sl_limited {
    SL_LIMITED_NOT,
    SL_LIMITED_WINDOW, /* the window, which may be growing */
    SL_LIMITED_MEMORY, /* the share */
    SL_LIMITED_SINK,   /* acknowledgements that are slow */
};

enum { SL_LIMITS = 4 };

const char *sl_limited_name(enum sl_limited limited); /* "window" */

void sl_governor_init(struct sl_governor *governor, uint64_t shared_bytes,
                      sl_share_room_fn on_room);

/* Each SL_GOVERNOR_SWEEP_MS: calm streams give memory back, and the level is worked out. */
void sl_governor_sweep(struct sl_governor *governor, int64_t now_ns);

/* The sums agree, and nothing is promised that is not there. O(shares): for tests. */
bool sl_governor_is_valid(const struct sl_governor *governor);

/* The share lives until it has left, and so does the ledger, which is made here (sl_credit_init).
 * It is promised the floor at once, or what there is of it. */
void sl_share_join(struct sl_share *share, struct sl_governor *governor, struct sl_credit *credit,
                   const struct sl_share_config *config);

/* Gives everything back; nothing may be held. Nothing, when it has not joined. */
void sl_share_leave(struct sl_share *share);

/* A new RPC: its ledger is opened (sl_credit_open), with the initial limit. */
void sl_share_open(struct sl_share *share);

/* It is over: what was granted is not promised any more. */
void sl_share_shut(struct sl_share *share);

/* Memory is held for the stream, or no longer held. What is beyond its share is promised to it as
 * far as there is any. */
void sl_share_hold(struct sl_share *share, uint64_t cost_bytes);
void sl_share_release(struct sl_share *share, uint64_t cost_bytes);

/* How much more may be held for something that does not wait for its sink (what is kept while a
 * sink stands still): what the share has left, and half of what is free, but no more of that than
 * the stream is entitled to. */
uint64_t sl_share_spare(const struct sl_share *share);

/* Fits window, limit and share to what the stream wants now; before credit is announced. `missing`
 * is what the message under way still lacks, 0 between two messages; `charged_bytes` of window were
 * charged so far, in all RPCs. */
void sl_share_look(struct sl_share *share, int64_t now_ns, uint64_t charged_bytes,
                   uint32_t missing);

/* How many window bytes may be granted on top of those already out. */
uint64_t sl_share_room(const struct sl_share *share);

/* Whether the records of a message of so many window bytes fit; true also when nothing is held, for
 * then waiting would not help. False: `on_room` says when there may be more, or a release does. */
bool sl_share_claim(struct sl_share *share, uint32_t window_bytes) SL_MUST_CHECK;

uint64_t sl_share_entitled(const struct sl_share *share);

/* Why the device cannot go on, when it cannot. */
enum sl_limited sl_share_limited(const struct sl_share *share, uint32_t missing);

#endif
