#include "top/screen.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "tool/figure.h"
#include "tool/value_text.h"

static unsigned bounded(unsigned value, unsigned most)
{
    return value < 1 ? 1 : value > most ? most : value;
}

bool sl_screen_resize(struct sl_screen *screen, unsigned rows, unsigned columns)
{
    rows = bounded(rows, SL_SCREEN_MAX_ROWS);
    columns = bounded(columns, SL_SCREEN_MAX_COLUMNS);
    struct sl_cell *cells = calloc((size_t)rows * columns, sizeof(*cells));

    if (!cells) {
        return false;
    }
    free(screen->cells);
    screen->cells = cells;
    screen->rows = rows;
    screen->columns = columns;
    sl_screen_clear(screen);
    return true;
}

void sl_screen_fini(struct sl_screen *screen)
{
    free(screen->cells);
    *screen = (struct sl_screen){0};
}

void sl_screen_clear(struct sl_screen *screen)
{
    for (size_t i = 0; i < (size_t)screen->rows * screen->columns; i++) {
        screen->cells[i] = (struct sl_cell){" ", SL_STYLE_PLAIN};
    }
}

/* One character, into cells. What combines goes to the one before it, where that has room. */
static unsigned put_rune(struct sl_cell *cell, bool is_first, unsigned room, struct sl_str rune,
                         enum sl_style style)
{
    unsigned width = (unsigned)sl_text_width(rune);

    if (!width) {
        if (!is_first && strlen(cell[-1].text) + rune.len < SL_CELL_BYTES) {
            memcpy(cell[-1].text + strlen(cell[-1].text), rune.data, rune.len);
        }
        return 0;
    }
    if (width > room) {
        return room + 1;
    }
    *cell = (struct sl_cell){.style = (uint8_t)style};
    memcpy(cell->text, rune.data, rune.len);
    for (unsigned i = 1; i < width; i++) {
        cell[i] = (struct sl_cell){.style = (uint8_t)style};
    }
    return width;
}

static unsigned put_plain(const struct sl_screen *screen, struct sl_cell *cells, unsigned width,
                          enum sl_style style, struct sl_str text)
{
    unsigned at = 0;

    while (text.len) {
        uint32_t rune;
        size_t len = sl_utf8_decode(text, &rune);
        struct sl_str one = {text.data, len ? len : 1};
        bool is_shown = len && (!screen->is_ascii || rune < 0x80);
        unsigned used =
            put_rune(cells + at, at == 0, width - at, is_shown ? one : SL_STR("?"), style);
        if (used > width - at) {
            break;
        }
        at += used;
        text = (struct sl_str){text.data + one.len, text.len - one.len};
    }
    return at;
}

unsigned sl_screen_put(struct sl_screen *screen, unsigned row, unsigned column, unsigned width,
                       enum sl_style style, const char *text)
{
    struct sl_buf plain = {0};
    unsigned used = 0;

    if (row < screen->rows && column < screen->columns) {
        unsigned room = screen->columns - column;
        sl_print_plain(&plain, sl_str_from(text));
        used = put_plain(screen, &screen->cells[(size_t)row * screen->columns + column],
                         width < room ? width : room, style, sl_buf_str(&plain));
    }
    sl_buf_fini(&plain);
    return used;
}

void sl_screen_put_right(struct sl_screen *screen, unsigned row, unsigned column, unsigned width,
                         enum sl_style style, const char *text)
{
    size_t len = strlen(text);
    unsigned blanks = len < width ? width - (unsigned)len : 0;

    sl_screen_put(screen, row, column + blanks, width - blanks, style, text);
}

void sl_screen_mark(struct sl_screen *screen, unsigned row, enum sl_style style)
{
    for (unsigned i = 0; row < screen->rows && i < screen->columns; i++) {
        screen->cells[(size_t)row * screen->columns + i].style = (uint8_t)style;
    }
}

static void print_row(const struct sl_screen *screen, unsigned row, struct sl_buf *out)
{
    size_t start = out->len;

    for (unsigned i = 0; i < screen->columns; i++) {
        sl_buf_add_c(out, screen->cells[(size_t)row * screen->columns + i].text);
    }
    while (out->len > start && out->data[out->len - 1] == ' ') {
        out->len--;
    }
}

void sl_screen_print(const struct sl_screen *screen, struct sl_buf *out)
{
    for (unsigned row = 0; row < screen->rows; row++) {
        print_row(screen, row, out);
        sl_buf_add_byte(out, '\n');
    }
}
