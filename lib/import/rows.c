/* What is read: keys in any case, judged and written by tables of rows. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/values.h"
#include "import/internal.h"

enum { WORD_BYTES = 64 };

const struct sl_config_node *sl_import_get(const struct sl_config_node *map, const char *key)
{
    size_t count = map && sl_config_kind(map) == SL_CONFIG_MAP ? sl_config_count(map) : 0;

    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(sl_config_key(map, i), key) == 0) {
            const struct sl_config_node *node = sl_config_at(map, i);
            return sl_config_kind(node) == SL_CONFIG_NULL ? NULL : node;
        }
    }
    return NULL;
}

const char *sl_import_text(const struct sl_config_node *node)
{
    bool is_plain = false;
    struct sl_str text = node ? sl_config_raw(node, &is_plain) : (struct sl_str){0};

    return text.data ? text.data : "";
}

bool sl_import_is_true(const struct sl_config_node *node)
{
    const char *text = sl_import_text(node);

    return strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
           strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0;
}

size_t sl_import_items(const struct sl_config_node *node)
{
    if (!node || sl_config_kind(node) == SL_CONFIG_NULL) {
        return 0;
    }
    return sl_config_kind(node) == SL_CONFIG_SCALAR ? 1 : sl_config_count(node);
}

const char *sl_import_item(const struct sl_config_node *node, size_t i)
{
    return sl_import_text(sl_config_item(node, i));
}

size_t sl_import_tables(const struct sl_config_node *node)
{
    return node && sl_config_kind(node) == SL_CONFIG_MAP ? 1 : sl_import_items(node);
}

/* ---- judging ---- */

static const struct sl_import_row *find_row(const struct sl_import_row *rows, const char *key)
{
    while (rows->key && strcasecmp(rows->key, key) != 0) {
        rows++;
    }
    return rows->key ? rows : NULL;
}

static void judge_key(struct sl_import *import, const struct sl_config_node *node,
                      const struct sl_import_row *rows, const char *key)
{
    const struct sl_import_row *row = find_row(rows, key);

    if (!row) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "'%.80s': a key that the import does not know", key);
    } else if (row->carry == SL_IMPORT_LEAVE || row->carry == SL_IMPORT_CHANGE) {
        sl_import_note(import, node,
                       row->carry == SL_IMPORT_LEAVE ? SL_IMPORT_LEFT_OUT : SL_IMPORT_CHANGED,
                       "'%s': %s", row->key, row->note);
    }
}

/* What is off, zero or empty says nothing that could be lost. */
static bool is_nothing(const struct sl_config_node *node)
{
    const char *text = sl_import_text(node);

    switch (sl_config_kind(node)) {
    case SL_CONFIG_NULL:
        return true;
    case SL_CONFIG_SCALAR:
        return !*text || strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0 ||
               strcmp(text, "0s") == 0;
    case SL_CONFIG_LIST:
    case SL_CONFIG_MAP:
        return sl_config_count(node) == 0;
    }
    return false;
}

void sl_import_judge(struct sl_import *import, const struct sl_config_node *map,
                     const struct sl_import_row *rows)
{
    size_t count = map && sl_config_kind(map) == SL_CONFIG_MAP ? sl_config_count(map) : 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_nothing(sl_config_at(map, i))) {
            judge_key(import, sl_config_key_node(map, i), rows, sl_config_key(map, i));
        }
    }
}

/* ---- durations ---- */

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},
    {"us", SL_NS_PER_US},
    {"\xc2\xb5s", SL_NS_PER_US},
    {"ms", SL_NS_PER_MS},
    {"s", SL_NS_PER_S},
    {"m", 60 * SL_NS_PER_S},
    {"h", 3600 * SL_NS_PER_S},
    {"d", 24 * 3600 * SL_NS_PER_S}, /* Telegraf's alone, and the last */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One number with its unit; 0 bytes: there is none. */
static size_t read_part(const char *text, bool has_days, double *ns)
{
    size_t at = 0;
    double value = 0;
    double place = 1;

    for (; is_digit(text[at]); at++) {
        value = value * 10 + (text[at] - '0');
    }
    if (text[at] == '.') {
        for (at++; is_digit(text[at]); at++) {
            place /= 10;
            value += place * (text[at] - '0');
        }
    }
    for (size_t i = 0; at > 0 && i < SL_ARRAY_LEN(units) - !has_days; i++) {
        size_t len = strlen(units[i].name);
        char next = text[at + len - (strncmp(text + at, units[i].name, len) == 0 ? 0 : len)];
        if (strncmp(text + at, units[i].name, len) == 0 && (!next || is_digit(next))) {
            *ns += value * (double)units[i].ns;
            return at + len;
        }
    }
    return 0;
}

static bool add_parts(const char *text, bool has_days, int64_t *ns)
{
    double sum = 0;

    for (size_t len = 0; *text; text += len) {
        len = strnlen(text, WORD_BYTES) < WORD_BYTES ? read_part(text, has_days, &sum) : 0;
        if (!len) {
            return false;
        }
    }
    *ns = sum < 9e18 ? (int64_t)(sum + 0.5) : INT64_MAX;
    return sum < 9e18;
}

bool sl_import_to_duration(const char *text, int64_t *ns)
{
    int64_t number = 0;

    if (sl_config_to_int(sl_str_from(text), &number)) {
        *ns = number;
        return number >= 0;
    }
    return add_parts(text, false, ns);
}

