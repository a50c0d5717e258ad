#include "grpc/message.h"

#include <stdlib.h>
#include <string.h>

/* ---- the arena ---- */

enum {
    CHUNK_BYTES = 16 * 1024,
    ALIGNMENT = 16,
};

struct sl_grpc_chunk {
    struct sl_grpc_chunk *older;
    size_t room_bytes;
    _Alignas(ALIGNMENT) uint8_t room[];
};

void sl_grpc_arena_init(struct sl_grpc_arena *arena)
{
    *arena = (struct sl_grpc_arena){.newest = NULL};
}

void sl_grpc_arena_fini(struct sl_grpc_arena *arena)
{
    while (arena->newest) {
        struct sl_grpc_chunk *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
    sl_grpc_arena_init(arena);
}

struct sl_grpc_mark sl_grpc_arena_mark(const struct sl_grpc_arena *arena)
{
    return (struct sl_grpc_mark){arena->newest, arena->used_bytes};
}

void sl_grpc_arena_release(struct sl_grpc_arena *arena, struct sl_grpc_mark mark)
{
    while (arena->newest != mark.newest && (mark.newest || arena->newest->older)) {
        struct sl_grpc_chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        arena->held_bytes -= chunk->room_bytes;
        free(chunk);
    }
    arena->used_bytes = mark.newest ? mark.used_bytes : 0;
}

static bool add_chunk(struct sl_grpc_arena *arena, size_t size)
{
    size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

    if (room > SL_GRPC_MAX_UNPACKED_BYTES - arena->held_bytes) {
        return false;
    }
    struct sl_grpc_chunk *chunk = malloc(sizeof(*chunk) + room);
    if (!chunk) {
        return false;
    }
    chunk->older = arena->newest;
    chunk->room_bytes = room;
    arena->newest = chunk;
    arena->used_bytes = 0;
    arena->held_bytes += room;
    return true;
}

static void *arena_alloc(void *arg, size_t size)
{
    struct sl_grpc_arena *arena = arg;

    if (size > SL_GRPC_MAX_UNPACKED_BYTES) {
        arena->is_full = true;
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if ((!arena->newest || size > arena->newest->room_bytes - arena->used_bytes) &&
        !add_chunk(arena, size)) {
        arena->is_full = true;
        return NULL;
    }
    void *at = arena->newest->room + arena->used_bytes;
    arena->used_bytes += size;
    return at;
}

static void arena_free(void *arg, void *at)
{
    (void)arg;
    (void)at;
}

/* ---- the walk ---- */

enum wire_type { VARINT = 0, FIXED64 = 1, LENGTH_DELIMITED = 2, FIXED32 = 5 };

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool read_varint(struct cursor *cursor, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return true;
        }
    }
    return false;
}

static bool skip(struct cursor *cursor, uint64_t count)
{
    if (count > (uint64_t)(cursor->end - cursor->at)) {
        return false;
    }
    cursor->at += count;
    return true;
}

/* One field; `*inner` is what is in it where it is of a length, else it is empty. False: the bytes
 * end within it, or are nothing that protobuf-c takes. */
static bool read_field(struct cursor *cursor, uint64_t *number, struct cursor *inner)
{
    uint64_t tag;
    uint64_t value;

    *inner = (struct cursor){NULL, NULL};
    if (!read_varint(cursor, &tag)) {
        return false;
    }
    *number = tag >> 3;
    switch (tag & 7) {
    case VARINT:
        return read_varint(cursor, &value);
    case FIXED64:
        return skip(cursor, 8);
    case FIXED32:
        return skip(cursor, 4);
    case LENGTH_DELIMITED:
        if (!read_varint(cursor, &value) || !skip(cursor, value)) {
            return false;
        }
        *inner = (struct cursor){cursor->at - value, cursor->at};
        return true;
    default:
        return false;
    }
}

