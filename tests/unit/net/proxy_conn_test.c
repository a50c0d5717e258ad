/* Connections through a proxy that says what the test tells it to, and through one that relays. */
#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificates.h"
#include "failing.h"

enum { DIAL_MS = 5000, MAX_ALLOCATIONS = 400 };

static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
static struct world world;
static struct sl_proxy proxy;

/* ---- a proxy with a script ---- */

struct script {
    struct sl_listener *listener;
    struct sl_conn *conn; /* the newest */
    const char *answer;   /* to the first bytes; NULL: silence */
    size_t answer_len;
    bool hangs_up;
    struct sl_conn *onward; /* relays to the world's listener; NULL: does not */
    bool relays;
};

static struct script script;

static void onward_open(struct sl_conn *conn, void *arg)
{
    (void)conn;
    (void)arg;
    sl_conn_write(script.conn, established, sizeof(established) - 1);
}

static void onward_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    (void)conn;
    (void)arg;
    if (script.conn) {
        sl_conn_write(script.conn, bytes, len);
    }
}

static void onward_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    (void)conn;
    (void)why;
    (void)arg;
    script.onward = NULL;
    if (script.conn) {
        sl_conn_close(script.conn);
    }
}

static const struct sl_conn_events onward_events = {
    .on_open = onward_open, .on_read = onward_read, .on_close = onward_close};

static void relay(const uint8_t *bytes, size_t len)
{
    if (script.onward) {
        sl_conn_write(script.onward, bytes, len);
        return;
    }
    const struct sl_dial_options options = {.address = world.address, .timeout_ms = DIAL_MS};
    script.onward = sl_conn_dial(world.loop, &options, &onward_events, NULL);
    if (!script.onward) {
        sl_conn_close(script.conn);
    }
}

static void script_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (script.relays) {
        relay(bytes, len);
        return;
    }
    if (script.answer) {
        sl_conn_write(conn, script.answer, script.answer_len);
        script.answer = NULL;
    }
    if (script.hangs_up) {
        sl_conn_close(conn);
    }
}

static void script_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    (void)why;
    (void)arg;
    if (conn == script.conn) {
        script.conn = NULL;
        if (script.onward) {
            sl_conn_close(script.onward);
        }
    }
}

static const struct sl_conn_events script_events = {.on_read = script_read,
                                                    .on_close = script_close};

static void script_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    (void)listener;
    (void)arg;
    script.conn = conn;
    sl_conn_set_events(conn, &script_events, NULL);
}

/* `scheme` of the proxy, "http://" or with a login. */
static void open_proxy(const char *scheme)
{
    const struct sl_listener_options options = {.address = {.host = "127.0.0.1", .port = 0},
                                                .accept = script_accept};
    struct sl_status why;
    char text[100];

    memset(&script, 0, sizeof(script));
    script.listener = sl_listener_open(world.loop, &options, &why);
    assert_non_null(script.listener);
    snprintf(text, sizeof(text), "%s127.0.0.1:%u", scheme,
             (unsigned)sl_listener_port(script.listener));
    assert_true(sl_proxy_parse(text, &proxy, &why));
    world.proxy = &proxy;
}

static void close_all(struct end *end)
{
    if (end->conn) {
        end->stop_at = ON_CLOSE;
        sl_conn_close(end->conn);
        run(&world);
    }
    if (script.conn) {
        sl_conn_close(script.conn);
    }
    run_for(&world, 1);
    sl_listener_close(script.listener);
    close_world(&world);
}

/* ---- through it ---- */

