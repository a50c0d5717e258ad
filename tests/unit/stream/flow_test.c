/* flow_test.c - what becomes of messages, records and credit. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "sluice.pb-c.h"

/* ---- other worlds ---- */

static int set_up(void **state)
{
    return set_up_format(state, SL_FORMAT_PROTO, NULL);
}

static int set_up_sluice_v1(void **state)
{
    return set_up_format(state, SL_FORMAT_SLUICE_V1, NULL);
}

static int set_up_event_split(void **state)
{
    return set_up_format(state, SL_FORMAT_EVENT_SPLIT, NULL);
}

/* Batches that nothing but their size, or the device's need, ends within a test. */
static int set_up_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT_SPLIT, NULL,
                        (struct sl_batch_config){400, 3600 * SL_NS_PER_S});
}

static int set_up_short_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT_SPLIT, NULL,
                        (struct sl_batch_config){100 * 1000, SL_NS_PER_MS});
}

static int set_up_event_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT, NULL,
                        (struct sl_batch_config){SL_MIB, 3600 * SL_NS_PER_S});
}

static struct sl_template *by_origin;

static int set_up_by_origin(void **state)
{
    struct sl_status why;

    by_origin = sl_template_new("t.${origin}", &why);
    assert_non_null(by_origin);
    return set_up_format(state, SL_FORMAT_SLUICE_V1, by_origin);
}

/* ---- the tests ---- */

static void credit_returns_only_when_the_sink_has_acknowledged(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 1000);
    struct sl_stream_view held = view(world);
    assert_true(held.held_bytes + held.assembling_bytes <= LIMIT_BYTES);
    assert_true(held.held_bytes >= LIMIT_BYTES - 2 * 1005);
    assert_true(held.is_blocked);
    assert_true(sl_grpc_call_unsent(world->device) > 0);
    uint64_t records = the_fake->records;
    settle(world);
    assert_int_equal(the_fake->records, records);
    assert_int_equal(counts(world)->held, records);

    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, records);
    assert_int_equal(sl_grpc_call_unsent(world->device), 0);
    assert_true(the_fake->records > records);
    assert_false(view(world).is_blocked);
}

static void records_are_numbered_from_one_without_holes(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 300);
    assert_int_equal(the_fake->records, 300);
    for (uint64_t i = 0; i < 300; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void a_full_sink_holds_the_stream_and_loses_nothing(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 3);
    the_fake->is_full = true;
    unsigned sent = send_all(world, 1000, 1000);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    assert_int_equal(the_fake->records, 3);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    for (int i = 0; i < 4; i++) {
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
    assert_int_equal(the_fake->records, 3 + sent);
    assert_int_equal(counts(world)->published, 3 + sent);
    for (uint64_t i = 0; i < 3 + sent; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void a_message_many_times_the_limit_arrives(void **state)
{
    struct world *world = *state;

    assert_int_equal(send_all(world, 3 * 1000 * 1000, 1), 1);
    settle(world);
    assert_int_equal(the_fake->records, 1);
    assert_true(view(world).borrowed_bytes > 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).borrowed_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
}

static void a_message_above_the_maximum_ends_the_call(void **state)
{
    struct world *world = *state;

    send_all(world, 5 * 1024 * 1024, 1);
    settle(world);
    assert_string_equal(view(world).last_reason, "message-too-large");
    assert_int_equal(the_fake->records, 0);
}

static void a_message_that_is_none_counts_as_one_and_is_dropped(void **state)
{
    struct world *world = *state;

    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x0a\xff", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(counts(world)->received, 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_DECODE], 1);
    assert_int_equal(view(world).held_bytes, 0);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->records, 1);
}

static void a_late_report_counts_as_published_but_not_as_credit(void **state)
{
    struct world *world = *state;
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    send_all(world, 1000, 10);
    uint64_t epoch = view(world).epoch;
    sl_grpc_call_finish(world->device, &status);
    while (!world->device || view(world).epoch == epoch) {
        settle(world);
    }
    assert_int_equal(view(world).held_bytes, 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 10);
    assert_int_equal(view(world).granted_bytes + view(world).pending_bytes, LIMIT_BYTES);
    assert_true(view(world).epoch > epoch);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->seqs[10], 1);
}

static void a_failed_record_is_counted_and_its_credit_returns(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 20);
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK], 20);
    assert_int_equal(view(world).held_bytes, 0);
}

static void closing_waits_for_what_is_held(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 10);
    sl_stream_close(world->stream);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_DRAINING);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_CLOSED);
    assert_true(world->is_closed);
    assert_int_equal(counts(world)->published, 10);
}

