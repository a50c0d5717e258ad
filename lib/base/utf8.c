#include "base/utf8.h"

#include <string.h>

/* The length that the first byte announces and the smallest character of that length. */
static size_t sequence_len(unsigned char first, uint32_t *smallest)
{
    if (first < 0x80) {
        *smallest = 0;
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        *smallest = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *smallest = 0x800;
        return 3;
    }
    *smallest = 0x10000;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t sl_utf8_decode(struct sl_str text, uint32_t *rune)
{
    static const uint8_t head_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *bytes = (const unsigned char *)text.data;
    uint32_t smallest;
    size_t len = sequence_len(bytes[0], &smallest);

    if (len == 0 || len > text.len) {
        return 0;
    }
    *rune = bytes[0] & head_mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        *rune = *rune << 6 | (bytes[i] & 0x3f);
    }
    bool is_surrogate = *rune >= 0xd800 && *rune < 0xe000;

    return *rune < smallest || *rune > 0x10ffff || is_surrogate ? 0 : len;
}

/* How many bytes at the front are ASCII: whole words of eight. */
static size_t ascii_words_len(struct sl_str text)
{
    size_t len = 0;
    uint64_t word;

    for (; text.len - len >= sizeof(word); len += sizeof(word)) {
        memcpy(&word, text.data + len, sizeof(word));
        if (word & UINT64_C(0x8080808080808080)) {
            break;
        }
    }
    return len;
}

bool sl_utf8_is_valid(struct sl_str text)
{
    size_t at = ascii_words_len(text);
    uint32_t rune;

    while (at < text.len) {
        size_t len = sl_utf8_decode((struct sl_str){text.data + at, text.len - at}, &rune);
        if (!len) {
            return false;
        }
        at += len;
    }
    return true;
}

void sl_utf8_add(struct sl_buf *buf, uint32_t rune)
{
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    unsigned tail = rune < 0x80 ? 0 : rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;

    sl_buf_add_byte(buf, (char)(heads[tail] | rune >> (6 * tail)));
    while (tail--) {
        sl_buf_add_byte(buf, (char)(0x80 | (rune >> (6 * tail) & 0x3f)));
    }
}
