/* stall_test.c - a stream whose sinks stand still, by each policy. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify.h"
#include "sluice.pb-c.h"

enum { MOST_TURNS = 20000, LARGE = 8000 };

static const struct sl_clock_config an_hour = {.max_skew_ns = 3600 * SL_NS_PER_S};
static const char *const paths_a[] = {"/a", NULL};
static const char *const paths_c[] = {"/c", NULL};
static const struct sl_gnmi_asked asked_a = {.paths = paths_a};
static const struct sl_gnmi_asked asked_c = {.paths = paths_c};
static const struct sl_stream_member two[] = {{"a", &asked_a, 1}, {"c", &asked_c, 1}};

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- what the sink got, in words ---- */

static struct sl_buf journal;

static void add_value(const Sluice__V1__Value *value)
{
    if (value->value_case == SLUICE__V1__VALUE__VALUE_INT_VAL) {
        sl_buf_printf(&journal, "=%d", (int)value->int_val);
    } else {
        sl_buf_add_c(&journal, "=text");
    }
}

static void add_marker(const Sluice__V1__Record *record)
{
    if (record->end) {
        sl_buf_printf(&journal, "end:%s", record->end->reason);
    } else if (record->gap) {
        sl_buf_printf(&journal, "gap:%s:%d", record->gap->reason, (int)record->gap->count);
    } else {
        bool is_first = record->marker == SLUICE__V1__MARKER__MARKER_CONNECTED;
        sl_buf_add_c(&journal, is_first ? "connected" : "synced");
    }
}

static void on_record(const struct sluice_record *given, void *arg)
{
    uint64_t *seq = arg;
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, given->payload_len, (const uint8_t *)given->payload);

    assert_non_null(record);
    assert_int_equal(record->seq, record->seq == 1 ? 1 : seq[(int)given->subscription.data[0]] + 1);
    seq[(int)given->subscription.data[0]] = record->seq;
    sl_buf_add_c(&journal, journal.len ? " " : "");
    if (record->marker != SLUICE__V1__MARKER__MARKER_NONE) {
        add_marker(record);
    }
    sl_buf_add_c(&journal, record->atomic ? "!" : "");
    for (size_t i = 0; i < record->n_deletes; i++) {
        sl_buf_printf(&journal, "-%s", record->deletes[i]->path);
    }
    for (size_t i = 0; i < record->n_updates; i++) {
        sl_buf_printf(&journal, "%s", record->updates[i]->path);
        add_value(record->updates[i]->value);
    }
    if (record->kind == SLUICE__V1__KIND__KIND_BASELINE) {
        sl_buf_add_c(&journal, "*");
    }
    sluice__v1__record__free_unpacked(record, NULL);
}

/* What was written since it was asked last. */
static void assert_journal(const char *expected)
{
    assert_string_equal(sl_buf_text(&journal), expected);
    sl_buf_reset(&journal);
}

/* ---- set up ---- */

static uint64_t seqs[128];

static int set_up_unit(void **state, enum sl_stall_policy policy, enum sl_record_unit unit,
                       const struct sl_stream_member *members, size_t member_count)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1, .unit = unit}, .has_markers = true},
        .clock = an_hour,
        .members = members,
        .member_count = member_count,
        .stall = {policy, SL_NS_PER_MS},
    };
    int failed = set_up_world(state, &options);

    memset(seqs, 0, sizeof(seqs));
    sl_buf_reset(&journal);
    the_fake->on_record = on_record;
    the_fake->arg = seqs;
    return failed;
}

static int set_up_stall(void **state, enum sl_stall_policy policy,
                        const struct sl_stream_member *members, size_t member_count)
{
    return set_up_unit(state, policy, SL_RECORD_NOTIFICATION, members, member_count);
}

static int set_up_conflate_pieces(void **state)
{
    return set_up_unit(state, SL_STALL_CONFLATE, SL_RECORD_UPDATE, NULL, 0);
}

