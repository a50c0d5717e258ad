/* watcher.h - the times of a link: what its peer has to have done until when.
 *
 * Owned by the link (link.c); on_miss and on_idle come from the loop. A client's peer is watched
 * where the link's owner asks for it (sl_h2_link_watch), a server's always (limits.h).
 */
#ifndef SLUICE_H2_WATCHER_H
#define SLUICE_H2_WATCHER_H

#include "h2/link.h"

struct sl_h2_watcher_events {
    /* The peer's time is over. `error`: what to tell it; NO_ERROR: nothing, it does not listen. */
    void (*on_miss)(const struct sl_status *why, enum sl_h2_error error, void *arg);
    /* There has been no stream for limits.idle_ms. */
    void (*on_idle)(void *arg);
};

struct sl_h2_watcher {
    struct sl_loop *loop;
    struct sl_h2_session *session;
    const struct sl_h2_limits *limits;
    const struct sl_h2_watcher_events *events;
    void *arg;
    struct sl_h2_watch watch;
    struct sl_timer *timer;  /* of `watch`; NULL: nobody asked for it */
    struct sl_timer *ticker; /* of a server's limits */
    uint64_t tick_ms;
    int64_t opened_ns;
    int64_t heard_ns;    /* the newest bytes */
    int64_t pinged_ns;   /* the PING that is not answered yet; 0: none is */
    int64_t blocked_ns;  /* the socket is full since; 0: it is not */
    int64_t busy_ns;     /* a stream was seen last */
    int64_t draining_ns; /* a drain waits for its PING since; 0: none does */
    bool is_settled;     /* our SETTINGS are acknowledged, and the timer knows */
    int32_t seen_id;     /* of the newest stream */
};

/* False when memory is out. */
bool sl_h2_watcher_init(struct sl_h2_watcher *watcher, struct sl_loop *loop,
                        struct sl_h2_session *session, enum sl_h2_role role,
                        const struct sl_h2_limits *limits) SL_MUST_CHECK;
void sl_h2_watcher_fini(struct sl_h2_watcher *watcher);

/* As sl_h2_link_watch. */
bool sl_h2_watcher_start(struct sl_h2_watcher *watcher,
                         const struct sl_h2_watch *watch) SL_MUST_CHECK;

/* Bytes came. The session knows what time it is, then. */
void sl_h2_watcher_heard(struct sl_h2_watcher *watcher);

/* The session has taken them: the handshake may be over, and from then on it is silence that
 * counts.
 */
void sl_h2_watcher_note_settled(struct sl_h2_watcher *watcher);

void sl_h2_watcher_blocked(struct sl_h2_watcher *watcher, bool is_blocked);

#endif
