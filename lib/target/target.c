#include "target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "target/internal.h"
#include "target/state.h"

enum { TURNS = 2 }; /* before a dial: of its site, of all */

/* The device of a replay goes with its target. */
static void end_replay(struct sl_target *target)
{
    if (target->fleet) {
        sl_device_fleet_close(target->fleet);
    } else {
        sl_loop_defer(target->config.loop, &target->closed_due);
    }
}

/* The only place that writes target->state. */
static void handle(struct sl_target *target, enum sl_target_event event)
{
    enum sl_target_state next =
        (enum sl_target_state)sl_machine_next(&sl_target_machine, target->state, event);

    SL_ASSERT(next != SL_TARGET_NONE);
    sl_log(SL_LOG_DEBUG, &target->subject, "state", sl_log_text("is", sl_target_state_name(next)),
           sl_log_text("was", sl_target_state_name(target->state)));
    bool is_change = next != target->state;
    target->state = next;
    if (is_change && next == SL_TARGET_BACKOFF) {
        target->retry_ms =
            target->is_urgent || target->redials ? 0 : sl_backoff_next(&target->backoff);
        target->is_urgent = false;
        if (!target->view.is_paused) {
            sl_timer_start(target->timer, target->retry_ms);
        }
    } else if (is_change && next == SL_TARGET_CLOSED) {
        sl_timer_stop(target->timer);
        end_replay(target);
    }
}

static uint64_t messages(const struct sl_target *target)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < target->config.stream_count; i++) {
        struct sl_stream_view view;
        sl_stream_view(target->streams[i], &view);
        sum += view.messages;
    }
    return sum;
}

void sl_target_lend(struct sl_target *target, struct sl_h2_session *session)
{
    for (size_t i = 0; i < target->config.stream_count; i++) {
        sl_stream_set_session(target->streams[i], session);
    }
}

/* ---- whose device it is ---- */

static void log_profile(struct sl_target *target)
{
    const struct sl_gnmi_capabilities *told = &target->capabilities;

    sl_log(SL_LOG_INFO, &target->subject, "vendor profile",
           sl_log_text("vendor", target->profile.vendor->name),
           sl_log_text("known-by", target->view.known_by), sl_log_text("gnmi", told->version),
           sl_log_u64("models", told->models));
}

/* PINGs more often than the vendor's devices bear end the connection. */
void sl_target_slow_pings(struct sl_target *target)
{
    uint64_t least_ms = (uint64_t)target->profile.vendor->min_ping_s * 1000;

    if (target->ping_interval_ms == 0 || target->ping_interval_ms >= least_ms) {
        return;
    }
    sl_log(SL_LOG_WARN, &target->subject, "keepalive.interval is raised: the device bears no less",
           sl_log_text("reason", "vendor"), sl_log_u64("interval-ms", least_ms),
           sl_log_u64("was-ms", target->ping_interval_ms));
    target->ping_interval_ms = least_ms;
    target->view.workarounds |= SL_GNMI_WORK(FEWER_PINGS);
    if (target->link) {
        sl_h2_link_set_ping_interval(target->link, least_ms);
    }
}

void sl_target_use_profile(struct sl_target *target, const struct sl_gnmi_profile *profile,
                           const char *known_by)
{
    target->profile = *profile;
    target->view.known_by = known_by;
    log_profile(target);
    sl_target_slow_pings(target);
    for (size_t i = 0; i < target->config.stream_count; i++) {
        (void)sl_stream_set_profile(target->streams[i], profile);
    }
}

static void learn(struct sl_target *target, const struct sl_gnmi_capabilities *told)
{
    const struct sl_gnmi_profile profile = {
        .vendor = told->vendor,
        .encodings = told->encodings,
        .lacks_target_defined = told->lacks_target_defined,
    };
    const struct sl_gnmi_profile *last = &target->profile;
    bool is_new = !target->capabilities.vendor || profile.vendor != last->vendor ||
                  profile.encodings != last->encodings ||
                  profile.lacks_target_defined != last->lacks_target_defined;

    target->capabilities = *told;
    if (is_new) {
        sl_target_use_profile(target, &profile, "capabilities");
    }
}

