/* TLS over sockets: a connection with it is like any other, and a handshake may fail in every way.
 * What a session makes of bytes is tls_session_test's. */
#include "fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certificates.h"
#include "failing.h"

enum { BIG_BYTES = 8 * 1024 * 1024, DIAL_MS = 5000, MAX_ALLOCATIONS = 400 };

static struct world world;

static struct sl_tls *make_tls(enum sl_tls_role role, const char *ca, const char *cert,
                               const char *key)
{
    const struct sl_tls_options options = {.ca = ca, .cert = cert, .key = key};
    struct sl_status why;
    enum sl_tls_part part;
    struct sl_tls *tls = sl_tls_new(role, &options, &why, &part);

    assert_string_equal(why.text, "");
    assert_non_null(tls);
    return tls;
}

/* Costly: made once. */
static struct sl_tls *server_tls, *client_tls;

static int set_up(void **state)
{
    make_certificates(state);
    server_tls = make_tls(SL_TLS_SERVER, "ca.pem", "leaf.pem", "leaf.key");
    client_tls = make_tls(SL_TLS_CLIENT, "ca.pem", "client.pem", "client.key");
    return 0;
}

static int tear_down(void **state)
{
    sl_tls_release(server_tls);
    sl_tls_release(client_tls);
    return remove_certificates(state);
}

static void open_secure_world(void)
{
    sl_tls_hold(server_tls);
    sl_tls_hold(client_tls);
    open_world_with(&world, server_tls);
    world.tls = client_tls;
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

/* ---- as any other connection ---- */

static void bytes_pass_both_ways(void **state)
{
    struct end end = {.to_write = 1000, .wanted_bytes = 200000, .stop_at = ON_READ};

    (void)state;
    open_secure_world();
    world.accepted_to_write = 200000;
    dial_listener(&world, &end);
    run(&world);
    assert_int_equal(end.opens, 1);
    assert_int_equal(end.read_bytes, 200000);
    assert_true(sl_conn_is_secure(end.conn));
    assert_non_null(strstr(end.peer, "127.0.0.1:"));
    while (world.ends[0].read_bytes < 1000) {
        world.ends[0].stop_at = ON_READ;
        world.ends[0].wanted_bytes = 1000;
        run(&world);
    }
    close_end(&end);
    assert_int_equal(end.why.code, SL_CANCELLED);
    if (world.ends[0].closes == 0) {
        world.ends[0].stop_at = ON_CLOSE;
        run(&world);
    }
    assert_string_equal(world.ends[0].why.text, "closed by peer");
    assert_int_equal(world.refused, 0);
    close_world(&world);
}

static void a_name_leads_to_an_address_with_that_name(void **state)
{
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_secure_world();
    world.server_name = "leaf1";
    dial(&world, &end, "localhost", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 1);
    close_end(&end);
    close_world(&world);
}

static void a_big_stream_drains_and_arrives_whole(void **state)
{
    struct end end = {.to_write = BIG_BYTES};

    (void)state;
    open_secure_world();
    world.wanted_accepts = 1;
    dial_listener(&world, &end);
    run(&world);
    sl_conn_pause(world.ends[0].conn);
    run_for(&world, 50);
    assert_true(end.refusals > end.drains);
    assert_true(end.written_bytes < BIG_BYTES);
    sl_conn_resume(world.ends[0].conn);
    world.ends[0].stop_at = ON_READ;
    world.ends[0].wanted_bytes = BIG_BYTES;
    run(&world);
    assert_int_equal(world.ends[0].read_bytes, BIG_BYTES);
    close_end(&end);
    close_world(&world);
}

static void a_connection_may_be_closed_in_every_event(void **state)
{
    static const enum event events[] = {ON_OPEN, ON_READ, ON_DRAIN, ON_CLOSE, ON_ACCEPT};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(events); i++) {
        struct end end = {.to_write = BIG_BYTES, .close_at = events[i], .stop_at = ON_CLOSE};

        open_secure_world();
        world.accepted_to_write = 100000;
        world.close_accepted_at = events[i] == ON_CLOSE    ? ON_READ
                                  : events[i] == ON_ACCEPT ? ON_ACCEPT
                                                           : NONE;
        dial_listener(&world, &end);
        run(&world);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.opens, 1);
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

/* After so many turns of the loop: wherever that is in resolution, connecting and handshake. */
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
    } else {
        close_it(countdown->end);
    }
}

static void a_dial_may_be_closed_at_any_time(void **state)
{
    unsigned opened = 0;

    (void)state;
    for (unsigned turns = 0; turns < 24; turns++) {
        struct end end = {.stop_at = ON_CLOSE};
        struct countdown countdown = {.end = &end, .turns = turns};

        countdown.deferred = (struct sl_deferred){.fn = count_down, .arg = &countdown};
        open_secure_world();
        dial_listener(&world, &end);
        sl_loop_defer(world.loop, &countdown.deferred);
        run(&world);
        assert_int_equal(end.closes, 1);
        assert_int_equal(end.why.code, SL_CANCELLED);
        opened += end.opens;
        run_for(&world, 1);
        close_world(&world);
    }
    assert_in_range(opened, 1, 23);
}

