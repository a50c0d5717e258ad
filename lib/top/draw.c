#include "top/draw.h"

#include <math.h>
#include <string.h>

#include "tool/admin_json.h"
#include "tool/admin_tables.h"
#include "tool/figure.h"
#include "top/bar.h"

enum {
    GAP = 1,
    STATE_COLUMNS = 10,
    BYTES_COLUMNS = 9,
    TIME_COLUMNS = 7,
    RATE_COLUMNS = 7,
    LEAST_TROUBLE = 12,
    ROW_ERROR = 4,
    ROW_TITLES = 5,
    MEMORY_COLUMNS = 20,
};

static const char *count(const json_t *object, const char *key, struct sl_figure *figure)
{
    *figure = sl_figure_count(sl_admin_number(object, key));
    return figure->text;
}

/* ---- the head ---- */

static void draw_name(const struct sl_top *top, struct sl_screen *screen)
{
    struct sl_buf line = {0};
    struct sl_figure generation;
    const char *collector = sl_admin_text(top->status, "collector");

    sl_buf_printf(&line, "sluice top: %.100s %.40s, up %s, generation %s", collector,
                  sl_admin_text(top->status, "version"),
                  sl_figure_time(sl_admin_number(top->status, "uptime_s")).text,
                  count(top->status, "generation", &generation));
    unsigned used = sl_screen_put(screen, 0, 0, screen->columns, SL_STYLE_BOLD, sl_buf_text(&line));
    if (top->is_paused) {
        sl_screen_put(screen, 0, used + 2, screen->columns, SL_STYLE_WARN, "PAUSED");
    }
    sl_buf_fini(&line);
}

static void draw_verdict(const struct sl_top *top, struct sl_screen *screen)
{
    struct sl_buf line = {0};

    if (top->status) {
        bool is_good = sl_admin_add_verdict(&line, top->status, top->sinks);
        sl_screen_put(screen, 1, 0, screen->columns, is_good ? SL_STYLE_GOOD : SL_STYLE_BAD,
                      sl_buf_text(&line));
    }
    sl_buf_fini(&line);
}

static void draw_totals(const struct sl_top *top, struct sl_screen *screen)
{
    const json_t *totals = sl_admin_get(top->status, "totals");
    struct sl_figure f[6];
    struct sl_buf line = {0};

    sl_buf_printf(&line, "targets %s of %s up   streams %s: %s synced, %s blocked, %s held",
                  count(totals, "targets_up", &f[0]), count(totals, "targets", &f[1]),
                  count(totals, "streams", &f[2]), count(totals, "streams_synced", &f[3]),
                  count(totals, "streams_blocked", &f[4]), count(totals, "streams_held", &f[5]));
    sl_screen_put(screen, 2, 0, screen->columns, SL_STYLE_PLAIN, sl_buf_text(&line));
    sl_buf_fini(&line);
}

static void draw_flow(const struct sl_top *top, struct sl_screen *screen)
{
    const json_t *totals = sl_admin_get(top->status, "totals");
    const json_t *memory = sl_admin_get(top->status, "memory");
    double held = sl_admin_count(memory, "held_bytes");
    double limit = sl_admin_count(memory, "limit_bytes");
    struct sl_bar bar = sl_bar(MEMORY_COLUMNS, held, sl_admin_count(memory, "promised_bytes"),
                               limit, screen->is_ascii);
    struct sl_figure f[2];
    struct sl_buf line = {0};

    sl_buf_printf(&line, "updates %s/s in, %s/s out, %s held, %s dropped   memory ",
                  sl_figure_rate(top->in_rate).text, sl_figure_rate(top->out_rate).text,
                  count(totals, "held", &f[0]), count(totals, "dropped", &f[1]));
    unsigned at = sl_screen_put(screen, 3, 0, screen->columns, SL_STYLE_PLAIN, sl_buf_text(&line));
    at += sl_screen_put(screen, 3, at, MEMORY_COLUMNS, SL_STYLE_GOOD, bar.text);
    sl_buf_reset(&line);
    sl_buf_printf(&line, " %s of %s", sl_figure_bytes(held).text, sl_figure_bytes(limit).text);
    sl_screen_put(screen, 3, at, screen->columns, SL_STYLE_PLAIN, sl_buf_text(&line));
    sl_buf_fini(&line);
}

