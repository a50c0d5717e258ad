#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *reason;
} codes[SL_CODES] = {
    [SL_OK] = {"OK", "ok"},
    [SL_CANCELLED] = {"CANCELLED", "cancelled"},
    [SL_UNKNOWN] = {"UNKNOWN", "unknown"},
    [SL_INVALID_ARGUMENT] = {"INVALID_ARGUMENT", "invalid-argument"},
    [SL_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", "deadline-exceeded"},
    [SL_NOT_FOUND] = {"NOT_FOUND", "not-found"},
    [SL_ALREADY_EXISTS] = {"ALREADY_EXISTS", "already-exists"},
    [SL_PERMISSION_DENIED] = {"PERMISSION_DENIED", "permission-denied"},
    [SL_RESOURCE_EXHAUSTED] = {"RESOURCE_EXHAUSTED", "resource-exhausted"},
    [SL_FAILED_PRECONDITION] = {"FAILED_PRECONDITION", "failed-precondition"},
    [SL_ABORTED] = {"ABORTED", "aborted"},
    [SL_OUT_OF_RANGE] = {"OUT_OF_RANGE", "out-of-range"},
    [SL_UNIMPLEMENTED] = {"UNIMPLEMENTED", "unimplemented"},
    [SL_INTERNAL] = {"INTERNAL", "internal"},
    [SL_UNAVAILABLE] = {"UNAVAILABLE", "unavailable"},
    [SL_DATA_LOSS] = {"DATA_LOSS", "data-loss"},
    [SL_UNAUTHENTICATED] = {"UNAUTHENTICATED", "unauthenticated"},
};

const char *sl_code_name(enum sl_code code)
{
    return (unsigned)code < SL_CODES ? codes[code].name : codes[SL_UNKNOWN].name;
}

struct sl_status sl_status_out_of_memory(void)
{
    return sl_status_because("out-of-memory",
                             sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
}

const char *sl_status_reason(const struct sl_status *status)
{
    unsigned code = status->code;

    if (status->reason) {
        return status->reason;
    }
    return code < SL_CODES ? codes[code].reason : codes[SL_UNKNOWN].reason;
}

struct sl_status sl_status_because(const char *reason, struct sl_status status)
{
    status.reason = reason;
    return status;
}

struct sl_status sl_status_error(enum sl_code code, const char *format, ...)
{
    struct sl_status status = {.code = code};
    va_list args;

    va_start(args, format);
    vsnprintf(status.text, sizeof(status.text), format, args);
    va_end(args);
    return status;
}

/* A byte of a peer as it is printed. */
static char plain(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 0x20 && byte <= 0x7e && byte != '"' && byte != '\\' ? c : '.';
}

struct sl_status sl_status_quote(enum sl_code code, const char *text, struct sl_str words)
{
    struct sl_status status = sl_status_error(code, "%s: ", text);
    size_t at = strlen(status.text);

    for (size_t i = 0; i < words.len && at + 1 < sizeof(status.text); i++) {
        status.text[at++] = plain(words.data[i]);
    }
    status.text[at] = '\0';
    return status;
}

/* How many bytes of `secret` stand at `text`. */
static size_t match(const char *text, const char *secret)
{
    size_t len = 0;

    while (text[len] && secret[len] &&
           (text[len] == secret[len] || text[len] == plain(secret[len]))) {
        len++;
    }
    return len;
}

void sl_status_hide(struct sl_status *status, const char *secret)
{
    static const char mask[] = "***";
    size_t len = strlen(status->text);
    bool is_cut = len + 1 == sizeof(status->text);
    struct sl_status hidden = *status;
    size_t to = 0;

    if (!secret || !*secret) {
        return;
    }
    for (size_t at = 0; at < len && to + sizeof(mask) <= sizeof(hidden.text);) {
        size_t same = match(status->text + at, secret);
        bool is_secret = !secret[same] || (is_cut && same > 0 && at + same == len);
        if (is_secret) {
            memcpy(hidden.text + to, mask, sizeof(mask) - 1);
            to += sizeof(mask) - 1;
            at += same;
        } else {
            hidden.text[to++] = status->text[at++];
        }
    }
    hidden.text[to] = '\0';
    *status = hidden;
}
