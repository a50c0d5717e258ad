/* The client's connection: each transition, and what becomes of calls. The server is a site, frame
 * by frame (site.h). */
#include <stdlib.h>
#include <string.h>

#include "grpc/record.h"
#include "grpc/site.h"
#include "h2/frames.h"

enum { MANY = 1000, MS = 1000 * 1000, LONG_MS = 20 * 1000 };

struct bench {
    struct site site;
    struct sl_grpc_channel *channel;
    struct sl_buf states; /* "connecting ready " */
    struct record *records;
    size_t count;
    bool is_closed;
    struct sl_grpc_channel_options options; /* what a test wants beside the usual */
    enum sl_grpc_channel_state wanted;      /* NONE: it was reached */
};

static const struct sl_grpc_method method = {
    .path = "/a/b", .client_streams = true, .server_streams = true};

/* ---- conditions ---- */

static bool is_closed(void *arg)
{
    return ((struct bench *)arg)->is_closed;
}

static bool have_all_ended(void *arg)
{
    const struct bench *bench = arg;

    for (size_t i = 0; i < bench->count; i++) {
        if (bench->records[i].call) {
            return false;
        }
    }
    return true;
}

static bool is_reached(void *arg)
{
    return ((struct bench *)arg)->wanted == SL_GRPC_CHANNEL_NONE;
}

static struct sl_grpc_channel_view view_of(const struct bench *bench)
{
    struct sl_grpc_channel_view view;

    sl_grpc_channel_view(bench->channel, &view);
    return view;
}

static bool has_drained(void *arg)
{
    return view_of(arg).draining == 0;
}

static bool has_old_connection(void *arg)
{
    return view_of(arg).draining > 0;
}

static bool has_request(void *arg)
{
    const struct bench *bench = arg;

    return bench->site.visitor_count > 0 && bench->site.visitors[0].ended > 0;
}

static bool has_three_requests(void *arg)
{
    const struct bench *bench = arg;

    return bench->site.visitor_count > 0 && bench->site.visitors[0].ended == 3;
}

static bool has_all_requests(void *arg)
{
    const struct bench *bench = arg;

    return bench->site.visitors[0].ended == bench->count;
}

static bool has_visitor(void *arg)
{
    return ((struct bench *)arg)->site.visitor_count > 0;
}

static bool is_second_asked(void *arg)
{
    const struct bench *bench = arg;

    return bench->site.visitor_count > 1 && bench->site.visitors[1].ended > 0;
}

static bool is_first_gone(void *arg)
{
    const struct bench *bench = arg;

    return bench->site.visitor_count > 0 && !bench->site.visitors[0].conn;
}

/* ---- the bench ---- */

static void on_state(struct sl_grpc_channel *channel, enum sl_grpc_channel_state state, void *arg)
{
    struct bench *bench = arg;

    assert_int_equal(sl_grpc_channel_state(channel), state);
    sl_buf_printf(&bench->states, "%s ", sl_grpc_channel_state_name(state));
    if (state == bench->wanted) {
        bench->wanted = SL_GRPC_CHANNEL_NONE;
        sl_loop_stop(bench->site.loop);
    }
}

static void expect_states(struct bench *bench, const char *names)
{
    assert_string_equal(sl_buf_text(&bench->states), names);
    sl_buf_reset(&bench->states);
}

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->records = calloc(MANY, sizeof(*bench->records));
    assert_non_null(bench->records);
    bench->site.manner = ANSWERS;
    open_site(&bench->site);
    *state = bench;
    return 0;
}

static void open_channel(struct bench *bench)
{
    struct sl_grpc_channel_options options = bench->options;

    options.loop = bench->site.loop;
    options.dial.address = (struct sl_address){.host = "127.0.0.1", .port = bench->site.port};
    options.backoff_min_ms = options.backoff_min_ms ? options.backoff_min_ms : 1;
    options.backoff_max_ms = options.backoff_max_ms ? options.backoff_max_ms : 2;
    options.on_state = on_state;
    options.arg = bench;
    bench->channel = sl_grpc_channel_open(&options);
    assert_non_null(bench->channel);
    assert_int_equal(sl_grpc_channel_state(bench->channel), SL_GRPC_CHANNEL_IDLE);
}

