#include "base/lazy.h"

#include "test.h"

struct functions {
    double (*cos)(double x);
};

static const struct sl_lazy_symbol good[] = {{"cos", offsetof(struct functions, cos)}, {NULL, 0}};
static const struct sl_lazy_symbol bad[] = {
    {"cos", offsetof(struct functions, cos)}, {"no_such_function", 0}, {NULL, 0}};

static void functions_of_a_library_can_be_called(void **state)
{
    struct functions functions = {0};
    struct sl_status why;

    (void)state;
    assert_true(sl_lazy_load("libm.so.6", good, &functions, &why));
    assert_true(functions.cos(0) > 0.99);
}

static void a_library_or_function_that_is_missing_is_named(void **state)
{
    struct functions functions = {0};
    struct sl_status why;

    (void)state;
    assert_false(sl_lazy_load("libnowhere.so.1", good, &functions, &why));
    assert_string_equal(sl_status_reason(&why), "library-missing");
    assert_non_null(strstr(why.text, "libnowhere.so.1"));
    assert_false(sl_lazy_load("libm.so.6", bad, &functions, &why));
    assert_non_null(strstr(why.text, "no_such_function"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_a_library_can_be_called),
        cmocka_unit_test(a_library_or_function_that_is_missing_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
