/* Every allocation fails once, ours and nghttp2's: each run lets one more succeed, until a run
 * needs no more. Whatever fails, every call ends with one status and nothing is lost. */
#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "grpc/record.h"

enum { CALLS = 4, LARGE_BYTES = 30000 };

/* ---- two sessions with four calls ---- */

struct bench {
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct record asks[CALLS];
    struct record answers[CALLS];
    size_t asked;
    size_t answered;
    size_t ended;
};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;
    struct record *record = &bench->answers[bench->answered++];

    *record = (struct record){.call = call, .is_quiet = true};
    sl_grpc_call_set_events(call, &record_events, record);
}

static const struct sl_grpc_method no_method = {.path = "/none"};
static const struct sl_grpc_method method = {
    .path = "/a/b", .client_streams = true, .server_streams = true};
static const struct sl_grpc_handler handlers[] = {{&method, on_call}, {NULL, NULL}};

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
    bool is_busy = true;

    while (is_busy) {
        is_busy = carry(bench->client, bench->server);
        is_busy = carry(bench->server, bench->client) || is_busy;
    }
}

static void ask(struct bench *bench)
{
    const struct sl_grpc_field metadata = {SL_STR("password"), SL_STR("secret"), true};
    const struct sl_grpc_request request = {
        .method = bench->asked == 3 ? &no_method : &method,
        .authority = "x",
        .user_agent = "test",
        .metadata = &metadata,
        .metadata_count = 1,
        .manual_credit = bench->asked == 1,
    };
    struct record *record = &bench->asks[bench->asked];

    *record = (struct record){.is_quiet = true, .holds = bench->asked == 2};
    record->call = sl_grpc_call_open(bench->client, &request, &record_events, record);
    bench->asked += record->call != NULL;
}

/* As far as memory lets it. */
static void send(struct sl_grpc_call *call, uint32_t len)
{
    static const char bytes[LARGE_BYTES];
    enum sl_grpc_send result = call ? sl_grpc_call_send_bytes(call, bytes, len) : SL_GRPC_CLOSED;

    assert_true(result == SL_GRPC_SENT || has_failed);
}

static void talk(struct bench *bench)
{
    for (size_t i = 0; i < CALLS; i++) {
        ask(bench);
    }
    for (size_t i = 0; i < bench->asked; i++) {
        send(bench->asks[i].call, 10);
    }
    pump(bench);
    for (size_t i = 0; i < bench->answered; i++) {
        send(bench->answers[i].call, 100);
        send(bench->answers[i].call, LARGE_BYTES);
    }
    pump(bench);
    for (size_t i = 0; i < bench->answered; i++) {
        struct sl_status status = sl_status_error(SL_ABORTED, "100%% over");
        if (bench->answers[i].call && i != 1) {
            sl_grpc_call_finish(bench->answers[i].call, &status);
        }
    }
    pump(bench);
    if (bench->asks[2].call) {
        sl_grpc_call_resume(bench->asks[2].call);
    }
    if (bench->asks[1].call) {
        sl_grpc_call_grant(bench->asks[1].call, 1000);
        sl_grpc_call_cancel(bench->asks[1].call);
    }
    pump(bench);
}

static void check(struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        record_fini(&records[i]); /* asserts that it ended */
    }
}

static void run(void)
{
    struct bench bench = {.service = {handlers, &bench},
                          .router = {.entries = &bench.service, .count = 1}};

    bench.client = sl_h2_session_new(SL_H2_CLIENT, NULL, &session_events, &bench);
    bench.server = sl_h2_session_new(SL_H2_SERVER, NULL, &session_events, &bench);
    if (bench.client && bench.server) {
        talk(&bench);
    }
    if (bench.client) {
        sl_h2_session_free(bench.client);
    }
    if (bench.server) {
        sl_h2_session_free(bench.server);
    }
    assert_true(has_failed || (bench.asked == CALLS && bench.answered == CALLS - 1));
    assert_true(has_failed || (bench.asks[0].messages == 2 && bench.asks[2].messages == 2));
    check(bench.asks, bench.asked);
    check(bench.answers, bench.answered);
}

static void every_call_ends_whichever_allocation_fails(void **state)
{
    long runs = 0;

    (void)state;
    do {
        has_failed = false;
        left = runs++;
        run();
    } while (has_failed);
    assert_true(runs > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_ends_whichever_allocation_fails),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
