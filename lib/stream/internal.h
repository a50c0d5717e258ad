/* internal.h - the inside of a stream: stream.c has its life, flow.c the way of its data, grant.c
 * that of its credit. */
#ifndef SLUICE_STREAM_INTERNAL_H
#define SLUICE_STREAM_INTERNAL_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/log.h"
#include "stream/asking.h"
#include "stream/raise.h"
#include "stream/split.h"
#include "normalise/mend.h"
#include "stream/stream.h"

/* One record in flight. `token.owner` is this struct. */
struct sl_delivery {
    struct sl_token token;
    struct sl_stream *stream;
    struct sl_charge *charge;   /* NULL: a batch's, which has `charges`; or its sink is not
                                   required, and no message waits for it */
    struct sl_charge **charges; /* of the messages with a line in the batch */
    size_t charge_count;
    size_t charge_cap;
    struct sl_route *route;
    struct sl_route_place *place;
    uint32_t updates;
    uint32_t payload_bytes;
    uint64_t cost_bytes;
    int64_t device_ns;   /* the device's time; 0: of none, or of the initial state */
    int64_t newest_ns;   /* wall clock of the newest DATA */
    int64_t received_ns; /* the same when the message under way, or the last, began, or what
                          * config.message_time says */
    bool is_mark;        /* a marker: of no message */
    bool is_extra;       /* on the heap, not the charge's; a batch's always is */
};

/* One message: its bytes go back to the device when its last record is acknowledged. Recycled
 * through the stream's free list; as many deliveries as a member has routes: the first records of
 * the first member that gets some have these, any further ones theirs from the heap. */
struct sl_charge {
    struct sl_stream *stream;
    struct sl_charge *next_free;
    uint32_t generation;
    uint32_t window_bytes;
    uint64_t cost_bytes; /* of all its records, to learn the rate from */
    uint32_t holders;    /* records with a sink, and one while records are still being made */
    size_t member;       /* whose the deliveries below are; SIZE_MAX: nobody's yet */
    struct sl_delivery deliveries[];
};

/* What the rules of the route that is next have made of its part of the message. */
enum sl_ruled_step {
    SL_RULED_NOT,     /* they were not asked yet */
    SL_RULED_SAME,    /* nothing */
    SL_RULED_ANEW,    /* `response` */
    SL_RULED_NOTHING, /* nothing is left: no record, and the credit goes back */
};

struct sl_ruled {
    enum sl_ruled_step step;
    struct sl_gnmi_response response;
    struct sl_buf kept; /* what it lies in while the sink is full; else it is the rules' memory */
};

struct sl_stream_change {
    struct sl_stream_config config; /* `routes` is the array below */
    struct sl_route_config *routes;
    bool is_anew;     /* the device is asked something else */
    bool has_held;    /* a message may wait in the call's reader */
    int64_t since_ns; /* the loop's clock */
};

