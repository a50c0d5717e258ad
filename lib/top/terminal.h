/* terminal.h - a screen on a terminal, by ncurses (loaded when it is first wanted), and its keys.
 *
 * However the process ends, but by SIGKILL, the terminal is left as it was: signals that end it on
 * purpose only ask for the end (sl_terminal_is_ended), those of a crash put the terminal right
 * first. One at a time.
 */
#ifndef SLUICE_TOP_TERMINAL_H
#define SLUICE_TOP_TERMINAL_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "top/screen.h"

struct sl_terminal;

/* NULL: `why`; there is no terminal, or it cannot do what is wanted. */
struct sl_terminal *sl_terminal_open(bool has_colours, struct sl_status *why) SL_MUST_CHECK;
void sl_terminal_close(struct sl_terminal *terminal); /* NULL is nothing */

/* How large it is now. */
void sl_terminal_size(const struct sl_terminal *terminal, unsigned *rows, unsigned *columns);

void sl_terminal_paint(struct sl_terminal *terminal, const struct sl_screen *screen);

/* The next key, as sl_top_key wants it; 0: none is there, it does not wait. */
int sl_terminal_key(struct sl_terminal *terminal);

/* SIGINT, SIGTERM, SIGHUP or SIGQUIT came. */
bool sl_terminal_is_ended(const struct sl_terminal *terminal);

#endif
