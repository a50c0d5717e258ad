/* Sessions, bytes in and bytes out, against OpenSSL itself as the peer and against each other. */
#include "test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "net/tls_session.h"

enum { WIRE_BYTES = 1024 * 1024, PATTERN = 251 };

/* What is under way to one side. */
struct wire {
    size_t at; /* `len` bytes from here on */
    size_t len;
    uint8_t bytes[WIRE_BYTES];
};

struct side {
    struct sl_tls_session *session; /* ours, or */
    SSL *ssl;                       /* a peer that is not ours, with its context */
    SSL_CTX *context;
    struct sl_tls_output output;
    struct wire in;
    bool is_done;
    bool has_failed;
};

static struct side client, server;
static size_t chunk; /* of what is fed at once */

/* ---- making both sides ---- */

static struct sl_tls *make_tls(enum sl_tls_role role, const char *ca, const char *name,
                               bool skip_verify)
{
    char cert[64] = "", key[64] = "";
    struct sl_status why;
    enum sl_tls_part part;

    if (name) {
        snprintf(cert, sizeof(cert), "%s.pem", name);
        snprintf(key, sizeof(key), "%s.key", name);
    }
    const struct sl_tls_options options = {
        .ca = ca, .cert = cert, .key = key, .skip_verify = skip_verify};
    struct sl_tls *tls = sl_tls_new(role, &options, &why, &part);
    assert_string_equal(why.text, "");
    assert_non_null(tls);
    return tls;
}

static void open_side(struct side *side, struct sl_tls *tls, const char *name)
{
    memset(side, 0, sizeof(*side));
    side->session = sl_tls_session_new(tls, name, &side->output);
    assert_non_null(side->session);
    sl_tls_release(tls);
}

static void open_client(const char *ca, const char *cert, const char *name)
{
    open_side(&client, make_tls(SL_TLS_CLIENT, ca, cert, false), name);
}

static void open_server(const char *ca, const char *cert)
{
    open_side(&server, make_tls(SL_TLS_SERVER, ca, cert, false), NULL);
}