/* ---- handshakes that fail ---- */

/* A peer that is not ours, and speaks only when told. */
static int raw_listener(uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof(own);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

static int raw_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(world.address.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void expect_end(const struct end *end, const char *reason, const char *words)
{
    assert_int_equal(end->opens, 0);
    assert_int_equal(end->closes, 1);
    assert_int_equal(end->why.code, SL_UNAVAILABLE);
    if (strcmp(sl_status_reason(&end->why), reason) != 0 || !strstr(end->why.text, words)) {
        fail_msg("%s: %s\nand not %s: %s", sl_status_reason(&end->why), end->why.text, reason,
                 words);
    }
}

static void a_wrong_name_ends_a_dial_and_both_sides_know(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_secure_world();
    world.server_name = "leaf2";
    dial_listener(&world, &end);
    run(&world);
    expect_end(&end, "tls-name-mismatch", "TLS 127.0.0.1:");
    for (size_t i = 0; i < 100 && world.refused == 0; i++) {
        run_for(&world, 10);
    }
    assert_int_equal(world.refused, 1);
    assert_string_equal(sl_status_reason(&world.refused_why), "tls-alert");
    assert_int_equal(world.accepted, 0);
    close_world(&world);
}

static void a_handshake_that_never_ends_is_ended(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};
    uint16_t port;
    int fd = raw_listener(&port);
    char address[80];

    (void)state;
    open_secure_world();
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)port);
    dial(&world, &end, address, 150);
    run(&world);
    expect_end(&end, "tls-handshake-timeout", "the handshake did not end in time");
    close_world(&world);
    close(fd);
}

static void a_peer_in_plaintext_is_told_from_one_that_hangs_up(void **state)
{
    static const char *const words[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", ""};
    static const char *const reasons[] = {"tls-not-tls", "tls-handshake-cut"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        struct end end = {.stop_at = ON_CLOSE};
        uint16_t port;
        int fd = raw_listener(&port);
        char address[80], hello[5000];

        open_secure_world();
        snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)port);
        dial(&world, &end, address, DIAL_MS);
        run_for(&world, 20);
        int peer = accept(fd, NULL, NULL);
        assert_true(recv(peer, hello, sizeof(hello), 0) > 100);
        assert_int_equal(send(peer, words[i], strlen(words[i]), 0), strlen(words[i]));
        close(peer);
        run(&world);
        expect_end(&end, reasons[i], "is it plaintext ('insecure: true')?");
        close_world(&world);
        close(fd);
    }
}

/* ---- names with several addresses ---- */

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses);

/* "both" is ::1 and 127.0.0.1, as a name of the world outside may be. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses)
{
    if (strcmp(host, "both") != 0) {
        return __real_getaddrinfo(host, port, hints, addresses);
    }
    assert_int_equal(__real_getaddrinfo("::1", port, hints, addresses), 0);
    return __real_getaddrinfo("127.0.0.1", port, hints, &(*addresses)->ai_next);
}

static void on_accept_v6(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    static const struct sl_conn_events no_events;

    (void)listener;
    (void)arg;
    sl_conn_set_events(conn, &no_events, NULL);
}

/* A second listener on ::1, with the world's port, whose certificate is `name`. */
static struct sl_listener *listen_v6(const char *name)
{
    char cert[80], key[80];
    struct sl_status why;

    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    const struct sl_listener_options options = {
        .address = {.host = "::1", .port = world.address.port},
        .tls = make_tls(SL_TLS_SERVER, NULL, cert, key),
        .accept = on_accept_v6};
    struct sl_listener *listener = sl_listener_open(world.loop, &options, &why);
    assert_non_null(listener);
    sl_tls_release(options.tls);
    return listener;
}

static void ipv6_and_ipv4_are_tried_in_turn(void **state)
{
    static const char *const certificates[] = {"leaf", "foreign", NULL};
    static const char *const peers[] = {"[::1]:", "127.0.0.1:", "127.0.0.1:"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(peers); i++) {
        struct end end = {.stop_at = ON_OPEN};

        open_secure_world();
        world.server_name = "leaf1";
        struct sl_listener *v6 = certificates[i] ? listen_v6(certificates[i]) : NULL;
        dial(&world, &end, "both", DIAL_MS);
        run(&world);
        assert_int_equal(end.opens, 1);
        assert_int_equal(strncmp(end.peer, peers[i], strlen(peers[i])), 0);
        close_end(&end);
        run_for(&world, 1);
        if (v6) {
            sl_listener_close(v6);
        }
        close_world(&world);
    }
}

