#include "credit/credit.h"

bool sl_credit_is_valid(const struct sl_credit *credit)
{
    return (uint64_t)credit->granted_bytes + credit->assembling_bytes + credit->held_bytes +
               credit->pending_bytes ==
           (uint64_t)credit->limit_bytes + credit->borrowed_bytes;
}

void sl_credit_init(struct sl_credit *credit, uint32_t limit_bytes)
{
    SL_ASSERT(limit_bytes >= SL_CREDIT_FLOOR_BYTES);
    *credit = (struct sl_credit){.limit_bytes = limit_bytes, .pending_bytes = limit_bytes};
}

void sl_credit_open(struct sl_credit *credit)
{
    uint32_t generation = credit->generation + 1;

    sl_credit_init(credit, credit->limit_bytes);
    credit->generation = generation;
    credit->granted_bytes = SL_CREDIT_FLOOR_BYTES;
    credit->pending_bytes -= SL_CREDIT_FLOOR_BYTES;
    SL_INVARIANT(sl_credit_is_valid(credit));
}

void sl_credit_resize(struct sl_credit *credit, uint32_t limit_bytes)
{
    SL_ASSERT(limit_bytes >= SL_CREDIT_FLOOR_BYTES);
    uint32_t excess = credit->limit_bytes - sl_min_u32(limit_bytes, credit->limit_bytes);
    uint32_t lack = limit_bytes - sl_min_u32(limit_bytes, credit->limit_bytes);
    uint32_t less = sl_min_u32(excess, credit->pending_bytes);

    credit->limit_bytes += lack - less;
    credit->pending_bytes += lack - less;
    SL_INVARIANT(sl_credit_is_valid(credit));
}

bool sl_credit_receive(struct sl_credit *credit, uint32_t bytes)
{
    if (bytes > credit->granted_bytes) {
        return false;
    }
    credit->granted_bytes -= bytes;
    credit->assembling_bytes += bytes;
    SL_INVARIANT(sl_credit_is_valid(credit));
    return true;
}

void sl_credit_charge(struct sl_credit *credit, uint32_t bytes)
{
    SL_ASSERT(bytes <= credit->assembling_bytes);
    credit->assembling_bytes -= bytes;
    credit->held_bytes += bytes;
    SL_INVARIANT(sl_credit_is_valid(credit));
}

bool sl_credit_release(struct sl_credit *credit, uint32_t generation, uint32_t bytes)
{
    if (generation != credit->generation) {
        return false;
    }
    SL_ASSERT(bytes <= credit->held_bytes);
    uint32_t repaid = sl_min_u32(bytes, credit->borrowed_bytes);
    credit->held_bytes -= bytes;
    credit->borrowed_bytes -= repaid;
    credit->pending_bytes += bytes - repaid;
    SL_INVARIANT(sl_credit_is_valid(credit));
    return true;
}

uint32_t sl_credit_need(const struct sl_credit *credit, uint32_t missing)
{
    uint32_t wanted = missing ? missing : SL_CREDIT_PREFIX_BYTES;

    return wanted > credit->granted_bytes ? wanted - credit->granted_bytes : 0;
}

static void grant(struct sl_credit *credit, uint32_t bytes)
{
    credit->pending_bytes -= bytes;
    credit->granted_bytes += bytes;
}

uint32_t sl_credit_announce(struct sl_credit *credit, uint32_t missing, uint64_t room_bytes)
{
    uint32_t bytes = (uint32_t)sl_min_u64(credit->pending_bytes, room_bytes);
    uint64_t in_use =
        (uint64_t)credit->granted_bytes + credit->assembling_bytes + credit->held_bytes + bytes;

    if (sl_credit_need(credit, missing) == 0 && (uint64_t)bytes * 4 < in_use) {
        return 0;
    }
    grant(credit, bytes);
    SL_INVARIANT(sl_credit_is_valid(credit));
    return bytes;
}

uint32_t sl_credit_borrow(struct sl_credit *credit, uint32_t missing)
{
    return sl_credit_extend(credit, sl_credit_need(credit, missing));
}

uint32_t sl_credit_extend(struct sl_credit *credit, uint32_t bytes)
{
    uint32_t lent = bytes - sl_min_u32(bytes, credit->pending_bytes);

    credit->borrowed_bytes += lent;
    credit->pending_bytes += lent;
    grant(credit, bytes);
    SL_INVARIANT(sl_credit_is_valid(credit));
    return bytes;
}