static void open_foreign_server(const char *protocols, size_t len, int max_version)
{
    memset(&server, 0, sizeof(server));
    server.context = SSL_CTX_new(TLS_method());
    SSL_CTX_set_cipher_list(server.context, "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(server.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server.context, max_version);
    SSL_CTX_use_certificate_file(server.context, "leaf.pem", SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(server.context, "leaf.key", SSL_FILETYPE_PEM);
    server.ssl = SSL_new(server.context);
    SSL_set_bio(server.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server.ssl);
    SSL_CTX_set_alpn_protos(server.context, (const unsigned char *)protocols, (unsigned)len);
}

static void open_foreign_client(int min_version, int max_version)
{
    memset(&client, 0, sizeof(client));
    client.context = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(client.context, min_version);
    SSL_CTX_set_max_proto_version(client.context, max_version);
    client.ssl = SSL_new(client.context);
    SSL_set_bio(client.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.ssl);
}

static void close_side(struct side *side)
{
    sl_tls_session_free(side->session);
    SSL_free(side->ssl);
    SSL_CTX_free(side->context);
    side->session = NULL;
    side->ssl = NULL;
    side->context = NULL;
    ERR_clear_error();
}

static void close_both(void)
{
    close_side(&client);
    close_side(&server);
}

/* ---- moving bytes ---- */

static void put(struct wire *wire, const void *bytes, size_t len)
{
    if (wire->len == 0) {
        wire->at = 0;
    }
    assert_true(wire->at + wire->len + len <= WIRE_BYTES);
    memcpy(wire->bytes + wire->at + wire->len, bytes, len);
    wire->len += len;
}

static void empty_output(struct side *from, struct side *to)
{
    if (from->session) {
        put(&to->in, from->output.bytes, from->output.len);
        from->output.len = 0;
        return;
    }
    char bytes[4096];
    int len;
    while ((len = BIO_read(SSL_get_wbio(from->ssl), bytes, sizeof(bytes))) > 0) {
        put(&to->in, bytes, (size_t)len);
    }
}

static size_t take_in(struct side *side, const uint8_t **bytes)
{
    static uint8_t copy[WIRE_BYTES];
    size_t len = sl_min_size(side->in.len, chunk);

    memcpy(copy, side->in.bytes + side->in.at, len);
    side->in.at += len;
    side->in.len -= len;
    *bytes = copy;
    return len;
}

static void shake_foreign(struct side *side)
{
    const uint8_t *bytes;
    size_t len = take_in(side, &bytes);

    if (len > 0) {
        assert_int_equal(BIO_write(SSL_get_rbio(side->ssl), bytes, (int)len), len);
    }
    ERR_clear_error();
    int result = SSL_do_handshake(side->ssl);
    side->is_done = result == 1;
    side->has_failed = result != 1 && SSL_get_error(side->ssl, result) != SSL_ERROR_WANT_READ;
}

static void shake(struct side *side, struct side *other)
{
    enum sl_tls_step step;

    if (side->is_done || side->has_failed) {
        return;
    }
    if (side->ssl) {
        shake_foreign(side);
    } else {
        const uint8_t *bytes;
        size_t len = take_in(side, &bytes);
        sl_tls_session_feed(side->session, bytes, len, 0);
        do {
            step = sl_tls_session_handshake(side->session);
            empty_output(side, other);
        } while (step == SL_TLS_WANTS_OUTPUT);
        side->is_done = step == SL_TLS_DONE;
        side->has_failed = step == SL_TLS_FAILED;
    }
    empty_output(side, other);
}

/* Until both are done, or one has failed and all that it said was heard. */
static void shake_hands(void)
{
    do {
        shake(&client, &server);
        shake(&server, &client);
    } while (!(client.is_done && server.is_done) &&
             ((client.in.len > 0 && !client.has_failed && !client.is_done) ||
              (server.in.len > 0 && !server.has_failed && !server.is_done)));
}

/* All that is on the wire to `side`, decrypted; the step that stopped it. */
static enum sl_tls_step read_all(struct side *side, struct side *other, uint8_t *room, size_t size,
                                 size_t *len)
{
    enum sl_tls_step step = SL_TLS_WANTS_INPUT;

    *len = 0;
    while (side->in.len > 0 && step == SL_TLS_WANTS_INPUT) {
        const uint8_t *bytes;
        size_t count = take_in(side, &bytes);
        size_t more;

        sl_tls_session_feed(side->session, bytes, count, 0);
        step = sl_tls_session_read(side->session, room + *len, size - *len, &more);
        empty_output(side, other);
        *len += more;
    }
    return step;
}

static void expect_why(const struct side *side, const char *reason, const char *words)
{
    const struct sl_status *why = sl_tls_session_why(side->session);

    assert_true(side->has_failed);
    if (strcmp(sl_status_reason(why), reason) != 0 || !strstr(why->text, words)) {
        fail_msg("%s: %s\nand not %s: %s", sl_status_reason(why), why->text, reason, words);
    }
}

/* ---- tests ---- */

static void pass_pattern(struct side *from, struct side *to, size_t len)
{
    static uint8_t sent[WIRE_BYTES], got[WIRE_BYTES];
    size_t taken, at = 0, got_len;
    enum sl_tls_step step;

    for (size_t i = 0; i < len; i++) {
        sent[i] = (uint8_t)(i % PATTERN);
    }
    do {
        step = sl_tls_session_write(from->session, sent + at, len - at, &taken);
        at += taken;
        empty_output(from, to);
    } while (step == SL_TLS_WANTS_OUTPUT);
    assert_int_equal(step, SL_TLS_DONE);
    assert_int_equal(at, len);
    assert_int_equal(read_all(to, from, got, sizeof(got), &got_len), SL_TLS_WANTS_INPUT);
    assert_int_equal(got_len, len);
    assert_memory_equal(sent, got, len);
}

static void bytes_pass_however_they_are_cut(void **state)
{
    static const size_t chunks[] = {1, 2, 5, 1000, 16389, WIRE_BYTES};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(chunks); i++) {
        chunk = chunks[i];
        open_client("ca.pem", "client", "leaf1");
        open_server("ca.pem", "leaf");
        shake_hands();
        assert_true(client.is_done && server.is_done);
        pass_pattern(&client, &server, 1);
        pass_pattern(&server, &client, 100000);
        pass_pattern(&client, &server, 300000);
        close_both();
    }
}

static void a_goodbye_is_heard(void **state)
{
    uint8_t room[100];
    size_t len;

    (void)state;
    chunk = WIRE_BYTES;
    open_client("ca.pem", NULL, "leaf1");
    open_server(NULL, "leaf");
    shake_hands();
    sl_tls_session_end(client.session);
    empty_output(&client, &server);
    assert_true(server.in.len > 0);
    assert_int_equal(read_all(&server, &client, room, sizeof(room), &len), SL_TLS_ENDED);
    assert_int_equal(len, 0);
    close_both();
}

struct check {
    const char *ca;   /* the client's */
    const char *name; /* that it asks for */
    const char *cert; /* the server's */
    const char *reason;
    const char *words;
};

static const struct check checks[] = {
    {"ca.pem", "leaf1", "leaf", NULL, NULL},
    {"ca.pem", "leaf1.", "leaf", NULL, NULL},
    {"ca.pem", "LEAF1", "leaf", NULL, NULL},
    {"ca.pem", "any.net.example", "leaf", NULL, NULL},
    {"ca.pem", "127.0.0.1", "leaf", NULL, NULL},
    {"ca.pem", "::1", "leaf", NULL, NULL},
    {"ca.pem", "0:0:0:0:0:0:0:1", "leaf", NULL, NULL},
    {"ca.pem", "::1%lo", "leaf", NULL, NULL},
    {"leaf.pem", "leaf1", "leaf", NULL, NULL}, /* trusted itself */
    {"own.pem", "leaf1", "own", NULL, NULL},
    {"ca.pem", "leaf2", "leaf", "tls-name-mismatch", "not for 'leaf2' (tls.server-name) but for"},
    {"ca.pem", "a.b.net.example", "leaf", "tls-name-mismatch", "leaf1 *.net.example 127.0.0.1"},
    {"ca.pem", "127.0.0.2", "leaf", "tls-name-mismatch", "not for '127.0.0.2'"},
    {"ca.pem", "::2", "leaf", "tls-name-mismatch", "not for '::2'"},
    {"ca.pem", "leaf1", "client", "tls-name-mismatch", "no name at all"},
    {"ca.pem", "leaf1", "old", "tls-certificate-expired", "the certificate expired on 20"},
    {"ca.pem", "leaf1", "young", "tls-certificate-not-yet-valid", "is valid from 20"},
    {"ca.pem", "leaf1", "own", "tls-self-signed", "self-signed"},
    {"ca.pem", "leaf1", "foreign", "tls-unknown-issuer", "(tls.ca): /CN=other-ca"},
    {NULL, "leaf1", "foreign", "tls-unknown-issuer", "/CN=other-ca"},
};

static void a_client_verifies_certificate_and_name(void **state)
{
    (void)state;
    chunk = WIRE_BYTES;
    for (size_t i = 0; i < SL_ARRAY_LEN(checks); i++) {
        const struct check *check = &checks[i];

        open_client(check->ca, NULL, check->name);
        open_server(NULL, check->cert);
        shake_hands();
        if (check->reason) {
            expect_why(&client, check->reason, check->words);
            assert_true(server.has_failed);
            expect_why(&server, "tls-alert", "the peer refuses with alert");
        } else {
            assert_string_equal(sl_tls_session_why(client.session)->text, "");
            assert_true(client.is_done && server.is_done);
        }
        close_both();
    }
}

static void without_verifying_everybody_is_taken(void **state)
{
    static const char *const certificates[] = {"leaf", "old", "young", "own", "foreign"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(certificates); i++) {
        open_side(&client, make_tls(SL_TLS_CLIENT, NULL, NULL, true), "leaf2");
        open_server(NULL, certificates[i]);
        shake_hands();
        assert_true(client.is_done && server.is_done);
        close_both();
    }
}

/* With TLS 1.3 the client is done before the server looks at its certificate. */
static void a_server_demands_certificates_of_its_clients(void **state)
{
    static const char *const certificates[] = {NULL, "foreign", "old"};
    static const char *const alerts[] = {"alert 116, certificate required (a client certificate",
                                         "alert 48, unknown ca", "alert 45, certificate expired"};
    static const char *const reasons[] = {"tls-certificate-missing", "tls-unknown-issuer",
                                          "tls-certificate-expired"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(certificates); i++) {
        uint8_t room[100];
        size_t len;

        open_client("ca.pem", certificates[i], "leaf1");
        open_server("ca.pem", "leaf");
        shake_hands();
        assert_true(client.is_done);
        expect_why(&server, reasons[i], "certificate");
        assert_int_equal(read_all(&client, &server, room, sizeof(room), &len), SL_TLS_FAILED);
        client.has_failed = true;
        expect_why(&client, "tls-alert", alerts[i]);
        close_both();
    }
}

static int select_as_told(SSL *ssl, const unsigned char **chosen, unsigned char *len,
                          const unsigned char *offered, unsigned offered_len, void *arg)
{
    const char *protocol = arg;

    (void)ssl;
    (void)offered;
    (void)offered_len;
    if (!protocol) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = (const unsigned char *)protocol;
    *len = (unsigned char)strlen(protocol);
    return SSL_TLSEXT_ERR_OK;
}

static void http2_is_demanded_of_a_server(void **state)
{
    static char http1[] = "http/1.1", h2[] = "h2";
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(versions); i++) {
        open_client("ca.pem", NULL, "leaf1");
        open_foreign_server(NULL, 0, versions[i]);
        shake_hands();
        expect_why(&client, "tls-alpn", "selects no protocol (ALPN)");
        close_both();

        open_client("ca.pem", NULL, "leaf1");
        open_foreign_server(NULL, 0, versions[i]);
        SSL_CTX_set_alpn_select_cb(server.context, select_as_told, http1);
        shake_hands();
        expect_why(&client, "tls-alpn", "");
        close_both();

        open_client("ca.pem", NULL, "leaf1");
        open_foreign_server(NULL, 0, versions[i]);
        SSL_CTX_set_alpn_select_cb(server.context, select_as_told, NULL);
        shake_hands();
        expect_why(&client, "tls-alert", "alert 120, no application protocol (ALPN");
        close_both();

        open_client("ca.pem", NULL, "leaf1");
        open_foreign_server(NULL, 0, versions[i]);
        SSL_CTX_set_alpn_select_cb(server.context, select_as_told, h2);
        shake_hands();
        assert_true(client.is_done && server.is_done);
        close_both();
    }
}

