/* Where a record ends, of bytes that come in pieces. */
#include <string.h>

#include "import/diff_internal.h"

static bool fail_at(struct sl_diff *diff, const struct sl_diff_split *split, const char *what)
{
    return sl_diff_fail(diff, "line %llu, column %llu: %s", (unsigned long long)split->line,
                        (unsigned long long)split->column, what);
}

static void begin(struct sl_diff_split *split)
{
    sl_buf_reset(&split->piece);
    split->has_begun = true;
    split->begun_line = split->line;
    split->begun_column = split->column;
    split->depth = 0;
    split->is_quoted = false;
    split->is_escaped = false;
    split->has_reached = false;
}

static bool keep(struct sl_diff *diff, struct sl_diff_split *split, char c)
{
    sl_buf_add_byte(&split->piece, c);
    return !split->piece.failed ||
           fail_at(diff, split, "a record that is larger than 32 MiB, or no memory");
}

static bool end_piece(struct sl_diff *diff, enum sl_diff_end end)
{
    struct sl_diff_split *split = &diff->sides[end].split;

    split->has_begun = false;
    return sl_diff_take(diff, end, sl_buf_str(&split->piece));
}

/* ---- JSON ---- */

/* Between records. */
static bool on_gap(struct sl_diff *diff, struct sl_diff_split *split, char c)
{
    bool may_begin = !split->is_list || !split->has_item;

    if (memchr(" \t\r\n", c, 4)) {
        return true;
    }
    if (c == '{' && may_begin) {
        begin(split);
        split->depth = 1;
        return keep(diff, split, c);
    }
    if (c == '[' && !split->is_list) {
        split->is_list = true;
        split->has_item = false;
        split->wants_item = false;
        return true;
    }
    if (c == ',' && split->is_list && split->has_item) {
        split->has_item = false;
        split->wants_item = true;
        return true;
    }
    if (c == ']' && split->is_list && !split->wants_item) {
        split->is_list = false;
        return true;
    }
    return fail_at(diff, split,
                   split->is_list ? "expected an object, ',' or ']'"
                                  : "expected an object or an array of them, as JSON");
}

static bool on_json(struct sl_diff *diff, enum sl_diff_end end, char c)
{
    struct sl_diff_split *split = &diff->sides[end].split;

    if (!split->has_begun) {
        return on_gap(diff, split, c);
    }
    if (!keep(diff, split, c)) {
        return false;
    }
    if (split->is_quoted) {
        split->is_quoted = split->is_escaped || c != '"';
        split->is_escaped = !split->is_escaped && c == '\\';
        return true;
    }
    split->is_quoted = c == '"';
    split->depth += c == '{' || c == '[';
    split->depth -= c == '}' || c == ']';
    if (split->depth) {
        return true;
    }
    split->has_item = true;
    split->wants_item = false;
    return end_piece(diff, end);
}

/* ---- the line protocol ---- */

static bool on_influx(struct sl_diff *diff, enum sl_diff_end end, char c)
{
    struct sl_diff_split *split = &diff->sides[end].split;

    if (!split->has_begun) {
        if (c == '\n' || c == '\r') {
            return true;
        }
        begin(split);
    }
    if (c == '\n' && !split->is_quoted) {
        bool has_return = split->piece.len && split->piece.data[split->piece.len - 1] == '\r';
        split->piece.len -= has_return;
        bool is_comment = split->piece.len && split->piece.data[0] == '#';
        split->has_begun = false;
        return is_comment || end_piece(diff, end);
    }
    if (!split->is_escaped) {
        split->has_reached = split->has_reached || c == ' ';
        split->is_quoted = split->is_quoted != (split->has_reached && c == '"');
    }
    split->is_escaped = !split->is_escaped && c == '\\';
    return keep(diff, split, c);
}

/* ---- all ---- */

bool sl_diff_split(struct sl_diff *diff, enum sl_diff_end end, struct sl_str bytes)
{
    struct sl_diff_split *split = &diff->sides[end].split;
    bool is_json = diff->options.form == SL_DIFF_JSON;

    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.data[i];
        split->column++;
        if (!(is_json ? on_json(diff, end, c) : on_influx(diff, end, c))) {
            return false;
        }
        if (c == '\n') {
            split->line++;
            split->column = 0;
        }
    }
    return true;
}

bool sl_diff_split_end(struct sl_diff *diff, enum sl_diff_end end)
{
    struct sl_diff_split *split = &diff->sides[end].split;
    bool is_json = diff->options.form == SL_DIFF_JSON;

    if (!is_json && split->has_begun && !split->is_quoted) {
        return on_influx(diff, end, '\n'); /* a last line without its end */
    }
    return (!split->has_begun && !split->is_list) || fail_at(diff, split, "it is cut off");
}
