#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"
#include "grpc/wire.h"

enum { CREDIT_STEP_BYTES = SL_H2_STREAM_WINDOW_BYTES / 2 };

/* ---- metadata: name length, value length, name, value; one behind the other ---- */

static void add_field(struct sl_buf *metadata, struct sl_str name, struct sl_str value)
{
    const uint32_t lengths[] = {(uint32_t)name.len, (uint32_t)value.len};

    sl_buf_add(metadata, lengths, sizeof(lengths));
    sl_buf_add_str(metadata, name);
    sl_buf_add_str(metadata, value);
}

struct sl_str sl_grpc_call_metadata(const struct sl_grpc_call *call, const char *name)
{
    const struct sl_buf *metadata = &call->metadata;
    uint32_t lengths[2];

    for (size_t at = 0; at < metadata->len; at += lengths[0] + lengths[1]) {
        memcpy(lengths, metadata->data + at, sizeof(lengths));
        at += sizeof(lengths);
        if (sl_str_eq_c((struct sl_str){metadata->data + at, lengths[0]}, name)) {
            return (struct sl_str){metadata->data + at + lengths[0], lengths[1]};
        }
    }
    return (struct sl_str){NULL, 0};
}

/* "application/grpc", perhaps with "+proto" or a parameter; "application/grpc-web" is another. */
static bool is_grpc_type(struct sl_str value)
{
    struct sl_str type = SL_STR("application/grpc");

    return sl_str_starts_with(value, type) &&
           (value.len == type.len || value.data[type.len] == '+' || value.data[type.len] == ';');
}

void sl_grpc_call_take_field(struct sl_grpc_call *call, struct sl_str name, struct sl_str value)
{
    if (sl_str_eq_c(name, "content-type")) {
        call->is_grpc = is_grpc_type(value);
    } else if (sl_str_eq_c(name, "grpc-encoding")) {
        call->is_encoded = !sl_str_eq_c(value, "identity");
    }
    size_t whole = call->metadata.len;
    add_field(&call->metadata, name, value);
    if (call->metadata.failed) {
        struct sl_status status = sl_status_because(
            "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));

        call->metadata.len = whole;
        sl_grpc_call_fail(call, &status);
    }
}

/* ---- life ---- */

void sl_grpc_call_let_go(struct sl_grpc_call *call)
{
    if (call->is_holding) {
        call->is_holding = false;
        sl_h2_stream_release(call->stream);
    }
}

bool sl_grpc_call_is_over(const struct sl_grpc_call *call)
{
    return call->has_status || (call->is_server && call->is_finished);
}

static void decide(struct sl_grpc_call *call, const struct sl_status *status)
{
    call->has_status = true;
    call->status = *status;
}

void sl_grpc_call_fail(struct sl_grpc_call *call, const struct sl_status *status)
{
    if (sl_grpc_call_is_over(call)) {
        return;
    }
    decide(call, status);
    if (call->is_server) {
        sl_grpc_call_finish(call, status);
        return;
    }
    sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    sl_grpc_call_let_go(call);
}

struct sl_status sl_grpc_call_broken(const struct sl_h2_stream *stream, uint32_t error,
                                     bool by_peer)
{
    struct sl_status why = sl_h2_stream_why(stream);

    if (by_peer) {
        why.code = sl_grpc_code_of_h2(error);
    }
    return why;
}

void sl_grpc_call_end(struct sl_grpc_call *call, const struct sl_status *outcome)
{
    struct sl_status status = call->has_status ? call->status : *outcome;

    if (!call->has_status && call->is_holding) {
        status = sl_status_because(
            "connection-ended",
            sl_status_error(SL_UNAVAILABLE, "the connection ended before all was taken"));
    }
    if (call->events->on_status) {
        call->events->on_status(call, &status, call->arg);
    }
    sl_grpc_call_free(call);
}

/* ---- messages ---- */

static bool begin_message(uint32_t length, bool is_compressed, void *arg)
{
    struct sl_grpc_call *call = arg;
    uint32_t limit = call->events->max_message_bytes
                         ? call->events->max_message_bytes(call, call->arg)
                         : SL_GRPC_MAX_MESSAGE_BYTES;
    struct sl_status why;

    if (!is_compressed && length <= limit) {
        return true;
    }
    if (!is_compressed) {
        why =
            sl_status_because("message-too-large",
                              sl_status_error(SL_RESOURCE_EXHAUSTED,
                                              "a message of %u bytes (%u at most)", length, limit));
    } else if (call->is_encoded) {
        why = sl_status_because("compressed",
                                sl_status_quote(SL_UNIMPLEMENTED,
                                                "messages in an encoding that"
                                                " was not asked for",
                                                sl_grpc_call_metadata(call, "grpc-encoding")));
    } else {
        why = sl_status_because(
            "compressed",
            sl_status_error(SL_INTERNAL, "a compressed message without a grpc-encoding"));
    }
    sl_grpc_call_fail(call, &why);
    return false;
}

static enum sl_grpc_take take_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct sl_grpc_call *call = arg;
    enum sl_grpc_take take = SL_GRPC_TAKEN;

    if (call->events->on_message && !sl_grpc_call_is_over(call)) {
        take = call->events->on_message(call, bytes, length, call->arg);
    }
    return sl_grpc_call_is_over(call) ? SL_GRPC_STOP : take;
}

static const struct sl_grpc_reader_events reader_events = {
    .on_begin = begin_message,
    .on_message = take_message,
};

/* Without manual credit, what was read is granted again; while a message is held nothing is, so
 * the backlog is bounded by the window. */
