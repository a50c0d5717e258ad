#include "normalise/text.h"

#include <string.h>

/* Whether a byte is ASCII that a JSON string holds as it is. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

size_t sl_text_plain_len(struct sl_str text)
{
    size_t len = 0;

    while (len < text.len && is_plain((unsigned char)text.data[len])) {
        len++;
    }
    return len;
}

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

size_t sl_text_decode(struct sl_str text, uint32_t *rune)
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

bool sl_text_is_utf8(struct sl_str text)
{
    size_t at = ascii_words_len(text);
    uint32_t rune;

    while (at < text.len) {
        size_t len = sl_text_decode((struct sl_str){text.data + at, text.len - at}, &rune);
        if (!len) {
            return false;
        }
        at += len;
    }
    return true;
}

void sl_text_add_rune(struct sl_buf *buf, uint32_t rune)
{
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    unsigned tail = rune < 0x80 ? 0 : rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;

    sl_buf_add_byte(buf, (char)(heads[tail] | rune >> (6 * tail)));
    while (tail--) {
        sl_buf_add_byte(buf, (char)(0x80 | (rune >> (6 * tail) & 0x3f)));
    }
}

static void add_numbered(struct sl_buf *buf, uint32_t rune)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u'};

    for (unsigned i = 0; i < 4; i++) {
        escape[2 + i] = digits[rune >> (12 - 4 * i) & 0xf];
    }
    sl_buf_add(buf, escape, sizeof(escape));
}

static bool add_short(struct sl_buf *buf, uint32_t rune)
{
    static const char shorts[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                  ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};

    if (rune >= sizeof(shorts) || !shorts[rune]) {
        return false;
    }
    sl_buf_add_byte(buf, '\\');
    sl_buf_add_byte(buf, shorts[rune]);
    return true;
}

void sl_text_add_escaped_rune(struct sl_buf *buf, uint32_t rune)
{
    if (add_short(buf, rune)) {
        return;
    }
    if (rune < 0x20 || rune == 0x2028 || rune == 0x2029) {
        add_numbered(buf, rune);
    } else {
        sl_text_add_rune(buf, rune);
    }
}

static void add_escaped(struct sl_buf *buf, struct sl_str text, bool keeps_separators)
{
    while (text.len) {
        size_t len = sl_text_plain_len(text);
        uint32_t rune;

        sl_buf_add(buf, text.data, len);
        text = (struct sl_str){text.data + len, text.len - len};
        if (!text.len) {
            return;
        }
        len = sl_text_decode(text, &rune);
        rune = len ? rune : SL_TEXT_REPLACEMENT;
        if (keeps_separators && rune >= 0x80) {
            sl_text_add_rune(buf, rune);
        } else {
            sl_text_add_escaped_rune(buf, rune);
        }
        len = len ? len : 1;
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

void sl_text_add_escaped(struct sl_buf *buf, struct sl_str text)
{
    add_escaped(buf, text, false);
}

void sl_text_add_escaped_least(struct sl_buf *buf, struct sl_str text)
{
    add_escaped(buf, text, true);
}

void sl_text_add_quoted(struct sl_buf *buf, struct sl_str text)
{
    sl_buf_add_byte(buf, '"');
    sl_text_add_escaped(buf, text);
    sl_buf_add_byte(buf, '"');
}

void sl_text_add_base64(struct sl_buf *buf, struct sl_str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes.data;

    for (size_t left = bytes.len; left; at += 3, left -= left < 3 ? left : 3) {
        uint32_t group = (uint32_t)at[0] << 16;
        group |= left > 1 ? (uint32_t)at[1] << 8 : 0;
        group |= left > 2 ? at[2] : 0;
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        sl_buf_add(buf, text, sizeof(text));
    }
}

void sl_text_escape_html(struct sl_buf *buf, size_t start)
{
    enum { MORE_BYTES = 5 };
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;

    for (size_t i = start; i < buf->len; i++) {
        count += buf->data[i] == '<' || buf->data[i] == '>' || buf->data[i] == '&';
    }
    if (!count || !sl_buf_reserve(buf, count * MORE_BYTES)) {
        return;
    }
    size_t from = buf->len;
    size_t to = buf->len += count * MORE_BYTES;

    while (from < to) {
        char byte = buf->data[--from];
        if (byte == '<' || byte == '>' || byte == '&') {
            to -= 1 + MORE_BYTES;
            memcpy(buf->data + to, "\\u00", 4);
            buf->data[to + 4] = digits[byte >> 4];
            buf->data[to + 5] = digits[byte & 0xf];
        } else {
            buf->data[--to] = byte;
        }
    }
}