/* ::1 answers with a certificate that is not trusted, 127.0.0.1 does not answer. */
static void the_attempt_that_came_furthest_gives_the_reason(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};

    (void)state;
    open_secure_world();
    struct sl_listener *v6 = listen_v6("foreign");
    sl_listener_close(world.listener);
    dial(&world, &end, "both", DIAL_MS);
    run(&world);
    expect_end(&end, "tls-unknown-issuer", "TLS [::1]:");
    sl_listener_close(v6);
    sl_timer_free(world.guard);
    sl_tls_release(world.tls);
    sl_loop_free(world.loop);
}

/* ---- a listener ---- */

static void a_listener_refuses_what_is_not_tls(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    int fd;

    (void)state;
    open_secure_world();
    fd = raw_client();
    assert_true(send(fd, preface, sizeof(preface) - 1, 0) > 0);
    for (size_t i = 0; i < 100 && world.refused == 0; i++) {
        run_for(&world, 10);
    }
    assert_int_equal(world.refused, 1);
    assert_string_equal(sl_status_reason(&world.refused_why), "tls-not-tls");
    assert_int_equal(world.accepted, 0);
    close(fd);
    close_world(&world);
}

static void a_listener_shakes_only_so_many_hands_and_then_the_next_ones(void **state)
{
    static int fds[SL_NET_MAX_HANDSHAKES];
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_secure_world();
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        fds[i] = raw_client();
    }
    run_for(&world, 50);
    dial_listener(&world, &end);
    run_for(&world, 100);
    assert_int_equal(end.opens, 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    run(&world);
    assert_int_equal(end.opens, 1);
    for (size_t i = 0; i < 500 && world.refused < SL_ARRAY_LEN(fds); i++) {
        run_for(&world, 10);
    }
    assert_int_equal(world.refused, SL_ARRAY_LEN(fds));
    assert_string_equal(sl_status_reason(&world.refused_why), "tls-handshake-cut");
    close_end(&end);
    close_world(&world);
}

static void a_listener_may_close_with_handshakes_under_way(void **state)
{
    struct end end = {.stop_at = ON_CLOSE};
    int fd;

    (void)state;
    open_secure_world();
    fd = raw_client();
    dial_listener(&world, &end);
    run_for(&world, 0);
    close(fd);
    close_it(&end);
    run(&world);
    close_world(&world);
    assert_int_equal(world.accepted, 0);
}

/* ---- files ---- */

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The key of leaf.pem with a password. */
static void write_encrypted_key(void)
{
    FILE *file = fopen("leaf.key", "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

    fclose(file);
    file = fopen("encrypted.key", "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (const unsigned char *)"x",
                                          1, NULL, NULL),
                     1);
    fclose(file);
    EVP_PKEY_free(key);
}

struct fault {
    const char *ca, *cert, *key;
    enum sl_tls_part part;
    const char *words;
};

static const struct fault faults[] = {
    {"missing.pem", NULL, NULL, SL_TLS_CA, "missing.pem: No such file or directory"},
    {".", NULL, NULL, SL_TLS_CA, ".: not a regular file"},
    {"empty.pem", NULL, NULL, SL_TLS_CA, "empty.pem: no certificate in PEM in it"},
    {"text.pem", NULL, NULL, SL_TLS_CA, "text.pem: no certificate in PEM in it"},
    {"torn.pem", NULL, NULL, SL_TLS_CA, "torn.pem: "},
    {"leaf.key", NULL, NULL, SL_TLS_CA, "leaf.key: no certificate in PEM in it"},
    {"large.pem", NULL, NULL, SL_TLS_CA, "large.pem: larger than 4 MiB"},
    {NULL, "leaf.pem", NULL, SL_TLS_CERT, "a certificate without its key"},
    {NULL, NULL, "leaf.key", SL_TLS_KEY, "a key without its certificate"},
    {NULL, "missing.pem", "leaf.key", SL_TLS_CERT, "missing.pem: No such file"},
    {NULL, "leaf.key", "leaf.key", SL_TLS_CERT, "leaf.key: no certificate in PEM in it"},
    {NULL, "leaf.pem", "missing.key", SL_TLS_KEY, "missing.key: No such file"},
    {NULL, "leaf.pem", "leaf.pem", SL_TLS_KEY, "leaf.pem: no private key in PEM in it"},
    {NULL, "leaf.pem", "client.key", SL_TLS_KEY,
     "client.key: this key does not match the certificate"},
    {NULL, "leaf.pem", "other.key", SL_TLS_KEY,
     "other.key: this key does not match the certificate"},
    {NULL, "leaf.pem", "encrypted.key", SL_TLS_KEY, "encrypted.key: this key is encrypted"},
    {NULL, "leaf.pem", "unreadable.key", SL_TLS_KEY, "unreadable.key: "},
};