/* A message of n bytes nests n / 2 times at most. */
static bool is_too_short_to_nest(const struct cursor *cursor, unsigned depth)
{
    return cursor->end - cursor->at < 2 * (ptrdiff_t)(SL_GRPC_MAX_NESTING - depth);
}

/* False when messages nest more deeply than they may. What is broken is left to protobuf-c: it
 * reads no further either. */
static bool is_shallow(const ProtobufCMessageDescriptor *descriptor, struct cursor cursor,
                       unsigned depth)
{
    struct cursor inner;
    uint64_t number;

    if (depth >= SL_GRPC_MAX_NESTING) {
        return false;
    }
    while (!is_too_short_to_nest(&cursor, depth) && read_field(&cursor, &number, &inner)) {
        const ProtobufCFieldDescriptor *field =
            number <= UINT32_MAX
                ? protobuf_c_message_descriptor_get_field(descriptor, (unsigned)number)
                : NULL;
        if (inner.at && field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !is_shallow(field->descriptor, inner, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* ---- public ---- */

static ProtobufCMessage *unpack(ProtobufCAllocator *allocator,
                                const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                                uint32_t length, struct sl_status *why)
{
    static const uint8_t nothing[1] = {0};
    struct cursor cursor = {length ? bytes : nothing, (length ? bytes : nothing) + length};

    if (!is_shallow(descriptor, cursor, 0)) {
        *why = sl_status_because("message-too-deep",
                                 sl_status_error(SL_RESOURCE_EXHAUSTED,
                                                 "messages in messages, more than %d",
                                                 SL_GRPC_MAX_NESTING));
        return NULL;
    }
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, allocator, length, cursor.at);
    if (!message) {
        *why = sl_status_because(
            "broken-message",
            sl_status_error(SL_INTERNAL, "a message that is not a %s", descriptor->name));
    }
    return message;
}

static struct sl_status too_large(const ProtobufCMessageDescriptor *descriptor)
{
    return sl_status_because("message-too-large",
                             sl_status_error(SL_RESOURCE_EXHAUSTED,
                                             "a %s that takes more than %d bytes unpacked",
                                             descriptor->name, SL_GRPC_MAX_UNPACKED_BYTES));
}

const ProtobufCMessage *sl_grpc_message_unpack(struct sl_grpc_arena *arena,
                                               const ProtobufCMessageDescriptor *descriptor,
                                               const uint8_t *bytes, uint32_t length,
                                               struct sl_status *why)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};

    arena->is_full = false;
    const ProtobufCMessage *message = unpack(&allocator, descriptor, bytes, length, why);
    if (!message && arena->is_full) {
        *why = too_large(descriptor);
    }
    return message;
}

struct budget {
    size_t left_bytes;
    bool is_spent;
};

static void *budget_alloc(void *arg, size_t size)
{
    struct budget *budget = arg;
    void *at = size <= budget->left_bytes ? malloc(size) : NULL;

    if (at) {
        budget->left_bytes -= size;
    }
    budget->is_spent = budget->is_spent || !at;
    return at;
}

static void budget_free(void *arg, void *at)
{
    (void)arg;
    free(at);
}

ProtobufCMessage *sl_grpc_message_unpack_kept(const ProtobufCMessageDescriptor *descriptor,
                                              const uint8_t *bytes, uint32_t length,
                                              struct sl_status *why)
{
    struct budget budget = {.left_bytes = SL_GRPC_MAX_UNPACKED_BYTES};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    ProtobufCMessage *message = unpack(&allocator, descriptor, bytes, length, why);

    if (!message && budget.is_spent) {
        *why = too_large(descriptor);
    }
    return message;
}

bool sl_grpc_message_pack(const ProtobufCMessage *message, struct sl_buf *out)
{
    size_t length = protobuf_c_message_get_packed_size(message);

    if (length > UINT32_MAX || !sl_buf_reserve(out, length ? length : 1)) {
        return false;
    }
    out->len += protobuf_c_message_pack(message, (uint8_t *)out->data + out->len);
    return true;
}
