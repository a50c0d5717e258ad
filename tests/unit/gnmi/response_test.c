/* A SubscribeResponse, read where it lies: its arms, its limits, and what protobuf merges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/response.h"
#include "test.h"

/* ---- building messages ---- */

static void add_varint(struct sl_buf *buf, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        sl_buf_add_byte(buf, (char)(value | 0x80));
    }
    sl_buf_add_byte(buf, (char)value);
}

static void add_number(struct sl_buf *buf, uint32_t field, uint64_t value)
{
    add_varint(buf, (uint64_t)field << 3);
    add_varint(buf, value);
}

static void add_bytes(struct sl_buf *buf, uint32_t field, struct sl_str bytes)
{
    add_varint(buf, (uint64_t)field << 3 | 2);
    add_varint(buf, bytes.len);
    sl_buf_add_str(buf, bytes);
}

/* Makes of `buf` the payload of a field. */
static void wrap(struct sl_buf *buf, uint32_t field)
{
    struct sl_buf outer = {0};

    add_bytes(&outer, field, sl_buf_str(buf));
    sl_buf_fini(buf);
    *buf = outer;
}

/* ---- reading ---- */

struct fixture {
    struct sl_buf scratch;
    struct sl_gnmi_response response;
    struct sl_status status;
};

static void fixture_read(struct fixture *fixture, struct sl_str message)
{
    fixture->status = sl_gnmi_response_read(message, &fixture->scratch, &fixture->response);
}

static void fixture_fini(struct fixture *fixture)
{
    sl_buf_fini(&fixture->scratch);
}

static void assert_ok(const struct fixture *fixture)
{
    if (!sl_status_is_ok(&fixture->status)) {
        fail_msg("%s", fixture->status.text);
    }
}

/* The only update of a message of one. */
static struct sl_gnmi_update first_update(const struct fixture *fixture)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&fixture->response);
    struct sl_gnmi_update update;
    struct sl_gnmi_update second;

    assert_int_equal(fixture->response.updates, 1);
    assert_true(sl_gnmi_next_update(&cursor, &update));
    assert_false(sl_gnmi_next_update(&cursor, &second));
    return update;
}

/* The value that a TypedValue of these bytes is read as. */
static struct sl_gnmi_value read_value(struct fixture *fixture, struct sl_buf *message,
                                       struct sl_str typed_value)
{
    *message = (struct sl_buf){0};
    add_bytes(message, 3, typed_value);
    wrap(message, 4);
    wrap(message, 1);
    fixture_read(fixture, sl_buf_str(message));
    assert_ok(fixture);
    return first_update(fixture).value;
}

/* ---- tests ---- */

static void an_empty_message_is_a_keepalive(void **state)
{
    struct fixture f = {0};

    (void)state;
    fixture_read(&f, (struct sl_str){0});
    assert_ok(&f);
    assert_int_equal(f.response.kind, SL_GNMI_EMPTY);
    fixture_read(&f, SL_STR("\x2a\x02\x0a\x00")); /* an extension alone */
    assert_ok(&f);
    assert_int_equal(f.response.kind, SL_GNMI_EMPTY);
    fixture_fini(&f);
}

static void a_sync_may_be_false(void **state)
{
    struct fixture f = {0};

    (void)state;
    fixture_read(&f, SL_STR("\x18\x01"));
    assert_int_equal(f.response.kind, SL_GNMI_SYNC);
    assert_true(f.response.is_sync);
    fixture_read(&f, SL_STR("\x18\x00"));
    assert_int_equal(f.response.kind, SL_GNMI_SYNC);
    assert_false(f.response.is_sync);
    fixture_read(&f, SL_STR("\x22\x02\x08\x05"));
    assert_int_equal(f.response.kind, SL_GNMI_ERROR);
    fixture_fini(&f);
}

