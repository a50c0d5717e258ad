#include "h2/session.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"

enum {
    OUTPUT_BYTES = 64 * 1024, /* small frames leave together */
    MAX_OUTBOUND_ACKS = 1000, /* PING and SETTINGS that a peer makes us answer */
    MAX_CONTINUATIONS = 8,
    RESETS_BURST = 1000,
    RESETS_PER_S = 100,
};

struct sl_h2_stream {
    struct sl_list node;
    struct sl_h2_session *session;
    const struct sl_h2_stream_events *events;
    void *arg;
    int32_t id;
    size_t field_count; /* of the block under way */
    size_t field_bytes;
    struct sl_buf unsent; /* from unsent_at on */
    size_t unsent_at;
    struct sl_list writable_node;
    bool is_open; /* our HEADERS left, or the peer's came */
    bool has_auto_window;
    bool has_provider;
    bool is_deferred;
    bool is_finished; /* END_STREAM goes behind what is unsent */
    struct sl_h2_field *trailers; /* copies, until they leave */
    size_t trailer_count;
    bool was_refused; /* a send: on_writable is owed */
    bool is_reset_here;
    bool is_reset_by_peer;
    bool in_trailers;
    bool has_fields; /* a final block of fields was complete */
};

struct sl_h2_session {
    nghttp2_session *ng;
    const struct sl_h2_session_events *events;
    void *arg;
    enum sl_h2_role role;
    struct sl_list streams;
    struct sl_list writable; /* on_writable is due */
    struct sl_list cancelled; /* reset before their HEADERS left: on_close is due */
    size_t stream_count;
    struct sl_buf output;
    bool has_told_output;
    bool is_settled;
    bool is_going; /* a GOAWAY was sent or received */
};

static const char *const error_names[] = {
    "NO_ERROR",          "PROTOCOL_ERROR",     "INTERNAL_ERROR",    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",  "STREAM_CLOSED",      "FRAME_SIZE_ERROR",  "REFUSED_STREAM",
    "CANCEL",            "COMPRESSION_ERROR",  "CONNECT_ERROR",     "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
};

const char *sl_h2_error_name(uint32_t error)
{
    return error < SL_ARRAY_LEN(error_names) ? error_names[error] : "unknown";
}

/* Says once that there is something to send. */
static void tell_output(struct sl_h2_session *session)
{
    if (!session->has_told_output && session->events->on_output) {
        session->has_told_output = true;
        session->events->on_output(session, session->arg);
    }
}

/* ---- streams ---- */

static struct sl_h2_stream *stream_new(struct sl_h2_session *session,
                                       const struct sl_h2_stream_events *events, void *arg)
{
    struct sl_h2_stream *stream = calloc(1, sizeof(*stream));

    if (stream) {
        sl_list_init(&stream->node);
        sl_list_init(&stream->writable_node);
        sl_list_append(&session->streams, &stream->node);
        stream->session = session;
        stream->events = events;
        stream->arg = arg;
        session->stream_count++;
    }
    return stream;
}

static void free_trailers(struct sl_h2_stream *stream)
{
    for (size_t i = 0; i < stream->trailer_count; i++) {
        free((void *)(uintptr_t)stream->trailers[i].name.data);
        free((void *)(uintptr_t)stream->trailers[i].value.data);
    }
    free(stream->trailers);
    stream->trailers = NULL;
    stream->trailer_count = 0;
}

/* Takes the stream out of the session, tells its end, frees it. */
static void stream_end(struct sl_h2_stream *stream, uint32_t error, bool by_peer)
{
    sl_list_remove(&stream->node);
    sl_list_remove(&stream->writable_node);
    stream->session->stream_count--;
    if (stream->id > 0) {
        nghttp2_session_set_stream_user_data(stream->session->ng, stream->id, NULL);
    }
    if (stream->events && stream->events->on_close) {
        stream->events->on_close(stream, error, by_peer, stream->arg);
    }
    free_trailers(stream);
    sl_buf_fini(&stream->unsent);
    free(stream);
}