static int set_up_conflate_lines(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_EVENT}, .batch = {SL_MIB, 3600 * SL_NS_PER_S}},
        .clock = an_hour,
        .stall = {SL_STALL_CONFLATE, SL_NS_PER_MS},
    };

    return set_up_world(state, &options);
}

static int set_up_conflate(void **state)
{
    return set_up_stall(state, SL_STALL_CONFLATE, NULL, 0);
}

static int set_up_conflate_two(void **state)
{
    return set_up_stall(state, SL_STALL_CONFLATE, two, 2);
}

static int set_up_shed_two(void **state)
{
    return set_up_stall(state, SL_STALL_SHED, two, 2);
}

static int set_up_shed(void **state)
{
    return set_up_stall(state, SL_STALL_SHED, NULL, 0);
}

static int set_up_resubscribe(void **state)
{
    return set_up_stall(state, SL_STALL_RESUBSCRIBE, NULL, 0);
}

static int set_up_block(void **state)
{
    return set_up_stall(state, SL_STALL_BLOCK, NULL, 0);
}

static int tear_down_stall(void **state)
{
    sl_buf_fini(&journal);
    return tear_down(state);
}

/* ---- what happens ---- */

static bool comes(struct world *world, bool (*holds)(const struct world *world))
{
    for (int i = 0; i < MOST_TURNS && !holds(world); i++) {
        (void)step(world);
    }
    return holds(world);
}

static enum sl_stall_state stall_of(const struct world *world, size_t route)
{
    return sl_stall_state(&view(world).routes[route]);
}

static bool is_keeping(const struct world *world)
{
    return stall_of(world, 0) == SL_STALL_KEEPING && !view(world).is_blocked;
}

static bool both_keep(const struct world *world)
{
    return stall_of(world, 0) == SL_STALL_KEEPING && stall_of(world, 1) == SL_STALL_KEEPING;
}

static bool is_flowing(const struct world *world)
{
    return stall_of(world, 0) == SL_STALL_OPEN && view(world).state == SL_STREAM_FLOWING;
}

static bool is_waiting(const struct world *world)
{
    return view(world).state == SL_STREAM_WAITING;
}

static bool is_closed(const struct world *world)
{
    return world->is_closed;
}

static void send(struct world *world, const struct notify *what)
{
    struct sl_str bytes = notify_bytes(what);

    assert_int_equal(sl_grpc_call_send_bytes(world->device, bytes.data, (uint32_t)bytes.len),
                     SL_GRPC_SENT);
    settle(world);
}

static void send_sync(struct world *world)
{
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    settle(world);
}

/* The sink says nothing any more; the device sends until it cannot, and what it still has to send
 * is a whole message. How many that are in all. */
static unsigned stand_still(struct world *world)
{
    unsigned sent = send_all(world, LARGE, 1000);

    assert_true(view(world).is_blocked);
    assert_true(sent > 2);
    return sent;
}

static void start_keeping(struct world *world)
{
    (void)stand_still(world);
    assert_true(comes(world, is_keeping));
    settle(world);
    assert_int_equal(sl_grpc_call_unsent(world->device), 0);
}

static void say_room(struct world *world)
{
    the_fake->is_full = false;
    the_fake->full_at = 0;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
}

static void acknowledge(struct world *world)
{
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
}

static void hang_up(struct world *world)
{
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    sl_grpc_call_finish(world->device, &status);
    settle(world);
}

