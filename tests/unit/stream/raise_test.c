/* raise_test.c - a sink that had to start anew ends the epoch of whose records it lost, and of
 * nobody else's. */
#include "world.h"

#include <string.h>

#include "sluice.pb-c.h"

enum { MESSAGE_BYTES = 100 };

static int set_up_marked(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}, .has_markers = true},
    };

    return set_up_world(state, &options);
}

static int set_up_marked_lines(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1_JSON},
                  .has_markers = true,
                  .batch = {SL_MIB, 3600 * SL_NS_PER_S}},
    };

    return set_up_world(state, &options);
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

/* The stream has gone the whole way round, and subscribed anew. */
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

static Sluice__V1__Record *record_at(size_t index)
{
    const struct sl_buf *kept = &the_fake->kept[index];

    assert_true(index < the_fake->records && index < KEPT_RECORDS);
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);
    assert_non_null(record);
    return record;
}

static void assert_number(size_t index, uint64_t epoch, uint64_t seq)
{
    Sluice__V1__Record *record = record_at(index);

    assert_int_equal(record->epoch, epoch);
    assert_int_equal(record->seq, seq);
    sluice__v1__record__free_unpacked(record, NULL);
}

/* From `index` on: connected, the one gap, data. */
static void assert_begins_anew(size_t index, uint64_t lost, int64_t not_before_ns)
{
    Sluice__V1__Record *connected = record_at(index);
    Sluice__V1__Record *gap = record_at(index + 1);
    Sluice__V1__Record *data = record_at(index + 2);

    assert_int_equal(connected->marker, SLUICE__V1__MARKER__MARKER_CONNECTED);
    assert_int_equal(connected->seq, 1);
    assert_int_equal(gap->marker, SLUICE__V1__MARKER__MARKER_GAP);
    assert_string_equal(gap->gap->reason, "sink-restart");
    assert_int_equal(gap->gap->count, lost);
    assert_true(gap->gap->from_ns >= not_before_ns && gap->gap->from_ns <= gap->gap->to_ns);
    assert_int_equal(data->marker, SLUICE__V1__MARKER__MARKER_NONE);
    assert_int_equal(data->seq, 3);
    sluice__v1__record__free_unpacked(connected, NULL);
    sluice__v1__record__free_unpacked(gap, NULL);
    sluice__v1__record__free_unpacked(data, NULL);
}

static void what_is_lost_ends_the_epoch_and_is_told_once(void **state)
{
    struct world *world = *state;
    int64_t before_ns = sl_loop_wall_ns();
    uint64_t epoch = view(world).epoch;

    send(world, 2); /* connected, gap, two records */
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    send(world, 3);
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 3);
    come_round(world, 2);
    assert_true(view(world).epoch > epoch);
    assert_int_equal(the_fake->records, 7); /* nothing more of the old epoch */
    send(world, 1);
    assert_int_equal(the_fake->records, 10);
    assert_begins_anew(7, 3, before_ns);
    assert_number(9, view(world).epoch, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 3);
    assert_int_equal(counts(world)->held, 0);
}

static void a_message_that_waits_for_room_is_part_of_the_gap(void **state)
{
    struct world *world = *state;

    send(world, 1);
    the_fake->is_full = true;
    send(world, 2);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    come_round(world, 2);
    assert_int_equal(the_fake->records, 3); /* connected, gap, and the one that was lost */
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 1);
    send(world, 1);
    assert_begins_anew(3, 2, 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void who_has_nothing_out_goes_on_in_its_epoch(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    send(world, 1);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    the_fake->host->calls->available(the_fake->host, false, "it starts anew");
    settle(world);
    the_fake->host->calls->available(the_fake->host, true, "");
    send(world, 1);
    assert_int_equal(view(world).subscribes, 1);
    assert_number(3, epoch, 4);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void it_waits_until_the_sink_is_back(void **state)
{
    struct world *world = *state;

    send(world, 1);
    the_fake->host->calls->available(the_fake->host, false, "it starts anew");
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    for (int i = 0; i < 10; i++) {
        settle(world);
    }
    assert_int_equal(view(world).state, SL_STREAM_WAITING);
    the_fake->host->calls->available(the_fake->host, true, "");
    come_round(world, 2);
    send(world, 1);
    assert_begins_anew(3, 1, 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void what_is_lost_after_the_end_of_its_epoch_is_told_in_the_next(void **state)
{
    struct world *world = *state;
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    send(world, 2);
    the_fake->host->calls->available(the_fake->host, false, "it starts anew");
    sl_grpc_call_finish(world->device, &status);
    for (int i = 0; i < 10; i++) {
        settle(world);
    }
    assert_int_equal(the_fake->records, 5); /* with connected, gap and disconnected */
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    the_fake->host->calls->available(the_fake->host, true, "");
    come_round(world, 2);
    send(world, 1);
    assert_begins_anew(5, 2, 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(view(world).subscribes, 2);
}

static void lines_that_wait_for_company_are_given_up(void **state)
{
    struct world *world = *state;

    send(world, 1);
    send(world, 1);
    sl_stream_sink_ready(world->stream); /* not due: they wait on */
    assert_int_equal(the_fake->records, 2);
    fake_acknowledge(the_fake, SLUICE_RESTARTED); /* connected and gap alone were out */
    come_round(world, 2);
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 2);
    assert_int_equal(counts(world)->held, 0);
}

static void a_stream_that_ends_just_ends(void **state)
{
    struct world *world = *state;

    send(world, 2);
    sl_stream_close(world->stream);
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    for (int i = 0; i < 10 && !world->is_closed; i++) {
        settle(world);
    }
    assert_true(world->is_closed);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 2);
    assert_int_equal(view(world).subscribes, 1);
}

static void a_sink_that_is_not_required_ends_no_epoch(void **state)
{
    struct world *world = *state;

    world->spec.is_required = false;
    world->spec.memory_bytes = SL_MIB;
    send(world, 2);
    fake_acknowledge(the_fake, SLUICE_RESTARTED);
    send(world, 1);
    assert_int_equal(view(world).subscribes, 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK_RESTART], 2);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void each_result_has_its_reason(void **state)
{
    static const struct {
        enum sluice_result result;
        enum sl_drop_reason reason;
    } rows[] = {{SLUICE_FAILED, SL_DROP_SINK},
                {SLUICE_TOO_LARGE, SL_DROP_TOO_LARGE},
                {SLUICE_DEAD_LETTER, SL_DROP_DEAD_LETTER}};
    struct world *world = *state;

    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        send(world, 1);
        fake_acknowledge(the_fake, rows[i].result);
        settle(world);
        fake_acknowledge(the_fake, SLUICE_DELIVERED); /* the gap */
        assert_int_equal(counts(world)->dropped[rows[i].reason], 1);
    }
    assert_int_equal(view(world).subscribes, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_marked, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_lost_ends_the_epoch_and_is_told_once),
        CASE(a_message_that_waits_for_room_is_part_of_the_gap),
        CASE(who_has_nothing_out_goes_on_in_its_epoch),
        CASE(it_waits_until_the_sink_is_back),
        CASE(what_is_lost_after_the_end_of_its_epoch_is_told_in_the_next),
        CASE(a_stream_that_ends_just_ends),
        CASE(a_sink_that_is_not_required_ends_no_epoch),
        CASE(each_result_has_its_reason),
        cmocka_unit_test_setup_teardown(lines_that_wait_for_company_are_given_up,
                                        set_up_marked_lines, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
