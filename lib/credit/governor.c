#include "credit/governor.h"

/* Less is not worth a WINDOW_UPDATE, unless it is all that a stream lacks. */
enum { CRUMB_BYTES = 4096 };

static const char *const limited_names[SL_LIMITS] = {
    [SL_LIMITED_NOT] = "not",
    [SL_LIMITED_WINDOW] = "window",
    [SL_LIMITED_MEMORY] = "memory",
    [SL_LIMITED_SINK] = "sink",
};

const char *sl_limited_name(enum sl_limited limited)
{
    SL_ASSERT((unsigned)limited < SL_LIMITS);
    return limited_names[limited];
}

static uint64_t weight_of(const struct sl_share *share)
{
    return UINT64_C(1) << (2 * (unsigned)share->priority);
}

/* ---- what a stream may have, and what it wants ---- */

uint64_t sl_share_entitled(const struct sl_share *share)
{
    return SL_CREDIT_FLOOR_BYTES + share->governor->unit_bytes * weight_of(share);
}

static bool misses_its_part(const struct sl_governor *governor)
{
    for (size_t i = 0; i < SL_PRIORITIES; i++) {
        if (!sl_list_is_empty(&governor->waiting[i])) {
            return true;
        }
    }
    return false;
}

static uint64_t allowed(const struct sl_share *share)
{
    const struct sl_governor *governor = share->governor;
    uint64_t entitled = sl_share_entitled(share);

    if (!share->growth.is_quick || misses_its_part(governor)) {
        return entitled;
    }
    return sl_max_u64(entitled, governor->level_bytes * weight_of(share));
}

static uint64_t out(const struct sl_share *share)
{
    const struct sl_credit *credit = share->credit;

    return share->is_open ? (uint64_t)credit->granted_bytes + credit->assembling_bytes : 0;
}

/* What the stream takes: of what is out only the bytes while it is calm, for what they become may
 * be claimed when they come. */
static uint64_t taken(const struct sl_share *share)
{
    uint64_t bytes = out(share);

    return share->held_bytes +
           (sl_growth_is_calm(&share->growth) ? bytes : sl_cost_rate_of(&share->rate, bytes));
}

static uint64_t wanted(const struct sl_share *share)
{
    uint64_t window = sl_max_u64(share->growth.window_bytes, share->message_bytes);

    if (!share->is_open || sl_growth_is_calm(&share->growth)) {
        return SL_CREDIT_FLOOR_BYTES;
    }
    return sl_max_u64(sl_cost_rate_of(&share->rate, window), SL_CREDIT_FLOOR_BYTES);
}

/* ---- shares ---- */

static uint64_t free_bytes(const struct sl_governor *governor)
{
    return governor->shared_bytes - governor->promised_bytes;
}

static void promise(struct sl_share *share, uint64_t bytes)
{
    struct sl_governor *governor = share->governor;

    governor->promised_bytes = governor->promised_bytes - share->bytes + bytes;
    share->bytes = bytes;
    SL_INVARIANT(governor->promised_bytes <= governor->shared_bytes);
}

static void wait(struct sl_share *share)
{
    bool misses_some = share->bytes < sl_share_entitled(share);
    size_t list =
        misses_some ? (size_t)(SL_PRIORITY_HIGH - share->priority) : (size_t)SL_PRIORITIES;

    if (sl_list_is_empty(&share->waiting)) {
        sl_list_append(&share->governor->waiting[list], &share->waiting);
    }
}

/* The next in turn looks again; when that leaves something, it wakes the one behind it. */
static void wake_one(struct sl_governor *governor)
{
    for (size_t i = 0; i <= SL_PRIORITIES; i++) {
        struct sl_list *node = sl_list_pop(&governor->waiting[i]);
        if (node) {
            struct sl_share *share = SL_CONTAINER_OF(node, struct sl_share, waiting);
            governor->on_room(share);
            return;
        }
    }
}

/* Takes what is free, at most up to `target`. */
static void grow(struct sl_share *share, uint64_t target)
{
    uint64_t there = free_bytes(share->governor);
    uint64_t lacks = target - sl_min_u64(target, share->bytes);

    if (there >= sl_min_u64(lacks, CRUMB_BYTES)) {
        promise(share, share->bytes + sl_min_u64(there, lacks));
    }
    if (share->bytes < target) {
        wait(share);
    }
}

