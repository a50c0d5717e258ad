/* change.c - a target goes over to another configuration: everything that can fail is made first,
 * then nothing can. */
#include <stdlib.h>

#include "target/internal.h"

/* The stream of the same subscriptions, which may not be about to go. */
static struct sl_stream *find_stream(const struct sl_target *target,
                                     const struct sl_stream_config *config)
{
    for (size_t i = 0; i < target->config.stream_count - target->going; i++) {
        if (sl_stream_is_same(target->streams[i], config)) {
            return target->streams[i];
        }
    }
    return NULL;
}

/* What is made before anything is touched. */
struct change_parts {
    struct sl_stream **streams; /* with room for those that go */
    bool *is_new;
    struct sl_stream_change **changes; /* of those that are not new */
    char *authority;
    size_t count; /* made so far */
};

static void parts_drop(struct change_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->is_new[i] && parts->streams[i]) {
            sl_stream_free(parts->streams[i]);
        }
        sl_stream_change_free(parts->changes[i]);
    }
    free(parts->streams);
    free(parts->is_new);
    free(parts->changes);
    free(parts->authority);
}

static bool make_part(struct sl_target *target, const struct sl_target_change *change, size_t i,
                      struct change_parts *parts, struct sl_status *why)
{
    const struct sl_stream_config *config = &change->config->streams[i];
    struct sl_stream *stream = find_stream(target, config);

    parts->count++;
    if (stream) {
        parts->streams[i] = stream;
        parts->changes[i] = sl_stream_change_new(config, change->is_anew[i]);
        return parts->changes[i] != NULL;
    }
    parts->is_new[i] = true;
    parts->streams[i] = sl_target_new_stream(target, config, parts->authority, why);
    return parts->streams[i] != NULL;
}

static bool make_change_parts(struct sl_target *target, const struct sl_target_change *change,
                              struct change_parts *parts, struct sl_status *why)
{
    size_t count = change->config->stream_count;
    size_t room = count + target->config.stream_count;

    *parts = (struct change_parts){
        .streams = calloc(room, sizeof(*parts->streams)),
        .is_new = calloc(count, sizeof(*parts->is_new)),
        .changes = calloc(count, sizeof(*parts->changes)),
        .authority = sl_target_authority(change->config->address),
    };
    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    bool is_made = parts->streams && parts->is_new && parts->changes && parts->authority;
    for (size_t i = 0; is_made && i < count; i++) {
        is_made = make_part(target, change, i, parts, why);
    }
    if (!is_made) {
        parts_drop(parts);
    }
    return is_made;
}

/* Those of the old streams that are not among the new ones, behind them. */
static size_t add_going(const struct sl_target *target, struct change_parts *parts)
{
    size_t all = parts->count;

    for (size_t i = 0; i < target->config.stream_count; i++) {
        size_t at = 0;
        while (at < parts->count && parts->streams[at] != target->streams[i]) {
            at++;
        }
        if (at == parts->count) {
            parts->streams[all++] = target->streams[i];
        }
    }
    return all;
}

/* The turns in which it dials; a site goes by a label, which may be another one now. */
static void take_site(struct sl_target *target, const struct sl_target_config *old)
{
    const struct sl_target_config *config = &target->config;
    struct sl_connect_site *site = NULL;

    if (config->connect) {
        sl_connect_hold(config->connect);
        site = sl_connect_join(config->connect, config->site);
    }
    if (old->connect) {
        sl_connect_leave(old->connect, target->site);
        sl_connect_release(old->connect);
    }
    target->site = site;
}

/* What is the target's own, from the next connection on. */
static void take_config(struct sl_target *target, const struct sl_target_config *config)
{
    const struct sl_target_config old = target->config;
    const struct sl_log_field who = sl_log_text("target", config->name);

    target->config = *config;
    target->config.streams = NULL;
    take_site(target, &old);
    target->config.replay = old.replay ? config->replay : NULL;
    target->view.name = config->name;
    target->view.address = config->address;
    sl_log_end(&target->subject);
    sl_log_subject_init(&target->subject, &who, 1);
    target->ping_interval_ms = config->ping_interval_ms;
    if (old.backoff_min_ms != config->backoff_min_ms ||
        old.backoff_max_ms != config->backoff_max_ms) {
        sl_backoff_init(&target->backoff, config->backoff_min_ms, config->backoff_max_ms);
    }
    if (target->profile.vendor) {
        sl_target_slow_pings(target);
    }
    target->inquiry.authority = target->authority;
    target->inquiry.username = config->username;
    target->inquiry.password = config->password;
}