static void http2_is_demanded_of_a_client(void **state)
{
    (void)state;
    open_foreign_client(TLS1_2_VERSION, TLS1_3_VERSION);
    open_server(NULL, "leaf");
    shake_hands();
    expect_why(&server, "tls-alpn", "ALPN");
    assert_true(client.has_failed);
    close_both();

    open_foreign_client(TLS1_2_VERSION, TLS1_3_VERSION);
    SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\x08http/1.1", 9);
    open_server(NULL, "leaf");
    shake_hands();
    expect_why(&server, "tls-alpn", "HTTP/2");
    assert_true(client.has_failed);
    close_both();
}

static void older_versions_are_refused(void **state)
{
    (void)state;
    open_client("ca.pem", NULL, "leaf1");
    open_foreign_server(NULL, 0, TLS1_1_VERSION);
    shake_hands();
    expect_why(&client, "tls-alert", "alert 70, protocol version (it must speak TLS 1.2 or later,");
    close_both();
}

/* A ServerHello of TLS 1.1, as a server answers that never heard of the extension. */
static void an_older_answer_is_refused(void **state)
{
    static const uint8_t hello[] = {22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, [43] = 0, 0, 47, 0};

    (void)state;
    open_client("ca.pem", NULL, "leaf1");
    memset(&server, 0, sizeof(server));
    shake(&client, &server);
    put(&client.in, hello, sizeof(hello));
    shake(&client, &server);
    expect_why(&client, "tls-version", "TLS 1.2 or later");
    close_both();
}

