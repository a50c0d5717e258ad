#include "h2/guard.h"

#include <string.h>

#include <nghttp2/nghttp2.h>

#define MS_PER_S 1000

enum {
    HEADS_PER_DATA = 2, /* bytes on the wire for each of DATA, in small frames */
    MAX_EXPECTED_BYTES = 32 * 1024 * 1024,
};

/* Where its limit stands and how it is called. */
struct abuse {
    size_t limit_at;
    const char *reason;
    const char *text;
};

#define LIMIT(member) offsetof(struct sl_h2_limits, member)

static const struct abuse abuses[] = {
    [SL_H2_PINGS] = {LIMIT(pings), "ping-flood", "PING"},
    [SL_H2_SETTINGS] = {LIMIT(settings), "settings-flood", "SETTINGS"},
    [SL_H2_PRIORITIES] = {LIMIT(priorities), "priority-flood", "PRIORITY"},
    [SL_H2_EMPTY_DATA] = {LIMIT(empty_data), "empty-data-flood", "DATA without a byte"},
    [SL_H2_IDLE_BYTES] = {LIMIT(idle_bytes), "frame-flood", "bytes of frames that carry no data"},
    [SL_H2_UNANSWERED_RESETS] = {LIMIT(unanswered_resets), "rapid-reset",
                                 "streams opened and reset before an answer"},
    [SL_H2_PROVOKED_RESETS] = {LIMIT(provoked_resets), "provoked-resets",
                               "frames that made us reset a stream"},
    [SL_H2_TINY_FRAMES] = {LIMIT(tiny_frames), "tiny-window",
                           "windows of a few bytes for what we have to send"},
    [SL_H2_RESETS] = {LIMIT(resets), "rapid-reset", "streams reset"},
    [SL_H2_HASTY_PINGS] = {LIMIT(hasty_pings), "too-many-pings", "PING in haste"},
    [SL_H2_HEADER_BOMB] = {LIMIT(header_bomb_bytes), "header-bomb", "bytes of one header block"},
    [SL_H2_QUEUED_FRAMES] = {LIMIT(queued_frames), "frame-flood",
                             "frames caused by the peer that it does not read"},
};

static const void *limit_of(const struct sl_h2_limits *limits, enum sl_h2_abuse abuse)
{
    return (const char *)limits + abuses[abuse].limit_at;
}

/* ---- rates ---- */

static void refill(struct sl_h2_bucket *bucket, uint32_t per_s, int64_t now_ms)
{
    uint64_t back = (uint64_t)(now_ms - bucket->since_ms) * per_s / MS_PER_S;

    if (back >= bucket->used) {
        bucket->used = 0;
        bucket->since_ms = now_ms;
    } else if (back > 0) {
        bucket->used -= back;
        bucket->since_ms += (int64_t)(back * MS_PER_S / per_s);
    }
}

bool sl_h2_guard_take(struct sl_h2_guard *guard, enum sl_h2_abuse rate, uint64_t amount)
{
    struct sl_h2_bucket *bucket = &guard->buckets[rate];
    const struct sl_h2_rate *limit = limit_of(guard->limits, rate);

    refill(bucket, limit->per_s, guard->now_ms);
    bucket->used += amount;
    return bucket->used <= limit->burst;
}

void sl_h2_guard_give(struct sl_h2_guard *guard, enum sl_h2_abuse rate, uint64_t amount)
{
    struct sl_h2_bucket *bucket = &guard->buckets[rate];

    bucket->used -= sl_min_u64(bucket->used, amount);
}

void sl_h2_guard_expect(struct sl_h2_guard *guard, uint32_t data_bytes)
{
    uint64_t with_heads = HEADS_PER_DATA * (uint64_t)data_bytes;

    guard->expected_bytes = sl_min_u64(guard->expected_bytes + with_heads, MAX_EXPECTED_BYTES);
}

bool sl_h2_guard_idle(struct sl_h2_guard *guard, uint64_t bytes)
{
    uint64_t expected = sl_min_u64(bytes, guard->expected_bytes);

    guard->expected_bytes -= expected;
    return bytes == expected || sl_h2_guard_take(guard, SL_H2_IDLE_BYTES, bytes - expected);
}

void sl_h2_guard_sent(struct sl_h2_guard *guard, size_t data_bytes)
{
    guard->is_forgiven = true;
    sl_h2_guard_give(guard, SL_H2_PINGS, 1);
    sl_h2_guard_give(guard, SL_H2_IDLE_BYTES,
                     (uint64_t)data_bytes * guard->limits->idle_bytes_per_byte);
}

/* ---- heads of frames ---- */

/* A client that asks again and again whether we live, while nothing happens. */
static bool is_hasty(struct sl_h2_guard *guard)
{
    const struct sl_h2_limits *limits = guard->limits;
    uint64_t interval_ms =
        guard->has_streams ? limits->ping_interval_ms : limits->idle_ping_interval_ms;
    bool is_soon = guard->has_pinged && (uint64_t)(guard->now_ms - guard->pinged_ms) < interval_ms;

    guard->has_pinged = true;
    guard->pinged_ms = guard->now_ms;
    if (!guard->is_server || guard->is_forgiven) {
        guard->is_forgiven = false;
        guard->hasty_pings = 0;
        return false;
    }
    guard->hasty_pings += is_soon;
    return is_soon && guard->hasty_pings >= limits->hasty_pings;
}

static enum sl_h2_abuse count(struct sl_h2_guard *guard, enum sl_h2_abuse rate)
{
    return sl_h2_guard_take(guard, rate, 1) ? SL_H2_NO_ABUSE : rate;
}

