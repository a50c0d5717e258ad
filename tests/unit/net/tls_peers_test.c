/* What two ends with TLS agree on: who the other is, sessions taken up again, versions, ciphers,
 * certificates that change. */
#include "fixture.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "net/internal.h"
#include "net/tls_internal.h"

enum { DIAL_MS = 5000 };

static struct world world;

static struct sl_tls *make(enum sl_tls_role role, const struct sl_tls_options *options)
{
    struct sl_status why;
    enum sl_tls_part part;
    struct sl_tls *tls = sl_tls_new(role, options, &why, &part);

    assert_string_equal(why.text, "");
    assert_int_equal(part, SL_TLS_NO_PART);
    assert_non_null(tls);
    return tls;
}

static struct sl_tls *make_server(const char *ca, const char *name)
{
    char cert[80], key[80];

    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    return make(SL_TLS_SERVER, &(struct sl_tls_options){.ca = ca, .cert = cert, .key = key});
}

static struct sl_tls *make_client(const char *name, bool skip_verify)
{
    char cert[80] = "", key[80] = "";

    if (name) {
        snprintf(cert, sizeof(cert), "%s.pem", name);
        snprintf(key, sizeof(key), "%s.key", name);
    }
    return make(SL_TLS_CLIENT, &(struct sl_tls_options){.ca = skip_verify ? NULL : "ca.pem",
                                                        .cert = cert,
                                                        .key = key,
                                                        .skip_verify = skip_verify});
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

/* Until it stands at both sides; the index of the other end. */
static size_t stand(struct end *end, const char *address)
{
    size_t index = world.accepted;

    memset(end, 0, sizeof(*end));
    dial(&world, end, address, DIAL_MS);
    end->stop_at = ON_CLOSE;
    while (!end->opens || world.accepted == index) {
        run_for(&world, 1);
        assert_string_equal(end->why.text, "");
    }
    return index;
}

/* Bytes of the other end come through: whatever came before them (tickets) was read. */
static void expect_bytes(struct end *end, size_t index)
{
    struct end *other = &world.ends[index];

    end->stop_at = ON_READ;
    end->wanted_bytes = end->read_bytes + 1000;
    other->to_write += 1000;
    write_on(other);
    run(&world);
    assert_int_equal(end->read_bytes, end->wanted_bytes);
}

/* ---- who the peer is ---- */

struct identity_case {
    const char *server_ca, *client;
    bool skip_verify;
    const char *of_client, *of_server;
};

static const struct identity_case identity_cases[] = {
    {"ca.pem", "service", false, "spiffe://example/collector", "leaf1"},
    {"ca.pem", "leaf", false, "leaf1", "leaf1"},
    {"ca.pem", "client", false, "client", "leaf1"}, /* its common name */
    {"ca.pem", "mailbox", false, "mailbox", "leaf1"},
    {NULL, "service", false, "", "leaf1"}, /* nobody asked for it */
    {NULL, NULL, false, "", "leaf1"},
    {NULL, NULL, true, "", ""}, /* nobody verified it */
};

static void a_verified_peer_has_an_identity(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(identity_cases); i++) {
        const struct identity_case *test = &identity_cases[i];
        struct end end;

        open_world_with(&world, make_server(test->server_ca, "leaf"));
        world.tls = make_client(test->client, test->skip_verify);
        stand(&end, "127.0.0.1");
        assert_string_equal(world.ends[0].identity, test->of_client);
        assert_string_equal(end.identity, test->of_server);
        close_end(&end);
        close_world(&world);
    }
}

/* ---- unix sockets ---- */

