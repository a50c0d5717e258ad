#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"
#include "grpc/wire.h"

enum { FIRST_STEP_BYTES = SL_H2_STREAM_WINDOW_BYTES / 2, STEP_BYTES = SL_GRPC_WINDOW_BYTES / 4 };

static const struct sl_h2_stream_events nobody = {.on_close = NULL};

/* ---- the first header block ---- */

/* "application/grpc", perhaps with "+proto" or a parameter; "application/grpc-web" is another. */
static bool is_grpc_type(struct sl_str value)
{
    struct sl_str type = SL_STR("application/grpc");

    return sl_str_starts_with(value, type) &&
           (value.len == type.len || value.data[type.len] == '+' || value.data[type.len] == ';');
}

static void take_encoding(struct sl_grpc_call *call, struct sl_str value)
{
    call->peer_encoding = sl_str_eq_c(value, "gzip") ? SL_GRPC_GZIP : SL_GRPC_IDENTITY;
    call->is_odd = call->peer_encoding == SL_GRPC_IDENTITY && !sl_str_eq_c(value, "identity");
}

void sl_grpc_call_take_field(struct sl_grpc_call *call, struct sl_str name, struct sl_str value)
{
    if (sl_str_eq_c(name, "content-type")) {
        call->is_grpc = is_grpc_type(value);
    } else if (sl_str_eq_c(name, "grpc-encoding")) {
        take_encoding(call, value);
    } else if (sl_str_eq_c(name, "grpc-accept-encoding")) {
        call->takes_gzip = sl_grpc_list_has(value, SL_STR("gzip"));
    }
    struct sl_status status = sl_grpc_metadata_add(&call->headers, name, value);
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status);
    }
}

/* ---- life ---- */

static bool has_loop(const struct sl_grpc_call *call)
{
    return call->context && call->context->loop;
}

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

/* Without a loop the call ends when its stream does. */
static void decide(struct sl_grpc_call *call, const struct sl_status *status)
{
    call->has_status = true;
    call->status = *status;
    if (has_loop(call)) {
        sl_loop_defer(call->context->loop, &call->end_due);
    }
}

static void reset_stream(struct sl_grpc_call *call)
{
    if (call->stream) {
        sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
        sl_grpc_call_let_go(call);
    }
}

/* A decided call does not wait for its transport, which may take nothing any more: the stream goes
 * on without it, and says what there is to be said. */
static void end_decided(void *arg)
{
    struct sl_grpc_call *call = arg;

    if (call->stream) {
        sl_grpc_call_let_go(call);
        sl_h2_stream_set_events(call->stream, &nobody, NULL);
        call->stream = NULL;
    } else {
        sl_grpc_opening_gone(call);
    }
    sl_grpc_call_end(call, &call->status);
}

void sl_grpc_call_fail(struct sl_grpc_call *call, const struct sl_status *status)
{
    if (sl_grpc_call_is_over(call)) {
        return;
    }
    decide(call, status);
    if (call->is_server) {
        sl_grpc_call_finish(call, status);
    } else {
        reset_stream(call);
    }
}

static struct sl_status deadline_status(void)
{
    return sl_status_because("deadline",
                             sl_status_error(SL_DEADLINE_EXCEEDED, "the deadline is over"));
}

struct sl_status sl_grpc_call_broken(const struct sl_grpc_call *call, uint32_t error, bool by_peer)
{
    struct sl_status why = sl_h2_stream_why(call->stream);

