/* Sinks, events, one target, help: lists of lines. */
#include <string.h>

#include "tool/admin_json.h"
#include "tool/admin_tables.h"
#include "top/draw.h"

/* The text's lines from `first` on. */
static void draw_lines(const struct sl_top *top, struct sl_screen *screen, unsigned row,
                       struct sl_buf *text, size_t first)
{
    const char *line = sl_buf_text(text);
    char copy[SL_SCREEN_MAX_COLUMNS * 4];

    for (size_t i = 0; *line && row < SL_TOP_HEAD_ROWS + top->room; i++) {
        size_t len = strcspn(line, "\n");
        size_t kept = sl_min_size(len, sizeof(copy) - 1);
        memcpy(copy, line, kept);
        copy[kept] = '\0';
        if (i >= first) {
            sl_screen_put(screen, row++, 0, screen->columns, SL_STYLE_PLAIN, copy);
        }
        line += len + (line[len] == '\n');
    }
}

/* The first line stays, as titles; the others scroll. */
static void draw_table(const struct sl_top *top, struct sl_screen *screen, struct sl_buf *text)
{
    size_t titles = strcspn(sl_buf_text(text), "\n");
    struct sl_buf first = {0};

    sl_buf_add(&first, text->data, titles);
    sl_screen_put(screen, SL_TOP_HEAD_ROWS - 1, 0, screen->columns, SL_STYLE_TITLE,
                  sl_buf_text(&first));
    sl_screen_mark(screen, SL_TOP_HEAD_ROWS - 1, SL_STYLE_TITLE);
    draw_lines(top, screen, SL_TOP_HEAD_ROWS, text, top->scrolled + 1);
    sl_buf_fini(&first);
}

void sl_draw_sinks(const struct sl_top *top, struct sl_screen *screen)
{
    struct sl_buf text = {0};

    sl_admin_add_sinks(&text, top->sinks);
    draw_table(top, screen, &text);
    sl_buf_fini(&text);
}

/* The newest first. */
void sl_draw_events(const struct sl_top *top, struct sl_screen *screen)
{
    size_t count = json_array_size(top->events);
    struct sl_buf text = {0};

    for (size_t i = count; i > 0; i--) {
        sl_admin_add_event(&text, json_array_get(top->events, i - 1));
    }
    draw_lines(top, screen, SL_TOP_HEAD_ROWS, &text, top->scrolled);
    sl_screen_put(screen, SL_TOP_HEAD_ROWS - 1, 0, screen->columns, SL_STYLE_TITLE,
                  count ? "EVENTS, the newest first" : "EVENTS: none yet");
    sl_buf_fini(&text);
}

void sl_draw_target(const struct sl_top *top, struct sl_screen *screen)
{
    struct sl_buf text = {0};

    if (top->target) {
        sl_admin_add_target(&text, top->target);
        draw_lines(top, screen, SL_TOP_HEAD_ROWS, &text, top->scrolled);
    }
    sl_screen_put(screen, SL_TOP_HEAD_ROWS - 1, 0, screen->columns, SL_STYLE_TITLE,
                  "TARGET, Esc goes back");
    sl_buf_fini(&text);
}

void sl_draw_help(const struct sl_top *top, struct sl_screen *screen)
{
    struct sl_buf text = {0};

    sl_buf_printf(
        &text,
        "CREDIT  what a stream's device may still send:\n"
        "  %s  received, and not yet acknowledged by the sinks: it holds the device back\n"
        "  %s  granted: the device may send so much\n"
        "  %s  free\n\n"
        "1 2 3       streams, sinks, events           Enter   the stream's target\n"
        "/           filter by a part of the name     Esc     back; without the filter\n"
        "s           sort by the next column          o       the other way round\n"
        "p, blank    pause                            q       quit\n"
        "arrows, PgUp, PgDn, Home, End, j, k          move\n\nsort by: ",
        screen->is_ascii ? "#" : "█", screen->is_ascii ? "-" : "░", screen->is_ascii ? "." : "·");
    for (const struct sl_top_sort *sort = sl_top_sorts; sort->field; sort++) {
        sl_buf_printf(&text, "%c %s  ", sort->key, sort->name);
    }
    draw_lines(top, screen, SL_TOP_HEAD_ROWS, &text, top->scrolled);
    sl_screen_put(screen, SL_TOP_HEAD_ROWS - 1, 0, screen->columns, SL_STYLE_TITLE,
                  "HELP, Esc goes back");
    sl_buf_fini(&text);
}
