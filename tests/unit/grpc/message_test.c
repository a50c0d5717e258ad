/* Typed messages, by the messages that describe messages: they nest, and have every kind of field.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "grpc/message.h"

typedef Google__Protobuf__DescriptorProto descriptor_proto;

static const ProtobufCMessageDescriptor *const type =
    &google__protobuf__descriptor_proto__descriptor;

/* A DescriptorProto in a DescriptorProto, `levels` of them: nested_type is field 3. */
static void nest(struct sl_buf *out, unsigned levels)
{
    struct sl_buf inner = {0};

    for (unsigned i = 1; i < levels; i++) {
        struct sl_buf outer = {0};
        sl_buf_add_byte(&outer, 3 << 3 | 2);
        size_t len = inner.len;
        for (; len > 127; len >>= 7) {
            sl_buf_add_byte(&outer, (char)(len | 128));
        }
        sl_buf_add_byte(&outer, (char)len);
        sl_buf_add_str(&outer, sl_buf_str(&inner));
        sl_buf_fini(&inner);
        inner = outer;
    }
    sl_buf_add_str(out, sl_buf_str(&inner));
    sl_buf_fini(&inner);
}

static const descriptor_proto *unpack(struct sl_grpc_arena *arena, const struct sl_buf *bytes,
                                      struct sl_status *why)
{
    *why = sl_status_ok();
    return (const descriptor_proto *)(const void *)sl_grpc_message_unpack(
        arena, type, (const uint8_t *)bytes->data, (uint32_t)bytes->len, why);
}

static void pack_named(struct sl_buf *out, const char *name, size_t fields)
{
    descriptor_proto message = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__FieldDescriptorProto field = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__INIT;
    Google__Protobuf__FieldDescriptorProto **list = calloc(fields + 1, sizeof(*list));
    char *copy = strdup(name);

    assert_non_null(list);
    field.name = copy;
    for (size_t i = 0; i < fields; i++) {
        list[i] = &field;
    }
    message.name = copy;
    message.n_field = fields;
    message.field = list;
    assert_true(sl_grpc_message_pack(&message.base, out));
    free(list);
    free(copy);
}

static void a_message_is_read_and_gone_with_its_mark(void **state)
{
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_buf bytes = {0};
    struct sl_status why;

    (void)state;
    pack_named(&bytes, "interfaces", 1000);
    for (int i = 0; i < 3; i++) {
        struct sl_grpc_mark mark = sl_grpc_arena_mark(&arena);
        const descriptor_proto *message = unpack(&arena, &bytes, &why);
        assert_non_null(message);
        assert_string_equal(message->name, "interfaces");
        assert_int_equal(message->n_field, 1000);
        assert_string_equal(message->field[999]->name, "interfaces");
        assert_true(arena.held_bytes > 100 * 1000);
        sl_grpc_arena_release(&arena, mark);
        assert_true(arena.held_bytes <= 16 * 1024);
    }
    sl_buf_fini(&bytes);
    sl_grpc_arena_fini(&arena);
}

static void a_message_within_the_time_of_another_leaves_that_alone(void **state)
{
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_buf outer_bytes = {0};
    struct sl_buf inner_bytes = {0};
    struct sl_status why;

    (void)state;
    pack_named(&outer_bytes, "outer", 50);
    pack_named(&inner_bytes, "inner", 2000);
    struct sl_grpc_mark mark = sl_grpc_arena_mark(&arena);
    const descriptor_proto *outer = unpack(&arena, &outer_bytes, &why);
    for (int i = 0; i < 3; i++) {
        struct sl_grpc_mark inner_mark = sl_grpc_arena_mark(&arena);
        const descriptor_proto *inner = unpack(&arena, &inner_bytes, &why);
        assert_string_equal(inner->field[1999]->name, "inner");
        sl_grpc_arena_release(&arena, inner_mark);
        assert_string_equal(outer->name, "outer");
        assert_string_equal(outer->field[49]->name, "outer");
    }
    sl_grpc_arena_release(&arena, mark);
    sl_buf_fini(&outer_bytes);
    sl_buf_fini(&inner_bytes);
    sl_grpc_arena_fini(&arena);
}

