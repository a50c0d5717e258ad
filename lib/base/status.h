/* status.h - an outcome that an operator reads.
 *
 * A code, a reason for counters and one line of text. The codes are gRPC's (github.com/grpc/grpc
 * doc/statuscodes.md), so that a peer's status and our own need no translation. A text never holds
 * a secret and never a byte of a peer that is not printable.
 */
#ifndef SLUICE_BASE_STATUS_H
#define SLUICE_BASE_STATUS_H

#include <stdbool.h>

#include "base/base.h"
#include "base/str.h"

enum sl_code {
    SL_OK = 0,
    SL_CANCELLED = 1,
    SL_UNKNOWN = 2,
    SL_INVALID_ARGUMENT = 3,
    SL_DEADLINE_EXCEEDED = 4,
    SL_NOT_FOUND = 5,
    SL_ALREADY_EXISTS = 6,
    SL_PERMISSION_DENIED = 7,
    SL_RESOURCE_EXHAUSTED = 8,
    SL_FAILED_PRECONDITION = 9,
    SL_ABORTED = 10,
    SL_OUT_OF_RANGE = 11,
    SL_UNIMPLEMENTED = 12,
    SL_INTERNAL = 13,
    SL_UNAVAILABLE = 14,
    SL_DATA_LOSS = 15,
    SL_UNAUTHENTICATED = 16,
};

enum { SL_CODES = 17, SL_STATUS_TEXT_BYTES = 240 };

struct sl_status {
    enum sl_code code;
    const char *reason;              /* a literal, or NULL: see sl_status_reason */
    char text[SL_STATUS_TEXT_BYTES]; /* NUL-terminated; cut off where it is too long */
};

/* The name as gRPC writes it: "UNAVAILABLE". A number outside the table gives "UNKNOWN". */
const char *sl_code_name(enum sl_code code);

/* On the hot path: writes the first bytes alone, not the room for a text. */
static inline struct sl_status sl_status_ok(void)
{
    struct sl_status status;

    status.code = SL_OK;
    status.reason = NULL;
    status.text[0] = '\0';
    return status;
}

struct sl_status sl_status_error(enum sl_code code, const char *format, ...) SL_PRINTF(2, 3);

/* The same with a peer's own words behind the text; unprintable bytes, quotes
 * and backslashes of `words` become '.'. */
struct sl_status sl_status_quote(enum sl_code code, const char *text, struct sl_str words);

/* A peer may say back what it was told. Every place of the text where `secret` stands, as
 * sl_status_quote would have written it, becomes "***"; so does a beginning of it where the text
 * was cut off. `secret` NULL or "": nothing. */
void sl_status_hide(struct sl_status *status, const char *secret);

/* The same with a reason: a literal in kebab-case that names the cause for counters, such as
 * "window-overshoot". There are a few dozen of them in all, and a peer cannot make new ones. */
struct sl_status sl_status_because(const char *reason, struct sl_status status);

/* RESOURCE_EXHAUSTED, reason "out-of-memory". */
struct sl_status sl_status_out_of_memory(void);

/* The reason; without one the code's name in the same spelling, "unavailable". */
const char *sl_status_reason(const struct sl_status *status);

static inline bool sl_status_is_ok(const struct sl_status *status)
{
    return status->code == SL_OK;
}

#endif
