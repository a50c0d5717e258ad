/* Calls with a loop: typed messages, metadata, compression, deadlines, cancellation; and calls that
 * wait for a session or start again on another one. Our client and our server, back to back. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "grpc/internal.h"
#include "grpc/record.h"

enum { MS = 1000 * 1000 };

typedef Google__Protobuf__EnumValueDescriptorProto note_message; /* {string name, int32 number} */

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_context context; /* of both sides */
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct record asks;
    struct record answers;
    struct sl_grpc_owner owner;
    struct sl_list waiting;
    unsigned gone;
    unsigned unprocessed;
    unsigned moved; /* of them: a GOAWAY came before they left */
    bool retries;
    bool refuses; /* the server's on_call finishes at once */
};

/* ---- typed events on top of the record's ---- */

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    const note_message *note = (const note_message *)(const void *)message;
    struct record *record = arg;

    if (record->holds > 0) {
        record->holds--;
        return SL_GRPC_HOLD;
    }
    sl_buf_printf(&record->said, "note:%s%s ", note->name,
                  sl_grpc_call_was_compressed(call) ? "(gzip)" : "");
    return SL_GRPC_TAKEN;
}

static struct sl_grpc_call_events events; /* record_events with on_message */

static const struct sl_grpc_method chat = {
    .name = "Chat",
    .path = "/notes.Notes/Chat",
    .client_streams = true,
    .server_streams = true,
    .input = &google__protobuf__enum_value_descriptor_proto__descriptor,
    .output = &google__protobuf__enum_value_descriptor_proto__descriptor,
};

static const struct sl_grpc_method get = {
    .name = "Get",
    .path = "/notes.Notes/Get",
    .input = &google__protobuf__enum_value_descriptor_proto__descriptor,
    .output = &google__protobuf__enum_value_descriptor_proto__descriptor,
};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    if (bench->refuses) {
        struct sl_status status = sl_status_error(SL_NOT_FOUND, "no such note");
        sl_grpc_call_finish(call, &status);
        return;
    }
    bench->answers.call = call;
    sl_grpc_call_set_events(call, &events, &bench->answers);
}

static const struct sl_grpc_handler handlers[] = {{&chat, on_call}, {&get, on_call}, {NULL, NULL}};

/* ---- the wire ---- */

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;

    (void)session;
    sl_grpc_call_accept(&bench->router, NULL, stream);
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

static bool is_split; /* the second round: the wire carries single bytes */

static bool carry(struct sl_h2_session *from, struct sl_h2_session *to)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;
    bool has_carried = false;

    while ((len = sl_h2_session_output(from, bytes, sizeof(bytes))) > 0) {
        size_t step = is_split ? 1 : len;
        has_carried = true;
        for (size_t at = 0; at < len; at += step) {
            struct sl_status status = sl_h2_session_receive(to, bytes + at, step);
            assert_string_equal(status.text, "");
        }
    }
    return has_carried;
}

static void pump(struct bench *bench)
{
    bool is_busy = true;

    while (is_busy) {
        is_busy = carry(bench->client, bench->server);
        is_busy = carry(bench->server, bench->client) || is_busy;
    }
}

static void stop(void *arg)
{
    sl_loop_stop(arg);
}

/* What is due on the loop happens. */
static void turn(struct bench *bench)
{
    assert_true(sl_loop_post(bench->loop, stop, bench->loop));
    sl_loop_run(bench->loop);
}

/* Until `record` has its status. */
static void wait_for_end(struct bench *bench, const struct record *record)
{
    while (record->call) {
        struct sl_timer *timer = sl_timer_new(bench->loop, stop, bench->loop);
        sl_timer_start(timer, 2);
        sl_loop_run(bench->loop);
        sl_timer_free(timer);
    }
}

static bool on_unprocessed(struct sl_grpc_call *call, bool is_moved, void *arg)
{
    struct bench *bench = arg;

    bench->unprocessed++;
    bench->moved += is_moved;
    if (bench->retries) {
        sl_list_append(&bench->waiting, &call->node);
    }
    return bench->retries;
}

static void on_gone(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;

    (void)call;
    bench->gone++;
}

static void open_sessions(struct bench *bench)
{
    bench->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &session_events, bench);
    bench->server = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, bench);
    assert_non_null(bench->client);
    assert_non_null(bench->server);
    pump(bench);
}

