#include "normalise/record_path.h"

#include <string.h>

#include "gnmi/path.h"
#include "gnmi/pack.h"
#include "normalise/record_fields.h"
#include "normalise/text.h"

enum { KEPT_BYTES = 64 * 1024 };

/* What a backslash stands in front of, beside itself. */
static const char *const in_origin = "/[]:";
static const char *const in_name = "/[]";
static const char *const in_key = "/[]=";
static const char *const in_value = "]";

/* ---- text ---- */

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
    size_t len = sl_text_decode(text, &rune);

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

void sl_record_path_add_name(struct sl_buf *buf, struct sl_str name)
{
    add_escaped(buf, name, in_name);
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

static bool add_elems(struct sl_buf *buf, struct sl_gnmi_path *path)
{
    struct sl_gnmi_elem elem;

    while (!buf->failed && sl_gnmi_path_next(path, &elem)) {
        sl_buf_add_byte(buf, '/');
        sl_record_path_add_name(buf, elem.name);
        if (!add_keys(buf, &elem)) {
            return false;
        }
    }
    return !buf->failed;
}

/* ---- fields ---- */

static void add_field(struct sl_buf *fields, uint32_t number, struct sl_str text)
{
    if (text.len) {
        size_t start = sl_pack_begin(fields, number);
        add_escaped(fields, text, in_value);
        sl_pack_end(fields, start);
    }
}

/* The whole text of a path whose elements are `elems`, and where it stands. */
static void add_text(struct sl_record_path *path, uint32_t number, struct sl_str origin,
                     struct sl_fragment *fragment)
{
    struct sl_buf *fields = &path->fields;
    size_t start = sl_pack_begin(fields, number);

    if (origin.len) {
        add_escaped(fields, origin, in_origin);
        sl_buf_add_byte(fields, ':');
    }
    if (path->elems.len) {
        sl_buf_add_str(fields, sl_buf_str(&path->elems));
    } else {
        sl_buf_add_byte(fields, '/');
    }
    fragment->key_len = (uint32_t)(fields->len - start);
    sl_pack_end(fields, start);
    fragment->key_at = (uint32_t)fields->len - fragment->key_len;
}

static bool end_fields(struct sl_record_path *path, struct sl_fragment *fragment)
{
    fragment->text = path->fields.data;
    fragment->len = (uint32_t)path->fields.len;
    fragment->tags_len = 0;
    return !path->fields.failed;
}

/* ---- public ---- */

void sl_record_path_init(struct sl_record_path *path)
{
    *path = (struct sl_record_path){0};
    sl_buf_init(&path->fields, SL_RECORD_PATH_MAX_BYTES);
    sl_buf_init(&path->elems, SL_RECORD_PATH_MAX_BYTES);
}

void sl_record_path_fini(struct sl_record_path *path)
{
    sl_buf_fini(&path->fields);
    sl_buf_fini(&path->elems);
}

bool sl_record_path_begin(struct sl_record_path *path, struct sl_str prefix)
{
    struct sl_gnmi_path read;

    sl_buf_trim(&path->fields, KEPT_BYTES);
    sl_buf_trim(&path->elems, KEPT_BYTES);
    sl_gnmi_path_read(prefix, &read);
    path->origin = read.origin;
    bool is_ok = add_elems(&path->elems, &read);

    path->prefix_len = path->elems.len;
    return is_ok;
}

bool sl_record_path_prefix(struct sl_record_path *path, struct sl_str prefix,
                           struct sl_fragment *fragment)
{
    struct sl_gnmi_path read;

    if (!sl_record_path_begin(path, prefix)) {
        return false;
    }
    sl_gnmi_path_read(prefix, &read);
    add_text(path, SL_RECORD_PREFIX, read.origin, fragment);
    add_field(&path->fields, SL_RECORD_PREFIX_TARGET, read.target);
    add_field(&path->fields, SL_RECORD_PREFIX_ORIGIN, read.origin);
    return end_fields(path, fragment);
}

bool sl_record_path_build(struct sl_record_path *path, struct sl_str bytes,
                          struct sl_fragment *fragment)
{
    struct sl_gnmi_path read;

    SL_ASSERT(path->elems.len >= path->prefix_len);
    sl_buf_trim(&path->fields, KEPT_BYTES);
    path->elems.len = path->prefix_len;
    path->elems.failed = false;
    sl_gnmi_path_read(bytes, &read);
    if (!add_elems(&path->elems, &read)) {
        return false;
    }
    add_text(path, SL_RECORD_UPDATE_PATH, read.origin.len ? read.origin : path->origin, fragment);
    add_field(&path->fields, SL_RECORD_UPDATE_PATH_TARGET, read.target);
    return end_fields(path, fragment);
}

size_t sl_record_path_cost(const struct sl_record_path *path)
{
    return path->fields.len + (path->elems.len - path->prefix_len);
}
