/* top.h - `sluice top`: what an operator looks at, and what has to be asked for it.
 *
 * No terminal, no connection and no clock are in here: keys and answers come in (sl_top_key,
 * sl_top_take), requests and a screen go out (sl_top_ask, sl_top_draw). Only what is shown is asked
 * for: of streams the rows of the screen, sorted and filtered by the other side.
 */
#ifndef SLUICE_TOP_TOP_H
#define SLUICE_TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/base.h"
#include "base/buf.h"
#include "top/screen.h"

enum {
    SL_TOP_FILTER_BYTES = 64,
    SL_TOP_TARGET_BYTES = 256,
    SL_TOP_ERROR_BYTES = 400,
    SL_TOP_EVENTS = 200,  /* that are kept */
    SL_TOP_HEAD_ROWS = 6, /* above the rows of a list: the last has the titles */
    SL_TOP_FOOT_ROWS = 1,
};

enum sl_top_view {
    SL_TOP_STREAMS,
    SL_TOP_SINKS,
    SL_TOP_EVENT_LIST,
    SL_TOP_TARGET,
    SL_TOP_HELP,
};

/* Keys that are no characters. */
enum sl_top_key {
    SL_TOP_KEY_UP = 0x110000,
    SL_TOP_KEY_DOWN,
    SL_TOP_KEY_PAGE_UP,
    SL_TOP_KEY_PAGE_DOWN,
    SL_TOP_KEY_HOME,
    SL_TOP_KEY_END,
    SL_TOP_KEY_ENTER,
    SL_TOP_KEY_BACK, /* backspace */
    SL_TOP_KEY_ESCAPE,
};

/* What may have to be asked; bits. */
enum sl_top_question {
    SL_TOP_ASK_STATUS = 1,
    SL_TOP_ASK_STREAMS = 2,
    SL_TOP_ASK_SINKS = 4,
    SL_TOP_ASK_EVENTS = 8,
    SL_TOP_ASK_TARGET = 16,
};

/* A column that streams are sorted by. */
struct sl_top_sort {
    const char *field; /* of the API */
    const char *name;
    char key;
    bool is_descending; /* at first */
};

extern const struct sl_top_sort sl_top_sorts[]; /* ends with a NULL field */

struct sl_top {
    enum sl_top_view view;
    enum sl_top_view before_help;
    size_t sort;
    bool is_descending;
    bool is_typing; /* a filter */
    bool is_paused;
    bool wants_end;
    bool is_printed; /* no terminal, no keys: they are not shown */
    char filter[SL_TOP_FILTER_BYTES];
    char typed[SL_TOP_FILTER_BYTES];
    char target_name[SL_TOP_TARGET_BYTES];
    char error[SL_TOP_ERROR_BYTES]; /* why there is no answer; "": there is */
    unsigned due;                   /* questions */
    size_t offset;                  /* of the first stream on the screen */
    size_t selected;                /* of all that match */
    size_t scrolled;                /* lines of the other views */
    size_t room;                    /* rows for a list */
    double next_event;
    double in_rate, out_rate; /* updates a second; NAN: not known yet */
    double streams_s;         /* between the last two answers; 0: none before */
    double streams_at_s;
    json_t *status, *streams, *earlier, *sinks, *events, *target; /* NULL: no answer yet */
};

/* False: there is no such sort (`sort` NULL: by blocked time), or memory is out. */
bool sl_top_init(struct sl_top *top, const char *sort, const char *filter) SL_MUST_CHECK;
void sl_top_fini(struct sl_top *top);

/* How many rows the screen has in all. */
void sl_top_set_rows(struct sl_top *top, unsigned rows);

/* The time of a refresh has come: what is shown is due, unless it is paused. */
void sl_top_tick(struct sl_top *top);

/* A character (Unicode) or one of sl_top_key. (keys.c) */
void sl_top_key(struct sl_top *top, int key);

/* Takes the next question that is due, and appends its path. 0: nothing is. */
unsigned sl_top_ask(struct sl_top *top, struct sl_buf *path);

/* Its answer, at a time of any clock that goes on: held. NULL: `why` there is none. */
void sl_top_take(struct sl_top *top, unsigned question, json_t *answer, const char *why,
                 double now_s);

/* Draws all of it. (draw.c) */
void sl_top_draw(const struct sl_top *top, struct sl_screen *screen);

#endif
