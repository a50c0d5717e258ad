/* A capture in memory: what is in it, what it is when there is no room, how much of them there may
 * be at once, and allocations that fail. */
#include "capture/recording.h"

#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "test.h"

static const char *const subscriptions[] = {"counters", NULL};
static char long_text[SL_RECORDING_MIN_BYTES];

static struct sl_recording_options options_of(struct sl_recording_quota *quota, size_t max_bytes)
{
    return (struct sl_recording_options){
        .header = {.target = SL_STR("leaf1"),
                   .vendor = SL_STR("generic"),
                   .request = SL_STR("the request"),
                   .started_ns = 7},
        .subscriptions = subscriptions,
        .max_bytes = max_bytes,
        .quota = quota,
    };
}

static struct sl_recording *make(struct sl_recording_quota *quota, size_t max_bytes)
{
    const struct sl_recording_options options = options_of(quota, max_bytes);
    struct sl_status why;
    struct sl_recording *recording = sl_recording_new(&options, &why);

    assert_non_null(recording);
    return recording;
}

/* Reads the file from the front: the entries, into `entries`, as many as there are. */
static size_t read_file(const struct sl_recording *recording, struct sl_gnmi_capture_header *header,
                        struct sl_gnmi_capture_entry *entries, size_t room)
{
    struct sl_gnmi_capture_reader reader = {0};
    struct sl_gnmi_capture_piece piece;
    struct sl_str rest = sl_recording_file(recording);
    struct sl_status why;
    size_t count = 0;

    for (;;) {
        enum sl_gnmi_capture_step step = sl_gnmi_capture_read(&reader, rest, &piece, &why);
        rest.data += piece.used_bytes;
        rest.len -= piece.used_bytes;
        if (step == SL_GNMI_CAPTURE_HEADER) {
            *header = piece.header;
        } else if (step == SL_GNMI_CAPTURE_ENTRY) {
            assert_true(count < room);
            entries[count++] = piece.entry;
        } else {
            break;
        }
    }
    why = sl_gnmi_capture_end(&reader, rest.len);
    assert_true(sl_status_is_ok(&why));
    return count;
}

static void a_recording_is_a_capture_as_any_other(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_recording *recording = make(&quota, SL_RECORDING_MIN_BYTES);
    struct sl_gnmi_capture_header header;
    struct sl_gnmi_capture_entry entries[4];
    struct sl_recording_view view;

    (void)state;
    assert_true(sl_recording_response(recording, 10, SL_STR("one")));
    assert_true(sl_recording_response(recording, 11, SL_STR("")));
    assert_true(sl_recording_end(recording, 12, SL_UNAVAILABLE, SL_STR("gone")));
    sl_recording_view(recording, &view);
    assert_null(view.reason);
    sl_recording_stop(recording, 13, "duration");
    sl_recording_stop(recording, 14, "asked");
    assert_false(sl_recording_response(recording, 15, SL_STR("late")));
    assert_false(sl_recording_end(recording, 15, SL_OK, SL_STR("late")));
    assert_int_equal(read_file(recording, &header, entries, SL_ARRAY_LEN(entries)), 4);
    assert_true(sl_str_eq(header.target, SL_STR("leaf1")));
    assert_true(sl_str_eq(header.request, SL_STR("the request")));
    assert_int_equal(header.started_ns, 7);
    assert_true(sl_str_eq(entries[0].response, SL_STR("one")));
    assert_int_equal(entries[0].received_ns, 10);
    assert_int_equal(entries[1].response.len, 0);
    assert_int_equal(entries[2].code, SL_UNAVAILABLE);
    assert_true(sl_str_eq(entries[2].text, SL_STR("gone")));
    assert_int_equal(entries[3].kind, SL_GNMI_CAPTURE_STOP);
    assert_true(sl_str_eq(entries[3].text, SL_STR("duration")));
    sl_recording_view(recording, &view);
    assert_int_equal(view.messages, 2);
    assert_int_equal(view.calls_ended, 1);
    assert_int_equal(view.stopped_ns, 13);
    assert_string_equal(view.reason, "duration");
    assert_int_equal(view.bytes, sl_recording_file(recording).len);
    sl_recording_release(recording);
}

