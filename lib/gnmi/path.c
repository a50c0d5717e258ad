#include "gnmi/path.h"

#include <string.h>

void sl_gnmi_path_read(struct sl_str bytes, struct sl_gnmi_path *path)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    *path = (struct sl_gnmi_path){.elems = wire};
    while (sl_wire_next(&wire, &field)) {
        if (field.type != SL_WIRE_BYTES) {
            continue;
        }
        switch (field.number) {
        case 2:
            path->origin = field.bytes;
            break;
        case 3:
            path->has_elem = true;
            break;
        case 4:
            path->target = field.bytes;
            break;
        case SL_GNMI_PATH_LABELS:
            path->labels = sl_wire_of(bytes);
            break;
        default:
            break;
        }
    }
}

/* The name of a PathElem, and where its first field is. */
static void read_elem(struct sl_str bytes, struct sl_gnmi_elem *elem)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    elem->name = (struct sl_str){0};
    elem->keys = wire;
    elem->text_keys = (struct sl_str){0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            elem->name = field.bytes;
        }
    }
}

/* The key at the front of `text`, which it is taken from. */
static bool take_text_key(struct sl_str *text, struct sl_gnmi_key *key)
{
    const char *close = text->len ? memchr(text->data, ']', text->len) : NULL;

    if (!close || text->data[0] != '[') {
        return false;
    }
    size_t len = (size_t)(close - text->data);
    const char *equals = memchr(text->data, '=', len);

    if (!equals || equals == text->data + 1) {
        return false;
    }
    size_t name_len = (size_t)(equals - text->data) - 1;

    key->name = (struct sl_str){text->data + 1, name_len};
    key->value = (struct sl_str){equals + 1, len - name_len - 2};
    *text = (struct sl_str){close + 1, text->len - len - 1};
    return true;
}

static void read_text_elem(struct sl_str text, struct sl_gnmi_elem *elem)
{
    const char *bracket = text.len ? memchr(text.data, '[', text.len) : NULL;
    struct sl_gnmi_key key;

    *elem = (struct sl_gnmi_elem){.name = text};
    if (!bracket || memchr(text.data, '\\', text.len)) {
        return;
    }
    size_t name_len = (size_t)(bracket - text.data);
    struct sl_str keys = {bracket, text.len - name_len};
    struct sl_str rest = keys;

    while (take_text_key(&rest, &key)) {
    }
    if (rest.len == 0) {
        elem->name.len = name_len;
        elem->text_keys = keys;
    }
}

bool sl_gnmi_path_next(struct sl_gnmi_path *path, struct sl_gnmi_elem *elem)
{
    struct sl_wire_field field = {0}; /* gcc -O3 does not see that sl_wire_next fills it */

    while (sl_wire_next(&path->elems, &field)) {
        if (path->has_elem && sl_wire_is(&field, 3, SL_WIRE_BYTES)) {
            read_elem(field.bytes, elem);
            return true;
        }
        if (!path->has_elem && sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            read_text_elem(field.bytes, elem);
            return true;
        }
    }
    return false;
}

static void read_key(struct sl_str entry, struct sl_gnmi_key *key)
{
    struct sl_wire wire = sl_wire_of(entry);
    struct sl_wire_field field;

    *key = (struct sl_gnmi_key){0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            key->name = field.bytes;
        } else if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            key->value = field.bytes;
        }
    }
}

bool sl_gnmi_elem_next_key(struct sl_gnmi_elem *elem, struct sl_gnmi_key *key)
{
    struct sl_wire_field field;

    while (sl_wire_next(&elem->keys, &field)) {
        if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            read_key(field.bytes, key);
            return true;
        }
    }
    return take_text_key(&elem->text_keys, key);
}

bool sl_gnmi_path_next_label(struct sl_gnmi_path *path, struct sl_gnmi_key *label)
{
    struct sl_wire_field field;

    while (sl_wire_next(&path->labels, &field)) {
        if (sl_wire_is(&field, SL_GNMI_PATH_LABELS, SL_WIRE_BYTES)) {
            read_key(field.bytes, label);
            return true;
        }
    }
    return false;
}

void sl_gnmi_path_add_without_labels(struct sl_buf *out, struct sl_str bytes)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        if (field.number != SL_GNMI_PATH_LABELS) {
            sl_buf_add(out, at, (size_t)(wire.at - at));
        }
    }
}

/* How many bytes at the front are an identifier. */
static size_t identifier_len(struct sl_str text)
{
    size_t len = 0;

    for (; len < text.len; len++) {
        char byte = text.data[len];
        bool is_letter =
            (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
        bool is_later = (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
        if (!is_letter && !(is_later && len)) {
            break;
        }
    }
    return len;
}

struct sl_str sl_gnmi_module_of(struct sl_str name)
{
    size_t len = identifier_len(name);
    struct sl_str none = {name.data, 0};

    if (len == 0 || len + 1 >= name.len || name.data[len] != ':') {
        return none;
    }
    struct sl_str rest = {name.data + len + 1, name.len - len - 1};
    bool is_whole = identifier_len(rest) == rest.len;

    return is_whole ? (struct sl_str){name.data, len} : none;
}

struct sl_str sl_gnmi_without_module(struct sl_str name)
{
    size_t len = sl_gnmi_module_of(name).len;

    return len ? (struct sl_str){name.data + len + 1, name.len - len - 1} : name;
}

/* Puts the key where it belongs in the order; one of the same name gives way. False: too many. */
static bool insert_key(struct sl_gnmi_key *keys, size_t *count, const struct sl_gnmi_key *key)
{
    size_t from = 0;
    size_t to = *count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = sl_str_cmp(keys[middle].name, key->name);
        if (order == 0) {
            keys[middle].value = key->value;
            return true;
        }
        from = order < 0 ? middle + 1 : from;
        to = order < 0 ? to : middle;
    }
    if (*count == SL_GNMI_MAX_KEYS) {
        return false;
    }
    memmove(&keys[from + 1], &keys[from], (*count - from) * sizeof(keys[0]));
    keys[from] = *key;
    ++*count;
    return true;
}

bool sl_gnmi_elem_sort_keys(struct sl_gnmi_elem *elem, struct sl_gnmi_key keys[SL_GNMI_MAX_KEYS],
                            size_t *count)
{
    struct sl_gnmi_key key;

    *count = 0;
    while (sl_gnmi_elem_next_key(elem, &key)) {
        if (!insert_key(keys, count, &key)) {
            return false;
        }
    }
    return true;
}