/* Everything that was received is somewhere, and nothing is left. */
static void assert_over(struct world *world)
{
    acknowledge(world);
    acknowledge(world);
    assert_int_equal(counts(world)->held, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_int_equal(view(world).kept_bytes, 0);
}

/* ---- conflate ---- */

static void the_newest_of_each_path_leaves_when_the_sink_takes_again(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    uint64_t lost = counts(world)->dropped[SL_DROP_CONFLATED];
    for (int i = 1; i <= 100; i++) {
        send(world, &(struct notify){.updates = PATHS("/a/x", "/a/y"), .value = i});
    }
    send(world, &(struct notify){.deletes = PATHS("/b")});
    send(world, &(struct notify){.prefix = "/a", .updates = PATHS("/y"), .value = 0});
    assert_int_equal(counts(world)->dropped[SL_DROP_CONFLATED] - lost, 199);
    assert_int_equal(view(world).stalls, 1);
    assert_true(view(world).is_stalled);
    assert_journal("");
    acknowledge(world);
    assert_journal("/v=text* /a/x=100* -/b /a/y=0* gap:conflated:199");
    assert_int_equal(stall_of(world, 0), SL_STALL_OPEN);
    send(world, &(struct notify){.updates = PATHS("/a/x"), .value = 7});
    assert_journal("/a/x=7*");
    assert_over(world);
    assert_false(view(world).is_stalled);
    assert_int_equal(view(world).borrowed_bytes, 0);
}

static void a_device_that_never_stops_is_let_on_and_memory_has_its_bound(void **state)
{
    struct world *world = *state;
    char name[32];

    start_keeping(world);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "/a[k=%d]/x", i);
        send(world, &(struct notify){.updates = PATHS(name), .value = i});
        assert_true(view(world).kept_bytes <= LIMIT_BYTES + 4096);
        assert_int_equal(sl_grpc_call_unsent(world->device), 0);
    }
    assert_true(counts(world)->dropped[SL_DROP_SHED] > 1000);
    acknowledge(world);
    assert_true(comes(world, is_flowing));
    assert_over(world);
}

static void sync_keeps_its_place_and_baseline_its_name(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    send(world, &(struct notify){.updates = PATHS("/b"), .value = 1});
    send_sync(world);
    send(world, &(struct notify){.updates = PATHS("/b"), .value = 2});
    assert_true(view(world).is_synced);
    acknowledge(world);
    assert_journal("/v=text* /a=1* synced /b=2 gap:conflated:1");
    assert_over(world);
}

static void a_sink_that_is_full_again_finds_the_rest_in_order(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    for (int i = 1; i <= 4; i++) {
        const char *const path[] = {i == 1 ? "/a" : i == 2 ? "/b" : i == 3 ? "/c" : "/d", NULL};
        send(world, &(struct notify){.updates = path, .value = i});
    }
    the_fake->full_at = the_fake->records + 2;
    acknowledge(world);
    assert_journal("/v=text* /a=1*");
    assert_int_equal(stall_of(world, 0), SL_STALL_LEAVING);

    /* What comes now waits for the rest. */
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 5});
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->full_at = the_fake->records + 1;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    assert_journal("/b=2*");
    say_room(world);
    assert_journal("/c=3* /d=4* /a=5*");
    assert_int_equal(view(world).state, SL_STREAM_FLOWING);
    assert_int_equal(stall_of(world, 0), SL_STALL_OPEN);
    assert_over(world);
}

static void a_sink_that_stands_still_again_keeps_on_where_it_was(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    send(world, &(struct notify){.updates = PATHS("/b"), .value = 1});
    the_fake->full_at = the_fake->records + 2;
    acknowledge(world);
    assert_journal("/v=text* /a=1*");
    assert_int_equal(stall_of(world, 0), SL_STALL_LEAVING);
    (void)stand_still(world);
    assert_true(comes(world, is_keeping));
    send(world, &(struct notify){.updates = PATHS("/b"), .value = 2});
    assert_int_equal(view(world).stalls, 2);
    acknowledge(world); /* but it is full */
    assert_journal("");
    say_room(world);
    assert_true(comes(world, is_flowing));
    sl_buf_reset(&journal);
    assert_over(world);
    assert_int_equal(counts(world)->published + counts(world)->dropped[SL_DROP_CONFLATED],
                     counts(world)->received);
}

static void a_message_that_was_refused_is_kept(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    (void)send_all(world, LARGE, 1000);
    assert_true(comes(world, is_keeping));
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 2});
    say_room(world);
    acknowledge(world);
    assert_true(comes(world, is_flowing));
    assert_non_null(strstr(sl_buf_text(&journal), "/v=text* /a=2* gap:conflated:"));
    assert_over(world);
}

