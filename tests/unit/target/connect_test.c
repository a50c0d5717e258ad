/* When targets may dial: all together, and those of one site. */
#include "test.h"
#include "base/base.h"
#include "target/connect.h"

static const struct sl_connect_options options = {
    .rate = 100, .burst = 3, .per_label = {.label = "site", .rate = 10, .burst = 2}};

static struct sl_connect *made(void)
{
    struct sl_connect *connect = sl_connect_new(&options);

    assert_non_null(connect);
    return connect;
}

static void a_site_has_turns_of_its_own(void **state)
{
    struct sl_connect *connect = made();
    struct sl_connect_site *here = sl_connect_join(connect, "tyo1");
    struct sl_connect_site *there = sl_connect_join(connect, "osa2");

    (void)state;
    assert_int_equal(sl_connect_site_turn(connect, here, 0), 0);
    assert_int_equal(sl_connect_site_turn(connect, here, 0), 0);
    assert_int_equal(sl_connect_site_turn(connect, here, 0), 100 * SL_NS_PER_MS);
    assert_int_equal(sl_connect_site_turn(connect, there, 0), 0);
    assert_int_equal(sl_connect_turn(connect, 0), 0);
    sl_connect_leave(connect, here);
    sl_connect_leave(connect, there);
    sl_connect_release(connect);
}

static void targets_of_one_site_share_it_while_one_is_left(void **state)
{
    struct sl_connect *connect = made();
    struct sl_connect_site *one = sl_connect_join(connect, "tyo1");
    struct sl_connect_site *two = sl_connect_join(connect, "tyo1");

    (void)state;
    assert_ptr_equal(one, two);
    for (int i = 0; i < 3; i++) {
        (void)sl_connect_site_turn(connect, one, 0);
    }
    sl_connect_leave(connect, one);
    assert_int_equal(sl_connect_site_turn(connect, two, 0), 200 * SL_NS_PER_MS);
    sl_connect_leave(connect, two);
    struct sl_connect_site *anew = sl_connect_join(connect, "tyo1");
    assert_int_equal(sl_connect_site_turn(connect, anew, 0), 0);
    sl_connect_leave(connect, anew);
    sl_connect_release(connect);
}

static void who_has_no_site_waits_among_all_only(void **state)
{
    struct sl_connect *connect = made();

    (void)state;
    assert_null(sl_connect_join(connect, NULL));
    assert_int_equal(sl_connect_site_turn(connect, NULL, 5), 5);
    sl_connect_leave(connect, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sl_connect_turn(connect, 0), 0);
    }
    assert_int_equal(sl_connect_turn(connect, 0), 10 * SL_NS_PER_MS);
    sl_connect_release(connect);
}

static void the_site_is_the_value_of_the_label(void **state)
{
    const struct sluice_pair pairs[] = {{"role", "leaf"}, {"site", "tyo1"}};
    const struct sluice_map labels = {pairs, 2};
    const struct sluice_map role = {pairs, 1};
    struct sl_connect_options none = options;

    (void)state;
    none.per_label.label = "";
    assert_string_equal(sl_connect_value(&options, &labels), "tyo1");
    assert_null(sl_connect_value(&options, &role));
    assert_null(sl_connect_value(&none, &labels));
}

static void new_rates_reach_the_sites_that_are_there(void **state)
{
    struct sl_connect *connect = made();
    struct sl_connect_site *site = sl_connect_join(connect, "tyo1");
    struct sl_connect_options none = options;

    (void)state;
    for (int i = 0; i < 10; i++) {
        (void)sl_connect_site_turn(connect, site, 0);
        (void)sl_connect_turn(connect, 0);
    }
    none.rate = 0;
    none.per_label.label = "";
    sl_connect_set(connect, &none);
    assert_int_equal(sl_connect_site_turn(connect, site, 0), 0);
    assert_int_equal(sl_connect_turn(connect, 0), 0);
    sl_connect_leave(connect, site);
    sl_connect_release(connect);
}

static void it_is_gone_with_its_last_holder(void **state)
{
    struct sl_connect *connect = made();

    (void)state;
    assert_ptr_equal(sl_connect_hold(connect), connect);
    sl_connect_release(connect);
    assert_int_equal(sl_connect_turn(connect, 1), 1);
    sl_connect_release(connect);
    sl_connect_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_has_turns_of_its_own),
        cmocka_unit_test(targets_of_one_site_share_it_while_one_is_left),
        cmocka_unit_test(who_has_no_site_waits_among_all_only),
        cmocka_unit_test(the_site_is_the_value_of_the_label),
        cmocka_unit_test(new_rates_reach_the_sites_that_are_there),
        cmocka_unit_test(it_is_gone_with_its_last_holder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