static struct sl_h2_stream *find(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static void reset(struct sl_h2_stream *stream, uint32_t error)
{
    if (stream->is_reset_here) {
        return;
    }
    stream->is_reset_here = true;
    nghttp2_submit_rst_stream(stream->session->ng, NGHTTP2_FLAG_NONE, stream->id, error);
    if (!stream->is_open) {
        sl_list_remove(&stream->node);
        sl_list_append(&stream->session->cancelled, &stream->node);
    }
    tell_output(stream->session);
}

/* ---- what arrives ---- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = find(ng, frame->hd.stream_id);

    if (frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (session->role == SL_H2_SERVER && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream = stream_new(session, NULL, NULL);
        if (!stream) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        stream->id = frame->hd.stream_id;
        stream->is_open = true;
        nghttp2_session_set_stream_user_data(ng, stream->id, stream);
        if (session->events->on_stream) {
            session->events->on_stream(session, stream, session->arg);
        }
        if (!stream->events) {
            reset(stream, SL_H2_REFUSED_STREAM);
        }
    }
    if (stream) {
        stream->field_count = 0;
        stream->field_bytes = 0;
        stream->in_trailers = stream->has_fields;
    }
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct sl_h2_stream *stream = find(ng, frame->hd.stream_id);

    (void)flags;
    (void)arg;
    if (!stream || stream->is_reset_here || frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    stream->field_count++;
    stream->field_bytes += name_len + value_len + 32;
    if (stream->field_count > SL_H2_MAX_HEADER_FIELDS ||
        stream->field_bytes > SL_H2_MAX_HEADER_BYTES) {
        reset(stream, SL_H2_ENHANCE_YOUR_CALM);
        return 0;
    }
    if (stream->events && stream->events->on_field) {
        stream->events->on_field(stream, (struct sl_str){(const char *)name, name_len},
                                 (struct sl_str){(const char *)value, value_len}, stream->arg);
    }
    return 0;
}

static void on_fields_end(struct sl_h2_stream *stream)
{
    bool are_trailers = stream->in_trailers;

    if (stream->is_reset_here || !stream->events) {
        return;
    }
    stream->has_fields = true;
    if (stream->events->on_fields_end) {
        stream->events->on_fields_end(stream, are_trailers, stream->arg);
    }
}

static void on_goaway(struct sl_h2_session *session, const nghttp2_goaway *goaway)
{
    session->is_going = true;
    if (session->events->on_goaway) {
        session->events->on_goaway(
            session, goaway->last_stream_id, goaway->error_code,
            (struct sl_str){(const char *)goaway->opaque_data, goaway->opaque_data_len},
            session->arg);
    }
}

/* The payload was given to on_data already; what is left is the padding's window and the end. */
static void on_data_end(nghttp2_session *ng, struct sl_h2_stream *stream, size_t padding)
{
    if (padding && !stream->has_auto_window) {
        nghttp2_submit_window_update(ng, NGHTTP2_FLAG_NONE, stream->id, (int32_t)padding);
        tell_output(stream->session);
    }
}

static void on_end(struct sl_h2_stream *stream)
{
    if (!stream->is_reset_here && stream->events && stream->events->on_end) {
        stream->events->on_end(stream, stream->arg);
    }
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = frame->hd.stream_id ? find(ng, frame->hd.stream_id) : NULL;
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->hd.type == NGHTTP2_SETTINGS && is_ack) {
        session->is_settled = true;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        on_goaway(session, &frame->goaway);
    } else if (stream && frame->hd.type == NGHTTP2_HEADERS) {
        on_fields_end(stream);
        if (is_end) {
            on_end(stream);
        }
    } else if (stream && frame->hd.type == NGHTTP2_DATA) {
        on_data_end(ng, stream, frame->data.padlen);
        if (is_end) {
            on_end(stream);
        }
    } else if (stream && frame->hd.type == NGHTTP2_RST_STREAM) {
        stream->is_reset_by_peer = true;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *arg)
{
    struct sl_h2_session *session = arg;
    struct sl_h2_stream *stream = find(ng, id);

    (void)flags;
    nghttp2_session_consume_connection(ng, len);
    tell_output(session);
    if (!stream || stream->is_reset_here || !stream->events) {
        return 0; /* nghttp2 returns the window of streams that we reset */
    }
    if (stream->has_auto_window) {
        nghttp2_submit_window_update(ng, NGHTTP2_FLAG_NONE, id, (int32_t)len);
    }
    if (stream->events->on_data && !stream->events->on_data(stream, bytes, len, stream->arg)) {
        reset(stream, SL_H2_CANCEL);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *arg)
{
    struct sl_h2_stream *stream = find(ng, id);

    (void)arg;
    if (stream) {
        stream_end(stream, error, stream->is_reset_by_peer || !stream->is_reset_here);
    }
    return 0;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct sl_h2_stream *stream = find(ng, frame->hd.stream_id);

    (void)arg;
    if (stream && frame->hd.type == NGHTTP2_HEADERS &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream->is_open = true;
        if (stream->events->on_open) {
            stream->events->on_open(stream, stream->arg);
        }
    }
    return 0;
}

/* A request that cannot leave any more: the peer takes no new streams. */
static int on_frame_not_send(nghttp2_session *ng, const nghttp2_frame *frame, int reason, void *arg)
{
    struct sl_h2_session *session = arg;

    (void)ng;
    (void)reason;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    SL_LIST_FOR_EACH (node, &session->streams) {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(node, struct sl_h2_stream, node);
        if (stream->id == frame->hd.stream_id) {
            stream_end(stream, SL_H2_REFUSED_STREAM, true);
            return 0;
        }
    }
    return 0;
}

/* ---- life ---- */

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    return callbacks;
}

static nghttp2_option *make_options(void)
{
    nghttp2_option *option;

    if (nghttp2_option_new(&option) != 0) {
        return NULL;
    }
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_outbound_ack(option, MAX_OUTBOUND_ACKS);
    nghttp2_option_set_max_continuations(option, MAX_CONTINUATIONS);
    nghttp2_option_set_stream_reset_rate_limit(option, RESETS_BURST, RESETS_PER_S);
    return option;
}

static bool make_ng(struct sl_h2_session *session)
{
    nghttp2_session_callbacks *callbacks = make_callbacks();
    nghttp2_option *option = make_options();
    int error = NGHTTP2_ERR_NOMEM;

    if (callbacks && option) {
        error = session->role == SL_H2_CLIENT
                    ? nghttp2_session_client_new2(&session->ng, callbacks, session, option)
                    : nghttp2_session_server_new2(&session->ng, callbacks, session, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return error == 0;
}

static bool submit_settings(struct sl_h2_session *session)
{
    nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SL_H2_STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, SL_H2_MAX_HEADER_BYTES},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, SL_H2_MAX_STREAMS},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    /* A server must not speak of push (RFC 9113 section 6.5.2). */
    size_t count = SL_ARRAY_LEN(entries) - (session->role == SL_H2_SERVER);

    return nghttp2_submit_settings(session->ng, NGHTTP2_FLAG_NONE, entries, count) == 0 &&
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
    sl_list_init(&session->streams);
    sl_list_init(&session->writable);
    sl_list_init(&session->cancelled);
    if (!make_ng(session) || !submit_settings(session)) {
        sl_h2_session_free(session);
        return NULL;
    }
    return session;
}

static void end_all(struct sl_list *list, uint32_t error)
{
    while (!sl_list_is_empty(list)) {
        stream_end(SL_CONTAINER_OF(list->next, struct sl_h2_stream, node), error, false);
    }
}

void sl_h2_session_free(struct sl_h2_session *session)
{
    end_all(&session->streams, SL_H2_INTERNAL_ERROR);
    end_all(&session->cancelled, SL_H2_CANCEL);
    nghttp2_session_del(session->ng);
    sl_buf_fini(&session->output);
    free(session);
}

struct sl_status sl_h2_session_receive(struct sl_h2_session *session, const uint8_t *bytes,
                                       size_t len)
{
    ssize_t taken = nghttp2_session_mem_recv(session->ng, bytes, len);

    if (nghttp2_session_want_write(session->ng)) {
        tell_output(session);
    }
    if (taken < 0) {
        return sl_status_error(SL_UNAVAILABLE, "HTTP/2: %s", nghttp2_strerror((int)taken));
    }
    return sl_status_ok();
}

static void tell_writable(struct sl_h2_session *session)
{
    for (struct sl_list *node; (node = sl_list_pop(&session->writable));) {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(node, struct sl_h2_stream, writable_node);
        stream->was_refused = false;
        if (stream->events && stream->events->on_writable) {
            stream->events->on_writable(stream, stream->arg);
        }
    }
}

size_t sl_h2_session_output(struct sl_h2_session *session, const uint8_t **bytes)
{
    const uint8_t *piece;
    ssize_t len = 0;

    session->has_told_output = false;
    sl_buf_reset(&session->output);
    do {
        while (session->output.len < OUTPUT_BYTES &&
               (len = nghttp2_session_mem_send(session->ng, &piece)) > 0) {
            sl_buf_add(&session->output, piece, (size_t)len);
        }
        tell_writable(session);
    } while (len > 0 && session->output.len < OUTPUT_BYTES);
    end_all(&session->cancelled, SL_H2_CANCEL);
    if (session->output.failed) {
        nghttp2_session_terminate_session(session->ng, SL_H2_INTERNAL_ERROR);
        return 0;
    }
    *bytes = (const uint8_t *)session->output.data;
    return session->output.len;
}

bool sl_h2_session_is_done(const struct sl_h2_session *session)
{
    return !nghttp2_session_want_read(session->ng) && !nghttp2_session_want_write(session->ng);
}

size_t sl_h2_session_streams(const struct sl_h2_session *session)
{
    return session->stream_count;
}

void sl_h2_session_goaway(struct sl_h2_session *session, enum sl_h2_error error)
{
    if (!session->is_going) {
        session->is_going = true;
        int32_t last = nghttp2_session_get_last_proc_stream_id(session->ng);
        nghttp2_submit_goaway(session->ng, NGHTTP2_FLAG_NONE, last, (uint32_t)error, NULL, 0);
        tell_output(session);
    }
}

bool sl_h2_session_is_settled(const struct sl_h2_session *session)
{
    return session->is_settled;
}

/* ---- what leaves ---- */

static uint8_t *raw(struct sl_str str)
{
    return (uint8_t *)(uintptr_t)(str.data ? str.data : "");
}

/* nghttp2's form of the fields, on the heap; the bytes are borrowed. */
static nghttp2_nv *make_nv(const struct sl_h2_field *fields, size_t count)
{
    nghttp2_nv *nv = calloc(count ? count : 1, sizeof(*nv));

    for (size_t i = 0; nv && i < count; i++) {
        nv[i] = (nghttp2_nv){
            .name = raw(fields[i].name),
            .namelen = fields[i].name.len,
            .value = raw(fields[i].value),
            .valuelen = fields[i].value.len,
            .flags = fields[i].is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE,
        };
    }
    return nv;
}

/* The data is through: what says the end behind it. */
static void submit_end(struct sl_h2_stream *stream, uint32_t *flags)
{
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailer_count) {
        nghttp2_nv *nv = make_nv(stream->trailers, stream->trailer_count);
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!nv || nghttp2_submit_trailer(stream->session->ng, stream->id, nv,
                                          stream->trailer_count) != 0) {
            reset(stream, SL_H2_INTERNAL_ERROR);
        }
        free(nv);
        free_trailers(stream);
    }
}

