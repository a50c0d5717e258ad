#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "device/device.h"
#include "device/leaves.h"
#include "gnmi.services.h"
#include "grpc/call.h"
#include "h2/link.h"

enum { LEAVES_EACH = SL_DEVICE_COUNTERS + SL_DEVICE_STATES };
enum { CALLS = 2, TICK_MS = 2, TIMEOUT_MS = 30000, DIAL_TIMEOUT_MS = 5000 };

struct bench;

/* One Subscribe RPC as the collector sees it. */
struct stream {
    struct bench *bench;
    struct sl_grpc_call *call;
    bool grants; /* credit returns on receipt */
    uint64_t owed_bytes;
    uint64_t seq;
    uint64_t messages; /* with a seq */
    uint64_t bare;     /* with neither seq nor sync */
    uint64_t holes;    /* messages that are missing */
    uint64_t duplicates;
    uint64_t wrong; /* holes that `duplicates` does not explain */
    uint32_t syncs;
    uint64_t seq_at_sync;
    uint64_t leaves_before_sync;
    char session[32];
    char target[32];
    uint32_t sessions; /* different ones, one behind the other */
    bool is_over;
    struct sl_status status;
};

struct bench {
    struct sl_loop *loop;
    struct sl_timer *tick;
    struct sl_timer *timeout;
    struct sl_device_options options;
    struct sl_device_fleet *fleet;
    struct sl_h2_link *link;
    struct stream streams[CALLS];
    bool (*is_met)(struct bench *bench);
    bool is_sampled;
    bool is_late;
    bool is_linked;
    bool is_unlinked;
    bool is_closed;
    uint32_t done;
    uint32_t ended;
    struct sl_device_report done_report;
    struct sl_device_report ended_report;
    int64_t mark_ns;
    uint64_t mark_messages;
};

static void check(struct bench *bench)
{
    if (bench->is_met(bench)) {
        sl_loop_stop(bench->loop);
    }
}

static void on_tick(void *arg)
{
    struct bench *bench = arg;

    sl_timer_start(bench->tick, TICK_MS);
    check(bench);
}

static void on_timeout(void *arg)
{
    struct bench *bench = arg;

    bench->is_late = true;
    sl_loop_stop(bench->loop);
}

static void run_until(struct bench *bench, bool (*is_met)(struct bench *bench))
{
    bench->is_met = is_met;
    sl_timer_start(bench->tick, 0);
    sl_timer_start(bench->timeout, TIMEOUT_MS);
    sl_loop_run(bench->loop);
    sl_timer_stop(bench->tick);
    sl_timer_stop(bench->timeout);
    assert_false(bench->is_late);
}

static void on_done(const struct sl_device_report *report, void *arg)
{
    struct bench *bench = arg;

    bench->done++;
    bench->done_report = *report;
}

static void on_ended(const struct sl_device_report *report, void *arg)
{
    struct bench *bench = arg;

    bench->ended++;
    bench->ended_report = *report;
}

static void on_fleet_closed(void *arg)
{
    struct bench *bench = arg;

    bench->fleet = NULL;
    bench->is_closed = true;
}

static const struct sl_device_events fleet_events = {
    .on_done = on_done,
    .on_ended = on_ended,
    .on_closed = on_fleet_closed,
};

static const char *leaf_name(const Gnmi__Update *update)
{
    return update->path->elem[update->path->n_elem - 1]->name;
}

static void see_seq(struct stream *stream, const Gnmi__Update *update)
{
    uint64_t hole = update->val->uint_val - stream->seq - 1;

    stream->holes += hole;
    stream->duplicates += update->duplicates;
    stream->wrong += hole != update->duplicates;
    stream->seq = update->val->uint_val;
    stream->messages++;
}