static Sluice__V1__Record *kept_record(size_t index)
{
    const struct sl_buf *kept = &the_fake->kept[index];
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);

    assert_non_null(record);
    return record;
}

static void a_marker_is_numbered_and_holds_its_credit_as_any_record(void **state)
{
    static const Sluice__V1__Kind kinds[] = {SLUICE__V1__KIND__KIND_BASELINE,
                                             SLUICE__V1__KIND__KIND_MARKER,
                                             SLUICE__V1__KIND__KIND_CHANGE};
    struct world *world = *state;

    send_all(world, 100, 1);
    the_fake->is_full = true;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(view(world).held_bytes, 100 + 2 + 100 + 3 * SL_GRPC_PREFIX_BYTES);
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        Sluice__V1__Record *record = kept_record(i);
        assert_int_equal(record->kind, kinds[i]);
        assert_int_equal(record->seq, i + 1);
        assert_int_equal(the_fake->seqs[i], i + 1);
        assert_int_equal(record->epoch, view(world).epoch);
        assert_int_equal(record->n_updates, i != 1);
        sluice__v1__record__free_unpacked(record, NULL);
    }
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(counts(world)->published, 2);
}

static int tear_down_by_origin(void **state)
{
    int result = tear_down(state);

    sl_template_free(by_origin);
    return result;
}

static void a_marker_goes_where_the_record_before_it_went(void **state)
{
    static const char update[] =
        "\x0a\x11\x22\x0f\x0a\x09\x12\x02oc\x1a\x03\x0a\x01v\x1a\x02\x18\x01";
    static const char *const places[] = {"t.", "t.oc", "t.oc"};
    struct world *world = *state;

    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(world->device, update, sizeof(update) - 1),
                     SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(the_fake->records, 3);
    for (size_t i = 0; i < SL_ARRAY_LEN(places); i++) {
        assert_string_equal(sl_buf_text(&the_fake->places[i]), places[i]);
    }
}

/* Three updates, the second of them NaN, and a delete: /a = 1, /n, /b = 2, and /d. */
static const char several[] = "\x0a\x35"
                              "\x22\x0b\x0a\x05\x1a\x03\x0a\x01"
                              "a\x1a\x02\x18\x01"
                              "\x22\x12\x0a\x05\x1a\x03\x0a\x01"
                              "n\x1a\x09\x71\x00\x00\x00\x00\x00\x00\xf8\x7f"
                              "\x22\x0b\x0a\x05\x1a\x03\x0a\x01"
                              "b\x1a\x02\x18\x02"
                              "\x2a\x05\x1a\x03\x0a\x01"
                              "d";

static void send_several(struct world *world)
{
    assert_int_equal(sl_grpc_call_send_bytes(world->device, several, sizeof(several) - 1),
                     SL_GRPC_SENT);
    settle(world);
}

static void each_update_is_a_record_and_the_last_one_returns_the_credit(void **state)
{
    struct world *world = *state;

    send_several(world);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(counts(world)->held, 3);
    assert_int_equal(counts(world)->dropped[SL_DROP_VALUE], 1);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
        assert_non_null(strstr(sl_buf_text(&the_fake->kept[i]), i == 0   ? "{\"/a\":1}"
                                                                : i == 1 ? "{\"/b\":2}"
                                                                         : "[\"/d\"]"));
    }
    the_fake->count = 2; /* the third is acknowledged later */
    struct sluice_token *last = the_fake->tokens[2];
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 2);
    assert_true(view(world).held_bytes > 0);
    the_fake->tokens[the_fake->count++] = last;
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK], 1);
}

static void a_sink_that_fills_up_within_a_message_gets_each_record_once(void **state)
{
    struct world *world = *state;

    for (uint64_t room = 1; room < 3; room++) {
        uint64_t before = the_fake->records;
        the_fake->full_at = before + room;
        send_several(world);
        assert_int_equal(view(world).state, SL_STREAM_HELD);
        assert_int_equal(the_fake->records, before + room);
        the_fake->full_at = 0;
        the_fake->host->calls->ready(the_fake->host);
        settle(world);
        assert_int_equal(the_fake->records, before + 3);
        for (uint64_t i = 0; i < before + 3; i++) {
            assert_int_equal(the_fake->seqs[i], i + 1);
        }
    }
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 6);
    assert_int_equal(counts(world)->dropped[SL_DROP_VALUE], 2);
    assert_int_equal(view(world).held_bytes, 0);
}

static void a_call_that_ends_within_a_message_counts_what_got_no_record(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 1;
    send_several(world);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 1);
    assert_int_equal(counts(world)->received, 4);
}

