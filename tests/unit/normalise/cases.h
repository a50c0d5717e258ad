/* cases.h - the messages under tests/golden. */
#ifndef SLUICE_TESTS_CASES_H
#define SLUICE_TESTS_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "normalise/encoder.h"

enum { CASE_NAME_BYTES = 64, CASES_MAX = 1000 };

struct test_case {
    char name[CASE_NAME_BYTES]; /* "001-uint-counter" */
    struct sl_buf message;
};

struct test_cases {
    struct test_case cases[CASES_MAX];
    size_t count;
};

/* The messages of a directory under tests/golden ("cases", or "record": our own), sorted by name. A
 * file that cannot be read fails the test. */
void cases_load(struct test_cases *cases, const char *dir);
void cases_free(struct test_cases *cases);

/* Those of tests/golden/cases, between the two, which are for cmocka_run_group_tests(). */
extern struct test_cases golden;
int golden_load(void **state);
int golden_free(void **state);

/* The names (without suffix) of the files of a directory under tests/golden, sorted. */
size_t cases_list(const char *dir, const char *suffix, char names[][CASE_NAME_BYTES]);

/* The file of that name under tests/golden; false when there is none. */
bool cases_read(const char *dir, const char *name, const char *suffix, struct sl_buf *out);

/* An encoder as gnmic was configured for the cases: target leaf1, subscription sub1. */
struct sl_encoder *cases_encoder(enum sl_format format, bool is_float64,
                                 struct sl_encoder_memory *memory);

/* What those encoders are told of each message. */
extern const struct sl_encoder_context cases_context;

#endif
