/* figure.h - numbers for a person who looks at many of them, and how wide text is.
 *
 * Whatever number comes, a figure is at most SL_FIGURE_BYTES - 1 printable bytes; what is no number
 * (NAN, infinite) is "-".
 */
#ifndef SLUICE_TOOL_FIGURE_H
#define SLUICE_TOOL_FIGURE_H

#include <stddef.h>

#include "base/str.h"

enum { SL_FIGURE_BYTES = 16 };

struct sl_figure {
    char text[SL_FIGURE_BYTES];
};

struct sl_figure sl_figure_count(double count);   /* "99999", "1.23M" */
struct sl_figure sl_figure_bytes(double bytes);   /* "512 B", "1.5 MiB" */
struct sl_figure sl_figure_time(double seconds);  /* "0.4s", "12s", "3m05s", "2h03m", "5d04h" */
struct sl_figure sl_figure_rate(double a_second); /* "0.4", "1.23M" */

/* The columns of a terminal that UTF-8 text takes; what is no UTF-8 takes one a byte. */
size_t sl_text_width(struct sl_str text);

/* The bytes of the longest beginning that takes no more than `columns`. */
size_t sl_text_fit(struct sl_str text, size_t columns);

#endif
