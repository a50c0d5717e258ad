/* change_test.c - a running stream goes over to another configuration. */
#include "world.h"

enum { MESSAGE_BYTES = 100 };

static const struct world_options plain = {.route = {.encoder = {.format = SL_FORMAT_PROTO}}};
static const struct world_options two_sinks = {.route = {.encoder = {.format = SL_FORMAT_PROTO}},
                                               .extra_memory_bytes = SL_MIB};

static int set_up(void **state)
{
    return set_up_world(state, &plain);
}

static int set_up_two_sinks(void **state)
{
    return set_up_world(state, &two_sinks);
}

static void send(struct world *world, int count)
{
    uint8_t message[MESSAGE_BYTES];

    fill_response(message, sizeof(message));
    for (int i = 0; i < count; i++) {
        assert_int_equal(sl_grpc_call_send_bytes(world->device, message, sizeof(message)),
                         SL_GRPC_SENT);
    }
    settle(world);
}

/* From here on with this configuration, whose format others see in the payloads. */
static void change(struct world *world, enum sl_format format, bool is_anew)
{
    struct sl_stream_config config = world_config(world, &plain);

    world->routes[0].encoder.format = format;
    struct sl_stream_change *change = sl_stream_change_new(&config, is_anew);
    assert_non_null(change);
    sl_stream_change(world->stream, change);
    settle(world);
}

static void come_round(struct world *world, uint64_t subscribes)
{
    int64_t until_ns = sl_loop_now_ns(world->loop) + 30 * SL_NS_PER_S;

    while ((view(world).subscribes < subscribes || view(world).state != SL_STREAM_FLOWING) &&
           sl_loop_now_ns(world->loop) < until_ns) {
        settle(world);
    }
    assert_int_equal(view(world).state, SL_STREAM_FLOWING);
    assert_int_equal(view(world).subscribes, subscribes);
}

static bool is_json(size_t record)
{
    assert_true(record < the_fake->records && record < KEPT_RECORDS);
    return the_fake->kept[record].len > 0 && the_fake->kept[record].data[0] == '{';
}

static void what_is_out_is_waited_for_and_numbers_go_on(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    send(world, 3);
    change(world, SL_FORMAT_SLUICE_V1_JSON, false);
    assert_true(sl_stream_is_changing(world->stream));
    send(world, 2); /* they wait, with the device's credit */
    assert_int_equal(the_fake->records, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_false(sl_stream_is_changing(world->stream));
    assert_int_equal(the_fake->records, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
        assert_int_equal(is_json(i), i >= 3);
    }
    assert_int_equal(view(world).epoch, epoch);
    assert_int_equal(view(world).subscribes, 1);
    assert_int_equal(counts(world)->received, 5);
    assert_int_equal(counts(world)->published, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 5);
}

static void one_with_nothing_out_goes_over_at_once(void **state)
{
    struct world *world = *state;

    change(world, SL_FORMAT_SLUICE_V1_JSON, false);
    assert_false(sl_stream_is_changing(world->stream));
    send(world, 1);
    assert_true(is_json(0));
    assert_int_equal(view(world).subscribes, 1);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void what_the_device_is_asked_is_asked_in_a_call_of_its_own(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    send(world, 2);
    change(world, SL_FORMAT_SLUICE_V1_JSON, true);
    assert_int_equal(view(world).subscribes, 1); /* not before these are back */
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    come_round(world, 2);
    assert_false(sl_stream_is_changing(world->stream));
    assert_true(view(world).epoch > epoch);
    assert_int_equal(world->calls, 2);
    send(world, 1);
    assert_int_equal(the_fake->seqs[2], 1);
    assert_true(is_json(2));
    assert_int_equal(counts(world)->received, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void of_two_changes_the_later_one_counts(void **state)
{
    struct world *world = *state;

    send(world, 1);
    change(world, SL_FORMAT_SLUICE_V1_JSON, true);
    change(world, SL_FORMAT_PROTO, false); /* and still in a call of its own */
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    come_round(world, 2);
    send(world, 1);
    assert_false(is_json(1));
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

/* No update vanishes from the ledger with its route. */
static void what_a_sink_counted_stays_when_it_is_configured_no_more(void **state)
{
    struct world *world = *state;
    struct sl_stream_config config = world_config(world, &two_sinks);

    send(world, 2);
    config.route_count = 1;
    struct sl_stream_change *change = sl_stream_change_new(&config, false);
    assert_non_null(change);
    sl_stream_change(world->stream, change);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_true(sl_stream_is_changing(world->stream)); /* the other one has them yet */
    fake_acknowledge(the_extra, SLUICE_DELIVERED);
    settle(world);
    assert_false(sl_stream_is_changing(world->stream));
    assert_int_equal(world->pool.ended.count, 1);
    assert_string_equal(world->pool.ended.rows[0].sink, "extra");
    assert_int_equal(world->pool.ended.rows[0].counts.published, 2);
    send(world, 1);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(the_extra->records, 2);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 3);
}

/* As when the old sink is given up: what it lost ends the epoch, and the change comes into
 * force. */
static void what_is_lost_meanwhile_is_counted_and_the_change_goes_on(void **state)
{
    struct world *world = *state;

    send(world, 2);
    change(world, SL_FORMAT_SLUICE_V1_JSON, false);
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    come_round(world, 2);
    assert_false(sl_stream_is_changing(world->stream));
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 2);
    send(world, 1);
    assert_true(is_json(2));
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 1);
}

static void one_that_ends_takes_no_change(void **state)
{
    struct world *world = *state;
    struct sl_stream_config config = world_config(world, &plain);

    send(world, 1);
    sl_stream_close(world->stream);
    struct sl_stream_change *change = sl_stream_change_new(&config, false);
    assert_non_null(change);
    sl_stream_change(world->stream, change);
    assert_false(sl_stream_is_changing(world->stream));
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_out_is_waited_for_and_numbers_go_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_with_nothing_out_goes_over_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_device_is_asked_is_asked_in_a_call_of_its_own,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_changes_the_later_one_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_sink_counted_stays_when_it_is_configured_no_more,
                                        set_up_two_sinks, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_meanwhile_is_counted_and_the_change_goes_on,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ends_takes_no_change, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
