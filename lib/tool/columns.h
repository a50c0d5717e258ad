/* columns.h - a table for a person: as wide as what stands in it.
 *
 * Cells are added one after the other, row by row, and printed at the end. Whatever a cell is given
 * is made harmless for a terminal (sl_print_plain) and cut off at SL_COLUMNS_CELL_BYTES.
 */
#ifndef SLUICE_TOOL_COLUMNS_H
#define SLUICE_TOOL_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "tool/figure.h"

enum { SL_COLUMNS_MOST = 16, SL_COLUMNS_CELL_BYTES = 400 };

struct sl_column {
    const char *title; /* NULL ends a list */
    bool is_number;    /* right-aligned */
};

struct sl_columns {
    const struct sl_column *columns;
    size_t count;
    size_t cells;
    size_t widths[SL_COLUMNS_MOST];
    struct sl_buf text; /* each cell, and a NUL */
};

/* `columns` are borrowed. */
void sl_columns_init(struct sl_columns *table, const struct sl_column *columns);
void sl_columns_fini(struct sl_columns *table);

void sl_columns_add(struct sl_columns *table, const char *text);
void sl_columns_add_figure(struct sl_columns *table, struct sl_figure figure);

/* Appends the titles and the rows that are whole, a line each. `out` fails where memory is out. */
void sl_columns_print(const struct sl_columns *table, struct sl_buf *out);

#endif