static void of_several_arms_the_last_counts(void **state)
{
    struct fixture f = {0};

    (void)state;
    fixture_read(&f, SL_STR("\x18\x01\x0a\x02\x08\x05"));
    assert_int_equal(f.response.kind, SL_GNMI_UPDATE);
    assert_int_equal(f.response.timestamp_ns, 5);
    assert_false(f.response.is_sync);
    fixture_read(&f, SL_STR("\x0a\x02\x08\x05\x18\x01"));
    assert_int_equal(f.response.kind, SL_GNMI_SYNC);
    assert_int_equal(f.response.timestamp_ns, 0);
    fixture_read(&f, SL_STR("\x0a\x04\x08\x05\x30\x01\x18\x01\x0a\x02\x08\x06"));
    assert_int_equal(f.response.kind, SL_GNMI_UPDATE);
    assert_int_equal(f.response.timestamp_ns, 6);
    assert_false(f.response.is_atomic); /* the sync cleared the first one */
    fixture_fini(&f);
}

static void a_notification_that_comes_twice_is_merged(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};

    (void)state;
    add_bytes(&message, 1, SL_STR("\x08\x05\x12\x02\x12\x00\x22\x00"));
    add_bytes(&message, 1, SL_STR("\x08\x06\x12\x03\x22\x01t\x22\x02\x20\x03\x2a\x00\x30\x01"));
    fixture_read(&f, sl_buf_str(&message));
    assert_ok(&f);
    assert_int_equal(f.response.timestamp_ns, 6);
    assert_int_equal(f.response.updates, 2);
    assert_int_equal(f.response.deletes, 1);
    assert_int_equal(f.response.duplicates, 3);
    assert_true(f.response.is_atomic);
    assert_true(sl_str_eq(f.response.prefix, SL_STR("\x12\x00\x22\x01t")));
    assert_true(sl_str_eq(f.response.message, sl_buf_str(&message)));
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void the_order_on_the_wire_does_not_matter(void **state)
{
    struct fixture f = {0};
    struct sl_gnmi_cursor cursor;
    struct sl_gnmi_update update;
    struct sl_str path;

    (void)state;
    fixture_read(
        &f, SL_STR("\x0a\x10\x2a\x02\x12\x00\x22\x06\x20\x07\x0a\x02\x22\x00\x12\x00\x08\x05"));
    assert_ok(&f);
    assert_int_equal(f.response.timestamp_ns, 5);
    assert_true(f.response.has_prefix);
    cursor = sl_gnmi_response_begin(&f.response);
    assert_true(sl_gnmi_next_update(&cursor, &update));
    assert_true(update.has_path);
    assert_int_equal(update.duplicates, 7);
    assert_true(sl_str_eq(update.path, SL_STR("\x22\x00")));
    cursor = sl_gnmi_response_begin(&f.response);
    assert_true(sl_gnmi_next_delete(&cursor, &path));
    assert_true(sl_str_eq(path, SL_STR("\x12\x00")));
    assert_false(sl_gnmi_next_delete(&cursor, &path));
    assert_false(sl_gnmi_next_delete(&cursor, &path));
    fixture_fini(&f);
}

