#include "net/tls_session.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_internal.h"

struct sl_tls_session {
    struct sl_tls *tls; /* held */
    SSL *ssl;
    struct sl_tls_output *output;
    const uint8_t *input; /* what was fed and is not used up */
    size_t input_len;
    uint64_t heard_bytes;   /* fed before the handshake was done */
    int64_t now_ns;         /* of what was fed last */
    int64_t minute_from_ns; /* messages are counted from here */
    unsigned messages;
    bool is_done; /* the handshake */
    bool has_failed;
    char *identity; /* NULL: none, or nobody asked yet */
    struct sl_status why;
    char *name;       /* that was asked for, without a zone or the root's dot; a client's */
    char *resume_key; /* NULL: nothing is kept */
};

/* ---- the BIO below OpenSSL ---- */

static int bio_read(BIO *bio, char *bytes, size_t room, size_t *len)
{
    struct sl_tls_session *session = BIO_get_data(bio);
    size_t count = sl_min_size(room, session->input_len);

    BIO_clear_retry_flags(bio);
    *len = count;
    if (count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(bytes, session->input, count);
    session->input += count;
    session->input_len -= count;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *taken)
{
    struct sl_tls_session *session = BIO_get_data(bio);
    struct sl_tls_output *output = session->output;
    size_t count = sl_min_size(len, sizeof(output->bytes) - output->len);

    BIO_clear_retry_flags(bio);
    *taken = count;
    if (count == 0) {
        BIO_set_retry_write(bio);
        return 0;
    }
    memcpy(output->bytes + output->len, bytes, count);
    output->len += count;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
    (void)bio;
    (void)number;
    (void)arg;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *sl_tls_bio_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sluice");

    if (method && (BIO_meth_set_read_ex(method, bio_read) != 1 ||
                   BIO_meth_set_write_ex(method, bio_write) != 1 ||
                   BIO_meth_set_ctrl(method, bio_ctrl) != 1)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* ---- what happens within OpenSSL ---- */

static void fail(struct sl_tls_session *session, const struct sl_status *why)
{
    if (!session->has_failed) {
        session->has_failed = true;
        session->why = *why;
    }
}

static int on_verify(X509_STORE_CTX *chain, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sl_tls_session *session = SSL_get_app_data(ssl);
    int is_good = X509_verify_cert(chain);

    (void)arg;
    if (is_good <= 0) {
        struct sl_status why = sl_tls_certificate_error(chain, session->name);
        fail(session, &why);
    }
    return is_good;
}

static int skip_verify(X509_STORE_CTX *chain, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

/* Counts the peer's messages of the handshake protocol once the handshake is done. */
static void on_message(int is_ours, int version, int type, const void *bytes, size_t len, SSL *ssl,
                       void *arg)
{
    struct sl_tls_session *session = SSL_get_app_data(ssl);

    (void)version;
    (void)bytes;
    (void)len;
    (void)arg;
    if (!is_ours && type == SSL3_RT_HANDSHAKE && session->is_done) {
        session->messages++;
    }
}

void sl_tls_watch_sessions(SSL_CTX *context, bool is_skipping)
{
    SSL_CTX_set_cert_verify_callback(context, is_skipping ? skip_verify : on_verify, NULL);
    SSL_CTX_set_msg_callback(context, on_message);
}

/* ---- life ---- */

static bool is_ip(const char *name)
{
    struct in6_addr ignored;

    return inet_pton(AF_INET, name, &ignored) == 1 || inet_pton(AF_INET6, name, &ignored) == 1;
}

/* "fe80::1%eth0" is "fe80::1" to others, "leaf1." is "leaf1". */
static bool take_name(struct sl_tls_session *session, const char *name)
{
    size_t len = strcspn(name, "%");

    if (len > 0 && name[len - 1] == '.') {
        len--;
    }
    session->name = sl_str_dup((struct sl_str){name, len});
    return session->name != NULL;
}

static bool expect_name(struct sl_tls_session *session)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);
    char *name = session->name; /* OpenSSL's macro for SNI casts const away */

    if (is_ip(name)) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(session->ssl, name) == 1;
}

/* False when memory is out. */
static bool init(struct sl_tls_session *session, const char *name)
{
    session->ssl = SSL_new(session->tls->context);
    BIO *bio = session->ssl ? BIO_new(session->tls->bio) : NULL;
    if (!bio) {
        return false;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    if (SSL_set_app_data(session->ssl, session) != 1) {
        return false;
    }
    if (session->tls->role == SL_TLS_SERVER) {
        SSL_set_accept_state(session->ssl);
        return true;
    }
    SSL_set_connect_state(session->ssl);
    return take_name(session, name) && expect_name(session);
}

struct sl_tls_session *sl_tls_session_new(struct sl_tls *tls, const char *name,
                                          struct sl_tls_output *output)
{
    struct sl_tls_session *session = calloc(1, sizeof(*session));

    if (!session) {
        return NULL;
    }
    sl_tls_hold(tls);
    session->tls = tls;
    session->output = output;
    session->why = sl_status_ok();
    ERR_clear_error();
    if (!init(session, name)) {
        ERR_clear_error();
        sl_tls_session_free(session);
        return NULL;
    }
    return session;
}

void sl_tls_session_free(struct sl_tls_session *session)
{
    if (session) {
        if (session->is_done && !session->has_failed) {
            /* Else OpenSSL takes a connection that just broke for a reason not to resume. */
            SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        }
        SSL_free(session->ssl);
        sl_tls_release(session->tls);
        free(session->identity);
        free(session->name);
        free(session->resume_key);
        free(session);
    }
}

void sl_tls_session_feed(struct sl_tls_session *session, const uint8_t *bytes, size_t len,
                         int64_t now_ns)
{
    SL_ASSERT(session->input_len == 0);
    session->input = bytes;
    session->input_len = len;
    session->now_ns = now_ns;
    if (!session->is_done) {
        session->heard_bytes += len;
    }
    if (now_ns - session->minute_from_ns >= 60 * SL_NS_PER_S) {
        session->minute_from_ns = now_ns;
        session->messages = 0;
    }
}

/* ---- resumption ---- */

struct sl_tls_resume *sl_tls_resume_of(const SSL *ssl, int64_t *now_ns)
{
    const struct sl_tls_session *session = SSL_get_app_data(ssl);

    *now_ns = session->now_ns;
    return session->tls->resume;
}

int sl_tls_on_new_session(SSL *ssl, SSL_SESSION *new_session)
{
    const struct sl_tls_session *session = SSL_get_app_data(ssl);

    if (!session->resume_key) {
        return 0;
    }
    sl_tls_resume_put(session->tls->resume, session->resume_key, new_session);
    return 1; /* taken */
}

void sl_tls_session_resume(struct sl_tls_session *session, const char *place)
{
    SSL_SESSION *old;

    SL_ASSERT(session->tls->role == SL_TLS_CLIENT && !session->resume_key);
    if (asprintf(&session->resume_key, "%s %s", session->name, place) < 0) {
        session->resume_key = NULL; /* then nothing is resumed */
        return;
    }
    old = sl_tls_resume_take(session->tls->resume, session->resume_key);
    if (old) {
        SSL_set_session(session->ssl, old);
        SSL_SESSION_free(old);
        ERR_clear_error();
    }
}

bool sl_tls_session_is_resumed(const struct sl_tls_session *session)
{
    return SSL_session_reused(session->ssl) == 1;
}

/* TLS 1.2 resumes without giving a new ticket; that of TLS 1.3 is used up, and new ones follow. */
static void keep_resumed(struct sl_tls_session *session)
{
    if (session->resume_key && SSL_session_reused(session->ssl) &&
        SSL_version(session->ssl) == TLS1_2_VERSION) {
        sl_tls_resume_put(session->tls->resume, session->resume_key,
                          SSL_get1_session(session->ssl));
    }
}

/* ---- work ---- */

static enum sl_tls_step give_up(struct sl_tls_session *session, const struct sl_status *why)
{
    fail(session, why);
    session->input_len = 0;
    return SL_TLS_FAILED;
}

static enum sl_tls_step give_up_because(struct sl_tls_session *session, const char *reason,
                                        const char *text)
{
    struct sl_status why = sl_status_because(reason, sl_status_error(SL_UNAVAILABLE, "%s", text));

    return give_up(session, &why);
}

/* What a call that did not succeed means. */
static enum sl_tls_step judge(struct sl_tls_session *session, int result)
{
    struct sl_status why;

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return SL_TLS_WANTS_INPUT;
    case SSL_ERROR_WANT_WRITE:
        return SL_TLS_WANTS_OUTPUT;
    case SSL_ERROR_ZERO_RETURN:
        session->input_len = 0;
        return SL_TLS_ENDED;
    default:
        why = sl_tls_protocol_error();
        return give_up(session, &why);
    }
}

/* The first record of a peer is of type 22 (handshake) or 21 (alert) and of a version 3.x. */
static bool looks_like_tls(const struct sl_tls_session *session)
{
    const uint8_t *first = session->input;

    if (session->heard_bytes != session->input_len || session->input_len == 0) {
        return true; /* not the first bytes, or none */
    }
    return (first[0] == SSL3_RT_HANDSHAKE || first[0] == SSL3_RT_ALERT) &&
           (session->input_len < 2 || first[1] == SSL3_VERSION_MAJOR);
}

/* A server that selects nothing is not refused by OpenSSL. */
static enum sl_tls_step check_alpn(struct sl_tls_session *session)
{
    const unsigned char *chosen;
    unsigned len;
    struct sl_status why;

    if (session->tls->is_http1) {
        return SL_TLS_DONE; /* nothing, or what on_alpn selected */
    }
    SSL_get0_alpn_selected(session->ssl, &chosen, &len);
    if (len == 2 && memcmp(chosen, "h2", 2) == 0) {
        return SL_TLS_DONE;
    }
    if (len == 0) {
        return give_up_because(session, "tls-alpn",
                               "the peer selects no protocol (ALPN): HTTP/2 wants h2");
    }
    why = sl_status_quote(SL_UNAVAILABLE, "HTTP/2 wants h2, the peer selects (ALPN)",
                          (struct sl_str){(const char *)chosen, len});
    why = sl_status_because("tls-alpn", why);
    return give_up(session, &why);
}

enum sl_tls_step sl_tls_session_handshake(struct sl_tls_session *session)
{
    int result;

    if (session->has_failed) {
        return SL_TLS_FAILED;
    }
    if (session->tls->role == SL_TLS_CLIENT && !looks_like_tls(session)) {
        return give_up_because(session, "tls-not-tls",
                               "the peer does not speak TLS: is it plaintext ('insecure: true')?");
    }
    if (session->heard_bytes > SL_TLS_MAX_HANDSHAKE_BYTES) {
        return give_up_because(session, "tls-protocol", "the peer's handshake is too long");
    }
    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    if (result != 1) {
        return judge(session, result);
    }
    session->is_done = true;
    keep_resumed(session);
    return check_alpn(session);
}

/* One call of SSL_read may stop after a message that was not data. */
static enum sl_tls_step read_some(struct sl_tls_session *session, uint8_t *bytes, size_t room,
                                  size_t *len)
{
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, bytes, room, len);
    if (result == 1) {
        return SL_TLS_DONE;
    }
    *len = 0;
    enum sl_tls_step step = judge(session, result);
    if (session->messages > SL_TLS_MAX_MESSAGES_PER_MINUTE) {
        return give_up_because(session, "tls-flood", "the peer floods with TLS messages");
    }
    return step == SL_TLS_WANTS_INPUT && session->input_len > 0 ? SL_TLS_DONE : step;
}

enum sl_tls_step sl_tls_session_read(struct sl_tls_session *session, uint8_t *bytes, size_t room,
                                     size_t *len)
{
    enum sl_tls_step step = SL_TLS_DONE;

    *len = 0;
    while (step == SL_TLS_DONE && *len < room) {
        size_t more;
        step = session->has_failed ? SL_TLS_FAILED
                                   : read_some(session, bytes + *len, room - *len, &more);
        *len += step == SL_TLS_DONE ? more : 0;
    }
    return step;
}

/* A record is not begun before there is room for it. */
enum sl_tls_step sl_tls_session_write(struct sl_tls_session *session, const uint8_t *bytes,
                                      size_t len, size_t *taken)
{
    *taken = 0;
    while (*taken < len) {
        size_t count = sl_min_size(len - *taken, SL_TLS_RECORD_BYTES);
        size_t more;

        if (session->has_failed) {
            return SL_TLS_FAILED;
        }
        if (sizeof(session->output->bytes) - session->output->len < SL_TLS_RECORD_ROOM) {
            return SL_TLS_WANTS_OUTPUT;
        }
        ERR_clear_error();
        int result = SSL_write_ex(session->ssl, bytes + *taken, count, &more);
        if (result != 1) {
            enum sl_tls_step step = judge(session, result);
            return step == SL_TLS_WANTS_INPUT
                       ? give_up_because(session, "tls-protocol", "a write waits for the peer")
                       : step;
        }
        *taken += more;
    }
    return SL_TLS_DONE;
}

void sl_tls_session_end(struct sl_tls_session *session)
{
    if (session->is_done && !session->has_failed) {
        ERR_clear_error();
        SSL_shutdown(session->ssl);
        ERR_clear_error();
    }
}

bool sl_tls_session_has_heard(const struct sl_tls_session *session)
{
    return session->heard_bytes > 0;
}

const char *sl_tls_session_identity(struct sl_tls_session *session)
{
    const X509 *certificate = SSL_get0_peer_certificate(session->ssl);

    if (!session->identity && session->tls->verifies && session->is_done && certificate &&
        SSL_get_verify_result(session->ssl) == X509_V_OK) {
        session->identity = sl_tls_identity(certificate);
    }
    return session->identity;
}

const struct sl_status *sl_tls_session_why(const struct sl_tls_session *session)
{
    return &session->why;
}
