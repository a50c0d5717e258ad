/* server.h - gRPC on a port: listens, accepts within limits, gives each call to its handler.
 *
 * One link (h2/link.h) for each connection. What a peer may do is limited at every level: how many
 * connections there are, and of one peer, here; what one connection may cost in h2/limits.h; how
 * long a message may be here and, by method, in call.h. A connection that ends because its peer
 * went beyond is logged with its reason and counted; one that its peer or the network closes is
 * counted alone. The log is the server's own subject, so that a crowd of them fills no disk
 * (log.h).
 *
 * Health checks and reflection are services like others (health.h, reflection.h).
 *
 * Loop thread only. Events and on_closed come from the loop, never from a function here.
 *
 * A server with a method of each kind (tests/unit/grpc/server_example_test.c):
 *
 *     typedef Sluice__Test__HelloRequest Request;
 *     typedef Sluice__Test__HelloResponse Response;
 *
 *     enum { REPLIES = 100 * 1000 };
 *
 *     static enum sl_grpc_send reply(struct sl_grpc_call *call, char *text)
 *     {
 *         Response response = SLUICE__TEST__HELLO_RESPONSE__INIT;
 *
 *         response.reply = text;
 *         return sl_grpc_call_send(call, &response.base);
 *     }
 *
 *     static void finish(struct sl_grpc_call *call, void *arg)
 *     {
 *         struct sl_status ok = sl_status_ok();
 *
 *         (void)arg;
 *         sl_grpc_call_finish(call, &ok);
 *     }
 *
 *     static enum sl_grpc_take on_one(struct sl_grpc_call *call, const ProtobufCMessage *message,
 *                                     void *arg)
 *     {
 *         if (reply(call, ((const Request *)message)->greeting) == SL_GRPC_SENT) {
 *             finish(call, arg);
 *         }
 *         return SL_GRPC_TAKEN;
 *     }
 *
 *     static void on_say_hello(struct sl_grpc_call *call, void *arg)
 *     {
 *         static const struct sl_grpc_call_events events = {.on_message = on_one};
 *
 *         sl_grpc_call_set_events(call, &events, arg);
 *     }
 *
 *     static enum sl_grpc_take on_turn(struct sl_grpc_call *call, const ProtobufCMessage *message,
 *                                      void *arg)
 *     {
 *         const Request *request = (const Request *)message;
 *
 *         (void)arg;
 *         return reply(call, request->greeting) == SL_GRPC_FULL ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
 *     }
 *
 *     static void on_room(struct sl_grpc_call *call, void *arg)
 *     {
 *         (void)arg;
 *         sl_grpc_call_resume(call);
 *     }
 *
 *     static void on_bidi_hello(struct sl_grpc_call *call, void *arg)
 *     {
 *         static const struct sl_grpc_call_events events = {
 *             .on_message = on_turn, .on_writable = on_room, .on_half_close = finish};
 *
 *         sl_grpc_call_set_events(call, &events, arg);
 *     }
 *
 *     static enum sl_grpc_take on_each(struct sl_grpc_call *call, const ProtobufCMessage *message,
 *                                      void *arg)
 *     {
 *         unsigned *count = arg;
 *
 *         (void)call;
 *         (void)message;
 *         *count += 1;
 *         return SL_GRPC_TAKEN;
 *     }
 *
 *     static void on_all(struct sl_grpc_call *call, void *arg)
 *     {
 *         const unsigned *count = arg;
 *         char text[32];
 *
 *         snprintf(text, sizeof(text), "%u times hello", *count);
 *         if (reply(call, text) == SL_GRPC_SENT) {
 *             finish(call, arg);
 *         }
 *     }
 *
 *     static void on_over(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
 *     {
 *         (void)call;
 *         (void)status;
 *         free(arg);
 *     }
 *
 *     static void begin(struct sl_grpc_call *call, const struct sl_grpc_call_events *events)
 *     {
 *         unsigned *count = calloc(1, sizeof(*count));
 *         struct sl_status status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
 *
 *         if (count) {
 *             sl_grpc_call_set_events(call, events, count);
 *         } else {
 *             sl_grpc_call_finish(call, &status);
 *         }
 *     }
 *
 *     static void on_lots_of_greetings(struct sl_grpc_call *call, void *arg)
 *     {
 *         static const struct sl_grpc_call_events events = {
 *             .on_message = on_each, .on_half_close = on_all, .on_status = on_over};
 *
 *         (void)arg;
 *         begin(call, &events);
 *     }
 *
 *     static void send_more(struct sl_grpc_call *call, void *arg)
 *     {
 *         static char hello[] = "Hello!";
 *         unsigned *count = arg;
 *
 *         while (*count < REPLIES && reply(call, hello) == SL_GRPC_SENT) {
 *             *count += 1;
 *         }
 *         if (*count == REPLIES) {
 *             finish(call, arg);
 *         }
 *     }
 *
 *     static enum sl_grpc_take on_wish(struct sl_grpc_call *call, const ProtobufCMessage *message,
 *                                      void *arg)
 *     {
 *         (void)message;
 *         send_more(call, arg);
 *         return SL_GRPC_TAKEN;
 *     }
 *
 *     static void on_lots_of_replies(struct sl_grpc_call *call, void *arg)
 *     {
 *         static const struct sl_grpc_call_events events = {
 *             .on_message = on_wish, .on_writable = send_more, .on_status = on_over};
 *
 *         (void)arg;
 *         begin(call, &events);
 *     }
 *
 *     #define METHODS      sluice__test__hello_service__methods
 *     #define METHOD(name) (&METHODS[SLUICE__TEST__HELLO_SERVICE__##name])
 *
 *     static const struct sl_grpc_handler hello_handlers[] = {
 *         {METHOD(SAY_HELLO), on_say_hello},
 *         {METHOD(BIDI_HELLO), on_bidi_hello},
 *         {METHOD(LOTS_OF_GREETINGS), on_lots_of_greetings},
 *         {METHOD(LOTS_OF_REPLIES), on_lots_of_replies},
 *         {NULL, NULL},
 *     };
 *
 *     static struct sl_grpc_server *serve(struct sl_loop *loop, struct sl_grpc_health *health,
 *                                         struct sl_status *why)
 *     {
 *         const struct sl_grpc_service_entry services[] = {
 *             {hello_handlers, NULL},
 *             {sl_grpc_health_handlers, health},
 *             {sl_grpc_reflection_handlers, NULL},
 *         };
 *         const struct sl_grpc_server_options options = {
 *             .loop = loop,
 *             .address = {.host = "127.0.0.1"},
 *             .services = services,
 *             .service_count = SL_ARRAY_LEN(services),
 *         };
 *
 *         return sl_grpc_server_open(&options, why);
 *     }
 *
 *     static void on_closed(void *arg)
 *     {
 *         sl_loop_stop(arg);
 *     }
 *
 *     static void shut_down(struct sl_grpc_server *server, struct sl_grpc_health *health,
 *                           struct sl_loop *loop)
 *     {
 *         sl_grpc_health_shut_down(health);
 *         sl_grpc_server_drain(server, 5000, on_closed, loop);
 *     }
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
     * is the owner's, for what all its calls share. False: the owner cannot take it, and the
     * connection is closed. */
    bool (*on_connected)(struct sl_grpc_peer *peer, void *arg);
    /* What the peer's calls had to send has been given to the socket, as far as the peer's credit
     * and the socket go. */
    void (*on_sent)(struct sl_grpc_peer *peer, void *arg);
    /* The last event of a peer, after the on_status of each of its calls. */
    void (*on_disconnected)(struct sl_grpc_peer *peer, const struct sl_status *why, void *arg);
    /* Nobody came in: a TLS handshake failed ("tls-..."), or there are too many already
     * ("too-many-connections", "too-many-connections-of-peer"). It is counted; where this event is
     * NULL it is logged. */
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

/* For dials to a private address; NULL once it drains. */
struct sl_listener *sl_grpc_server_listener(const struct sl_grpc_server *server);

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
