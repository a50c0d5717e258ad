/* Names with several addresses: "names" is what `named` says, as a name of the world outside. */
#include "fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificates.h"
#include "net/race.h"

enum { DIAL_MS = 5000, MAX_NAMED = 100 };

static struct world world;
static const char *named[MAX_NAMED];
static size_t named_count;

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses)
{
    if (strcmp(host, "names") != 0) {
        return __real_getaddrinfo(host, port, hints, addresses);
    }
    for (size_t i = 0; i < named_count; i++) {
        assert_int_equal(__real_getaddrinfo(named[i], port, hints, addresses), 0);
        addresses = &(*addresses)->ai_next;
    }
    return 0;
}

static void name(const char *const *addresses, size_t count)
{
    for (named_count = 0; named_count < count; named_count++) {
        named[named_count] = addresses[named_count];
    }
}

/* ---- order ---- */

struct order_case {
    const char *from, *to;
};

static const struct order_case order_cases[] = {
    {"666444", "646464"}, {"444666", "464646"}, {"64444", "64444"}, {"66664", "64666"},
    {"4", "4"},           {"6666", "6666"},     {"466", "466"},     {"664466", "646466"},
};

static void families_take_turns(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(order_cases); i++) {
        struct addrinfo addresses[8] = {{0}};
        size_t len = strlen(order_cases[i].from), last[2] = {0, 0};
        struct sl_race race = {0};

        for (size_t k = 0; k < len; k++) {
            addresses[k].ai_family = order_cases[i].from[k] == '6' ? AF_INET6 : AF_INET;
            addresses[k].ai_next = k + 1 < len ? &addresses[k + 1] : NULL;
        }
        sl_race_set(&race, addresses);
        assert_int_equal(race.count, len);
        for (size_t k = 0; k < len; k++) {
            bool is_v6 = race.order[k]->ai_family == AF_INET6;
            size_t place = (size_t)(race.order[k] - addresses) + 1;
            assert_int_equal(is_v6 ? '6' : '4', order_cases[i].to[k]);
            assert_true(place > last[is_v6]); /* each family in its own order */
            last[is_v6] = place;
        }
    }
}

static void a_name_has_only_so_many_addresses(void **state)
{
    static struct addrinfo addresses[1000];
    struct sl_race race = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(addresses); i++) {
        addresses[i].ai_family = i % 3 ? AF_INET6 : AF_INET;
        addresses[i].ai_next = i + 1 < SL_ARRAY_LEN(addresses) ? &addresses[i + 1] : NULL;
    }
    sl_race_set(&race, addresses);
    assert_int_equal(race.count, SL_RACE_MAX_ADDRESSES);
}

/* ---- an address that says nothing ---- */

struct silence {
    int fd;
    int fds[16];
    size_t count;
};

/* Listens at `host` with the world's port, and its backlog is full. */
static void fall_silent(struct silence *silence, const char *host)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(world.address.port)};

    assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
    silence->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silence->fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(listen(silence->fd, 0), 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(silence->fds); i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd wait = {.fd = fd, .events = POLLOUT};

        silence->fds[i] = fd;
        silence->count = i + 1;
        if (connect(fd, (struct sockaddr *)&own, sizeof(own)) != 0 && poll(&wait, 1, 100) == 0) {
            return;
        }
    }
    fail_msg("%s", "the backlog has no end");
}

/* Those who filled the backlog go. */
static void make_room(struct silence *silence)
{
    struct pollfd wait = {.fd = silence->fd, .events = POLLIN};

    for (size_t i = 0; i < silence->count; i++) {
        close(silence->fds[i]);
    }
    silence->count = 0;
    while (poll(&wait, 1, 0) > 0) {
        close(accept(silence->fd, NULL, NULL));
    }
}

static void end_silence(struct silence *silence)
{
    make_room(silence);
    close(silence->fd);
}

static size_t sockets(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char target[sizeof("socket:")] = "";
        ssize_t len = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
        count += len > 0 && strcmp(target, "socket:") == 0;
    }
    closedir(directory);
    return count;
}

static void close_end(struct end *end)
{
    end->stop_at = ON_CLOSE;
    sl_conn_close(end->conn);
    run(&world);
    assert_int_equal(end->closes, 1);
}

