#include "gnmi/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gnmi/request.h"

struct parser {
    struct sl_str text;
    size_t at;
    struct sl_buf word; /* the name or value under way, unescaped */
    struct sl_status *why;
};

static bool fail(struct parser *parser, size_t at, const char *what)
{
    *parser->why = sl_status_error(SL_INVALID_ARGUMENT, "%s at byte %zu of the path", what, at + 1);
    return false;
}

static bool fail_memory(struct parser *parser)
{
    *parser->why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a path");
    return false;
}

static bool is_done(const struct parser *parser)
{
    return parser->at == parser->text.len;
}

static bool is_at(const struct parser *parser, char byte)
{
    return !is_done(parser) && parser->text.data[parser->at] == byte;
}

/* ---- words ---- */

static void add_utf8(struct sl_buf *buf, uint32_t rune)
{
    if (rune < 0x80) {
        sl_buf_add_byte(buf, (char)rune);
        return;
    }
    unsigned tail = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};

    sl_buf_add_byte(buf, (char)(heads[tail] | rune >> (6 * tail)));
    while (tail--) {
        sl_buf_add_byte(buf, (char)(0x80 | (rune >> (6 * tail) & 0x3f)));
    }
}

static int hex_of(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static bool add_numbered(struct parser *parser, size_t start, size_t digits)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < digits; i++, parser->at++) {
        int digit = is_done(parser) ? -1 : hex_of(parser->text.data[parser->at]);
        if (digit < 0) {
            return fail(parser, start, "a \\u without its hexadecimal digits");
        }
        rune = rune << 4 | (uint32_t)digit;
    }
    if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
        return fail(parser, start, "not the number of a character");
    }
    add_utf8(&parser->word, rune);
    return true;
}

static bool add_escape(struct parser *parser)
{
    size_t start = parser->at++;

    if (is_done(parser)) {
        return fail(parser, start, "a backslash with nothing behind it");
    }
    char byte = parser->text.data[parser->at++];
    switch (byte) {
    case ']':
    case '[':
    case '/':
    case '=':
    case '\\':
        sl_buf_add_byte(&parser->word, byte);
        return true;
    case 'n':
        sl_buf_add_byte(&parser->word, '\n');
        return true;
    case 'r':
        sl_buf_add_byte(&parser->word, '\r');
        return true;
    case 'u':
        return add_numbered(parser, start, 4);
    case 'U':
        return add_numbered(parser, start, 8);
    default:
        return fail(parser, start, "an unknown escape");
    }
}

/* Up to one of `stops`, or the end; a copy of it on the heap. NULL with the reason. */
static char *read_word(struct parser *parser, const char *stops)
{
    sl_buf_reset(&parser->word);
    while (!is_done(parser) && !strchr(stops, parser->text.data[parser->at])) {
        if (!is_at(parser, '\\')) {
            sl_buf_add_byte(&parser->word, parser->text.data[parser->at++]);
        } else if (!add_escape(parser)) {
            return NULL;
        }
    }
    char *word = parser->word.failed ? NULL : sl_str_dup(sl_buf_str(&parser->word));

    if (!word) {
        (void)fail_memory(parser);
    }
    return word;
}

/* ---- elements ---- */

static bool is_new_key(const Gnmi__PathElem *elem, const char *name)
{
    for (size_t i = 0; i + 1 < elem->n_key; i++) {
        if (strcmp(elem->key[i]->key, name) == 0) {
            return false;
        }
    }
    return true;
}

static Gnmi__PathElem__KeyEntry *add_key(struct parser *parser, Gnmi__PathElem *elem)
{
    Gnmi__PathElem__KeyEntry **keys = realloc(elem->key, (elem->n_key + 1) * sizeof(*keys));
    Gnmi__PathElem__KeyEntry *key = malloc(sizeof(*key));

    elem->key = keys ? keys : elem->key;
    if (!keys || !key) {
        free(key);
        (void)fail_memory(parser);
        return NULL;
    }
    gnmi__path_elem__key_entry__init(key);
    elem->key[elem->n_key++] = key;
    return key;
}

