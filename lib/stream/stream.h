/* stream.h - one Subscribe RPC's life, again and again: subscribe, receive, publish, return credit.
 *
 * A stream is one RPC of one target: one window, for one subscription or several, its members. It
 * never dials: its target lends it a session. It subscribes while it has a session and every sink
 * takes records, charges each message to its ledger, gives a record to each route of the member
 * that the message is for, and returns the message's bytes to the device when the last of them was
 * acknowledged. When the RPC ends it waits (backoff) and subscribes anew, with
 * a larger epoch. What becomes of one whose sinks stand still says stall.h; one that was held when
 * its RPC ended subscribes anew when they have acknowledged all that it gave them.
 *
 * The machine is the table in state.c. A stream outlives its RPCs: reports of an earlier one still
 * count as published, but no longer as credit.
 *
 * Loop thread only.
 */
#ifndef SLUICE_STREAM_STREAM_H
#define SLUICE_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "capture/recording.h"
#include "credit/budget.h"
#include "credit/governor.h"
#include "gnmi/request.h"
#include "gnmi/vendor.h"
#include "grpc/call.h"
#include "loop/loop.h"
#include "metrics/tally.h"
#include "normalise/mend.h"
#include "stream/ended.h"
#include "stream/member.h"
#include "stream/route.h"
#include "stream/stall.h"
#include "stream/state.h"

struct sl_stream;

/* While another stream waits for the reserve, a message that borrows it has so long. */
enum {
    SL_STREAM_LOAN_S = 30, /* altogether */
    SL_STREAM_LOAN_STALL_S =
        2, /* without a byte; once or twice that, as it is looked at so often */
};

/* What a worker's streams share. */
struct sl_stream_pool {
    struct sl_budget_plan plan;
    struct sl_reserve reserve;
    struct sl_governor governor; /* swept by the worker, each SL_GOVERNOR_SWEEP_MS */
    struct sl_buf scratch; /* for a response that is not in its usual form, while it is read */
    struct sl_members_scratch sharing; /* for the message that is given to members */
    struct sl_buf mended;              /* for a response that had to be mended */
    struct sl_distinct distinct;       /* for a route's part, where a path is in it twice */
    struct sl_grpc_context grpc;       /* for compressed messages; no loop */
    struct sl_meters meters;
    struct sl_ended ended; /* what routes counted that are no more */
};

void sl_stream_pool_init(struct sl_stream_pool *pool, const struct sl_budget_plan *plan);

/* What one device may be asked on trial (prober.h): SL_STREAM_TRIALS requests at once, then one
 * each SL_STREAM_TRIAL_S seconds. Zeroed to begin with. */
enum { SL_STREAM_TRIALS = 30, SL_STREAM_TRIAL_S = 2 };

struct sl_trial_limit {
    int64_t paid_ns; /* until then an even pace is used up */
};

struct sl_stream_config {
    struct sl_loop *loop;
    const char *target;       /* names, for records and the log */
    const char *subscription; /* the members' names, as one */
    const struct sl_stream_member *members;
    size_t member_count;                /* at least one */
    struct sl_gnmi_subscribe subscribe; /* but for what is asked: that is the members' */
    const char *authority;
    const char *username; /* "" : none */
    const char *password;
    uint64_t credit_initial_bytes; /* of window, at first, */
    uint64_t credit_max_bytes;     /* and at most; less is as much as at first */
    enum sl_priority priority;
    uint32_t max_message_bytes; /* decompressed too */
    bool gzip; /* requests are compressed, and responses may be; those that are anyhow are read */
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    int64_t quarantine_ns; /* a path that is refused waits so long; later twice as long, up to … */
    int64_t quarantine_max_ns;
    struct sl_trial_limit *trials; /* of the device; NULL: any number */
    struct sl_stream_pool *pool;
    struct sl_clock_config clock;
    struct sl_stall_config stall;
    int64_t stale_after_ns;               /* so long without a message; 0: it is never stale */
    const struct sl_route_config *routes; /* in the order of their members */
    size_t route_count;                   /* at least one */
    /* When the next message came, each asked for once and in order; false: now. NULL: always now.
     */
    bool (*message_time)(void *arg, int64_t *received_ns);
    /* An RPC ended, whoever ended it, and the stream goes on by itself; NULL: nobody asks. Closes
     * nothing from within. */
    void (*on_ended)(struct sl_stream *stream, void *arg);
    /* The stream reached CLOSED after sl_stream_close; comes at the end of a turn of the loop. */
    void (*on_closed)(struct sl_stream *stream, void *arg);
    void *arg;
};

/* What `config` points at outlives the stream, but for the array of routes. NULL with the reason in
 * `why`. */
struct sl_stream *sl_stream_new(const struct sl_stream_config *config,
                                struct sl_status *why) SL_MUST_CHECK;

/* After on_closed, or before the start; nothing may be in flight. */
void sl_stream_free(struct sl_stream *stream);

/* The target's session, on which the stream may subscribe from now on; NULL: there is none (any
 * more), or it takes no new calls. A call that is under way is not touched. */
void sl_stream_set_session(struct sl_stream *stream, struct sl_h2_session *session);

/* How the device wants to be asked, from the next Subscribe call on, and what of its messages is to
 * be mended. What is done otherwise for its sake goes into the log once. False: everything stays as
 * it was, which the log says. */
bool sl_stream_set_profile(struct sl_stream *stream, const struct sl_gnmi_profile *profile);

/* What was put right so far. */
void sl_stream_mended(const struct sl_stream *stream, struct sl_mend_counts *counts);

/* What is done otherwise than the specification has it: a set of SL_GNMI_WORK. */
uint32_t sl_stream_workarounds(const struct sl_stream *stream);

