/* Unix sockets, and how many peers a listener lets in. */
#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DIAL_MS = 5000 };

static struct world world;
static char directory[] = "/tmp/sluice-unix-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    return chdir(directory);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(directory); /* fails where a file was left behind */
}

static void close_end(struct end *end)
{
    end->stop_at = ON_CLOSE;
    if (end->conn) {
        sl_conn_close(end->conn);
        run(&world);
    }
    assert_int_equal(end->closes, 1);
}

static bool exists(const char *path)
{
    struct stat ignored;

    return lstat(path, &ignored) == 0;
}

/* ---- both ways ---- */

static void expect_both_ways(const char *address)
{
    struct end end = {.to_write = 1000, .wanted_bytes = 300000, .stop_at = ON_READ};
    char expected[SL_ADDRESS_TEXT_BYTES];

    open_world_at(&world, address, NULL, 0, 0);
    world.accepted_to_write = 300000;
    dial(&world, &end, address, DIAL_MS);
    run(&world);
    assert_int_equal(end.read_bytes, 300000);
    sl_address_print(&world.address, expected);
    assert_string_equal(end.peer, expected);
    snprintf(expected, sizeof(expected), "unix:uid=%u,pid=%d", (unsigned)getuid(), (int)getpid());
    assert_string_equal(world.ends[0].peer, expected);
    assert_string_equal(end.identity, "");
    assert_int_equal(sl_listener_port(world.listener), 0);
    assert_int_equal(exists("s.sock"), world.address.kind == SL_ADDRESS_UNIX);
    close_end(&end);
    close_world(&world);
    assert_false(exists("s.sock"));
}

static void bytes_pass_both_ways(void **state)
{
    char absolute[100];

    (void)state;
    snprintf(absolute, sizeof(absolute), "unix://%s/s.sock", directory);
    expect_both_ways("unix:s.sock");
    expect_both_ways(absolute);
    expect_both_ways("unix-abstract:sluice-unix-test");
}

/* ---- nobody else's ---- */

static void a_private_listener_is_reached_by_who_has_it(void **state)
{
    struct end refused = {.stop_at = ON_CLOSE};
    const struct sl_dial_options nobody = {.address = {.kind = SL_ADDRESS_PRIVATE},
                                           .timeout_ms = DIAL_MS};

    (void)state;
    expect_both_ways("private");
    open_world_at(&world, "private", NULL, 0, 0);
    refused.world = &world;
    refused.conn = sl_conn_dial(world.loop, &nobody, &end_events, &refused);
    run(&world);
    assert_string_equal(refused.why.text, "connect private: address not available");
    close_world(&world);
}

static void a_private_listener_counts_its_peers(void **state)
{
    struct end ends[2] = {{.stop_at = ON_OPEN}, {.stop_at = ON_CLOSE}};

    (void)state;
    open_world_at(&world, "private", NULL, 1, 0);
    dial(&world, &ends[0], "private", DIAL_MS);
    run(&world);
    dial(&world, &ends[1], "private", DIAL_MS);
    run(&world);
    assert_int_equal(world.accepted, 1);
    assert_string_equal(ends[1].why.text, "closed by peer");
    close_end(&ends[0]);
    close_world(&world);
}

/* ---- files ---- */

static struct sl_listener *try_to_listen(const char *text, struct sl_status *why)
{
    struct sl_listener_options options = {.accept = NULL};

    *why = sl_status_ok();
    assert_true(sl_address_parse(text, 1, &options.address));
    return sl_listener_open(world.loop, &options, why);
}

