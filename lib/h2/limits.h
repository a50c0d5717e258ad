/* limits.h - what a peer may do to a connection before it is ended.
 *
 * Each member names its unit. What is said of one connection holds for every peer: nothing here
 * depends on what the streams mean. A peer that goes beyond is told GOAWAY ENHANCE_YOUR_CALM and
 * the connection ends with a reason of its own (session.h), so that its owner can log it; its
 * siblings on the same loop notice nothing. Only a header block above `header_bytes` or
 * `header_fields` costs no more than its stream.
 *
 * The defaults are far above what the busiest honest client does. Somebody who wants others copies
 * sl_h2_default_limits and changes what he means: a member that is 0 allows nothing, except for
 * times, where it is "for ever".
 */
#ifndef SLUICE_H2_LIMITS_H
#define SLUICE_H2_LIMITS_H

#include <stdint.h>

/* So many at once, and for good so many a second. */
struct sl_h2_rate {
    uint32_t burst;
    uint32_t per_s;
};

struct sl_h2_limits {
    uint32_t concurrent_streams;  /* of a peer at a server: SETTINGS_MAX_CONCURRENT_STREAMS */
    uint32_t header_bytes;        /* of one block, names and values and 32 each (RFC 9113 6.5.2) */
    uint32_t header_fields;       /* of one block */
    uint32_t header_bomb_bytes;   /* of one block: "header-bomb" */
    uint32_t continuation_frames; /* of one block, as nghttp2 counts: "header-without-end" */
    uint32_t setting_entries;     /* of one SETTINGS frame: "broke-http2" */
    uint32_t unanswered_frames;   /* PING and SETTINGS whose answers do not leave: "ack-flood" */
    uint32_t queued_frames;       /* that do not leave, beside those: "frame-flood" */
    /* Our own, of the fields that we send more than once (HPACK's dynamic table, RFC 7541 section
     * 4.2); memory of each connection, 0 where there are few requests. The peer may allow less. */
    uint32_t sent_table_bytes;

    /* Frames of the peer. */
    struct sl_h2_rate pings;      /* "ping-flood"; each frame of a response that left allows one */
    struct sl_h2_rate settings;   /* "settings-flood" */
    struct sl_h2_rate priorities; /* "priority-flood" */
    /* DATA without a byte and without END_STREAM: "empty-data-flood". DATA with one allows one. */
    struct sl_h2_rate empty_data;
    struct sl_h2_rate
        idle_bytes; /* beside DATA and header blocks that streams take: "frame-flood" … */
    uint32_t idle_bytes_per_byte; /* … but for each byte of DATA, sent or received, so many more */

    /* RST_STREAM at a server: "rapid-reset" (CVE-2023-44487). `unanswered_resets` counts those of
     * streams on which no response has begun, and each stream that was answered allows one more;
     * `resets` counts all, by nghttp2's own clock of whole seconds. */
    struct sl_h2_rate resets;
    struct sl_h2_rate unanswered_resets;
    /* RST_STREAM that the peer's frames make a server send: "provoked-resets" (CVE-2025-8671). */
    struct sl_h2_rate provoked_resets;
    /* DATA frames of a few bytes, because the peer's window takes no more: "tiny-window". */
    struct sl_h2_rate tiny_frames;

    /* PINGs of a client that come sooner after one another than this, with a stream open and
     * without, are counted until a frame of a response leaves; with `hasty_pings` the connection
     * ends: "too-many-pings". */
    uint64_t ping_interval_ms;
    uint64_t idle_ping_interval_ms;
    uint32_t hasty_pings;

    /* Times at a server's link (link.h). 0: for ever. */
    uint64_t greeting_ms; /* until the client's preface and SETTINGS are in: "settings-timeout" */
    uint64_t frame_ms;    /* from a frame's first byte, or a header block's, to its last:
                             "frame-timeout" */
    uint64_t idle_ms;     /* without a stream; then it is drained: "idle" */
    uint64_t drain_ms;    /* for the answer to the PING of a drain; then it is not waited for */
    uint64_t blocked_ms;  /* until the socket takes one write: "send-blocked" */
    /* For a peer that gives a stream no credit for what it has to send: "send-stalled". Each byte
     * that the peer took before gives it more, up to `max_stall_ms`: a reader that is slow, or
     * stops for hours, lives; one that never had a window to speak of does not. */
    uint64_t stall_ms;
    uint64_t stall_ms_per_byte;
    uint64_t max_stall_ms;
};

extern const struct sl_h2_limits sl_h2_default_limits;

#endif