static ssize_t read_unsent(nghttp2_session *ng, int32_t id, uint8_t *bytes, size_t len,
                           uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct sl_h2_stream *stream = source->ptr;
    size_t left = stream->unsent.len - stream->unsent_at;
    size_t piece = sl_min_size(left, len);

    (void)ng;
    (void)id;
    (void)arg;
    if (piece) {
        memcpy(bytes, stream->unsent.data + stream->unsent_at, piece);
        stream->unsent_at += piece;
        left -= piece;
    }
    if (left == 0) {
        stream->unsent.len = 0;
        stream->unsent_at = 0;
    }
    if (stream->was_refused && left <= SL_H2_SEND_BUFFER_BYTES / 2 &&
        sl_list_is_empty(&stream->writable_node)) {
        sl_list_append(&stream->session->writable, &stream->writable_node);
    }
    if (left == 0 && stream->is_finished) {
        submit_end(stream, flags);
        return (ssize_t)piece;
    }
    if (piece == 0) {
        stream->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)piece;
}

struct sl_h2_stream *sl_h2_session_request(struct sl_h2_session *session,
                                           const struct sl_h2_field *fields, size_t count,
                                           bool takes_data,
                                           const struct sl_h2_stream_events *events, void *arg)
{
    if (session->is_going) {
        return NULL;
    }
    struct sl_h2_stream *stream = stream_new(session, events, arg);
    nghttp2_nv *nv = make_nv(fields, count);
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read_unsent};
    int32_t id = stream && nv ? nghttp2_submit_request(session->ng, NULL, nv, count,
                                                       takes_data ? &provider : NULL, stream)
                              : NGHTTP2_ERR_NOMEM;
    free(nv);
    if (id < 0) {
        if (stream) {
            stream->events = NULL; /* it never was: no event */
            stream_end(stream, SL_H2_INTERNAL_ERROR, false);
        }
        return NULL;
    }
    stream->id = id;
    stream->has_provider = takes_data;
    tell_output(session);
    return stream;
}

