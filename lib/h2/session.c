#include <stdlib.h>
#include <string.h>

#include "h2/internal.h"

enum {
    FRAME_TYPE_AT = 3,         /* in the head of a frame */
    FIELD_OVERHEAD_BYTES = 32, /* RFC 9113 section 6.5.2: what a field counts beside its bytes */
    AUTO_WINDOW_STEP_BYTES = SL_H2_STREAM_WINDOW_BYTES / 2,
};

/* ---- the session's end and its output ---- */

static void give_reason(struct sl_h2_session *session, struct sl_status why)
{
    if (sl_status_is_ok(&session->why)) {
        session->why = why;
    }
}

/* nghttp2 cannot go on: nothing comes in or goes out any more. */
static void die(struct sl_h2_session *session, int result)
{
    session->is_dead = true;
    give_reason(session, sl_h2_why_gave_up(result));
}

void sl_h2_session_note(struct sl_h2_session *session, int result)
{
    if (nghttp2_is_fatal(result)) {
        die(session, result);
    }
    if (session->is_output_due || session->is_sending) {
        return;
    }
    session->is_output_due = true;
    if (session->events->on_output) {
        session->events->on_output(session, session->arg);
    }
}

static struct sl_h2_stream *find_stream(struct sl_h2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session->ng, id);
}

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
    struct sl_h2_stream *stream = find_stream(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream = accept_stream(session, frame->hd.stream_id);
        if (!stream) {
            nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_REFUSED_STREAM);
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    if (stream) {
        stream->field_bytes = 0;
        stream->field_count = 0;
        stream->is_interim = false;
    }
    return 0;
}

/* False when the block is over a limit: then the stream is reset. */
static bool count_field(struct sl_h2_stream *stream, size_t name_len, size_t value_len)
{
    enum sl_h2_cause cause = SL_H2_CAUSE_NONE;

    stream->field_count++;
    stream->field_bytes += name_len + value_len + FIELD_OVERHEAD_BYTES;
    if (stream->field_count > SL_H2_MAX_HEADER_FIELDS) {
        cause = SL_H2_CAUSE_HEADER_FIELDS;
    } else if (stream->field_bytes > SL_H2_MAX_HEADER_BYTES) {
        cause = SL_H2_CAUSE_HEADER_BYTES;
    } else {
        return true;
    }
    sl_h2_stream_refuse(stream, SL_H2_ENHANCE_YOUR_CALM, cause);
    return false;
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
    struct sl_h2_stream *stream = find_stream(arg, frame->hd.stream_id);
    struct sl_str name = {(const char *)name_bytes, name_len};
    struct sl_str value = {(const char *)value_bytes, value_len};

    (void)ng;
    (void)flags;
    if (!stream || stream->is_reset) {
        return 0;
    }
    if (!count_field(stream, name_len, value_len)) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
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
    stream = find_stream(arg, head->stream_id);
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
    struct sl_h2_stream *stream = find_stream(arg, id);
    int result = nghttp2_session_consume_connection(ng, len);

    (void)flags;
    if (result != 0) {
        return result;
    }
    if (!stream || stream->is_reset) {
        return 0;
    }
    stream->empty_frames = 0;
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
    if (frame->hd.length == padding && ++stream->empty_frames > SL_H2_MAX_EMPTY_FRAMES) {
        sl_h2_stream_refuse(stream, SL_H2_ENHANCE_YOUR_CALM, SL_H2_CAUSE_EMPTY_FRAMES);
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

static void take_stream_frame(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        stream->is_ended_by_peer = true;
        return;
    }
    if (stream->is_reset || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)) {
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
    } else if (frame->hd.stream_id > 0) {
        stream = find_stream(session, frame->hd.stream_id);
        if (stream) {
            take_stream_frame(stream, frame);
        }
    }
    return 0;
}

/* nghttp2 refuses a frame. When that costs the stream alone, the stream remembers why; when it
 * costs the connection, the GOAWAY says it. */
