/* The walk against protobuf-c: mutations of the golden messages must be accepted by both or by
 * neither, and give the same event, and the same record of sluice.v1, whether they are read as they
 * are or as protobuf-c packs them again.
 *
 * protobuf-c refuses groups and known fields of another wire type, and does not merge the members
 * of a oneof. So it is given the message without the former (`strip`, by its own descriptors), and
 * a message with the latter is left out; as is one with a zero byte in a string, where it stops,
 * and one whose `val` comes twice and empty, which it refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"
#include "sluice.pb-c.h"

#include "cases.h"
#include "test.h"

enum { ROUNDS_PER_CASE = 160, MAX_DEPTH = 100 };

static struct test_cases cases;

/* ---- randomness: the same on every run ---- */

static uint64_t seed = 20260101;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* ---- strip ---- */

struct strip {
    const uint8_t *at;
    const uint8_t *end;
    bool is_broken;
    bool is_left_out; /* protobuf-c does not do here what protobuf says */
};

static uint64_t take_varint(struct strip *strip, unsigned longest)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < longest && strip->at < strip->end; i++) {
        uint8_t byte = *strip->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            return value;
        }
    }
    strip->is_broken = true;
    return 0;
}

static void take_bytes(struct strip *strip, uint64_t count)
{
    if (count > (uint64_t)(strip->end - strip->at)) {
        strip->is_broken = true;
    } else {
        strip->at += count;
    }
}

static uint32_t take_tag(struct strip *strip, unsigned *type)
{
    uint64_t tag = take_varint(strip, 5);

    *type = tag & 7;
    strip->is_broken = strip->is_broken || tag > UINT32_MAX || tag >> 3 == 0;
    return (uint32_t)(tag >> 3);
}

static void skip_value(struct strip *strip, uint32_t number, unsigned type, unsigned depth);

static void skip_group(struct strip *strip, uint32_t group, unsigned depth)
{
    strip->is_broken = strip->is_broken || depth >= MAX_DEPTH;
    while (!strip->is_broken) {
        unsigned type;
        uint32_t number = take_tag(strip, &type);
        if (type == 4 && !strip->is_broken) {
            strip->is_broken = number != group;
            return;
        }
        skip_value(strip, number, type, depth);
    }
}

static void skip_value(struct strip *strip, uint32_t number, unsigned type, unsigned depth)
{
    switch (type) {
    case 0:
        (void)take_varint(strip, 10);
        break;
    case 1:
        take_bytes(strip, 8);
        break;
    case 2:
        take_bytes(strip, take_varint(strip, 10));
        break;
    case 3:
        skip_group(strip, number, depth + 1);
        break;
    case 5:
        take_bytes(strip, 4);
        break;
    default:
        strip->is_broken = true;
    }
}

static unsigned type_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 2;
    case PROTOBUF_C_TYPE_FLOAT:
        return 5;
    case PROTOBUF_C_TYPE_DOUBLE:
        return 1;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return 0;
    }
    return 0;
}

static void add_varint(struct sl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        sl_buf_add_byte(out, (char)(value | 0x80));
    }
    sl_buf_add_byte(out, (char)value);
}

static void strip_message(struct strip *strip, const ProtobufCMessageDescriptor *descriptor,
                          struct sl_buf *out, unsigned depth);

/* A length-delimited field that is known, from its length on. */
static void strip_bytes(struct strip *strip, const ProtobufCFieldDescriptor *field,
                        struct sl_buf *out, unsigned depth)
{
    uint64_t len = take_varint(strip, 10);
    struct sl_buf inside = {0};
    struct strip inner = {.at = strip->at};

    take_bytes(strip, len);
    if (strip->is_broken) {
        return;
    }
    inner.end = strip->at;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        strip_message(&inner, field->descriptor, &inside, depth + 1);
    } else {
        sl_buf_add(&inside, inner.at, len);
    }
    strip->is_broken = inner.is_broken;
    strip->is_left_out =
        strip->is_left_out || inner.is_left_out ||
        (field->type == PROTOBUF_C_TYPE_STRING && len && memchr(inside.data, 0, inside.len));
    add_varint(out, inside.len);
    sl_buf_add_str(out, sl_buf_str(&inside));
    sl_buf_fini(&inside);
}

static void strip_message(struct strip *strip, const ProtobufCMessageDescriptor *descriptor,
                          struct sl_buf *out, unsigned depth)
{
    uint32_t messages_seen = 0;
    uint32_t empty_values = 0;

