/* device.h - simulated gNMI devices: what `sluice sim` runs.
 *
 * N devices, named sim1 to simN, answer Subscribe on one port (told apart by prefix.target) or on a
 * port each: OpenConfig interface counters and states for a number of interfaces, an initial dump,
 * sync_response, then updates. Each of a request's subscriptions has its own pace: a SAMPLE its
 * interval, with suppress_redundant only what changed, and all of it at each heartbeat_interval; an
 * ON_CHANGE what changed, ten looks a second, and the heartbeat likewise; the others a fixed rate,
 * or as fast as the collector's credit allows. All encodings are spoken. Every Subscribe RPC has
 * leaves of its own that let a reader prove completeness:
 *
 *     /sluice-sim/state/seq       1, 2, 3 … : the messages of this RPC, those of the dump included
 *     /sluice-sim/state/session   new for every RPC: 16 hex digits
 *
 * A notification has `updates` leaves: seq, then session, then counters and states in turn. With 1
 * it has seq alone, and whoever reads tells RPCs apart by other means. sync_response has no seq.
 * There is one seq for all subscriptions of an RPC.
 *
 * Capabilities, Get and Set work on a data tree that each device has of its own (tree.h, store.h),
 * apart from those leaves: what a Set writes a Get reads, state too, so that a test can change what
 * a device says of itself. Subscribe reads that tree too, without numbers, in the modes ONCE and
 * POLL, with a history or a config subscription, and always where the devices were given `data`
 * (watch.h); such RPCs are in no report.
 *
 * Each port answers health probes and server reflection too (grpc/health.h, grpc/reflection.h).
 *
 * Loop thread only.
 */
#ifndef SLUICE_DEVICE_DEVICE_H
#define SLUICE_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/net.h"

enum {
    SL_DEVICE_MAX_DEVICES = 20000,
    SL_DEVICE_MAX_CONNECTIONS = 50000, /* at one port, from one collector too */
    SL_DEVICE_MAX_INTERFACES = 4096,
    SL_DEVICE_MAX_UPDATES = 65536,
    SL_DEVICE_MAX_RATE_PER_S = 10 * 1000 * 1000,
    SL_DEVICE_MIN_MESSAGE_BYTES = 6,
    SL_DEVICE_MAX_MESSAGE_BYTES = 15 * 1024 * 1024,
    SL_DEVICE_MAX_REQUEST_BYTES = 1024 * 1024, /* of a SubscribeRequest */
    SL_DEVICE_MAX_STREAM_PATH_BYTES = 256,     /* of a report's `path` */
};

enum sl_device_when_held {
    /* The next message is made only when what was made before has left. The clock of a rate or of a
     * sample interval stands still meanwhile. */
    SL_DEVICE_WAIT,
    /* The clock goes on (1000 messages a second for `as_fast`), and a message that is due but
     * cannot leave merges into the one that waits: seq - previous seq - 1 = `duplicates` of the seq
     * leaf. So do looks for changes, of which only the last finds any. The initial dump always
     * waits. */
    SL_DEVICE_COALESCE,
};

/* One Subscribe RPC. The strings are borrowed until the call that hands it over returns. */
struct sl_device_report {
    const char *device;  /* "sim1" */
    const char *session; /* the leaf's text */
    const char *path;    /* the subscribed paths as text, cut off where they are too long */
    uint64_t seq;        /* of the last message sent; 0: none */
    uint64_t messages;   /* with a seq; fewer than `seq` after coalescing */
    uint64_t updates;
    uint64_t bytes; /* of gRPC messages, without their prefixes */
    uint64_t duplicates;
    int64_t blocked_ns; /* wanted to send, and flow control (or the socket) did not let it */
    bool is_blocked;    /* right now */
};

/* Each may be NULL. */
struct sl_device_events {
    /* The RPC sent its `count`; it stays open. */
    void (*on_done)(const struct sl_device_report *report, void *arg);
    /* The RPC is over. */
    void (*on_ended)(const struct sl_device_report *report, void *arg);
    /* A replay has come to the end of its file (sl_device_fleet_is_over). */
    void (*on_over)(void *arg);
    /* Nobody came in: a TLS handshake failed. `peer` and `why` are borrowed. */
    void (*on_refused)(const char *peer, const struct sl_status *why, void *arg);
    /* The last event, after a close: the fleet is gone when it returns. */
    void (*on_closed)(void *arg);
};

struct sl_device_tree;
struct sl_device_dialect; /* dialect.h */

/* What a method answers instead of what it would. */
struct sl_device_failure {
    enum sl_code code; /* SL_OK: none */
    const char *text;
};

enum { SL_DEVICE_METHODS = 4 }; /* in the order of gnmi__g_nmi__methods */