static void every_arm_of_a_value_is_read(void **state)
{
    static const struct {
        struct sl_str bytes;
        enum sl_gnmi_value_kind kind;
    } arms[] = {
        {{"", 0}, SL_GNMI_VALUE_NONE},
        {{"\x0a\x01s", 3}, SL_GNMI_VALUE_STRING},
        {{"\x10\x00", 2}, SL_GNMI_VALUE_INT},
        {{"\x18\x01", 2}, SL_GNMI_VALUE_UINT},
        {{"\x20\x01", 2}, SL_GNMI_VALUE_BOOL},
        {{"\x2a\x01y", 3}, SL_GNMI_VALUE_BYTES},
        {{"\x35\x00\x00\xc0\x3f", 5}, SL_GNMI_VALUE_FLOAT},
        {{"\x3a\x00", 2}, SL_GNMI_VALUE_DECIMAL},
        {{"\x42\x00", 2}, SL_GNMI_VALUE_LEAFLIST},
        {{"\x4a\x00", 2}, SL_GNMI_VALUE_ANY},
        {{"\x52\x01j", 3}, SL_GNMI_VALUE_JSON},
        {{"\x5a\x01i", 3}, SL_GNMI_VALUE_JSON_IETF},
        {{"\x62\x01"
          "a",
          3},
         SL_GNMI_VALUE_ASCII},
        {{"\x6a\x01p", 3}, SL_GNMI_VALUE_PROTO_BYTES},
        {{"\x71\x00\x00\x00\x00\x00\x00\xf8\x3f", 9}, SL_GNMI_VALUE_DOUBLE},
        {{"\x78\x01", 2}, SL_GNMI_VALUE_NONE},             /* an arm that is not known */
        {{"\x1d\x01\x02\x03\x04", 5}, SL_GNMI_VALUE_NONE}, /* uint_val as a fixed32 */
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(arms); i++) {
        struct fixture f = {0};
        struct sl_buf message;
        struct sl_gnmi_value value = read_value(&f, &message, arms[i].bytes);
        assert_int_equal(value.kind, arms[i].kind);
        sl_buf_fini(&message);
        fixture_fini(&f);
    }
}

