/* screen.h - what is shown: cells with a text and a style, drawn anew each time.
 *
 * Who draws neither knows the terminal nor needs one: terminal.h paints a screen, sl_screen_print
 * writes it as lines. Every text that is put here is made harmless for a terminal first.
 */
#ifndef SLUICE_TOP_SCREEN_H
#define SLUICE_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

enum { SL_SCREEN_MAX_ROWS = 6000, SL_SCREEN_MAX_COLUMNS = 1000, SL_CELL_BYTES = 14 };

enum sl_style {
    SL_STYLE_PLAIN,
    SL_STYLE_BOLD,
    SL_STYLE_DIM,
    SL_STYLE_TITLE,    /* of columns */
    SL_STYLE_SELECTED, /* a row */
    SL_STYLE_GOOD,
    SL_STYLE_WARN,
    SL_STYLE_BAD,
};

enum { SL_STYLES = 8 };

/* A character and what combines with it, NUL-terminated; "" in the second half of a wide one. */
struct sl_cell {
    char text[SL_CELL_BYTES];
    uint8_t style;
};

struct sl_screen {
    unsigned rows, columns;
    bool is_ascii; /* other characters become '?' */
    struct sl_cell *cells;
};

/* Makes it so large, within its bounds, and empty. False: memory is out, nothing changed. */
bool sl_screen_resize(struct sl_screen *screen, unsigned rows, unsigned columns) SL_MUST_CHECK;
void sl_screen_fini(struct sl_screen *screen);
void sl_screen_clear(struct sl_screen *screen);

/* Puts text at a place, no wider than `width` columns, nor than the screen; returns how wide it
 * is. Outside the screen: 0. */
unsigned sl_screen_put(struct sl_screen *screen, unsigned row, unsigned column, unsigned width,
                       enum sl_style style, const char *text);

/* The same at the right end of `width` columns. */
void sl_screen_put_right(struct sl_screen *screen, unsigned row, unsigned column, unsigned width,
                         enum sl_style style, const char *text);

/* The style of a whole row. */
void sl_screen_mark(struct sl_screen *screen, unsigned row, enum sl_style style);

/* Appends all rows as lines, without blanks at their ends. */
void sl_screen_print(const struct sl_screen *screen, struct sl_buf *out);

#endif