static void on_closed(void *arg)
{
    struct bench *bench = arg;

    assert_false(bench->is_closed);
    bench->is_closed = true;
    bench->channel = NULL;
}

static void close_channel(struct bench *bench)
{
    sl_grpc_channel_close(bench->channel, on_closed, bench);
    sl_grpc_channel_close(bench->channel, NULL, NULL);
    assert_false(bench->is_closed); /* not from within */
    run_until(&bench->site, is_closed, bench);
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    if (bench->channel) {
        close_channel(bench);
    }
    close_site(&bench->site);
    for (size_t i = 0; i < bench->count; i++) {
        record_fini(&bench->records[i]);
    }
    sl_buf_fini(&bench->states);
    free(bench->records);
    free(bench);
    return 0;
}

static void run(struct bench *bench, bool (*is_met)(void *arg))
{
    run_until(&bench->site, is_met, bench);
}

/* Stops in the turn in which it is entered. */
static void run_to_state(struct bench *bench, enum sl_grpc_channel_state state)
{
    if (sl_grpc_channel_state(bench->channel) != state) {
        bench->wanted = state;
        run(bench, is_reached);
    }
}

/* A call that says "ask" and no more. */
static struct record *ask_with(struct bench *bench, const struct sl_grpc_request *request)
{
    struct record *record = &bench->records[bench->count++];

    record->call = sl_grpc_channel_call(bench->channel, request, &record_events, record);
    assert_non_null(record->call);
    assert_int_equal(sl_grpc_call_send_bytes(record->call, "ask", 3), SL_GRPC_SENT);
    sl_grpc_call_half_close(record->call);
    return record;
}

static struct record *ask(struct bench *bench)
{
    const struct sl_grpc_request request = {.method = &method};

    return ask_with(bench, &request);
}

static struct record *ask_patiently(struct bench *bench)
{
    const struct sl_grpc_request request = {.method = &method, .wait_for_ready = true};

    return ask_with(bench, &request);
}

#define ANSWERED "open headers msg:yes half-close status:OK "

/* Nobody listens where the channel wants to go. */
static void lock_doors(struct bench *bench)
{
    close_doors(&bench->site);
}

/* ---- connecting ---- */

static void a_call_connects_and_is_answered(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    struct record *record = ask(bench);
    assert_int_equal(view_of(bench).waiting, 1);
    expect_states(bench, ""); /* not from within */
    run(bench, have_all_ended);
    expect_said(record, ANSWERED);
    expect_states(bench, "connecting ready ");
    assert_int_equal(view_of(bench).waiting, 0);
    assert_int_equal(view_of(bench).connects, 1);
    close_channel(bench);
    expect_states(bench, "closing closed ");
}

static void calls_share_one_connection(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    for (int i = 0; i < 10; i++) {
        ask(bench);
    }
    run(bench, have_all_ended);
    ask(bench);
    assert_int_equal(view_of(bench).waiting, 0); /* starts at once */
    run(bench, have_all_ended);
    for (size_t i = 0; i < bench->count; i++) {
        expect_said(&bench->records[i], ANSWERED);
    }
    assert_int_equal(bench->site.visitor_count, 1);
    assert_int_equal(bench->site.visitors[0].requests, 11);
}

static void calls_start_in_their_order(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = GREETS;
    open_channel(bench);
    for (int i = 0; i < 10; i++) {
        ask(bench);
    }
    run_to_state(bench, SL_GRPC_CHANNEL_READY);
    ask(bench); /* the others wait still */
    run(bench, has_all_requests);
    for (int32_t i = 0; i < 11; i++) {
        struct sl_h2_stream *stream = sl_grpc_call_stream(bench->records[i].call);
        assert_int_equal(sl_h2_stream_id(stream), 2 * i + 1);
    }
}

static void without_a_call_it_connects_when_told(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    run_turns(&bench->site, 3);
    expect_states(bench, "");
    sl_grpc_channel_connect(bench->channel);
    run_to_state(bench, SL_GRPC_CHANNEL_READY);
    expect_states(bench, "connecting ready ");
    assert_int_equal(sl_grpc_channel_last_error(bench->channel)->code, SL_OK);
}

