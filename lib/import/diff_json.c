/* A JSON object (RFC 8259) as a record: its scalars, and what is empty, each under its name. */
#include <string.h>

#include "import/diff_internal.h"

struct reader {
    struct sl_diff_flat *flat;
    struct sl_str text;
    size_t at;
    size_t depth;
    struct sl_buf *value; /* of the scalar under way */
    const char *error;
};

static bool read_value(struct reader *reader);

static bool fail(struct reader *reader, const char *error)
{
    reader->error = reader->error ? reader->error : error;
    return false;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->text.len && memchr(" \t\r\n", reader->text.data[reader->at], 4)) {
        reader->at++;
    }
}

/* Whether the next character is that; it is used up. */
static bool eat(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at < reader->text.len && reader->text.data[reader->at] == c) {
        reader->at++;
        return true;
    }
    return false;
}

static struct sl_str rest(const struct reader *reader)
{
    return (struct sl_str){reader->text.data + reader->at, reader->text.len - reader->at};
}

/* ---- texts ---- */

/* The four digits of \uXXXX. */
static bool read_unit(struct reader *reader, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        char c = reader->at < reader->text.len ? reader->text.data[reader->at] : 0;
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *found = c ? strchr(digits, c) : NULL;
        if (!found) {
            return fail(reader, "expected four hexadecimal digits behind \\u");
        }
        *unit = *unit * 16 + (uint32_t)(found - digits) % 16;
    }
    return true;
}

static bool is_half(uint32_t unit, uint32_t first)
{
    return unit >= first && unit < first + 0x400;
}

/* Behind \u: one character, maybe of two halves; a half alone is U+FFFD. */
static bool read_escaped_rune(struct reader *reader, uint32_t *rune)
{
    uint32_t low = 0;
    size_t start = 0;

    if (!read_unit(reader, rune)) {
        return false;
    }
    start = reader->at;
    if (is_half(*rune, 0xd800) && sl_str_starts_with(rest(reader), SL_STR("\\u"))) {
        reader->at += 2;
        if (!read_unit(reader, &low)) {
            return false;
        }
        if (is_half(low, 0xdc00)) {
            *rune = 0x10000 + ((*rune - 0xd800) << 10) + (low - 0xdc00);
            return true;
        }
        reader->at = start;
    }
    *rune = is_half(*rune, 0xd800) || is_half(*rune, 0xdc00) ? 0xfffd : *rune;
    return true;
}

static bool read_escape(struct reader *reader, uint32_t *rune)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char c = reader->at < reader->text.len ? reader->text.data[reader->at++] : 0;
    const char *found = c ? strchr(letters, c) : NULL;

    if (c == 'u') {
        return read_escaped_rune(reader, rune);
    }
    *rune = found ? (uint32_t)(unsigned char)meanings[found - letters] : 0;
    return found || fail(reader, "expected an escape of JSON behind \\");
}

/* Behind the first quote; appends what stands there in its one form, without quotes. */
static bool read_text(struct reader *reader, struct sl_buf *out)
{
    while (reader->at < reader->text.len) {
        char c = reader->text.data[reader->at];
        uint32_t rune = 0;
        if (c == '"') {
            reader->at++;
            return true;
        }
        if ((unsigned char)c < 0x20) {
            return fail(reader, "a control character in a text");
        }
        if (c == '\\') {
            reader->at++;
            if (!read_escape(reader, &rune)) {
                return false;
            }
        } else {
            reader->at += sl_diff_rune(rest(reader), &rune);
        }
        sl_diff_add_rune(out, rune);
    }
    return fail(reader, "a text without an end");
}

/* ---- values ---- */

static bool add(struct reader *reader, struct sl_str value)
{
    sl_diff_flat_add(reader->flat, value);
    return !reader->flat->text.failed || fail(reader, "a record that is too large, or no memory");
}

static bool read_word(struct reader *reader)
{
    static const struct sl_str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};

    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (sl_str_starts_with(rest(reader), words[i])) {
            reader->at += words[i].len;
            return add(reader, words[i]);
        }
    }
    return fail(reader, "expected a value of JSON");
}

static bool read_scalar(struct reader *reader)
{
    size_t number = sl_diff_number_len(rest(reader));

    sl_buf_reset(reader->value);
    if (eat(reader, '"')) {
        sl_buf_add_byte(reader->value, '"');
        if (!read_text(reader, reader->value)) {
            return false;
        }
        sl_buf_add_byte(reader->value, '"');
        return add(reader, sl_buf_str(reader->value));
    }
    if (number) {
        sl_diff_add_number(reader->value, (struct sl_str){rest(reader).data, number}, false);
        reader->at += number;
        return add(reader, sl_buf_str(reader->value));
    }
    return read_word(reader);
}

static bool read_member(struct reader *reader)
{
    struct sl_buf *path = &reader->flat->path;

    if (reader->depth > 1) {
        sl_buf_add_byte(path, SL_DIFF_INTO);
    }
    if (!eat(reader, '"')) {
        return fail(reader, "expected a member's name in quotes");
    }
    if (!read_text(reader, path)) {
        return false;
    }
    if (!eat(reader, ':')) {
        return fail(reader, "expected ':' behind a member's name");
    }
    return read_value(reader);
}

static bool read_item(struct reader *reader, size_t number)
{
    sl_buf_add_byte(&reader->flat->path, SL_DIFF_ITEM);
    sl_buf_add_u64(&reader->flat->path, number);
    return read_value(reader);
}

/* Behind the bracket. */
static bool read_container(struct reader *reader, bool is_object)
{
    struct sl_buf *path = &reader->flat->path;
    size_t len = path->len;
    char end = is_object ? '}' : ']';

    if (eat(reader, end)) {
        return reader->depth == 1 || add(reader, is_object ? SL_STR("{}") : SL_STR("[]"));
    }
    for (size_t i = 0;; i++) {
        if (!(is_object ? read_member(reader) : read_item(reader, i))) {
            return false;
        }
        path->len = path->failed ? path->len : len;
        if (eat(reader, end)) {
            return true;
        }
        if (!eat(reader, ',')) {
            return fail(reader, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
        }
    }
}

static bool read_value(struct reader *reader)
{
    bool is_object = eat(reader, '{');

    if (!is_object && !eat(reader, '[')) {
        return read_scalar(reader);
    }
    if (reader->depth == SL_DIFF_MAX_DEPTH) {
        return fail(reader, "nested too deep: 100 levels are the limit");
    }
    reader->depth++;
    bool is_good = read_container(reader, is_object);
    reader->depth--;
    return is_good;
}

const char *sl_diff_read_json(struct sl_diff_flat *flat, struct sl_str text, size_t *at)
{
    struct sl_buf value;
    struct reader reader = {.flat = flat, .text = text, .value = &value};

    sl_buf_init(&value, SL_DIFF_MAX_RECORD_BYTES);
    if (read_value(&reader)) {
        skip_blanks(&reader);
        if (reader.at < text.len) {
            (void)fail(&reader, "expected the end of the record");
        } else if (value.failed) {
            (void)fail(&reader, "out of memory");
        }
    }
    sl_buf_fini(&value);
    *at = reader.at;
    return reader.error;
}