static void tls_works_over_a_unix_socket(void **state)
{
    struct end end;

    (void)state;
    open_world_at(&world, "unix:s.sock", make_server("ca.pem", "leaf"), 0, 0);
    world.tls = make_client("client", false);
    world.server_name = "leaf1";
    size_t index = stand(&end, "unix:s.sock");
    expect_bytes(&end, index);
    assert_string_equal(world.ends[index].identity, "client");
    assert_string_equal(end.peer, "unix:s.sock");
    close_end(&end);

    world.server_name = NULL; /* then it is localhost */
    memset(&end, 0, sizeof(end));
    end.stop_at = ON_CLOSE;
    dial(&world, &end, "unix:s.sock", DIAL_MS);
    run(&world);
    assert_string_equal(sl_status_reason(&end.why), "tls-name-mismatch");
    assert_non_null(
        strstr(end.why.text, "TLS unix:s.sock: the certificate is not for 'localhost'"));
    close_world(&world);
}

/* ---- certificates that change ---- */

static void expect_failure(const char *reason)
{
    struct end end = {.stop_at = ON_CLOSE};

    dial(&world, &end, "127.0.0.1", DIAL_MS);
    run(&world);
    assert_int_equal(end.opens, 0);
    assert_string_equal(sl_status_reason(&end.why), reason);
}

static void new_certificates_are_for_connections_to_come(void **state)
{
    struct end old, next;

    (void)state;
    open_world_with(&world, make_server(NULL, "leaf"));
    world.tls = make_client(NULL, false);
    world.server_name = "leaf1";
    size_t index = stand(&old, "127.0.0.1");

    struct sl_tls *foreign = make_server(NULL, "foreign");
    sl_listener_set_tls(world.listener, foreign);
    sl_tls_release(foreign);
    expect_failure("tls-unknown-issuer");
    expect_bytes(&old, index);

    struct sl_tls *client_tls = world.tls;
    sl_listener_set_tls(world.listener, NULL);
    world.tls = NULL;
    size_t next_index = stand(&next, "127.0.0.1");
    assert_false(sl_conn_is_secure(next.conn));
    expect_bytes(&next, next_index);
    expect_bytes(&old, index);
    close_end(&next);

    struct sl_tls *again = make_server("ca.pem", "leaf");
    sl_listener_set_tls(world.listener, again);
    sl_tls_release(again);
    sl_tls_release(client_tls);
    world.tls = make_client("client", false);
    next_index = stand(&next, "127.0.0.1");
    expect_bytes(&next, next_index);
    expect_bytes(&old, index);
    close_end(&next);
    close_end(&old);
    close_world(&world);
}

/* ---- resumption ---- */

static bool is_resumed(const struct end *end, size_t index)
{
    bool client_says = sl_tls_session_is_resumed(end->conn->tls);

    assert_int_equal(sl_tls_session_is_resumed(world.ends[index].conn->tls), client_says);
    return client_says;
}

/* Whether a connection to `address` took up a session. It ends without a word. */
static bool comes_back(const char *address)
{
    static const struct sl_status broken = {.code = SL_UNAVAILABLE, .text = "broken"};
    struct end end;
    size_t index = stand(&end, address);

    expect_bytes(&end, index);
    bool is_again = is_resumed(&end, index);
    sl_conn_fail(end.conn, &broken);
    end.stop_at = ON_CLOSE;
    run(&world);
    return is_again;
}

static void open_resuming_world(const char *server_ca, int max_version)
{
    open_world_with(&world, make_server(server_ca, "leaf"));
    world.tls = make_client("client", false);
    world.server_name = "leaf1";
    SSL_CTX_set_max_proto_version(world.tls->context, max_version);
}

static void sessions_are_resumed_again_and_again(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(versions); i++) {
        open_resuming_world(NULL, versions[i]);
        assert_false(comes_back("127.0.0.1"));
        for (size_t times = 0; times < 4; times++) {
            assert_true(comes_back("127.0.0.1"));
        }
        assert_false(comes_back("localhost")); /* another place */
        assert_true(comes_back("127.0.0.1"));
        world.server_name = "any.net.example"; /* another name */
        assert_false(comes_back("127.0.0.1"));
        close_world(&world);
    }
}

static void a_server_that_demands_certificates_resumes_nothing(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(versions); i++) {
        open_resuming_world("ca.pem", versions[i]);
        assert_false(comes_back("127.0.0.1"));
        assert_false(comes_back("127.0.0.1"));
        assert_string_equal(world.ends[1].identity, "client");
        close_world(&world);
    }
}

