#include "test.h"

#include "credit/budget.h"

static void the_parts_of_a_plan_never_exceed_the_memory(void **state)
{
    (void)state;
    for (uint64_t streams = 1; streams < 5000; streams += 37) {
        struct sl_budget_plan plan;
        if (!sl_budget_plan(512 * SL_MIB, 2, streams, 16 * SL_MIB, &plan)) {
            assert_int_equal(plan.share_bytes, 0);
            continue;
        }
        assert_true(plan.share_bytes >= SL_CREDIT_FLOOR_BYTES);
        assert_true(2 * (plan.reserve_bytes + plan.interned_bytes + streams * plan.share_bytes) <=
                    512 * SL_MIB);
    }
}

static void streams_that_do_not_fit_at_the_floor_are_refused(void **state)
{
    struct sl_budget_plan plan;
    uint64_t shared = 32 * SL_MIB - 4 * SL_MIB - 16 * SL_MIB;
    uint64_t most = shared / SL_CREDIT_FLOOR_BYTES;

    (void)state;
    assert_true(sl_budget_plan(64 * SL_MIB, 2, most, 16 * SL_MIB, &plan));
    assert_false(sl_budget_plan(64 * SL_MIB, 2, most + 1, 16 * SL_MIB, &plan));
    assert_false(sl_budget_plan(32 * SL_MIB, 2, 1, 16 * SL_MIB, &plan));
}

static void the_cost_rate_rises_at_once_and_falls_slowly(void **state)
{
    struct sl_cost_rate rate;

    (void)state;
    sl_cost_rate_init(&rate);
    sl_cost_rate_learn(&rate, 20 * 100, 100);
    assert_int_equal(rate.sixteenths, 20 * 16 + 1);
    sl_cost_rate_learn(&rate, 2 * 100, 100);
    assert_true(rate.sixteenths > 19 * 16);
    for (int i = 0; i < 2000; i++) {
        sl_cost_rate_learn(&rate, 2 * 100, 100);
    }
    assert_int_equal(rate.sixteenths, 2 * 16 + 1);
    sl_cost_rate_learn(&rate, UINT32_MAX, 1);
    assert_int_equal(rate.sixteenths, SL_COST_RATE_MAX);
}

static void room_is_what_the_share_has_left_after_what_is_out(void **state)
{
    struct sl_credit credit = {.granted_bytes = 1000, .assembling_bytes = 1000};
    struct sl_cost_rate rate = {.sixteenths = 4 * 16};

    (void)state;
    assert_int_equal(sl_budget_room(100000, 0, &credit, &rate), (100000 - 8000) / 4);
    assert_int_equal(sl_budget_room(100000, 50000, &credit, &rate), (50000 - 8000) / 4);
    assert_int_equal(sl_budget_room(100000, 92000, &credit, &rate), 0);
    assert_int_equal(sl_budget_room(100000, 200000, &credit, &rate), 0);
}

static void a_share_of_the_floor_lets_a_prefix_out_at_any_rate(void **state)
{
    struct sl_credit credit = {.granted_bytes = 0};
    struct sl_cost_rate rate = {.sixteenths = SL_COST_RATE_MAX};

    (void)state;
    assert_true(sl_budget_room(SL_CREDIT_FLOOR_BYTES, 0, &credit, &rate) >= SL_CREDIT_PREFIX_BYTES);
}

static void count_lent(struct sl_loan *loan, void *arg)
{
    (void)loan;
    ++*(int *)arg;
}

static void the_reserve_has_one_borrower_first_come_first_served(void **state)
{
    struct sl_reserve reserve;
    struct sl_loan loans[3];
    int lent[3] = {0};

    (void)state;
    sl_reserve_init(&reserve);
    for (int i = 0; i < 3; i++) {
        sl_loan_init(&loans[i], count_lent, &lent[i]);
    }
    assert_true(sl_loan_ask(&reserve, &loans[0]));
    assert_true(sl_loan_ask(&reserve, &loans[0]));
    assert_false(sl_loan_ask(&reserve, &loans[1]));
    assert_false(sl_loan_ask(&reserve, &loans[2]));
    assert_false(sl_loan_ask(&reserve, &loans[1]));
    sl_loan_return(&reserve, &loans[0]);
    assert_int_equal(lent[1], 1);
    assert_true(sl_loan_is_lent(&reserve, &loans[1]));
    sl_loan_return(&reserve, &loans[2]); /* gives up waiting */
    sl_loan_return(&reserve, &loans[1]);
    assert_int_equal(lent[2], 0);
    assert_null(reserve.borrower);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_plan_never_exceed_the_memory),
        cmocka_unit_test(streams_that_do_not_fit_at_the_floor_are_refused),
        cmocka_unit_test(the_cost_rate_rises_at_once_and_falls_slowly),
        cmocka_unit_test(room_is_what_the_share_has_left_after_what_is_out),
        cmocka_unit_test(a_share_of_the_floor_lets_a_prefix_out_at_any_rate),
        cmocka_unit_test(the_reserve_has_one_borrower_first_come_first_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
