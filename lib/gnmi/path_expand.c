#include "gnmi/path_expand.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "gnmi/path.h"

enum { MAX_DIGITS = 18 };

struct expansion {
    sl_gnmi_expanded_fn take;
    void *arg;
    size_t count;
    bool is_over; /* nobody wants more */
    struct sl_status why;
};

/* Where a pair of braces stands, and what it is. */
struct group {
    size_t open;
    size_t close;
    bool is_range;
    int64_t from;
    int64_t to;
    int64_t step;
    size_t digits; /* of a range: at least so many */
};

static bool fail(struct expansion *expansion, const char *what)
{
    expansion->why = sl_status_error(SL_INVALID_ARGUMENT, "%s", what);
    return false;
}

/* ---- groups ---- */

/* The next byte that no backslash stands in front of. */
static size_t step_over(struct sl_str text, size_t at)
{
    return sl_min_size(at + (text.data[at] == '\\' ? 2 : 1), text.len);
}

/* A number with its sign; how many digits it was written with, where it begins with a zero. */
static bool read_number(struct sl_str word, int64_t *number, size_t *digits)
{
    bool is_negative = word.len && word.data[0] == '-';
    struct sl_str plain = {word.data + is_negative, word.len - is_negative};
    uint64_t value;

    if (plain.len > MAX_DIGITS || !sl_str_to_u64(plain, &value)) {
        return false;
    }
    *number = is_negative ? -(int64_t)value : (int64_t)value;
    *digits = plain.len > 1 && plain.data[0] == '0' && plain.len > *digits ? plain.len : *digits;
    return true;
}

/* The word up to "..", or all; what is behind it stays in `rest`. */
static struct sl_str take_bound(struct sl_str *rest)
{
    struct sl_str word = *rest;

    for (size_t i = 0; i + 1 < rest->len; i++) {
        if (rest->data[i] == '.' && rest->data[i + 1] == '.') {
            word.len = i;
            *rest = (struct sl_str){rest->data + i + 2, rest->len - i - 2};
            return word;
        }
    }
    *rest = (struct sl_str){0};
    return word;
}

static bool read_range(struct sl_str inner, struct group *group)
{
    struct sl_str rest = inner;
    size_t none = SIZE_MAX;

    group->digits = 0;
    group->step = 1;
    if (!read_number(take_bound(&rest), &group->from, &group->digits) || !rest.len ||
        !read_number(take_bound(&rest), &group->to, &group->digits)) {
        return false;
    }
    if (rest.len && (!read_number(take_bound(&rest), &group->step, &none) || rest.len)) {
        return false;
    }
    group->step = group->step < 0 ? -group->step : group->step;
    group->is_range = true;
    return group->step > 0;
}

/* The end of the braces that open at `open`, and whether a comma parts what is in them. */
static bool find_close(struct sl_str text, size_t open, size_t *close, bool *has_comma)
{
    unsigned depth = 0;

    *has_comma = false;
    for (size_t at = open; at < text.len; at = step_over(text, at)) {
        char byte = text.data[at];
        depth += byte == '{';
        *has_comma = *has_comma || (byte == ',' && depth == 1);
        if (byte == '}' && --depth == 0) {
            *close = at;
            return true;
        }
    }
    return false;
}

/* The first braces from `at` on that stand for something. */
static bool find_group(struct sl_str text, struct group *group)
{
    for (size_t at = 0; at < text.len; at = step_over(text, at)) {
        bool has_comma;
        *group = (struct group){.open = at};
        if (text.data[at] != '{' || !find_close(text, at, &group->close, &has_comma)) {
            continue;
        }
        struct sl_str inner = {text.data + at + 1, group->close - at - 1};
        if (has_comma || read_range(inner, group)) {
            return true;
        }
    }
    return false;
}

/* ---- texts ---- */

