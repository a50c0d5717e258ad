#include <stdarg.h>
#include <stdio.h>

#include "config/document.h"
#include "config/values.h"

enum { NAME_COLUMNS = 20, TEXT_BYTES = 400 };

static const char *const type_words[] = {
    [SLUICE_STRING] = "text",
    [SLUICE_TEMPLATE] = "template",
    [SLUICE_SECRET] = "text or {file: PATH}",
    [SLUICE_BOOL] = "true or false",
    [SLUICE_INT] = "number",
    [SLUICE_DURATION] = "duration",
    [SLUICE_SIZE] = "size",
    [SLUICE_STRINGS] = "list of texts",
    [SLUICE_MAP] = "map of texts",
    [SLUICE_OBJECT] = "map",
    [SLUICE_LIST] = "list of maps",
};

static void add_bound(const struct sluice_option *option, int64_t bound, struct sl_buf *out)
{
    if (option->type == SLUICE_DURATION) {
        sl_config_add_duration(out, bound);
    } else if (option->type == SLUICE_SIZE) {
        sl_config_add_size(out, (uint64_t)bound);
    } else {
        sl_buf_add_i64(out, bound);
    }
}

void sl_config_add_bounds(struct sl_buf *out, const struct sluice_option *option)
{
    bool is_open = option->max == INT64_MAX;

    if (option->min || option->max) {
        sl_buf_add_c(out, is_open ? " " : " from ");
        add_bound(option, option->min, out);
        sl_buf_add_c(out, is_open ? " or more" : " to ");
    }
    if ((option->min || option->max) && !is_open) {
        add_bound(option, option->max, out);
    }
}

static void add_type(const struct sluice_option *option, struct sl_buf *out)
{
    if (option->type == SLUICE_ENUM) {
        for (size_t i = 0; option->names[i]; i++) {
            sl_buf_printf(out, "%s%s", i ? " | " : "", option->names[i]);
        }
    } else {
        sl_buf_add_c(out, option->takes_text ? "list of texts or maps" : type_words[option->type]);
    }
    sl_config_add_bounds(out, option);
    if (option->is_required) {
        sl_buf_add_c(out, ", required");
    } else if (option->default_text && option->default_text[0]) {
        sl_buf_printf(out, ", default %s", option->default_text);
    }
}

void sl_config_reference_line(const char *name, unsigned indent, struct sl_buf *out,
                              const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sl_buf_printf(out, "%*s%s:", (int)indent, "", name);
    if (text[0]) {
        size_t used = indent + sl_str_from(name).len + 1;
        int pad = used < NAME_COLUMNS ? (int)(NAME_COLUMNS - used) : 0;
        sl_buf_printf(out, "%*s %s", pad, "", text);
    }
    sl_buf_add_byte(out, '\n');
}

void sl_config_reference(const struct sluice_option *table, unsigned indent, struct sl_buf *out)
{
    struct sl_buf type;

    sl_buf_init(&type, 0);
    for (const struct sluice_option *option = table; option->name; option++) {
        sl_buf_reset(&type);
        add_type(option, &type);
        sl_config_reference_line(option->name, indent, out, "(%s)%s%s", sl_buf_text(&type),
                                 option->doc ? " " : "", option->doc ? option->doc : "");
        if (option->type == SLUICE_OBJECT || option->type == SLUICE_LIST) {
            sl_config_reference(option->table, indent + 2, out);
        }
    }
    sl_buf_fini(&type);
}
