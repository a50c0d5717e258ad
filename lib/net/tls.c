#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/tls_internal.h"

/* As ALPN writes them: the length first. */
static const unsigned char alpn_h2[] = {2, 'h', '2'};
static const unsigned char alpn_http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* What is being made, and what went wrong. */
struct maker {
    struct sl_tls *tls;
    SSL_CTX *context;
    const char *file; /* that is being read */
    enum sl_tls_part part;
    struct sl_status why;
};

static bool fail(struct maker *maker, const char *words)
{
    maker->why = sl_status_error(SL_INVALID_ARGUMENT, "%s: %s", maker->file, words);
    ERR_clear_error();
    return false;
}

static bool fail_openssl(struct maker *maker)
{
    return fail(maker, sl_tls_openssl_words());
}

/* ---- files ---- */

static bool read_from(struct maker *maker, int fd, struct sl_buf *bytes)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return fail(maker, "not a regular file");
    }
    if (stat.st_size > SL_TLS_MAX_FILE_BYTES) {
        return fail(maker, "larger than 4 MiB");
    }
    if (!sl_buf_reserve(bytes, (size_t)stat.st_size + 1)) {
        return fail(maker, "out of memory");
    }
    while (bytes->len < (size_t)stat.st_size) {
        ssize_t len = read(fd, bytes->data + bytes->len, (size_t)stat.st_size - bytes->len);
        if (len < 0) {
            return fail(maker, strerror(errno));
        }
        if (len == 0) {
            break;
        }
        bytes->len += (size_t)len;
    }
    return true;
}

/* The whole file as a BIO over `bytes`, which outlive it; NULL after an error. */
static BIO *open_file(struct maker *maker, struct sl_buf *bytes)
{
    int fd = open(maker->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        fail(maker, strerror(errno));
        return NULL;
    }
    bool is_read = read_from(maker, fd, bytes);
    close(fd);
    if (!is_read) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);
    if (!bio) {
        fail(maker, "out of memory");
    }
    return bio;
}

/* Calls `load` with the contents of `file`, and wipes them. */
static bool load_file(struct maker *maker, enum sl_tls_part part, const char *file,
                      bool (*load)(struct maker *maker, BIO *bio))
{
    struct sl_buf bytes;

    maker->file = file;
    maker->part = part;
    sl_buf_init(&bytes, SL_TLS_MAX_FILE_BYTES + 1);
    ERR_clear_error();
    BIO *bio = open_file(maker, &bytes);
    bool is_loaded = bio && load(maker, bio);
    BIO_free(bio);
    if (bytes.data) {
        OPENSSL_cleanse(bytes.data, bytes.cap);
    }
    sl_buf_fini(&bytes);
    return is_loaded;
}

/* Nobody is asked for the password of a key; that one was wanted is noted. */
static int no_password(char *room, int size, int is_writing, void *arg)
{
    bool *was_asked = arg;

    (void)room;
    (void)size;
    (void)is_writing;
    *was_asked = true;
    return -1;
}

/* Works out the extensions of a certificate that many connections will share. OpenSSL does so at
 * the first use, and when there is no memory then, it takes the certificate for broken ever after.
 * False when there is none now. */
static bool settle(X509 *certificate)
{
    if (X509_check_purpose(certificate, -1, 0) < 0 &&
        ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE) {
        return false;
    }
    ERR_clear_error(); /* one that is broken is nobody's to trust: connections will say so */
    return true;
}

/* The next certificate; NULL at the end and after an error. */
static X509 *next_certificate(BIO *bio)
{
    bool was_asked = false;
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_password, &was_asked);

    if (certificate && !settle(certificate)) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* After next_certificate gave NULL: was that the end of the file? */
static bool is_at_end(struct maker *maker, bool is_empty)
{
    unsigned long error = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

    if (!is_end) {
        return fail_openssl(maker);
    }
    return is_empty ? fail(maker, "no certificate in PEM in it") : true;
}

static bool trust(struct maker *maker, X509 *certificate)
{
    X509_STORE *store = SSL_CTX_get_cert_store(maker->context);

    if (X509_STORE_add_cert(store, certificate) != 1) {
        return fail_openssl(maker);
    }
    if (maker->tls->role == SL_TLS_SERVER &&
        SSL_CTX_add_client_CA(maker->context, certificate) != 1) {
        return fail_openssl(maker);
    }
    return true;
}

static bool load_ca(struct maker *maker, BIO *bio)
{
    X509 *certificate;
    bool is_empty = true;

    while ((certificate = next_certificate(bio))) {
        bool is_trusted = trust(maker, certificate);
        X509_free(certificate);
        if (!is_trusted) {
            return false;
        }
        is_empty = false;
    }
    return is_at_end(maker, is_empty);
}

static bool load_chain(struct maker *maker, BIO *bio)
{
    X509 *certificate = next_certificate(bio);

    if (!certificate) {
        return is_at_end(maker, true);
    }
    int is_used = SSL_CTX_use_certificate(maker->context, certificate);
    X509_free(certificate);
    if (is_used != 1) {
        return fail_openssl(maker);
    }
    while ((certificate = next_certificate(bio))) {
        if (SSL_CTX_add0_chain_cert(maker->context, certificate) != 1) {
            X509_free(certificate);
            return fail_openssl(maker);
        }
    }
    return is_at_end(maker, false);
}

static bool use_key(struct maker *maker, EVP_PKEY *key)
{
    if (SSL_CTX_use_PrivateKey(maker->context, key) != 1) {
        unsigned long error = ERR_peek_last_error();
        if (ERR_GET_LIB(error) != ERR_LIB_X509) {
            return fail_openssl(maker);
        }
        return fail(maker, "this key does not match the certificate");
    }
    if (SSL_CTX_check_private_key(maker->context) != 1) {
        return fail(maker, "this key does not match the certificate");
    }
    return true;
}

