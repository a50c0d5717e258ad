/* kafka_oauth_test.c - tokens out of a file: what they say of themselves, and what is wrong with
 * them. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "kafka/oauth.h"

#define NOW_MS      INT64_C(1700000000000)
#define LIFETIME_MS INT64_C(300000)

/* {"alg":"none"} and so on, in base64url (RFC 4648, section 5) without padding. */
#define HEAD "eyJhbGciOiJub25lIn0"

static char place[] = "/tmp/sluice-token-XXXXXX";
static struct kafka_token token;
static char error[256];

static int make_file(void **state)
{
    int fd = mkstemp(place);

    (void)state;
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(place);
}

static bool read_token(const char *text, size_t len, const char *principal)
{
    const struct kafka_oauth oauth = {
        .token_file = place, .principal = principal, .lifetime_ns = LIFETIME_MS * SL_NS_PER_MS};
    FILE *file = fopen(place, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    memset(error, 0, sizeof(error));
    return kafka_token_read(&oauth, NOW_MS, &token, error, sizeof(error));
}

static bool read_text(const char *text, const char *principal)
{
    return read_token(text, strlen(text), principal);
}

static void a_json_web_token_says_until_when_and_whose(void **state)
{
    (void)state;
    /* {"sub":"dc1","exp":1700000060} */
    assert_true(read_text(HEAD ".eyJzdWIiOiJkYzEiLCJleHAiOjE3MDAwMDAwNjB9.c2ln\n\n", NULL));
    assert_string_equal(token.text, HEAD ".eyJzdWIiOiJkYzEiLCJleHAiOjE3MDAwMDAwNjB9.c2ln");
    assert_string_equal(token.principal, "dc1");
    assert_int_equal(token.until_ms, NOW_MS + 60000);
}

static void what_the_options_say_of_it_goes_first(void **state)
{
    (void)state;
    assert_true(read_text(HEAD ".eyJzdWIiOiJkYzEiLCJleHAiOjE3MDAwMDAwNjB9.", "someone"));
    assert_string_equal(token.principal, "someone");
    assert_int_equal(token.until_ms, NOW_MS + 60000);
}

static void any_other_token_is_good_for_its_lifetime(void **state)
{
    static const char *const texts[] = {
        "opaque",
        "two.parts",
        HEAD ".!not base64!.x",
        HEAD ".bm90IGpzb24.x",         /* not json */
        HEAD ".WzEsMl0.x",             /* [1,2] */
        HEAD ".eyJleHAiOiJzb29uIn0.x", /* {"exp":"soon"} */
        "...",
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        assert_true(read_text(texts[i], NULL));
        assert_string_equal(token.principal, "sluice");
        assert_int_equal(token.until_ms, NOW_MS + LIFETIME_MS);
    }
}

static void a_token_that_is_over_is_refused_and_never_shown(void **state)
{
    static const char *const texts[] = {
        HEAD ".eyJleHAiOjE2OTk5OTk5OTl9.x", /* {"exp":1699999999} */
        HEAD ".eyJleHAiOjFlMzAwfQ.x",       /* {"exp":1e300} */
        HEAD ".eyJleHAiOi01fQ.x",           /* {"exp":-5} */
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        assert_false(read_text(texts[i], NULL));
        assert_non_null(strstr(error, "its token is over"));
        assert_non_null(strstr(error, place));
        assert_null(strstr(error, HEAD));
    }
}

static void a_file_that_holds_none_is_said(void **state)
{
    const struct kafka_oauth missing = {.token_file = "/nonexistent/token"};
    char *large = malloc(KAFKA_MAX_TOKEN_BYTES + 1);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', KAFKA_MAX_TOKEN_BYTES + 1);
    assert_false(read_token(large, KAFKA_MAX_TOKEN_BYTES + 1, NULL));
    assert_non_null(strstr(error, "larger than 64 KiB"));
    assert_false(read_token(large, KAFKA_MAX_TOKEN_BYTES, NULL));
    assert_true(read_token(large, KAFKA_MAX_TOKEN_BYTES - 1, NULL));
    assert_int_equal(strlen(token.text), KAFKA_MAX_TOKEN_BYTES - 1);
    free(large);
    assert_false(read_text(" \n", NULL));
    assert_non_null(strstr(error, "it is empty"));
    assert_false(kafka_token_read(&missing, NOW_MS, &token, error, sizeof(error)));
    assert_non_null(strstr(error, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_web_token_says_until_when_and_whose),
        cmocka_unit_test(what_the_options_say_of_it_goes_first),
        cmocka_unit_test(any_other_token_is_good_for_its_lifetime),
        cmocka_unit_test(a_token_that_is_over_is_refused_and_never_shown),
        cmocka_unit_test(a_file_that_holds_none_is_said),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
