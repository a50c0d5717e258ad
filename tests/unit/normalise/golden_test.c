/* Each compatible format against what the original made of the same messages (tests/golden). */
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

static struct test_cases shared; /* tests/golden/cases */
static struct test_cases own;    /* tests/golden/record */

struct suite {
    enum sl_format format;
    const struct test_cases *cases;
    const char *dir; /* under tests/golden; it has expected/, ours/ and deviations.txt */
    bool is_float64; /* then what has other digits is as the original's, too */
    bool has_blanks; /* the original writes some behind commas, where it pleases */
    struct deviation deviations[DEVIATIONS_MAX];
    size_t deviation_count;
};

static struct suite suites[] = {
    {.format = SL_FORMAT_EVENT, .cases = &shared, .dir = "."},
    {.format = SL_FORMAT_EVENT_SPLIT, .cases = &shared, .dir = "event-split"},
    {.format = SL_FORMAT_GNMIC_JSON, .cases = &shared, .dir = "gnmic-json"},
    {.format = SL_FORMAT_EVENT, .cases = &shared, .dir = ".", .is_float64 = true},
    {.format = SL_FORMAT_EVENT_SPLIT, .cases = &shared, .dir = "event-split", .is_float64 = true},
    {.format = SL_FORMAT_GNMIC_JSON, .cases = &shared, .dir = "gnmic-json", .is_float64 = true},
    {.format = SL_FORMAT_TELEGRAF_JSON, .cases = &shared, .dir = "telegraf-json"},
    {.format = SL_FORMAT_TELEGRAF_JSON,
     .cases = &shared,
     .dir = "telegraf-json",
     .is_float64 = true},
    {.format = SL_FORMAT_INFLUX, .cases = &shared, .dir = "influx"},
    {.format = SL_FORMAT_INFLUX, .cases = &shared, .dir = "influx", .is_float64 = true},
    {.format = SL_FORMAT_PROTOJSON, .cases = &shared, .dir = "protojson", .has_blanks = true},
    {.format = SL_FORMAT_EVENT, .cases = &own, .dir = "own/event"},
    {.format = SL_FORMAT_EVENT_SPLIT, .cases = &own, .dir = "own/event-split"},
    {.format = SL_FORMAT_GNMIC_JSON, .cases = &own, .dir = "own/gnmic-json"},
    {.format = SL_FORMAT_TELEGRAF_JSON, .cases = &own, .dir = "own/telegraf-json"},
    {.format = SL_FORMAT_INFLUX, .cases = &own, .dir = "own/influx"},
    {.format = SL_FORMAT_PROTOJSON, .cases = &own, .dir = "own/protojson", .has_blanks = true},
    {.format = SL_FORMAT_EVENT, .cases = &own, .dir = "own/event", .is_float64 = true},
    {.format = SL_FORMAT_EVENT_SPLIT, .cases = &own, .dir = "own/event-split", .is_float64 = true},
    {.format = SL_FORMAT_GNMIC_JSON, .cases = &own, .dir = "own/gnmic-json", .is_float64 = true},
    {.format = SL_FORMAT_TELEGRAF_JSON,
     .cases = &own,
     .dir = "own/telegraf-json",
     .is_float64 = true},
    {.format = SL_FORMAT_INFLUX, .cases = &own, .dir = "own/influx", .is_float64 = true},
};

static char names[CASES_MAX][CASE_NAME_BYTES];

static const struct deviation *deviation_of(const struct suite *suite, const char *name)
{
    for (size_t i = 0; i < suite->deviation_count; i++) {
        if (strcmp(suite->deviations[i].name, name) == 0) {
            return &suite->deviations[i];
        }
    }
    return NULL;
}

/* Whether sluice's record of the case is not the original's. */
static bool is_ours(const struct suite *suite, const char *name)
{
    const struct deviation *deviation = deviation_of(suite, name);

    return deviation && !(suite->is_float64 && strcmp(deviation->reason, "exact-digits") == 0);
}

static bool is_case(const struct suite *suite, const char *name)
{
    for (size_t i = 0; i < suite->cases->count; i++) {
        if (strcmp(suite->cases->cases[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void load_deviations(struct suite *suite)
{
    struct sl_buf text = {0};

    assert_true(cases_read(suite->dir, "deviations", ".txt", &text));
    sl_buf_add_byte(&text, '\0');
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#') {
            continue;
        }
        assert_true(suite->deviation_count < DEVIATIONS_MAX);
        struct deviation *deviation = &suite->deviations[suite->deviation_count++];
        assert_int_equal(sscanf(line, "%63s : %31s : %159[^\n]", deviation->name, deviation->reason,
                                deviation->what),
                         3);
    }
    sl_buf_fini(&text);
}

static void encode_all(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       struct sl_buf *out)
{
    struct sl_encoder_progress progress = {0};

    while (!progress.is_done) {
        struct sl_encoded encoded;
        size_t before = out->len;
        assert_true(sl_encoder_next(encoder, response, &cases_context, &progress, out, &encoded));
        assert_true(out->len > before || encoded.published == 0);
        if (out->len > before && out->data[out->len - 1] != '\n') {
            sl_buf_add_byte(out, '\n');
        }
    }
    assert_int_equal(progress.passed, response->updates + response->deletes);
}

/* Each payload with a line feed behind it; nothing for a message that cannot be decoded. */
static void encode(struct sl_encoder *encoder, struct sl_str message, struct sl_buf *out)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    if (sl_status_is_ok(&status)) {
        encode_all(encoder, &response, out);
    }
    sl_buf_fini(&scratch);
}

/* The file of a case under the suite's folder. */
static void read_result(const struct suite *suite, const char *folder, const char *name,
                        struct sl_buf *out)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "%s/%s", suite->dir, folder);
    assert_true(cases_read(dir, name, ".out", out));
}

