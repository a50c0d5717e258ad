/* Every allocation fails once, ours, nghttp2's and libuv's: a server with both standard services, a
 * client with a call to each, and the end of it all. Whatever fails, every call and every
 * connection ends, the server closes, and nothing is lost. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "failing_libuv.h"

#include "base/log.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"
#include "h2/link.h"
#include "health.pb-c.h"
#include "health.services.h"
#include "reflection.pb-c.h"
#include "reflection.services.h"

enum { GUARD_MS = 30 * 1000, GRACE_MS = 20 * 1000, DIAL_MS = 10 * 1000, CALLS = 4 };

struct bench {
    struct sl_loop *loop;
    struct sl_timer *guard;
    struct sl_grpc_context context;
    struct sl_grpc_health *health;
    struct sl_grpc_server *server;
    struct sl_h2_link *link;
    bool is_dialling;
    bool is_late;
    unsigned open_calls;
    unsigned messages; /* of answers */
    unsigned connected, disconnected;
};

static void on_guard(void *arg)
{
    struct bench *bench = arg;

    bench->is_late = true;
    sl_loop_stop(bench->loop);
}

static void stop_if_over(struct bench *bench)
{
    if (!bench->server && !bench->link && !bench->is_dialling) {
        sl_loop_stop(bench->loop);
    }
}

static void on_server_closed(void *arg)
{
    struct bench *bench = arg;

    bench->server = NULL;
    stop_if_over(bench);
}

static void go_home(struct bench *bench)
{
    sl_grpc_health_shut_down(bench->health);
    if (bench->server) {
        sl_grpc_server_drain(bench->server, GRACE_MS, on_server_closed, bench);
    }
}

/* ---- calls ---- */

/* Only the Watch goes on by itself. */
static void go_if_done(struct bench *bench)
{
    if (bench->open_calls <= 1) {
        go_home(bench);
    }
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    struct bench *bench = arg;

    (void)message;
    bench->messages++;
    if (sl_grpc_call_method(call)->client_streams) {
        sl_grpc_call_half_close(call);
    }
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct bench *bench = arg;

    (void)call;
    (void)status;
    bench->open_calls--;
    go_if_done(bench);
}

static const struct sl_grpc_call_events call_events = {.on_message = on_message,
                                                       .on_status = on_status};

static void ask(struct bench *bench, const struct sl_grpc_method *method,
                const ProtobufCMessage *message)
{
    const struct sl_grpc_request request = {
        .method = method, .authority = "here", .user_agent = "test", .context = &bench->context};
    struct sl_grpc_call *call =
        sl_grpc_call_open(sl_h2_link_session(bench->link), &request, &call_events, bench);
    enum sl_grpc_send sent = SL_GRPC_CLOSED;

    if (call) {
        bench->open_calls++;
        sent = sl_grpc_call_send(call, message);
        if (!method->client_streams) {
            sl_grpc_call_half_close(call);
        }
    }
    assert_true(sent == SL_GRPC_SENT || has_failed);
}

static void ask_all(struct bench *bench)
{
    static char name[] = "gnmi.proto";
    Grpc__Health__V1__HealthCheckRequest check = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Grpc__Health__V1__HealthListRequest list = GRPC__HEALTH__V1__HEALTH_LIST_REQUEST__INIT;
    Grpc__Reflection__V1__ServerReflectionRequest info =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    const struct sl_grpc_method *methods = grpc__health__v1__health__methods;

    info.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    info.file_containing_symbol = name;
    ask(bench, &methods[GRPC__HEALTH__V1__HEALTH__WATCH], &check.base);
    ask(bench, &methods[GRPC__HEALTH__V1__HEALTH__CHECK], &check.base);
    ask(bench, &methods[GRPC__HEALTH__V1__HEALTH__LIST], &list.base);
    ask(bench, grpc__reflection__v1__server_reflection__methods, &info.base);
    go_if_done(bench);
}

