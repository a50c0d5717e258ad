/* TOML 1.0 to nodes. Statements fill a tree of items, in which a table is open as long as the
 * rules let it grow; the tree becomes nodes at the end. Nothing is searched but the keys of one
 * table, of which there are few. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/toml.h"

enum {
    MAX_BYTES = 4 * 1024 * 1024,
    MAX_ITEMS = 100 * 1000,
    MAX_KEYS = 10 * 1000, /* of one table */
    MAX_NESTED = 16,      /* arrays and inline tables in each other */
};

enum openness {
    OPEN_IMPLICIT, /* named on the way to another: a header may still define it */
    OPEN_HEADER,   /* defined by a header: keys may be added in its section alone */
    OPEN_DOTTED,   /* made by keys with dots */
    OPEN_NOT,      /* a value: inline, or no table */
    OPEN_TABLES,   /* an array of tables: headers add to it */
};

struct item {
    struct sl_config_node node; /* without its items and entries, which come at the end */
    struct sl_config_node key;  /* within a table */
    enum openness openness;
    struct item *first;
    struct item *last;
    struct item *next;
};

/* ---- items ---- */

static struct item *new_item(struct sl_toml *toml, enum sl_config_kind kind)
{
    if (++toml->items > MAX_ITEMS) {
        sl_toml_fail(toml, "more values than a configuration has");
        return NULL;
    }
    struct item *item = sl_config_alloc(toml->config, 1, sizeof(*item));
    if (!item) {
        toml->has_failed = true;
        return NULL;
    }
    item->node = (struct sl_config_node){
        .kind = kind, .line = toml->line, .column = sl_toml_column(toml), .weight = 1};
    item->openness = OPEN_NOT;
    return item;
}

static void append(struct item *parent, struct item *child)
{
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->node.count++;
}

static struct item *find(const struct item *table, const char *key)
{
    struct item *child = table->first;

    while (child && strcmp(child->key.text, key) != 0) {
        child = child->next;
    }
    return child;
}

static bool add_keyed(struct sl_toml *toml, struct item *table, const struct sl_config_node *key,
                      struct item *child)
{
    if (table->node.count == MAX_KEYS) {
        return sl_toml_fail(toml, "more keys in a table than a configuration has");
    }
    child->key = *key;
    append(table, child);
    return true;
}

/* ---- values ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with single underscores between them; how many bytes, 0: none. `base` 2 to 16. */
static size_t digits_at(const char *text, int base)
{
    size_t len = 0;

    while ((sl_toml_hex_digit(text[len]) >= 0 && sl_toml_hex_digit(text[len]) < base) ||
           (text[len] == '_' && len && text[len - 1] != '_')) {
        len++;
    }
    return len && text[len - 1] == '_' ? 0 : len;
}

/* Behind a sign: a number of base 10, with a fraction and an exponent or not. */
static bool is_decimal(const char *text)
{
    size_t len = digits_at(text, 10);

    if (!len || (text[0] == '0' && len > 1)) {
        return false;
    }
    text += len;
    if (*text == '.') {
        len = digits_at(text + 1, 10);
        text += len ? len + 1 : 0;
    }
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        text += digits_at(text, 10);
        return is_digit(text[-1]) && !*text;
    }
    return !*text;
}

static bool is_number(const char *word)
{
    static const struct {
        const char *prefix;
        int base;
    } bases[] = {{"0x", 16}, {"0o", 8}, {"0b", 2}};
    const char *text = word + (*word == '+' || *word == '-');

    for (size_t i = 0; text == word && i < SL_ARRAY_LEN(bases); i++) {
        if (strncmp(word, bases[i].prefix, 2) == 0) {
            size_t len = digits_at(word + 2, bases[i].base);
            return len && !word[2 + len];
        }
    }
    return strcmp(text, "inf") == 0 || strcmp(text, "nan") == 0 || is_decimal(text);
}

/* How many bytes at `text` have the form, in which 0 stands for any digit: all of it, or 0. */
static size_t form_at(const char *text, const char *form)
{
    size_t len = 0;

    while (form[len] && (form[len] == '0' ? is_digit(text[len]) : text[len] == form[len])) {
        len++;
    }
    return form[len] ? 0 : len;
}

/* dd:dd:dd, with digits of a fraction or not: how many bytes, 0: none. */
static size_t clock_at(const char *text)
{
    size_t len = form_at(text, "00:00:00");
    size_t digits = 0;

    while (len && text[len] == '.' && is_digit(text[len + 1 + digits])) {
        digits++;
    }
    return len + digits + (digits > 0);
}