static void who_is_known_from_an_old_session_still_has_a_name(void **state)
{
    struct end end;

    (void)state;
    open_resuming_world(NULL, TLS1_3_VERSION);
    assert_false(comes_back("127.0.0.1"));
    size_t index = stand(&end, "127.0.0.1");
    assert_true(is_resumed(&end, index));
    assert_string_equal(end.identity, "leaf1");
    close_end(&end);
    close_world(&world);
}

static void tickets_of_other_certificates_are_worth_nothing(void **state)
{
    (void)state;
    open_resuming_world(NULL, TLS1_3_VERSION);
    assert_false(comes_back("127.0.0.1"));
    struct sl_tls *tls = make_server(NULL, "leaf");
    sl_listener_set_tls(world.listener, tls);
    sl_tls_release(tls);
    assert_false(comes_back("127.0.0.1"));
    assert_true(comes_back("127.0.0.1"));
    close_world(&world);
}

/* ---- resumption without sockets: time is ours ---- */

struct side {
    struct sl_tls_session *session;
    struct sl_tls_output output;
    uint8_t in[SL_TLS_OUTPUT_BYTES];
    bool is_done;
};

/* What `from` has to say is heard by `to`. */
static void pass(struct side *from, struct side *to, int64_t now_ns)
{
    size_t len;

    if (!from->is_done) {
        from->is_done = sl_tls_session_handshake(from->session) == SL_TLS_DONE;
    }
    memcpy(to->in, from->output.bytes, from->output.len);
    sl_tls_session_feed(to->session, to->in, from->output.len, now_ns);
    from->output.len = 0;
    if (to->is_done) {
        uint8_t plain[100];
        assert_int_equal(sl_tls_session_read(to->session, plain, sizeof(plain), &len),
                         SL_TLS_WANTS_INPUT);
        assert_int_equal(len, 0);
    }
}

static bool resumes_at(struct sl_tls *client_tls, struct sl_tls *server_tls, int64_t now_ns)
{
    struct side *sides = calloc(2, sizeof(*sides));
    struct side *client = &sides[0], *server = &sides[1];

    client->session = sl_tls_session_new(client_tls, "leaf1", &client->output);
    server->session = sl_tls_session_new(server_tls, NULL, &server->output);
    sl_tls_session_resume(client->session, "leaf1:57400");
    for (size_t i = 0; i < 4; i++) {
        pass(client, server, now_ns);
        pass(server, client, now_ns);
    }
    assert_true(client->is_done && server->is_done);
    bool is_again = sl_tls_session_is_resumed(server->session);
    sl_tls_session_free(client->session);
    sl_tls_session_free(server->session);
    free(sides);
    return is_again;
}

static void keys_of_tickets_change_and_the_last_one_still_opens(void **state)
{
    const int64_t period_ns = SL_TLS_TICKET_KEY_S * SL_NS_PER_S;
    struct sl_tls *client_tls = make_client(NULL, false), *server_tls = make_server(NULL, "leaf");

    (void)state;
    assert_false(resumes_at(client_tls, server_tls, 0));
    assert_true(resumes_at(client_tls, server_tls, period_ns - 1));
    assert_true(resumes_at(client_tls, server_tls, period_ns)); /* sealed with the first key */
    assert_true(resumes_at(client_tls, server_tls, 3 * period_ns - 1)); /* with the second */
    assert_false(resumes_at(client_tls, server_tls, 5 * period_ns));    /* it is forgotten by now */
    assert_true(resumes_at(client_tls, server_tls, 5 * period_ns));
    assert_false(resumes_at(client_tls, server_tls, 50 * period_ns));
    sl_tls_release(client_tls);
    sl_tls_release(server_tls);
}

/* ---- by several threads ---- */

struct shared {
    struct sl_tls *client_tls, *server_tls;
    atomic_uint resumed;
};

