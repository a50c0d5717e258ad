#include "grpc/call.h"

#include <stdlib.h>

#include "grpc/wire.h"

enum { MAX_REQUEST_FIELDS = 64 };

/* Where a piece of metadata lies in `texts`. */
struct entry {
    size_t name_at, name_len;
    size_t value_at, value_len;
};

struct sl_grpc_call {
    struct sl_h2_stream *stream; /* NULL once it is over and only held messages are left */
    const struct sl_grpc_call_events *events;
    void *arg;
    struct sl_grpc_reader reader;
    struct sl_grpc_server server; /* server: the table */
    bool is_server;
    bool has_manual_credit;
    bool is_half_closed;  /* by this side; server: finished */
    bool is_cancelled;    /* by this side */
    bool is_resuming;     /* in sl_grpc_call_resume */
    bool has_responded;   /* server: its headers are on their way */
    bool has_peer_ended;  /* END_STREAM came */
    bool has_peer_status; /* grpc-status came */
    bool is_grpc;         /* by its content-type */
    bool is_encoded;      /* grpc-encoding other than identity */
    bool is_post;         /* server */
    unsigned http_status; /* client */
    struct sl_status status; /* ours when `has_status`, else the peer's when `has_peer_status` */
    bool has_status;         /* decided on this side: nothing overrules it */
    struct sl_buf texts;     /* the peer's initial metadata */
    struct entry *entries;
    size_t entry_count;
};

static const struct sl_grpc_call_events no_events = {.on_status = NULL};

/* ---- the end ---- */

/* The first decision on this side counts. */
static void decide(struct sl_grpc_call *call, struct sl_status status)
{
    if (!call->has_status) {
        call->has_status = true;
        call->status = status;
    }
}

static void end(struct sl_grpc_call *call)
{
    struct sl_status status = call->status;

    if (call->events->on_status) {
        call->events->on_status(call, &status, call->arg);
    }
    sl_grpc_reader_fini(&call->reader);
    sl_buf_fini(&call->texts);
    free(call->entries);
    free(call);
}

/* What the end of the stream means when nobody has said so yet. */
static struct sl_status infer(const struct sl_grpc_call *call, uint32_t error, bool by_peer)
{
    if (call->is_server) {
        bool is_served = call->is_half_closed && sl_h2_stream_unsent(call->stream) == 0;
        return is_served ? sl_status_ok()
                         : sl_status_error(SL_CANCELLED, "the client ended the call");
    }
    if (error == SL_H2_REFUSED_STREAM) {
        return sl_status_error(SL_UNAVAILABLE, "the peer takes no more calls");
    }
    if (error == SL_H2_NO_ERROR) {
        return sl_status_error(SL_UNKNOWN, "the call ended without a status");
    }
    if (!by_peer) {
        return sl_status_error(SL_UNAVAILABLE, "the connection ended");
    }
    return sl_status_error(sl_grpc_code_of_h2(error), "the peer reset the call: %s",
                           sl_h2_error_name(error));
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct sl_grpc_call *call = arg;
    bool is_cut = sl_grpc_reader_missing(&call->reader) > 0 || call->reader.prefix_have > 0;

    (void)stream;
    if (!call->has_status && !call->has_peer_status) {
        decide(call, infer(call, error, by_peer));
    } else if (!call->has_status && call->status.code == SL_OK && is_cut && !call->reader.is_held) {
        decide(call, sl_status_error(SL_INTERNAL, "the last message was cut off"));
    }
    call->stream = NULL;
    if (!call->reader.is_held || call->is_cancelled) {
        end(call); /* else what is held comes first */
    }
}

/* ---- fields ---- */

static void add_entry(struct sl_grpc_call *call, struct sl_str name, struct sl_str value)
{
    struct entry *entries =
        realloc(call->entries, (call->entry_count + 1) * sizeof(*call->entries));

    if (!entries) {
        return;
    }
    call->entries = entries;
    call->entries[call->entry_count++] = (struct entry){
        .name_at = call->texts.len,
        .name_len = name.len,
        .value_at = call->texts.len + name.len,
        .value_len = value.len,
    };
    sl_buf_add_str(&call->texts, name);
    sl_buf_add_str(&call->texts, value);
}

static void take_status(struct sl_grpc_call *call, struct sl_str value)
{
    struct sl_status message = call->status;

    call->has_peer_status = true;
    if (!call->has_status) {
        message.code = sl_grpc_code_of_text(value);
        call->status = message;
    }
}

static void take_message(struct sl_grpc_call *call, struct sl_str value)
{
    struct sl_buf text;
    enum sl_code code = call->status.code;

    if (call->has_status) {
        return;
    }
    sl_buf_init(&text, SL_H2_MAX_HEADER_BYTES);
    sl_grpc_percent_decode(value, &text);
    call->status = sl_status_quote(code, "the peer says", sl_buf_str(&text));
    sl_buf_fini(&text);
}

