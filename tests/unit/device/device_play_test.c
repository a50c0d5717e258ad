/* A device that replays a capture: what was captured arrives as it was, at its pace, call by call,
 * and the end of the file is what the options say. */
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/writer.h"
#include "device/shift.h"
#include "gnmi.services.h"
#include "gnmi/request.h"
#include "grpc/call.h"
#include "h2/link.h"
#include "test.h"

enum { TIMEOUT_MS = 30000, MESSAGE_ROOM = 200, LARGE_BYTES = 300 * 1024 };

static char path[] = "/tmp/sluice-play-XXXXXX";

/* A device in a process of its own loop, and who asks it. */
struct stage {
    struct sl_loop *loop;
    struct sl_timer *timeout;
    struct sl_device_options options;
    struct sl_device_fleet *fleet;
    struct sl_h2_link *link;
    struct sl_grpc_call *call;
    bool is_holding; /* no credit goes back */
    uint32_t owed_bytes;
    size_t wanted;       /* messages, then the loop stops; 0: the end of the call */
    struct sl_buf heard; /* each message, with a line's end behind it */
    size_t messages;
    size_t bytes;
    int64_t came_ns[MESSAGE_ROOM];
    bool is_over; /* the call */
    struct sl_status status;
    bool is_linked, is_unlinked, is_closed;
};

/* ---- captures ---- */

static struct sl_capture_writer *open_capture(void)
{
    static const char *const subscriptions[] = {NULL};
    const struct sl_capture_writer_options options = {.path = path, .subscriptions = subscriptions};
    struct sl_status why;
    struct sl_capture_writer *writer = sl_capture_writer_open(&options, &why);

    assert_non_null(writer);
    return writer;
}

static void add(struct sl_capture_writer *writer, int64_t received_ms, struct sl_str response)
{
    struct sl_status why;

    assert_true(sl_capture_writer_response(writer, received_ms * SL_NS_PER_MS, response, &why));
}

static void add_text(struct sl_capture_writer *writer, int64_t received_ms, const char *text)
{
    add(writer, received_ms, sl_str_from(text));
}

static void add_end(struct sl_capture_writer *writer, int64_t received_ms, enum sl_code code,
                    const char *text)
{
    struct sl_status why;

    assert_true(
        sl_capture_writer_end(writer, received_ms * SL_NS_PER_MS, code, sl_str_from(text), &why));
}

static void close_capture(struct sl_capture_writer *writer, const char *reason)
{
    struct sl_status why;

    assert_true(sl_capture_writer_close(writer, 0, reason, &why));
}

/* ---- the stage ---- */

static void on_timeout(void *arg)
{
    (void)arg;
    fail_msg("nothing for too long");
}

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct stage *stage = arg;

    (void)link;
    (void)why;
    stage->link = NULL;
    stage->is_unlinked = true;
    sl_loop_stop(stage->loop);
}

static const struct sl_h2_link_events link_events = {.on_closed = on_link_closed};

static void on_conn_open(struct sl_conn *conn, void *arg)
{
    struct stage *stage = arg;

    stage->link = sl_h2_link_open(stage->loop, conn, SL_H2_CLIENT, NULL, &link_events, stage);
    assert_non_null(stage->link);
    stage->is_linked = true;
    sl_loop_stop(stage->loop);
}

static const struct sl_conn_events conn_events = {.on_open = on_conn_open};

static void on_fleet_closed(void *arg)
{
    struct stage *stage = arg;

    stage->fleet = NULL;
    stage->is_closed = true;
    sl_loop_stop(stage->loop);
}

static void on_fleet_over(void *arg)
{
    struct stage *stage = arg;

    sl_loop_stop(stage->loop);
}

static const struct sl_device_events fleet_events = {.on_over = on_fleet_over,
                                                     .on_closed = on_fleet_closed};

static bool on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    struct stage *stage = arg;

    stage->bytes += len;
    if (stage->is_holding) {
        stage->owed_bytes += len;
    } else {
        sl_grpc_call_grant(call, len);
    }
    return true;
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct stage *stage = arg;

    (void)call;
    sl_buf_add(&stage->heard, bytes, length);
    sl_buf_add_byte(&stage->heard, '\n');
    if (stage->messages < MESSAGE_ROOM) {
        stage->came_ns[stage->messages] = sl_loop_now_ns(stage->loop);
    }
    if (++stage->messages == stage->wanted) {
        sl_loop_stop(stage->loop);
    }
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct stage *stage = arg;

    (void)call;
    stage->call = NULL;
    stage->is_over = true;
    stage->status = *status;
    sl_loop_stop(stage->loop);
}