static void a_wanted_connection_is_tried_for_until_it_stands(void **state)
{
    struct bench *bench = *state;

    lock_doors(bench);
    open_channel(bench);
    sl_grpc_channel_connect(bench->channel);
    run_to_state(bench, SL_GRPC_CHANNEL_BACKOFF);
    open_doors(&bench->site);
    run_to_state(bench, SL_GRPC_CHANNEL_READY);
    assert_int_equal(sl_grpc_channel_last_error(bench->channel)->code, SL_UNAVAILABLE);
}

static void a_call_fails_with_the_words_of_its_connection(void **state)
{
    struct bench *bench = *state;

    lock_doors(bench);
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, have_all_ended);
    expect_said(record, "status:UNAVAILABLE ");
    assert_string_equal(record->status.text, sl_grpc_channel_last_error(bench->channel)->text);
    assert_non_null(strstr(record->status.text, "refused"));
    run_to_state(bench, SL_GRPC_CHANNEL_IDLE); /* nobody wants anything any more */
    expect_states(bench, "connecting backoff idle ");
    assert_int_equal(view_of(bench).waiting, 0);
}

static void in_a_pause_after_a_failure_calls_fail_at_once_but_patient_ones(void **state)
{
    struct bench *bench = *state;

    bench->options.backoff_min_ms = LONG_MS;
    bench->options.backoff_max_ms = LONG_MS;
    lock_doors(bench);
    open_channel(bench);
    struct record *first = ask(bench);
    run(bench, have_all_ended);
    expect_said(first, "status:UNAVAILABLE ");
    if (sl_grpc_channel_state(bench->channel) != SL_GRPC_CHANNEL_BACKOFF) {
        return; /* jitter drew a pause of nothing */
    }
    struct record *patient = ask_patiently(bench);
    struct record *second = ask(bench);
    assert_non_null(second->call); /* not from within */
    run_turns(&bench->site, 2);
    expect_said(second, "status:UNAVAILABLE ");
    assert_non_null(patient->call);
    assert_int_equal(view_of(bench).waiting, 1);
    close_channel(bench);
    expect_said(patient, "status:CANCELLED ");
}

static void a_patient_call_waits_for_the_server(void **state)
{
    struct bench *bench = *state;

    lock_doors(bench);
    open_channel(bench);
    struct record *record = ask_patiently(bench);
    run_to_state(bench, SL_GRPC_CHANNEL_BACKOFF);
    run_to_state(bench, SL_GRPC_CHANNEL_CONNECTING);
    open_doors(&bench->site);
    run(bench, have_all_ended);
    expect_said(record, ANSWERED);
}

static void a_server_that_never_greets_is_given_up(void **state)
{
    struct bench *bench = *state;

    bench->options.watch.settings_ms = 20;
    bench->site.manner = SAYS_NOTHING;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, have_all_ended);
    expect_said(record, "status:UNAVAILABLE ");
    assert_string_equal(sl_status_reason(&record->status), "settings-timeout");
    assert_int_equal(bench->site.visitors[0].requests, 0);
}

static void a_server_that_hangs_up_is_unavailable(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = HANGS_UP;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, have_all_ended);
    expect_said(record, "status:UNAVAILABLE ");
    assert_int_equal(view_of(bench).connects, 0);
}

static void what_is_not_http2_is_unavailable_and_says_so(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = SAYS_NOTHING;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, has_visitor);
    sl_conn_write(bench->site.visitors[0].conn, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    run(bench, have_all_ended);
    expect_said(record, "status:UNAVAILABLE ");
    assert_string_equal(sl_status_reason(&record->status), "not-http2");
}

/* ---- waiting ---- */

