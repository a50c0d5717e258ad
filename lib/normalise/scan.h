/* scan.h - the words of JSON text, one after the other: RFC 8259 to the letter. */
#ifndef SLUICE_NORMALISE_SCAN_H
#define SLUICE_NORMALISE_SCAN_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

struct sl_scan {
    const char *at;
    const char *end;
    bool is_rounding;  /* numbers go through a double */
    bool is_replacing; /* a string held something that is no character, and U+FFFD stands for it */
};

static inline void sl_scan_blanks(struct sl_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r')) {
        scan->at++;
    }
}

static inline bool sl_scan_is_at(const struct sl_scan *scan, char byte)
{
    return scan->at < scan->end && *scan->at == byte;
}

/* Steps over blanks, then over `byte`; over `word` where it stands. False: there is something else.
 */
static inline bool sl_scan_take(struct sl_scan *scan, char byte)
{
    sl_scan_blanks(scan);
    if (!sl_scan_is_at(scan, byte)) {
        return false;
    }
    scan->at++;
    return true;
}

bool sl_scan_word(struct sl_scan *scan, struct sl_str word);

/* Appends the string that comes, without its quotes: as it is, or as JSON text (`is_escaped`).
 * False when it is not one; then some of it may have been appended. */
bool sl_scan_string(struct sl_scan *scan, struct sl_buf *out, bool is_escaped) SL_MUST_CHECK;

/* The string that comes at once, where each byte of it stands for itself and is ASCII; it is in the
 * text. False, with nothing taken, where it is another. */
bool sl_scan_plain_string(struct sl_scan *scan, struct sl_str *string) SL_MUST_CHECK;

/* The number that comes, as it stands. False when it is not one. */
bool sl_scan_digits(struct sl_scan *scan, struct sl_str *text) SL_MUST_CHECK;

/* Appends the number that comes (sl_number_add_json, or _rounded). False when it is not one. */
bool sl_scan_number(struct sl_scan *scan, struct sl_buf *out) SL_MUST_CHECK;

#endif
