/* channel.h - the client's connection to one server, for as long as it is wanted.
 *
 * A channel is one logical connection. It connects when there is something to do, its calls share
 * the connection, and when that ends it connects again:
 *
 *     IDLE        no connection, and nobody wants one
 *     CONNECTING  dialling, then waiting for the server's SETTINGS
 *     READY       calls start at once
 *     BACKOFF     a pause after a connection that failed or was of no use
 *     CLOSING     sl_grpc_channel_close: ends everything
 *     CLOSED
 *
 * A call that finds no connection waits for one, in order and within SL_GRPC_MAX_WAITING_CALLS;
 * what it sends goes into its send buffer meanwhile. When connecting fails it ends with UNAVAILABLE
 * and the connection's own words and reason, unless it said wait_for_ready: then it waits on, until
 * its deadline. Calls above the server's MAX_CONCURRENT_STREAMS wait on the connection.
 *
 * A server that says GOAWAY is left: calls that it still serves finish on the old connection, of
 * which there may be several, all others go to a new one. A call that the server never looked at
 * (it was refused, or never left this process) starts again by itself, up to SL_GRPC_MAX_RETRIES
 * times (github.com/grpc/proposal A6, transparent retries); where a GOAWAY came before the call
 * left it moves as often as that happens. A call that the server may have looked at is never
 * repeated, nor is one that has sent more than is kept of it (64 KiB).
 *
 * A connection that carried data, or lasted as long as the shortest pause, was of use: the next one
 * begins at once. Otherwise pauses grow from backoff_min_ms to backoff_max_ms (base/backoff.h).
 *
 * Loop thread only. Events come from the loop, never from a function here.
 *
 * A call by events, its first words as in blocking.h (tests/unit/grpc/example_test.c):
 *
 *     struct chat {
 *         struct sl_loop *loop;
 *         unsigned replies;
 *         struct sl_status status;
 *     };
 *
 *     static void greet(struct sl_grpc_call *call, char *name)
 *     {
 *         Request request = hello(name);
 *
 *         if (sl_grpc_call_send(call, &request.base) == SL_GRPC_FULL) {
 *             say("(on_writable comes when there is room)");
 *         }
 *     }
 *
 *     static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
 *                                       void *arg)
 *     {
 *         const Response *response = (const Response *)message;
 *         struct chat *chat = arg;
 *
 *         say(response->reply);
 *         if (++chat->replies == 1) {
 *             greet(call, "Grace");
 *         } else {
 *             sl_grpc_call_half_close(call);
 *         }
 *         return SL_GRPC_TAKEN;
 *     }
 *
 *     static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
 *     {
 *         struct chat *chat = arg;
 *
 *         (void)call;
 *         chat->status = *status;
 *         sl_loop_stop(chat->loop);
 *     }
 *
 *     static const struct sl_grpc_call_events chat_events = {
 *         .on_message = on_reply,
 *         .on_status = on_status,
 *     };
 *
 *     static bool begin_chat(struct sl_grpc_channel *channel, struct chat *chat)
 *     {
 *         const struct sl_grpc_request request = {.method = &methods[HELLO(BIDI_HELLO)]};
 *         struct sl_grpc_call *call = sl_grpc_channel_call(channel, &request, &chat_events, chat);
 *
 *         if (call) {
 *             greet(call, "Ada");
 *         }
 *         return call != NULL;
 *     }
 */
#ifndef SLUICE_GRPC_CHANNEL_H
#define SLUICE_GRPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/machine.h"
#include "base/status.h"
#include "grpc/call.h"
#include "grpc/context.h"
#include "h2/link.h"
#include "loop/loop.h"
#include "net/net.h"

enum {
    SL_GRPC_MAX_WAITING_CALLS = 10 * 1000, /* for a connection; where nobody says another limit */
    SL_GRPC_MAX_RETRIES = 5,               /* of one call, transparent ones */
    SL_GRPC_CONNECT_MS = 20 * 1000,        /* where nobody says another timeout */
    SL_GRPC_BACKOFF_MIN_MS = 1000,
    SL_GRPC_BACKOFF_MAX_MS = 120 * 1000,
};