/* What Subscribe answers instead of all that is said above: a capture (play.h). When an RPC comes
 * to the end of the file it begins again at its first entry if it `loops`; else it ends with OK if
 * it `ends`, or stays open, and says nothing more. Which of the calls of the file the next RPC
 * plays, all devices have in common; behind the last one it is the first again, but with `ends`. */
struct sl_device_replay {
    const char *file; /* outlives the fleet; NULL: none */
    bool is_fast;     /* as fast as the collector's credit allows; else at the capture's pace */
    bool loops;
    bool ends;
    bool shifts; /* timestamps move by as much as the RPC's first entry came earlier than now */
    bool tells_times; /* sl_device_fleet_take_time is called for each message; one RPC at a time */
};

struct sl_device_options {
    struct sl_address listen; /* the first port; 0: any free one, for each */
    uint32_t devices;
    bool port_each;      /* a port each, counting up; else all on one */
    uint32_t interfaces; /* per device */
    uint32_t updates;    /* leaves in one notification, at least 1 */
    /* With a maximum: each message's size (without its gRPC prefix) is drawn between the two, every
     * magnitude alike, and a leaf /sluice-sim/state/padding makes up what is missing. Where the
     * leaves do not fit, fewer are sent; where not even seq fits, a message without a notification
     * and without a seq is sent instead (an extension; the nearest of 7, 9, 10 … bytes below, 7 at
     * least). */
    uint32_t min_message_bytes;
    uint32_t max_message_bytes;
    uint64_t seed; /* of those draws */
    /* The pace of what was asked for with neither a sample interval nor only for its changes:
     * messages a second, or as fast as credit allows, or with neither as if sampled each second. */
    uint64_t rate_per_s;
    bool as_fast;
    uint64_t count; /* messages with a seq per RPC, then silence; 0: no end */
    enum sl_device_when_held when_held;
    const char *username; /* demanded in the metadata; NULL: not */
    const char *password;
    struct sl_tls *tls;          /* a server's, held; NULL: plaintext */
    struct sl_device_tree *data; /* of each device at first, held; NULL: a small one of its own */
    struct sl_device_failure failures[SL_DEVICE_METHODS];
    struct sl_device_replay replay;
    const struct sl_device_dialect *dialect; /* a vendor's devices; NULL: nobody's */
    uint32_t max_rpcs;     /* with a dialect: Subscribe calls at once; 0: as it has it */
    uint64_t keepalive_ms; /* with a dialect that has one: how often; 0: as it has it */
    uint64_t lose_every;   /* with a dialect whose messages are numbered: of so many numbers one is
                              left out; 0: none */
};

struct sl_device_fleet;

struct sl_device_totals { /* since the fleet opened; as in sl_device_report, summed */
    uint64_t messages;
    uint64_t updates;
    uint64_t bytes;
    uint64_t duplicates;
    int64_t blocked_ns;
    uint32_t streams; /* open now */
    uint32_t blocked; /* of them, blocked now */
};

/* Copies `options`, but for the strings, which outlive the fleet as `events` does. NULL with the
 * reason in `why` when an option is out of its range, a port is taken or memory is out. */
struct sl_device_fleet *sl_device_fleet_open(struct sl_loop *loop,
                                             const struct sl_device_options *options,
                                             const struct sl_device_events *events, void *arg,
                                             struct sl_status *why) SL_MUST_CHECK;

/* The ports it listens on: 1, or one per device. */
uint32_t sl_device_fleet_ports(const struct sl_device_fleet *fleet);
uint16_t sl_device_fleet_port(const struct sl_device_fleet *fleet, uint32_t index);

/* For dials to SL_ADDRESS_PRIVATE, where that is what it listens at; NULL once it closes. */
struct sl_listener *sl_device_fleet_listener(const struct sl_device_fleet *fleet);

/* Whether a replay has come to the end of its file, with or without an error: `why`. DATA_LOSS: the
 * capture was cut off there. An RPC that ends there counts once its
 * status has left. */
bool sl_device_fleet_is_over(const struct sl_device_fleet *fleet, struct sl_status *why);

/* When the next message of a replay's RPC came, as the capture has it: in the order in which they
 * were sent, each once. False: no more were sent. */
bool sl_device_fleet_take_time(struct sl_device_fleet *fleet, int64_t *received_ns);

void sl_device_fleet_totals(const struct sl_device_fleet *fleet, struct sl_device_totals *totals);

/* Calls `fn` for each open RPC. */
void sl_device_fleet_each(const struct sl_device_fleet *fleet,
                          void (*fn)(const struct sl_device_report *report, void *arg), void *arg);

/* Ends every stream with UNAVAILABLE, gives what is on its way a second to leave, and closes.
 * on_closed follows. Idempotent. */
void sl_device_fleet_close(struct sl_device_fleet *fleet);

#endif
