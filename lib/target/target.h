/* target.h - one device: its one connection, and the streams that share it; or a capture that
 * stands for the device.
 *
 * A target waits for its turn to connect, dials, lends the HTTP/2 session to its streams, and dials
 * again with backoff whenever the connection ends, at whatever point. A GOAWAY is obeyed: calls
 * that are under way go on, new ones wait for the next connection. One that says too_many_pings
 * gets them half as often from then on.
 *
 * Whose device it is tells the configuration, or the device: then each connection begins with
 * Capabilities, and the streams get the session when the answer is there (inquiry.h). A device that
 * gives none is taken for what it was on the connection before, at first for `generic`.
 *
 * A capture is played by a simulated device of the target's own (device/device.h), which nobody
 * else can reach, over a connection like any other. At its end the target closes by itself.
 *
 * Loop thread only.
 */
#ifndef SLUICE_TARGET_TARGET_H
#define SLUICE_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/machine.h"
#include "base/status.h"
#include "device/device.h"
#include "gnmi/vendor.h"
#include "grpc/context.h"
#include "loop/loop.h"
#include "metrics/tally.h"
#include "net/net.h"
#include "stream/stream.h"
#include "target/connect.h"

struct sl_target;

enum sl_target_state {
    SL_TARGET_NONE,    /* an absent cell: "cannot happen" */
    SL_TARGET_IDLE,    /* not started */
    SL_TARGET_WAITING, /* for its turn to connect (connect.h) */
    SL_TARGET_DIALING,
    SL_TARGET_UP,
    SL_TARGET_GOING, /* the peer said GOAWAY: open calls go on, then a new connection */
    SL_TARGET_BACKOFF,
    SL_TARGET_DRAINING, /* closing: its streams wait for what they hold */
    SL_TARGET_ENDING,   /* closing: the streams are closed, the connection is not */
    SL_TARGET_CLOSED,
};

enum { SL_TARGET_STATES = SL_TARGET_CLOSED + 1 };

const char *sl_target_state_name(enum sl_target_state state);

extern const struct sl_machine sl_target_machine;

struct sl_target_config {
    struct sl_loop *loop;
    const char *name;
    const struct sl_device_replay *replay; /* instead of an address; NULL: none */
    const struct sl_address *address;
    const struct sl_proxy *proxy;      /* NULL: none */
    struct sl_tls *tls;                /* NULL: plaintext */
    struct sl_connect *connect;        /* whose turns it takes; held. NULL: it never waits */
    const char *source;                /* who named it, for its view; NULL: the configuration */
    const char *site;                  /* where, for sl_connect_join; NULL: nowhere */
    const struct sl_h2_limits *limits; /* of its connections, outlive them; NULL: the default */
    const char *server_name;   /* whom the device's certificate must be for; NULL or "": the host */
    bool skips_verify;         /* `tls` takes whoever answers: said in the log */
    uint64_t dial_timeout_ms;  /* of the connection, and again of the peer's SETTINGS */
    uint64_t ping_interval_ms; /* of silence, then a PING; 0: none */
    uint64_t ping_timeout_ms;
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    const char *username;         /* "" : none; for Capabilities, as the streams' for Subscribe */
    const char *password;         /* which no text of the peer may show */
    struct sl_grpc_context *grpc; /* for compressed messages */
    const struct sl_gnmi_vendor *vendor; /* NULL: the device is asked on each connection */
    /* Complete but for `authority`, `trials`, `on_closed` and `arg`, which are the target's. */
    const struct sl_stream_config *streams;
    size_t stream_count;
    /* After sl_target_close, or at a replay's end: connection and streams are closed. What streams
     * have with sinks may still be out: free the target after the sinks are closed. */
    void (*on_closed)(struct sl_target *target, void *arg);
    void *arg;
};

/* Copies the arrays of streams and of their routes; what else it points at outlives the target.
 * NULL: `why`. */
struct sl_target *sl_target_new(const struct sl_target_config *config,
                                struct sl_status *why) SL_MUST_CHECK;
void sl_target_free(struct sl_target *target); /* after on_closed, or never opened */

/* Dials, in its turn. */
void sl_target_open(struct sl_target *target);

/* Drains the streams, then closes the connection. Idempotent. */
void sl_target_close(struct sl_target *target);

/* The same without waiting for what is held. */
void sl_target_abort(struct sl_target *target);

/* What an operator may ask of a target. */
enum sl_target_command {
    SL_TARGET_PAUSE,     /* ends its connection, and dials no more; what sinks have is waited for */
    SL_TARGET_RESUME,    /* dials at once; nothing where it was not paused */
    SL_TARGET_RECONNECT, /* ends its connection, or its wait, and dials at once */
};

/* False: it is closing, or stands for a replay; for RECONNECT also while it is paused. */
bool sl_target_command(struct sl_target *target, enum sl_target_command command) SL_MUST_CHECK;

/* What is new of a target's configuration: everything but its kind (a replay stays one, of the same
 * file). */
struct sl_target_change {
    const struct sl_target_config *config; /* as for sl_target_new; copied as there */
    const bool *is_anew; /* for each of its streams: one that is there already subscribes anew */
    bool redials;        /* the connection ends, and is made again */
};

/* Goes over to another configuration: streams that are in both go on (sl_stream_change), others are
 * drained and go, others come. A connection that stands goes on, unless it `redials`; what concerns
 * it counts from the next one on. False: `why`, and everything is as it was. */
bool sl_target_change(struct sl_target *target, const struct sl_target_change *change,
                      struct sl_status *why) SL_MUST_CHECK;

/* Now and then, and whenever it is asked: streams that have gone are freed as soon as nothing of
 * them is with any sink. True: the target borrows from its newest configuration alone. */
bool sl_target_settle(struct sl_target *target);

/* on_closed has come. */
bool sl_target_is_closed(const struct sl_target *target);

/* Nothing of it is with any sink: a closed one may be freed. */
bool sl_target_is_empty(const struct sl_target *target);

/* Those that are about to go, too: they are the last, so many. */
size_t sl_target_streams(const struct sl_target *target);
size_t sl_target_going(const struct sl_target *target);
struct sl_stream *sl_target_stream(const struct sl_target *target, size_t i);

struct sl_target_view {
    const char *name;
    const struct sl_address *address; /* as configured */
    enum sl_target_state state;
    uint64_t connects;       /* connections that stood */
    const char *last_reason; /* why the last connection ended, a literal; NULL: none has */
    struct sl_tally ends;    /* of connections and attempts that failed, by reason */
    const struct sl_gnmi_vendor *vendor;
    const char *source;   /* as configured */
    const char *known_by; /* why it is that one: "named", "capabilities", or "nobody" */
    char gnmi_version[SL_GNMI_MAX_VERSION_BYTES]; /* as the device says; "" : it does not */
    uint32_t workarounds; /* in force, with those of the streams: a set of SL_GNMI_WORK */
    bool is_paused;       /* it stays without a connection until it is resumed */
    bool is_damaged;      /* a replay is over, and its file was neither whole nor cut off */
};

void sl_target_view(const struct sl_target *target, struct sl_target_view *view);

#endif
