#include "tool/columns.h"

#include <string.h>

#include "tool/value_text.h"

enum { GAP = 2 };

static void widen(struct sl_columns *table, size_t column, const char *text)
{
    size_t width = sl_text_width(sl_str_from(text));

    if (width > table->widths[column]) {
        table->widths[column] = width;
    }
}

void sl_columns_init(struct sl_columns *table, const struct sl_column *columns)
{
    *table = (struct sl_columns){.columns = columns};
    for (; columns[table->count].title; table->count++) {
        SL_ASSERT(table->count < SL_COLUMNS_MOST);
        widen(table, table->count, columns[table->count].title);
    }
}

void sl_columns_fini(struct sl_columns *table)
{
    sl_buf_fini(&table->text);
}

void sl_columns_add(struct sl_columns *table, const char *text)
{
    size_t start = table->text.len;

    sl_print_plain(&table->text, (struct sl_str){text, strnlen(text, SL_COLUMNS_CELL_BYTES)});
    sl_buf_add_byte(&table->text, '\0');
    if (!table->text.failed) {
        widen(table, table->cells % table->count, table->text.data + start);
        table->cells++;
    }
}

void sl_columns_add_figure(struct sl_columns *table, struct sl_figure figure)
{
    sl_columns_add(table, figure.text);
}

static void add_blanks(struct sl_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_byte(out, ' ');
    }
}

static void print_cell(const struct sl_columns *table, size_t column, const char *text,
                       struct sl_buf *out)
{
    size_t blanks = table->widths[column] - sl_text_width(sl_str_from(text));
    bool is_number = table->columns[column].is_number;

    add_blanks(out, column ? GAP : 0);
    add_blanks(out, is_number ? blanks : 0);
    sl_buf_add_c(out, text);
    if (column + 1 < table->count) {
        add_blanks(out, is_number ? 0 : blanks);
        return;
    }
    while (out->len && out->data[out->len - 1] == ' ') {
        out->len--;
    }
    sl_buf_add_byte(out, '\n');
}

void sl_columns_print(const struct sl_columns *table, struct sl_buf *out)
{
    const char *text = table->text.data;

    for (size_t i = 0; i < table->count; i++) {
        print_cell(table, i, table->columns[i].title, out);
    }
    for (size_t i = 0; i < table->cells - table->cells % table->count; i++) {
        print_cell(table, i % table->count, text, out);
        text += strlen(text) + 1;
    }
    out->failed = out->failed || table->text.failed;
}
