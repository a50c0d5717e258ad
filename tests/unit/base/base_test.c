#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/list.h"
#include "base/ring.h"
#include "base/status.h"

static void a_buffer_never_grows_past_its_limit_and_stays_failed(void **state)
{
    struct sl_buf buf;

    (void)state;
    sl_buf_init(&buf, 100);
    sl_buf_printf(&buf, "%050d", 7);
    assert_int_equal(buf.len, 50);
    assert_false(buf.failed);
    sl_buf_add(&buf, "0123456789012345678901234567890123456789012345678901234", 51);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 50);
    sl_buf_add_byte(&buf, 'x');
    assert_int_equal(buf.len, 50);
    assert_true(buf.cap <= 100);
    sl_buf_reset(&buf);
    sl_buf_add_byte(&buf, 'x');
    assert_int_equal(buf.len, 1);
    sl_buf_fini(&buf);
}

static void a_ring_gives_bytes_in_their_order(void **state)
{
    struct sl_ring ring = {.data = NULL};
    unsigned char in = 0;
    unsigned char out = 0;

    (void)state;
    for (size_t step = 0; step < 2000; step++) {
        unsigned char bytes[97];
        size_t more = step * 7 % sizeof(bytes);
        assert_true(sl_ring_reserve(&ring, more));
        for (size_t i = 0; i < more; i++) {
            bytes[i] = in++;
        }
        sl_ring_add(&ring, bytes, more);
        size_t less = sl_min_size(step * 11 % sizeof(bytes), ring.len);
        sl_ring_take(&ring, bytes, less);
        for (size_t i = 0; i < less; i++) {
            assert_int_equal(bytes[i], out++);
        }
    }
    assert_true(ring.len > 0 && ring.len < 2000);
    assert_false(sl_ring_reserve(&ring, SIZE_MAX));
    sl_ring_fini(&ring);
    assert_null(ring.data);
}

static void numbers_are_written_with_every_digit(void **state)
{
    struct sl_buf buf = {0};

    (void)state;
    sl_buf_add_i64(&buf, INT64_MIN);
    sl_buf_add_byte(&buf, ' ');
    sl_buf_add_u64(&buf, UINT64_MAX);
    sl_buf_add_byte(&buf, ' ');
    sl_buf_add_u64(&buf, 0);
    assert_string_equal(sl_buf_text(&buf), "-9223372036854775808 18446744073709551615 0");
    sl_buf_fini(&buf);
}

