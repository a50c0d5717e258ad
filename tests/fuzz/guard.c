/* guard.c - what an HTTP/2 session counts of its peer's frames (h2/guard.h), in any pieces and at
 * any times, against a reader that has all of the bytes and looks at one frame after the other.
 *
 * Input: the role; the number of steering bytes and those (how long each piece is, what happens
 * before it); then the peer's bytes. */
#include <string.h>

#include "fuzz.h"
#include "h2/guard.h"

enum { HEAD_BYTES = 9, DATA = 0, HEADERS, PRIORITY, SETTINGS = 4, PUSH_PROMISE, PING };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, CONTINUATION = 9 };

enum { INTERVAL_MS = 50, IDLE_INTERVAL_MS = 100, HASTY_PINGS = 3 };

/* A thousand a second is one in each millisecond: nothing is rounded. */
static const struct sl_h2_limits limits = {
    .pings = {.burst = 4, .per_s = 1000},
    .settings = {.burst = 2, .per_s = 1000},
    .priorities = {.burst = 3, .per_s = 1000},
    .empty_data = {.burst = 2, .per_s = 1000},
    .idle_bytes = {.burst = 1000, .per_s = 1000},
    .idle_bytes_per_byte = 2,
    .ping_interval_ms = INTERVAL_MS,
    .idle_ping_interval_ms = IDLE_INTERVAL_MS,
    .hasty_pings = HASTY_PINGS,
};

/* ---- the plain reader ---- */

struct tally {
    int64_t used;
    int64_t at_ms;
};

struct plain {
    const uint8_t *bytes;
    size_t frame;     /* where the frame under way begins */
    int64_t began_ms; /* it, or the header block that it is of */
    bool has_begun;
    bool is_counted; /* the frame under way has been */
    bool is_in_block;
    struct tally pings, settings, priorities, empty_data;
    int64_t pinged_ms;
    uint32_t hasty_pings;
    bool has_pinged, is_forgiven, is_server, has_streams;
    int64_t now_ms;
};

static bool is_beyond(struct plain *plain, struct tally *tally, const struct sl_h2_rate *rate)
{
    tally->used -= plain->now_ms - tally->at_ms;
    tally->used = tally->used < 0 ? 1 : tally->used + 1;
    tally->at_ms = plain->now_ms;
    return tally->used > rate->burst;
}

static enum sl_h2_abuse plain_data(struct plain *plain, size_t bytes)
{
    struct tally *tally = &plain->empty_data;

    if (bytes > 0) {
        tally->used -= tally->used > 0;
        return SL_H2_NO_ABUSE;
    }
    return is_beyond(plain, tally, &limits.empty_data) ? SL_H2_EMPTY_DATA : SL_H2_NO_ABUSE;
}

static enum sl_h2_abuse plain_ping(struct plain *plain)
{
    int64_t interval_ms = plain->has_streams ? INTERVAL_MS : IDLE_INTERVAL_MS;
    bool is_soon = plain->has_pinged && plain->now_ms < plain->pinged_ms + interval_ms;
    bool counts = plain->is_server && !plain->is_forgiven;

    plain->has_pinged = true;
    plain->pinged_ms = plain->now_ms;
    plain->is_forgiven = false;
    plain->hasty_pings = counts ? plain->hasty_pings + is_soon : 0;
    if (counts && is_soon && plain->hasty_pings >= HASTY_PINGS) {
        return SL_H2_HASTY_PINGS;
    }
    return is_beyond(plain, &plain->pings, &limits.pings) ? SL_H2_PINGS : SL_H2_NO_ABUSE;
}