static void on_inquired(const struct sl_gnmi_capabilities *told, const struct sl_status *why,
                        void *arg)
{
    struct sl_target *target = arg;
    struct sl_status status = *why;

    if (target->state != SL_TARGET_UP || strcmp(sl_status_reason(why), "connection-ended") == 0) {
        return; /* what follows is the end of the connection, or the next one */
    }
    if (told) {
        learn(target, told);
    } else {
        sl_status_hide(&status, target->config.password);
        sl_log(SL_LOG_INFO, &target->subject, "the device does not tell its Capabilities",
               sl_log_text("code", sl_code_name(status.code)),
               sl_log_text("reason", sl_status_reason(&status)), sl_log_text("why", status.text),
               sl_log_text("vendor", target->profile.vendor->name));
    }
    sl_target_lend(target, sl_h2_link_session(target->link));
}

/* The connection stands: the streams get it, once it is known how the device wants to be asked. */
static void greet(struct sl_target *target)
{
    struct sl_h2_session *session = sl_h2_link_session(target->link);

    if (target->config.vendor || !sl_inquiry_begin(&target->inquiry, session)) {
        sl_target_lend(target, session);
    }
}

/* What a person may try; NULL: nothing comes to mind. */
static const char *hint_of(const struct sl_target *target, const struct sl_status *why)
{
    bool was_device = messages(target) > target->messages_at_open;

    if (sl_hint_is_end(why)) {
        return was_device ? NULL : sl_hint_of_end(target->config.tls != NULL, SL_HINT_FILE);
    }
    return sl_hint(why, SL_HINT_FILE);
}

static void log_end(struct sl_target *target, const struct sl_status *why)
{
    bool is_wanted = target->state < SL_TARGET_DRAINING && !target->redials;
    const char *hint = is_wanted ? hint_of(target, why) : NULL;
    const struct sl_log_field fields[] = {
        sl_log_text("code", sl_code_name(why->code)),
        sl_log_text("reason", sl_status_reason(why)),
        sl_log_text("why", why->text),
        sl_log_u64("retry-ms", is_wanted ? target->retry_ms : 0),
        sl_log_text("try", hint),
    };

    sl_log_fields(is_wanted ? SL_LOG_WARN : SL_LOG_DEBUG, &target->subject, "connection ended",
                  fields, SL_ARRAY_LEN(fields) - !hint);
    if (is_wanted) {
        sl_tally_add(&target->view.ends, sl_status_reason(why));
    }
}

/* The connection is over, whether it ever stood or not. */
static void lost(struct sl_target *target, const struct sl_status *why)
{
    target->conn = NULL;
    target->link = NULL;
    struct sl_status shown = *why;

    target->view.last_reason = sl_status_is_ok(why) ? NULL : sl_status_reason(why);
    sl_status_hide(&shown, target->config.password);
    sl_target_lend(target, NULL);
    if (messages(target) > target->messages_at_open) { /* it was a device */
        int64_t lasted_ns = sl_loop_now_ns(target->config.loop) - target->opened_ns;
        sl_backoff_lasted(&target->backoff, (uint64_t)(lasted_ns / SL_NS_PER_MS));
    }
    handle(target, SL_TARGET_EVENT_LOST);
    log_end(target, &shown);
    target->redials = false;
}

static void on_link_goaway(struct sl_h2_link *link, int32_t last_stream_id, uint32_t error,
                           struct sl_str debug_data, void *arg)
{
    struct sl_target *target = arg;
    struct sl_status said = sl_status_quote(SL_UNAVAILABLE, sl_h2_error_name(error), debug_data);

    sl_status_hide(&said, target->config.password);
    (void)link;
    sl_log(SL_LOG_INFO, &target->subject, "peer says GOAWAY", sl_log_text("reason", "goaway"),
           sl_log_u64("last-stream", (uint64_t)(uint32_t)last_stream_id),
           sl_log_text("why", said.text));
    if (sl_h2_ping_less(&target->ping_interval_ms, error, debug_data)) {
        const struct sl_status pings = {.code = SL_UNAVAILABLE, .reason = "too-many-pings"};
        sl_log(SL_LOG_WARN, &target->subject, "the device wants fewer PING",
               sl_log_text("reason", sl_status_reason(&pings)),
               sl_log_u64("interval-ms", target->ping_interval_ms),
               sl_log_text("try", sl_hint(&pings, SL_HINT_FILE)));
    }
    sl_target_lend(target, NULL);
    handle(target, SL_TARGET_EVENT_GOAWAY);
}

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    (void)link;
    lost(arg, why);
}

static const struct sl_h2_link_events link_events = {
    .on_goaway = on_link_goaway,
    .on_closed = on_link_closed,
};

static bool watch(const struct sl_target *target)
{
    const struct sl_h2_watch limits = {
        .settings_ms = target->config.dial_timeout_ms,
        .ping_interval_ms = target->ping_interval_ms,
        .ping_timeout_ms = target->config.ping_timeout_ms,
    };

    return sl_h2_link_watch(target->link, &limits);
}

