#include "normalise/scan.h"

#include <stdint.h>

#include "base/utf8.h"
#include "normalise/number.h"
#include "normalise/text.h"

bool sl_scan_word(struct sl_scan *scan, struct sl_str word)
{
    struct sl_str rest = {scan->at, (size_t)(scan->end - scan->at)};

    if (!sl_str_starts_with(rest, word)) {
        return false;
    }
    scan->at += word.len;
    return true;
}

/* ---- strings ---- */

static bool read_hex(struct sl_scan *scan, uint32_t *rune)
{
    *rune = 0;
    if (scan->end - scan->at < 4) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        char digit = *scan->at++;
        if (digit >= '0' && digit <= '9') {
            *rune = *rune << 4 | (uint32_t)(digit - '0');
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            *rune = *rune << 4 | (uint32_t)((digit | 0x20) - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

/* Behind "\u". Half a surrogate pair becomes U+FFFD; what follows it stands for itself. */
static bool read_numbered(struct sl_scan *scan, uint32_t *rune)
{
    uint32_t low;

    if (!read_hex(scan, rune)) {
        return false;
    }
    if (*rune < 0xd800 || *rune >= 0xe000) {
        return true;
    }
    const char *behind = scan->at;
    bool is_pair = *rune < 0xdc00 && sl_scan_word(scan, SL_STR("\\u")) && read_hex(scan, &low) &&
                   low >= 0xdc00 && low < 0xe000;

    if (is_pair) {
        *rune = 0x10000 + ((*rune - 0xd800) << 10) + (low - 0xdc00);
    } else {
        *rune = SL_TEXT_REPLACEMENT;
        scan->is_replacing = true;
        scan->at = behind;
    }
    return true;
}

/* Behind the backslash. */
static bool read_escape(struct sl_scan *scan, uint32_t *rune)
{
    static const char shorts[] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                  ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

    if (scan->at == scan->end) {
        return false;
    }
    unsigned char byte = (unsigned char)*scan->at++;

    if (byte == 'u') {
        return read_numbered(scan, rune);
    }
    *rune = byte < sizeof(shorts) ? (unsigned char)shorts[byte] : 0;
    return *rune != 0;
}

/* The next character that is not plain: an escape, or UTF-8. */
static bool read_rune(struct sl_scan *scan, uint32_t *rune)
{
    struct sl_str rest = {scan->at, (size_t)(scan->end - scan->at)};

    if (sl_scan_is_at(scan, '\\')) {
        scan->at++;
        return read_escape(scan, rune);
    }
    if ((unsigned char)*scan->at < 0x20) {
        return false;
    }
    size_t len = sl_utf8_decode(rest, rune);

    if (len == 0) {
        *rune = SL_TEXT_REPLACEMENT;
        scan->is_replacing = true;
    }
    scan->at += len ? len : 1;
    return true;
}

bool sl_scan_string(struct sl_scan *scan, struct sl_buf *out, bool is_escaped)
{
    uint32_t rune;

    if (!sl_scan_take(scan, '"')) {
        return false;
    }
    for (;;) {
        size_t len = sl_text_plain_len((struct sl_str){scan->at, (size_t)(scan->end - scan->at)});
        sl_buf_add(out, scan->at, len);
        scan->at += len;
        if (scan->at == scan->end) {
            return false;
        }
        if (sl_scan_is_at(scan, '"')) {
            scan->at++;
            return true;
        }
        if (!read_rune(scan, &rune)) {
            return false;
        }
        if (is_escaped) {
            sl_text_add_escaped_rune(out, rune);
        } else {
            sl_utf8_add(out, rune);
        }
    }
}

bool sl_scan_plain_string(struct sl_scan *scan, struct sl_str *string)
{
    if (!sl_scan_is_at(scan, '"')) {
        return false;
    }
    const char *start = scan->at + 1;
    size_t len = sl_text_plain_len((struct sl_str){start, (size_t)(scan->end - start)});

    if (start + len == scan->end || start[len] != '"') {
        return false;
    }
    *string = (struct sl_str){start, len};
    scan->at = start + len + 1;
    return true;
}

/* ---- numbers and words ---- */

static size_t skip_digits(struct sl_scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        scan->at++;
    }
    return (size_t)(scan->at - start);
}

bool sl_scan_digits(struct sl_scan *scan, struct sl_str *text)
{
    const char *start = scan->at;

    scan->at += sl_scan_is_at(scan, '-');
    const char *first = scan->at;
    size_t whole = skip_digits(scan);

    if (whole == 0 || (whole > 1 && *first == '0')) {
        return false;
    }
    if (sl_scan_is_at(scan, '.')) {
        scan->at++;
        if (!skip_digits(scan)) {
            return false;
        }
    }
    if (sl_scan_is_at(scan, 'e') || sl_scan_is_at(scan, 'E')) {
        scan->at++;
        scan->at += sl_scan_is_at(scan, '-') || sl_scan_is_at(scan, '+');
        if (!skip_digits(scan)) {
            return false;
        }
    }
    *text = (struct sl_str){start, (size_t)(scan->at - start)};
    return true;
}

bool sl_scan_number(struct sl_scan *scan, struct sl_buf *out)
{
    struct sl_str text;

    if (!sl_scan_digits(scan, &text)) {
        return false;
    }
    return scan->is_rounding ? sl_number_add_json_rounded(out, text)
                             : sl_number_add_json(out, text);
}