static void a_deadline_ends_a_waiting_call(void **state)
{
    const struct sl_grpc_request request = {
        .method = &method, .wait_for_ready = true, .timeout_ns = 20 * MS};
    struct bench *bench = *state;

    lock_doors(bench);
    open_channel(bench);
    struct record *record = ask_with(bench, &request);
    run(bench, have_all_ended);
    expect_said(record, "status:DEADLINE_EXCEEDED ");
    assert_int_equal(view_of(bench).waiting, 0);
    run_to_state(bench, SL_GRPC_CHANNEL_IDLE);
}

static void a_waiting_call_can_be_cancelled(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = SAYS_NOTHING;
    open_channel(bench);
    struct record *first = ask(bench);
    struct record *second = ask(bench);
    sl_grpc_call_cancel(first->call);
    assert_non_null(first->call); /* not from within */
    run_turns(&bench->site, 2);
    expect_said(first, "status:CANCELLED ");
    assert_non_null(second->call);
    assert_int_equal(view_of(bench).waiting, 1);
}

static void what_cannot_be_metadata_ends_the_call_before_anything_leaves(void **state)
{
    const struct sl_grpc_field field = {.name = SL_STR("Upper"), .value = SL_STR("x")};
    const struct sl_grpc_request request = {
        .method = &method, .metadata = &field, .metadata_count = 1};
    struct bench *bench = *state;

    open_channel(bench);
    sl_grpc_channel_connect(bench->channel);
    run_to_state(bench, SL_GRPC_CHANNEL_READY);
    struct record *record = &bench->records[bench->count++];
    record->call = sl_grpc_channel_call(bench->channel, &request, &record_events, record);
    assert_non_null(record->call);
    run(bench, have_all_ended);
    expect_said(record, "status:INVALID_ARGUMENT ");
    assert_int_equal(view_of(bench).waiting, 0);
    assert_int_equal(bench->site.visitors[0].requests, 0);
}

static void the_list_of_waiting_calls_has_a_bound(void **state)
{
    const struct sl_grpc_request request = {.method = &method};
    struct bench *bench = *state;
    struct record record = {0};

    bench->options.max_waiting_calls = 2;
    open_channel(bench);
    ask(bench);
    ask(bench);
    assert_null(sl_grpc_channel_call(bench->channel, &request, &record_events, &record));
    run(bench, have_all_ended);
    expect_said(&bench->records[1], ANSWERED);
}

static void a_thousand_calls_take_turns_where_the_server_takes_one_at_a_time(void **state)
{
    struct bench *bench = *state;

    bench->site.max_streams = 1;
    open_channel(bench);
    for (int i = 0; i < MANY; i++) {
        ask(bench);
    }
    run(bench, have_all_ended);
    for (size_t i = 0; i < MANY; i++) {
        expect_said(&bench->records[i], ANSWERED);
    }
    assert_int_equal(bench->site.visitor_count, 1);
    assert_int_equal(bench->site.visitors[0].most_open, 1);
    assert_int_equal(bench->site.visitors[0].requests, MANY);
}

/* ---- GOAWAY and what never started ---- */

static void calls_up_to_the_last_id_finish_and_those_above_move(void **state)
{
    struct bench *bench = *state;
    struct visitor *first = &bench->site.visitors[0];

    bench->site.manner = GREETS;
    open_channel(bench);
    struct record *below = ask(bench);
    struct record *at = ask(bench);
    struct record *above = ask(bench);
    run(bench, has_three_requests);
    bench->site.manner = ANSWERS;
    say_answer(first, 1); /* so the connection was of use */
    say_goaway(first, 3, SL_H2_NO_ERROR, "moving");
    run(bench, is_second_asked);
    assert_int_equal(bench->site.visitors[1].requests, 1);
    assert_int_equal(view_of(bench).draining, 1);
    assert_int_equal(view_of(bench).retries, 1);
    ask(bench); /* goes to the new one */
    say_answer(first, 3);
    run(bench, have_all_ended);
    expect_said(below, ANSWERED);
    expect_said(at, ANSWERED);
    expect_said(above, "open " ANSWERED);
    assert_int_equal(bench->site.visitors[1].requests, 2);
    run(bench, has_drained);
    expect_states(bench, "connecting ready idle connecting ready ");
    assert_string_equal(sl_grpc_channel_last_error(bench->channel)->reason, "goaway");
}