static void on_conn_open(struct sl_conn *conn, void *arg)
{
    struct sl_target *target = arg;

    target->link = sl_h2_link_open(target->config.loop, conn, SL_H2_CLIENT, target->config.limits,
                                   &link_events, target);
    if (!target->link) {
        sl_conn_close(conn);
        return;
    }
    target->conn = NULL;
    target->view.connects++;
    target->messages_at_open = messages(target);
    target->opened_ns = sl_loop_now_ns(target->config.loop);
    sl_log(SL_LOG_INFO, &target->subject, "connected",
           sl_log_text("peer", sl_h2_link_peer(target->link)));
    handle(target, SL_TARGET_EVENT_UP);
    if (target->state == SL_TARGET_UP && watch(target)) {
        greet(target);
    } else {
        sl_h2_link_close(target->link);
    }
}

static void on_conn_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    (void)conn;
    lost(arg, why);
}

static const struct sl_conn_events conn_events = {
    .on_open = on_conn_open,
    .on_close = on_conn_close,
};

static void on_fleet_over(void *arg)
{
    struct sl_target *target = arg;

    sl_loop_defer(target->config.loop, &target->over_due);
}

static void on_fleet_closed(void *arg)
{
    struct sl_target *target = arg;

    target->fleet = NULL;
    sl_loop_defer(target->config.loop, &target->closed_due);
}

/* The device of a replay, before its first dial; without it, for want of memory, the dial fails. */
static struct sl_listener *listener_of(struct sl_target *target)
{
    static const struct sl_device_events events = {.on_over = on_fleet_over,
                                                   .on_closed = on_fleet_closed};
    const struct sl_target_config *config = &target->config;
    struct sl_status why;

    if (!config->replay) {
        return NULL;
    }
    if (!target->fleet) {
        const struct sl_device_options options = {
            .listen = {.kind = SL_ADDRESS_PRIVATE},
            .devices = 1,
            .interfaces = 1,
            .updates = 1,
            .replay = *config->replay,
        };
        target->fleet = sl_device_fleet_open(config->loop, &options, &events, target, &why);
    }
    return target->fleet ? sl_device_fleet_listener(target->fleet) : NULL;
}

static void dial(struct sl_target *target)
{
    const struct sl_target_config *config = &target->config;
    const struct sl_dial_options options = {.address = *config->address,
                                            .listener = listener_of(target),
                                            .timeout_ms = config->dial_timeout_ms,
                                            .tls = config->tls,
                                            .server_name = config->server_name,
                                            .proxy = config->proxy};

    handle(target, SL_TARGET_EVENT_TURN);
    target->messages_at_open = messages(target);
    target->conn = sl_conn_dial(config->loop, &options, &conn_events, target);
    if (!target->conn) {
        struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        lost(target, &why);
    }
}

/* A turn at its site, then one among all targets: when it is. */
static int64_t take_turn(struct sl_target *target, int64_t now_ns)
{
    struct sl_connect *connect = target->config.connect;

    if (target->turns++ == 0) {
        return sl_connect_site_turn(connect, target->site, now_ns);
    }
    return sl_connect_turn(connect, now_ns);
}

/* It wants to dial, or a turn has come. */
static void seek(void *arg)
{
    struct sl_target *target = arg;
    bool is_limited = target->config.connect && !target->config.replay;

    if (target->state != SL_TARGET_WAITING) {
        handle(target, SL_TARGET_EVENT_OPEN);
        target->turns = 0;
    }
    while (is_limited && target->turns < TURNS) {
        int64_t now_ns = sl_loop_now_ns(target->config.loop);
        int64_t wait_ns = take_turn(target, now_ns) - now_ns;
        if (wait_ns > 0) {
            sl_timer_start(target->timer, (uint64_t)((wait_ns - 1) / SL_NS_PER_MS + 1));
            return;
        }
    }
    dial(target);
}

/* All streams are closed: the connection goes too. */
static void end(struct sl_target *target)
{
    if (target->link) {
        handle(target, SL_TARGET_EVENT_DRAINED);
        sl_h2_link_close(target->link);
    } else if (target->conn) {
        handle(target, SL_TARGET_EVENT_DRAINED);
        sl_conn_close(target->conn);
    } else {
        handle(target, SL_TARGET_EVENT_GONE);
    }
}

static void on_stream_closed(struct sl_stream *stream, void *arg)
{
    struct sl_target *target = arg;

    (void)stream;
    SL_ASSERT(target->open_streams > 0);
    if (--target->open_streams == 0 && target->state >= SL_TARGET_DRAINING) {
        end(target);
    }
}

