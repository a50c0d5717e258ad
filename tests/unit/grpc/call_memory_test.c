/* The whole life of typed calls, while each allocation fails once: ours, nghttp2's and zlib's. One
 * call waits, is looked at by nobody, starts again elsewhere and has everything: metadata, a
 * deadline, gzip both ways, a status with details. Others are held, abandoned, cancelled, overdue.
 * Whatever fails, each ends with one status and nothing is lost. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "failing_zlib.h"
#include "grpc/internal.h"

enum { CALLS = 6, LARGE_BYTES = 5000, MINUTE_MS = 60 * 1000, MS = 1000 * 1000 };

typedef Google__Protobuf__EnumValueDescriptorProto note_message; /* {string name, int32 number} */

struct side {
    struct bench *bench;
    struct sl_grpc_call *call; /* NULL once it has ended */
    unsigned begun, ended;
    unsigned notes;
    unsigned holds; /* notes to come that are held */
    size_t bytes;   /* of the names of notes */
    struct sl_status status;
    bool has_details;
    bool has_lost; /* a note that was refused for good */
};

struct bench {
    struct sl_loop *loop;
    struct sl_timer *timer; /* ends a turn */
    struct sl_grpc_context context;
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct sl_grpc_owner owner;
    struct sl_list waiting;
    struct side asks[CALLS];
    struct side answers[2 * CALLS];
    size_t answered;
    unsigned unprocessed;
};

/* ---- both sides ---- */

static char large[LARGE_BYTES];

/* As far as memory lets it. */
static void send_note(struct side *side, size_t len)
{
    note_message note = GOOGLE__PROTOBUF__ENUM_VALUE_DESCRIPTOR_PROTO__INIT;
    enum sl_grpc_send sent = SL_GRPC_CLOSED;

    memset(large, 'x', len);
    large[len] = '\0';
    note.name = large;
    if (side->call) {
        sent = sl_grpc_call_send(side->call, &note.base);
        side->has_lost = side->has_lost || sent != SL_GRPC_SENT;
    }
    assert_true(sent == SL_GRPC_SENT || has_failed);
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    const note_message *note = (const note_message *)(const void *)message;
    struct side *side = arg;

    assert_ptr_equal(side->call, call);
    if (side->holds > 0) {
        side->holds--;
        return SL_GRPC_HOLD;
    }
    side->notes++;
    side->bytes += strlen(note->name);
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct side *side = arg;

    assert_ptr_equal(side->call, call);
    side->call = NULL;
    side->ended++;
    side->status = *status;
    side->has_details = sl_grpc_call_status_details(call).len == 2;
}

static const struct sl_grpc_call_events client_events = {.on_message = on_message,
                                                         .on_status = on_status};

/* ---- the server ---- */

static const struct sl_grpc_field fields[] = {
    {{"color", 5}, {"red", 3}, false},
    {{"shape-bin", 9}, {"\0\xff\1", 3}, true},
};

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    const struct sl_grpc_end end = {.code = SL_ABORTED,
                                    .message = SL_STR("100% \xe2\x98\xba"),
                                    .details = SL_STR("\x08\x0a"),
                                    .trailers = fields,
                                    .trailer_count = SL_ARRAY_LEN(fields)};
    struct side *side = arg;

    send_note(side, 10);
    send_note(side, LARGE_BYTES - 1);
    sl_grpc_call_finish_with(call, &end);
}

static const struct sl_grpc_call_events server_events = {
    .on_message = on_message, .on_half_close = on_half_close, .on_status = on_status};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;
    struct side *side = &bench->answers[bench->answered++];

    *side = (struct side){.bench = bench, .call = call, .begun = 1};
    sl_grpc_call_set_events(call, &server_events, side);
    sl_grpc_call_set_encoding(call, SL_GRPC_GZIP);
    assert_true(sl_grpc_call_respond(call, fields, SL_ARRAY_LEN(fields)) || has_failed);
}

static const struct sl_grpc_method chat = {
    .name = "Chat",
    .path = "/notes.Notes/Chat",
    .client_streams = true,
    .server_streams = true,
    .input = &google__protobuf__enum_value_descriptor_proto__descriptor,
    .output = &google__protobuf__enum_value_descriptor_proto__descriptor,
};

static const struct sl_grpc_handler handlers[] = {{&chat, on_call}, {NULL, NULL}};

