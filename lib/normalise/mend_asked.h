/* mend_asked.h - whether a path belongs to what a subscription asked for. For mend.c alone. */
#ifndef SLUICE_NORMALISE_MEND_ASKED_H
#define SLUICE_NORMALISE_MEND_ASKED_H

#include <stdbool.h>

#include "base/base.h"
#include "gnmi/path.h"
#include "gnmi/request.h"

struct sl_mend_asked;

/* NULL when memory is out or there are more than SL_MEND_MAX_ASKED_ELEMS elements. */
struct sl_mend_asked *sl_mend_asked_new(const struct sl_gnmi_subscribe *subscribe) SL_MUST_CHECK;
void sl_mend_asked_free(struct sl_mend_asked *asked); /* NULL: nothing */

/* Whether prefix and path together are under one of the paths, or above one (their value may hold
 * what was asked for). By the names of elements, without modules, and by those keys that both have;
 * "*" and "..." are any. Origins do not count: devices that send too much leave them out. */
bool sl_mend_is_asked(struct sl_mend_asked *asked, struct sl_gnmi_path prefix,
                      struct sl_gnmi_path path);

#endif