static int on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int rule, void *arg)
{
    struct sl_h2_stream *stream = find_stream(arg, frame->hd.stream_id);

    (void)ng;
    if (stream && stream->cause == SL_H2_CAUSE_NONE) {
        stream->cause = SL_H2_CAUSE_RULE;
        stream->rule = rule;
    }
    return 0;
}

/* ---- frames that left ---- */

static void stream_frame_left(struct sl_h2_stream *stream, const nghttp2_frame *frame)
{
    bool is_request =
        frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;

    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) {
        return;
    }
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
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
        !session->has_sent_goaway) {
        give_reason(session, sl_h2_why_broke(&frame->goaway));
    } else if (frame->hd.stream_id > 0) {
        stream = find_stream(session, frame->hd.stream_id);
        if (stream) {
            stream_frame_left(stream, frame);
        }
    }
    return 0;
}

/* A response or its trailers that nghttp2 refused (too large, say). Requests it closes itself. */
static int on_frame_not_send(nghttp2_session *ng, const nghttp2_frame *frame, int error, void *arg)
{
    struct sl_h2_stream *stream = find_stream(arg, frame->hd.stream_id);

    (void)ng;
    (void)error;
    if (stream && frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        sl_h2_stream_reset(stream, SL_H2_INTERNAL_ERROR);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *arg)
{
    struct sl_h2_stream *stream = find_stream(arg, id);

    if (!stream) {
        return 0;
    }
    sl_h2_stream_set_closed(stream, error, stream->is_ended_by_peer);
    nghttp2_session_set_stream_user_data(ng, id, NULL);
    if (!stream->holds) {
        sl_h2_stream_end(stream);
    }
    return 0;
}

/* ---- making one ---- */

static int new_ng_session(struct sl_h2_session *session, const nghttp2_session_callbacks *callbacks,
                          const nghttp2_option *option)
{
    if (session->role == SL_H2_CLIENT) {
        return nghttp2_session_client_new3(&session->ng, callbacks, session, option,
                                           sl_h2_memory());
    }
    return nghttp2_session_server_new3(&session->ng, callbacks, session, option, sl_h2_memory());
}

static bool make_ng_session(struct sl_h2_session *session)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool is_made = false;

    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
        goto out;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    /* A server knows streams that are closed for a while: what comes for one after END_STREAM is an
     * error (RFC 9113 section 5.1). With the open ones they are no more than SL_H2_MAX_STREAMS. */
    nghttp2_option_set_no_closed_streams(option, session->role == SL_H2_CLIENT);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0); /* few requests: 2 KB less */
    nghttp2_option_set_max_outbound_ack(option, SL_H2_MAX_UNANSWERED);
    nghttp2_option_set_max_continuations(option, SL_H2_MAX_CONTINUATIONS);
    is_made = new_ng_session(session, callbacks, option) == 0;
out:
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return is_made;
}

static bool submit_preface(struct sl_h2_session *session)
{
    bool is_client = session->role == SL_H2_CLIENT;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SL_H2_STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, SL_H2_MAX_HEADER_BYTES},
        {is_client ? NGHTTP2_SETTINGS_ENABLE_PUSH : NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         is_client ? 0 : SL_H2_MAX_STREAMS},
    };

    return nghttp2_submit_settings(session->ng, NGHTTP2_FLAG_NONE, settings,
                                   SL_ARRAY_LEN(settings)) == 0 &&
           nghttp2_session_set_local_window_size(session->ng, NGHTTP2_FLAG_NONE, 0,
                                                 SL_H2_CONNECTION_WINDOW_BYTES) == 0;
}

struct sl_h2_session *sl_h2_session_new(enum sl_h2_role role,
                                        const struct sl_h2_session_events *events, void *arg)
{
    struct sl_h2_session *session = calloc(1, sizeof(*session));

    if (!session) {
        return NULL;
    }
    session->role = role;
    session->events = events;
    session->arg = arg;
    session->why = sl_status_ok();
    session->is_output_due = true;
    sl_list_init(&session->streams);
    sl_list_init(&session->ended);
    if (!make_ng_session(session) || !submit_preface(session)) {
        nghttp2_session_del(session->ng);
        free(session);
        return NULL;
    }
    return session;
}