/* One text without groups, its escapes of braces taken away. */
static bool emit(struct expansion *expansion, struct sl_str text)
{
    struct sl_buf plain = {0};

    if (++expansion->count > SL_GNMI_MAX_EXPANDED) {
        return fail(expansion, "the braces stand for more than 100000 paths");
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_ours = text.data[i] == '\\' && i + 1 < text.len && strchr("{},", text.data[i + 1]);
        if (text.data[i] == '\\' && !is_ours && i + 1 < text.len) {
            sl_buf_add_byte(&plain, text.data[i++]);
        }
        i += is_ours;
        sl_buf_add_byte(&plain, text.data[i]);
    }
    bool is_ok = !plain.failed || fail(expansion, "no memory for a path");

    expansion->is_over = is_ok && !expansion->take(sl_buf_str(&plain), expansion->arg);
    sl_buf_fini(&plain);
    return is_ok && !expansion->is_over;
}

static bool expand(struct expansion *expansion, struct sl_str text);

/* The text with `word` in the place of the group. */
static bool expand_word(struct expansion *expansion, struct sl_str text, const struct group *group,
                        struct sl_str word)
{
    struct sl_buf whole = {0};

    sl_buf_init(&whole, SL_GNMI_MAX_TEXT_BYTES);
    sl_buf_add(&whole, text.data, group->open);
    sl_buf_add_str(&whole, word);
    sl_buf_add(&whole, text.data + group->close + 1, text.len - group->close - 1);
    bool goes_on =
        whole.failed ? fail(expansion, "a path too long") : expand(expansion, sl_buf_str(&whole));

    sl_buf_fini(&whole);
    return goes_on;
}

static bool expand_list(struct expansion *expansion, struct sl_str text, const struct group *group)
{
    size_t start = group->open + 1;
    unsigned depth = 0;

    for (size_t at = start; at <= group->close; at = step_over(text, at)) {
        char byte = text.data[at];
        bool is_end = depth == 0 && (byte == ',' || byte == '}');
        if (is_end) {
            struct sl_str word = {text.data + start, at - start};
            if (!expand_word(expansion, text, group, word)) {
                return false;
            }
            start = at + 1;
        }
        depth += byte == '{';
        depth -= byte == '}' && depth > 0;
    }
    return true;
}

static bool expand_range(struct expansion *expansion, struct sl_str text, const struct group *group)
{
    int64_t distance = group->to - group->from;
    bool is_down = distance < 0;
    int64_t steps = (is_down ? -distance : distance) / group->step;
    char word[32];

    for (int64_t i = 0; i <= steps; i++) {
        int64_t number = group->from + (is_down ? -i : i) * group->step;
        int len = snprintf(word, sizeof(word), "%s%0*lld", number < 0 ? "-" : "",
                           (int)group->digits, (long long)(number < 0 ? -number : number));
        if (!expand_word(expansion, text, group, (struct sl_str){word, (size_t)len})) {
            return false;
        }
    }
    return true;
}

/* False: nothing comes any more. Each level has one group less, or one that lies deeper. */
static bool expand(struct expansion *expansion, struct sl_str text)
{
    struct group group;

    if (!find_group(text, &group)) {
        return emit(expansion, text);
    }
    return group.is_range ? expand_range(expansion, text, &group)
                          : expand_list(expansion, text, &group);
}

struct sl_status sl_gnmi_path_expand(struct sl_str text, sl_gnmi_expanded_fn take, void *arg)
{
    struct expansion expansion = {.take = take, .arg = arg};
    size_t braces = 0;

    expansion.why = sl_status_ok();
    for (size_t i = 0; i < text.len; i++) {
        braces += text.data[i] == '{';
    }
    if (text.len > SL_GNMI_MAX_TEXT_BYTES || braces > SL_GNMI_MAX_BRACES) {
        (void)fail(&expansion, "a path too long, or with more than 32 braces");
    } else {
        (void)expand(&expansion, text);
    }
    return expansion.why;
}
