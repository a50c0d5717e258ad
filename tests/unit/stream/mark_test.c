/* mark_test.c - what a stream says of itself among its records, and the time it gives them. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "sluice.pb-c.h"

enum { CONNECTED = SLUICE__V1__MARKER__MARKER_CONNECTED };
enum { SYNCED = SLUICE__V1__MARKER__MARKER_SYNCED };
enum { GAP = SLUICE__V1__MARKER__MARKER_GAP };
enum { STALE = SLUICE__V1__MARKER__MARKER_STALE };
enum { RESUMED = SLUICE__V1__MARKER__MARKER_RESUMED };
enum { DISCONNECTED = SLUICE__V1__MARKER__MARKER_DISCONNECTED };
enum { DATA = SLUICE__V1__MARKER__MARKER_NONE };

static const struct sl_clock_config an_hour = {.max_skew_ns = 3600 * SL_NS_PER_S};

static int set_up_marked(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}, .has_markers = true},
        .clock = an_hour,
    };

    return set_up_world(state, &options);
}

static int set_up_marked_lines(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1_JSON},
                  .has_markers = true,
                  .batch = {SL_MIB, 3600 * SL_NS_PER_S}},
        .clock = an_hour,
    };

    return set_up_world(state, &options);
}

static int set_up_events(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_EVENT}, .has_markers = true},
        .clock = an_hour,
    };

    return set_up_world(state, &options);
}

static int set_up_silent(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}, .has_markers = true},
        .clock = an_hour,
        .stale_after_ns = SL_NS_PER_MS,
    };

    return set_up_world(state, &options);
}

static int set_up_last(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}, .is_last_only = true},
        .clock = an_hour,
    };

    return set_up_world(state, &options);
}

static int set_up_receive(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_PROTO}, .clock_policy = SL_CLOCK_RECEIVE},
        .clock = an_hour,
    };

    return set_up_world(state, &options);
}

static Sluice__V1__Record *record_at(size_t index)
{
    const struct sl_buf *kept = &the_fake->kept[index];

    assert_true(index < the_fake->records && index < KEPT_RECORDS);
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);
    assert_non_null(record);
    assert_int_equal(record->seq, the_fake->seqs[index]);
    return record;
}

/* The records from `from` on are these, numbered from `seq` on; there are no more. */
static void assert_records(size_t from, uint64_t seq, const int *markers, size_t count)
{
    assert_int_equal(the_fake->records, from + count);
    for (size_t i = 0; i < count; i++) {
        Sluice__V1__Record *record = record_at(from + i);
        assert_int_equal(record->marker, markers[i]);
        assert_int_equal(record->seq, seq + i);
        assert_int_equal(record->kind == SLUICE__V1__KIND__KIND_MARKER, markers[i] != DATA);
        assert_int_equal(record->gap != NULL, markers[i] == GAP);
        assert_int_equal(record->end != NULL, markers[i] == DISCONNECTED);
        sluice__v1__record__free_unpacked(record, NULL);
    }
}

#define ASSERT_RECORDS(from, seq, ...)                                                             \
    do {                                                                                           \
        const int markers_[] = {__VA_ARGS__};                                                      \
        assert_records(from, seq, markers_, SL_ARRAY_LEN(markers_));                               \
    } while (0)

static void assert_gap(size_t index, const char *reason, uint64_t count)
{
    Sluice__V1__Record *record = record_at(index);

    assert_non_null(record->gap);
    assert_string_equal(record->gap->reason, reason);
    assert_int_equal(record->gap->count, count);
    assert_true(record->gap->from_ns <= record->gap->to_ns && record->gap->to_ns > 0);
    sluice__v1__record__free_unpacked(record, NULL);
}

static void send_bytes(struct world *world, const char *bytes, size_t length)
{
    assert_int_equal(sl_grpc_call_send_bytes(world->device, bytes, (uint32_t)length), SL_GRPC_SENT);
    settle(world);
}

static void hang_up(struct world *world)
{
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    sl_grpc_call_finish(world->device, &status);
    for (int i = 0; i < 3; i++) {
        settle(world);
    }
}

static void wait_for_call(struct world *world, uint64_t epoch)
{
    while (!world->device || view(world).epoch == epoch) {
        settle(world);
    }
}

static void make_room(struct world *world)
{
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    turn(world);
}

/* ---- the tests ---- */