static void see_notification(struct stream *stream, const Gnmi__Notification *notification)
{
    if (notification->prefix) {
        snprintf(stream->target, sizeof(stream->target), "%s", notification->prefix->target);
    }
    see_seq(stream, notification->update[0]);
    if (notification->n_update > 1 && strcmp(leaf_name(notification->update[1]), "session") == 0) {
        const char *session = notification->update[1]->val->string_val;

        stream->sessions += strcmp(session, stream->session) != 0;
        snprintf(stream->session, sizeof(stream->session), "%s", session);
        if (stream->syncs == 0) {
            stream->leaves_before_sync += notification->n_update - 2;
        }
    }
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const uint8_t *bytes,
                                    uint32_t length, void *arg)
{
    struct stream *stream = arg;
    Gnmi__SubscribeResponse *response = gnmi__subscribe_response__unpack(NULL, length, bytes);

    (void)call;
    assert_non_null(response);
    if (response->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE) {
        see_notification(stream, response->update);
    } else if (response->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_SYNC_RESPONSE) {
        stream->syncs++;
        stream->seq_at_sync = stream->seq;
    } else {
        stream->bare++;
    }
    gnmi__subscribe_response__free_unpacked(response, NULL);
    return SL_GRPC_TAKEN;
}

static bool on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    struct stream *stream = arg;

    if (stream->grants) {
        sl_grpc_call_grant(call, len);
    } else {
        stream->owed_bytes += len;
    }
    return true;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct stream *stream = arg;

    (void)call;
    stream->call = NULL;
    stream->is_over = true;
    stream->status = *status;
}

static const struct sl_grpc_call_events call_events = {
    .on_received = on_received,
    .on_bytes = on_message,
    .on_status = on_status,
};

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct bench *bench = arg;

    (void)link;
    (void)why;
    bench->link = NULL;
    bench->is_unlinked = true;
}

static const struct sl_h2_link_events link_events = {.on_closed = on_link_closed};

static void on_open(struct sl_conn *conn, void *arg)
{
    struct bench *bench = arg;

    bench->link = sl_h2_link_open(bench->loop, conn, SL_H2_CLIENT, NULL, &link_events, bench);
    assert_non_null(bench->link);
    bench->is_linked = true;
}

static void on_conn_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    (void)conn;
    (void)arg;
    fail_msg("dial: %s", why->text);
}

static const struct sl_conn_events conn_events = {.on_open = on_open, .on_close = on_conn_close};

static bool is_linked(struct bench *bench)
{
    return bench->is_linked;
}

static bool is_all_closed(struct bench *bench)
{
    return bench->is_closed && bench->is_unlinked;
}

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->loop = sl_loop_new();
    assert_non_null(bench->loop);
    bench->tick = sl_timer_new(bench->loop, on_tick, bench);
    bench->timeout = sl_timer_new(bench->loop, on_timeout, bench);
    bench->options = (struct sl_device_options){
        .listen = {.host = "127.0.0.1"}, .devices = 1, .interfaces = 3, .updates = 5};
    for (size_t i = 0; i < CALLS; i++) {
        bench->streams[i].bench = bench;
        bench->streams[i].grants = true;
    }
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    if (bench->link) {
        sl_h2_link_close(bench->link);
    }
    if (bench->fleet) {
        sl_device_fleet_close(bench->fleet);
    }
    run_until(bench, is_all_closed);
    sl_timer_free(bench->tick);
    sl_timer_free(bench->timeout);
    sl_loop_free(bench->loop);
    free(bench);
    return 0;
}

/* Opens the fleet and a connection to its first port. */
static void start(struct bench *bench)
{
    struct sl_dial_options options = {.address = {.host = "127.0.0.1"},
                                      .timeout_ms = DIAL_TIMEOUT_MS};
    struct sl_status why;

    bench->fleet = sl_device_fleet_open(bench->loop, &bench->options, &fleet_events, bench, &why);
    assert_string_equal(why.text, "");
    assert_non_null(bench->fleet);
    options.address.port = sl_device_fleet_port(bench->fleet, 0);
    assert_non_null(sl_conn_dial(bench->loop, &options, &conn_events, bench));
    run_until(bench, is_linked);
}

static void put_field(struct sl_buf *out, char tag, struct sl_str bytes)
{
    sl_buf_add_byte(out, tag);
    sl_buf_add_byte(out, (char)bytes.len);
    sl_buf_add_str(out, bytes);
}

