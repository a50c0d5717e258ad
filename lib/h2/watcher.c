#include "h2/watcher.h"

enum {
    TICKS = 4,          /* in the shortest time that is watched: how exact they are */
    MAX_TICK_MS = 5000, /* of what an idle connection costs */
};

static void miss(struct sl_h2_watcher *watcher, const char *reason, enum sl_h2_error error,
                 const char *what, uint64_t ms)
{
    struct sl_status why = sl_status_because(
        reason, sl_status_error(SL_UNAVAILABLE, "%s in %g s", what, (double)ms / 1000));

    watcher->events->on_miss(&why, error, watcher->arg);
}

static uint64_t ms_since(const struct sl_h2_watcher *watcher, int64_t then_ns)
{
    return (uint64_t)((sl_loop_now_ns(watcher->loop) - then_ns) / SL_NS_PER_MS);
}

/* ---- what somebody asked for: SETTINGS, PING ---- */

/* The peer's time is over. Bytes count, whatever they are: PING is for a peer that is gone. */
static void watch_ping(struct sl_h2_watcher *watcher)
{
    const struct sl_h2_watch *watch = &watcher->watch;
    uint64_t silent_ms = ms_since(watcher, watcher->heard_ns);

    if (watch->ping_interval_ms == 0) {
        return;
    }
    if (watcher->pinged_ns > 0) {
        miss(watcher, "ping-timeout", SL_H2_NO_ERROR, "no answer to a PING",
             watch->ping_timeout_ms);
    } else if (silent_ms < watch->ping_interval_ms) {
        sl_timer_start(watcher->timer, watch->ping_interval_ms - silent_ms);
    } else if (sl_h2_session_streams(watcher->session) == 0) {
        sl_timer_start(watcher->timer, watch->ping_interval_ms);
    } else {
        watcher->pinged_ns = sl_loop_now_ns(watcher->loop);
        sl_h2_session_ping(watcher->session);
        sl_timer_start(watcher->timer, watch->ping_timeout_ms);
    }
}

static void on_timer(void *arg)
{
    struct sl_h2_watcher *watcher = arg;
    uint64_t limit_ms = watcher->watch.settings_ms;

    if (limit_ms > 0 && !sl_h2_session_is_greeted(watcher->session)) {
        miss(watcher, "settings-timeout", SL_H2_NO_ERROR, "no SETTINGS from the peer", limit_ms);
    } else if (limit_ms > 0 && !sl_h2_session_is_settled(watcher->session)) {
        miss(watcher, "settings-timeout", SL_H2_SETTINGS_TIMEOUT,
             "our SETTINGS were not acknowledged", limit_ms);
    } else {
        watch_ping(watcher);
    }
}

/* ---- what a server asks of everybody ---- */

static bool is_over(const struct sl_h2_watcher *watcher, int64_t since_ns, uint64_t limit_ms)
{
    return limit_ms > 0 && since_ns > 0 && ms_since(watcher, since_ns) >= limit_ms;
}

/* False: the peer has missed something. */
static bool check_peer(struct sl_h2_watcher *watcher)
{
    const struct sl_h2_limits *limits = watcher->limits;
    struct sl_h2_session *session = watcher->session;

    if (!sl_h2_session_is_greeted(session)) {
        if (is_over(watcher, watcher->opened_ns, limits->greeting_ms)) {
            miss(watcher, "settings-timeout", SL_H2_SETTINGS_TIMEOUT, "no SETTINGS from the peer",
                 limits->greeting_ms);
            return false;
        }
    } else if (limits->frame_ms > 0 && sl_h2_session_unfinished_ms(session) >= limits->frame_ms) {
        miss(watcher, "frame-timeout", SL_H2_ENHANCE_YOUR_CALM,
             "a frame or a header block was not complete", limits->frame_ms);
        return false;
    }
    if (is_over(watcher, watcher->blocked_ns, limits->blocked_ms)) {
        miss(watcher, "send-blocked", SL_H2_NO_ERROR, "the peer's socket did not take one write",
             limits->blocked_ms);
        return false;
    }
    if (sl_h2_session_is_stalled(session)) {
        miss(watcher, "send-stalled", SL_H2_ENHANCE_YOUR_CALM,
             "the peer gives no window for what a stream has to send", limits->stall_ms);
        return false;
    }
    return true;
}

static bool is_busy(struct sl_h2_watcher *watcher)
{
    int32_t id = sl_h2_session_last_id(watcher->session);
    bool is_new = id != watcher->seen_id;

    watcher->seen_id = id;
    return is_new || sl_h2_session_streams(watcher->session) > 0;
}

