/* bar.h - where a stream's credit is, as a bar: held, granted, and what is free.
 *
 * In Unicode held is drawn in eighths of a column, in ASCII in whole ones; held or granted that is
 * not nothing is never shown as nothing, and a bar is full only where all is held.
 */
#ifndef SLUICE_TOP_BAR_H
#define SLUICE_TOP_BAR_H

#include "top/screen.h"

enum { SL_BAR_MAX_COLUMNS = 60 };

struct sl_bar {
    char text[SL_BAR_MAX_COLUMNS * 3 + 1]; /* in UTF-8 */
    unsigned held, granted;                /* columns of each, from the left */
};

/* `width` 1 to SL_BAR_MAX_COLUMNS. Parts that are no numbers, or below 0, are nothing; together
 * larger than `limit`, they are what the limit is. */
struct sl_bar sl_bar(unsigned width, double held, double granted, double limit, bool is_ascii);

#endif
