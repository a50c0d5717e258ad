#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"

struct sl_grpc_opening {
    const struct sl_grpc_owner *owner;
    struct sl_grpc_request request; /* its strings and fields are in `text` */
    char *text;
    struct sl_buf sent; /* framed messages, all of them so far */
    bool is_refused;    /* a send was, while it waited: on_writable is owed */
};

/* ---- a copy of the request ---- */

static struct sl_str copy_str(char **room, struct sl_str str)
{
    struct sl_str copy = {*room, str.len};

    if (str.len) {
        memcpy(*room, str.data, str.len);
    }
    *room += str.len;
    return copy;
}

static const char *copy_text(char **room, const char *text)
{
    const char *copy = *room;

    copy_str(room, (struct sl_str){text, strlen(text) + 1});
    return copy;
}

static bool copy_request(struct sl_grpc_opening *opening, const struct sl_grpc_request *request)
{
    size_t fields_bytes = request->metadata_count * sizeof(struct sl_grpc_field);
    size_t total = fields_bytes + strlen(request->authority) + 1 + strlen(request->user_agent) + 1;

    for (size_t i = 0; i < request->metadata_count; i++) {
        total += request->metadata[i].name.len + request->metadata[i].value.len;
    }
    opening->request = *request;
    opening->text = malloc(total);
    if (!opening->text) {
        return false;
    }
    struct sl_grpc_field *fields = (struct sl_grpc_field *)(void *)opening->text;
    char *room = opening->text + fields_bytes;
    opening->request.metadata = fields;
    opening->request.authority = copy_text(&room, request->authority);
    opening->request.user_agent = copy_text(&room, request->user_agent);
    for (size_t i = 0; i < request->metadata_count; i++) {
        const struct sl_grpc_field *field = &request->metadata[i];
        fields[i] = (struct sl_grpc_field){copy_str(&room, field->name),
                                           copy_str(&room, field->value), field->is_secret};
    }
    return true;
}

/* ---- life ---- */

struct sl_grpc_call *sl_grpc_call_prepare(const struct sl_grpc_request *request,
                                          const struct sl_grpc_call_events *events, void *arg,
                                          const struct sl_grpc_owner *owner)
{
    struct sl_status status = sl_grpc_metadata_check(request->metadata, request->metadata_count);
    struct sl_grpc_call *call = sl_grpc_call_new(events, arg, request->context);

    SL_ASSERT(request->context && request->context->loop);
    if (!call) {
        return NULL;
    }
    call->opening = sl_zalloc(sizeof(*call->opening));
    if (!call->opening || !copy_request(call->opening, request) ||
        !sl_grpc_call_begin(call, request)) {
        sl_grpc_call_free(call);
        return NULL;
    }
    call->opening->owner = owner;
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_fail(call, &status);
    }
    return call;
}

void sl_grpc_opening_commit(struct sl_grpc_call *call)
{
    struct sl_grpc_opening *opening = call->opening;

    if (opening) {
        call->opening = NULL;
        sl_buf_fini(&opening->sent);
        free(opening->text);
        free(opening);
    }
}

void sl_grpc_opening_gone(struct sl_grpc_call *call)
{
    const struct sl_grpc_owner *owner = call->opening->owner;

    sl_list_remove(&call->node);
    owner->on_gone(call, owner->arg);
}

void sl_grpc_call_abandon(struct sl_grpc_call *call, const struct sl_status *why)
{
    SL_ASSERT(!call->stream);
    sl_list_remove(&call->node);
    sl_grpc_call_end(call, why);
}

bool sl_grpc_call_waits_for_ready(const struct sl_grpc_call *call)
{
    return call->opening->request.wait_for_ready;
}

/* ---- what was sent ---- */

static size_t total_bytes(const struct sl_str *pieces, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    return total;
}

static bool keep(struct sl_grpc_opening *opening, const struct sl_str *pieces, size_t count,
                 size_t total)
{
    if (!sl_buf_reserve(&opening->sent, total)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_str(&opening->sent, pieces[i]);
    }
    return true;
}

enum sl_grpc_send sl_grpc_opening_send(struct sl_grpc_call *call, const struct sl_str *pieces,
                                       size_t count)
{
    struct sl_grpc_opening *opening = call->opening;
    size_t total = total_bytes(pieces, count);

    if (opening->sent.len && opening->sent.len + total > SL_H2_SEND_BUFFER_BYTES) {
        opening->is_refused = true;
        return SL_GRPC_FULL;
    }
    if (keep(opening, pieces, count, total)) {
        return SL_GRPC_SENT;
    }
    struct sl_status why = sl_status_because(
        "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to send a message"));
    sl_grpc_call_fail(call, &why);
    return SL_GRPC_CLOSED;
}

void sl_grpc_opening_note_sent(struct sl_grpc_call *call, const struct sl_str *pieces, size_t count)
{
    struct sl_grpc_opening *opening = call->opening;

    if (opening) {
        size_t total = total_bytes(pieces, count);
        if (opening->sent.len + total > SL_GRPC_REPLAY_BYTES ||
            !keep(opening, pieces, count, total)) {
            sl_grpc_opening_commit(call);
        }
    }
}

size_t sl_grpc_opening_unsent(const struct sl_grpc_call *call)
{
    return call->opening ? call->opening->sent.len : 0;
}

/* ---- on a session ---- */

bool sl_grpc_call_start(struct sl_grpc_call *call, struct sl_h2_session *session)
{
    struct sl_grpc_opening *opening = call->opening;
    const struct sl_str sent = sl_buf_str(&opening->sent);

    SL_ASSERT(!call->stream && !call->has_status);
    sl_list_remove(&call->node);
    call->stream = sl_grpc_client_open_stream(call, session, &opening->request);
    if (!call->stream) {
        return false;
    }
    if ((sent.len && !sl_h2_stream_send(call->stream, &sent, 1)) ||
        (call->is_finished && !sl_h2_stream_finish(call->stream, NULL, 0))) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR); /* memory is out */
    }
    bool is_refused = opening->is_refused;
    opening->is_refused = false;
    if (sent.len > SL_GRPC_REPLAY_BYTES) {
        sl_grpc_opening_commit(call);
    }
    if (is_refused && call->events->on_writable) {
        call->events->on_writable(call, call->arg);
    }
    return true;
}

bool sl_grpc_opening_retry(struct sl_grpc_call *call, uint32_t error)
{
    struct sl_grpc_opening *opening = call->opening;
    bool is_moved = !call->is_opened && error == SL_H2_REFUSED_STREAM; /* by a GOAWAY */

    if (!opening || call->has_status || (call->is_opened && error != SL_H2_REFUSED_STREAM)) {
        return false;
    }
    call->stream = NULL;
    call->is_opened = false;
    return opening->owner->on_unprocessed(call, is_moved, opening->owner->arg);
}
