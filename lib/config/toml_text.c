/* TOML's characters: lines and blanks, comments, texts, and the parts of keys. */
#include <string.h>

#include "base/utf8.h"
#include "config/toml.h"

/* ---- places ---- */

/* Where a line is long, one column after another is asked for: counting goes on where it was. */
uint32_t sl_toml_column(struct sl_toml *toml)
{
    if (toml->counted < toml->line_start || toml->counted > toml->at) {
        toml->counted = toml->line_start;
        toml->column = 1;
    }
    for (; toml->counted < toml->at; toml->counted++) {
        toml->column += ((unsigned char)*toml->counted & 0xc0) != 0x80;
    }
    return toml->column;
}

bool sl_toml_fail(struct sl_toml *toml, const char *what)
{
    if (!toml->has_failed) {
        sl_config_error_at(toml->config, toml->line, sl_toml_column(toml), "%s", what);
    }
    toml->has_failed = true;
    return false;
}

char sl_toml_look(const struct sl_toml *toml, size_t ahead)
{
    return (size_t)(toml->end - toml->at) > ahead ? toml->at[ahead] : '\0';
}

bool sl_toml_is_at_end(const struct sl_toml *toml)
{
    return toml->at == toml->end;
}

bool sl_toml_is_at(const struct sl_toml *toml, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(toml->end - toml->at) >= len && memcmp(toml->at, word, len) == 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* One line feed, with a carriage return before it or not. */
static bool take_newline(struct sl_toml *toml)
{
    size_t len = sl_toml_look(toml, 0) == '\n' ? 1 : sl_toml_is_at(toml, "\r\n") ? 2 : 0;

    toml->at += len;
    toml->line += len > 0;
    toml->line_start = len ? toml->at : toml->line_start;
    return len > 0;
}

void sl_toml_skip_blanks(struct sl_toml *toml)
{
    while (sl_toml_look(toml, 0) == ' ' || sl_toml_look(toml, 0) == '\t') {
        toml->at++;
    }
}

static bool skip_comment(struct sl_toml *toml)
{
    if (sl_toml_look(toml, 0) == '#') {
        while (!sl_toml_is_at_end(toml) && *toml->at != '\n' && !sl_toml_is_at(toml, "\r\n")) {
            if (is_control(*toml->at)) {
                return sl_toml_fail(toml, "a control character in a comment; expected text");
            }
            toml->at++;
        }
    }
    return true;
}

/* Blanks, comments and lines: between the values of an array, and between statements. */
bool sl_toml_skip_lines(struct sl_toml *toml)
{
    do {
        sl_toml_skip_blanks(toml);
        if (!skip_comment(toml)) {
            return false;
        }
    } while (take_newline(toml));
    return true;
}

bool sl_toml_end_statement(struct sl_toml *toml)
{
    sl_toml_skip_blanks(toml);
    if (!skip_comment(toml)) {
        return false;
    }
    return sl_toml_is_at_end(toml) || take_newline(toml) ||
           sl_toml_fail(toml, "expected the end of the line; a statement has a line of its own");
}

/* ---- strings ---- */

int sl_toml_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool add_rune(struct sl_toml *toml, struct sl_buf *out, size_t digits)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < digits; i++) {
        int digit = sl_toml_hex_digit(sl_toml_look(toml, i));
        if (digit < 0) {
            return sl_toml_fail(toml,
                                "expected four hexadecimal digits behind \\u, or eight behind \\U");
        }
        rune = rune << 4 | (uint32_t)digit;
    }
    if (!rune || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) {
        return sl_toml_fail(toml, "no character of Unicode that a text here can hold");
    }
    sl_utf8_add(out, rune);
    toml->at += digits;
    return true;
}

/* Behind a backslash. */
static bool add_escape(struct sl_toml *toml, struct sl_buf *out)
{
    static const char names[] = "btnfr\"\\";
    static const char values[] = "\b\t\n\f\r\"\\";
    char c = sl_toml_look(toml, 0);
    const char *name = c ? strchr(names, c) : NULL;

    if (name) {
        sl_buf_add_byte(out, values[name - names]);
        toml->at++;
        return true;
    }
    if (c == 'u' || c == 'U') {
        toml->at++;
        return add_rune(toml, out, c == 'u' ? 4 : 8);
    }
    return sl_toml_fail(toml, "an escape that TOML does not have; a text in ' ' takes backslashes");
}

