/* A line of InfluxDB's line protocol as a record: name, tags, fields and timestamp.
 *
 *     measurement,tag=value,tag=value field=1i,field="text" 1595491586073072000
 *
 * A comma, a blank and an equals sign that mean nothing have a backslash before them; in texts
 * quotes and backslashes have. */
#include <string.h>

#include "import/diff_internal.h"

struct reader {
    struct sl_diff_flat *flat;
    struct sl_str text;
    size_t at;
    struct sl_buf value;
};

static char peek(const struct reader *reader)
{
    return reader->at < reader->text.len ? reader->text.data[reader->at] : 0;
}

/* Up to one of `ends` that nothing is before. */
static void read_name(struct reader *reader, const char *ends, struct sl_buf *out)
{
    while (reader->at < reader->text.len && !strchr(ends, peek(reader))) {
        uint32_t rune = 0;
        bool is_escaped = peek(reader) == '\\' && reader->at + 1 < reader->text.len &&
                          memchr(", =", reader->text.data[reader->at + 1], 3);
        reader->at += is_escaped;
        struct sl_str rest = {reader->text.data + reader->at, reader->text.len - reader->at};
        reader->at += sl_diff_rune(rest, &rune);
        sl_diff_add_rune(out, rune);
    }
}

/* Behind the first quote. */
static const char *read_text(struct reader *reader)
{
    while (reader->at < reader->text.len && peek(reader) != '"') {
        uint32_t rune = 0;
        bool is_escaped = peek(reader) == '\\' && reader->at + 1 < reader->text.len &&
                          memchr("\"\\", reader->text.data[reader->at + 1], 2);
        reader->at += is_escaped;
        struct sl_str rest = {reader->text.data + reader->at, reader->text.len - reader->at};
        reader->at += sl_diff_rune(rest, &rune);
        sl_diff_add_rune(&reader->value, rune);
    }
    if (peek(reader) != '"') {
        return "a text without an end";
    }
    reader->at++;
    return NULL;
}

/* 1i, 1u, 1.5, 1 (a float), true and its forms. */
static const char *read_plain(struct reader *reader)
{
    static const char *const words[] = {"t", "T", "true",  "True",  "TRUE",
                                        "f", "F", "false", "False", "FALSE"};
    size_t end = reader->at;

    while (end < reader->text.len && !memchr(", ", reader->text.data[end], 2)) {
        end++;
    }
    struct sl_str word = {reader->text.data + reader->at, end - reader->at};
    size_t number = sl_diff_number_len(word);
    bool is_integer =
        word.len == number + 1 && (word.data[number] == 'i' || word.data[number] == 'u');
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (sl_str_eq_c(word, words[i])) {
            sl_buf_add_c(&reader->value, i < SL_ARRAY_LEN(words) / 2 ? "true" : "false");
            reader->at = end;
            return NULL;
        }
    }
    if (!number || (number < word.len && !is_integer)) {
        return "expected a number, true, false, or a text in quotes";
    }
    sl_diff_add_number(&reader->value, (struct sl_str){word.data, number}, !is_integer);
    sl_buf_add(&reader->value, word.data + number, is_integer ? 1 : 0);
    reader->at = end;
    return NULL;
}

static void set_path(struct reader *reader, const char *path)
{
    sl_buf_reset(&reader->flat->path);
    sl_buf_add_c(&reader->flat->path, path);
    sl_buf_reset(&reader->value);
}

static void put(struct reader *reader)
{
    sl_diff_flat_add(reader->flat, sl_buf_str(&reader->value));
}

/* Behind a comma. */
static const char *read_tag(struct reader *reader)
{
    set_path(reader, "tags\x1d");
    read_name(reader, ",= ", &reader->flat->path);
    if (peek(reader) != '=') {
        return "expected '=' behind a tag's name";
    }
    reader->at++;
    sl_buf_add_byte(&reader->value, '"');
    read_name(reader, ", ", &reader->value);
    sl_buf_add_byte(&reader->value, '"');
    put(reader);
    return NULL;
}

static const char *read_field(struct reader *reader)
{
    const char *error = NULL;

    set_path(reader, "fields\x1d");
    read_name(reader, ",= ", &reader->flat->path);
    if (peek(reader) != '=') {
        return "expected '=' behind a field's name";
    }
    reader->at++;
    if (peek(reader) == '"') {
        reader->at++;
        sl_buf_add_byte(&reader->value, '"');
        error = read_text(reader);
        sl_buf_add_byte(&reader->value, '"');
    } else {
        error = read_plain(reader);
    }
    put(reader);
    return error;
}

static const char *read_time(struct reader *reader)
{
    struct sl_str rest = {reader->text.data + reader->at, reader->text.len - reader->at};

    if (sl_diff_number_len(rest) != rest.len) {
        return "expected a timestamp and the end of the line";
    }
    set_path(reader, "timestamp");
    sl_diff_add_number(&reader->value, rest, false);
    put(reader);
    reader->at = reader->text.len;
    return NULL;
}

static const char *read_line(struct reader *reader)
{
    const char *error = NULL;

    set_path(reader, "name");
    sl_buf_add_byte(&reader->value, '"');
    read_name(reader, ", ", &reader->value);
    sl_buf_add_byte(&reader->value, '"');
    put(reader);
    while (!error && peek(reader) == ',') {
        reader->at++;
        error = read_tag(reader);
    }
    if (!error && peek(reader) != ' ') {
        return "expected fields";
    }
    do {
        reader->at++;
        error = error ? error : read_field(reader);
    } while (!error && peek(reader) == ',');
    if (!error && peek(reader) == ' ') {
        reader->at++;
        error = read_time(reader);
    }
    return error || reader->at == reader->text.len ? error : "expected ',' or a timestamp";
}

const char *sl_diff_read_influx(struct sl_diff_flat *flat, struct sl_str text, size_t *at)
{
    struct reader reader = {.flat = flat, .text = text};

    sl_buf_init(&reader.value, SL_DIFF_MAX_RECORD_BYTES);
    const char *error = read_line(&reader);
    *at = sl_min_size(reader.at, text.len);
    if (!error && reader.value.failed) {
        error = "out of memory";
    }
    sl_buf_fini(&reader.value);
    return error;
}
