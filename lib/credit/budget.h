/* budget.h - the memory of one worker: what it is for, and what a byte of window costs.
 *
 * Window bytes are not memory: a message of 133 bytes becomes a record that holds 430 to 930. So
 * every charge has a second number, its cost, and a stream is let out credit only as far as its
 * share (governor.h) has room for what that costs.
 *
 * A message that does not fit in its stream's share borrows the reserve, which is one largest
 * message: one borrower at a time, first come, first served, so that borrowers cannot deadlock one
 * another.
 *
 * Pure: no I/O, no clock. One worker, one thread.
 */
#ifndef SLUICE_CREDIT_BUDGET_H
#define SLUICE_CREDIT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "credit/credit.h"

/* How a worker's part of collector.memory is divided. */
struct sl_budget_plan {
    uint64_t part_bytes;     /* collector.memory / workers */
    uint64_t reserve_bytes;  /* one largest message, for a single borrower */
    uint64_t interned_bytes; /* paths that encoders keep: an eighth */
    uint64_t shared_bytes;   /* cost, of all streams together: governor.h */
    uint64_t share_bytes;    /* of each, where all are alike */
};

/* False when the part cannot hold the reserve and SL_CREDIT_FLOOR_BYTES for each of `streams`
 * streams (those of the fullest worker); `plan` then holds part and reserve, and a share of 0. */
bool sl_budget_plan(uint64_t memory_bytes, unsigned workers, uint64_t streams,
                    uint64_t max_message_bytes, struct sl_budget_plan *plan) SL_MUST_CHECK;

/* A stream's recent cost per window byte, in sixteenths: rises at once, falls slowly, so that what
 * was granted at the old rate does not outgrow the share. */
struct sl_cost_rate {
    uint32_t sixteenths;
};

enum {
    SL_COST_RATE_FIRST = 8 * 16, /* before anything is known */
    SL_COST_RATE_MAX = 64 * 16,  /* a share of the floor still lets a prefix out */
};

void sl_cost_rate_init(struct sl_cost_rate *rate);
void sl_cost_rate_learn(struct sl_cost_rate *rate, uint64_t cost_bytes, uint32_t window_bytes);
uint64_t sl_cost_rate_of(const struct sl_cost_rate *rate, uint64_t window_bytes);

/* How many window bytes may be announced on top of those already out, with `cost_held_bytes` of the
 * share taken. */
uint64_t sl_budget_room(uint64_t share_bytes, uint64_t cost_held_bytes,
                        const struct sl_credit *credit, const struct sl_cost_rate *rate);

/* The reserve, and who wants it. */
struct sl_loan {
    struct sl_list waiting; /* budget.c's */
    void (*on_lent)(struct sl_loan *loan, void *arg);
    void *arg;
};

struct sl_reserve {
    struct sl_loan *borrower; /* NULL: the reserve is free */
    struct sl_list waiting;
};

void sl_reserve_init(struct sl_reserve *reserve);
void sl_loan_init(struct sl_loan *loan, void (*on_lent)(struct sl_loan *loan, void *arg),
                  void *arg);

/* True when the reserve is `loan`'s, from now or from before. Else it waits in turn, and `on_lent`
 * says when it has come; asking again keeps the place. */
bool sl_loan_ask(struct sl_reserve *reserve, struct sl_loan *loan) SL_MUST_CHECK;

/* Gives it back, or stops waiting for it; the next in turn gets its `on_lent` before this returns.
 * Nothing when it had neither. */
void sl_loan_return(struct sl_reserve *reserve, struct sl_loan *loan);

/* Somebody waits for it. */
bool sl_reserve_is_wanted(const struct sl_reserve *reserve);

bool sl_loan_is_lent(const struct sl_reserve *reserve, const struct sl_loan *loan);

#endif