static void what_has_no_room_ends_it_whole(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_gnmi_capture_header header;
    struct sl_gnmi_capture_entry entries[SL_RECORDING_MIN_BYTES];
    struct sl_recording_view view;

    (void)state;
    for (size_t len = 0; len < SL_RECORDING_MIN_BYTES; len += 37) {
        struct sl_recording *recording = make(&quota, SL_RECORDING_MIN_BYTES);
        struct sl_str message = {long_text, len};
        while (sl_recording_response(recording, 10, message)) {
        }
        size_t count = read_file(recording, &header, entries, SL_ARRAY_LEN(entries));
        sl_recording_view(recording, &view);
        assert_int_equal(count, view.messages + 1);
        assert_string_equal(view.reason, "full");
        assert_int_equal(view.unfit_bytes, len);
        assert_true(view.bytes <= view.max_bytes);
        assert_true(sl_str_eq(entries[count - 1].text, SL_STR("full")));
        sl_recording_release(recording);
    }
}

static void an_end_of_a_call_has_no_room_either(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_recording *recording = make(&quota, SL_RECORDING_MIN_BYTES);
    struct sl_recording_view view;

    (void)state;
    assert_false(
        sl_recording_end(recording, 10, SL_UNKNOWN, (struct sl_str){long_text, sizeof(long_text)}));
    sl_recording_view(recording, &view);
    assert_string_equal(view.reason, "full");
    assert_int_equal(view.unfit_bytes, 0);
    sl_recording_release(recording);
}

static void a_header_without_room_is_refused(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_recording_options options = options_of(&quota, SL_RECORDING_MIN_BYTES);
    struct sl_status why;

    (void)state;
    for (size_t less = 0; less < 120; less += 5) {
        options.header.request = (struct sl_str){long_text, sizeof(long_text) - less};
        assert_null(sl_recording_new(&options, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    }
    assert_int_equal(atomic_load(&quota.count), 0);
    assert_int_equal(atomic_load(&quota.bytes), 0);
}

static void there_are_so_many_at_once_and_so_large(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_recording *all[SL_RECORDING_MAX_COUNT];
    struct sl_recording_options options = options_of(&quota, SL_RECORDING_MIN_BYTES);
    struct sl_status why;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(all); i++) {
        all[i] = make(&quota, SL_RECORDING_MIN_BYTES);
    }
    assert_null(sl_recording_new(&options, &why));
    assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
    for (size_t i = 0; i < SL_ARRAY_LEN(all); i++) {
        sl_recording_release(all[i]);
    }
    size_t large = SL_RECORDING_MAX_ALL_BYTES / SL_RECORDING_MAX_BYTES;
    for (size_t i = 0; i < large; i++) {
        all[i] = make(&quota, SL_RECORDING_MAX_BYTES);
    }
    assert_null(sl_recording_new(&options, &why));
    /* It counts for as long as somebody holds it. */
    sl_recording_hold(all[0]);
    sl_recording_release(all[0]);
    assert_null(sl_recording_new(&options, &why));
    for (size_t i = 0; i < large; i++) {
        sl_recording_release(all[i]);
    }
    sl_recording_release(make(&quota, SL_RECORDING_MAX_BYTES));
    assert_int_equal(atomic_load(&quota.count), 0);
    assert_int_equal(atomic_load(&quota.bytes), 0);
}

static void calls_that_ask_otherwise_are_others(void **state)
{
    struct sl_recording_quota quota = {0};
    struct sl_recording *recording = make(&quota, SL_RECORDING_MIN_BYTES);

    (void)state;
    assert_true(sl_recording_is_of(recording, SL_STR("the request")));
    assert_false(sl_recording_is_of(recording, SL_STR("another request")));
    sl_recording_release(recording);
}

static void each_allocation_may_fail(void **state)
{
    struct sl_recording_quota quota = {0};
    const struct sl_recording_options options = options_of(&quota, SL_RECORDING_MIN_BYTES);
    struct sl_recording *recording = NULL;
    struct sl_status why;

    (void)state;
    for (long allowed = 0; !recording; allowed++) {
        has_failed = false;
        left = allowed;
        recording = sl_recording_new(&options, &why);
        left = recording ? 0 : -1; /* what comes later needs none */
        assert_true(recording || (has_failed && why.code == SL_RESOURCE_EXHAUSTED));
        assert_int_equal(atomic_load(&quota.count), recording ? 1 : 0);
    }
    while (sl_recording_response(recording, 1, SL_STR("message"))) {
    }
    left = -1;
    sl_recording_release(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_is_a_capture_as_any_other),
        cmocka_unit_test(what_has_no_room_ends_it_whole),
        cmocka_unit_test(an_end_of_a_call_has_no_room_either),
        cmocka_unit_test(a_header_without_room_is_refused),
        cmocka_unit_test(there_are_so_many_at_once_and_so_large),
        cmocka_unit_test(calls_that_ask_otherwise_are_others),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