static void an_announced_goaway_moves_new_calls_alone(void **state)
{
    struct bench *bench = *state;
    struct visitor *first = &bench->site.visitors[0];

    bench->site.manner = GREETS;
    open_channel(bench);
    ask(bench);
    run(bench, has_request);
    say_goaway(first, MAX_LAST_ID, SL_H2_NO_ERROR, "soon");
    run(bench, has_old_connection);
    bench->site.manner = ANSWERS;
    ask(bench);
    run(bench, is_second_asked);
    say_goaway(first, 1, SL_H2_NO_ERROR, "now");
    say_answer(first, 1);
    run(bench, have_all_ended);
    expect_said(&bench->records[0], ANSWERED);
    expect_said(&bench->records[1], ANSWERED);
    assert_int_equal(view_of(bench).retries, 0);
}

static void calls_that_never_left_move_too(void **state)
{
    struct bench *bench = *state;
    struct visitor *first = &bench->site.visitors[0];

    bench->site.manner = GREETS;
    bench->site.max_streams = 1;
    open_channel(bench);
    for (int i = 0; i < 10; i++) {
        ask(bench);
    }
    run(bench, has_request);
    bench->site.manner = ANSWERS;
    say_goaway(first, 1, SL_H2_NO_ERROR, "");
    say_answer(first, 1);
    run(bench, have_all_ended);
    expect_said(&bench->records[0], ANSWERED);
    for (size_t i = 1; i < bench->count; i++) {
        expect_said(&bench->records[i], ANSWERED); /* "open" once: it left once */
    }
    assert_int_equal(view_of(bench).retries, 9);
    assert_int_equal(first->requests, 1);
}

static void a_call_that_never_left_moves_as_often_as_it_must(void **state)
{
    struct bench *bench = *state;

    bench->site.max_streams = 1;
    bench->site.goaway_every = 1;
    open_channel(bench);
    for (int i = 0; i < 20; i++) {
        ask(bench);
    }
    run(bench, have_all_ended);
    for (size_t i = 0; i < bench->count; i++) {
        expect_said(&bench->records[i], ANSWERED);
    }
    assert_int_equal(bench->site.visitor_count, 20);
}

static void a_server_that_always_goes_away_fails_no_call(void **state)
{
    struct bench *bench = *state;

    bench->site.goaway_every = 3;
    open_channel(bench);
    for (int i = 0; i < 20; i++) {
        ask(bench);
        ask(bench);
        run(bench, have_all_ended);
    }
    for (size_t i = 0; i < bench->count; i++) {
        assert_int_equal(bench->records[i].status.code, SL_OK);
    }
    assert_true(bench->site.visitor_count >= 40 / 3);
}

static void a_server_that_sends_everybody_away_is_not_stormed(void **state)
{
    struct bench *bench = *state;

    bench->options.backoff_min_ms = LONG_MS;
    bench->options.backoff_max_ms = LONG_MS;
    bench->site.manner = SENDS_AWAY;
    open_channel(bench);
    struct record *record = ask(bench);
    run_to_state(bench, SL_GRPC_CHANNEL_BACKOFF);
    run_turns(&bench->site, 3);
    assert_non_null(record->call); /* it is reachable: the call waits */
    expect_states(bench, "connecting ready backoff ");
    assert_int_equal(bench->site.visitors[0].requests, 0);
    close_channel(bench);
    expect_said(record, "status:CANCELLED ");
}

static void a_refused_call_starts_again_a_bounded_number_of_times(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = REFUSES;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, have_all_ended);
    assert_int_equal(record->status.code, SL_UNAVAILABLE);
    assert_string_equal(sl_status_reason(&record->status), "reset-by-peer");
    assert_int_equal(bench->site.visitors[0].requests, 1 + SL_GRPC_MAX_RETRIES);
    assert_int_equal(bench->site.visitor_count, 1);
}

static void a_call_that_is_refused_once_is_answered(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = GREETS;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, has_request);
    bench->site.manner = ANSWERS;
    say_refused(&bench->site.visitors[0], 1);
    run(bench, have_all_ended);
    expect_said(record, "open " ANSWERED);
    assert_int_equal(view_of(bench).retries, 1);
}