static void take_streams(struct sl_target *target, struct change_parts *parts)
{
    struct sl_h2_session *session = target->state == SL_TARGET_UP && !target->inquiry.call
                                        ? sl_h2_link_session(target->link)
                                        : NULL;

    for (size_t i = 0; i < parts->count; i++) {
        struct sl_stream *stream = parts->streams[i];
        sl_stream_renew(stream, target->authority, target->config.username,
                        target->config.password);
        if (!parts->is_new[i]) {
            sl_stream_change(stream, parts->changes[i]);
            parts->changes[i] = NULL;
            continue;
        }
        target->open_streams++;
        if (target->capabilities.vendor || target->config.vendor) {
            (void)sl_stream_set_profile(stream, &target->profile);
        }
        sl_stream_set_session(stream, session);
    }
    for (size_t i = parts->count; i < target->config.stream_count; i++) {
        sl_stream_renew(target->streams[i], target->authority, target->config.username,
                        target->config.password);
        sl_stream_close(target->streams[i]);
    }
}

/* The connection, or the attempt at one, ends; what follows is the next. */
static void redial(struct sl_target *target)
{
    if (target->link) {
        target->redials = true;
        sl_target_lend(target, NULL);
        sl_h2_link_close(target->link);
    } else if (target->conn) {
        target->redials = true;
        sl_conn_close(target->conn);
    } else if (target->state == SL_TARGET_BACKOFF) {
        sl_timer_start(target->timer, 0);
    }
}

bool sl_target_change(struct sl_target *target, const struct sl_target_change *change,
                      struct sl_status *why)
{
    struct change_parts parts;

    if (target->state >= SL_TARGET_DRAINING) {
        return true;
    }
    if (!make_change_parts(target, change, &parts, why)) {
        return false;
    }
    size_t all = add_going(target, &parts);
    char *old_authority = target->authority;
    bool is_other_vendor =
        change->config->vendor && change->config->vendor != target->config.vendor;
    struct sl_stream **old_streams = target->streams;

    target->authority = parts.authority;
    parts.authority = old_authority;
    take_config(target, change->config);
    target->streams = parts.streams;
    parts.streams = old_streams;
    target->going = all - parts.count;
    target->config.stream_count = all;
    take_streams(target, &(struct change_parts){.streams = target->streams,
                                                .is_new = parts.is_new,
                                                .changes = parts.changes,
                                                .count = parts.count});
    parts.count = 0;
    parts_drop(&parts);
    if (is_other_vendor) {
        const struct sl_gnmi_profile profile = sl_gnmi_profile_of(change->config->vendor);
        sl_target_use_profile(target, &profile, "named");
    }
    if (change->redials) {
        redial(target);
    }
    return true;
}

bool sl_target_settle(struct sl_target *target)
{
    size_t kept = target->config.stream_count - target->going;
    bool is_settled = true;

    for (size_t i = kept; i < target->config.stream_count; i++) {
        struct sl_stream *stream = target->streams[i];
        if (sl_stream_is_closed(stream) && sl_stream_is_empty(stream)) {
            sl_stream_free(stream);
        } else {
            target->streams[kept++] = stream;
        }
    }
    target->going -= target->config.stream_count - kept;
    target->config.stream_count = kept;
    for (size_t i = 0; is_settled && i < kept; i++) {
        is_settled = !sl_stream_is_changing(target->streams[i]);
    }
    return is_settled && target->going == 0;
}

bool sl_target_is_empty(const struct sl_target *target)
{
    bool is_empty = true;

    for (size_t i = 0; is_empty && i < target->config.stream_count; i++) {
        is_empty = sl_stream_is_empty(target->streams[i]);
    }
    return is_empty;
}

bool sl_target_is_closed(const struct sl_target *target)
{
    return target->state == SL_TARGET_CLOSED && !target->closed_due.is_pending && !target->fleet;
}
