#include "test.h"

#include <stdlib.h>

#include "credit/credit.h"

#define ROOM UINT64_MAX

static struct sl_credit opened(uint32_t limit_bytes)
{
    struct sl_credit credit;

    sl_credit_init(&credit, limit_bytes);
    sl_credit_open(&credit);
    return credit;
}

static void a_new_rpc_has_the_floor_granted_and_the_rest_pending(void **state)
{
    struct sl_credit credit = opened(65536);

    (void)state;
    assert_int_equal(credit.granted_bytes, SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(credit.pending_bytes, 65536 - SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 65536 - SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
}

static void more_than_what_was_granted_is_an_error_and_moves_nothing(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);

    (void)state;
    assert_false(sl_credit_receive(&credit, SL_CREDIT_FLOOR_BYTES + 1));
    assert_int_equal(credit.granted_bytes, SL_CREDIT_FLOOR_BYTES);
    assert_true(sl_credit_receive(&credit, SL_CREDIT_FLOOR_BYTES));
    assert_false(sl_credit_receive(&credit, 1));
}

static void held_bytes_return_only_on_release(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);

    (void)state;
    assert_true(sl_credit_receive(&credit, SL_CREDIT_FLOOR_BYTES));
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
    sl_credit_charge(&credit, SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
    assert_true(sl_credit_release(&credit, credit.generation, SL_CREDIT_FLOOR_BYTES));
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), SL_CREDIT_FLOOR_BYTES);
}

static void small_amounts_wait_for_a_quarter_unless_the_device_waits(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);

    (void)state;
    assert_true(sl_credit_receive(&credit, 8000));
    sl_credit_charge(&credit, 8000);
    assert_true(sl_credit_release(&credit, credit.generation, 4000));
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
    /* A message that lacks more than what is granted cannot wait. */
    assert_int_equal(sl_credit_announce(&credit, 8385, ROOM), 4000);
    assert_true(sl_credit_release(&credit, credit.generation, 4000));
    assert_int_equal(sl_credit_announce(&credit, 12384, ROOM), 0);
    assert_int_equal(sl_credit_announce(&credit, 12385, ROOM), 4000);
}

static void with_less_than_a_prefix_granted_everything_is_announced(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);

    (void)state;
    assert_true(sl_credit_receive(&credit, SL_CREDIT_FLOOR_BYTES - 4));
    sl_credit_charge(&credit, SL_CREDIT_FLOOR_BYTES - 4);
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
    assert_true(sl_credit_release(&credit, credit.generation, 1));
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 1);
    assert_true(sl_credit_release(&credit, credit.generation, 1));
    assert_int_equal(sl_credit_announce(&credit, 0, ROOM), 0);
}

static void a_late_report_of_an_earlier_rpc_does_not_count(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);
    uint32_t first = credit.generation;

    (void)state;
    assert_true(sl_credit_receive(&credit, 1000));
    sl_credit_charge(&credit, 1000);
    sl_credit_open(&credit);
    assert_false(sl_credit_release(&credit, first, 1000));
    assert_int_equal(credit.granted_bytes, SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(credit.pending_bytes, 0);
}

static void a_message_larger_than_the_limit_borrows_and_the_first_release_repays(void **state)
{
    struct sl_credit credit = opened(SL_CREDIT_FLOOR_BYTES);
    const uint32_t whole = 1024 * 1024;

    (void)state;
    assert_true(sl_credit_receive(&credit, 5));
    uint32_t missing = whole - 5;
    assert_int_equal(sl_credit_announce(&credit, missing, ROOM), 0);
    uint32_t lent = sl_credit_borrow(&credit, missing);
    assert_int_equal(lent, missing - (SL_CREDIT_FLOOR_BYTES - 5));
    assert_int_equal(sl_credit_borrow(&credit, missing), 0);
    assert_true(sl_credit_receive(&credit, missing));
    sl_credit_charge(&credit, whole);
    assert_true(sl_credit_release(&credit, credit.generation, whole));
    assert_int_equal(credit.borrowed_bytes, 0);
    assert_int_equal(credit.pending_bytes, SL_CREDIT_FLOOR_BYTES);
}

static void the_budget_bounds_what_is_announced(void **state)
{
    struct sl_credit credit = opened(65536);

    (void)state;
    assert_int_equal(sl_credit_announce(&credit, 0, 1000), 0); /* not a quarter of what is in use */
    assert_int_equal(sl_credit_announce(&credit, 0, 30000), 30000);
    assert_int_equal(sl_credit_announce(&credit, 0, 0), 0);
}