static void dropping_the_front_keeps_the_rest(void **state)
{
    struct sl_buf buf = {0};
    size_t len = 0;

    (void)state;
    sl_buf_add_c(&buf, "abcdef");
    sl_buf_drop(&buf, 2);
    assert_string_equal(sl_buf_text(&buf), "cdef");
    char *taken = sl_buf_take(&buf, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(taken, "cdef", 4);
    assert_int_equal(buf.len, 0);
    free(taken);
}

static void a_number_is_the_whole_text_or_none(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(sl_str_to_u64(SL_STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(sl_str_to_u64(SL_STR("18446744073709551616"), &value));
    assert_false(sl_str_to_u64(SL_STR("12x"), &value));
    assert_false(sl_str_to_u64(SL_STR("-1"), &value));
    assert_false(sl_str_to_u64(SL_STR(""), &value));
}

static void the_nearest_name_is_near(void **state)
{
    static const char *const names[] = {"brokers", "topic", "format", NULL};

    (void)state;
    assert_string_equal(sl_str_nearest("brokrs", names), "brokers");
    assert_string_equal(sl_str_nearest("topics", names), "topic");
    assert_null(sl_str_nearest("password", names));
    assert_null(sl_str_nearest("", names));
}

static void a_node_may_be_removed_twice(void **state)
{
    struct sl_list list;
    struct sl_list nodes[3];

    (void)state;
    sl_list_init(&list);
    for (int i = 0; i < 3; i++) {
        sl_list_init(&nodes[i]);
        sl_list_append(&list, &nodes[i]);
    }
    sl_list_remove(&nodes[1]);
    sl_list_remove(&nodes[1]);
    assert_ptr_equal(sl_list_pop(&list), &nodes[0]);
    assert_ptr_equal(sl_list_pop(&list), &nodes[2]);
    assert_null(sl_list_pop(&list));
}

static void a_peers_words_are_quoted_harmlessly(void **state)
{
    struct sl_status status =
        sl_status_quote(SL_UNAVAILABLE, "peer", SL_STR("bad \"x\"\n\x1b[31m\\"));

    (void)state;
    assert_string_equal(status.text, "peer: bad .x...[31m.");
    char long_words[1000];
    memset(long_words, 'a', sizeof(long_words));
    status = sl_status_quote(SL_UNKNOWN, "peer", (struct sl_str){long_words, sizeof(long_words)});
    assert_int_equal(strlen(status.text), SL_STATUS_TEXT_BYTES - 1);
}

static void a_wait_is_never_longer_than_its_ceiling(void **state)
{
    struct sl_backoff backoff;

    (void)state;
    sl_backoff_init(&backoff, 1000, 60000);
    for (unsigned n = 0; n < 100; n++) {
        uint64_t ceiling = n < 6 ? UINT64_C(1000) << n : 60000;
        assert_true(sl_backoff_next(&backoff) <= ceiling);
    }
}

static void waits_begin_anew_only_after_something_lasted(void **state)
{
    struct sl_backoff backoff;

    (void)state;
    sl_backoff_init(&backoff, 1000, 60000);
    for (unsigned n = 0; n < 10; n++) {
        sl_backoff_next(&backoff);
        sl_backoff_lasted(&backoff, 60000);
    }
    assert_int_equal(backoff.failures, 10);
    sl_backoff_lasted(&backoff, 60001);
    assert_int_equal(backoff.failures, 0);
    assert_true(sl_backoff_next(&backoff) <= 1000);
}

static void a_secret_that_a_peer_says_back_is_hidden(void **state)
{
    struct sl_status status = sl_status_quote(SL_UNKNOWN, "the peer says",
                                              SL_STR("no pa\"s\nword, not pa\"s\nword, pa\"s"));
    char words[SL_STATUS_TEXT_BYTES + 8];

    (void)state;
    sl_status_hide(&status, "");
    sl_status_hide(&status, NULL);
    sl_status_hide(&status, "pa\"s\nword");
    assert_string_equal(status.text, "the peer says: no ***, not ***, pa.s");
    memset(words, 'x', sizeof(words));
    for (size_t at = sizeof(words) - 30; at < sizeof(words) - 6; at++) {
        memcpy(words + at, "secret", 6);
        status = sl_status_quote(SL_UNKNOWN, "", (struct sl_str){words, sizeof(words)});
        sl_status_hide(&status, "secret");
        assert_null(strstr(status.text, "se"));
        assert_null(strstr(status.text, "xs"));
        memset(words, 'x', sizeof(words));
    }
}

/* A pipe that takes no more than its room at once, and then nothing. */
static void a_write_is_whole_or_errno_says_why_not(void **state)
{
    static char bytes[1024 * 1024];
    char read_back[5];
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(sl_file_write(ends[1], SL_STR("")));
    assert_true(sl_file_write(ends[1], SL_STR("whole")));
    assert_int_equal(read(ends[0], read_back, sizeof(read_back)), 5);
    assert_memory_equal(read_back, "whole", 5);
    assert_false(sl_file_write(ends[1], (struct sl_str){bytes, sizeof(bytes)}));
    assert_int_equal(errno, EAGAIN);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_that_a_peer_says_back_is_hidden),
        cmocka_unit_test(a_buffer_never_grows_past_its_limit_and_stays_failed),
        cmocka_unit_test(a_write_is_whole_or_errno_says_why_not),
        cmocka_unit_test(a_ring_gives_bytes_in_their_order),
        cmocka_unit_test(numbers_are_written_with_every_digit),
        cmocka_unit_test(dropping_the_front_keeps_the_rest),
        cmocka_unit_test(a_number_is_the_whole_text_or_none),
        cmocka_unit_test(the_nearest_name_is_near),
        cmocka_unit_test(a_node_may_be_removed_twice),
        cmocka_unit_test(a_peers_words_are_quoted_harmlessly),
        cmocka_unit_test(a_wait_is_never_longer_than_its_ceiling),
        cmocka_unit_test(waits_begin_anew_only_after_something_lasted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