    if (by_peer && error == SL_H2_CANCEL && call->deadline_ns != 0 &&
        sl_loop_fresh_ns(call->context->loop) >= call->deadline_ns) {
        return deadline_status(); /* a server enforces it by a reset, and our timer is late */
    }
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

/* ---- the deadline ---- */

enum {
    NS_PER_MS = 1000 * 1000,
    /* A server's deadline comes so much later than the client's: a reset that arrives before the
     * client's own, whose clock may have whole milliseconds as well, reads as CANCELLED there. */
    SERVER_LATE_MS = 5,
};

/* A server's status that waits behind what the client does not read is not waited for. */
static void on_deadline(void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_status status = deadline_status();

    if (call->has_status) {
        return;
    }
    if (call->is_server && (call->is_finished || sl_h2_stream_unsent(call->stream) > 0)) {
        decide(call, &status);
        reset_stream(call);
    } else {
        sl_grpc_call_fail(call, &status);
    }
}

bool sl_grpc_call_set_deadline(struct sl_grpc_call *call, uint64_t timeout_ns)
{
    if (!has_loop(call)) {
        return true;
    }
    timeout_ns = sl_min_u64(timeout_ns, INT64_MAX / 4);
    call->timer = sl_timer_new(call->context->loop, on_deadline, call);
    if (!call->timer) {
        return false;
    }
    call->deadline_ns = sl_loop_now_ns(call->context->loop) + (int64_t)timeout_ns;
    sl_timer_start(call->timer,
                   timeout_ns / NS_PER_MS + 1 + (call->is_server ? SERVER_LATE_MS : 0));
    return true;
}

/* ---- messages ---- */

static uint32_t max_message_bytes(const struct sl_grpc_call *call)
{
    if (call->events->max_message_bytes) {
        return call->events->max_message_bytes(call, call->arg);
    }
    return call->router && call->router->max_message_bytes ? call->router->max_message_bytes
                                                           : SL_GRPC_MAX_MESSAGE_BYTES;
}

/* Compressed messages: only in the encoding that the headers named, and only if it was offered. */
static struct sl_status check_compressed(const struct sl_grpc_call *call)
{
    if (call->is_odd || (call->peer_encoding == SL_GRPC_GZIP && !call->context)) {
        return sl_status_because(
            "compressed",
            sl_status_quote(SL_UNIMPLEMENTED, "messages in an encoding that was not asked for",
                            sl_grpc_metadata_find(&call->headers, "grpc-encoding")));
    }
    if (call->peer_encoding == SL_GRPC_IDENTITY) {
        return sl_status_because(
            "compressed",
            sl_status_error(SL_INTERNAL, "a compressed message without a grpc-encoding"));
    }
    return sl_status_ok();
}

static bool begin_message(uint32_t length, bool is_compressed, void *arg)
{
    struct sl_grpc_call *call = arg;
    uint32_t limit = max_message_bytes(call);
    struct sl_status why;

    if (!is_compressed && length <= limit) {
        return true;
    }
    why = is_compressed ? check_compressed(call) : sl_status_ok();
    if (sl_status_is_ok(&why) && length > limit) {
        why =
            sl_status_because("message-too-large",
                              sl_status_error(SL_RESOURCE_EXHAUSTED,
                                              "a message of %u bytes (%u at most)", length, limit));
    }
    if (sl_status_is_ok(&why)) {
        return true;
    }
    sl_grpc_call_fail(call, &why);
    return false;
}

/* One of the two sides may send one message only, by the method's kind. */
static bool takes_another(struct sl_grpc_call *call)
{
    const struct sl_grpc_method *method = call->method;

    if (call->messages == 0 ||
        (call->is_server ? method->client_streams : method->server_streams)) {
        return true;
    }
    struct sl_status why = sl_status_because(
        "cardinality", sl_status_error(SL_UNIMPLEMENTED, "a second message where there is one"));
    sl_grpc_call_fail(call, &why);
    return false;
}

static enum sl_grpc_take offer_typed(struct sl_grpc_call *call, const uint8_t *bytes,
                                     uint32_t length)
{
    const ProtobufCMessageDescriptor *type =
        call->is_server ? call->method->input : call->method->output;
    struct sl_grpc_arena *arena = &call->context->arena;
    struct sl_grpc_mark mark = sl_grpc_arena_mark(arena);
    enum sl_grpc_take take = SL_GRPC_STOP;
    struct sl_status why;

    const ProtobufCMessage *message = sl_grpc_message_unpack(arena, type, bytes, length, &why);
    if (message) {
        take = call->events->on_message(call, message, call->arg);
    } else {
        sl_grpc_call_fail(call, &why);
    }
    sl_grpc_arena_release(arena, mark);
    return take;
}

static enum sl_grpc_take offer(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length)
{
    if (call->events->on_bytes) {
        return call->events->on_bytes(call, bytes, length, call->arg);
    }
    return call->events->on_message ? offer_typed(call, bytes, length) : SL_GRPC_TAKEN;
}

static enum sl_grpc_take offer_compressed(struct sl_grpc_call *call, const uint8_t *bytes,
                                          uint32_t length)
{
    const struct sl_str packed = {(const char *)bytes, length};
    struct sl_buf plain = {0};
    enum sl_grpc_take take = SL_GRPC_STOP;
    struct sl_status why =
        sl_grpc_gzip_unpack(&call->context->gzip, packed, max_message_bytes(call), &plain);

    if (sl_status_is_ok(&why)) {
        take = offer(call, (const uint8_t *)plain.data, (uint32_t)plain.len);
    } else {
        sl_grpc_call_fail(call, &why);
    }
    sl_buf_fini(&plain);
    return take;
}

static enum sl_grpc_take take_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct sl_grpc_call *call = arg;
    enum sl_grpc_take take = SL_GRPC_STOP;

    if (!sl_grpc_call_is_over(call) && takes_another(call)) {
        take = sl_grpc_call_was_compressed(call) ? offer_compressed(call, bytes, length)
                                                 : offer(call, bytes, length);
    }
    call->messages += take == SL_GRPC_TAKEN;
    return sl_grpc_call_is_over(call) ? SL_GRPC_STOP : take;
}