static void close_sessions(struct bench *bench)
{
    sl_h2_session_free(bench->client);
    sl_h2_session_free(bench->server);
}

static struct bench *new_bench(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    events = record_events;
    events.on_bytes = NULL;
    events.on_message = on_note;
    bench->loop = sl_loop_new();
    assert_non_null(bench->loop);
    sl_grpc_context_init(&bench->context, bench->loop);
    bench->service = (struct sl_grpc_service_entry){handlers, bench};
    bench->router =
        (struct sl_grpc_router){.entries = &bench->service, .count = 1, .context = &bench->context};
    bench->owner = (struct sl_grpc_owner){on_unprocessed, on_gone, bench};
    sl_list_init(&bench->waiting);
    open_sessions(bench);
    return bench;
}

static void free_bench(struct bench *bench)
{
    close_sessions(bench);
    turn(bench);
    record_fini(&bench->asks);
    record_fini(&bench->answers);
    sl_grpc_context_fini(&bench->context);
    sl_loop_free(bench->loop);
    free(bench);
}

static struct sl_grpc_request request_of(struct bench *bench, const struct sl_grpc_method *method)
{
    return (struct sl_grpc_request){
        .method = method, .authority = "x", .user_agent = "test", .context = &bench->context};
}

static struct sl_grpc_call *open_call(struct bench *bench, const struct sl_grpc_request *request)
{
    bench->asks.call = sl_grpc_call_open(bench->client, request, &events, &bench->asks);
    assert_non_null(bench->asks.call);
    pump(bench);
    return bench->asks.call;
}

static enum sl_grpc_send send_note(struct sl_grpc_call *call, const char *text)
{
    note_message note = GOOGLE__PROTOBUF__ENUM_VALUE_DESCRIPTOR_PROTO__INIT;
    char *copy = strdup(text);

    note.name = copy;
    enum sl_grpc_send sent = sl_grpc_call_send(call, &note.base);
    free(copy);
    return sent;
}

static void finish(struct bench *bench, enum sl_code code)
{
    struct sl_status status = code == SL_OK ? sl_status_ok() : sl_status_error(code, "so it is");

    sl_grpc_call_finish(bench->answers.call, &status);
    pump(bench);
}

/* ---- messages ---- */

static void messages_are_typed_both_ways(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = open_call(bench, &request);

    (void)state;
    assert_ptr_equal(sl_grpc_call_method(bench->answers.call), &chat);
    assert_int_equal(send_note(call, "one"), SL_GRPC_SENT);
    bench->answers.holds = 1;
    pump(bench);
    expect_said(&bench->answers, "");
    sl_grpc_call_resume(bench->answers.call);
    expect_said(&bench->answers, "note:one ");
    assert_int_equal(send_note(bench->answers.call, "two"), SL_GRPC_SENT);
    pump(bench);
    expect_said(&bench->asks, "open headers note:two ");
    sl_grpc_call_half_close(call);
    pump(bench);
    finish(bench, SL_OK);
    expect_said(&bench->asks, "half-close status:OK ");
    expect_said(&bench->answers, "half-close status:OK ");
    free_bench(bench);
}

/* Larger than what is packed on the stack; the third is more than the send buffer has room for. */
static void large_messages_go_both_ways_whole_or_not_at_all(void **state)
{
    enum { NAME_BYTES = 100 * 1000 };
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = open_call(bench, &request);
    struct sl_buf expected = {0};
    char name[NAME_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < NAME_BYTES; i++) {
        name[i] = (char)('a' + i % 26);
    }
    name[NAME_BYTES] = '\0';
    for (size_t side = 0; side < 2; side++) {
        struct sl_grpc_call *sender = side == 0 ? call : bench->answers.call;
        struct record *taker = side == 0 ? &bench->answers : &bench->asks;
        assert_int_equal(send_note(sender, name), SL_GRPC_SENT);
        assert_int_equal(send_note(sender, name), SL_GRPC_SENT);
        assert_int_equal(send_note(sender, name), SL_GRPC_FULL);
        pump(bench);
        sl_buf_reset(&expected);
        sl_buf_printf(&expected, "%snote:%s note:%s ", side == 0 ? "" : "open headers ", name,
                      name);
        expect_said(taker, sl_buf_text(&expected));
        assert_int_equal(sl_grpc_call_unsent(sender), 0);
        assert_int_equal((side == 0 ? &bench->asks : &bench->answers)->writables, 1);
    }
    sl_buf_fini(&expected);
    free_bench(bench);
}

