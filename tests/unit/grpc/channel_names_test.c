/* What a channel calls its server and itself, and whom it trusts. The server is ours. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "grpc/channel.h"
#include "grpc/server.h"
#include "net/certificates.h"

struct bench {
    struct sl_loop *loop;
    struct sl_grpc_server *server;
    struct sl_grpc_channel_options options;
    struct sl_buf authority; /* of the call that the server saw */
    struct sl_buf user_agent;
    struct sl_status status;
    struct sl_tls *later_tls; /* of a second call, or NULL */
    enum sl_code first_code;  /* with it: of the first one */
};

static const struct sl_grpc_method method = {.path = "/a/b"};

static void on_call(struct sl_grpc_call *call, void *arg)
{
    const struct sl_status ok = sl_status_ok();
    struct bench *bench = arg;

    sl_buf_reset(&bench->authority);
    sl_buf_reset(&bench->user_agent);
    sl_buf_add_str(&bench->authority, sl_grpc_call_metadata(call, ":authority"));
    sl_buf_add_str(&bench->user_agent, sl_grpc_call_metadata(call, "user-agent"));
    if (sl_grpc_call_send_bytes(call, "", 0) == SL_GRPC_SENT) {
        sl_grpc_call_finish(call, &ok);
    }
}

static const struct sl_grpc_handler handlers[] = {{&method, on_call}, {NULL, NULL}};

static void stop(void *arg)
{
    sl_loop_stop(arg);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct bench *bench = arg;

    (void)call;
    bench->status = *status;
    sl_loop_stop(bench->loop);
}

static const struct sl_grpc_call_events events = {.on_status = on_status};

static void call_once(struct bench *bench, struct sl_grpc_channel *channel, bool waits)
{
    const struct sl_grpc_request request = {.method = &method, .wait_for_ready = waits};
    struct sl_grpc_call *call = sl_grpc_channel_call(channel, &request, &events, bench);

    assert_non_null(call);
    assert_int_equal(sl_grpc_call_send_bytes(call, "", 0), SL_GRPC_SENT);
    sl_grpc_call_half_close(call);
    sl_loop_run(bench->loop);
}

/* A server, a channel, one call (a second one with other trust), and all of it gone again. */
static struct sl_status call_at(struct bench *bench, const struct sl_address *address,
                                struct sl_tls *tls)
{
    const struct sl_grpc_service_entry entry = {handlers, bench};
    const struct sl_grpc_server_options serve = {.loop = bench->loop,
                                                 .address = *address,
                                                 .services = &entry,
                                                 .service_count = 1,
                                                 .tls = tls};

    bench->server = sl_grpc_server_open(&serve, &bench->status);
    if (!bench->server) {
        return bench->status;
    }
    bench->options.loop = bench->loop;
    bench->options.dial.address = *address;
    bench->options.dial.address.port = sl_grpc_server_port(bench->server);
    struct sl_grpc_channel *channel = sl_grpc_channel_open(&bench->options);
    assert_non_null(channel);
    call_once(bench, channel, false);
    if (bench->later_tls) {
        bench->first_code = bench->status.code;
        sl_grpc_channel_set_tls(channel, bench->later_tls);
        call_once(bench, channel, true);
    }
    sl_grpc_channel_close(channel, stop, bench->loop);
    sl_loop_run(bench->loop);
    sl_grpc_server_close(bench->server, stop, bench->loop);
    sl_loop_run(bench->loop);
    return bench->status;
}

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    bench->loop = sl_loop_new();
    assert_non_null(bench->loop);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_loop_free(bench->loop);
    sl_buf_fini(&bench->authority);
    sl_buf_fini(&bench->user_agent);
    free(bench);
    return 0;
}

static struct sl_address parse(const char *text)
{
    struct sl_address address;

    assert_true(sl_address_parse(text, 0, &address));
    return address;
}

/* ---- names ---- */

static void the_address_is_the_authority(void **state)
{
    struct bench *bench = *state;
    struct sl_address address = parse("127.0.0.1:0");
    struct sl_status status = call_at(bench, &address, NULL);
    char expected[32];

    assert_int_equal(status.code, SL_OK);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", bench->options.dial.address.port);
    assert_string_equal(sl_buf_text(&bench->authority), expected);
    assert_string_equal(sl_buf_text(&bench->user_agent), "grpc-c-sluice/" SLUICE_VERSION);
}

