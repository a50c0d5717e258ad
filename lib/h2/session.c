#include <stdlib.h>
#include <string.h>

#include "h2/internal.h"

enum {
    FRAME_TYPE_AT = 3, /* in the head of a frame */
};

static const uint8_t drain_ping[8] = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

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

void sl_h2_session_end_for(struct sl_h2_session *session, enum sl_h2_abuse abuse)
{
    const char *text = sl_h2_abuse_farewell(abuse);

    if (!sl_status_is_ok(&session->why)) {
        return;
    }
    sl_h2_session_give_reason(session, sl_h2_why_abuse(session->limits, abuse));
    session->has_sent_goaway = true;
    sl_h2_session_note(session,
                       nghttp2_submit_goaway(session->ng, NGHTTP2_FLAG_NONE,
                                             nghttp2_session_get_last_proc_stream_id(session->ng),
                                             NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)text,
                                             strlen(text)));
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

static void set_limits(nghttp2_option *option, const struct sl_h2_limits *limits)
{
    nghttp2_option_set_max_outbound_ack(option, limits->unanswered_frames);
    nghttp2_option_set_max_settings(option, limits->setting_entries);
    nghttp2_option_set_max_continuations(option, limits->continuation_frames);
    nghttp2_option_set_stream_reset_rate_limit(option, limits->resets.burst, limits->resets.per_s);
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
     * error (RFC 9113 section 5.1). With the open ones they are no more than may be open. */
    nghttp2_option_set_no_closed_streams(option, session->role == SL_H2_CLIENT);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, session->limits->sent_table_bytes);
    set_limits(option, session->limits);
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
    sl_h2_guard_init(&session->guard, session->limits, role == SL_H2_SERVER,
                     role == SL_H2_SERVER ? SL_H2_MAGIC_BYTES : 0);
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

/* Looks for the GOAWAY that ends the connection: on_frame_send takes the reason from it. It is kept
 * as the last output; what is queued before it nobody needs any more. */
static void take_farewell(struct sl_h2_session *session)
{
    uint8_t frame[SL_H2_OUTPUT_BYTES];
    size_t len;

    session->is_sending = true;
    while (!session->is_dead && session->farewell.len == 0 &&
           (len = write_frame(session, frame)) > 0) {
        if (len > FRAME_TYPE_AT && frame[FRAME_TYPE_AT] == NGHTTP2_GOAWAY) {
            sl_buf_add(&session->farewell, frame, len);
        }
    }
    session->is_sending = false;
    session->is_dead = true;
    sl_h2_session_give_reason(session, sl_h2_why_gave_up(session->limits, NGHTTP2_ERR_PROTO));
}

/* Whether the peer begins as it must, as far as its first bytes tell. */
static bool begins_well(struct sl_h2_session *session, const uint8_t *bytes, size_t len)
{
    size_t whole = session->role == SL_H2_SERVER ? SL_H2_MAGIC_BYTES : SL_H2_PREFACE_BYTES;
    size_t more = sl_min_size(len, whole - session->preface_have);

    if (more == 0) {
        return true;
    }
    memcpy(session->preface + session->preface_have, bytes, more);
    session->preface_have = (uint8_t)(session->preface_have + more);
    return sl_h2_preface_is_good(session->role, session->preface, session->preface_have);
}

static void refuse_peer(struct sl_h2_session *session, const uint8_t *bytes, size_t len)
{
    bool is_first = len >= session->preface_have;

    session->is_dead = true;
    sl_h2_session_give_reason(
        session, is_first
                     ? sl_h2_why_not_http2(session->role, bytes, len)
                     : sl_h2_why_not_http2(session->role, session->preface, session->preface_have));
}

/* What came beside DATA and header blocks that a stream took. */
static void count_idle(struct sl_h2_session *session, size_t len, size_t data_bytes)
{
    size_t welcome = data_bytes + session->block_bytes;
    uint64_t more = (uint64_t)data_bytes * session->limits->idle_bytes_per_byte;

    session->block_bytes = 0;
    sl_h2_guard_give(&session->guard, SL_H2_IDLE_BYTES, more + (welcome > len ? welcome - len : 0));
    if (welcome < len && !sl_h2_guard_idle(&session->guard, len - welcome)) {
        sl_h2_session_end_for(session, SL_H2_IDLE_BYTES);
    }
}

static void take_bytes(struct sl_h2_session *session, const uint8_t *bytes, size_t len)
{
    uint64_t before = session->useful_bytes;

    session->guard.has_streams = session->stream_count > 0;
    enum sl_h2_abuse abuse = sl_h2_guard_look(&session->guard, bytes, len);

    if (abuse != SL_H2_NO_ABUSE) {
        sl_h2_session_end_for(session, abuse);
        return;
    }
    ssize_t taken = nghttp2_session_mem_recv(session->ng, bytes, len);
    if (taken < 0) {
        die(session, (int)taken);
    } else if (is_flooded(session)) {
        sl_h2_session_end_for(session, SL_H2_QUEUED_FRAMES);
    } else {
        count_idle(session, len, (size_t)(session->useful_bytes - before));
    }
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
    take_bytes(session, bytes, len);
    if (!session->is_dead && (!sl_status_is_ok(&session->why) || has_failed(session))) {
        take_farewell(session);
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

int32_t sl_h2_session_last_id(const struct sl_h2_session *session)
{
    return nghttp2_session_get_last_proc_stream_id(session->ng);
}

void sl_h2_session_set_now(struct sl_h2_session *session, int64_t now_ns)
{
    session->guard.now_ms = now_ns / SL_NS_PER_MS;
}

const struct sl_status *sl_h2_session_why(const struct sl_h2_session *session)
{
    return &session->why;
}

uint64_t sl_h2_session_unfinished_ms(const struct sl_h2_session *session)
{
    return sl_h2_guard_unfinished_ms(&session->guard, session->guard.now_ms);
}

void sl_h2_session_take_ping(struct sl_h2_session *session, const nghttp2_ping *ping)
{
    bool is_ack = ping->hd.flags & NGHTTP2_FLAG_ACK;

    if (is_ack && session->is_draining &&
        memcmp(ping->opaque_data, drain_ping, sizeof(drain_ping)) == 0) {
        sl_h2_session_goaway(session, SL_H2_NO_ERROR);
    }
}

void sl_h2_session_drain(struct sl_h2_session *session)
{
    if (session->role == SL_H2_CLIENT) {
        sl_h2_session_goaway(session, SL_H2_NO_ERROR);
    } else if (!session->is_draining && !session->has_sent_goaway) {
        session->is_draining = true;
        sl_h2_session_note(session, nghttp2_submit_shutdown_notice(session->ng));
        sl_h2_session_note(session,
                           nghttp2_submit_ping(session->ng, NGHTTP2_FLAG_NONE, drain_ping));
    }
}

bool sl_h2_session_is_draining(const struct sl_h2_session *session)
{
    return session->is_draining && !session->has_sent_goaway;
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
