#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world world;

static int listen_without_accepting(uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof(own);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

/* Connects until one of them hangs: the backlog is full. */
static size_t fill_backlog(uint16_t port, int *fds, size_t max)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < max; i++) {
        struct pollfd wait;

        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
        if (connect(fds[i], (struct sockaddr *)&to, sizeof(to)) == 0) {
            continue;
        }
        wait = (struct pollfd){.fd = fds[i], .events = POLLOUT};
        if (poll(&wait, 1, 100) == 0) {
            return i + 1;
        }
    }
    fail_msg("%s", "the backlog has no end");
    return 0;
}

static void a_refused_dial_says_who_refused(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};
    char text[100];

    (void)state;
    open_world(&world);
    sl_listener_close(world.listener);
    dial(&world, &end, "127.0.0.1", 5000);
    run(&world);
    snprintf(text, sizeof(text), "connect 127.0.0.1:%u: connection refused",
             (unsigned)world.address.port);
    assert_string_equal(end.why.text, text);
    assert_int_equal(end.why.code, SL_UNAVAILABLE);
    assert_int_equal(end.opens, 0);
    assert_int_equal(end.closes, 1);
    sl_timer_free(world.guard);
    sl_loop_free(world.loop);
}

static void a_dial_that_nobody_answers_times_out(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};
    uint16_t port;
    int fds[16];
    int fd = listen_without_accepting(&port);
    size_t count = fill_backlog(port, fds, SL_ARRAY_LEN(fds));
    char address[80], text[120];

    (void)state;
    open_world(&world);
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)port);
    int64_t start_ns = sl_loop_now_ns(world.loop);
    dial(&world, &end, address, 150);
    run(&world);
    assert_true(sl_loop_now_ns(world.loop) - start_ns >= 140 * SL_NS_PER_MS);
    snprintf(text, sizeof(text), "connect %s: connection timed out", address);
    assert_string_equal(end.why.text, text);
    assert_int_equal(end.opens, 0);
    close_world(&world);
    for (size_t i = 0; i < count; i++) {
        close(fds[i]);
    }
    close(fd);
}

static void a_dial_without_time_ends(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    dial(&world, &end, "127.0.0.1", 0);
    run(&world);
    assert_int_equal(end.closes, 1);
    assert_non_null(strstr(end.why.text, "timed out"));
    close_world(&world);
}

static void a_name_that_does_not_exist_is_named(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    dial(&world, &end, "no-such-device.invalid:57400", 15000);
    run(&world);
    assert_int_equal(strncmp(end.why.text, "resolve no-such-device.invalid: ", 32), 0);
    assert_int_equal(end.why.code, SL_UNAVAILABLE);
    assert_int_equal(end.opens, 0);
    close_world(&world);
}

/* Whether "localhost" is ::1 first or not: only 127.0.0.1 listens. */
static void the_addresses_of_a_name_are_tried_in_turn(void **state)
{
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_world(&world);
    dial(&world, &end, "localhost", 5000);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_non_null(strstr(end.peer, "127.0.0.1:"));
    end.stop_at = ON_CLOSE;
    sl_conn_close(end.conn);
    run(&world);
    assert_int_equal(end.closes, 1);
    close_world(&world);
}

static void a_dial_may_be_closed_at_once(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "localhost", "no-such-device.invalid"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(addresses); i++) {
        struct end end = {.stop_at = ON_CLOSE};

        open_world(&world);
        dial(&world, &end, addresses[i], 5000);
        sl_conn_close(end.conn);
        assert_int_equal(end.closes, 0);
        run(&world);
        assert_int_equal(end.opens, 0);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.why.code, SL_CANCELLED);
        close_world(&world);
    }
}

static void close_it(void *arg)
{
    struct end *end = arg;

    if (end->conn) {
        sl_conn_close(end->conn);
    }
}

/* While the resolver's thread is at work, and after the loop has no other reason to live. */
static void a_dial_may_be_closed_while_its_name_is_resolved(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct end end = {.stop_at = ON_CLOSE};
        struct sl_deferred closing = {.fn = close_it, .arg = &end};

        open_world(&world);
        dial(&world, &end, i % 2 ? "localhost" : "no-such-device.invalid", 5000);
        sl_loop_defer(world.loop, &closing); /* stands behind the start of the dial */
        run(&world);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.why.code, SL_CANCELLED);
        close_world(&world);
    }
}

static void a_dial_may_be_closed_while_it_connects(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct end end = {.stop_at = ON_CLOSE};
        struct sl_deferred closing = {.fn = close_it, .arg = &end};

        open_world(&world);
        dial_listener(&world, &end);
        sl_loop_defer(world.loop, &closing);
        run(&world);
        assert_int_equal(end.opens, 0);
        assert_int_equal(end.closes, 1);
        close_world(&world);
    }
}

static void a_dial_to_port_0_fails(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    dial(&world, &end, "127.0.0.1:0", 5000);
    run(&world);
    assert_int_equal(end.closes, 1);
    assert_non_null(strstr(end.why.text, "port 0"));
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_dial_says_who_refused),
        cmocka_unit_test(a_dial_that_nobody_answers_times_out),
        cmocka_unit_test(a_dial_without_time_ends),
        cmocka_unit_test(a_name_that_does_not_exist_is_named),
        cmocka_unit_test(the_addresses_of_a_name_are_tried_in_turn),
        cmocka_unit_test(a_dial_may_be_closed_at_once),
        cmocka_unit_test(a_dial_may_be_closed_while_its_name_is_resolved),
        cmocka_unit_test(a_dial_may_be_closed_while_it_connects),
        cmocka_unit_test(a_dial_to_port_0_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
