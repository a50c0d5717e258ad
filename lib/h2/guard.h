/* guard.h - counts what a peer sends that costs it nothing.
 *
 * Looks at the head of every frame before nghttp2 does, and is told what became of some. Pure:
 * bytes and a time in, a verdict out. One belongs to each session (internal.h).
 */
#ifndef SLUICE_H2_GUARD_H
#define SLUICE_H2_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "h2/limits.h"

/* What ends a connection, each with its own reason. Those up to SL_H2_RATES are rates of
 * struct sl_h2_limits. */
enum sl_h2_abuse {
    SL_H2_PINGS,
    SL_H2_SETTINGS,
    SL_H2_PRIORITIES,
    SL_H2_EMPTY_DATA,
    SL_H2_IDLE_BYTES,
    SL_H2_UNANSWERED_RESETS,
    SL_H2_PROVOKED_RESETS,
    SL_H2_TINY_FRAMES,
    SL_H2_RATES,
    SL_H2_RESETS = SL_H2_RATES, /* nghttp2 counts them */
    SL_H2_HASTY_PINGS,
    SL_H2_HEADER_BOMB,
    SL_H2_QUEUED_FRAMES,
    SL_H2_NO_ABUSE,
};

struct sl_h2_bucket {
    uint64_t used; /* of the burst */
    int64_t since_ms;
};

enum { SL_H2_FRAME_HEAD_BYTES = 9 };

struct sl_h2_guard {
    const struct sl_h2_limits *limits;
    struct sl_h2_bucket buckets[SL_H2_RATES];
    int64_t now_ms;
    int64_t began_ms; /* the frame or the block under way */
    int64_t pinged_ms;
    uint64_t expected_bytes; /* of streams that were reset here */
    uint32_t skip_bytes;     /* of the frame under way */
    uint32_t hasty_pings;
    uint8_t head[SL_H2_FRAME_HEAD_BYTES];
    uint8_t head_have;
    bool is_server;
    bool has_streams;     /* its session says so */
    bool is_in_block;     /* CONTINUATION follows */
    bool is_padding_next; /* the length of a DATA frame's padding */
    bool has_pinged;
    bool is_forgiven; /* a frame of a response left since the last PING */
};

/* At a server the first `skip_bytes` are the client's magic. */
void sl_h2_guard_init(struct sl_h2_guard *guard, const struct sl_h2_limits *limits, bool is_server,
                      uint32_t skip_bytes);

/* The peer's next bytes. */
enum sl_h2_abuse sl_h2_guard_look(struct sl_h2_guard *guard, const uint8_t *bytes,
                                  size_t len) SL_MUST_CHECK;

/* Counts against a rate. False: it is exceeded. */
bool sl_h2_guard_take(struct sl_h2_guard *guard, enum sl_h2_abuse rate,
                      uint64_t amount) SL_MUST_CHECK;

/* Allows so many more, up to the burst. */
void sl_h2_guard_give(struct sl_h2_guard *guard, enum sl_h2_abuse rate, uint64_t amount);

/* A stream was reset here whose peer may not know yet: up to so many bytes of DATA are on their
 * way, and are no abuse. */
void sl_h2_guard_expect(struct sl_h2_guard *guard, uint32_t data_bytes);

/* Bytes came that nobody takes. False: too many. */
bool sl_h2_guard_idle(struct sl_h2_guard *guard, uint64_t bytes) SL_MUST_CHECK;

/* A frame of a request or response left, with `data_bytes` of DATA. */
void sl_h2_guard_sent(struct sl_h2_guard *guard, size_t data_bytes);

/* For how long a frame or header block has been under way; 0: none is. */
uint64_t sl_h2_guard_unfinished_ms(const struct sl_h2_guard *guard, int64_t now_ms);

/* The words, and what is said to the peer. */
struct sl_status sl_h2_why_abuse(const struct sl_h2_limits *limits,
                                 enum sl_h2_abuse abuse) SL_MUST_CHECK;
const char *sl_h2_abuse_farewell(enum sl_h2_abuse abuse);

#endif
