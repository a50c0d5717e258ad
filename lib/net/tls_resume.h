/* tls_resume.h - sessions that are taken up again: what a client keeps, and a server's tickets.
 *
 * A client keeps the newest session of each place under the name that was verified there. A session
 * is offered once: whoever does not like it costs one attempt, not every one. One that is old, or
 * whose certificate has expired by now, is not offered.
 *
 * A server keeps nothing: its tickets (RFC 5077, RFC 8446 section 4.6.1) are sealed with a key of
 * which no other process knows. A key seals for SL_TLS_TICKET_KEY_S and opens for as long again.
 * One that demands client certificates gives no tickets: each connection shows its own.
 *
 * No early data (RFC 8446 section 2.3) anywhere. Any thread.
 */
#ifndef SLUICE_NET_TLS_RESUME_H
#define SLUICE_NET_TLS_RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/base.h"

struct sl_tls_resume;

/* NULL when memory is out. */
struct sl_tls_resume *sl_tls_resume_new(void) SL_MUST_CHECK;
void sl_tls_resume_free(struct sl_tls_resume *resume); /* NULL is nothing */

/* Takes `session`, for those who come to `key` later. */
void sl_tls_resume_put(struct sl_tls_resume *resume, const char *key, SSL_SESSION *session);

/* The session to offer, which is the caller's; NULL: none. */
SSL_SESSION *sl_tls_resume_take(struct sl_tls_resume *resume, const char *key) SL_MUST_CHECK;

/* A server's tickets. False when memory is out. */
bool sl_tls_resume_give_tickets(SSL_CTX *context) SL_MUST_CHECK;

/* tls_session.c: whose keys a handshake goes by, and its monotonic time. */
struct sl_tls_resume *sl_tls_resume_of(const SSL *ssl, int64_t *now_ns);

#endif
