/* captured_test.c - a capture of a running stream: what is in it, when it ends, and that the stream
 * is none the wiser. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 64 * 1024, MESSAGE_BYTES = 1000 };

static struct sl_recording_quota quota;

static int set_up(void **state)
{
    return set_up_format(state, SL_FORMAT_PROTO, NULL);
}

static struct sl_recording *begin(const struct world *world, size_t max_bytes)
{
    const struct sl_stream_capture capture = {
        .vendor = "generic", .max_bytes = max_bytes, .quota = &quota};
    struct sl_status why;
    struct sl_recording *recording = sl_stream_capture(world->stream, &capture, &why);

    assert_non_null(recording);
    return recording;
}

static struct sl_recording_view look(const struct sl_recording *recording)
{
    struct sl_recording_view seen;

    sl_recording_view(recording, &seen);
    return seen;
}

/* Messages of so many bytes, the ends of calls, and why it stopped. */
static void expect(struct sl_recording *recording, uint64_t messages, uint64_t ends,
                   const char *reason)
{
    struct sl_gnmi_capture_reader reader = {0};
    struct sl_gnmi_capture_piece piece;
    struct sl_str rest = sl_recording_file(recording);
    uint8_t message[MESSAGE_BYTES];
    struct sl_status why;
    uint64_t seen[3] = {0};

    fill_response(message, sizeof(message));
    assert_int_equal(sl_gnmi_capture_read(&reader, rest, &piece, &why), SL_GNMI_CAPTURE_HEADER);
    assert_true(piece.header.request.len > 0);
    for (;;) {
        rest.data += piece.used_bytes;
        rest.len -= piece.used_bytes;
        if (sl_gnmi_capture_read(&reader, rest, &piece, &why) != SL_GNMI_CAPTURE_ENTRY) {
            break;
        }
        seen[piece.entry.kind]++;
        if (piece.entry.kind == SL_GNMI_CAPTURE_RESPONSE) {
            assert_int_equal(piece.entry.response.len, sizeof(message));
            assert_memory_equal(piece.entry.response.data, message, sizeof(message));
        }
    }
    assert_int_equal(rest.len - piece.used_bytes, 0);
    assert_int_equal(seen[SL_GNMI_CAPTURE_RESPONSE], messages);
    assert_int_equal(seen[SL_GNMI_CAPTURE_END], ends);
    assert_int_equal(seen[SL_GNMI_CAPTURE_STOP], 1);
    assert_string_equal(look(recording).reason, reason);
    sl_recording_release(recording);
    assert_int_equal(atomic_load(&quota.count), 0);
}

/* Those that wait with the device or in the reader come into it when the stream takes them; one
 * that waits half offered was taken before. */
static void it_has_each_message_once_when_the_stream_takes_it(void **state)
{
    struct world *world = *state;

    send_all(world, MESSAGE_BYTES, 3);
    settle(world);
    uint64_t before = view(world).messages;
    struct sl_recording *recording = begin(world, BYTES);
    the_fake->is_full = true;
    send_all(world, MESSAGE_BYTES, 5);
    settle(world);
    the_fake->is_full = false;
    sl_stream_sink_ready(world->stream);
    settle(world);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(look(recording).messages, view(world).messages - before);
    assert_true(look(recording).messages > 0);
    assert_true(sl_stream_capture_stop(world->stream, recording, "duration"));
    assert_false(sl_stream_capture_stop(world->stream, recording, "asked"));
    send_all(world, MESSAGE_BYTES, 2);
    settle(world);
    expect(recording, view(world).messages - before - 2, 0, "duration");
}

static void a_full_one_ends_and_the_stream_goes_on(void **state)
{
    struct world *world = *state;
    struct sl_recording *recording = begin(world, SL_RECORDING_MIN_BYTES);
    struct sl_stream_view before = view(world);

    send_all(world, MESSAGE_BYTES, 10);
    settle(world);
    assert_int_equal(view(world).messages, before.messages + 10);
    assert_int_equal(view(world).epoch, before.epoch);
    assert_int_equal(counts(world)->held, 10);
    assert_int_equal(look(recording).unfit_bytes, MESSAGE_BYTES);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    expect(recording, look(recording).messages, 0, "full");
}

static void it_goes_on_over_calls_that_ask_the_same(void **state)
{
    struct world *world = *state;
    struct sl_recording *recording = begin(world, BYTES);

    send_all(world, MESSAGE_BYTES, 2);
    settle(world);
    uint64_t epoch = view(world).epoch;
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    connect_again(world);
    while (!world->device || view(world).epoch == epoch) {
        settle(world);
    }
    settle(world);
    send_all(world, MESSAGE_BYTES, 1);
    settle(world);
    sl_stream_capture_stop(world->stream, recording, "asked");
    expect(recording, 3, 1, "asked");
}

static void one_at_a_time(void **state)
{
    struct world *world = *state;
    struct sl_recording *recording = begin(world, BYTES);
    const struct sl_stream_capture another = {.vendor = "", .max_bytes = BYTES, .quota = &quota};
    struct sl_status why;

    assert_null(sl_stream_capture(world->stream, &another, &why));
    assert_int_equal(why.code, SL_FAILED_PRECONDITION);
    sl_stream_capture_stop(world->stream, recording, "asked");
    expect(recording, 0, 0, "asked");
}

static void it_ends_with_its_stream(void **state)
{
    struct world *world = *state;
    struct sl_recording *recording = begin(world, BYTES);

    send_all(world, MESSAGE_BYTES, 1);
    settle(world);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    sl_stream_close(world->stream);
    settle(world);
    assert_true(world->is_closed);
    expect(recording, 1, 1, "closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_has_each_message_once_when_the_stream_takes_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_one_ends_and_the_stream_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_over_calls_that_ask_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends_with_its_stream, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