/* [name=value] */
static bool read_key(struct parser *parser, Gnmi__PathElem *elem)
{
    size_t start = parser->at++;
    Gnmi__PathElem__KeyEntry *key = add_key(parser, elem);
    char *word = key ? read_word(parser, "=[]/") : NULL;

    if (!word) {
        return false;
    }
    key->key = word;
    if (!*word) {
        return fail(parser, start + 1, "a key without a name");
    }
    if (!is_new_key(elem, word)) {
        return fail(parser, start + 1, "a key for the second time");
    }
    if (!is_at(parser, '=')) {
        return fail(parser, parser->at, "'=' is missing behind the name of a key");
    }
    parser->at++;
    word = read_word(parser, "]");
    if (!word) {
        return false;
    }
    key->value = word;
    if (!is_at(parser, ']')) {
        return fail(parser, start, "a '[' without its ']'");
    }
    parser->at++;
    return true;
}

static bool read_keys(struct parser *parser, Gnmi__PathElem *elem)
{
    while (is_at(parser, '[')) {
        if (!read_key(parser, elem)) {
            return false;
        }
    }
    return is_done(parser) || is_at(parser, '/') ||
           fail(parser, parser->at, "neither '/' nor '[' behind a ']'");
}

static Gnmi__PathElem *add_elem(struct parser *parser, Gnmi__Path *path)
{
    Gnmi__PathElem **elems = realloc(path->elem, (path->n_elem + 1) * sizeof(*elems));
    Gnmi__PathElem *elem = malloc(sizeof(*elem));

    path->elem = elems ? elems : path->elem;
    if (!elems || !elem) {
        free(elem);
        (void)fail_memory(parser);
        return NULL;
    }
    gnmi__path_elem__init(elem);
    path->elem[path->n_elem++] = elem;
    return elem;
}

static bool read_elem(struct parser *parser, Gnmi__Path *path)
{
    size_t start = parser->at;
    Gnmi__PathElem *elem = add_elem(parser, path);
    char *name = elem ? read_word(parser, "/[]") : NULL;

    if (!name) {
        return false;
    }
    elem->name = name;
    if (is_at(parser, ']')) {
        return fail(parser, parser->at, "a ']' without its '['");
    }
    if (!*name) {
        return fail(parser, start, "an element without a name");
    }
    return read_keys(parser, elem);
}

/* ---- the whole ---- */

static bool read_origin(struct parser *parser, Gnmi__Path *path)
{
    struct sl_str found = sl_gnmi_path_origin(parser->text);

    if (found.len) {
        char *origin = sl_str_dup(found);
        if (!origin) {
            return fail_memory(parser);
        }
        path->origin = origin;
        parser->at = found.len + 1;
    }
    return true;
}

static bool read_elems(struct parser *parser, Gnmi__Path *path)
{
    if (is_at(parser, '/')) {
        parser->at++;
    }
    while (!is_done(parser)) {
        if (!read_elem(parser, path)) {
            return false;
        }
        if (is_at(parser, '/')) {
            parser->at++;
            if (is_done(parser)) {
                return fail(parser, parser->at - 1, "a '/' with nothing behind it");
            }
        }
    }
    return true;
}

static bool check_text(struct parser *parser)
{
    if (parser->text.len > SL_GNMI_MAX_TEXT_BYTES) {
        *parser->why = sl_status_error(SL_INVALID_ARGUMENT, "a path of more than %d bytes",
                                       (int)SL_GNMI_MAX_TEXT_BYTES);
        return false;
    }
    const char *zero = parser->text.len ? memchr(parser->text.data, 0, parser->text.len) : NULL;

    return !zero || fail(parser, (size_t)(zero - parser->text.data), "a zero byte");
}

/* What stands before the first colon, with '/' or nothing behind it. */
struct sl_str sl_gnmi_path_origin(struct sl_str text)
{
    for (size_t i = 0; i < text.len && !strchr("/[]\\", text.data[i]); i++) {
        if (text.data[i] == ':') {
            bool is_origin = i + 1 == text.len || text.data[i + 1] == '/';
            return (struct sl_str){text.data, is_origin ? i : 0};
        }
    }
    return (struct sl_str){text.data, 0};
}

Gnmi__Path *sl_gnmi_path_parse(struct sl_str text, struct sl_status *why)
{
    struct parser parser = {.text = text, .why = why};
    Gnmi__Path *path = malloc(sizeof(*path));

    *why = sl_status_ok();
    if (!path) {
        (void)fail_memory(&parser);
        return NULL;
    }
    gnmi__path__init(path);
    if (!check_text(&parser) || !read_origin(&parser, path) || !read_elems(&parser, path)) {
        gnmi__path__free_unpacked(path, NULL);
        path = NULL;
    }
    sl_buf_fini(&parser.word);
    return path;
}