static void an_epoch_begins_and_ends_with_a_marker(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    assert_int_equal(the_fake->records, 0); /* nothing is known of the device yet */
    send_all(world, 100, 2);
    send_bytes(world, "\x18\x01", 2);
    hang_up(world);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, DATA, SYNCED, DISCONNECTED);
    Sluice__V1__Record *last = record_at(5);
    assert_int_equal(last->epoch, epoch);
    assert_string_equal(last->target, "leaf1");
    assert_string_equal(last->subscription, "sub1");
    assert_string_equal(last->end->code, "UNAVAILABLE");
    assert_non_null(strstr(last->end->text, "going away"));
    assert_true(last->end->reason[0] != '\0');
    sluice__v1__record__free_unpacked(last, NULL);
    wait_for_call(world, epoch);
    send_all(world, 100, 1);
    assert_gap(1, "start", 0);
    ASSERT_RECORDS(6, 1, CONNECTED, GAP, DATA);
    assert_gap(7, "reconnect", 0);
    assert_int_equal(counts(world)->held, 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 3);
    assert_int_equal(view(world).routes[0].marks.made, 5);
    assert_int_equal(view(world).routes[0].marks.published, 5);
    assert_int_equal(view(world).cost_held_bytes, 0);
}

static void a_marker_holds_no_window(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 1);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA);
    assert_int_equal(view(world).held_bytes, 100 + SL_GRPC_PREFIX_BYTES);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(view(world).held_bytes, 0);
}

static void a_marker_waits_for_a_full_sink_before_any_later_record(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_all(world, 100, 3);
    assert_int_equal(the_fake->records, 0);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    make_room(world);
    settle(world);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, DATA, DATA);
}

static void no_epoch_begins_while_a_marker_waits(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    send_all(world, 100, 1);
    the_fake->is_full = true;
    hang_up(world);
    while (view(world).state != SL_STREAM_WAITING) {
        settle(world);
    }
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_WAITING);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA);
    make_room(world);
    wait_for_call(world, epoch);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, DISCONNECTED);
    send_all(world, 100, 1);
    ASSERT_RECORDS(4, 1, CONNECTED, GAP, DATA);
}

static void what_is_no_response_is_a_gap(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 1);
    send_bytes(world, "\x0a\xff", 2);
    send_bytes(world, "\x0a\xff", 2);
    send_all(world, 100, 1);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, GAP, GAP, DATA);
    assert_gap(3, "decode", 1);
}

static void what_the_device_left_out_is_a_gap(void **state)
{
    /* /v without a value, duplicates = 5 */
    static const char merged[] = "\x0a\x0b\x22\x09\x0a\x05\x1a\x03\x0a\x01v\x20\x05";
    struct world *world = *state;

    send_bytes(world, merged, sizeof(merged) - 1);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, GAP);
    assert_gap(3, "duplicates", 5);
    assert_int_equal(view(world).duplicates, 5);
}

static void what_a_sink_gave_up_is_a_gap_but_no_marker_is(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 2);
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, DATA, GAP);
    assert_gap(4, "sink", 2);
    assert_int_equal(view(world).routes[0].marks.dropped, 2);
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(the_fake->records, 5);
    assert_int_equal(view(world).routes[0].marks.dropped, 3);
}

static void what_a_call_took_with_it_is_a_gap_of_its_epoch(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 1);
    the_fake->is_full = true;
    send_all(world, 100, 1);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    make_room(world);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, GAP, DISCONNECTED);
    assert_gap(3, "closed", 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 1);
}

static void a_stream_that_is_closed_says_so(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 1);
    sl_stream_close(world->stream);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_true(world->is_closed);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, DISCONNECTED);
}

static void markers_that_never_leave_are_counted(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_all(world, 100, 1);
    sl_stream_abort(world->stream);
    settle(world);
    assert_int_equal(the_fake->records, 0);
    assert_true(view(world).routes[0].marks.made >= 3);
}

static void a_silent_device_is_stale_until_it_speaks(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 1);
    while (!view(world).is_stale) {
        settle(world);
    }
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA, STALE);
    Sluice__V1__Record *record = record_at(3);
    assert_true(record->silent_since_ns > 0);
    sluice__v1__record__free_unpacked(record, NULL);
    the_fake->is_full = true; /* so that it is not stale again before it is looked at */
    send_all(world, 100, 1);
    assert_false(view(world).is_stale);
    make_room(world);
    record = record_at(4);
    assert_int_equal(record->marker, RESUMED);
    sluice__v1__record__free_unpacked(record, NULL);
    record = record_at(5);
    assert_int_equal(record->marker, DATA);
    sluice__v1__record__free_unpacked(record, NULL);
}

static void lines_that_wait_leave_before_a_marker(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 3);
    assert_int_equal(the_fake->records, 2); /* connected, gap */
    send_bytes(world, "\x0a\xff", 2);
    assert_int_equal(the_fake->records, 4);
    assert_int_equal(the_fake->lines[2], 3);
    assert_int_equal(the_fake->seqs[2], 3);
    assert_int_equal(the_fake->lines[3], 1);
    assert_int_equal(the_fake->seqs[3], 6);
    hang_up(world);
    assert_int_equal(the_fake->seqs[4], 7);
}

