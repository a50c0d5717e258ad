#include <stdlib.h>
#include <string.h>

#include "h2/internal.h"

enum {
    KEPT_BUFFER_BYTES = 16 * 1024, /* of an empty send buffer; more goes back to the heap */
};

static const char *const error_names[] = {
    [SL_H2_NO_ERROR] = "NO_ERROR",
    [SL_H2_PROTOCOL_ERROR] = "PROTOCOL_ERROR",
    [SL_H2_INTERNAL_ERROR] = "INTERNAL_ERROR",
    [SL_H2_FLOW_CONTROL_ERROR] = "FLOW_CONTROL_ERROR",
    [SL_H2_SETTINGS_TIMEOUT] = "SETTINGS_TIMEOUT",
    [SL_H2_STREAM_CLOSED] = "STREAM_CLOSED",
    [SL_H2_FRAME_SIZE_ERROR] = "FRAME_SIZE_ERROR",
    [SL_H2_REFUSED_STREAM] = "REFUSED_STREAM",
    [SL_H2_CANCEL] = "CANCEL",
    [SL_H2_COMPRESSION_ERROR] = "COMPRESSION_ERROR",
    [SL_H2_CONNECT_ERROR] = "CONNECT_ERROR",
    [SL_H2_ENHANCE_YOUR_CALM] = "ENHANCE_YOUR_CALM",
    [SL_H2_INADEQUATE_SECURITY] = "INADEQUATE_SECURITY",
    [SL_H2_HTTP_1_1_REQUIRED] = "HTTP_1_1_REQUIRED",
};

const char *sl_h2_error_name(uint32_t error)
{
    return error < SL_ARRAY_LEN(error_names) ? error_names[error] : "unknown";
}

/* ---- life ---- */

struct sl_h2_stream *sl_h2_stream_new(struct sl_h2_session *session)
{
    struct sl_h2_stream *stream = sl_zalloc(sizeof(*stream));

    if (!stream) {
        return NULL;
    }
    stream->session = session;
    sl_list_init(&stream->node);
    sl_list_append(&session->streams, &stream->node);
    session->stream_count++;
    return stream;
}

void sl_h2_stream_end(struct sl_h2_stream *stream)
{
    struct sl_h2_session *session = stream->session;

    if (stream->holds && stream->is_closed) {
        session->held_count--;
    }
    stream->is_closed = true;
    sl_list_remove(&stream->node);
    session->stream_count--;
    if (stream->events && stream->events->on_close) {
        stream->events->on_close(stream, stream->error, stream->is_ended_by_peer, stream->arg);
    }
    sl_ring_fini(&stream->buffer);
    free(stream->trailers);
    free(stream);
}

void sl_h2_stream_set_closed(struct sl_h2_stream *stream, uint32_t error, bool is_by_peer)
{
    stream->error = error;
    stream->is_ended_by_peer = is_by_peer;
    stream->is_closed = true;
    sl_ring_fini(&stream->buffer);
    if (stream->holds) {
        stream->session->held_count++;
    }
}

void sl_h2_stream_refuse(struct sl_h2_stream *stream, enum sl_h2_error error,
                         enum sl_h2_cause cause)
{
    if (stream->cause == SL_H2_CAUSE_NONE) {
        stream->cause = cause;
    }
    sl_h2_stream_reset(stream, error);
}

void sl_h2_stream_end_later(struct sl_h2_stream *stream)
{
    SL_ASSERT(stream->is_closed && !stream->holds);
    sl_list_remove(&stream->node);
    sl_list_append(&stream->session->ended, &stream->node);
    sl_h2_session_note(stream->session, 0);
}

void sl_h2_stream_withdraw(struct sl_h2_stream *stream, uint32_t error, bool is_by_peer)
{
    struct sl_h2_session *session = stream->session;

    SL_ASSERT(!stream->is_open && !stream->is_closed);
    nghttp2_session_set_stream_user_data(session->ng, stream->id, NULL);
    sl_h2_session_note(
        session, nghttp2_submit_rst_stream(session->ng, NGHTTP2_FLAG_NONE, stream->id, error));
    sl_h2_stream_set_closed(stream, error, is_by_peer);
    if (!stream->holds) {
        sl_h2_stream_end_later(stream);
    }
}