/* What stands between head and list: a filter that is typed, no answer, else what the list is. */
static void draw_line(const struct sl_top *top, struct sl_screen *screen)
{
    const struct sl_top_sort *sort = &sl_top_sorts[top->sort];
    struct sl_buf line = {0};
    enum sl_style style = SL_STYLE_DIM;

    if (top->is_typing) {
        sl_buf_printf(&line, "filter: %s_", top->typed);
        style = SL_STYLE_BOLD;
    } else if (*top->error) {
        sl_buf_printf(&line, "no answer: %s", top->error);
        style = SL_STYLE_BAD;
    } else if (top->view == SL_TOP_STREAMS) {
        sl_buf_printf(&line, "%s streams",
                      sl_figure_count(sl_admin_count(top->streams, "total")).text);
        if (*top->filter) {
            sl_buf_printf(&line, " with '%s'", top->filter);
        }
        sl_buf_printf(&line, " by %s, %s first", sort->name,
                      top->is_descending ? "greatest" : "least");
    }
    sl_screen_put(screen, ROW_ERROR, 0, screen->columns, style, sl_buf_text(&line));
    sl_buf_fini(&line);
}

/* ---- streams ---- */

/* Where each column begins; width 0: there is no room for it. */
struct layout {
    unsigned name, state, bar, held, blocked, lag, rate, trouble; /* widths */
};

static unsigned take(unsigned *left, unsigned width)
{
    if (*left < width + GAP) {
        return 0;
    }
    *left -= width + GAP;
    return width;
}

static unsigned between(unsigned value, unsigned least, unsigned most)
{
    return value < least ? least : value > most ? most : value;
}

static struct layout lay_out(unsigned columns)
{
    struct layout layout = {0};
    unsigned left = columns;

    layout.name = take(&left, between(columns / 4, 12, 44));
    layout.bar = take(&left, between(columns / 6, 8, 28));
    layout.state = take(&left, STATE_COLUMNS);
    layout.held = take(&left, BYTES_COLUMNS);
    layout.blocked = take(&left, TIME_COLUMNS);
    layout.rate = take(&left, RATE_COLUMNS);
    layout.lag = take(&left, TIME_COLUMNS);
    layout.trouble = left >= LEAST_TROUBLE ? left : 0;
    return layout;
}

static void put_text(struct sl_screen *screen, unsigned row, unsigned *at, unsigned width,
                     enum sl_style style, const char *text)
{
    if (width) {
        sl_screen_put(screen, row, *at, width, style, text);
        *at += width + GAP;
    }
}

static void put_number(struct sl_screen *screen, unsigned row, unsigned *at, unsigned width,
                       enum sl_style style, const char *text)
{
    if (width) {
        sl_screen_put_right(screen, row, *at, width, style, text);
        *at += width + GAP;
    }
}

static void draw_titles(struct sl_screen *screen, const struct layout *layout)
{
    unsigned at = 0;

    sl_screen_mark(screen, ROW_TITLES, SL_STYLE_TITLE);
    put_text(screen, ROW_TITLES, &at, layout->name, SL_STYLE_TITLE, "STREAM");
    put_text(screen, ROW_TITLES, &at, layout->state, SL_STYLE_TITLE, "STATE");
    put_text(screen, ROW_TITLES, &at, layout->bar, SL_STYLE_TITLE, "CREDIT");
    put_number(screen, ROW_TITLES, &at, layout->held, SL_STYLE_TITLE, "HELD");
    put_number(screen, ROW_TITLES, &at, layout->blocked, SL_STYLE_TITLE, "BLOCKED");
    put_number(screen, ROW_TITLES, &at, layout->lag, SL_STYLE_TITLE, "LAG");
    put_number(screen, ROW_TITLES, &at, layout->rate, SL_STYLE_TITLE, "IN/S");
    put_text(screen, ROW_TITLES, &at, layout->trouble, SL_STYLE_TITLE, "TROUBLE");
}

static double stream_rate(const struct sl_top *top, const json_t *stream)
{
    const char *id = sl_admin_text(stream, "id");

    for (size_t i = 0; top->streams_s > 0 && i < sl_admin_length(top->earlier, "streams"); i++) {
        const json_t *before = sl_admin_at(top->earlier, "streams", i);
        if (strcmp(sl_admin_text(before, "id"), id) == 0) {
            double more = sl_admin_number(stream, "received") - sl_admin_number(before, "received");
            return more >= 0 ? more / top->streams_s : (double)NAN;
        }
    }
    return (double)NAN;
}

