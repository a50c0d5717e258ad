#include "gnmi/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "gnmi/request.h"

struct parser {
    struct sl_str text;
    size_t at;
    struct sl_buf word; /* the name or value under way, unescaped */
    size_t wrong_at;    /* where it is wrong */
    struct sl_status *why;
};

static bool fail(struct parser *parser, size_t at, const char *what)
{
    parser->wrong_at = at;
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

static bool read_number(struct parser *parser, size_t digits, uint32_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits; i++, parser->at++) {
        int digit = is_done(parser) ? -1 : hex_of(parser->text.data[parser->at]);
        if (digit < 0) {
            return false;
        }
        *number = *number << 4 | (uint32_t)digit;
    }
    return true;
}

static bool add_numbered(struct parser *parser, size_t start, size_t digits)
{
    uint32_t rune;

    if (!read_number(parser, digits, &rune)) {
        return fail(parser, start, "a \\u without its hexadecimal digits");
    }
    if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
        return fail(parser, start, "not the number of a character");
    }
    sl_utf8_add(&parser->word, rune);
    return true;
}

static bool add_byte(struct parser *parser, size_t start)
{
    uint32_t byte;

    if (!read_number(parser, 2, &byte)) {
        return fail(parser, start, "a \\x without its two hexadecimal digits");
    }
    if (byte == 0) {
        return fail(parser, start, "a zero byte");
    }
    sl_buf_add_byte(&parser->word, (char)byte);
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
    case ':':
    case '\\':
        sl_buf_add_byte(&parser->word, byte);
        return true;
    case 'n':
        sl_buf_add_byte(&parser->word, '\n');
        return true;
    case 'r':
        sl_buf_add_byte(&parser->word, '\r');
        return true;
    case 'x':
        return add_byte(parser, start);
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

static bool end_elem(struct parser *parser)
{
    return is_done(parser) || is_at(parser, '/') ||
           fail(parser, parser->at, "neither '/' nor '[' behind a ']'");
}

static bool read_keys(struct parser *parser, Gnmi__PathElem *elem)
{
    while (is_at(parser, '[')) {
        if (!read_key(parser, elem)) {
            return false;
        }
    }
    return end_elem(parser);
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

/* "[]", which stands for an element with neither name nor key. */
static bool take_nothing(struct parser *parser)
{
    struct sl_str rest = {parser->text.data + parser->at, parser->text.len - parser->at};
    bool is_there = sl_str_starts_with(rest, SL_STR("[]"));

    parser->at += is_there ? 2 : 0;
    return is_there;
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
    if (!*name && !is_at(parser, '[')) {
        return fail(parser, start, "an element without a name");
    }
    if (!*name && take_nothing(parser)) {
        return end_elem(parser);
    }
    return read_keys(parser, elem);
}

/* ---- the whole ---- */

static bool is_command(struct sl_str text)
{
    struct sl_str mark = SL_STR("cli:");

    return text.len > mark.len && sl_str_starts_with(text, mark) && text.data[mark.len] != '/';
}

static bool read_origin(struct parser *parser, Gnmi__Path *path)
{
    char *origin;

    if (!sl_gnmi_path_origin(parser->text).len) {
        return true;
    }
    origin = read_word(parser, ":");
    if (!origin) {
        return false;
    }
    path->origin = origin;
    parser->at++;
    return true;
}

/* What is behind "cli:" without a '/': a command, one element as it stands. */
static bool read_command(struct parser *parser, Gnmi__Path *path)
{
    struct sl_str rest = {parser->text.data + parser->at, parser->text.len - parser->at};
    Gnmi__PathElem *elem = add_elem(parser, path);
    char *name = elem ? sl_str_dup(rest) : NULL;

    if (elem && !name) {
        return fail_memory(parser);
    }
    if (elem) {
        elem->name = name;
    }
    return name != NULL;
}

static bool read_elems(struct parser *parser, Gnmi__Path *path)
{
    if (is_command(parser->text)) {
        return read_command(parser, path);
    }
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

/* What stands before the first colon, with '/' or nothing behind it; "cli" before anything. */
struct sl_str sl_gnmi_path_origin(struct sl_str text)
{
    for (size_t i = 0; i < text.len && !strchr("/[]", text.data[i]); i++) {
        if (text.data[i] == ':') {
            bool is_origin = i + 1 == text.len || text.data[i + 1] == '/' || is_command(text);
            return (struct sl_str){text.data, is_origin ? i : 0};
        }
        i += text.data[i] == '\\' ? 1 : 0;
    }
    return (struct sl_str){text.data, 0};
}

Gnmi__Path *sl_gnmi_path_parse(struct sl_str text, struct sl_status *why)
{
    size_t wrong_at;

    return sl_gnmi_path_parse_at(text, why, &wrong_at);
}

Gnmi__Path *sl_gnmi_path_parse_at(struct sl_str text, struct sl_status *why, size_t *wrong_at)
{
    struct parser parser = {.text = text, .why = why};
    Gnmi__Path *path = malloc(sizeof(*path));

    *why = sl_status_ok();
    if (path) {
        gnmi__path__init(path);
    } else {
        (void)fail_memory(&parser);
    }
    if (path &&
        (!check_text(&parser) || !read_origin(&parser, path) || !read_elems(&parser, path))) {
        gnmi__path__free_unpacked(path, NULL);
        path = NULL;
    }
    *wrong_at = parser.wrong_at;
    sl_buf_fini(&parser.word);
    return path;
}
