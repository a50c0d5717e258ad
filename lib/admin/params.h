/* params.h - the parameters of a query, decoded. */
#ifndef SLUICE_ADMIN_PARAMS_H
#define SLUICE_ADMIN_PARAMS_H

#include "admin/admin.h"

struct sl_admin_params {
    struct {
        const char *name; /* within `text` */
        const char *value;
        char text[SL_ADMIN_PARAM_BYTES];
    } items[SL_ADMIN_MAX_PARAMS];
    size_t count;
};

/* Takes one more, encoded; a NULL value is "". False: it is broken, too long, there already, or one
 * too many. */
bool sl_admin_params_add(struct sl_admin_params *params, const char *name,
                         const char *value) SL_MUST_CHECK;

#endif
