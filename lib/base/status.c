#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[SL_CODES] = {
    [SL_OK] = "OK",
    [SL_CANCELLED] = "CANCELLED",
    [SL_UNKNOWN] = "UNKNOWN",
    [SL_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [SL_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [SL_NOT_FOUND] = "NOT_FOUND",
    [SL_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [SL_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [SL_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [SL_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [SL_ABORTED] = "ABORTED",
    [SL_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [SL_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [SL_INTERNAL] = "INTERNAL",
    [SL_UNAVAILABLE] = "UNAVAILABLE",
    [SL_DATA_LOSS] = "DATA_LOSS",
    [SL_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *sl_code_name(enum sl_code code)
{
    return (unsigned)code < SL_CODES ? code_names[code] : "UNKNOWN";
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

struct sl_status sl_status_quote(enum sl_code code, const char *text, struct sl_str words)
{
    struct sl_status status = sl_status_error(code, "%s: ", text);
    size_t at = strlen(status.text);

    for (size_t i = 0; i < words.len && at + 1 < sizeof(status.text); i++) {
        unsigned char byte = (unsigned char)words.data[i];
        bool is_plain = byte >= 0x20 && byte <= 0x7e && byte != '"' && byte != '\\';
        status.text[at++] = is_plain ? (char)byte : '.';
    }
    status.text[at] = '\0';
    return status;
}