static void a_broken_message_ends_the_call_of_either_side(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = open_call(bench, &request);

    (void)state;
    assert_int_equal(sl_grpc_call_send_bytes(call, "\x0a\x09", 2), SL_GRPC_SENT);
    pump(bench);
    turn(bench);
    pump(bench);
    expect_said(&bench->answers, "status:INTERNAL ");
    expect_said(&bench->asks, "open half-close status:INTERNAL ");
    call = open_call(bench, &request);
    assert_int_equal(sl_grpc_call_send_bytes(bench->answers.call, "\x0a\x09", 2), SL_GRPC_SENT);
    pump(bench);
    turn(bench);
    pump(bench);
    expect_said(&bench->asks, "open headers status:INTERNAL ");
    assert_string_equal(sl_status_reason(&bench->asks.status), "broken-message");
    expect_said(&bench->answers, "status:CANCELLED ");
    free_bench(bench);
}

static void a_unary_call_has_one_message_each_way(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &get);
    struct sl_grpc_call *call = open_call(bench, &request);

    (void)state;
    sl_grpc_call_half_close(call); /* none */
    pump(bench);
    turn(bench);
    pump(bench);
    expect_said(&bench->answers, "status:UNIMPLEMENTED ");
    expect_said(&bench->asks, "open half-close status:UNIMPLEMENTED ");
    call = open_call(bench, &request);
    assert_int_equal(send_note(call, "a"), SL_GRPC_SENT);
    assert_int_equal(send_note(call, "b"), SL_GRPC_SENT);
    pump(bench);
    turn(bench);
    pump(bench);
    expect_said(&bench->answers, "note:a status:UNIMPLEMENTED ");
    assert_string_equal(sl_status_reason(&bench->answers.status), "cardinality");
    expect_said(&bench->asks, "open half-close status:UNIMPLEMENTED ");
    open_call(bench, &request);
    finish(bench, SL_OK); /* without an answer */
    turn(bench);
    expect_said(&bench->asks, "open status:UNIMPLEMENTED ");
    assert_string_equal(sl_status_reason(&bench->asks.status), "cardinality");
    expect_said(&bench->answers, "status:OK ");
    open_call(bench, &request);
    assert_int_equal(send_note(bench->answers.call, "a"), SL_GRPC_SENT);
    assert_int_equal(send_note(bench->answers.call, "b"), SL_GRPC_SENT);
    pump(bench);
    turn(bench);
    pump(bench);
    expect_said(&bench->asks, "open headers note:a status:UNIMPLEMENTED ");
    expect_said(&bench->answers, "status:CANCELLED ");
    free_bench(bench);
}

/* ---- metadata and status ---- */

static void expect_only(const struct sl_grpc_metadata *metadata, const char *name,
                        struct sl_str value)
{
    struct sl_grpc_field field;
    size_t at = 0;

    assert_true(sl_grpc_metadata_next(metadata, &at, &field));
    assert_true(sl_str_eq_c(field.name, name));
    assert_true(sl_str_eq(field.value, value));
    assert_false(sl_grpc_metadata_next(metadata, &at, &field));
}

static struct sl_grpc_call_events watching; /* events with on_status below */

static void look_at_end(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    assert_true(sl_str_eq(sl_grpc_call_status_message(call), SL_STR("\t\xe2\x98\xba%\n")));
    assert_true(sl_str_eq(sl_grpc_call_status_details(call), SL_STR("\x08\x05\0")));
    expect_only(sl_grpc_call_trailers(call), "t-bin", SL_STR("\0\xff"));
    record_events.on_status(call, status, arg);
}

static void end_with_everything(struct bench *bench)
{
    static const struct sl_grpc_field trailers[] = {{{"t-bin", 5}, {"\0\xff", 2}, false}};
    const struct sl_grpc_end end = {.code = SL_DATA_LOSS,
                                    .message = SL_STR("\t\xe2\x98\xba%\n"),
                                    .details = SL_STR("\x08\x05\0"),
                                    .trailers = trailers,
                                    .trailer_count = 1};

    sl_grpc_call_finish_with(bench->answers.call, &end);
    pump(bench);
}