static void write_faulty_files(void)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE *file = fopen("other.key", "w");

    PEM_write_PrivateKey(file, other, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    EVP_PKEY_free(other);
    write_encrypted_key();
    write_file("empty.pem", "");
    write_file("text.pem", "no certificate\n");
    write_file("torn.pem", "-----BEGIN CERTIFICATE-----\nMIIB!!!\n-----END CERTIFICATE-----\n");
    write_file("large.pem", "");
    assert_int_equal(truncate("large.pem", SL_TLS_MAX_FILE_BYTES + 1), 0);
    write_file("unreadable.key", "-----BEGIN PRIVATE KEY-----\nx");
    chmod("unreadable.key", 0);
}

static void what_is_wrong_with_a_file_is_told(void **state)
{
    (void)state;
    write_faulty_files();
    for (size_t i = 0; i < SL_ARRAY_LEN(faults); i++) {
        const struct fault *fault = &faults[i];
        const struct sl_tls_options options = {
            .ca = fault->ca, .cert = fault->cert, .key = fault->key};
        enum sl_tls_part part = SL_TLS_NO_PART;
        struct sl_status why = sl_status_ok();

        assert_null(sl_tls_new(SL_TLS_CLIENT, &options, &why, &part));
        if (part != fault->part || strncmp(why.text, fault->words, strlen(fault->words)) != 0) {
            fail_msg("%d: %s\nand not %s", (int)part, why.text, fault->words);
        }
        assert_int_equal(ERR_peek_error(), 0);
    }
}

/* ---- memory and silence ---- */

static void each_allocation_may_fail(void **state)
{
    size_t failures = 0;

    (void)state;
    for (long allocation = 0; allocation < MAX_ALLOCATIONS; allocation++) {
        struct end end = {.to_write = 300000, .wanted_bytes = 300000, .stop_at = ON_CLOSE};

        open_secure_world();
        world.accepted_to_write = 300000;
        world.close_accepted_at = NONE;
        has_failed = false;
        struct sl_dial_options options = {
            .address = world.address, .timeout_ms = DIAL_MS, .tls = world.tls};
        end.world = &world;
        end.close_at = ON_READ;
        left = allocation;
        end.conn = sl_conn_dial(world.loop, &options, &end_events, &end);
        if (end.conn) {
            run(&world);
            assert_int_equal(end.closes, 1);
        }
        left = -1;
        failures += has_failed;
        run_for(&world, 1);
        close_world(&world);
        if (!has_failed) {
            break;
        }
    }
    assert_in_range(failures, 5, MAX_ALLOCATIONS - 1);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* The one socket of this process whose peer is the listener. */
static int descriptor_of_dial(void)
{
    for (int fd = 3; fd < 200; fd++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof(peer);

        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == world.address.port) {
            return fd;
        }
    }
    fail_msg("%s", "no such descriptor");
    return -1;
}

static void a_dialled_connection_notices_a_dead_peer(void **state)
{
    struct end end = {.stop_at = ON_OPEN};

    (void)state;
    open_secure_world();
    dial_listener(&world, &end);
    run(&world);
    int fd = descriptor_of_dial();
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    int idle_s = option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    int interval_s = option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL);
    int probes = option_of(fd, IPPROTO_TCP, TCP_KEEPCNT);
    assert_true(idle_s > 0 && interval_s > 0 && probes > 1);
    assert_int_equal(idle_s + interval_s * probes, SL_NET_DEAD_PEER_S);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), SL_NET_DEAD_PEER_S * 1000);
    close_end(&end);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(a_name_leads_to_an_address_with_that_name),
        cmocka_unit_test(a_big_stream_drains_and_arrives_whole),
        cmocka_unit_test(a_connection_may_be_closed_in_every_event),
        cmocka_unit_test(a_dial_may_be_closed_at_any_time),
        cmocka_unit_test(a_wrong_name_ends_a_dial_and_both_sides_know),
        cmocka_unit_test(a_handshake_that_never_ends_is_ended),
        cmocka_unit_test(a_peer_in_plaintext_is_told_from_one_that_hangs_up),
        cmocka_unit_test(ipv6_and_ipv4_are_tried_in_turn),
        cmocka_unit_test(the_attempt_that_came_furthest_gives_the_reason),
        cmocka_unit_test(a_listener_refuses_what_is_not_tls),
        cmocka_unit_test(a_listener_shakes_only_so_many_hands_and_then_the_next_ones),
        cmocka_unit_test(a_listener_may_close_with_handshakes_under_way),
        cmocka_unit_test(what_is_wrong_with_a_file_is_told),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_dialled_connection_notices_a_dead_peer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