/* Takes the blanks outside of strings away. */
static void drop_blanks(struct sl_buf *json)
{
    size_t kept = 0;
    bool is_string = false;

    for (size_t i = 0; i < json->len; i++) {
        bool is_escape = is_string && json->data[i] == '\\';
        is_string = is_string != (json->data[i] == '"');
        if (is_string || json->data[i] != ' ') {
            json->data[kept++] = json->data[i];
        }
        if (is_escape) {
            json->data[kept++] = json->data[++i];
        }
    }
    json->len = kept;
}

static void assert_case(const struct suite *suite, struct sl_encoder *encoder,
                        const struct test_case *one)
{
    struct sl_buf expected = {0};
    struct sl_buf out = {0};

    read_result(suite, is_ours(suite, one->name) ? "ours" : "expected", one->name, &expected);
    if (suite->has_blanks) {
        drop_blanks(&expected);
    }
    encode(encoder, sl_buf_str(&one->message), &out);
    if (!sl_str_eq(sl_buf_str(&out), sl_buf_str(&expected))) {
        print_message("%s %s\n  expected %.*s  got      %.*s", sl_format_name(suite->format),
                      one->name, SL_STR_ARG(sl_buf_str(&expected)), SL_STR_ARG(sl_buf_str(&out)));
        fail();
    }
    sl_buf_fini(&out);
    sl_buf_fini(&expected);
}

static void assert_cases(const struct suite *suite, uint64_t limit_bytes, unsigned rounds)
{
    struct sl_encoder_memory memory = {.limit_bytes = limit_bytes};
    struct sl_encoder *encoder = cases_encoder(suite->format, suite->is_float64, &memory);

    for (unsigned round = 0; round < rounds; round++) { /* the second time from interned paths */
        for (size_t i = 0; i < suite->cases->count; i++) {
            assert_case(suite, encoder, &suite->cases->cases[i]);
        }
    }
    assert_true(memory.used_bytes <= limit_bytes);
    sl_encoder_free(encoder);
    assert_int_equal(memory.used_bytes, 0);
}

static void every_case_comes_out_as_the_original_wrote_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(suites); i++) {
        assert_cases(&suites[i], SL_MIB, 2);
    }
}

static void every_case_comes_out_the_same_without_memory_for_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(suites); i++) {
        assert_cases(&suites[i], 0, 1);
        assert_cases(&suites[i], 4 * SL_KIB, 1); /* some of the paths, then none */
    }
}

static void assert_deviation(const struct suite *suite, const struct deviation *deviation)
{
    static const char *const reasons[] = {"exact-digits", "deprecated", "good-kept", "limit",
                                          "original-breaks"};
    struct sl_buf ours = {0};
    struct sl_buf expected = {0};
    bool is_allowed = false;

    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        is_allowed = is_allowed || strcmp(deviation->reason, reasons[i]) == 0;
    }
    assert_true(is_allowed);
    assert_true(is_case(suite, deviation->name));
    read_result(suite, "ours", deviation->name, &ours);
    read_result(suite, "expected", deviation->name, &expected);
    assert_false(sl_str_eq(sl_buf_str(&ours), sl_buf_str(&expected)));
    sl_buf_fini(&ours);
    sl_buf_fini(&expected);
}

static void every_deviation_differs_for_an_allowed_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(suites); i++) {
        for (size_t k = 0; k < suites[i].deviation_count; k++) {
            assert_deviation(&suites[i], &suites[i].deviations[k]);
        }
    }
}

static void assert_none_left_over(const struct suite *suite)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "%s/expected", suite->dir);
    size_t count = cases_list(dir, ".out", names);

    assert_int_equal(count, suite->cases->count);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_case(suite, names[i]));
    }
    snprintf(dir, sizeof(dir), "%s/ours", suite->dir);
    count = cases_list(dir, ".out", names);
    assert_int_equal(count, suite->deviation_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(deviation_of(suite, names[i]));
    }
}

static void no_result_is_left_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(suites); i++) {
        assert_none_left_over(&suites[i]);
    }
}

static int load(void **state)
{
    (void)state;
    cases_load(&shared, "cases");
    cases_load(&own, "record");
    assert_int_equal(shared.count, 186);
    assert_true(own.count >= 200);
    for (size_t i = 0; i < SL_ARRAY_LEN(suites); i++) {
        load_deviations(&suites[i]);
    }
    return 0;
}

static int unload(void **state)
{
    (void)state;
    cases_free(&shared);
    cases_free(&own);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_comes_out_as_the_original_wrote_it),
        cmocka_unit_test(every_case_comes_out_the_same_without_memory_for_paths),
        cmocka_unit_test(every_deviation_differs_for_an_allowed_reason),
        cmocka_unit_test(no_result_is_left_over),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