bool sl_stream_has_call(const struct sl_stream *stream);

/* A sink has begun to take records, or has stopped. */
void sl_stream_sinks_changed(struct sl_stream *stream);

/* `sink` has room again after FULL. */
void sl_stream_sink_ready(struct sl_stream *stream);

/* Another configuration for a stream of the same members, whose names are the same: with other
 * sinks, labels, rules; `is_anew`: or another request, for which it subscribes anew. What is the
 * owner's (its callbacks, authority, trials) stays. NULL: no memory. */
struct sl_stream_change;
struct sl_stream_change *sl_stream_change_new(const struct sl_stream_config *config,
                                              bool is_anew) SL_MUST_CHECK;
void sl_stream_change_free(struct sl_stream_change *change); /* NULL is nothing */

/* Takes the change, which comes into force when everything that the stream has is acknowledged;
 * until then it takes no further message, and subscribes not. For sinks that are not required it
 * waits without holding the device. One that was not in force yet is replaced. While it is
 * changing it borrows from both configurations. */
void sl_stream_change(struct sl_stream *stream, struct sl_stream_change *change);
bool sl_stream_is_changing(const struct sl_stream *stream);

/* From the next call on. Borrowed. */
void sl_stream_renew(struct sl_stream *stream, const char *authority, const char *username,
                     const char *password);

/* A capture of what the stream receives from now on, of its RPCs as they are: nothing is asked for
 * anew, and nothing waits for it. It has each message when the stream takes it, as it came, with
 * the time of its arrival, and the ends of RPCs. It ends by itself when it is full, with "request"
 * before an RPC that asks for something else, with "closed" with the stream. One at a time. Held by
 * the caller; NULL: `why`. */
struct sl_stream_capture {
    const char *vendor; /* for its header */
    size_t max_bytes;   /* as sl_recording_options has it */
    struct sl_recording_quota *quota;
};
struct sl_recording *sl_stream_capture(struct sl_stream *stream,
                                       const struct sl_stream_capture *capture,
                                       struct sl_status *why) SL_MUST_CHECK;

/* Stops it, where it is the stream's, which lets go of it. False: it is not (any more). */
bool sl_stream_capture_stop(struct sl_stream *stream, const struct sl_recording *recording,
                            const char *reason);

/* It is closed, and on_closed has come; nothing of it is with any sink. */
bool sl_stream_is_closed(const struct sl_stream *stream);
bool sl_stream_is_empty(const struct sl_stream *stream);

/* Whether its members are those of `config`, by their names and in their order. */
bool sl_stream_is_same(const struct sl_stream *stream, const struct sl_stream_config *config);

/* Ends it: no more credit, what is held is waited for, the call is cancelled, on_closed.
 * Idempotent. */
void sl_stream_close(struct sl_stream *stream);

/* Between two RPCs: subscribes no more, and closes as soon as sinks have all that waits for room
 * with them. */
void sl_stream_finish(struct sl_stream *stream);

/* The same at once, without waiting for what is held. */
void sl_stream_abort(struct sl_stream *stream);

/* What the sink said of one record of some stream: `token` came to the sink from sl_sink_accept. */
void sl_stream_acknowledge(struct sl_token *token, enum sluice_result result);

/* Everything that metrics and the log say of a stream. */
struct sl_stream_view {
    const char *target;
    const char *subscription;
    enum sl_stream_state state;
    const struct sl_route *routes;
    size_t route_count;
    const struct sl_stream_member *members;
    size_t member_count;
    uint64_t messages;
    uint64_t message_bytes;
    uint64_t duplicates;
    uint64_t syncs;        /* sync_response messages */
    uint64_t empties;      /* responses without an update or a sync */
    uint64_t unasked;      /* updates and deletes under no member's path, given to the first one */
    uint64_t extensions;   /* received, but for the header that a vendor puts into each message */
    uint64_t config_syncs; /* of them, ends of a change of configuration (sync_done) */
    bool is_synced;        /* in this RPC */
    uint64_t stalls;       /* decisions that it stands still */
    uint64_t kept_bytes;   /* memory that is kept for sinks that stand still */
    bool is_stalled;       /* its routes keep something, or it waits for its sinks to subscribe */
    bool is_stale;         /* nothing came for stale_after_ns, though it could have */
    struct sl_clock_counts clock;
    enum sl_clock_unit clock_unit;
    uint64_t trials;     /* Subscribe calls for some of the paths, to find the refused ones */
    uint64_t subscribes; /* Subscribe calls made; all but the first are reconnects */
    uint64_t epoch;
    uint32_t granted_bytes;
    uint32_t assembling_bytes;
    uint32_t held_bytes;
    uint32_t pending_bytes;
    uint32_t limit_bytes;
    uint32_t borrowed_bytes;
    uint64_t cost_held_bytes;
    uint64_t share_bytes;    /* cost: what it may hold now, */
    uint64_t entitled_bytes; /* and what it gets whenever it wants it */
    uint64_t window_doublings;
    enum sl_limited limited; /* by what the device is blocked */
    int64_t blocked_ns;      /* the device had no credit to go on with */
    bool is_blocked;
    int64_t lag_ns; /* of the record that was acknowledged last, from the device's time; 0: none */
    const char *last_reason; /* why the last RPC ended, a literal; NULL: none has */
    struct sl_tally ends;    /* of RPCs that nobody here ended, by reason */
};

/* How many of the member's paths the device refuses, so that they are left out; the first `room` of
 * them in `paths`, borrowed from the configuration. */
uint32_t sl_stream_quarantined(const struct sl_stream *stream, size_t member, const char **paths,
                               size_t room);

void sl_stream_view(const struct sl_stream *stream, struct sl_stream_view *view);

#endif
