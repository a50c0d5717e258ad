/* What only a connection over a socket does: peers that are not ours, a system without descriptors.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct world world;

/* A client that is not ours. */
static int raw_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(world.address.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void a_reset_by_the_peer_is_told(void **state)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int fd;

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    fd = raw_connect();
    run(&world);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
    world.ends[0].stop_at = ON_CLOSE;
    run(&world);
    assert_int_equal(world.ends[0].why.code, SL_UNAVAILABLE);
    assert_non_null(strstr(world.ends[0].why.text, "read 127.0.0.1:"));
    assert_non_null(strstr(world.ends[0].why.text, ": connection reset by peer"));
    close_world(&world);
}

static void a_write_to_a_dead_peer_ends_the_connection_and_not_the_process(void **state)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int fd;

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    fd = raw_connect();
    run(&world);
    sl_conn_pause(world.ends[0].conn);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
    assert_true(sl_conn_write(world.ends[0].conn, "x", 1)); /* ECONNRESET */
    assert_true(sl_conn_write(world.ends[0].conn, "x", 1));
    assert_int_equal(world.ends[0].closes, 0);
    world.ends[0].stop_at = ON_CLOSE;
    run(&world);
    assert_non_null(strstr(world.ends[0].why.text, "write 127.0.0.1:"));
    close_world(&world);
}

static void last_words_arrive_though_not_all_was_read(void **state)
{
    char words[8];
    int fd;

    (void)state;
    open_world(&world);
    world.wanted_accepts = 1;
    fd = raw_connect();
    run(&world);
    sl_conn_pause(world.ends[0].conn);
    assert_int_equal(send(fd, "unread", 6, 0), 6);
    sl_conn_write(world.ends[0].conn, "bye", 3);
    close_and_see(&world, &world.ends[0]);
    assert_int_equal(recv(fd, words, sizeof(words), MSG_WAITALL), 3); /* and not ECONNRESET */
    assert_int_equal(recv(fd, words, sizeof(words), 0), 0);
    close(fd);
    close_world(&world);
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

static void a_listener_without_descriptors_rests_and_loses_nobody(void **state)
{
    struct rlimit old, low;
    int clients[20];

    (void)state;
    if (getenv("SL_VALGRIND")) {
        skip(); /* valgrind plays the limit of descriptors, and accepts beyond it */
    }
    open_world(&world);
    for (size_t i = 0; i < SL_ARRAY_LEN(clients); i++) {
        clients[i] = raw_connect();
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit){.rlim_cur = (rlim_t)clients[SL_ARRAY_LEN(clients) - 1] + 1,
                          .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int64_t before_ns = cpu_ns();
    run_for(&world, 400);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_true(cpu_ns() - before_ns < 100 * SL_NS_PER_MS);
    assert_int_equal(world.accepted, 0);
    world.wanted_accepts = SL_ARRAY_LEN(clients);
    run(&world);
    for (size_t i = 0; i < SL_ARRAY_LEN(clients); i++) {
        close(clients[i]);
    }
    close_world(&world);
}

static void nobody_comes(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    (void)listener;
    (void)conn;
    (void)arg;
    fail_msg("%s", "nobody dials");
}

static void a_port_in_use_is_refused_with_its_name(void **state)
{
    struct sl_listener_options options = {.accept = nobody_comes};
    const struct sl_address nowhere = {.host = "no such host", .port = 1};
    struct sl_status why = sl_status_ok();
    char text[100];

    (void)state;
    open_world(&world);
    options.address = world.address;
    assert_null(sl_listener_open(world.loop, &options, &why));
    snprintf(text, sizeof(text), "listen 127.0.0.1:%u: address already in use",
             (unsigned)world.address.port);
    assert_string_equal(why.text, text);
    options.address = nowhere;
    assert_null(sl_listener_open(world.loop, &options, &why));
    assert_non_null(strstr(why.text, "resolve no such host: "));
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_by_the_peer_is_told),
        cmocka_unit_test(a_write_to_a_dead_peer_ends_the_connection_and_not_the_process),
        cmocka_unit_test(last_words_arrive_though_not_all_was_read),
        cmocka_unit_test(a_listener_without_descriptors_rests_and_loses_nobody),
        cmocka_unit_test(a_port_in_use_is_refused_with_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