struct sl_grpc_channel;

enum sl_grpc_channel_state {
    SL_GRPC_CHANNEL_NONE, /* an absent cell: "cannot happen" */
    SL_GRPC_CHANNEL_IDLE,
    SL_GRPC_CHANNEL_CONNECTING,
    SL_GRPC_CHANNEL_READY,
    SL_GRPC_CHANNEL_BACKOFF,
    SL_GRPC_CHANNEL_CLOSING,
    SL_GRPC_CHANNEL_CLOSED,
};

enum { SL_GRPC_CHANNEL_STATES = SL_GRPC_CHANNEL_CLOSED + 1 };

const char *sl_grpc_channel_state_name(enum sl_grpc_channel_state state);

extern const struct sl_machine sl_grpc_channel_machine;

/* Of a state that was just entered. */
typedef void (*sl_grpc_channel_state_fn)(struct sl_grpc_channel *channel,
                                         enum sl_grpc_channel_state state, void *arg);

/* Zero stands for the default of each, but for `loop` and the address. */
struct sl_grpc_channel_options {
    struct sl_loop *loop;
    struct sl_dial_options dial; /* its timeout is also the one of the server's SETTINGS */
    /* What calls name as the server; NULL: made of the address ("leaf1:57400", "[::1]:57400"; of a
     * unix socket "localhost"). Whom a certificate must be for is dial.server_name. */
    const char *authority;
    const char *user_agent; /* of the application, put before ours ("grpc-c-sluice/0.1.0") */
    /* Keepalive. A server that says too_many_pings gets them half as often from then on. */
    struct sl_h2_watch watch;
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    uint32_t max_waiting_calls;
    sl_grpc_channel_state_fn on_state;
    void *arg;
};

/* Copies the options and their strings but for those of `dial`: what that points at (TLS, names)
 * outlives the channel. NULL when memory is out. */
struct sl_grpc_channel *
sl_grpc_channel_open(const struct sl_grpc_channel_options *options) SL_MUST_CHECK;

/* What connections to come go by: certificates that were renewed, for one. Those that stand keep
 * theirs. `tls` outlives the channel or the next change. */
void sl_grpc_channel_set_tls(struct sl_grpc_channel *channel, struct sl_tls *tls);

/* Connects without a call, and tries on until a connection stands. */
void sl_grpc_channel_connect(struct sl_grpc_channel *channel);

/* A call (call.h). The channel's context is the call's, its authority and user agent too where the
 * request has none. NULL when memory is out, too many wait or the channel closes; then there is no
 * event. */
struct sl_grpc_call *sl_grpc_channel_call(struct sl_grpc_channel *channel,
                                          const struct sl_grpc_request *request,
                                          const struct sl_grpc_call_events *events,
                                          void *arg) SL_MUST_CHECK;

/* Ends calls with CANCELLED, then the connections. `on_closed(arg)` comes when all are gone, and
 * the channel too. Idempotent until then: the first call's `on_closed` it is. */
void sl_grpc_channel_close(struct sl_grpc_channel *channel, sl_loop_fn on_closed, void *arg);

enum sl_grpc_channel_state sl_grpc_channel_state(const struct sl_grpc_channel *channel);

/* Why the last connection could not be made or ended; OK at first. Borrowed. */
const struct sl_status *sl_grpc_channel_last_error(const struct sl_grpc_channel *channel);

struct sl_grpc_channel_view {
    uint64_t connects; /* connections that stood */
    uint64_t retries;  /* transparent ones */
    uint32_t waiting;  /* calls, for a connection */
    uint32_t draining; /* old connections that calls are left on */
    uint64_t ping_interval_ms;
};

void sl_grpc_channel_view(const struct sl_grpc_channel *channel, struct sl_grpc_channel_view *view);

/* What its calls share. */
struct sl_grpc_context *sl_grpc_channel_context(struct sl_grpc_channel *channel);

#endif