static void metadata_and_the_whole_status_go_both_ways(void **state)
{
    static const struct sl_grpc_field asked[] = {{{"q-bin", 5}, {"\1\2", 2}, false}};
    static const struct sl_grpc_field told[] = {{{"h", 1}, {"v", 1}, false}};
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    request.metadata = asked;
    request.metadata_count = 1;
    request.user_agent = "";
    watching = events;
    watching.on_status = look_at_end;
    for (int is_trailers_only = 0; is_trailers_only < 2; is_trailers_only++) {
        bench->asks.call = sl_grpc_call_open(bench->client, &request, &watching, &bench->asks);
        pump(bench);
        expect_only(sl_grpc_call_headers(bench->answers.call), "q-bin", SL_STR("\1\2"));
        if (!is_trailers_only) {
            assert_true(sl_grpc_call_respond(bench->answers.call, told, 1));
            assert_false(sl_grpc_call_respond(bench->answers.call, told, 1));
            pump(bench);
            expect_only(sl_grpc_call_headers(bench->asks.call), "h", SL_STR("v"));
        }
        end_with_everything(bench);
        assert_null(bench->asks.call);
        assert_int_equal(bench->asks.status.code, SL_DATA_LOSS);
    }
    free_bench(bench);
}

static void a_handler_cannot_send_reserved_names(void **state)
{
    static const struct sl_grpc_field wrong[] = {{{"grpc-status", 11}, {"0", 1}, false}};
    const struct sl_grpc_end end = {.code = SL_OK, .trailers = wrong, .trailer_count = 1};
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    open_call(bench, &request);
    assert_false(sl_grpc_call_respond(bench->answers.call, wrong, 1));
    pump(bench);
    turn(bench);
    assert_int_equal(bench->asks.status.code, SL_INTERNAL);
    open_call(bench, &request);
    sl_grpc_call_finish_with(bench->answers.call, &end);
    pump(bench);
    assert_int_equal(bench->asks.status.code, SL_INTERNAL);
    free_bench(bench);
}

/* ---- compression ---- */

static void messages_are_compressed_where_both_sides_agree(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    request.encoding = SL_GRPC_GZIP;
    struct sl_grpc_call *call = open_call(bench, &request);
    assert_int_equal(send_note(call, "packed"), SL_GRPC_SENT);
    sl_grpc_call_set_compressed(call, false);
    assert_int_equal(send_note(call, "plain"), SL_GRPC_SENT);
    pump(bench);
    expect_said(&bench->answers, "note:packed(gzip) note:plain ");
    sl_grpc_call_set_encoding(bench->answers.call, SL_GRPC_GZIP);
    assert_int_equal(send_note(bench->answers.call, "back"), SL_GRPC_SENT);
    bench->asks.holds = 1; /* a held one is decompressed again */
    pump(bench);
    sl_grpc_call_resume(call);
    expect_said(&bench->asks, "open headers note:back(gzip) ");
    finish(bench, SL_OK);
    request.identity_only = true;
    request.encoding = SL_GRPC_IDENTITY;
    open_call(bench, &request);
    sl_grpc_call_set_encoding(bench->answers.call, SL_GRPC_GZIP); /* not taken by the client */
    assert_int_equal(send_note(bench->answers.call, "back"), SL_GRPC_SENT);
    finish(bench, SL_OK);
    expect_said(&bench->asks, "half-close status:OK open headers note:back half-close status:OK ");
    free_bench(bench);
}

static void a_bomb_ends_the_call_at_the_limit(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    char *zeros = calloc(1, 1000 * 1000);

    (void)state;
    request.encoding = SL_GRPC_GZIP;
    struct sl_grpc_call *call = open_call(bench, &request);
    bench->answers.max_message_bytes = 100 * 1000;
    assert_int_equal(sl_grpc_call_send_bytes(call, zeros, 1000 * 1000), SL_GRPC_SENT);
    assert_true(sl_grpc_call_unsent(call) < 5000);
    pump(bench);
    turn(bench);
    pump(bench);
    assert_int_equal(bench->answers.status.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&bench->answers.status), "message-too-large");
    assert_int_equal(bench->asks.status.code, SL_RESOURCE_EXHAUSTED);
    free(zeros);
    free_bench(bench);
}