/* ---- the wire and the loop ---- */

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    const struct bench *bench = arg;

    (void)session;
    sl_grpc_call_accept(&bench->router, NULL, stream);
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

static bool carry(struct sl_h2_session *from, struct sl_h2_session *to)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;
    bool has_carried = false;
    struct sl_status status = sl_status_ok();

    while (sl_status_is_ok(&status) &&
           (len = sl_h2_session_output(from, bytes, sizeof(bytes))) > 0) {
        has_carried = true;
        status = sl_h2_session_receive(to, bytes, len);
    }
    return has_carried && sl_status_is_ok(&status);
}

static void pump(const struct bench *bench)
{
    bool is_busy = bench->client && bench->server;

    while (is_busy) {
        is_busy = carry(bench->client, bench->server);
        is_busy = carry(bench->server, bench->client) || is_busy;
    }
}

static void on_timer(void *arg)
{
    sl_loop_stop(arg);
}

/* What is due on the loop happens. */
static void turn(struct bench *bench)
{
    sl_timer_start(bench->timer, 0);
    sl_loop_run(bench->loop);
}

static void open_sessions(struct bench *bench)
{
    bench->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &session_events, bench);
    bench->server = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, bench);
    pump(bench);
}

static void close_sessions(struct bench *bench)
{
    if (bench->client) {
        sl_h2_session_free(bench->client);
    }
    if (bench->server) {
        sl_h2_session_free(bench->server);
    }
    bench->client = NULL;
    bench->server = NULL;
    turn(bench);
}

/* ---- the client ---- */

static bool on_unprocessed(struct sl_grpc_call *call, bool is_moved, void *arg)
{
    struct bench *bench = arg;

    (void)is_moved;
    bench->unprocessed++;
    sl_list_append(&bench->waiting, &call->node);
    return true;
}

static void on_gone(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
}

static struct sl_grpc_request request_of(struct bench *bench, uint64_t timeout_ms)
{
    return (struct sl_grpc_request){.method = &chat,
                                    .authority = "leaf1:57400",
                                    .user_agent = "test",
                                    .metadata = fields,
                                    .metadata_count = SL_ARRAY_LEN(fields),
                                    .timeout_ns = timeout_ms * MS,
                                    .encoding = SL_GRPC_GZIP,
                                    .context = &bench->context};
}

static struct side *begun(struct side *side, struct sl_grpc_call *call)
{
    assert_true(call || has_failed);
    side->call = call;
    side->begun = call != NULL;
    return side;
}

static struct side *prepare(struct bench *bench, size_t number, uint64_t timeout_ms)
{
    struct sl_grpc_request request = request_of(bench, timeout_ms);
    struct side *side = &bench->asks[number];
    struct sl_grpc_call *call = sl_grpc_call_prepare(&request, &client_events, side, &bench->owner);

    if (call) {
        sl_list_append(&bench->waiting, &call->node);
    }
    return begun(side, call);
}

static struct side *open_call(struct bench *bench, size_t number)
{
    struct sl_grpc_request request = request_of(bench, MINUTE_MS);
    struct side *side = &bench->asks[number];
    struct sl_grpc_call *call =
        bench->client ? sl_grpc_call_open(bench->client, &request, &client_events, side) : NULL;
    return begun(side, call);
}

static void abandon(struct side *side)
{
    struct sl_status why = sl_status_error(SL_UNAVAILABLE, "nobody there");

    if (side->call) {
        sl_grpc_call_abandon(side->call, &why);
    }
}

/* One that memory has ended already ends with the turn. */
static void start(struct bench *bench, struct side *side)
{
    if (side->call && !sl_grpc_call_stream(side->call) && !sl_grpc_call_is_over(side->call) &&
        (!bench->client || !sl_grpc_call_start(side->call, bench->client))) {
        assert_true(has_failed);
        abandon(side);
    }
}

static void half_close(struct side *side)
{
    if (side->call) {
        sl_grpc_call_half_close(side->call);
    }
}

/* ---- their lives ---- */

