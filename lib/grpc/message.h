/* message.h - typed messages: protobuf-c's structs out of a peer's bytes, with limits.
 *
 * protobuf-c trusts its input with memory and with the stack: two bytes of a message may become a
 * struct of a hundred, and a level of nesting is a level of calls. Here a message is first walked
 * (its nesting has a limit), then unpacked into an arena (its size has one too). A message lives
 * until the arena is taken back to where it stood before, so what nests is released in reverse.
 *
 * Pure: no I/O, no clock. One thread.
 */
#ifndef SLUICE_GRPC_MESSAGE_H
#define SLUICE_GRPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"

enum {
    SL_GRPC_MAX_UNPACKED_BYTES = 64 * 1024 * 1024, /* of all messages that an arena holds */
    SL_GRPC_MAX_NESTING = 100,                     /* messages in messages, as protobuf's own */
};

struct sl_grpc_chunk;

struct sl_grpc_arena {
    struct sl_grpc_chunk *newest;
    size_t used_bytes; /* of the newest chunk */
    size_t held_bytes; /* of all chunks */
    bool is_full;      /* an allocation failed since the last unpack began */
};

/* A point to which an arena is taken back. */
struct sl_grpc_mark {
    struct sl_grpc_chunk *newest;
    size_t used_bytes;
};

/* Zeroed storage is one too. */
void sl_grpc_arena_init(struct sl_grpc_arena *arena);
void sl_grpc_arena_fini(struct sl_grpc_arena *arena);

struct sl_grpc_mark sl_grpc_arena_mark(const struct sl_grpc_arena *arena);

/* Everything made since is gone. Its first chunk stays, for the next message. */
void sl_grpc_arena_release(struct sl_grpc_arena *arena, struct sl_grpc_mark mark);

/* The message in `bytes`, in the arena: it is not to be freed, and points at nothing of `bytes`.
 * NULL on failure, with `why`: INTERNAL ("broken-message") when it is not such a message,
 * RESOURCE_EXHAUSTED when it nests too deeply, has too much in it or memory is out. */
const ProtobufCMessage *sl_grpc_message_unpack(struct sl_grpc_arena *arena,
                                               const ProtobufCMessageDescriptor *descriptor,
                                               const uint8_t *bytes, uint32_t length,
                                               struct sl_status *why) SL_MUST_CHECK;

/* The same on the heap, for those who keep it: freed by protobuf_c_message_free_unpacked(message,
 * NULL). */
ProtobufCMessage *sl_grpc_message_unpack_kept(const ProtobufCMessageDescriptor *descriptor,
                                              const uint8_t *bytes, uint32_t length,
                                              struct sl_status *why) SL_MUST_CHECK;

/* Appends a message's bytes. False when memory is out or it is longer than 4 GiB. */
bool sl_grpc_message_pack(const ProtobufCMessage *message, struct sl_buf *out) SL_MUST_CHECK;

#endif
