#include "config/table.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/document.h"

struct check {
    size_t object_bytes;
    unsigned depth;
    struct sl_status *why;
};

bool sl_config_is_key(const char *text)
{
    size_t len = strnlen(text, SL_CONFIG_MAX_KEY_BYTES + 1);
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= SL_CONFIG_MAX_KEY_BYTES && good == len && text[0] != '-' &&
           text[len - 1] != '-';
}

SL_PRINTF(3, 4)
static bool refuse(const struct check *check, const struct sluice_option *row, const char *format,
                   ...)
{
    char text[SL_STATUS_TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *check->why = sl_status_error(SL_INVALID_ARGUMENT, "option '%.64s': %s", row->name, text);
    return false;
}

static bool check_place(const struct check *check, const struct sluice_option *row)
{
    size_t bytes = sl_config_field_bytes(row->type);
    size_t align = row->type == SLUICE_BOOL     ? alignof(bool)
                   : row->type == SLUICE_ENUM   ? alignof(int)
                   : row->type == SLUICE_OBJECT ? 1
                                                : alignof(max_align_t) / 2;

    if (row->offset > check->object_bytes || bytes > check->object_bytes - row->offset) {
        return refuse(check, row, "its place, %zu, is beyond the %zu bytes of options_size",
                      row->offset, check->object_bytes);
    }
    return row->offset % align == 0 ||
           refuse(check, row, "its place, %zu, is not aligned for its type", row->offset);
}

static bool check_words(const struct check *check, const struct sluice_option *row)
{
    size_t count = 0;

    while (row->names && row->names[count] && count <= SL_CONFIG_MAX_WORDS) {
        count++;
    }
    if (row->type != SLUICE_ENUM || (count > 0 && count <= SL_CONFIG_MAX_WORDS)) {
        return true;
    }
    return refuse(check, row, "an ENUM has 1 to %d names", SL_CONFIG_MAX_WORDS);
}

static bool check_default(const struct check *check, const struct sluice_option *row)
{
    bool is_one_text = row->type != SLUICE_STRINGS && row->type != SLUICE_MAP &&
                       row->type != SLUICE_OBJECT && row->type != SLUICE_LIST;

    if (!row->default_text || row->type == SLUICE_STRINGS) {
        return true;
    }
    if (!is_one_text) {
        return refuse(check, row, "its type has no default_text");
    }
    return sl_config_takes(row, row->default_text) ||
           refuse(check, row, "it does not take its own default '%.40s'", row->default_text);
}

static bool check_rows(const struct check *check, const struct sluice_option *table);

/* Recursive: tables stand in each other, SL_CONFIG_MAX_TABLES deep at most. */
static bool check_inner(const struct check *check, const struct sluice_option *row)
{
    struct check inner = {check->object_bytes, check->depth + 1, check->why};

    if (row->type != SLUICE_OBJECT && row->type != SLUICE_LIST) {
        return true;
    }
    if (!row->table || !row->table[0].name) {
        return refuse(check, row, "its table is empty");
    }
    if (inner.depth >= SL_CONFIG_MAX_TABLES) {
        return refuse(check, row, "tables stand %d deep in each other at most",
                      SL_CONFIG_MAX_TABLES);
    }
    if (row->type == SLUICE_LIST &&
        (!row->item_bytes || row->item_bytes > SL_CONFIG_MAX_OBJECT_BYTES)) {
        return refuse(check, row, "item_bytes is %zu", row->item_bytes);
    }
    inner.object_bytes =
        row->type == SLUICE_LIST ? row->item_bytes : check->object_bytes - row->offset;
    return check_rows(&inner, row->table);
}

static bool check_row(const struct check *check, const struct sluice_option *table,
                      const struct sluice_option *row)
{
    if (!sl_config_is_key(row->name)) {
        return refuse(check, row, "a name is kebab-case, 1 to %d bytes", SL_CONFIG_MAX_KEY_BYTES);
    }
    for (const struct sluice_option *other = table; other < row; other++) {
        if (strcmp(other->name, row->name) == 0) {
            return refuse(check, row, "there are two of it");
        }
    }
    if (row->type < SLUICE_STRING || row->type > SLUICE_LIST) {
        return refuse(check, row, "%d is no type", (int)row->type);
    }
    if (!row->doc || !row->doc[0]) {
        return refuse(check, row, "it has no doc");
    }
    if (row->min > row->max) {
        return refuse(check, row, "its min is above its max");
    }
    return check_place(check, row) && check_words(check, row) && check_default(check, row) &&
           check_inner(check, row);
}

static bool check_rows(const struct check *check, const struct sluice_option *table)
{
    for (size_t i = 0; table[i].name; i++) {
        if (i >= SL_CONFIG_MAX_ROWS) {
            return refuse(check, &table[i], "a table has %d rows at most", SL_CONFIG_MAX_ROWS);
        }
        if (!check_row(check, table, &table[i])) {
            return false;
        }
    }
    return true;
}

bool sl_config_check_table(const struct sluice_option *table, size_t object_bytes,
                           struct sl_status *why)
{
    const struct check check = {object_bytes, 0, why};

    if (object_bytes > SL_CONFIG_MAX_OBJECT_BYTES) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "options_size is %zu", object_bytes);
        return false;
    }
    return !table || check_rows(&check, table);
}