/* ---- deadlines and cancellation ---- */

static void a_deadline_ends_the_call_though_the_peer_says_nothing(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    uint64_t left_ns;

    (void)state;
    request.timeout_ns = 20 * MS;
    bench->asks.call = sl_grpc_call_open(bench->client, &request, &events, &bench->asks);
    assert_non_null(bench->asks.call);
    assert_true(sl_grpc_call_time_left(bench->asks.call, &left_ns));
    assert_true(left_ns <= 20 * MS);
    wait_for_end(bench, &bench->asks); /* nothing of it ever left */
    expect_said(&bench->asks, "status:DEADLINE_EXCEEDED ");
    free_bench(bench);
}

static void a_server_ends_a_call_at_the_clients_deadline(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    uint64_t left_ns;

    (void)state;
    request.timeout_ns = 20 * MS;
    open_call(bench, &request);
    assert_true(sl_grpc_call_time_left(bench->answers.call, &left_ns));
    assert_true(left_ns <= 20 * MS);
    wait_for_end(bench, &bench->answers);
    expect_said(&bench->answers, "status:DEADLINE_EXCEEDED ");
    wait_for_end(bench, &bench->asks);
    expect_said(&bench->asks, "open status:DEADLINE_EXCEEDED ");
    pump(bench);
    free_bench(bench);
}

static void a_deadline_does_not_wait_for_what_the_client_does_not_read(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    static char large[100 * 1000];
    uint64_t left_ns;

    (void)state;
    request.timeout_ns = 20 * MS;
    request.manual_credit = true;
    open_call(bench, &request);
    assert_int_equal(sl_grpc_call_send_bytes(bench->answers.call, large, sizeof(large)),
                     SL_GRPC_SENT);
    finish(bench, SL_OK);
    assert_non_null(bench->answers.call); /* the window is used up */
    wait_for_end(bench, &bench->answers);
    expect_said(&bench->answers, "status:DEADLINE_EXCEEDED ");
    assert_true(!bench->asks.call || /* a reset before that would read as CANCELLED */
                (sl_grpc_call_time_left(bench->asks.call, &left_ns) && left_ns == 0));
    wait_for_end(bench, &bench->asks);
    pump(bench);
    free_bench(bench);
}

static void a_cancel_by_the_server_after_the_deadline_is_the_deadlines(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    uint64_t left_ns = 1;

    (void)state;
    request.timeout_ns = MS;
    open_call(bench, &request);
    while (left_ns > 0) { /* the loop does not run: its timers are late */
        assert_true(sl_grpc_call_time_left(bench->asks.call, &left_ns));
    }
    sl_grpc_call_cancel(bench->answers.call);
    pump(bench);
    assert_null(bench->asks.call);
    expect_said(&bench->asks, "open status:DEADLINE_EXCEEDED ");
    free_bench(bench);
}

static void a_call_without_a_deadline_has_no_time_left_to_tell(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = open_call(bench, &request);
    uint64_t left_ns;

    (void)state;
    assert_false(sl_grpc_call_time_left(call, &left_ns));
    assert_false(sl_grpc_call_time_left(bench->answers.call, &left_ns));
    finish(bench, SL_OK);
    free_bench(bench);
}

static void a_cancelled_call_ends_with_the_turn_and_the_other_side_sees_it(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = open_call(bench, &request);

    (void)state;
    sl_grpc_call_cancel(call);
    sl_grpc_call_cancel(call);
    assert_non_null(bench->asks.call);
    turn(bench);
    expect_said(&bench->asks, "open status:CANCELLED ");
    pump(bench);
    expect_said(&bench->answers, "status:CANCELLED ");
    open_call(bench, &request);
    sl_grpc_call_cancel(bench->answers.call);
    turn(bench);
    expect_said(&bench->answers, "status:CANCELLED ");
    pump(bench);
    expect_said(&bench->asks, "open status:CANCELLED ");
    free_bench(bench);
}

/* ---- calls that wait ---- */

static struct sl_grpc_call *prepare(struct bench *bench, const struct sl_grpc_request *request)
{
    struct sl_grpc_call *call = sl_grpc_call_prepare(request, &events, &bench->asks, &bench->owner);