static void a_call_that_was_looked_at_is_not_repeated(void **state)
{
    struct bench *bench = *state;

    bench->site.manner = GREETS;
    open_channel(bench);
    struct record *answered = ask(bench);
    run(bench, has_request);
    say_headers(&bench->site.visitors[0], 1);
    say_refused(&bench->site.visitors[0], 1);
    run(bench, have_all_ended);
    assert_int_equal(answered->status.code, SL_UNAVAILABLE);
    struct record *lost = ask(bench);
    run_turns(&bench->site, 3);
    hang_up(&bench->site.visitors[0]);
    run(bench, have_all_ended);
    expect_said(lost, "open status:UNAVAILABLE ");
    assert_string_equal(sl_status_reason(&lost->status), "connection-ended");
    assert_int_equal(view_of(bench).retries, 0);
    assert_int_equal(bench->site.visitor_count, 1);
}

/* ---- over time ---- */

static void between_calls_the_server_may_restart(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    ask(bench);
    run(bench, have_all_ended);
    close_doors(&bench->site);
    hang_up(&bench->site.visitors[0]);
    run_to_state(bench, SL_GRPC_CHANNEL_IDLE);
    open_doors(&bench->site);
    ask(bench);
    run(bench, have_all_ended);
    expect_said(&bench->records[0], ANSWERED);
    expect_said(&bench->records[1], ANSWERED);
    assert_int_equal(view_of(bench).connects, 2);
}

