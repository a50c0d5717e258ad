#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/reader.h"

enum { TRIES = 3 };

/* What the consumer does with each message, and what it saw. */
struct consumer {
    struct sl_grpc_reader reader;
    struct sl_buf seen;   /* the taken messages, each behind "[length]" */
    unsigned holds_first; /* times that each message is held before it is taken */
    unsigned held;        /* times that the one at hand was */
    unsigned stops_at;    /* the message, counted from 1, that is answered with STOP */
    unsigned messages;
    uint32_t limit_bytes;
    uint32_t last_begin;
    const uint8_t *last_bytes;
    bool was_compressed;
};

static bool on_begin(uint32_t length, bool is_compressed, void *arg)
{
    struct consumer *consumer = arg;

    consumer->last_begin = length;
    consumer->was_compressed = is_compressed;
    return length <= consumer->limit_bytes;
}

static enum sl_grpc_take on_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct consumer *consumer = arg;

    if (consumer->held < consumer->holds_first) {
        consumer->held++;
        return SL_GRPC_HOLD;
    }
    consumer->held = 0;
    consumer->messages++;
    consumer->last_bytes = bytes;
    sl_buf_printf(&consumer->seen, "[%u]", (unsigned)length);
    sl_buf_add(&consumer->seen, bytes, length);
    return consumer->messages == consumer->stops_at ? SL_GRPC_STOP : SL_GRPC_TAKEN;
}

static const struct sl_grpc_reader_events events = {.on_begin = on_begin, .on_message = on_message};

static void init(struct consumer *consumer)
{
    *consumer = (struct consumer){.limit_bytes = 1000};
    sl_grpc_reader_init(&consumer->reader, &events, consumer);
}

static void fini(struct consumer *consumer)
{
    sl_grpc_reader_fini(&consumer->reader);
    sl_buf_fini(&consumer->seen);
}

static void put(struct sl_buf *out, char flag, uint32_t length, const void *bytes, size_t len)
{
    sl_buf_add_byte(out, flag);
    for (int shift = 24; shift >= 0; shift -= 8) {
        sl_buf_add_byte(out, (char)(length >> shift));
    }
    sl_buf_add(out, bytes, len);
}

static void put_text(struct sl_buf *out, const char *text)
{
    put(out, 0, (uint32_t)strlen(text), text, strlen(text));
}

static bool is_split; /* the second round: bytes come one by one */

/* From memory of exactly this size, which is gone afterwards. */
static struct sl_status feed(struct consumer *consumer, const char *bytes, size_t len)
{
    size_t step = is_split ? 1 : len;
    struct sl_status status = sl_status_ok();

    for (size_t at = 0; at < len && sl_status_is_ok(&status); at += step) {
        uint8_t *copy = malloc(step);
        assert_non_null(copy);
        memcpy(copy, bytes + at, step);
        status = sl_grpc_reader_feed(&consumer->reader, copy, step);
        free(copy);
    }
    return status;
}

static void feed_ok(struct consumer *consumer, const char *bytes, size_t len)
{
    struct sl_status status = feed(consumer, bytes, len);

    assert_int_equal(status.code, SL_OK);
}

static void resume_all(struct consumer *consumer)
{
    for (int i = 0; consumer->reader.is_held; i++) {
        struct sl_status status = sl_grpc_reader_resume(&consumer->reader);
        assert_int_equal(status.code, SL_OK);
        assert_true(i < 1000);
    }
}

static const char all_seen[] = "[5]hello[0][1]x[0][12]twelve bytes";

static void put_all(struct sl_buf *out)
{
    put_text(out, "hello");
    put_text(out, "");
    put_text(out, "x");
    put_text(out, "");
    put_text(out, "twelve bytes");
}

static void messages_come_whole_at_every_split(void **state)
{
    struct sl_buf in = {0};

    (void)state;
    put_all(&in);
    for (unsigned holds = 0; holds < TRIES; holds++) {
        for (size_t i = 0; i <= in.len; i++) {
            for (size_t j = i; j <= in.len; j++) {
                struct consumer consumer;

                init(&consumer);
                consumer.holds_first = holds;
                feed_ok(&consumer, in.data, i);
                feed_ok(&consumer, in.data + i, j - i);
                feed_ok(&consumer, in.data + j, in.len - j);
                resume_all(&consumer);
                assert_string_equal(sl_buf_text(&consumer.seen), all_seen);
                assert_int_equal(sl_grpc_reader_missing(&consumer.reader), 0);
                assert_int_equal(sl_grpc_reader_held_bytes(&consumer.reader), 0);
                fini(&consumer);
            }
        }
    }
    sl_buf_fini(&in);
}

static void messages_come_whole_byte_by_byte(void **state)
{
    struct sl_buf in = {0};

    (void)state;
    put_all(&in);
    for (unsigned holds = 0; holds < TRIES; holds++) {
        for (int is_eager = 0; is_eager < 2; is_eager++) {
            struct consumer consumer;

            init(&consumer);
            consumer.holds_first = holds;
            for (size_t i = 0; i < in.len; i++) {
                feed_ok(&consumer, in.data + i, 1);
                if (is_eager) {
                    resume_all(&consumer);
                }
            }
            resume_all(&consumer);
            assert_string_equal(sl_buf_text(&consumer.seen), all_seen);
            fini(&consumer);
        }
    }
    sl_buf_fini(&in);
}

static void a_whole_message_is_handed_over_in_place(void **state)
{
    struct consumer consumer;
    struct sl_buf in = {0};

    (void)state;
    init(&consumer);
    put_text(&in, "first");
    put_text(&in, "second");
    struct sl_status status =
        sl_grpc_reader_feed(&consumer.reader, (const uint8_t *)in.data, in.len);
    assert_int_equal(status.code, SL_OK);
    assert_ptr_equal(consumer.last_bytes, in.data + in.len - 6);
    assert_int_equal(consumer.messages, 2);
    assert_int_equal(sl_grpc_reader_held_bytes(&consumer.reader), 0);
    sl_buf_fini(&in);
    fini(&consumer);
}

