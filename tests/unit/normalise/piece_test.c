/* piece_test.c - records of one update, of all golden messages: they say together what the records
 * of the whole notifications say, deletes first. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "gnmi/pack.h"
#include "test.h"

static struct sl_encoder *encoder_of(enum sl_format format, enum sl_record_unit unit,
                                     struct sl_encoder_memory *memory)
{
    const struct sl_encoder_config config = {.format = format,
                                             .unit = unit,
                                             .target = SL_STR("leaf1"),
                                             .subscription = SL_STR("sub1"),
                                             .memory = memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);

    assert_non_null(encoder);
    return encoder;
}

/* All records, each with what `put` makes of it. */
static struct sl_encoded encode(struct sl_encoder *encoder, struct sl_str message,
                                void (*put)(struct sl_str record, struct sl_buf *out),
                                struct sl_buf *out)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_encoded sum = {0};
    struct sl_encoder_progress progress = {0};
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    progress.is_done = !sl_status_is_ok(&status);
    while (!progress.is_done) {
        struct sl_buf record = {0};
        struct sl_encoded encoded;
        assert_true(
            sl_encoder_next(encoder, &response, &cases_context, &progress, &record, &encoded));
        sum.published += encoded.published;
        sum.filtered += encoded.filtered;
        sum.dropped += encoded.dropped;
        if (record.len) {
            put(sl_buf_str(&record), out);
        }
        sl_buf_fini(&record);
    }
    sl_buf_fini(&scratch);
    return sum;
}

/* ---- event: the same events ---- */

static void put_whole(struct sl_str record, struct sl_buf *out)
{
    sl_buf_add_str(out, record);
}

/* "[{…}]" without the brackets, and a comma between. */
static void put_events(struct sl_str record, struct sl_buf *out)
{
    assert_true(record.len > 2 && record.data[0] == '[' && record.data[record.len - 1] == ']');
    if (out->len) {
        sl_buf_add_byte(out, ',');
    }
    sl_buf_add(out, record.data + 1, record.len - 2);
}

/* The events of an array, deletes first: where the first of them stands they are turned round. */
static void turn(struct sl_buf *events)
{
    struct sl_buf turned = {0};
    char *delete = NULL;
    char *text = (char *)(uintptr_t)sl_buf_text(events);

    for (char *at = text; (at = strstr(at, ",\"deletes\":[\"")); at++) {
        char *begin = at;
        while (begin > text && strncmp(begin, "{\"name\":", 8) != 0) {
            begin--;
        }
        delete = delete ? delete : begin;
    }
    if (delete &&delete > text) {
        sl_buf_add_c(&turned, delete);
        sl_buf_add_byte(&turned, ',');
        sl_buf_add(&turned, text, (size_t)(delete -text - 1));
        sl_buf_fini(events);
        *events = turned;
    }
}

static void assert_events(const struct test_case *one, struct sl_encoder *whole,
                          struct sl_encoder *pieces)
{
    struct sl_buf expected = {0};
    struct sl_buf got = {0};
    struct sl_encoded a = encode(whole, sl_buf_str(&one->message), put_events, &expected);
    struct sl_encoded b = encode(pieces, sl_buf_str(&one->message), put_events, &got);
    bool is_atomic = strstr(one->name, "atomic") != NULL;

    if (!is_atomic) {
        turn(&expected);
    }
    if (!sl_str_eq(sl_buf_str(&expected), sl_buf_str(&got))) {
        print_message("%s\n  expected %s\n  got      %s\n", one->name, sl_buf_text(&expected),
                      sl_buf_text(&got));
        fail();
    }
    assert_int_equal(a.published, b.published);
    assert_int_equal(a.dropped, b.dropped);
    sl_buf_fini(&expected);
    sl_buf_fini(&got);
}

static void events_of_one_update_are_those_of_the_whole(void **state)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder *whole = encoder_of(SL_FORMAT_EVENT, SL_RECORD_NOTIFICATION, &memory);
    struct sl_encoder *pieces = encoder_of(SL_FORMAT_EVENT, SL_RECORD_UPDATE, &memory);

    (void)state;
    for (size_t i = 0; i < golden.count; i++) {
        assert_events(&golden.cases[i], whole, pieces);
    }
    sl_encoder_free(whole);
    sl_encoder_free(pieces);
}

/* ---- proto: messages of one update, each whole ---- */

static unsigned count_of(struct sl_str message, bool is_alone, struct sl_buf *paths)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_gnmi_update update;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&response);
    while (sl_gnmi_next_update(&cursor, &update)) {
        sl_buf_add_str(paths, update.raw);
    }
    unsigned count = response.updates + response.deletes;
    assert_true(!is_alone || response.is_atomic || count <= 1);
    sl_buf_fini(&scratch);
    return count;
}

static void put_proto(struct sl_str record, struct sl_buf *out)
{
    count_of(record, true, out);
}

static void messages_of_one_update_have_the_updates_of_the_whole(void **state)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder *pieces = encoder_of(SL_FORMAT_PROTO, SL_RECORD_UPDATE, &memory);

    (void)state;
    for (size_t i = 0; i < golden.count; i++) {
        struct sl_str message = sl_buf_str(&golden.cases[i].message);
        struct sl_buf expected = {0};
        struct sl_buf got = {0};
        struct sl_encoded encoded = encode(pieces, message, put_proto, &got);
        if (encoded.published) {
            assert_int_equal(encoded.published, count_of(message, false, &expected));
        }
        assert_true(encoded.published == 0 || sl_str_eq(sl_buf_str(&expected), sl_buf_str(&got)));
        sl_buf_fini(&expected);
        sl_buf_fini(&got);
    }
    sl_encoder_free(pieces);
}

/* ---- limits ---- */

/* A prefix of `prefix_len` bytes and so many empty updates. */
static void make_message(struct sl_buf *message, size_t prefix_len, size_t updates)
{
    char *origin = calloc(1, prefix_len);
    struct sl_str text = {origin, prefix_len};

    memset(origin, 'o', prefix_len);
    size_t notification = sl_pack_begin(message, 1);
    size_t prefix = sl_pack_begin(message, 2);
    sl_pack_bytes(message, 2, text);
    sl_pack_end(message, prefix);
    for (size_t i = 0; i < updates; i++) {
        sl_pack_end(message, sl_pack_begin(message, 4));
    }
    sl_pack_end(message, notification);
    free(origin);
}

static void a_long_prefix_over_many_updates_ends_at_the_limit(void **state)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder *pieces = encoder_of(SL_FORMAT_PROTO, SL_RECORD_UPDATE, &memory);
    struct sl_buf message = {0};
    struct sl_buf out = {0};

    (void)state;
    make_message(&message, SL_MIB, 10000);
    struct sl_encoded encoded = encode(pieces, sl_buf_str(&message), put_whole, &out);
    assert_int_equal(encoded.published + encoded.dropped, 10000);
    assert_true(encoded.published > 30 && encoded.published < 40);
    assert_true(out.len < (size_t)SL_ENCODER_MAX_RECORD_BYTES + 2 * SL_MIB);
    sl_buf_fini(&message);
    sl_buf_fini(&out);
    sl_encoder_free(pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_one_update_are_those_of_the_whole),
        cmocka_unit_test(messages_of_one_update_have_the_updates_of_the_whole),
        cmocka_unit_test(a_long_prefix_over_many_updates_ends_at_the_limit),
    };

    return cmocka_run_group_tests(tests, golden_load, golden_free);
}
