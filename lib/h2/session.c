#include <stdlib.h>
#include <string.h>

#include "h2/internal.h"

enum {
    FRAME_TYPE_AT = 3, /* in the head of a frame */
};

/* ---- the session's end and its output ---- */

void sl_h2_session_give_reason(struct sl_h2_session *session, struct sl_status why)
{
    if (sl_status_is_ok(&session->why)) {
        session->why = why;
    }
}

/* nghttp2 cannot go on: nothing comes in or goes out any more. */
static void die(struct sl_h2_session *session, int result)
{
    session->is_dead = true;
    sl_h2_session_give_reason(session, sl_h2_why_gave_up(session->limits, result));
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
    sl_h2_set_incoming(callbacks);
    sl_h2_set_outgoing(callbacks);
    nghttp2_option_set_no_auto_window_update(option, 1);
    /* A server knows streams that are closed for a while: what comes for one after END_STREAM is an
     * error (RFC 9113 section 5.1). With the open ones they are no more than SL_H2_MAX_STREAMS. */
    nghttp2_option_set_no_closed_streams(option, session->role == SL_H2_CLIENT);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, session->limits->sent_table_bytes);
    nghttp2_option_set_max_outbound_ack(option, session->limits->unanswered_frames);
    nghttp2_option_set_max_continuations(option, session->limits->continuation_frames);
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
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, session->limits->header_bytes},
        {is_client ? NGHTTP2_SETTINGS_ENABLE_PUSH : NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         is_client ? 0 : session->limits->concurrent_streams},
    };

    return nghttp2_submit_settings(session->ng, NGHTTP2_FLAG_NONE, settings,
                                   SL_ARRAY_LEN(settings)) == 0 &&
           nghttp2_session_set_local_window_size(session->ng, NGHTTP2_FLAG_NONE, 0,
                                                 SL_H2_CONNECTION_WINDOW_BYTES) == 0;
}

struct sl_h2_session *sl_h2_session_new(enum sl_h2_role role, const struct sl_h2_limits *limits,
                                        const struct sl_h2_session_events *events, void *arg)
{
    struct sl_h2_session *session = calloc(1, sizeof(*session));

    if (!session) {
        return NULL;
    }
    session->role = role;
    session->limits = limits ? limits : &sl_h2_default_limits;
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
           session->limits->queued_frames + session->stream_count;
}

/* The next frame that is to leave, into `room`, which has SL_H2_OUTPUT_BYTES. 0: there is none. */
static size_t write_frame(struct sl_h2_session *session, uint8_t *room)
{
    const uint8_t *bytes;

    session->frame_room = room;
    session->frame_bytes = 0;
    ssize_t len = nghttp2_session_mem_send(session->ng, &bytes);
    session->frame_room = NULL;
    if (len < 0) {
        die(session, (int)len);
    } else if (len > 0) { /* not of DATA: that is there already */
        SL_ASSERT(session->frame_bytes == 0 && len <= SL_H2_OUTPUT_BYTES);
        memcpy(room, bytes, (size_t)len);
        session->frame_bytes = (size_t)len;
    }
    return session->frame_bytes;
}

/* Looks for the GOAWAY of a connection error: on_frame_send takes the reason from it. It is kept as
 * the last output; what is queued before it nobody needs any more. */
static void take_farewell(struct sl_h2_session *session)
{
    uint8_t frame[SL_H2_OUTPUT_BYTES];
    size_t len;

    session->is_sending = true;
    while (!session->is_dead && (len = write_frame(session, frame)) > 0) {
        if (len > FRAME_TYPE_AT && frame[FRAME_TYPE_AT] == NGHTTP2_GOAWAY) {
            sl_buf_add(&session->farewell, frame, len);
        }
    }
    session->is_sending = false;
    session->is_dead = true;
    sl_h2_session_give_reason(session, sl_h2_why_gave_up(session->limits, NGHTTP2_ERR_PROTO));
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
    sl_h2_session_give_reason(
        session, is_first ? sl_h2_why_not_http2(bytes, len)
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
        sl_h2_session_give_reason(session, sl_h2_why_flooded(session->limits));
        sl_h2_session_note(
            session, nghttp2_session_terminate_session(session->ng, NGHTTP2_ENHANCE_YOUR_CALM));
    }
    if (nghttp2_session_want_write(session->ng)) {
        sl_h2_session_note(session, 0);
    }
    return session->why;
}

static size_t take_from_farewell(struct sl_h2_session *session, uint8_t *to, size_t room)
{
    size_t len = sl_min_size(session->farewell.len, room);

    if (len > 0) {
        memcpy(to, session->farewell.data, len);
        sl_buf_drop(&session->farewell, len);
    }
    return len;
}

/* The streams' ends may bring new frames. */
static size_t next_frame(struct sl_h2_session *session, uint8_t *room)
{
    size_t len;

    do {
        end_all(&session->ended);
        len = session->is_dead ? 0 : write_frame(session, room);
    } while (len == 0 && !sl_list_is_empty(&session->ended));
    return len;
}

size_t sl_h2_session_output(struct sl_h2_session *session, uint8_t *to, size_t room)
{
    size_t len = take_from_farewell(session, to, room);
    size_t more = 1;

    SL_ASSERT(room >= SL_H2_OUTPUT_BYTES);
    session->is_sending = true;
    while (more > 0 && room - len >= SL_H2_OUTPUT_BYTES) {
        more = next_frame(session, to + len);
        len += more;
    }
    session->is_sending = false;
    session->is_output_due = false;
    return len;
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
