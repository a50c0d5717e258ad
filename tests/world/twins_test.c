/* What the twins promise beyond what lib/loop and lib/net do: one seed, one course of things. */
#include "test.h"

#include <string.h>
#include <sys/random.h>

#include "world/world.h"

enum { PORT = 57400, TALK_BYTES = 300000, GUARD_S = 600 };

/* Two ends that talk: the dialled one writes, the accepted one counts and says so at the end. */
struct talk {
    struct sl_loop *loop;
    struct sl_listener *listener;
    struct sl_conn *dialled, *accepted;
    size_t written, read, reads;
    unsigned opens, drains, closes;
    struct sl_status why[2]; /* of the dialled end, of the accepted one */
};

static void write_on(struct talk *talk)
{
    char bytes[7000];

    memset(bytes, 'x', sizeof(bytes));
    while (talk->dialled && talk->written < TALK_BYTES) {
        size_t len = sl_min_size(sizeof(bytes), TALK_BYTES - talk->written);
        talk->written += len;
        if (!sl_conn_write(talk->dialled, bytes, len)) {
            return;
        }
    }
}

static void on_open(struct sl_conn *conn, void *arg)
{
    struct talk *talk = arg;

    (void)conn;
    talk->opens++;
    write_on(talk);
}

static void on_drain(struct sl_conn *conn, void *arg)
{
    struct talk *talk = arg;

    (void)conn;
    talk->drains++;
    write_on(talk);
}

static void on_dialled_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct talk *talk = arg;

    (void)conn;
    talk->closes++;
    talk->why[0] = *why;
    talk->dialled = NULL;
}

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct talk *talk = arg;

    assert_int_equal(bytes[len - 1], 'x');
    talk->read += len;
    talk->reads++;
    if (talk->read == TALK_BYTES) {
        sl_conn_close(conn);
    }
}

static void on_accepted_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct talk *talk = arg;

    (void)conn;
    talk->closes++;
    talk->why[1] = *why;
    talk->accepted = NULL;
}

static const struct sl_conn_events dialled_events = {
    .on_open = on_open,
    .on_drain = on_drain,
    .on_close = on_dialled_close,
};

static const struct sl_conn_events accepted_events = {
    .on_read = on_read,
    .on_close = on_accepted_close,
};

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct talk *talk = arg;

    (void)listener;
    talk->accepted = conn;
    sl_conn_set_events(conn, &accepted_events, talk);
}

static const struct world_link rough = {
    .latency_ns = 3 * SL_NS_PER_MS,
    .jitter_ns = SL_NS_PER_MS,
    .bytes_per_s = 10 * 1000 * 1000,
    .buffer_bytes = 20000,
    .is_ragged = true,
};

static void begin(struct talk *talk, uint64_t seed, const struct world_link *link)
{
    const struct sl_listener_options options = {
        .address = {.kind = SL_ADDRESS_HOST, .host = "device", .port = PORT},
        .accept = on_accept,
        .arg = talk,
    };
    const struct sl_dial_options dial = {.address = options.address, .timeout_ms = 5000};
    struct sl_status why;

    memset(talk, 0, sizeof(*talk));
    world_begin(seed);
    world_set_link("device", PORT, link);
    talk->loop = sl_loop_new();
    talk->listener = sl_listener_open(talk->loop, &options, &why);
    assert_non_null(talk->listener);
    talk->dialled = sl_conn_dial(talk->loop, &dial, &dialled_events, talk);
    assert_non_null(talk->dialled);
}

static void run(struct talk *talk, int64_t for_ns)
{
    (void)talk;
    world_run_until(world_now_ns() + for_ns);
}

static void end(struct talk *talk)
{
    if (talk->dialled) {
        sl_conn_close(talk->dialled);
    }
    if (talk->accepted) {
        sl_conn_close(talk->accepted);
    }
    sl_listener_close(talk->listener);
    run(talk, GUARD_S * SL_NS_PER_S);
    sl_loop_free(talk->loop);
    world_end();
}

static void all_that_is_written_arrives_in_pieces_and_takes_its_time(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, 7, &rough);
    int64_t began_ns = world_now_ns();
    while (talk.closes < 2) {
        assert_true(world_step());
    }
    int64_t took_ns = world_now_ns() - began_ns;
    assert_int_equal(talk.read, TALK_BYTES);
    assert_true(talk.reads > 20 && talk.drains > 1);
    assert_true(took_ns > 30 * SL_NS_PER_MS + 9 * SL_NS_PER_MS); /* 300 KB at 10 MB/s */
    assert_true(took_ns < 2 * SL_NS_PER_S);
    assert_string_equal(talk.why[0].text, "closed by peer");
    assert_int_equal(talk.why[1].code, SL_CANCELLED);
    assert_true(world_counts()->partial_reads > 0 && world_counts()->waiting_writes > 0);
    end(&talk);
}

static uint64_t trace_of(uint64_t seed)
{
    struct talk talk;
    uint64_t trace;

    begin(&talk, seed, &rough);
    run(&talk, SL_NS_PER_S);
    assert_int_equal(talk.read, TALK_BYTES);
    trace = world_trace();
    end(&talk);
    return trace;
}

static void one_seed_is_one_course_of_things(void **state)
{
    (void)state;
    uint64_t first = trace_of(42);
    assert_true(first == trace_of(42));
    assert_true(first != trace_of(43));
    assert_true(first == trace_of(42));
}