void sl_h2_stream_set_events(struct sl_h2_stream *stream, const struct sl_h2_stream_events *events,
                             void *arg)
{
    stream->events = events;
    stream->arg = arg;
}

void sl_h2_stream_set_auto_window(struct sl_h2_stream *stream)
{
    stream->has_auto_window = true;
}

bool sl_h2_stream_respond(struct sl_h2_stream *stream, const struct sl_h2_field *fields,
                          size_t count, bool ends)
{
    nghttp2_nv *nv = make_nv(fields, count);
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read_unsent};
    int error = NGHTTP2_ERR_NOMEM;

    if (nv) {
        error = nghttp2_submit_response(stream->session->ng, stream->id, nv, count,
                                        ends ? NULL : &provider);
    }
    free(nv);
    stream->has_provider = !ends;
    tell_output(stream->session);
    return error == 0;
}

/* There is something for the data provider to do again. */
static void resume(struct sl_h2_stream *stream)
{
    if (stream->is_deferred) {
        stream->is_deferred = false;
        nghttp2_session_resume_data(stream->session->ng, stream->id);
    }
    tell_output(stream->session);
}

/* Moves what is unsent to the front, when that frees enough to be worth it. */
static void compact(struct sl_h2_stream *stream)
{
    if (stream->unsent_at > 0 && stream->unsent_at >= stream->unsent.len / 2) {
        sl_buf_drop(&stream->unsent, stream->unsent_at);
        stream->unsent_at = 0;
    }
}