bool sl_import_to_period(const char *text, int64_t *ns)
{
    char seconds[WORD_BYTES];
    size_t len = strspn(text, "0123456789.");

    if (text[len] || len + 2 > sizeof(seconds)) {
        return add_parts(text, true, ns);
    }
    memcpy(seconds, text, len);
    memcpy(seconds + len, "s", 2);
    return len && add_parts(seconds, true, ns);
}

bool sl_import_to_size(const char *text, uint64_t *bytes)
{
    static const char units_of[] = "kmgt";
    size_t len = strspn(text, "0123456789");
    const char *unit = text + len;
    bool is_binary = *unit && strcasecmp(unit + 1, "ib") == 0;
    uint64_t factor = 1;

    if (!sl_str_to_u64((struct sl_str){text, len}, bytes)) {
        return false;
    }
    if (*unit && strcasecmp(unit, "b") != 0) {
        const char *found = strchr(units_of, *unit | 0x20);
        if (!found || (!is_binary && strcasecmp(unit + 1, "b") != 0)) {
            return false;
        }
        for (const char *at = units_of; at <= found; at++) {
            factor *= is_binary ? 1024 : 1000;
        }
    }
    bool fits = *bytes <= (uint64_t)INT64_MAX / factor;

    *bytes *= factor;
    return fits;
}

/* ---- writing ---- */

static void put_bool(struct sl_import *import, const struct sl_import_row *row,
                     const struct sl_config_node *node, unsigned indent)
{
    sl_import_put_raw(import, row->as, sl_import_is_true(node) ? "true" : "false", indent);
}

static void put_number(struct sl_import *import, const struct sl_import_row *row,
                       const struct sl_config_node *node, unsigned indent)
{
    int64_t number = 0;

    if (sl_config_to_int(sl_str_from(sl_import_text(node)), &number)) {
        sl_import_put_raw(import, row->as, sl_import_text(node), indent);
    } else {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT, "'%s': expected a number", row->key);
    }
}

static void put_duration(struct sl_import *import, const struct sl_import_row *row,
                         const struct sl_config_node *node, unsigned indent)
{
    struct sl_buf text = {0};
    int64_t ns = 0;
    bool is_one = row->carry == SL_IMPORT_PERIOD ? sl_import_to_period(sl_import_text(node), &ns)
                                                 : sl_import_to_duration(sl_import_text(node), &ns);

    if (is_one) {
        sl_config_add_duration(&text, ns);
        sl_import_put_raw(import, row->as, sl_buf_text(&text), indent);
    } else if (strchr(sl_import_text(node), '$')) {
        sl_import_put_expanded(import, row->as, sl_import_text(node), indent);
    } else {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT, "'%s': expected a duration", row->key);
    }
    sl_import_drop(import, &text);
}

static void put_size(struct sl_import *import, const struct sl_import_row *row,
                     const struct sl_config_node *node, unsigned indent)
{
    struct sl_buf text = {0};
    uint64_t bytes = 0;

    if (sl_import_to_size(sl_import_text(node), &bytes)) {
        sl_buf_printf(&text, "%" PRIu64, bytes);
        sl_import_put_raw(import, row->as, sl_buf_text(&text), indent);
    } else {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "'%s': expected a size, such as \"4MB\" or \"4MiB\"", row->key);
    }
    sl_import_drop(import, &text);
}

static void put_word(struct sl_import *import, const struct sl_import_row *row,
                     const struct sl_config_node *node, unsigned indent)
{
    char word[WORD_BYTES];
    const char *text = sl_import_text(node);
    size_t len = strnlen(text, sizeof(word) - 1);

    for (size_t i = 0; i < len; i++) {
        bool is_capital = text[i] >= 'A' && text[i] <= 'Z';
        word[i] = text[i] == '_' ? '-' : (char)(is_capital ? text[i] - 'A' + 'a' : text[i]);
    }
    word[len] = '\0';
    sl_import_put_text(import, row->as, word, indent);
}

void sl_import_put_row(struct sl_import *import, const struct sl_import_row *row,
                       const struct sl_config_node *node, unsigned indent)
{
    if (!node || sl_config_kind(node) != SL_CONFIG_SCALAR) {
        return;
    }
    switch (row->carry) {
    case SL_IMPORT_READ:
    case SL_IMPORT_QUIET:
    case SL_IMPORT_LEAVE:
    case SL_IMPORT_CHANGE:
        return;
    case SL_IMPORT_TEXT:
        sl_import_put_expanded(import, row->as, sl_import_text(node), indent);
        return;
    case SL_IMPORT_SECRET:
        sl_import_put_secret(import, row->as, node, indent);
        return;
    case SL_IMPORT_BOOL:
        put_bool(import, row, node, indent);
        return;
    case SL_IMPORT_NUMBER:
        put_number(import, row, node, indent);
        return;
    case SL_IMPORT_DURATION:
    case SL_IMPORT_PERIOD:
        put_duration(import, row, node, indent);
        return;
    case SL_IMPORT_SIZE:
        put_size(import, row, node, indent);
        return;
    case SL_IMPORT_WORD:
        put_word(import, row, node, indent);
        return;
    }
}

void sl_import_put_rows(struct sl_import *import, const struct sl_import_row *rows,
                        const struct sl_config_node *map, unsigned indent)
{
    for (; rows->key; rows++) {
        sl_import_put_row(import, rows, sl_import_get(map, rows->key), indent);
    }
}
