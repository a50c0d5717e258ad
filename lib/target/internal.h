/* internal.h - the inside of a target: target.c has its life, change.c its way to another
 * configuration. */
#ifndef SLUICE_TARGET_INTERNAL_H
#define SLUICE_TARGET_INTERNAL_H

#include "base/backoff.h"
#include "base/log.h"
#include "h2/link.h"
#include "target/inquiry.h"
#include "target/target.h"

struct sl_target {
    struct sl_target_config config;
    enum sl_target_state state; /* written by handle() alone */
    struct sl_log_subject subject;
    char *authority;
    struct sl_stream **streams; /* those that go come last */
    size_t going;               /* how many of them do */
    struct sl_trial_limit trials;
    size_t open_streams;
    struct sl_conn *conn; /* while it dials */
    struct sl_h2_link *link;
    struct sl_backoff backoff;
    uint64_t retry_ms;   /* the last wait */
    bool redials;        /* the end of the connection is wanted: the next one comes at once */
    bool is_urgent;      /* the next wait is none: it is to connect anew */
    unsigned char turns; /* taken, since it wants to dial */
    struct sl_connect_site *site;
    struct sl_timer *timer;
    struct sl_device_fleet *fleet; /* of a replay */
    struct sl_deferred over_due;   /* the replay is over */
    struct sl_deferred closed_due;
    uint64_t messages_at_open; /* of all streams, when the connection began to stand */
    int64_t opened_ns;         /* then */
    uint64_t ping_interval_ms; /* from the next connection on */
    struct sl_inquiry inquiry;
    struct sl_gnmi_profile profile;           /* what the streams go by */
    struct sl_gnmi_capabilities capabilities; /* as told last; no vendor: never */
    struct sl_target_view view;
};

/* The streams may call on `session`; NULL: on none. */
void sl_target_lend(struct sl_target *target, struct sl_h2_session *session);

/* PINGs more often than the vendor's devices bear end the connection. */
void sl_target_slow_pings(struct sl_target *target);

void sl_target_use_profile(struct sl_target *target, const struct sl_gnmi_profile *profile,
                           const char *known_by);

/* What goes out as :authority, on the heap; NULL when memory is out. */
char *sl_target_authority(const struct sl_address *address) SL_MUST_CHECK;

/* A stream of the target's that calls on `authority`, which outlives it. NULL: `why`. */
struct sl_stream *sl_target_new_stream(struct sl_target *target,
                                       const struct sl_stream_config *from, const char *authority,
                                       struct sl_status *why) SL_MUST_CHECK;

#endif
