#include "gnmi/path_print.h"

#include <string.h>

#include "base/utf8.h"

/* What a backslash stands in front of, beside itself. */
static const char *const in_origin = "/[]:";
static const char *const in_name = "/[]";
static const char *const in_key = "/[]=";
static const char *const in_value = "]";

/* ---- words ---- */

static void add_broken_byte(struct sl_buf *buf, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};

    sl_buf_add(buf, escape, sizeof(escape));
}

static void add_ascii(struct sl_buf *buf, char byte, const char *specials)
{
    if (byte == '\n' || byte == '\r') {
        sl_buf_add_c(buf, byte == '\n' ? "\\n" : "\\r");
        return;
    }
    if (byte == '\\' || (byte && strchr(specials, byte))) {
        sl_buf_add_byte(buf, '\\');
    }
    sl_buf_add_byte(buf, byte);
}

/* How many bytes at the front stand for themselves wherever in a path they are. */
static size_t plain_len(struct sl_str text)
{
    static const bool is_special[128] = {
        ['\\'] = true, ['/'] = true, ['['] = true, [']'] = true, ['='] = true, [':'] = true};
    size_t len = 0;

    for (; len < text.len; len++) {
        unsigned char byte = (unsigned char)text.data[len];
        if (byte < 0x20 || byte >= 0x80 || is_special[byte]) {
            break;
        }
    }
    return len;
}

/* The first character; returns its length. */
static size_t add_character(struct sl_buf *buf, struct sl_str text, const char *specials)
{
    uint32_t rune;
    size_t len = sl_utf8_decode(text, &rune);

    if (len == 0) {
        add_broken_byte(buf, (unsigned char)*text.data);
        return 1;
    }
    if (len == 1) {
        add_ascii(buf, *text.data, specials);
    } else {
        sl_buf_add(buf, text.data, len);
    }
    return len;
}

static void add_escaped(struct sl_buf *buf, struct sl_str text, const char *specials)
{
    while (text.len) {
        size_t len = plain_len(text);
        if (len) {
            sl_buf_add(buf, text.data, len);
        } else {
            len = add_character(buf, text, specials);
        }
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

void sl_gnmi_print_name(struct sl_buf *out, struct sl_str name)
{
    add_escaped(out, name, in_name);
}

void sl_gnmi_print_word(struct sl_buf *out, struct sl_str word)
{
    add_escaped(out, word, in_value);
}

void sl_gnmi_print_origin(struct sl_buf *out, struct sl_str origin)
{
    if (origin.len) {
        add_escaped(out, origin, in_origin);
        sl_buf_add_byte(out, ':');
    }
}

/* ---- elements ---- */

static bool add_keys(struct sl_buf *buf, struct sl_gnmi_elem *elem)
{
    struct sl_gnmi_key keys[SL_GNMI_MAX_KEYS];
    size_t count;

    if (!sl_gnmi_elem_sort_keys(elem, keys, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_byte(buf, '[');
        add_escaped(buf, keys[i].name, in_key);
        sl_buf_add_byte(buf, '=');
        add_escaped(buf, keys[i].value, in_value);
        sl_buf_add_byte(buf, ']');
    }
    if (!count && !elem->name.len) {
        sl_buf_add_c(buf, "[]");
    }
    return true;
}

bool sl_gnmi_print_elems(struct sl_buf *out, struct sl_gnmi_path *path)
{
    struct sl_gnmi_elem elem;

    while (!out->failed && sl_gnmi_path_next(path, &elem)) {
        sl_buf_add_byte(out, '/');
        sl_gnmi_print_name(out, elem.name);
        if (!add_keys(out, &elem)) {
            return false;
        }
    }
    return !out->failed;
}

bool sl_gnmi_path_print(struct sl_str prefix, struct sl_str path, struct sl_buf *out)
{
    struct sl_gnmi_path before;
    struct sl_gnmi_path read;
    size_t start;

    sl_gnmi_path_read(prefix, &before);
    sl_gnmi_path_read(path, &read);
    sl_gnmi_print_origin(out, read.origin.len ? read.origin : before.origin);
    start = out->len;
    if (!sl_gnmi_print_elems(out, &before) || !sl_gnmi_print_elems(out, &read)) {
        return false;
    }
    if (out->len == start) {
        sl_buf_add_byte(out, '/');
    }
    return !out->failed;
}
