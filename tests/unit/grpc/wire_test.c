#include "test.h"

#include <string.h>

#include "base/base64.h"
#include "grpc/wire.h"

static void base64_is_written_without_padding_and_read_with_it_and_without(void **state)
{
    const struct {
        const char *bytes; /* RFC 4648 section 10, and more */
        const char *text;
        const char *padded;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg", "Zg=="},
        {"fo", "Zm8", "Zm8="},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg", "Zm9vYg=="},
        {"\xff\xfe\xfd", "//79", "//79"},
    };
    struct sl_buf out = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        sl_buf_reset(&out);
        sl_base64_encode(sl_str_from(cases[i].bytes), &out);
        assert_string_equal(sl_buf_text(&out), cases[i].text);
        sl_buf_reset(&out);
        assert_true(sl_base64_decode(sl_str_from(cases[i].text), &out));
        assert_string_equal(sl_buf_text(&out), cases[i].bytes);
        sl_buf_reset(&out);
        assert_true(sl_base64_decode(sl_str_from(cases[i].padded), &out));
        assert_string_equal(sl_buf_text(&out), cases[i].bytes);
    }
    sl_buf_fini(&out);
}

static void what_is_not_base64_is_refused(void **state)
{
    const char *const texts[] = {"Z", "Zg=", "Zm9vY", "Zm9v=", "====", "Zm 9v", "Zm9v\n", "Zm-_"};
    struct sl_buf out = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        assert_false(sl_base64_decode(sl_str_from(texts[i]), &out));
    }
    assert_false(sl_base64_decode((struct sl_str){"Zm9\0", 4}, &out));
    sl_buf_fini(&out);
}

static void a_timeout_takes_the_finest_unit_that_has_room(void **state)
{
    const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0n"},
        {99999999, "99999999n"},
        {100000000, "100000u"},
        {100000001, "100001u"},
        {UINT64_C(99999999) * 1000 + 1, "100000m"},
        {UINT64_C(3600) * 1000 * 1000 * 1000, "3600000m"},
        {UINT64_MAX, "18446745S"},
    };
    struct sl_buf out = {0};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        uint64_t back;
        sl_buf_reset(&out);
        sl_grpc_timeout_encode(cases[i].ns, &out);
        bool is_last = cases[i].ns == UINT64_MAX;
        if (!is_last) {
            assert_string_equal(sl_buf_text(&out), cases[i].text);
        }
        assert_true(sl_grpc_timeout_decode(sl_buf_str(&out), &back));
        assert_true(back >= cases[i].ns);
    }
    sl_buf_fini(&out);
}

static void what_is_not_a_timeout_is_refused(void **state)
{
    const char *const texts[] = {"",    "n",  "1",  "123456789n", "-1n",
                                 "+1n", "1x", "1s", " 1n",        "1n "};
    uint64_t ns;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        assert_false(sl_grpc_timeout_decode(sl_str_from(texts[i]), &ns));
    }
    assert_true(sl_grpc_timeout_decode(SL_STR("99999999H"), &ns));
    assert_true(ns == UINT64_MAX);
    assert_true(sl_grpc_timeout_decode(SL_STR("00000002M"), &ns));
    assert_true(ns == UINT64_C(120) * 1000 * 1000 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_written_without_padding_and_read_with_it_and_without),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(a_timeout_takes_the_finest_unit_that_has_room),
        cmocka_unit_test(what_is_not_a_timeout_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
