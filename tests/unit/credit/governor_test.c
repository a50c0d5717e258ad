#include "test.h"

#include <stdlib.h>

#include "credit/governor.h"

enum { MOST_SHARES = 64, COST_SIXTEENTHS = 4 * 16 };

/* A stream at its simplest: a device that sends as much as it may, records that cost four times
 * their bytes, a sink that acknowledges in order, or stands still. */
struct flow {
    struct sl_share share;
    struct sl_credit credit;
    uint32_t whole;  /* the message under way */
    uint32_t sent;   /* of it */
    bool is_short;   /* it is complete, and waits for memory */
    bool is_due;     /* it was told that there is memory */
    bool is_stalled; /* its sink */
    bool is_silent;  /* its device */
    uint32_t held[4096];
    size_t held_count;
    uint64_t charged;
    uint64_t passed; /* messages acknowledged */
    struct sl_loan loan;
};

struct world {
    struct sl_governor governor;
    struct sl_reserve reserve;
    struct flow flows[MOST_SHARES];
    size_t count;
    int64_t now_ns;
    unsigned seed;
    uint32_t largest; /* message */
};

static uint32_t draw(struct world *world, uint32_t below)
{
    return (uint32_t)rand_r(&world->seed) % below;
}

static void note_room(struct sl_share *share)
{
    SL_CONTAINER_OF(share, struct flow, share)->is_due = true;
}

static void note_lent(struct sl_loan *loan, void *arg)
{
    (void)loan;
    ((struct flow *)arg)->is_due = true;
}

static void add_flow(struct world *world, enum sl_priority priority)
{
    struct flow *flow = &world->flows[world->count++];
    const struct sl_share_config config = {
        .priority = priority,
        .initial_bytes = 64 * 1024,
        .max_bytes = 2 * SL_MIB,
    };

    *flow = (struct flow){.whole = 0};
    sl_share_join(&flow->share, &world->governor, &flow->credit, &config);
    flow->share.rate.sixteenths = COST_SIXTEENTHS;
    sl_loan_init(&flow->loan, note_lent, flow);
}

/* All have joined before the first is opened, as a worker's streams have. */
static void open_all(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        sl_share_open(&world->flows[i].share);
    }
}

static struct world *a_world(uint64_t shared_bytes, size_t count, enum sl_priority priority)
{
    static struct world world;

    world = (struct world){.now_ns = 1, .seed = 1, .largest = 20000};
    sl_governor_init(&world.governor, shared_bytes, note_room);
    sl_reserve_init(&world.reserve);
    for (size_t i = 0; i < count; i++) {
        add_flow(&world, priority);
    }
    return &world;
}

static void end_world(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct flow *flow = &world->flows[i];
        while (flow->held_count) {
            sl_share_release(&flow->share, flow->held[--flow->held_count] * UINT64_C(4));
        }
        sl_loan_return(&world->reserve, &flow->loan);
        sl_share_leave(&flow->share);
    }
    assert_int_equal(world->governor.promised_bytes, 0);
    assert_int_equal(world->governor.held_bytes, 0);
    assert_int_equal(world->governor.weight, 0);
}

static uint32_t missing_of(const struct flow *flow)
{
    return flow->whole - flow->sent;
}

static bool claims(const struct world *world, struct flow *flow)
{
    return sl_loan_is_lent(&world->reserve, &flow->loan) ||
           sl_share_claim(&flow->share, flow->whole);
}

static void charge(struct world *world, struct flow *flow)
{
    flow->is_short = !claims(world, flow) || flow->held_count == SL_ARRAY_LEN(flow->held);
    if (flow->is_short) {
        return;
    }
    sl_credit_charge(&flow->credit, flow->whole);
    sl_share_hold(&flow->share, flow->whole * UINT64_C(4));
    flow->held[flow->held_count++] = flow->whole;
    flow->charged += flow->whole;
    flow->whole = 0;
    flow->sent = 0;
}