/* Its server says goodbye before it looks. */
static void live_twice(struct bench *bench)
{
    struct side *side = prepare(bench, 0, MINUTE_MS);

    send_note(side, 3);
    open_sessions(bench);
    start(bench, side);
    send_note(side, LARGE_BYTES - 1);
    if (bench->server && bench->client) {
        sl_h2_session_goaway(bench->server, SL_H2_NO_ERROR);
        carry(bench->server, bench->client);
    }
    pump(bench);
    close_sessions(bench);
    send_note(side, 1);
    open_sessions(bench);
    start(bench, side);
    pump(bench);
    half_close(side);
    pump(bench);
}

static void be_held(struct bench *bench)
{
    struct side *side = open_call(bench, 1);

    side->holds = 2;
    send_note(side, 2);
    half_close(side);
    pump(bench);
    if (side->call) {
        sl_grpc_call_resume(side->call);
    }
    if (side->call) {
        sl_grpc_call_resume(side->call);
    }
    pump(bench);
}

static void end_early(struct bench *bench)
{
    struct sl_status status = sl_status_error(SL_DATA_LOSS, "enough");
    struct side *side = open_call(bench, 2);

    send_note(side, 20);
    pump(bench);
    for (size_t i = 0; i < bench->answered; i++) {
        if (bench->answers[i].call) {
            sl_grpc_call_fail(bench->answers[i].call, &status);
        }
    }
    turn(bench);
    pump(bench);
    side = open_call(bench, 3);
    send_note(side, 20);
    if (side->call) {
        sl_grpc_call_cancel(side->call);
    }
    turn(bench);
    pump(bench);
}

static void never_leave(struct bench *bench)
{
    struct side *overdue = prepare(bench, 4, 1);
    struct side *abandoned = prepare(bench, 5, 0);

    send_note(overdue, 5);
    send_note(abandoned, 5);
    abandon(abandoned);
    while (overdue->call) {
        sl_timer_start(bench->timer, 1);
        sl_loop_run(bench->loop);
    }
}

static void check(const struct bench *bench)
{
    const struct side *asks = bench->asks;

    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(asks[i].begun, asks[i].ended);
        assert_false(asks[i].has_lost && asks[i].has_details); /* or it began again without it */
    }
    for (size_t i = 0; i < bench->answered; i++) {
        assert_int_equal(bench->answers[i].begun, bench->answers[i].ended);
    }
    if (has_failed) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(asks[i].status.code, SL_ABORTED);
        assert_int_equal(asks[i].notes, 2);
        assert_int_equal(asks[i].bytes, 10 + LARGE_BYTES - 1);
        assert_true(asks[i].has_details);
    }
    assert_int_equal(bench->unprocessed, 1);
    assert_int_equal(bench->answers[0].bytes, 3 + LARGE_BYTES - 1 + 1);
    assert_int_equal(asks[2].status.code, SL_DATA_LOSS);
    assert_int_equal(asks[3].status.code, SL_CANCELLED);
    assert_int_equal(asks[4].status.code, SL_DEADLINE_EXCEEDED);
    assert_int_equal(asks[5].status.code, SL_UNAVAILABLE);
}

/* The loop stands before anything fails. */
static void run(long allocations)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->loop = sl_loop_new();
    bench->timer = bench->loop ? sl_timer_new(bench->loop, on_timer, bench->loop) : NULL;
    assert_non_null(bench->timer);
    sl_grpc_context_init(&bench->context, bench->loop);
    bench->service = (struct sl_grpc_service_entry){handlers, bench};
    bench->router =
        (struct sl_grpc_router){.entries = &bench->service, .count = 1, .context = &bench->context};
    bench->owner = (struct sl_grpc_owner){on_unprocessed, on_gone, bench};
    sl_list_init(&bench->waiting);
    has_failed = false;
    left = allocations;
    live_twice(bench);
    be_held(bench);
    end_early(bench);
    never_leave(bench);
    close_sessions(bench);
    abandon(&bench->asks[0]); /* where a failure made it wait again */
    left = -1;
    check(bench);
    assert_true(sl_list_is_empty(&bench->waiting));
    sl_grpc_context_fini(&bench->context);
    sl_timer_free(bench->timer);
    sl_loop_free(bench->loop);
    free(bench);
}

static void every_call_ends_whichever_allocation_fails(void **state)
{
    long runs = 0;

    (void)state;
    do {
        run(runs++);
    } while (has_failed);
    assert_true(runs > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_ends_whichever_allocation_fails),
    };

    return cmocka_run_group_tests_name("call memory", tests, NULL, NULL);
}