static void on_stream_ended(struct sl_stream *stream, void *arg)
{
    struct sl_target *target = arg;

    (void)stream;
    if (target->fleet) {
        sl_loop_defer(target->config.loop, &target->over_due);
    }
}

static bool message_time(void *arg, int64_t *received_ns)
{
    const struct sl_target *target = arg;

    return target->fleet && sl_device_fleet_take_time(target->fleet, received_ns);
}

static bool has_calls(const struct sl_target *target)
{
    for (size_t i = 0; i < target->config.stream_count; i++) {
        if (sl_stream_has_call(target->streams[i])) {
            return true;
        }
    }
    return false;
}

/* An RPC ended, or the replay came to its end. Both must be: then there is nothing more to come. */
static void on_replay_over(void *arg)
{
    struct sl_target *target = arg;
    struct sl_status why;

    if (target->state >= SL_TARGET_DRAINING || has_calls(target) || !target->fleet ||
        !sl_device_fleet_is_over(target->fleet, &why)) {
        return;
    }
    target->view.is_damaged = !sl_status_is_ok(&why) && why.code != SL_DATA_LOSS;
    sl_log(target->view.is_damaged ? SL_LOG_ERROR : SL_LOG_INFO, &target->subject,
           "the replay is over", sl_log_text("reason", "replay-over"),
           sl_log_text("file", target->config.replay->file), sl_log_text("why", why.text));
    sl_timer_stop(target->timer);
    handle(target, SL_TARGET_EVENT_CLOSE);
    for (size_t i = 0; i < target->config.stream_count; i++) {
        sl_stream_finish(target->streams[i]);
    }
}

static void on_closed(void *arg)
{
    struct sl_target *target = arg;

    target->config.on_closed(target, target->config.arg);
}

/* ---- public ---- */

char *sl_target_authority(const struct sl_address *address)
{
    char text[SL_ADDRESS_TEXT_BYTES];

    sl_address_print(address, text);
    return sl_str_dup(sl_address_is_unix(address) ? SL_STR("localhost") : sl_str_from(text));
}

static bool init_names(struct sl_target *target)
{
    const struct sl_log_field who = sl_log_text("target", target->config.name);

    sl_log_subject_init(&target->subject, &who, 1);
    target->authority = sl_target_authority(target->config.address);
    target->inquiry.authority = target->authority;
    return target->authority != NULL;
}

/* What is known before the device has said anything. */
static void init_profile(struct sl_target *target)
{
    const struct sl_target_config *config = &target->config;

    target->profile =
        sl_gnmi_profile_of(config->vendor ? config->vendor : sl_gnmi_vendor_generic());
    target->view.known_by = config->vendor ? "named" : "nobody";
    target->inquiry.grpc = config->grpc;
    target->inquiry.username = config->username;
    target->inquiry.password = config->password;
    sl_inquiry_init(&target->inquiry, config->loop, on_inquired, target);
}

struct sl_stream *sl_target_new_stream(struct sl_target *target,
                                       const struct sl_stream_config *from, const char *authority,
                                       struct sl_status *why)
{
    struct sl_stream_config config = *from;

    config.authority = authority;
    config.on_ended = on_stream_ended;
    config.message_time =
        target->config.replay && target->config.replay->tells_times ? message_time : NULL;
    config.trials = &target->trials;
    config.on_closed = on_stream_closed;
    config.arg = target;
    return sl_stream_new(&config, why);
}

static bool init_streams(struct sl_target *target, struct sl_status *why)
{
    target->streams = calloc(target->config.stream_count, sizeof(*target->streams));
    if (!target->streams) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < target->config.stream_count; i++) {
        target->streams[i] =
            sl_target_new_stream(target, &target->config.streams[i], target->authority, why);
        if (!target->streams[i]) {
            return false;
        }
        target->open_streams++;
    }
    target->config.streams = NULL; /* the caller's, who may free them now */
    return true;
}

struct sl_target *sl_target_new(const struct sl_target_config *config, struct sl_status *why)
{
    struct sl_target *target = calloc(1, sizeof(*target));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (!target) {
        return NULL;
    }
    target->config = *config;
    target->state = SL_TARGET_IDLE;
    if (config->connect) {
        sl_connect_hold(config->connect);
        target->site = sl_connect_join(config->connect, config->site);
    }
    target->view.name = config->name;
    target->view.address = config->address;
    target->ping_interval_ms = config->ping_interval_ms;
    target->over_due = (struct sl_deferred){.fn = on_replay_over, .arg = target};
    target->closed_due = (struct sl_deferred){.fn = on_closed, .arg = target};
    sl_backoff_init(&target->backoff, config->backoff_min_ms, config->backoff_max_ms);
    init_profile(target);
    target->timer = sl_timer_new(config->loop, seek, target);
    if (!target->timer || !init_names(target) || !init_streams(target, why)) {
        sl_target_free(target);
        return NULL;
    }
    return target;
}