/* What the stream does about a message that does not fit; as stream/grant.c does. */
static void lend(struct world *world, struct flow *flow, uint32_t missing)
{
    uint32_t need = sl_credit_need(&flow->credit, missing);
    uint64_t whole = flow->whole;
    bool is_alone = flow->credit.held_bytes == 0 && flow->share.held_bytes == 0;
    bool is_large = whole * 4 > sl_share_entitled(&flow->share);

    if (!missing || !need || !(whole > flow->credit.limit_bytes || is_large || is_alone)) {
        return;
    }
    if (need <= sl_share_room(&flow->share) ||
        ((is_large || is_alone) && sl_loan_ask(&world->reserve, &flow->loan))) {
        assert_true(sl_credit_borrow(&flow->credit, missing) == need);
    }
}

static void give(struct world *world, struct flow *flow)
{
    uint32_t missing = missing_of(flow);

    flow->is_due = false;
    sl_share_look(&flow->share, world->now_ns, flow->charged, missing);
    uint64_t room = sl_share_room(&flow->share);
    assert_true(sl_credit_announce(&flow->credit, missing, room) <= room);
    lend(world, flow, missing);
    if (sl_credit_need(&flow->credit, missing) == 0 &&
        flow->share.held_bytes + flow->whole * UINT64_C(4) <= flow->share.bytes) {
        sl_loan_return(&world->reserve, &flow->loan);
    }
    if (flow->is_short) {
        charge(world, flow);
    }
}

static void send(struct world *world, struct flow *flow)
{
    if (flow->is_silent || flow->is_short) {
        return;
    }
    if (!flow->whole) {
        flow->whole = 100 + draw(world, world->largest);
    }
    uint32_t piece = sl_min_u32(flow->credit.granted_bytes, missing_of(flow));
    assert_true(sl_credit_receive(&flow->credit, piece));
    flow->sent += piece;
    if (missing_of(flow) == 0) {
        charge(world, flow);
    }
    give(world, flow);
}

static void acknowledge(struct world *world, struct flow *flow)
{
    if (flow->is_stalled || !flow->held_count) {
        return;
    }
    uint32_t at = draw(world, (uint32_t)flow->held_count);
    uint32_t bytes = flow->held[at];

    flow->held[at] = flow->held[--flow->held_count];
    assert_true(sl_credit_release(&flow->credit, flow->credit.generation, bytes));
    sl_share_release(&flow->share, bytes * UINT64_C(4));
    flow->passed++;
    give(world, flow);
}

static void serve_due(struct world *world)
{
    for (bool is_any = true; is_any;) {
        is_any = false;
        for (size_t i = 0; i < world->count; i++) {
            if (world->flows[i].is_due) {
                is_any = true;
                give(world, &world->flows[i]);
            }
        }
    }
}

/* Beyond the shares there is at most a message of each stream: one that was under way when its
 * share was taken up, or that nothing would make fit. */
static void check(const struct world *world)
{
    const struct sl_governor *governor = &world->governor;
    uint64_t slack = world->count * UINT64_C(4) * (world->largest + 100);

    assert_true(sl_governor_is_valid(governor));
    assert_true(governor->held_bytes <= governor->shared_bytes + slack);
    for (size_t i = 0; i < world->count; i++) {
        const struct sl_share *share = &world->flows[i].share;
        assert_true(share->bytes >= SL_CREDIT_FLOOR_BYTES);
        assert_true(sl_credit_is_valid(&world->flows[i].credit));
    }
}

static void run(struct world *world, int steps, int acknowledged)
{
    for (int n = 0; n < steps; n++) {
        world->now_ns += SL_NS_PER_MS;
        struct flow *flow = &world->flows[draw(world, (uint32_t)world->count)];
        send(world, flow);
        for (int i = 0; i < acknowledged; i++) {
            acknowledge(world, &world->flows[draw(world, (uint32_t)world->count)]);
        }
        if (n % 1000 == 999) {
            sl_governor_sweep(&world->governor, world->now_ns);
        }
        serve_due(world);
        check(world);
    }
}

/* ---- the tests ---- */

