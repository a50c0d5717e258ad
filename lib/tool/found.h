/* found.h - which paths there are: a tree of what a device, a capture or a file of data has, and
 * what of it a path with wildcards matches.
 *
 * JSON values are taken apart as the simulator's data is (device/tree_json.h): the keys of a list's
 * entries come from there. Module names are left out, but in native origins.
 */
#ifndef SLUICE_TOOL_FOUND_H
#define SLUICE_TOOL_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "device/tree.h"
#include "gnmi.pb-c.h"

struct sl_found {
    struct sl_device_edit edit; /* what came until now */
    bool is_editing;
    struct sl_device_tree *tree; /* all of it */
    uint64_t skipped;            /* updates whose path or value fits into no tree */
};

/* False when memory is out. fini is due in either case. */
bool sl_found_init(struct sl_found *found) SL_MUST_CHECK;
void sl_found_fini(struct sl_found *found);

/* The updates of a SubscribeResponse that sl_gnmi_response_read has passed. RESOURCE_EXHAUSTED when
 * there are too many (device/tree.h); what fits into no tree is counted. */
struct sl_status sl_found_add_response(struct sl_found *found, struct sl_str message) SL_MUST_CHECK;

/* A file of data as `sluice sim --data` has it; at most one, and nothing else. */
struct sl_status sl_found_read(struct sl_found *found, struct sl_str text) SL_MUST_CHECK;

/* All is there. */
struct sl_status sl_found_end(struct sl_found *found) SL_MUST_CHECK;

/* Appends a line for each path that exists and that prefix and path match, in order, each once:
 * the part of it that they name, without what is below. Their number in `count`. INVALID_ARGUMENT
 * where the two are no path for a tree. */
struct sl_status sl_found_match(const struct sl_found *found, const Gnmi__Path *prefix,
                                const Gnmi__Path *path, struct sl_buf *out,
                                size_t *count) SL_MUST_CHECK;

#endif