struct sl_stream {
    struct sl_stream_config config;
    enum sl_stream_state state; /* written by sl_stream_handle alone */
    struct sl_log_subject subject;
    struct sl_h2_session *session;
    struct sl_grpc_call *call;
    struct sl_credit credit;
    struct sl_share share;
    uint32_t short_bytes; /* of window: a message waits for so many bytes' memory; 0: none does */
    struct sl_loan loan;
    uint64_t in_flight;                  /* records with required sinks, over all generations */
    struct sl_charge *charge;            /* of the message whose records are being made */
    size_t next_route;                   /* the first that has not got its records yet */
    struct sl_ruled ruled;               /* for that route */
    struct sl_encoder_progress progress; /* of those records */
    uint32_t given;                      /* how many of them are with the sink */
    uint32_t repeated;                   /* updates of it that a later one outdid; all of these
                                            are swapped by stall.c while a kept message leaves */
    struct sl_charge *free_charges;
    struct sl_route *routes;
    size_t routes_each;         /* of a member: as many as there are sinks */
    struct sl_members *members; /* NULL: there is one, whose everything is */
    struct sl_asking asking;
    struct sl_prober *prober;       /* NULL: no request for several paths was refused yet */
    bool is_anew;                   /* the call is cancelled to make another one */
    struct sl_buf request;          /* the SubscribeRequest */
    struct sl_gnmi_profile profile; /* vendor NULL: nobody has said yet */
    bool is_told;                   /* it asked for the past, and has all of it */
    uint32_t workarounds;           /* a set of SL_GNMI_WORK */
    struct sl_mend *mend;           /* NULL: nothing was ever to be mended */
    struct sl_backoff backoff;
    uint64_t retry_ms;         /* the last wait */
    uint64_t messages_at_open; /* of the call */
    int64_t loan_since_ns;     /* with the reserve: since when */
    uint32_t loan_missing;     /* and what of the message was missing when last looked at */
    int64_t opened_ns;
    struct sl_timer *timer;
    bool is_finishing;            /* closes as soon as its batches are taken */
    struct sl_timer *batch_timer; /* NULL: no route has a batch */
    uint64_t batch_delay_ms;      /* the shortest of its routes */
    struct sl_deferred credit_due;
    struct sl_deferred closed_due;
    int64_t newest_ns;   /* wall clock of the newest DATA */
    int64_t received_ns; /* the same when the message under way, or the last, began, or what
                          * config.message_time says */
    struct sl_clock clock;
    int64_t sent_timestamp;         /* of the message under way */
    int64_t device_ns;              /* what the clock makes of it, */
    int64_t settled_ns;             /* and the wall clock then */
    bool is_connected;              /* a message has come in this epoch */
    int64_t seen_ns;                /* wall clock of the newest message, of any epoch; 0: none */
    struct sl_timer *silence_timer; /* NULL: the stream is never stale */
    int64_t heard_ns;               /* the loop's clock: the device was not silent then */
    int64_t blocked_since_ns;       /* counted until then */
    int64_t blocked_from_ns;        /* the device's wait began */
    struct sl_timer *stall_timer;   /* NULL: the policy is to block */
    size_t routes_stalled;          /* not SL_STALL_OPEN */
    size_t routes_keeping;
    uint64_t kept_bytes; /* cost of what they keep */
    int64_t stalled_since_ns;
    uint64_t stall_extended_bytes; /* of what is borrowed: for keeping */
    uint32_t stall_seen_bytes;     /* what was borrowed when that was looked at */
    uint64_t stall_conflated;      /* since then */
    uint64_t stall_shed;
    struct sl_stream_change *change; /* to come into force; NULL: none */
    struct sl_recording *recording;  /* held; NULL: nobody captures it */
    bool waits_for_sinks;            /* its last RPC was held when it ended */
    bool was_stalled;                /* and that was why */
    struct sl_stream_view view;      /* counters; the rest is filled in when asked for */
};

/* The timers that a configuration wants; NULL: not that one. */
struct sl_stream_timers {
    struct sl_timer *silence;
    struct sl_timer *stall;
    struct sl_timer *batch;
    uint64_t batch_delay_ms; /* the shortest of its routes */
};

/* stream.c. False when memory is out; to be freed in any case. `config` has its routes. */
bool sl_stream_timers_init(struct sl_stream_timers *timers, struct sl_stream *stream,
                           const struct sl_stream_config *config) SL_MUST_CHECK;
void sl_stream_timers_fini(struct sl_stream_timers *timers);

/* stream.c: the stream's share of the memory, with an empty ledger. */
void sl_stream_join_governor(struct sl_stream *stream, const struct sl_stream_config *config);

/* change.c: whether a new message has to wait for the change; and what the change waits for may
 * have happened, at the end of a turn of the loop. */
bool sl_stream_must_hold(struct sl_stream *stream);
void sl_stream_go_on_changing(struct sl_stream *stream);

/* flow.c */

/* Room in the message's window was used; a message may begin; a message is there: the call's
 * events. */