/* A date, a time, or both, and then an offset or not (RFC 3339, 5.6). */
static bool is_time(const char *word)
{
    size_t date = form_at(word, "0000-00-00");
    const char *at = word + date;

    if (date && !*at) {
        return true;
    }
    bool has_both = date && (*at == 'T' || *at == 't' || *at == ' ');
    if (date && !has_both) {
        return false;
    }
    at += has_both;
    size_t clock = clock_at(at);
    at += clock;
    if (clock && has_both && (*at == 'Z' || *at == 'z')) {
        at++;
    } else if (clock && has_both && *at) {
        at += form_at(at, *at == '-' ? "-00:00" : "+00:00");
    }
    return clock && !*at;
}

/* A date's end, behind which a time follows in place of a T. */
static bool is_between(const struct sl_toml *toml, size_t len)
{
    return len == 10 && sl_toml_look(toml, 4) == '-' && sl_toml_look(toml, len) == ' ' &&
           is_digit(sl_toml_look(toml, len + 1));
}

static struct item *read_word(struct sl_toml *toml)
{
    struct item *item = new_item(toml, SL_CONFIG_SCALAR);
    size_t len = 0;

    while (sl_toml_is_bare(sl_toml_look(toml, len)) ||
           (sl_toml_look(toml, len) && strchr("+.:", sl_toml_look(toml, len))) ||
           is_between(toml, len)) {
        len++;
    }
    char *word = item ? sl_config_alloc(toml->config, len + 1, 1) : NULL;
    if (!word) {
        toml->has_failed = true;
        return NULL;
    }
    memcpy(word, toml->at, len);
    bool is_num = is_number(word);
    if (!is_num && strcmp(word, "true") != 0 && strcmp(word, "false") != 0 && !is_time(word)) {
        sl_toml_fail(toml,
                     "expected a value: a text in quotes (around ${NAME}, too), a number, true, "
                     "false, a date, [ or {");
        return NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        word[kept] = word[i];
        kept += !(is_num && word[i] == '_');
    }
    word[kept] = '\0';
    toml->at += len;
    item->node.is_plain = true;
    item->node.text = word;
    return item;
}

static struct item *read_value(struct sl_toml *toml, unsigned depth);

static bool read_items(struct sl_toml *toml, struct item *list, unsigned depth)
{
    for (;;) {
        if (!sl_toml_skip_lines(toml)) {
            return false;
        }
        if (sl_toml_look(toml, 0) == ']') {
            toml->at++;
            return true;
        }
        struct item *value = read_value(toml, depth + 1);
        if (!value) {
            return false;
        }
        append(list, value);
        if (!sl_toml_skip_lines(toml)) {
            return false;
        }
        if (sl_toml_look(toml, 0) == ',') {
            toml->at++;
        } else if (sl_toml_look(toml, 0) != ']') {
            return sl_toml_fail(toml, "expected ',' or ']'");
        }
    }
}

static bool read_pair(struct sl_toml *toml, struct item *table, unsigned depth);

static bool read_pairs(struct sl_toml *toml, struct item *table, unsigned depth)
{
    sl_toml_skip_blanks(toml);
    if (sl_toml_look(toml, 0) == '}') {
        toml->at++;
        return true;
    }
    for (;;) {
        sl_toml_skip_blanks(toml);
        if (!read_pair(toml, table, depth + 1)) {
            return false;
        }
        sl_toml_skip_blanks(toml);
        char c = sl_toml_look(toml, 0);
        if (c != ',' && c != '}') {
            return sl_toml_fail(toml, "expected ',' or '}'");
        }
        toml->at++;
        if (c == '}') {
            return true;
        }
    }
}

/* Nothing can be added to what was made by a value. */
static void close_tables(struct item *item)
{
    item->openness = OPEN_NOT;
    for (struct item *child = item->first; child; child = child->next) {
        if (child->openness == OPEN_DOTTED) {
            close_tables(child);
        }
    }
}

static struct item *read_value(struct sl_toml *toml, unsigned depth)
{
    struct item *item = NULL;
    char c = sl_toml_look(toml, 0);