static void on_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value, void *arg)
{
    struct sl_grpc_call *call = arg;
    uint64_t number;

    (void)stream;
    if (!call->is_server && sl_str_eq_c(name, "grpc-status")) {
        take_status(call, value);
    } else if (!call->is_server && sl_str_eq_c(name, "grpc-message")) {
        take_message(call, value);
    } else if (sl_str_eq_c(name, ":status")) {
        call->http_status = sl_str_to_u64(value, &number) ? (unsigned)number : 0;
    } else if (sl_str_eq_c(name, ":method")) {
        call->is_post = sl_str_eq_c(value, "POST");
    } else if (sl_str_eq_c(name, "content-type")) {
        call->is_grpc = sl_str_starts_with(value, SL_STR("application/grpc"));
    } else if (sl_str_eq_c(name, "grpc-encoding")) {
        call->is_encoded = !sl_str_eq_c(value, "identity");
    }
    add_entry(call, name, value);
}

struct sl_str sl_grpc_call_metadata(const struct sl_grpc_call *call, const char *name)
{
    for (size_t i = 0; i < call->entry_count && !call->texts.failed; i++) {
        const struct entry *entry = &call->entries[i];
        struct sl_str found = {call->texts.data + entry->name_at, entry->name_len};
        if (sl_str_eq_c(found, name)) {
            return (struct sl_str){call->texts.data + entry->value_at, entry->value_len};
        }
    }
    return (struct sl_str){NULL, 0};
}

/* Ends the stream because of what `status` says. */
static void refuse(struct sl_grpc_call *call, struct sl_status status)
{
    decide(call, status);
    if (call->stream) {
        sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    }
}

static void on_fields_end(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (are_trailers || call->has_peer_status) {
        return;
    }
    if (call->http_status != 200) {
        refuse(call, sl_status_error(sl_grpc_code_of_http(call->http_status), "HTTP status %u",
                                     call->http_status));
    } else if (!call->is_grpc) {
        refuse(call, sl_status_quote(SL_UNKNOWN, "not gRPC, content-type",
                                     sl_grpc_call_metadata(call, "content-type")));
    } else if (call->events->on_headers) {
        call->events->on_headers(call, call->arg);
    }
}

/* ---- messages ---- */

static bool reader_begin(uint32_t length, bool is_compressed, void *arg)
{
    struct sl_grpc_call *call = arg;

    if (is_compressed) {
        decide(call, call->is_encoded
                         ? sl_status_error(SL_UNIMPLEMENTED, "a message in an unknown encoding")
                         : sl_status_error(SL_INTERNAL, "a compressed message, but no encoding"));
        return false;
    }
    bool is_taken = call->events->on_begin ? call->events->on_begin(call, length, call->arg)
                                           : length <= SL_GRPC_MAX_MESSAGE_BYTES;
    if (!is_taken) {
        decide(call, sl_status_error(SL_RESOURCE_EXHAUSTED,
                                     "a message of %u bytes: more than the limit", length));
    }
    return is_taken;
}

static enum sl_grpc_take reader_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct sl_grpc_call *call = arg;

    if (call->is_cancelled) {
        return SL_GRPC_STOP;
    }
    if (!call->events->on_message) {
        return SL_GRPC_TAKEN;
    }
    return call->events->on_message(call, bytes, length, call->arg);
}

static const struct sl_grpc_reader_events reader_events = {
    .on_begin = reader_begin,
    .on_message = reader_message,
};

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (call->has_status) {
        return true; /* it is over; what still comes is nobody's */
    }
    if (call->events->on_received &&
        !call->events->on_received(call, (uint32_t)len, call->arg)) {
        decide(call, sl_status_error(SL_RESOURCE_EXHAUSTED, "the peer sent more than it may"));
        return false;
    }
    struct sl_status status = sl_grpc_reader_feed(&call->reader, bytes, len);
    if (!sl_status_is_ok(&status)) {
        decide(call, status);
        return false;
    }
    if (call->reader.is_stopped) {
        decide(call, sl_status_error(SL_CANCELLED, "ended here"));
        return false;
    }
    return true;
}

static void on_end(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    call->has_peer_ended = true;
    if (!call->is_server) {
        if (!call->is_half_closed) {
            sl_h2_stream_reset(stream, SL_H2_NO_ERROR); /* the server is done: so are we */
        }
    } else if (call->events->on_half_close && !call->reader.is_held) {
        call->events->on_half_close(call, call->arg);
    }
}

static void on_writable(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (call->events->on_writable && !call->is_half_closed) {
        call->events->on_writable(call, call->arg);
    }
}

