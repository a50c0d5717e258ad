/* A record in its one form. */
#include <stdlib.h>

#include "base/utf8.h"
#include "import/diff_internal.h"

enum { REPLACEMENT = 0xfffd };

/* ---- texts ---- */

/* Controls, and what turns the direction of text. */
static bool is_steering(uint32_t rune)
{
    return rune < 0x20 || (rune >= 0x7f && rune <= 0x9f) || rune == 0x200e || rune == 0x200f ||
           (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);
}

void sl_diff_add_rune(struct sl_buf *out, uint32_t rune)
{
    if (is_steering(rune)) {
        sl_buf_printf(out, "\\u%04x", (unsigned)rune);
    } else if (rune == '"' || rune == '\\') {
        sl_buf_add_byte(out, '\\');
        sl_buf_add_byte(out, (char)rune);
    } else {
        sl_utf8_add(out, rune);
    }
}

size_t sl_diff_rune(struct sl_str text, uint32_t *rune)
{
    size_t len = sl_utf8_decode(text, rune);

    *rune = len ? *rune : REPLACEMENT;
    return len ? len : 1;
}

/* ---- members ---- */

void sl_diff_flat_begin(struct sl_diff_flat *flat)
{
    sl_buf_reset(&flat->path);
    sl_buf_reset(&flat->text);
    sl_buf_reset(&flat->members);
    sl_buf_reset(&flat->record);
}

/* `word` is the name, or what the name is under. */
static bool is_named(struct sl_str name, const char *word)
{
    struct sl_str start = sl_str_from(word);

    return sl_str_starts_with(name, start) &&
           (name.len == start.len || name.data[start.len] == '.' || name.data[start.len] == '[');
}

static bool is_ignored(struct sl_diff_flat *flat)
{
    const struct sl_diff_options *options = flat->options;
    struct sl_str path = sl_buf_str(&flat->path);

    if (flat->ignores_time && sl_diff_part_of(path) == SL_DIFF_PART_TIME) {
        return true;
    }
    if (!options->ignored_count) {
        return false;
    }
    sl_buf_reset(&flat->shown);
    sl_diff_show_name(&flat->shown, path, true);
    for (size_t i = 0; i < options->ignored_count; i++) {
        if (is_named(sl_buf_str(&flat->shown), options->ignored[i])) {
            return true;
        }
    }
    return false;
}

void sl_diff_flat_add(struct sl_diff_flat *flat, struct sl_str value)
{
    struct sl_diff_span span = {.at = (uint32_t)flat->text.len,
                                .name_len = (uint32_t)flat->path.len,
                                .value_len = (uint32_t)value.len};

    if (is_ignored(flat)) {
        return;
    }
    sl_buf_add_str(&flat->text, sl_buf_str(&flat->path));
    sl_buf_add_str(&flat->text, value);
    if (!flat->text.failed) {
        sl_buf_add(&flat->members, &span, sizeof(span));
    }
}

static int compare_spans(const void *a, const void *b, void *arg)
{
    const struct sl_diff_span *x = a;
    const struct sl_diff_span *y = b;
    const char *text = arg;
    int order = sl_str_cmp((struct sl_str){text + x->at, x->name_len},
                           (struct sl_str){text + y->at, y->name_len});

    return order ? order
                 : sl_str_cmp((struct sl_str){text + x->at + x->name_len, x->value_len},
                              (struct sl_str){text + y->at + y->name_len, y->value_len});
}

bool sl_diff_flat_end(struct sl_diff_flat *flat)
{
    size_t count = flat->members.len / sizeof(struct sl_diff_span);
    struct sl_diff_span *spans = (struct sl_diff_span *)(void *)flat->members.data;

    if (flat->path.failed || flat->text.failed || flat->members.failed || flat->shown.failed) {
        return false;
    }
    if (count) {
        qsort_r(spans, count, sizeof(*spans), compare_spans, flat->text.data);
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = flat->text.data + spans[i].at;
        sl_buf_add(&flat->record, text, spans[i].name_len);
        sl_buf_add_byte(&flat->record, SL_DIFF_VALUE);
        sl_buf_add(&flat->record, text + spans[i].name_len, spans[i].value_len);
        sl_buf_add_byte(&flat->record, SL_DIFF_MEMBER);
    }
    return !flat->record.failed;
}

void sl_diff_flat_fini(struct sl_diff_flat *flat)
{
    sl_buf_fini(&flat->path);
    sl_buf_fini(&flat->text);
    sl_buf_fini(&flat->members);
    sl_buf_fini(&flat->record);
    sl_buf_fini(&flat->shown);
}