void sl_h2_stream_hold(struct sl_h2_stream *stream)
{
    stream->holds++;
    if (stream->holds == 1 && stream->is_closed) {
        stream->session->held_count++;
    }
}

void sl_h2_stream_release(struct sl_h2_stream *stream)
{
    SL_ASSERT(stream->holds > 0);
    stream->holds--;
    if (!stream->holds && stream->is_closed) {
        stream->session->held_count--;
        sl_h2_stream_end_later(stream);
    }
}

/* ---- fields ---- */

/* nghttp2's struct has no const, but only ever reads. */
static uint8_t *unconst(struct sl_str str)
{
    static const char nothing[1] = "";

    return (uint8_t *)(uintptr_t)(str.len ? str.data : nothing);
}

static nghttp2_nv borrow_field(const struct sl_h2_field *field)
{
    return (nghttp2_nv){
        .name = unconst(field->name),
        .namelen = field->name.len,
        .value = unconst(field->value),
        .valuelen = field->value.len,
        .flags = field->is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE,
    };
}

nghttp2_nv *sl_h2_fields_borrow(const struct sl_h2_field *fields, size_t count)
{
    nghttp2_nv *pairs = malloc((count + 1) * sizeof(*pairs)); /* never 0 bytes */

    for (size_t i = 0; pairs && i < count; i++) {
        pairs[i] = borrow_field(&fields[i]);
    }
    return pairs;
}

static uint8_t *copy_bytes(uint8_t **room, const uint8_t *bytes, size_t len)
{
    uint8_t *at = *room;

    memcpy(at, bytes, len);
    *room += len;
    return at;
}

static nghttp2_nv *copy_fields(const struct sl_h2_field *fields, size_t count)
{
    size_t bytes = count * sizeof(nghttp2_nv);

    for (size_t i = 0; i < count; i++) {
        bytes += fields[i].name.len + fields[i].value.len;
    }
    nghttp2_nv *pairs = malloc(bytes);
    if (!pairs) {
        return NULL;
    }
    uint8_t *room = (uint8_t *)(pairs + count);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = borrow_field(&fields[i]);
        pairs[i].name = copy_bytes(&room, pairs[i].name, pairs[i].namelen);
        pairs[i].value = copy_bytes(&room, pairs[i].value, pairs[i].valuelen);
    }
    return pairs;
}

/* ---- sending ---- */

static bool is_sendable(const struct sl_h2_stream *stream)
{
    return !stream->is_reset && !stream->is_closed && !stream->is_finished &&
           !stream->session->is_dead;
}

static void resume(struct sl_h2_stream *stream)
{
    if (stream->is_deferred) {
        stream->is_deferred = false;
        sl_h2_session_note(stream->session,
                           nghttp2_session_resume_data(stream->session->ng, stream->id));
    }
}

static bool end_data(struct sl_h2_stream *stream, uint32_t *flags)
{
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream->trailers) {
        return true;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return nghttp2_submit_trailer(stream->session->ng, stream->id, stream->trailers,
                                  stream->trailer_count) == 0;
}

/* nghttp2 asks what a DATA frame will have; sl_h2_stream_write_frame, if it has any byte, follows.
 */
