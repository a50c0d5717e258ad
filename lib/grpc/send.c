/* What a call sends: framed, compressed, within a bound. */
#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"

enum { SMALL_BYTES = 2048 }; /* a message up to this is packed on the stack */

static bool is_closed(const struct sl_grpc_call *call)
{
    return call->is_finished || call->has_status || (call->has_end && !call->is_server);
}

/* Whether the stream takes messages: the headers left, or leave now. */
static bool is_begun(struct sl_grpc_call *call)
{
    if (sl_grpc_call_has_headers(call)) {
        return true;
    }
    sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR); /* memory, or it is closed anyhow */
    return false;
}

/* The stream did not take it: it has no room now, or it is at its end. A call that lost a message
 * must not start again without. */
static enum sl_grpc_send refused(struct sl_grpc_call *call)
{
    if (sl_h2_stream_unsent(call->stream) > 0) {
        return SL_GRPC_FULL;
    }
    sl_grpc_opening_commit(call);
    return SL_GRPC_CLOSED;
}

static enum sl_grpc_send send_pieces(struct sl_grpc_call *call, const struct sl_str *pieces,
                                     size_t count)
{
    if (is_closed(call)) {
        return SL_GRPC_CLOSED;
    }
    if (!call->stream) {
        return sl_grpc_opening_send(call, pieces, count);
    }
    if (!is_begun(call)) {
        return SL_GRPC_CLOSED;
    }
    if (!sl_h2_stream_send(call->stream, pieces, count)) {
        return refused(call);
    }
    sl_grpc_opening_note_sent(call, pieces, count);
    return SL_GRPC_SENT;
}

struct prefix {
    char bytes[SL_GRPC_PREFIX_BYTES];
};

static struct prefix write_prefix(bool is_compressed, size_t length)
{
    return (struct prefix){{(char)is_compressed, (char)(length >> 24), (char)(length >> 16),
                            (char)(length >> 8), (char)length}};
}

static enum sl_grpc_send send_framed(struct sl_grpc_call *call, bool is_compressed,
                                     struct sl_str body)
{
    const struct prefix prefix = write_prefix(is_compressed, body.len);
    const struct sl_str pieces[] = {{prefix.bytes, sizeof(prefix)}, body};

    return send_pieces(call, pieces, SL_ARRAY_LEN(pieces));
}

static enum sl_grpc_send fail_for_memory(struct sl_grpc_call *call)
{
    struct sl_status why = sl_status_because(
        "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory to send a message"));

    sl_grpc_call_fail(call, &why);
    return SL_GRPC_CLOSED;
}

static enum sl_grpc_send send_compressed(struct sl_grpc_call *call, struct sl_str body)
{
    struct sl_buf packed = {0};
    enum sl_grpc_send sent;

    if (sl_grpc_gzip_pack(&call->context->gzip, body, &packed) && packed.len <= UINT32_MAX) {
        sent = send_framed(call, true, sl_buf_str(&packed));
    } else {
        sent = fail_for_memory(call);
    }
    sl_buf_fini(&packed);
    return sent;
}

enum sl_grpc_send sl_grpc_call_send_bytes(struct sl_grpc_call *call, const void *bytes,
                                          uint32_t length)
{
    const struct sl_str body = {bytes, length};

    if (is_closed(call)) {
        return SL_GRPC_CLOSED;
    }
    return call->is_compressing ? send_compressed(call, body) : send_framed(call, false, body);
}

/* protobuf-c's buffer is the stream's. */
struct straight {
    ProtobufCBuffer base;
    struct sl_h2_stream *stream;
};

static void add_straight(ProtobufCBuffer *base, size_t len, const uint8_t *bytes)
{
    sl_h2_stream_add(SL_CONTAINER_OF(base, struct straight, base)->stream, bytes, len);
}

/* Nobody needs the packed bytes but the stream: they are never anywhere else. */
static enum sl_grpc_send pack_straight(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                       size_t length)
{
    struct straight straight = {{add_straight}, call->stream};
    const struct prefix prefix = write_prefix(false, length);

    if (!is_begun(call)) {
        return SL_GRPC_CLOSED;
    }
    if (!sl_h2_stream_begin_send(call->stream, sizeof(prefix) + length)) {
        return refused(call);
    }
    sl_h2_stream_add(call->stream, prefix.bytes, sizeof(prefix));
    SL_ASSERT(protobuf_c_message_pack_to_buffer(message, &straight.base) == length);
    return SL_GRPC_SENT;
}

static enum sl_grpc_send pack_aside(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    size_t length)
{
    uint8_t *bytes = malloc(length);

    if (!bytes) {
        return fail_for_memory(call);
    }
    protobuf_c_message_pack(message, bytes);
    enum sl_grpc_send sent = sl_grpc_call_send_bytes(call, bytes, (uint32_t)length);
    free(bytes);
    return sent;
}

enum sl_grpc_send sl_grpc_call_send(struct sl_grpc_call *call, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t small[SMALL_BYTES];

    if (is_closed(call)) {
        return SL_GRPC_CLOSED;
    }
    if (length <= sizeof(small)) {
        protobuf_c_message_pack(message, small);
        return sl_grpc_call_send_bytes(call, small, (uint32_t)length);
    }
    if (length > UINT32_MAX) {
        return fail_for_memory(call);
    }
    return call->stream && !call->opening && !call->is_compressing
               ? pack_straight(call, message, length)
               : pack_aside(call, message, length);
}

size_t sl_grpc_call_unsent(const struct sl_grpc_call *call)
{
    return call->stream ? sl_h2_stream_unsent(call->stream) : sl_grpc_opening_unsent(call);
}

bool sl_grpc_call_is_ready(const struct sl_grpc_call *call)
{
    return !is_closed(call) && sl_grpc_call_unsent(call) <= SL_H2_SEND_BUFFER_BYTES / 2;
}

void sl_grpc_call_set_compressed(struct sl_grpc_call *call, bool is_compressed)
{
    call->is_compressing = is_compressed && call->encoding == SL_GRPC_GZIP;
}

void sl_grpc_call_half_close(struct sl_grpc_call *call)
{
    SL_ASSERT(!call->is_server);
    if (is_closed(call)) {
        return;
    }
    call->is_finished = true;
    if (call->stream && !sl_h2_stream_finish(call->stream, NULL, 0)) {
        sl_h2_stream_reset(call->stream, SL_H2_CANCEL);
    }
}