/* A SubscribeRequest for everything, TARGET_DEFINED or with a sample interval of 20 ms. */
static void pack_request(struct sl_buf *out, const char *target, bool is_sampled)
{
    static const char subscription[] = "\x10\x02\x18\x80\xda\xc4\x09"; /* SAMPLE, 20,000,000 ns */
    struct sl_buf prefix;
    struct sl_buf list;

    sl_buf_init(&prefix, 0);
    sl_buf_init(&list, 0);
    if (target) {
        put_field(&prefix, 0x22, sl_str_from(target));
        put_field(&list, 0x0a, sl_buf_str(&prefix));
    }
    put_field(&list, 0x12, is_sampled ? SL_STR(subscription) : SL_STR(""));
    sl_buf_add(&list, "\x40\x02", 2); /* PROTO */
    put_field(out, 0x0a, sl_buf_str(&list));
    sl_buf_fini(&prefix);
    sl_buf_fini(&list);
}

static struct stream *subscribe_as(struct bench *bench, size_t index, const char *target,
                                   const struct sl_grpc_field *metadata, size_t count)
{
    struct stream *stream = &bench->streams[index];
    struct sl_grpc_request request = {.method = &gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE],
                                      .authority = "sim",
                                      .user_agent = "test",
                                      .metadata = metadata,
                                      .metadata_count = count,
                                      .manual_credit = true};
    struct sl_buf message;

    sl_buf_init(&message, 0);
    pack_request(&message, target, bench->is_sampled);
    stream->call =
        sl_grpc_call_open(sl_h2_link_session(bench->link), &request, &call_events, stream);
    assert_non_null(stream->call);
    assert_int_equal(sl_grpc_call_send_bytes(stream->call, message.data, (uint32_t)message.len),
                     SL_GRPC_SENT);
    sl_buf_fini(&message);
    return stream;
}

static struct stream *subscribe(struct bench *bench)
{
    return subscribe_as(bench, 0, NULL, NULL, 0);
}

static void grant_all(struct stream *stream)
{
    stream->grants = true;
    sl_grpc_call_grant(stream->call, (uint32_t)stream->owed_bytes);
    stream->owed_bytes = 0;
}

static bool is_done(struct bench *bench)
{
    return bench->done == 1 && bench->streams[0].seq == bench->done_report.seq;
}

static bool is_over(struct bench *bench)
{
    return bench->streams[0].is_over;
}

static bool is_blocked(struct bench *bench)
{
    struct sl_device_totals totals;

    sl_device_fleet_totals(bench->fleet, &totals);
    return totals.blocked == 1;
}

static void messages_are_numbered_from_one_without_a_hole(void **state)
{
    struct bench *bench = *state;
    struct stream *stream;

    bench->options.as_fast = true;
    bench->options.count = 5000;
    start(bench);
    stream = subscribe(bench);
    run_until(bench, is_done);
    assert_int_equal(stream->seq, 5000);
    assert_int_equal(stream->messages, 5000);
    assert_int_equal(stream->holes, 0);
    assert_int_equal(stream->duplicates, 0);
    assert_int_equal(stream->sessions, 1);
    assert_int_equal(bench->done_report.messages, 5000);
    assert_int_equal(bench->ended, 0); /* it is silent, not over */
}

static void the_dump_has_every_leaf_once_and_then_comes_sync(void **state)
{
    struct bench *bench = *state;
    struct stream *stream;

    bench->options.as_fast = true;
    bench->options.count = 100;
    start(bench);
    stream = subscribe(bench);
    run_until(bench, is_done);
    assert_int_equal(stream->syncs, 1);
    assert_int_equal(stream->leaves_before_sync, 3 * LEAVES_EACH);
    assert_int_equal(stream->seq_at_sync, 3 * LEAVES_EACH / 3); /* 5 updates, 2 the sim's */
}

static bool is_blocked_for_long(struct bench *bench)
{
    struct sl_device_totals totals;

    sl_device_fleet_totals(bench->fleet, &totals);
    return totals.blocked_ns >= bench->mark_ns;
}