/* What a process that was killed leaves behind. */
static void leave_stale(const char *path)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(own.sun_path, sizeof(own.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    close(fd);
}

static void a_stale_file_is_replaced(void **state)
{
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    leave_stale("s.sock");
    open_world_at(&world, "unix:s.sock", NULL, 0, 0);
    dial(&world, &end, "unix:s.sock", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    close_end(&end);
    close_world(&world);
    assert_false(exists("s.sock"));
}

static void a_socket_in_use_is_refused_and_stays(void **state)
{
    static const char *const addresses[] = {"unix:s.sock", "unix-abstract:sluice-unix-test"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(addresses); i++) {
        struct end end = {.stop_at = ON_OPEN};
        struct sl_status why;
        char expected[100];

        open_world_at(&world, addresses[i], NULL, 0, 0);
        assert_null(try_to_listen(addresses[i], &why));
        snprintf(expected, sizeof(expected), "listen %s: address already in use", addresses[i]);
        assert_string_equal(why.text, expected);
        dial(&world, &end, addresses[i], DIAL_MS);
        run(&world);
        assert_int_equal(end.opens, 1);
        close_end(&end);
        close_world(&world);
    }
}

static void any_other_file_is_left_alone(void **state)
{
    struct sl_status why;

    (void)state;
    open_world(&world);
    fclose(fopen("s.sock", "w"));
    assert_null(try_to_listen("unix:s.sock", &why));
    assert_string_equal(why.text, "listen unix:s.sock: address already in use");
    assert_true(exists("s.sock"));
    unlink("s.sock");
    assert_int_equal(symlink("nowhere", "s.sock"), 0);
    assert_null(try_to_listen("unix:s.sock", &why));
    assert_true(exists("s.sock"));
    unlink("s.sock");
    assert_null(try_to_listen("unix:no/such/directory", &why));
    assert_string_equal(why.text, "listen unix:no/such/directory: no such file or directory");
    close_world(&world);
}

static void the_file_of_somebody_else_is_not_removed(void **state)
{
    (void)state;
    open_world_at(&world, "unix:s.sock", NULL, 0, 0);
    unlink("s.sock");
    fclose(fopen("s.sock", "w"));
    close_world(&world);
    assert_true(exists("s.sock"));
    unlink("s.sock");
}

static void a_path_that_is_too_long_is_refused_with_its_length(void **state)
{
    static const char *const kinds[] = {"unix:", "unix-abstract:"};
    char text[200];

    (void)state;
    open_world(&world);
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        struct end end = {.stop_at = ON_CLOSE};
        struct sl_status why;

        snprintf(text, sizeof(text), "%s%0108d", kinds[i], 7);
        assert_null(try_to_listen(text, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
        assert_non_null(strstr(why.text, "has at most 107 bytes, this one 108: 0000"));
        dial(&world, &end, text, DIAL_MS);
        run(&world);
        assert_string_equal(end.why.text, why.text);
    }
    close_world(&world);
    snprintf(text, sizeof(text), "unix:%0107d", 7); /* the longest */
    struct end end = {.stop_at = ON_OPEN};
    open_world_at(&world, text, NULL, 0, 0);
    dial(&world, &end, text, DIAL_MS);
    run(&world);
    assert_string_equal(end.peer, text);
    close_end(&end);
    close_world(&world);
}

static void a_dial_to_nobody_says_why(void **state)
{
    struct end missing = {.stop_at = ON_CLOSE}, stale = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    dial(&world, &missing, "unix:s.sock", DIAL_MS);
    run(&world);
    assert_string_equal(missing.why.text, "connect unix:s.sock: no such file or directory");
    leave_stale("s.sock");
    dial(&world, &stale, "unix:s.sock", DIAL_MS);
    run(&world);
    assert_string_equal(stale.why.text, "connect unix:s.sock: connection refused");
    assert_string_equal(sl_status_reason(&stale.why), "connection-refused");
    unlink("s.sock");
    close_world(&world);
}

/* ---- a backlog that is full ---- */

static void a_dial_waits_for_room_in_the_backlog(void **state)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "s.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct end first = {.stop_at = ON_OPEN}, late = {.stop_at = ON_CLOSE}, waits = {0};

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(listen(fd, 0), 0);
    open_world(&world);
    dial(&world, &first, "unix:s.sock", DIAL_MS);
    run(&world);
    dial(&world, &late, "unix:s.sock", 60);
    run(&world);
    assert_string_equal(late.why.text, "connect unix:s.sock: connection timed out");
    dial(&world, &waits, "unix:s.sock", DIAL_MS);
    run_for(&world, 50);
    assert_int_equal(waits.opens + waits.closes, 0);
    int accepted = accept(fd, NULL, NULL);
    waits.stop_at = ON_OPEN;
    run(&world);
    assert_int_equal(waits.opens, 1);
    close_end(&first);
    close_end(&waits);
    close_world(&world);
    close(accepted);
    close(fd);
    unlink("s.sock");
}

/* ---- how many ---- */

/* Dials until `count` of `ends` stand at both sides. */
static void fill(struct end *ends, size_t count, const char *address)
{
    memset(ends, 0, count * sizeof(*ends));
    for (size_t i = 0; i < count; i++) {
        world.wanted_accepts = world.accepted + 1;
        dial(&world, &ends[i], address, DIAL_MS);
        run(&world);
        while (!ends[i].opens) {
            run_for(&world, 1);
        }
    }
    world.wanted_accepts = 0;
}

static void expect_refusal(const char *address, const char *reason)
{
    struct end end = {.stop_at = ON_CLOSE};
    unsigned before = world.refused;

    dial(&world, &end, address, DIAL_MS);
    run(&world);
    assert_int_equal(world.refused, before + 1);
    assert_int_equal(world.refused_why.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&world.refused_why), reason);
}

static void a_listener_takes_only_so_many(void **state)
{
    struct end ends[3];

    (void)state;
    open_world_at(&world, "127.0.0.1:0", NULL, 3, 0);
    fill(ends, 3, "127.0.0.1");
    expect_refusal("127.0.0.1", "too-many-connections");
    close_end(&ends[1]);
    for (size_t gone = 0; !gone; run_for(&world, 1)) {
        gone = world.ends[1].closes;
    }
    fill(&ends[1], 1, "127.0.0.1");
    expect_refusal("127.0.0.1", "too-many-connections");
    for (size_t i = 0; i < 3; i++) {
        close_end(&ends[i]);
    }
    close_world(&world);
}

static void a_peer_has_only_so_many_and_others_have_theirs(void **state)
{
    struct end ends[2];

    (void)state;
    open_world_at(&world, "127.0.0.1:0", NULL, 10, 2);
    fill(ends, 2, "127.0.0.1");
    expect_refusal("127.0.0.1", "too-many-connections-of-peer");

    struct sockaddr_in other = {.sin_family = AF_INET}, to = other; /* 127.0.0.9 is somebody else */
    inet_pton(AF_INET, "127.0.0.9", &other.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons(world.address.port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&other, sizeof(other)), 0);
    world.wanted_accepts = 3;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    run(&world);
    assert_int_equal(strncmp(world.ends[2].peer, "127.0.0.9:", 10), 0);
    close(fd);
    close_end(&ends[0]);
    close_end(&ends[1]);
    close_world(&world);
}

static void a_unix_peer_is_a_user(void **state)
{
    struct end ends[2];

    (void)state;
    open_world_at(&world, "unix:s.sock", NULL, 0, 2);
    fill(ends, 2, "unix:s.sock");
    expect_refusal("unix:s.sock", "too-many-connections-of-peer");
    close_end(&ends[0]);
    close_end(&ends[1]);
    close_world(&world);
}

static void connections_outlive_their_listener_and_its_limits(void **state)
{
    struct end ends[2];

    (void)state;
    open_world_at(&world, "127.0.0.1:0", NULL, 2, 2);
    fill(ends, 2, "127.0.0.1");
    sl_listener_close(world.listener);
    run_for(&world, 1);
    close_end(&ends[0]);
    close_end(&ends[1]);
    for (size_t i = 0; i < 2; i++) {
        if (world.ends[i].conn) {
            world.ends[i].stop_at = ON_CLOSE;
            run(&world);
        }
    }
    sl_timer_free(world.guard);
    sl_loop_free(world.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(a_private_listener_is_reached_by_who_has_it),
        cmocka_unit_test(a_private_listener_counts_its_peers),
        cmocka_unit_test(a_stale_file_is_replaced),
        cmocka_unit_test(a_socket_in_use_is_refused_and_stays),
        cmocka_unit_test(any_other_file_is_left_alone),
        cmocka_unit_test(the_file_of_somebody_else_is_not_removed),
        cmocka_unit_test(a_path_that_is_too_long_is_refused_with_its_length),
        cmocka_unit_test(a_dial_to_nobody_says_why),
        cmocka_unit_test(a_dial_waits_for_room_in_the_backlog),
        cmocka_unit_test(a_listener_takes_only_so_many),
        cmocka_unit_test(a_peer_has_only_so_many_and_others_have_theirs),
        cmocka_unit_test(a_unix_peer_is_a_user),
        cmocka_unit_test(connections_outlive_their_listener_and_its_limits),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