static const char *const no_tls[] = {
    "\0\0\6\4\0\0\0\0\0\0\4\0\1\0\0", /* HTTP/2's SETTINGS */
    "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x01garbage", "\x15",
};

static void what_is_not_tls_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(no_tls) - 1; i++) {
        open_client("ca.pem", NULL, "leaf1");
        memset(&server, 0, sizeof(server));
        shake(&client, &server);
        put(&client.in, no_tls[i], i == 0 ? 15 : strlen(no_tls[i]));
        shake(&client, &server);
        expect_why(&client, "tls-not-tls", "does not speak TLS: is it plaintext");
        close_both();
    }
}

/* Whatever comes, however it is cut: an end, no crash, and the same words. */
static void garbage_ends_a_session(void **state)
{
    uint8_t bytes[600];

    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        srand(seed);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)rand();
        }
        memcpy(bytes, (const uint8_t[]){22, 3, 3, 0, (uint8_t)(seed % 200)}, 5);
        chunk = seed % 2 ? 1 : WIRE_BYTES;
        open_client("ca.pem", NULL, "leaf1");
        memset(&server, 0, sizeof(server));
        shake(&client, &server);
        put(&client.in, bytes, sizeof(bytes));
        while (client.in.len > 0 && !client.has_failed) {
            shake(&client, &server);
        }
        assert_true(client.has_failed);
        assert_true(strlen(sl_tls_session_why(client.session)->text) > 0);
        assert_int_equal(sl_tls_session_handshake(client.session), SL_TLS_FAILED);
        close_both();
    }
    chunk = WIRE_BYTES;
}

