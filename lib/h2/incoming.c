/* What nghttp2 says of the frames that arrive. */
#include <string.h>

#include "h2/internal.h"

enum {
    FIELD_OVERHEAD_BYTES = 32, /* RFC 9113 section 6.5.2: what a field counts beside its bytes */
    AUTO_WINDOW_STEP_BYTES = SL_H2_STREAM_WINDOW_BYTES / 2,
};

/* ---- header blocks ---- */

/* The stream that the block is for; of a request's block, a new one. */
static struct sl_h2_stream *accept_stream(struct sl_h2_session *session, int32_t id)
{
    struct sl_h2_stream *stream = sl_h2_stream_new(session);

    if (!stream) {
        return NULL;
    }
    stream->id = id;
    stream->is_open = true;
    if (session->events->on_stream) {
        session->events->on_stream(session, stream, session->arg);
    }
    if (!stream->events) {
        sl_h2_stream_end(stream);
        return NULL;
    }
    nghttp2_session_set_stream_user_data(session->ng, id, stream);
    return stream;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = sl_h2_stream_find(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream = accept_stream(session, frame->hd.stream_id);
        if (!stream) {
            nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_REFUSED_STREAM);
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    session->field_bytes = 0;
    session->field_count = 0;
    if (stream) {
        stream->is_interim = false;
    }
    return 0;
}

/* False when the block is over a limit. The stream is reset at the block's end: of one that is gone
 * nghttp2 says no more, and what comes has to be counted. */
static bool check_block(struct sl_h2_stream *stream)
{
    const struct sl_h2_limits *limits = stream->session->limits;

    if (stream->cause != SL_H2_CAUSE_NONE) {
        return false;
    }
    if (stream->session->field_count > limits->header_fields) {
        stream->cause = SL_H2_CAUSE_HEADER_FIELDS;
    } else if (stream->session->field_bytes > limits->header_bytes) {
        stream->cause = SL_H2_CAUSE_HEADER_BYTES;
    }
    return stream->cause == SL_H2_CAUSE_NONE;
}

static bool is_block_refused(const struct sl_h2_stream *stream)
{
    return stream->cause == SL_H2_CAUSE_HEADER_FIELDS || stream->cause == SL_H2_CAUSE_HEADER_BYTES;
}

static bool says_interim(const struct sl_h2_stream *stream, struct sl_str name, struct sl_str value)
{
    return stream->session->role == SL_H2_CLIENT && !stream->has_fields &&
           sl_str_eq(name, SL_STR(":status")) && sl_str_starts_with(value, SL_STR("1"));
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name_bytes,
                     size_t name_len, const uint8_t *value_bytes, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = sl_h2_stream_find(session, frame->hd.stream_id);
    struct sl_str name = {(const char *)name_bytes, name_len};
    struct sl_str value = {(const char *)value_bytes, value_len};

    (void)ng;
    (void)flags;
    session->field_count++;
    session->field_bytes += name_len + value_len + FIELD_OVERHEAD_BYTES;
    if (session->field_bytes > session->limits->header_bomb_bytes) {
        sl_h2_session_end_for(session, SL_H2_HEADER_BOMB);
        return NGHTTP2_ERR_PAUSE;
    }
    if (!stream || stream->is_reset || !check_block(stream)) {
        return 0;
    }
    stream->is_interim = stream->is_interim || says_interim(stream, name, value);
    if (!stream->is_interim && stream->events->on_field) {
        stream->events->on_field(stream, name, value, stream->arg);
    }
    return 0;
}

static void end_fields(struct sl_h2_stream *stream)
{
    bool are_trailers = stream->has_fields;

    if (stream->is_interim) {
        return;
    }
    stream->has_fields = true;
    if (stream->events->on_fields_end) {
        stream->events->on_fields_end(stream, are_trailers, stream->arg);
    }
}

/* ---- DATA ---- */

/* Before the first byte of a frame: a frame that is larger than the window that the peer has is an
 * overshoot, whatever of it may still have fitted. Once the stream is reset, nghttp2 skips the
 * frame and returns it to the connection's window. */
static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *head, void *arg)
{
    struct sl_h2_stream *stream;

    (void)ng;
    if (head->type != NGHTTP2_DATA) {
        return 0;
    }
    stream = sl_h2_stream_find(arg, head->stream_id);
    if (stream && head->length > sl_h2_stream_window(stream)) {
        stream->frame_bytes = (uint32_t)head->length;
        stream->window_bytes = sl_h2_stream_window(stream);
        sl_h2_stream_refuse(stream, SL_H2_FLOW_CONTROL_ERROR, SL_H2_CAUSE_WINDOW);
    }
    return 0;
}

