#include "credit/budget.h"

enum { RATE_DECAY = 64 };

bool sl_budget_plan(uint64_t memory_bytes, unsigned workers, uint64_t streams,
                    uint64_t max_message_bytes, struct sl_budget_plan *plan)
{
    SL_ASSERT(workers > 0);
    *plan = (struct sl_budget_plan){.part_bytes = memory_bytes / workers,
                                    .reserve_bytes = max_message_bytes};
    plan->interned_bytes = plan->part_bytes / 8;
    if (plan->part_bytes - plan->interned_bytes < plan->reserve_bytes) {
        return false;
    }
    uint64_t shared = plan->part_bytes - plan->interned_bytes - plan->reserve_bytes;
    uint64_t share = shared / (streams ? streams : 1);
    if (share < SL_CREDIT_FLOOR_BYTES) {
        return false;
    }
    plan->shared_bytes = shared;
    plan->share_bytes = share;
    return true;
}

void sl_cost_rate_init(struct sl_cost_rate *rate)
{
    rate->sixteenths = SL_COST_RATE_FIRST;
}

void sl_cost_rate_learn(struct sl_cost_rate *rate, uint64_t cost_bytes, uint32_t window_bytes)
{
    SL_ASSERT(window_bytes > 0);
    uint32_t now = (uint32_t)sl_min_u64(cost_bytes * 16 / window_bytes + 1, SL_COST_RATE_MAX);

    if (now >= rate->sixteenths) {
        rate->sixteenths = now;
    } else {
        rate->sixteenths -= (rate->sixteenths - now + RATE_DECAY - 1) / RATE_DECAY;
    }
}

uint64_t sl_cost_rate_of(const struct sl_cost_rate *rate, uint64_t window_bytes)
{
    return window_bytes * rate->sixteenths / 16;
}

uint64_t sl_budget_room(uint64_t share_bytes, uint64_t cost_held_bytes,
                        const struct sl_credit *credit, const struct sl_cost_rate *rate)
{
    uint64_t out = (uint64_t)credit->granted_bytes + credit->assembling_bytes;
    uint64_t taken = cost_held_bytes + sl_cost_rate_of(rate, out);

    return taken < share_bytes ? (share_bytes - taken) * 16 / rate->sixteenths : 0;
}

void sl_reserve_init(struct sl_reserve *reserve)
{
    reserve->borrower = NULL;
    sl_list_init(&reserve->waiting);
}

void sl_loan_init(struct sl_loan *loan, void (*on_lent)(struct sl_loan *loan, void *arg), void *arg)
{
    sl_list_init(&loan->waiting);
    loan->on_lent = on_lent;
    loan->arg = arg;
}

bool sl_loan_is_lent(const struct sl_reserve *reserve, const struct sl_loan *loan)
{
    return reserve->borrower == loan;
}

bool sl_reserve_is_wanted(const struct sl_reserve *reserve)
{
    return !sl_list_is_empty(&reserve->waiting);
}

bool sl_loan_ask(struct sl_reserve *reserve, struct sl_loan *loan)
{
    if (!reserve->borrower) {
        reserve->borrower = loan;
    }
    if (reserve->borrower != loan && sl_list_is_empty(&loan->waiting)) {
        sl_list_append(&reserve->waiting, &loan->waiting);
    }
    return reserve->borrower == loan;
}

void sl_loan_return(struct sl_reserve *reserve, struct sl_loan *loan)
{
    sl_list_remove(&loan->waiting);
    if (reserve->borrower != loan) {
        return;
    }
    struct sl_list *next = sl_list_pop(&reserve->waiting);
    reserve->borrower = next ? SL_CONTAINER_OF(next, struct sl_loan, waiting) : NULL;
    if (reserve->borrower) {
        reserve->borrower->on_lent(reserve->borrower, reserve->borrower->arg);
    }
}
