#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/document.h"

enum { CHUNK_BYTES = 64 * 1024, MESSAGE_BYTES = 800 };

struct sl_config_chunk {
    struct sl_config_chunk *next;
    size_t used;
    size_t cap;
    max_align_t data[];
};

static bool add_chunk(struct sl_config *config, size_t need)
{
    size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    struct sl_config_chunk *chunk = calloc(1, sizeof(*chunk) + cap);

    if (!chunk) {
        return false;
    }
    chunk->cap = cap;
    chunk->next = config->chunks;
    config->chunks = chunk;
    return true;
}

void sl_config_note_out_of_memory(struct sl_config *config)
{
    config->is_out_of_memory = true;
    config->error_count++;
    config->reports++;
}

/* Bytes that a terminal might obey become '.'; UTF-8 stays. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '.';
        }
    }
}

static bool is_known(const struct sl_config *config, size_t line, size_t column, const char *text)
{
    for (size_t i = 0; i < config->message_count; i++) {
        const struct sl_config_message *message = &config->messages[i];
        if (message->line == line && message->column == column &&
            strcmp(message->text, text) == 0) {
            return true;
        }
    }
    return false;
}

/* An alias shows one place to many readers: what one of them said counts once. */
static void add_message(struct sl_config *config, size_t line, size_t column, char *text)
{
    make_printable(text);
    config->reports++;
    if (is_known(config, line, column, text)) {
        return;
    }
    config->error_count++;
    if (config->message_count == SL_CONFIG_MAX_ERRORS) {
        return;
    }
    const char *copy = sl_config_copy(config, sl_str_from(text));
    if (copy) {
        config->messages[config->message_count] =
            (struct sl_config_message){.line = (uint32_t)line,
                                       .column = (uint32_t)column,
                                       .order = (uint32_t)config->message_count,
                                       .text = copy};
        config->message_count++;
    }
}

