/* What every connection does, one over a socket and one of tests/world alike. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 200, BIG_BYTES = 32 * 1024 * 1024 };

static struct world world;

static void bytes_pass_both_ways(void **state)
{
    struct end end = {.to_write = 1000, .wanted_bytes = 2000, .stop_at = ON_READ};

    (void)state;
    open_world(&world);
    world.accepted_to_write = 2000;
    dial_listener(&world, &end);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_int_equal(end.read_bytes, 2000);
    char peer[80];
    snprintf(peer, sizeof(peer), "127.0.0.1:%u", (unsigned)world.address.port);
    assert_string_equal(end.peer, peer);
    while (world.ends[0].read_bytes < 1000) {
        world.ends[0].stop_at = ON_READ;
        run(&world);
    }
    assert_true(strncmp(sl_conn_peer(world.ends[0].conn), "127.0.0.1:", 10) == 0);
    close_and_see(&world, &end);
    assert_int_equal(end.why.code, SL_CANCELLED);
    close_world(&world);
}

static void a_big_stream_drains_and_arrives_whole(void **state)
{
    struct end end = {.to_write = BIG_BYTES};

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    dial_listener(&world, &end);
    run(&world);
    world.ends[0].stop_at = ON_READ;
    world.ends[0].wanted_bytes = BIG_BYTES;
    run(&world);
    assert_int_equal(world.ends[0].read_bytes, BIG_BYTES);
    assert_true(end.refusals > 0);
    assert_true(end.drains + 1 >= end.refusals);
    close_and_see(&world, &end);
    close_world(&world);
}

static void one_write_larger_than_the_socket_is_copied(void **state)
{
    static uint8_t big[8 * 1024 * 1024];
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i % 251);
    }
    open_world(&world);
    world.wanted_accepts = 0;
    dial_listener(&world, &end);
    run(&world);
    assert_false(sl_conn_write(end.conn, big, sizeof(big)));
    end.refusals++;
    memset(big, 0, sizeof(big));
    end.stop_at = ON_DRAIN;
    run(&world);
    assert_int_equal(end.drains, 1);
    if (world.ends[0].read_bytes < sizeof(big)) {
        world.ends[0].stop_at = ON_READ;
        world.ends[0].wanted_bytes = sizeof(big);
        run(&world);
    }
    assert_int_equal(world.ends[0].read_bytes, sizeof(big));
    close_and_see(&world, &end);
    close_world(&world);
}

static void a_paused_connection_reads_nothing_and_holds_the_writer(void **state)
{
    struct end end = {.to_write = BIG_BYTES};

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    dial_listener(&world, &end);
    run(&world);
    sl_conn_pause(world.ends[0].conn);
    size_t before = world.ends[0].read_bytes;
    run_for(&world, 100);
    assert_int_equal(world.ends[0].read_bytes, before);
    assert_true(end.written_bytes < BIG_BYTES);
    assert_true(end.refusals > end.drains);
    sl_conn_resume(world.ends[0].conn);
    sl_conn_resume(world.ends[0].conn);
    world.ends[0].stop_at = ON_READ;
    world.ends[0].wanted_bytes = BIG_BYTES;
    run(&world);
    assert_int_equal(world.ends[0].read_bytes, BIG_BYTES);
    close_and_see(&world, &end);
    close_world(&world);
}

static void a_connection_may_be_closed_in_every_event(void **state)
{
    static const enum event events[] = {ON_OPEN, ON_READ, ON_DRAIN, ON_CLOSE};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(events); i++) {
        struct end end = {.to_write = BIG_BYTES, .close_at = events[i], .stop_at = ON_CLOSE};

        open_world(&world);
        world.accepted_to_write = 100000;
        world.close_accepted_at = events[i] == ON_CLOSE ? ON_READ : NONE;
        dial_listener(&world, &end);
        run(&world);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.opens, 1);
        assert_int_equal(end.why.code, events[i] == ON_CLOSE ? SL_UNAVAILABLE : SL_CANCELLED);
        close_world(&world);
    }
}

static void an_accepted_connection_may_be_closed_at_once(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    world.close_accepted_at = ON_ACCEPT;
    dial_listener(&world, &end);
    run(&world);
    assert_int_equal(end.why.code, SL_UNAVAILABLE);
    assert_string_equal(end.why.text, "closed by peer");
    close_world(&world);
    assert_int_equal(world.ends[0].why.code, SL_CANCELLED);
}

static void what_is_queued_dies_with_the_connection(void **state)
{
    struct end end = {.to_write = BIG_BYTES};

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    dial_listener(&world, &end);
    run(&world);
    sl_conn_pause(world.ends[0].conn);
    run_for(&world, 20);
    assert_true(end.refusals > end.drains);
    close_and_see(&world, &end);
    assert_true(end.refusals > end.drains);
    close_world(&world);
}

static void many_connections_pass_their_bytes(void **state)
{
    static struct end ends[MANY];
    size_t expected = 300000;

    (void)state;
    memset(ends, 0, sizeof(ends));
    open_world(&world);
    world.accepted_to_write = expected;
    for (size_t i = 0; i < MANY; i++) {
        ends[i].stop_at = ON_READ;
        ends[i].wanted_bytes = expected;
        dial_listener(&world, &ends[i]);
    }
    for (size_t done = 0; done < MANY;) {
        run(&world);
        done = 0;
        for (size_t i = 0; i < MANY; i++) {
            done += ends[i].read_bytes == expected;
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(ends[i].opens, 1);
        close_and_see(&world, &ends[i]);
    }
    close_world(&world);
}

static void close_listener(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct world *own = arg;

    sl_conn_close(conn);
    sl_listener_close(listener);
    sl_loop_stop(own->loop);
}

static void a_listener_may_be_closed_while_it_accepts(void **state)
{
    const struct sl_listener_options options = {
        .address = {.host = "127.0.0.1", .port = 0}, .accept = close_listener, .arg = &world};
    struct sl_listener *listener;
    struct sl_status why;
    struct end ends[2] = {{0}, {0}};

    (void)state;
    open_world(&world);
    listener = sl_listener_open(world.loop, &options, &why);
    assert_non_null(listener);
    uint16_t own_port = world.address.port;
    world.address.port = sl_listener_port(listener);
    dial_listener(&world, &ends[0]);
    dial_listener(&world, &ends[1]);
    world.address.port = own_port;
    run(&world);
    close_and_see(&world, &ends[0]);
    close_and_see(&world, &ends[1]);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(a_big_stream_drains_and_arrives_whole),
        cmocka_unit_test(one_write_larger_than_the_socket_is_copied),
        cmocka_unit_test(a_paused_connection_reads_nothing_and_holds_the_writer),
        cmocka_unit_test(a_connection_may_be_closed_in_every_event),
        cmocka_unit_test(an_accepted_connection_may_be_closed_at_once),
        cmocka_unit_test(what_is_queued_dies_with_the_connection),
        cmocka_unit_test(many_connections_pass_their_bytes),
        cmocka_unit_test(a_listener_may_be_closed_while_it_accepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
