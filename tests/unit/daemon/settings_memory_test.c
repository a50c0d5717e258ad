/* Every allocation of reading a file fails once: the answer is NULL and a line that says why. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "test.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long left = -1; /* allocations until one fails; below 0: none does */
static bool has_failed;

static bool fails(void)
{
    bool is_now = left == 0;

    left -= left >= 0;
    has_failed = has_failed || is_now;
    return is_now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void each_allocation_may_fail(void **state)
{
    struct sl_buf errors = {0};
    long runs = 0;

    (void)state;
    assert_int_equal(chdir(SL_TEST_GOOD_DIR), 0);
    assert_true(sl_buf_reserve(&errors, 4096));
    setenv("SLUICE_TEST_NAME", "dc2", 1);
    setenv("SLUICE_TEST_PASSWORD", "p", 1);
    do {
        sl_buf_reset(&errors);
        has_failed = false;
        left = runs++;
        struct sl_settings *settings = sl_settings_read("anchors.yaml", &errors);
        left = -1;
        assert_true(settings || (has_failed && errors.len > 0));
        sl_settings_free(settings);
    } while (has_failed);
    assert_true(runs > 20);
    sl_buf_fini(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
