/* text.h - bytes as text in JSON, the way Go's encoding/json writes them without HTML escaping,
 * since consumers of gnmic's format have seen exactly that: short escapes where there are, U+2028
 * and U+2029 escaped, and each byte that is not UTF-8 replaced by U+FFFD.
 */
#ifndef SLUICE_NORMALISE_TEXT_H
#define SLUICE_NORMALISE_TEXT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { SL_TEXT_REPLACEMENT = 0xfffd };

/* Appends one character as it stands inside a JSON string. */
void sl_text_add_escaped_rune(struct sl_buf *buf, uint32_t rune);

/* Appends what stands inside the quotes of a JSON string; with the quotes; and bytes as base64. */
void sl_text_add_escaped(struct sl_buf *buf, struct sl_str text);
void sl_text_add_quoted(struct sl_buf *buf, struct sl_str text);
void sl_text_add_base64(struct sl_buf *buf, struct sl_str bytes);

/* As sl_text_add_escaped, but for U+2028 and U+2029, which stay: as protobuf's JSON has it. */
void sl_text_add_escaped_least(struct sl_buf *buf, struct sl_str text);

/* What encoding/json escapes for HTML, < > and &, in the finished JSON from `start` on: they stand
 * in strings alone. */
void sl_text_escape_html(struct sl_buf *buf, size_t start);

/* Whether a byte is ASCII that stands for itself in a JSON string. */
static inline bool sl_text_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* The high bit of the first byte in `word`, the lowest one, that is not plain, and perhaps of some
 * above it. */
static inline uint64_t sl_text_not_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quotes = word ^ ones * '"';
    uint64_t slashes = word ^ ones * '\\';

    return (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) |
            ((word - ones * 0x20) & ~word) | word) &
           (ones << 7);
}

/* How many bytes at the front of `text` are plain. */
static inline size_t sl_text_plain_len(struct sl_str text)
{
    size_t len = 0;
    uint64_t word;

    for (; text.len - len >= sizeof(word); len += sizeof(word)) {
        memcpy(&word, text.data + len, sizeof(word));
        uint64_t found = sl_text_not_plain(le64toh(word));
        if (found) {
            return len + (size_t)(ffsll((long long)found) - 1) / 8;
        }
    }
    while (len < text.len && sl_text_is_plain((unsigned char)text.data[len])) {
        len++;
    }
    return len;
}

#endif