static void without_credit_a_stream_stands_still_and_counts_as_blocked(void **state)
{
    struct bench *bench = *state;
    struct sl_device_totals before;
    struct sl_device_totals after;
    struct stream *stream;

    bench->options.as_fast = true;
    bench->options.count = 5000;
    start(bench);
    bench->streams[0].grants = false;
    stream = subscribe(bench);
    run_until(bench, is_blocked);
    sl_device_fleet_totals(bench->fleet, &before);
    bench->mark_ns = before.blocked_ns + 100 * SL_NS_PER_MS;
    run_until(bench, is_blocked_for_long);
    sl_device_fleet_totals(bench->fleet, &after);
    assert_int_equal(before.messages, after.messages);
    assert_int_equal(after.blocked, 1);
    assert_true(stream->messages < 5000);
    grant_all(stream);
    run_until(bench, is_done);
    assert_int_equal(stream->seq, 5000);
    assert_int_equal(stream->holes, 0);
    assert_true(bench->done_report.blocked_ns >= 100 * SL_NS_PER_MS);
}

static void after_coalescing_every_hole_equals_the_duplicates(void **state)
{
    struct bench *bench = *state;
    struct stream *stream;

    bench->options.rate_per_s = 5000;
    bench->options.count = 5000;
    bench->options.when_held = SL_DEVICE_COALESCE;
    start(bench);
    bench->streams[0].grants = false;
    stream = subscribe(bench);
    run_until(bench, is_blocked);
    bench->mark_ns = 200 * SL_NS_PER_MS;
    run_until(bench, is_blocked_for_long);
    grant_all(stream);
    run_until(bench, is_done);
    assert_int_equal(stream->seq, 5000);
    assert_int_equal(stream->wrong, 0);
    assert_int_equal(stream->holes, stream->duplicates);
    assert_in_range(stream->duplicates, 500, 4990); /* most, on a slow machine */
    assert_int_equal(bench->done_report.duplicates, stream->duplicates);
    assert_int_equal(bench->done_report.messages, stream->messages);
}

static void as_fast_as_possible_coalesces_too(void **state)
{
    struct bench *bench = *state;
    struct stream *stream;

    bench->options.as_fast = true;
    bench->options.count = 5000;
    bench->options.when_held = SL_DEVICE_COALESCE;
    start(bench);
    bench->streams[0].grants = false;
    stream = subscribe(bench);
    run_until(bench, is_blocked);
    bench->mark_ns = 100 * SL_NS_PER_MS;
    run_until(bench, is_blocked_for_long);
    grant_all(stream);
    run_until(bench, is_done);
    assert_int_equal(stream->seq, 5000);
    assert_int_equal(stream->wrong, 0);
    assert_true(stream->duplicates >= 90);
}

static bool sibling_has_enough(struct bench *bench)
{
    return bench->streams[1].messages >= 200 && is_blocked(bench);
}

static void keep_unblocked(const struct sl_device_report *report, void *arg)
{
    int64_t *blocked_ns = arg;

    if (!report->is_blocked) {
        *blocked_ns = report->blocked_ns;
    }
}

static void a_held_stream_does_not_hold_its_sibling(void **state)
{
    struct bench *bench = *state;
    struct sl_device_totals totals;
    int64_t sibling_ns = -1;

    bench->options.rate_per_s = 1000;
    bench->options.max_message_bytes = 2000;
    bench->options.min_message_bytes = 2000;
    start(bench);
    bench->streams[0].grants = false;
    subscribe(bench);
    run_until(bench, is_blocked);
    subscribe_as(bench, 1, NULL, NULL, 0);
    run_until(bench, sibling_has_enough);
    assert_int_equal(bench->streams[1].holes, 0);
    sl_device_fleet_each(bench->fleet, keep_unblocked, &sibling_ns);
    sl_device_fleet_totals(bench->fleet, &totals);
    assert_true(sibling_ns >= 0); /* it goes on, whatever waits it had on a slow machine */
    assert_true(sibling_ns < totals.blocked_ns - sibling_ns);
}

static bool has_sampled(struct bench *bench)
{
    return bench->streams[0].seq >= bench->mark_messages;
}

