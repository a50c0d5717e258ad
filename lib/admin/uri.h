/* uri.h - the parts of a request's target (RFC 3986 section 2.1, 3.3, 3.4). Pure. */
#ifndef SLUICE_ADMIN_URI_H
#define SLUICE_ADMIN_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/str.h"

/* Decodes %XX into `text`, NUL-terminated. False: a broken escape, one that stands for NUL, or no
 * room. */
bool sl_uri_decode(struct sl_str raw, char *text, size_t room) SL_MUST_CHECK;

/* Whether `path`, as it was sent, is one of `pattern`, in which "{}" stands for any one segment,
 * not empty: then that segment, still encoded, is in `segment` ("" where the pattern has none). */
bool sl_uri_matches(const char *pattern, const char *path, struct sl_str *segment) SL_MUST_CHECK;

#endif
