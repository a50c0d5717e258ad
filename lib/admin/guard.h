/* guard.h - who may ask: what a request's head has to say. Pure.
 *
 * Against DNS rebinding: a name that a stranger's page was loaded from can be made to point at this
 * listener, but the browser still says that name in Host. So plaintext is answered to addresses in
 * numbers, to localhost and to the names that the configuration has. Against forged requests: a
 * page of another origin says so in Origin, and cannot send POST with a header or a content type of
 * its choice without asking first (CORS), which is never granted.
 */
#ifndef SLUICE_ADMIN_GUARD_H
#define SLUICE_ADMIN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "sluice_option.h"

/* Whether "host", "host:port" or "[v6]:port" of a Host header is one of ours; NULL, from who is no
 * browser, is. */
bool sl_guard_host(const char *host, const struct sluice_strings *names);

/* Whether an Origin ("https://host:port") is the Host itself; NULL is. "null", the origin of who
 * hides it, is not. */
bool sl_guard_origin(const char *origin, const char *host);

/* Whether "Bearer TOKEN" (RFC 6750 section 2.1) is the token. Takes as long for a wrong one. */
bool sl_guard_token(const char *authorization, const char *token);

/* Whether a content type is JSON, with or without parameters; NULL is not. */
bool sl_guard_is_json(const char *content_type);

#endif