static void the_first_bytes_behind_the_answer_are_the_peers(void **state)
{
    char answer[sizeof(established) + 100], peer[100];
    struct end end = {.stop_at = ON_READ, .wanted_bytes = 100};

    (void)state;
    open_world(&world);
    open_proxy("http://");
    memcpy(answer, established, sizeof(established) - 1);
    for (size_t i = 0; i < 100; i++) { /* the pattern of every end */
        answer[sizeof(established) - 1 + i] = (char)i;
    }
    script.answer = answer;
    script.answer_len = sizeof(established) - 1 + 100;
    dial(&world, &end, "leaf1.invalid:57400", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_int_equal(end.read_bytes, 100);
    snprintf(peer, sizeof(peer), "leaf1.invalid:57400 via 127.0.0.1:%u",
             (unsigned)proxy.address.port);
    assert_string_equal(end.peer, peer);
    close_all(&end);
}

static void an_end_that_closes_at_once_reads_nothing_of_them(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\nmore";
    struct end end = {.stop_at = ON_CLOSE, .close_at = ON_OPEN};

    (void)state;
    open_world(&world);
    open_proxy("http://");
    script.answer = answer;
    script.answer_len = sizeof(answer) - 1;
    dial(&world, &end, "leaf1", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_int_equal(end.read_bytes, 0);
    assert_int_equal(end.why.code, SL_CANCELLED);
    close_all(&end);
}

static struct sl_tls *make_tls(enum sl_tls_role role)
{
    const struct sl_tls_options server = {.cert = "leaf.pem", .key = "leaf.key"};
    const struct sl_tls_options client = {.ca = "ca.pem"};
    enum sl_tls_part part;
    struct sl_status why;
    struct sl_tls *tls = sl_tls_new(role, role == SL_TLS_SERVER ? &server : &client, &why, &part);

    assert_non_null(tls);
    return tls;
}

/* The certificate is for the name that only the proxy resolves. */
static void tls_goes_to_the_peer_behind_the_proxy(void **state)
{
    struct end end = {.stop_at = ON_READ, .wanted_bytes = 300000, .to_write = 300000};

    (void)state;
    open_world_with(&world, make_tls(SL_TLS_SERVER));
    world.tls = make_tls(SL_TLS_CLIENT);
    world.accepted_to_write = 300000;
    open_proxy("http://");
    script.relays = true;
    dial(&world, &end, "any.net.example:57400", DIAL_MS);
    run(&world);
    assert_int_equal(end.read_bytes, 300000);
    assert_string_equal(end.identity, "leaf1");
    assert_true(sl_conn_is_secure(end.conn));
    close_all(&end);
}

/* ---- what it says no to ---- */

struct refusal {
    const char *scheme;
    const char *answer;
    size_t answer_len;
    bool hangs_up;
    const char *reason, *words;
};

#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct refusal refusals[] = {
    {"http://", BYTES("HTTP/1.1 403 Forbidden\r\n\r\n"), false, "proxy-refused",
     ": it answers: 403 Forbidden"},
    {"http://me:secret@", BYTES("HTTP/1.1 407 secret\r\n\r\n"), false, "proxy-login",
     ": it refuses the user name or the password"},
    {"http://", BYTES("SSH-2.0-x\r\n"), false, "proxy-protocol",
     ": it answers with what is not HTTP"},
    {"http://", BYTES("HTTP/1.1 2"), false, "proxy-timeout", ": its answer did not end in time"},
    {"http://", NULL, 0, false, "proxy-timeout", ": it never said a word"},
    {"http://", BYTES("HTTP/1.1 2"), true, "proxy-cut", ": it hung up before its answer was whole"},
    {"http://", NULL, 0, true, "proxy-cut", ": it hung up without a word"},
    {"socks5://", BYTES("\5\xff"), false, "proxy-login", ": it wants a user name and a password"},
    {"socks5://me:secret@", NULL, 0, false, "proxy-timeout", ": it never said a word"},
};

static void each_no_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(refusals); i++) {
        const struct refusal *test = &refusals[i];
        bool is_late = strcmp(test->reason, "proxy-timeout") == 0;
        struct end end = {.stop_at = ON_CLOSE};
        char begin[60];

        open_world(&world);
        open_proxy(test->scheme);
        script.answer = test->answer;
        script.answer_len = test->answer_len;
        script.hangs_up = test->hangs_up;
        dial(&world, &end, "leaf1", is_late ? 100 : DIAL_MS);
        run(&world);
        snprintf(begin, sizeof(begin), "proxy 127.0.0.1:%u: ", (unsigned)proxy.address.port);
        assert_int_equal(strncmp(end.why.text, begin, strlen(begin)), 0);
        assert_non_null(strstr(end.why.text, test->words));
        assert_null(strstr(end.why.text, "secret"));
        assert_string_equal(sl_status_reason(&end.why), test->reason);
        assert_int_equal(end.opens, 0);
        close_all(&end);
    }
}