static void check_drain(struct sl_h2_watcher *watcher)
{
    if (watcher->draining_ns == 0) {
        watcher->draining_ns = sl_loop_now_ns(watcher->loop);
    } else if (is_over(watcher, watcher->draining_ns, watcher->limits->drain_ms)) {
        sl_h2_session_goaway(watcher->session, SL_H2_NO_ERROR);
    }
}

static void on_tick(void *arg)
{
    struct sl_h2_watcher *watcher = arg;

    sl_h2_session_set_now(watcher->session, sl_loop_now_ns(watcher->loop));
    if (!check_peer(watcher)) {
        return;
    }
    if (sl_h2_session_is_draining(watcher->session)) {
        check_drain(watcher);
    } else if (is_busy(watcher)) {
        watcher->busy_ns = sl_loop_now_ns(watcher->loop);
    } else if (is_over(watcher, watcher->busy_ns, watcher->limits->idle_ms)) {
        watcher->events->on_idle(watcher->arg);
    }
    sl_timer_start(watcher->ticker, watcher->tick_ms);
}

/* 0: no time is limited. */
static uint64_t tick_of(const struct sl_h2_limits *limits)
{
    const uint64_t times_ms[] = {limits->greeting_ms, limits->frame_ms,   limits->idle_ms,
                                 limits->drain_ms,    limits->blocked_ms, limits->stall_ms};
    uint64_t least_ms = 0;

    for (size_t i = 0; i < SL_ARRAY_LEN(times_ms); i++) {
        if (times_ms[i] > 0 && (least_ms == 0 || times_ms[i] < least_ms)) {
            least_ms = times_ms[i];
        }
    }
    return least_ms ? sl_min_u64(sl_max_u64(least_ms / TICKS, 1), MAX_TICK_MS) : 0;
}

/* ---- public ---- */

bool sl_h2_watcher_init(struct sl_h2_watcher *watcher, struct sl_loop *loop,
                        struct sl_h2_session *session, enum sl_h2_role role,
                        const struct sl_h2_limits *limits)
{
    int64_t now_ns = sl_loop_now_ns(loop);

    watcher->loop = loop;
    watcher->session = session;
    watcher->limits = limits;
    watcher->opened_ns = now_ns;
    watcher->heard_ns = now_ns;
    watcher->busy_ns = now_ns;
    watcher->tick_ms = role == SL_H2_SERVER ? tick_of(limits) : 0;
    sl_h2_session_set_now(session, now_ns);
    if (watcher->tick_ms == 0) {
        return true;
    }
    watcher->ticker = sl_timer_new(loop, on_tick, watcher);
    if (!watcher->ticker) {
        return false;
    }
    sl_timer_start(watcher->ticker, watcher->tick_ms);
    return true;
}

void sl_h2_watcher_fini(struct sl_h2_watcher *watcher)
{
    sl_timer_free(watcher->timer);
    sl_timer_free(watcher->ticker);
}

bool sl_h2_watcher_start(struct sl_h2_watcher *watcher, const struct sl_h2_watch *watch)
{
    SL_ASSERT(!watcher->timer);
    watcher->timer = sl_timer_new(watcher->loop, on_timer, watcher);
    if (!watcher->timer) {
        return false;
    }
    watcher->watch = *watch;
    sl_timer_start(watcher->timer,
                   watch->settings_ms ? watch->settings_ms : watch->ping_interval_ms);
    return true;
}

void sl_h2_watcher_heard(struct sl_h2_watcher *watcher)
{
    watcher->heard_ns = sl_loop_now_ns(watcher->loop);
    sl_h2_session_set_now(watcher->session, watcher->heard_ns);
    if (watcher->pinged_ns > 0) {
        watcher->pinged_ns = 0;
        sl_timer_start(watcher->timer, watcher->watch.ping_interval_ms);
    }
}

void sl_h2_watcher_note_settled(struct sl_h2_watcher *watcher)
{
    if (watcher->is_settled || !sl_h2_session_is_settled(watcher->session)) {
        return;
    }
    watcher->is_settled = true;
    if (watcher->timer && watcher->watch.ping_interval_ms > 0) {
        sl_timer_start(watcher->timer, watcher->watch.ping_interval_ms);
    } else if (watcher->timer) {
        sl_timer_stop(watcher->timer);
    }
}

void sl_h2_watcher_blocked(struct sl_h2_watcher *watcher, bool is_blocked)
{
    watcher->blocked_ns = is_blocked ? sl_loop_now_ns(watcher->loop) : 0;
}