    strip->is_broken = depth >= MAX_DEPTH;
    while (!strip->is_broken && strip->at < strip->end) {
        unsigned type;
        uint32_t number = take_tag(strip, &type);
        const ProtobufCFieldDescriptor *field =
            number < 32 ? protobuf_c_message_descriptor_get_field(descriptor, number) : NULL;
        const uint8_t *start = strip->at;
        size_t before = out->len;
        if (strip->is_broken || !field || type_of(field) != type) {
            skip_value(strip, number, type, depth);
            continue;
        }
        add_varint(out, (uint64_t)number << 3 | type);
        if (type == 2) {
            strip_bytes(strip, field, out, depth);
        } else {
            skip_value(strip, number, type, depth);
            sl_buf_add(out, start, (size_t)(strip->at - start));
        }
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            strip->is_left_out = strip->is_left_out || messages_seen & 1u << number;
            messages_seen |= 1u << number;
        }
        bool is_val = descriptor == &gnmi__update__descriptor && number == 3;
        empty_values += is_val && out->len == before + 2;
        strip->is_left_out = strip->is_left_out || empty_values > 1;
    }
}

/* ---- the two roads ---- */

struct road {
    struct sl_buf record;
    struct sl_encoded encoded;
    bool is_ok;
};

/* The message in a block of its own size, so that a read beyond it is seen. */
static void travel(struct sl_encoder *encoder, struct sl_str message, struct road *road)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    char *copy = malloc(message.len ? message.len : 1);

    assert_non_null(copy);
    if (message.len) {
        memcpy(copy, message.data, message.len);
    }
    struct sl_status status =
        sl_gnmi_response_read((struct sl_str){copy, message.len}, &scratch, &response);

    *road = (struct road){.is_ok = sl_status_is_ok(&status)};
    if (road->is_ok) {
        assert_true(
            sl_encoder_encode(encoder, &response, &cases_context, &road->record, &road->encoded));
        assert_int_equal(road->encoded.published + road->encoded.dropped,
                         response.updates + response.deletes);
    }
    free(copy);
    sl_buf_fini(&scratch);
}

static bool pack_again(struct sl_str message, struct sl_buf *out)
{
    Gnmi__SubscribeResponse *unpacked = gnmi__subscribe_response__unpack(
        NULL, message.len, (const uint8_t *)(message.data ? message.data : ""));

    if (!unpacked) {
        return false;
    }
    assert_true(sl_buf_reserve(out, gnmi__subscribe_response__get_packed_size(unpacked) + 1));
    out->len = gnmi__subscribe_response__pack(unpacked, (uint8_t *)out->data);
    gnmi__subscribe_response__free_unpacked(unpacked, NULL);
    return true;
}

/* Extensions stay as they came, and protobuf-c packs them anew: a record of sluice.v1 without them.
 */
static void drop_extensions(struct road *road)
{
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, road->record.len, (const uint8_t *)road->record.data);

    assert_non_null(record);
    assert_int_equal(record->base.n_unknown_fields, 0);
    for (size_t i = 0; i < record->n_extensions; i++) {
        free(record->extensions[i].data);
    }
    record->n_extensions = 0;
    road->record.len = sluice__v1__record__pack(record, (uint8_t *)road->record.data);
    sluice__v1__record__free_unpacked(record, NULL);
}

static bool is_same(struct road *direct, struct road *again, enum sl_format format)
{
    if (format == SL_FORMAT_SLUICE_V1 && direct->record.len && again->record.len) {
        drop_extensions(direct);
        drop_extensions(again);
    }
    return sl_str_eq(sl_buf_str(&direct->record), sl_buf_str(&again->record)) &&
           direct->encoded.published == again->encoded.published;
}

/* Returns whether both accepted it, and the records were compared. */
static bool assert_roads_meet(struct sl_encoder *encoder, enum sl_format format,
                              struct sl_str message)
{
    struct strip strip = {.at = (const uint8_t *)message.data};
    struct sl_buf stripped = {0};
    struct sl_buf packed = {0};
    struct road direct;
    bool is_compared = false;

    strip.end = strip.at + message.len;
    strip_message(&strip, &gnmi__subscribe_response__descriptor, &stripped, 0);
    travel(encoder, message, &direct);
    assert_int_equal(direct.is_ok, !strip.is_broken);
    if (direct.is_ok) {
        bool is_packed = pack_again(sl_buf_str(&stripped), &packed);
        assert_true(is_packed || strip.is_left_out);
        if (!strip.is_left_out) {
            struct road again;
            travel(encoder, sl_buf_str(&packed), &again);
            assert_true(again.is_ok);
            assert_true(is_same(&direct, &again, format));
            sl_buf_fini(&again.record);
            is_compared = true;
        }
    }
    sl_buf_fini(&direct.record);
    sl_buf_fini(&packed);
    sl_buf_fini(&stripped);
    return is_compared;
}

