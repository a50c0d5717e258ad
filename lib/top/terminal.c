#include "top/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/lazy.h"
#include "top/top.h"

enum {
    ESCAPE_MS = 50,
    ESCAPE = 27,
    DELETE = 127,
    RESTORE_BYTES = 256,
    DEFAULT_ROWS = 24,
    DEFAULT_COLUMNS = 80
};

/* ---- ncurses ---- */

struct ncurses {
    __typeof__(&newterm) newterm;
    __typeof__(&newwin) newwin;
    __typeof__(&delwin) delwin;
    __typeof__(&delscreen) delscreen;
    __typeof__(&endwin) endwin;
    __typeof__(&cbreak) cbreak;
    __typeof__(&noecho) noecho;
    __typeof__(&keypad) keypad;
    __typeof__(&nodelay) nodelay;
    __typeof__(&set_escdelay) set_escdelay;
    __typeof__(&curs_set) curs_set;
    __typeof__(&has_colors) has_colors;
    __typeof__(&start_color) start_color;
    __typeof__(&use_default_colors) use_default_colors;
    __typeof__(&init_pair) init_pair;
    __typeof__(&resizeterm) resizeterm;
    __typeof__(&wresize) wresize;
    __typeof__(&wgetch) wgetch;
    __typeof__(&wmove) wmove;
    __typeof__(&wclrtoeol) wclrtoeol;
    __typeof__(&wattrset) wattrset;
    __typeof__(&waddnstr) waddnstr;
    __typeof__(&wrefresh) wrefresh;
    __typeof__(&clearok) clearok;
    __typeof__(&COLOR_PAIR) COLOR_PAIR;
    __typeof__(&getmaxy) getmaxy;
    __typeof__(&getmaxx) getmaxx;
    char *(*tigetstr)(const char *name); /* of term.h, whose macros take common words */
};

#define FUNCTION(name) {#name, offsetof(struct ncurses, name)}

static const struct sl_lazy_symbol symbols[] = {
    FUNCTION(newterm),
    FUNCTION(newwin),
    FUNCTION(delwin),
    FUNCTION(delscreen),
    FUNCTION(endwin),
    FUNCTION(cbreak),
    FUNCTION(noecho),
    FUNCTION(keypad),
    FUNCTION(nodelay),
    FUNCTION(set_escdelay),
    FUNCTION(curs_set),
    FUNCTION(has_colors),
    FUNCTION(start_color),
    FUNCTION(use_default_colors),
    FUNCTION(init_pair),
    FUNCTION(resizeterm),
    FUNCTION(wresize),
    FUNCTION(wgetch),
    FUNCTION(wmove),
    FUNCTION(wclrtoeol),
    FUNCTION(wattrset),
    FUNCTION(waddnstr),
    FUNCTION(wrefresh),
    FUNCTION(clearok),
    FUNCTION(COLOR_PAIR),
    FUNCTION(getmaxy),
    FUNCTION(getmaxx),
    FUNCTION(tigetstr),
    {NULL, 0},
};

struct sl_terminal {
    struct ncurses curses;
    SCREEN *screen;
    WINDOW *window;
    bool has_colours;
    struct sigaction before[NSIG];
};

/* ---- signals ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static volatile sig_atomic_t is_ended;

/* What a crash puts right: written once, before the handler is there. */
static struct termios shown;
static char restore[RESTORE_BYTES];
static size_t restore_len;

static void on_end(int number)
{
    (void)number;
    is_ended = 1;
}

/* The handler is gone already (SA_RESETHAND): the signal comes again, and ends the process. */
static void on_crash(int number)
{
    ssize_t written = write(STDOUT_FILENO, restore, restore_len);

    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    raise(number);
}

static void handle(struct sl_terminal *terminal, const int *numbers, size_t count,
                   void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    for (size_t i = 0; i < count; i++) {
        sigaction(numbers[i], &action, &terminal->before[numbers[i]]);
    }
}

static void unhandle(const struct sl_terminal *terminal, const int *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sigaction(numbers[i], &terminal->before[numbers[i]], NULL);
    }
}

/* What ends the modes that newterm has begun, in the words of this terminal. */
static void remember_restore(const struct ncurses *curses)
{
    static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};

    restore_len = 0;
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        const char *words = curses->tigetstr(names[i]);
        if (!words || words == (char *)-1) {
            continue;
        }
        size_t len = strlen(words);
        if (restore_len + len <= sizeof(restore)) {
            memcpy(restore + restore_len, words, len);
            restore_len += len;
        }
    }
}

/* ---- opening ---- */

static bool fail(struct sl_status *why, const char *text)
{
    *why = sl_status_error(SL_FAILED_PRECONDITION, "%s", text);
    return false;
}

static void begin_colours(struct sl_terminal *terminal)
{
    static const short colours[SL_STYLES] = {
        [SL_STYLE_GOOD] = COLOR_GREEN,
        [SL_STYLE_WARN] = COLOR_YELLOW,
        [SL_STYLE_BAD] = COLOR_RED,
    };
    const struct ncurses *curses = &terminal->curses;

    terminal->has_colours = curses->has_colors() && curses->start_color() == OK;
    if (terminal->has_colours) {
        short ground = curses->use_default_colors() == OK ? -1 : COLOR_BLACK;
        for (short style = SL_STYLE_GOOD; style < SL_STYLES; style++) {
            curses->init_pair(style, colours[style], ground);
        }
    }
}

