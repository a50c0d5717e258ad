#include "base/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

static const char letters_of_base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sl_base64_encode(struct sl_str bytes, struct sl_buf *out)
{
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t count = sl_min_size(bytes.len - at, 3);
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) {
            group = group << 8 | (i < count ? (unsigned char)bytes.data[at + i] : 0);
        }
        for (size_t i = 0; i <= count; i++) {
            sl_buf_add_byte(out, letters_of_base64[group >> (18 - 6 * i) & 63]);
        }
    }
}

/* Without the padding, if it is the right one. */
static struct sl_str unpadded(struct sl_str text)
{
    if (text.len % 4 == 0 && text.len > 0 && text.data[text.len - 1] == '=') {
        text.len -= text.data[text.len - 2] == '=' ? 2 : 1;
    }
    return text;
}

bool sl_base64_decode(struct sl_str text, struct sl_buf *out)
{
    struct sl_str letters = unpadded(text);
    uint32_t group = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < letters.len; i++) {
        const char *found = letters.data[i] ? strchr(letters_of_base64, letters.data[i]) : NULL;
        if (!found) {
            return false;
        }
        group = group << 6 | (uint32_t)(found - letters_of_base64);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sl_buf_add_byte(out, (char)(group >> bits));
        }
    }
    return letters.len % 4 != 1 && !out->failed;
}