/* Any byte of a peer's flight may be another one. */
static void a_flight_with_a_wrong_byte_ends_a_session(void **state)
{
    size_t flight = 1;

    (void)state;
    for (size_t at = 0; at < flight; at += 61) {
        open_client("ca.pem", NULL, "leaf1");
        open_server(NULL, "leaf");
        shake(&client, &server);
        shake(&server, &client);
        flight = client.in.len; /* a signature has more bytes or fewer, each time */
        client.in.bytes[client.in.at + sl_min_size(at, flight - 1)] ^= 0x41;
        shake(&client, &server);
        assert_false(client.is_done);
        close_both();
    }
    assert_true(flight > 500);
}

static void a_handshake_without_end_is_ended(void **state)
{
    static const uint8_t change[] = {20, 3, 3, 0, 1, 1};
    size_t fed = 0;

    (void)state;
    open_client("ca.pem", NULL, "leaf1");
    open_server(NULL, "leaf");
    shake(&client, &server);
    shake(&server, &client);
    client.in.len = 127 + 5; /* the ServerHello alone, or less */
    while (!client.has_failed) {
        for (size_t i = 0; i < 1000; i++) {
            put(&client.in, change, sizeof(change));
        }
        fed += client.in.len;
        assert_true(fed < 2 * SL_TLS_MAX_HANDSHAKE_BYTES);
        shake(&client, &server);
    }
    expect_why(&client, "tls-protocol", "");
    close_both();
}