static void a_silent_address_does_not_hold_the_next_one(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.1"};
    struct silence silence[2];
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_world(&world);
    fall_silent(&silence[0], "127.0.0.2");
    fall_silent(&silence[1], "127.0.0.3");
    name(addresses, SL_ARRAY_LEN(addresses));
    size_t before = sockets();
    dial(&world, &end, "names", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_int_equal(strncmp(end.peer, "127.0.0.1:", 10), 0);
    assert_int_equal(world.accepted, 1);
    assert_int_equal(sockets(), before + 2); /* both ends, and none of those that lost */
    close_end(&end);
    end_silence(&silence[0]);
    end_silence(&silence[1]);
    close_world(&world);
}

/* With a wait for each of them there would be no time left. */
static void an_address_that_refuses_is_passed_over_at_once(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4",
                                            "127.0.0.5", "127.0.0.6", "127.0.0.7",
                                            "127.0.0.8", "127.0.0.9", "127.0.0.1"};
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_world(&world);
    name(addresses, SL_ARRAY_LEN(addresses));
    dial(&world, &end, "names", 7 * SL_RACE_DELAY_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    close_end(&end);
    close_world(&world);
}

static void when_all_refuse_the_last_one_is_named(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3"};
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    name(addresses, SL_ARRAY_LEN(addresses));
    dial(&world, &end, "names", DIAL_MS);
    run(&world);
    assert_int_equal(strncmp(end.why.text, "connect 127.0.0.3:", 18), 0);
    assert_string_equal(sl_status_reason(&end.why), "connection-refused");
    close_world(&world);
}

static void a_race_that_nobody_wins_ends_in_time(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3"};
    struct silence silence[2];
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_world(&world);
    fall_silent(&silence[0], "127.0.0.2");
    fall_silent(&silence[1], "127.0.0.3");
    name(addresses, SL_ARRAY_LEN(addresses));
    size_t before = sockets();
    dial(&world, &end, "names", 2 * SL_RACE_DELAY_MS);
    run(&world);
    assert_string_equal(sl_status_reason(&end.why), "timed-out");
    assert_int_equal(strncmp(end.why.text, "connect 127.0.0.3:", 18), 0);
    run_for(&world, 1);
    assert_int_equal(sockets(), before);
    end_silence(&silence[0]);
    end_silence(&silence[1]);
    close_world(&world);
}

static void a_race_may_be_closed_while_it_runs(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.2"};
    struct silence silence[2];

    (void)state;
    open_world(&world);
    fall_silent(&silence[0], "127.0.0.2");
    fall_silent(&silence[1], "127.0.0.3");
    name(addresses, SL_ARRAY_LEN(addresses));
    size_t before = sockets();
    for (uint64_t ms = 0; ms < 3 * SL_RACE_DELAY_MS; ms += 200) {
        struct end end = {0};
        dial(&world, &end, "names", DIAL_MS);
        run_for(&world, ms);
        close_end(&end);
        assert_int_equal(end.why.code, SL_CANCELLED);
        run_for(&world, 1);
        assert_int_equal(sockets(), before);
    }
    end_silence(&silence[0]);
    end_silence(&silence[1]);
    close_world(&world);
}

/* ---- when the winner is of no use ---- */

/* 127.0.0.2 says nothing at first, and then hangs up; 127.0.0.1 has a certificate that is not
 * trusted. */
static void those_that_lost_are_raced_again(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1"};
    struct sl_tls_options server = {.cert = "foreign.pem", .key = "foreign.key"};
    struct sl_tls_options client = {.ca = "ca.pem"};
    struct silence silence;
    enum sl_tls_part part;
    struct sl_status why;

    (void)state;
    open_world_with(&world, sl_tls_new(SL_TLS_SERVER, &server, &why, &part));
    world.tls = sl_tls_new(SL_TLS_CLIENT, &client, &why, &part);
    world.server_name = "leaf1";
    fall_silent(&silence, "127.0.0.2");
    name(addresses, SL_ARRAY_LEN(addresses));

    struct end end = {.stop_at = ON_CLOSE};
    dial(&world, &end, "names", 3 * DIAL_MS);
    while (!world.refused) { /* the other end of 127.0.0.1 */
        run_for(&world, 1);
    }
    assert_int_equal(end.closes, 0);
    make_room(&silence); /* now 127.0.0.2 hears, and hangs up */
    struct pollfd wait = {.fd = silence.fd, .events = POLLIN};
    while (poll(&wait, 1, 0) == 0) {
        run_for(&world, 1);
    }
    close(accept(silence.fd, NULL, NULL));
    run(&world);
    assert_non_null(strstr(end.why.text, " 127.0.0.2:"));
    end_silence(&silence);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_take_turns),
        cmocka_unit_test(a_name_has_only_so_many_addresses),
        cmocka_unit_test(a_silent_address_does_not_hold_the_next_one),
        cmocka_unit_test(an_address_that_refuses_is_passed_over_at_once),
        cmocka_unit_test(when_all_refuse_the_last_one_is_named),
        cmocka_unit_test(a_race_that_nobody_wins_ends_in_time),
        cmocka_unit_test(a_race_may_be_closed_while_it_runs),
        cmocka_unit_test(those_that_lost_are_raced_again),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