/* A record for each update: of one message some are with the sink. */
static void a_message_that_was_half_given_leaves_first(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 5;
    send(world, &(struct notify){.updates = PATHS("/a", "/b", "/c", "/d", "/e"), .value = 1});
    assert_journal("connected gap:start:0 /a=1* /b=1* /c=1*");
    (void)send_all(world, LARGE, 1000);
    assert_true(comes(world, is_keeping));
    assert_int_equal(counts(world)->held, 5 + 1);
    send(world, &(struct notify){.updates = PATHS("/a", "/d"), .value = 2});
    acknowledge(world);
    assert_journal("");
    say_room(world);
    assert_true(comes(world, is_flowing));
    sl_buf_add_c(&journal, " ");
    assert_non_null(strstr(sl_buf_text(&journal), "/d=1* /e=1* /v=text* /a=2* /d=2* gap:conf"));
    assert_over(world);
}

/* Its lines wait for company, before it stands still and when they leave again. */
static void a_batch_is_in_the_way_of_what_leaves(void **state)
{
    struct world *world = *state;
    uint64_t lines = 0;

    start_keeping(world);
    for (int i = 0; i < 9; i++) {
        send(world, &(struct notify){.updates = PATHS("/a", "/b"), .value = i});
    }
    acknowledge(world);
    assert_int_equal(stall_of(world, 0), SL_STALL_OPEN);
    assert_int_equal(counts(world)->held, 3); /* as lines: /v, /a and /b */
    (void)stand_still(world);
    acknowledge(world);
    for (uint64_t i = 0; i < the_fake->records; i++) {
        assert_int_equal(the_fake->seqs[i], lines + 1);
        lines += the_fake->lines[i];
    }
    assert_int_equal(counts(world)->published, lines + 1); /* one of them has two updates */
    assert_int_equal(counts(world)->dropped[SL_DROP_SHED], 0);
}

static void the_other_routes_go_on(void **state)
{
    struct world *world = *state;

    send(world, &(struct notify){.updates = PATHS("/c"), .value = 0});
    fake_acknowledge_of(the_fake, 'c', SLUICE_DELIVERED);
    start_keeping(world);
    sl_buf_reset(&journal);
    for (int i = 1; i <= 3; i++) {
        send(world, &(struct notify){.updates = PATHS("/a", "/c"), .value = i});
        fake_acknowledge_of(the_fake, 'c', SLUICE_DELIVERED);
        settle(world);
    }
    assert_int_equal(stall_of(world, 1), SL_STALL_OPEN);
    assert_journal("/c=1* /c=2* /c=3*");
    const struct sl_route *routes = view(world).routes;
    assert_int_equal(routes[1].counts.published, 4);
    assert_int_equal(routes[1].counts.dropped[SL_DROP_CONFLATED], 0);

    /* The other one stands still, too: in the end both keep. */
    for (int i = 0; !view(world).is_blocked; i++) {
        send(world, &(struct notify){.updates = PATHS("/c"), .value = i});
    }
    assert_true(comes(world, both_keep));
    assert_true(view(world).held_bytes <= LIMIT_BYTES * 2);
    acknowledge(world);
    assert_int_equal(stall_of(world, 0), SL_STALL_OPEN);
    assert_int_equal(stall_of(world, 1), SL_STALL_OPEN);
    assert_over(world);
    assert_true(sl_route_counts_are_valid(&routes[1].counts));
    assert_int_equal(routes[1].counts.held, 0);
}

static void the_end_of_the_call_is_told_behind_what_was_kept(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    start_keeping(world);
    sl_buf_reset(&journal);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 2});
    hang_up(world);
    assert_true(comes(world, is_waiting));
    assert_int_equal(view(world).epoch, epoch);
    assert_journal("");
    acknowledge(world);
    assert_journal("/v=text* /a=2* gap:conflated:1 end:unavailable");
    assert_int_equal(stall_of(world, 0), SL_STALL_OPEN);
    assert_int_equal(view(world).epoch, epoch); /* not before the sink has all of that, too */
    acknowledge(world);
    while (!world->device) {
        settle(world);
    }
    assert_true(view(world).epoch > epoch);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 3});
    assert_journal("connected gap:reconnect:0 /a=3*");
    assert_over(world);
}

