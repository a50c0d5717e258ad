#include "http/curl.h"

#include <string.h>

#include "test.h"

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    memcpy(arg, bytes, size * count < 8 ? size * count : 8);
    return size * count;
}

static void a_transfer_is_made_by_the_functions_of_the_table(void **state)
{
    struct sl_status why;
    const struct sl_curl *curl = sl_curl(&why);
    char found[8] = "";
    long code = 1;

    (void)state;
    assert_non_null(curl);
    assert_ptr_equal(sl_curl(&why), curl);
    CURL *easy = curl->easy_init();
    assert_non_null(easy);
    assert_int_equal(curl->easy_setopt(easy, CURLOPT_URL, "file:///proc/version"), CURLE_OK);
    assert_int_equal(curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take), CURLE_OK);
    assert_int_equal(curl->easy_setopt(easy, CURLOPT_WRITEDATA, found), CURLE_OK);
    assert_int_equal(curl->easy_perform(easy), CURLE_OK);
    assert_int_equal(curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code), CURLE_OK);
    assert_int_equal(code, 0);
    assert_memory_equal(found, "Linux ve", 8);
    curl->easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_is_made_by_the_functions_of_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
