/* tls_session.h - TLS of one connection: bytes in, bytes out, no socket and no clock.
 *
 * What came from the network is fed and lies where it was read; what has to go there collects in an
 * output that all sessions of a loop share. So an idle session owns no buffer: whoever calls feeds,
 * lets the session work until it wants input, and empties the output before another one works.
 */
#ifndef SLUICE_NET_TLS_SESSION_H
#define SLUICE_NET_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "net/tls.h"

enum {
    SL_TLS_RECORD_BYTES = 16 * 1024,  /* plaintext of one record (RFC 8446 section 5.1) */
    SL_TLS_RECORD_ROOM = 17 * 1024,   /* one on the wire */
    SL_TLS_OUTPUT_BYTES = 300 * 1024, /* 264 KiB of plaintext leave in one piece */
};

struct sl_tls_output {
    size_t len;
    uint8_t bytes[SL_TLS_OUTPUT_BYTES];
};

struct sl_tls_session;

enum sl_tls_step {
    SL_TLS_DONE,         /* what was asked for is done */
    SL_TLS_WANTS_INPUT,  /* everything that was fed is used up */
    SL_TLS_WANTS_OUTPUT, /* the output is full: empty it and ask again with the same arguments */
    SL_TLS_ENDED,        /* the peer ended TLS in good order (close_notify) */
    SL_TLS_FAILED,       /* for good: sl_tls_session_why; an alert may be in the output */
};

/* Holds `tls`. `name` (client) is the host name or IP address that the peer's certificate must be
 * for; names go to the peer too (SNI, RFC 6066 section 3). `output` is shared. NULL when memory is
 * out. */
struct sl_tls_session *sl_tls_session_new(struct sl_tls *tls, const char *name,
                                          struct sl_tls_output *output) SL_MUST_CHECK;
/* Before the handshake of a client: takes up the session that an earlier connection to `place` left
 * behind for the same name, and keeps the one that comes of this one. */
void sl_tls_session_resume(struct sl_tls_session *session, const char *place);
bool sl_tls_session_is_resumed(const struct sl_tls_session *session); /* handshake is done */

void sl_tls_session_free(struct sl_tls_session *session); /* NULL is nothing */

/* More from the network, at `now_ns`: borrowed until everything of it is used up. What was fed
 * before must be. */
void sl_tls_session_feed(struct sl_tls_session *session, const uint8_t *bytes, size_t len,
                         int64_t now_ns);

/* DONE once, at its end. */
enum sl_tls_step sl_tls_session_handshake(struct sl_tls_session *session) SL_MUST_CHECK;

/* Decrypts into `bytes` as much as there is; `len` says how much, whatever the step. DONE: there is
 * no more room. */
enum sl_tls_step sl_tls_session_read(struct sl_tls_session *session, uint8_t *bytes, size_t room,
                                     size_t *len) SL_MUST_CHECK;

/* Encrypts; `taken` says how much, whatever the step. DONE: all of it. */
enum sl_tls_step sl_tls_session_write(struct sl_tls_session *session, const uint8_t *bytes,
                                      size_t len, size_t *taken) SL_MUST_CHECK;

/* Says goodbye (close_notify), if the session is in a state to. */
void sl_tls_session_end(struct sl_tls_session *session);

/* True when the peer has sent anything. */
bool sl_tls_session_has_heard(const struct sl_tls_session *session);

/* Once the handshake is done: sl_conn_identity. Lives as long as the session. */
const char *sl_tls_session_identity(struct sl_tls_session *session);

const struct sl_status *sl_tls_session_why(const struct sl_tls_session *session);

#endif