/* ---- tests ---- */

static void mutate(struct sl_buf *message)
{
    static const struct sl_str legal[] = {{"\x7b\x7c", 2},
                                          {"\x0d"
                                           "abcd",
                                           5},
                                          {"\x78\x01", 2}};

    for (uint64_t edits = 1 + draw(3); edits > 0 && message->len > 0; edits--) {
        size_t at = draw(message->len);
        switch (draw(5)) {
        case 0:
            message->data[at] = (char)draw(256);
            break;
        case 1:
            message->data[at] = (char)(message->data[at] ^ 1 << draw(8));
            break;
        case 2:
            memmove(message->data + at, message->data + at + 1, message->len - at - 1);
            message->len--;
            break;
        case 3: /* a field that is legal anywhere: unknown, or of a wrong type, or a group */
            sl_buf_add_str(message, legal[draw(SL_ARRAY_LEN(legal))]);
            break;
        default: /* a piece of it once more: fields that come twice */
            assert_true(sl_buf_reserve(message, message->len - at));
            sl_buf_add(message, message->data + at, message->len - at);
        }
    }
}

static void assert_mutations_meet(enum sl_format format)
{
    struct sl_encoder_memory memory = {.limit_bytes = 256 * SL_KIB};
    struct sl_encoder *encoder = cases_encoder(format, &memory);
    unsigned compared = 0;

    for (size_t i = 0; i < cases.count; i++) {
        for (unsigned round = 0; round < ROUNDS_PER_CASE; round++) {
            struct sl_buf message = {0};
            sl_buf_add_str(&message, sl_buf_str(&cases.cases[i].message));
            if (round) {
                mutate(&message);
            }
            compared += assert_roads_meet(encoder, format, sl_buf_str(&message));
            sl_buf_fini(&message);
        }
    }
    assert_true(compared > 5000); /* or the mutations test the refusals alone */
    sl_encoder_free(encoder);
    assert_int_equal(memory.used_bytes, 0);
}

static void mutations_give_the_event_that_protobuf_gives(void **state)
{
    (void)state;
    assert_mutations_meet(SL_FORMAT_EVENT);
}

static void mutations_give_the_record_that_protobuf_gives(void **state)
{
    (void)state;
    assert_mutations_meet(SL_FORMAT_SLUICE_V1);
}

static void assert_pieces_meet(enum sl_format format)
{
    struct sl_encoder_memory memory = {.limit_bytes = 256 * SL_KIB};
    struct sl_encoder *encoder = cases_encoder(format, &memory);

    for (size_t i = 0; i < cases.count; i++) {
        struct sl_str message = sl_buf_str(&cases.cases[i].message);
        size_t step = message.len > 1000 ? 7 : 1;
        for (size_t len = 0; len < message.len; len += step) {
            (void)assert_roads_meet(encoder, format, (struct sl_str){message.data, len});
        }
    }
    sl_encoder_free(encoder);
}

static void a_message_cut_anywhere_gives_what_protobuf_gives(void **state)
{
    (void)state;
    assert_pieces_meet(SL_FORMAT_EVENT);
    assert_pieces_meet(SL_FORMAT_SLUICE_V1);
}

static void the_proto_format_is_the_message_as_it_came(void **state)
{
    struct sl_encoder_memory memory = {0};
    struct sl_encoder *encoder = cases_encoder(SL_FORMAT_PROTO, &memory);
    size_t refused = 0;

    (void)state;
    assert_int_equal(cases.count, 186);
    for (size_t i = 0; i < cases.count; i++) {
        struct sl_str message = sl_buf_str(&cases.cases[i].message);
        struct road road;
        travel(encoder, message, &road);
        if (road.is_ok) {
            assert_true(sl_str_eq(sl_buf_str(&road.record), message));
            assert_int_equal(road.encoded.dropped, 0);
        } else {
            assert_memory_equal(cases.cases[i].name + 4, "bad-", 4);
            refused++;
        }
        sl_buf_fini(&road.record);
    }
    assert_int_equal(refused, 2); /* truncated, garbage */
    sl_encoder_free(encoder);
}

static int load(void **state)
{
    (void)state;
    cases_load(&cases);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    cases_free(&cases);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_give_the_event_that_protobuf_gives),
        cmocka_unit_test(mutations_give_the_record_that_protobuf_gives),
        cmocka_unit_test(a_message_cut_anywhere_gives_what_protobuf_gives),
        cmocka_unit_test(the_proto_format_is_the_message_as_it_came),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
