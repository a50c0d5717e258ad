/* tls.h - what TLS connections with the same settings have in common.
 *
 * TLS 1.2 and later, HTTP/2 by ALPN (RFC 7301) and nothing else (a server may be for HTTP/1.1), no
 * renegotiation, no compression, no early data. Sessions are resumed on both sides (tls_resume.h),
 * but for a server that demands client certificates. A client verifies the peer's certificate
 * against the CA file, or the system's store where there is none, and against the name or IP
 * address that was dialled (RFC 6125). What is in a CA file is trusted as it stands, an issuing CA
 * or a device's own certificate too.
 *
 * Costly to make (certificates are read and parsed) and constant once made: make one for all
 * connections that have the same settings. It is counted, and may be used by several threads.
 */
#ifndef SLUICE_NET_TLS_H
#define SLUICE_NET_TLS_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"

enum {
    SL_TLS_MAX_FILE_BYTES = 4 * 1024 * 1024, /* of a PEM file */
    /* What a peer may send before the handshake is done, certificates included. */
    SL_TLS_MAX_HANDSHAKE_BYTES = 256 * 1024,
    /* Messages of the handshake protocol (key updates, session tickets) in a minute once it is
     * done; more end the connection. */
    SL_TLS_MAX_MESSAGES_PER_MINUTE = 64,
    SL_TLS_MAX_SESSIONS = 1024,      /* that a client keeps: the oldest go */
    SL_TLS_SESSION_S = 3600,         /* so long after it was made a session is resumed */
    SL_TLS_TICKET_KEY_S = 3600,      /* so long a server seals tickets with one key */
    SL_TLS_TICKETS = 1,              /* for each connection of TLS 1.3 */
    SL_TLS_MAX_IDENTITY_BYTES = 255, /* of a name in a certificate that stands for the peer */
};

struct sl_tls;

enum sl_tls_role { SL_TLS_CLIENT, SL_TLS_SERVER };

/* NULL or "" is none. The first three are names of PEM files. */
struct sl_tls_options {
    const char *ca;   /* client: whom to trust, none: the system's store. Server: who must have
                       * issued the certificate that every client then needs */
    const char *cert; /* our certificate, and those between it and the CA behind it */
    const char *key;  /* its private key, not encrypted; goes with `cert` */
    bool skip_verify; /* client: whoever answers is taken for the device */
    bool is_http1;    /* server: for HTTP/1.1 instead, and a client may say nothing by ALPN */
    const char *min_version; /* "1.2" or "1.3"; none: 1.2 */
    const char *ciphers;     /* of TLS 1.2, as OpenSSL writes a list of them; none: OpenSSL's own */
    const char *ciphersuites; /* of TLS 1.3, by name, with colons between them; likewise */
};

/* Which of the options an error is about. */
enum sl_tls_part {
    SL_TLS_NO_PART,
    SL_TLS_CA,
    SL_TLS_CERT,
    SL_TLS_KEY,
    SL_TLS_MIN_VERSION,
    SL_TLS_CIPHERS,
    SL_TLS_CIPHERSUITES,
};

/* Reads the files. NULL on failure: `why` says what is wrong with which option or file, never what
 * is in a key; `part` whose fault it is. */
struct sl_tls *sl_tls_new(enum sl_tls_role role, const struct sl_tls_options *options,
                          struct sl_status *why, enum sl_tls_part *part) SL_MUST_CHECK;

/* Counted; any thread. sl_tls_new gives the first. */
void sl_tls_hold(struct sl_tls *tls);
void sl_tls_release(struct sl_tls *tls); /* NULL is nothing */

#endif