static const struct sl_grpc_reader_events reader_events = {
    .on_begin = begin_message,
    .on_message = take_message,
};

/* Without manual credit, what was read is granted again; while a message is held nothing is, so
 * the backlog is bounded by the window. A peer that sends more than a little gets a larger one. */
static void return_credit(struct sl_grpc_call *call)
{
    uint32_t step = call->is_windowed ? STEP_BYTES : FIRST_STEP_BYTES;
    uint32_t more = call->is_windowed ? 0 : SL_GRPC_WINDOW_BYTES - SL_H2_STREAM_WINDOW_BYTES;

    if (!call->is_manual && !call->reader.is_held && call->unreturned >= step) {
        sl_h2_stream_grant(call->stream, call->unreturned + more);
        call->is_windowed = true;
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

/* What is wrong with messages that ended here; OK when nothing is. */
static struct sl_status judge_end(const struct sl_grpc_call *call)
{
    bool has_failed = call->has_peer_code && call->peer_code != SL_OK;
    bool needs_one =
        call->is_server ? !call->method->client_streams : !call->method->server_streams;

    if (call->reader.prefix_have > 0 && !has_failed) {
        return sl_status_because("truncated",
                                 sl_status_error(SL_INTERNAL, "the stream ended within a message"));
    }
    if (needs_one && call->messages == 0 && (call->is_server || call->has_peer_code) &&
        !has_failed) {
        return sl_status_because(
            "cardinality", sl_status_error(SL_UNIMPLEMENTED, "no message where there is one"));
    }
    return sl_status_ok();
}

void sl_grpc_call_end_messages(struct sl_grpc_call *call)
{
    if (call->reader.is_held || sl_grpc_call_is_over(call)) {
        return;
    }
    struct sl_status status = judge_end(call);
    if (!sl_status_is_ok(&status)) {
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

struct sl_grpc_call *sl_grpc_call_new(const struct sl_grpc_call_events *events, void *arg,
                                      struct sl_grpc_context *context)
{
    struct sl_grpc_call *call = sl_zalloc(sizeof(*call));

    if (call) {
        call->events = events;
        call->arg = arg;
        call->context = context;
        call->end_due = (struct sl_deferred){.fn = end_decided, .arg = call};
        sl_list_init(&call->node);
        sl_grpc_reader_init(&call->reader, &reader_events, call);
    }
    return call;
}

void sl_grpc_call_free(struct sl_grpc_call *call)
{
    if (has_loop(call)) {
        sl_loop_cancel(call->context->loop, &call->end_due);
    }
    sl_list_remove(&call->node);
    sl_timer_free(call->timer);
    sl_grpc_opening_commit(call);
    sl_grpc_reader_fini(&call->reader);
    sl_grpc_metadata_fini(&call->headers);
    sl_grpc_metadata_fini(&call->trailers);
    sl_buf_fini(&call->message);
    free(call);
}

/* ---- public ---- */

void sl_grpc_call_cancel(struct sl_grpc_call *call)
{
    struct sl_status status =
        sl_status_because("cancelled-here", sl_status_error(SL_CANCELLED, "cancelled here"));

    if (!call->has_status) {
        decide(call, &status);
    }
    reset_stream(call);
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
    if (call->stream) {
        sl_h2_stream_grant(call->stream, bytes);
    }
}

uint32_t sl_grpc_call_missing(const struct sl_grpc_call *call)
{
    return sl_grpc_reader_missing(&call->reader);
}

size_t sl_grpc_call_held_bytes(const struct sl_grpc_call *call)
{
    return sl_grpc_reader_held_bytes(&call->reader);
}

bool sl_grpc_call_time_left(const struct sl_grpc_call *call, uint64_t *left_ns)
{
    if (call->deadline_ns == 0) {
        return false;
    }
    int64_t left = call->deadline_ns - sl_loop_now_ns(call->context->loop);
    *left_ns = left > 0 ? (uint64_t)left : 0;
    return true;
}

const struct sl_grpc_method *sl_grpc_call_method(const struct sl_grpc_call *call)
{
    return call->method;
}

const struct sl_grpc_metadata *sl_grpc_call_headers(const struct sl_grpc_call *call)
{
    return &call->headers;
}

struct sl_str sl_grpc_call_metadata(const struct sl_grpc_call *call, const char *name)
{
    return sl_grpc_metadata_find(&call->headers, name);
}

bool sl_grpc_call_was_compressed(const struct sl_grpc_call *call)
{
    return call->reader.prefix[0] == 1;
}

uint32_t sl_grpc_call_wire_bytes(const struct sl_grpc_call *call)
{
    return SL_GRPC_PREFIX_BYTES + call->reader.body_length;
}

struct sl_h2_stream *sl_grpc_call_stream(struct sl_grpc_call *call)
{
    return call->stream;
}
