/* message.c - typed messages with limits, held against protobuf-c's own reading without: what is
 * taken says the same, what is refused is broken there too, or nests too deeply.
 *
 * Input: a message, read as one of each type; and once more deep inside others. */
#include <string.h>

#include <gnmi.pb-c.h>
#include <google/protobuf/descriptor.pb-c.h>

#include "fuzz.h"
#include "grpc/message.h"

enum { MOST_LEVELS = 128, NESTED_TYPE = 3 << 3 | 2 }; /* DescriptorProto.nested_type */

/* ---- what protobuf-c made of it ---- */

/* Of a message and all that is in it. */
struct survey {
    unsigned depth;
    bool has_zero; /* a field of number 0: protobuf-c reads one if its tag is long, writes it short,
                    * and reads it no more */
};

static void survey(const ProtobufCMessage *message, unsigned level, struct survey *out);

static void survey_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         unsigned level, struct survey *out)
{
    const char *base = (const char *)message;
    const void *member = base + field->offset;
    uint32_t which;

    memcpy(&which, base + field->quantifier_offset, sizeof(which));
    if (field->type != PROTOBUF_C_TYPE_MESSAGE ||
        (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && which != field->id)) {
        return;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)member;
        if (inner) {
            survey(inner, level + 1, out);
        }
        return;
    }
    const ProtobufCMessage *const *list = *(const ProtobufCMessage *const *const *)member;
    size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
    for (size_t i = 0; i < count; i++) {
        survey(list[i], level + 1, out);
    }
}

static void survey(const ProtobufCMessage *message, unsigned level, struct survey *out)
{
    out->depth = level > out->depth ? level : out->depth;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        out->has_zero = out->has_zero || message->unknown_fields[i].tag == 0;
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        survey_field(message, &message->descriptor->fields[i], level, out);
    }
}

static struct survey survey_of(const ProtobufCMessage *message)
{
    struct survey out = {.depth = 0};

    survey(message, 1, &out);
    return out;
}

static void assert_same(const ProtobufCMessage *ours, const ProtobufCMessage *plain)
{
    struct sl_buf one = {0};
    struct sl_buf other = {0};

    SL_ASSERT(sl_grpc_message_pack(ours, &one));
    SL_ASSERT(sl_grpc_message_pack(plain, &other));
    SL_ASSERT(sl_str_eq(sl_buf_str(&one), sl_buf_str(&other)));
    sl_buf_fini(&other);
    sl_buf_fini(&one);
}

/* What it packs as is read again, and packs as the same. */
static void assert_returns(struct sl_grpc_arena *arena, const ProtobufCMessage *message)
{
    struct sl_buf packed = {0};
    struct sl_status why;

    SL_ASSERT(sl_grpc_message_pack(message, &packed));
    const ProtobufCMessage *again = sl_grpc_message_unpack(
        arena, message->descriptor, (const uint8_t *)packed.data, (uint32_t)packed.len, &why);
    SL_ASSERT(again || survey_of(message).has_zero);
    if (again) {
        assert_same(again, message);
    }
    sl_buf_fini(&packed);
}

/* ---- both ---- */

/* Too deep, it may be broken as well, behind where that was seen; or, of what may be there but
 * once, a shallow one came later. */
static void assert_refused(const struct sl_status *why, const ProtobufCMessage *plain,
                           bool has_choices)
{
    if (why->code == SL_INTERNAL) {
        SL_ASSERT(strcmp(sl_status_reason(why), "broken-message") == 0 && !plain);
    } else {
        SL_ASSERT(why->code == SL_RESOURCE_EXHAUSTED);
        SL_ASSERT(strcmp(sl_status_reason(why), "message-too-deep") == 0);
        SL_ASSERT(!plain || has_choices || survey_of(plain).depth > SL_GRPC_MAX_NESTING);
    }
}

/* How deep the message is; 0 when it is refused. */
static unsigned compare(const ProtobufCMessageDescriptor *type, struct sl_str bytes,
                        bool has_choices)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_status why;
    struct sl_status kept_why;
    unsigned depth = 0;
    const struct sl_grpc_mark start = sl_grpc_arena_mark(&arena);
    const ProtobufCMessage *ours =
        sl_grpc_message_unpack(&arena, type, at, (uint32_t)bytes.len, &why);
    ProtobufCMessage *kept = sl_grpc_message_unpack_kept(type, at, (uint32_t)bytes.len, &kept_why);
    ProtobufCMessage *plain = protobuf_c_message_unpack(type, NULL, bytes.len, at);

    SL_ASSERT(!ours == !kept && (ours || why.code == kept_why.code));
    if (ours) {
        SL_ASSERT(plain);
        depth = survey_of(ours).depth;
        SL_ASSERT(depth <= SL_GRPC_MAX_NESTING && depth == survey_of(plain).depth);
        assert_same(ours, plain);
        assert_same(kept, plain);
        assert_returns(&arena, ours);
        protobuf_c_message_free_unpacked(kept, NULL);
    } else {
        assert_refused(&why, plain, has_choices);
    }
    if (plain) {
        protobuf_c_message_free_unpacked(plain, NULL);
    }
    sl_grpc_arena_release(&arena, start);
    SL_ASSERT(arena.used_bytes == 0);
    sl_grpc_arena_fini(&arena);
    return depth;
}

/* The message in so many others, one in the other. */
static void nest(struct sl_str inner, unsigned levels, struct sl_buf *out)
{
    uint8_t heads[6 * MOST_LEVELS];
    size_t at = sizeof(heads);
    size_t len = inner.len;

    for (unsigned i = 0; i < levels; i++) {
        uint8_t varint[6] = {NESTED_TYPE};
        size_t count = 1;
        for (size_t rest = len; rest || count == 1; rest >>= 7) {
            varint[count++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        }
        at -= count;
        memcpy(heads + at, varint, count);
        len += count;
    }
    sl_buf_add(out, heads + at, sizeof(heads) - at);
    sl_buf_add_str(out, inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const descriptor =
        &google__protobuf__descriptor_proto__descriptor;
    struct sl_str bytes = {(const char *)data, size};
    struct sl_buf nested = {0};
    unsigned levels = size ? (unsigned)(data[size / 2] + size) % MOST_LEVELS : 0;

    compare(&gnmi__subscribe_response__descriptor, bytes, true);
    compare(&gnmi__subscribe_request__descriptor, bytes, true);
    compare(&gnmi__get_response__descriptor, bytes, true);
    compare(&google__protobuf__file_descriptor_proto__descriptor, bytes, false);
    unsigned depth = compare(descriptor, bytes, false);
    nest(bytes, levels, &nested);
    unsigned nested_depth = compare(descriptor, sl_buf_str(&nested), false);

    if (depth) {
        bool fits = depth + levels <= SL_GRPC_MAX_NESTING;
        SL_ASSERT(nested_depth == (fits ? depth + levels : 0));
    }
    sl_buf_fini(&nested);
    return 0;
}