/* A sink that takes a record now and then: each time the window is a little larger, but for what is
 * repaid. */
static void stalls_in_a_row_borrow_no_more_than_one(void **state)
{
    struct world *world = *state;
    uint64_t stalls = 0;

    for (int i = 0; i < 30; i++) {
        the_fake->full_at = the_fake->records + 2;
        the_fake->host->calls->ready(the_fake->host);
        for (int j = 0; j < 30 && sl_grpc_call_unsent(world->device) < 4 * LARGE; j++) {
            send(world, &(struct notify){.updates = PATHS("/a", "/c"), .value = j});
            (void)send_all(world, LARGE, 1);
        }
        while (view(world).is_blocked && view(world).stalls == stalls) {
            (void)step(world);
        }
        stalls = view(world).stalls;
        assert_true(view(world).borrowed_bytes <= LIMIT_BYTES / 4 * 2 + LARGE + 5);
        assert_true(view(world).assembling_bytes <= LIMIT_BYTES * 3 / 2 + LARGE + 5);
        fake_acknowledge_of(the_fake, i % 2 ? 'a' : 'c', SLUICE_DELIVERED);
    }
    assert_true(stalls >= 10);
    say_room(world);
    assert_over(world);
}

/* ---- the end of the stream ---- */

static void a_stream_that_is_closed_waits_for_what_is_kept(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    sl_stream_close(world->stream);
    assert_int_equal(view(world).state, SL_STREAM_DRAINING);
    settle(world);
    assert_journal("");
    acknowledge(world);
    assert_journal("/v=text* /a=1*");
    assert_int_equal(view(world).state, SL_STREAM_DRAINING);
    acknowledge(world);
    assert_true(comes(world, is_closed));
    assert_journal("end:cancelled-here");
    assert_over(world);
}

static void one_without_a_call_waits_too(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    hang_up(world);
    sl_stream_close(world->stream);
    assert_int_equal(view(world).state, SL_STREAM_PARTING);
    settle(world);
    assert_false(world->is_closed);
    acknowledge(world);
    assert_true(comes(world, is_closed));
    assert_journal("/v=text* end:unavailable");
    assert_over(world);
}

static void a_call_that_ends_while_it_drains_leaves_the_store_to_part(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_stream_close(world->stream);
    assert_int_equal(view(world).state, SL_STREAM_DRAINING);
    hang_up(world);
    assert_int_equal(view(world).state, SL_STREAM_PARTING);
    acknowledge(world);
    assert_true(comes(world, is_closed));
    assert_over(world);
}

static void what_nobody_waits_for_is_dropped_and_counted(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    send(world, &(struct notify){.updates = PATHS("/a", "/b"), .value = 1});
    sl_stream_abort(world->stream);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 3);
    assert_int_equal(view(world).kept_bytes, 0);
    assert_true(comes(world, is_closed));
    assert_over(world);
}

static void so_it_is_without_a_call(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    hang_up(world);
    sl_stream_close(world->stream);
    sl_stream_abort(world->stream);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 1);
    assert_true(comes(world, is_closed));
    assert_over(world);
}

/* ---- shed, resubscribe, block ---- */

static void shed_keeps_nothing_and_counts_everything(void **state)
{
    struct world *world = *state;

    start_keeping(world);
    sl_buf_reset(&journal);
    uint64_t lost = counts(world)->dropped[SL_DROP_SHED];
    for (int i = 0; i < 50; i++) {
        send(world, &(struct notify){.updates = PATHS("/a", "/b"), .deletes = PATHS("/c")});
    }
    send_sync(world);
    assert_int_equal(counts(world)->dropped[SL_DROP_SHED] - lost, 150);
    acknowledge(world);
    assert_journal("synced gap:shed:151");
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    assert_journal("/a=1");
    assert_over(world);
}

