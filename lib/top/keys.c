/* What keys do. */
#include <stdio.h>
#include <string.h>

#include "tool/admin_json.h"
#include "top/top.h"

static size_t total(const struct sl_top *top)
{
    double count = sl_admin_count(top->streams, "total");

    return count < 1e9 ? (size_t)count : 0;
}

static void show(struct sl_top *top, enum sl_top_view view)
{
    top->view = view;
    top->scrolled = 0;
    sl_top_tick(top);
}

static void ask_again(struct sl_top *top)
{
    top->offset = top->selected = 0;
    top->due |= SL_TOP_ASK_STREAMS;
}

/* ---- the filter ---- */

static void type(struct sl_top *top, int key)
{
    size_t len = strlen(top->typed);

    if (key == SL_TOP_KEY_ENTER) {
        memcpy(top->filter, top->typed, sizeof(top->filter));
        top->is_typing = false;
        ask_again(top);
    } else if (key == SL_TOP_KEY_ESCAPE) {
        top->is_typing = false;
    } else if (key == SL_TOP_KEY_BACK && len) {
        top->typed[len - 1] = '\0';
    } else if (key >= ' ' && key <= '~' && len + 1 < sizeof(top->typed)) {
        top->typed[len] = (char)key;
        top->typed[len + 1] = '\0';
    }
}

static void begin_filter(struct sl_top *top)
{
    show(top, SL_TOP_STREAMS);
    top->is_typing = true;
    *top->typed = '\0';
}

/* ---- moving ---- */

static size_t moved(size_t at, int key, size_t page, size_t end)
{
    size_t last = end ? end - 1 : 0;

    switch (key) {
    case SL_TOP_KEY_UP:
        return at ? at - 1 : 0;
    case SL_TOP_KEY_DOWN:
        return at < last ? at + 1 : last;
    case SL_TOP_KEY_PAGE_UP:
        return at > page ? at - page : 0;
    case SL_TOP_KEY_PAGE_DOWN:
        return sl_min_size(at + page, last);
    case SL_TOP_KEY_HOME:
        return 0;
    default:
        return last;
    }
}

/* Lines that can be scrolled to. */
static size_t lines(const struct sl_top *top)
{
    enum { MOST_OF_TARGET = 200 };

    return top->view == SL_TOP_SINKS        ? sl_admin_length(top->sinks, "sinks")
           : top->view == SL_TOP_EVENT_LIST ? json_array_size(top->events)
                                            : MOST_OF_TARGET;
}

static void move(struct sl_top *top, int key)
{
    if (top->view != SL_TOP_STREAMS) {
        top->scrolled = moved(top->scrolled, key, top->room, lines(top));
        return;
    }
    top->selected = moved(top->selected, key, top->room, total(top));
    size_t before = top->offset;
    if (top->selected < top->offset) {
        top->offset = top->selected;
    } else if (top->selected >= top->offset + top->room) {
        top->offset = top->selected - top->room + 1;
    }
    if (top->offset != before) {
        top->due |= SL_TOP_ASK_STREAMS;
    }
}

static bool is_move(int key)
{
    return key >= SL_TOP_KEY_UP && key <= SL_TOP_KEY_END;
}

/* ---- sorting ---- */

static void sort_by(struct sl_top *top, size_t sort)
{
    top->sort = sort;
    top->is_descending = sl_top_sorts[sort].is_descending;
    ask_again(top);
}

static bool sort_key(struct sl_top *top, int key)
{
    for (size_t i = 0; sl_top_sorts[i].field; i++) {
        if (sl_top_sorts[i].key == key) {
            sort_by(top, i);
            return true;
        }
    }
    return false;
}

/* ---- views ---- */

static void open_target(struct sl_top *top)
{
    const json_t *row = sl_admin_at(top->streams, "streams",
                                    top->selected - sl_min_size(top->offset, top->selected));
    const char *name = sl_admin_text(row, "target");

    if (top->view == SL_TOP_STREAMS && *name && strlen(name) < sizeof(top->target_name)) {
        memcpy(top->target_name, name, strlen(name) + 1);
        json_decref(top->target);
        top->target = NULL;
        top->due |= SL_TOP_ASK_TARGET;
        show(top, SL_TOP_TARGET);
    }
}

static void back(struct sl_top *top)
{
    if (top->view == SL_TOP_HELP) {
        show(top, top->before_help);
    } else if (top->view != SL_TOP_STREAMS) {
        show(top, SL_TOP_STREAMS);
    } else if (*top->filter) {
        *top->filter = '\0';
        ask_again(top);
    }
}

static void help(struct sl_top *top)
{
    if (top->view != SL_TOP_HELP) {
        top->before_help = top->view;
        show(top, SL_TOP_HELP);
    }
}

static void character(struct sl_top *top, int key)
{
    switch (key) {
    case 'q':
        top->wants_end = true;
        break;
    case '/':
        begin_filter(top);
        break;
    case 'p':
    case ' ':
        top->is_paused = !top->is_paused;
        sl_top_tick(top);
        break;
    case 's':
        sort_by(top, sl_top_sorts[top->sort + 1].field ? top->sort + 1 : 0);
        break;
    case 'o':
        top->is_descending = !top->is_descending;
        ask_again(top);
        break;
    case '1':
        show(top, SL_TOP_STREAMS);
        break;
    case '2':
        show(top, SL_TOP_SINKS);
        break;
    case '3':
        show(top, SL_TOP_EVENT_LIST);
        break;
    case 'k':
        move(top, SL_TOP_KEY_UP);
        break;
    case 'j':
        move(top, SL_TOP_KEY_DOWN);
        break;
    default:
        break;
    }
}

void sl_top_key(struct sl_top *top, int key)
{
    if (top->is_typing) {
        type(top, key);
    } else if (is_move(key)) {
        move(top, key);
    } else if (key == SL_TOP_KEY_ENTER) {
        open_target(top);
    } else if (key == SL_TOP_KEY_ESCAPE || key == SL_TOP_KEY_BACK) {
        back(top);
    } else if (key == 'h' || key == '?') {
        help(top);
    } else if (!sort_key(top, key)) {
        character(top, key);
    }
}