    assert_non_null(call);
    sl_list_append(&bench->waiting, &call->node);
    bench->asks.call = call;
    return call;
}

static void what_a_waiting_call_sends_leaves_when_it_starts(void **state)
{
    static const struct sl_grpc_field asked[] = {{{"q-bin", 5}, {"\1\2", 2}, false}};
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    request.metadata = asked;
    request.metadata_count = 1;
    request.user_agent = "";
    struct sl_grpc_call *call = prepare(bench, &request);
    assert_int_equal(send_note(call, "one"), SL_GRPC_SENT);
    assert_int_equal(send_note(call, "two"), SL_GRPC_SENT);
    sl_grpc_call_half_close(call);
    assert_int_equal(send_note(call, "three"), SL_GRPC_CLOSED);
    assert_true(sl_grpc_call_start(call, bench->client));
    assert_true(sl_list_is_empty(&bench->waiting));
    pump(bench);
    expect_said(&bench->answers, "note:one note:two half-close ");
    expect_only(sl_grpc_call_headers(bench->answers.call), "q-bin", SL_STR("\1\2"));
    finish(bench, SL_OK);
    expect_said(&bench->asks, "open half-close status:OK ");
    free_bench(bench);
}

static void a_waiting_call_sends_no_more_than_its_bound(void **state)
{
    enum { LARGE_BYTES = 100 * 1000 };
    char *large = calloc(1, LARGE_BYTES);
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = prepare(bench, &request);
    unsigned sent = 0;

    (void)state;
    memset(large, 'x', LARGE_BYTES - 1);
    while (send_note(call, large) == SL_GRPC_SENT) {
        sent++;
    }
    assert_int_equal(sent, SL_H2_SEND_BUFFER_BYTES / LARGE_BYTES);
    assert_false(sl_grpc_call_is_ready(call));
    assert_int_equal(bench->asks.writables, 0);
    assert_true(sl_grpc_call_start(call, bench->client));
    assert_int_equal(bench->asks.writables, 1);
    pump(bench);
    finish(bench, SL_OK);
    free(large);
    free_bench(bench);
}

static void a_waiting_call_ends_by_its_deadline_and_by_cancel(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_status why = sl_status_error(SL_UNAVAILABLE, "nobody there");

    (void)state;
    sl_grpc_call_cancel(prepare(bench, &request));
    turn(bench);
    expect_said(&bench->asks, "status:CANCELLED ");
    assert_int_equal(bench->gone, 1);
    assert_true(sl_list_is_empty(&bench->waiting));
    request.timeout_ns = 10 * MS;
    prepare(bench, &request);
    wait_for_end(bench, &bench->asks);
    expect_said(&bench->asks, "status:DEADLINE_EXCEEDED ");
    assert_int_equal(bench->gone, 2);
    sl_grpc_call_abandon(prepare(bench, &request), &why);
    expect_said(&bench->asks, "status:UNAVAILABLE ");
    assert_int_equal(bench->gone, 2);
    assert_true(sl_list_is_empty(&bench->waiting));
    free_bench(bench);
}

static void metadata_that_cannot_be_sent_ends_a_waiting_call(void **state)
{
    static const struct sl_grpc_field wrong[] = {{{"te", 2}, {"x", 1}, false}};
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    request.metadata = wrong;
    request.metadata_count = 1;
    prepare(bench, &request);
    turn(bench);
    expect_said(&bench->asks, "status:INVALID_ARGUMENT ");
    free_bench(bench);
}

/* The server's GOAWAY says that it never looked at the stream. */
static void a_call_that_was_never_looked_at_starts_again_elsewhere(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    bench->retries = true;
    struct sl_grpc_call *call = prepare(bench, &request);
    assert_int_equal(send_note(call, "one"), SL_GRPC_SENT);
    assert_true(sl_grpc_call_start(call, bench->client));
    assert_int_equal(send_note(call, "two"), SL_GRPC_SENT);
    sl_h2_session_goaway(bench->server, SL_H2_NO_ERROR);
    carry(bench->server, bench->client);
    pump(bench);
    assert_int_equal(bench->unprocessed, 1);
    assert_int_equal(bench->moved, 1);
    assert_false(sl_list_is_empty(&bench->waiting));
    assert_int_equal(send_note(call, "three"), SL_GRPC_SENT);
    close_sessions(bench);
    open_sessions(bench);
    assert_true(sl_grpc_call_start(call, bench->client));
    pump(bench);
    expect_said(&bench->answers, "note:one note:two note:three ");
    finish(bench, SL_OK);
    assert_int_equal(bench->asks.status.code, SL_OK);
    free_bench(bench);
}