bool sl_stream_on_received(struct sl_grpc_call *call, uint32_t len, void *arg);
uint32_t sl_stream_max_message_bytes(const struct sl_grpc_call *call, void *arg);
enum sl_grpc_take sl_stream_on_message(struct sl_grpc_call *call, const uint8_t *bytes,
                                       uint32_t length, void *arg);

/* grant.c: memory that is held for the stream, whatever it is held for (records with a sink, lines
 * of a batch, what waits for a sink): all of it goes through these two, each byte once. It counts
 * against the stream's share, so that the device gets less credit for it; what is given back may
 * let credit out again, at the end of the loop's turn. */
void sl_stream_cost_add(struct sl_stream *stream, uint64_t bytes);
void sl_stream_cost_sub(struct sl_stream *stream, uint64_t bytes);

/* The records of a message of so many window bytes fit in the stream's share. False: put it on
 * HOLD; it is resumed when they may. */
bool sl_stream_claim(struct sl_stream *stream, uint32_t window_bytes) SL_MUST_CHECK;

/* Announces and borrows what the ledger and the budget let out. Once per turn of the loop. */
void sl_stream_give_credit(void *arg);

/* The call is gone: a message that was half offered is counted, a loan that is not needed returned.
 */
void sl_stream_drop_unfinished(struct sl_stream *stream);

void sl_stream_lent(struct sl_loan *loan, void *arg);

/* The stream's timer while it has a call: ends it when it borrows the reserve for too long, and
 * others wait. */
void sl_stream_check_loan(struct sl_stream *stream);

/* One holder of the charge less; after the last the message's bytes are the device's again. */
void sl_stream_drop_charge(struct sl_charge *charge);

/* optional.c: what is different for routes of sinks that are not required */

/* What a record of the route costs, from now on, or no longer. */
void sl_route_cost_add(struct sl_stream *stream, struct sl_route *route, uint64_t bytes);
void sl_route_cost_sub(struct sl_stream *stream, struct sl_route *route, uint64_t bytes);

/* Whether a marker can be made now. Lines that wait leave first, or are lost: then none of a number
 * that is given now can be in front of them. */
bool sl_optional_is_ready(struct sl_stream *stream, struct sl_route *route);

/* The sink has no room: so many updates of the message under way are lost. */
void sl_optional_drop(struct sl_route *route, uint64_t updates);
/* The message's window bytes are held from now on, by one holder. NULL: no memory. */
struct sl_charge *sl_stream_charge(struct sl_stream *stream, uint32_t window_bytes) SL_MUST_CHECK;

/* All records of the message under way are made. */
void sl_stream_end_charge(struct sl_stream *stream);

/* What is left of the records of the message under way for one route, whose part is `part`. False:
 * the sink is full. */
bool sl_stream_give_part(struct sl_stream *stream, struct sl_route *route,
                         const struct sl_gnmi_response *part) SL_MUST_CHECK;

/* recording.c: a new message, while there is a recording; the end of the call, with no secret in
 * its text; a new call was made. */
void sl_stream_record_message(struct sl_stream *stream, struct sl_str message);
void sl_stream_record_end(struct sl_stream *stream, const struct sl_status *status);
void sl_stream_record_call(struct sl_stream *stream);

/* grant.c: memory that may still be held for the stream. */
uint64_t sl_stream_memory_left(const struct sl_stream *stream);

/* ruled.c */

void sl_ruled_reset(struct sl_ruled *ruled);

/* What is left of `part` for the route, which is the next one. NULL: nothing. What is filtered is
 * counted once. */
const struct sl_gnmi_response *sl_ruled_part(struct sl_stream *stream, struct sl_route *route,
                                             const struct sl_gnmi_response *part);

/* The route's sink is full: that has to wait. False: there is no memory for it. */
bool sl_ruled_keep(struct sl_stream *stream, struct sl_route *route) SL_MUST_CHECK;