static void fit(struct sl_share *share)
{
    struct sl_governor *governor = share->governor;

    sl_list_remove(&share->waiting);
    uint64_t target = sl_min_u64(wanted(share), allowed(share));

    if (share->bytes < target) {
        grow(share, target);
    } else {
        promise(share, sl_max_u64(target, sl_min_u64(share->bytes, taken(share))));
    }
    if (free_bytes(governor) >= CRUMB_BYTES) {
        wake_one(governor);
    }
}

static void divide(struct sl_governor *governor)
{
    uint64_t floors = governor->share_count * SL_CREDIT_FLOOR_BYTES;
    uint64_t spare = governor->shared_bytes - sl_min_u64(floors, governor->shared_bytes);

    governor->unit_bytes = governor->weight ? spare / governor->weight : 0;
}

void sl_share_join(struct sl_share *share, struct sl_governor *governor, struct sl_credit *credit,
                   const struct sl_share_config *config)
{
    *share =
        (struct sl_share){.governor = governor, .credit = credit, .priority = config->priority};
    sl_credit_init(credit, config->initial_bytes);
    sl_cost_rate_init(&share->rate);
    sl_growth_init(&share->growth, config->initial_bytes, config->max_bytes);
    sl_list_init(&share->node);
    sl_list_init(&share->waiting);
    sl_list_append(&governor->shares, &share->node);
    governor->share_count++;
    governor->weight += weight_of(share);
    divide(governor);
    grow(share, SL_CREDIT_FLOOR_BYTES);
}

void sl_share_leave(struct sl_share *share)
{
    struct sl_governor *governor = share->governor;

    if (!governor) {
        return;
    }
    SL_ASSERT(share->held_bytes == 0);
    promise(share, 0);
    sl_list_remove(&share->node);
    sl_list_remove(&share->waiting);
    governor->share_count--;
    governor->weight -= weight_of(share);
    divide(governor);
    share->governor = NULL;
    wake_one(governor);
}

void sl_share_open(struct sl_share *share)
{
    sl_growth_open(&share->growth);
    sl_credit_open(share->credit);
    sl_credit_resize(share->credit, share->growth.window_bytes);
    share->is_open = true;
    share->message_bytes = 0;
    fit(share);
}

void sl_share_shut(struct sl_share *share)
{
    share->is_open = false;
    share->message_bytes = 0;
    fit(share);
}

void sl_share_hold(struct sl_share *share, uint64_t cost_bytes)
{
    share->held_bytes += cost_bytes;
    share->governor->held_bytes += cost_bytes;
    if (share->held_bytes > share->bytes) {
        uint64_t excess = share->held_bytes - share->bytes;
        promise(share, share->bytes + sl_min_u64(excess, free_bytes(share->governor)));
    }
}

uint64_t sl_share_spare(const struct sl_share *share)
{
    uint64_t more = sl_min_u64(free_bytes(share->governor) / 2, sl_share_entitled(share));

    return share->bytes + more - sl_min_u64(share->held_bytes, share->bytes + more);
}

void sl_share_release(struct sl_share *share, uint64_t cost_bytes)
{
    SL_ASSERT(share->held_bytes >= cost_bytes && share->governor->held_bytes >= cost_bytes);
    share->held_bytes -= cost_bytes;
    share->governor->held_bytes -= cost_bytes;
}

void sl_share_look(struct sl_share *share, int64_t now_ns, uint64_t charged_bytes, uint32_t missing)
{
    const struct sl_credit *credit = share->credit;
    uint64_t twice = (uint64_t)share->growth.window_bytes * 2;

    share->message_bytes = missing ? credit->assembling_bytes + missing : 0;
    if (share->is_open) {
        const struct sl_growth_look look = {
            .now_ns = now_ns,
            .charged_bytes = charged_bytes,
            .held_bytes = credit->held_bytes,
            .is_limited = sl_credit_need(credit, missing) > 0,
            .is_urgent = share->priority == SL_PRIORITY_HIGH,
            .may_grow = sl_cost_rate_of(&share->rate, twice) <= allowed(share),
        };
        sl_growth_look(&share->growth, &look);
        sl_credit_resize(share->credit, share->growth.window_bytes);
    }
    fit(share);
}