static void on_open(struct sl_h2_stream *stream, void *arg)
{
    struct sl_grpc_call *call = arg;

    (void)stream;
    if (call->events->on_open) {
        call->events->on_open(call, call->arg);
    }
}

static const struct sl_h2_stream_events client_stream_events = {
    .on_open = on_open,
    .on_field = on_field,
    .on_fields_end = on_fields_end,
    .on_data = on_data,
    .on_end = on_end,
    .on_writable = on_writable,
    .on_close = on_close,
};

/* ---- client ---- */

static struct sl_grpc_call *call_new(const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_grpc_call *call = calloc(1, sizeof(*call));

    if (call) {
        call->events = events;
        call->arg = arg;
        sl_grpc_reader_init(&call->reader, &reader_events, call);
        sl_buf_init(&call->texts, 2 * SL_H2_MAX_HEADER_BYTES);
    }
    return call;
}

static bool is_reserved(struct sl_str name)
{
    return name.len == 0 || name.data[0] == ':' || sl_str_starts_with(name, SL_STR("grpc-")) ||
           sl_str_eq_c(name, "te") || sl_str_eq_c(name, "content-type");
}

/* The request's fields; 0 when a name is reserved or there are too many. */
static size_t request_fields(const struct sl_grpc_request *request, struct sl_h2_field *fields)
{
    const struct sl_h2_field fixed[] = {
        {SL_STR(":method"), SL_STR("POST"), false},
        {SL_STR(":scheme"), SL_STR("http"), false},
        {SL_STR(":path"), sl_str_from(request->path), false},
        {SL_STR(":authority"), sl_str_from(request->authority), false},
        {SL_STR("te"), SL_STR("trailers"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
        {SL_STR("user-agent"), sl_str_from(request->user_agent), false},
        {SL_STR("grpc-accept-encoding"), SL_STR("identity"), false},
    };
    size_t count = 0;

    for (; count < SL_ARRAY_LEN(fixed); count++) {
        fields[count] = fixed[count];
    }
    for (size_t i = 0; i < request->metadata_count; i++) {
        const struct sl_grpc_field *field = &request->metadata[i];
        if (is_reserved(field->name) || count == MAX_REQUEST_FIELDS) {
            return 0;
        }
        fields[count++] = (struct sl_h2_field){field->name, field->value, field->is_secret};
    }
    return count;
}

struct sl_grpc_call *sl_grpc_call_open(struct sl_h2_session *session,
                                       const struct sl_grpc_request *request,
                                       const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_h2_field fields[MAX_REQUEST_FIELDS];
    size_t count = request_fields(request, fields);
    struct sl_grpc_call *call = count ? call_new(events, arg) : NULL;

    if (!call) {
        return NULL;
    }
    call->has_manual_credit = request->manual_credit;
    call->stream =
        sl_h2_session_request(session, fields, count, true, &client_stream_events, call);
    if (!call->stream) {
        free(call);
        return NULL;
    }
    if (!request->manual_credit) {
        sl_h2_stream_set_auto_window(call->stream);
    }
    return call;
}

/* ---- server ---- */

static bool respond(struct sl_grpc_call *call)
{
    static const struct sl_h2_field fields[] = {
        {{":status", 7}, {"200", 3}, false},
        {{"content-type", 12}, {"application/grpc", 16}, false},
    };

    if (call->has_responded) {
        return true;
    }
    call->has_responded = true;
    return sl_h2_stream_respond(call->stream, fields, SL_ARRAY_LEN(fields), false);
}

/* An answer of plain HTTP to what is not gRPC. */
static void respond_http(struct sl_grpc_call *call, const char *http_status)
{
    struct sl_h2_field field = {SL_STR(":status"), sl_str_from(http_status), false};

    call->has_responded = true;
    call->is_half_closed = true;
    if (!sl_h2_stream_respond(call->stream, &field, 1, true)) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
}

void sl_grpc_call_finish(struct sl_grpc_call *call, const struct sl_status *status)
{
    struct sl_buf message = {0};
    struct sl_buf digits = {0};

    if (call->is_half_closed || !call->stream) {
        return;
    }
    sl_buf_add_u64(&digits, (uint64_t)status->code);
    sl_grpc_percent_encode(sl_str_from(status->text), &message);
    struct sl_h2_field fields[] = {
        {SL_STR(":status"), SL_STR("200"), false},
        {SL_STR("content-type"), SL_STR("application/grpc"), false},
        {SL_STR("grpc-status"), sl_buf_str(&digits), false},
        {SL_STR("grpc-message"), sl_buf_str(&message), false},
    };
    size_t count = SL_ARRAY_LEN(fields) - (message.len == 0);
    call->is_half_closed = true;
    bool is_sent = call->has_responded
                       ? sl_h2_stream_finish(call->stream, fields + 2, count - 2)
                       : sl_h2_stream_respond(call->stream, fields, count, true);
    if (!is_sent) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
    }
    sl_buf_fini(&message);
    sl_buf_fini(&digits);
}

static const struct sl_grpc_method *find_method(const struct sl_grpc_server *server,
                                                struct sl_str path)
{
    for (const struct sl_grpc_method *method = server->methods; method->path; method++) {
        if (sl_str_eq_c(path, method->path)) {
            return method;
        }
    }
    return NULL;
}

static void on_request(struct sl_h2_stream *stream, bool are_trailers, void *arg)
{
    struct sl_grpc_call *call = arg;
    struct sl_str path = sl_grpc_call_metadata(call, ":path");
    const struct sl_grpc_method *method = find_method(&call->server, path);

    (void)stream;
    if (are_trailers) {
        return;
    }
    if (!call->is_post || !call->is_grpc) {
        respond_http(call, call->is_post ? "415" : "405");
        return;
    }
    if (method) {
        method->on_call(call, call->server.arg);
    }
    if (call->events == &no_events) {
        struct sl_status status = sl_status_quote(SL_UNIMPLEMENTED, "unknown method", path);
        sl_grpc_call_finish(call, &status);
    }
}

static const struct sl_h2_stream_events server_stream_events = {
    .on_field = on_field,
    .on_fields_end = on_request,
    .on_data = on_data,
    .on_end = on_end,
    .on_writable = on_writable,
    .on_close = on_close,
};

void sl_grpc_server_accept(const struct sl_grpc_server *server, struct sl_h2_stream *stream)
{
    struct sl_grpc_call *call = call_new(&no_events, NULL);

    if (!call) {
        return; /* not setting events refuses the stream */
    }
    call->is_server = true;
    call->server = *server;
    call->stream = stream;
    sl_h2_stream_set_events(stream, &server_stream_events, call);
    sl_h2_stream_set_auto_window(stream);
}

void sl_grpc_call_set_events(struct sl_grpc_call *call, const struct sl_grpc_call_events *events,
                             void *arg)
{
    call->events = events;
    call->arg = arg;
}

/* ---- both sides ---- */

enum sl_grpc_send sl_grpc_call_send(struct sl_grpc_call *call, const void *bytes, uint32_t length)
{
    const char prefix[SL_GRPC_PREFIX_BYTES] = {0, (char)(length >> 24), (char)(length >> 16),
                                               (char)(length >> 8), (char)length};
    struct sl_str pieces[] = {{prefix, sizeof(prefix)}, {bytes, length}};

    if (call->is_half_closed || call->has_status || !call->stream) {
        return SL_GRPC_CLOSED;
    }
    if (call->is_server && !respond(call)) {
        return SL_GRPC_CLOSED;
    }
    return sl_h2_stream_send(call->stream, pieces, SL_ARRAY_LEN(pieces)) ? SL_GRPC_SENT
                                                                         : SL_GRPC_FULL;
}

size_t sl_grpc_call_unsent(const struct sl_grpc_call *call)
{
    return call->stream ? sl_h2_stream_unsent(call->stream) : 0;
}

void sl_grpc_call_half_close(struct sl_grpc_call *call)
{
    if (!call->is_half_closed && call->stream) {
        call->is_half_closed = true;
        if (!sl_h2_stream_finish(call->stream, NULL, 0)) {
            sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR);
        }
    }
}

void sl_grpc_call_cancel(struct sl_grpc_call *call)
{
    call->is_cancelled = true;
    decide(call, sl_status_error(SL_CANCELLED, "cancelled here"));
    if (call->stream) {
        sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    } else if (!call->is_resuming) {
        end(call);
    }
}

void sl_grpc_call_resume(struct sl_grpc_call *call)
{
    call->is_resuming = true;
    struct sl_status status = sl_grpc_reader_resume(&call->reader);
    call->is_resuming = false;

    if (!sl_status_is_ok(&status)) {
        refuse(call, status);
    } else if (call->reader.is_stopped) {
        refuse(call, sl_status_error(SL_CANCELLED, "ended here"));
    }
    if (call->reader.is_held && !call->is_cancelled) {
        return;
    }
    if (!call->stream) {
        end(call);
    } else if (call->is_server && call->has_peer_ended && call->events->on_half_close) {
        call->events->on_half_close(call, call->arg);
    }
}

void sl_grpc_call_grant(struct sl_grpc_call *call, uint32_t bytes)
{
    SL_ASSERT(call->has_manual_credit);
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

struct sl_h2_stream *sl_grpc_call_stream(struct sl_grpc_call *call)
{
    return call->stream;
}