static void a_server_that_wants_fewer_pings_gets_them_half_as_often(void **state)
{
    struct bench *bench = *state;

    bench->options.watch.ping_interval_ms = LONG_MS;
    open_channel(bench);
    ask(bench);
    run(bench, have_all_ended);
    say_goaway(&bench->site.visitors[0], 1, SL_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    run(bench, is_first_gone);
    assert_int_equal(view_of(bench).ping_interval_ms, 2 * LONG_MS);
    ask(bench);
    run(bench, have_all_ended);
    expect_said(&bench->records[1], ANSWERED);
}

static void a_server_that_answers_no_ping_is_left(void **state)
{
    struct bench *bench = *state;

    bench->options.watch.ping_interval_ms = 10;
    bench->options.watch.ping_timeout_ms = 10;
    bench->site.manner = GREETS;
    open_channel(bench);
    struct record *record = ask(bench);
    run(bench, has_request);
    bench->site.manner = SAYS_NOTHING;
    run(bench, have_all_ended);
    expect_said(record, "open status:UNAVAILABLE ");
    assert_string_equal(sl_grpc_channel_last_error(bench->channel)->reason, "ping-timeout");
}

/* ---- closing ---- */

static void an_idle_channel_closes(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    close_channel(bench);
    expect_states(bench, "closing closed ");
    assert_int_equal(bench->site.visitor_count, 0);
}

static void a_channel_closes_while_it_dials(void **state)
{
    struct bench *bench = *state;

    open_channel(bench);
    struct record *record = ask(bench);
    run_to_state(bench, SL_GRPC_CHANNEL_CONNECTING);
    close_channel(bench);
    expect_said(record, "status:CANCELLED ");
    expect_states(bench, "connecting closing closed ");
}

static void a_closing_channel_takes_no_calls(void **state)
{
    const struct sl_grpc_request request = {.method = &method};
    struct bench *bench = *state;
    struct record record = {0};

    open_channel(bench);
    sl_grpc_channel_close(bench->channel, on_closed, bench);
    assert_null(sl_grpc_channel_call(bench->channel, &request, &record_events, &record));
    sl_grpc_channel_connect(bench->channel);
    run(bench, is_closed);
    expect_states(bench, "closing closed ");
}

static void closing_ends_everything_that_is_under_way(void **state)
{
    struct bench *bench = *state;
    struct visitor *first = &bench->site.visitors[0];

    bench->site.manner = GREETS;
    bench->site.max_streams = 2;
    open_channel(bench);
    for (int i = 0; i < 4; i++) {
        ask(bench);
    }
    run(bench, has_request);
    say_headers(first, 1);
    say_goaway(first, MAX_LAST_ID, SL_H2_NO_ERROR, ""); /* two stay, two move */
    run(bench, is_second_asked);
    bench->site.manner = SAYS_NOTHING;
    say_goaway(&bench->site.visitors[1], MAX_LAST_ID, SL_H2_NO_ERROR, "");
    run_to_state(bench, SL_GRPC_CHANNEL_IDLE);
    ask(bench); /* waits */
    run_to_state(bench, SL_GRPC_CHANNEL_CONNECTING);
    assert_int_equal(view_of(bench).draining, 2);
    close_channel(bench);
    for (size_t i = 0; i < bench->count; i++) {
        assert_null(bench->records[i].call);
        assert_int_equal(bench->records[i].status.code, SL_CANCELLED);
        assert_string_equal(bench->records[i].status.text, "the channel was closed");
    }
}

static void restart(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    const struct sl_grpc_request request = {.method = &method};
    struct bench *bench = arg;

    (void)call;
    (void)status;
    assert_null(sl_grpc_channel_call(bench->channel, &request, &record_events, bench));
}

static const struct sl_grpc_call_events restart_events = {.on_status = restart};

static void who_calls_again_when_a_call_is_cancelled_by_the_close_gets_nothing(void **state)
{
    const struct sl_grpc_request request = {.method = &method};
    struct bench *bench = *state;

    open_channel(bench);
    assert_non_null(sl_grpc_channel_call(bench->channel, &request, &restart_events, bench));
    close_channel(bench);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_call_connects_and_is_answered),
        BENCH_TEST(calls_share_one_connection),
        BENCH_TEST(calls_start_in_their_order),
        BENCH_TEST(without_a_call_it_connects_when_told),
        BENCH_TEST(a_wanted_connection_is_tried_for_until_it_stands),
        BENCH_TEST(a_call_fails_with_the_words_of_its_connection),
        BENCH_TEST(in_a_pause_after_a_failure_calls_fail_at_once_but_patient_ones),
        BENCH_TEST(a_patient_call_waits_for_the_server),
        BENCH_TEST(a_server_that_never_greets_is_given_up),
        BENCH_TEST(a_server_that_hangs_up_is_unavailable),
        BENCH_TEST(what_is_not_http2_is_unavailable_and_says_so),
        BENCH_TEST(a_deadline_ends_a_waiting_call),
        BENCH_TEST(a_waiting_call_can_be_cancelled),
        BENCH_TEST(what_cannot_be_metadata_ends_the_call_before_anything_leaves),
        BENCH_TEST(the_list_of_waiting_calls_has_a_bound),
        BENCH_TEST(a_thousand_calls_take_turns_where_the_server_takes_one_at_a_time),
        BENCH_TEST(calls_up_to_the_last_id_finish_and_those_above_move),
        BENCH_TEST(an_announced_goaway_moves_new_calls_alone),
        BENCH_TEST(calls_that_never_left_move_too),
        BENCH_TEST(a_call_that_never_left_moves_as_often_as_it_must),
        BENCH_TEST(a_server_that_always_goes_away_fails_no_call),
        BENCH_TEST(a_server_that_sends_everybody_away_is_not_stormed),
        BENCH_TEST(a_refused_call_starts_again_a_bounded_number_of_times),
        BENCH_TEST(a_call_that_is_refused_once_is_answered),
        BENCH_TEST(a_call_that_was_looked_at_is_not_repeated),
        BENCH_TEST(between_calls_the_server_may_restart),
        BENCH_TEST(a_server_that_wants_fewer_pings_gets_them_half_as_often),
        BENCH_TEST(a_server_that_answers_no_ping_is_left),
        BENCH_TEST(an_idle_channel_closes),
        BENCH_TEST(a_channel_closes_while_it_dials),
        BENCH_TEST(a_closing_channel_takes_no_calls),
        BENCH_TEST(closing_ends_everything_that_is_under_way),
        BENCH_TEST(who_calls_again_when_a_call_is_cancelled_by_the_close_gets_nothing),
    };

    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
