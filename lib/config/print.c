/* Objects back to YAML: what is in force, for people and for another reading. */
#include <string.h>

#include "config/config.h"
#include "config/values.h"

enum { SHOWN_BYTES = 2048 }; /* of a secret that is shown in part */

static const void *field_of(const struct sluice_option *option, const void *object)
{
    return (const char *)object + option->offset;
}

/* In double quotes, YAML 1.2 section 7.3.1. What is not ASCII stays as it is. A dollar is doubled
 * where a reader would fill something in; in a template it already is. */
static void add_quoted(struct sl_buf *out, const char *text, bool is_template)
{
    sl_buf_add_byte(out, '"');
    for (; text && *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            sl_buf_add_byte(out, '\\');
            sl_buf_add_byte(out, *text);
        } else if (byte < 0x20 || byte == 0x7f) {
            sl_buf_printf(out, "\\x%02x", byte);
        } else {
            sl_buf_add_c(out, byte == '$' && !is_template ? "$" : "");
            sl_buf_add_byte(out, *text);
        }
    }
    sl_buf_add_byte(out, '"');
}

static void add_secret(struct sl_buf *out, const char *text)
{
    sl_buf_add_c(out, text && *text ? "\"" SL_CONFIG_MASK "\"" : "\"\"");
}

static void add_shown(struct sl_buf *out, const struct sluice_option *option, const char *text)
{
    char shown[SHOWN_BYTES];

    if (!option->show || !text) {
        add_secret(out, text);
        return;
    }
    option->show(text, shown, sizeof(shown));
    add_quoted(out, shown, false);
}

static void add_name(struct sl_buf *out, unsigned indent, const char *name)
{
    sl_buf_printf(out, "%*s%s: ", (int)indent, "", name);
}

static void add_strings(struct sl_buf *out, const struct sluice_strings *strings)
{
    sl_buf_add_byte(out, '[');
    for (size_t i = 0; i < strings->count; i++) {
        sl_buf_add_c(out, i ? ", " : "");
        add_quoted(out, strings->items[i], false);
    }
    sl_buf_add_byte(out, ']');
}

static void add_map(struct sl_buf *out, const struct sluice_option *option,
                    const struct sluice_map *map)
{
    sl_buf_add_byte(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        const struct sluice_pair *pair = &map->pairs[i];
        sl_buf_add_c(out, i ? ", " : "");
        add_quoted(out, pair->name, true);
        sl_buf_add_c(out, ": ");
        if (option->is_secret && option->is_secret(pair->name)) {
            add_secret(out, pair->value);
        } else {
            add_quoted(out, pair->value, false);
        }
    }
    sl_buf_add_byte(out, '}');
}

static void add_value(struct sl_buf *out, const struct sluice_option *option, const void *field)
{
    switch (option->type) {
    case SLUICE_STRING:
        add_quoted(out, *(const char *const *)field, false);
        break;
    case SLUICE_TEMPLATE:
        add_quoted(out, *(const char *const *)field, true);
        break;
    case SLUICE_SECRET:
        add_shown(out, option, *(const char *const *)field);
        break;
    case SLUICE_BOOL:
        sl_buf_add_c(out, *(const bool *)field ? "true" : "false");
        break;
    case SLUICE_INT:
        sl_buf_add_i64(out, *(const int64_t *)field);
        break;
    case SLUICE_DURATION:
        sl_config_add_duration(out, *(const int64_t *)field);
        break;
    case SLUICE_SIZE:
        sl_config_add_size(out, *(const uint64_t *)field);
        break;
    case SLUICE_ENUM:
        add_quoted(out, option->names[*(const int *)field], true);
        break;
    case SLUICE_STRINGS:
        add_strings(out, field);
        break;
    case SLUICE_MAP:
        add_map(out, option, field);
        break;
    case SLUICE_OBJECT:
    case SLUICE_LIST:
        break; /* their rows, each on a line */
    }
}

/* Words that no reader of YAML takes for anything else. */
static bool is_bare(const char *name)
{
    bool has_letter = false;

    for (const char *at = name; *at; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        bool is_digit = *at >= '0' && *at <= '9';
        if (!is_letter && (at == name || (!is_digit && *at != '-'))) {
            return false;
        }
        has_letter = has_letter || is_letter;
    }
    return has_letter && strcmp(name, "null") != 0 && strcmp(name, "true") != 0 &&
           strcmp(name, "false") != 0;
}

void sl_config_print_text(const char *name, const char *text, unsigned indent, struct sl_buf *out)
{
    sl_buf_printf(out, "%*s", (int)indent, "");
    if (is_bare(name)) {
        sl_buf_add_c(out, name);
    } else {
        add_quoted(out, name, true);
    }
    sl_buf_add_byte(out, ':');
    if (text) {
        sl_buf_add_byte(out, ' ');
        add_quoted(out, text, false);
    }
    sl_buf_add_byte(out, '\n');
}

/* The dash of an item stands in the indentation of its first line. */
static void print_list(const struct sluice_option *option, const struct sluice_list *list,
                       unsigned indent, struct sl_buf *out)
{
    sl_buf_printf(out, "%*s%s:%s\n", (int)indent, "", option->name, list->count ? "" : " []");
    for (size_t i = 0; i < list->count; i++) {
        size_t start = out->len;
        sl_config_print(option->table, (const char *)list->items + i * option->item_bytes,
                        indent + 4, out);
        if (!out->failed) {
            out->data[start + indent + 2] = '-';
        }
    }
}

void sl_config_print(const struct sluice_option *table, const void *object, unsigned indent,
                     struct sl_buf *out)
{
    for (const struct sluice_option *option = table; option->name; option++) {
        const void *field = field_of(option, object);
        if (option->type == SLUICE_OBJECT) {
            sl_buf_printf(out, "%*s%s:\n", (int)indent, "", option->name);
            sl_config_print(option->table, field, indent + 2, out);
        } else if (option->type == SLUICE_LIST) {
            print_list(option, field, indent, out);
        } else {
            add_name(out, indent, option->name);
            add_value(out, option, field);
            sl_buf_add_byte(out, '\n');
        }
    }
}