static ssize_t read_data(nghttp2_session *ng, int32_t id, uint8_t *to, size_t cap, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    struct sl_h2_stream *stream = source->ptr;
    size_t len = sl_min_size(sl_h2_stream_unsent(stream), cap);

    (void)ng;
    (void)id;
    (void)to;
    (void)arg;
    if (!len && !stream->is_finished) {
        stream->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (len) {
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    }
    if (len == sl_h2_stream_unsent(stream) && stream->is_finished && !end_data(stream, flags)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return (ssize_t)len;
}

void sl_h2_stream_write_frame(struct sl_h2_stream *stream, const uint8_t *head, size_t len)
{
    struct sl_h2_session *session = stream->session;

    memcpy(session->frame_room, head, SL_H2_FRAME_HEAD_BYTES);
    sl_ring_take(&stream->buffer, session->frame_room + SL_H2_FRAME_HEAD_BYTES, len);
    session->frame_bytes = SL_H2_FRAME_HEAD_BYTES + len;
    if (stream->buffer.len == 0) {
        stream->is_waiting = false;
    }
    if (stream->buffer.len == 0 && stream->buffer.cap > KEPT_BUFFER_BYTES) {
        sl_ring_fini(&stream->buffer);
    }
}

nghttp2_data_provider sl_h2_stream_provider(struct sl_h2_stream *stream)
{
    return (nghttp2_data_provider){.source = {.ptr = stream}, .read_callback = read_data};
}

/* What it took since it was last found waiting gives it more time. */
static bool is_stalled(struct sl_h2_stream *stream)
{
    const struct sl_h2_limits *limits = stream->session->limits;
    uint64_t now_ms = (uint64_t)stream->session->guard.now_ms;
    uint64_t more_ms = (stream->taken_bytes - stream->seen_bytes) * limits->stall_ms_per_byte;

    if (sl_h2_stream_unsent(stream) == 0 || limits->stall_ms == 0) {
        return false;
    }
    if (!stream->is_waiting) {
        stream->is_waiting = true;
        stream->stalls_at_ms = now_ms + limits->stall_ms;
    }
    stream->seen_bytes = stream->taken_bytes;
    stream->stalls_at_ms =
        sl_min_u64(stream->stalls_at_ms + more_ms, now_ms + limits->max_stall_ms);
    return now_ms > stream->stalls_at_ms;
}

bool sl_h2_session_is_stalled(struct sl_h2_session *session)
{
    SL_LIST_FOR_EACH(node, &session->streams)
    {
        if (is_stalled(SL_CONTAINER_OF(node, struct sl_h2_stream, node))) {
            return true;
        }
    }
    return false;
}

void sl_h2_stream_tell_writable(struct sl_h2_stream *stream)
{
    size_t unsent = sl_h2_stream_unsent(stream);
    bool has_room = stream->is_refused && unsent <= SL_H2_SEND_BUFFER_BYTES / 2;

    if (!is_sendable(stream) || (!has_room && !(stream->is_awaited && unsent == 0))) {
        return;
    }
    stream->is_refused = false;
    stream->is_awaited = false;
    if (stream->events->on_writable) {
        stream->events->on_writable(stream, stream->arg);
    }
}

/* ---- public ---- */

void sl_h2_stream_set_events(struct sl_h2_stream *stream, const struct sl_h2_stream_events *events,
                             void *arg)
{
    stream->events = events;
    stream->arg = arg;
}

void sl_h2_stream_set_auto_window(struct sl_h2_stream *stream)
{
    stream->is_auto_window = true;
}

bool sl_h2_stream_respond(struct sl_h2_stream *stream, const struct sl_h2_field *fields,
                          size_t count, bool ends)
{
    nghttp2_data_provider provider = sl_h2_stream_provider(stream);

    SL_ASSERT(stream->session->role == SL_H2_SERVER && !stream->has_responded);
    if (!is_sendable(stream)) {
        return false;
    }
    nghttp2_nv *pairs = sl_h2_fields_borrow(fields, count);
    if (!pairs) {
        return false;
    }
    int result = nghttp2_submit_response(stream->session->ng, stream->id, pairs, count,
                                         ends ? NULL : &provider);
    free(pairs);
    sl_h2_session_note(stream->session, result);
    stream->has_responded = result == 0;
    stream->is_finished = ends;
    return result == 0;
}

bool sl_h2_stream_begin_send(struct sl_h2_stream *stream, size_t total)
{
    size_t unsent = sl_h2_stream_unsent(stream);

    SL_ASSERT(stream->session->role == SL_H2_CLIENT || stream->has_responded);
    if (!is_sendable(stream)) {
        return false;
    }
    if (unsent && total + unsent > SL_H2_SEND_BUFFER_BYTES) {
        stream->is_refused = true;
        return false;
    }
    if (!sl_ring_reserve(&stream->buffer, total)) {
        sl_h2_stream_reset(stream, SL_H2_INTERNAL_ERROR);
        return false;
    }
    if (!unsent && !stream->is_deferred) {
        /* The last message took the window to its last byte, so that nghttp2 has not asked for more
         * and has nothing to write: the owner learns all the same that this one waits. */
        sl_h2_session_note(stream->session, 0);
    }
    resume(stream);
    return true;
}

void sl_h2_stream_add(struct sl_h2_stream *stream, const void *bytes, size_t len)
{
    sl_ring_add(&stream->buffer, bytes, len);
}

bool sl_h2_stream_send(struct sl_h2_stream *stream, const struct sl_str *pieces, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    if (!sl_h2_stream_begin_send(stream, total)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sl_h2_stream_add(stream, pieces[i].data, pieces[i].len);
    }
    return true;
}

size_t sl_h2_stream_unsent(const struct sl_h2_stream *stream)
{
    return stream->buffer.len;
}

bool sl_h2_stream_await_sent(struct sl_h2_stream *stream)
{
    stream->is_awaited = sl_h2_stream_unsent(stream) > 0;
    return stream->is_awaited;
}

bool sl_h2_stream_finish(struct sl_h2_stream *stream, const struct sl_h2_field *trailers,
                         size_t count)
{
    SL_ASSERT(stream->session->role == SL_H2_CLIENT || stream->has_responded);
    if (!is_sendable(stream)) {
        return false;
    }
    if (count) {
        stream->trailers = copy_fields(trailers, count);
        stream->trailer_count = count;
        if (!stream->trailers) {
            return false;
        }
    }
    stream->is_finished = true;
    resume(stream);
    return true;
}

void sl_h2_stream_reset(struct sl_h2_stream *stream, enum sl_h2_error error)
{
    struct sl_h2_session *session = stream->session;

    if (stream->is_reset || stream->is_closed || (stream->has_end && stream->has_sent_end)) {
        return;
    }
    stream->is_reset = true;
    sl_ring_fini(&stream->buffer);
    if (!stream->is_open) {
        sl_h2_stream_withdraw(stream, error, false);
        return;
    }
    if (!stream->has_end) {
        sl_h2_guard_expect(&session->guard, sl_h2_stream_window(stream));
    }
    sl_h2_session_note(
        session, nghttp2_submit_rst_stream(session->ng, NGHTTP2_FLAG_NONE, stream->id, error));
}

void sl_h2_stream_grant(struct sl_h2_stream *stream, uint32_t bytes)
{
    struct sl_h2_session *session = stream->session;

    SL_ASSERT(bytes <= INT32_MAX);
    if (stream->is_open && !stream->is_closed) {
        sl_h2_session_note(session, nghttp2_submit_window_update(session->ng, NGHTTP2_FLAG_NONE,
                                                                 stream->id, (int32_t)bytes));
    }
}

uint32_t sl_h2_stream_window(const struct sl_h2_stream *stream)
{
    if (stream->is_closed) {
        return 0;
    }
    int32_t window = nghttp2_session_get_stream_local_window_size(stream->session->ng, stream->id);
    return window > 0 ? (uint32_t)window : 0;
}

bool sl_h2_stream_is_exact(const struct sl_h2_stream *stream)
{
    const struct sl_h2_session *session = stream->session;

    return session->is_settled && sl_status_is_ok(&session->why) && !stream->is_closed &&
           !stream->is_reset && !nghttp2_session_want_write(session->ng);
}

bool sl_h2_stream_is_open(const struct sl_h2_stream *stream)
{
    return stream->is_open;
}

int32_t sl_h2_stream_id(const struct sl_h2_stream *stream)
{
    return stream->id;
}

struct sl_h2_session *sl_h2_stream_session(const struct sl_h2_stream *stream)
{
    return stream->session;
}