void sl_target_free(struct sl_target *target)
{
    SL_ASSERT(!target->conn && !target->link && !target->fleet);
    sl_log_end(&target->subject);
    sl_loop_cancel(target->config.loop, &target->over_due);
    sl_loop_cancel(target->config.loop, &target->closed_due);
    for (size_t i = 0; target->streams && i < target->config.stream_count; i++) {
        if (target->streams[i]) {
            sl_stream_free(target->streams[i]);
        }
    }
    sl_inquiry_fini(&target->inquiry);
    sl_tally_fini(&target->view.ends);
    sl_timer_free(target->timer);
    if (target->config.connect) {
        sl_connect_leave(target->config.connect, target->site);
        sl_connect_release(target->config.connect);
    }
    free(target->streams);
    free(target->authority);
    free(target);
}

void sl_target_open(struct sl_target *target)
{
    SL_ASSERT(target->state == SL_TARGET_IDLE);
    if (target->config.skips_verify) {
        sl_log(SL_LOG_WARN, &target->subject,
               "skip-verify: TLS with whoever answers, the certificate is not verified",
               sl_log_text("reason", "skip-verify"));
    }
    if (target->config.vendor) {
        sl_target_use_profile(target, &target->profile, "named");
    }
    seek(target);
}

void sl_target_close(struct sl_target *target)
{
    if (target->state >= SL_TARGET_DRAINING) {
        return;
    }
    sl_timer_stop(target->timer);
    handle(target, SL_TARGET_EVENT_CLOSE);
    for (size_t i = 0; i < target->config.stream_count; i++) {
        sl_stream_close(target->streams[i]);
    }
}

void sl_target_abort(struct sl_target *target)
{
    sl_target_close(target);
    for (size_t i = 0; i < target->config.stream_count; i++) {
        sl_stream_abort(target->streams[i]);
    }
}

/* Whatever there is of a connection goes: BACKOFF follows. False: there was nothing. */
static bool hang_up(struct sl_target *target)
{
    if (target->link) {
        sl_h2_link_close(target->link);
    } else if (target->conn) {
        sl_conn_close(target->conn);
    }
    return target->link || target->conn;
}

/* In BACKOFF or WAITING, which nothing but the timer ends. */
static void pause_target(struct sl_target *target)
{
    target->view.is_paused = true;
    if (!hang_up(target)) {
        sl_timer_stop(target->timer);
    }
}

static void dial_at_once(struct sl_target *target)
{
    target->is_urgent = hang_up(target);
    if (!target->is_urgent) {
        sl_timer_start(target->timer, 0);
    }
}

bool sl_target_command(struct sl_target *target, enum sl_target_command command)
{
    bool was_paused = target->view.is_paused;

    if (target->state >= SL_TARGET_DRAINING || target->state == SL_TARGET_IDLE ||
        target->config.replay) {
        return false;
    }
    switch (command) {
    case SL_TARGET_PAUSE:
        pause_target(target);
        return true;
    case SL_TARGET_RESUME:
        target->view.is_paused = false;
        if (was_paused) {
            dial_at_once(target);
        }
        return true;
    case SL_TARGET_RECONNECT:
        if (!was_paused && target->state != SL_TARGET_WAITING) {
            dial_at_once(target);
        }
        return !was_paused;
    }
    return false;
}

size_t sl_target_streams(const struct sl_target *target)
{
    return target->config.stream_count;
}

size_t sl_target_going(const struct sl_target *target)
{
    return target->going;
}

struct sl_stream *sl_target_stream(const struct sl_target *target, size_t i)
{
    SL_ASSERT(i < target->config.stream_count);
    return target->streams[i];
}

void sl_target_view(const struct sl_target *target, struct sl_target_view *view)
{
    *view = target->view;
    view->state = target->state;
    view->source = target->config.source;
    view->vendor = target->profile.vendor;
    memcpy(view->gnmi_version, target->capabilities.version, sizeof(view->gnmi_version));
    for (size_t i = 0; i < target->config.stream_count; i++) {
        view->workarounds |= sl_stream_workarounds(target->streams[i]);
    }
}