static enum sl_h2_abuse count_ping(struct sl_h2_guard *guard)
{
    return is_hasty(guard) ? SL_H2_HASTY_PINGS : count(guard, SL_H2_PINGS);
}

static void see_block(struct sl_h2_guard *guard, uint8_t flags)
{
    guard->is_in_block = !(flags & NGHTTP2_FLAG_END_HEADERS);
}

static enum sl_h2_abuse see_data_bytes(struct sl_h2_guard *guard, uint32_t bytes)
{
    if (bytes == 0) {
        return count(guard, SL_H2_EMPTY_DATA);
    }
    sl_h2_guard_give(guard, SL_H2_EMPTY_DATA, 1);
    return SL_H2_NO_ABUSE;
}

static enum sl_h2_abuse see_data(struct sl_h2_guard *guard, uint8_t flags)
{
    if (flags & NGHTTP2_FLAG_END_STREAM) {
        return SL_H2_NO_ABUSE;
    }
    guard->is_padding_next = flags & NGHTTP2_FLAG_PADDED && guard->skip_bytes > 0;
    if (guard->is_padding_next) {
        return SL_H2_NO_ABUSE;
    }
    return see_data_bytes(guard, guard->skip_bytes);
}

static enum sl_h2_abuse see_head(struct sl_h2_guard *guard)
{
    const uint8_t *head = guard->head;
    uint8_t type = head[3];
    uint8_t flags = head[4];

    guard->skip_bytes = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    guard->head_have = 0;
    if (type == NGHTTP2_DATA) {
        return see_data(guard, flags);
    }
    if (type == NGHTTP2_HEADERS || type == NGHTTP2_PUSH_PROMISE || type == NGHTTP2_CONTINUATION) {
        see_block(guard, flags);
    } else if (type == NGHTTP2_PING && !(flags & NGHTTP2_FLAG_ACK)) {
        return count_ping(guard);
    } else if (type == NGHTTP2_SETTINGS && !(flags & NGHTTP2_FLAG_ACK)) {
        return count(guard, SL_H2_SETTINGS);
    } else if (type == NGHTTP2_PRIORITY) {
        return count(guard, SL_H2_PRIORITIES);
    }
    return SL_H2_NO_ABUSE;
}

/* The first byte of a padded DATA frame says how much of it is padding. */
static enum sl_h2_abuse see_padding(struct sl_h2_guard *guard, uint8_t padding)
{
    guard->is_padding_next = false;
    return see_data_bytes(guard, guard->skip_bytes - sl_min_u32(guard->skip_bytes, 1u + padding));
}

/* Takes some of the bytes: what is left of a frame, or of its head. */
static size_t step(struct sl_h2_guard *guard, const uint8_t *bytes, size_t len,
                   enum sl_h2_abuse *abuse)
{
    if (guard->is_padding_next) {
        *abuse = see_padding(guard, bytes[0]);
    }
    size_t taken = sl_min_size(len, guard->skip_bytes);
    if (taken > 0) {
        guard->skip_bytes -= (uint32_t)taken;
        return taken;
    }
    if (guard->head_have == 0 && !guard->is_in_block) {
        guard->began_ms = guard->now_ms;
    }
    taken = sl_min_size(len, (size_t)(SL_H2_FRAME_HEAD_BYTES - guard->head_have));
    memcpy(guard->head + guard->head_have, bytes, taken);
    guard->head_have = (uint8_t)(guard->head_have + taken);
    if (guard->head_have == SL_H2_FRAME_HEAD_BYTES) {
        *abuse = see_head(guard);
    }
    return taken;
}

enum sl_h2_abuse sl_h2_guard_look(struct sl_h2_guard *guard, const uint8_t *bytes, size_t len)
{
    enum sl_h2_abuse abuse = SL_H2_NO_ABUSE;

    for (size_t at = 0; at < len && abuse == SL_H2_NO_ABUSE;) {
        at += step(guard, bytes + at, len - at, &abuse);
    }
    return abuse;
}

uint64_t sl_h2_guard_unfinished_ms(const struct sl_h2_guard *guard, int64_t now_ms)
{
    bool is_unfinished = guard->head_have > 0 || guard->skip_bytes > 0 || guard->is_in_block;

    return is_unfinished ? (uint64_t)(now_ms - guard->began_ms) : 0;
}

void sl_h2_guard_init(struct sl_h2_guard *guard, const struct sl_h2_limits *limits, bool is_server,
                      uint32_t skip_bytes)
{
    *guard =
        (struct sl_h2_guard){.limits = limits, .is_server = is_server, .skip_bytes = skip_bytes};
}

/* ---- words ---- */

static struct sl_status why_rate(const struct abuse *abuse, const struct sl_h2_rate *rate)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "%s (%u at once, %u a second at most)",
                           abuse->text, rate->burst, rate->per_s);
}

static struct sl_status why_number(const struct abuse *abuse, uint32_t limit)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "%s (%u at most)", abuse->text, limit);
}

struct sl_status sl_h2_why_abuse(const struct sl_h2_limits *limits, enum sl_h2_abuse abuse)
{
    const struct abuse *what = &abuses[abuse];
    const void *limit = limit_of(limits, abuse);
    bool is_rate = abuse <= SL_H2_RESETS;

    return sl_status_because(what->reason, is_rate ? why_rate(what, limit)
                                                   : why_number(what, *(const uint32_t *)limit));
}

/* "too_many_pings" is what clients look for, to ping less (sl_h2_ping_less). */
const char *sl_h2_abuse_farewell(enum sl_h2_abuse abuse)
{
    return abuse == SL_H2_HASTY_PINGS ? "too_many_pings" : abuses[abuse].reason;
}