static void end_all(struct sl_list *list)
{
    while (!sl_list_is_empty(list)) {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(list->next, struct sl_h2_stream, node);

        if (!stream->is_closed) {
            stream->cause = SL_H2_CAUSE_CONNECTION;
            sl_h2_stream_set_closed(stream, SL_H2_INTERNAL_ERROR, false);
        }
        sl_h2_stream_end(stream);
    }
}

void sl_h2_session_set_secure(struct sl_h2_session *session, bool is_secure)
{
    session->is_secure = is_secure;
}

struct sl_str sl_h2_session_scheme(const struct sl_h2_session *session)
{
    return session->is_secure ? SL_STR("https") : SL_STR("http");
}

void sl_h2_session_free(struct sl_h2_session *session)
{
    session->is_dead = true;
    session->is_sending = true; /* nobody is told of output any more */
    while (session->stream_count > 0) {
        end_all(&session->ended);
        end_all(&session->streams);
    }
    nghttp2_session_del(session->ng);
    sl_buf_fini(&session->farewell);
    free(session);
}

/* ---- bytes in, bytes out ---- */

/* nghttp2 has queued the GOAWAY of a connection error. It does not say so; but a client that may
 * not make requests, though neither side announced an end, can have no other cause. */
static bool has_failed(const struct sl_h2_session *session)
{
    return session->role == SL_H2_CLIENT && !session->has_goaway && !session->has_sent_goaway &&
           nghttp2_session_get_next_stream_id(session->ng) <= INT32_MAX &&
           !nghttp2_session_check_request_allowed(session->ng);
}

static bool is_flooded(const struct sl_h2_session *session)
{
    return nghttp2_session_get_outbound_queue_size(session->ng) >
           SL_H2_MAX_QUEUED_FRAMES + session->stream_count;
}

/* Looks for the GOAWAY of a connection error: on_frame_send takes the reason from it. It is kept as
 * the last output; what is queued before it nobody needs any more. */
static void take_farewell(struct sl_h2_session *session)
{
    const uint8_t *bytes;
    ssize_t len;

    session->is_sending = true;
    do {
        len = nghttp2_session_mem_send(session->ng, &bytes);
        if (len > FRAME_TYPE_AT && bytes[FRAME_TYPE_AT] == NGHTTP2_GOAWAY) {
            sl_buf_add(&session->farewell, bytes, (size_t)len);
        }
    } while (len > 0);
    session->is_sending = false;
    session->is_dead = true;
    give_reason(session, sl_h2_why_gave_up(NGHTTP2_ERR_PROTO));
}

/* Whether the peer of a client begins as it must, as far as its first bytes tell. */
static bool begins_well(struct sl_h2_session *session, const uint8_t *bytes, size_t len)
{
    size_t more = sl_min_size(len, SL_H2_PREFACE_BYTES - session->preface_have);

    if (session->role == SL_H2_SERVER || more == 0) {
        return true;
    }
    memcpy(session->preface + session->preface_have, bytes, more);
    session->preface_have = (uint8_t)(session->preface_have + more);
    return sl_h2_preface_is_good(session->preface, session->preface_have);
}

static void refuse_peer(struct sl_h2_session *session, const uint8_t *bytes, size_t len)
{
    bool is_first = len >= session->preface_have;

    session->is_dead = true;
    give_reason(session, is_first ? sl_h2_why_not_http2(bytes, len)
                                  : sl_h2_why_not_http2(session->preface, session->preface_have));
}

struct sl_status sl_h2_session_receive(struct sl_h2_session *session, const uint8_t *bytes,
                                       size_t len)
{
    if (!sl_status_is_ok(&session->why)) {
        return session->why;
    }
    if (!begins_well(session, bytes, len)) {
        refuse_peer(session, bytes, len);
        return session->why;
    }
    ssize_t taken = nghttp2_session_mem_recv(session->ng, bytes, len);
    if (taken < 0) {
        die(session, (int)taken);
    } else if (has_failed(session)) {
        take_farewell(session);
    } else if (is_flooded(session)) {
        give_reason(session, sl_h2_why_flooded());
        sl_h2_session_note(
            session, nghttp2_session_terminate_session(session->ng, NGHTTP2_ENHANCE_YOUR_CALM));
    }
    if (nghttp2_session_want_write(session->ng)) {
        sl_h2_session_note(session, 0);
    }
    return session->why;
}