static void nobody_there_and_no_answer(void **state)
{
    struct world_link link = world_default_link;
    struct talk talk;

    (void)state;
    link.is_refusing = true;
    begin(&talk, 1, &link);
    run(&talk, SL_NS_PER_S);
    assert_string_equal(sl_status_reason(&talk.why[0]), "connection-refused");
    end(&talk);
    link = (struct world_link){.is_silent = true};
    begin(&talk, 1, &link);
    run(&talk, 5 * SL_NS_PER_S - 1);
    assert_int_equal(talk.closes, 0);
    run(&talk, SL_NS_PER_S);
    assert_string_equal(sl_status_reason(&talk.why[0]), "timed-out");
    assert_int_equal(talk.opens, 0);
    end(&talk);
}

static void a_reset_reaches_both_ends(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, 3, &rough);
    run(&talk, 15 * SL_NS_PER_MS);
    assert_non_null(talk.accepted);
    assert_true(world_other_end(talk.accepted) == talk.dialled);
    world_reset(talk.accepted);
    run(&talk, SL_NS_PER_S);
    assert_int_equal(talk.closes, 2);
    assert_string_equal(sl_status_reason(&talk.why[0]), "connection-reset");
    assert_string_equal(sl_status_reason(&talk.why[1]), "connection-reset");
    assert_true(talk.read < TALK_BYTES);
    end(&talk);
}

static void a_stalled_connection_goes_on_when_it_is_healed(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, 5, &rough);
    run(&talk, 15 * SL_NS_PER_MS);
    size_t before = talk.read;
    world_stall(talk.accepted);
    run(&talk, 20 * SL_NS_PER_S);
    assert_int_equal(talk.read, before);
    world_heal(talk.dialled);
    run(&talk, SL_NS_PER_S);
    assert_int_equal(talk.read, TALK_BYTES);
    assert_int_equal(talk.closes, 2);
    end(&talk);
}

static void a_cut_connection_is_given_up_by_who_dialled_it(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, 5, &rough);
    run(&talk, 15 * SL_NS_PER_MS);
    world_stall(talk.accepted);
    run(&talk, SL_NET_DEAD_PEER_S * SL_NS_PER_S);
    assert_int_equal(talk.closes, 1);
    assert_string_equal(sl_status_reason(&talk.why[0]), "timed-out");
    run(&talk, GUARD_S * SL_NS_PER_S);
    assert_non_null(talk.accepted); /* it hears nothing */
    world_heal(talk.accepted);
    run(&talk, SL_NS_PER_S);
    assert_string_equal(sl_status_reason(&talk.why[1]), "connection-reset");
    end(&talk);
}

static void nothing_random_comes_from_elsewhere(void **state)
{
    uint64_t first[2], second[2];

    (void)state;
    world_begin(9);
    assert_int_equal(getrandom(first, sizeof(first), 0), sizeof(first));
    world_begin(9);
    assert_int_equal(getrandom(second, sizeof(second), 0), sizeof(second));
    assert_memory_equal(first, second, sizeof(first));
    world_end();
}

static void draws_keep_within_their_bounds(void **state)
{
    struct world_random random;
    size_t small = 0, large = 0;

    (void)state;
    world_random_init(&random, 1, "draws");
    for (size_t i = 0; i < 10000; i++) {
        uint64_t scaled = world_random_scale(&random, 10, 1000010);
        assert_true(scaled >= 10 && scaled <= 1000010);
        small += scaled < 1010;
        large += scaled >= 500010;
        uint64_t even = world_random_between(&random, 5, 7);
        assert_true(even >= 5 && even <= 7);
    }
    assert_true(small > 4000 && small < 6000 && large > 100);
    assert_int_equal(world_random_scale(&random, 3, 3), 3);
    assert_true(world_random_scale(&random, 0, INT64_MAX) <= INT64_MAX);
    assert_false(world_random_chance(&random, 0));
    assert_true(world_random_chance(&random, 1000));
}

static void a_generator_is_its_seed_and_its_name(void **state)
{
    struct world_random a, b, c;

    (void)state;
    world_random_init(&a, 7, "a");
    world_random_init(&b, 7, "b");
    world_random_init(&c, 7, "a");
    uint64_t first = world_random_next(&a);
    assert_true(first != world_random_next(&b));
    assert_true(first == world_random_next(&c));
}

static void clocks_are_apart(void **state)
{
    struct sl_loop *loop;

    (void)state;
    world_begin(1);
    loop = sl_loop_new();
    int64_t wall_ns = sl_loop_wall_ns(), now_ns = sl_loop_now_ns(loop);
    world_jump_wall(-SL_NS_PER_S);
    assert_true(sl_loop_wall_ns() == wall_ns - SL_NS_PER_S);
    assert_true(sl_loop_now_ns(loop) == now_ns);
    assert_true(world_run_until(now_ns + 3600 * SL_NS_PER_S));
    assert_true(sl_loop_wall_ns() == wall_ns + 3599 * SL_NS_PER_S);
    sl_loop_free(loop);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_written_arrives_in_pieces_and_takes_its_time),
        cmocka_unit_test(one_seed_is_one_course_of_things),
        cmocka_unit_test(nobody_there_and_no_answer),
        cmocka_unit_test(a_reset_reaches_both_ends),
        cmocka_unit_test(a_stalled_connection_goes_on_when_it_is_healed),
        cmocka_unit_test(a_cut_connection_is_given_up_by_who_dialled_it),
        cmocka_unit_test(nothing_random_comes_from_elsewhere),
        cmocka_unit_test(draws_keep_within_their_bounds),
        cmocka_unit_test(a_generator_is_its_seed_and_its_name),
        cmocka_unit_test(clocks_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