static const struct sl_grpc_call_events call_events = {
    .on_received = on_received,
    .on_bytes = on_bytes,
    .on_status = on_status,
};

static int open_stage(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    stage->loop = sl_loop_new();
    assert_non_null(stage->loop);
    stage->timeout = sl_timer_new(stage->loop, on_timeout, stage);
    sl_timer_start(stage->timeout, TIMEOUT_MS);
    stage->options = (struct sl_device_options){
        .listen = {.kind = SL_ADDRESS_PRIVATE},
        .devices = 1,
        .interfaces = 1,
        .updates = 1,
        .replay = {.file = path, .is_fast = true},
    };
    *state = stage;
    return 0;
}

/* Opens the device and a connection to it. */
static void start(struct stage *stage)
{
    struct sl_dial_options options = {.address = {.kind = SL_ADDRESS_PRIVATE},
                                      .timeout_ms = TIMEOUT_MS};
    struct sl_status why;

    stage->fleet = sl_device_fleet_open(stage->loop, &stage->options, &fleet_events, stage, &why);
    assert_non_null(stage->fleet);
    options.listener = sl_device_fleet_listener(stage->fleet);
    assert_non_null(sl_conn_dial(stage->loop, &options, &conn_events, stage));
    while (!stage->is_linked) {
        sl_loop_run(stage->loop);
    }
}

static void run_until_unlinked(struct stage *stage)
{
    if (stage->link) {
        sl_h2_link_close(stage->link);
    }
    while (stage->link || (stage->is_linked && !stage->is_unlinked)) {
        sl_loop_run(stage->loop);
    }
}

static int close_stage(void **state)
{
    struct stage *stage = *state;

    run_until_unlinked(stage);
    if (stage->fleet) {
        sl_device_fleet_close(stage->fleet);
    }
    while (stage->fleet) {
        sl_loop_run(stage->loop);
    }
    sl_timer_free(stage->timeout);
    sl_loop_free(stage->loop);
    sl_buf_fini(&stage->heard);
    free(stage);
    return 0;
}

/* One Subscribe RPC, until `wanted` messages are there, or it ended. */
static void subscribe(struct stage *stage, size_t wanted)
{
    static const char *const paths[] = {"/something/else", NULL};
    static const struct sl_gnmi_asked asked = {.paths = paths};
    const struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1};
    const struct sl_grpc_request request = {
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE],
        .authority = "localhost",
        .manual_credit = true,
    };
    struct sl_buf bytes = {0};
    struct sl_status why = sl_gnmi_subscribe_pack(&subscribe, &bytes);

    assert_true(sl_status_is_ok(&why));
    sl_buf_reset(&stage->heard);
    stage->messages = 0;
    stage->is_over = false;
    stage->wanted = wanted;
    stage->call = sl_grpc_call_open(sl_h2_link_session(stage->link), &request, &call_events, stage);
    assert_non_null(stage->call);
    assert_int_equal(sl_grpc_call_send_bytes(stage->call, bytes.data, (uint32_t)bytes.len),
                     SL_GRPC_SENT);
    sl_buf_fini(&bytes);
    while (!stage->is_over && (wanted == 0 || stage->messages < wanted)) {
        sl_loop_run(stage->loop);
    }
}

static void cancel(struct stage *stage)
{
    sl_grpc_call_cancel(stage->call);
    while (!stage->is_over) {
        sl_loop_run(stage->loop);
    }
}

static void assert_ended(const struct stage *stage, enum sl_code code, const char *text)
{
    assert_true(stage->is_over);
    assert_int_equal(stage->status.code, code);
    assert_string_equal(stage->status.text, text);
}

/* Once the status of the RPC has left. */
static void assert_over(const struct stage *stage, enum sl_code code)
{
    struct sl_status why;

    while (!sl_device_fleet_is_over(stage->fleet, &why)) {
        sl_loop_run(stage->loop);
    }
    assert_int_equal(why.code, code);
}

