#include "expect.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool expect(bool holds, const char *format, ...)
{
    va_list words;

    if (!holds) {
        fputs("expected ", stderr);
        va_start(words, format);
        vfprintf(stderr, format, words);
        va_end(words);
        fputc('\n', stderr);
    }
    return holds;
}

bool expect_status(const struct sl_status *status, enum sl_code code)
{
    return expect(status->code == code, "status %s, got %s (%s: %s)", sl_code_name(code),
                  sl_code_name(status->code), sl_status_reason(status), status->text);
}

bool expect_message(const struct exchange_outcome *outcome, const char *text)
{
    struct sl_str got = sl_buf_str(&outcome->message);

    return expect(sl_str_eq_c(got, text), "the status's message \"%s\", got \"%.*s\"", text,
                  SL_STR_ARG(got));
}

bool expect_replies(const struct exchange_outcome *outcome, const int64_t *bytes, size_t count)
{
    bool holds = expect_status(&outcome->status, SL_OK) &&
                 expect(outcome->reply_count == count, "%zu responses, got %zu", count,
                        outcome->reply_count);

    for (size_t i = 0; holds && i < count; i++) {
        const struct exchange_reply *reply = &outcome->replies[i];
        holds = expect(reply->bytes == bytes[i],
                       "response %zu to be of %" PRId64 " bytes, got %" PRId64, i + 1, bytes[i],
                       reply->bytes) &&
                expect(reply->is_zeros, "response %zu to be all zeros", i + 1);
    }
    return holds;
}

bool expect_compressed(const struct exchange_outcome *outcome, size_t reply, bool is_compressed)
{
    return expect(outcome->replies[reply].was_compressed == is_compressed,
                  "response %zu to come %s, and it did not", reply + 1,
                  is_compressed ? "compressed" : "uncompressed");
}