static void an_address_of_ipv6_stands_in_brackets(void **state)
{
    struct bench *bench = *state;
    struct sl_address address = parse("[::1]:0");
    struct sl_status status = call_at(bench, &address, NULL);
    char expected[32];

    if (!bench->server) {
        skip(); /* this machine has no IPv6 */
    }
    assert_int_equal(status.code, SL_OK);
    snprintf(expected, sizeof(expected), "[::1]:%u", bench->options.dial.address.port);
    assert_string_equal(sl_buf_text(&bench->authority), expected);
}

static void behind_a_unix_socket_is_localhost(void **state)
{
    struct bench *bench = *state;
    struct sl_address address = parse("unix:server.sock");
    struct sl_status status = call_at(bench, &address, NULL);

    assert_int_equal(status.code, SL_OK);
    assert_string_equal(sl_buf_text(&bench->authority), "localhost");
}

static void both_names_may_be_given(void **state)
{
    struct bench *bench = *state;
    struct sl_address address = parse("127.0.0.1:0");

    bench->options.authority = "leaf1.example";
    bench->options.user_agent = "tool/3";
    struct sl_status status = call_at(bench, &address, NULL);
    assert_int_equal(status.code, SL_OK);
    assert_string_equal(sl_buf_text(&bench->authority), "leaf1.example");
    assert_string_equal(sl_buf_text(&bench->user_agent), "tool/3 grpc-c-sluice/" SLUICE_VERSION);
}

/* ---- trust ---- */

static struct sl_tls *make_tls(enum sl_tls_role role, const struct sl_tls_options *options)
{
    enum sl_tls_part part;
    struct sl_status why;
    struct sl_tls *tls = sl_tls_new(role, options, &why, &part);

    assert_non_null(tls);
    return tls;
}

static struct sl_status call_over_tls(struct bench *bench, const char *ca, const char *server_name)
{
    const struct sl_tls_options ours = {.cert = "leaf.pem", .key = "leaf.key"};
    const struct sl_tls_options theirs = {.ca = ca};
    struct sl_tls *server = make_tls(SL_TLS_SERVER, &ours);
    struct sl_address address = parse("127.0.0.1:0");

    bench->options.dial.tls = make_tls(SL_TLS_CLIENT, &theirs);
    bench->options.dial.server_name = server_name;
    struct sl_status status = call_at(bench, &address, server);
    sl_tls_release(bench->options.dial.tls);
    sl_tls_release(server);
    return status;
}

static void a_certificate_for_the_address_is_trusted(void **state)
{
    struct sl_status status = call_over_tls(*state, "ca.pem", NULL);

    assert_int_equal(status.code, SL_OK);
}

static void a_certificate_for_the_name_is_trusted(void **state)
{
    struct sl_status status = call_over_tls(*state, "ca.pem", "leaf1");

    assert_int_equal(status.code, SL_OK);
}

static void a_certificate_for_somebody_else_fails_the_call(void **state)
{
    struct sl_status status = call_over_tls(*state, "ca.pem", "spine1");

    assert_int_equal(status.code, SL_UNAVAILABLE);
    assert_true(strncmp(sl_status_reason(&status), "tls-", 4) == 0);
    assert_non_null(strstr(status.text, "spine1"));
}

static void a_certificate_by_somebody_else_fails_the_call(void **state)
{
    struct sl_status status = call_over_tls(*state, "other-ca.pem", NULL);

    assert_int_equal(status.code, SL_UNAVAILABLE);
    assert_true(strncmp(sl_status_reason(&status), "tls-", 4) == 0);
}

static void trust_may_change_between_connections(void **state)
{
    const struct sl_tls_options right = {.ca = "ca.pem"};
    struct bench *bench = *state;

    bench->later_tls = make_tls(SL_TLS_CLIENT, &right);
    bench->options.backoff_min_ms = 1;
    struct sl_status status = call_over_tls(bench, "other-ca.pem", NULL);
    sl_tls_release(bench->later_tls);
    assert_int_equal(bench->first_code, SL_UNAVAILABLE);
    assert_int_equal(status.code, SL_OK);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(the_address_is_the_authority),
        BENCH_TEST(an_address_of_ipv6_stands_in_brackets),
        BENCH_TEST(behind_a_unix_socket_is_localhost),
        BENCH_TEST(both_names_may_be_given),
        BENCH_TEST(a_certificate_for_the_address_is_trusted),
        BENCH_TEST(a_certificate_for_the_name_is_trusted),
        BENCH_TEST(a_certificate_for_somebody_else_fails_the_call),
        BENCH_TEST(a_certificate_by_somebody_else_fails_the_call),
        BENCH_TEST(trust_may_change_between_connections),
    };

    return cmocka_run_group_tests_name("channel names", tests, make_certificates,
                                       remove_certificates);
}
