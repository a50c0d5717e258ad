/* share_test.c - a stream whose share of the memory is small. */
#include "world.h"

enum { SHARED = 32 * 1024, SMALL = 100, FRAMED = SMALL + 5 };

static int set_up(void **state)
{
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_PROTO}},
                                          .shared_bytes = SHARED};

    return set_up_world(state, &options);
}

static void acknowledge_all(struct world *world)
{
    for (uint64_t before = UINT64_MAX; before != the_fake->records;) {
        before = the_fake->records;
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
}

static void messages_wait_as_bytes_when_their_records_would_not_fit(void **state)
{
    struct world *world = *state;
    unsigned sent = send_all(world, SMALL, 1000);

    settle(world);
    struct sl_stream_view held = view(world);
    uint64_t arrived = held.messages * FRAMED + held.assembling_bytes;
    assert_true(held.cost_held_bytes <= SHARED);
    assert_true(held.cost_held_bytes > SHARED / 2);
    assert_true(arrived > held.messages * FRAMED + SMALL); /* more is there than became records */
    assert_true(arrived + held.granted_bytes <= SL_CREDIT_FLOOR_BYTES);
    assert_int_equal(held.state, SL_STREAM_FLOWING);
    acknowledge_all(world);
    assert_int_equal(the_fake->records, sent);
    assert_int_equal(counts(world)->published, sent);
    assert_int_equal(view(world).cost_held_bytes, 0);
    for (uint64_t i = 0; i < sent; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void a_message_larger_than_the_share_comes_by_the_reserve(void **state)
{
    struct world *world = *state;
    unsigned small = send_all(world, SMALL, 10);
    unsigned large = send_all(world, 200 * 1000, 1);

    acknowledge_all(world);
    assert_int_equal(the_fake->records, small + large);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_null(world->pool.reserve.borrower);
}

static void what_waits_is_gone_with_the_call_and_counts_for_nothing(void **state)
{
    struct world *world = *state;

    send_all(world, SMALL, 1000);
    settle(world);
    uint64_t messages = view(world).messages;
    world->device = NULL;
    connect_again(world);
    settle(world);
    acknowledge_all(world);
    while (!world->device) { /* its backoff is a moment */
        settle(world);
    }
    assert_int_equal(view(world).messages, messages);
    assert_int_equal(counts(world)->received, messages);
    assert_int_equal(counts(world)->published, messages);
    assert_true(sl_governor_is_valid(&world->pool.governor));
    unsigned sent = send_all(world, SMALL, 20); /* the new one flows */
    acknowledge_all(world);
    assert_int_equal(counts(world)->published, messages + sent);
}

static void all_is_given_back_when_the_stream_ends(void **state)
{
    struct world *world = *state;

    send_all(world, SMALL, 1000);
    settle(world);
    assert_true(world->pool.governor.promised_bytes > 0);
    sl_stream_close(world->stream);
    acknowledge_all(world);
    settle(world);
    assert_true(world->is_closed);
    assert_int_equal(world->pool.governor.held_bytes, 0);
    assert_true(world->pool.governor.promised_bytes <= SL_CREDIT_FLOOR_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_wait_as_bytes_when_their_records_would_not_fit),
        TEST(a_message_larger_than_the_share_comes_by_the_reserve),
        TEST(what_waits_is_gone_with_the_call_and_counts_for_nothing),
        TEST(all_is_given_back_when_the_stream_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