size_t sl_h2_session_output(struct sl_h2_session *session, const uint8_t **bytes)
{
    ssize_t len;

    session->is_sending = true;
    if (session->farewell.len > 0) {
        *bytes = (const uint8_t *)session->farewell.data;
        len = (ssize_t)session->farewell.len;
        session->farewell.len = 0;
        session->is_sending = false;
        return (size_t)len;
    }
    do {
        end_all(&session->ended);
        len = session->is_dead ? 0 : nghttp2_session_mem_send(session->ng, bytes);
        if (len < 0) {
            die(session, (int)len);
            len = 0;
        }
    } while (len == 0 && !sl_list_is_empty(&session->ended));
    session->is_sending = false;
    session->is_output_due = false;
    return (size_t)len;
}

void sl_h2_session_ping(struct sl_h2_session *session)
{
    sl_h2_session_note(session, nghttp2_submit_ping(session->ng, NGHTTP2_FLAG_NONE, NULL));
}

uint64_t sl_h2_session_useful_bytes(const struct sl_h2_session *session)
{
    return session->useful_bytes;
}

bool sl_h2_session_is_done(const struct sl_h2_session *session)
{
    if (session->is_dead) {
        return true;
    }
    if (nghttp2_session_want_read(session->ng) || nghttp2_session_want_write(session->ng)) {
        return false;
    }
    return session->held_count == 0 || !sl_status_is_ok(&session->why);
}

size_t sl_h2_session_streams(const struct sl_h2_session *session)
{
    return session->stream_count;
}

bool sl_h2_session_is_settled(const struct sl_h2_session *session)
{
    return session->is_settled;
}

bool sl_h2_session_is_greeted(const struct sl_h2_session *session)
{
    return session->is_greeted;
}

void sl_h2_session_goaway(struct sl_h2_session *session, enum sl_h2_error error)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(session->ng);

    if (session->has_sent_goaway) {
        return;
    }
    session->has_sent_goaway = true;
    sl_h2_session_note(
        session, nghttp2_submit_goaway(session->ng, NGHTTP2_FLAG_NONE, last_id, error, NULL, 0));
}

bool sl_h2_session_takes_requests(const struct sl_h2_session *session)
{
    return session->role == SL_H2_CLIENT && !session->is_dead && !session->has_sent_goaway &&
           nghttp2_session_check_request_allowed(session->ng);
}

/* Negative when it could not be submitted. */
static int32_t submit_request(struct sl_h2_stream *stream, const struct sl_h2_field *fields,
                              size_t count, bool takes_data)
{
    nghttp2_data_provider provider = sl_h2_stream_provider(stream);
    nghttp2_nv *pairs = sl_h2_fields_borrow(fields, count);
    int32_t id = NGHTTP2_ERR_NOMEM;

    if (pairs) {
        id = nghttp2_submit_request(stream->session->ng, NULL, pairs, count,
                                    takes_data ? &provider : NULL, stream);
    }
    free(pairs);
    return id;
}

struct sl_h2_stream *sl_h2_session_request(struct sl_h2_session *session,
                                           const struct sl_h2_field *fields, size_t count,
                                           bool takes_data,
                                           const struct sl_h2_stream_events *events, void *arg)
{
    struct sl_h2_stream *stream =
        sl_h2_session_takes_requests(session) ? sl_h2_stream_new(session) : NULL;

    if (!stream) {
        return NULL;
    }
    stream->id = submit_request(stream, fields, count, takes_data);
    if (stream->id < 0) {
        sl_h2_stream_end(stream); /* without events: nobody hears of it */
        return NULL;
    }
    sl_h2_stream_set_events(stream, events, arg);
    stream->is_finished = !takes_data;
    sl_h2_session_note(session, 0);
    return stream;
}