static void missing_says_what_the_message_needs(void **state)
{
    struct consumer consumer;
    struct sl_buf in = {0};

    (void)state;
    init(&consumer);
    put_text(&in, "hello");
    const uint32_t missing[] = {4, 3, 2, 1, 5, 4, 3, 2, 1, 0};
    assert_int_equal(sl_grpc_reader_missing(&consumer.reader), 0);
    for (size_t i = 0; i < in.len; i++) {
        feed_ok(&consumer, in.data + i, 1);
        assert_int_equal(sl_grpc_reader_missing(&consumer.reader), missing[i]);
    }
    consumer.holds_first = 1;
    feed_ok(&consumer, in.data, in.len);
    feed_ok(&consumer, in.data, 3);
    assert_int_equal(sl_grpc_reader_missing(&consumer.reader), 0);
    resume_all(&consumer);
    assert_int_equal(sl_grpc_reader_missing(&consumer.reader), 2);
    sl_buf_fini(&in);
    fini(&consumer);
}

static void a_refused_length_costs_nothing(void **state)
{
    struct consumer consumer;
    struct sl_buf in = {0};

    (void)state;
    init(&consumer);
    put(&in, 0, UINT32_MAX, "x", 1);
    struct sl_status status = feed(&consumer, in.data, in.len);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_int_equal(consumer.last_begin, UINT32_MAX);
    assert_int_equal(sl_grpc_reader_held_bytes(&consumer.reader), 0);
    sl_buf_reset(&in);
    put_text(&in, "later");
    feed_ok(&consumer, in.data, in.len);
    assert_int_equal(consumer.messages, 0);
    sl_buf_fini(&in);
    fini(&consumer);
}

static void a_flag_beyond_one_is_an_error(void **state)
{
    (void)state;
    for (int flag = 1; flag < 256; flag++) {
        struct consumer consumer;
        struct sl_buf in = {0};

        init(&consumer);
        put(&in, (char)flag, 1, "x", 1);
        struct sl_status status = feed(&consumer, in.data, in.len);
        assert_int_equal(status.code, flag == 1 ? SL_OK : SL_INTERNAL);
        assert_int_equal(consumer.messages, flag == 1 ? 1 : 0);
        assert_int_equal(consumer.was_compressed, flag == 1);
        sl_buf_fini(&in);
        fini(&consumer);
    }
}

static void nothing_is_read_after_a_stop(void **state)
{
    struct sl_buf in = {0};

    (void)state;
    put_all(&in);
    for (unsigned holds = 0; holds < TRIES; holds++) {
        struct consumer consumer;

        init(&consumer);
        consumer.holds_first = holds;
        consumer.stops_at = 3;
        feed_ok(&consumer, in.data, in.len);
        resume_all(&consumer);
        feed_ok(&consumer, in.data, in.len);
        assert_string_equal(sl_buf_text(&consumer.seen), "[5]hello[0][1]x");
        fini(&consumer);
    }
    sl_buf_fini(&in);
}

static void an_error_in_the_backlog_comes_from_resume(void **state)
{
    struct consumer consumer;
    struct sl_buf in = {0};

    (void)state;
    init(&consumer);
    consumer.holds_first = 1;
    put_text(&in, "hello");
    put(&in, 7, 0, "", 0);
    put_text(&in, "more");
    feed_ok(&consumer, in.data, in.len);
    assert_true(sl_grpc_reader_held_bytes(&consumer.reader) > 0);
    struct sl_status status = sl_grpc_reader_resume(&consumer.reader);
    assert_int_equal(status.code, SL_INTERNAL);
    assert_int_equal(sl_grpc_reader_held_bytes(&consumer.reader), 0);
    assert_string_equal(sl_buf_text(&consumer.seen), "[5]hello");
    sl_buf_fini(&in);
    fini(&consumer);
}

static void a_backlog_that_is_read_as_fast_as_it_is_fed_does_not_grow(void **state)
{
    struct consumer consumer;
    struct sl_buf in = {0};

    (void)state;
    init(&consumer);
    consumer.holds_first = 1;
    put_text(&in, "twenty bytes or more");
    for (int i = 0; i < 3; i++) {
        feed_ok(&consumer, in.data, in.len);
    }
    for (int i = 0; i < 1000; i++) {
        feed_ok(&consumer, in.data, in.len);
        struct sl_status status = sl_grpc_reader_resume(&consumer.reader);
        assert_int_equal(status.code, SL_OK);
        assert_true(sl_grpc_reader_held_bytes(&consumer.reader) < 20 * in.len);
    }
    sl_buf_fini(&in);
    fini(&consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_whole_at_every_split),
        cmocka_unit_test(messages_come_whole_byte_by_byte),
        cmocka_unit_test(a_whole_message_is_handed_over_in_place),
        cmocka_unit_test(missing_says_what_the_message_needs),
        cmocka_unit_test(a_refused_length_costs_nothing),
        cmocka_unit_test(a_flag_beyond_one_is_an_error),
        cmocka_unit_test(nothing_is_read_after_a_stop),
        cmocka_unit_test(an_error_in_the_backlog_comes_from_resume),
        cmocka_unit_test(a_backlog_that_is_read_as_fast_as_it_is_fed_does_not_grow),
    };

    int failed = cmocka_run_group_tests_name("reader", tests, NULL, NULL);

    is_split = true;
    return failed + cmocka_run_group_tests_name("reader, byte by byte", tests, NULL, NULL);
}