static void assert_not_over(const struct stage *stage)
{
    struct sl_status why;

    assert_false(sl_device_fleet_is_over(stage->fleet, &why));
}

/* ---- what arrives ---- */

static void messages_arrive_as_they_came(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();
    char *large = malloc(LARGE_BYTES);

    assert_non_null(large);
    memset(large, 'L', LARGE_BYTES);
    add(writer, 0, SL_STR("\x18\x01"));
    add(writer, 0, SL_STR(""));
    add(writer, 0, (struct sl_str){large, LARGE_BYTES});
    add(writer, 0, SL_STR("no \0 protobuf \xff at all"));
    close_capture(writer, "count");
    stage->options.replay.ends = true;
    start(stage);
    subscribe(stage, 0);
    assert_ended(stage, SL_OK, "the peer says: the replay is over");
    assert_over(stage, SL_OK);
    assert_int_equal(stage->messages, 4);
    assert_int_equal(stage->heard.len, 2 + 0 + LARGE_BYTES + 22 + 4);
    assert_memory_equal(stage->heard.data, "\x18\x01\n\nLLL", 7);
    assert_memory_equal(stage->heard.data + 4 + LARGE_BYTES, "\nno \0 protobuf \xff at all\n", 24);
    free(large);
}

static void the_call_stays_open_at_the_end_of_a_file(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    add_text(writer, 0, "a");
    add_text(writer, 0, "b");
    close_capture(writer, NULL);
    start(stage);
    subscribe(stage, 2);
    assert_false(stage->is_over);
    cancel(stage);
    assert_ended(stage, SL_CANCELLED, "cancelled here");
    subscribe(stage, 2); /* from the beginning */
    assert_string_equal(sl_buf_text(&stage->heard), "a\nb\n");
}

static void a_call_ends_as_it_did_and_the_next_one_goes_on_behind_it(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    add_text(writer, 0, "a");
    add_end(writer, 0, SL_UNAVAILABLE, "shutting down");
    add_end(writer, 0, SL_RESOURCE_EXHAUSTED, "");
    add_text(writer, 0, "b");
    add_text(writer, 0, "c");
    add_end(writer, 0, SL_OK, "");
    close_capture(writer, NULL);
    stage->options.replay.ends = true;
    start(stage);
    subscribe(stage, 0);
    assert_ended(stage, SL_UNAVAILABLE, "the peer says: shutting down");
    assert_string_equal(sl_buf_text(&stage->heard), "a\n");
    assert_not_over(stage);
    subscribe(stage, 0);
    assert_int_equal(stage->status.code, SL_RESOURCE_EXHAUSTED);
    assert_int_equal(stage->messages, 0);
    assert_not_over(stage);
    subscribe(stage, 0);
    assert_int_equal(stage->status.code, SL_OK);
    assert_string_equal(sl_buf_text(&stage->heard), "b\nc\n");
    assert_over(stage, SL_OK);
    subscribe(stage, 0);
    assert_ended(stage, SL_OK, "the peer says: the replay is over");
    assert_int_equal(stage->messages, 0);
}

static void behind_the_last_call_comes_the_first(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    add_text(writer, 0, "a");
    add_end(writer, 0, SL_ABORTED, "once");
    add_text(writer, 0, "b");
    add_end(writer, 0, SL_ABORTED, "twice");
    close_capture(writer, NULL);
    start(stage);
    for (int i = 0; i < 4; i++) {
        subscribe(stage, 0);
        assert_string_equal(sl_buf_text(&stage->heard), i % 2 ? "b\n" : "a\n");
        assert_ended(stage, SL_ABORTED, i % 2 ? "the peer says: twice" : "the peer says: once");
    }
}

static void a_loop_begins_again_and_again(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    add_text(writer, 0, "a");
    add_text(writer, 0, "b");
    close_capture(writer, "signal");
    stage->options.replay.ends = true;
    stage->options.replay.loops = true;
    start(stage);
    subscribe(stage, 7);
    assert_memory_equal(stage->heard.data, "a\nb\na\nb\na\nb\na\n", 14);
    assert_not_over(stage);
    cancel(stage);
}