static size_t key_updates(size_t count)
{
    uint8_t room[100];
    size_t len;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(client.ssl), 1);
    }
    empty_output(&client, &server);
    enum sl_tls_step step = read_all(&server, &client, room, sizeof(room), &len);
    server.has_failed = step == SL_TLS_FAILED;
    return len;
}

static void open_pair_with_foreign_client(void)
{
    open_foreign_client(TLS1_3_VERSION, TLS1_3_VERSION);
    SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\2h2", 3);
    open_server(NULL, "leaf");
    shake_hands();
    assert_true(client.is_done && server.is_done);
}

static void keys_may_change_but_not_without_end(void **state)
{
    (void)state;
    open_pair_with_foreign_client();
    key_updates(SL_TLS_MAX_MESSAGES_PER_MINUTE);
    assert_false(server.has_failed);
    assert_true(client.in.len < SL_TLS_MAX_MESSAGES_PER_MINUTE * 64); /* the answers */
    sl_tls_session_feed(server.session, NULL, 0, 61 * SL_NS_PER_S);
    key_updates(SL_TLS_MAX_MESSAGES_PER_MINUTE);
    assert_false(server.has_failed);
    key_updates(1);
    expect_why(&server, "tls-flood", "floods");
    close_both();
}

static void a_flood_of_keys_in_one_read_is_not_worked_off(void **state)
{
    (void)state;
    open_pair_with_foreign_client();
    key_updates(500);
    expect_why(&server, "tls-flood", "floods");
    close_both();
}

static void a_client_may_not_negotiate_again(void **state)
{
    uint8_t room[100];
    size_t len;

    (void)state;
    open_foreign_client(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\2h2", 3);
    open_server(NULL, "leaf");
    shake_hands();
    assert_true(client.is_done && server.is_done);
    assert_int_equal(SSL_renegotiate(client.ssl), 1);
    for (size_t i = 0; i < 10; i++) {
        shake_foreign(&client);
        assert_false(client.is_done);
        empty_output(&client, &server);
        if (server.in.len > 0) {
            assert_int_not_equal(read_all(&server, &client, room, sizeof(room), &len), SL_TLS_DONE);
        }
    }
    assert_true(SSL_renegotiate_pending(client.ssl));
    close_both();
}

static void a_certificate_may_come_in_many_pieces(void **state)
{
    (void)state;
    chunk = 1;
    open_client("ca.pem", NULL, "leaf1");
    open_foreign_server(NULL, 0, TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(server.context, select_as_told, (char[]){"h2"});
    SSL_set_max_send_fragment(server.ssl, 512);
    shake_hands();
    assert_true(client.is_done && server.is_done);
    chunk = WIRE_BYTES;
    close_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_however_they_are_cut),
        cmocka_unit_test(a_goodbye_is_heard),
        cmocka_unit_test(a_client_verifies_certificate_and_name),
        cmocka_unit_test(without_verifying_everybody_is_taken),
        cmocka_unit_test(a_server_demands_certificates_of_its_clients),
        cmocka_unit_test(http2_is_demanded_of_a_server),
        cmocka_unit_test(http2_is_demanded_of_a_client),
        cmocka_unit_test(older_versions_are_refused),
        cmocka_unit_test(an_older_answer_is_refused),
        cmocka_unit_test(what_is_not_tls_is_told),
        cmocka_unit_test(garbage_ends_a_session),
        cmocka_unit_test(a_flight_with_a_wrong_byte_ends_a_session),
        cmocka_unit_test(a_handshake_without_end_is_ended),
        cmocka_unit_test(keys_may_change_but_not_without_end),
        cmocka_unit_test(a_flood_of_keys_in_one_read_is_not_worked_off),
        cmocka_unit_test(a_client_may_not_negotiate_again),
        cmocka_unit_test(a_certificate_may_come_in_many_pieces),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