/* ---- any sizes, any order of reports: nothing is stuck, nothing is beyond the limit ---- */

enum { MOST_IN_FLIGHT = 4096 };

struct world {
    struct sl_credit credit;
    uint32_t in_flight[MOST_IN_FLIGHT]; /* charges, in the order of their making */
    size_t count;
    unsigned seed;
    uint32_t largest; /* message so far */
};

static uint32_t draw(struct world *world, uint32_t below)
{
    return (uint32_t)rand_r(&world->seed) % below;
}

static void acknowledge_one(struct world *world)
{
    size_t i = draw(world, (uint32_t)world->count);
    uint32_t bytes = world->in_flight[i];

    world->in_flight[i] = world->in_flight[--world->count];
    assert_true(sl_credit_release(&world->credit, world->credit.generation, bytes));
}

/* What the stream does at the end of a turn. */
static void give(struct world *world, uint32_t missing)
{
    struct sl_credit *credit = &world->credit;
    uint32_t bytes = sl_credit_announce(credit, missing, ROOM);
    bool is_too_large = credit->assembling_bytes + missing > credit->limit_bytes;

    if (missing > 0 && (is_too_large || credit->held_bytes == 0)) {
        bytes += sl_credit_borrow(credit, missing);
    }
    assert_true(bytes <= credit->limit_bytes + credit->borrowed_bytes);
    assert_true(sl_credit_is_valid(credit));
}

/* A device sends one message; reports come whenever they like, and must when it is stuck. */
static void pass_message(struct world *world, uint32_t whole)
{
    struct sl_credit *credit = &world->credit;
    uint32_t sent = 0;

    world->largest = whole > world->largest ? whole : world->largest;
    while (sent < whole) {
        uint32_t have = sl_min_u32(whole - sent, credit->granted_bytes);
        uint32_t piece = have ? 1 + draw(world, have) : 0;
        assert_true(sl_credit_receive(credit, piece));
        sent += piece;
        if (world->count && (piece == 0 || draw(world, 3) == 0)) {
            acknowledge_one(world);
        }
        give(world, sent < 5 ? 5 - sent : whole - sent);
        assert_true(piece || world->count || credit->granted_bytes); /* else it is stuck for good */
        assert_true((uint64_t)credit->held_bytes + credit->assembling_bytes <=
                    (uint64_t)credit->limit_bytes + world->largest);
    }
    sl_credit_charge(credit, whole);
    assert_true(world->count < MOST_IN_FLIGHT);
    world->in_flight[world->count++] = whole;
    give(world, 0);
}

static void messages_of_any_size_pass_through_any_limit(void **state)
{
    static const uint32_t limits[] = {16384, 65535, 65536, 262144};
    static struct world world;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(limits); i++) {
        world = (struct world){.credit = opened(limits[i]), .seed = (unsigned)i + 1};
        for (int n = 0; n < 3000; n++) {
            uint32_t exponent = draw(&world, 20);
            pass_message(&world, 5 + draw(&world, 2u << exponent));
            while (world.count > 1000) {
                acknowledge_one(&world);
            }
        }
        while (world.count) {
            acknowledge_one(&world);
        }
        assert_int_equal(world.credit.borrowed_bytes, 0);
        assert_int_equal(world.credit.held_bytes, 0);
    }
}

static void messages_of_25_and_45_kb_do_not_deadlock_in_65535(void **state)
{
    static struct world world;

    (void)state;
    world = (struct world){.credit = opened(65535), .seed = 7};
    for (int n = 0; n < 1000; n++) {
        pass_message(&world, 25000);
        pass_message(&world, 45000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_rpc_has_the_floor_granted_and_the_rest_pending),
        cmocka_unit_test(more_than_what_was_granted_is_an_error_and_moves_nothing),
        cmocka_unit_test(held_bytes_return_only_on_release),
        cmocka_unit_test(small_amounts_wait_for_a_quarter_unless_the_device_waits),
        cmocka_unit_test(with_less_than_a_prefix_granted_everything_is_announced),
        cmocka_unit_test(a_late_report_of_an_earlier_rpc_does_not_count),
        cmocka_unit_test(a_message_larger_than_the_limit_borrows_and_the_first_release_repays),
        cmocka_unit_test(the_budget_bounds_what_is_announced),
        cmocka_unit_test(messages_of_any_size_pass_through_any_limit),
        cmocka_unit_test(messages_of_25_and_45_kb_do_not_deadlock_in_65535),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