/* A backslash at the end of a line takes the line's end and all blanks behind it away. */
static bool skip_folded(struct sl_toml *toml)
{
    const struct sl_toml before = *toml;

    sl_toml_skip_blanks(toml);
    if (!take_newline(toml)) {
        *toml = before;
        return false;
    }
    do {
        sl_toml_skip_blanks(toml);
    } while (take_newline(toml));
    return true;
}

struct quotes {
    const char *mark; /* one of the four */
    bool is_literal;
    bool is_multiline;
};

/* One or two quotes may stand right before those that end a text of several lines. */
static bool is_closing(const struct sl_toml *toml, const struct quotes *quotes)
{
    return sl_toml_is_at(toml, quotes->mark) &&
           (!quotes->is_multiline || sl_toml_look(toml, 3) != quotes->mark[0]);
}

static bool add_char(struct sl_toml *toml, const struct quotes *quotes, struct sl_buf *out)
{
    if (sl_toml_is_at_end(toml)) {
        return sl_toml_fail(toml, "a text without its end; expected its closing quotes");
    }
    if (take_newline(toml)) {
        sl_buf_add_byte(out, '\n');
        return quotes->is_multiline ||
               sl_toml_fail(toml,
                            "a text that does not end in its line; expected its closing quote");
    }
    if (is_control(*toml->at)) {
        return sl_toml_fail(toml, "a control character in a text; expected an escape, such as \\n");
    }
    if (*toml->at == '\\' && !quotes->is_literal) {
        toml->at++;
        return (quotes->is_multiline && skip_folded(toml)) || add_escape(toml, out);
    }
    sl_buf_add_byte(out, *toml->at++);
    return true;
}

const char *sl_toml_read_quoted(struct sl_toml *toml, bool may_be_long)
{
    static const struct quotes kinds[] = {
        {"\"\"\"", false, true}, {"'''", true, true}, {"\"", false, false}, {"'", true, false}};
    const struct quotes *quotes = &kinds[may_be_long ? 0 : 2];
    struct sl_buf out = {0};
    const char *text = NULL;

    while (!sl_toml_is_at(toml, quotes->mark)) {
        quotes++;
    }
    toml->at += strlen(quotes->mark);
    if (quotes->is_multiline) {
        take_newline(toml);
    }
    while (!is_closing(toml, quotes) && add_char(toml, quotes, &out)) {
    }
    if (!toml->has_failed && !out.failed) {
        toml->at += strlen(quotes->mark);
        text = sl_config_copy(toml->config, sl_buf_str(&out));
    }
    if (out.failed) {
        sl_config_note_out_of_memory(toml->config);
    }
    toml->has_failed = toml->has_failed || !text;
    sl_buf_fini(&out);
    return text;
}

/* ---- keys ---- */

bool sl_toml_is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool read_part(struct sl_toml *toml, struct sl_config_node *part)
{
    size_t len = 0;

    *part = (struct sl_config_node){
        .kind = SL_CONFIG_SCALAR, .line = toml->line, .column = sl_toml_column(toml), .weight = 1};
    if (sl_toml_look(toml, 0) == '"' || sl_toml_look(toml, 0) == '\'') {
        part->text = sl_toml_read_quoted(toml, false);
        return part->text != NULL;
    }
    while (sl_toml_is_bare(sl_toml_look(toml, len))) {
        len++;
    }
    if (!len) {
        return sl_toml_fail(toml, "expected a key: letters, digits, _ and -, or a text in quotes");
    }
    part->is_plain = true;
    part->text = sl_config_copy(toml->config, (struct sl_str){toml->at, len});
    toml->at += len;
    toml->has_failed = toml->has_failed || !part->text;
    return part->text != NULL;
}

size_t sl_toml_read_key(struct sl_toml *toml, struct sl_config_node parts[SL_TOML_MAX_PARTS])
{
    for (size_t count = 0; count < SL_TOML_MAX_PARTS; count++) {
        sl_toml_skip_blanks(toml);
        if (!read_part(toml, &parts[count])) {
            return 0;
        }
        sl_toml_skip_blanks(toml);
        if (sl_toml_look(toml, 0) != '.') {
            return count + 1;
        }
        toml->at++;
    }
    sl_toml_fail(toml, "more parts in a key than a configuration has");
    return 0;
}