uint64_t sl_share_room(const struct sl_share *share)
{
    return sl_budget_room(share->bytes, share->held_bytes, share->credit, &share->rate);
}

bool sl_share_claim(struct sl_share *share, uint32_t window_bytes)
{
    uint64_t needed = share->held_bytes + sl_cost_rate_of(&share->rate, window_bytes);

    if (needed <= share->bytes || share->held_bytes == 0) {
        return true;
    }
    sl_list_remove(&share->waiting);
    grow(share, sl_min_u64(needed, allowed(share)));
    return needed <= share->bytes;
}

enum sl_limited sl_share_limited(const struct sl_share *share, uint32_t missing)
{
    if (!share->is_open || sl_credit_need(share->credit, missing) == 0) {
        return SL_LIMITED_NOT;
    }
    if (!share->growth.is_quick && share->held_bytes) {
        return SL_LIMITED_SINK;
    }
    return share->credit->pending_bytes ? SL_LIMITED_MEMORY : SL_LIMITED_WINDOW;
}

/* ---- sweeps ---- */

void sl_governor_init(struct sl_governor *governor, uint64_t shared_bytes, sl_share_room_fn on_room)
{
    *governor = (struct sl_governor){
        .on_room = on_room, .shared_bytes = shared_bytes, .level_bytes = shared_bytes};
    sl_list_init(&governor->shares);
    for (size_t i = 0; i <= SL_PRIORITIES; i++) {
        sl_list_init(&governor->waiting[i]);
    }
}

/* What streams would have if each could have all that it wants, or the level allows it. */
struct demand {
    uint64_t wanted;    /* by all */
    uint64_t settled;   /* by those whom the level lets have it */
    uint64_t unsettled; /* weight, of the others */
};

static void add_demand(struct demand *demand, const struct sl_share *share)
{
    uint64_t entitled = sl_share_entitled(share);
    uint64_t most = sl_max_u64(entitled, share->governor->level_bytes * weight_of(share));
    uint64_t wants = wanted(share);

    wants = share->growth.is_quick ? wants : sl_min_u64(wants, entitled);
    wants = sl_max_u64(wants, sl_min_u64(taken(share), share->bytes));
    demand->wanted += wants;
    if (wants <= most) {
        demand->settled += wants;
    } else {
        demand->unsettled += weight_of(share);
    }
}

/* One step of filling up: who wants less than the level leaves the rest to the others. Where the
 * level was too high for that, it begins anew at equal parts. */
static void set_level(struct sl_governor *governor, const struct demand *demand)
{
    uint64_t shared = governor->shared_bytes;

    if (demand->wanted <= shared) {
        governor->level_bytes = shared;
    } else if (demand->unsettled && demand->settled < shared) {
        governor->level_bytes = (shared - demand->settled) / demand->unsettled;
    } else {
        governor->level_bytes = shared / governor->weight;
    }
}

void sl_governor_sweep(struct sl_governor *governor, int64_t now_ns)
{
    bool is_short = governor->level_bytes < governor->shared_bytes || misses_its_part(governor);
    struct demand demand = {0};

    SL_LIST_FOR_EACH(node, &governor->shares)
    {
        struct sl_share *share = SL_CONTAINER_OF(node, struct sl_share, node);
        sl_growth_sweep(&share->growth, now_ns, is_short);
        if (sl_growth_is_calm(&share->growth)) {
            fit(share);
        }
        add_demand(&demand, share);
    }
    set_level(governor, &demand);
}

bool sl_governor_is_valid(const struct sl_governor *governor)
{
    uint64_t promised = 0;
    uint64_t held = 0;
    uint64_t count = 0;

    SL_LIST_FOR_EACH(node, &governor->shares)
    {
        const struct sl_share *share = SL_CONTAINER_OF(node, struct sl_share, node);
        promised += share->bytes;
        held += share->held_bytes;
        count++;
    }
    return promised == governor->promised_bytes && held == governor->held_bytes &&
           count == governor->share_count && promised <= governor->shared_bytes;
}
