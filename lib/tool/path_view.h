/* path_view.h - what a path's text says: for a person, as JSON, and where it is wrong. */
#ifndef SLUICE_TOOL_PATH_VIEW_H
#define SLUICE_TOOL_PATH_VIEW_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi.pb-c.h"

/* A path that was read: where it stood as `given`, and both of its parts (prefix NULL: none). */
struct sl_path_view {
    struct sl_str given;
    const Gnmi__Path *prefix;
    const Gnmi__Path *path;
};

/* Appends the canonical text of both as one, and a line's end. False: too many keys in an element,
 * or `out` failed. */
bool sl_path_view_line(const struct sl_path_view *view, struct sl_buf *out) SL_MUST_CHECK;

/* The same with a line for the origin and for each element, its module and its keys, and what of it
 * is a wildcard. */
bool sl_path_view_text(const struct sl_path_view *view, struct sl_buf *out) SL_MUST_CHECK;

/* One line of JSON: {"given":…,"path":…,"origin":…,"wildcards":…,"elements":[{"name":…,
 * "module":…,"keys":{…}}]}; what is not there is left out, but for "wildcards". */
bool sl_path_view_json(const struct sl_path_view *view, struct sl_buf *out) SL_MUST_CHECK;

/* The text with a caret below the byte that is wrong; and {"given":…,"error":…,"byte":…}, which
 * counts from 1. */
void sl_path_view_caret(struct sl_str given, size_t wrong_at, struct sl_buf *out);
void sl_path_view_error_json(struct sl_str given, const struct sl_status *why, size_t wrong_at,
                             struct sl_buf *out);

#endif