/* ---- the client's connection ---- */

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct bench *bench = arg;

    (void)link;
    (void)why;
    bench->link = NULL;
    go_home(bench);
    stop_if_over(bench);
}

static const struct sl_h2_link_events link_events = {.on_closed = on_link_closed};

static void on_open(struct sl_conn *conn, void *arg)
{
    struct bench *bench = arg;

    bench->link = sl_h2_link_open(bench->loop, conn, SL_H2_CLIENT, NULL, &link_events, bench);
    if (!bench->link) {
        sl_conn_close(conn);
        return;
    }
    bench->is_dialling = false;
    ask_all(bench);
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct bench *bench = arg;

    (void)conn;
    (void)why;
    bench->is_dialling = false;
    go_home(bench);
    stop_if_over(bench);
}

static const struct sl_conn_events dial_events = {.on_open = on_open, .on_close = on_close};

/* ---- the server ---- */

static bool on_connected(struct sl_grpc_peer *peer, void *arg)
{
    struct bench *bench = arg;

    (void)peer;
    bench->connected++;
    return true;
}

static void on_disconnected(struct sl_grpc_peer *peer, const struct sl_status *why, void *arg)
{
    struct bench *bench = arg;

    (void)peer;
    (void)why;
    bench->disconnected++;
}

static const struct sl_grpc_server_events server_events = {.on_connected = on_connected,
                                                           .on_disconnected = on_disconnected};

static void open_server(struct bench *bench)
{
    const struct sl_grpc_service_entry services[] = {
        {sl_grpc_health_handlers, bench->health},
        {sl_grpc_reflection_handlers, NULL},
    };
    const struct sl_grpc_server_options options = {
        .loop = bench->loop,
        .address = {.host = "127.0.0.1"},
        .services = services,
        .service_count = SL_ARRAY_LEN(services),
        .events = &server_events,
        .arg = bench,
    };
    struct sl_status why;

    bench->server = sl_grpc_server_open(&options, &why);
    assert_true(bench->server || why.code == SL_RESOURCE_EXHAUSTED);
}

static void dial(struct bench *bench)
{
    const struct sl_dial_options options = {
        .address = {.host = "127.0.0.1", .port = sl_grpc_server_port(bench->server)},
        .timeout_ms = DIAL_MS};

    bench->is_dialling = sl_conn_dial(bench->loop, &options, &dial_events, bench) != NULL;
    if (!bench->is_dialling) {
        go_home(bench);
    }
}

static void serve(struct bench *bench)
{
    open_server(bench);
    if (bench->server) {
        dial(bench);
        sl_timer_start(bench->guard, GUARD_MS);
        sl_loop_run(bench->loop);
    }
    assert_false(bench->is_late);
    assert_int_equal(bench->open_calls, 0);
    assert_int_equal(bench->connected, bench->disconnected);
}

/* The loop and its guard stand before anything fails. */
static void run(long allocations)
{
    struct bench bench = {.loop = sl_loop_new()};

    assert_non_null(bench.loop);
    bench.guard = sl_timer_new(bench.loop, on_guard, &bench);
    assert_non_null(bench.guard);
    has_failed = false;
    left = allocations;
    sl_grpc_context_init(&bench.context, bench.loop);
    bench.health = sl_grpc_health_new();
    if (bench.health) {
        serve(&bench);
    }
    assert_true(has_failed || bench.messages == CALLS + 1); /* NOT_SERVING is the last */
    left = -1;
    sl_timer_free(bench.guard);
    sl_grpc_health_free(bench.health);
    sl_grpc_context_fini(&bench.context);
    sl_loop_free(bench.loop);
}

static void everything_ends_whichever_allocation_fails(void **state)
{
    long runs = 0;

    (void)state;
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    do {
        run(runs++);
    } while (has_failed);
    assert_true(runs > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_ends_whichever_allocation_fails),
    };

    failing_libuv();
    return cmocka_run_group_tests_name("server memory", tests, NULL, NULL);
}
