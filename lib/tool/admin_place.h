/* admin_place.h - where a running sluice's admin API is.
 *
 * As text: "HOST:PORT", "HOST" (port 9804), "http://HOST:PORT", "https://HOST:PORT" and
 * "unix:PATH". Nobody is asked here.
 */
#ifndef SLUICE_TOOL_ADMIN_PLACE_H
#define SLUICE_TOOL_ADMIN_PLACE_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "net/address.h"

enum { SL_ADMIN_URL_BYTES = SL_ADDRESS_TEXT_BYTES + 16 };

struct sl_admin_place {
    bool is_tls;
    bool is_local;                          /* loopback, or a unix socket */
    char socket[SL_ADDRESS_UNIX_BYTES + 2]; /* "" : none; an abstract one begins with '@' */
    char url[SL_ADMIN_URL_BYTES];           /* scheme and authority: "http://127.0.0.1:9804" */
    char text[SL_ADDRESS_TEXT_BYTES];       /* for people */
};

/* `wants_tls`: of a place without a scheme. False: `why` (INVALID_ARGUMENT). */
bool sl_admin_place_parse(const char *text, bool wants_tls, struct sl_admin_place *place,
                          struct sl_status *why) SL_MUST_CHECK;

#endif
