/* net.h - byte streams: dial, listen, read, write, over TCP or unix sockets, in plaintext or TLS.
 *
 * One transport interface for everything above. A connection reads into one buffer that all
 * connections of the loop share: the bytes handed to `on_read` are gone when it returns, and an
 * idle connection owns no read memory. Writing is bounded: sl_conn_write takes everything and says
 * whether the socket took it all; a caller that stops at false until `on_drain` leaves at most its
 * last write in memory.
 *
 * A connection with TLS (tls.h) behaves like any other: it stands when its handshake is done and
 * HTTP/2 is agreed on. Whatever is wrong with a handshake has a reason of its own, "tls-...", in
 * the status. The bytes of an idle one take no memory either: ciphertext is decrypted from the
 * shared buffer into a second one.
 *
 * Dialled connections notice a dead peer by themselves (SL_NET_DEAD_PEER_S), also when nothing is
 * sent. Loop thread only. Names are resolved off the loop. SIGPIPE is ignored from the first
 * connection on, unless the program handles it.
 */
#ifndef SLUICE_NET_NET_H
#define SLUICE_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/proxy.h"
#include "net/tls.h"

enum {
    SL_NET_READ_BYTES = 256 * 1024, /* the buffer that all connections of a loop share */
    SL_NET_DEAD_PEER_S = 30,     /* a dialled peer that acknowledges nothing for so long is gone */
    SL_NET_MAX_HANDSHAKES = 256, /* under way at one listener; other peers wait in the backlog */
    SL_NET_HANDSHAKE_MS = 10 * 1000, /* for each of them */
};

struct sl_conn;
struct sl_listener;

struct sl_conn_events {
    /* The connection stands (dialled ones only). Every event may be NULL. */
    void (*on_open)(struct sl_conn *conn, void *arg);
    /* `len` bytes arrived, never 0. Borrowed until return. May close the connection. */
    void (*on_read)(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg);
    /* Everything written has left after a sl_conn_write that returned false. */
    void (*on_drain)(struct sl_conn *conn, void *arg);
    /* The last event: it failed, the peer closed it (UNAVAILABLE, "closed by peer", with TLS also
     * where it did so without a word), or sl_conn_close was called (CANCELLED). `conn` is gone when
     * this returns. */
    void (*on_close)(struct sl_conn *conn, const struct sl_status *why, void *arg);
};

struct sl_dial_options {
    struct sl_address address;
    /* One at a SL_ADDRESS_PRIVATE of the same loop, which outlives the dial; NULL: the address. */
    struct sl_listener *listener;
    uint64_t timeout_ms; /* for everything until it stands */
    struct sl_tls *tls;  /* a client's, held while it dials and stands; NULL: plaintext */
    /* Whom the peer's certificate must be for; NULL or "": the host, for a unix socket localhost */
    const char *server_name;
    const struct sl_proxy *proxy; /* the way there; NULL: none. With one the name is not ours to
                                   * resolve, and `timeout_ms` is for it too */
};

/* Resolves and races the addresses (race.h), for at most `timeout_ms` in all. The first socket that
 * is connected wins and goes on to the proxy, if that is whom it leads to, and the handshake of
 * TLS, which nobody races: whoever answers at all is asked. Where that fails, or takes longer than
 * its even share of the time, the addresses that are left are raced again. A proxy's no has a
 * reason of its own: "proxy-refused", "-login", "-protocol", "-timeout" or "-cut". Never fails at
 * once: every outcome is an event; the reason is that of an attempt that came furthest. Copies the
 * options. NULL when memory is out. */
struct sl_conn *sl_conn_dial(struct sl_loop *loop, const struct sl_dial_options *options,
                             const struct sl_conn_events *events, void *arg) SL_MUST_CHECK;

/* Takes a copy of what the socket does not take at once. False when something was left behind:
 * `on_drain` follows. Not before the connection stands; after the close, and when the socket breaks
 * (then `on_close` follows), it does nothing and returns true. */
bool sl_conn_write(struct sl_conn *conn, const void *bytes, size_t len);

/* Stops and starts reading; a new connection reads. A paused one learns that its peer closed when
 * it reads again or writes. Paused before its first on_read, one with TLS or a proxy may still be
 * given what came together with the end of the handshake or the proxy's answer. */
void sl_conn_pause(struct sl_conn *conn);
void sl_conn_resume(struct sl_conn *conn);

/* Asynchronous, idempotent: `on_close` follows when this turn is over; no other event before it.
 * What was written and has not left is lost, but for what the socket already took. With TLS the
 * peer is told (close_notify) if the socket takes it at once. */
void sl_conn_close(struct sl_conn *conn);

/* "127.0.0.1:57400": the peer's address; "" before the connection stands. Of a unix socket the
 * address that was dialled, or who is there when it was accepted: "unix:uid=1000,pid=77"; through a
 * proxy "leaf1:57400 via 127.0.0.1:3128". */
const char *sl_conn_peer(const struct sl_conn *conn);

/* Whom the peer's certificate is for, where it was verified: its first URI or DNS name (RFC 5280
 * section 4.2.1.6), and where it has none its common name. NULL: no certificate, one that was not
 * verified, or a name that is not printable ASCII of at most SL_TLS_MAX_IDENTITY_BYTES. Lives as
 * long as the connection stands. */
const char *sl_conn_identity(struct sl_conn *conn);

bool sl_conn_is_secure(const struct sl_conn *conn); /* that stands: with TLS */

/* A listener hands over each accepted connection; give it events or close it before returning. */
typedef void (*sl_listener_accept_fn)(struct sl_listener *listener, struct sl_conn *conn,
                                      void *arg);

/* A peer whose handshake failed or took too long, or one too many; it never was a connection. */
typedef void (*sl_listener_refuse_fn)(struct sl_listener *listener, const char *peer,
                                      const struct sl_status *why, void *arg);

struct sl_listener_options {
    struct sl_address address;
    /* A server's, held; NULL: plaintext. With it accepts come after handshakes. */
    struct sl_tls *tls;
    /* Connections that may stand, handshakes included; what comes above is refused. 0: no limit.
     * What a peer is says crowd.h: an address, for IPv6 a /64, at a unix socket a user. */
    uint32_t max_connections;          /* "too-many-connections" */
    uint32_t max_connections_per_peer; /* "too-many-connections-of-peer" */
    sl_listener_accept_fn accept;
    sl_listener_refuse_fn refuse; /* or NULL */
    void *arg;
};

/* Binds and listens, but for SL_ADDRESS_PRIVATE: whose peers are those that dial with this
 * listener, over a pair of sockets that nobody else can reach. Port 0 takes a free one
 * (sl_listener_port tells; of a unix socket it is 0). A name is resolved on the spot. A socket file
 * that nobody listens on is replaced, any other file and one in use are not; the file goes when the
 * listener closes. NULL on failure, with the reason in `why`. Out of descriptors or memory it stops
 * accepting for a moment; the peers wait in the backlog. */
struct sl_listener *sl_listener_open(struct sl_loop *loop,
                                     const struct sl_listener_options *options,
                                     struct sl_status *why) SL_MUST_CHECK;
uint16_t sl_listener_port(const struct sl_listener *listener);

/* For connections to come: those that stand and those whose handshake is under way keep what they
 * have. Holds `tls`; NULL: plaintext. */
void sl_listener_set_tls(struct sl_listener *listener, struct sl_tls *tls);

/* Connections stay; those whose handshake is not done go. */
void sl_listener_close(struct sl_listener *listener);

void sl_conn_set_events(struct sl_conn *conn, const struct sl_conn_events *events, void *arg);

#endif