static void return_credit(struct sl_grpc_call *call)
{
    if (!call->is_manual && !call->reader.is_held && call->unreturned >= CREDIT_STEP_BYTES) {
        sl_h2_stream_grant(call->stream, call->unreturned);
        call->unreturned = 0;
    }
}

/* The reader has taken what it could. */
static void after_reading(struct sl_grpc_call *call, const struct sl_status *status)
{
    if (sl_grpc_call_is_over(call)) {
        return;
    }
    if (!sl_status_is_ok(status)) {
        sl_grpc_call_fail(call, status);
    } else if (call->reader.is_stopped) {
        sl_grpc_call_cancel(call);
    } else if (!call->reader.is_held) {
        sl_grpc_call_let_go(call);
    } else if (!call->is_holding) {
        call->is_holding = true;
        sl_h2_stream_hold(call->stream);
    }
    return_credit(call);
}

bool sl_grpc_call_on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status status;

    (void)stream;
    if (sl_grpc_call_is_over(call)) {
        return true; /* a server's trailers are on their way */
    }
    if (call->events->on_received && !call->events->on_received(call, (uint32_t)len, call->arg)) {
        status = sl_status_because(
            "window-overshoot",
            sl_status_error(SL_RESOURCE_EXHAUSTED, "the peer sent more than it may"));
        sl_grpc_call_fail(call, &status);
        return true;
    }
    if (sl_grpc_call_is_over(call)) {
        return true;
    }
    call->unreturned += (uint32_t)len;
    status = sl_grpc_reader_feed(&call->reader, bytes, len);
    after_reading(call, &status);
    return true;
}

void sl_grpc_call_end_messages(struct sl_grpc_call *call)
{
    bool has_failed = call->has_peer_status && !sl_status_is_ok(&call->peer_status);

    if (call->reader.is_held || sl_grpc_call_is_over(call)) {
        return;
    }
    if (call->reader.prefix_have > 0 && !has_failed) {
        struct sl_status status = sl_status_because(
            "truncated", sl_status_error(SL_INTERNAL, "the stream ended within a message"));

        sl_grpc_call_fail(call, &status);
    } else if (call->events->on_half_close) {
        call->events->on_half_close(call, call->arg);
    }
}

void sl_grpc_call_on_writable(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (call->events->on_writable && !sl_grpc_call_is_over(call)) {
        call->events->on_writable(call, call->arg);
    }
}

struct sl_grpc_call *sl_grpc_call_new(const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_grpc_call *call = calloc(1, sizeof(*call));

    if (call) {
        call->events = events;
        call->arg = arg;
        sl_grpc_reader_init(&call->reader, &reader_events, call);
    }
    return call;
}

void sl_grpc_call_free(struct sl_grpc_call *call)
{
    sl_grpc_reader_fini(&call->reader);
    sl_buf_fini(&call->metadata);
    free(call);
}

/* ---- public ---- */

enum sl_grpc_send sl_grpc_call_send(struct sl_grpc_call *call, const void *bytes, uint32_t length)
{
    const char prefix[SL_GRPC_PREFIX_BYTES] = {0, (char)(length >> 24), (char)(length >> 16),
                                               (char)(length >> 8), (char)length};
    const struct sl_str pieces[] = {{prefix, sizeof(prefix)}, {bytes, length}};

    if (call->is_finished || call->has_status || (call->has_end && !call->is_server)) {
        return SL_GRPC_CLOSED;
    }
    if (!sl_grpc_call_respond(call)) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR); /* memory, or it is closed anyhow */
        return SL_GRPC_CLOSED;
    }
    if (sl_h2_stream_send(call->stream, pieces, SL_ARRAY_LEN(pieces))) {
        return SL_GRPC_SENT;
    }
    return sl_h2_stream_unsent(call->stream) > 0 ? SL_GRPC_FULL : SL_GRPC_CLOSED;
}

size_t sl_grpc_call_unsent(const struct sl_grpc_call *call)
{
    return sl_h2_stream_unsent(call->stream);
}

void sl_grpc_call_half_close(struct sl_grpc_call *call)
{
    SL_ASSERT(!call->is_server);
    if (call->is_finished || call->has_status || call->has_end) {
        return;
    }
    call->is_finished = true;
    if (!sl_h2_stream_finish(call->stream, NULL, 0)) {
        sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    }
}

void sl_grpc_call_cancel(struct sl_grpc_call *call)
{
    struct sl_status status = sl_status_error(SL_CANCELLED, "cancelled here");

    if (!call->has_status) {
        decide(call, &status);
    }
    sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    sl_grpc_call_let_go(call);
}

void sl_grpc_call_resume(struct sl_grpc_call *call)
{
    if (!call->reader.is_held || sl_grpc_call_is_over(call)) {
        return;
    }
    struct sl_status status = sl_grpc_reader_resume(&call->reader);
    after_reading(call, &status);
    if (call->has_end) {
        sl_grpc_call_end_messages(call);
    }
}

void sl_grpc_call_grant(struct sl_grpc_call *call, uint32_t bytes)
{
    SL_ASSERT(call->is_manual);
    sl_h2_stream_grant(call->stream, bytes);
}

uint32_t sl_grpc_call_missing(const struct sl_grpc_call *call)
{
    return sl_grpc_reader_missing(&call->reader);
}

size_t sl_grpc_call_held_bytes(const struct sl_grpc_call *call)
{
    return sl_grpc_reader_held_bytes(&call->reader);
}

struct sl_h2_stream *sl_grpc_call_stream(struct sl_grpc_call *call)
{
    return call->stream;
}

void sl_grpc_call_set_events(struct sl_grpc_call *call, const struct sl_grpc_call_events *events,
                             void *arg)
{
    call->events = events;
    call->arg = arg;
}
