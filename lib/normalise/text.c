#include "normalise/text.h"

#include <string.h>

#include "base/utf8.h"

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
        sl_utf8_add(buf, rune);
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
        len = sl_utf8_decode(text, &rune);
        rune = len ? rune : SL_TEXT_REPLACEMENT;
        if (keeps_separators && rune >= 0x80) {
            sl_utf8_add(buf, rune);
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
