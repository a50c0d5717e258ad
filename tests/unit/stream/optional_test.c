/* optional_test.c - a sink that is not required, beside one that is: it holds nobody, what it has
 * no room for is counted and marked, and what it may keep is bounded. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "sluice.pb-c.h"

enum { MEMORY_BYTES = 64 * 1024, MESSAGE_BYTES = 1000, MANY = 400 };
enum { BEGINNING = 2 }; /* markers: connected, and the gap before it */
enum { DATA = SLUICE__V1__MARKER__MARKER_NONE };
enum { CONNECTED = SLUICE__V1__MARKER__MARKER_CONNECTED };
enum { GAP = SLUICE__V1__MARKER__MARKER_GAP };
enum { DISCONNECTED = SLUICE__V1__MARKER__MARKER_DISCONNECTED };

static int set_up(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}, .has_markers = true},
        .extra_memory_bytes = MEMORY_BYTES,
    };

    return set_up_world(state, &options);
}

static int set_up_lines(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1_JSON},
                  .has_markers = true,
                  .batch = {SL_MIB, 3600 * SL_NS_PER_S}},
        .extra_memory_bytes = MEMORY_BYTES,
    };

    return set_up_world(state, &options);
}

static const struct sl_route_counts *extra_counts(const struct world *world)
{
    return &view(world).routes[1].counts;
}

/* The device sends, and the required sink acknowledges at once. */
static void send_on(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(send_all(world, MESSAGE_BYTES, 1), 1);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
}

/* What the extra sink got, up to KEPT_RECORDS: markers, counts and numbers. */
static Sluice__V1__Record *extra_record(size_t index)
{
    const struct sl_buf *kept = &the_extra->kept[index];
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);

    assert_non_null(record);
    return record;
}

static void expect(size_t index, int marker, uint64_t seq, const char *reason, uint64_t count)
{
    Sluice__V1__Record *record = extra_record(index);

    assert_int_equal(record->marker, marker);
    assert_int_equal(record->seq, seq);
    if (marker == (int)GAP) {
        assert_string_equal(record->gap->reason, reason);
        assert_int_equal(record->gap->count, count);
    }
    sluice__v1__record__free_unpacked(record, NULL);
}

static void make_room(struct world *world)
{
    the_extra->is_full = false;
    the_extra->host->calls->ready(the_extra->host);
    settle(world);
}

static void a_full_one_holds_nobody(void **state)
{
    struct world *world = *state;

    the_extra->is_full = true;
    send_on(world, MANY);
    assert_int_equal(view(world).state, SL_STREAM_FLOWING);
    assert_int_equal(counts(world)->published, MANY);
    assert_int_equal(extra_counts(world)->dropped[SL_DROP_SINK_FULL], MANY);
    assert_int_equal(extra_counts(world)->held, 0);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_int_equal(the_extra->records, 0);
}

static void credit_returns_without_its_acknowledgement(void **state)
{
    struct world *world = *state;

    send_on(world, 10);
    assert_int_equal(the_extra->count, 10 + BEGINNING);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_int_equal(extra_counts(world)->held, 10);
    fake_acknowledge(the_extra, SLUICE_DELIVERED);
    assert_int_equal(extra_counts(world)->published, 10);
    assert_int_equal(sl_sink_cost(world->extra), 0);
}

static void what_it_keeps_is_bounded(void **state)
{
    struct world *world = *state;
    uint64_t most = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            send_on(world, 1);
            most = sl_max_u64(most, sl_sink_cost(world->extra));
        }
        assert_true(the_extra->count > 10);
        fake_acknowledge(the_extra, SLUICE_DELIVERED);
        settle(world);
    }
    assert_true(most >= MEMORY_BYTES);
    assert_true(most < MEMORY_BYTES + 4 * MESSAGE_BYTES); /* a record, and a marker */
    assert_int_equal(counts(world)->published, 3 * MANY);
    assert_true(extra_counts(world)->dropped[SL_DROP_SINK_FULL] > MANY);
    assert_int_equal(extra_counts(world)->published + extra_counts(world)->held +
                         extra_counts(world)->dropped[SL_DROP_SINK_FULL],
                     3 * MANY);
}