static void *come_back(void *arg)
{
    struct shared *shared = arg;

    for (int64_t i = 0; i < 20; i++) { /* time passes, and with it the keys of tickets */
        bool is_again = resumes_at(shared->client_tls, shared->server_tls,
                                   i * SL_TLS_TICKET_KEY_S * SL_NS_PER_S / 3);
        atomic_fetch_add(&shared->resumed, is_again);
    }
    return NULL;
}

static void threads_share_sessions_and_keys(void **state)
{
    struct shared shared = {make_client(NULL, false), make_server(NULL, "leaf"), 0};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_back, &shared), 0);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(atomic_load(&shared.resumed) > 0);
    sl_tls_release(shared.client_tls);
    sl_tls_release(shared.server_tls);
}

static void a_client_keeps_only_so_many_sessions(void **state)
{
    struct sl_tls *client_tls = make_client(NULL, false), *server_tls = make_server(NULL, "leaf");
    struct sl_tls_resume *resume = sl_tls_resume_new();

    (void)state;
    assert_false(resumes_at(client_tls, server_tls, 0));
    SSL_SESSION *session = sl_tls_resume_take(client_tls->resume, "leaf1 leaf1:57400");
    assert_non_null(session);
    assert_null(sl_tls_resume_take(client_tls->resume, "leaf1 leaf1:57400"));
    for (int i = 0; i < SL_TLS_MAX_SESSIONS + 10; i++) {
        char key[40];
        snprintf(key, sizeof(key), "leaf%d", i);
        SSL_SESSION_up_ref(session);
        sl_tls_resume_put(resume, key, session);
        SSL_SESSION_up_ref(session); /* again: the newest counts, and is one */
        sl_tls_resume_put(resume, key, session);
    }
    assert_null(sl_tls_resume_take(resume, "leaf0"));
    assert_null(sl_tls_resume_take(resume, "leaf9"));
    SSL_SESSION *kept = sl_tls_resume_take(resume, "leaf10");
    assert_ptr_equal(kept, session);
    SSL_SESSION_free(kept);

    SSL_SESSION_up_ref(session);
    SSL_SESSION_set_time(session, SSL_SESSION_get_time(session) - SL_TLS_SESSION_S);
    sl_tls_resume_put(resume, "leaf10", session);
    assert_null(sl_tls_resume_take(resume, "leaf10")); /* it is old */
    SSL_SESSION_free(session);
    sl_tls_resume_free(resume);
    sl_tls_release(client_tls);
    sl_tls_release(server_tls);
}

/* ---- versions and ciphers ---- */

struct agreement {
    struct sl_tls_options client, server;
    int max_version;              /* of the client */
    const char *reason;           /* why the dial fails; NULL: it stands */
    const char *reason_of_server; /* NULL: none is asked for */
};

static const struct agreement agreements[] = {
    {.max_version = TLS1_2_VERSION},
    {.max_version = TLS1_3_VERSION, .server.min_version = "1.3"},
    {.max_version = TLS1_2_VERSION,
     .server.min_version = "1.3",
     .reason = "tls-alert",
     .reason_of_server = "tls-version"},
    {.max_version = TLS1_2_VERSION,
     .client.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384",
     .server.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"},
    {.max_version = TLS1_2_VERSION,
     .client.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384",
     .server.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256",
     .reason = "tls-alert",
     .reason_of_server = "tls-ciphers"},
    {.max_version = TLS1_3_VERSION,
     .client.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256",
     .server.ciphersuites = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"},
    {.max_version = TLS1_3_VERSION,
     .client.min_version = "1.3",
     .client.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256",
     .server.ciphersuites = "TLS_AES_128_GCM_SHA256",
     .reason = "tls-alert",
     .reason_of_server = "tls-ciphers"},
};

static void versions_and_ciphers_are_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(agreements); i++) {
        struct sl_tls_options client = agreements[i].client, server = agreements[i].server;
        struct end end;

        client.ca = "ca.pem";
        server.cert = "leaf.pem";
        server.key = "leaf.key";
        open_world_with(&world, make(SL_TLS_SERVER, &server));
        world.tls = make(SL_TLS_CLIENT, &client);
        SSL_CTX_set_max_proto_version(world.tls->context, agreements[i].max_version);
        if (!agreements[i].reason) {
            stand(&end, "127.0.0.1");
            close_end(&end);
        } else {
            expect_failure(agreements[i].reason);
            while (!world.refused) {
                run_for(&world, 1);
            }
            assert_string_equal(sl_status_reason(&world.refused_why),
                                agreements[i].reason_of_server);
        }
        close_world(&world);
    }
}