static int compare_messages(const void *a, const void *b)
{
    const struct sl_config_message *x = a;
    const struct sl_config_message *y = b;

    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    if (x->column != y->column) {
        return x->column < y->column ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static struct sl_config *config_new(const char *file)
{
    struct sl_config *config = calloc(1, sizeof(*config));

    if (config) {
        config->file = sl_config_copy(config, sl_str_from(file));
        if (!config->file) {
            sl_config_free(config);
            return NULL;
        }
    }
    return config;
}

/* The whole of `stream`, at most one byte more than a document may have. */
static bool read_all(FILE *stream, struct sl_buf *text)
{
    size_t len = 1;

    while (len && !text->failed && text->len <= SL_CONFIG_MAX_BYTES) {
        if (!sl_buf_reserve(text, CHUNK_BYTES)) {
            errno = ENOMEM;
            return false;
        }
        len = fread(text->data + text->len, 1, CHUNK_BYTES, stream);
        text->len += len;
    }
    return !ferror(stream);
}

typedef void load_fn(struct sl_config *config, struct sl_str text);

static struct sl_config *read_by(const char *file, load_fn *load)
{
    struct sl_config *config = config_new(file);
    struct sl_buf text;

    if (!config) {
        return NULL;
    }
    sl_buf_init(&text, 0);
    FILE *stream = fopen(file, "re");
    if (stream && read_all(stream, &text)) {
        load(config, sl_buf_str(&text));
    } else {
        sl_config_error(config, NULL, "cannot be read: %s", strerror(errno));
    }
    if (stream) {
        fclose(stream);
    }
    sl_buf_fini(&text);
    return config;
}

static struct sl_config *parse_by(const char *file, struct sl_str text, load_fn *load)
{
    struct sl_config *config = config_new(file);

    if (config) {
        load(config, text);
    }
    return config;
}

struct sl_config *sl_config_read(const char *file)
{
    return read_by(file, sl_config_load);
}

struct sl_config *sl_config_parse(const char *file, struct sl_str text)
{
    return parse_by(file, text, sl_config_load);
}

struct sl_config *sl_config_read_toml(const char *file)
{
    return read_by(file, sl_config_load_toml);
}

struct sl_config *sl_config_parse_toml(const char *file, struct sl_str text)
{
    return parse_by(file, text, sl_config_load_toml);
}

void sl_config_free(struct sl_config *config)
{
    struct sl_config_chunk *next = NULL;

    for (struct sl_config_chunk *chunk = config ? config->chunks : NULL; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(config);
}

void sl_config_set_foreign(struct sl_config *config, bool is_foreign)
{
    config->is_foreign = is_foreign;
}

const struct sl_config_node *sl_config_root(const struct sl_config *config)
{
    return config->root;
}

enum sl_config_kind sl_config_kind(const struct sl_config_node *node)
{
    return node->kind;
}

const struct sl_config_node *sl_config_get(const struct sl_config_node *map, const char *key)
{
    size_t from = 0;
    size_t to = map && map->kind == SL_CONFIG_MAP ? map->count : 0;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct sl_config_entry *entry = &map->entries[map->by_key[middle]];
        int order = strcmp(key, entry->key->text);
        if (order == 0) {
            return entry->value;
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

size_t sl_config_count(const struct sl_config_node *node)
{
    return node->count;
}

const struct sl_config_node *sl_config_at(const struct sl_config_node *node, size_t i)
{
    SL_ASSERT(i < node->count);
    return node->kind == SL_CONFIG_MAP ? node->entries[i].value : node->items[i];
}

const struct sl_config_node *sl_config_key_node(const struct sl_config_node *map, size_t i)
{
    SL_ASSERT(map->kind == SL_CONFIG_MAP && i < map->count);
    return map->entries[i].key;
}

const char *sl_config_key(const struct sl_config_node *map, size_t i)
{
    return sl_config_key_node(map, i)->text;
}

uint32_t sl_config_line(const struct sl_config_node *node)
{
    return node->line;
}

struct sl_str sl_config_raw(const struct sl_config_node *node, bool *is_plain)
{
    bool is_scalar = node->kind == SL_CONFIG_SCALAR;

    *is_plain = is_scalar && node->is_plain;
    return is_scalar ? sl_str_from(node->text) : (struct sl_str){0};
}

const struct sl_config_node *sl_config_item(const struct sl_config_node *node, size_t i)
{
    return node && node->kind == SL_CONFIG_LIST && i < node->count ? node->items[i] : node;
}

const char *sl_config_text(struct sl_config *config, const struct sl_config_node *node)
{
    bool is_word = node->kind == SL_CONFIG_NULL && node->text[0] == 'n';

    if (node->kind != SL_CONFIG_SCALAR && !is_word) {
        sl_config_error(config, node, "expected text, found %s", sl_config_kind_name(node->kind));
        return "";
    }
    const char *text = sl_config_expand(config, node, SL_CONFIG_EXPAND_ALL);
    return text ? text : "";
}

const char *sl_config_kind_name(enum sl_config_kind kind)
{
    switch (kind) {
    case SL_CONFIG_NULL:
        return "nothing";
    case SL_CONFIG_SCALAR:
        return "text";
    case SL_CONFIG_LIST:
        return "a list";
    case SL_CONFIG_MAP:
        return "a map";
    }
    return "?";
}

void sl_config_add_names(struct sl_buf *out, const char *const *names)
{
    sl_buf_add_c(out, names[0] && names[1] ? "one of " : "");
    for (size_t i = 0; names[i]; i++) {
        sl_buf_printf(out, "%s'%s'", i ? ", " : "", names[i]);
    }
}

void *sl_config_alloc(struct sl_config *config, size_t count, size_t size)
{
    const size_t align = sizeof(max_align_t);
    struct sl_config_chunk *chunk = config->chunks;

    if (size && count > (SIZE_MAX / 2) / size) {
        sl_config_note_out_of_memory(config);
        return NULL;
    }
    size_t need = (count * size + align - 1) / align * align;
    if (!chunk || chunk->cap - chunk->used < need) {
        if (!add_chunk(config, need)) {
            sl_config_note_out_of_memory(config);
            return NULL;
        }
        chunk = config->chunks;
    }
    void *memory = (char *)chunk->data + chunk->used;
    chunk->used += need;
    return memory;
}

const char *sl_config_copy(struct sl_config *config, struct sl_str text)
{
    char *copy = sl_config_alloc(config, text.len + 1, 1);

    if (copy && text.len) {
        memcpy(copy, text.data, text.len);
    }
    return copy;
}

void sl_config_error_at(struct sl_config *config, size_t line, size_t column, const char *format,
                        ...)
{
    char text[MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_message(config, line, column, text);
}

void sl_config_error(struct sl_config *config, const struct sl_config_node *node,
                     const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_message(config, node ? node->line : 0, node ? node->column : 0, text);
}

void sl_config_error_unknown(struct sl_config *config, const struct sl_config_node *node,
                             const char *kind, const char *word, const char *const *names)
{
    const char *near = sl_str_nearest(word, names);
    struct sl_buf list;

    sl_buf_init(&list, 0);
    sl_config_add_names(&list, names);
    if (near) {
        sl_config_error(config, node, "unknown %s '%.*s'; did you mean '%s'?", kind,
                        SL_CONFIG_QUOTE_BYTES, word, near);
    } else {
        sl_config_error(config, node, "unknown %s '%.*s'; expected %s", kind, SL_CONFIG_QUOTE_BYTES,
                        word, sl_buf_text(&list));
    }
    sl_buf_fini(&list);
}

size_t sl_config_errors(const struct sl_config *config)
{
    return config->error_count;
}

size_t sl_config_reports(const struct sl_config *config)
{
    return config->reports;
}

bool sl_config_is_cut_off(const struct sl_config *config)
{
    return config->is_out_of_memory;
}

void sl_config_print_errors(const struct sl_config *config, struct sl_buf *out)
{
    struct sl_config_message sorted[SL_CONFIG_MAX_ERRORS];
    size_t count = config->message_count;

    memcpy(sorted, config->messages, count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare_messages);
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_c(out, config->file);
        if (sorted[i].line) {
            sl_buf_printf(out, ":%u:%u", sorted[i].line, sorted[i].column);
        }
        sl_buf_printf(out, ": %s\n", sorted[i].text);
    }
    if (config->is_out_of_memory) {
        sl_buf_printf(out, "%s: out of memory\n", config->file);
    } else if (config->error_count > count) {
        sl_buf_printf(out, "%s: and %zu more errors\n", config->file, config->error_count - count);
    }
}