static bool load_key(struct maker *maker, BIO *bio)
{
    bool was_asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &was_asked);

    if (!key) {
        return fail(maker, was_asked ? "this key is encrypted, and there is no password for it"
                                     : "no private key in PEM in it");
    }
    bool is_used = use_key(maker, key);
    EVP_PKEY_free(key);
    return is_used;
}

/* ---- ALPN at a server ---- */

/* A client that offers no protocol at all learns why it is refused. */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *extension;
    size_t len;

    (void)arg;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                  &extension, &len) == 1) {
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                   const unsigned char *offered, unsigned int offered_len, void *arg)
{
    const struct sl_tls *tls = arg;
    unsigned char *found;

    (void)ssl;
    if (SSL_select_next_proto(&found, chosen_len, tls->is_http1 ? alpn_http1 : alpn_h2,
                              tls->is_http1 ? sizeof(alpn_http1) : sizeof(alpn_h2), offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- the whole ---- */

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static bool load_own(struct maker *maker, const struct sl_tls_options *options)
{
    const char *cert = or_null(options->cert);
    const char *key = or_null(options->key);

    if (!cert != !key) {
        maker->part = cert ? SL_TLS_CERT : SL_TLS_KEY;
        maker->why = sl_status_error(SL_INVALID_ARGUMENT, cert ? "a certificate without its key"
                                                               : "a key without its certificate");
        return false;
    }
    return !cert || (load_file(maker, SL_TLS_CERT, cert, load_chain) &&
                     load_file(maker, SL_TLS_KEY, key, load_key));
}

static bool load_trust(struct maker *maker, const struct sl_tls_options *options)
{
    const char *ca = or_null(options->ca);

    if (ca) {
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(maker->context), X509_V_FLAG_PARTIAL_CHAIN);
        return load_file(maker, SL_TLS_CA, ca, load_ca);
    }
    if (maker->tls->role == SL_TLS_CLIENT && !options->skip_verify &&
        SSL_CTX_set_default_verify_paths(maker->context) != 1) {
        maker->file = "the system's CA store";
        return fail_openssl(maker);
    }
    return true;
}

/* A client's sessions are kept by us, a server's by its clients, if anybody. */
static bool set_resumption(struct maker *maker, bool demands_certificates)
{
    struct sl_tls *tls = maker->tls;
    SSL_CTX *context = maker->context;

    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (tls->role == SL_TLS_SERVER && demands_certificates) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, 0) == 1;
    }
    tls->resume = sl_tls_resume_new();
    if (!tls->resume) {
        return false;
    }
    if (tls->role == SL_TLS_SERVER) {
        return sl_tls_resume_give_tickets(context);
    }
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, sl_tls_on_new_session);
    return true;
}

static bool set_role(struct maker *maker, const struct sl_tls_options *options)
{
    SSL_CTX *context = maker->context;
    bool has_ca = or_null(options->ca) != NULL;
    bool is_client = maker->tls->role == SL_TLS_CLIENT;

    maker->tls->verifies = !options->skip_verify && (is_client || has_ca);
    if (!set_resumption(maker, has_ca)) {
        return false;
    }
    if (is_client) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        return SSL_CTX_set_alpn_protos(context, alpn_h2, sizeof(alpn_h2)) == 0;
    }
    if (has_ca) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    maker->tls->is_http1 = options->is_http1;
    if (!options->is_http1) {
        SSL_CTX_set_client_hello_cb(context, on_client_hello, NULL);
    }
    SSL_CTX_set_alpn_select_cb(context, on_alpn, maker->tls);
    return true;
}

static bool set_up(struct maker *maker, const struct sl_tls_options *options)
{
    SSL_CTX *context = maker->context;

    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    sl_tls_watch_sessions(context, options->skip_verify);
    if (!sl_tls_set_ciphers(context, options, &maker->why, &maker->part)) {
        return false;
    }
    maker->file = "TLS";
    if (!set_role(maker, options)) {
        return fail_openssl(maker);
    }
    return load_trust(maker, options) && load_own(maker, options);
}

struct sl_tls *sl_tls_new(enum sl_tls_role role, const struct sl_tls_options *options,
                          struct sl_status *why, enum sl_tls_part *part)
{
    struct maker maker = {.why = sl_status_out_of_memory()};

    maker.tls = calloc(1, sizeof(*maker.tls));
    if (maker.tls) {
        atomic_init(&maker.tls->holders, 1);
        maker.tls->role = role;
        maker.tls->bio = sl_tls_bio_new();
        maker.tls->context =
            SSL_CTX_new(role == SL_TLS_CLIENT ? TLS_client_method() : TLS_server_method());
        maker.context = maker.tls->context;
    }
    if (maker.tls && maker.tls->bio && maker.context && set_up(&maker, options)) {
        *why = sl_status_ok();
        *part = SL_TLS_NO_PART;
        return maker.tls;
    }
    *why = maker.why;
    *part = maker.part;
    sl_tls_release(maker.tls);
    ERR_clear_error();
    return NULL;
}

void sl_tls_hold(struct sl_tls *tls)
{
    atomic_fetch_add(&tls->holders, 1);
}

void sl_tls_release(struct sl_tls *tls)
{
    if (tls && atomic_fetch_sub(&tls->holders, 1) == 1) {
        SSL_CTX_free(tls->context);
        sl_tls_resume_free(tls->resume);
        BIO_meth_free(tls->bio);
        free(tls);
    }
}