static void resubscribe_ends_the_call_and_waits_for_its_sinks(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    (void)stand_still(world);
    assert_true(comes(world, is_waiting));
    settle(world);
    assert_null(world->device);
    assert_true(view(world).is_stalled);
    assert_int_equal(view(world).epoch, epoch);
    assert_int_equal(view(world).stalls, 1);
    sl_buf_reset(&journal);
    acknowledge(world);
    while (!world->device) {
        settle(world);
    }
    assert_true(view(world).epoch > epoch);
    assert_false(view(world).is_stalled);
    assert_int_equal(view(world).subscribes, 2);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    assert_journal("connected gap:stalled:0 /a=1*");
    assert_over(world);
    assert_int_equal(counts(world)->published, counts(world)->received);
}

static void block_waits_for_its_sinks_when_the_device_gives_up(void **state)
{
    struct world *world = *state;
    uint64_t epoch = view(world).epoch;

    (void)stand_still(world);
    for (int i = 0; i < 50; i++) {
        settle(world);
    }
    assert_int_equal(view(world).stalls, 0);
    assert_true(view(world).is_blocked);
    sl_buf_reset(&journal);
    sl_grpc_call_cancel(world->device); /* it cannot even say why: that would stand behind data */
    assert_true(comes(world, is_waiting));
    for (int i = 0; i < 50; i++) {
        settle(world);
    }
    assert_null(world->device);
    acknowledge(world);
    acknowledge(world);
    while (!world->device) {
        settle(world);
    }
    assert_true(view(world).epoch > epoch);
    send(world, &(struct notify){.updates = PATHS("/a"), .value = 1});
    assert_journal("end:reset-by-peer connected gap:reconnect:0 /a=1*");
    assert_over(world);
}

int main(void)
{
#define STALL_TEST(test, set_up) cmocka_unit_test_setup_teardown(test, set_up, tear_down_stall)
    const struct CMUnitTest tests[] = {
        STALL_TEST(the_newest_of_each_path_leaves_when_the_sink_takes_again, set_up_conflate),
        STALL_TEST(a_device_that_never_stops_is_let_on_and_memory_has_its_bound, set_up_conflate),
        STALL_TEST(sync_keeps_its_place_and_baseline_its_name, set_up_conflate),
        STALL_TEST(a_sink_that_is_full_again_finds_the_rest_in_order, set_up_conflate),
        STALL_TEST(a_sink_that_stands_still_again_keeps_on_where_it_was, set_up_conflate),
        STALL_TEST(a_message_that_was_refused_is_kept, set_up_conflate),
        STALL_TEST(a_message_that_was_half_given_leaves_first, set_up_conflate_pieces),
        STALL_TEST(a_batch_is_in_the_way_of_what_leaves, set_up_conflate_lines),
        STALL_TEST(the_other_routes_go_on, set_up_conflate_two),
        STALL_TEST(the_end_of_the_call_is_told_behind_what_was_kept, set_up_conflate),
        STALL_TEST(stalls_in_a_row_borrow_no_more_than_one, set_up_shed_two),
        STALL_TEST(a_stream_that_is_closed_waits_for_what_is_kept, set_up_conflate),
        STALL_TEST(one_without_a_call_waits_too, set_up_conflate),
        STALL_TEST(a_call_that_ends_while_it_drains_leaves_the_store_to_part, set_up_conflate),
        STALL_TEST(what_nobody_waits_for_is_dropped_and_counted, set_up_conflate),
        STALL_TEST(so_it_is_without_a_call, set_up_conflate),
        STALL_TEST(shed_keeps_nothing_and_counts_everything, set_up_shed),
        STALL_TEST(resubscribe_ends_the_call_and_waits_for_its_sinks, set_up_resubscribe),
        STALL_TEST(block_waits_for_its_sinks_when_the_device_gives_up, set_up_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