static void put_bar(struct sl_screen *screen, unsigned row, unsigned *at, unsigned width,
                    const json_t *stream)
{
    if (!width) {
        return;
    }
    double held = sl_admin_count(stream, "held_bytes") +
                  sl_admin_count(stream, "assembling_bytes") +
                  sl_admin_count(stream, "pending_bytes");
    struct sl_bar bar = sl_bar(width, held, sl_admin_count(stream, "granted_bytes"),
                               sl_admin_count(stream, "limit_bytes"), screen->is_ascii);
    bool is_blocked = sl_admin_is(stream, "blocked");
    sl_screen_put(screen, row, *at, width, is_blocked ? SL_STYLE_BAD : SL_STYLE_GOOD, bar.text);
    *at += width + GAP;
}

static void add_trouble(struct sl_buf *line, const json_t *stream)
{
    struct sl_figure held;

    for (size_t i = 0; i < sl_admin_length(stream, "held_by"); i++) {
        const json_t *by = sl_admin_at(stream, "held_by", i);
        sl_buf_printf(line, "%s%s/%s (%s)", i ? ", " : "held by ", sl_admin_text(by, "sink"),
                      sl_admin_text(by, "destination"), count(by, "held", &held));
    }
    if (*sl_admin_text(stream, "last_error")) {
        sl_buf_printf(line, "%s%s", line->len ? "; " : "", sl_admin_text(stream, "last_error"));
    }
}

static void draw_stream(const struct sl_top *top, struct sl_screen *screen, unsigned row,
                        const struct layout *layout, const json_t *stream)
{
    struct sl_buf trouble = {0};
    bool is_bad = sl_admin_is(stream, "blocked") || sl_admin_is(stream, "stale");
    enum sl_style style = is_bad ? SL_STYLE_WARN : SL_STYLE_PLAIN;
    unsigned at = 0;

    add_trouble(&trouble, stream);
    put_text(screen, row, &at, layout->name, SL_STYLE_PLAIN, sl_admin_text(stream, "id"));
    put_text(screen, row, &at, layout->state, style, sl_admin_text(stream, "state"));
    put_bar(screen, row, &at, layout->bar, stream);
    put_number(screen, row, &at, layout->held, SL_STYLE_PLAIN,
               sl_figure_bytes(sl_admin_number(stream, "held_bytes")).text);
    put_number(screen, row, &at, layout->blocked, style,
               sl_figure_time(sl_admin_number(stream, "blocked_s")).text);
    put_number(screen, row, &at, layout->lag, SL_STYLE_PLAIN,
               sl_figure_time(sl_admin_number(stream, "lag_s")).text);
    put_number(screen, row, &at, layout->rate, SL_STYLE_PLAIN,
               sl_figure_rate(stream_rate(top, stream)).text);
    put_text(screen, row, &at, layout->trouble, SL_STYLE_PLAIN, sl_buf_text(&trouble));
    sl_buf_fini(&trouble);
}

static void draw_streams(const struct sl_top *top, struct sl_screen *screen)
{
    struct layout layout = lay_out(screen->columns);

    draw_titles(screen, &layout);
    for (size_t i = 0; i < sl_min_size(sl_admin_length(top->streams, "streams"), top->room); i++) {
        unsigned row = (unsigned)(SL_TOP_HEAD_ROWS + i);
        draw_stream(top, screen, row, &layout, sl_admin_at(top->streams, "streams", i));
        if (top->offset + i == top->selected) {
            sl_screen_mark(screen, row, SL_STYLE_SELECTED);
        }
    }
}

void sl_top_draw(const struct sl_top *top, struct sl_screen *screen)
{
    sl_screen_clear(screen);
    draw_name(top, screen);
    draw_verdict(top, screen);
    draw_totals(top, screen);
    draw_flow(top, screen);
    draw_line(top, screen);
    switch (top->view) {
    case SL_TOP_STREAMS:
        draw_streams(top, screen);
        break;
    case SL_TOP_SINKS:
        sl_draw_sinks(top, screen);
        break;
    case SL_TOP_EVENT_LIST:
        sl_draw_events(top, screen);
        break;
    case SL_TOP_TARGET:
        sl_draw_target(top, screen);
        break;
    case SL_TOP_HELP:
        sl_draw_help(top, screen);
        break;
    }
    if (!top->is_printed && screen->rows > SL_TOP_HEAD_ROWS + SL_TOP_FOOT_ROWS) {
        sl_screen_put(
            screen, screen->rows - 1, 0, screen->columns, SL_STYLE_DIM,
            "q quit  / filter  s sort  o order  p pause  Enter target  1 streams  2 sinks  "
            "3 events  ? help");
    }
}
