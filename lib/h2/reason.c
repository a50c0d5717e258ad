#include <stddef.h>
#include <string.h>

#include "h2/internal.h"

enum {
    SHOWN_BYTES = 60, /* of what a peer said instead of HTTP/2 */
    TLS_HEAD_BYTES = 3,
};

static bool begins_with_settings(const uint8_t *head, size_t have)
{
    static const uint8_t mask[SL_H2_PREFACE_BYTES] = {0xff, 0x80, 0,    0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff};
    static const uint8_t good[SL_H2_PREFACE_BYTES] = {[3] = NGHTTP2_SETTINGS};
    bool is_good = true;

    for (size_t i = 0; i < have; i++) {
        is_good = is_good && (head[i] & mask[i]) == good[i];
    }
    return is_good || have < TLS_HEAD_BYTES;
}

bool sl_h2_preface_is_good(enum sl_h2_role role, const uint8_t *head, size_t have)
{
    if (role == SL_H2_CLIENT) {
        return begins_with_settings(head, have);
    }
    return have < TLS_HEAD_BYTES || memcmp(head, NGHTTP2_CLIENT_MAGIC, have) == 0;
}

/* The head of a record of RFC 8446 section 5.1: of a server that wants TLS, an alert most often. */
static bool is_tls(const uint8_t *bytes, size_t len)
{
    return len >= TLS_HEAD_BYTES && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 3;
}

struct sl_status sl_h2_why_not_http2(enum sl_h2_role role, const uint8_t *bytes, size_t len)
{
    const char *text = role == SL_H2_CLIENT ? "the peer does not begin with SETTINGS of HTTP/2 but"
                                            : "the peer does not begin with HTTP/2 but";
    struct sl_str words = {(const char *)bytes, sl_min_size(len, SHOWN_BYTES)};

    return sl_status_because(
        "not-http2",
        is_tls(bytes, len)
            ? sl_status_error(SL_UNAVAILABLE, "the peer speaks TLS, not HTTP/2 in plaintext")
            : sl_status_quote(SL_UNAVAILABLE, text, words));
}

struct sl_status sl_h2_why_broke(const nghttp2_goaway *goaway)
{
    struct sl_status name = sl_status_error(SL_INTERNAL, "the peer broke HTTP/2: %s",
                                            sl_h2_error_name(goaway->error_code));
    struct sl_str rule = {(const char *)goaway->opaque_data, goaway->opaque_data_len};

    if (goaway->error_code == NGHTTP2_COMPRESSION_ERROR && !rule.len) {
        rule = SL_STR("a broken header block, or a name or value above 65536 bytes");
    }
    return sl_status_because("broke-http2",
                             rule.len ? sl_status_quote(SL_INTERNAL, name.text, rule) : name);
}

/* A reason with its limit. */
struct cause {
    enum sl_code code;
    const char *reason;
    const char *text;
    size_t limit_at; /* in struct sl_h2_limits */
    bool has_limit;
};

#define LIMIT(member) offsetof(struct sl_h2_limits, member), true

static struct sl_status of_cause(const struct sl_h2_limits *limits, const struct cause *cause)
{
    struct sl_status why = sl_status_error(cause->code, "%s", cause->text);
    uint32_t limit;

    if (cause->has_limit) {
        memcpy(&limit, (const char *)limits + cause->limit_at, sizeof(limit));
        why = sl_status_error(cause->code, "%s (%u at most)", cause->text, limit);
    }
    return sl_status_because(cause->reason, why);
}

struct sl_status sl_h2_why_gave_up(const struct sl_h2_limits *limits, int result)
{
    static const struct cause memory = {SL_RESOURCE_EXHAUSTED, "out-of-memory", "out of memory", 0,
                                        false};
    static const struct cause acks = {SL_RESOURCE_EXHAUSTED, "ack-flood",
                                      "PING and SETTINGS of the peer that wait for their answer",
                                      LIMIT(unanswered_frames)};
    static const struct cause blocks = {SL_RESOURCE_EXHAUSTED, "header-without-end",
                                        "a header block of too many CONTINUATION",
                                        LIMIT(continuation_frames)};
    static const struct cause magic = {SL_UNAVAILABLE, "not-http2",
                                       "the peer does not begin with HTTP/2", 0, false};

    switch (result) {
    case NGHTTP2_ERR_NOMEM:
        return of_cause(limits, &memory);
    case NGHTTP2_ERR_FLOODED:
        return of_cause(limits, &acks);
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        return of_cause(limits, &blocks);
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
        return of_cause(limits, &magic);
    default:
        return sl_status_because(
            "broke-http2", sl_status_error(SL_INTERNAL, "HTTP/2: %s", nghttp2_strerror(result)));
    }
}

/* Of the causes that need no more than the stream's limits. */
static const struct cause causes[] = {
    [SL_H2_CAUSE_CONNECTION] = {SL_UNAVAILABLE, "connection-ended", "the connection ended", 0,
                                false},
    [SL_H2_CAUSE_GOAWAY] = {SL_UNAVAILABLE, "goaway", "the peer's GOAWAY leaves the call out", 0,
                            false},
    [SL_H2_CAUSE_HEADER_BYTES] = {SL_RESOURCE_EXHAUSTED, "header-too-large",
                                  "a header block of too many bytes", LIMIT(header_bytes)},
    [SL_H2_CAUSE_HEADER_FIELDS] = {SL_RESOURCE_EXHAUSTED, "header-too-large",
                                   "a header block of too many fields", LIMIT(header_fields)},
};

static struct sl_status why_overshot(const struct sl_h2_stream *stream)
{
    return sl_status_because("window-overshoot",
                             sl_status_error(SL_RESOURCE_EXHAUSTED,
                                             "the peer sent %u bytes of DATA into a window of %u",
                                             stream->frame_bytes, stream->window_bytes));
}

/* nghttp2 reset it. */
static struct sl_status why_reset(const struct sl_h2_stream *stream)
{
    bool has_rule = stream->cause == SL_H2_CAUSE_RULE;

    return sl_status_because("broke-http2",
                             sl_status_error(SL_INTERNAL, "the peer broke HTTP/2: %s%s%s",
                                             sl_h2_error_name(stream->error), has_rule ? ", " : "",
                                             has_rule ? nghttp2_strerror(stream->rule) : ""));
}

static struct sl_status why_peer_reset(const struct sl_h2_stream *stream)
{
    return sl_status_because("reset-by-peer",
                             sl_status_error(SL_INTERNAL, "the peer reset the call: %s",
                                             sl_h2_error_name(stream->error)));
}

struct sl_status sl_h2_stream_why(const struct sl_h2_stream *stream)
{
    if (stream->cause == SL_H2_CAUSE_WINDOW) {
        return why_overshot(stream);
    }
    if (stream->cause != SL_H2_CAUSE_NONE && stream->cause != SL_H2_CAUSE_RULE) {
        return of_cause(stream->session->limits, &causes[stream->cause]);
    }
    return stream->is_ended_by_peer ? why_peer_reset(stream) : why_reset(stream);
}