struct fault {
    struct sl_tls_options options;
    enum sl_tls_part part;
    const char *words;
};

static const struct fault faults[] = {
    {{.min_version = "1.1"}, SL_TLS_MIN_VERSION, "the lowest version of TLS is 1.2 or 1.3, not"},
    {{.min_version = "TLS1.3"}, SL_TLS_MIN_VERSION, "the lowest version of TLS is 1.2 or 1.3"},
    {{.ciphers = "ECDHE-RSA-AES128-GCM-SHA256:AES999"}, SL_TLS_CIPHERS, "AES999"},
    {{.ciphers = "aNULL"}, SL_TLS_CIPHERS, "no cipher of TLS 1.2 is left of"},
    {{.ciphers = "eNULL:ADH"}, SL_TLS_CIPHERS, "no cipher of TLS 1.2 is left of"},
    {{.ciphers = ":"}, SL_TLS_CIPHERS, "no cipher of TLS 1.2 is left of"},
    {{.ciphers = "TLS_AES_128_GCM_SHA256"},
     SL_TLS_CIPHERS,
     "a suite of TLS 1.3 goes into the ciphersuites"},
    {{.ciphers = "HIGH", .min_version = "1.3"}, SL_TLS_CIPHERS, "the ciphers are of TLS 1.2"},
    {{.ciphersuites = "TLS_AES_128_GCM_SHA265"},
     SL_TLS_CIPHERSUITES,
     "TLS 1.3 has no such cipher suite (but TLS_AES_128_GCM_SHA256)"},
    {{.ciphersuites = "TLS_AES_128_GCM_SHA256:HIGH"},
     SL_TLS_CIPHERSUITES,
     "TLS 1.3 has no such cipher suite"},
    {{.ciphersuites = ":"}, SL_TLS_CIPHERSUITES, "OpenSSL does not take the cipher suites"},
};

static void what_is_wrong_with_a_version_or_a_cipher_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(faults); i++) {
        enum sl_tls_part part;
        struct sl_status why;

        assert_null(sl_tls_new(SL_TLS_CLIENT, &faults[i].options, &why, &part));
        if (part != faults[i].part || !strstr(why.text, faults[i].words)) {
            fail_msg("%d: %s\nand not %s", (int)part, why.text, faults[i].words);
        }
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
        assert_int_equal(ERR_peek_error(), 0);
    }
    sl_tls_release(make(
        SL_TLS_CLIENT,
        &(struct sl_tls_options){.ca = "ca.pem", .ciphers = "HIGH:!RC4:!aNULL:+AES256:@STRENGTH"}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verified_peer_has_an_identity),
        cmocka_unit_test(tls_works_over_a_unix_socket),
        cmocka_unit_test(new_certificates_are_for_connections_to_come),
        cmocka_unit_test(sessions_are_resumed_again_and_again),
        cmocka_unit_test(a_server_that_demands_certificates_resumes_nothing),
        cmocka_unit_test(who_is_known_from_an_old_session_still_has_a_name),
        cmocka_unit_test(tickets_of_other_certificates_are_worth_nothing),
        cmocka_unit_test(keys_of_tickets_change_and_the_last_one_still_opens),
        cmocka_unit_test(threads_share_sessions_and_keys),
        cmocka_unit_test(a_client_keeps_only_so_many_sessions),
        cmocka_unit_test(versions_and_ciphers_are_what_was_asked_for),
        cmocka_unit_test(what_is_wrong_with_a_version_or_a_cipher_is_told),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