static void the_sample_interval_is_obeyed(void **state)
{
    struct bench *bench = *state;
    int64_t begin_ns;

    bench->is_sampled = true;
    bench->options.as_fast = true; /* the interval comes first */
    start(bench);
    bench->mark_messages = LEAVES_EACH * 6; /* the dump and 5 rounds */
    begin_ns = sl_loop_now_ns(bench->loop);
    subscribe(bench);
    run_until(bench, has_sampled);
    assert_true(sl_loop_now_ns(bench->loop) - begin_ns >= 5 * 20 * SL_NS_PER_MS);
}

static void messages_of_all_sizes_arrive(void **state)
{
    struct bench *bench = *state;
    struct stream *stream;

    bench->options.as_fast = true;
    bench->options.count = 500;
    bench->options.min_message_bytes = SL_DEVICE_MIN_MESSAGE_BYTES;
    bench->options.max_message_bytes = 300000;
    start(bench);
    stream = subscribe(bench);
    run_until(bench, is_done);
    assert_int_equal(stream->messages, 500);
    assert_int_equal(stream->holes, 0);
    assert_true(stream->bare > 0);
}

static void credentials_are_demanded(void **state)
{
    const struct sl_grpc_field wrong[] = {{SL_STR("username"), SL_STR("me"), false},
                                          {SL_STR("password"), SL_STR("guess"), true}};
    const struct sl_grpc_field right[] = {{SL_STR("username"), SL_STR("me"), false},
                                          {SL_STR("password"), SL_STR("word"), true}};
    struct bench *bench = *state;

    bench->options.username = "me";
    bench->options.password = "word";
    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    subscribe(bench);
    run_until(bench, is_over);
    assert_int_equal(bench->streams[0].status.code, SL_UNAUTHENTICATED);
    bench->streams[0].is_over = false;
    subscribe_as(bench, 0, NULL, wrong, SL_ARRAY_LEN(wrong));
    run_until(bench, is_over);
    assert_int_equal(bench->streams[0].status.code, SL_UNAUTHENTICATED);
    subscribe_as(bench, 0, NULL, right, SL_ARRAY_LEN(right));
    run_until(bench, is_done);
    assert_int_equal(bench->streams[0].seq, 10);
}

static void devices_on_one_port_are_told_apart_by_target(void **state)
{
    static const char *const unknown[] = {"sim4", "sim0", "sim01", "sim", "leaf1", NULL};
    struct bench *bench = *state;

    bench->options.devices = 3;
    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    for (size_t i = 0; i < SL_ARRAY_LEN(unknown); i++) {
        bench->streams[0].is_over = false;
        subscribe_as(bench, 0, unknown[i], NULL, 0);
        run_until(bench, is_over);
        assert_int_equal(bench->streams[0].status.code, SL_NOT_FOUND);
    }
    subscribe_as(bench, 0, "sim3", NULL, 0);
    run_until(bench, is_done);
    assert_string_equal(bench->streams[0].target, "sim3");
}

static void a_device_on_its_own_port_takes_any_target(void **state)
{
    struct bench *bench = *state;

    bench->options.devices = 3;
    bench->options.port_each = true;
    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    assert_int_equal(sl_device_fleet_ports(bench->fleet), 3);
    subscribe_as(bench, 0, "leaf1", NULL, 0);
    run_until(bench, is_done);
    assert_string_equal(bench->streams[0].target, "leaf1");
}

static void every_rpc_has_a_session_of_its_own(void **state)
{
    struct bench *bench = *state;
    char first[32];

    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    subscribe(bench);
    run_until(bench, is_done);
    snprintf(first, sizeof(first), "%s", bench->streams[0].session);
    sl_grpc_call_cancel(bench->streams[0].call);
    run_until(bench, is_over);
    memset(&bench->streams[0], 0, sizeof(bench->streams[0]));
    bench->streams[0].grants = true;
    bench->done = 0;
    subscribe(bench);
    run_until(bench, is_done);
    assert_string_not_equal(first, bench->streams[0].session);
    assert_int_equal(bench->streams[0].messages, 10);
}

static bool has_ended(struct bench *bench)
{
    return bench->ended == 1;
}

static void an_ended_stream_is_reported(void **state)
{
    struct bench *bench = *state;
    struct sl_device_totals totals;

    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    subscribe(bench);
    run_until(bench, is_done);
    sl_h2_link_close(bench->link);
    run_until(bench, has_ended);
    assert_int_equal(bench->ended_report.seq, 10);
    sl_device_fleet_totals(bench->fleet, &totals);
    assert_int_equal(totals.streams, 0);
    assert_int_equal(totals.messages, 10);
}