static void numbers_keep_all_their_bits(void **state)
{
    struct fixture f = {0};
    struct sl_buf message;
    struct sl_gnmi_value value;

    (void)state;
    value = read_value(&f, &message, SL_STR("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_true(value.of.i64 == -1);
    sl_buf_fini(&message);
    value = read_value(&f, &message, SL_STR("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_true(value.of.u64 == UINT64_MAX);
    sl_buf_fini(&message);
    value = read_value(&f, &message, SL_STR("\x35\x00\x00\xc0\x3f"));
    assert_true(value.of.f32 == 1.5f);
    sl_buf_fini(&message);
    value = read_value(&f, &message, SL_STR("\x71\x00\x00\x00\x00\x00\x00\xf8\x3f"));
    assert_true(value.of.f64 == 1.5);
    sl_buf_fini(&message);
    value = read_value(&f, &message, SL_STR("\x3a\x04\x08\x7b\x10\x02"));
    assert_true(value.of.decimal.digits == 123 && value.of.decimal.precision == 2);
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void messages_in_a_oneof_are_merged_and_others_replaced(void **state)
{
    struct fixture f = {0};
    struct sl_buf message;
    struct sl_gnmi_value value;
    struct sl_gnmi_value element;

    (void)state;
    value = read_value(&f, &message, SL_STR("\x3a\x02\x08\x7b\x3a\x02\x10\x02"));
    assert_int_equal(value.kind, SL_GNMI_VALUE_DECIMAL);
    assert_true(value.of.decimal.digits == 123 && value.of.decimal.precision == 2);
    sl_buf_fini(&message);
    fixture_fini(&f);
    value = read_value(&f, &message, SL_STR("\x3a\x02\x08\x7b\x18\x01\x3a\x02\x10\x02"));
    assert_true(value.of.decimal.digits == 0 && value.of.decimal.precision == 2);
    sl_buf_fini(&message);
    fixture_fini(&f);
    /* leaflist [uint 1] and [uint 2, then string "s"] */
    value = read_value(&f, &message,
                       SL_STR("\x42\x04\x0a\x02\x18\x01\x42\x07\x0a\x05\x18\x02\x0a\x01s"));
    assert_int_equal(value.kind, SL_GNMI_VALUE_LEAFLIST);
    assert_true(sl_gnmi_next_element(&value.of.bytes, &element));
    assert_true(element.kind == SL_GNMI_VALUE_UINT && element.of.u64 == 1);
    assert_true(sl_gnmi_next_element(&value.of.bytes, &element));
    assert_int_equal(element.kind, SL_GNMI_VALUE_STRING);
    assert_false(sl_gnmi_next_element(&value.of.bytes, &element));
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void the_deprecated_value_counts_where_there_is_no_other(void **state)
{
    static const enum sl_gnmi_value_kind kinds[] = {
        SL_GNMI_VALUE_JSON,  SL_GNMI_VALUE_BYTES,     SL_GNMI_VALUE_PROTO_BYTES,
        SL_GNMI_VALUE_ASCII, SL_GNMI_VALUE_JSON_IETF, SL_GNMI_VALUE_BYTES,
    };
    struct fixture f = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        char message[] = "\x0a\x09\x22\x07\x12\x05\x0a\x01x\x10\x00";
        message[10] = (char)i;
        fixture_read(&f, (struct sl_str){message, 11});
        assert_ok(&f);
        struct sl_gnmi_update update = first_update(&f);
        assert_int_equal(update.value.kind, kinds[i]);
        assert_true(sl_str_eq_c(update.value.of.bytes, "x"));
    }
    fixture_read(&f, SL_STR("\x0a\x0b\x22\x09\x1a\x02\x18\x01\x12\x03\x0a\x01x"));
    assert_ok(&f);
    assert_int_equal(first_update(&f).value.kind, SL_GNMI_VALUE_UINT);
    fixture_fini(&f);
}

static void groups_and_other_unknown_fields_are_stepped_over(void **state)
{
    struct fixture f = {0};

    (void)state;
    fixture_read(&f, SL_STR("\x7b\x0b\x08\x01\x12\x01x\x15"
                            "abcd\x19"
                            "abcdefgh\x0c\x7c\x18\x01"));
    assert_ok(&f);
    assert_true(f.response.is_sync);
    fixture_read(&f, SL_STR("\x0a\x08\x22\x06\x7b\x08\x01\x7c\x20\x05"));
    assert_ok(&f);
    assert_int_equal(first_update(&f).duplicates, 5);
    fixture_fini(&f);
}

static void what_is_broken_is_refused_with_its_place(void **state)
{
    static const struct {
        struct sl_str message;
        unsigned place;
    } broken[] = {
        {{"\x18", 1}, 0},                     /* a value is missing */
        {{"\x18\x01\x0a\x05\x08\x01", 6}, 2}, /* a length beyond the end */
        {{"\x0a\x02\x08\x80", 4}, 2},         /* a varint without an end */
        {{"\x0a\x04\x22\x03\x08\x01", 6}, 2}, /* a message that sticks out */
        {{"\x00\x01", 2}, 0},                 /* field 0 */
        {{"\x1e", 1}, 0},                     /* wire type 6 */
        {{"\x7c", 1}, 0},                     /* the end of no group */
        {{"\x7b\x74", 2}, 1},                 /* the end of another group */
        {{"\x7b", 1}, 0},                     /* a group without an end */
        {{"\x0a\x01\x7b\x7c", 4}, 2},         /* a group that sticks out */
        {{"\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12}, 0}, /* 11 bytes of varint */
        {{"\x80\x80\x80\x80\x80\x01", 6}, 0},                          /* a tag of 6 bytes */
        {{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, 0},
        {{"\x22\x03\x1a\x05x", 5}, 2},        /* inside the deprecated error */
        {{"\x2a\x04\x0a\x02\x12\x05", 6}, 4}, /* inside an extension */
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct fixture f = {0};
        char place[32];
        fixture_read(&f, broken[i].message);
        assert_int_equal(f.status.code, SL_INVALID_ARGUMENT);
        snprintf(place, sizeof(place), "at byte %u of", broken[i].place);
        assert_non_null(strstr(f.status.text, place));
        assert_int_equal(f.response.updates + f.response.deletes, 0);
        fixture_fini(&f);
    }
}

/* A message whose innermost TypedValue lies `lists` leaf-lists deep. */
static void make_nested(struct sl_buf *message, unsigned lists)
{
    for (unsigned i = 0; i < lists; i++) {
        wrap(message, 1); /* element */
        wrap(message, 8); /* leaflist_val */
    }
    wrap(message, 3);
    wrap(message, 4);
    wrap(message, 1);
}

static void leaf_lists_nest_up_to_the_limit(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};

    (void)state; /* response, notification, update, value: 4 levels, and 2 for each list */
    make_nested(&message, 48);
    fixture_read(&f, sl_buf_str(&message));
    assert_ok(&f);
    sl_buf_fini(&message);
    make_nested(&message, 49);
    fixture_read(&f, sl_buf_str(&message));
    assert_int_equal(f.status.code, SL_RESOURCE_EXHAUSTED);
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void a_bomb_of_nested_lists_is_refused(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};

    (void)state;
    add_number(&message, 3, 1);
    make_nested(&message, 3000);
    fixture_read(&f, sl_buf_str(&message));
    assert_int_equal(f.status.code, SL_RESOURCE_EXHAUSTED);
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void a_bomb_of_nested_groups_is_refused(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        sl_buf_add_byte(&message, '\x7b');
    }
    fixture_read(&f, sl_buf_str(&message));
    assert_int_equal(f.status.code, SL_RESOURCE_EXHAUSTED);
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void nested_lists_are_merged_to_the_innermost(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};
    struct sl_gnmi_value value;
    unsigned depth = 0;

    (void)state;
    add_bytes(&message, 1, SL_STR("first"));
    add_number(&message, 3, 7);
    make_nested(&message, 48);
    fixture_read(&f, sl_buf_str(&message));
    assert_ok(&f);
    value = first_update(&f).value;
    while (value.kind == SL_GNMI_VALUE_LEAFLIST) {
        struct sl_str elements = value.of.bytes;
        assert_true(sl_gnmi_next_element(&elements, &value));
        depth++;
    }
    assert_int_equal(depth, 48);
    assert_true(value.kind == SL_GNMI_VALUE_UINT && value.of.u64 == 7);
    sl_buf_fini(&message);
    fixture_fini(&f);
}

static void the_scratch_of_a_large_message_is_given_back(void **state)
{
    struct fixture f = {0};
    struct sl_buf message = {0};
    struct sl_buf large = {0};

    (void)state;
    while (large.len < 200000) {
        sl_buf_add_c(&large, "large ");
    }
    add_bytes(&message, 12, sl_buf_str(&large));
    add_number(&message, 3, 1);
    add_bytes(&message, 12, sl_buf_str(&large)); /* three arms, of which the last counts */
    wrap(&message, 3);
    wrap(&message, 4);
    wrap(&message, 1);
    fixture_read(&f, sl_buf_str(&message));
    assert_ok(&f);
    assert_true(sl_str_eq(first_update(&f).value.of.bytes, sl_buf_str(&large)));
    assert_true(f.scratch.cap >= 200000);
    f.status = sl_gnmi_response_read(SL_STR("\x18\x01"), &f.scratch, &f.response);
    assert_true(f.scratch.cap <= 64 * 1024);
    sl_buf_fini(&message);
    sl_buf_fini(&large);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_message_is_a_keepalive),
        cmocka_unit_test(a_sync_may_be_false),
        cmocka_unit_test(of_several_arms_the_last_counts),
        cmocka_unit_test(a_notification_that_comes_twice_is_merged),
        cmocka_unit_test(the_order_on_the_wire_does_not_matter),
        cmocka_unit_test(every_arm_of_a_value_is_read),
        cmocka_unit_test(numbers_keep_all_their_bits),
        cmocka_unit_test(messages_in_a_oneof_are_merged_and_others_replaced),
        cmocka_unit_test(the_deprecated_value_counts_where_there_is_no_other),
        cmocka_unit_test(groups_and_other_unknown_fields_are_stepped_over),
        cmocka_unit_test(what_is_broken_is_refused_with_its_place),
        cmocka_unit_test(leaf_lists_nest_up_to_the_limit),
        cmocka_unit_test(a_bomb_of_nested_lists_is_refused),
        cmocka_unit_test(a_bomb_of_nested_groups_is_refused),
        cmocka_unit_test(nested_lists_are_merged_to_the_innermost),
        cmocka_unit_test(the_scratch_of_a_large_message_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
