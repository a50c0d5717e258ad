/* internal.h - a connection as conn.c, secure.c, dial.c and listener.c see it.
 *
 * The libuv handle of a connection is initialised as long as the connection lives, so that closing
 * it always has a callback to come: on_close is told there, and the memory freed.
 */
#ifndef SLUICE_NET_INTERNAL_H
#define SLUICE_NET_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "net/crowd.h"
#include "net/net.h"
#include "net/tls_session.h"
#include "net/unix.h"
#include "net/words.h"

struct sl_dial;
struct sl_read_buffer;
struct sl_shake; /* of listener.c: an accepted connection whose handshake is under way */

/* What the connections with TLS of a loop share. */
struct sl_secure_buffers {
    struct sl_tls_output output; /* empty but while a session works */
    uint8_t plain[SL_NET_READ_BYTES];
};

/* What libuv has for the socket: which member it is does not change while the connection lives. */
union sl_socket {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct sl_conn {
    union sl_socket socket;
    struct sl_read_buffer *buffer; /* counted */
    const struct sl_conn_events *events;
    void *arg;
    struct sl_dial *dial;       /* NULL unless it is being dialled */
    struct sl_shake *shake;     /* NULL unless it is accepted and not handed over yet */
    struct sl_tls_session *tls; /* NULL: plaintext, or not connected */
    struct sl_guest *guest;     /* NULL unless it was accepted */
    struct sl_status *why; /* of the close, on the heap: most connections live long; NULL: it went
                              well, or there was no memory to say how it did not (`has_failed`) */
    bool has_failed;
    size_t pending_writes; /* at libuv */
    int write_error;       /* below 0: nothing leaves any more, the reader will tell the end */
    bool is_unix;
    bool is_open;
    bool is_asking;  /* a proxy for the way */
    bool is_shaking; /* the TLS handshake is under way */
    bool is_closing;
    bool is_paused;
    bool is_reading;
    bool wants_drain;
    char peer[SL_NET_NAME_BYTES];
};

/* A connection with an unconnected handle. NULL when memory is out. */
struct sl_conn *sl_conn_new(struct sl_loop *loop, bool is_unix) SL_MUST_CHECK;

/* Takes a connected socket. False when that fails: it is still the caller's. */
bool sl_conn_take(struct sl_conn *conn, int fd, const char *peer) SL_MUST_CHECK;

/* What was dialled or accepted is ready for use: from now on it is its user's. Tells the dial or
 * the listener, which tells the user. */
void sl_conn_ready(struct sl_conn *conn);

/* The network or the peer is not as it should be: another address is tried, or it closes. */
void sl_conn_broken(struct sl_conn *conn, const struct sl_status *why);

/* Gives bytes to the socket and keeps a copy of what it does not take; false when it kept any. */
bool sl_conn_send(struct sl_conn *conn, const void *bytes, size_t len);

/* The same, but drops what the socket does not take at once. */
void sl_conn_send_last(struct sl_conn *conn, const void *bytes, size_t len);

/* secure.c: TLS over a connected handle. sl_conn_ready follows, or sl_conn_broken. A client's goes
 * for `name`, and takes up the last session of `place`. */
void sl_conn_secure(struct sl_conn *conn, struct sl_tls *tls, const char *name, const char *place);
void sl_conn_secure_read(struct sl_conn *conn, const uint8_t *bytes, size_t len);
bool sl_conn_secure_write(struct sl_conn *conn, const void *bytes, size_t len);
void sl_conn_secure_goodbye(struct sl_conn *conn);
/* "TLS 127.0.0.1:57400: ...": a handshake that did not end in time, or that the peer cut off. */
struct sl_status sl_conn_handshake_timeout(const struct sl_conn *conn);
struct sl_status sl_conn_handshake_cut(const struct sl_conn *conn);

/* The loop's own; NULL when memory is out. Live as long as a connection does. */
struct sl_secure_buffers *sl_conn_secure_buffers(struct sl_conn *conn) SL_MUST_CHECK;

/* Starts or stops reading as the state asks for. */
void sl_conn_update_reading(struct sl_conn *conn);

/* Closes for the reason `why`. */
void sl_conn_fail(struct sl_conn *conn, const struct sl_status *why);

/* Closes the handle to go on with a new one: sl_dial_next follows. */
void sl_conn_renew(struct sl_conn *conn);

/* What a proxy said; that it hung up. */
void sl_dial_heard(struct sl_dial *dial, const uint8_t *bytes, size_t len);
struct sl_status sl_dial_cut(const struct sl_dial *dial);

void sl_dial_next(struct sl_dial *dial); /* address */
/* What followed on the connected socket did not come about. */
void sl_dial_failed(struct sl_dial *dial, const struct sl_status *why);
void sl_dial_free(struct sl_dial *dial); /* NULL is nothing; a running resolution ends by itself */

/* The handshake of an accepted connection: is done, and it goes to the user; or it closed. */
void sl_shake_done(struct sl_shake *shake);
void sl_shake_closed(struct sl_shake *shake, const struct sl_status *why);

/* unix.c: a connected socket, or an error below 0; EAGAIN: its listener's backlog is full. */
int sl_unix_connect(const struct sl_address *address);

/* Who is at the other end of an accepted socket: "unix:uid=1000,pid=77". */
void sl_unix_peer(int fd, struct sl_peer_key *key, char name[SL_NET_NAME_BYTES]);

/* A socket that is connected to the private listener, which has taken the other end; or an error
 * below 0. */
int sl_listener_connect(struct sl_listener *listener);

#endif
