/* draw.h - the parts of a screen. */
#ifndef SLUICE_TOP_DRAW_H
#define SLUICE_TOP_DRAW_H

#include "top/top.h"

/* The lists below the head: streams, and the others (draw_views.c). */
void sl_draw_sinks(const struct sl_top *top, struct sl_screen *screen);
void sl_draw_events(const struct sl_top *top, struct sl_screen *screen);
void sl_draw_target(const struct sl_top *top, struct sl_screen *screen);
void sl_draw_help(const struct sl_top *top, struct sl_screen *screen);

#endif
