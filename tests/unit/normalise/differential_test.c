/* The walk against protobuf-c: mutations of the golden messages must be accepted by both or by
 * neither, and give the same record in each format, whether they are read as they
 * are or as protobuf-c packs them again.
 */
#include <string.h>

#include "cases.h"
#include "roads.h"
#include "test.h"

enum { ROUNDS_PER_CASE = 160 };

/* ---- randomness: the same on every run ---- */

static uint64_t seed = 20260101;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
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
    struct sl_encoder *encoder = cases_encoder(format, false, &memory);
    unsigned compared = 0;

    for (size_t i = 0; i < golden.count; i++) {
        for (unsigned round = 0; round < ROUNDS_PER_CASE; round++) {
            struct sl_buf message = {0};
            sl_buf_add_str(&message, sl_buf_str(&golden.cases[i].message));
            if (round) {
                mutate(&message);
            }
            compared += roads_meet(encoder, format, sl_buf_str(&message));
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
    assert_mutations_meet(SL_FORMAT_EVENT_SPLIT);
}

static void mutations_give_the_record_that_protobuf_gives(void **state)
{
    (void)state;
    assert_mutations_meet(SL_FORMAT_SLUICE_V1);
}

static void mutations_give_the_json_that_protobuf_gives(void **state)
{
    (void)state;
    assert_mutations_meet(SL_FORMAT_GNMIC_JSON);
    assert_mutations_meet(SL_FORMAT_PROTOJSON);
    assert_mutations_meet(SL_FORMAT_SLUICE_V1_JSON);
    assert_mutations_meet(SL_FORMAT_TELEGRAF_JSON);
    assert_mutations_meet(SL_FORMAT_INFLUX);
}

static void assert_pieces_meet(enum sl_format format)
{
    struct sl_encoder_memory memory = {.limit_bytes = 256 * SL_KIB};
    struct sl_encoder *encoder = cases_encoder(format, false, &memory);

    for (size_t i = 0; i < golden.count; i++) {
        struct sl_str message = sl_buf_str(&golden.cases[i].message);
        size_t step = message.len > 1000 ? 7 : 1;
        for (size_t len = 0; len < message.len; len += step) {
            (void)roads_meet(encoder, format, (struct sl_str){message.data, len});
        }
    }
    sl_encoder_free(encoder);
}

static void a_message_cut_anywhere_gives_what_protobuf_gives(void **state)
{
    (void)state;
    assert_pieces_meet(SL_FORMAT_EVENT);
    assert_pieces_meet(SL_FORMAT_EVENT_SPLIT);
    assert_pieces_meet(SL_FORMAT_SLUICE_V1);
    assert_pieces_meet(SL_FORMAT_GNMIC_JSON);
    assert_pieces_meet(SL_FORMAT_PROTOJSON);
    assert_pieces_meet(SL_FORMAT_SLUICE_V1_JSON);
    assert_pieces_meet(SL_FORMAT_TELEGRAF_JSON);
    assert_pieces_meet(SL_FORMAT_INFLUX);
}

static void the_proto_format_is_the_message_as_it_came(void **state)
{
    struct sl_encoder_memory memory = {0};
    struct sl_encoder *encoder = cases_encoder(SL_FORMAT_PROTO, false, &memory);
    size_t refused = 0;

    (void)state;
    assert_int_equal(golden.count, 186);
    for (size_t i = 0; i < golden.count; i++) {
        struct sl_str message = sl_buf_str(&golden.cases[i].message);
        struct road road;
        road_travel(encoder, message, &road);
        if (road.is_ok) {
            assert_true(sl_str_eq(sl_buf_str(&road.record), message));
            assert_int_equal(road.encoded.dropped, 0);
        } else {
            assert_memory_equal(golden.cases[i].name + 4, "bad-", 4);
            refused++;
        }
        sl_buf_fini(&road.record);
    }
    assert_int_equal(refused, 2); /* truncated, garbage */
    sl_encoder_free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_give_the_event_that_protobuf_gives),
        cmocka_unit_test(mutations_give_the_record_that_protobuf_gives),
        cmocka_unit_test(mutations_give_the_json_that_protobuf_gives),
        cmocka_unit_test(a_message_cut_anywhere_gives_what_protobuf_gives),
        cmocka_unit_test(the_proto_format_is_the_message_as_it_came),
    };
    return cmocka_run_group_tests(tests, golden_load, golden_free);
}