    if (depth == MAX_NESTED) {
        sl_toml_fail(toml, "more arrays and tables in each other than a configuration has");
        return NULL;
    }
    if (c == '"' || c == '\'') {
        item = new_item(toml, SL_CONFIG_SCALAR);
        const char *text = item ? sl_toml_read_quoted(toml, true) : NULL;
        if (!text) {
            return NULL;
        }
        item->node.text = text;
        return item;
    }
    if (c != '[' && c != '{') {
        return read_word(toml);
    }
    item = new_item(toml, c == '[' ? SL_CONFIG_LIST : SL_CONFIG_MAP);
    toml->at++;
    if (!item || !(c == '[' ? read_items(toml, item, depth) : read_pairs(toml, item, depth))) {
        return NULL;
    }
    close_tables(item);
    return item;
}

/* ---- statements ---- */

/* What stands under `key`; made like that where nothing does. NULL: it is said why. */
static struct item *child_of(struct sl_toml *toml, struct item *table,
                             const struct sl_config_node *key, enum sl_config_kind kind,
                             enum openness openness)
{
    struct item *child = find(table, key->text);

    if (child) {
        return child;
    }
    child = new_item(toml, kind);
    if (!child || !add_keyed(toml, table, key, child)) {
        return NULL;
    }
    child->openness = openness;
    return child;
}

/* The table under `key`, which keys with dots may make. */
static struct item *enter_dotted(struct sl_toml *toml, struct item *table,
                                 const struct sl_config_node *key)
{
    struct item *child = child_of(toml, table, key, SL_CONFIG_MAP, OPEN_DOTTED);

    if (!child) {
        return NULL;
    }
    if (child->openness != OPEN_DOTTED) {
        sl_toml_fail(toml, "a key with dots leads to something that is defined elsewhere");
        return NULL;
    }
    return child;
}

static bool read_pair(struct sl_toml *toml, struct item *table, unsigned depth)
{
    struct sl_config_node parts[SL_TOML_MAX_PARTS];
    size_t count = sl_toml_read_key(toml, parts);

    for (size_t i = 0; i + 1 < count && table; i++) {
        table = enter_dotted(toml, table, &parts[i]);
    }
    if (!count || !table) {
        return false;
    }
    if (find(table, parts[count - 1].text)) {
        return sl_toml_fail(toml, "a key that stands here already; expected another");
    }
    if (sl_toml_look(toml, 0) != '=') {
        return sl_toml_fail(toml, "expected '=' behind the key");
    }
    toml->at++;
    sl_toml_skip_blanks(toml);
    struct item *value = read_value(toml, depth);

    return value && add_keyed(toml, table, &parts[count - 1], value);
}

/* On the way to a header's table: of an array the newest. */
static struct item *enter(struct sl_toml *toml, struct item *table,
                          const struct sl_config_node *key)
{
    struct item *child = child_of(toml, table, key, SL_CONFIG_MAP, OPEN_IMPLICIT);

    if (!child) {
        return NULL;
    }
    child = child->openness == OPEN_TABLES ? child->last : child;
    if (child->openness == OPEN_NOT) {
        sl_toml_fail(toml, "a table's name leads through a value; expected a table");
        return NULL;
    }
    return child;
}

static struct item *open_table(struct sl_toml *toml, struct item *table,
                               const struct sl_config_node *key)
{
    struct item *child = child_of(toml, table, key, SL_CONFIG_MAP, OPEN_IMPLICIT);

    if (!child) {
        return NULL;
    }
    if (child->openness != OPEN_IMPLICIT) {
        sl_toml_fail(toml, "a table that is defined already; expected its keys there");
        return NULL;
    }
    child->openness = OPEN_HEADER;
    return child;
}

/* One more table of an array. */
static struct item *open_next(struct sl_toml *toml, struct item *table,
                              const struct sl_config_node *key)
{
    struct item *list = child_of(toml, table, key, SL_CONFIG_LIST, OPEN_TABLES);
    struct item *child = NULL;

    if (!list) {
        return NULL;
    }
    if (list->openness != OPEN_TABLES) {
        sl_toml_fail(
            toml, "an array of tables with the name of something else; expected a name of its own");
        return NULL;
    }
    child = new_item(toml, SL_CONFIG_MAP);
    if (child) {
        child->openness = OPEN_HEADER;
        append(list, child);
    }
    return child;
}

/* [a.b] or [[a.b]]; the table that follows, NULL: it failed. */
static struct item *read_header(struct sl_toml *toml, struct item *root)
{
    struct sl_config_node parts[SL_TOML_MAX_PARTS];
    bool is_array = sl_toml_is_at(toml, "[[");
    struct item *table = root;

