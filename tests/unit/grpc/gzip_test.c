#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/gzip.h"

static struct sl_grpc_gzip gzip;

static int tear_down(void **state)
{
    (void)state;
    sl_grpc_gzip_fini(&gzip);
    return 0;
}

static void a_message_comes_back_as_it_was(void **state)
{
    struct sl_buf packed = {0};
    struct sl_buf message = {0};
    struct sl_buf back = {0};

    (void)state;
    for (size_t len = 0; len < 200 * 1000; len = len * 3 + 1) {
        sl_buf_reset(&message);
        sl_buf_reset(&packed);
        sl_buf_reset(&back);
        for (size_t i = 0; i < len; i++) {
            sl_buf_add_byte(&message, (char)(i * i >> 7));
        }
        assert_true(sl_grpc_gzip_pack(&gzip, sl_buf_str(&message), &packed));
        struct sl_status status =
            sl_grpc_gzip_unpack(&gzip, sl_buf_str(&packed), (uint32_t)len, &back);
        assert_string_equal(status.text, "");
        assert_true(sl_str_eq(sl_buf_str(&message), sl_buf_str(&back)));
    }
    sl_buf_fini(&packed);
    sl_buf_fini(&message);
    sl_buf_fini(&back);
}

static void a_bomb_is_refused_after_its_limit(void **state)
{
    char *zeros = calloc(1, 64 * 1024 * 1024);
    struct sl_buf packed = {0};
    struct sl_buf back = {0};

    (void)state;
    assert_non_null(zeros);
    assert_true(sl_grpc_gzip_pack(&gzip, (struct sl_str){zeros, 64 * 1024 * 1024}, &packed));
    struct sl_status status = sl_grpc_gzip_unpack(&gzip, sl_buf_str(&packed), 100 * 1000, &back);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&status), "message-too-large");
    assert_true(back.len <= 100 * 1000 + 16 * 1024);
    sl_buf_reset(&back);
    status = sl_grpc_gzip_unpack(&gzip, sl_buf_str(&packed), 64 * 1024 * 1024 - 1, &back);
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    sl_buf_fini(&packed);
    sl_buf_fini(&back);
    free(zeros);
}

static void what_is_cut_off_or_goes_on_is_broken(void **state)
{
    struct sl_buf packed = {0};
    struct sl_buf back = {0};

    (void)state;
    assert_true(sl_grpc_gzip_pack(&gzip, SL_STR("hello, hello, hello"), &packed));
    for (size_t len = 0; len < packed.len; len++) {
        struct sl_status status =
            sl_grpc_gzip_unpack(&gzip, (struct sl_str){packed.data, len}, 1000, &back);
        assert_int_equal(status.code, SL_INTERNAL);
    }
    sl_buf_reset(&back);
    sl_buf_add_byte(&packed, 'x');
    struct sl_status status = sl_grpc_gzip_unpack(&gzip, sl_buf_str(&packed), 1000, &back);
    assert_int_equal(status.code, SL_INTERNAL);
    assert_string_equal(sl_status_reason(&status), "gzip-broken");
    sl_buf_fini(&packed);
    sl_buf_fini(&back);
}

static void members_one_behind_the_other_are_one_message(void **state)
{
    struct sl_buf packed = {0};
    struct sl_buf back = {0};

    (void)state;
    assert_true(sl_grpc_gzip_pack(&gzip, SL_STR("one, "), &packed));
    assert_true(sl_grpc_gzip_pack(&gzip, SL_STR("two"), &packed));
    struct sl_status status = sl_grpc_gzip_unpack(&gzip, sl_buf_str(&packed), 8, &back);
    assert_string_equal(status.text, "");
    assert_true(sl_str_eq_c(sl_buf_str(&back), "one, two"));
    sl_buf_fini(&packed);
    sl_buf_fini(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_message_comes_back_as_it_was, tear_down),
        cmocka_unit_test_teardown(a_bomb_is_refused_after_its_limit, tear_down),
        cmocka_unit_test_teardown(what_is_cut_off_or_goes_on_is_broken, tear_down),
        cmocka_unit_test_teardown(members_one_behind_the_other_are_one_message, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
