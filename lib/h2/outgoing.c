/* What nghttp2 says of the frames that left, and of the streams that it has done with. */
#include "h2/internal.h"

enum { TINY_FRAME_BYTES = 4 }; /* less than anybody who reads has windows for */

/* A frame of a few bytes left though more waits: the peer's window takes no more. */
static bool is_tiny(const struct sl_h2_stream *stream, size_t len)
{
    return len < TINY_FRAME_BYTES && sl_h2_stream_unsent(stream) > 0;
}

static void note_data_sent(struct sl_h2_stream *stream, size_t len)
{
    struct sl_h2_session *session = stream->session;

    stream->taken_bytes += len;
    if (!is_tiny(stream, len)) {
        sl_h2_guard_give(&session->guard, SL_H2_TINY_FRAMES, 1);
    } else if (!sl_h2_guard_take(&session->guard, SL_H2_TINY_FRAMES, 1)) {
        sl_h2_session_end_for(session, SL_H2_TINY_FRAMES);
    }
}

static void note_sent(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    struct sl_h2_guard *guard = &stream->session->guard;
    bool is_data = frame->hd.type == NGHTTP2_DATA;

    sl_h2_guard_sent(guard, is_data ? frame->hd.length : 0);
    if (!stream->is_answered) {
        stream->is_answered = true;
        sl_h2_guard_give(guard, SL_H2_UNANSWERED_RESETS, 1);
    }
    if (is_data) {
        note_data_sent(stream, frame->hd.length);
    }
}

/* A stream that was reset: not by its owner, then by what its peer did. */
static void note_reset_sent(struct sl_h2_session *session, const struct sl_h2_stream *stream)
{
    bool is_ours = stream && stream->is_reset && stream->cause == SL_H2_CAUSE_NONE;

    if (session->role == SL_H2_SERVER && !is_ours &&
        !sl_h2_guard_take(&session->guard, SL_H2_PROVOKED_RESETS, 1)) {
        sl_h2_session_end_for(session, SL_H2_PROVOKED_RESETS);
    }
}

static void note_goaway_sent(struct sl_h2_session *session, const nghttp2_goaway *goaway)
{
    if (goaway->error_code == NGHTTP2_NO_ERROR || session->has_sent_goaway) {
        return;
    }
    if (session->role == SL_H2_SERVER && goaway->error_code == NGHTTP2_INTERNAL_ERROR &&
        goaway->opaque_data_len == 0) {
        /* Its limit of resets: whatever else it ends a connection for has a text. */
        sl_h2_session_give_reason(session, sl_h2_why_abuse(session->limits, SL_H2_RESETS));
        return;
    }
    sl_h2_session_give_reason(session, sl_h2_why_broke(goaway));
}

static void stream_frame_left(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    bool is_request =
        frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;

    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) {
        return;
    }
    note_sent(stream, frame);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        stream->has_sent_end = true;
        if (stream->session->role == SL_H2_SERVER && !stream->has_end) {
            sl_h2_stream_reset(stream, SL_H2_NO_ERROR);
        }
    }
    if (is_request) {
        stream->is_open = true;
        if (stream->events->on_open) {
            stream->events->on_open(stream, stream->arg);
        }
    } else if (frame->hd.type == NGHTTP2_DATA) {
        sl_h2_stream_tell_writable(stream);
    }
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream;

    (void)ng;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        note_goaway_sent(session, &frame->goaway);
    } else if (frame->hd.stream_id > 0) {
        stream = sl_h2_stream_find(session, frame->hd.stream_id);
        if (frame->hd.type == NGHTTP2_RST_STREAM) {
            note_reset_sent(session, stream);
        } else if (stream) {
            stream_frame_left(stream, frame);
        }
    }
    return 0;
}

/* A response or its trailers that nghttp2 refused (too large, say). Requests it closes itself. */
static int on_frame_not_send(nghttp2_session *ng, const nghttp2_frame *frame, int error, void *arg)
{
    struct sl_h2_stream *stream = sl_h2_stream_find(arg, frame->hd.stream_id);

    (void)ng;
    (void)error;
    if (stream && frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        sl_h2_stream_reset(stream, SL_H2_INTERNAL_ERROR);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *arg)
{
    struct sl_h2_stream *stream = sl_h2_stream_find(arg, id);

    if (!stream) {
        return 0;
    }
    if (stream->is_reset && error == NGHTTP2_NO_ERROR && stream->cause != SL_H2_CAUSE_NONE) {
        error = NGHTTP2_ENHANCE_YOUR_CALM; /* of a reset that its regular end made superfluous */
    }
    sl_h2_stream_set_closed(stream, error, stream->is_ended_by_peer);
    nghttp2_session_set_stream_user_data(ng, id, NULL);
    if (!stream->holds) {
        sl_h2_stream_end(stream);
    }
    return 0;
}

/* One frame at a time: nghttp2 pauses after it. */
static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t len,
                        nghttp2_data_source *source, void *arg)
{
    (void)ng;
    (void)frame;
    (void)arg;
    sl_h2_stream_write_frame(source->ptr, head, len);
    return NGHTTP2_ERR_PAUSE;
}

void sl_h2_set_outgoing(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