static void an_empty_message_is_one(void **state)
{
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_status why;
    struct sl_buf bytes = {0};

    (void)state;
    const descriptor_proto *message = unpack(&arena, &bytes, &why);
    assert_non_null(message);
    assert_int_equal(message->n_field, 0);
    assert_true(sl_grpc_message_pack(&message->base, &bytes));
    assert_int_equal(bytes.len, 0);
    sl_buf_fini(&bytes);
    sl_grpc_arena_fini(&arena);
}

static void nesting_ends_at_its_limit_and_not_with_the_stack(void **state)
{
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_status why;
    struct sl_buf bytes = {0};

    (void)state;
    nest(&bytes, SL_GRPC_MAX_NESTING);
    assert_non_null(unpack(&arena, &bytes, &why));
    sl_buf_reset(&bytes);
    nest(&bytes, SL_GRPC_MAX_NESTING + 1);
    assert_null(unpack(&arena, &bytes, &why));
    assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&why), "message-too-deep");
    sl_buf_reset(&bytes);
    nest(&bytes, 20000);
    assert_null(unpack(&arena, &bytes, &why));
    assert_null(
        sl_grpc_message_unpack_kept(type, (const uint8_t *)bytes.data, (uint32_t)bytes.len, &why));
    assert_string_equal(sl_status_reason(&why), "message-too-deep");
    sl_buf_fini(&bytes);
    sl_grpc_arena_fini(&arena);
}

/* Two bytes each, 150 and more in memory. */
static void a_message_that_swells_ends_at_its_limit(void **state)
{
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_status why;
    struct sl_buf bytes = {0};

    (void)state;
    for (int i = 0; i < 2 * 1000 * 1000; i++) {
        sl_buf_add(&bytes, "\x1a\0", 2);
    }
    struct sl_grpc_mark mark = sl_grpc_arena_mark(&arena);
    assert_null(unpack(&arena, &bytes, &why));
    assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&why), "message-too-large");
    assert_true(arena.held_bytes <= SL_GRPC_MAX_UNPACKED_BYTES);
    sl_grpc_arena_release(&arena, mark);
    assert_null(
        sl_grpc_message_unpack_kept(type, (const uint8_t *)bytes.data, (uint32_t)bytes.len, &why));
    assert_string_equal(sl_status_reason(&why), "message-too-large");
    sl_buf_fini(&bytes);
    sl_grpc_arena_fini(&arena);
}

static void what_is_no_message_is_refused(void **state)
{
    static const char *const broken[] = {"\x0a", "\x0a\x05\x61\x62\x63", "\xff", "\x0b",
                                         "\x1a\x02\x0a\x09"};
    struct sl_grpc_arena arena = {.newest = NULL};
    struct sl_status why;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct sl_buf bytes = {0};
        sl_buf_add_c(&bytes, broken[i]);
        assert_null(unpack(&arena, &bytes, &why));
        assert_int_equal(why.code, SL_INTERNAL);
        assert_string_equal(sl_status_reason(&why), "broken-message");
        sl_buf_fini(&bytes);
    }
    sl_grpc_arena_fini(&arena);
}

static void a_kept_message_outlives_the_arena(void **state)
{
    struct sl_buf bytes = {0};
    struct sl_status why;

    (void)state;
    pack_named(&bytes, "kept", 3);
    ProtobufCMessage *message =
        sl_grpc_message_unpack_kept(type, (const uint8_t *)bytes.data, (uint32_t)bytes.len, &why);
    sl_buf_fini(&bytes);
    assert_non_null(message);
    assert_string_equal(((descriptor_proto *)(void *)message)->field[2]->name, "kept");
    protobuf_c_message_free_unpacked(message, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_and_gone_with_its_mark),
        cmocka_unit_test(a_message_within_the_time_of_another_leaves_that_alone),
        cmocka_unit_test(an_empty_message_is_one),
        cmocka_unit_test(nesting_ends_at_its_limit_and_not_with_the_stack),
        cmocka_unit_test(a_message_that_swells_ends_at_its_limit),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(a_kept_message_outlives_the_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