static void a_loop_over_nothing_ends(void **state)
{
    struct stage *stage = *state;

    close_capture(open_capture(), "signal");
    stage->options.replay.ends = true;
    stage->options.replay.loops = true;
    start(stage);
    subscribe(stage, 0);
    assert_ended(stage, SL_OK, "the peer says: the replay is over");
}

/* ---- files that are not whole ---- */

static void what_a_cut_file_has_arrives(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    add_text(writer, 0, "a");
    add_text(writer, 0, "b");
    uint64_t size = sl_capture_writer_bytes(writer);
    close_capture(writer, NULL);
    assert_int_equal(truncate(path, (off_t)size - 1), 0);
    stage->options.replay.ends = true;
    start(stage);
    subscribe(stage, 0);
    assert_ended(stage, SL_OK, "the peer says: the replay is over");
    assert_string_equal(sl_buf_text(&stage->heard), "a\n");
    assert_over(stage, SL_DATA_LOSS);
}

static void a_damaged_file_ends_the_call_where_it_is_damaged(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();
    char expected[100];

    add_text(writer, 0, "a");
    uint64_t size = sl_capture_writer_bytes(writer);
    close_capture(writer, NULL);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite("\x08\x01zz", 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
    start(stage);
    subscribe(stage, 0);
    snprintf(expected, sizeof(expected),
             "the peer says: byte %llu: neither a header nor an entry of a capture",
             (unsigned long long)size);
    assert_ended(stage, SL_INVALID_ARGUMENT, expected);
    assert_string_equal(sl_buf_text(&stage->heard), "a\n");
    assert_over(stage, SL_INVALID_ARGUMENT);
}

static void a_file_that_went_away_is_said(void **state)
{
    struct stage *stage = *state;

    stage->options.replay.file = "/nowhere/at all";
    start(stage);
    subscribe(stage, 0);
    assert_ended(stage, SL_NOT_FOUND, "the peer says: open: No such file or directory");
}

/* ---- time and credit ---- */

/* None comes earlier than it did, as far as the capture's clock went on. */
static void messages_keep_their_distance(void **state)
{
    static const int64_t offsets_ms[] = {0, 0, 30, 30, 60, 60, 90};
    static const int64_t received_ms[] = {5000, 5000, 5030, 4000, 4030, 3990, 4020};
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();

    for (size_t i = 0; i < SL_ARRAY_LEN(received_ms); i++) {
        char text[] = {(char)('a' + i), '\0'};
        add_text(writer, received_ms[i], text);
    }
    close_capture(writer, NULL);
    stage->options.replay.is_fast = false;
    stage->options.replay.ends = true;
    start(stage);
    int64_t began_ns = sl_loop_now_ns(stage->loop);
    subscribe(stage, 0);
    assert_string_equal(sl_buf_text(&stage->heard), "a\nb\nc\nd\ne\nf\ng\n");
    for (size_t i = 0; i < SL_ARRAY_LEN(offsets_ms); i++) {
        assert_true(stage->came_ns[i] - began_ns >= offsets_ms[i] * SL_NS_PER_MS);
    }
}

/* 100 messages of 1000 bytes do not fit into the window; none is lost, none is early. */
static void nothing_leaves_without_credit(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();
    char text[1000];

    memset(text, 'm', sizeof(text));
    for (int i = 0; i < 100; i++) {
        add(writer, 0, (struct sl_str){text, sizeof(text)});
    }
    close_capture(writer, NULL);
    stage->options.replay.ends = true;
    stage->is_holding = true;
    start(stage);
    subscribe(stage, 10);
    assert_true(stage->bytes < 100 * 1005);
    stage->is_holding = false;
    sl_grpc_call_grant(stage->call, stage->owed_bytes);
    stage->wanted = 0;
    while (!stage->is_over) {
        sl_loop_run(stage->loop);
    }
    assert_int_equal(stage->messages, 100);
    assert_int_equal(stage->status.code, SL_OK);
}

/* ---- timestamps ---- */

static void assert_shifted(struct sl_str response, int64_t by_ns, struct sl_str expected)
{
    struct sl_buf out = {0};
    struct sl_str shifted = sl_device_shift(response, by_ns, &out);

    assert_int_equal(shifted.len, expected.len);
    assert_memory_equal(shifted.data, expected.data, expected.len);
    sl_buf_fini(&out);
}

static void a_timestamp_moves_in_its_unit(void **state)
{
    (void)state;
    /* 1700000000 s, + 2 s */
    assert_shifted(SL_STR("\x0a\x06\x08\x80\xe2\xcf\xaa\x06"), 2 * SL_NS_PER_S,
                   SL_STR("\x0a\x06\x08\x82\xe2\xcf\xaa\x06"));
    /* 1700000000000 ms, + 2 ms */
    assert_shifted(SL_STR("\x0a\x07\x08\x80\xd0\x95\xff\xbc\x31"), 2 * SL_NS_PER_MS,
                   SL_STR("\x0a\x07\x08\x82\xd0\x95\xff\xbc\x31"));
    /* 1700000000000000 us, + 2 us */
    assert_shifted(SL_STR("\x0a\x09\x08\x80\x80\xb2\xdc\xe4\xc2\x82\x03"), 2 * SL_NS_PER_US,
                   SL_STR("\x0a\x09\x08\x82\x80\xb2\xdc\xe4\xc2\x82\x03"));
    /* 1700000000000000000 ns, + 2 ns */
    assert_shifted(SL_STR("\x0a\x0a\x08\x80\x80\x90\x90\xbe\x93\xe6\xcb\x17"), 2,
                   SL_STR("\x0a\x0a\x08\x82\x80\x90\x90\xbe\x93\xe6\xcb\x17"));
}

static void everything_else_stays(void **state)
{
    const struct sl_str rows[] = {
        SL_STR(""),
        SL_STR("\x18\x01"),
        SL_STR("\x0a\x00"),
        SL_STR("\x0a\x02\x08\x00"),                                     /* zero */
        SL_STR("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* negative */
        SL_STR("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x20"), /* broken */
        SL_STR("\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),     /* the largest */
        SL_STR("no protobuf \xff"),
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        assert_shifted(rows[i], SL_NS_PER_S, rows[i]);
    }
    /* Around a timestamp: a prefix before it, an unknown field, an extension behind. */
    assert_shifted(SL_STR("\x0a\x0d\x12\x02\x22\x00\x08\x80\xe2\xcf\xaa\x06\x7a\x01x\x2a\x00"),
                   SL_NS_PER_S,
                   SL_STR("\x0a\x0d\x12\x02\x22\x00\x08\x81\xe2\xcf\xaa\x06\x7a\x01x\x2a\x00"));
}

static void a_replay_shifts_where_it_is_told_to(void **state)
{
    struct stage *stage = *state;
    struct sl_capture_writer *writer = open_capture();
    int64_t now_s = sl_loop_wall_ns() / SL_NS_PER_S;

    add(writer, (now_s - 1000) * 1000, SL_STR("\x0a\x06\x08\x80\xe2\xcf\xaa\x06"));
    close_capture(writer, NULL);
    stage->options.replay.ends = true;
    stage->options.replay.shifts = true;
    start(stage);
    subscribe(stage, 0);
    assert_int_equal(stage->heard.len, 9);
    uint64_t shifted = 0;
    for (size_t i = 0; i < 5; i++) {
        shifted |= (uint64_t)((unsigned char)stage->heard.data[3 + i] & 0x7f) << (7 * i);
    }
    assert_true(shifted >= 1700000000 + 1000);
}

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(messages_arrive_as_they_came),
        ON_STAGE(the_call_stays_open_at_the_end_of_a_file),
        ON_STAGE(a_call_ends_as_it_did_and_the_next_one_goes_on_behind_it),
        ON_STAGE(behind_the_last_call_comes_the_first),
        ON_STAGE(a_loop_begins_again_and_again),
        ON_STAGE(a_loop_over_nothing_ends),
        ON_STAGE(what_a_cut_file_has_arrives),
        ON_STAGE(a_damaged_file_ends_the_call_where_it_is_damaged),
        ON_STAGE(a_file_that_went_away_is_said),
        ON_STAGE(messages_keep_their_distance),
        ON_STAGE(nothing_leaves_without_credit),
        cmocka_unit_test(a_timestamp_moves_in_its_unit),
        cmocka_unit_test(everything_else_stays),
        ON_STAGE(a_replay_shifts_where_it_is_told_to),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
