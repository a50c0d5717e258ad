/* Every allocation of reading a file fails once: the answer is NULL and a line that says why. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "failing.h"
#include "test.h"

static void fail_each(const char *file)
{
    struct sl_buf errors = {0};
    long runs = 0;

    assert_true(sl_buf_reserve(&errors, 4096));
    do {
        sl_buf_reset(&errors);
        has_failed = false;
        left = runs++;
        struct sl_settings *settings = sl_settings_read(file, &errors);
        left = -1;
        assert_true(settings || (has_failed && errors.len > 0));
        sl_settings_free(settings);
    } while (has_failed);
    assert_true(runs > 20);
    sl_buf_fini(&errors);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    assert_int_equal(chdir(SL_TEST_GOOD_DIR), 0);
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "p", 1);
    fail_each("anchors.yaml");
    fail_each("subscriptions.yaml");
    fail_each("pack.yaml");
    fail_each("rules.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