/* Three lines of `several` three times are more than a batch of 400 bytes. */
static void lines_of_several_messages_are_one_record(void **state)
{
    struct world *world = *state;

    send_several(world);
    send_several(world);
    send_several(world);
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(the_fake->seqs[0], 1);
    assert_true(the_fake->lines[0] > 3 && the_fake->lines[0] < 9);
    const char *text = sl_buf_text(&the_fake->kept[0]);
    unsigned feeds = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        feeds++;
    }
    assert_int_equal(feeds, the_fake->lines[0] - 1);
    assert_int_equal(counts(world)->held, 9);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, the_fake->lines[0]);
    assert_int_equal(counts(world)->held, 9 - the_fake->lines[0]);
    sl_stream_close(world->stream); /* what waits leaves now */
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(the_fake->seqs[1], the_fake->lines[0] + 1);
    assert_int_equal(the_fake->lines[0] + the_fake->lines[1], 9);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 9);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_true(world->is_closed);
}

static void a_batch_leaves_when_its_time_is_over(void **state)
{
    struct world *world = *state;

    send_several(world);
    while (the_fake->records == 0) {
        settle(world);
    }
    assert_int_equal(the_fake->lines[0], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
}

/* A batch of a MiB never fills from a window of 64 KiB: what waits goes when it is a quarter of it.
 */
static void a_batch_never_starves_the_device(void **state)
{
    struct world *world = *state;
    unsigned sent = 0;

    for (int i = 0; i < 20; i++) {
        sent += send_all(world, 9000, 100);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
    assert_true(sent >= 100);
    assert_true(the_fake->records >= 20);
    assert_true(counts(world)->published + counts(world)->held == sent);
}

static void a_full_sink_gets_a_batch_once_and_in_order(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 1;
    for (int i = 0; i < 8; i++) {
        send_several(world);
    }
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->full_at = 0;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    sl_stream_close(world->stream);
    uint64_t next = 1;
    for (uint64_t i = 0; i < the_fake->records; i++) {
        assert_int_equal(the_fake->seqs[i], next);
        next += the_fake->lines[i];
    }
    assert_int_equal(next, 8 * 3 + 1);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 8 * 3);
    assert_int_equal(view(world).cost_held_bytes, 0);
}

static void an_aborted_stream_counts_the_lines_that_waited(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_several(world);
    sl_stream_abort(world->stream);
    settle(world);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 3);
    assert_int_equal(counts(world)->held, 0);
    assert_int_equal(view(world).held_bytes, 0);
    assert_true(world->is_closed);
}

/* The end of its call is still to come. */
static void room_that_comes_after_an_abort_is_nobodys(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_all(world, 1000, 3);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    sl_stream_abort(world->stream);
    assert_int_equal(view(world).state, SL_STREAM_ENDING);
    the_fake->is_full = false;
    sl_stream_sink_ready(world->stream);
    settle(world);
    assert_true(world->is_closed);
    assert_int_equal(the_fake->records, 0);
    assert_int_equal(counts(world)->held, 0);
    assert_true(counts(world)->dropped[SL_DROP_CLOSED] > 0);
}

static void a_call_that_ends_sends_what_waited_with_its_own_epoch(void **state)
{
    struct world *world = *state;

    send_several(world);
    assert_int_equal(the_fake->records, 0);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(the_fake->lines[0], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credit_returns_only_when_the_sink_has_acknowledged),
        TEST(records_are_numbered_from_one_without_holes),
        TEST(a_full_sink_holds_the_stream_and_loses_nothing),
        TEST(room_that_comes_after_an_abort_is_nobodys),
        TEST(a_message_many_times_the_limit_arrives),
        TEST(a_message_above_the_maximum_ends_the_call),
        TEST(a_message_that_is_none_counts_as_one_and_is_dropped),
        TEST(a_late_report_counts_as_published_but_not_as_credit),
        TEST(a_failed_record_is_counted_and_its_credit_returns),
        TEST(closing_waits_for_what_is_held),
        cmocka_unit_test_setup_teardown(each_update_is_a_record_and_the_last_one_returns_the_credit,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(a_sink_that_fills_up_within_a_message_gets_each_record_once,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_ends_within_a_message_counts_what_got_no_record,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(lines_of_several_messages_are_one_record, set_up_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_leaves_when_its_time_is_over, set_up_short_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_never_starves_the_device, set_up_event_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_sink_gets_a_batch_once_and_in_order, set_up_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_aborted_stream_counts_the_lines_that_waited,
                                        set_up_lines, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_ends_sends_what_waited_with_its_own_epoch,
                                        set_up_lines, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_is_numbered_and_holds_its_credit_as_any_record,
                                        set_up_sluice_v1, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_goes_where_the_record_before_it_went,
                                        set_up_by_origin, tear_down_by_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