static void whatever_happens_no_more_is_promised_than_there_is_and_all_go_on(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct world *world = a_world((2 + seed % 5) * SL_MIB, 10 + seed * 2, SL_PRIORITY_NORMAL);
        open_all(world);
        world->seed = seed;
        world->largest = seed % 2 ? 3000 : 60000;
        for (int round = 0; round < 8; round++) {
            for (size_t i = 0; i < world->count; i++) {
                world->flows[i].is_stalled = draw(world, 4) == 0;
                world->flows[i].is_silent = draw(world, 4) == 0;
            }
            run(world, 1500, 1 + (int)draw(world, 3));
        }
        uint64_t passed[MOST_SHARES];
        for (size_t i = 0; i < world->count; i++) {
            world->flows[i].is_stalled = false;
            world->flows[i].is_silent = false;
            passed[i] = world->flows[i].passed;
        }
        run(world, 20000, 3);
        for (size_t i = 0; i < world->count; i++) {
            assert_true(world->flows[i].passed > passed[i] + 2); /* nobody was forgotten */
        }
        end_world(world);
    }
}

static void a_stream_alone_may_have_it_all_once_its_acknowledgements_are_quick(void **state)
{
    struct world *world = a_world(64 * SL_MIB, 32, SL_PRIORITY_NORMAL);

    (void)state;
    open_all(world);
    for (size_t i = 1; i < world->count; i++) {
        world->flows[i].is_silent = true;
    }
    for (int n = 0; n < 20000; n++) {
        world->now_ns += SL_NS_PER_MS;
        while (world->flows[0].credit.granted_bytes && world->flows[0].held_count < 4000) {
            send(world, &world->flows[0]);
        }
        while (world->flows[0].held_count) {
            acknowledge(world, &world->flows[0]);
        }
        if (n % 1000 == 999) {
            sl_governor_sweep(&world->governor, world->now_ns);
        }
        check(world);
    }
    assert_true(world->flows[0].share.growth.window_bytes > 256 * SL_KIB);
    assert_true(world->flows[0].share.bytes > sl_share_entitled(&world->flows[0].share) / 2);
    end_world(world);
}

static void behind_a_slow_sink_each_has_the_part_of_its_priority_and_no_more(void **state)
{
    struct world *world = a_world(800 * SL_KIB, 8, SL_PRIORITY_NORMAL);

    (void)state;
    add_flow(world, SL_PRIORITY_HIGH);
    add_flow(world, SL_PRIORITY_LOW);
    open_all(world);
    world->largest = 1000;
    for (size_t i = 0; i < world->count; i++) {
        world->flows[i].is_stalled = true;
    }
    run(world, 20000, 0);
    for (size_t i = 0; i < world->count; i++) {
        const struct sl_share *share = &world->flows[i].share;
        assert_true(share->bytes <= sl_share_entitled(share));
        assert_true(share->held_bytes >= sl_share_entitled(share) / 2);
    }
    uint64_t normal = sl_share_entitled(&world->flows[0].share) - SL_CREDIT_FLOOR_BYTES;
    uint64_t high = sl_share_entitled(&world->flows[8].share) - SL_CREDIT_FLOOR_BYTES;
    uint64_t low = sl_share_entitled(&world->flows[9].share) - SL_CREDIT_FLOOR_BYTES;
    assert_int_equal(high, 4 * normal);
    assert_int_equal(normal, 4 * low);
    end_world(world);
}

/* Who was there first has all of it, and gives it back as it is acknowledged. */
static void who_comes_late_gets_what_it_is_entitled_to(void **state)
{
    struct world *world = a_world(8 * SL_MIB, 16, SL_PRIORITY_NORMAL);

    (void)state;
    open_all(world);
    for (size_t i = 8; i < world->count; i++) {
        world->flows[i].is_silent = true;
    }
    run(world, 20000, 4);
    for (size_t i = 8; i < world->count; i++) {
        world->flows[i].is_silent = false;
        world->flows[i].share.growth.calm_sweeps = 0;
    }
    run(world, 20000, 2);
    for (size_t i = 8; i < world->count; i++) {
        const struct sl_share *share = &world->flows[i].share;
        assert_true(share->bytes >= sl_share_entitled(share) / 2);
    }
    end_world(world);
}

