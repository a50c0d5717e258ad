/* tls_internal.h - sl_tls as the files of TLS see it. */
#ifndef SLUICE_NET_TLS_INTERNAL_H
#define SLUICE_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"
#include "net/tls_resume.h"

struct sl_tls {
    atomic_uint holders;
    enum sl_tls_role role;
    bool verifies; /* the peer's certificate, where there is one */
    SSL_CTX *context;
    BIO_METHOD *bio;              /* of tls_session.c */
    bool is_http1;                /* a server's: see sl_tls_options */
    struct sl_tls_resume *resume; /* NULL: a server's that gives no tickets */
};

/* The BIO of a session: reads what was fed to it, writes into the output that all share. NULL when
 * memory is out. */
BIO_METHOD *sl_tls_bio_new(void) SL_MUST_CHECK;

/* Sets what looks into a handshake while it runs. */
void sl_tls_watch_sessions(SSL_CTX *context, bool skip_verify);

/* The newest error of OpenSSL's in this thread as words, and its queue emptied. Never "". */
const char *sl_tls_openssl_words(void);

/* Why X509_verify_cert refused the peer's chain, for the one who asked for `name`. */
struct sl_status sl_tls_certificate_error(X509_STORE_CTX *chain, const char *name);

/* Sets the lowest version and the ciphers. False: `why`, and which option it is about. */
bool sl_tls_set_ciphers(SSL_CTX *context, const struct sl_tls_options *options,
                        struct sl_status *why, enum sl_tls_part *part) SL_MUST_CHECK;

/* tls_session.c: a session of a client's has come. */
int sl_tls_on_new_session(SSL *ssl, SSL_SESSION *session);

/* Whom a certificate that was verified is for, on the heap. NULL: no fit name, or no memory. */
char *sl_tls_identity(const X509 *certificate) SL_MUST_CHECK;

/* Why OpenSSL gave up: its newest error, which is taken off this thread's queue with the others. */
struct sl_status sl_tls_protocol_error(void);

#endif