static bool begin(struct sl_terminal *terminal, bool has_colours, struct sl_status *why)
{
    const struct ncurses *curses = &terminal->curses;

    terminal->screen = curses->newterm(NULL, stdout, stdin);
    if (!terminal->screen) {
        return fail(why, "the terminal of $TERM is not known; --once prints without one");
    }
    remember_restore(curses);
    handle(terminal, crashes, SL_ARRAY_LEN(crashes), on_crash, (int)SA_RESETHAND);
    handle(terminal, ending, SL_ARRAY_LEN(ending), on_end, 0);
    terminal->window = curses->newwin(0, 0, 0, 0);
    if (!terminal->window) {
        return fail(why, "out of memory");
    }
    curses->cbreak();
    curses->noecho();
    curses->set_escdelay(ESCAPE_MS);
    curses->keypad(terminal->window, true);
    curses->nodelay(terminal->window, true);
    curses->curs_set(0);
    if (has_colours) {
        begin_colours(terminal);
    }
    return true;
}

struct sl_terminal *sl_terminal_open(bool has_colours, struct sl_status *why)
{
    struct sl_terminal *terminal = calloc(1, sizeof(*terminal));

    if (!terminal) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    bool is_good =
        (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0) ||
        fail(why, "there is no terminal; --once prints one screen without");
    is_good = is_good && sl_lazy_load("libncursesw.so.6", symbols, &terminal->curses, why) &&
              begin(terminal, has_colours, why);
    if (!is_good) {
        sl_terminal_close(terminal);
        return NULL;
    }
    return terminal;
}

void sl_terminal_close(struct sl_terminal *terminal)
{
    if (!terminal) {
        return;
    }
    if (terminal->screen) {
        if (terminal->window) {
            terminal->curses.delwin(terminal->window);
        }
        terminal->curses.endwin();
        terminal->curses.delscreen(terminal->screen);
        unhandle(terminal, crashes, SL_ARRAY_LEN(crashes));
        unhandle(terminal, ending, SL_ARRAY_LEN(ending));
    }
    free(terminal);
}

bool sl_terminal_is_ended(const struct sl_terminal *terminal)
{
    (void)terminal;
    return is_ended;
}

/* ---- what is shown ---- */

void sl_terminal_size(const struct sl_terminal *terminal, unsigned *rows, unsigned *columns)
{
    struct winsize size = {0};

    (void)terminal;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
        size = (struct winsize){0};
    }
    *rows = size.ws_row ? size.ws_row : DEFAULT_ROWS;
    *columns = size.ws_col ? size.ws_col : DEFAULT_COLUMNS;
}

static int attribute_of(const struct sl_terminal *terminal, enum sl_style style)
{
    static const attr_t attributes[SL_STYLES] = {
        [SL_STYLE_BOLD] = A_BOLD,        [SL_STYLE_DIM] = A_DIM,  [SL_STYLE_TITLE] = A_REVERSE,
        [SL_STYLE_SELECTED] = A_REVERSE, [SL_STYLE_BAD] = A_BOLD,
    };
    attr_t attribute = attributes[style];

    if (terminal->has_colours && style >= SL_STYLE_GOOD) {
        attribute |= (attr_t)terminal->curses.COLOR_PAIR((int)style);
    }
    return (int)attribute;
}

static void paint_row(const struct sl_terminal *terminal, const struct sl_cell *cells,
                      unsigned count)
{
    const struct ncurses *curses = &terminal->curses;
    unsigned style = SL_STYLES;

    for (unsigned i = 0; i < count; i++) {
        if (cells[i].style != style) {
            style = cells[i].style;
            curses->wattrset(terminal->window, attribute_of(terminal, (enum sl_style)style));
        }
        curses->waddnstr(terminal->window, cells[i].text, -1);
    }
}

void sl_terminal_paint(struct sl_terminal *terminal, const struct sl_screen *screen)
{
    const struct ncurses *curses = &terminal->curses;
    unsigned rows;
    unsigned columns;

    sl_terminal_size(terminal, &rows, &columns);
    if ((int)rows != curses->getmaxy(terminal->window) ||
        (int)columns != curses->getmaxx(terminal->window)) {
        curses->resizeterm((int)rows, (int)columns);
        curses->wresize(terminal->window, (int)rows, (int)columns);
        curses->clearok(terminal->window, true);
    }
    for (unsigned row = 0; row < screen->rows && row < rows; row++) {
        curses->wmove(terminal->window, (int)row, 0);
        paint_row(terminal, &screen->cells[(size_t)row * screen->columns], screen->columns);
    }
    curses->wrefresh(terminal->window);
}

/* ---- keys ---- */

static const struct {
    int code;
    int key;
} keys[] = {
    {KEY_UP, SL_TOP_KEY_UP},           {KEY_DOWN, SL_TOP_KEY_DOWN}, {KEY_PPAGE, SL_TOP_KEY_PAGE_UP},
    {KEY_NPAGE, SL_TOP_KEY_PAGE_DOWN}, {KEY_HOME, SL_TOP_KEY_HOME}, {KEY_END, SL_TOP_KEY_END},
    {KEY_ENTER, SL_TOP_KEY_ENTER},     {'\n', SL_TOP_KEY_ENTER},    {'\r', SL_TOP_KEY_ENTER},
    {KEY_BACKSPACE, SL_TOP_KEY_BACK},  {DELETE, SL_TOP_KEY_BACK},   {'\b', SL_TOP_KEY_BACK},
    {ESCAPE, SL_TOP_KEY_ESCAPE},
};

int sl_terminal_key(struct sl_terminal *terminal)
{
    int code = terminal->curses.wgetch(terminal->window);

    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        if (keys[i].code == code) {
            return keys[i].key;
        }
    }
    /* Others that ncurses has a name for mean nothing here; -1: there is none. */
    return code > 0 && code < KEY_MIN ? code : code > 0 ? sl_terminal_key(terminal) : 0;
}