static void events_say_markers_as_a_value(void **state)
{
    struct world *world = *state;
    static const char *const words[] = {"\"/sluice/marker/kind\":\"connected\"",
                                        "\"/sluice/marker/reason\":\"start\"",
                                        "\"/v\":",
                                        "\"/sluice/marker/kind\":\"synced\"",
                                        "\"/sluice/marker/reason\":\"decode\"",
                                        "\"/sluice/marker/kind\":\"disconnected\""};

    send_all(world, 100, 1);
    send_bytes(world, "\x18\x01", 2);
    send_bytes(world, "\x0a\xff", 2);
    hang_up(world);
    assert_int_equal(the_fake->records, SL_ARRAY_LEN(words));
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        const char *text = sl_buf_text(&the_fake->kept[i]);
        assert_non_null(strstr(text, words[i]));
        assert_non_null(strstr(text, "\"source\":\"leaf1\",\"subscription-name\":\"sub1\""));
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void of_a_path_that_comes_twice_the_last_update_counts(void **state)
{
    /* /v = 1, /w = 2, /v = 3 */
    static const char twice[] = "\x0a\x2d"
                                "\x22\x0d\x0a\x05\x1a\x03\x0a\x01v\x1a\x02\x18\x01\x20\x00"
                                "\x22\x0d\x0a\x05\x1a\x03\x0a\x01w\x1a\x02\x18\x02\x20\x00"
                                "\x22\x0d\x0a\x05\x1a\x03\x0a\x01v\x1a\x02\x18\x03\x20\x00";
    struct world *world = *state;

    the_fake->is_full = true;
    send_bytes(world, twice, sizeof(twice) - 1);
    make_room(world);
    settle(world);
    assert_int_equal(the_fake->records, 1);
    Sluice__V1__Record *record = record_at(0);
    assert_int_equal(record->n_updates, 2);
    assert_string_equal(record->updates[0]->path, "/w");
    assert_string_equal(record->updates[1]->path, "/v");
    assert_int_equal(record->updates[1]->value->uint_val, 3);
    sluice__v1__record__free_unpacked(record, NULL);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->received, 3);
    assert_int_equal(counts(world)->published, 2);
    assert_int_equal(counts(world)->filtered, 1);
}

static void a_time_in_milliseconds_is_said_in_nanoseconds(void **state)
{
    struct world *world = *state;
    int64_t now_ms = sl_loop_wall_ns() / SL_NS_PER_MS;
    char bytes[32] = "\x0a\x00\x08";
    size_t length = 3;

    for (uint64_t rest = (uint64_t)now_ms; rest; rest >>= 7) {
        bytes[length++] = (char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    }
    bytes[1] = (char)(length - 2);
    send_bytes(world, bytes, length);
    ASSERT_RECORDS(0, 1, CONNECTED, GAP, DATA);
    Sluice__V1__Record *record = record_at(2);
    assert_int_equal(record->timestamp_ns, now_ms * SL_NS_PER_MS);
    assert_int_equal(record->sent_case, SLUICE__V1__RECORD__SENT_SENT_TIMESTAMP);
    assert_int_equal(record->sent_timestamp, now_ms);
    sluice__v1__record__free_unpacked(record, NULL);
    assert_int_equal(view(world).clock_unit, SL_CLOCK_MS);
    assert_int_equal(view(world).clock.scaled, 1);
}

static void the_bytes_of_a_message_get_another_time_where_that_is_wanted(void **state)
{
    struct world *world = *state;
    int64_t before_ns = sl_loop_wall_ns();
    struct sl_gnmi_response response;
    struct sl_buf scratch = {0};

    send_all(world, 100, 1);
    assert_int_equal(the_fake->records, 1);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&the_fake->kept[0]), &scratch, &response);
    assert_true(sl_status_is_ok(&status));
    assert_int_equal(response.updates, 1);
    assert_true(response.timestamp_ns >= before_ns);
    assert_int_equal(view(world).clock.zero, 1);
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_epoch_begins_and_ends_with_a_marker, set_up_marked),
        TEST(a_marker_holds_no_window, set_up_marked),
        TEST(a_marker_waits_for_a_full_sink_before_any_later_record, set_up_marked),
        TEST(no_epoch_begins_while_a_marker_waits, set_up_marked),
        TEST(what_is_no_response_is_a_gap, set_up_marked),
        TEST(what_the_device_left_out_is_a_gap, set_up_marked),
        TEST(what_a_sink_gave_up_is_a_gap_but_no_marker_is, set_up_marked),
        TEST(what_a_call_took_with_it_is_a_gap_of_its_epoch, set_up_marked),
        TEST(a_stream_that_is_closed_says_so, set_up_marked),
        TEST(markers_that_never_leave_are_counted, set_up_marked),
        TEST(a_silent_device_is_stale_until_it_speaks, set_up_silent),
        TEST(lines_that_wait_leave_before_a_marker, set_up_marked_lines),
        TEST(events_say_markers_as_a_value, set_up_events),
        TEST(of_a_path_that_comes_twice_the_last_update_counts, set_up_last),
        TEST(a_time_in_milliseconds_is_said_in_nanoseconds, set_up_marked),
        TEST(the_bytes_of_a_message_get_another_time_where_that_is_wanted, set_up_receive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
