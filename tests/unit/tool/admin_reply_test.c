#include "tool/admin_reply.h"

#include <errno.h>

#include "test.h"

static struct sl_admin_reply reply_of(struct sl_admin_outcome outcome)
{
    struct sl_admin_reply reply = {0};

    outcome.place = "here";
    outcome.words = outcome.words ? outcome.words : "";
    sl_admin_reply_fill(&reply, &outcome);
    return reply;
}

static struct sl_admin_reply reply_to(long http, const char *body)
{
    return reply_of((struct sl_admin_outcome){.http = http, .body = sl_str_from(body)});
}

static void an_object_is_an_answer(void **state)
{
    struct sl_admin_reply reply = reply_to(200, "{\"ready\":true}");

    (void)state;
    assert_int_equal(reply.exit, SL_TOOL_EXIT_OK);
    assert_true(json_is_object(reply.json));
    assert_true(sl_str_eq_c(reply.body, "{\"ready\":true}"));
    json_decref(reply.json);
}

static void what_is_no_object_is_none(void **state)
{
    static const char *const bodies[] = {
        "", "[]", "1", "<html>", "{\"a\":", "{\"a\":\"\xff\"}", "{\"a\":\"\x01\"}"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bodies); i++) {
        struct sl_admin_reply reply = reply_to(200, bodies[i]);
        assert_int_equal(reply.exit, SL_TOOL_EXIT_FAILED);
        assert_string_equal(reply.why, "here: its answer is no JSON object");
        json_decref(reply.json);
    }
}

static void an_error_has_its_words_and_its_code(void **state)
{
    static const struct {
        long http;
        enum sl_tool_exit exit;
    } rows[] = {
        {400, SL_TOOL_EXIT_REFUSED}, {401, SL_TOOL_EXIT_LOGIN},   {403, SL_TOOL_EXIT_LOGIN},
        {404, SL_TOOL_EXIT_REFUSED}, {302, SL_TOOL_EXIT_REFUSED}, {503, SL_TOOL_EXIT_REFUSED},
        {504, SL_TOOL_EXIT_TIMEOUT},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_admin_reply reply =
            reply_to(rows[i].http, "{\"error\":{\"message\":\"no\\u001b[2J\",\"hint\":\"so\"}}");
        assert_int_equal(reply.exit, rows[i].exit);
        assert_non_null(strstr(reply.why, "here: no\\x1b[2J (HTTP "));
        assert_true(*reply.hint);
        json_decref(reply.json);
        reply = reply_to(rows[i].http, "<html>");
        assert_int_equal(reply.exit, rows[i].exit);
        json_decref(reply.json);
    }
}

static void a_missing_token_and_a_wrong_one_are_told_apart(void **state)
{
    struct sl_admin_reply without = reply_of((struct sl_admin_outcome){.http = 401});
    struct sl_admin_reply with =
        reply_of((struct sl_admin_outcome){.http = 401, .has_token = true});

    (void)state;
    assert_non_null(strstr(without.hint, "--token-file"));
    assert_non_null(strstr(with.hint, "does not know this token"));
}

static void no_answer_says_what_to_try(void **state)
{
    struct sl_admin_reply reply =
        reply_of((struct sl_admin_outcome){.code = CURLE_COULDNT_CONNECT, .error = ECONNREFUSED});

    (void)state;
    assert_int_equal(reply.exit, SL_TOOL_EXIT_CONNECTION);
    assert_non_null(strstr(reply.why, "Connection refused"));
    assert_non_null(strstr(reply.hint, "is sluice running"));
    reply = reply_of((struct sl_admin_outcome){.code = CURLE_OPERATION_TIMEDOUT});
    assert_int_equal(reply.exit, SL_TOOL_EXIT_TIMEOUT);
    reply = reply_of((struct sl_admin_outcome){.code = CURLE_WRITE_ERROR, .is_too_large = true});
    assert_non_null(strstr(reply.why, "more than 32 MiB"));
    reply = reply_of(
        (struct sl_admin_outcome){.code = CURLE_PEER_FAILED_VERIFICATION, .words = "a\x1b]0;b"});
    assert_non_null(strstr(reply.why, "its certificate is not trusted: a\\x1b]0;b"));
    reply = reply_of((struct sl_admin_outcome){.code = CURLE_TOO_MANY_REDIRECTS});
    assert_int_equal(reply.exit, SL_TOOL_EXIT_FAILED);
    assert_string_equal(reply.why, "here: no answer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_an_answer),
        cmocka_unit_test(what_is_no_object_is_none),
        cmocka_unit_test(an_error_has_its_words_and_its_code),
        cmocka_unit_test(a_missing_token_and_a_wrong_one_are_told_apart),
        cmocka_unit_test(no_answer_says_what_to_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