static void what_it_missed_is_one_gap_and_no_hole(void **state)
{
    struct world *world = *state;

    send_on(world, 1);
    the_extra->is_full = true;
    send_on(world, 7);
    make_room(world);
    send_on(world, 1);
    assert_int_equal(the_extra->records, BEGINNING + 3);
    expect(0, CONNECTED, 1, NULL, 0);
    expect(1, GAP, 2, "start", 0);
    expect(2, DATA, 3, NULL, 0);
    expect(3, GAP, 4, "sink-full", 7);
    expect(4, DATA, 5, NULL, 0);
}

static void reconnects_meanwhile_leave_nothing_behind(void **state)
{
    struct world *world = *state;
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    send_on(world, 1);
    the_extra->is_full = true;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t epoch = view(world).epoch;
        sl_grpc_call_finish(world->device, &status);
        while (!world->device || view(world).epoch == epoch) {
            settle(world);
        }
        send_on(world, 2);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
    }
    assert_true(view(world).routes[1].waiting.next->next == &view(world).routes[1].waiting);
    make_room(world);
    send_on(world, 1);
    assert_int_equal(the_extra->records, BEGINNING + 4);
    expect(3, DISCONNECTED, 4, NULL, 0); /* the one with which it said that it was full */
    expect(4, GAP, 1, "sink-full", 40);  /* the first number of its epoch */
    expect(5, DATA, 2, NULL, 0);
    const struct sl_mark_counts *marks = &view(world).routes[1].marks;
    /* disconnected, connected and gap each time */
    assert_int_equal(marks->made, BEGINNING + 20 * 3 + 1);
    assert_int_equal(marks->dropped, 20 * 3 - 1);
}

static void a_stream_opens_and_ends_without_it(void **state)
{
    struct world *world = *state;

    send_on(world, 3);
    the_extra->host->calls->available(the_extra->host, false, "gone");
    uint64_t epoch = view(world).epoch;
    connect_again(world);
    while (!world->device || view(world).epoch == epoch) {
        settle(world);
    }
    send_on(world, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    sl_stream_close(world->stream);
    settle(world);
    assert_true(world->is_closed);
    assert_int_equal(extra_counts(world)->held, 6);
    fake_acknowledge(the_extra, SLUICE_FAILED);
    assert_int_equal(extra_counts(world)->dropped[SL_DROP_SINK], 6);
}

static void a_batch_that_is_refused_leaves_no_hole(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(send_all(world, MESSAGE_BYTES, 1), 1);
    }
    fake_acknowledge(the_extra, SLUICE_DELIVERED);
    assert_int_equal(the_extra->records, BEGINNING);
    assert_int_equal(view(world).routes[1].seq, BEGINNING + 5);
    the_extra->is_full = true;
    sl_stream_close(world->stream); /* the batches leave now */
    settle(world);
    assert_int_equal(extra_counts(world)->dropped[SL_DROP_SINK_FULL], 5);
    assert_int_equal(view(world).routes[1].seq, BEGINNING);
    assert_int_equal(sl_sink_cost(world->extra), 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_true(world->is_closed);
}

/* They hold none of the device's window, so that only their memory bounds them. */
static void lines_that_wait_are_bounded_too(void **state)
{
    struct world *world = *state;
    uint64_t most = 0;

    for (int i = 0; i < MANY; i++) {
        assert_int_equal(send_all(world, MESSAGE_BYTES, 1), 1);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
        most = sl_max_u64(most, sl_sink_cost(world->extra));
    }
    assert_true(most >= MEMORY_BYTES);
    assert_true(most < 4 * MEMORY_BYTES); /* the buffer doubles as it grows */
    assert_true(extra_counts(world)->dropped[SL_DROP_SINK_FULL] > 0);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_LINES(name) cmocka_unit_test_setup_teardown(name, set_up_lines, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_one_holds_nobody),
        TEST(credit_returns_without_its_acknowledgement),
        TEST(what_it_keeps_is_bounded),
        TEST(what_it_missed_is_one_gap_and_no_hole),
        TEST(reconnects_meanwhile_leave_nothing_behind),
        TEST(a_stream_opens_and_ends_without_it),
        TEST_LINES(a_batch_that_is_refused_leaves_no_hole),
        TEST_LINES(lines_that_wait_are_bounded_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