static void of_those_who_wait_the_high_priority_is_first(void **state)
{
    struct world *world = a_world(8 * 16 * SL_KIB, 6, SL_PRIORITY_NORMAL);

    (void)state;
    add_flow(world, SL_PRIORITY_LOW);
    add_flow(world, SL_PRIORITY_HIGH);
    open_all(world);
    struct flow *normal = &world->flows[0];
    struct flow *low = &world->flows[6];
    struct flow *high = &world->flows[7];
    sl_share_hold(&world->flows[1].share,
                  world->governor.shared_bytes); /* takes all that is free */
    give(world, low);
    give(world, normal);
    give(world, high);
    assert_false(low->is_due || normal->is_due || high->is_due);
    sl_share_release(&world->flows[1].share, world->governor.shared_bytes);
    sl_share_shut(&world->flows[1].share);
    assert_true(high->is_due || world->governor.unit_bytes == 0);
    assert_false(normal->is_due || low->is_due);
    end_world(world);
}

static void a_calm_stream_promises_no_more_than_what_it_may_be_sent(void **state)
{
    struct world *world = a_world(8 * SL_MIB, 2, SL_PRIORITY_NORMAL);
    struct sl_share *share = &world->flows[0].share;

    (void)state;
    open_all(world);
    run(world, 1000, 4);
    while (world->flows[0].held_count) {
        acknowledge(world, &world->flows[0]);
    }
    for (int i = 0; i < 5; i++) {
        sl_governor_sweep(&world->governor, world->now_ns);
    }
    uint64_t out = (uint64_t)share->credit->granted_bytes + share->credit->assembling_bytes;
    assert_int_equal(share->bytes, sl_max_u64(out, SL_CREDIT_FLOOR_BYTES));
    end_world(world);
}

static void a_message_waits_while_its_records_would_not_fit(void **state)
{
    struct world *world = a_world(2 * SL_CREDIT_FLOOR_BYTES, 2, SL_PRIORITY_NORMAL);
    struct flow *flow = &world->flows[0];

    (void)state;
    open_all(world);
    assert_true(sl_share_claim(&flow->share, 3 * SL_CREDIT_FLOOR_BYTES)); /* nothing would help */
    sl_share_hold(&flow->share, 10000);
    assert_true(sl_share_claim(&flow->share, (SL_CREDIT_FLOOR_BYTES - 10000) / 4));
    assert_false(sl_share_claim(&flow->share, (SL_CREDIT_FLOOR_BYTES - 10000) / 4 + 1));
    sl_share_release(&flow->share, 10000);
    assert_true(sl_share_claim(&flow->share, SL_CREDIT_FLOOR_BYTES));
    end_world(world);
}

static void why_a_device_is_blocked_has_a_name(void **state)
{
    struct world *world = a_world(64 * SL_MIB, 1, SL_PRIORITY_NORMAL);
    struct flow *flow = &world->flows[0];

    (void)state;
    open_all(world);
    assert_int_equal(sl_share_limited(&flow->share, 0), SL_LIMITED_NOT);
    flow->is_stalled = true;
    for (int i = 0; i < 1000; i++) {
        send(world, flow);
    }
    world->now_ns += SL_NS_PER_S;
    give(world, flow);
    assert_int_equal(sl_share_limited(&flow->share, missing_of(flow)), SL_LIMITED_SINK);
    flow->share.growth.is_quick = true;
    assert_int_equal(sl_share_limited(&flow->share, missing_of(flow)), SL_LIMITED_WINDOW);
    flow->credit.pending_bytes = 1;
    assert_int_equal(sl_share_limited(&flow->share, missing_of(flow)), SL_LIMITED_MEMORY);
    flow->credit.pending_bytes = 0;
    for (int i = 0; i < SL_LIMITS; i++) {
        assert_non_null(sl_limited_name((enum sl_limited)i));
    }
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_no_more_is_promised_than_there_is_and_all_go_on),
        cmocka_unit_test(a_stream_alone_may_have_it_all_once_its_acknowledgements_are_quick),
        cmocka_unit_test(behind_a_slow_sink_each_has_the_part_of_its_priority_and_no_more),
        cmocka_unit_test(who_comes_late_gets_what_it_is_entitled_to),
        cmocka_unit_test(of_those_who_wait_the_high_priority_is_first),
        cmocka_unit_test(a_calm_stream_promises_no_more_than_what_it_may_be_sent),
        cmocka_unit_test(a_message_waits_while_its_records_would_not_fit),
        cmocka_unit_test(why_a_device_is_blocked_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