static void a_call_that_was_answered_is_not_tried_again(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = prepare(bench, &request);

    (void)state;
    bench->retries = true;
    assert_true(sl_grpc_call_start(call, bench->client));
    pump(bench);
    assert_true(sl_grpc_call_respond(bench->answers.call, NULL, 0));
    pump(bench);
    sl_h2_stream_reset(sl_grpc_call_stream(bench->answers.call), SL_H2_REFUSED_STREAM);
    pump(bench);
    expect_said(&bench->asks, "open headers status:UNAVAILABLE ");
    assert_int_equal(bench->unprocessed, 0);
    free_bench(bench);
}

static void a_call_whose_owner_does_not_retry_ends(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);
    struct sl_grpc_call *call = prepare(bench, &request);

    (void)state;
    assert_true(sl_grpc_call_start(call, bench->client));
    pump(bench);
    sl_h2_stream_reset(sl_grpc_call_stream(bench->answers.call), SL_H2_REFUSED_STREAM);
    pump(bench);
    assert_int_equal(bench->unprocessed, 1);
    assert_int_equal(bench->moved, 0);
    assert_int_equal(bench->asks.status.code, SL_UNAVAILABLE);
    assert_null(bench->asks.call);
    free_bench(bench);
}

static void a_server_may_end_while_the_client_still_sends(void **state)
{
    struct bench *bench = new_bench();
    struct sl_grpc_request request = request_of(bench, &chat);

    (void)state;
    bench->refuses = true;
    bench->asks.call = sl_grpc_call_open(bench->client, &request, &events, &bench->asks);
    assert_int_equal(send_note(bench->asks.call, "one"), SL_GRPC_SENT);
    pump(bench);
    expect_said(&bench->asks, "open half-close status:NOT_FOUND ");
    free_bench(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_typed_both_ways),
        cmocka_unit_test(large_messages_go_both_ways_whole_or_not_at_all),
        cmocka_unit_test(a_broken_message_ends_the_call_of_either_side),
        cmocka_unit_test(a_unary_call_has_one_message_each_way),
        cmocka_unit_test(metadata_and_the_whole_status_go_both_ways),
        cmocka_unit_test(a_handler_cannot_send_reserved_names),
        cmocka_unit_test(messages_are_compressed_where_both_sides_agree),
        cmocka_unit_test(a_bomb_ends_the_call_at_the_limit),
        cmocka_unit_test(a_deadline_ends_the_call_though_the_peer_says_nothing),
        cmocka_unit_test(a_server_ends_a_call_at_the_clients_deadline),
        cmocka_unit_test(a_deadline_does_not_wait_for_what_the_client_does_not_read),
        cmocka_unit_test(a_cancel_by_the_server_after_the_deadline_is_the_deadlines),
        cmocka_unit_test(a_call_without_a_deadline_has_no_time_left_to_tell),
        cmocka_unit_test(a_cancelled_call_ends_with_the_turn_and_the_other_side_sees_it),
        cmocka_unit_test(what_a_waiting_call_sends_leaves_when_it_starts),
        cmocka_unit_test(a_waiting_call_sends_no_more_than_its_bound),
        cmocka_unit_test(a_waiting_call_ends_by_its_deadline_and_by_cancel),
        cmocka_unit_test(metadata_that_cannot_be_sent_ends_a_waiting_call),
        cmocka_unit_test(a_call_that_was_never_looked_at_starts_again_elsewhere),
        cmocka_unit_test(a_call_that_was_answered_is_not_tried_again),
        cmocka_unit_test(a_call_whose_owner_does_not_retry_ends),
        cmocka_unit_test(a_server_may_end_while_the_client_still_sends),
    };

    int failed = cmocka_run_group_tests_name("call", tests, NULL, NULL);

    is_split = true;
    return failed + cmocka_run_group_tests_name("call, byte by byte", tests, NULL, NULL);
}
