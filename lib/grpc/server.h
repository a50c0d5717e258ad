/* server.h - gRPC on a port: listens, accepts within limits, gives each call to its handler.
 *
 * A server that does one thing, complete (its handler is of a method of the tables, service.h):
 *
 *     static void on_call(struct sl_grpc_call *call, void *arg)
 *     {
 *         sl_grpc_call_set_events(call, &events, arg);    (or finish it on the spot)
 *     }
 *
 *     static const struct sl_grpc_handler handlers[] = {{method, on_call}, {NULL, NULL}};
 *
 *     const struct sl_grpc_service_entry services[] = {{handlers, arg}};
 *     const struct sl_grpc_server_options options = {
 *         .loop = loop,
 *         .address = {.host = "127.0.0.1", .port = 50051},
 *         .services = services,
 *         .service_count = 1,
 *     };
 *     struct sl_status why;
 *     struct sl_grpc_server *server = sl_grpc_server_open(&options, &why);
 *
 * and, when it is enough, sl_grpc_server_drain(server, 5000, on_closed, arg).
 *
 * One link (h2/link.h) for each connection. A connection that ends because its peer broke a rule or
 * a limit is logged with its reason and counted; one that its peer closes is not. The log is the
 * server's own subject, so that a crowd of them fills no disk (log.h).
 *
 * Loop thread only. Events and on_closed come from the loop, never from a function here.
 */
#ifndef SLUICE_GRPC_SERVER_H
#define SLUICE_GRPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "grpc/call.h"
#include "h2/limits.h"
#include "loop/loop.h"
#include "metrics/tally.h"
#include "net/net.h"

enum {
    SL_GRPC_MAX_CONNECTIONS = 10 * 1000, /* at a time, handshakes included */
    SL_GRPC_MAX_CONNECTIONS_PER_PEER = 1000,
};

struct sl_grpc_server;

/* Each may be NULL. `arg` is that of the options. */
struct sl_grpc_server_events {
    /* A connection stands, no call is there yet. `peer` lives until its on_disconnected; its `user`
     * is the owner's, for what all its calls share. */
    void (*on_connected)(struct sl_grpc_peer *peer, void *arg);
    /* What the peer's calls had to send has been given to the socket, as far as the peer's credit
     * and the socket go. */
    void (*on_sent)(struct sl_grpc_peer *peer, void *arg);
    /* The last event of a peer, after the on_status of each of its calls. */
    void (*on_disconnected)(struct sl_grpc_peer *peer, const struct sl_status *why, void *arg);
    /* Nobody came in: a TLS handshake failed ("tls-..."), or there are too many already
     * ("too-many-connections", "too-many-connections-of-peer"). It is logged and counted already.
     */
    void (*on_refused)(const char *address, const struct sl_status *why, void *arg);
};

struct sl_grpc_server_options {
    struct sl_loop *loop;
    struct sl_address address; /* a unix socket too; port 0: any free one */
    struct sl_tls *tls;        /* a server's, held; NULL: plaintext */
    /* Copied; the tables of handlers outlive the server. */
    const struct sl_grpc_service_entry *services;
    size_t service_count;
    /* Of the calls. One may serve all servers of a thread, and outlives them; NULL: its own. */
    struct sl_grpc_context *context;
    uint32_t max_message_bytes; /* of a request; 0: SL_GRPC_MAX_MESSAGE_BYTES */
    /* What comes above is refused, before any handshake. 0: SL_GRPC_MAX_CONNECTIONS,
     * SL_GRPC_MAX_CONNECTIONS_PER_PEER. Who is a peer: net/crowd.h. */
    uint32_t max_connections;
    uint32_t max_connections_per_peer;
    /* What a peer may do to its connection; outlive the server. NULL: sl_h2_default_limits. */
    const struct sl_h2_limits *limits;
    /* Keepalive: PINGs to a peer that is silent while it has calls. 0: none. */
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    /* A connection that has stood for so long is drained, so that its peer comes again (to another
     * server, say, or with newer certificates); it has that much more for its calls. 0: for ever.
     */
    uint64_t max_age_ms;
    uint64_t max_age_grace_ms;
    const struct sl_grpc_server_events *events; /* NULL: none; outlive the server */
    void *arg;
};

/* NULL with the reason in `why`: the port is taken, memory is out. */
struct sl_grpc_server *sl_grpc_server_open(const struct sl_grpc_server_options *options,
                                           struct sl_status *why) SL_MUST_CHECK;

uint16_t sl_grpc_server_port(const struct sl_grpc_server *server); /* 0 of a unix socket */

/* For connections to come: those that stand, and their calls, go on with what they have. Holds
 * `tls`; NULL: plaintext. */
void sl_grpc_server_set_tls(struct sl_grpc_server *server, struct sl_tls *tls);

struct sl_grpc_server_stats { /* since it was opened */
    uint32_t connections;     /* now */
    uint64_t accepted;        /* connections, ever */
    uint64_t calls;           /* ever, those to unknown methods too */
    struct sl_tally refused;  /* connections that never were, by reason */
    struct sl_tally ended;    /* connections, by reason */
};

const struct sl_grpc_server_stats *sl_grpc_server_stats(const struct sl_grpc_server *server);

/* Takes no more connections, tells the peers (GOAWAY), lets the calls that go on finish; after
 * `grace_ms` ends what is left. `on_closed` comes when the last connection is gone, and the server
 * with it; may be NULL. A second drain or a close hurries on the first one: the shorter grace
 * holds, its own on_closed is not called. */
void sl_grpc_server_drain(struct sl_grpc_server *server, uint64_t grace_ms, sl_loop_fn on_closed,
                          void *arg);

/* The same without grace: calls end at once. */
void sl_grpc_server_close(struct sl_grpc_server *server, sl_loop_fn on_closed, void *arg);

#endif