static void a_proxy_that_is_not_there_is_named(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};
    char text[100];

    (void)state;
    open_world(&world);
    open_proxy("http://");
    sl_listener_close(script.listener);
    dial(&world, &end, "leaf1", DIAL_MS);
    run(&world);
    snprintf(text, sizeof(text), "connect 127.0.0.1:%u: connection refused",
             (unsigned)proxy.address.port);
    assert_string_equal(end.why.text, text);
    close_world(&world);
}

static void nobody_is_asked_for_a_way_that_is_none(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    open_proxy("http://");
    dial(&world, &end, "unix:s.sock", DIAL_MS);
    run(&world);
    assert_string_equal(end.why.text, "no proxy leads to a unix socket");
    close_all(&end);
}

/* ---- at any time, without memory ---- */

struct countdown {
    struct sl_deferred deferred;
    struct end *end;
    unsigned turns;
};

static void count_down(void *arg)
{
    struct countdown *countdown = arg;

    if (countdown->turns-- > 0) {
        sl_loop_defer(world.loop, &countdown->deferred);
    } else if (countdown->end->conn) {
        sl_conn_close(countdown->end->conn);
    }
}

static void a_dial_may_be_closed_at_any_time(void **state)
{
    unsigned opened = 0;

    (void)state;
    for (unsigned turns = 0; turns < 30; turns++) {
        struct end end = {.stop_at = ON_CLOSE};
        struct countdown countdown = {.end = &end, .turns = turns};

        countdown.deferred = (struct sl_deferred){.fn = count_down, .arg = &countdown};
        open_world_with(&world, make_tls(SL_TLS_SERVER));
        world.tls = make_tls(SL_TLS_CLIENT);
        open_proxy("http://me:secret@");
        script.relays = true;
        dial(&world, &end, "any.net.example", DIAL_MS);
        sl_loop_defer(world.loop, &countdown.deferred);
        run(&world);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.why.code, SL_CANCELLED);
        opened += end.opens;
        close_all(&end);
    }
    assert_in_range(opened, 1, 29);
}

static void each_allocation_may_fail(void **state)
{
    size_t failures = 0;

    (void)state;
    for (long allocation = 0; allocation < MAX_ALLOCATIONS; allocation++) {
        struct end end = {.stop_at = ON_CLOSE, .close_at = ON_OPEN, .world = &world};

        open_world(&world);
        open_proxy("socks5://me:secret@");
        script.answer = "\5\xff";
        script.answer_len = 2;
        struct sl_dial_options options = {
            .address = world.address, .timeout_ms = DIAL_MS, .proxy = &proxy};
        has_failed = false;
        left = allocation;
        end.conn = sl_conn_dial(world.loop, &options, &end_events, &end);
        if (end.conn) {
            run(&world);
            assert_int_equal(end.closes, 1);
        }
        left = -1;
        failures += has_failed;
        close_all(&end);
        if (!has_failed) {
            break;
        }
    }
    assert_in_range(failures, 5, MAX_ALLOCATIONS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bytes_behind_the_answer_are_the_peers),
        cmocka_unit_test(an_end_that_closes_at_once_reads_nothing_of_them),
        cmocka_unit_test(tls_goes_to_the_peer_behind_the_proxy),
        cmocka_unit_test(each_no_has_its_reason),
        cmocka_unit_test(a_proxy_that_is_not_there_is_named),
        cmocka_unit_test(nobody_is_asked_for_a_way_that_is_none),
        cmocka_unit_test(a_dial_may_be_closed_at_any_time),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