    toml->at += is_array ? 2 : 1;
    size_t count = sl_toml_read_key(toml, parts);
    if (!count) {
        return NULL;
    }
    if (!sl_toml_is_at(toml, is_array ? "]]" : "]")) {
        sl_toml_fail(toml, is_array ? "expected ']]'" : "expected ']'");
        return NULL;
    }
    for (size_t i = 0; i + 1 < count && table; i++) {
        table = enter(toml, table, &parts[i]);
    }
    if (table) {
        table = is_array ? open_next(toml, table, &parts[count - 1])
                         : open_table(toml, table, &parts[count - 1]);
    }
    toml->at += is_array ? 2 : 1;
    return table && sl_toml_end_statement(toml) ? table : NULL;
}

static bool read_statements(struct sl_toml *toml, struct item *root)
{
    struct item *table = root;

    while (sl_toml_skip_lines(toml) && !sl_toml_is_at_end(toml)) {
        if (sl_toml_look(toml, 0) == '[') {
            table = read_header(toml, root);
        } else if (!read_pair(toml, table, 0) || !sl_toml_end_statement(toml)) {
            table = NULL;
        }
        if (!table) {
            return false;
        }
    }
    return !toml->has_failed;
}

/* ---- the tree becomes nodes ---- */

static bool convert(struct sl_config *config, struct item *item);

static bool convert_map(struct sl_config *config, struct item *item)
{
    const struct sl_config_node **items =
        sl_config_alloc(config, (size_t)item->node.count * 2 + 1, sizeof(*items));
    size_t count = 0;

    for (struct item *child = item->first; items && child; child = child->next) {
        if (!convert(config, child)) {
            return false;
        }
        items[count++] = &child->key;
        items[count++] = &child->node;
    }
    item->node.count = 0; /* building counts anew */
    return items && sl_config_build_map(config, items, count, &item->node);
}

static bool convert_list(struct sl_config *config, struct item *item)
{
    const struct sl_config_node **items =
        sl_config_alloc(config, (size_t)item->node.count + 1, sizeof(*items));
    size_t count = 0;

    for (struct item *child = item->first; items && child; child = child->next) {
        if (!convert(config, child)) {
            return false;
        }
        items[count++] = &child->node;
    }
    item->node.items = items;
    return items != NULL;
}

/* At most SL_TOML_MAX_PARTS of a header, of a key, and MAX_NESTED times those of a key deep. */
static bool convert(struct sl_config *config, struct item *item)
{
    switch (item->node.kind) {
    case SL_CONFIG_NULL:
    case SL_CONFIG_SCALAR:
        return true;
    case SL_CONFIG_LIST:
        return convert_list(config, item);
    case SL_CONFIG_MAP:
        return convert_map(config, item);
    }
    return false;
}

/* The first byte that is not UTF-8, or is NUL; the text's end: there is none. */
static const char *first_bad(struct sl_toml *toml)
{
    const char *at = toml->at;

    while (at < toml->end) {
        uint32_t rune = 0;
        size_t len = sl_utf8_decode((struct sl_str){at, (size_t)(toml->end - at)}, &rune);
        if (!len || !rune) {
            break;
        }
        if (*at == '\n') {
            toml->line++;
            toml->line_start = at + 1;
        }
        at += len;
    }
    return at;
}

static bool is_text(struct sl_toml *toml)
{
    const struct sl_toml start = *toml;

    toml->at = first_bad(toml);
    if (toml->at < toml->end) {
        return sl_toml_fail(toml, "a byte that is not UTF-8, which was expected");
    }
    *toml = start;
    return true;
}

void sl_config_load_toml(struct sl_config *config, struct sl_str text)
{
    struct sl_toml toml = {.config = config, .line = 1, .column = 1};

    if (text.len > MAX_BYTES) {
        sl_config_error(config, NULL, "longer than %d bytes", MAX_BYTES);
        return;
    }
    toml.at = toml.line_start = toml.counted = text.data ? text.data : "";
    toml.end = toml.at + text.len;
    if (sl_toml_is_at(&toml, "\xef\xbb\xbf")) {
        toml.at += 3;
        toml.line_start = toml.at;
    }
    struct item *root = is_text(&toml) ? new_item(&toml, SL_CONFIG_MAP) : NULL;
    if (!root || !read_statements(&toml, root)) {
        return;
    }
    if (convert(config, root)) {
        config->root = &root->node;
    } else {
        sl_config_note_out_of_memory(config);
    }
}
