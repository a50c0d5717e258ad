/* What a call sends: framed, compressed, within a bound. */
#include <stdlib.h>
#include <string.h>

#include "grpc/internal.h"

enum { SMALL_BYTES = 2048 }; /* a message up to this is packed on the stack */

static bool is_closed(const struct sl_grpc_call *call)
{
    return call->is_finished || call->has_status || (call->has_end && !call->is_server);
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
    if (!sl_grpc_call_has_headers(call)) {
        sl_h2_stream_reset(call->stream, SL_H2_INTERNAL_ERROR); /* memory, or it is closed anyhow */
        return SL_GRPC_CLOSED;
    }
    if (sl_h2_stream_send(call->stream, pieces, count)) {
        sl_grpc_opening_note_sent(call, pieces, count);
        return SL_GRPC_SENT;
    }
    return sl_h2_stream_unsent(call->stream) > 0 ? SL_GRPC_FULL : SL_GRPC_CLOSED;
}

static enum sl_grpc_send send_framed(struct sl_grpc_call *call, bool is_compressed,
                                     struct sl_str body)
{
    size_t length = body.len;
    const char prefix[SL_GRPC_PREFIX_BYTES] = {(char)is_compressed, (char)(length >> 24),
                                               (char)(length >> 16), (char)(length >> 8),
                                               (char)length};
    const struct sl_str pieces[] = {{prefix, sizeof(prefix)}, body};

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
    uint8_t *bytes = length <= UINT32_MAX ? malloc(length) : NULL;
    if (!bytes) {
        return fail_for_memory(call);
    }
    protobuf_c_message_pack(message, bytes);
    enum sl_grpc_send sent = sl_grpc_call_send_bytes(call, bytes, (uint32_t)length);
    free(bytes);
    return sent;
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
