/* The event format against what gnmic 0.47.0 made of the same messages (tests/golden). */
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "test.h"

enum { DEVIATIONS_MAX = 100 };

struct deviation {
    char name[CASE_NAME_BYTES];
    char reason[32];
    char what[160];
};

static struct test_cases cases;
static struct deviation deviations[DEVIATIONS_MAX];
static size_t deviation_count;
static char names[CASES_MAX][CASE_NAME_BYTES];

static bool is_deviation(const char *name)
{
    for (size_t i = 0; i < deviation_count; i++) {
        if (strcmp(deviations[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_case(const char *name)
{
    for (size_t i = 0; i < cases.count; i++) {
        if (strcmp(cases.cases[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void load_deviations(void)
{
    struct sl_buf text = {0};

    assert_true(cases_read(".", "deviations", ".txt", &text));
    sl_buf_add_byte(&text, '\0');
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#') {
            continue;
        }
        assert_true(deviation_count < DEVIATIONS_MAX);
        struct deviation *deviation = &deviations[deviation_count++];
        assert_int_equal(sscanf(line, "%63s : %31s : %159[^\n]", deviation->name, deviation->reason,
                                deviation->what),
                         3);
    }
    sl_buf_fini(&text);
}

/* The payload with a line feed behind it; nothing for a message that cannot be decoded. */
static void encode(struct sl_encoder *encoder, struct sl_str message, struct sl_buf *out)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_encoded encoded;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    if (sl_status_is_ok(&status)) {
        assert_true(sl_encoder_encode(encoder, &response, &cases_context, out, &encoded));
        assert_int_equal(encoded.published + encoded.dropped, response.updates + response.deletes);
        assert_int_equal(out->len == 0, encoded.published == 0);
    }
    if (out->len) {
        sl_buf_add_byte(out, '\n');
    }
    sl_buf_fini(&scratch);
}

static void assert_case(struct sl_encoder *encoder, const struct test_case *one)
{
    bool is_ours = is_deviation(one->name);
    struct sl_buf expected = {0};
    struct sl_buf out = {0};

    assert_true(cases_read(is_ours ? "ours" : "expected", one->name, ".out", &expected));
    encode(encoder, sl_buf_str(&one->message), &out);
    if (!sl_str_eq(sl_buf_str(&out), sl_buf_str(&expected))) {
        print_message("%s\n  expected %.*s  got      %.*s", one->name,
                      SL_STR_ARG(sl_buf_str(&expected)), SL_STR_ARG(sl_buf_str(&out)));
        fail();
    }
    sl_buf_fini(&out);
    sl_buf_fini(&expected);
}

static void assert_cases(uint64_t limit_bytes)
{
    struct sl_encoder_memory memory = {.limit_bytes = limit_bytes};
    struct sl_encoder *encoder = cases_encoder(SL_FORMAT_EVENT, &memory);

    assert_int_equal(cases.count, 186);
    for (unsigned round = 0; round < 2; round++) { /* the second time from interned paths */
        for (size_t i = 0; i < cases.count; i++) {
            assert_case(encoder, &cases.cases[i]);
        }
    }
    assert_true(memory.used_bytes <= limit_bytes);
    sl_encoder_free(encoder);
    assert_int_equal(memory.used_bytes, 0);
}

static void every_case_comes_out_as_gnmic_wrote_it(void **state)
{
    (void)state;
    assert_cases(SL_MIB);
}

static void every_case_comes_out_the_same_without_memory_for_paths(void **state)
{
    (void)state;
    assert_cases(0);
    assert_cases(4 * SL_KIB); /* some of the paths, then none */
}

static void every_deviation_differs_for_an_allowed_reason(void **state)
{
    static const char *const reasons[] = {"exact-digits", "deprecated", "good-kept",
                                          "original-breaks"};

    (void)state;
    for (size_t i = 0; i < deviation_count; i++) {
        const struct deviation *deviation = &deviations[i];
        struct sl_buf ours = {0};
        struct sl_buf expected = {0};
        bool is_allowed = false;
        for (size_t r = 0; r < SL_ARRAY_LEN(reasons); r++) {
            is_allowed = is_allowed || strcmp(deviation->reason, reasons[r]) == 0;
        }
        assert_true(is_allowed);
        assert_true(is_case(deviation->name));
        assert_true(cases_read("ours", deviation->name, ".out", &ours));
        assert_true(cases_read("expected", deviation->name, ".out", &expected));
        assert_false(sl_str_eq(sl_buf_str(&ours), sl_buf_str(&expected)));
        sl_buf_fini(&ours);
        sl_buf_fini(&expected);
    }
}

static void no_result_is_left_over(void **state)
{
    size_t count = cases_list("expected", ".out", names);

    (void)state;
    assert_int_equal(count, cases.count);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_case(names[i]));
    }
    count = cases_list("ours", ".out", names);
    assert_int_equal(count, deviation_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_deviation(names[i]));
    }
}

static int load(void **state)
{
    (void)state;
    cases_load(&cases);
    load_deviations();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    cases_free(&cases);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_comes_out_as_gnmic_wrote_it),
        cmocka_unit_test(every_case_comes_out_the_same_without_memory_for_paths),
        cmocka_unit_test(every_deviation_differs_for_an_allowed_reason),
        cmocka_unit_test(no_result_is_left_over),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