static void closing_the_fleet_ends_its_streams(void **state)
{
    struct bench *bench = *state;

    bench->options.as_fast = true;
    bench->options.count = 10;
    start(bench);
    subscribe(bench);
    run_until(bench, is_done);
    sl_device_fleet_close(bench->fleet);
    run_until(bench, is_over);
    assert_int_equal(bench->streams[0].status.code, SL_UNAVAILABLE);
    run_until(bench, is_all_closed);
    assert_int_equal(bench->ended, 1);
}

static void closing_the_fleet_does_not_wait_for_a_held_stream(void **state)
{
    struct bench *bench = *state;

    bench->options.as_fast = true;
    start(bench);
    bench->streams[0].grants = false;
    subscribe(bench);
    run_until(bench, is_blocked);
    sl_device_fleet_close(bench->fleet);
    run_until(bench, is_all_closed);
    assert_int_equal(bench->ended, 1);
}

static void options_out_of_range_are_refused(void **state)
{
    const struct sl_device_options good = {
        .listen = {.host = "127.0.0.1"}, .devices = 1, .interfaces = 1, .updates = 1};
    struct sl_device_options bad[6];
    struct sl_loop *loop = sl_loop_new();
    struct sl_status why;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        bad[i] = good;
    }
    bad[0].devices = 0;
    bad[1].interfaces = SL_DEVICE_MAX_INTERFACES + 1;
    bad[2].updates = 0;
    bad[3].max_message_bytes = 100;
    bad[4].rate_per_s = 5;
    bad[4].as_fast = true;
    bad[5].listen.port = UINT16_MAX;
    bad[5].devices = 2;
    bad[5].port_each = true;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_null(sl_device_fleet_open(loop, &bad[i], &fleet_events, NULL, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    }
    sl_loop_free(loop);
}

/* The second of two ports is another fleet's: nothing is left of the first one. */
static void a_port_that_is_taken_is_an_error(void **state)
{
    struct sl_device_options options = {
        .listen = {.host = "127.0.0.1"}, .devices = 1, .interfaces = 1, .updates = 1};
    struct bench other = {.loop = sl_loop_new()};
    struct sl_loop *loop = sl_loop_new();
    struct sl_status why;

    (void)state;
    other.fleet = sl_device_fleet_open(other.loop, &options, &fleet_events, &other, &why);
    assert_non_null(other.fleet);
    options.listen.port = (uint16_t)(sl_device_fleet_port(other.fleet, 0) - 1);
    options.devices = 2;
    options.port_each = true;
    assert_null(sl_device_fleet_open(loop, &options, &fleet_events, NULL, &why));
    assert_non_null(strstr(why.text, "in use"));
    sl_loop_free(loop);
    sl_device_fleet_close(other.fleet);
    sl_loop_free(other.loop);
    assert_true(other.is_closed);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(messages_are_numbered_from_one_without_a_hole),
        BENCH_TEST(the_dump_has_every_leaf_once_and_then_comes_sync),
        BENCH_TEST(without_credit_a_stream_stands_still_and_counts_as_blocked),
        BENCH_TEST(after_coalescing_every_hole_equals_the_duplicates),
        BENCH_TEST(as_fast_as_possible_coalesces_too),
        BENCH_TEST(a_held_stream_does_not_hold_its_sibling),
        BENCH_TEST(the_sample_interval_is_obeyed),
        BENCH_TEST(messages_of_all_sizes_arrive),
        BENCH_TEST(credentials_are_demanded),
        BENCH_TEST(devices_on_one_port_are_told_apart_by_target),
        BENCH_TEST(a_device_on_its_own_port_takes_any_target),
        BENCH_TEST(every_rpc_has_a_session_of_its_own),
        BENCH_TEST(an_ended_stream_is_reported),
        BENCH_TEST(closing_the_fleet_ends_its_streams),
        BENCH_TEST(closing_the_fleet_does_not_wait_for_a_held_stream),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(a_port_that_is_taken_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
