#include "tool/admin_reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool/admin_json.h"
#include "tool/value_text.h"

enum {
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_TIMEOUT = 504,
    QUOTE_BYTES = 400,
};

static void say(struct sl_admin_reply *reply, enum sl_tool_exit code, const char *hint,
                const char *format, ...) SL_PRINTF(4, 5);

static void say(struct sl_admin_reply *reply, enum sl_tool_exit code, const char *hint,
                const char *format, ...)
{
    va_list args;

    reply->exit = code;
    snprintf(reply->hint, sizeof(reply->hint), "%s", hint);
    va_start(args, format);
    vsnprintf(reply->why, sizeof(reply->why), format, args);
    va_end(args);
}

/* ---- no answer ---- */

/* A text of theirs, cut off where it is long. */
static void add_theirs(struct sl_buf *out, const char *text)
{
    sl_print_plain(out, (struct sl_str){text, strnlen(text, QUOTE_BYTES)});
}

static const char tls_hint[] =
    "--tls-ca FILE names whom to trust; --skip-verify trusts whoever answers";

/* By libcurl's code. */
static const struct {
    CURLcode code;
    enum sl_tool_exit exit;
    const char *what;
    const char *hint;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, SL_TOOL_EXIT_CONNECTION, "there is no host of that name",
     "is the name spelled right?"},
    {CURLE_PEER_FAILED_VERIFICATION, SL_TOOL_EXIT_CONNECTION, "its certificate is not trusted",
     tls_hint},
    {CURLE_SSL_CONNECT_ERROR, SL_TOOL_EXIT_CONNECTION, "no TLS handshake",
     "does it speak TLS? http://HOST:PORT is without; a client certificate: --tls-cert, --tls-key"},
    {CURLE_SSL_CACERT_BADFILE, SL_TOOL_EXIT_USAGE, "--tls-ca cannot be read", ""},
    {CURLE_SSL_CERTPROBLEM, SL_TOOL_EXIT_USAGE, "--tls-cert or --tls-key cannot be used", ""},
    {CURLE_GOT_NOTHING, SL_TOOL_EXIT_CONNECTION, "it closed the connection without an answer",
     "does it want TLS? https://HOST:PORT"},
    {CURLE_RECV_ERROR, SL_TOOL_EXIT_CONNECTION, "the connection broke", ""},
    {CURLE_SEND_ERROR, SL_TOOL_EXIT_CONNECTION, "the connection broke", ""},
    {CURLE_PARTIAL_FILE, SL_TOOL_EXIT_CONNECTION, "the answer ended before its end", ""},
    {CURLE_UNSUPPORTED_PROTOCOL, SL_TOOL_EXIT_CONNECTION, "what answers does not speak HTTP",
     "is that collector.admin.listen?"},
    {CURLE_WEIRD_SERVER_REPLY, SL_TOOL_EXIT_CONNECTION, "what answers does not speak HTTP",
     "is that collector.admin.listen?"},
    {CURLE_OUT_OF_MEMORY, SL_TOOL_EXIT_FAILED, "out of memory", ""},
};

static void no_connection(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome)
{
    say(reply, SL_TOOL_EXIT_CONNECTION,
        "is sluice running, and is this its collector.admin.listen? --admin says another",
        "%s: no connection: %s", outcome->place,
        outcome->error ? strerror(outcome->error) : "nobody answers");
}

/* libcurl's words may be those of whoever answered. */
static void say_failure(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome,
                        enum sl_tool_exit code, const char *what, const char *hint)
{
    struct sl_buf words = {0};

    add_theirs(&words, outcome->words);
    say(reply, code, hint, "%s: %s%s%s", outcome->place, what, *what && words.len ? ": " : "",
        sl_buf_text(&words));
    sl_buf_fini(&words);
}

static void no_answer(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome)
{
    if (outcome->is_too_large) {
        say(reply, SL_TOOL_EXIT_FAILED, "is that a sluice?",
            "%s: its answer has more than %d MiB, which no sluice sends", outcome->place,
            (int)(SL_ADMIN_CLIENT_MAX_BYTES / SL_MIB));
        return;
    }
    if (outcome->code == CURLE_COULDNT_CONNECT) {
        no_connection(reply, outcome);
        return;
    }
    if (outcome->code == CURLE_OPERATION_TIMEDOUT) {
        say(reply, SL_TOOL_EXIT_TIMEOUT, "--timeout is how long to wait", "%s: no answer in time",
            outcome->place);
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(failures); i++) {
        if (failures[i].code == outcome->code) {
            say_failure(reply, outcome, failures[i].exit, failures[i].what, failures[i].hint);
            return;
        }
    }
    say_failure(reply, outcome, SL_TOOL_EXIT_FAILED, *outcome->words ? "" : "no answer", "");
}

/* ---- an answer that says no ---- */

static const char *http_hint(const struct sl_admin_outcome *outcome)
{
    if (outcome->http == HTTP_UNAUTHORIZED) {
        return outcome->has_token
                   ? "it does not know this token: is it the one of collector.admin.token?"
                   : "it wants a token: --token-file FILE, or the variable SLUICE_TOKEN";
    }
    if (outcome->http == HTTP_FORBIDDEN) {
        return "who asks so may not do that";
    }
    return "";
}

static enum sl_tool_exit http_exit(long http)
{
    return http == HTTP_UNAUTHORIZED || http == HTTP_FORBIDDEN ? SL_TOOL_EXIT_LOGIN
           : http == HTTP_TIMEOUT                              ? SL_TOOL_EXIT_TIMEOUT
                                                               : SL_TOOL_EXIT_REFUSED;
}

static void refused(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome)
{
    const json_t *error = sl_admin_get(reply->json, "error");
    const char *message = sl_admin_text(error, "message");
    const char *hint = sl_admin_text(error, "hint");
    struct sl_buf words = {0};
    struct sl_buf advice = {0};

    add_theirs(&words, message);
    add_theirs(&advice, hint);
    if (!*message && outcome->http == HTTP_NOT_FOUND) {
        sl_buf_add_c(&words, "there is no such thing: is that a sluice, and as new as this one?");
    }
    say(reply, http_exit(outcome->http),
        *http_hint(outcome) ? http_hint(outcome) : sl_buf_text(&advice), "%s: %s%sHTTP %ld%s",
        outcome->place, sl_buf_text(&words), words.len ? " (" : "", outcome->http,
        words.len ? ")" : "");
    sl_buf_fini(&words);
    sl_buf_fini(&advice);
}

void sl_admin_reply_fill(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome)
{
    json_error_t error;

    if (outcome->code != CURLE_OK) {
        no_answer(reply, outcome);
        return;
    }
    reply->http = outcome->http;
    reply->body = outcome->body;
    bool is_good = outcome->http >= 200 && outcome->http <= 299;
    if (outcome->is_file && is_good) {
        reply->exit = SL_TOOL_EXIT_OK;
        return;
    }
    reply->json =
        outcome->body.len ? json_loadb(outcome->body.data, outcome->body.len, 0, &error) : NULL;
    if (!is_good) {
        refused(reply, outcome);
    } else if (!json_is_object(reply->json)) {
        say(reply, SL_TOOL_EXIT_FAILED, "is that a sluice?", "%s: its answer is no JSON object",
            outcome->place);
    } else {
        reply->exit = SL_TOOL_EXIT_OK;
    }
}