bool sl_h2_stream_send(struct sl_h2_stream *stream, const struct sl_str *pieces, size_t count)
{
    size_t unsent = sl_h2_stream_unsent(stream);
    size_t len = 0;

    SL_ASSERT(stream->has_provider && !stream->is_finished);
    for (size_t i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    if (unsent > 0 && (len > SL_H2_SEND_BUFFER_BYTES || unsent > SL_H2_SEND_BUFFER_BYTES - len)) {
        stream->was_refused = true;
        return false;
    }
    compact(stream);
    if (!sl_buf_reserve(&stream->unsent, len)) {
        stream->unsent.failed = false;
        stream->was_refused = true;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_str(&stream->unsent, pieces[i]);
    }
    resume(stream);
    return true;
}

size_t sl_h2_stream_unsent(const struct sl_h2_stream *stream)
{
    return stream->unsent.len - stream->unsent_at;
}

/* Keeps the trailers until the data before them has left. */
static bool keep_trailers(struct sl_h2_stream *stream, const struct sl_h2_field *fields,
                          size_t count)
{
    stream->trailers = calloc(count, sizeof(*stream->trailers));
    for (size_t i = 0; stream->trailers && i < count; i++) {
        struct sl_h2_field *field = &stream->trailers[stream->trailer_count++];
        *field = fields[i];
        field->name.data = sl_str_dup(fields[i].name);
        field->value.data = sl_str_dup(fields[i].value);
        if (!field->name.data || !field->value.data) {
            return false;
        }
    }
    return stream->trailers != NULL;
}

bool sl_h2_stream_finish(struct sl_h2_stream *stream, const struct sl_h2_field *trailers,
                         size_t count)
{
    SL_ASSERT(stream->has_provider);
    if (stream->is_finished) {
        return true;
    }
    if (count && !keep_trailers(stream, trailers, count)) {
        return false;
    }
    stream->is_finished = true;
    resume(stream);
    return true;
}

void sl_h2_stream_reset(struct sl_h2_stream *stream, enum sl_h2_error error)
{
    reset(stream, (uint32_t)error);
}

void sl_h2_stream_grant(struct sl_h2_stream *stream, uint32_t bytes)
{
    if (stream->is_open && bytes) {
        nghttp2_submit_window_update(stream->session->ng, NGHTTP2_FLAG_NONE, stream->id,
                                     (int32_t)bytes);
        tell_output(stream->session);
    }
}

uint32_t sl_h2_stream_window(const struct sl_h2_stream *stream)
{
    int32_t window =
        nghttp2_session_get_stream_local_window_size(stream->session->ng, stream->id);

    return window > 0 ? (uint32_t)window : 0;
}

int32_t sl_h2_stream_id(const struct sl_h2_stream *stream)
{
    return stream->id;
}

struct sl_h2_session *sl_h2_stream_session(const struct sl_h2_stream *stream)
{
    return stream->session;
}