static size_t length_of(const uint8_t *head)
{
    return (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
}

/* How many bytes of it tell what it counts as. */
static size_t telling_bytes(const uint8_t *head)
{
    bool is_data = head[3] == DATA && !(head[4] & END_STREAM);

    return is_data && head[4] & PADDED && length_of(head) > 0 ? HEAD_BYTES + 1 : HEAD_BYTES;
}

static enum sl_h2_abuse plain_frame(struct plain *plain, const uint8_t *head)
{
    size_t len = length_of(head);
    bool is_ack = head[4] & ACK;

    switch (head[3]) {
    case DATA:
        if (telling_bytes(head) > HEAD_BYTES) {
            size_t padding = 1u + head[HEAD_BYTES];
            len -= padding < len ? padding : len;
        }
        return head[4] & END_STREAM ? SL_H2_NO_ABUSE : plain_data(plain, len);
    case HEADERS:
    case PUSH_PROMISE:
    case CONTINUATION:
        plain->is_in_block = !(head[4] & END_HEADERS);
        return SL_H2_NO_ABUSE;
    case PING:
        return is_ack ? SL_H2_NO_ABUSE : plain_ping(plain);
    case SETTINGS:
        return !is_ack && is_beyond(plain, &plain->settings, &limits.settings) ? SL_H2_SETTINGS
                                                                               : SL_H2_NO_ABUSE;
    case PRIORITY:
        return is_beyond(plain, &plain->priorities, &limits.priorities) ? SL_H2_PRIORITIES
                                                                        : SL_H2_NO_ABUSE;
    default:
        return SL_H2_NO_ABUSE;
    }
}

/* The bytes up to `end` are there, since now. */
static enum sl_h2_abuse plain_look(struct plain *plain, size_t end)
{
    enum sl_h2_abuse abuse = SL_H2_NO_ABUSE;

    while (abuse == SL_H2_NO_ABUSE && plain->frame < end) {
        const uint8_t *head = plain->bytes + plain->frame;
        size_t have = end - plain->frame;
        if (!plain->has_begun && !plain->is_in_block) {
            plain->began_ms = plain->now_ms;
        }
        plain->has_begun = true;
        if (have < HEAD_BYTES || have < telling_bytes(head)) {
            break;
        }
        if (!plain->is_counted) {
            plain->is_counted = true;
            abuse = plain_frame(plain, head);
        }
        if (have < HEAD_BYTES + length_of(head)) {
            break;
        }
        plain->frame += HEAD_BYTES + length_of(head);
        plain->has_begun = false;
        plain->is_counted = false;
    }
    return abuse;
}

/* ---- both ---- */

static void assert_unfinished(const struct sl_h2_guard *guard, const struct plain *plain)
{
    bool is_unfinished = plain->has_begun || plain->is_in_block;
    int64_t later_ms = plain->now_ms + 7;
    uint64_t wanted = is_unfinished ? (uint64_t)(later_ms - plain->began_ms) : 0;

    SL_ASSERT(sl_h2_guard_unfinished_ms(guard, later_ms) == wanted);
}

/* Something happens between two pieces. */
static void happen(struct sl_h2_guard *guard, struct plain *plain, uint8_t what)
{
    plain->now_ms += what % 64;
    guard->now_ms = plain->now_ms;
    plain->has_streams = what & 64;
    guard->has_streams = plain->has_streams;
    if (what >= 224) {
        sl_h2_guard_sent(guard, what);
        plain->is_forgiven = true;
        plain->pings.used -= plain->pings.used > 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    bool is_server = fuzz_byte(&input) & 1;
    struct sl_str steering = fuzz_bytes(&input, fuzz_byte(&input) % 64);
    struct fuzz_input steer = {(const uint8_t *)steering.data,
                               (const uint8_t *)steering.data + steering.len};
    struct plain plain = {.bytes = input.at, .is_server = is_server};
    enum sl_h2_abuse abuse = SL_H2_NO_ABUSE;
    struct sl_h2_guard guard;

    sl_h2_guard_init(&guard, &limits, is_server, 0);
    while (abuse == SL_H2_NO_ABUSE && input.at < input.end) {
        happen(&guard, &plain, fuzz_byte(&steer));
        uint8_t len = fuzz_byte(&steer);
        struct sl_str piece = fuzz_bytes(&input, len ? len : SIZE_MAX);
        abuse = sl_h2_guard_look(&guard, (const uint8_t *)piece.data, piece.len);
        SL_ASSERT(abuse == plain_look(&plain, (size_t)(input.at - plain.bytes)));
        if (abuse == SL_H2_NO_ABUSE) {
            assert_unfinished(&guard, &plain);
        } else {
            struct sl_status why = sl_h2_why_abuse(&limits, abuse);
            SL_ASSERT(why.code == SL_RESOURCE_EXHAUSTED && why.reason && why.text[0]);
            SL_ASSERT(sl_h2_abuse_farewell(abuse));
        }
    }
    return 0;
}
