/* Regular expressions as far as globs say the same: literals, ".*", anchors and alternatives at the
 * top. What is not one of these is refused: no glob is nearly right. */
#include <stdint.h>
#include <string.h>

#include "import/internal.h"

enum { PATTERN_BYTES = 256, MAX_ALTERNATIVES = 16, MAX_CHOICES = 2 };

static const char ANY = '\1'; /* any characters, slashes too */

struct pattern {
    char text[PATTERN_BYTES]; /* matches the whole; ends with NUL */
    size_t len;
    size_t choices; /* ANY within a word, which may span elements or not */
};

static bool add(struct pattern *pattern, char c)
{
    if (pattern->len + 1 >= PATTERN_BYTES) {
        return false;
    }
    if (c == ANY && pattern->len && pattern->text[pattern->len - 1] == ANY) {
        return true;
    }
    pattern->text[pattern->len++] = c;
    return true;
}

/* A character that stands for itself in a regular expression, and in a glob. */
static bool is_literal(char c)
{
    return (unsigned char)c > ' ' && !strchr(".+*?()[]{}|^$\\", c);
}

/* One that stands for itself behind a backslash, and in a glob. */
static bool is_escaped(char c)
{
    return c && strchr(".+(){}|^$-/:_", c) != NULL;
}

/* Reads one thing of the regular expression; 0 bytes: it is none that a glob can say. */
static size_t read_one(const char *regex, struct pattern *pattern)
{
    if (regex[0] == '.' && regex[1] == '*') {
        return add(pattern, ANY) ? 2 : 0;
    }
    if (regex[0] == '\\') {
        return is_escaped(regex[1]) && add(pattern, regex[1]) ? 2 : 0;
    }
    bool is_repeated = regex[1] && strchr("*+?{", regex[1]);

    return is_literal(regex[0]) && !is_repeated && add(pattern, regex[0]) ? 1 : 0;
}

/* One alternative, which ends at '|' or the end; its length in *used. */
static bool read_alternative(const char *regex, struct pattern *pattern, size_t *used)
{
    size_t at = regex[0] == '^';
    bool is_anchored = false;

    *pattern = (struct pattern){0};
    if (!at && !add(pattern, ANY)) {
        return false;
    }
    while (regex[at] && regex[at] != '|' && !is_anchored) {
        is_anchored = regex[at] == '$' && (!regex[at + 1] || regex[at + 1] == '|');
        size_t len = is_anchored ? 1 : read_one(regex + at, pattern);
        if (!len) {
            return false;
        }
        at += len;
    }
    *used = at;
    return is_anchored || add(pattern, ANY);
}

static bool is_any(const struct pattern *pattern)
{
    return pattern->len == 1 && pattern->text[0] == ANY;
}

/* ---- paths ---- */

static bool is_word(char c)
{
    return c && c != '/' && c != ANY;
}

/* What ANY at `at` is between elements and within them; choice: it spans elements. */
static const char *glob_of_any(const struct pattern *pattern, size_t at, bool choice)
{
    char next = pattern->text[at + 1];
    bool is_start = at == 0;
    bool is_behind_slash = !is_start && pattern->text[at - 1] == '/';

    if (is_start) {
        return next == '/' ? "/..." : "/.../*";
    }
    if (!is_word(next)) {
        return "*/...";
    }
    if (is_behind_slash) {
        return ".../*";
    }
    return choice ? "*/.../*" : "*";
}

static bool is_within_word(const struct pattern *pattern, size_t at)
{
    return pattern->text[at] == ANY && at > 0 && is_word(pattern->text[at - 1]) &&
           is_word(pattern->text[at + 1]);
}

/* `choices`: a bit for each ANY within a word. */
static void add_glob(const struct pattern *pattern, unsigned choices, struct sl_buf *out)
{
    struct sl_buf glob = {0};
    unsigned seen = 0;

    for (size_t i = 0; i < pattern->len; i++) {
        if (pattern->text[i] != ANY) {
            sl_buf_add_byte(&glob, pattern->text[i]);
            continue;
        }
        bool choice = is_within_word(pattern, i) && (choices >> seen & 1);
        seen += is_within_word(pattern, i);
        sl_buf_add_c(&glob, glob_of_any(pattern, i, choice));
    }
    sl_buf_add_c(out, out->len ? ", " : "");
    sl_import_add_text(out, sl_buf_text(&glob));
    out->failed = out->failed || glob.failed;
    sl_buf_fini(&glob);
}

/* It begins with a slash or anything, has no empty element, and its names are not of an origin. */
static bool is_path(struct pattern *pattern)
{
    const char *text = pattern->text;

    if ((text[0] != '/' && text[0] != ANY) || strstr(text, "//") || strstr(text, "...") ||
        text[pattern->len - 1] == '/') {
        return false;
    }
    for (size_t i = 0; i < pattern->len; i++) {
        pattern->choices += is_within_word(pattern, i);
        if (text[i] == ':') {
            return false; /* modules and origins are there or not, as the glob has none */
        }
    }
    return pattern->choices <= MAX_CHOICES;
}

bool sl_import_path_globs(const char *regex, struct sl_buf *out, size_t *count, bool *is_everything)
{
    struct sl_buf globs = {0};
    struct pattern pattern;
    size_t added = 0;
    size_t used = 0;
    bool is_good = true;

    *is_everything = false;
    for (size_t i = 0; is_good && i <= MAX_ALTERNATIVES; i++) {
        is_good = i < MAX_ALTERNATIVES && read_alternative(regex, &pattern, &used);
        *is_everything = *is_everything || (is_good && is_any(&pattern));
        is_good = is_good && (is_any(&pattern) || is_path(&pattern));
        for (unsigned bits = 0; is_good && !is_any(&pattern) && bits < 1U << pattern.choices;
             bits++) {
            add_glob(&pattern, bits, &globs);
            added++;
        }
        regex += used;
        if (is_good && !*regex) {
            break;
        }
        regex++;
    }
    if (is_good && !*is_everything) {
        sl_buf_add_c(out, out->len ? ", " : "");
        sl_buf_add_str(out, sl_buf_str(&globs));
        *count += added;
    }
    out->failed = out->failed || globs.failed;
    sl_buf_fini(&globs);
    return is_good;
}

bool sl_import_text_glob(const char *regex, struct sl_buf *out)
{
    struct pattern pattern;
    size_t used = 0;

    if (!read_alternative(regex, &pattern, &used) || regex[used] || is_any(&pattern)) {
        return false;
    }
    for (size_t i = 0; i < pattern.len; i++) {
        pattern.text[i] = pattern.text[i] == ANY ? '*' : pattern.text[i];
    }
    sl_buf_add_c(out, out->len ? ", " : "");
    sl_import_add_text(out, pattern.text);
    return true;
}
