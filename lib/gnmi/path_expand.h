/* path_expand.h - one text of a path for many, as a shell writes them.
 *
 *     /interfaces/interface[name=Ethernet{1..48}]/{state,config}/mtu
 *
 * {a,b,c} stands for each of its words, {1..48} for each number ({01..10}: of as many digits;
 * {1..9..2}: in steps; {4..1}: downwards); both may stand within each other's words. Braces without
 * a comma or a range stand for themselves, as do \{ \} and, in a list, \, . In the order of a
 * shell: the last list runs fastest.
 */
#ifndef SLUICE_GNMI_PATH_EXPAND_H
#define SLUICE_GNMI_PATH_EXPAND_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"

enum {
    SL_GNMI_MAX_EXPANDED = 100 * 1000, /* texts out of one */
    SL_GNMI_MAX_BRACES = 32,           /* in one text */
};

/* False: no more of them. `text` is borrowed until it returns. */
typedef bool (*sl_gnmi_expanded_fn)(struct sl_str text, void *arg);

/* Calls `take` for each text; they are not checked. INVALID_ARGUMENT beyond the limits: then some
 * were taken already. */
struct sl_status sl_gnmi_path_expand(struct sl_str text, sl_gnmi_expanded_fn take,
                                     void *arg) SL_MUST_CHECK;

#endif