/* What the next record of the route says of its stream. */
struct sl_encoder_context sl_stream_context(const struct sl_stream *stream,
                                            const struct sl_route *route,
                                            const struct sl_gnmi_response *response);

/* The sink's time of a record of the message under way: that of its payload, but in nanoseconds
 * also where the payload has the device's number as it was sent. */
int64_t sl_stream_record_time(const struct sl_stream *stream,
                              const struct sl_gnmi_response *response);

/* What the lag of its record is counted from; 0: of this one it is not, for initial state is as old
 * as it is, and so is a replay. */
int64_t sl_stream_lag_time(const struct sl_stream *stream, const struct sl_gnmi_response *response);
void sl_stream_note_lag(struct sl_stream *stream, struct sl_route *route, int64_t device_ns);

/* What one record holds: its payload as allocated, its token, and the sink's own. */
uint64_t sl_stream_record_cost(const struct sl_route *route, size_t payload_cap);

/* What the sink is told of the records of a response: "baseline", "change" or "marker". */
struct sl_str sl_stream_kind(const struct sl_stream *stream,
                             const struct sl_gnmi_response *response);

/* Everything of a record but its payload, its numbers, its kind and the message's own time. */
void sl_stream_describe(const struct sl_stream *stream, const struct sl_route *route,
                        const struct sl_route_place *place, struct sluice_record *record);

/* A record of the route is with its sink, or with its batch, until sl_stream_settle. */
static inline void sl_stream_count_sent(struct sl_stream *stream, struct sl_route *route)
{
    stream->in_flight += sl_route_is_required(route);
    route->in_flight++;
}

static inline void sl_stream_count_back(struct sl_stream *stream, struct sl_route *route)
{
    SL_ASSERT(route->in_flight > 0);
    stream->in_flight -= sl_route_is_required(route);
    route->in_flight--;
}

/* The record is with nobody any more, and its updates are no longer held: they go to `counter`, of
 * the route's. */
void sl_stream_settle(struct sl_delivery *delivery, uint64_t *counter);

/* mending.c */

/* Appends the request for some of the paths (asking.h), as the device wants it; and makes the one
 * for those that the stream asks for now. */
struct sl_status sl_stream_pack_paths(const struct sl_stream *stream, const uint8_t *is_in,
                                      struct sl_buf *request) SL_MUST_CHECK;
void sl_stream_pack_request(struct sl_stream *stream);

/* Extensions of a new message: counted, and told where they say something. */
void sl_stream_note_extensions(struct sl_stream *stream, const struct sl_gnmi_response *response);

/* stream.c: the device was heard, so it is not stale (any more). */
void sl_stream_note_heard(struct sl_stream *stream);

/* What makes the time of the route's records: as configured; where nothing is, as the vendor's
 * times want it. */
enum sl_clock_policy sl_stream_clock_policy(const struct sl_stream *stream,
                                            const struct sl_route *route);

/* stream.c: the message under way, if there is one, is offered again. */
void sl_stream_resume(struct sl_stream *stream);

/* stream.c: it is to be closed, and nothing is held any more: the call may go. */
void sl_stream_note_empty(struct sl_stream *stream);

/* stream.c: the only place that writes `state`. */
void sl_stream_handle(struct sl_stream *stream, enum sl_stream_event event);

/* A Subscribe call on the stream's session, before its request; NULL: none can be made. */
struct sl_grpc_call *sl_stream_open_call(struct sl_stream *stream,
                                         const struct sl_grpc_call_events *events,
                                         void *arg) SL_MUST_CHECK;

/* The stream need not wait for the prober any more; nor, `at_once`, for its backoff. */
void sl_stream_subscribe_soon(struct sl_stream *stream, bool at_once);

/* Ends the call, if there is one, and makes the next at once, for what the stream asks for has
 * changed. False: a message is half offered, which would be lost; later. */
bool sl_stream_subscribe_anew(struct sl_stream *stream) SL_MUST_CHECK;

#endif