static void return_window(struct sl_h2_stream *stream, uint32_t bytes)
{
    stream->unreturned += bytes;
    if (stream->unreturned >= AUTO_WINDOW_STEP_BYTES) {
        sl_h2_stream_grant(stream, stream->unreturned);
        stream->unreturned = 0;
    }
}

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *arg)
{
    struct sl_h2_stream *stream = sl_h2_stream_find(arg, id);
    int result = nghttp2_session_consume_connection(ng, len);

    (void)flags;
    if (result != 0) {
        return result;
    }
    if (!stream || stream->is_reset) {
        return 0;
    }
    stream->session->useful_bytes += len;
    if (stream->is_auto_window) {
        return_window(stream, (uint32_t)len);
    }
    if (stream->events->on_data && !stream->events->on_data(stream, bytes, len, stream->arg)) {
        sl_h2_stream_reset(stream, SL_H2_CANCEL);
    }
    return 0;
}

static void end_data_frame(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    size_t padding = frame->data.padlen;

    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        return;
    }
    if (padding) {
        sl_h2_stream_grant(stream, (uint32_t)padding);
    }
}

/* ---- frames that arrived ---- */

/* Requests that never left will not be sent after a GOAWAY; of those that did, nghttp2 closes the
 * ones that the peer will not look at. */
static void take_goaway(struct sl_h2_session *session, const nghttp2_goaway *goaway)
{
    struct sl_str debug_data = {(const char *)goaway->opaque_data, goaway->opaque_data_len};

    session->has_goaway = true;
    SL_LIST_FOR_EACH(node, &session->streams)
    {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(node, struct sl_h2_stream, node);

        if (stream->is_closed || session->role == SL_H2_SERVER) {
            continue;
        }
        if (!stream->is_open) {
            stream->cause = SL_H2_CAUSE_GOAWAY;
            sl_h2_stream_withdraw(stream, SL_H2_REFUSED_STREAM, true);
        } else if (stream->id > goaway->last_stream_id) {
            stream->cause = SL_H2_CAUSE_GOAWAY;
            stream->is_ended_by_peer = true;
        }
    }
    if (session->events->on_goaway) {
        session->events->on_goaway(session, goaway->last_stream_id, goaway->error_code, debug_data,
                                   session->arg);
    }
}

static void take_reset(struct sl_h2_stream *stream)
{
    struct sl_h2_session *session = stream->session;

    stream->is_ended_by_peer = true;
    if (session->role == SL_H2_SERVER && !stream->is_answered &&
        !sl_h2_guard_take(&session->guard, SL_H2_UNANSWERED_RESETS, 1)) {
        sl_h2_session_end_for(session, SL_H2_UNANSWERED_RESETS);
    }
}

static void take_stream_frame(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        take_reset(stream);
        return;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->is_interim) {
        stream->session->block_bytes += SL_H2_FRAME_HEAD_BYTES + frame->hd.length;
    }
    if (stream->is_reset || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)) {
        return;
    }
    if (is_block_refused(stream)) {
        sl_h2_stream_reset(stream, SL_H2_ENHANCE_YOUR_CALM);
        return;
    }
    stream->has_end = ends;
    if (frame->hd.type == NGHTTP2_DATA) {
        end_data_frame(stream, frame);
    } else {
        end_fields(stream);
    }
    if (ends && !stream->is_reset) {
        stream->is_ended_by_peer = stream->has_sent_end;
        if (stream->events->on_end) {
            stream->events->on_end(stream, stream->arg);
        }
    }
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream;

    (void)ng;
    if (frame->hd.type == NGHTTP2_SETTINGS) {
        session->is_greeted = true;
        session->is_settled = session->is_settled || frame->hd.flags & NGHTTP2_FLAG_ACK;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        take_goaway(session, &frame->goaway);
    } else if (frame->hd.type == NGHTTP2_PING) {
        sl_h2_session_take_ping(session, &frame->ping);
    } else if (frame->hd.stream_id > 0) {
        stream = sl_h2_stream_find(session, frame->hd.stream_id);
        if (stream) {
            take_stream_frame(stream, frame);
        }
    }
    return 0;
}

/* nghttp2 refuses a frame. When that costs the stream alone, the stream remembers why; when it
 * costs the connection, the GOAWAY says it. A client of Go says goodbye with a last stream of its
 * own, where there can be only one of ours: the session ends for it, but a goodbye it was. */
static int on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int rule, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = sl_h2_stream_find(session, frame->hd.stream_id);

    (void)ng;
    if (stream && stream->cause == SL_H2_CAUSE_NONE) {
        stream->cause = SL_H2_CAUSE_RULE;
        stream->rule = rule;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY && session->role == SL_H2_SERVER) {
        take_goaway(session, &frame->goaway);
    }
    return 0;
}

void sl_h2_set_incoming(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
}
